"""/sip: frames go through untouched, for those who may, for as long as both ends live."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from .conftest import Start

REGISTER = "REGISTER sip:127.0.0.1 SIP/2.0\r\nContent-Length: 0\r\n\r\n"


@pytest.fixture
async def asterisk() -> AsyncIterator[TestServer]:
    """A WebSocket that echoes, and hangs up when told `BYE`."""

    async def serve(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(protocols=("sip",))
        await socket.prepare(request)
        async for message in socket:
            if message.data == "BYE":
                break
            if message.type is aiohttp.WSMsgType.BINARY:
                await socket.send_bytes(message.data)
            else:
                await socket.send_str(message.data)
        await socket.close()
        return socket

    app = web.Application()
    app.router.add_get("/ws", serve)
    server = TestServer(app)
    await server.start_server()
    yield server
    await server.close()


@pytest.mark.req("OPR-1")
async def test_frames_go_through_both_ways(start: Start, asterisk: TestServer) -> None:
    running = await start(ari_ws_url=str(asterisk.make_url("/ws")))
    browser = await running.browser("op01")
    async with browser.client.ws_connect("/sip", protocols=("sip",)) as socket:
        assert socket.protocol == "sip"
        await socket.send_str(REGISTER)
        assert await socket.receive_str(timeout=10) == REGISTER
        await socket.send_bytes(b"\x00\xff")
        assert await socket.receive_bytes(timeout=10) == b"\x00\xff"


@pytest.mark.req("REL-3")
async def test_asterisks_end_ends_the_browsers_socket(start: Start, asterisk: TestServer) -> None:
    running = await start(ari_ws_url=str(asterisk.make_url("/ws")))
    browser = await running.browser("op01")
    async with browser.client.ws_connect("/sip", protocols=("sip",)) as socket:
        await socket.send_str("BYE")
        assert (await socket.receive(timeout=10)).type is aiohttp.WSMsgType.CLOSE
        assert socket.close_code == aiohttp.WSCloseCode.SERVICE_RESTART


@pytest.mark.req("SEC-1")
async def test_only_seats_and_the_demos_citizen_get_through(start: Start, asterisk: TestServer) -> None:
    running = await start(users=("op01", "staff01"), ari_ws_url=str(asterisk.make_url("/ws")))
    for login in (None, "staff01"):
        browser = await running.browser(login)
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await browser.client.ws_connect("/sip", protocols=("sip",))
        assert refused.value.status == 401


async def test_the_demos_citizen_needs_no_sign_in(start: Start, asterisk: TestServer) -> None:
    running = await start(demo=True, ari_ws_url=str(asterisk.make_url("/ws")))
    browser = await running.browser()
    assert (await browser.get("/citizen")).status == 200
    async with browser.client.ws_connect("/sip", protocols=("sip",)) as socket:
        await socket.send_str(REGISTER)
        assert await socket.receive_str(timeout=10) == REGISTER


async def test_without_asterisk_the_browser_is_told_502(start: Start) -> None:
    running = await start()
    browser = await running.browser("op01")
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await browser.client.ws_connect("/sip", protocols=("sip",))
    assert refused.value.status == 502
