"""The mechanics under the distributor: places in line, ready operators, offers, timers, and the matching.

Facts change seats and callers and leave word of what became free; `settle` then makes every offer that
has become possible. So after each settled fact no caller waits whom a ready operator could serve.
"""

from __future__ import annotations

from acd.lines import Caller, Line, make_strategy
from acd.model import Action, Because, Offer, OfferEnd, OperatorState, QueueRules, StateChanged, Withdraw
from acd.ordered import Key, Ordered
from acd.seats import Seat

_RINGING = OperatorState.RINGING  # by name once: an enum's attributes are slow


class Floor:
    """Everybody present. Methods that act append their actions to `out`, in order."""

    __slots__ = ("_dirty", "_freed", "callers", "lines", "prefers", "rings", "seats", "wraps")

    def __init__(self) -> None:
        self.lines: dict[str, Line] = {}
        self.seats: dict[str, Seat] = {}
        self.callers: dict[str, Caller] = {}
        # Deadlines: offers by call, wrap-ups by operator, windows of preference by call.
        self.rings = Ordered()
        self.wraps = Ordered()
        self.prefers = Ordered()
        # What may match now: queues with a new caller or operator, operators who became eligible.
        self._dirty: set[str] = set()
        self._freed: list[Seat] = []

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
        seat.keep_clock(at)
        out.append(StateChanged(seat.id, state, since, reason, until))
        self.looked_at(seat)

    def looked_at(self, seat: Seat) -> None:
        """After anything that decides whether the operator is, or will be, free: noted for `settle`."""
        if seat.eligible:
            if not seat.pooled:
                self._freed.append(seat)
        elif seat.pooled:
            self.unpool(seat)
        if seat.preferred_by:
            for call in seat.preferred_by:
                caller = self.callers[call]
                if caller.offered_to is None:
                    self._hold_or_line_up(caller, seat)

    def unpool(self, seat: Seat) -> None:
        seat.pooled = False
        for queue in seat.queues:
            self.lines[queue].ready.remove(seat.id)

    def _pool_anew(self, seat: Seat) -> None:
        """A strategy changed under the seat: out, and through `settle` in again."""
        if seat.pooled:
            self.unpool(seat)
            self._freed.append(seat)

    def finish_wrap_up(self, seat: Seat, at: float, out: list[Action]) -> None:
        """To the state noted meanwhile, or READY."""
        state, reason = seat.next_state or OperatorState.READY, seat.next_reason
        seat.next_state, seat.next_reason = None, ""
        self.set_state(seat, state, at, out, reason)

    # ── callers ────────────────────────────────────────────────────────────────────────────────────────

    def add_caller(self, caller: Caller, at: float) -> None:
        self.callers[caller.call] = caller
        self.lines[caller.queue].callers += 1
        seat = self.seats.get(caller.prefer) if caller.prefer is not None else None
        if seat is not None and (caller.prefer_until is None or at < caller.prefer_until):
            seat.preferred_by.add(caller.call)
            if caller.prefer_until is not None:
                self.prefers.put(caller.call, (caller.prefer_until, caller.number))
        self.put_back(caller)

    def put_back(self, caller: Caller) -> None:
        """To the place the rank gives: in line, or held for the preferred operator."""
        seat = self.preferred(caller)
        if seat is not None and seat.will_be_free_for(caller.call):
            caller.held = True
            if seat.eligible:
                self._freed.append(seat)
        else:
            self._line_up(caller)

    def preferred(self, caller: Caller) -> Seat | None:
        """The operator the caller still prefers: None once the window has passed or the operator has left."""
        seat = self.seats.get(caller.prefer) if caller.prefer is not None else None
        return seat if seat is not None and caller.call in seat.preferred_by else None

    def _hold_or_line_up(self, caller: Caller, seat: Seat) -> None:
        if seat.will_be_free_for(caller.call):
            if not caller.held:
                caller.held = True
                self.lines[caller.queue].waiting.drop(caller.call)
        elif caller.held:
            self._line_up(caller)

    def _line_up(self, caller: Caller) -> None:
        caller.held = False
        self.lines[caller.queue].waiting.put(caller.call, caller.rank)
        self._dirty.add(caller.queue)

    def no_longer_prefers(self, caller: Caller) -> None:
        """The window has passed, or the operator left for good."""
        self.prefers.drop(caller.call)
        seat = self.preferred(caller)
        if seat is not None:
            seat.preferred_by.discard(caller.call)
        if caller.held:
            self._line_up(caller)

    def remove_caller(self, caller: Caller) -> None:
        """Out of the line for good: gone, or in conversation."""
        del self.callers[caller.call]
        seat = self.preferred(caller)
        if seat is not None:
            seat.preferred_by.discard(caller.call)
            self.prefers.drop(caller.call)
        if caller.offered_to is not None:
            self.rings.drop(caller.call)
        line = self.lines[caller.queue]
        line.waiting.drop(caller.call)
        line.callers -= 1
        if line.retired and line.callers == 0:
            self.close_line(caller.queue)

    # ── queues ─────────────────────────────────────────────────────────────────────────────────────────

    def set_rules(self, rules: QueueRules) -> None:
        """A new queue, or new rules for one; running offers and wrap-ups keep the times they were given."""
        line = self.lines.get(rules.id)
        if line is None:
            self.lines[rules.id] = Line(rules)
            return
        if rules.strategy != line.rules.strategy:
            for seat in self.seats.values():
                if rules.id in seat.queues:
                    self._pool_anew(seat)
            line.ready = make_strategy(rules)
        line.rules, line.retired = rules, False

    def close_line(self, queue: str) -> None:
        for seat in self.seats.values():
            if queue in seat.queues:
                if seat.pooled:
                    self.lines[queue].ready.remove(seat.id)
                seat.queues = tuple(name for name in seat.queues if name != queue)
        del self.lines[queue]
        self._dirty.discard(queue)

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

    def _offer(self, caller: Caller, seat: Seat, rule: str, among: int, at: float, out: list[Action]) -> None:
        line = self.lines[caller.queue]
        because = Because(rule, at - seat.idle_since, among)
        expires_at = at + line.rules.ring_timeout_s
        line.waiting.drop(caller.call)
        caller.held = False
        caller.offered_to = seat.id
        self.rings.put(caller.call, (expires_at, caller.number))
        if seat.pooled:
            self.unpool(seat)
        seat.call, seat.line = caller.call, line
        seat.offers += 1
        out.append(Offer(caller.call, seat.id, caller.queue, because, expires_at))
        self.set_state(seat, _RINGING, at, out)

    def settle(self, at: float, out: list[Action]) -> None:
        """Makes every offer that has become possible."""
        dirty = self._dirty
        if self._freed:
            freed, self._freed = self._freed, []
            alone = len(freed) == 1 and not dirty
            for seat in freed:
                self._place(seat, alone, at, out)
        while dirty:
            best: Key | None = None
            for queue in dirty:
                line = self.lines[queue]
                head = line.waiting.first()
                # Across queues: higher priority, then who has waited longest. Ranks are unique.
                if head is not None and (best is None or head < best) and line.ready.next() is not None:
                    best = head
            if best is None:
                dirty.clear()
                return
            caller = self.callers[best[-1]]
            line = self.lines[caller.queue]
            operator = line.ready.next()
            assert operator is not None  # noqa: S101 - asked above
            among = len(line.ready)
            self._offer(caller, self.seats[operator], line.rules.strategy, among, at, out)

    def _place(self, seat: Seat, alone: bool, at: float, out: list[Action]) -> None:
        """A freed operator: to the first who wants just them, else among the ready of their queues.

        `alone`: nothing else has changed, so nobody else is ready for any caller in line there, and the
        operator can be given the next one without going through the pools."""
        if not seat.eligible or self.seats.get(seat.id) is not seat:
            return
        held = [self.callers[call] for call in seat.preferred_by if self.callers[call].held]
        if held:
            self._offer(min(held, key=lambda caller: caller.rank), seat, "same_operator", 1, at, out)
            return
        if seat.pooled:
            return
        if alone:
            heads = [head for queue in seat.queues if (head := self.lines[queue].waiting.first())]
            if heads:
                caller = self.callers[min(heads)[-1]]
                self._offer(caller, seat, self.lines[caller.queue].rules.strategy, 1, at, out)
                return
        seat.pooled = True
        for queue in seat.queues:
            self.lines[queue].ready.add(seat)
            self._dirty.add(queue)
