"""What all handlers share: one Console per program, found in the application under CONSOLE."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from typing import Final

import aiohttp
from aiohttp import web

from asterisk_conf import ConfigurationError, Secrets
from dialplans import Site, SiteError, load_site
from store import Store

from .accounts import SignIns, sync_users
from .formats import grouping_of
from .link import EngineLink
from .sessions import Session, Sessions
from .settings import ConsoleError, ConsoleSettings
from .texts import Language, Texts, texts

log = logging.getLogger(__name__)

_LOOK_EVERY_S = 2.0


@dataclass
class Console:
    """Everything a handler may need. `closing` is set when the program is about to end; `sockets` are the
    browsers' open WebSockets, closed first then."""

    settings: ConsoleSettings
    site: Site
    keys: Secrets
    store: Store
    link: EngineLink
    sessions: Sessions
    sign_ins: SignIns
    client: aiohttp.ClientSession
    closing: asyncio.Event = field(default_factory=asyncio.Event)
    sockets: set[web.WebSocketResponse] = field(default_factory=set)

    @property
    def groups(self) -> dict[str, tuple[int, ...]]:
        """How the site writes telephone numbers of its own area (for `formats.phone_number`)."""
        return grouping_of(number.number for number in self.site.numbers)

    @property
    def cookie(self) -> str:
        """The session cookie's name. Cookies know no ports: two centres on one host must not share a name."""
        return f"daihyo_session_{self.settings.http_port}"

    @property
    def form_cookie(self) -> str:
        """The sign-in form's cookie, which its token is bound to."""
        return f"daihyo_form_{self.settings.http_port}"


CONSOLE: Final = web.AppKey("console", Console)
SESSION: Final = web.RequestKey("session", Session)
LANGUAGE: Final = web.RequestKey("language", Language)
LANGUAGE_COOKIE: Final = "daihyo_language"


def console_of(request: web.Request) -> Console:
    """The Console of a request."""
    return request.app[CONSOLE]


def session_of(request: web.Request) -> Session | None:
    """Who asks, or None."""
    return request.get(SESSION)


def texts_of(request: web.Request) -> Texts:
    """The texts in the language of the request: the cookie's choice, Japanese otherwise."""
    return texts(request.get(LANGUAGE, Language.JA))


def read_site(settings: ConsoleSettings) -> Site:
    """The live site. Raises ConsoleError with the first problem's line."""
    try:
        return load_site(settings.site_path)
    except SiteError as error:
        raise ConsoleError(f"site {settings.site_path}: {error}") from None


def read_keys(settings: ConsoleSettings, site: Site) -> Secrets:
    """The secrets file. Raises ConsoleError."""
    try:
        return Secrets.load_or_create(settings.secrets_path, site)
    except ConfigurationError as error:
        raise ConsoleError(str(error)) from None


async def follow_site(console: Console) -> None:
    """Takes over a changed site file (users, names, targets) and its new secrets, until cancelled.

    A file that does not check is left alone: the last good one stays.
    """
    stamp = _stamp(console.settings)
    while True:
        await asyncio.sleep(_LOOK_EVERY_S)
        now = _stamp(console.settings)
        if now == stamp:
            continue
        stamp = now
        try:
            console.site = read_site(console.settings)
            console.keys = read_keys(console.settings, console.site)
            await sync_users(console.store, console.site)
            for user in console.site.users:
                console.sessions.forget(user.login)
            log.info("site: taken over again")
        except (
            Exception
        ) as error:  # whatever is wrong with a file, the console goes on with the last good one
            log.warning("site: kept the former one: %s", error)


def _stamp(settings: ConsoleSettings) -> tuple[int, ...]:
    stamps = []
    for path in (settings.site_path, settings.secrets_path):
        try:
            stamps.append(path.stat().st_mtime_ns)
        except OSError:
            stamps.append(0)
    return tuple(stamps)
