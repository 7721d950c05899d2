"""Whether a department can be reached now, and what to tell a citizen of its hours (XFR-3)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from desk.entries import Entry
from dialplans import Calendar, Closure, OfficeHours, OfficeHoursError, Site, office_hours, special_day

LOOK_AHEAD_DAYS: Final = 400  # for the next opening
LOOK_ON_DAYS: Final = 31  # for the end of this one
# City halls are closed by law on holidays and, all of them, over New Year.
_USUAL_CALENDAR: Final = Calendar(
    id="usual", name="市の休日", closures=(Closure(start="12-29", until="01-03", name="年末年始"),)
)
_WEEKDAYS_JA = "月火水木金土日"
_Wall = tuple[dt.datetime, dt.datetime]  # a span in wall-clock time, without zone


@dataclass(frozen=True, slots=True)
class Open:
    """A department at one moment. Times are UTC. `until`: end of this opening, None while closed or when it
    goes on for more than a month; `next_open`: None while open or when it is more than 400 days away.
    `hours`: as they are said; `words`: what to tell the citizen; both by language (`ja`, `en`)."""

    is_open: bool
    until: dt.datetime | None
    next_open: dt.datetime | None
    hours: Mapping[str, str]
    words: Mapping[str, str]


def hours_text(entry: Entry, site: Site) -> str:
    """The hours that apply to an entry, as they were written: its own, else its department's, else the
    site's usual ones."""
    return entry.hours or entry.department_hours or site.transfers.office_hours


def open_at(entry: Entry, site: Site, at: dt.datetime) -> Open:
    """How the entry's department stands at the aware time `at`, by the site's calendar (its first; without
    one: national holidays and December 29 to January 3). Hours that cannot be read (a table that something
    else wrote) count as open and are told as they are written: nobody is kept from a transfer by them."""
    if at.tzinfo is None:
        raise ValueError("a time without a zone; give one that knows its zone")
    written = hours_text(entry, site)
    name = entry.name if entry.hours else entry.hours_of or entry.department
    wall = at.astimezone(site.zone).replace(tzinfo=None)
    try:
        hours = office_hours(written)
    except OfficeHoursError:
        words = {
            "ja": f"{name}の受付は「{written}」です。",
            "en": f"{name} is open: {written}.",
        }
        return Open(True, None, None, {"ja": written, "en": written}, words)
    calendar = site.calendars[0] if site.calendars else _USUAL_CALENDAR
    now = any(start <= wall < end for start, end in _spans(hours, calendar, wall, 1))
    until = _end(hours, calendar, wall) if now else None
    following = None if now else _next(hours, calendar, wall)
    said: dict[str, str] = {"ja": hours.text("ja"), "en": hours.text("en")}
    special = special_day(calendar, wall.date())
    why = special.name if special is not None and not hours.on(calendar, wall.date()) else None
    told = _Told(name, wall, until, following, now, why)
    words = {"ja": _words_ja(told, said["ja"]), "en": _words_en(told, said["en"])}
    return Open(now, _utc(site, until), _utc(site, following), said, words)


@dataclass(frozen=True, slots=True)
class _Told:
    """What the words are made of. `why`: the name of a day on which it is closed."""

    name: str
    wall: dt.datetime
    until: dt.datetime | None
    following: dt.datetime | None
    now: bool
    why: str | None


def _words_ja(one: _Told, hours: str) -> str:
    parts = [f"{one.name}の受付は {hours} です。"]
    if one.now:
        ends = "" if one.until is None else f"({_day_ja(one.until, one.wall)} まで)"
        parts.append(f"ただいま受付中です{ends}。")
    if one.why is not None and not one.now:
        parts.append(f"本日はお休みです({one.why})。")
    if one.following is not None:
        parts.append(f"次は{_day_ja(one.following, one.wall, today='本日')} から。")
    return "".join(parts)


def _words_en(one: _Told, hours: str) -> str:
    parts = [f"{one.name} is open {hours}."]
    if one.now:
        ends = "" if one.until is None else f", until {_day_en(one.until, one.wall)}"
        parts.append(f"It is open now{ends}.")
    if one.why is not None and not one.now:
        parts.append(f"It is closed today ({one.why}).")
    if one.following is not None:
        parts.append(f"It opens next {_day_en(one.following, one.wall, today='today at ', at=' at ')}.")
    return " ".join(parts)


def _day_ja(day: dt.datetime, wall: dt.datetime, today: str = "") -> str:
    clock = f"{day.hour}:{day.minute:02}"
    if day.date() == wall.date():
        return f"{today} {clock}".strip()
    year = "" if day.year == wall.year else f"{day.year}年"
    return f"{year}{day.month}月{day.day}日({_WEEKDAYS_JA[day.weekday()]}) {clock}"


def _day_en(day: dt.datetime, wall: dt.datetime, today: str = "", at: str = " ") -> str:
    clock = f"{day.hour}:{day.minute:02}"
    if day.date() == wall.date():
        return today + clock
    year = "" if day.year == wall.year else f" {day.year}"
    return f"{'on ' if today else ''}{day:%a} {day.day} {day:%b}{year}{at}{clock}"


def _end(hours: OfficeHours, calendar: Calendar, wall: dt.datetime) -> dt.datetime | None:
    """When this opening ends, spans that touch taken as one; None: not within a month."""
    end = wall
    for start, until in _spans(hours, calendar, wall, LOOK_ON_DAYS + 1):
        if start > end:
            return end
        end = max(end, until)
        if end > wall + dt.timedelta(days=LOOK_ON_DAYS):
            return None
    return end


def _next(hours: OfficeHours, calendar: Calendar, wall: dt.datetime) -> dt.datetime | None:
    return next(
        (start for start, _ in _spans(hours, calendar, wall, LOOK_AHEAD_DAYS) if start > wall),
        None,
    )


def _spans(hours: OfficeHours, calendar: Calendar, wall: dt.datetime, days: int) -> Iterator[_Wall]:
    """Spans that end after `wall`, in order, from yesterday's on."""
    for n in range(-1, days + 1):
        date = wall.date() + dt.timedelta(days=n)
        midnight = dt.datetime.combine(date, dt.time())
        for one in hours.on(calendar, date):
            end = midnight + dt.timedelta(minutes=one.end)
            if end > wall:
                yield midnight + dt.timedelta(minutes=one.start), end


def _utc(site: Site, wall: dt.datetime | None) -> dt.datetime | None:
    return None if wall is None else wall.replace(tzinfo=site.zone).astimezone(dt.UTC)
