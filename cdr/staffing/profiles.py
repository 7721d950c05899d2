"""What a centre's own calls say: how many come by weekday and time, how long they take, who gives up when."""

from __future__ import annotations

import datetime as dt
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from cdr.staffing.past import PastCall
from cdr.staffing.scenario import DAY_S
from cdr.staffing.spread import Spread
from cdr.staffing.traffic import Callers

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_TALK_S = 240.0  # where no call has been answered yet


@dataclass(frozen=True)
class QueueProfile:
    """One queue. `rates_h`: by weekday (Monday first) calls an hour in each interval of the day. Means in
    seconds, None where nothing is known; `talk_variation`: standard deviation ÷ mean. `patience_s`: all
    waiting ÷ calls given up (the mean of an exponential patience of which most ends are not seen); None:
    nobody gave up. `leaves_early`: share of callers that hang up before the queue."""

    queue: str
    calls: int
    rates_h: tuple[tuple[float, ...], ...]
    talk_s: float | None
    talk_variation: float
    wrap_up_s: float | None
    patience_s: float | None
    greeting_s: float
    leaves_early: float
    languages: tuple[tuple[str, float], ...] = ()

    def callers(self) -> Callers:
        """As `traffic` draws them: log-normal talk, wrap-up and patience exponential."""
        talk_s = _TALK_S if self.talk_s is None else self.talk_s
        return Callers(
            talk=Spread.lognormal(talk_s, max(self.talk_variation, 0.01)),
            wrap_up=None if self.wrap_up_s is None else Spread.exponential(self.wrap_up_s),
            patience=Spread.exponential(math.inf if self.patience_s is None else self.patience_s),
            greeting_s=self.greeting_s,
            leaves_early=self.leaves_early,
            languages=self.languages,
        )

    def to_json(self) -> dict[str, Any]:
        return {
            "queue": self.queue,
            "calls": self.calls,
            "rates_h": {
                day: [round(one, 4) for one in rates]
                for day, rates in zip(WEEKDAYS, self.rates_h, strict=True)
            },
            "talk_s": _rounded(self.talk_s),
            "talk_variation": round(self.talk_variation, 4),
            "wrap_up_s": _rounded(self.wrap_up_s),
            "patience_s": _rounded(self.patience_s),
            "greeting_s": round(self.greeting_s, 3),
            "leaves_early": round(self.leaves_early, 6),
            "languages": dict(self.languages),
        }


@dataclass(frozen=True)
class Profile:
    """A centre's traffic. `days`: by weekday on how many dates anybody called; rates are means over these, so
    a closed day counts for nothing. `since` and `until`: the first and last date with a call."""

    interval_s: float
    days: tuple[int, ...]
    since: dt.date | None
    until: dt.date | None
    queues: tuple[QueueProfile, ...]

    @property
    def calls(self) -> int:
        return sum(one.calls for one in self.queues)

    @property
    def patience_s(self) -> float | None:
        """Of all queues together, by calls; None where nobody gave up anywhere."""
        known = [(one.patience_s, one.calls) for one in self.queues if one.patience_s is not None]
        total = sum(calls for _, calls in known)
        return math.fsum(mean * calls for mean, calls in known) / total if total else None

    def hours(self, weekday: int) -> tuple[float, float] | None:
        """From the first interval with calls to the end of the last, in seconds; None: nobody calls then."""
        used = [n for one in self.queues for n, rate in enumerate(one.rates_h[weekday]) if rate > 0]
        return (min(used) * self.interval_s, (max(used) + 1) * self.interval_s) if used else None

    def to_json(self) -> dict[str, Any]:
        return {
            "interval_s": self.interval_s,
            "days": dict(zip(WEEKDAYS, self.days, strict=True)),
            "since": None if self.since is None else self.since.isoformat(),
            "until": None if self.until is None else self.until.isoformat(),
            "queues": [one.to_json() for one in self.queues],
        }


def profile_of(calls: Iterable[PastCall], interval_s: float = 1800.0) -> Profile:
    """The profile of calls, staff's left out. ValueError for an interval that does not divide a day."""
    if not (interval_s > 0 and DAY_S % interval_s == 0):
        raise ValueError(f"interval_s is {interval_s}: a day must be a multiple of it")
    by_queue: dict[str, list[PastCall]] = defaultdict(list)
    dates: set[dt.date] = set()
    for one in calls:
        if not one.staff:
            by_queue[one.queue].append(one)
            dates.add(one.at.date())
    seen = Counter(date.weekday() for date in dates)
    days = tuple(seen[weekday] for weekday in range(7))
    queues = tuple(_queue_profile(queue, mine, days, interval_s) for queue, mine in sorted(by_queue.items()))
    return Profile(interval_s, days, min(dates, default=None), max(dates, default=None), queues)


def _queue_profile(
    queue: str, calls: Sequence[PastCall], days: Sequence[int], interval_s: float
) -> QueueProfile:
    slots = round(DAY_S / interval_s)
    counts = [[0] * slots for _ in range(7)]
    for one in calls:
        second = one.at.hour * 3600 + one.at.minute * 60 + one.at.second
        counts[one.at.weekday()][int(second // interval_s)] += 1
    talks = [one.talk_s for one in calls if one.talk_s is not None and one.talk_s > 0]
    wraps = [one.wrap_up_s for one in calls if one.wrap_up_s is not None]
    waited = math.fsum(one.wait_s for one in calls if one.wait_s is not None)
    gave_up = sum(one.gave_up for one in calls)
    greetings = [one.greeting_s for one in calls if one.greeting_s is not None]
    spoken = Counter(one.language for one in calls if one.language is not None)
    talk_s = _mean(talks)
    return QueueProfile(
        queue,
        len(calls),
        tuple(
            tuple(count / seen * 3600 / interval_s if seen else 0.0 for count in row)
            for row, seen in zip(counts, days, strict=True)
        ),
        talk_s,
        _deviation(talks, talk_s) / talk_s if talk_s and len(talks) > 1 else 1.0,
        _mean(wraps),
        waited / gave_up if gave_up and waited > 0 else None,
        _mean(greetings) or 0.0,
        sum(one.left_s is not None for one in calls) / len(calls),
        tuple((language, count / len(calls)) for language, count in sorted(spoken.items())),
    )


def _mean(values: Sequence[float]) -> float | None:
    return math.fsum(values) / len(values) if values else None


def _deviation(values: Sequence[float], mean: float) -> float:
    return math.sqrt(math.fsum((one - mean) ** 2 for one in values) / (len(values) - 1))


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
