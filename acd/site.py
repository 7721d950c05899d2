"""A live change of queues and operators, without touching a call."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from acd.floor import Floor
from acd.model import Action, DistributorError, OfferEnd, OperatorProfile, OperatorState, QueueRules
from acd.seats import Seat
from acd.strategies import strategy_of

_Named = TypeVar("_Named", QueueRules, OperatorProfile)


def apply_queues(floor: Floor, queues: Iterable[QueueRules], at: float) -> None:
    """These queues from now on. ValueError or DistributorError before anything is changed."""
    wanted = _by_id(queues, "queue")
    for rules in wanted.values():
        strategy_of(rules)
    for rules in wanted.values():
        floor.set_rules(rules, at)
    for queue in [each for each in floor.lines if each not in wanted]:
        line = floor.lines[queue]
        line.retired = True
        if line.callers == 0:
            floor.close_line(queue)


def apply_operators(floor: Floor, operators: Iterable[OperatorProfile], at: float, out: list[Action]) -> None:
    """These operators from now on. DistributorError before anything is changed."""
    wanted = _by_id(operators, "operator")
    open_lines = {queue for queue, line in floor.lines.items() if not line.retired}
    for profile in wanted.values():
        if unknown := [queue for queue in profile.queues if queue not in open_lines]:
            raise DistributorError(f"operator {profile.id} serves unknown queues: {', '.join(unknown)}")
    for seat in [each for each in floor.seats.values() if each.id not in wanted]:
        if seat.state is OperatorState.TALKING:
            seat.leaving = True
            floor.looked_at(seat)
        else:
            floor.withdraw(seat, OfferEnd.WITHDRAWN, out)
            remove(floor, seat, at, out)
    for profile in wanted.values():
        seat = floor.seats.get(profile.id) or Seat(profile.id)
        floor.seats[profile.id] = seat
        if seat.pooled:  # before the lanes change
            floor.unpool(seat)
        # Whoever served a queue that is being closed goes on serving it: its callers are not stranded.
        kept = [queue for queue in seat.queues if floor.lines[queue].retired]
        seat.take(profile, kept)
        seat.leaving = False
        floor.assign(seat)
        floor.limit(seat, at)
        floor.looked_at(seat)


def remove(floor: Floor, seat: Seat, at: float, out: list[Action]) -> None:
    """The operator is OFF and forgotten; those who preferred them go on to anyone."""
    seat.call = seat.line = seat.next_state = None
    floor.set_state(seat, OperatorState.OFF, at, out, "removed")
    for call in list(seat.preferred_by):
        floor.no_longer_prefers(floor.callers[call])
    floor.limits.drop(seat.id)
    del floor.seats[seat.id]


def _by_id(items: Iterable[_Named], what: str) -> dict[str, _Named]:
    found: dict[str, _Named] = {}
    for item in items:
        if item.id in found:
            raise DistributorError(f"{what} {item.id!r} is named twice")
        found[item.id] = item
    return found
