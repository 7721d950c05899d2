"""The year of a number: which days are open, closed and special."""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import date

import ivr
from dialplans import Site

from ..texts import Texts

FIRST_YEAR, LAST_YEAR = 1990, 2100


@dataclass(frozen=True)
class DayCell:
    """A day: `kind` chooses colour and shape, `mark` is the letter on it, `about` says it in words."""

    day: int
    kind: str
    mark: str
    about: str
    today: bool = False


@dataclass(frozen=True)
class Month:
    """A month: its name, how many empty cells come before its first day (weeks begin on Sunday), its days."""

    name: str
    blank: int
    days: tuple[DayCell, ...]


@dataclass(frozen=True)
class Special:
    """A day that is no ordinary one, for the list below the year."""

    date: date
    kind: str
    mark: str
    name: str
    hours: str


@dataclass(frozen=True)
class Year:
    """A whole year of some hours."""

    year: int
    months: tuple[Month, ...]
    specials: tuple[Special, ...]


KINDS = ("open", "special", "closed", "holiday", "closure", "one_off")
"""What a day may be, as the legend shows it."""


def year_of(site: Site, hours_id: str, year: int, today: date, texts: Texts) -> Year:
    """The year of these hours. Blocking: tens of milliseconds. Raises KeyError."""
    months: list[list[DayCell]] = [[] for _ in range(12)]
    specials = []
    for day in ivr.year(site, hours_id, year):
        kind = kind_of(day)
        hours = " ".join(span_text(span.start, span.end) for span in day.spans) or texts("plan.closed")
        why = why_of(day)
        words = [texts(f"plan.year.{why}"), day.name or "", hours]
        mark = texts.known(f"plan.mark.{why}", "")
        months[day.date.month - 1].append(
            DayCell(day.date.day, kind, mark, " ".join(filter(None, words)), day.date == today)
        )
        if day.kind != "week":
            specials.append(Special(day.date, kind, mark, day.name or "", hours))
    return Year(
        year,
        tuple(
            Month(texts(f"plan.month.{at + 1}"), (calendar.weekday(year, at + 1, 1) + 1) % 7, tuple(days))
            for at, days in enumerate(months)
        ),
        tuple(specials),
    )


def kind_of(day: ivr.Day) -> str:
    """`open` or `closed` by the week, else what made it special; special days with hours have the
    colour of `special`."""
    if day.kind == "week":
        return "open" if day.spans else "closed"
    if day.spans:
        return "special"
    return "one_off" if day.kind == "own" else day.kind


def why_of(day: ivr.Day) -> str:
    """What makes it special, whether or not it has hours: a holiday stays 祝."""
    return day.kind if day.kind in ("holiday", "closure") else kind_of(day)


def span_text(start: int, end: int) -> str:
    """(510, 1035) → "8:30–17:15"; after midnight hours go on from 24."""
    return f"{start // 60}:{start % 60:02}–{end // 60}:{end % 60:02}"
