"""/live: the live state to each page, filtered by rights; at once after a change, then at most twenty times a
second (`live_hub`).

Down to the page, JSON objects that hold only what changed:
`at`, `full` (the first one), `engine` (connected/away), `switch`, `waiting`; for a seat `me`, `call`,
`callback` (the one offered to them), `helps` (what they ask help for), `own_today`, `phone_page` (which page
has their telephone: seat, board or none), `replaced` (opened elsewhere); for a board `operators`, `calls`,
`gone`, `gone_operators`, `kpi`, `callbacks` ({count, now}), `trend`; for those who supervise `all_helps`; for
those with the right `alarms`.
Up from the page: `{"seat": {"instance", "phone", "in_call", "page"}}` announces a seat (or a board's phone),
`{"active": true}` says that its user is there, `{"ping": true}` is answered at once by a frame of `at` alone.
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
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from .console import Console, console_of, session_of
from .live_hub import HUB
from .live_state import Entity, shown_callback
from .problems import Problem
from .rights import Right, Role
from .seats import SEATS, Seat
from .sessions import Session
from .today import TODAY

log = logging.getLogger(__name__)

_CHECK_SESSION_S = 10.0
_MAX_FRAME = 4096
CLOSE_SIGNED_OUT: Final = 4401


class LiveSeat(BaseModel):
    """A page with a telephone. `instance` is new with each load of it; `in_call`: it holds a conversation."""

    model_config = ConfigDict(extra="forbid")
    instance: str = Field(min_length=8, max_length=64, pattern=r"^[A-Za-z0-9-]+$")
    phone: str = Field(pattern="^(browser|desk)$")
    in_call: bool = False
    page: str = Field("seat", pattern="^(seat|board)$")


class LiveUp(BaseModel):
    """A frame from the page."""

    model_config = ConfigDict(extra="forbid")
    seat: LiveSeat | None = None
    active: bool = False
    ping: bool = False  # by this a page notices a line that is dead


async def live(request: web.Request) -> web.StreamResponse:
    """The handler of /live."""
    session = session_of(request)
    if session is None:
        raise Problem(401, "signin", "problem.signin", {})
    socket = web.WebSocketResponse(heartbeat=10.0, compress=False, max_msg_size=_MAX_FRAME)
    await socket.prepare(request)
    page = _Page(console_of(request), request.app, session, socket)
    await page.run()
    return socket


class _Page:
    """One page that looks at the live state."""

    def __init__(
        self, console: Console, app: web.Application, session: Session, socket: web.WebSocketResponse
    ) -> None:
        self._console, self._session, self._socket = console, session, socket
        self._seats, self._today = app[SEATS], app[TODAY]
        self._hub = app[HUB]
        self._dirty = asyncio.Event()
        self._dirty.set()
        self._version = -1
        self._sent: dict[str, Any] = {}
        self._serials: dict[str, int] = {}
        self._common = _common(session)
        self._seat: Seat | None = None

    async def run(self) -> None:
        writer = asyncio.create_task(self._write())
        guard = asyncio.create_task(self._guard())
        self._console.sockets.add(self._socket)
        stop_state = self._hub.join(self._dirty.set)
        stop_today = self._today.listen(lambda: self._hub.poke())  # one of its own: it ends with the page
        try:
            async for message in self._socket:
                if message.type is not aiohttp.WSMsgType.TEXT or not await self._read(message.data):
                    await self._socket.close(code=aiohttp.WSCloseCode.POLICY_VIOLATION)
                    break
        finally:
            self._console.sockets.discard(self._socket)
            if self._seat is not None:
                self._seats.leave(self._seat)
            stop_state()
            stop_today()
            for task in (writer, guard):
                task.cancel()
            await asyncio.gather(writer, guard, return_exceptions=True)

    async def _read(self, text: str) -> bool:
        try:
            frame = LiveUp.model_validate_json(text)
        except ValidationError as error:
            log.info("live: frame of %s refused: %s", self._session.account.login, error.error_count())
            return False
        if frame.ping:  # no sign of life of the user: a session must still be able to end
            with contextlib.suppress(ConnectionError):
                await self._socket.send_str(orjson.dumps({"at": _now()}).decode())
            return True
        await self._console.sessions.touch(self._session)
        operator = self._session.account.operator
        if frame.seat is not None and operator is not None and self._session.may(Right.SEAT):
            told = frame.seat
            if self._seat is None:
                self._seat = Seat(
                    operator, told.instance, told.phone, told.in_call, self._replaced, told.page
                )
            self._seat.phone, self._seat.in_call = told.phone, told.in_call
            await self._seats.take(self._seat)
        return True

    def _replaced(self) -> None:
        self._sent["replaced"] = True
        self._dirty.set()

    async def _guard(self) -> None:
        """Ends the socket when the session has ended; a conversation in progress keeps it alive."""
        if self._session.account.role is Role.SYSTEM:
            return  # a program with the token has no session that could end
        while True:
            await asyncio.sleep(_CHECK_SESSION_S)
            operator = self._session.account.operator
            if operator and self._seat and self._console.link.state.call_of(operator):
                await self._console.sessions.touch(self._session)
            if not await self._console.sessions.still_holds(self._session):
                await self._socket.close(code=CLOSE_SIGNED_OUT, message=b"signed out")
                return

    async def _write(self) -> None:
        with contextlib.suppress(ConnectionError):
            while not self._socket.closed:
                await self._dirty.wait()
                self._dirty.clear()
                if parts := self._parts():
                    at = b'"at":"' + _now().encode() + b'"'
                    await self._socket.send_str((b"{" + b",".join([at, *parts]) + b"}").decode())

    def _parts(self) -> list[bytes]:
        """What changed since the last frame: the insides of JSON objects."""
        self._hub.refresh()
        parts = []
        first = self._version < 0
        if first:
            parts.append(b'"full":true')
        for name in self._common:
            shared = self._hub.shared(name)
            if shared is not None and self._serials.get(name) != shared.serial:
                self._serials[name] = shared.serial
                parts.append(b'"' + name.encode() + b'":' + shared.json)
        since, self._version = self._version, self._console.link.state.version
        if self._session.may(Right.BOARD):
            parts.append(self._hub.board(since, self._session.rights))
        if own := self._own():
            parts.append(orjson.dumps(own)[1:-1])
        return [part for part in parts if part]

    def _own(self) -> dict[str, Any]:
        """What changed of what is this page's alone."""
        update: dict[str, Any] = {}
        if self._sent.pop("replaced", False):
            update["replaced"] = True
        operator = self._session.account.operator
        if operator is None:
            return update
        state = self._console.link.state
        call, callback = state.call_of(operator), state.callback_of(operator)
        current: dict[str, Any] = {
            "me": state.operators.get(operator),
            "call": self._hub.shown(call, self._session.rights) if call else None,
            "callback": self._shown_callback(callback) if callback else None,
            "helps": state.helps_of(operator),
            "own_today": self._today.own(operator),
            "phone_page": self._seats.page_of(operator),
        }
        for name, value in current.items():
            known = self._sent.get(name, self)
            if known is not value and known != value:
                update[name] = self._sent[name] = value
        return update

    def _shown_callback(self, callback: Entity) -> Entity:
        return shown_callback(callback, self._session.rights, self._console.groups)


def _common(session: Session) -> tuple[str, ...]:
    """The shared values that these eyes see."""
    names = ["engine", "switch", "waiting"]
    if session.may(Right.BOARD):
        names += ["kpi", "callbacks", "trend"]
    if session.may(Right.SUPERVISE):
        names.append("all_helps")
    if session.may(Right.ALARMS):
        names.append("alarms")
    return tuple(names)


def live_values(console: Console) -> dict[str, Any]:
    """What of the engine's state all pages share (a source of the hub)."""
    link, state = console.link, console.link.state
    waiting = state.waiting()
    return {
        "engine": "connected" if link.connected else "away",
        "switch": state.switch_connected,
        "waiting": {"count": waiting.count, "longest_since": waiting.longest_since},
        "callbacks": _callbacks(state.callbacks),
        "all_helps": state.helps,
    }


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _callbacks(callbacks: list[Entity]) -> dict[str, Any]:
    """How many callbacks have not ended, and how many of them are being rung or called now."""
    now = sum(one.get("state") in {"ringing", "calling", "talking"} for one in callbacks)
    return {"count": len(callbacks), "now": now}
