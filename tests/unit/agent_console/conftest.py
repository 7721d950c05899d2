"""A console with a small site, its own database and an engine played by the test."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from argon2 import PasswordHasher

from agent_console import ConsoleSettings, create_app, passwords, set_password
from agent_console.console import CONSOLE, Console
from asterisk_conf import Secrets
from dialplans import load_site
from tests.support.databases import database_url, sqlite_with_tables, store
from tests.support.site import site, write_site

__all__ = ["database_url", "store"]

PASSWORD = "minato-bashi-7"
USERS = [
    {"login": "op01", "name": "操作者01", "role": "operator", "operator": "1001"},
    {"login": "op02", "name": "操作者02", "role": "operator", "operator": "1002"},
    {"login": "sv01", "name": "監督", "role": "supervisor"},
    {"login": "staff01", "name": "市民課", "role": "staff"},
    {"login": "admin", "name": "管理者", "role": "administrator"},
    {"login": "audit", "name": "監査", "role": "auditor"},
]


def operator(operator_id: str, **changes: Any) -> dict[str, Any]:
    """A live operator as the engine tells it."""
    return {
        "id": operator_id,
        "name": f"操作者{operator_id}",
        "state": "ready",
        "reason": None,
        "since": "2026-11-21T00:00:00.000000Z",
        "until": None,
        "phones": {"desk": False, "browser": True},
        "phone": "browser",
        "call": None,
        "queues": ["main"],
        "next_state": None,
        **changes,
    }


def live_call(call_id: str, **changes: Any) -> dict[str, Any]:
    """A live call as the engine tells it."""
    return {
        "id": call_id,
        "number": "0246221111",
        "number_name": "市代表",
        "caller": "09012345678",
        "phase": "waiting",
        "since": "2026-11-21T00:00:00.000000Z",
        "arrived_at": "2026-11-21T00:00:00.000000Z",
        "queued_at": "2026-11-21T00:00:05.000000Z",
        "answered_at": None,
        "queue": "main",
        "operator": None,
        "position": 1,
        **changes,
    }


@dataclass
class FakeEngine:
    """The engine's side of the control socket: says what the test wants, and keeps what it is told."""

    path: Path
    live: dict[str, Any]
    commands: asyncio.Queue[dict[str, Any]] = field(default_factory=asyncio.Queue)
    refuse: dict[str, str] | None = None
    deaf: bool = False  # hears commands and never answers
    _sockets: set[web.WebSocketResponse] = field(default_factory=set)
    _runner: web.AppRunner | None = None

    async def start(self) -> None:
        app = web.Application()
        app.router.add_get("/", self._serve)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.UnixSite(self._runner, self.path).start()

    async def stop(self) -> None:
        for socket in tuple(self._sockets):
            await socket.close()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None
        self.path.unlink(missing_ok=True)

    async def tell(self, **event: Any) -> None:
        frame = {"event": "changed", "operators": [], "calls": [], "gone": [], **event}
        for socket in tuple(self._sockets):
            await socket.send_str(orjson.dumps(frame).decode())

    async def told(self, do: str) -> dict[str, Any]:
        """The next command of this name; others before it are passed over."""
        async with asyncio.timeout(10):
            while True:
                command = await self.commands.get()
                if command["do"] == do:
                    return command

    async def _serve(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self._sockets.add(socket)
        await socket.send_str(orjson.dumps({"event": "live", "live": self.live}).decode())
        async for message in socket:
            command = orjson.loads(message.data)
            if command["do"] != "hello":
                self.commands.put_nowait(command)
            if self.deaf:
                continue
            answer: dict[str, Any] = {"id": command["id"], "ok": True, "result": {}}
            if self.refuse:
                answer = {"id": command["id"], "ok": False, "error": self.refuse}
            await socket.send_str(orjson.dumps(answer).decode())
        self._sockets.discard(socket)
        return socket


@dataclass
class Browser:
    """A client with its own cookies."""

    client: TestClient[web.Request, web.Application]
    csrf: str = ""

    async def sign_in(self, login: str, password: str = PASSWORD) -> aiohttp.ClientResponse:
        form = await self.client.get("/signin")
        found = re.search(r'name="token" value="([^"]+)"', await form.text())
        assert found is not None
        data = {"login": login, "password": password, "token": found[1], "next": ""}
        answer = await self.client.post("/signin", data=data, allow_redirects=False)
        if answer.status == 303:
            page = await (await self.client.get("/account")).text()
            token = re.search(r'name="csrf" value="([^"]+)"', page)
            assert token is not None
            self.csrf = token[1]
        return answer

    async def post(self, path: str, body: Any, **headers: str) -> aiohttp.ClientResponse:
        headers.setdefault("X-CSRF-Token", self.csrf)
        return await self.client.post(path, json=body, headers=headers)

    async def get(self, path: str, **headers: str) -> aiohttp.ClientResponse:
        return await self.client.get(path, headers=headers, allow_redirects=False)


@dataclass
class Running:
    """A console under test."""

    settings: ConsoleSettings
    app: web.Application
    server: TestServer
    engine: FakeEngine
    browsers: list[Browser] = field(default_factory=list)

    @property
    def console(self) -> Console:
        return self.app[CONSOLE]

    @property
    def token(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.console.keys.api_token}"}

    async def browser(self, login: str | None = None) -> Browser:
        # Cookies of 127.0.0.1 are kept only when asked to.
        client = TestClient(self.server, cookie_jar=aiohttp.CookieJar(unsafe=True))
        made = Browser(client)
        self.browsers.append(made)
        if login is not None:
            answer = await made.sign_in(login)
            assert answer.status == 303, await answer.text()
        return made


Start = Callable[..., Awaitable[Running]]


@pytest.fixture(autouse=True)
def _cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """argon2 with its real parameters would cost the tests minutes; the code is the same."""
    monkeypatch.setattr(passwords, "_hasher", PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
    monkeypatch.setattr(passwords, "_nobody", None)


@pytest.fixture
def settings(tmp_path: Path) -> ConsoleSettings:
    site_path = write_site(tmp_path / "site.yaml", site(operators=2, users=USERS))
    (tmp_path / "archive").mkdir()
    Secrets.load_or_create(tmp_path / "secrets.json", load_site(site_path))
    return ConsoleSettings(
        listen="127.0.0.1",
        http_port=0,
        database_url=sqlite_with_tables(tmp_path / "console.db"),
        control_socket=tmp_path / "e.sock",
        ari_ws_url="ws://127.0.0.1:1/ws",
        archive=tmp_path / "archive",
        site_path=site_path,
        secrets_path=tmp_path / "secrets.json",
        sip_domain="127.0.0.1",
    )


@pytest.fixture
async def start(settings: ConsoleSettings) -> AsyncIterator[Start]:
    """`await start(demo=True, users=("op01",))`: a console whose named users have PASSWORD."""
    started: list[Running] = []

    async def run(
        users: tuple[str, ...] = ("op01", "op02", "sv01"), engine: bool = True, **changes: Any
    ) -> Running:
        live = {
            "at": "2026-11-21T00:00:00.000000Z",
            "switch": {"connected": True},
            "operators": [operator("1001"), operator("1002", state="off", phone=None)],
            "calls": [live_call("minato-1.1")],
        }
        fake = FakeEngine(settings.control_socket, live)
        if engine:
            await fake.start()
        app = await create_app(replace(settings, **changes))
        server = TestServer(app)
        running = Running(replace(settings, **changes), app, server, fake)
        started.append(running)
        for login in users:
            await set_password(running.console.store, login, PASSWORD)
        await server.start_server()
        if engine:
            link = running.console.link
            up = asyncio.Event()
            stop = link.listen(up.set)
            if not link.connected:
                await asyncio.wait_for(up.wait(), 10)
            stop()
        return running

    yield run
    for running in started:
        for browser in running.browsers:
            await browser.client.close()
        await running.server.close()
        await running.engine.stop()
