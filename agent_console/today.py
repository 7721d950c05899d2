"""Today's figures for board, wall and seats, every few seconds while calls go on."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from aiohttp import web
from sqlalchemy import or_, select, tuple_

from cdr import Span
from store import CallRow, StoreUnavailable

from .console import Console
from .day_figures import COLUMNS, MINUTES, DayFigures

__all__ = ["MINUTES", "TODAY", "Today"]

log = logging.getLogger(__name__)

EVERY_S = 2.0
AWAY_EVERY_S = 5.0
QUIET_ROUNDS = 5  # records follow the events by a moment; after so many rounds without any ...
QUIET_EVERY_S = 20.0  # ... figures are only looked at in case the records came late
ALL_EVERY_S = 30.0  # the whole day is read again: records of calls long over that came late
LATE = timedelta(minutes=2)  # between: calls that go on, or are over for no longer
AT_ONCE = 400  # rows; others are served between


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
        self._own: Mapping[str, dict[str, Any]] = {}
        self._version = -1
        self._quiet = 0
        self._day: DayFigures | None = None
        self._all_at = float("-inf")
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
                self._all_at = float("-inf")  # what is written when it is back may be of long ago
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
        loop = asyncio.get_running_loop()
        day = self._day
        if day is None or day.site is not site or day.span != span:
            day = self._day = DayFigures(site, span)
            self._all_at = float("-inf")
        whole = loop.time() - self._all_at > ALL_EVERY_S
        changed = await self._read(day, whole)
        if whole:
            self._all_at = loop.time()
        if changed or self.figures is None or self.figures["stale"] or self.trend is None:
            self._set(day.figures(), day.own(), day.trend())

    async def _read(self, day: DayFigures, whole: bool) -> bool:
        """Takes the day's records, or those that may have changed lately; whether one has."""
        query = select(*(getattr(CallRow, name) for name in COLUMNS))
        query = query.where(CallRow.arrived_at >= day.span.start, CallRow.arrived_at < day.span.end)
        if not whole:
            lately = datetime.now(UTC) - LATE
            query = query.where(or_(CallRow.ended_at.is_(None), CallRow.ended_at > lately))
        query = query.order_by(CallRow.arrived_at, CallRow.call).limit(AT_ONCE)
        changed, after, seen = False, None, set[str]()
        while True:
            page = query if after is None else query.where(tuple_(CallRow.arrived_at, CallRow.call) > after)
            async with self._console.store.reading() as database:
                rows = (await database.execute(page)).all()
            changed |= day.take(rows)
            seen.update(row.call for row in rows)
            if len(rows) < AT_ONCE:
                break
            after = tuple_(rows[-1].arrived_at, rows[-1].call)
        return (day.keep(seen) if whole else False) or changed

    def _set(
        self,
        figures: dict[str, Any] | None,
        own: Mapping[str, dict[str, Any]],
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


TODAY: Final = web.AppKey("today", Today)
