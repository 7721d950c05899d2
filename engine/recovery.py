"""Taking every call up where it stands: after a start of the engine, of Asterisk, or of the line between
them.

What the journal remembers is laid beside what Asterisk holds. A clean start is the same code with nothing
to adopt.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from acd import OperatorState
from ivr import Move, ToForward, ToQueue, Walk
from switch import Channel, FoundBridge, HangupReason, Snapshot, SwitchError, SwitchGone

from .arrival import citizen, life
from .call import Answer, Call, Phase
from .callback_recovery import called, take_up
from .clock import iso
from .forward import Found
from .memory import CallMemory
from .offer import operator_of_leg
from .outbound_recovery import calling
from .phones import BROWSER, DESK
from .supervision_recovery import heir, parting, supervised
from .transfer_memory import RETURNED_PRIORITY
from .transfer_recovery import ended_meanwhile, remembered, under_way
from .waiting import Entry, returned, served
from .walk import led

if TYPE_CHECKING:
    from .session import Session

log = logging.getLogger("daihyo.engine.recovery")

BYE_S = 2.0  # how long a leg may take to go


def recover(session: Session, snapshot: Snapshot) -> int:
    """Adopts calls and operators; returns how many calls were taken up."""
    centre = session.centre
    memory = centre.memory
    centre.note("switch_connected", started=iso(snapshot.switch_started))
    _operators(session)
    channels = {channel.id: channel for channel in snapshot.channels}
    bridges = {found.bridge.id: found for found in snapshot.bridges}
    used: set[str] = set()
    adopted = 0
    # In order of arrival, so that the waiting keep their order whatever the clock's grain.
    for call in sorted(memory.calls.values(), key=lambda one: one.queued_mono or one.arrived_mono):
        channel = channels.get(call.line)
        if channel is not None:
            used.add(channel.id)
        try:
            if call.outbound is not None and call.answered is None:
                used |= calling(session, call, channels)
            elif call.dialled is not None and call.answered is None:
                used |= called(session, call, channels)
            elif _stands(session, call, channel, call.arrived < snapshot.switch_started):
                assert channel is not None  # noqa: S101  (it stands)
                used |= _adopt(session, call, channel, channels, bridges)
                adopted += 1
        except Exception:
            log.exception("call %s cannot be taken up", call.id)
            _given_up(session, call, channel)
    used |= take_up(session, channels)
    used |= supervised(session, channels, bridges)
    for operator in centre.site.operators:
        _wish(session, operator.id)
    for channel in snapshot.channels:
        if channel.id in used:
            continue
        if channel.args[:1] == ("arrival",) and channel.id not in memory.ended:
            session.arrived(channel)  # it came in while nobody noted it
            adopted += 1
        else:
            session.let_go(channel, None, of=operator_of_leg(channel.id))
    for identity, found in bridges.items():
        if identity not in used:
            session.let_go(None, found.bridge)
    return adopted


def _stands(session: Session, call: CallMemory, channel: Channel | None, restarted: bool) -> bool:
    """Whether the call is there and ours; else what became of it is noted."""
    if call.via == "survival":
        if channel is not None:  # the line was lost before it had been handed over
            session.hand_over_again(channel, call.number)
        else:
            _survival(session, call, restarted)
        return False
    if channel is None:
        _ended_meanwhile(session, call, restarted)
    return channel is not None


def _given_up(session: Session, call: CallMemory, channel: Channel | None) -> None:
    """A fault of ours with one call costs no other: Asterisk's own path looks after the citizen. Its other
    legs are let go as nobody's."""
    try:
        if call.operator is not None:
            _operator_left(session, call)
        session.floor.gone(call.id)
    except Exception:
        log.exception("call %s: its operator", call.id)
    if channel is not None and call.dialled is None:
        session.centre.note("handed_over", call.id)
        session.hand_over_again(channel, call.number)
    elif call.id in session.centre.memory.calls:
        session.centre.note("ended", call.id, by="unknown", cause=None, reason="fault")


