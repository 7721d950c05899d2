"""/sip: the browser phone's SIP WebSocket, passed on to Asterisk from the same origin as the pages.

Asterisk's HTTP server stays on loopback; whoever is not signed in (or, in the demo, not the citizen's page)
never reaches it. Frames go through unread, but for the page's keep-alives, which are answered here.
"""

from __future__ import annotations

import asyncio
import logging

import aiohttp
from aiohttp import web

from .console import Console

log = logging.getLogger(__name__)

MAX_FRAME = 64 * 1024  # an INVITE with many candidates has some 8 kB
_CONNECT_TIMEOUT_S = 5.0
_PING, _PONG = "\r\n\r\n", "\r\n"  # RFC 5626, 3.5.1: by these the page notices a line that is dead


async def proxy(request: web.Request, console: Console) -> web.StreamResponse:
    """Joins the browser's WebSocket with one to Asterisk until either ends. 502 when Asterisk is away."""
    upstream_url = console.settings.ari_ws_url
    try:
        async with asyncio.timeout(_CONNECT_TIMEOUT_S):
            upstream = await console.client.ws_connect(
                upstream_url, protocols=("sip",), compress=0, max_msg_size=MAX_FRAME, autoping=True
            )
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        log.warning("sip: Asterisk does not take the WebSocket at %s: %s", upstream_url, error)
        raise web.HTTPBadGateway from None
    browser = web.WebSocketResponse(
        protocols=("sip",), compress=False, max_msg_size=MAX_FRAME, heartbeat=10.0, autoping=True
    )
    try:
        await browser.prepare(request)
        console.sockets.add(browser)
        down = asyncio.create_task(_pump_down(upstream, browser))
        try:
            await _pump_up(browser, upstream)
        finally:
            down.cancel()
            await asyncio.gather(down, return_exceptions=True)
    finally:
        console.sockets.discard(browser)
        await upstream.close()
        await browser.close(code=aiohttp.WSCloseCode.GOING_AWAY)
    return browser


async def _pump_up(browser: web.WebSocketResponse, upstream: aiohttp.ClientWebSocketResponse) -> None:
    async for message in browser:
        if upstream.closed:
            return
        try:
            if message.type is aiohttp.WSMsgType.TEXT and message.data == _PING:
                await browser.send_str(_PONG)
            elif message.type is aiohttp.WSMsgType.TEXT:
                await upstream.send_str(message.data)
            elif message.type is aiohttp.WSMsgType.BINARY:
                await upstream.send_bytes(message.data)
        except (ConnectionError, aiohttp.ClientError):
            return


async def _pump_down(upstream: aiohttp.ClientWebSocketResponse, browser: web.WebSocketResponse) -> None:
    try:
        async for message in upstream:
            if message.type is aiohttp.WSMsgType.TEXT:
                await browser.send_str(message.data)
            elif message.type is aiohttp.WSMsgType.BINARY:
                await browser.send_bytes(message.data)
    except (ConnectionError, aiohttp.ClientError):
        pass
    finally:
        # Wakes the other pump, which is waiting for the browser.
        await browser.close(code=aiohttp.WSCloseCode.SERVICE_RESTART)
