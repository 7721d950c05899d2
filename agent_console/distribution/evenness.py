"""/evenness (均等度): how evenly the calls of a span were shared, with the operators' rows behind it."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from urllib.parse import urlencode

from aiohttp import web

import cdr
from cdr import Even, Evenness, Span
from store import StoreUnavailable

from ..console import Console, console_of, texts_of
from ..pages import signed_in
from ..rights import Right
from ..texts import Texts
from ..views import page
from .callbacks import names_of

_MOST_DAYS = 400
_GRADES = (0.05, 0.10, 0.20)  # below these: almost perfectly even, even, somewhat uneven
_BOM = "\ufeff"  # without it Excel takes UTF-8 for something else


@dataclass(frozen=True)
class Days:
    """From `first` to `last`, both included."""

    first: date
    last: date

    def span(self, zone: str) -> Span:
        return Span(Span.of_day(self.first, zone).start, Span.of_day(self.last, zone).end)

    def query(self, **more: str) -> str:
        return urlencode({"from": self.first.isoformat(), "to": self.last.isoformat(), **more})


def grade(gini: float) -> int:
    """0 almost perfectly even, 1 even, 2 somewhat uneven, 3 uneven."""
    return sum(gini >= limit for limit in _GRADES)


async def evenness_of(console: Console, span: Span, queue: str | None) -> Evenness:
    """Of one queue, or of the centre. Raises StoreUnavailable."""
    serves = {operator.id: operator.queues for operator in console.site.operators}
    return await cdr.evenness(console.store, span, queue, serves=serves)


async def all_of(console: Console, span: Span) -> list[Evenness]:
    """Of the centre, then of each queue where there are several. Raises StoreUnavailable."""
    queues = [queue.id for queue in console.site.queues]
    wanted = [None, *queues] if len(queues) > 1 else [None]
    return [await evenness_of(console, span, queue) for queue in wanted]


def apart(found: list[Evenness]) -> tuple[list[Evenness], list[Evenness]]:
    """The centre with the queues that have operators of their own; and the queues that all of its operators
    serve: their figures are the centre's, only the calls of each differ."""
    if not found:
        return [], []
    centre, *queues = found
    everybody = {row.operator for row in centre.rows}
    alike = [one for one in queues if {row.operator for row in one.rows} == everybody]
    return [centre, *(one for one in queues if one not in alike)], alike


@dataclass(frozen=True)
class Line:
    """One of the three figures, ready to be shown: `least`, `most`, `spread` as texts, `gini` 0…1."""

    name: str
    least: str
    most: str
    spread: str
    gini: float
    grade: int


def lines(found: Evenness) -> list[Line]:
    """件数, 通話時間, 稼働率; empty where nobody can be compared."""
    made = []
    for name, even, scale, form in (
        ("calls", found.calls, 1.0, "{:.1f}"),
        ("talk", found.talk, 1 / 60, "{:.1f}"),
        ("occupancy", found.occupancy, 100.0, "{:.0f} %"),
    ):
        made += _line(name, even, scale, form)
    return made


def _line(name: str, even: Even, scale: float, form: str) -> list[Line]:
    if even.min is None or even.max is None or even.spread is None or even.gini is None:
        return []
    least, most, spread = (form.format(value * scale) for value in (even.min, even.max, even.spread))
    return [Line(name, least, most, spread, even.gini, grade(even.gini))]


# -- pages


@signed_in(Right.EVENNESS)
async def evenness(request: web.Request) -> web.StreamResponse:
    """The page: cards and rows of the centre and each queue."""
    console, texts = console_of(request), texts_of(request)
    now = datetime.now(UTC).astimezone(console.site.zone)
    days = days_of(request.query, now.date())
    try:
        found, away = await all_of(console, days.span(console.site.timezone)), False
    except StoreUnavailable:
        found, away = [], True
    shown, alike = apart(found)
    queue_names = {queue.id: queue.name for queue in console.site.queues}
    return page(
        request,
        "distribution/evenness.html",
        days=days,
        presets=_presets(now.date(), texts),
        found=[(one, lines(one)) for one in shown],
        alike=[(one.queue, {row.operator: row.queue_calls for row in one.rows}) for one in alike],
        queue_names=queue_names,
        alike_names=[queue_names.get(one.queue or "", one.queue) for one in alike],
        names=names_of(console),
        link=lambda row, queue: _link(days, row.operator, queue),
        formula=found[0].formula if found else None,
        away=away,
        now=now,
        today=now.date(),
    )


