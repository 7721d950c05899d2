"""Discrete events with a virtual clock around the very `acd.Distributor` that serves real calls.

One heap of (time, serial, what, whom, mark). Nothing is taken out of it: an event that has been overtaken is
known by its mark, or finds its call over. What the distributor does by its own deadlines is told by its
actions (end of a wrap-up, of a ring); only where rules have deadlines of their own (levels and languages that
widen, operators' limits) is it asked for the next one.
"""

from __future__ import annotations

import datetime as dt
import math
from collections import deque
from collections.abc import Callable
from heapq import heappop, heappush
from typing import Any

from acd import Action, Distributor, Offer, OfferEnd, OperatorState, StateChanged, Withdraw
from cdr.record import Outcome
from cdr.staffing.centre import profiles_of, rules_of, target_of
from cdr.staffing.people import Seat, SimulatedCall
from cdr.staffing.scenario import DAY_S, Scenario

Progress = Callable[[int, int], None]

(
    _PICKED_UP,
    _REFUSED,
    _TICK,
    _GAVE_UP,
    _TALKED,
    _WRAPPED,
    _BACK,
    _ON,
    _OFF,
    _PAUSE,
    _LIMIT,
    _DAY,
    _CLOSED,
) = range(13)
_READY, _RINGING, _TALKING = OperatorState.READY, OperatorState.RINGING, OperatorState.TALKING
_WRAP_UP, _BREAK, _OFF_STATE = OperatorState.WRAP_UP, OperatorState.BREAK, OperatorState.OFF
_NO_ANSWER = OperatorState.NO_ANSWER
_MOVES_MAX = 20  # as `ivr.Walk` has it
_LOOK_AGAIN_S = 0.5  # a limit that passes while a phone rings, as the engine has it
_STAY_LOOK_S = 15.0
_EXPECT_WINDOW_S, _EXPECT_MIN = 600.0, 3  # `ivr.expected_wait_s`
_MASK = (1 << 64) - 1
_BELOW_1 = math.nextafter(1, 0)  # a quotient may be rounded up to 1, which no distribution is drawn from


