"""One try of a callback: an operator has taken it, the citizen is called with the centre's number."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal, cast

from dialplans import OutLeg, Trunk, callback_number
from ivr import UnansweredReason, Walk
from switch import Channel, ChannelGone, Hangup, SwitchError, SwitchGone

from .call import Answer, Call, Phase
from .callback_memory import CallbackMemory
from .clock import iso
from .forward import why
from .reaching import SYNCED_S, Reaching, Taken, answered, dialled, hears
from .serials import serial

if TYPE_CHECKING:
    from .callbacks import Kept
    from .centre import Centre
    from .session import Session

log = logging.getLogger("daihyo.engine.callbacks")

Unreached = UnansweredReason | Literal["operator_gone"]
NO_TRY = ("trunk_full", "operator_gone")  # the citizen's telephone is not to blame
SOON_S = 10.0  # after a restart of ours has cost a try
TELL_S = 10.0  # how long the operator is told at most that nobody was reached


class Try(Reaching):
    """One try, from `dialled` to its end."""

    def __init__(self, session: Session, kept: Kept, taken: Taken) -> None:
        found = kept.memory.call if taken.citizen is not None else None
        super().__init__(session, found or f"{session.centre.site.id}-cb{serial()}", taken)
        self.kept, self.memory = kept, kept.memory

    async def run(self) -> None:
        """Until the try has failed. One that is reached ends the callback, and this with it."""
        if await self.reach():
            await self.kept.unreached.wait()

    async def called(self) -> Call | str:
        outcome = await self._called()
        return why(outcome) if isinstance(outcome, Hangup) else outcome

    def noted(self, reason: str) -> None:
        failed(self.session, self.memory, self.id, cast(Unreached, reason))
        self.session.centre.live.callbacks()

    async def told(self, reason: str) -> None:
        """The operator hears that nobody was reached."""
        key = self.session.centre.site.wording.said("callback_unreached").key
        await hears(self.taken.leg, f"sound:daihyo-{key}", TELL_S)

    async def _called(self) -> Call | Hangup | Unreached:
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
            return gone.hangup
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
        began = session.centre.memory.calls[call.id].arrived_mono
        return await answered(session, call, answer.leg, began + memory.ring_s) or call

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
        memory = self.memory
        trunk = _trunk(self.session, memory)
        prefix = trunk.outbound.prefix if trunk is not None and trunk.outbound is not None else ""
        way = OutLeg(memory.trunk, f"{prefix}{memory.number}")
        return await dialled(
            self.session, way, call=self.id, channel=self.id, shown=memory.shown, ring_s=memory.ring_s
        )


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
