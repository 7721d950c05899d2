"""One try of a callback: an operator has taken it, the citizen is called with the centre's number."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal

from dialplans import Trunk, callback_number
from ivr import UnansweredReason, Walk
from switch import Bridge, Channel, ChannelGone, SwitchError, SwitchGone

from .arrival import STRANDED_S, life
from .call import Answer, Call, HangUp, PageLost, Phase
from .callback_memory import CallbackMemory
from .clock import iso
from .forward import why
from .serials import serial
from .waiting import served

if TYPE_CHECKING:
    from .callbacks import Kept
    from .centre import Centre
    from .session import Session

log = logging.getLogger("daihyo.engine.callbacks")

Unreached = UnansweredReason | Literal["operator_gone"]
NO_TRY = ("trunk_full", "operator_gone")  # the citizen's telephone is not to blame
SOON_S = 10.0  # after a restart of ours has cost a try
SYNCED_S = 0.3  # how long a try waits for the disk: a kill after the INVITE must find it written
TELL_S = 10.0  # how long the operator is told at most that nobody was reached
_BY: dict[str, str] = {"operator_gone": "operator", "busy": "outside", "refused": "outside"}


@dataclass(frozen=True)
class Taken:
    """An operator who has taken it. `bridge`: None is made when it is needed; `citizen`: the leg that rings
    there already (recovery)."""

    operator: str
    phone: str
    leg: Channel
    bridge: Bridge | None = None
    citizen: Channel | None = None


class Try:
    """One try, from `dialled` to its end. Whatever happens on the way, it ends in a talk, or the failed try
    is noted, the operator freed and both lines are let go. Only a lost connection to the switch leaves all as
    it is, for recovery."""

    def __init__(self, session: Session, kept: Kept, taken: Taken) -> None:
        self.session, self.kept, self.memory = session, kept, kept.memory
        self.taken = taken
        self.bridge, self.citizen = taken.bridge, taken.citizen
        found = kept.memory.call if taken.citizen is not None else None
        self.id = found or f"{session.centre.site.id}-cb{serial()}"
        self.call: Call | None = None

    async def run(self) -> None:
        """Until the try has failed. One that is reached ends the callback, and this with it."""
        call: Call | None = None
        reason: Unreached = "failed"
        try:
            outcome = await self._called()
            if isinstance(outcome, Call):
                call = outcome
            else:
                reason = outcome
        except SwitchGone as problem:
            log.warning("callback %s to %s: %s", self.memory.id, self.memory.number, problem)
            # If the connection is lost this ends here. A single request, or AMI alone, may be lost too.
            await asyncio.sleep(STRANDED_S)
        except asyncio.CancelledError:
            self._failed("failed")
            raise
        except Exception:
            log.exception("callback %s to %s", self.memory.id, self.memory.number)
        if call is None:
            self._failed(reason)
            return
        self.session.take_up(call, self._talk(call))
        await self.kept.unreached.wait()

    async def _called(self) -> Call | Unreached:
        """The call, once the citizen answers, or why they do not."""
        session, memory = self.session, self.memory
        if self.citizen is None:
            self._note_dialled()
            await session.centre.journal.synced(SYNCED_S)
            if (refused := _refused(session, memory)) is not None:
                return refused
        try:
            self.bridge = self.bridge or await session.switch.bridge()
            self.citizen = self.citizen or await self._dialled()
        except ChannelGone as gone:
            return why(gone.hangup)
        except SwitchGone:
            raise
        except SwitchError as problem:
            log.warning("callback %s to %s failed: %s", memory.id, memory.number, problem)
            return "failed"
        answer = Answer(self.taken.operator, self.taken.phone, self.taken.leg, self.bridge)
        call = self.call = made(session, memory, self.id, self.citizen, answer)
        session.calls[call.id] = call
        session.phase(call, Phase.CALLING)
        session.centre.live.callbacks()
        return await _rung(session, memory, call, answer) or call

    def _note_dialled(self) -> None:
        memory, taken, centre = self.memory, self.taken, self.session.centre
        plan, _ = centre.versions.number(memory.called)
        centre.note(
            "dialled",
            self.id,
            number=memory.shown,
            to=memory.number,
            reason="callback",
            callback=memory.id,
            of=memory.of,
            queue=memory.queue,
            operator=taken.operator,
            phone=taken.phone,
            operator_leg=taken.leg.id,
            leg=self.id,
            plan=plan.version,
        )
        centre.live.callbacks()

    async def _dialled(self) -> Channel:
        """Rings the citizen, who sees the centre's number. Recorded from the first word, or not called."""
        session, memory, id = self.session, self.memory, self.id
        trunk = _trunk(session, memory)
        prefix = trunk.outbound.prefix if trunk is not None and trunk.outbound is not None else ""
        leg = await session.switch.leg(
            f"{prefix}{memory.number}@trunk-{memory.trunk}",
            channel_id=id,
            caller_id=memory.shown,
            caller_name="",
        )
        try:
            spool = session.centre.settings.spool_folder
            await session.switch.record(leg, spool / f"{id}-in.wav", spool / f"{id}-out.wav")
            await leg.dial(memory.ring_s + 10)
        except BaseException:
            session.let_go(leg, None)
            raise
        return leg

    async def _talk(self, call: Call) -> None:
        assert self.bridge is not None  # noqa: S101  (made before anybody was called)
        taken = self.taken
        async with life(self.session, call):
            await served(self.session, call, Answer(taken.operator, taken.phone, taken.leg, self.bridge))

    def _failed(self, reason: Unreached) -> None:
        """Noted at once; the operator is told and let go in a task that nothing else ends."""
        session = self.session
        if session.detached:
            return
        failed(session, self.memory, self.id, reason)
        session.let_go(self.citizen, None)
        if self.call is not None:
            self.call.ended_by, self.call.end_reason = _BY.get(reason, "centre"), reason
        session.start(self._parted(reason), f"unreached {self.id}")
        session.centre.live.callbacks()

    async def _parted(self, reason: Unreached) -> None:
        session, taken = self.session, self.taken
        try:
            if reason != "operator_gone":
                await _tell(session, taken.leg)
        finally:
            if not session.detached:
                session.operator_free(self.id, taken.operator, taken.leg, self.bridge)
                if self.call is not None:
                    self.call.operator = self.call.leg = None
                    session.finish(self.call)
                else:
                    session.centre.note("ended", self.id, by="centre", cause=None, reason=reason)


