"""The link to the engine: one WebSocket over its unix socket, kept up for as long as the console runs."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import random
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import orjson

from .live_state import LiveState

log = logging.getLogger(__name__)

RECONNECT_FIRST_S = 0.1
RECONNECT_MAX_S = 2.0
COMMAND_TIMEOUT_S = 5.0
HEARTBEAT_S = 5.0


class EngineAway(Exception):
    """The engine cannot be asked now. `unsure` is True when the command was sent but never answered."""

    def __init__(self, unsure: bool = False) -> None:
        super().__init__(
            "the call engine is away" + (", the command may have been carried out" if unsure else "")
        )
        self.unsure = unsure


class EngineRefused(Exception):
    """The engine answered no: `code`, and the message in both languages."""

    def __init__(self, code: str, message: str, message_en: str) -> None:
        super().__init__(f"{code}: {message_en}")
        self.code, self.message, self.message_en = code, message, message_en


class EngineLink:
    """Keeps `state` true while connected and as it was last while not; carries commands with their answers.

    `on_change` callbacks are plain functions, called after every change of state or connection.
    """

    def __init__(self, control_socket: Path) -> None:
        self._path = control_socket
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._ids = itertools.count(1)
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._listeners: set[Callable[[], None]] = set()
        self._task: asyncio.Task[None] | None = None
        self.state = LiveState()
        self.connected = False
        self.changed_at = datetime.now(UTC)  # when the connection last came or went
        self.connections = 0  # how often it came: pages announce themselves anew after each

    def listen(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Registers a callback; the returned function removes it."""
        self._listeners.add(callback)
        return lambda: self._listeners.discard(callback)

    def start(self) -> None:
        """Begins to connect in the background."""
        self._task = asyncio.create_task(self._keep(), name="engine-link")

    async def stop(self) -> None:
        """Closes the link; nothing reconnects after this."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def command(self, do: str, within_s: float | None = None, /, **fields: Any) -> dict[str, Any]:
        """Sends one command and returns its result. `within_s`: how long it may take, for those that wait
        until a telephone rings. Raises EngineAway or EngineRefused."""
        socket = self._socket
        if socket is None or socket.closed:
            raise EngineAway
        number = next(self._ids)
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._answers[number] = answer
        try:
            await socket.send_str(orjson.dumps({"id": number, "do": do, **fields}).decode())
            async with asyncio.timeout(COMMAND_TIMEOUT_S if within_s is None else within_s):
                reply = await answer
        except (TimeoutError, ConnectionError, aiohttp.ClientError) as error:
            raise EngineAway(unsure=True) from error
        finally:
            self._answers.pop(number, None)
        if reply.get("ok"):
            return dict(reply.get("result") or {})
        error_data = reply.get("error") or {}
        message = str(error_data.get("message") or "通話エンジンが受け付けませんでした")
        raise EngineRefused(
            str(error_data.get("code", "refused")), message, str(error_data.get("message_en") or message)
        )

    async def _keep(self) -> None:
        delay = RECONNECT_FIRST_S
        while True:
            try:
                await self._session()
                delay = RECONNECT_FIRST_S
            except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
                log.debug("engine link: %s", error)
            self._down()
            await asyncio.sleep(delay * random.uniform(0.7, 1.0))
            delay = min(delay * 2, RECONNECT_MAX_S)

    async def _session(self) -> None:
        connector = aiohttp.UnixConnector(path=str(self._path))
        async with aiohttp.ClientSession(connector=connector) as session:
            async with session.ws_connect(
                "http://engine/", heartbeat=HEARTBEAT_S, compress=0, max_msg_size=64 * 2**20
            ) as socket:
                self._socket = socket
                await socket.send_str('{"id":0,"do":"hello","program":"console"}')
                async for message in socket:
                    if message.type is aiohttp.WSMsgType.TEXT:
                        self._take(orjson.loads(message.data))

    def _take(self, frame: dict[str, Any]) -> None:
        match frame.get("event"):
            case "live":
                self.state.replace(frame["live"])
                if not self.connected:
                    self.connected = True
                    self.connections += 1
                    self.changed_at = datetime.now(UTC)
                    log.info("engine link is up")
                self._tell()
            case "changed":
                self.state.change(frame)
                self._tell()
            case None:
                answer = self._answers.get(frame.get("id", -1))
                if answer is not None and not answer.done():
                    answer.set_result(frame)
            case _:
                pass  # an engine newer than this console may tell more than we understand

    def _down(self) -> None:
        self._socket = None
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(ConnectionResetError("engine link lost"))
        if self.connected:
            self.connected = False
            self.changed_at = datetime.now(UTC)
            log.warning("engine link is down; reconnecting to %s", self._path)
            self._tell()

    def _tell(self) -> None:
        for callback in tuple(self._listeners):
            callback()
