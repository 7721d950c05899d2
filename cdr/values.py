"""What an event's data may hold: anything, since it was read from a file. Nothing here raises."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from cdr.events import Event


def text(data: Mapping[str, Any], name: str) -> str | None:
    """The text of that name, None for anything else."""
    value = data.get(name)
    return value if isinstance(value, str) else None


def flag(data: Mapping[str, Any], name: str) -> bool | None:
    value = data.get(name)
    return value if isinstance(value, bool) else None


def number(data: Mapping[str, Any], name: str) -> int | None:
    value = data.get(name)
    # Databases hold 32 bits here; Q.850 has 127.
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31 else None


def seconds(value: object) -> float | None:
    """A finite number as float, None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        found = float(value)
    except OverflowError:
        return None
    return found if math.isfinite(found) else None


def duration(start: Event, end: Event) -> float:
    """Seconds from one event to another: by the monotonic clock when both were stamped in the same boot of
    the machine, else by wall time; never negative."""
    same = start.boot is not None and start.boot == end.boot
    if same and start.mono is not None and end.mono is not None:
        return max(0.0, end.mono - start.mono)
    return max(0.0, (end.at - start.at).total_seconds())
