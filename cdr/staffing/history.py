"""The centre's own past out of the store: its calls, their profile, who was there."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from sqlalchemy import func, or_, select

from cdr.attendance import Stretch, Told, stretches
from cdr.span import Span
from cdr.staffing.past import PastCall, past_calls
from cdr.staffing.profiles import Profile, profile_of
from cdr.staffing.scenario import DAY_S, Shift
from dialplans import Site
from store import CallRow, OperatorStateRow, Store

_BEFORE = dt.timedelta(hours=24)  # a shift that began earlier than this is over, or was never ended


async def calls_of(store: Store, site: Site, span: Span) -> list[PastCall]:
    """The calls of a span that asked for an operator, staff's too, in order of arrival. Raises
    StoreUnavailable."""
    columns = select(
        CallRow.arrived_at,
        CallRow.number,
        CallRow.caller,
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
    return past_calls(rows, site)  # type: ignore[arg-type]  # rows of the store have the same fields


async def profile(store: Store, site: Site, span: Span, interval_s: float = 1800.0) -> Profile:
    """Calls by weekday and time, talk, wrap-up and patience of a span. Raises StoreUnavailable."""
    return profile_of(await calls_of(store, site, span), interval_s)


async def shifts_of_past(store: Store, site: Site, span: Span, now: dt.datetime | None = None) -> list[Shift]:
    """Who was signed on when, up to `now` (default: this moment); whatever was no duty (breaks, training, no
    answer, no phone) is a break. Day 0 is the span's first date in the site's zone. Only operators that the
    site still has. Raises StoreUnavailable."""
    rows = (
        select(
            OperatorStateRow,
            func.lag(OperatorStateRow.at_work)
            .over(partition_by=OperatorStateRow.operator, order_by=(OperatorStateRow.at, OperatorStateRow.id))
            .label("before"),
        )
        .where(OperatorStateRow.at >= span.start - _BEFORE, OperatorStateRow.at < span.end)
        .subquery()
    )
    # Of the states of call after call only the first matters.
    statement = (
        select(rows.c.operator, rows.c.at, rows.c.state, rows.c.reachable)
        .where(or_(rows.c.at_work.is_(False), rows.c.before.is_(None), rows.c.before.is_(False)))
        .order_by(rows.c.at, rows.c.id)
    )
    told: dict[str, list[Told]] = {one.id: [] for one in site.operators}
    async with store.reading() as session:
        for operator, at, state, reachable in (await session.execute(statement)).all():
            if operator in told:
                told[operator].append(Told(at, state, reachable))
    until = min(span.end, now or dt.datetime.now(dt.UTC))
    first = dt.datetime.combine(span.start.astimezone(site.zone).date(), dt.time(), site.zone)
    begins = (span.start - first).total_seconds()
    shifts: list[Shift] = []
    for operator, events in told.items():
        shifts += _shifts(operator, stretches(events, until), first, begins)
    return sorted(shifts)


def _shifts(operator: str, signed_on: Sequence[Stretch], midnight: dt.datetime, begins: float) -> list[Shift]:
    """Stretches without a gap between them are one shift."""
    shifts: list[Shift] = []
    start = end = 0.0
    breaks: list[tuple[float, float]] = []
    for one in signed_on:
        since, until = ((at - midnight).total_seconds() for at in (one.start, one.end))
        if since != end:
            shifts += _by_day(operator, max(start, begins), end, breaks)
            start, breaks = since, []
        if one.what != "duty":
            breaks.append((since, until))
        end = until
    return shifts + _by_day(operator, max(start, begins), end, breaks)


def _by_day(operator: str, start: float, end: float, breaks: Sequence[tuple[float, float]]) -> list[Shift]:
    """Cut at midnight, where a day of its own begins."""
    shifts = []
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