def _operators(session: Session) -> None:
    centre = session.centre
    for operator in centre.site.operators:
        memory = centre.memory.operator(operator.id)
        if memory.known:
            session.floor.restore(memory)
        # After that: what it notes of them are the figures restored.
        session.floor.phone(operator.id, bool(centre.reachable.get(operator.id)))


def _wish(session: Session, operator: str) -> None:
    """A break asked for in mid-call still holds after it."""
    memory = session.centre.memory.operator(operator)
    if memory.next_state is None or not session.floor.knows(operator):
        return
    if session.floor.view(operator).state in (OperatorState.TALKING, OperatorState.WRAP_UP):
        session.floor.wants(operator, OperatorState(memory.next_state), memory.next_reason)


def _survival(session: Session, call: CallMemory, restarted: bool) -> None:
    """A call that Asterisk serves alone: its operator is busy; it ends in Asterisk's own log."""
    if restarted:
        session.centre.note(
            "ended", call.id, by="switch", cause=None, reason=HangupReason.SWITCH_RESTARTED.value
        )
    elif call.operator is not None:
        session.floor.talks(call.operator, call.id, call.queue)


def _ended_meanwhile(session: Session, call: CallMemory, restarted: bool) -> None:
    centre = session.centre
    at = _last_sound(centre.settings.spool_folder, call)
    for operator in list(call.ringing):
        session.offer_over(call.id, operator, caller_gone=True)
    ended_meanwhile(session, call)
    if call.operator is not None:
        _operator_left(session, call, at)
    reason = HangupReason.SWITCH_RESTARTED if restarted else HangupReason.FOUND_ENDED
    centre.note(
        "ended", call.id, at=at, by="switch" if restarted else "unknown", cause=None, reason=reason.value
    )


def _last_sound(spool: Path, call: CallMemory) -> datetime | None:
    """When a talk that nobody watched ended: its recording was closed then. None: not known, now."""
    if call.answered is None:
        return None
    try:
        written = datetime.fromtimestamp((spool / f"{call.id}-in.wav").stat().st_mtime, UTC)
    except OSError:
        return None
    return written if written >= call.answered else None


def _adopt(
    session: Session,
    memory: CallMemory,
    channel: Channel,
    channels: dict[str, Channel],
    bridges: dict[str, FoundBridge],
) -> set[str]:
    """Takes one call up; returns the ids of the channels and bridges that belong to it."""
    centre = session.centre
    call, move = _on_its_way(session, memory, channel)
    remembered(call, memory)
    leg = channels.get(memory.leg or "")
    room = bridges.get(memory.bridge or "")
    answered_unseen = next(
        (
            (operator, ringing.phone, channels[ringing.leg])
            for operator, ringing in memory.ringing.items()
            if ringing.leg in channels and channels[ringing.leg].up
        ),
        None,
    )
    if call.id in centre.memory.seats.last_words:
        if memory.operator is not None:
            _operator_left(session, memory)
        session.take_up(call, parting(session, call))
        return set()
    leave = partial(_operator_left, session, memory)
    in_transfer = under_way(session, memory, call, channels, bridges, leave)
    if in_transfer is not None:
        return in_transfer
    successor = heir(session, memory, channels, room) if leg is None else None
    if successor is not None and room is not None:
        # The operator went while nobody looked; the supervisor who had joined is still with the citizen.
        centre.note("taken_over", call.id, operator=memory.operator, by=successor.operator)
        _operator_left(session, memory)
        call.operator, call.phone, call.leg = successor.operator, successor.phone, successor.leg
        session.floor.talks(successor.operator, call.id, memory.queue)
        session.take_up(call, _taken(session, call, successor))
        return {successor.leg.id, room.bridge.id}
    if memory.operator is not None and leg is not None and room is not None:
        answer = Answer(memory.operator, memory.phone or DESK, leg, room.bridge)
        # The last key may have been obeyed and not yet written down.
        held = channel.id not in room.channel_ids
        if held is not memory.held:
            centre.note("held" if held else "resumed", call.id, operator=memory.operator)
        call.operator, call.phone, call.leg = memory.operator, memory.phone, leg
        call.bridge, call.muted = room.bridge, call.id in centre.memory.seats.muted
        session.floor.talks(memory.operator, call.id, memory.queue)
        session.take_up(call, _talking(session, call, answer, held))
        return {leg.id, room.bridge.id}
    if memory.operator is not None and memory.phone == BROWSER and not memory.returning:
        # That phone is hung up through the engine alone: its page went away while nobody looked.
        centre.note("leg_lost", call.id, operator=memory.operator, reason="page_closed")
    elif memory.operator is not None and not memory.returning:
        # The operator hung up while nobody looked: the talk is over, the citizen's line is let go.
        _operator_left(session, memory)
        call.ended_by = "operator"
        session.take_up(call, _over(session, call))
        return set()
    if memory.operator is not None:
        operator = memory.operator
        _operator_left(session, memory)
        session.take_up(call, _returned(session, call, operator))
        return set()
    if answered_unseen is not None and memory.queue is not None:
        operator, phone, leg = answered_unseen
        call.operator, call.phone, call.leg = operator, phone, leg
        session.floor.talks(operator, call.id, memory.queue)
        session.take_up(call, _joined(session, call, operator, phone, leg))
        return {leg.id}
    for operator in list(memory.ringing):
        centre.note("offer_ended", call.id, operator=operator, reason="withdrawn", ring_s=None)
    if memory.forward is not None and memory.sent_on is None:
        return _forwarded(session, memory, call, move, channels, bridges)
    if move is None and call.ours and call.returned is not None:
        # Come back from a transfer, and not in line yet.
        session.take_up(call, _returned(session, call, memory.last_operator or ""))
        return set()
    if move is None and call.ours:
        session.take_up(call, _over(session, call))  # the operator has left: nobody leads whom we called
        return set()
    if move is None:
        session.take_up(call, citizen(session, call))
        return set()
    entry = Entry()
    if isinstance(move, ToQueue) and memory.sent_on is None:
        call.phase = Phase.WAITING
        again = memory.priority >= RETURNED_PRIORITY - 1  # also by a transfer to a queue
        entry = Entry(memory.priority, memory.last_operator, again=again, noted=True)
    session.take_up(call, _led(session, call, move, memory.sent_on, entry))
    return set()