class Run:
    """One pass through a scenario. After `run`: `calls`, `seats`, `duty`, `busy`, `most`, `most_in`."""

    def __init__(self, scenario: Scenario, progress: Progress | None = None) -> None:
        self.scenario, self._progress = scenario, progress
        site, conduct = scenario.site, scenario.conduct
        wrap_ups = [one.wrap_up_s for one in scenario.calls if one.wrap_up_s is not None]
        # Wrap-ups that are drawn end by the operator's hand; the queue's own end is then out of the way.
        own = [float(one.wrap_up_s) for one in site.queues]
        rules = rules_of(site, max(*own, *wrap_ups) + 1 if wrap_ups else None)
        profiles = profiles_of(site, scenario.extra)
        self._distributor = Distributor(rules, profiles, ledger=False)
        self.seats = {one.id: Seat(one.id, one.queues) for one in profiles}
        self._asks = any(
            one.most_calls_h is not None or one.languages is not None for one in profiles
        ) or any(one.widen for one in rules)
        self._queues = {one.id: one for one in site.queues}
        self._targets = {
            one.id: (target_of(site, one.overflow), target_of(site, one.nobody)) for one in site.queues
        }
        self._refused, self._missed = conduct.refuses, conduct.refuses + conduct.misses
        self._pick_up = conduct.pick_up.draw()
        self._heap: list[tuple[float, int, int, Any, int]] = []
        self._serial = 0
        self._live: dict[str, SimulatedCall] = {}
        self._in_line = dict.fromkeys(self._queues, 0)
        self._ringing = 0
        self._signed_on = dict.fromkeys(self._queues, 0)
        self._ready_in = dict.fromkeys(self._queues, 0)
        self._answers: dict[str, deque[float]] = {
            one.id: deque() for one in site.queues if one.longest_expected_s is not None and one.overflow
        }
        self._left: list[str] = []  # queues whose last operator has signed off this moment
        self._by_day: dict[int, list[int]] = {}
        for index, shift in enumerate(scenario.shifts):
            self._by_day.setdefault(shift.day, []).append(index)
        self._closings = _closings(scenario)
        bins = round(DAY_S / scenario.interval_s)
        self.duty, self.busy, self.most_in = [0.0] * bins, [0.0] * bins, [0] * bins
        self.most = 0
        self._from, self._interval_s = scenario.warm_up_s, scenario.interval_s
        self.offers = self.unanswered = 0
        self.calls: list[SimulatedCall] = []

    def run(self) -> Run:
        """Until nothing is left to happen."""
        scenario, heap, handlers = self.scenario, self._heap, self._handlers()
        for operator in self.seats:
            self._distributor.phone_changed(operator, True, at=0.0)
        for day in range(scenario.days):
            self._push(day * DAY_S, _DAY, day)
        for closed_at in self._closings:
            self._push(closed_at, _CLOSED, None)
        entries = self._entries()
        next_entry, entries_left = math.inf, len(entries)
        entries.reverse()
        if entries:
            next_entry = entries[-1][0]
        next_deadline, asks = self._distributor.next_deadline, self._asks
        while heap or entries_left:
            at = heap[0][0] if heap else math.inf
            if asks:
                due = next_deadline()
                # At one moment what happens comes first, in the order in which it was foreseen.
                if due is not None and due < at and due < next_entry:
                    self._heed(self._distributor.tick(at=due), due)
                    continue
            if next_entry < at:
                self._enter(entries.pop()[1], next_entry)
                entries_left -= 1
                next_entry = entries[-1][0] if entries_left else math.inf
                continue
            at, _, what, whom, mark = heappop(heap)
            handlers[what](at, whom, mark)
        return self

    def _handlers(self) -> list[Callable[[float, Any, int], None]]:
        return [
            self._picked_up,
            self._was_refused,
            self._ticked,
            self._gave_up,
            self._talked,
            self._wrapped,
            self._came_back,
            self._came_on,
            self._went_off,
            self._paused,
            self._limit_passed,
            self._day_began,
            self._closed,
        ]

    def _push(self, at: float, what: int, whom: Any, mark: int = 0) -> None:
        self._serial += 1
        heappush(self._heap, (at, self._serial, what, whom, mark))

    def _entries(self) -> list[tuple[float, SimulatedCall]]:
        """Every call made, and those who come to a queue by the time they do."""
        midnight = dt.datetime.combine(self.scenario.first, dt.time(), self.scenario.site.zone).astimezone(
            dt.UTC
        )
        entries = []
        for number, arrival in enumerate(self.scenario.calls):
            call = SimulatedCall(str(number), arrival, midnight)
            self.calls.append(call)
            if arrival.leaves_s is None:
                entries.append((arrival.at + arrival.greeting_s, call))
            else:
                call.ended = arrival.at + arrival.leaves_s
                call.outcome = Outcome.ABANDONED_GREETING
        entries.sort(key=lambda entry: entry[0])
        return entries

    # ── callers ────────────────────────────────────────────────────────────────────────────────────────

    def _enter(self, call: SimulatedCall, at: float) -> None:
        if call.entered is None:
            call.entered = at
            patience = call.arrival.patience_s
            if patience != math.inf:
                self._push(at + patience, _GAVE_UP, call)
        queue = call.queue
        call.stood = at
        rules = self._queues[queue]
        if rules.nobody is not None and self._signed_on[queue] == 0:
            return self._sent_on(call, at, nobody=True)
        if rules.overflow is not None:
            if rules.most_waiting is not None and self._in_line[queue] >= rules.most_waiting:
                return self._sent_on(call, at)
            if rules.longest_expected_s is not None and self._expected(queue, at) > rules.longest_expected_s:
                return self._sent_on(call, at)
            if rules.longest_wait_s is not None:
                self._push(at + rules.longest_wait_s, _LIMIT, call, call.moves)
        self._live[call.call] = call
        self._in_line[queue] += 1
        arrival = call.arrival
        self._heed(
            self._distributor.caller_waits(
                call.call,
                queue,
                at=at,
                waiting_since=call.entered,
                priority=arrival.priority,
                language=arrival.language,
            ),
            at,
        )
        waiting = len(self._live) - self._ringing
        if waiting > 0 and waiting > self.most_in[slot := int(at % DAY_S / self._interval_s)]:
            self.most_in[slot] = waiting
            self.most = max(self.most, waiting)

    def _expected(self, queue: str, at: float) -> float:
        """The wait of somebody who enters now, as the engine would expect it; 0 where it cannot be told."""
        answers = self._answers[queue]
        while answers and answers[0] < at - _EXPECT_WINDOW_S:
            answers.popleft()
        if self._ready_in[queue] or len(answers) < _EXPECT_MIN:
            return 0.0
        return (self._in_line[queue] + 1) * (at - answers[0]) / (len(answers) - 1)

    def _out(self, call: SimulatedCall) -> None:
        del self._live[call.call]
        self._in_line[call.queue] -= 1
        if call.ring:
            call.ring = 0
            self._ringing -= 1

    def _over(self, call: SimulatedCall, at: float, outcome: Outcome) -> None:
        call.ended, call.outcome = at, outcome

    def _gave_up(self, at: float, call: SimulatedCall, mark: int) -> None:
        if call.ended is None and call.answered is None:
            ringing = call.ring
            self._out(call)
            self._over(call, at, Outcome.ABANDONED_RINGING if ringing else Outcome.ABANDONED_QUEUE)
            self._heed(self._distributor.caller_gone(call.call, at=at), at)

    def _limit_passed(self, at: float, call: SimulatedCall, mark: int) -> None:
        if call.moves != mark or call.ended is not None or call.answered is not None:
            return
        if call.ring:
            self._push(at + _LOOK_AGAIN_S, _LIMIT, call, mark)
        else:
            self._leave_for(call, at, nobody=False)

    def _leave_for(self, call: SimulatedCall, at: float, nobody: bool) -> None:
        """Out of the line, and on to where the queue's limit leads."""
        self._out(call)
        self._heed(self._distributor.caller_gone(call.call, at=at), at)
        self._sent_on(call, at, nobody)

    def _sent_on(self, call: SimulatedCall, at: float, nobody: bool = False) -> None:
        kind, queue = self._targets[call.queue][nobody]
        call.moves += 1
        if kind != "queue" or call.moves > _MOVES_MAX:
            self._over(call, at, Outcome.FORWARDED if kind == "forward" else Outcome.ANNOUNCED)
            return
        call.queue = queue
        self._enter(call, at)

    def _closed(self, at: float, _: None, mark: int) -> None:
        """Everybody has gone home: who still waits has called in vain."""
        for call in list(self._live.values()):
            self._gave_up(at, call, 0)

    # ── offers ─────────────────────────────────────────────────────────────────────────────────────────

    def _heed(self, actions: list[Action], at: float) -> None:
        for action in actions:
            kind = type(action)
            if kind is StateChanged:
                self._state(action, at)  # type: ignore[arg-type]  # told by its type
            elif kind is Offer:
                self._offered(action, at)  # type: ignore[arg-type]  # told by its type
            elif kind is Withdraw:
                call = self._live.get(action.call)  # type: ignore[union-attr]  # told by its type
                if call is not None and call.ring:
                    call.ring = 0
                    self._ringing -= 1
        if self._left:
            self._nobody_left(at)

    def _offered(self, offer: Offer, at: float) -> None:
        call = self._live[offer.call]
        self._serial += 1
        call.ring = serial = self._serial
        self._ringing += 1
        self.offers += 1
        luck = call.arrival.luck if call.offers == 0 else _mixed(call.arrival.luck, call.offers)
        call.offers += 1
        call.operator = offer.operator
        if luck < self._refused:
            rings, what = self._pick_up(min(luck / self._refused, _BELOW_1)), _REFUSED
        elif luck < self._missed:
            rings, what = math.inf, _TICK
        else:
            rings = self._pick_up(min((luck - self._missed) / (1 - self._missed), _BELOW_1))
            what = _PICKED_UP
        if at + rings < offer.expires_at:
            heappush(self._heap, (at + rings, serial, what, call, serial))
        else:
            heappush(self._heap, (offer.expires_at, serial, _TICK, None, 0))

    def _picked_up(self, at: float, call: SimulatedCall, mark: int) -> None:
        if call.ring != mark:
            return
        operator = call.operator
        assert operator is not None  # noqa: S101 - somebody's phone rings
        self._out(call)
        call.answered, call.outcome = at, Outcome.ANSWERED
        arrival = call.arrival
        if call.queue in self._answers:
            self._answers[call.queue].append(at)
        self._heed(self._distributor.offer_answered(call.call, operator, at=at), at)
        self._push(at + arrival.talk_s, _TALKED, call)

    def _was_refused(self, at: float, call: SimulatedCall, mark: int) -> None:
        if call.ring == mark and call.operator is not None:
            call.ring = 0
            self._ringing -= 1
            self._heed(self._distributor.offer_failed(call.call, call.operator, OfferEnd.REFUSED, at=at), at)

    def _talked(self, at: float, call: SimulatedCall, mark: int) -> None:
        call.ended = at
        seat = self.seats[call.operator or ""]
        if call.arrival.at >= self.scenario.warm_up_s:
            seat.calls[call.queue] += 1
            seat.talk_s[call.queue] += call.arrival.talk_s
        wrap_s = call.arrival.wrap_up_s
        seat.wrap_s = self._queues[call.queue].wrap_up_s if wrap_s is None else wrap_s
        self._heed(self._distributor.conversation_ended(seat.id, at=at), at)

    def _ticked(self, at: float, _: None, mark: int) -> None:
        self._heed(self._distributor.tick(at=at), at)

    def _wrapped(self, at: float, seat: Seat, mark: int) -> None:
        self._heed(self._distributor.wrap_up_done(seat.id, at=at), at)

    # ── operators ──────────────────────────────────────────────────────────────────────────────────────

    def _state(self, change: StateChanged, at: float) -> None:
        seat = self.seats[change.operator]
        before, now = seat.state, change.state
        seat.state = now
        if self._answers and (before is _READY) != (now is _READY):
            for queue in seat.queues:
                self._ready_in[queue] += 1 if now is _READY else -1
        # Four of five changes are those of an ordinary call.
        if now is _RINGING:
            return
        if now is _TALKING:
            seat.busy_since = at
            return
        if now is _WRAP_UP:
            seat.wrap_since = at
            self._push(at + seat.wrap_s, _WRAPPED, seat)
            return
        if before is _WRAP_UP:
            seat.wrap_up_s += max(at - max(seat.wrap_since, self._from), 0.0)
        if seat.busy_since is not None:
            self._add(self.busy, seat.busy_since, at)
            seat.busy_since = None
        if now is _READY:
            if seat.duty_since is None:
                seat.duty_since = at
        else:
            self._off_duty(seat, at)
            if now is _NO_ANSWER:
                self.unanswered += 1
                self._push(at + self.scenario.conduct.back_s, _BACK, seat)
            elif seat.wish is _READY:
                self._push(at, _BACK, seat)  # wished for after the break had been noted
        if (before is _OFF_STATE) != (now is _OFF_STATE):
            for queue in seat.queues:
                self._signed_on[queue] += -1 if now is _OFF_STATE else 1
                if self._signed_on[queue] == 0 and self._queues[queue].nobody is not None:
                    self._left.append(queue)

    def _off_duty(self, seat: Seat, at: float) -> None:
        if seat.duty_since is not None:
            seat.duty_s += max(at - max(seat.duty_since, self._from), 0.0)
            self._add(self.duty, seat.duty_since, at)
            seat.duty_since = None

    def _add(self, bins: list[float], since: float, at: float) -> None:
        """A stretch of time to the intervals of the day that it lies in."""
        if since < self._from:
            since = self._from
        interval_s, count = self._interval_s, len(bins)
        slot = int(since // interval_s)
        while since < at:
            until = min(at, (slot + 1) * interval_s)
            bins[slot % count] += until - since
            since, slot = until, slot + 1

    def _nobody_left(self, at: float) -> None:
        while self._left:
            queue = self._left.pop()
            if self._signed_on[queue] == 0:
                for call in [one for one in self._live.values() if one.queue == queue and not one.ring]:
                    if call.call in self._live and call.queue == queue:
                        self._leave_for(call, at, nobody=True)

    def _wants(self, seat: Seat, state: OperatorState, at: float) -> None:
        seat.wish = state
        if state is not _READY or seat.state is not _WRAP_UP:  # READY would cut the wrap-up short
            self._heed(self._distributor.operator_wants(seat.id, state, at=at), at)

    def _came_back(self, at: float, seat: Seat, mark: int) -> None:
        if seat.wish is _READY and seat.state in (_NO_ANSWER, _BREAK, _OFF_STATE):
            self._wants(seat, _READY, at)

    def _came_on(self, at: float, index: int, mark: int) -> None:
        self._wants(self.seats[self.scenario.shifts[index].operator], _READY, at)

    def _paused(self, at: float, index: int, mark: int) -> None:
        self._wants(self.seats[self.scenario.shifts[index].operator], _BREAK, at)

    def _went_off(self, at: float, index: int, mark: int) -> None:
        """`mark` 1: the centre closes with this shift; those in line are still answered, for a while."""
        shift = self.scenario.shifts[index]
        seat = self.seats[shift.operator]
        stays_until = shift.day * DAY_S + shift.end_s + self.scenario.conduct.stay_s
        if mark and at + _STAY_LOOK_S <= stays_until and any(self._in_line[queue] for queue in seat.queues):
            self._push(at + _STAY_LOOK_S, _OFF, index, 1)
        else:
            self._wants(seat, _OFF_STATE, at)

    def _day_began(self, at: float, day: int, mark: int) -> None:
        if self._progress is not None:
            self._progress(day, self.scenario.days)
        if day:
            self._distributor.new_day(at=at)
        shifts, stay_s = self.scenario.shifts, self.scenario.conduct.stay_s
        # Whoever ends and begins again at one moment ends first: ends are pushed first, the serial decides.
        for index in self._by_day.get(day, ()):
            end = at + shifts[index].end_s
            self._push(end, _OFF, index, int(end + stay_s in self._closings))
        for index in self._by_day.get(day, ()):
            shift = shifts[index]
            self._push(at + shift.start_s, _ON, index)
            for start, end in shift.breaks:
                self._push(at + start, _PAUSE, index)
                self._push(at + end, _ON, index)


def _closings(scenario: Scenario) -> set[float]:
    """When the last ones go home, those who stay for the line included."""
    spans = sorted((one.day * DAY_S + one.start_s, one.day * DAY_S + one.end_s) for one in scenario.shifts)
    closings, open_until = set(), None
    for start, end in spans:
        if open_until is not None and start > open_until + scenario.conduct.stay_s:
            closings.add(open_until + scenario.conduct.stay_s)
        open_until = end if open_until is None else max(open_until, end)
    if open_until is not None:
        closings.add(open_until + scenario.conduct.stay_s)
    return closings


def _mixed(luck: float, number: int) -> float:
    """Another number in [0, 1) for a call's next offer (the finisher of SplitMix64)."""
    bits = (int(luck * 2**53) + number * 0x9E3779B97F4A7C15) & _MASK
    bits = ((bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    bits = ((bits ^ (bits >> 27)) * 0x94D049BB133111EB) & _MASK
    return ((bits ^ (bits >> 31)) >> 11) / 2**53
