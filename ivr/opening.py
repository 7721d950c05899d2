"""When a number is open: its hours, the calendar's special days, the supervisor's switch (HRS-1, HRS-3).

Hours are wall-clock times of the site's zone. Hours past midnight belong to the day on which they began: at
01:00 yesterday's are looked at too.
"""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

from dialplans import Hours, Minutes, Number, Site, minutes, special_day

LOOK_AHEAD_DAYS = 400  # for the next opening: longer than any year's closure
LOOK_ON_DAYS = 31  # for the end of this one

DayKind = Literal["week", "holiday", "closure", "one_off", "own"]
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_Wall = tuple[dt.datetime, dt.datetime]  # a span in wall-clock time, without zone


class Mode(enum.Enum):
    """A supervisor's switch over the hours (HRS-3)."""

    OPEN = "open"
    CLOSED = "closed"
    EXTENDED = "extended"  # 受付時間の延長: open until the switch expires


@dataclass(frozen=True)
class Switches:
    """What supervisors have switched: by number (digits) a mode; the notices (ids) that stand in front of
    everything, in order."""

    modes: Mapping[str, Mode] = field(default_factory=dict)
    notices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Day:
    """One date of some hours. `spans`: minutes after its midnight, in order; empty: closed. `kind`: what it
    is ruled by: `own` (a date in the hours), `one_off` (a date in the calendar), `closure`, `holiday` or
    `week`. `name`: of the special day; None for `week`."""

    date: dt.date
    spans: tuple[Minutes, ...]
    kind: DayKind
    name: str | None


@dataclass(frozen=True)
class Opening:
    """A number at one moment. Times are UTC.

    `special`: name of today when it is a special day without any hours. `until`: end of this opening;
    None when closed, when it goes on for more than a month, or while a switch rules. `next_open`: None
    while open, while a switch rules, or when it is more than 400 days away.
    """

    open: bool
    special: str | None
    until: dt.datetime | None
    next_open: dt.datetime | None


def number_of(site: Site, dialled: str) -> Number:
    """The number that a call to `dialled` belongs to: itself, by an alias, or as a line that is diverted to
    it. Hyphens are passed over. Raises KeyError when it is none of ours."""
    digits = dialled.replace("-", "")
    for number in site.numbers:
        if number.digits == digits:
            return number
    for number in site.numbers:
        others = (*number.aliases, *(line.number for line in number.diverted))
        if any(other.replace("-", "") == digits for other in others):
            return number
    raise KeyError(dialled)


def opening(site: Site, digits: str, at: dt.datetime, switches: Switches | None = None) -> Opening:
    """How the number stands at the aware time `at`. The first look at a date costs up to 0.3 ms. Raises
    KeyError for a number that is not ours."""
    number = number_of(site, digits)
    now, special = open_now(site, number, at, switches)
    if number.hours is None or (switches is not None and number.digits in switches.modes):
        return Opening(now, special, None, None)
    hours, wall = site.hours_of(number.hours), _wall(site, at)
    if now:
        return Opening(True, special, _utc(site, _end(site, hours, wall)), None)
    start = next((start for start, _ in _spans_from(site, hours, wall) if start > wall), None)
    return Opening(False, special, None, _utc(site, start))


def open_now(
    site: Site, number: Number, at: dt.datetime, switches: Switches | None = None
) -> tuple[bool, str | None]:
    """Whether the number is open, and the name of today when it is a special day without any hours. Quick:
    it looks at two days only."""
    mode = switches.modes.get(number.digits) if switches is not None else None
    by_plan, special = (True, None) if number.hours is None else hours_now(site, number.hours, at)
    return (by_plan if mode is None else mode is not Mode.CLOSED), special


def hours_now(site: Site, hours_id: str, at: dt.datetime) -> tuple[bool, str | None]:
    """The same of hours by themselves, without any switch. Raises KeyError."""
    wall = _wall(site, at)
    today = day(site, hours_id, wall.date())
    yesterday = day(site, hours_id, wall.date() - dt.timedelta(days=1))
    open_ = any(start <= wall < end for one in (yesterday, today) for start, end in _walls(one))
    return open_, today.name if not today.spans else None


def day(site: Site, hours_id: str, date: dt.date) -> Day:
    """A date of these hours: its own day, else the calendar's one-off day or closure, else its holiday, else
    the week. Raises KeyError for hours that are not there."""
    hours = site.hours_of(hours_id)
    for own in hours.days:
        if own.date == date:
            return Day(date, _minutes(own.open), "own", own.name)
    if hours.calendar is not None:
        special = special_day(site.calendar(hours.calendar), date)
        if special is not None:
            spans = hours.holiday if special.kind == "holiday" else hours.closure
            return Day(date, _minutes(spans), special.kind, special.name)
    return Day(date, _minutes(getattr(hours.week, _WEEKDAYS[date.weekday()])), "week", None)


def year(site: Site, hours_id: str, year: int) -> list[Day]:
    """Every day of a year, January 1 first. Raises KeyError."""
    first = dt.date(year, 1, 1)
    days = (dt.date(year + 1, 1, 1) - first).days
    return [day(site, hours_id, first + dt.timedelta(days=n)) for n in range(days)]


def _end(site: Site, hours: Hours, wall: dt.datetime) -> dt.datetime | None:
    """When this opening ends, spans that touch or overlap taken as one; None: not within a month."""
    last = wall + dt.timedelta(days=LOOK_ON_DAYS)
    end = wall
    for start, until in _spans_from(site, hours, wall):
        if start > end:
            return end
        end = max(end, until)
        if end > last:
            return None
    return end


def _spans_from(site: Site, hours: Hours, wall: dt.datetime) -> Iterator[_Wall]:
    """Spans in order of their start, from yesterday's that last until after `wall` on."""
    for n in range(-1, LOOK_AHEAD_DAYS + 1):
        for start, end in _walls(day(site, hours.id, wall.date() + dt.timedelta(days=n))):
            if end > wall:
                yield start, end


def _walls(one: Day) -> list[_Wall]:
    midnight = dt.datetime.combine(one.date, dt.time())
    return [
        (midnight + dt.timedelta(minutes=span.start), midnight + dt.timedelta(minutes=span.end))
        for span in one.spans
    ]


def _wall(site: Site, at: dt.datetime) -> dt.datetime:
    if at.tzinfo is None:
        raise ValueError("a time without a zone; give one that knows its zone")
    return at.astimezone(site.zone).replace(tzinfo=None)


def _utc(site: Site, wall: dt.datetime | None) -> dt.datetime | None:
    return None if wall is None else wall.replace(tzinfo=site.zone).astimezone(dt.UTC)


@lru_cache(maxsize=1000)
def _minutes(spans: tuple[str, ...]) -> tuple[Minutes, ...]:
    return tuple(sorted(map(minutes, spans)))
