"""Erlang beside a simulation: interval by interval, with the operators that are needed."""

from __future__ import annotations

import math
from typing import Any

import pytest

from cdr.staffing import (
    Beside,
    Callers,
    Conduct,
    Scenario,
    Shift,
    Simulated,
    Spread,
    beside,
    by_rate,
    erlang_a,
    erlang_c,
    operators_needed,
    simulate,
)
from tests.unit.cdr.staffing.small import FIVE, MONDAY, NINE, centre, day

pytestmark = pytest.mark.req("RPT-3")


def both(scenario: Scenario) -> tuple[Simulated, Beside]:
    found = simulate(scenario)
    formulas = beside(scenario, found)
    assert formulas is not None
    return found, formulas


def a_day(
    roster: Any = 5, *, kpi: dict[str, Any] | None = None, patience_s: float = 90, **more: Any
) -> Scenario:
    site = centre(8, queues=[{"wrap_up_s": 20}], kpi=kpi or {"clock_start": "queue"})
    callers = Callers(Spread.constant(177), patience=Spread.exponential(patience_s), greeting_s=4)
    conduct = Conduct(Spread.constant(3))
    return by_rate(site, 60, roster, callers=callers, conduct=conduct, days=4, **more)


def test_each_interval_is_the_formula_for_its_calls_and_operators() -> None:
    found, formulas = both(a_day())
    assert (formulas.handle_s, formulas.target_s, formulas.before_s) == (200, 6, 3)
    one = formulas.periods[2]
    assert (one.start_s, one.operators) == (36_000, 5)
    assert one.calls_h == found.intervals[2].kpi.offered / 4 / 0.5
    assert one.c == erlang_c(one.calls_h, 200, 5, 6)
    assert one.a == erlang_a(one.calls_h, 200, 5, 6, patience_s=90)
    needed = operators_needed(
        one.calls_h, 200, patience_s=90, target_s=6, within=0.8, answer_s=6, answer_rate=0.9
    )
    assert one.needed == needed.operators
    # The whole is the mean by calls.
    calls = [each.calls_h for each in formulas.periods]
    rate = sum(each.a.answer_rate * weight for each, weight in zip(formulas.periods, calls, strict=True))
    assert formulas.a.answer_rate == pytest.approx(rate / sum(calls))


def test_half_an_operator_is_half_way() -> None:
    shifts = [Shift(n, "1001", NINE, FIVE) for n in range(4)] + [
        Shift(n, "1002", NINE, FIVE) for n in range(2)
    ]
    _, formulas = both(a_day(shifts))
    one = formulas.periods[1]
    assert one.operators == 1.5
    low, high = (erlang_a(one.calls_h, 200, n, 6, patience_s=90) for n in (1, 2))
    assert one.a.waits == pytest.approx((low.waits + high.waits) / 2)
    assert one.c.wait_s == math.inf
    assert formulas.to_json()["erlang_c"]["wait_s"] is None


def test_the_citys_clock_takes_the_greeting_off_the_targets() -> None:
    _, formulas = both(a_day(kpi={"clock_start": "arrival"}))
    assert (formulas.target_s, formulas.before_s, formulas.reachable) == (2, 7, True)
    _, formulas = both(a_day(kpi={"clock_start": "arrival", "answer_within_s": 6}))
    assert (formulas.target_s, formulas.reachable) == (0, False)
    assert {one.needed for one in formulas.periods} == {None}


def test_endless_patience_is_erlang_c_twice() -> None:
    _, formulas = both(a_day(patience_s=math.inf))
    assert formulas.a == formulas.c
    assert formulas.to_json()["patience_s"] is None


def test_the_operators_that_are_needed_do_meet_the_targets() -> None:
    """Simulated with them, the city's targets are met or nearly so: Erlang knows no constant talk time, which
    is kinder than an exponential one."""
    _, formulas = both(a_day())
    most = max(one.needed or 0 for one in formulas.periods)
    found = simulate(a_day(most))
    assert (found.kpi.answer_rate or 0) >= 0.9
    assert (found.kpi.within_rate or 0) >= 0.8
    assert (found.kpi.mean_answer_s or 99) <= 9
    fewer = simulate(a_day(most - 3))
    assert (fewer.kpi.within_rate or 0) < 0.8


def test_without_calls_there_is_no_formula() -> None:
    empty = day(centre(1), [])
    assert beside(empty, simulate(empty)) is None
    assert simulate(empty).kpi.answer_rate is None
    assert simulate(empty).to_json()["wait"] == {"mean_s": None, "p95_s": None, "longest_s": None}
    assert empty.first == MONDAY
