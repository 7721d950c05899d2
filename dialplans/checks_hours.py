"""Hours that overlap, and calendars that have run out. On a Site whose values are right."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from dialplans.opening import WEEKDAYS, Calendar, minutes
from dialplans.problems import Finding, Loc

if TYPE_CHECKING:
    from dialplans.model import Site

_DAY = 1440


def findings(site: Site) -> Iterator[Finding]:
    """Spans of one day that overlap, within it or over midnight into the next."""
    for index, hours in enumerate(site.hours):
        loc: Loc = ("hours", index)
        week = [getattr(hours.week, day) for day in WEEKDAYS]
        for at, day in enumerate(WEEKDAYS):
            yield from _within((*loc, "week", day), week[at])
            yield from _into_next((*loc, "week", day), week[at], week[(at + 1) % 7])
        for name in ("holiday", "closure"):
            spans = getattr(hours, name)
            yield from _within((*loc, name), spans)
            yield from _into_next((*loc, name), spans, spans)
        days = {one.date: one for one in hours.days}
        for at, one in enumerate(hours.days):
            place: Loc = (*loc, "days", at, "open")
            yield from _within(place, one.open)
            after = days.get(one.date + dt.timedelta(days=1))
            yield from _into_next(place, one.open, after.open if after is not None else ())


def _within(loc: Loc, spans: Sequence[str]) -> Iterator[Finding]:
    ordered = sorted(range(len(spans)), key=lambda at: minutes(spans[at]))
    for before, after in itertools.pairwise(ordered):
        if minutes(spans[after]).start < minutes(spans[before]).end:
            yield _overlap((*loc, max(before, after)), spans[max(before, after)], spans[min(before, after)])


def _into_next(loc: Loc, spans: Sequence[str], following: Sequence[str]) -> Iterator[Finding]:
    for at, span in enumerate(spans):
        for other in following:
            if minutes(other).start + _DAY < minutes(span).end:
                yield _overlap((*loc, at), span, other, next_day=True)


def _overlap(loc: Loc, span: str, other: str, next_day: bool = False) -> Finding:
    ja, en = ("翌日の", "the next day's ") if next_day else ("", "")
    return Finding(
        loc,
        f"時間帯「{span}」は{ja}「{other}」と重なっています",
        f"“{span}” overlaps {en}“{other}”",
        "重ならないように直してください",
        "change one of them",
    )


def years(site: Site, today: dt.date) -> Iterator[Finding]:
    """Calendars kept by hand that have no holiday this year or next: nobody would notice on the day."""
    for index, calendar in enumerate(site.calendars):
        if calendar.holidays == "japan":
            continue
        listed = {one.date.year for one in calendar.holidays}
        for year in (today.year, today.year + 1):
            if year not in listed:
                yield _without(("calendars", index, "holidays"), calendar, year)


def _without(loc: Loc, calendar: Calendar, year: int) -> Finding:
    return Finding(
        loc,
        f"暦「{calendar.name}」に{year}年の祝日がありません",
        f"the calendar “{calendar.name}” has no holidays in {year}",
        f"{year}年の祝日を書き足すか、holidays: japan(国民の祝日を自動で計算)にしてください",
        f"add the holidays of {year}, or use holidays: japan, which are computed",
    )
