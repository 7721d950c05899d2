"""What a calendar says of a date: one-off closed day, closure, national holiday."""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from typing import Literal, NamedTuple

import jpholiday

from dialplans.opening import Calendar

SpecialKind = Literal["one_off", "closure", "holiday"]


class Special(NamedTuple):
    """Why a date is not an ordinary one, and its name (勤労感謝の日, 年末年始)."""

    kind: SpecialKind
    name: str


def special_day(calendar: Calendar, date: dt.date) -> Special | None:
    """What the calendar has for the date, in this order: its own closed day, a closure, a holiday; None: an
    ordinary day."""
    for one in calendar.days:
        if one.date == date:
            return Special("one_off", one.name)
    month_day = f"{date:%m-%d}"
    for closure in calendar.closures:
        if _between(month_day, closure.start, closure.until):
            return Special("closure", closure.name)
    name = _holiday(calendar, date)
    return None if name is None else Special("holiday", name)


def _between(month_day: str, start: str, until: str) -> bool:
    """Whether it lies in a closure, which may run over New Year. `MM-DD` sorts as its dates do."""
    if start <= until:
        return start <= month_day <= until
    return month_day >= start or month_day <= until


def _holiday(calendar: Calendar, date: dt.date) -> str | None:
    if calendar.holidays == "japan":
        return _national_holiday(date)
    return next((one.name for one in calendar.holidays if one.date == date), None)


@lru_cache(maxsize=5000)
def _national_holiday(date: dt.date) -> str | None:
    """国民の祝日, 振替休日 and 国民の休日; kept, because the library takes 0.25 ms for each date."""
    return jpholiday.is_holiday_name(date)
