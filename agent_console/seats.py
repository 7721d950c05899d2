"""Which page is whose seat, told to the engine: one that opens, one that closes, all after a reconnect."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Final

from aiohttp import web

from .link import EngineAway, EngineLink, EngineRefused

log = logging.getLogger(__name__)


@dataclass(eq=False)
class Seat:
    """A page that is an operator's seat. `instance` is new with each load of the page."""

    operator: str
    instance: str
    phone: str
    in_call: bool
    replaced: Callable[[], None]
    page: str = "seat"  # or `board`: a supervisor's telephone there


class Seats:
    """All seats open in this console; an operator has one, the page opened last."""

    def __init__(self, link: EngineLink) -> None:
        self._link = link
        self._open: dict[str, Seat] = {}
        self._announced = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._stop = link.listen(self._link_changed)
        self.closing = False
        self.changed: Callable[[], None] = lambda: None  # called after a page came or went

    def page_of(self, operator: str) -> str | None:
        """Which page has the operator's telephone: `seat`, `board` or none."""
        seat = self._open.get(operator)
        return seat.page if seat is not None else None

    async def take(self, seat: Seat) -> None:
        """The page is there (or says anew where it stands)."""
        former = self._open.get(seat.operator)
        self._open[seat.operator] = seat
        self.changed()
        if former is not None and former is not seat and former.instance != seat.instance:
            former.replaced()
        await self._tell(seat)

    def leave(self, seat: Seat) -> None:
        """The page's socket has closed: told in a task of its own, for the page's handler may be cancelled.
        When the whole console closes the pages are still there, and the engine is told nothing; nor when the
        same page has come back already on another socket (a dead one may take long to close)."""
        now = self._open.get(seat.operator)
        if now is seat:
            del self._open[seat.operator]
            self.changed()
        elif now is not None and now.instance == seat.instance:
            return
        if not self.closing:
            self._later(self._tell_closed(seat))

    def close(self) -> None:
        """The console ends: the pages will be back in a moment."""
        self.closing = True
        self._stop()

    def _link_changed(self) -> None:
        if self._link.connected and self._link.connections != self._announced:
            self._announced = self._link.connections
            for seat in self._open.values():
                self._later(self._tell(seat))

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _tell_closed(self, seat: Seat) -> None:
        with contextlib.suppress(EngineAway, EngineRefused):
            await self._link.command("seat.closed", operator=seat.operator, instance=seat.instance)

    async def _tell(self, seat: Seat) -> None:
        try:
            await self._link.command(
                "seat.opened",
                operator=seat.operator,
                instance=seat.instance,
                phone=seat.phone,
                in_call=seat.in_call,
            )
        except EngineAway:
            pass  # told again when the link is back
        except EngineRefused as error:
            log.warning("seat of %s: %s", seat.operator, error)


SEATS: Final = web.AppKey("seats", Seats)
