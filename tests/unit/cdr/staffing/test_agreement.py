"""Where Erlang's assumptions hold the simulation agrees with his formulas: Poisson calls, exponential times,
one queue, operators who pick up at once and never refuse.

Eight half days by the seeds 1 to 8. Each is compared with the formula for as many calls and as long a mean
talk as chance gave it (which takes out most of the noise); Student's interval of 99.9 % about the mean
difference holds 0. It is narrow enough to tell: with a talk time 5 % longer in the formula it does not.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from statistics import fmean, stdev

import pytest

from cdr.staffing import Callers, Erlang, Shift, Simulated, Spread, by_rate, erlang_a, simulate
from cdr.staffing.people import SimulatedCall
from tests.unit.cdr.staffing.small import centre

pytestmark = pytest.mark.req("RPT-3")

SEEDS = range(1, 9)
STUDENT = 5.408  # 99.9 %, 7 degrees of freedom
CALLS_H, TALK_S, OPERATORS, TARGET_S, HOURS = 240.0, 150.0, 12, 9.0, 12
WARM_UP_S = 1800.0

Figure = Callable[[Simulated], float]
FIGURES: dict[str, tuple[Figure, Callable[[Erlang], float]]] = {
    "waits": (
        lambda found: fmean((one.wait_s or 0) > 1e-9 for one in counted(found)),
        lambda formula: formula.waits,
    ),
    "wait_s": (lambda found: found.waits.mean_s or 0, lambda formula: formula.wait_s),
    "within": (lambda found: found.kpi.within_rate or 0, lambda formula: formula.within),
    "answer_s": (lambda found: found.kpi.mean_answer_s or 0, lambda formula: formula.answer_s),
    "abandoned": (lambda found: found.abandon_rate or 0, lambda formula: formula.abandoned),
    "occupancy": (lambda found: found.occupancy or 0, lambda formula: formula.occupancy),
}
OF_C = ["waits", "wait_s", "within", "occupancy"]


def counted(found: Simulated) -> list[SimulatedCall]:
    return [one for one in found.made if one.arrival.at >= WARM_UP_S]


@cache
def days(patience_s: float) -> list[Simulated]:
    """Always the same operators, the first half hour not counted."""
    site = centre(OPERATORS, kpi={"answer_within_s": TARGET_S})
    shifts = [Shift(0, one.id, 0.0, HOURS * 3600.0) for one in site.operators]
    callers = Callers(Spread.exponential(TALK_S), patience=Spread.exponential(patience_s))
    found = []
    for seed in SEEDS:
        scenario = by_rate(site, CALLS_H, shifts, callers=callers, hours=(0, HOURS * 3600.0), seed=seed)
        found.append(simulate(replace(scenario, warm_up_s=WARM_UP_S), keep_calls=True))
    return found


def formula(found: Simulated, patience_s: float, longer: float) -> Erlang:
    calls = counted(found)
    calls_h = len(calls) / (HOURS - WARM_UP_S / 3600)
    talk_s = fmean(one.arrival.talk_s for one in calls) * longer
    return erlang_a(calls_h, talk_s, OPERATORS, TARGET_S, patience_s=patience_s)


def difference(patience_s: float, name: str, longer: float = 1.0) -> tuple[float, float]:
    """The interval about the mean of simulated − formula."""
    simulated, by_formula = FIGURES[name]
    values = [simulated(one) - by_formula(formula(one, patience_s, longer)) for one in days(patience_s)]
    half = STUDENT * stdev(values) / math.sqrt(len(values))
    return fmean(values) - half, fmean(values) + half


@pytest.mark.parametrize("name", OF_C)
def test_erlang_c(name: str) -> None:
    low, high = difference(math.inf, name)
    assert low <= 0 <= high


@pytest.mark.parametrize("name", list(FIGURES))
def test_erlang_a(name: str) -> None:
    low, high = difference(60.0, name)
    assert low <= 0 <= high


@pytest.mark.parametrize("patience_s", [math.inf, 60.0])
def test_a_talk_time_five_percent_longer_does_not_agree(patience_s: float) -> None:
    for name in OF_C if math.isinf(patience_s) else FIGURES:
        low, high = difference(patience_s, name, 1.05)
        assert not low <= 0 <= high, name