def _on_its_way(session: Session, memory: CallMemory, channel: Channel) -> tuple[Call, Move | None]:
    """The call and where it stands in the plan it began with; None: the plan has not begun."""
    centre = session.centre
    plan = centre.versions.of(memory.plan)
    booked = centre.memory.callbacks.open.get(memory.dialled.callback) if memory.dialled is not None else None
    number = next((one for one in plan.site.numbers if one.digits == memory.number), None)
    if number is None:
        plan, number = centre.versions.number(memory.number)
    walk = Walk(
        plan.site,
        number.digits,
        memory.arrived + (centre.plan_now() - centre.clock.now()),
        switches=centre.openings.switches(plan.site),
        withheld=memory.caller is None,
        caller=memory.caller,
        language=None if booked is None else "en" if booked.language == "en" else "ja",
    )
    move = walk.replay(memory.facts, memory.place) if memory.facts or memory.place else None
    call = Call(
        id=memory.id,
        channel=channel,
        plan=plan,
        number=number,
        walk=walk,
        caller=memory.caller,
        arrived=memory.arrived,
        phase=Phase.GREETING,
        since=centre.clock.now(),
        diverted_from=memory.diverted_from,
        queue=memory.queue,
        priority=memory.priority,
        moved_from=memory.moved_from,
        entered_mono=memory.entered_mono,
        queued=memory.queued,
        queued_mono=memory.queued_mono,
        answered=memory.answered,
        plays_music=None,
        callback=booked.id if booked is not None else None,
        outbound=memory.outbound is not None,
        case=memory.outbound.case if memory.outbound is not None else None,
        shown=booked.shown if booked is not None else memory.outbound.shown if memory.outbound else None,
        booked_path=booked.path if booked is not None else (),
    )
    return call, move


