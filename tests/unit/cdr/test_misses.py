"""How many misses a day still allows: counted by hand, and by trying."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as some

from cdr import Left, MissesLeft, misses_left


@dataclass
class Counts:
    offered: int
    answered: int
    answered_within: int


@dataclass
class Targets:
    answer_rate: float
    within_rate: float


CITY = Targets(0.9, 0.8)


@pytest.mark.req("KPI-1", "KPI-3", "MON-1")
@pytest.mark.parametrize(
    ("counts", "expected", "within", "answer"),
    [
        # The example of docs/kpi.md: 100 offered, 95 answered, 80 of them within 9 s.
        (Counts(100, 95, 80), None, Left(5, 0), Left(5, 0)),
        (Counts(100, 95, 80), 200, Left(23, 0), Left(15, 0)),
        # 110 offered, 95 answered, 70 within: both below.
        (Counts(110, 95, 70), None, Left(0, 30), Left(0, 40)),
        (Counts(110, 95, 70), 130, Left(0, None), Left(0, None)),
        # Nothing yet: the very first miss would be below the target; of 50 some may be missed.
        (Counts(0, 0, 0), None, Left(0, 0), Left(0, 0)),
        (Counts(0, 0, 0), 50, Left(10, 0), Left(5, 0)),
        # Fewer expected than came: nothing is known of the rest.
        (Counts(100, 95, 80), 60, Left(5, 0), Left(5, 0)),
        # Exactly at the target, where binary numbers would be a call off.
        (Counts(10, 9, 0), None, Left(0, 36), Left(0, 0)),
    ],
)
def test_counted_by_hand(counts: Counts, expected: int | None, within: Left, answer: Left) -> None:
    assert misses_left(counts, CITY, expected) == MissesLeft(within, answer)


def test_targets_that_ask_for_nothing_or_everything() -> None:
    counts = Counts(10, 9, 9)
    assert misses_left(counts, Targets(0, 0)) == MissesLeft(Left(None, 0), Left(None, 0))
    assert misses_left(counts, Targets(1, 1)) == MissesLeft(Left(0, 0), Left(0, None))
    assert misses_left(counts, Targets(1, 1), 20) == MissesLeft(Left(0, 0), Left(0, None))
    assert misses_left(counts, CITY).to_json() == {
        "within": {"left": 2, "needed": 0},
        "answer": {"left": 0, "needed": 0},
    }


counts = some.integers(0, 60).flatmap(
    lambda offered: some.integers(0, offered).flatmap(
        lambda answered: some.builds(
            Counts, some.just(offered), some.just(answered), some.integers(0, answered)
        )
    )
)
targets = some.integers(1, 99).map(lambda percent: Targets(percent / 100, percent / 100))


@given(counts=counts, city=targets)
@pytest.mark.req("KPI-1", "KPI-3", "MON-1")
def test_as_many_as_trying_finds(counts: Counts, city: Targets) -> None:
    told = misses_left(counts, city)
    wanted = Fraction(str(city.within_rate))
    for part, good, whole in (
        (told.within, counts.answered_within, counts.answered),
        (told.answer, counts.answered, counts.offered),
    ):
        assert part.left is not None
        assert part.needed is not None
        assert part.left == 0 or part.needed == 0
        if good >= wanted * whole:  # at the target: so many misses, and not one more
            assert good >= wanted * (whole + part.left)
            assert good < wanted * (whole + part.left + 1)
            assert part.needed == 0
        else:  # below: so many good ones, and not one less
            assert good + part.needed >= wanted * (whole + part.needed)
            assert good + part.needed - 1 < wanted * (whole + part.needed - 1)


@given(counts=counts, city=targets, more=some.integers(1, 60))
def test_over_a_whole_day_as_many_as_trying_finds(counts: Counts, city: Targets, more: int) -> None:
    told = misses_left(counts, city, counts.offered + more).answer
    wanted = Fraction(str(city.answer_rate))
    possible = [
        missed
        for missed in range(more + 1)
        if counts.answered + more - missed >= wanted * (counts.offered + more)
    ]
    if possible:
        assert told.left == max(possible)
    else:
        assert told == Left(0, None)
