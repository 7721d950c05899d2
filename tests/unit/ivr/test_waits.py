"""The expected wait, counted by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialplans import WAITS_MIN
from ivr import expected_wait


@pytest.mark.req("HRS-4")
@pytest.mark.parametrize(
    ("position", "answered", "now", "minutes"),
    [
        (1, [0, 60, 120], 120, 1),  # one answer a minute
        (2, [0, 60, 120], 120, 2),
        (4, [0, 60, 120], 120, 5),  # four minutes are told as five
        (6, [120, 0, 60], 120, 10),
        (1, [0, 10, 20, 30], 30, 1),  # never less than a minute
        (20, [0, 60, 120], 120, 20),
        (21, [0, 60, 120], 120, 30),
        (31, [0, 60, 120], 120, 0),  # over half an hour: long
        (2, [0, 60, 120], 180, 3),  # nobody was answered for a minute: a slower service
        (1, [0, 1, 2], 480, 5),  # … or one that has come to a stop
        (1, [], 100, None),
        (1, [0, 60], 100, None),  # two answers tell nothing
        (1, [0, 60, 120], 700, None),  # two of them are too long ago
        (1, [0, 60, 660], 661, None),
        (0, [0, 60, 120], 120, None),
    ],
)
def test_by_hand(position: int, answered: list[float], now: float, minutes: int | None) -> None:
    assert expected_wait(position, answered, now) == minutes


def test_the_window_is_an_argument() -> None:
    assert expected_wait(1, [0, 60, 120], 180, window_s=100) is None
    assert expected_wait(1, [0, 300, 1200], 1200, window_s=1800) == 10


@given(
    st.integers(1, 30),
    st.lists(st.floats(0, 600, allow_nan=False), min_size=3, max_size=20),
    st.floats(600, 1000, allow_nan=False),
)
def test_always_one_of_the_spoken_numbers_and_never_less_for_those_behind(
    position: int, answered: list[float], now: float
) -> None:
    told = expected_wait(position, answered, now)
    assert told in (*WAITS_MIN, 0, None)
    behind = expected_wait(position + 1, answered, now)
    assert (told is None) == (behind is None)
    if told is not None and behind is not None:
        assert (behind or 99) >= (told or 99)
