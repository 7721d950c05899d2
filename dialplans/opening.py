"""When a number is open: hours of the week, holidays, closures, one-off days."""

from __future__ import annotations

import datetime as dt
import re
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag, model_validator

from dialplans.fields import Name, Part, Slug, bad

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SPAN = re.compile(r"^(\d{1,2}):(\d{2})-(\d{1,2}):(\d{2})$")


class Minutes(NamedTuple):
    """A span of minutes after midnight, `start` < `end` ≤ 2880 (an end over 1440 is after midnight)."""

    start: int
    end: int


def minutes(span: str) -> Minutes:
    """ "8:30-17:15" → (510, 1035); "22:00-26:00" → (1320, 1560); "0:00-24:00" is a whole day. ValueError,
    also for an end before the beginning: 9:00-8:00 is a slip more often than a night."""
    found = _SPAN.match(span)
    if found is None:
        raise ValueError(span)
    h1, m1, h2, m2 = map(int, found.groups())
    start, end = h1 * 60 + m1, h2 * 60 + m2
    if m1 > 59 or m2 > 59 or start >= 1440:
        raise ValueError(span)
    if not start < end <= start + 1440:
        raise ValueError(span)
    return Minutes(start, end)


def _span(value: str) -> str:
    try:
        minutes(value)
    except ValueError:
        raise bad(
            f"「{value}」は時間帯として読めません",
            f"“{value}” is not a span of time",
            "8:30-17:15 のように書いてください(深夜は 22:00-26:00、一日中は 0:00-24:00)",
            "write it like 8:30-17:15 (past midnight: 22:00-26:00, all day: 0:00-24:00)",
        ) from None
    return value


def _date(value: object) -> object:
    """`2027-01-04`, as YAML gives it."""
    if not isinstance(value, str):
        return value
    try:
        return dt.date.fromisoformat(value)
    except ValueError:
        raise bad(
            f"「{value}」は日付として読めません",
            f"“{value}” is not a date",
            "2027-01-04 のように書いてください",
            "write it like 2027-01-04",
        ) from None


def _month_day(value: str) -> str:
    try:
        dt.date.fromisoformat(f"2028-{value}")  # a leap year
    except ValueError:
        raise bad(
            f"「{value}」は月日として読めません",
            f"“{value}” is not a month and day",
            "12-29 のように書いてください",
            "write it like 12-29",
        ) from None
    return value


Span = Annotated[str, AfterValidator(_span)]
Spans = Annotated[tuple[Span, ...], Field(strict=False)]
Date = Annotated[dt.date, BeforeValidator(_date)]
MonthDay = Annotated[str, AfterValidator(_month_day)]


class NamedDay(Part):
    """One date with its name (`創立記念日`)."""

    date: Date
    name: Name


class Closure(Part):
    """Days that are closed every year, first and last included; over New Year where `until` comes before
    `start` (12-29 to 01-03)."""

    start: MonthDay
    until: MonthDay
    name: Name


def _kind_of_holidays(value: object) -> str:
    return "~japan" if isinstance(value, str) else "~days"


Holidays = Annotated[
    Annotated[Literal["japan"], Tag("~japan")]
    | Annotated[tuple[NamedDay, ...], Field(strict=False), Tag("~days")],
    Discriminator(_kind_of_holidays),
]


class Calendar(Part):
    """Which days are special. `holidays`: `japan` (国民の祝日, computed) or a list kept by hand, which must
    have days in the year of the check and in the next. `days`: one-off closed days."""

    id: Slug
    name: Name
    holidays: Holidays = "japan"
    closures: Annotated[tuple[Closure, ...], Field(strict=False)] = ()
    days: Annotated[tuple[NamedDay, ...], Field(strict=False)] = ()


class SpecialDay(Part):
    """One date with hours of its own (none: closed), before everything else."""

    date: Date
    open: Spans = ()
    name: Name


class Week(Part):
    """Hours of each weekday; each must be stated once, [] is closed. In a plan `mon-fri: [8:30-17:15]` stands
    for five of them."""

    mon: Spans
    tue: Spans
    wed: Spans
    thu: Spans
    fri: Spans
    sat: Spans
    sun: Spans

    @model_validator(mode="before")
    @classmethod
    def _ranges(cls, data: Any) -> Any:
        return spread_week(data)


def spread_week(data: Any) -> Any:
    """`mon-fri` becomes five keys; what is not understood stays and is refused as an unknown key."""
    if not isinstance(data, dict):
        return data
    out: dict[str, Any] = {}
    for key, value in data.items():
        for day in days_of(str(key)) or (key,):
            out.setdefault(day, value)
    return out


def days_of(key: str) -> tuple[str, ...]:
    """ "mon-fri" → its five days, "sat" → ("sat",), anything else → ()."""
    first, _, last = key.partition("-")
    if not last:
        return (first,) if first in WEEKDAYS and key == first else ()
    if first not in WEEKDAYS or last not in WEEKDAYS or WEEKDAYS.index(first) >= WEEKDAYS.index(last):
        return ()
    return WEEKDAYS[WEEKDAYS.index(first) : WEEKDAYS.index(last) + 1]


class Hours(Part):
    """Opening hours (受付時間). Of a date: `days`, else the calendar's one-off day or closure (`closure`
    hours), else its holiday (`holiday` hours), else the week. A span past midnight belongs to the day on
    which it begins. Times are the site's."""

    id: Slug
    name: Name
    calendar: str | None = None  # none: no holidays, no closures
    week: Week
    holiday: Spans = ()
    closure: Spans = ()
    days: Annotated[tuple[SpecialDay, ...], Field(strict=False)] = ()
