"""/plan/counts: how callers went through the menus: how many pressed which key, how many gave up there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from aiohttp import web

import cdr
from cdr import Span, SpanError, StepCount
from dialplans import Site

from ..rights import Right
from ..texts import Texts
from .base import View, plan_page
from .overview import where

_MOST_DAYS = 400


@dataclass(frozen=True)
class KeyRow:
    """One way out of a step. `kind`: `key`, `none` (nobody pressed in time) or `gave_up`."""

    kind: str
    key: str
    label: str
    count: int
    share: float


@dataclass(frozen=True)
class StepTable:
    """A step: how often it was entered, and what came of it."""

    step: str
    name: str
    entered: int
    rows: tuple[KeyRow, ...]


def label_of(one: StepCount, texts: Texts) -> str:
    """What a key did, or what happened without one."""
    group = "counts" if one.label == "gave_up" else "does"
    return texts.known(f"plan.{group}.{one.label}", str(one.label or ""))


def tables(site: Site, counts: Iterable[StepCount], texts: Texts) -> list[StepTable]:
    """The counts by step, the most entered first."""
    by_step: dict[str, list[StepCount]] = {}
    for one in counts:
        by_step.setdefault(one.step, []).append(one)
    made = []
    for step, rows in by_step.items():
        entered = sum(one.count for one in rows if one.key is None and one.label is None)
        asked = max(entered, 1)
        ways = tuple(
            KeyRow(
                "key" if one.key else str(one.label),
                one.key or "",
                label_of(one, texts),
                one.count,
                min(one.count / asked, 1.0),
            )
            for one in rows
            if one.key is not None or one.label is not None
        )
        made.append(StepTable(step, where(site, step, texts), entered, ways))
    return sorted(made, key=lambda table: -table.entered)


@plan_page(Right.PLAN_READ)
async def counts(view: View) -> web.StreamResponse:
    query, site = view.request.query, view.console.site
    today = datetime.now(UTC).astimezone(site.zone).date()
    start = _date(query.get("from", ""), today)
    end = max(start, _date(query.get("to", ""), today))
    end = min(end, start + timedelta(days=_MOST_DAYS))
    number = query.get("number", "")
    try:
        span = Span.parse(start.isoformat(), (end + timedelta(days=1)).isoformat(), site.timezone)
        found = await cdr.path_counts(view.console.store, span, number or None)
    except SpanError:
        found = []
    return view.answer(
        "counts.html",
        tables=tables(site, found, view.texts),
        start=start,
        end=end,
        number=number,
        numbers=site.numbers,
    )


def _date(text: str, otherwise: date) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return otherwise
