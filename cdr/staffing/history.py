"""The centre's own past out of the store: its calls, their profile, who was there."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from sqlalchemy import select

from cdr.span import Span
from cdr.staffing.past import PastCall, past_calls
from cdr.staffing.profiles import Profile, profile_of
from cdr.staffing.scenario import DAY_S, Shift
from dialplans import Site
from store import CallRow, OperatorStateRow, Store

_BEFORE = dt.timedelta(hours=24)  # a shift that began earlier than this is over, or was never ended
_AWAY = ("off",)
_BREAKS = ("break", "training")


async def calls_of(store: Store, site: Site, span: Span) -> list[PastCall]:
    """The calls of a span that asked for an operator, staff's too, in order of arrival. Raises
    StoreUnavailable."""
    columns = select(
        CallRow.arrived_at,
        CallRow.number,
        CallRow.queue,
        CallRow.queued_at,
        CallRow.outcome,
        CallRow.talk_s,
        CallRow.wrap_up_s,
        CallRow.wait_s,
        CallRow.total_s,
        CallRow.language,
        CallRow.open,
        CallRow.staff,
        CallRow.queues,
        CallRow.via,
    )
    statement = columns.where(CallRow.arrived_at >= span.start, CallRow.arrived_at < span.end)
    async with store.reading() as session:
        rows = (await session.execute(statement.order_by(CallRow.arrived_at, CallRow.call))).mappings().all()
    return past_calls(rows, site)  # type: ignore[arg-type]


async def profile(store: Store, site: Site, span: Span, interval_s: float = 1800.0) -> Profile:
    """Calls by weekday and time, talk, wrap-up and patience of a span. Raises StoreUnavailable."""
    return profile_of(await calls_of(store, site, span), interval_s)


async def shifts_of_past(store: Store, site: Site, span: Span) -> list[Shift]:
    """Who was signed on when, with their breaks; day 0 is the span's first date in the site's zone. Only
    operators that the site still has. Raises StoreUnavailable."""
    known = {one.id for one in site.operators}
    statement = (
        select(OperatorStateRow.at, OperatorStateRow.operator, OperatorStateRow.state)
        .where(OperatorStateRow.at >= span.start - _BEFORE, OperatorStateRow.at < span.end)
        .order_by(OperatorStateRow.at, OperatorStateRow.id)
    )
    async with store.reading() as session:
        rows = (await session.execute(statement)).all()
    by_operator: dict[str, list[Any]] = {}
    for row in rows:
        if row.operator in known:
            by_operator.setdefault(row.operator, []).append((row.at, row.state))
    first = span.start.astimezone(site.zone)
    midnight = dt.datetime.combine(first.date(), dt.time(), site.zone)
    ends = (span.end - midnight).total_seconds()
    shifts: list[Shift] = []
    for operator in sorted(by_operator):
        told = [((at - midnight).total_seconds(), state) for at, state in by_operator[operator]]
        shifts += _shifts(operator, told, ends)
    return sorted(shifts)


def _shifts(operator: str, told: Sequence[tuple[float, str]], until: float) -> list[Shift]:
    """Signed on from the first state that is not `off` to the next that is; cut at the span and at
    midnight, where a day of its own begins."""
    shifts: list[Shift] = []
    on: float | None = None
    breaks: list[tuple[float, float]] = []
    pause: float | None = None
    for at, state in [*told, (until, "off")]:
        if pause is not None and state not in _BREAKS:
            breaks.append((pause, at))
            pause = None
        if state in _AWAY:
            if on is not None:
                shifts += _by_day(operator, on, at, breaks)
            on, breaks = None, []
            continue
        if on is None:
            on = at
        if state in _BREAKS and pause is None:
            pause = at
    return shifts


def _by_day(operator: str, start: float, end: float, breaks: Sequence[tuple[float, float]]) -> list[Shift]:
    shifts, start = [], max(start, 0.0)
    while start < end:
        day = int(start // DAY_S)
        midnight, close = day * DAY_S, min(end, (day + 1) * DAY_S)
        mine = tuple(
            (max(begins, start) - midnight, min(ends, close) - midnight)
            for begins, ends in breaks
            if max(begins, start) < min(ends, close)
        )
        shifts.append(Shift(day, operator, start - midnight, close - midnight, mine))
        start = close
    return shifts
