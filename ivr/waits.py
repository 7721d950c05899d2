"""待ち時間の目安: how long a waiting citizen will probably wait, told honestly or not at all."""

from __future__ import annotations

import math
from collections.abc import Sequence

from dialplans import WAITS_MIN

ANSWERS_MIN = 3  # fewer tell nothing
LONG = 0


def expected_wait(
    position: int, answered_last: Sequence[float], now: float, window_s: float = 600
) -> int | None:
    """The expected wait in minutes, one of WAITS_MIN; 0: longer than those; None: it cannot be told.

    `position`: 1 is next. `answered_last`: when this queue's calls were answered, `now`: both in seconds of
    one clock, in any order; only answers of the last `window_s` count.

    Formula: that of `expected_wait_s`, rounded up to the next of WAITS_MIN. When few call, intervals show how
    seldom they call rather than how fast they are served: the wait is then told too long, never too short.
    """
    wait_s = expected_wait_s(position, answered_last, now, window_s)
    if wait_s is None:
        return None
    # What differs by less than a second is the same: 2.0001 minutes are two.
    told = (minutes for minutes in WAITS_MIN if minutes >= math.floor(wait_s) / 60)
    return next(told, LONG)


def expected_wait_s(
    position: int, answered_last: Sequence[float], now: float, window_s: float = 600
) -> float | None:
    """The same in seconds, not rounded; None with fewer than 3 answers.

    Formula: n answers within the window, the first of them at t. They made n - 1 intervals; the pause since
    the last answer counts as well, so that a service that has come to a stop is not called quick:

        wait = position * (now - t) / (n - 1)
    """
    recent = [one for one in answered_last if now - window_s <= one <= now]
    if position < 1 or len(recent) < ANSWERS_MIN:
        return None
    return position * (now - min(recent)) / (len(recent) - 1)
