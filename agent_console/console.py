"""What all handlers share: one Console per program, found in the application under CONSOLE."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Final

import aiohttp
from aiohttp import web

from asterisk_conf import Secrets
from dialplans import Site
from store import Store

from .accounts import SignIns
from .formats import grouping_of
from .link import EngineLink
from .sessions import Session, Sessions
from .settings import ConsoleSettings
from .texts import Language, Texts, texts


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


def whose(request: web.Request) -> Session:
    """Who asks, of a handler behind `signed_in`. LookupError: it does not stand behind it, our fault."""
    session = session_of(request)
    if session is None:
        raise LookupError(f"{request.path}: nobody has signed in, and the handler was reached")
    return session


def texts_of(request: web.Request) -> Texts:
    """The texts in the language of the request: the cookie's choice, Japanese otherwise."""
    return texts(request.get(LANGUAGE, Language.JA))
