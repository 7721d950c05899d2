"""The mechanics under the distributor: places in line, ready operators, offers that end, timers.

Facts change seats and callers and leave word of what became free (`freed`, `dirty`); `acd.matching` then
makes every offer that has become possible.
"""

from __future__ import annotations

from acd.lines import Caller, Lane, LaneKey, Line
from acd.model import (
    Action,
    OfferEnd,
    OperatorState,
    QueueRules,
    StateChanged,
    Withdraw,
)
from acd.ordered import Ordered
from acd.seats import Seat

_RINGING = OperatorState.RINGING  # by name once: an enum's attributes are slow
Heads = list[tuple[float, Caller]]  # urgency and caller, the chosen one first


class Floor:
    """Everybody present. Methods that act append their actions to `out`, in order."""

    __slots__ = (
        "callers",
        "dirty",
        "freed",
        "ledger",
        "limits",
        "lines",
        "opens",
        "prefers",
        "rings",
        "seats",
        "wraps",
    )

    def __init__(self, ledger: bool) -> None:
        self.ledger = ledger
        self.lines: dict[str, Line] = {}
        self.seats: dict[str, Seat] = {}
        self.callers: dict[str, Caller] = {}
        # Deadlines: offers by call, wrap-ups by operator, windows of preference by call, callers for whom
        # more operators may be asked, operators whose limit of calls an hour has room again.
        self.rings = Ordered()
        self.wraps = Ordered()
        self.prefers = Ordered()
        self.opens = Ordered()
        self.limits = Ordered()
        # What may match now: lanes with a new caller or operator, operators who became eligible.
        self.dirty: dict[Lane, None] = {}  # a dict for its order: sets have none to rely on
        self.freed: list[Seat] = []

    # ── operators ──────────────────────────────────────────────────────────────────────────────────────

    def set_state(
        self,
        seat: Seat,
        state: OperatorState,
        at: float,
        out: list[Action],
        reason: str = "",
        until: float | None = None,
        since: float | None = None,
    ) -> None:
        """Puts the operator into `state` and says so; offers follow in `settle`."""
        if seat.pooled:
            self.unpool(seat)
        if seat.until is not until:
            if until is None:
                self.wraps.drop(seat.id)
            else:
                self.wraps.put(seat.id, (until,))
        if since is None:
            since = at
        seat.state, seat.since, seat.reason, seat.until = state, since, reason, until
        seat.keep_clocks(at)
        out.append(StateChanged(seat.id, state, since, reason, until))
        self.looked_at(seat)

    def looked_at(self, seat: Seat) -> None:
        """After anything that decides whether the operator is, or will be, free: noted for `settle`."""
        if seat.eligible:
            if not seat.pooled:
                self.freed.append(seat)
        elif seat.pooled:
            self.unpool(seat)
        if seat.preferred_by:
            for call in seat.preferred_by:
                caller = self.callers[call]
                if caller.offered_to is None:
                    self._hold_or_line_up(caller, seat)

    def unpool(self, seat: Seat) -> None:
        seat.pooled = False
        for lane in seat.lanes:
            lane.ready.remove(seat.id)

    def assign(self, seat: Seat) -> None:
        """The lanes anew, after the operator's queues, levels or languages or a queue's rules changed."""
        if seat.pooled:
            self.unpool(seat)
        lines = [self.lines[queue] for queue in seat.queues]
        seat.lanes = [lane for line in lines for lane in line.lanes.values() if lane.takes(seat)]

    def limit(self, seat: Seat, at: float) -> None:
        """Looks at the operator's own limit of calls an hour again."""
        until = seat.limit_at(at)
        if until == seat.limited_until:
            return
        seat.limited_until = until
        if until is None:
            self.limits.drop(seat.id)
        else:
            self.limits.put(seat.id, (until,))
        self.looked_at(seat)

    def finish_wrap_up(self, seat: Seat, at: float, out: list[Action]) -> None:
        """To the state noted meanwhile, or READY."""
        state, reason = seat.next_state or OperatorState.READY, seat.next_reason
        seat.next_state, seat.next_reason = None, ""
        self.set_state(seat, state, at, out, reason)

    # ── conversations ──────────────────────────────────────────────────────────────────────────────────

    def answered(self, caller: Caller, seat: Seat, at: float, out: list[Action], counts: bool = True) -> None:
        """The caller out of the line and in talk with whom they were offered to."""
        self.remove_caller(caller)
        self.set_state(seat, OperatorState.TALKING, at, out)
        self._talks(seat, at, counts, False, at)

    def found_talking(
        self,
        seat: Seat,
        call: str,
        line: Line | None,
        counts: bool,
        own: bool,
        at: float,
        out: list[Action],
    ) -> None:
        """In talk, without an offer that led to it; what rings goes on to the next. `own`: of no queue."""
        self.withdraw(seat, OfferEnd.WITHDRAWN, out)
        if seat.state is OperatorState.TALKING:  # another conversation, or its name: the state stays
            self._talks(seat, at if seat.call is not None else seat.since, counts, own, at)
            seat.call, seat.line = call, line
            self.looked_at(seat)
            return
        seat.call, seat.line = call, line
        if seat.state not in (OperatorState.READY, OperatorState.RINGING, OperatorState.WRAP_UP):
            seat.next_state, seat.next_reason = seat.state, seat.reason
        self.set_state(seat, OperatorState.TALKING, at, out)
        self._talks(seat, at, counts, own, at)

    def _talks(self, seat: Seat, since: float, counts: bool, own: bool, at: float) -> None:
        seat.talk_begins(since, counts, own)
        if seat.most_calls_h is not None:
            self.limit(seat, at)

    # ── callers ────────────────────────────────────────────────────────────────────────────────────────

    def add_caller(self, caller: Caller, queue: str, at: float) -> None:
        self.callers[caller.call] = caller
        seat = self.seats.get(caller.prefer) if caller.prefer is not None else None
        if seat is not None and (caller.prefer_until is None or at < caller.prefer_until):
            seat.preferred_by.add(caller.call)
            if caller.prefer_until is not None:
                self.prefers.put(caller.call, (caller.prefer_until, caller.number))
        self.enter(caller, queue, at)

    def enter(self, caller: Caller, queue: str, at: float) -> None:
        """Into a queue, in the place that the rank gives there."""
        line = self.lines[queue]
        caller.queue = queue
        line.callers += 1
        caller.rank = line.rank(caller)
        self._choose_lane(caller, at)
        self.put_back(caller)

    def leave(self, caller: Caller) -> None:
        """Out of the queue; what rings has been ended before."""
        self._out_of_lane(caller)
        if caller.opens_at is not None:
            caller.opens_at = None
            self.opens.drop(caller.call)
        line = self.lines[caller.queue]
        line.callers -= 1
        if line.retired and line.callers == 0:
            self.close_line(caller.queue)

    def remove_caller(self, caller: Caller) -> None:
        """Out of the line for good: gone, or in conversation."""
        del self.callers[caller.call]
        seat = self.preferred(caller)
        if seat is not None:
            seat.preferred_by.discard(caller.call)
            self.prefers.drop(caller.call)
        if caller.offered_to is not None:
            self.rings.drop(caller.call)
        self.leave(caller)

    def move(self, caller: Caller, queue: str, priority: int, at: float) -> None:
        """To another queue, where nothing rings for them yet, or to another place in this one; the waiting
        time is kept."""
        if queue != caller.queue:
            self.leave(caller)
            caller.priority = priority
            self.enter(caller, queue, at)
        else:
            caller.priority = priority
            caller.rank = caller.lane.line.rank(caller)
            if not caller.held and caller.offered_to is None:
                self._line_up(caller)

    def take_out(self, caller: Caller, reason: OfferEnd, at: float, out: list[Action]) -> None:
        """The caller leaves the line; whoever rang for them is READY again, with their idle time."""
        seat = None if caller.offered_to is None else self.seats[caller.offered_to]
        self.remove_caller(caller)
        if seat is not None:
            seat.call = seat.line = None
            out.append(Withdraw(caller.call, seat.id, reason))
            self.set_state(seat, OperatorState.READY, at, out)

    def put_back(self, caller: Caller) -> None:
        """To the place the rank gives: in line, or held for the preferred operator."""
        seat = self.preferred(caller)
        if seat is not None and seat.will_be_free_for(caller.call):
            caller.held = True
            if seat.eligible:
                self.freed.append(seat)
        else:
            self._line_up(caller)

    def before(self, caller: Caller, at: float) -> tuple[float, object]:
        """Sorts callers of all queues: the most urgent first, then the earlier rank."""
        return (-caller.lane.line.urgency(caller.rank, at), caller.rank)

    def preferred(self, caller: Caller) -> Seat | None:
        """The operator the caller still prefers: None once the window has passed or the operator has left."""
        seat = self.seats.get(caller.prefer) if caller.prefer is not None else None
        return seat if seat is not None and caller.call in seat.preferred_by else None

    def _hold_or_line_up(self, caller: Caller, seat: Seat) -> None:
        if seat.will_be_free_for(caller.call):
            if not caller.held:
                self._out_of_lane(caller)
                caller.held = True
        elif caller.held:
            self._line_up(caller)

    def _line_up(self, caller: Caller) -> None:
        caller.held = False
        lane = caller.lane
        lane.waiting.put(caller.call, caller.rank)
        if lane.ready:
            self.dirty[lane] = None

    def _out_of_lane(self, caller: Caller) -> None:
        caller.held = False
        caller.lane.waiting.drop(caller.call)

    def no_longer_prefers(self, caller: Caller) -> None:
        """The window has passed, or the operator left for good."""
        self.prefers.drop(caller.call)
        seat = self.preferred(caller)
        if seat is not None:
            seat.preferred_by.discard(caller.call)
        if caller.held:
            self._line_up(caller)

    def open_wider(self, caller: Caller, at: float) -> None:
        """More operators may be asked for this caller by now."""
        if caller.held or caller.offered_to is not None:
            self._choose_lane(caller, at)
        else:
            self._out_of_lane(caller)
            self._choose_lane(caller, at)
            self._line_up(caller)

    def _choose_lane(self, caller: Caller, at: float) -> None:
        line = self.lines[caller.queue]
        key, opens_at = line.lane_of(caller, at)
        caller.lane = line.lanes.get(key) or self._open_lane(line, key)
        if opens_at != caller.opens_at:
            caller.opens_at = opens_at
            if opens_at is None:
                self.opens.drop(caller.call)
            else:
                self.opens.put(caller.call, (opens_at, caller.number))

    # ── queues ─────────────────────────────────────────────────────────────────────────────────────────

    def _open_lane(self, line: Line, key: LaneKey) -> Lane:
        lane = line.lanes[key] = Lane(line, key)
        for seat in self.seats.values():
            if line.rules.id in seat.queues and lane.takes(seat):
                seat.lanes.append(lane)
                if seat.pooled:
                    lane.ready.add(seat)
        return lane

    def set_rules(self, rules: QueueRules, at: float) -> None:
        """A new queue, or new rules for one: they count at once, from the waiting times and counts that
        there are. Running offers and wrap-ups keep the times they were given."""
        line = self.lines.get(rules.id)
        if line is None:
            self.lines[rules.id] = Line(rules)
            return
        line.retired = False
        if rules == line.rules:
            return
        serving = [seat for seat in self.seats.values() if rules.id in seat.queues]
        for seat in serving:
            if seat.pooled:
                self.unpool(seat)
        line.change(rules)
        for seat in serving:
            self.assign(seat)
        for caller in self.callers.values():
            if caller.queue == rules.id:
                caller.rank = line.rank(caller)
                self._choose_lane(caller, at)
                if not caller.held and caller.offered_to is None:
                    self._line_up(caller)
        for seat in serving:
            self.looked_at(seat)

    def close_line(self, queue: str) -> None:
        line = self.lines.pop(queue)
        for seat in self.seats.values():
            if queue in seat.queues:
                seat.queues = tuple(name for name in seat.queues if name != queue)
                seat.lanes = [lane for lane in seat.lanes if lane.line is not line]
                seat.last.pop(queue, None)
        for lane in line.lanes.values():
            self.dirty.pop(lane, None)

    # ── offers ─────────────────────────────────────────────────────────────────────────────────────────

    def end_offer(self, caller: Caller) -> Seat:
        """Stops the offer without touching the operator's state; the caller is back in their place."""
        assert caller.offered_to is not None  # noqa: S101 - callers of this have looked
        seat = self.seats[caller.offered_to]
        self.rings.drop(caller.call)
        caller.offered_to = None
        seat.call = seat.line = None
        self.put_back(caller)
        return seat

    def withdraw(self, seat: Seat, reason: OfferEnd, out: list[Action]) -> None:
        """Stops what rings at this operator, if anything; their state is for the caller of this to set."""
        if seat.state is OperatorState.RINGING and seat.call is not None:
            caller = self.callers[seat.call]
            self.end_offer(caller)
            out.append(Withdraw(caller.call, seat.id, reason))
