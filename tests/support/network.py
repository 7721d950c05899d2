"""The network between a browser and the centre, as a laptop's owner knows it: lines that break, lines that go
dead without a word, sound that is lost on the way, another network after a walk to the next room.

The browser talks to `Network.web` instead of the console. Pages, `/live` and `/sip` are passed on; the
addresses in SIP bodies are replaced by a relay of ours, so that the sound passes here too.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import re
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
from aiohttp import WSMsgType, web

_HOP = {"connection", "keep-alive", "transfer-encoding", "upgrade", "content-encoding", "content-length"}
_CANDIDATE = re.compile(r"^a=candidate:\S+ 1 udp \d+ ([0-9.]+) (\d+) typ host.*$", re.I | re.M)


class _Leg(asyncio.DatagramProtocol):
    """One side of a relay; what arrives is given to the other side."""

    transport: asyncio.DatagramTransport

    def __init__(self, relay: Relay) -> None:
        self.relay = relay

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self.relay.passed(self, data, addr)

    @property
    def port(self) -> int:
        return int(self.transport.get_extra_info("sockname")[1])


class Relay:
    """Carries the sound of one conversation over one network between the browser and Asterisk."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.near, self.far = _Leg(self), _Leg(self)  # towards the browser, towards Asterisk
        self.browser: Any = None
        self.asterisk: Any = None
        self.dead = False

    @classmethod
    async def open(cls, network: Network) -> Relay:
        made = cls(network)
        loop = asyncio.get_running_loop()
        for leg in (made.near, made.far):
            await loop.create_datagram_endpoint(lambda leg=leg: leg, local_addr=("127.0.0.1", 0))  # type: ignore[misc]
        return made

    def passed(self, leg: _Leg, data: bytes, addr: Any) -> None:
        if leg is self.near:
            self.browser = addr
        if self.dead or self.network.silent or random.random() < self.network.loss:
            return
        to, via = (self.asterisk, self.far) if leg is self.near else (self.browser, self.near)
        if to is not None:
            via.transport.sendto(data, to)

    def close(self) -> None:
        self.near.transport.close()
        self.far.transport.close()


