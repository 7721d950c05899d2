"""The distributor: facts in, decisions out. It never waits, never reads a clock, never talks to anyone.

Rules, in the order they are applied (ACD-1, 2, 3, 5, 6; why: docs/decisions/0007 and 0014):

1. Only READY operators with a reachable phone and under their own limit are offered calls, never two at
   once.
2. A caller who prefers an operator (a returned call) is kept for them as long as the window is open and
   the operator is reachable and free but for this very call or a wrap-up; an operator who becomes free
   is first offered those who prefer them, whatever their queue or priority. Otherwise a caller with
   a preference waits like anybody.
3. Within a queue in order of arrival (`waiting_since`), a step of priority counting like `ageing_s` more of
   waiting; a caller with a preference before an equal one. Across the queues an operator serves: who has
   waited longest (priority counted in) against the queue's target, times its weight. A caller whom the
   operator may not serve (language, level) stands before nobody. A failed offer costs no place.
4. Among the operators who may be chosen the queue's strategy chooses (`acd/strategies.py`). Idle time counts
   from the end of the last conversation, wrap-up included; it stands still in a call of their own, on
   break, in training, off, at no answer and while the phone is away, so a break makes nobody "longer idle".
5. As many callers ring at once as operators are free.

Deadlines (ring timeout, end of wrap-up, window of preference, more levels or any language asked, an own
limit that has room again) act in `tick` alone: a fact that comes later than a deadline but before its
tick is taken as it is told.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from acd.floor import Floor
from acd.lines import Caller
from acd.matching import settle
from acd.model import (
    Action,
    DistributorError,
    OfferEnd,
    OperatorProfile,
    OperatorState,
    OperatorView,
    QueueRules,
    Tally,
    WaitingView,
    Withdraw,
)
from acd.recovery import Standing, restore
from acd.seats import Seat
from acd.site import apply_operators, apply_queues, remove

_WANTED = (OperatorState.READY, OperatorState.BREAK, OperatorState.TRAINING, OperatorState.OFF)
_FAILURES = (
    OfferEnd.NO_ANSWER,
    OfferEnd.REFUSED,
    OfferEnd.BUSY,
    OfferEnd.UNREACHABLE,
    OfferEnd.FAILED,
)

_NONE: Mapping[str, int] = {}


class Distributor:
    """Who gets which call. Each fact returns the actions that follow from it, in order.

    `at` is the caller's monotonic clock in seconds, from 0 up; a time before the latest told counts as that.
    DistributorError names an id that is not known or a fact that cannot be; then nothing has changed.
    A fact told twice (a caller gone, a conversation ended) is harmless. Operators start OFF and
    unreachable: `phone_changed(…, True)` and `operator_wants(…, READY)` bring them in. `ledger`: offers say
    who else could have been chosen; without it they are the same offers, made faster.
    """

    def __init__(
        self, queues: Iterable[QueueRules], operators: Iterable[OperatorProfile], ledger: bool = True
    ) -> None:
        self._floor = Floor(ledger)
        self._now = 0.0
        self._numbers = 0
        self.set_queues(queues, at=0.0)
        self.set_operators(operators, at=0.0)

    # ── callers ────────────────────────────────────────────────────────────────────────────────────────

    def caller_waits(
        self,
        call: str,
        queue: str,
        *,
        at: float,
        waiting_since: float | None = None,
        priority: int = 0,
        prefer: str | None = None,
        prefer_until: float | None = None,
        language: str | None = None,
    ) -> list[Action]:
        """A caller enters `queue`. `waiting_since` (default: now) gives the place; `prefer` an operator to
        go back to, until `prefer_until` (None: without limit). One who is no longer there is simply not
        waited for. `language`: only operators who speak it, for as long as the queue's rules say (None: no
        matter). The same call waiting in that queue already: harmless; in another: DistributorError."""
        at = self._at(at)
        waiting = self._floor.callers.get(call)
        if waiting is not None:
            if waiting.queue == queue:
                return []
            raise DistributorError(f"call {call} waits in {waiting.queue!r} already: use move_caller")
        self._open(queue, call)
        since = at if waiting_since is None else min(_finite(waiting_since, "waiting_since"), at)
        until = None if prefer_until is None else _finite(prefer_until, "prefer_until")
        self._numbers += 1
        caller = Caller(call, since, priority, prefer, until, language, self._numbers)
        self._floor.add_caller(caller, queue, at)
        return self._settled(at, [])

    def move_caller(self, call: str, queue: str, *, at: float, priority: int | None = None) -> list[Action]:
        """A caller in line goes to another queue and keeps the waiting time (MON-3); what rings is withdrawn.
        `priority`: as before if None; in the same queue it changes the place and lets the phone ring on.
        DistributorError if the call is not in line or the queue unknown."""
        at = self._at(at)
        caller = self._floor.callers.get(call)
        if caller is None:
            raise DistributorError(f"call {call} is not in line: nothing to move to {queue!r}")
        if priority is None:
            priority = caller.priority
        if queue == caller.queue and priority == caller.priority:
            return []
        self._open(queue, call)
        out: list[Action] = []
        if caller.offered_to is not None and queue != caller.queue:
            seat = self._floor.seats[caller.offered_to]
            self._floor.withdraw(seat, OfferEnd.WITHDRAWN, out)
            self._floor.set_state(seat, OperatorState.READY, at, out)
        self._floor.move(caller, queue, priority, at)
        return self._settled(at, out)

    def caller_gone(self, call: str, *, at: float) -> list[Action]:
        """The caller hung up, waiting or while somebody was ringing; an unknown call is harmless."""
        at = self._at(at)
        caller = self._floor.callers.get(call)
        if caller is None:
            return []
        out: list[Action] = []
        self._floor.take_out(caller, OfferEnd.CALLER_GONE, at, out)
        return self._settled(at, out)

    # ── offers ─────────────────────────────────────────────────────────────────────────────────────────

    def offer_answered(self, call: str, operator: str, *, at: float, counts: bool = True) -> list[Action]:
        """The operator took the call. `counts` False: nobody is there yet (a callback whose citizen is being
        called); it counts by `conversation_began` when they are. DistributorError if it was not (or no
        longer) offered to them."""
        at = self._at(at)
        seat = self._seat(operator)
        caller = self._floor.callers.get(call)
        if caller is None or caller.offered_to != operator:
            if seat.state is OperatorState.TALKING and seat.call == call:
                return []
            raise DistributorError(
                f"call {call} is not offered to operator {operator} ({seat.state.value}): let that leg go"
            )
        out: list[Action] = []
        self._floor.answered(caller, seat, at, out, counts)
        return self._settled(at, out)

    def offer_failed(self, call: str, operator: str, why: OfferEnd, *, at: float) -> list[Action]:
        """The operator's phone did not take the call: the operator goes to NO_ANSWER with `why` as reason,
        the caller keeps the place and goes on to the next. Harmless if that offer has ended already."""
        at = self._at(at)
        seat = self._seat(operator)
        if why not in _FAILURES:
            raise DistributorError(
                f"an offer of call {call} cannot fail by {why.value}: use caller_gone or operator_wants"
            )
        caller = self._floor.callers.get(call)
        if caller is None or caller.offered_to != operator:
            return []
        out: list[Action] = []
        self._floor.end_offer(caller)
        self._floor.set_state(seat, OperatorState.NO_ANSWER, at, out, why.value)
        return self._settled(at, out)

    # ── operators ──────────────────────────────────────────────────────────────────────────────────────

    def operator_wants(
        self, operator: str, state: OperatorState, *, at: float, reason: str = ""
    ) -> list[Action]:
        """READY, BREAK, TRAINING or OFF, by the operator's or a supervisor's hand.

        Ringing: the offer is withdrawn (READY: it goes on ringing). Talking or in wrap-up: noted, and
        applied at the end of the wrap-up; READY in wrap-up ends it."""
        at = self._at(at)
        seat = self._seat(operator)
        if state not in _WANTED:
            wanted = ", ".join(each.value for each in _WANTED)
            raise DistributorError(f"operator {operator} cannot be set {state.value}; can be: {wanted}")
        out: list[Action] = []
        match seat.state:
            case OperatorState.RINGING if state is OperatorState.READY:
                return []
            case OperatorState.WRAP_UP if state is OperatorState.READY:
                seat.next_state, seat.next_reason = None, reason
                self._floor.finish_wrap_up(seat, at, out)
            case OperatorState.TALKING | OperatorState.WRAP_UP:
                seat.next_state = None if state is OperatorState.READY else state
                seat.next_reason = reason
                self._floor.looked_at(seat)
            case same if same is state:
                if reason == seat.reason:
                    return []
                self._floor.set_state(seat, state, at, out, reason, since=seat.since)
            case _:
                self._floor.withdraw(seat, OfferEnd.WITHDRAWN, out)
                self._floor.set_state(seat, state, at, out, reason)
        return self._settled(at, out)

    def phone_changed(self, operator: str, reachable: bool, *, at: float) -> list[Action]:
        """The operator has a phone that can ring, or none. Lost while ringing: the offer ends UNREACHABLE,
        the caller goes on, the operator is READY again for when the phone is back."""
        at = self._at(at)
        seat = self._seat(operator)
        if seat.reachable == reachable:
            return []
        out: list[Action] = []
        seat.reachable = reachable
        if seat.state is OperatorState.RINGING:
            self._floor.withdraw(seat, OfferEnd.UNREACHABLE, out)
            self._floor.set_state(seat, OperatorState.READY, at, out)
        else:
            seat.keep_clocks(at)
            self._floor.looked_at(seat)
        return self._settled(at, out)

    def conversation_began(
        self, operator: str, call: str, *, at: float, queue: str | None = None, counts: bool = True
    ) -> list[Action]:
        """The operator talks: a call adopted in recovery, or one of their own. What rang there goes on to
        the next; a state they were in (break, …) comes back after the wrap-up. `queue`: the call is one of
        that queue, so it counts, and its wrap-up applies. Without it a call that stood in line counts, any
        other is the operator's own; the wrap-up is that of their first queue (without any: 0 s). `counts`
        False: as in `offer_answered`; the same call told again with True counts from then."""
        at = self._at(at)
        seat = self._seat(operator)
        home = queue if queue is not None else next(iter(seat.queues), None)
        if home is not None and home not in self._floor.lines:
            raise DistributorError(f"unknown queue {queue!r} for call {call}")
        line = None if home is None else self._floor.lines[home]
        known = seat.state is OperatorState.TALKING and seat.call == call
        if known and (seat.talk_from_ms is not None or queue is None or not counts):
            return []
        out: list[Action] = []
        caller = self._floor.callers.get(call)
        if caller is not None and caller.offered_to == operator:
            self._floor.answered(caller, seat, at, out, counts)
        else:
            if caller is not None:
                self._floor.take_out(caller, OfferEnd.WITHDRAWN, at, out)
            own = queue is None and caller is None
            self._floor.found_talking(seat, call, line, counts and not own, own, at, out)
        return self._settled(at, out)

    def conversation_ended(self, operator: str, *, at: float) -> list[Action]:
        """The operator talks no more: into wrap-up; with 0 s of it straight on to what comes after."""
        at = self._at(at)
        seat = self._seat(operator)
        if seat.state is not OperatorState.TALKING:
            return []
        out: list[Action] = []
        wrap_up_s = 0.0 if seat.line is None else seat.line.rules.wrap_up_s
        seat.call = seat.line = None
        seat.talk_ends(at)
        if seat.leaving:
            remove(self._floor, seat, at, out)
        elif wrap_up_s > 0:
            self._floor.set_state(seat, OperatorState.WRAP_UP, at, out, until=at + wrap_up_s)
        else:
            self._floor.finish_wrap_up(seat, at, out)
        return self._settled(at, out)

    def wrap_up_done(self, operator: str, *, at: float) -> list[Action]:
        """The operator has written it up: on to the noted state, or READY."""
        at = self._at(at)
        seat = self._seat(operator)
        if seat.state is not OperatorState.WRAP_UP:
            return []
        out: list[Action] = []
        self._floor.finish_wrap_up(seat, at, out)
        return self._settled(at, out)

    def extend_wrap_up(self, operator: str, until: float, *, at: float) -> list[Action]:
        """The running wrap-up ends at `until` instead; DistributorError if it has ended."""
        at = self._at(at)
        seat = self._seat(operator)
        if seat.state is not OperatorState.WRAP_UP:
            raise DistributorError(f"operator {operator} is in no wrap-up ({seat.state.value}) to extend")
        until = max(_finite(until, "until"), at)
        out: list[Action] = []
        self._floor.set_state(
            seat, OperatorState.WRAP_UP, at, out, seat.reason, until=until, since=seat.since
        )
        return self._settled(at, out)

    def restore_operator(
        self,
        operator: str,
        state: OperatorState,
        *,
        since: float,
        at: float,
        until: float | None = None,
        reason: str = "",
        idle_since: float | None = None,
        tally: Tally | None = None,
        tally_at: float | None = None,
        begun: Iterable[float] = (),
        offers: int = 0,
        last: Mapping[str, int] = _NONE,
    ) -> list[Action]:
        """Recovery: the operator is in `state`, `since` then. RINGING becomes READY (offers begin anew);
        TALKING waits for `conversation_began` to name the call; WRAP_UP needs `until`. `idle_since` as
        the view gave it; without it READY and WRAP_UP count from `since`, the others from now. `tally` as it
        stood at `tally_at` (default: `since`), without the conversation that goes on; on duty, the time from
        then to now is added. `begun`: when conversations of the last hour began (for `most_calls_h`).
        `offers`, `last`: as the view gave them."""
        at = self._at(at)
        seat = self._seat(operator)
        out: list[Action] = []
        restore(
            self._floor,
            seat,
            Standing(
                state,
                since=_finite(since, "since"),
                until=None if until is None else _finite(until, "until"),
                reason=reason,
                idle_since=None if idle_since is None else _finite(idle_since, "idle_since"),
                tally=tally,
                tally_at=None if tally_at is None else _finite(tally_at, "tally_at"),
                begun=tuple(_finite(each, "begun") for each in begun),
                offers=offers,
                last=last,
            ),
            at,
            out,
        )
        return self._settled(at, out)

    def new_day(self, *, at: float) -> list[Action]:
        """Every operator's tally counts from zero; what goes on counts from now."""
        at = self._at(at)
        for seat in self._floor.seats.values():
            seat.new_day(at)
        return self._settled(at, [])

    # ── time ───────────────────────────────────────────────────────────────────────────────────────────

    def tick(self, *, at: float) -> list[Action]:
        """Time has passed: everything due by now happens, and then whatever offers that makes possible."""
        at = self._at(at)
        floor = self._floor
        out: list[Action] = []
        while (due := floor.rings.first()) is not None and due[0] <= at:
            seat = floor.end_offer(floor.callers[due[-1]])
            out.append(Withdraw(due[-1], seat.id, OfferEnd.NO_ANSWER))
            floor.set_state(seat, OperatorState.NO_ANSWER, at, out, OfferEnd.NO_ANSWER.value)
        while (due := floor.wraps.first()) is not None and due[0] <= at:
            floor.finish_wrap_up(floor.seats[due[-1]], at, out)
        while (due := floor.prefers.first()) is not None and due[0] <= at:
            floor.no_longer_prefers(floor.callers[due[-1]])
        while (due := floor.opens.first()) is not None and due[0] <= at:
            floor.open_wider(floor.callers[due[-1]], at)
        while (due := floor.limits.first()) is not None and due[0] <= at:
            floor.limit(floor.seats[due[-1]], at)
        return self._settled(at, out)

    def next_deadline(self) -> float | None:
        """When `tick` next has something to do, None if never."""
        floor = self._floor
        timers = (floor.rings, floor.wraps, floor.prefers, floor.opens, floor.limits)
        return min((head[0] for each in timers if (head := each.first())), default=None)

    # ── the site changes ───────────────────────────────────────────────────────────────────────────────

    def set_queues(self, queues: Iterable[QueueRules], at: float) -> list[Action]:
        """The site's queues from now on, at once for those who wait too: no place, idle time or count is
        lost. Running offers and wrap-ups keep their times. One that is taken out is served by those who
        served it until its last caller is through; nobody new may enter."""
        at = self._at(at)
        apply_queues(self._floor, queues, at)
        return self._settled(at, [])

    def set_operators(self, operators: Iterable[OperatorProfile], at: float) -> list[Action]:
        """The site's operators from now on, after `set_queues`. New ones start OFF and unreachable. One who
        is taken out finishes the conversation, then is OFF and forgotten; what rings there goes on."""
        at = self._at(at)
        out: list[Action] = []
        apply_operators(self._floor, operators, at, out)
        return self._settled(at, out)

    # ── views ──────────────────────────────────────────────────────────────────────────────────────────

    def operator(self, operator: str) -> OperatorView:
        return self._seat(operator).view(self._now)

    def operators(self) -> list[OperatorView]:
        """All, in natural order of their ids."""
        return [seat.view(self._now) for seat in sorted(self._floor.seats.values(), key=lambda s: s.natural)]

    def waiting(self) -> list[WaitingView]:
        """Everyone in line, the ringing ones too: the most urgent first. O(n log n)."""
        positions: dict[str, int] = {}
        views = []
        now, floor = self._now, self._floor
        for each in sorted(floor.callers.values(), key=lambda caller: floor.before(caller, now)):
            position = positions[each.queue] = positions.get(each.queue, 0) + 1
            views.append(
                WaitingView(each.call, each.queue, each.since, each.priority, each.offered_to, position)
            )
        return views

    # ── inside ─────────────────────────────────────────────────────────────────────────────────────────

    def _at(self, at: float) -> float:
        if at > self._now:
            self._now = _finite(at, "at")
        return self._now

    def _seat(self, operator: str) -> Seat:
        seat = self._floor.seats.get(operator)
        if seat is None:
            raise DistributorError(
                f"unknown operator {operator!r}: not one of the {len(self._floor.seats)} of set_operators"
            )
        return seat

    def _open(self, queue: str, call: str) -> None:
        """DistributorError unless callers may enter."""
        lines = self._floor.lines
        line = lines.get(queue)
        if line is None or line.retired:
            known = ", ".join(sorted(each for each in lines if each != queue)) or "none"
            raise DistributorError(f"unknown queue {queue!r} for call {call}; known: {known}")

    def _settled(self, at: float, out: list[Action]) -> list[Action]:
        settle(self._floor, at, out)
        return out


def _finite(value: float, name: str) -> float:
    if not math.isfinite(value):
        raise DistributorError(f"{name} is {value}: a time must be a finite number of seconds")
    return value
