"""One ARI connection: events from Asterisk, requests to it, from the handshake until the socket is lost.

Requests have two lanes (docs/decisions/0003-ari-transport.md). The event WebSocket itself carries them
(Asterisk >= 22.4), which is cheap but strictly one after another in Asterisk's reader thread; HTTP carries
what may take long or is large, and everything while an answer on the WebSocket is overdue.
A connection is never repaired: when it is lost, `lost` is set and a new one is made.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Mapping
from typing import Any, Literal

import aiohttp
import orjson

from switch.api import NotFound, Refused, SwitchError, SwitchGone, SwitchSettings

log = logging.getLogger(__name__)

# What the switch acts upon, and no more: each type costs Asterisk and us time in every call. The filter
# applies to the answers of requests on the WebSocket too, so RESTResponse must be in it.
EVENTS = (
    "RESTResponse",
    "ApplicationReplaced",
    "StasisStart",
    "StasisEnd",
    "ChannelStateChange",
    "ChannelHangupRequest",
    "ChannelDestroyed",
    "ChannelDtmfReceived",
    "PlaybackFinished",
    "ChannelTransfer",
    "ChannelUnhold",
)
# An answer on the WebSocket that takes longer than this blocks all behind it: others then go by HTTP.
OVERDUE_S = 0.03
URGENT_S = 0.001
_MAX_MESSAGE = 16 * 1024 * 1024
# Asterisk closes an idle HTTP connection after session_keep_alive (15 s by default); ours must go first.
_CLOSE_S = 1.0
_KEEP_ALIVE_S = 8.0

# urgent: the socket unless something has been under way on it for a while. A phone to be rung does not wait.
Lane = Literal["auto", "socket", "http", "urgent"]
Event = dict[str, Any]


class AriConnection:
    """A live connection. `on_event` gets every event, in order, in the reader task; it must not block.

    `lost` is a future with the reason (str) why the connection ended. Every request still open then raises
    SwitchGone.
    """

    def __init__(self, settings: SwitchSettings, on_event: Callable[[Event], None]) -> None:
        self._settings = settings
        self._on_event = on_event
        self._http_session: aiohttp.ClientSession | None = None
        self._event_socket: aiohttp.ClientWebSocketResponse | None = None
        self._reader: asyncio.Task[None] | None = None
        self._open: dict[str, asyncio.Future[Event]] = {}
        self._sent_at: dict[str, float] = {}  # insertion order = order of sending
        self._number = 0
        self.lost: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.on_lost: Callable[[], None] = lambda: None
        self.replaced = False

    @property
    def _http(self) -> aiohttp.ClientSession:
        if self._http_session is None:
            raise SwitchGone("the connection to Asterisk was never opened")
        return self._http_session

    @property
    def _socket(self) -> aiohttp.ClientWebSocketResponse:
        if self._event_socket is None:
            raise SwitchGone("the connection to Asterisk was never opened")
        return self._event_socket

    async def open(self) -> None:
        """Connects the event socket and sets the event filter. Raises SwitchGone or SwitchError."""
        settings = self._settings
        authorization = aiohttp.encode_basic_auth(settings.ari_user, settings.ari_password)
        self._http_session = aiohttp.ClientSession(
            headers={"Authorization": authorization},
            connector=aiohttp.TCPConnector(limit=64, keepalive_timeout=_KEEP_ALIVE_S),
            timeout=aiohttp.ClientTimeout(total=settings.request_timeout_s),
        )
        try:
            # asyncio.timeout and never wait_for: the latter may swallow a cancellation (Python 3.11).
            async with asyncio.timeout(settings.request_timeout_s):
                self._event_socket = await self._http.ws_connect(
                    f"{settings.ari_url}/events",
                    params={"app": settings.application},
                    heartbeat=settings.heartbeat_s,
                    max_msg_size=_MAX_MESSAGE,
                )
        except aiohttp.WSServerHandshakeError as error:
            await self._http.close()
            hint = "check the ARI user and password" if error.status == 401 else "it may be starting still"
            raise SwitchError(
                f"Asterisk at {settings.ari_url} refuses the event socket (HTTP {error.status}): {hint}"
            ) from None
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            await self._http.close()
            raise SwitchGone(f"cannot reach Asterisk at {settings.ari_url}: {_words(error)}") from None
        self._reader = asyncio.create_task(self._read(), name="ari-reader")
        try:
            allowed = [{"type": name} for name in EVENTS]
            await self.request(
                "PUT",
                f"applications/{settings.application}/eventFilter",
                body={"allowed": allowed},
                lane="http",
            )
        except BaseException:
            await self.close("set-up failed")
            raise

    async def close(self, why: str = "closed by us") -> None:
        """Ends the connection; open requests raise SwitchGone. Idempotent."""
        self._end(why)
        if self._reader is not None:
            self._reader.cancel()
            # Bounded, like all that follows: nothing of an old connection may keep us from a new one.
            if not (await asyncio.wait([self._reader], timeout=_CLOSE_S))[0]:
                log.warning("ari: the reader of a lost connection does not end; left behind")
        if self._event_socket is not None and not self._event_socket.closed:
            # A peer that is silent must not hold us up: no closing handshake beyond this.
            with contextlib.suppress(TimeoutError, aiohttp.ClientError, OSError):
                async with asyncio.timeout(0.2):
                    await self._event_socket.close()
        if self._http_session is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_CLOSE_S):
                    await self._http_session.close()

    async def request(
        self,
        method: str,
        uri: str,
        query: Mapping[str, str] | None = None,
        *,
        body: object = None,
        lane: Lane = "auto",
    ) -> Any:
        """One ARI request, e.g. `request("POST", "channels/1/answer")`; gives the parsed answer or None.

        Raises NotFound (404), Refused (409, 412, 422, or `create` without a contact), SwitchGone when the
        connection is lost, SwitchError for all else (with HTTP also when no answer came in time).
        """
        if self.lost.done():
            raise SwitchGone(f"{method} {uri}: not connected to Asterisk ({self.lost.result()})")
        if lane == "http" or (lane != "socket" and self._overdue(lane)):
            status, text = await self._by_http(method, uri, query, body)
        else:
            status, text = await self._by_socket(method, uri, query, body)
        if status < 300:
            return orjson.loads(text) if text else None
        raise _error(method, uri, status, text)

    def _overdue(self, lane: Lane) -> bool:
        """Whether the oldest request on the socket has been under way for too long to stand behind it."""
        for sent_at in self._sent_at.values():
            return time.monotonic() - sent_at > (URGENT_S if lane == "urgent" else OVERDUE_S)
        return False

    async def _by_socket(
        self, method: str, uri: str, query: Mapping[str, str] | None, body: object
    ) -> tuple[int, str | bytes]:
        self._number += 1
        number = str(self._number)
        message: dict[str, Any] = {
            "type": "RESTRequest", "transaction_id": number, "request_id": number,
            "method": method, "uri": uri,
        }  # fmt: skip
        if query:
            message["query_strings"] = [{"name": name, "value": value} for name, value in query.items()]
        if body is not None:
            message["content_type"] = "application/json"
            message["message_body"] = orjson.dumps(body).decode()
        answer: asyncio.Future[Event] = asyncio.get_running_loop().create_future()
        self._open[number] = answer
        self._sent_at[number] = time.monotonic()
        try:
            async with asyncio.timeout(self._settings.request_timeout_s):
                await self._socket.send_str(orjson.dumps(message).decode())
                got = await answer
        except TimeoutError:
            # The lane is blocked for all: only a new connection and a look at the facts help.
            why = f"no answer to {method} {uri} within {self._settings.request_timeout_s} s"
            self._end(why)
            raise SwitchGone(f"the connection to Asterisk was given up: {why}") from None
        except (aiohttp.ClientError, OSError) as error:
            raise SwitchGone(f"{method} {uri}: the connection was lost: {_words(error)}") from None
        finally:
            self._open.pop(number, None)
            # A request given up stays in _sent_at until its answer comes: the lane is still busy.
            if answer.done():
                self._sent_at.pop(number, None)
        return int(got["status_code"]), got.get("message_body", "")

    async def _by_http(
        self, method: str, uri: str, query: Mapping[str, str] | None, body: object
    ) -> tuple[int, str | bytes]:
        data = None if body is None else orjson.dumps(body)
        headers = None if body is None else {"Content-Type": "application/json"}
        try:
            async with self._http.request(
                method, f"{self._settings.ari_url}/{uri}", params=query, data=data, headers=headers
            ) as response:
                return response.status, await response.read()
        except TimeoutError:
            # One request held up (by a channel that plays, say) says nothing of the connection.
            seconds = self._settings.request_timeout_s
            raise SwitchError(f"{method} {uri}: no answer from Asterisk within {seconds} s") from None
        except (aiohttp.ClientError, OSError) as error:
            raise SwitchGone(f"{method} {uri}: the connection was lost: {_words(error)}") from None

    async def _read(self) -> None:
        """Parses and hands on, nothing else: a reader that waits is cut off by Asterisk."""
        why = "Asterisk closed the event socket"
        try:
            async for message in self._socket:
                if message.type is not aiohttp.WSMsgType.TEXT:
                    continue
                try:
                    event: Event = orjson.loads(message.data)
                    kind = event["type"]
                except (orjson.JSONDecodeError, KeyError, TypeError):
                    log.error("ari: a message that is no event was dropped (%d bytes)", len(message.data))
                    continue
                if kind == "RESTResponse":
                    self._answered(event)
                elif kind == "ApplicationReplaced":
                    # Asterisk leaves the old socket open and deaf: close it ourselves.
                    self.replaced = True
                    why = "another engine took over the application"
                    break
                else:
                    self._deliver(event)
            if (error := self._socket.exception()) is not None:
                why = _words(error)
        except (aiohttp.ClientError, OSError) as error:
            why = _words(error)
        finally:
            self._end(why)

    def _deliver(self, event: Event) -> None:
        try:
            self._on_event(event)
        except Exception:
            # One wrong event or handler must not make us deaf to all the other calls.
            log.exception("ari: handling %s failed; going on", event.get("type"))

    def _answered(self, event: Event) -> None:
        number = event.get("request_id", "")
        self._sent_at.pop(number, None)
        answer = self._open.pop(number, None)
        if answer is not None and not answer.done():
            answer.set_result(event)

    def _end(self, why: str) -> None:
        if self.lost.done():
            return
        self.lost.set_result(why)
        for answer in self._open.values():
            if not answer.done():
                answer.set_exception(SwitchGone(f"the connection to Asterisk was lost: {why}"))
        self._open.clear()
        self.on_lost()


def _error(method: str, uri: str, status: int, text: str | bytes) -> SwitchError:
    said = text if isinstance(text, str) else text.decode(errors="replace")
    with contextlib.suppress(orjson.JSONDecodeError):
        parsed = orjson.loads(said)
        if isinstance(parsed, dict):
            said = str(parsed.get("message") or parsed.get("error") or said)
    message = f"{method} {uri}: Asterisk answered {status} {said[:200]}"
    if status == 404:
        return NotFound(message)
    if status in (409, 412, 422) or (status == 500 and uri == "channels/create"):
        return Refused(message)
    return SwitchError(message)


def _words(error: BaseException) -> str:
    return str(error) or type(error).__name__
