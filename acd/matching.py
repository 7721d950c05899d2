"""The matching: after each fact, every offer that has become possible is made.

So after each settled fact no caller waits whom a ready operator may serve. The caller is chosen first (the
most urgent of those who can be served), then the operator, by the queue's strategy.
"""

from __future__ import annotations

from acd.floor import Floor
from acd.lines import Caller, Lane
from acd.model import Action, Because, Candidate, Offer, OperatorState, StateChanged
from acd.ready import Ready
from acd.seats import Seat, in_ms
from acd.strategies import SAME_OPERATOR

_RINGING = OperatorState.RINGING  # by name once: an enum's attributes are slow


def _offer(
    floor: Floor,
    caller: Caller,
    seat: Seat,
    rule: str,
    among: Ready | tuple[str, ...],
    heads: list[Caller],
    at: float,
    out: list[Action],
) -> None:
    """`among`: the ids of all who could have been chosen; `heads`: all callers who were compared."""
    queue, line = caller.queue, caller.lane.line
    at_ms = round(at * 1000)  # in_ms, without the call
    because = Because(rule, (at_ms - seat.idle_from_ms) / 1000, len(among))
    if floor.ledger:
        because.candidates = _candidates(floor, seat, among, queue, at_ms)
        if len(heads) > 1:
            because.heads = tuple([_head(one, at) for one in heads])
    expires_at = at + line.rules.ring_timeout_s
    caller.held = False
    caller.lane.waiting.drop(caller.call)
    caller.offered_to = seat.id
    floor.rings.put(caller.call, (expires_at, caller.number))
    if seat.pooled:
        floor.unpool(seat)
    seat.call, seat.line = caller.call, line
    seat.offers += 1
    line.serial = seat.last[queue] = line.serial + 1
    out.append(Offer(caller.call, seat.id, queue, because, expires_at))
    # From READY: no clock is touched, no wrap-up ends.
    seat.state, seat.since, seat.reason = _RINGING, at, ""
    out.append(StateChanged(seat.id, _RINGING, at, ""))
    if seat.preferred_by:
        floor.looked_at(seat)


def _candidates(
    floor: Floor, chosen: Seat, among: Ready | tuple[str, ...], queue: str, at_ms: int
) -> tuple[Candidate, ...]:
    first = chosen.candidate(queue, at_ms)
    if len(among) == 1:
        return (first,)
    seats = floor.seats
    return (first, *[seats[each].candidate(queue, at_ms) for each in among if each != chosen.id])


def _head(caller: Caller, at: float) -> tuple[str, float, int, float]:
    urgency = caller.lane.line.urgency(caller.rank, at)
    return (caller.queue, in_ms(at - caller.since) / 1000, caller.priority, in_ms(urgency) / 1000)


def settle(floor: Floor, at: float, out: list[Action]) -> None:
    """Makes every offer that has become possible."""
    dirty = floor.dirty
    if floor.freed:
        freed, floor.freed = floor.freed, []
        alone = len(freed) == 1 and not dirty
        for seat in freed:
            _place(floor, seat, alone, at, out)
    while dirty:
        heads = _most_urgent(floor, [lane for lane in dirty if lane.ready], at)
        if not heads:
            dirty.clear()
            return
        caller = heads[0]
        lane = caller.lane
        operator = lane.ready.next(in_ms(at))
        assert operator is not None  # noqa: S101 - asked above
        _offer(floor, caller, floor.seats[operator], lane.line.strategy.name, lane.ready, heads, at, out)


def _place(floor: Floor, seat: Seat, alone: bool, at: float, out: list[Action]) -> None:
    """A freed operator: to the first who wants just them, else among the ready of their queues.

    `alone`: nothing else has changed, so nobody else is ready for any caller in line there, and the
    operator can be given the next one without going through the pools."""
    if not seat.eligible or floor.seats.get(seat.id) is not seat:
        return
    if seat.preferred_by:
        held = [caller for call in seat.preferred_by if (caller := floor.callers[call]).held]
        if held:
            caller = min(held, key=lambda caller: floor.before(caller, at))
            _offer(floor, caller, seat, SAME_OPERATOR, (seat.id,), [caller], at, out)
            return
    if seat.pooled:
        return
    if alone:
        heads = _most_urgent(floor, seat.lanes, at)
        if heads:
            caller = heads[0]
            _offer(floor, caller, seat, caller.lane.line.strategy.name, (seat.id,), heads, at, out)
            return
    seat.pooled = True
    for lane in seat.lanes:
        lane.ready.add(seat)
        if lane.waiting:
            floor.dirty[lane] = None


def _most_urgent(floor: Floor, lanes: list[Lane], at: float) -> list[Caller]:
    """The first caller of each lane, who is next to be served before the others."""
    heads = [floor.callers[first[-1]] for lane in lanes if (first := lane.waiting.first()) is not None]
    if len(heads) > 1:
        heads.sort(key=lambda caller: floor.before(caller, at))
    return heads
