"""Transfers as a new engine (or connection) finds them: whoever hears whom goes on hearing them."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from switch import Bridge, Channel, FoundBridge

from .arrival import life
from .call import Answer, Call, Phase
from .memory import CallMemory
from .phones import BROWSER, DESK
from .transfer import FoundTransfer, Left, broken_off
from .transfer_memory import TransferMemory
from .transfer_model import Reason, State, Transfer, target_of
from .transfer_target import TargetPhone
from .transferred import Waits, comes_back
from .waiting import goes_on, served, waits

if TYPE_CHECKING:
    from .session import Session

Work = Coroutine[Any, Any, None]


def remembered(call: Call, memory: CallMemory) -> None:
    """What the live state tells of transfers that are over."""
    known = memory.transfers
    call.transfers = known.count
    call.last_transfer, call.returned = known.last, known.returned


def ended_meanwhile(session: Session, memory: CallMemory) -> None:
    """The citizen hung up while nobody looked."""
    if (was := memory.transfers.open) is not None:
        _note_ended(session, memory.id, was, "caller_gone")


def under_way(
    session: Session,
    memory: CallMemory,
    call: Call,
    channels: Mapping[str, Channel],
    bridges: Mapping[str, FoundBridge],
    operator_left: Callable[[], None],
) -> set[str] | None:
    """A call whose transfer had not ended is taken up; returns the ids that go on being used. None: it is a
    call like any other. `operator_left` notes that and frees the operator."""
    was = memory.transfers.open
    if was is None:
        return None
    found = _Found(session, memory, call, was, channels, bridges)
    present = memory.operator is not None and found.operators_leg is not None
    if memory.operator is not None and present and not was.transferred:
        return found.with_operator(memory.operator)
    if memory.operator is not None and not was.transferred:
        lost = memory.phone == BROWSER and was.state is not State.THREE_WAY
        if lost or memory.returning or found.leg is None:
            # Either their page went away, or both have hung up: the citizen waits for somebody else.
            found.target.over("operator_gone" if found.leg is not None else "target_gone")
            operator_left()
            return found.waits_again(memory.operator)
        found.left()
    if memory.operator is not None:
        operator_left()
    return found.without_operator()


class _Found:
    """One transfer that stood, laid beside what Asterisk holds."""

    def __init__(
        self,
        session: Session,
        memory: CallMemory,
        call: Call,
        was: TransferMemory,
        channels: Mapping[str, Channel],
        bridges: Mapping[str, FoundBridge],
    ) -> None:
        self.session, self.memory, self.call, self.was = session, memory, call, was
        self.operators_leg = channels.get(memory.leg or "")
        leg = channels.get(was.leg or "")
        # Perhaps never dialled: it would be waited for in vain.
        self.leg = None if leg is not None and leg.down and was.answered_mono is None else leg
        self.room = bridges.get(was.bridge or memory.bridge or "")
        call.transfer = self.transfer = Transfer(
            place=was.place,
            how=was.how,
            target=target_of(was.to),
            operator=was.operator,
            by=was.by,
            since=was.since,
            state=was.state,
            leg=self.leg,
            answered_mono=was.answered_mono,
            pad=channels.get(was.pad or ""),
        )
        self.target = TargetPhone(session, call, self.transfer)
        self.target.phone = was.phone or DESK
        if self.leg is not None and self.target.colleague is not None:
            session.floor.talks_alone(self.target.colleague, call.id)

    @property
    def used(self) -> set[str]:
        ids = {one.id for one in (self.leg, self.operators_leg) if one is not None}
        return ids | ({self.room.bridge.id} if self.room is not None else set())

    def with_operator(self, operator: str) -> set[str]:
        session, call, memory = self.session, self.call, self.memory
        assert self.operators_leg is not None  # noqa: S101  (asked by the caller)
        inside = frozenset(self.room.channel_ids) if self.room is not None else frozenset()
        self.transfer.state = self._state(inside)
        answer = Answer(operator, memory.phone or DESK, self.operators_leg, self._bridge())
        call.operator, call.phone, call.leg = operator, memory.phone, self.operators_leg
        call.bridge, call.muted = answer.bridge, call.id in session.centre.memory.seats.muted
        session.floor.talks(operator, call.id, memory.queue)
        pad = self.transfer.pad
        found = FoundTransfer(self.transfer, self.leg, inside, self.was.pad is not None and pad is None)
        session.take_up(call, self._talking(answer, found))
        return self.used | ({pad.id} if pad is not None else set())

    def _state(self, inside: frozenset[str]) -> State:
        """The last key may have been obeyed and not yet written down."""
        was = self.was.state
        if was is State.RINGING or self.leg is None:
            return was
        seen = {
            (False, True): State.TALKING,
            (True, False): State.HELD,
            (True, True): State.THREE_WAY,
        }.get((self.call.id in inside, self.leg.id in inside), was)
        if seen is not was:
            self.target.note_room(seen)
        return seen

    def _bridge(self) -> Bridge:
        assert self.room is not None  # noqa: S101  (asked by the caller)
        return self.room.bridge

    def left(self) -> None:
        """The operator hung up while nobody looked: that completes it, or leaves it to ring."""
        self.target.note_transferred(self.room.bridge.id if self.room is not None else "")

    def without_operator(self) -> set[str]:
        """The citizen had been left to the target."""
        session, call, leg = self.session, self.call, self.leg
        if self.transfer.target.kind == "queue":
            self.target.over("over")
            session.take_up(call, _alive(session, call, _queued(session, call, self.transfer.target.number)))
            return set()
        if leg is None and self.was.answered_mono is not None:
            # Whoever answered there hung up while nobody looked.
            self.target.over("over")
            call.ended_by = "outside"
            session.take_up(call, _alive(session, call, None))
            return set()
        if leg is None or self.room is None:
            session.take_up(call, _alive(session, call, self._back("failed")))
            return set()
        talk = self.was.answered_mono is not None
        call.hears_ringing = not talk
        # Known from now on: the department may be giving the citizen back at this moment.
        call.phase = Phase.TRANSFERRED if talk else Phase.TRANSFERRING
        session.take_up(call, _alive(session, call, self._goes_on(leg, self.room)))
        return self.used - ({self.operators_leg.id} if self.operators_leg is not None else set())

    def waits_again(self, operator: str) -> set[str]:
        session, call = self.session, self.call
        session.take_up(call, _alive(session, call, _queued(session, call, None, operator)))
        return set()

    async def _talking(self, answer: Answer, found: FoundTransfer) -> None:
        async with life(self.session, self.call):
            await served(self.session, self.call, answer, adopted=True, under_way=found)

    async def _back(self, reason: Reason) -> None:
        back = await comes_back(self.session, self.call, self.target, None, reason)
        await served(self.session, self.call, await waits(self.session, self.call, back))

    async def _goes_on(self, leg: Channel, room: FoundBridge) -> None:
        """As it was; with both in the room, where the operator's leaving put them."""
        with ExitStack() as undo:
            undo.callback(broken_off, self.call, self.target)
            self.target.follow(leg)
            if self.was.answered_mono is not None:
                await self.call.quiet()
                if leg.id not in room.channel_ids:
                    await leg.music(False)
                await room.bridge.add(self.call.channel, leg)
                self.transfer.state = State.TRANSFERRED
            left = Left(self.target, room.bridge, undo.pop_all())
        await goes_on(self.session, self.call, left)


async def _alive(session: Session, call: Call, work: Work | None) -> None:
    async with life(session, call):
        if work is not None:
            await work


async def _queued(session: Session, call: Call, queue: str | None, operator: str | None = None) -> None:
    await served(session, call, await waits(session, call, Waits(queue, operator)))


def _note_ended(session: Session, call: str, was: TransferMemory, reason: Reason) -> None:
    since = was.answered_mono
    talk_s = None if since is None else round(session.centre.clock.mono() - since, 3)
    session.centre.note("transfer_ended", call, place=was.place, leg=was.leg, reason=reason, talk_s=talk_s)
