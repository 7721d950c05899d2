"""The console's web application: what is routed where, and what runs beside it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from collections.abc import AsyncIterator

import aiohttp
import orjson
from aiohttp import web

from store import Store

from . import (
    api,
    call_pages,
    desk_routes,
    distribution_routes,
    held,
    pages,
    plan_routes,
    sip_proxy,
    supervision_routes,
)
from .accounts import SignIns, sync_users
from .api.live_document import with_live
from .console import CONSOLE, Console, console_of, session_of
from .distribution.trial import TRIALS, Trials
from .link import EngineLink
from .live_hub import HUB, LiveHub
from .live_site import follow_site, read_keys, read_site
from .live_socket import live, live_values
from .plan.voice import VOICE, Voice
from .problems import Problem
from .rights import Right
from .seats import SEATS, Seats
from .security import errors, language, put_headers, who
from .sessions import Sessions
from .settings import ConsoleError, ConsoleSettings
from .today import TODAY, Today
from .views import STATIC

log = logging.getLogger(__name__)

VERSION = "0.1.0"
_YEAR_S = 365 * 24 * 3600
_SHUTDOWN_S = 2.0


async def create_app(settings: ConsoleSettings) -> web.Application:
    """The application, its database open and its users in line with the site. Raises ConsoleError and
    store.StoreUnavailable; everything it holds is closed by the application's own clean-up."""
    site = read_site(settings)
    keys = read_keys(settings, site)
    store = await Store.open(settings.database_url)
    try:
        await sync_users(store, site)
    except BaseException:
        await store.close()
        raise
    app = web.Application(middlewares=[language, errors, who], client_max_size=settings.max_body_bytes)
    app[CONSOLE] = Console(
        settings=settings,
        site=site,
        keys=keys,
        store=store,
        link=EngineLink(settings.control_socket),
        sessions=Sessions(store, settings.session_idle_s, settings.session_absolute_s),
        sign_ins=SignIns(store),
        client=aiohttp.ClientSession(),
    )
    app[SEATS] = Seats(app[CONSOLE].link)
    app[TODAY] = Today(app[CONSOLE])
    app[HUB] = hub = LiveHub(app[CONSOLE])
    hub.feed(lambda: live_values(app[CONSOLE]))
    hub.feed(lambda: {"kpi": app[TODAY].figures})
    app[SEATS].changed = hub.poke
    app[TRIALS] = Trials()
    app[VOICE] = Voice(settings.sounds_folder, settings.audio_folder)
    app.on_response_prepare.append(put_headers)
    app.on_shutdown.append(_close_sockets)
    app.cleanup_ctx.append(_background)
    _routes(app)
    return app


def _routes(app: web.Application) -> None:
    add = app.router
    add.add_get("/", pages.root)
    add.add_get("/signin", pages.sign_in_form)
    add.add_post("/signin", pages.sign_in)
    add.add_post("/signout", pages.sign_out)
    add.add_post("/language", pages.set_language)
    add.add_get("/seat", pages.seat)
    add.add_get("/calls", call_pages.calls)
    add.add_get("/calls/{call}", call_pages.call)
    add.add_post("/calls/{call}/recording", held.hold_page)
    add.add_get("/account", pages.account)
    add.add_post("/account", pages.change_password)
    add.add_get("/citizen", pages.citizen)
    add.add_get("/live", live)
    add.add_get("/sip", _sip)
    add.add_get("/healthz", _healthz)
    add.add_get("/api/openapi.json", _openapi)
    add.add_get("/static/{name:.+}", _static)
    distribution_routes.add(app)
    desk_routes.add(app)
    plan_routes.add(app)
    supervision_routes.add(app)
    api.add_routes(app, api.OPERATIONS)


async def _background(app: web.Application) -> AsyncIterator[None]:
    console = app[CONSOLE]
    console.link.start()
    work = [app[TODAY].run(), follow_site(console), *supervision_routes.background(app)]
    tasks = [asyncio.create_task(each) for each in work]
    yield
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await console.link.stop()
    await app[VOICE].close()
    await app[TRIALS].close()
    await console.client.close()
    await console.store.close()


async def _close_sockets(app: web.Application) -> None:
    """Before anything is torn down: pages are told that we are coming back, the engine that nobody left."""
    app[SEATS].close()
    app[CONSOLE].closing.set()
    sockets = tuple(app[CONSOLE].sockets)
    await asyncio.gather(
        *(s.close(code=aiohttp.WSCloseCode.SERVICE_RESTART) for s in sockets), return_exceptions=True
    )


async def _sip(request: web.Request) -> web.StreamResponse:
    console, session = console_of(request), session_of(request)
    allowed = session is not None and session.may(Right.SEAT)
    if not allowed and not console.settings.demo:
        raise Problem(401, "signin", "problem.signin", {})
    return await sip_proxy.proxy(request, console)


async def _healthz(request: web.Request) -> web.StreamResponse:
    """200 as long as pages are served; what else is away stands in the body."""
    link = console_of(request).link
    body = {"ok": True, "engine": link.connected, "switch": link.connected and link.state.switch_connected}
    return web.Response(body=orjson.dumps(body), content_type="application/json")


async def _openapi(request: web.Request) -> web.StreamResponse:
    body = orjson.dumps(with_live(api.openapi(api.OPERATIONS, VERSION)))
    return web.Response(body=body, content_type="application/json")


async def _static(request: web.Request) -> web.StreamResponse:
    path = (STATIC / request.match_info["name"]).resolve()
    if not path.is_relative_to(STATIC) or not path.is_file():
        raise web.HTTPNotFound
    # Names of bundle chunks carry a hash; all others are asked for with ?v=hash.
    lasting = "v" in request.query or "/chunk-" in request.path
    cache = f"public, max-age={_YEAR_S}, immutable" if lasting else "no-cache"
    return web.FileResponse(path, headers={"Cache-Control": cache})


async def run(settings: ConsoleSettings) -> None:
    """Serves until SIGTERM or SIGINT, then ends cleanly. Raises ConsoleError, store.StoreUnavailable."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    app = await create_app(settings)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=_SHUTDOWN_S)
    async with contextlib.AsyncExitStack() as stack:
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        try:
            await web.TCPSite(runner, settings.listen, settings.http_port, reuse_address=True).start()
        except OSError as error:
            raise ConsoleError(
                f"cannot serve on {settings.listen}:{settings.http_port}: {error.strerror}; "
                "choose another --http-port or stop what uses it"
            ) from None
        log.info("console serves on %s:%s", settings.listen, settings.http_port)
        await stop.wait()