def made(session: Session, memory: CallbackMemory, id: str, leg: Channel, answer: Answer) -> Call:
    """The new call, as the engine holds it."""
    centre = session.centre
    plan, number = centre.versions.number(memory.called)
    language: Literal["ja", "en"] = "en" if memory.language == "en" else "ja"
    call = Call(
        id=id,
        channel=leg,
        plan=plan,
        number=number,
        walk=Walk(plan.site, number.digits, centre.plan_now(), language=language),
        caller=memory.number,
        arrived=centre.memory.calls[id].arrived,
        phase=Phase.CALLING,
        since=centre.clock.now(),
        queue=memory.queue,
        callback=memory.id,
        shown=memory.shown,
        booked_path=memory.path,
    )
    call.operator, call.phone, call.leg = answer.operator, answer.phone, answer.leg
    return call


def _refused(session: Session, memory: CallbackMemory) -> Unreached | None:
    """Why that number is not called now: asked again each time, plans and trunks change."""
    trunk = _trunk(session, memory)
    if _barred(session.centre, memory):
        log.error("callback %s: %s may not be called", memory.id, memory.number)
        return "refused"
    if trunk is None or trunk.outbound is None:
        log.error("callback %s: the plan has no trunk %s to call by", memory.id, memory.trunk)
        return "failed"
    return "trunk_full" if session.centre.memory.on_trunk(trunk.id) > trunk.max_channels else None


def _trunk(session: Session, memory: CallbackMemory) -> Trunk | None:
    return next((one for one in session.centre.site.trunks if one.id == memory.trunk), None)


async def _rung(session: Session, memory: CallbackMemory, call: Call, answer: Answer) -> Unreached | None:
    """Until the citizen answers (None), or why not. The operator hears it ring."""
    began = session.centre.memory.calls[call.id].arrived_mono
    await _ringing(answer.leg, True)
    up = asyncio.create_task(call.channel.wait_up())
    gone = asyncio.create_task(answer.leg.wait_gone())
    try:
        while True:
            word = asyncio.create_task(call.inbox.get())
            try:
                left_s = began + memory.ring_s - session.centre.clock.mono()
                either: set[asyncio.Future[Any]] = {up, gone, word}
                done, _ = await asyncio.wait(
                    either, timeout=max(0.0, left_s), return_when=asyncio.FIRST_COMPLETED
                )
            finally:
                word.cancel()
            if up in done:
                try:
                    up.result()
                except ChannelGone as ended:
                    return why(ended.hangup)
                await _ringing(answer.leg, False)
                return None
            if gone in done:
                return "operator_gone"
            if not done:
                return "no_answer"
            if isinstance(word.result(), (HangUp, PageLost)):
                return "operator_gone"
    finally:
        for task in (up, gone):
            task.cancel()
        await asyncio.wait([up, gone])


async def _ringing(leg: Channel, on: bool) -> None:
    """The operator hears it. A phone that is gone is told of by its own end; without the tone it goes on."""
    try:
        await leg.ring(on)
    except SwitchError as problem:
        log.debug("operator's leg %s: %s", leg.id, problem)


def failed(
    session: Session, memory: CallbackMemory, id: str, reason: Unreached, *, soon: bool = False
) -> None:
    """Notes the try that has failed; `memory.last` then says whether it was the last. `soon`: our restart
    cost it."""
    centre = session.centre
    tried = memory.tried if soon or reason in NO_TRY else memory.tried + 1
    next_at = centre.clock.now() + timedelta(seconds=SOON_S if soon else memory.retry_s)
    over = tried >= memory.tries or _barred(centre, memory) or next_at >= memory.expires
    told: dict[str, Any] = {"try": tried, "next_at": None if over else iso(next_at)}
    centre.note("callback_failed", id, callback=memory.id, reason=reason, **told)


def given_up(centre: Centre, memory: CallbackMemory) -> str:
    """Why the try that failed last was the last, as `callback_ended` tells it."""
    return "given_up" if memory.tried >= memory.tries or _barred(centre, memory) else "expired"


def _barred(centre: Centre, memory: CallbackMemory) -> bool:
    return callback_number(centre.site, memory.number) != memory.number


async def _tell(session: Session, leg: Channel) -> None:
    """The operator hears that nobody was reached."""
    key = session.centre.site.wording.said("callback_unreached").key
    try:
        async with asyncio.timeout(TELL_S):
            await _ringing(leg, False)
            await leg.play(f"sound:daihyo-{key}")
    except (ChannelGone, SwitchGone, TimeoutError):
        pass
    except SwitchError as problem:
        log.warning("telling on the operator's leg %s: %s", leg.id, problem)
