"""Evenness asked of the database: a month of a large centre in well under a second."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import TypeAlias
from zoneinfo import ZoneInfo

from sqlalchemy import CTE, Select, case, func, or_, select, union
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from cdr.attendance import Attendance, Stretch, Told, attendance, stretches
from cdr.shares import Evenness, Work, evenness_of
from cdr.span import Span
from store import OperatorStateRow, Store, TalkRow

_Serves = Mapping[str, Collection[str]] | None


async def evenness(
    store: Store,
    span: Span,
    queue: str | None = None,
    *,
    serves: _Serves = None,
    now: datetime | None = None,
) -> Evenness:
    """How evenly the calls that arrived in the span were shared among the operators of a queue (None: of the
    centre). `serves`: the queues of each operator by the live plan, so that those who were given nothing are
    seen too; whoever is signed on is so up to `now`. Raises StoreUnavailable."""
    async with store.reading() as session:
        of_operator = await _stretches(session, span, now)
        work = await _work(session, span)
    return evenness_of(work, _times(of_operator, span), span, queue, serves)


async def evenness_by_day(
    store: Store,
    span: Span,
    zone: str,
    queue: str | None = None,
    *,
    serves: _Serves = None,
    now: datetime | None = None,
) -> list[tuple[date, Evenness]]:
    """The same for each calendar day of the zone that the span touches, days to come left out; the first and
    the last may be parts of a day. Raises StoreUnavailable."""
    found = []
    async with store.reading() as session:
        of_operator = await _stretches(session, span, now)
        for day, part in _days(span, zone, now or datetime.now(UTC)):
            work = await _work(session, part)
            found.append((day, evenness_of(work, _times(of_operator, part), part, queue, serves)))
    return found


def _days(span: Span, zone: str, now: datetime) -> list[tuple[date, Span]]:
    last = min(span.end, max(now, span.start + timedelta(microseconds=1)))
    day, found = span.start.astimezone(ZoneInfo(zone)).date(), []
    while (whole := Span.of_day(day, zone)).start < last:
        found.append((day, Span(max(whole.start, span.start), min(whole.end, span.end))))
        day += timedelta(days=1)
    return found


def _times(of_operator: Mapping[str, list[Stretch]], span: Span) -> dict[str, Attendance]:
    return {operator: attendance(each, span.start, span.end) for operator, each in of_operator.items()}


async def _work(session: AsyncSession, span: Span) -> list[Work]:
    """By operator and queue."""
    rows = await session.execute(
        select(
            TalkRow.operator,
            TalkRow.queue,
            func.sum(case((TalkRow.offered, 1), else_=0)),
            func.coalesce(func.sum(TalkRow.talk_s), 0.0),
            func.coalesce(func.sum(TalkRow.hold_s), 0.0),
            func.coalesce(func.sum(TalkRow.wrap_up_s), 0.0),
        )
        .where(TalkRow.arrived_at >= span.start, TalkRow.arrived_at < span.end)
        .group_by(TalkRow.operator, TalkRow.queue)
    )
    return [Work(*row) for row in rows]


async def _stretches(session: AsyncSession, span: Span, now: datetime | None) -> dict[str, list[Stretch]]:
    """The signed-on time of each operator in the span."""
    told: dict[str, list[Told]] = {}
    for operator, _, state, reachable in (await session.execute(_before(span.start))).all():
        told.setdefault(operator, []).append(Told(span.start, state, reachable))
    for operator, at, state, reachable in (await session.execute(_changes(span))).all():
        told.setdefault(operator, []).append(Told(at, state, reachable))
    until = min(span.end, now or datetime.now(UTC))
    return {operator: stretches(each, until) for operator, each in told.items()}


_Rows: TypeAlias = Select[str, datetime, str | None, bool | None]
_ROW = OperatorStateRow


def _before(start: datetime) -> _Rows:
    """How each operator stood at `start`: the last state before it, and what was told of the phone after."""
    seen = _seen()
    latest = (
        select(_ROW.id)
        .where(_ROW.operator == seen.c.operator, _ROW.at < start)
        .order_by(_ROW.at.desc(), _ROW.id.desc())
        .limit(1)
    )
    return _rows(
        select(latest.correlate(seen).scalar_subquery()).select_from(seen),
        select(latest.where(_ROW.state.is_not(None)).correlate(seen).scalar_subquery()).select_from(seen),
    )


def _changes(span: Span) -> _Rows:
    """What may have changed in the span. An operator goes from ready to wrap-up and back with each call: of
    those rows only the first after another kind is read, and the first of the span."""
    seen, other, row = _seen(), aliased(_ROW), aliased(_ROW)
    first = (
        select(_ROW.id)
        .where(_ROW.operator == seen.c.operator, _ROW.at >= span.start, _ROW.at < span.end)
        .order_by(_ROW.at, _ROW.id)
        .limit(1)
        .correlate(seen)
    )
    after = (
        select(row.id)
        .where(row.operator == other.operator, row.at >= other.at, row.at < span.end)
        .where(or_(row.at > other.at, row.id > other.id))
        .order_by(row.at, row.id)
        .limit(1)
        .correlate(other)
    )
    apart = other.at_work.is_(False), other.at >= span.start, other.at < span.end
    return _rows(
        select(first.scalar_subquery()).select_from(seen),
        select(other.id).where(*apart),
        select(after.scalar_subquery()).select_from(other).where(*apart),
    )


def _seen() -> CTE:
    """Every operator there ever was, found by one look into the index each."""
    first = select(func.min(_ROW.operator).label("operator")).cte("seen", recursive=True)
    following = select(func.min(_ROW.operator)).where(_ROW.operator > first.c.operator).scalar_subquery()
    return first.union_all(select(following).where(first.c.operator.is_not(None)))


def _rows(*ids: Select[str]) -> _Rows:
    """These rows, each operator's in their order."""
    return (
        select(_ROW.operator, _ROW.at, _ROW.state, _ROW.reachable)
        .where(_ROW.id.in_(union(*ids)))
        .order_by(_ROW.operator, _ROW.at, _ROW.id)
    )