def _forwarded(
    session: Session,
    memory: CallMemory,
    call: Call,
    move: Move | None,
    channels: dict[str, Channel],
    bridges: dict[str, FoundBridge],
) -> set[str]:
    """A call that was led on to a telephone outside."""
    centre, was = session.centre, memory.forward
    assert was is not None  # noqa: S101  (asked by the caller)
    call.hears_ringing = was.answered_mono is None
    leg, room = channels.get(was.leg), bridges.get(was.bridge or "")
    if leg is not None and isinstance(move, ToForward) and leg.down and was.answered_mono is None:
        # Perhaps never dialled: it would be waited for in vain.
        session.take_up(call, _placed_anew(session, call, move, leg))
        return {leg.id}
    if leg is not None and isinstance(move, ToForward) and (was.answered_mono is None or room is not None):
        bridge = room.bridge if room is not None else None
        found = Found(leg, was.answered_mono or was.since_mono, bridge)
        session.take_up(call, _led(session, call, move, None, Entry(), found))
        return {leg.id} | ({bridge.id} if bridge is not None else set())
    if was.answered_mono is not None:
        # Whoever answered there hung up while nobody looked.
        talk_s = None
        centre.note("forward_ended", call.id, forward=was.id, reason="over", talk_s=talk_s)
        call.ended_by = "outside"
        session.take_up(call, _over(session, call))
        return set()
    centre.note("forward_ended", call.id, forward=was.id, reason="failed", talk_s=None)
    work = _led(session, call, move, "failed") if move is not None else citizen(session, call)
    session.take_up(call, work)
    return set()


def _operator_left(session: Session, memory: CallMemory, at: datetime | None = None) -> None:
    operator = memory.operator or ""
    session.floor.talks(operator, memory.id, memory.queue)
    _wish(session, operator)
    session.centre.note("left", memory.id, at=at, operator=operator)
    session.centre.note("wrap_up", memory.id, at=at, operator=operator)
    session.floor.over(operator)


async def _talking(session: Session, call: Call, answer: Answer, held: bool) -> None:
    async with life(session, call):
        await served(session, call, answer, adopted=True, held=held)


async def _taken(session: Session, call: Call, answer: Answer) -> None:
    async with life(session, call):
        await served(session, call, answer, taken=True)


async def _joined(session: Session, call: Call, operator: str, phone: str, leg: Channel) -> None:
    async with life(session, call):
        try:
            bridge = await session.switch.bridge()
        except BaseException:  # a hang-up too: the operator must not be left with a silent phone
            if not session.detached:
                session.offer_over(call.id, operator, caller_gone=call.channel.hangup_info is not None)
                call.operator = call.leg = None
                session.let_go(leg, None, of=operator)
                session.floor.over(operator)
            raise
        await served(session, call, Answer(operator, phone, leg, bridge))


async def _returned(session: Session, call: Call, operator: str) -> None:
    async with life(session, call):
        await served(session, call, await returned(session, call, operator))


async def _placed_anew(session: Session, call: Call, move: Move, leg: Channel) -> None:
    """On to the telephone outside once more, when the first leg is gone: the trunk may have one channel."""
    async with life(session, call):
        try:
            async with asyncio.timeout(BYE_S):
                await leg.hangup()
                await leg.wait_gone()
        except SwitchGone:
            raise
        except (SwitchError, TimeoutError) as problem:
            log.warning("call %s: its leg %s does not go: %r", call.id, leg.id, problem)
        await led(session, call, move)


async def _led(
    session: Session,
    call: Call,
    move: Move,
    sent_on: str | None,
    entry: Entry = Entry(),  # noqa: B008  (frozen)
    found: Found | None = None,
) -> None:
    """On through the plan. `sent_on`: why it left its queue or forward, and the journal says no more."""
    async with life(session, call):
        if sent_on is not None:
            move = _after(call, move, sent_on)
        await led(session, call, move, entry=entry, found=found)


def _after(call: Call, move: Move, reason: str) -> Move:
    match move, reason:
        case ToQueue(), "most_waiting" | "longest_wait" | "nobody" | "expected_wait":
            return call.walk.overflow(reason)
        case ToForward(), "busy" | "no_answer" | "refused" | "trunk_full" | "failed":
            return call.walk.unanswered(reason)
    return move


async def _over(session: Session, call: Call) -> None:
    async with life(session, call):
        pass
