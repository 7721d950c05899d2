"""Erlang's formulas beside a simulation, interval by interval, and the operators they ask for.

Each interval is taken for a small world in balance (Green, Kolesar, Soares 2001: stationary, independent,
period by period), all queues for one and all operators for one group. The formulas know no greeting and no
phone that rings: what the city's clock counts of these is taken off its targets.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cdr.staffing.erlang import Erlang, erlang_a, erlang_c, operators_needed
from cdr.staffing.result import Simulated, clock
from cdr.staffing.scenario import Scenario


@dataclass(frozen=True, slots=True)
class Period:
    """One interval. `calls_h`: as asked for (of calls that have been: as they were), without those that hang
    up in the greeting; `operators` as the simulation had them; both over the days counted. `needed`: the
    fewest operators with whom the site's targets are met, by Erlang A where callers have patience, else C;
    None: they cannot be met however many there are."""

    start_s: float
    end_s: float
    calls_h: float
    operators: float
    c: Erlang
    a: Erlang
    needed: int | None

    def to_json(self) -> dict[str, Any]:
        return {
            "from": clock(self.start_s),
            "to": clock(self.end_s),
            "calls_h": round(self.calls_h, 3),
            "operators": round(self.operators, 3),
            "erlang_c": self.c.to_json(),
            "erlang_a": self.a.to_json(),
            "needed": self.needed,
        }


@dataclass(frozen=True, slots=True)
class Beside:
    """`target_s`: what is left of the city's limit for waiting when `before_s`, the ring and (where the clock
    starts at arrival) the greeting, is taken off; `reachable`: something is left; `handle_s`: ring, talk and
    wrap-up of a call; `c`, `a`: means over the intervals by calls (`operators` 0 there). Where an interval
    has more work than operators Erlang C waits for ever (inf)."""

    target_s: float
    before_s: float
    reachable: bool
    handle_s: float
    patience_s: float
    c: Erlang
    a: Erlang
    periods: tuple[Period, ...]

    def to_json(self) -> dict[str, Any]:
        def whole(found: Erlang) -> dict[str, Any]:
            shown = found.to_json()
            del shown["operators"]
            return shown

        return {
            "target_s": round(self.target_s, 3),
            "before_s": round(self.before_s, 3),
            "reachable": self.reachable,
            "handle_s": round(self.handle_s, 3),
            "patience_s": None if math.isinf(self.patience_s) else round(self.patience_s, 3),
            "erlang_c": whole(self.c),
            "erlang_a": whole(self.a),
            "intervals": [one.to_json() for one in self.periods],
        }


def beside(scenario: Scenario, simulated: Simulated) -> Beside | None:
    """The formulas for the same calls and operators; None when there were no calls."""
    calls = [one for one in scenario.calls if one.leaves_s is None]
    if not calls:
        return None
    site, ring_s = scenario.site, scenario.conduct.pick_up.mean_s
    own_wrap_up = {one.id: float(one.wrap_up_s) for one in site.queues}
    wrap_s = _mean([own_wrap_up[one.queue] if one.wrap_up_s is None else one.wrap_up_s for one in calls])
    handle_s = max(ring_s + _mean([one.talk_s for one in calls]) + wrap_s, 0.001)
    before_s = ring_s
    if site.kpi.clock_start == "arrival":
        before_s += _mean([one.greeting_s for one in calls])
    left_s = site.kpi.answer_within_s - before_s
    target_s = max(left_s, 0.0)
    days = max(simulated.days_counted, 1)
    targets = site.kpi.targets
    reachable = left_s > 0 and targets.mean_answer_s > before_s
    periods = []
    for one in simulated.intervals:
        hours = (one.end_s - one.start_s) / 3600
        # What was asked for, not what chance drew: the same calls ask for the same operators.
        asked = scenario.asked_calls_h(one.start_s, one.end_s)
        waited = one.kpi.offered + one.kpi.left_out + one.kpi.unfinished
        drawn_h = waited / days / hours * len(calls) / len(scenario.calls)
        calls_h = drawn_h if asked is None else asked
        needed = None
        if reachable:
            try:
                needed = operators_needed(
                    calls_h,
                    handle_s,
                    patience_s=scenario.patience_s,
                    target_s=target_s,
                    within=targets.within_rate,
                    answer_s=targets.mean_answer_s - before_s,
                    answer_rate=targets.answer_rate,
                ).operators
            except ValueError:
                needed = None
        c, a = (
            _between(calls_h, handle_s, one.operators, target_s, patience)
            for patience in (math.inf, scenario.patience_s)
        )
        periods.append(Period(one.start_s, one.end_s, calls_h, one.operators, c, a, needed))
    return Beside(
        target_s,
        before_s,
        reachable,
        handle_s,
        scenario.patience_s,
        _whole([(one.c, one.calls_h) for one in periods]),
        _whole([(one.a, one.calls_h) for one in periods]),
        tuple(periods),
    )


def _between(calls_h: float, handle_s: float, operators: float, target_s: float, patience_s: float) -> Erlang:
    """Of a number of operators that is no whole one: in between the two next to it."""

    def at(n: int) -> Erlang:
        if math.isinf(patience_s):
            return erlang_c(calls_h, handle_s, n, target_s)
        return erlang_a(calls_h, handle_s, n, target_s, patience_s=patience_s)

    low = math.floor(operators + 1e-6)
    share = operators - low
    if share < 1e-3:
        return at(low)
    return _whole([(at(low), 1 - share), (at(low + 1), share)])


def _whole(parts: Sequence[tuple[Erlang, float]]) -> Erlang:
    """The mean of several by weight; what is of those who wait, or of those answered, by how many."""
    names = [field.name for field in dataclasses.fields(Erlang) if field.name != "operators"]
    shares = {
        "wait_of_waiting_s": [weight * one.waits for one, weight in parts],
        "answer_s": [weight * one.answer_rate for one, weight in parts],
        "within": [weight * one.answer_rate for one, weight in parts],
    }
    even = [weight for _, weight in parts]
    means = {}
    for name in names:
        weights = shares.get(name, even)
        total = math.fsum(weights)
        # What weighs nothing counts nothing, also when it is inf.
        means[name] = (
            math.fsum(getattr(one, name) * w for (one, _), w in zip(parts, weights, strict=True) if w > 0)
            / total
            if total > 0
            else 0.0
        )
    return Erlang(0, **means)


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)
