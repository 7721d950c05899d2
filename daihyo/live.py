"""The engine's live state, followed over its control socket; commands go the same way."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

import aiohttp

from daihyo.settings import UserError

Entity = dict[str, Any]


class Live:
    """`operators` and `calls` by id, true while connected. `async with Live(socket) as live:`.

    A restarted engine is connected to again; what is awaited meanwhile goes on waiting."""

    def __init__(self, socket: Path) -> None:
        self.operators: dict[str, Entity] = {}
        self.calls: dict[str, Entity] = {}
        self._path = socket
        self._ws: aiohttp.ClientWebSocketResponse | None = None
        self._changed = asyncio.Condition()
        self._answers: dict[int, asyncio.Future[Entity]] = {}
        self._ids = itertools.count(1)
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Live:
        self._task = asyncio.create_task(self._follow())
        try:
            async with asyncio.timeout(10):
                await self.until(lambda: bool(self.operators))
        except TimeoutError:
            await self.__aexit__(None, None, None)
            raise UserError(
                f"通話エンジンが応答しません / the call engine does not answer on {self._path}. "
                "Is the centre up? daihyo status --state DIR"
            ) from None
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def until(self, true: Callable[[], bool]) -> None:
        """Returns as soon as `true()` holds; asked after every change."""
        async with self._changed:
            await self._changed.wait_for(true)

    async def do(self, command: str, **fields: object) -> Entity:
        """Carries a command out. Raises UserError when it is refused or the engine is away."""
        if self._ws is None or self._ws.closed:
            raise UserError("通話エンジンに接続していません / the call engine is away")
        number = next(self._ids)
        future = self._answers[number] = asyncio.get_running_loop().create_future()
        try:
            await self._ws.send_str(json.dumps({"id": number, "do": command, **fields}))
            async with asyncio.timeout(5):
                answer = await future
        except (TimeoutError, OSError):
            raise UserError(
                f"通話エンジンが応答しません / the call engine did not answer '{command}'"
            ) from None
        finally:
            self._answers.pop(number, None)
        if not answer.get("ok"):
            refusal = answer.get("error") or {}
            raise UserError(f"{refusal.get('message', '')} / {refusal.get('message_en', 'refused')}")
        return dict(answer.get("result") or {})

    async def _follow(self) -> None:
        while True:
            with contextlib.suppress(aiohttp.ClientError, OSError):
                connector = aiohttp.UnixConnector(str(self._path))
                async with (
                    aiohttp.ClientSession(connector=connector) as session,
                    session.ws_connect("http://engine/", max_msg_size=0) as self._ws,
                ):
                    async for message in self._ws:
                        await self._take(json.loads(message.data))
            await asyncio.sleep(0.2)

    async def _take(self, message: Entity) -> None:
        if "ok" in message:
            future = self._answers.get(message["id"])
            if future is not None and not future.done():
                future.set_result(message)
            return
        async with self._changed:
            if message.get("event") == "live":
                live = message["live"]
                self.operators = {one["id"]: one for one in live["operators"]}
                self.calls = {one["id"]: one for one in live["calls"]}
            else:
                self.operators |= {one["id"]: one for one in message.get("operators", ())}
                self.calls |= {one["id"]: one for one in message.get("calls", ())}
                for gone in message.get("gone", ()):
                    self.calls.pop(gone, None)
            self._changed.notify_all()
