"""An operator taken up again after a restart, as they stood."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from acd.floor import Floor
from acd.model import Action, DistributorError, OfferEnd, OperatorState, Tally
from acd.seats import ON_DUTY, Seat


@dataclass(frozen=True, slots=True)
class Standing:
    """The figures of `Distributor.restore_operator`."""

    state: OperatorState
    since: float
    until: float | None
    reason: str
    idle_since: float | None
    tally: Tally | None
    tally_at: float | None
    begun: tuple[float, ...]
    offers: int
    last: Mapping[str, int]


def restore(floor: Floor, seat: Seat, stood: Standing, at: float, out: list[Action]) -> None:
    """Puts the operator there. DistributorError if a wrap-up has no end; then nothing has changed."""
    state, since = stood.state, min(stood.since, at)
    if state is OperatorState.WRAP_UP and stood.until is None:
        raise DistributorError(f"operator {seat.id}: a wrap-up to restore needs its end (until)")
    until = stood.until if state is OperatorState.WRAP_UP else None
    if state is OperatorState.RINGING:
        state = OperatorState.READY
    idle_since = stood.idle_since
    if idle_since is None:
        idle_since = since if state in (OperatorState.READY, OperatorState.WRAP_UP) else at
    tally = stood.tally
    if tally is not None and state in ON_DUTY:
        tally_at = since if stood.tally_at is None else min(stood.tally_at, at)
        tally = Tally(tally.calls, tally.talk_s, tally.duty_s + at - tally_at)
    floor.withdraw(seat, OfferEnd.WITHDRAWN, out)
    if seat.pooled:
        floor.unpool(seat)
    seat.call = seat.line = seat.next_state = None
    seat.next_reason = ""
    seat.restore(min(idle_since, at), tally, sorted(min(each, at) for each in stood.begun), at)
    # Not fewer than it has had here: a state is restored on a floor that may have begun to offer.
    seat.offers = max(seat.offers, stood.offers)
    for queue, serial in stood.last.items():
        if (line := floor.lines.get(queue)) is not None:
            seat.last[queue] = max(seat.last_in(queue), serial)
            line.serial = max(line.serial, serial)
    floor.limit(seat, at)
    floor.set_state(seat, state, at, out, stood.reason, until, since)
