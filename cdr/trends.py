"""The day in steps of half an hour, for the board's curve."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Protocol

from sqlalchemy import select

from cdr.events import time_text
from cdr.kpis import Countable, KpiSettings, kpi_of
from cdr.queries import kpi_columns
from cdr.span import Span
from store import CallRow, Store


class HasKpi(Protocol):
    """What is needed of a site: its way of counting."""

    @property
    def kpi(self) -> KpiSettings: ...


class Arriving(Countable, Protocol):
    """A countable call that tells when it arrived."""

    @property
    def arrived_at(self) -> datetime: ...


@dataclass(frozen=True, slots=True)
class Interval:
    """What happened to the calls that arrived in [at, at + minutes): `arrived` are those that the site
    offers, and those that wait now; `within` the answered within the limit. Over a day they add up to the
    day's figures: arrived = offered + unfinished."""

    at: datetime
    arrived: int
    answered: int
    abandoned: int
    within: int

    def to_json(self) -> dict[str, Any]:
        """All fields; the time as ISO 8601 UTC with Z."""
        return {each: getattr(self, each) for each in self.__slots__} | {"at": time_text(self.at)}


async def trend(store: Store, site: HasKpi, day: date, zone: str, minutes: int = 30) -> list[Interval]:
    """The intervals of a calendar day of the zone, from its midnight on, those without calls included.
    Raises ValueError for `minutes` outside 1…1440, StoreUnavailable."""
    span = Span.of_day(day, zone)
    wanted = select(*kpi_columns(), CallRow.arrived_at)
    wanted = wanted.where(CallRow.arrived_at >= span.start, CallRow.arrived_at < span.end)
    async with store.reading() as session:
        rows = (await session.execute(wanted)).all()
    return trend_of(rows, site.kpi, span, minutes)


def trend_of(
    records: Iterable[Arriving], settings: KpiSettings, span: Span, minutes: int = 30
) -> list[Interval]:
    """The intervals of a span, from its start on; calls outside it are left out."""
    if not 1 <= minutes <= 1440:
        raise ValueError(f"minutes must be 1 to 1440, not {minutes}")
    step = timedelta(minutes=minutes)
    count = -(-(span.end - span.start) // step)  # the last may be shorter
    parts: list[list[Countable]] = [[] for _ in range(count)]
    for record in records:
        if span.start <= record.arrived_at < span.end:
            parts[(record.arrived_at - span.start) // step].append(record)
    found = []
    for place, part in enumerate(parts):
        figures = kpi_of(part, settings)
        arrived = figures.offered + figures.unfinished
        found.append(
            Interval(
                span.start + place * step,
                arrived,
                figures.answered,
                figures.abandoned,
                figures.answered_within,
            )
        )
    return found
