"""`daihyo why` and `daihyo evenness`: who was given which call and why, and how evenly."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from datetime import date

from cdr import Even, Evenness, Share, Span, Why, evenness_queries, queries
from cdr.reasons import why
from daihyo.figures import opened
from daihyo.settings import StateDir, UserError
from dialplans import Site


async def why_call(state: StateDir, call: str, rows: bool, as_json: bool) -> str:
    """Each offer of a call in a sentence; with `rows` the candidates below it."""
    async with opened(state) as (site, store):
        events = await queries.offers_of(store, call)
    if events is None:
        raise UserError(
            f"通話 {call} はありません / there is no call {call}; `daihyo calls` lists them, the id last"
        )
    lines = why(
        events,
        site.language,
        _namer({one.id: one.name for one in site.operators}),
        queue_name=_namer({one.id: one.name for one in site.queues}),
        zone=site.zone,
    )
    if as_json:
        return json.dumps({"call": call, "offers": [line.to_json() for line in lines]}, ensure_ascii=False)
    if not lines:
        return "呼び出しはありませんでした / nobody was rung for this call"
    return "\n".join(text for line in lines for text in _told(line, rows, site.language))


def _namer(names: Mapping[str, str]) -> Callable[[str], str]:
    return lambda identity: names.get(identity, identity)


def _told(line: Why, rows: bool, language: str) -> list[str]:
    found = [line.sentence]
    if rows and line.rows:
        titles = _WHY_TITLES["ja" if language == "ja" else "en"]
        values = [
            ("*" if row.chosen else "", row.name, str(row.level), idle, str(row.calls), talk,
             _clock(row.duty_s), str(row.offers), str(row.last))
            for row, idle, talk in zip(
                line.rows,
                apart([row.idle_s for row in line.rows]),
                apart([row.talk_s for row in line.rows]),
                strict=True,
            )
        ]  # fmt: skip
        found += [f"    {text}" for text in table(titles, values)]
    return found


_WHY_TITLES = {
    "ja": ("", "操作者", "レベル", "待機", "件数", "通話", "在席", "呼出", "前回"),
    "en": ("", "operator", "level", "idle", "calls", "talk", "on duty", "rung", "last"),
}
_EVEN_TITLES = {
    "ja": ("操作者", "件数", "うちこの待ち行列", "通話", "後処理", "在席", "離席", "研修", "件数/時",
           "通話/時", "稼働率"),
    "en": ("operator", "calls", "here", "talk", "wrap-up", "on duty", "break", "training", "calls/h",
           "talk/h", "occupancy"),
}  # fmt: skip


async def evenness(
    state: StateDir, start: str | None, end: str | None, queue: str | None, by_day: bool, as_json: bool
) -> str:
    """The evenness of one queue, or of each, over a span (default: today)."""
    async with opened(state) as (site, store):
        known = [one.id for one in site.queues]
        if queue is not None and queue not in known:
            raise UserError(
                f"--queue {queue}: この待ち行列はありません / no such queue; there are: {' '.join(known)}"
            )
        span = Span.parse(start, end, site.timezone)
        serves = {one.id: one.queues for one in site.operators}
        found: list[tuple[Evenness, list[tuple[date, Evenness]]]] = []
        for each in known if queue is None else [queue]:
            whole = await evenness_queries.evenness(store, span, each, serves=serves)
            days = (
                await evenness_queries.evenness_by_day(store, span, site.timezone, each, serves=serves)
                if by_day
                else []
            )
            found.append((whole, days))
    if as_json:
        return json.dumps(
            {
                **span.to_json(),
                "queues": [
                    {**one.to_json(), **({"days": _days_json(days)} if by_day else {})} for one, days in found
                ],
            },
            ensure_ascii=False,
        )
    formula = found[0][0].formula
    texts = ["\n".join(_shown(site, one, days)) for one, days in found]
    return "\n\n".join([*texts, formula.ja if site.language == "ja" else formula.en])


def _days_json(days: Sequence[tuple[date, Evenness]]) -> list[dict[str, object]]:
    return [{"day": day.isoformat(), **one.to_json()} for day, one in days]


def _shown(site: Site, found: Evenness, days: Sequence[tuple[date, Evenness]]) -> list[str]:
    names = {one.id: one.name for one in site.operators}
    queue = next((one.name for one in site.queues if one.id == found.queue), "")
    titles = _EVEN_TITLES["ja" if site.language == "ja" else "en"]
    lines = [f"{queue} ({found.queue})"]
    if found.rows:
        lines += table(titles, [_row(names.get(row.operator, row.operator), row) for row in found.rows])
    else:
        lines.append("在席した操作者はいません / nobody was on duty")
    lines += [f"{label}  {_even(even, form)}" for label, even, form in _figures(found)]
    for day, one in days:
        if not one.rows:
            continue  # nobody was there: a line of nothing says nothing
        lines.append(f"{day}  {_even(one.calls, _plain)}")
    return lines


def _figures(found: Evenness) -> list[tuple[str, Even, Callable[[float], str]]]:
    return [
        ("件数/時 calls an hour", found.calls, _plain),
        ("通話/時 talk an hour ", found.talk, _clock),
        ("稼働率  occupancy    ", found.occupancy, _percent),
    ]


def _even(even: Even, form: Callable[[float], str]) -> str:
    if even.min is None or even.max is None or even.mean is None or even.spread is None:
        return "–"
    return (
        f"{form(even.min)} – {form(even.max)}  平均/mean {form(even.mean)}  "
        f"差/spread {form(even.spread)}  Gini {even.gini:.3f}"
    )


def _row(name: str, row: Share) -> tuple[str, ...]:
    figures = [
        "–" if value is None else form(value)
        for value, form in ((row.calls_h, _plain), (row.talk_h, _clock), (row.occupancy, _percent))
    ]
    return (
        name if row.counted else f"({name})",
        str(row.calls),
        str(row.queue_calls),
        *map(_clock, (row.talk_s, row.wrap_up_s, row.times.duty_s, row.times.break_s, row.times.training_s)),
        *figures,
    )


def _plain(value: float) -> str:
    return f"{value:.2f}"


def _percent(value: float) -> str:
    return f"{value * 100:.1f} %"


def apart(times: Sequence[float]) -> list[str]:
    """As clock times; all with tenths where two that differ would otherwise look alike."""
    shown = [_clock(each) for each in times]
    if len(set(shown)) == len(set(times)):
        return shown
    tenths = [round(each * 10) for each in times]
    return [f"{_clock(each // 10)}.{each % 10}" for each in tenths]


def _clock(seconds: float) -> str:
    whole = round(seconds)
    return f"{whole // 3600}:{whole % 3600 // 60:02}:{whole % 60:02}"


def table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines of columns: names left, figures right; Japanese signs are two wide."""
    widths = [max(map(_width, column)) for column in zip(titles, *rows, strict=True)]
    names = 1 if titles[0] else 2  # a first column without a title is a mark
    lines = []
    for row in (titles, *rows):
        padded = []
        for place, (text, width) in enumerate(zip(row, widths, strict=True)):
            blank = " " * (width - _width(text))
            padded.append(text + blank if place < names else blank + text)
        lines.append("  ".join(padded).rstrip())
    return lines


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text)
