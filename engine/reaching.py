"""A telephone outside that we call ourselves, for an operator who waits on the line: a callback, or a call
that the operator makes. From `dialled` to the answer, or to the reason why there was none."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from dialplans import OutLeg
from switch import Bridge, Channel, ChannelGone, Hangup, SwitchError, SwitchGone

from .arrival import STRANDED_S, life
from .call import Answer, Call, HangUp, PageLost
from .waiting import served

if TYPE_CHECKING:
    from .memory import CallMemory
    from .session import Session

log = logging.getLogger("daihyo.engine.reaching")

SYNCED_S = 0.3  # how long a try waits for the disk: a kill after the INVITE must find it written
_BY: Final[dict[str, str]] = {"operator_gone": "operator", "busy": "outside", "refused": "outside"}


@dataclass(frozen=True)
class Taken:
    """An operator who waits on the line. `bridge`: None is made when it is needed; `citizen`: the leg that
    rings there already (recovery)."""

    operator: str
    phone: str
    leg: Channel
    bridge: Bridge | None = None
    citizen: Channel | None = None


class Reaching:
    """One of them. However it goes, it ends in a talk, or its failure is noted, the operator freed and both
    lines are let go. Only a lost connection to the switch leaves all as it is, for recovery."""

    def __init__(self, session: Session, id: str, taken: Taken) -> None:
        self.session, self.id, self.taken = session, id, taken
        self.bridge, self.citizen = taken.bridge, taken.citizen
        self.call: Call | None = None

    # -- what differs

    async def called(self) -> Call | str:
        """The call, once it is answered, or why it is not."""
        raise NotImplementedError

    def noted(self, reason: str) -> None:
        """Notes that it has failed."""

    async def told(self, reason: str) -> None:
        """Lets the operator hear so."""

    # -- what does not

    async def reach(self) -> bool:
        """Until somebody has answered, who then talks (True), or until it has failed."""
        call: Call | None = None
        reason = "failed"
        try:
            outcome = await self.called()
            if isinstance(outcome, Call):
                call = outcome
            else:
                reason = outcome
        except SwitchGone as problem:
            log.warning("call %s: %s", self.id, problem)
            # If the connection is lost this ends here. A single request, or AMI alone, may be lost too.
            await asyncio.sleep(STRANDED_S)
        except asyncio.CancelledError:
            self._failed("failed")
            raise
        except Exception:
            log.exception("call %s", self.id)
        if call is None:
            self._failed(reason)
            return False
        self.session.take_up(call, self._talk(call))
        return True

    async def _talk(self, call: Call) -> None:
        assert self.bridge is not None  # noqa: S101  (made before anybody was called)
        taken = self.taken
        async with life(self.session, call):
            await served(self.session, call, Answer(taken.operator, taken.phone, taken.leg, self.bridge))

    def _failed(self, reason: str) -> None:
        """Noted at once; the operator is told and let go in a task that nothing else ends."""
        session = self.session
        if session.detached:
            return
        self.noted(reason)
        session.let_go(self.citizen, None)
        if self.call is not None:
            self.call.ended_by, self.call.end_reason = _BY.get(reason, "centre"), reason
        session.start(self._parted(reason), f"unreached {self.id}")

    async def _parted(self, reason: str) -> None:
        session, taken = self.session, self.taken
        try:
            if reason != "operator_gone":
                await self.told(reason)
        finally:
            if not session.detached:
                session.operator_free(self.id, taken.operator, taken.leg, self.bridge)
                if self.call is not None:
                    self.call.operator = self.call.leg = None
                    session.finish(self.call)
                else:
                    by = _BY.get(reason, "centre")
                    session.centre.note("ended", self.id, by=by, cause=None, reason=reason)


async def dialled(
    session: Session, way: OutLeg, *, call: str, channel: str, shown: str, ring_s: float
) -> Channel:
    """Rings a telephone outside by one way: it sees our number. Recorded from the first word, or not called.
    `call`: whose recording it is; `channel`: its id."""
    leg = await session.switch.leg(
        f"{way.dial}@trunk-{way.trunk}", channel_id=channel, caller_id=shown, caller_name=""
    )
    try:
        spool = session.centre.settings.spool_folder
        await session.switch.record(leg, spool / f"{call}-in.wav", spool / f"{call}-out.wav")
        await leg.dial(ring_s + 10)
    except BaseException:
        session.let_go(leg, None)
        raise
    return leg


async def answered(
    session: Session, call: Call, operator: Channel, until_mono: float
) -> Hangup | Literal["no_answer", "operator_gone"] | None:
    """Until the telephone outside is answered (None), or why not. The operator hears it ring."""
    await hears_ringing(operator, True)
    up = asyncio.create_task(call.channel.wait_up())
    gone = asyncio.create_task(operator.wait_gone())
    try:
        while True:
            word = asyncio.create_task(call.inbox.get())
            try:
                left_s = until_mono - session.centre.clock.mono()
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
                    return ended.hangup
                await hears_ringing(operator, False)
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


async def hears_ringing(leg: Channel, on: bool) -> None:
    """The operator hears it. A phone that is gone is told of by its own end; without the tone it goes on."""
    try:
        await leg.ring(on)
    except SwitchError as problem:
        log.debug("operator's leg %s: %s", leg.id, problem)


async def hears(leg: Channel, media: str, for_s: float) -> None:
    """The operator hears this, no longer than so."""
    try:
        async with asyncio.timeout(for_s):
            await hears_ringing(leg, False)
            await leg.play(media)
    except (ChannelGone, SwitchGone, TimeoutError):
        pass
    except SwitchError as problem:
        log.warning("telling on the operator's leg %s: %s", leg.id, problem)


def nobody_talks(session: Session, call: CallMemory, leg: Channel | None, reason: str) -> None:
    """A call of ours that nobody had answered and that cannot go on (recovery): its operator is free."""
    was = call.dialled
    if was is not None and not was.left:
        session.floor.talks(was.operator, call.id, call.queue)
        session.centre.note("left", call.id, operator=was.operator)
        session.centre.note("wrap_up", call.id, operator=was.operator)
        session.floor.over(was.operator)
    session.centre.note("ended", call.id, by="unknown", cause=None, reason=reason)
    session.let_go(leg, None)