class Network:
    """`silent`: nothing passes and nobody is told. `loss`: share of the sound's packets that is lost, 0…1."""

    def __init__(self, console: str) -> None:
        self._console = console
        self.web = ""
        self.silent = False
        self.loss = 0.0
        self._refused: set[str] = set()
        self._sockets: dict[str, set[web.WebSocketResponse]] = {"/live": set(), "/sip": set()}
        self._passing = 0  # networks changed so far: older connections are dead
        self._relays: dict[tuple[str, int], Relay] = {}
        self._client: aiohttp.ClientSession
        self.accepted = {"/live": 0, "/sip": 0}
        self._more = asyncio.Condition()

    # -- what a test does with it

    async def cut(self, *paths: str) -> None:
        """The WebSockets of these paths (`/live`, `/sip`) are closed and cannot be opened until `mend`."""
        self._refused |= set(paths)
        for path in paths:
            for socket in list(self._sockets[path]):
                if socket._req is not None and socket._req.transport is not None:
                    socket._req.transport.abort()

    def mend(self) -> None:
        """Everything can be reached again."""
        self._refused.clear()
        self.silent = False

    def change(self) -> None:
        """The laptop is in another network: what was connected before is dead, new connections are made."""
        self._passing += 1
        for relay in self._relays.values():
            relay.dead = True

    async def opened(self, path: str, more_than: int, within_s: float = 60.0) -> None:
        """Until more than so many connections of this path were made in all."""
        async with asyncio.timeout(within_s), self._more:
            await self._more.wait_for(lambda: self.accepted[path] > more_than)

    # -- how it works

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        while self.silent:
            await asyncio.sleep(0.05)
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await self._join(request)
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _HOP}
        async with self._client.request(
            request.method,
            self._console + request.path_qs,
            headers=headers,
            data=await request.read(),
            allow_redirects=False,
        ) as answer:
            body = await answer.read()
            made = web.Response(status=answer.status, body=body)
            for name, value in answer.headers.items():
                if name.lower() not in _HOP | {"content-type"}:
                    made.headers.add(name, value)
            made.headers["Content-Type"] = answer.headers.get("Content-Type", "text/plain")
            return made

    async def _join(self, request: web.Request) -> web.StreamResponse:
        if request.path in self._refused:
            raise web.HTTPBadGateway
        protocols = ("sip",) if request.path == "/sip" else ()
        headers = {
            name: request.headers[name] for name in ("Host", "Origin", "Cookie") if name in request.headers
        }
        try:
            far = await self._client.ws_connect(
                self._console + request.path, protocols=protocols, headers=headers, autoping=False
            )
        except (aiohttp.ClientError, OSError):
            raise web.HTTPBadGateway from None
        near = web.WebSocketResponse(protocols=protocols)
        try:
            await near.prepare(request)
        except ConnectionResetError:  # given up meanwhile
            await far.close()
            raise web.HTTPBadGateway from None
        self._sockets[request.path].add(near)
        async with self._more:
            self.accepted[request.path] += 1
            self._more.notify_all()
        born = self._passing
        down = asyncio.create_task(self._pump(request.path, far, near, born))
        try:
            await self._pump(request.path, near, far, born)
        finally:
            down.cancel()
            await asyncio.gather(down, return_exceptions=True)
            self._sockets[request.path].discard(near)
            await far.close()
            with contextlib.suppress(Exception):
                await near.close()
        return near

    async def _pump(self, path: str, source: Any, to: Any, born: int) -> None:
        """Frames from one side to the other; those of a dead network are swallowed."""
        with contextlib.suppress(ConnectionError, aiohttp.ClientError):
            async for message in source:
                while self.silent and self._passing == born:
                    await asyncio.sleep(0.05)  # held back as TCP would
                if self._passing != born:
                    continue
                if message.type is WSMsgType.PING:
                    await source.pong(message.data)  # by hand: a dead line answers none
                elif message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
                    data = message.data
                    text = data if isinstance(data, str) else data.decode()
                    if path == "/sip" and "a=candidate:" in text:
                        text = await self._through_relay(text, isinstance(to, web.WebSocketResponse))
                    await (to.send_str(text) if isinstance(data, str) else to.send_bytes(text.encode()))
        if self._passing != born and not isinstance(to, web.WebSocketResponse):
            await asyncio.Event().wait()  # the browser gave a dead line up: the centre does not hear of it
        if isinstance(to, web.WebSocketResponse):
            await to.close()

    async def _through_relay(self, text: str, towards_browser: bool) -> str:
        head, _, body = text.partition("\r\n\r\n")
        found = re.search(r"^Call-ID:\s*(\S+)", head, re.I | re.M)
        assert found is not None
        key = (found[1], self._passing)
        relay = self._relays.get(key)
        if relay is None:
            relay = self._relays[key] = await Relay.open(self)
        candidates = _CANDIDATE.findall(body)
        if towards_browser:
            address, port = candidates[0]
            relay.asterisk = (address, int(port))
        elif relay.asterisk is None:
            relay.asterisk = next(
                (r.asterisk for (call, _), r in self._relays.items() if call == key[0]), None
            )
        ours = relay.near.port if towards_browser else relay.far.port
        line = f"a=candidate:1 1 udp 2130706431 127.0.0.1 {ours} typ host"
        lines = [one for one in body.split("\r\n") if not one.startswith("a=candidate:")]
        place = next(i for i, one in enumerate(lines) if one.startswith("a=ice-ufrag"))
        body = "\r\n".join([*lines[:place], line, *lines[place:]])
        head = re.sub(
            r"^Content-Length:.*$", f"Content-Length: {len(body.encode())}", head, flags=re.I | re.M
        )
        return f"{head}\r\n\r\n{body}"

    def close(self) -> None:
        for relay in self._relays.values():
            relay.close()


@contextlib.asynccontextmanager
async def network(console: str) -> AsyncIterator[Network]:
    """A network in front of the console at this address; `.web` is where browsers find it."""
    made = Network(console)
    app = web.Application(client_max_size=64 * 1024 * 1024)
    app.router.add_route("*", "/{path:.*}", made._handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    async with aiohttp.ClientSession(
        auto_decompress=True, cookie_jar=aiohttp.DummyCookieJar()
    ) as made._client:
        port = runner.addresses[0][1]
        made.web = f"http://127.0.0.1:{port}"
        try:
            yield made
        finally:
            made.mend()
            made.change()
            made.close()
            for path in made._sockets:
                await made.cut(path)
            await runner.cleanup()
