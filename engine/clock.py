"""The engine's two clocks: the wall clock for records, the monotonic clock for durations."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from cdr import SystemClock


class Clock(SystemClock):
    """Monotonic seconds and aware UTC, and the way from one to the other.

    The monotonic clock is the machine's (CLOCK_MONOTONIC), so it goes on through a restart of the engine but
    not through a restart of the machine: `boot` names the machine's life.
    """

    def wall(self, mono: float) -> datetime:
        """The wall-clock time of a monotonic moment."""
        return self.now() + timedelta(seconds=mono - self.mono())

    def mono_of(self, at: datetime) -> float:
        """The monotonic time of a wall-clock moment, as the clocks stand now."""
        return self.mono() + (at - self.now()).total_seconds()


def iso(at: datetime) -> str:
    """ISO 8601 in UTC with microseconds and Z."""
    if at.tzinfo is not UTC:
        at = at.astimezone(UTC)
    return at.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def parse_iso(text: str) -> datetime:
    """Back from `iso`."""
    return datetime.fromisoformat(text.replace("Z", "+00:00"))
