"""What each operator has done today: kept with the journal, so that a new engine distributes as evenly as the
one before it."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta

from acd import Tally
from dialplans import Site

from .clock import Clock

HOUR_S = 3600.0
MOST_CALLS_H = 1000  # the largest limit that a plan may set


@dataclass(frozen=True)
class Day:
    """A day of the site's zone. `begun_mono`: its midnight, monotonic; `left_s`: until the next."""

    name: str
    begun_mono: float
    left_s: float


def day_of(site: Site, clock: Clock) -> Day:
    """Today."""
    now = clock.now()
    date = now.astimezone(site.zone).date()
    begun = datetime.combine(date, time(), site.zone)
    ends = datetime.combine(date + timedelta(days=1), time(), site.zone)
    return Day(date.isoformat(), clock.mono_of(begun), (ends - now).total_seconds())


def tally_data(tally: Tally, day: str) -> list[object]:
    """As the journal has it: [calls, talk_s, duty_s, day]."""
    return [tally.calls, round(tally.talk_s, 3), round(tally.duty_s, 3), day]


@dataclass
class TallyMemory:
    """The tally last told, and what has happened since. `*_mono` are monotonic seconds; `talks_since` is of
    the talk in progress, which `calls` and `talk_s` do not hold yet."""

    day: str | None = None
    calls: int = 0
    talk_s: float = 0.0
    duty_s: float = 0.0
    as_of_mono: float = 0.0
    on_duty: bool = False
    talks_since: float | None = None
    begun_mono: deque[float] = field(default_factory=lambda: deque(maxlen=MOST_CALLS_H))  # of the last hour

    def told(self, data: object, mono: float, on_duty: bool) -> None:
        """An event of that moment. `data`: its tally; None when it has none (the switch was away)."""
        if isinstance(data, list | tuple) and len(data) == 4:
            calls, talk_s, duty_s, day = data
            self.day = str(day)
            self.calls, self.talk_s, self.duty_s = int(calls), float(talk_s), float(duty_s)
        elif self.on_duty:
            self.duty_s += max(0.0, mono - self.as_of_mono)
        self.as_of_mono, self.on_duty = mono, on_duty

    def talk_began(self, mono: float) -> None:
        """Answered; again by the same operator (a page loaded anew): the talk goes on."""
        if self.talks_since is None:
            self.talks_since = mono
            self.begun_mono.append(mono)

    def begun(self, mono: float) -> list[float]:
        """When the conversations of the last hour began, the one in progress left out."""
        return [one for one in self.begun_mono if one > mono - HOUR_S and one != self.talks_since]

    def talk_ended(self, mono: float) -> None:
        if self.talks_since is not None:
            self.calls += 1
            self.talk_s += max(0.0, mono - self.talks_since)
            self.talks_since = None

    def at(self, mono: float, day: Day) -> Tally:
        """As of now, for a new floor. A talk in progress gives its seconds so far and no call: it is counted
        when the new floor hears of it."""
        same = self.day == day.name
        since = self.as_of_mono if same else max(self.as_of_mono, day.begun_mono)
        duty_s = max(0.0, mono - since) if self.on_duty else 0.0
        talk_s = 0.0
        if self.talks_since is not None:
            talk_s = max(0.0, mono - (self.talks_since if same else max(self.talks_since, day.begun_mono)))
        if not same:
            return Tally(0, talk_s, duty_s)
        return Tally(self.calls, self.talk_s + talk_s, self.duty_s + duty_s)


@dataclass
class IdleMemory:
    """Idle time and offers as last told, and what has happened since."""

    idle_s: float = 0.0
    offers: int = 0
    last: dict[str, int] = field(default_factory=dict)  # by queue: serial of the last offer there
    as_of_mono: float | None = None
    runs: bool = False

    def told(self, data: Mapping[str, object], mono: float, runs: bool, since_mono: float) -> None:
        """A state or phone of that moment, in that state since then. Journals of before, and what is noted
        while the switch is away, tell no figures."""
        idle_s, offers, last = data.get("idle_s"), data.get("offers"), data.get("last")
        if isinstance(idle_s, int | float):
            self.idle_s = float(idle_s)
        elif self.as_of_mono is None:
            self.idle_s = max(0.0, mono - since_mono) if runs else 0.0
        else:
            self.idle_s = self.at(mono)
        if isinstance(offers, int):
            self.offers = offers
        if isinstance(last, Mapping):
            self.last = {str(queue): int(str(serial)) for queue, serial in last.items()}
        self.as_of_mono, self.runs = mono, runs

    def offered(self, queue: str, row: Sequence[object], serial: int) -> None:
        """`row`: their row of the ledger, as of before that offer; perhaps a state has told of it already."""
        offers, last = int(str(row[6])), int(str(row[7]))
        self.offers = max(self.offers, offers + 1)
        if self.last.get(queue, 0) <= last:
            self.last[queue] = serial

    def talk_ended(self, mono: float) -> None:
        self.idle_s, self.as_of_mono, self.runs = 0.0, mono, True

    def at(self, mono: float) -> float:
        """Idle seconds as of then."""
        if self.as_of_mono is None or not self.runs:
            return self.idle_s
        return self.idle_s + max(0.0, mono - self.as_of_mono)
