"""An ARI server in the test's own loop: says what it is told to, remembers what it was asked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import orjson
from aiohttp import WSMsgType, web

from switch.api import SwitchSettings


class FakeAri:
    """`channels`, `bridges` and `endpoints` are what it lists; a "METHOD uri" in `silent` is not answered."""

    def __init__(self) -> None:
        self.channels: list[dict[str, Any]] = []
        self.bridges: list[dict[str, Any]] = []
        self.endpoints: list[dict[str, Any]] = []
        self.started = "2026-11-21T21:53:33.045+0000"
        self.asked: list[str] = []
        self.sockets: list[web.WebSocketResponse] = []
        self.before_listing: Callable[[], list[dict[str, Any]]] = lambda: []
        self.silent: set[str] = set()
        self.stopping = asyncio.Event()
        self.port = 0

    async def say(self, *events: dict[str, Any]) -> None:
        """Events on the newest socket."""
        for event in events:
            await self.sockets[-1].send_str(orjson.dumps(event).decode())

    def settings(self, **changes: Any) -> SwitchSettings:
        values: dict[str, Any] = {
            "ari_url": f"http://127.0.0.1:{self.port}/ari", "ari_user": "u", "ari_password": "p",
            "ami_host": "127.0.0.1", "ami_port": 1, "ami_user": "u", "ami_password": "p",
            "reconnect_max_s": 0.1, **changes,
        }  # fmt: skip
        return SwitchSettings(**values)

    async def events(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.sockets.append(socket)
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                asked = orjson.loads(message.data)
                name = f"{asked['method']} {asked['uri']}"
                self.asked.append(name)
                if name in self.silent:
                    continue
                status, body = self._answer(name)
                answer = {"type": "RESTResponse", "request_id": asked["request_id"], "status_code": status}
                await self.say({**answer, "message_body": orjson.dumps(body).decode()} if body else answer)
        return socket

    async def http(self, request: web.Request) -> web.Response:
        name = f"{request.method} {request.path.removeprefix('/ari/')}"
        self.asked.append(name)
        if name == "GET channels":
            await self.say(*self.before_listing())
        if name in self.silent:
            await self.stopping.wait()
        status, body = self._answer(name)
        return web.Response(status=status, body=orjson.dumps(body), content_type="application/json")

    def _answer(self, name: str) -> tuple[int, Any]:
        if name == "GET asterisk/info":
            return 200, {"system": {"entity_id": "e"}, "status": {"startup_time": self.started}}
        if name == "GET channels":
            return 200, self.channels
        if name == "GET bridges":
            return 200, self.bridges
        if name == "GET endpoints/PJSIP":
            return 200, self.endpoints
        return 200, {}


def channel(name: str, args: str = "arrival,1", app: str = "daihyo", state: str = "Up") -> dict[str, Any]:
    """A channel as ARI lists it."""
    return {
        "id": name, "name": f"PJSIP/x-{name}", "state": state, "caller": {"number": "0312345678"},
        "dialplan": {"exten": "1", "app_name": "Stasis", "app_data": f"{app},{args}"},
    }  # fmt: skip


def start(name: str, *args: str) -> dict[str, Any]:
    """A StasisStart event."""
    return {
        "type": "StasisStart",
        "args": list(args) or ["arrival", "1"],
        "channel": channel(name, state="Ring"),
    }


@asynccontextmanager
async def fake_ari() -> AsyncIterator[FakeAri]:
    fake = FakeAri()
    app = web.Application()
    app.router.add_get("/ari/events", fake.events)
    app.router.add_route("*", "/ari/{rest:.*}", fake.http)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    fake.port = runner.addresses[0][1]
    try:
        yield fake
    finally:
        fake.stopping.set()
        await asyncio.gather(*(socket.close() for socket in fake.sockets), return_exceptions=True)
        await runner.cleanup()
