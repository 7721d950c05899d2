"""Waiting times between attempts to connect."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from switch.backoff import Backoff


def test_the_first_attempt_follows_at_once_and_again_after_a_success() -> None:
    backoff = Backoff(2.0)
    assert backoff.next() == 0.0
    assert backoff.next() > 0.0
    backoff.reset()
    assert backoff.next() == 0.0


@given(limit=st.floats(0.05, 60), draws=st.lists(st.floats(0, 0.999), min_size=40, max_size=40))
def test_waits_grow_to_the_limit_and_never_past_it(limit: float, draws: list[float]) -> None:
    source = iter(draws)
    backoff = Backoff(limit, draw=lambda: next(source))
    waits = [backoff.next() for _ in range(40)]
    assert max(waits) <= limit
    assert all(wait >= limit / 2 for wait in waits[20:])  # it stays at the limit, jittered by a half at most


def test_jitter_keeps_two_clients_apart() -> None:
    low, high = Backoff(2.0, draw=lambda: 0.0), Backoff(2.0, draw=lambda: 0.99)
    low.next(), high.next()
    assert low.next() < high.next()


def test_a_limit_that_is_no_time_is_refused() -> None:
    with pytest.raises(ValueError, match="above 0 s"):
        Backoff(0.0)