@signed_in(Right.EVENNESS)
async def table(request: web.Request) -> web.StreamResponse:
    """The rows as CSV (UTF-8 with BOM): one line an operator and queue; durations in seconds."""
    console, texts = console_of(request), texts_of(request)
    today = datetime.now(UTC).astimezone(console.site.zone).date()
    days = days_of(request.query, today)
    found = await all_of(console, days.span(console.site.timezone))
    names = names_of(console)
    queue_names = {queue.id: queue.name for queue in console.site.queues}
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([texts(f"even.csv.{name}") for name in _COLUMNS])
    for one in found:
        queue = queue_names.get(one.queue, one.queue) if one.queue else texts("even.whole")
        for row in one.rows:
            writer.writerow(
                [
                    days.first.isoformat(),
                    days.last.isoformat(),
                    _plain(queue),
                    row.operator,
                    _plain(names.get(row.operator, "")),
                    row.calls,
                    row.queue_calls,
                    round(row.talk_s),
                    round(row.wrap_up_s),
                    round(row.times.duty_s),
                    *(_rounded(value, 3) for value in (row.calls_h, row.talk_h, row.occupancy)),
                    texts("even.csv.yes" if row.counted else "even.csv.no"),
                ]
            )
        for line, even in (("calls", one.calls), ("talk", one.talk), ("occupancy", one.occupancy)):
            figures = [_rounded(value, 4) for value in (even.min, even.max, even.spread, even.gini)]
            marks = [texts(f"even.{line}"), *(texts(f"even.csv.{name}") for name in _FIGURES)]
            writer.writerow(
                [days.first.isoformat(), days.last.isoformat(), _plain(queue), *_woven(marks, figures)]
            )
    return web.Response(
        body=(_BOM + out.getvalue()).encode(),
        content_type="text/csv",
        charset="utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="evenness-{days.first}-{days.last}.csv"',
            "Cache-Control": "private, no-store",
        },
    )


_COLUMNS = (
    "from",
    "to",
    "queue",
    "operator",
    "name",
    "calls",
    "queue_calls",
    "talk_s",
    "wrap_up_s",
    "duty_s",
    "calls_h",
    "talk_h",
    "occupancy",
    "counted",
)
_FIGURES = ("min", "max", "spread", "gini")


def _woven(marks: list[str], figures: list[str]) -> list[str]:
    first, *names = marks
    return [first, *(part for pair in zip(names, figures, strict=True) for part in pair)]


def days_of(query: Mapping[str, str], today: date) -> Days:
    """The days asked for, within reason; today where nothing (or nonsense) was asked."""
    first = min(_date(query.get("from", ""), today), today)
    last = min(max(_date(query.get("to", ""), first), first), today)
    return Days(first, min(last, first + timedelta(days=_MOST_DAYS - 1)))


def _presets(today: date, texts: Texts) -> list[tuple[str, Days]]:
    month = today.replace(day=1)
    last = month - timedelta(days=1)
    day = timedelta(days=1)
    return [
        (texts("even.today"), Days(today, today)),
        (texts("even.yesterday"), Days(today - day, today - day)),
        (texts("even.week"), Days(today - day * today.weekday(), today)),
        (texts("even.month"), Days(month, today)),
        (texts("even.last_month"), Days(last.replace(day=1), last)),
    ]


def _link(days: Days, operator: str, queue: str | None) -> str:
    """Where the calls behind a number are listed."""
    asked = {"date": days.first.isoformat(), "until": days.last.isoformat(), "operator": operator}
    return f"/calls?{urlencode(asked | ({'queue': queue} if queue else {}))}"


def _date(text: str, otherwise: date) -> date:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return otherwise
    return found if date(2000, 1, 1) <= found <= date(2200, 1, 1) else otherwise


def _rounded(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"


def _plain(text: str) -> str:
    """A name that a spreadsheet will not take for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t") else text
