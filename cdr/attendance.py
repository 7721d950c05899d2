"""How long operators were signed on, and how long on duty: from what the journal says of their states.

An operator is *signed on* from the first state that is not `off` to the next `off`: over midnight, over an
engine that was restarted (states stand in the journal), and up to now. *On duty* is the part of it in which
calls could be given or were being handled: ready, ringing, talking or in wrap-up, with a phone that can be
reached. The distributor counts the same in its tally.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

AT_WORK = frozenset({"ready", "ringing", "talking", "wrap_up"})


class Told(NamedTuple):
    """What one event said. `state` None: it stays; `reachable` None: not told, it stays (at first: True)."""

    at: datetime
    state: str | None
    reachable: bool | None


class Stretch(NamedTuple):
    """A time in which nothing changed. `what`: duty, break, training, no_answer or away (signed on, but no
    phone could be reached)."""

    start: datetime
    end: datetime
    what: str


@dataclass(frozen=True, slots=True)
class Attendance:
    """Seconds of one operator in a span; together they are the time signed on. `away_s`: signed on, but no
    phone could be reached."""

    duty_s: float = 0.0
    break_s: float = 0.0
    training_s: float = 0.0
    no_answer_s: float = 0.0
    away_s: float = 0.0

    @property
    def signed_on_s(self) -> float:
        return self.duty_s + self.break_s + self.training_s + self.no_answer_s + self.away_s


def stretches(told: Iterable[Told], until: datetime) -> list[Stretch]:
    """The signed-on time of one operator up to `until`, in order. `told`: in the order of happening; a clock
    that was set back makes times of no length, none twice."""
    found: list[Stretch] = []
    state, reachable = "off", True
    what: str | None = None  # None: off
    since = latest = datetime.min.replace(tzinfo=UTC)
    for event in told:
        latest = max(latest, event.at)
        if latest >= until:
            break
        state = event.state or state
        reachable = reachable if event.reachable is None else event.reachable
        now = _what(state, reachable)
        if now == what:
            continue
        if what is not None and latest > since:
            found.append(Stretch(since, latest, what))
        what, since = now, latest
    if what is not None and until > since:
        found.append(Stretch(since, until, what))
    return found


def _what(state: str, reachable: bool) -> str | None:
    if state == "off":
        return None
    if state in ("break", "training", "no_answer"):
        return state
    return "duty" if reachable else "away"


def attendance(of_operator: Sequence[Stretch], start: datetime, end: datetime) -> Attendance:
    """What of it lies in [start, end)."""
    seconds = dict.fromkeys(("duty", "break", "training", "no_answer", "away"), 0.0)
    first = bisect_right(of_operator, start, key=lambda each: each.end)
    for stretch in of_operator[first:]:
        if stretch.start >= end:
            break
        seconds[stretch.what] += (min(stretch.end, end) - max(stretch.start, start)).total_seconds()
    return Attendance(*seconds.values())
