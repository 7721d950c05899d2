"""How long to wait before the next attempt to connect: at once, then longer and longer up to a limit."""

from __future__ import annotations

import random
from collections.abc import Callable


class Backoff:
    """`next()` gives the seconds to wait before the next attempt; `reset()` after a success.

    The first attempt follows at once. After that the bound grows by half each time from 50 ms up to `limit_s`
    (an Asterisk that restarts in 4 s is found within about half a second); the wait is drawn between half the
    bound and the bound, so that several clients do not come back in step.
    """

    def __init__(self, limit_s: float, draw: Callable[[], float] = random.random) -> None:
        if limit_s <= 0:
            raise ValueError(f"limit_s is {limit_s}: the longest wait between two attempts must be above 0 s")
        self._limit_s = limit_s
        self._draw = draw
        self._attempts = 0

    def reset(self) -> None:
        self._attempts = 0

    def next(self) -> float:
        attempt, self._attempts = self._attempts, self._attempts + 1
        if attempt == 0:
            return 0.0
        bound = min(self._limit_s, 0.05 * 1.5 ** min(attempt - 1, 40))
        return bound * (0.5 + 0.5 * self._draw())
