"""Shifts by weekday, from a file (CSV). Two forms, told apart by the first line.

Of operators by name: `operator,days,from,to,breaks`

    1001,mon-fri,8:30,17:30,12:00-13:00 15:00-15:15
    1002,sat,9:00,17:00,

Of numbers of operators, given names in the site's order: `days,from,to,operators`

    mon-fri,8:30,10:00,4
    mon-fri,10:00,19:00,7

`days`: weekdays (`mon-fri`, `mon wed`), a date (`2027-05-06`, which then holds nothing else), or empty: every
day.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from cdr.staffing.roster import shifts_of
from cdr.staffing.scenario import ScenarioError, Shift
from dialplans import Site

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_CLOCK = re.compile(r"^(\d{1,2}):(\d{2})$")
_BY_NAME, _BY_NUMBER = {"operator", "from", "to"}, {"operators", "from", "to"}


@dataclass(frozen=True, slots=True)
class _Row:
    """`operator` or `count`; `days`: weekdays (0 Monday) or dates."""

    days: frozenset[int] | frozenset[dt.date]
    start_s: float
    end_s: float
    operator: str | None = None
    count: int = 0
    breaks: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True)
class ShiftPlan:
    """Who is there on which weekdays and dates."""

    rows: tuple[_Row, ...]

    def shifts(self, site: Site, first: dt.date, days: Iterable[int]) -> tuple[list[Shift], tuple[str, ...]]:
        """The shifts of these days, counted from `first`, and the names of extra operators."""
        dates = {date for row in self.rows for date in row.days if isinstance(date, dt.date)}
        made: list[Shift] = []
        extra: tuple[str, ...] = ()
        for day in days:
            date = first + dt.timedelta(day)
            wanted: int | dt.date = date if date in dates else date.weekday()
            rows = [row for row in self.rows if wanted in row.days]
            made += [
                Shift(day, row.operator, row.start_s, row.end_s, row.breaks)
                for row in rows
                if row.operator is not None
            ]
            counts = {(row.start_s, row.end_s): row.count for row in rows if row.operator is None}
            if counts:
                shifts, more = shifts_of(site, [day], counts)
                made += shifts
                extra = max(extra, more, key=len)
        return made, extra


def read_shifts(path: Path, site: Site) -> ShiftPlan:
    """ScenarioError with every row that cannot be read, one a line."""
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError):
        raise ScenarioError(f"{path}: 読めません", f"{path}: cannot be read as UTF-8 text") from None
    rows = csv.DictReader(io.StringIO(text, newline=""))
    names = {(name or "").strip() for name in rows.fieldnames or ()}
    if not (names >= _BY_NAME or names >= _BY_NUMBER):
        raise ScenarioError(
            f"{path}: 見出しは operator,days,from,to,breaks か days,from,to,operators です",
            f"{path}: the first line must be operator,days,from,to,breaks or days,from,to,operators",
        )
    known = {one.id for one in site.operators}
    made: list[_Row] = []
    problems: list[tuple[str, str]] = []
    for one in rows:
        fields = {(name or "").strip(): str(value or "").strip() for name, value in one.items()}
        if not any(fields.values()):
            continue
        try:
            made.append(_row(fields, known))
        except ScenarioError as error:
            problems.append((f"{path} {rows.line_num}行目: {error.ja}", f"row {rows.line_num}: {error.en}"))
    if not made and not problems:
        problems.append((f"{path}: 勤務がありません", f"{path}: holds no shift"))
    if problems:
        first, *others = problems[:20]
        ja = "\n".join([first[0], *(f"{ja} / {en}" for ja, en in others)]) if others else first[0]
        raise ScenarioError(ja, first[1])
    return ShiftPlan(tuple(made))


def _row(fields: dict[str, str], known: set[str]) -> _Row:
    days, start, end = _days(fields.get("days", "")), clock_s(fields["from"]), clock_s(fields["to"])
    if end <= start:
        end += 86_400  # past midnight
    if "operator" not in fields:
        if (
            not (fields["operators"].isascii() and fields["operators"].isdigit())
            or len(fields["operators"]) > 4
        ):
            raise ScenarioError(
                f"operators「{fields['operators']}」は人数で", f"operators {fields['operators']!r}: a number"
            )
        return _Row(days, start, end, None, int(fields["operators"]))
    operator = fields["operator"]
    if operator not in known:
        raise ScenarioError(f"操作者 {operator} はいません", f"there is no operator {operator!r}")
    breaks = []
    left = start
    for text in fields.get("breaks", "").split():
        begins, dash, ends = text.partition("-")
        span = (clock_s(begins), clock_s(ends)) if dash else (0.0, 0.0)
        if not left <= span[0] < span[1] <= end:
            raise ScenarioError(
                f"休憩「{text}」は 12:00-13:00 のように、勤務の中に順に",
                f"breaks {text!r}: like 12:00-13:00, within the shift and in order",
            )
        breaks.append(span)
        left = span[1]
    return _Row(days, start, end, operator, 0, tuple(breaks))


def _days(text: str) -> frozenset[int] | frozenset[dt.date]:
    if not text:
        return frozenset(range(7))
    weekdays: set[int] = set()
    dates: set[dt.date] = set()
    for word in text.lower().split():
        first, _, last = word.partition("-")
        try:
            if first in WEEKDAYS:
                start, end = WEEKDAYS.index(first), WEEKDAYS.index(last or first)
                if start > end:
                    raise ValueError(word)
                weekdays.update(range(start, end + 1))
            else:
                dates.add(dt.date.fromisoformat(word))
        except ValueError:
            raise ScenarioError(
                f"days「{word}」は mon-fri か 2027-05-06 のように",
                f"days {word!r}: like mon-fri or 2027-05-06",
            ) from None
    if weekdays and dates:
        raise ScenarioError("days: 曜日と日付は別の行に", "days: weekdays and dates on rows of their own")
    return frozenset(dates) if dates else frozenset(weekdays)


def clock_s(text: str) -> float:
    """`8:30` → 30600.0; up to 24:00. ScenarioError."""
    found = _CLOCK.match(text.strip())
    if found is not None:
        hours, minutes = int(found[1]), int(found[2])
        if minutes < 60 and hours * 60 + minutes <= 1440:
            return hours * 3600.0 + minutes * 60.0
    raise ScenarioError(f"時刻「{text}」は 8:30 のように", f"{text!r}: write a time like 8:30")
