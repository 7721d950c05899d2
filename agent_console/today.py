"""Today's figures for board and seats, computed anew every few seconds while somebody looks."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any, Final

from aiohttp import web
from sqlalchemy import select

from cdr import Span, kpi_of
from store import CallRow, StoreUnavailable

from .console import Console

log = logging.getLogger(__name__)

EVERY_S = 2.0
AWAY_EVERY_S = 5.0


class Today:
    """`figures`: the centre's KPIs with targets, total and per number; `own(operator)`: what one has done.

    None until first computed. While the database is away the last ones stay, with `stale` true.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._listeners: set[Callable[[], None]] = set()
        self._looked_at = asyncio.Event()
        self._own: dict[str, dict[str, Any]] = {}
        self.figures: dict[str, Any] | None = None

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
            except StoreUnavailable as error:
                log.warning("today's figures: %s", error)
                self._set({**self.figures, "stale": True} if self.figures else None, self._own)
                pause = AWAY_EVERY_S
            except Exception:  # a figure that cannot be computed must not end the board for everybody
                log.exception("today's figures")
                pause = AWAY_EVERY_S
            await asyncio.sleep(pause)

    async def _compute(self) -> None:
        site = self._console.site
        span = Span.today(site.timezone)
        async with self._console.store.reading() as database:
            query = select(CallRow).where(CallRow.arrived_at >= span.start, CallRow.arrived_at < span.end)
            rows = (await database.scalars(query)).all()
        numbers = [
            {
                "number": number.number,
                "name": number.name,
                **kpi_of([r for r in rows if r.number == number.digits], site.kpi).to_json(),
            }
            for number in site.numbers
        ]
        figures = {
            "total": kpi_of(rows, site.kpi).to_json(),
            "numbers": numbers,
            "targets": site.kpi.targets.model_dump(),
            "answer_within_s": site.kpi.answer_within_s,
            "stale": False,
        }
        own: dict[str, dict[str, Any]] = {}
        for operator in {r.operator for r in rows if r.operator and r.ended_at}:
            talks = [r.talk_s for r in rows if r.operator == operator and r.ended_at and r.talk_s is not None]
            own[operator] = {
                "count": len(talks),
                "mean_talk_s": round(sum(talks) / len(talks), 1) if talks else None,
            }
        self._set(figures, own)

    def _set(self, figures: dict[str, Any] | None, own: dict[str, dict[str, Any]]) -> None:
        if figures == self.figures and own == self._own:
            return
        self.figures, self._own = figures, own
        for callback in tuple(self._listeners):
            callback()


TODAY: Final = web.AppKey("today", Today)
