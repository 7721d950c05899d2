"""Where the pages beside the supervisor's board stand, and what runs for them."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

from aiohttp import web

from . import board_page
from .alarms import pages as alarm_pages
from .alarms.book import BOOK, AlarmBook
from .alarms.mail import Mailer
from .alarms.shown import entry
from .alarms.watch import Watch
from .console import CONSOLE
from .live_hub import HUB
from .settings import ConsoleSettings
from .supervision_log import SupervisionLog
from .today import TODAY
from .wall import pages as wall_pages
from .wall.socket import WALL, Walls, wall_values
from .wall.socket import live as wall_live


def add(app: web.Application) -> None:
    """Adds their routes, and what they and the hub need. After CONSOLE, HUB and TODAY."""
    console, hub, today = app[CONSOLE], app[HUB], app[TODAY]
    book = app[BOOK] = AlarmBook(console.store, lambda one: entry(one, console.site))
    book.listen(hub.poke)
    app[WALL] = Walls()
    hub.feed(lambda: {"alarms": book.shown(), "trend": today.trend})
    hub.feed(lambda: wall_values(console, today.figures))
    router = app.router
    router.add_get("/board", board_page.board)
    router.add_get("/alarms", alarm_pages.alarms)
    router.add_post("/alarms/{alarm}/acknowledge", alarm_pages.acknowledge)
    router.add_get("/walls", wall_pages.walls)
    router.add_post("/walls", wall_pages.make)
    router.add_post("/walls/{link}/revoke", wall_pages.revoke)
    router.add_get("/wall/{token}", wall_pages.wall)
    router.add_get("/wall/{token}/live", wall_live)


def background(app: web.Application) -> list[Coroutine[Any, Any, None]]:
    """What runs as long as the application."""
    console = app[CONSOLE]
    mailer = Mailer(app[BOOK], lambda: console.site, lambda: _address(console.settings))
    watch = Watch(console, app[TODAY], app[BOOK], mailer)
    return [watch.run(), SupervisionLog(console).run()]


def _address(settings: ConsoleSettings) -> str:
    """Where people look: the address that phones know the centre by, if it listens on all."""
    host = settings.sip_domain if settings.listen in ("0.0.0.0", "::", "") else settings.listen  # noqa: S104
    return f"{'https' if settings.secure_cookies else 'http'}://{host}:{settings.http_port}/alarms"
