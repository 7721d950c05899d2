"""When changes are told: soon after the first, and then not more often than needed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

# A change is told this long after it: what belongs together goes together, and the work of telling stays out
# of the way of whatever answers that very change (a call ended: the next one is rung within 20 ms).
LEAD_S = 0.03
# Rounds are at least so far apart: event to screen stays below 200 ms with what the console adds (50 ms).
GATHER_S = 0.1


class Pace:
    """Calls `flush` LEAD_S after the first `soon` that finds nothing under way, at the earliest GATHER_S
    after the last flush. To be used within a running loop."""

    def __init__(self, flush: Callable[[], None]) -> None:
        self._flush = flush
        self._timer: asyncio.TimerHandle | None = None
        self._last = float("-inf")

    def soon(self) -> None:
        """Something has changed."""
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_at(max(loop.time() + LEAD_S, self._last + GATHER_S), self._due)

    def _due(self) -> None:
        self._timer = None
        self._last = asyncio.get_running_loop().time()
        self._flush()
