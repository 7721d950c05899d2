"""/wall/<token>/live: figures and operators' states to a wall screen. It says nothing back.

Down, JSON objects of what changed: `at`, `page` (of the scripts now: another one, and the screen loads anew),
`engine`, `switch`, `waiting`, `wall` ({`kpi`: `total`, `targets`, `answer_within_s`, `stale`; `people`:
[{id, name, state, since}] of those who serve a queue and are not off}). At least every 15 s one of `at`.
Closed with 4410: the link has been revoked or never was one.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from datetime import UTC, datetime
from typing import Any, Final

import aiohttp
import orjson
from aiohttp import web

from store import StoreUnavailable

from ..console import Console, console_of
from ..live_hub import HUB, LiveHub
from ..today import TODAY
from ..views import static
from . import links

log = logging.getLogger(__name__)

CLOSE_REVOKED: Final = 4410
_CHECK_S = 3.0  # revoked by another console, or by hand in the database
_ALIVE_S = 15.0
_USED_EVERY_S = 600.0
_NAMES = ("engine", "switch", "waiting", "wall")


class Walls:
    """All screens that look at this console, by link."""

    def __init__(self) -> None:
        self._open: dict[int, set[asyncio.Event]] = {}

    def add(self, link: int) -> asyncio.Event:
        """A screen more; the event is set when its link is revoked."""
        revoked = asyncio.Event()
        self._open.setdefault(link, set()).add(revoked)
        return revoked

    def remove(self, link: int, revoked: asyncio.Event) -> None:
        self._open.get(link, set()).discard(revoked)

    def revoked(self, link: int) -> None:
        """Its screens go blank."""
        for screen in tuple(self._open.get(link, ())):
            screen.set()

    def count(self, link: int) -> int:
        """Screens that look at this link now."""
        return len(self._open.get(link, ()))


WALL: Final = web.AppKey("walls", Walls)


async def live(request: web.Request) -> web.StreamResponse:
    """The handler. A link that does not hold is told so by the close code, which a browser can read; a
    refused handshake it could not."""
    console, walls, hub = console_of(request), request.app[WALL], request.app[HUB]
    link = await links.find(console.store, request.match_info["token"])
    socket = web.WebSocketResponse(heartbeat=10.0, compress=False, max_msg_size=1024)
    await socket.prepare(request)
    if link is None or link.revoked_at is not None:
        await _revoke(socket)
        return socket
    revoked = walls.add(link.id)
    console.sockets.add(socket)
    dirty = asyncio.Event()
    dirty.set()
    leave = hub.join(dirty.set)
    stop_today = request.app[TODAY].listen(lambda: hub.poke())
    writer = asyncio.create_task(_write(socket, hub, dirty))
    guard = asyncio.create_task(_guard(console, link.id, socket, revoked))
    try:
        async for message in socket:
            if message.type is not aiohttp.WSMsgType.TEXT:
                break
            await socket.close(code=aiohttp.WSCloseCode.POLICY_VIOLATION)
    finally:
        leave()
        stop_today()
        walls.remove(link.id, revoked)
        console.sockets.discard(socket)
        writer.cancel()
        if not revoked.is_set():  # else it is just telling the screen why
            guard.cancel()
        await asyncio.gather(writer, guard, return_exceptions=True)
    return socket


def wall_values(console: Console, figures: dict[str, Any] | None) -> dict[str, Any]:
    """What all wall screens show (a source of the hub): no caller, no call."""
    people = [
        {"id": one["id"], "name": one["name"], "state": one["state"], "since": one["since"]}
        for one in sorted(console.link.state.operators.values(), key=lambda one: str(one["id"]))
        if one["state"] != "off" and one.get("queues")
    ]
    kpi = figures and {name: figures[name] for name in ("total", "targets", "answer_within_s", "stale")}
    return {"wall": {"kpi": kpi, "people": people}}


async def _write(socket: web.WebSocketResponse, hub: LiveHub, dirty: asyncio.Event) -> None:
    serials: dict[str, int] = {}
    script = static("bundle/wall.js")
    with contextlib.suppress(ConnectionError):
        while not socket.closed:
            try:
                async with asyncio.timeout(_ALIVE_S):
                    await dirty.wait()
            except TimeoutError:
                pass
            dirty.clear()
            hub.refresh()
            at = datetime.now(UTC).isoformat(timespec="milliseconds")
            parts = [orjson.dumps({"at": at, "page": script})[1:-1]]
            for name in _NAMES:
                shared = hub.shared(name)
                if shared is not None and serials.get(name) != shared.serial:
                    serials[name] = shared.serial
                    parts.append(b'"' + name.encode() + b'":' + shared.json)
            await socket.send_str((b"{" + b",".join(parts) + b"}").decode())


async def _guard(console: Console, link: int, socket: web.WebSocketResponse, revoked: asyncio.Event) -> None:
    """Ends the screen when its link is revoked, whoever did it; notes now and then that it is used."""
    told = float("-inf")
    loop = asyncio.get_running_loop()
    while not revoked.is_set():
        with contextlib.suppress(StoreUnavailable):  # away: the screen goes on
            if not await links.holds(console.store, link):
                revoked.set()
                break
            if loop.time() - told > _USED_EVERY_S:
                told = loop.time()
                await links.used(console.store, link)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_CHECK_S):
                await revoked.wait()
    await _revoke(socket)


async def _revoke(socket: web.WebSocketResponse) -> None:
    await socket.close(code=CLOSE_REVOKED, message=b"revoked")
