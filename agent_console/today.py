"""Today's figures for board, wall and seats, computed anew every few seconds while somebody looks."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Any, Final

from aiohttp import web
from sqlalchemy import Row, select

from cdr import Span, kpi_of, misses_left, trend_of
from cdr.kpis import COUNTABLE
from dialplans import Site
from store import CallRow, StoreUnavailable

from .console import Console

log = logging.getLogger(__name__)

EVERY_S = 2.0
AWAY_EVERY_S = 5.0
QUIET_ROUNDS = 5  # records follow the events by a moment; after so many rounds without any ...
QUIET_EVERY_S = 20.0  # ... figures are only looked at in case the records came late
MINUTES = 30

_COLUMNS = dict.fromkeys((*COUNTABLE, "number", "queue", "operator", "talk_s", "arrived_at", "ended_at"))


class Today:
    """`figures`: the centre's KPIs with targets, in total, by number and by queue, each with `misses` (how
    many more the targets allow); `trend`: the same by the half-hour, `[arrived, answered, abandoned]` from
    the day's beginning on; `own(operator)`: what one has done.

    None until first computed. While the database is away the last ones stay, with `stale` true.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._listeners: set[Callable[[], None]] = set()
        self._looked_at = asyncio.Event()
        self._own: dict[str, dict[str, Any]] = {}
        self._version = -1
        self._quiet = 0
        self.figures: dict[str, Any] | None = None
        self.trend: dict[str, Any] | None = None

    def listen(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Calls back after every change; returns the function that ends that."""
        self._listeners.add(callback)
        self._looked_at.set()
        return lambda: self._listeners.discard(callback)

    def own(self, operator: str) -> dict[str, Any] | None:
        """`{"count", "mean_talk_s"}` of an operator's calls today."""
        if self.figures is None:
            return None
        return self._own.get(operator, {"count": 0, "mean_talk_s": None})

    async def run(self) -> None:
        """Computes until cancelled."""
        while True:
            await self._looked_at.wait()
            if not self._listeners:
                self._looked_at.clear()
                continue
            pause = EVERY_S
            try:
                await self._compute()
                pause = self._pause()
            except StoreUnavailable as error:
                log.warning("today's figures: %s", error)
                self._set({**self.figures, "stale": True} if self.figures else None, self._own)
                pause = AWAY_EVERY_S
            except Exception:  # a figure that cannot be computed must not end the board for everybody
                log.exception("today's figures")
                pause = AWAY_EVERY_S
            await asyncio.sleep(pause)

    def _pause(self) -> float:
        version = self._console.link.state.version
        self._quiet = self._quiet + 1 if version == self._version else 0
        self._version = version
        return EVERY_S if self._quiet < QUIET_ROUNDS else QUIET_EVERY_S

    async def _compute(self) -> None:
        site = self._console.site
        span = Span.today(site.timezone)
        async with self._console.store.reading() as database:
            query = select(*(getattr(CallRow, name) for name in _COLUMNS))
            query = query.where(CallRow.arrived_at >= span.start, CallRow.arrived_at < span.end)
            rows = (await database.execute(query)).all()
        # A day has thousands of calls: nobody's page waits while they are counted.
        figures, trend, own = await asyncio.to_thread(_count, site, span, rows)
        self._set(figures, own, trend)

    def _set(
        self,
        figures: dict[str, Any] | None,
        own: dict[str, dict[str, Any]],
        trend: dict[str, Any] | None = None,
    ) -> None:
        trend = trend or self.trend
        if figures == self.figures and own == self._own and trend == self.trend:
            return
        if figures != self.figures:
            self.figures = figures
        if trend != self.trend:
            self.trend = trend
        self._own = own
        for callback in tuple(self._listeners):
            callback()


def _count(
    site: Site, span: Span, rows: Sequence[Row[Any]]
) -> tuple[dict[str, Any], dict[str, Any], dict[str, dict[str, Any]]]:
    """Figures, trend and what each operator has done."""

    def figures_of(those: Sequence[Row[Any]]) -> dict[str, Any]:
        kpi = kpi_of(those, site.kpi)
        return {**kpi.to_json(), "misses": misses_left(kpi, site.kpi.targets).to_json()}

    def curve(those: Sequence[Row[Any]]) -> list[list[int]]:
        return [
            [one.arrived, one.answered, one.abandoned] for one in trend_of(those, site.kpi, span, MINUTES)
        ]

    by_number = {number.digits: [r for r in rows if r.number == number.digits] for number in site.numbers}
    by_queue = {queue.id: [r for r in rows if r.queue == queue.id] for queue in site.queues}
    figures = {
        "total": figures_of(rows),
        "numbers": [
            {"number": one.number, "name": one.name, **figures_of(by_number[one.digits])}
            for one in site.numbers
        ],
        "queues": [{"id": one.id, "name": one.name, **figures_of(by_queue[one.id])} for one in site.queues],
        "targets": site.kpi.targets.model_dump(),
        "answer_within_s": site.kpi.answer_within_s,
        "stale": False,
    }
    trend = {
        "minutes": MINUTES,
        "start": span.start.isoformat(),
        "total": curve(rows),
        "numbers": {one.number: curve(by_number[one.digits]) for one in site.numbers},
        "queues": {one.id: curve(by_queue[one.id]) for one in site.queues},
    }
    own: dict[str, dict[str, Any]] = {}
    for operator in {r.operator for r in rows if r.operator and r.ended_at}:
        talks = [r.talk_s for r in rows if r.operator == operator and r.ended_at and r.talk_s is not None]
        own[operator] = {
            "count": len(talks),
            "mean_talk_s": round(sum(talks) / len(talks), 1) if talks else None,
        }
    return figures, trend, own


TODAY: Final = web.AppKey("today", Today)
