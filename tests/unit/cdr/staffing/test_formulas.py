"""Erlang beside a simulation: interval by interval, with the operators that are needed."""

from __future__ import annotations

import math
from random import Random
from typing import Any

import pytest

from cdr.staffing import (
    Beside,
    Callers,
    Conduct,
    Profile,
    QueueProfile,
    Scenario,
    Shift,
    Simulated,
    Spread,
    beside,
    by_profile,
    by_rate,
    days_for,
    erlang_a,
    erlang_c,
    operators_needed,
    simulate,
)
from cdr.staffing.noise import half_width, student
from tests.unit.cdr.staffing.small import FIVE, MONDAY, NINE, centre, day

pytestmark = pytest.mark.req("RPT-3")


def both(scenario: Scenario) -> tuple[Simulated, Beside]:
    found = simulate(scenario)
    formulas = beside(scenario, found)
    assert formulas is not None
    return found, formulas


def a_day(
    roster: Any = 5, *, kpi: dict[str, Any] | None = None, patience_s: float = 90, days: int = 4, **more: Any
) -> Scenario:
    site = centre(8, queues=[{"wrap_up_s": 20}], kpi=kpi or {"clock_start": "queue"})
    callers = Callers(Spread.constant(177), patience=Spread.exponential(patience_s), greeting_s=4)
    conduct = Conduct(Spread.constant(3))
    return by_rate(site, 60, roster, callers=callers, conduct=conduct, days=days, **more)


def test_each_interval_is_the_formula_for_its_calls_and_operators() -> None:
    found, formulas = both(a_day())
    assert (formulas.handle_s, formulas.target_s, formulas.before_s) == (200, 6, 3)
    one = formulas.periods[2]
    assert (one.start_s, one.operators) == (36_000, 5)
    assert one.calls_h == 60
    assert found.intervals[2].kpi.offered != 120  # chance drew other calls than were asked for
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


def test_what_is_needed_comes_from_what_was_asked_for_not_from_what_was_drawn() -> None:
    """The same calls an hour all day: the same operators all day, by whatever seed and however few days."""
    _, formulas = both(a_day())
    opened = [one for one in formulas.periods if one.start_s < FIVE]
    assert {(one.calls_h, one.needed) for one in opened} == {(60.0, 5)}
    assert [one.calls_h for one in formulas.periods[len(opened) :]] == [0.0]  # talked to its end


def test_without_operators_days_are_counted_all_the_same() -> None:
    found, formulas = both(a_day(0))
    assert (found.days_worked, found.days_counted) == (0, 4)
    assert {(one.calls_h, one.needed) for one in formulas.periods} == {(60.0, 5)}


def test_days_on_which_nobody_calls_make_no_row_smaller() -> None:
    """A week of a centre open on Mondays and Tuesdays: 40 and 20 calls from nine to half past."""

    def rates(calls: float) -> tuple[float, ...]:
        return tuple(calls * 2 if n == 18 else 0.0 for n in range(48))

    week = (rates(40), rates(20), *[rates(0)] * 5)
    queue = QueueProfile("q0", 60, week, 120.0, 1.0, 0.0, None, 5.0, 0.25)
    profile = Profile(1800.0, (1, 1, 0, 0, 0, 0, 0), None, None, (queue,))
    scenario = by_profile(centre(9), profile, 4, days=14, growth=2)
    assert scenario.days_counted() == {0, 1, 7, 8}
    _, formulas = both(scenario)
    # 80 and 40 calls in half an hour, of whom a quarter leaves in the greeting.
    assert formulas.periods[0].calls_h == pytest.approx((160 + 80) / 2 * 0.75)


def test_a_rate_is_told_with_how_much_of_it_is_chance() -> None:
    found = simulate(a_day(5, days=5)).intervals[4]
    assert 0 < (found.answer_rate_half or 0) < 0.2
    assert (found.within_rate_half or 0) > (found.answer_rate_half or 9)
    shown = found.to_json()
    assert shown["answer_rate_half"] == pytest.approx(found.answer_rate_half, abs=1e-6)
    narrow = simulate(a_day(5, days=15)).intervals[4]
    assert (narrow.answer_rate_half or 9) < (found.answer_rate_half or 0)
    two = simulate(a_day(5, days=2)).intervals[4]
    assert (two.answer_rate_half, two.within_rate_half) == (None, None)


def test_the_truth_lies_within_the_half_width_as_often_as_is_said() -> None:
    """Of 400 spans of ten days, good and bad ones (80 % answered of all), about 95 in 100 hold the truth."""
    random, held = Random(1), 0
    for _ in range(400):
        part, whole = {}, {}
        for n in range(10):
            rate = random.choice([0.65, 0.95])
            whole[n] = random.randint(20, 40)
            part[n] = sum(random.random() < rate for _ in range(whole[n]))
        held += abs(sum(part.values()) / sum(whole.values()) - 0.8) <= (half_width(part, whole, 10) or 0)
    assert 0.92 <= held / 400 <= 0.98


def test_half_the_width_by_hand() -> None:
    """9 of 10, 10 of 10, 5 of 10: rate 0.8, squares 1 + 4 + 9 = 14, deviation √(14 ÷ 2) of ten calls."""
    half = half_width({0: 9, 1: 10, 2: 5}, {0: 10, 1: 10, 2: 10}, 3)
    assert half == pytest.approx(4.303 * math.sqrt(7 / 3) / 10, rel=0.04)
    assert half_width({0: 1}, {0: 1}, 2) is None
    assert half_width({}, {}, 30) is None
    for freedom, table in ((4, 2.776), (9, 2.262), (30, 2.042), (99, 1.984)):
        assert student(freedom) == pytest.approx(table, abs=0.01)


def test_how_many_days_are_enough() -> None:
    assert [days_for(calls) for calls in (0, 150, 480, 6000)] == [100, 100, 31, 10]


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
