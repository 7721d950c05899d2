"""Middlewares: who asks, in which language, from which origin; and the headers every answer carries."""

from __future__ import annotations

import hmac
import logging
import secrets as random_secrets
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from aiohttp import web

from store import StoreUnavailable

from .accounts import Account
from .console import CONSOLE, LANGUAGE, LANGUAGE_COOKIE, SESSION, Console, texts_of
from .link import EngineAway, EngineRefused
from .passwords import TooManySignIns
from .problems import Problem, engine_answer, problem, problem_answer
from .rights import Role
from .sessions import Session
from .texts import Language
from .views import problem_page

log = logging.getLogger(__name__)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_CHANGES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_HEADERS = {
    # Scripts and styles only from our own files; blob: for recordings in the player; nobody may frame us.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
        "connect-src 'self'; media-src 'self' blob:; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # no-referrer would make browsers send our own forms with `Origin: null`.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "microphone=(self), camera=(), geolocation=(), payment=()",
}


async def put_headers(_request: web.Request, response: web.StreamResponse) -> None:
    """on_response_prepare signal: the security headers, on errors too."""
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("Cache-Control", "no-store")
    response.headers["Server"] = "daihyo"


@web.middleware
async def errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turns every error into an answer that says what happened and what to do; never a traceback."""
    answer = await _answer(request, handler)
    wants_page = answer.status >= 400 and "text/html" in request.headers.get("Accept", "")
    if wants_page and isinstance(answer, web.Response) and answer.content_type.endswith("problem+json"):
        return problem_page(request, answer)
    return answer


async def _answer(request: web.Request, handler: Handler) -> web.StreamResponse:
    texts = texts_of(request)
    try:
        return await handler(request)
    except Problem as error:
        return error.answer(texts)
    except (EngineAway, EngineRefused) as error:
        return engine_answer(error, texts)
    except TooManySignIns:
        busy = texts("problem.busy")
        return problem_answer(503, "busy", busy, texts, headers={"Retry-After": "10"})
    except StoreUnavailable as error:
        log.warning("%s %s: %s", request.method, _told_path(request), error)
        return problem_answer(
            503, "store_away", texts("problem.store_away"), texts, headers={"Retry-After": "5"}
        )
    except web.HTTPRequestEntityTooLarge:
        limit = request.app[CONSOLE].settings.max_body_bytes
        return problem(413, "too_large", "problem.too_large", n=limit).answer(texts)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        text = texts.known(f"problem.title.{error.status}", error.reason)
        if error.status == 404:
            text = texts("problem.not_found")
        headers = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else None
        return problem_answer(
            error.status, error.reason.lower().replace(" ", "_"), text, texts, headers=headers
        )
    except (ConnectionResetError, TimeoutError):
        raise
    except Exception:
        number = random_secrets.token_hex(4)
        log.exception("%s %s failed (number %s)", request.method, _told_path(request), number)
        return problem(500, "internal", "problem.internal", id=number).answer(texts)


def _told_path(request: web.Request) -> str:
    """The path for the log. A wall screen's address is its key: the log does not have it."""
    return "/wall/…" if request.path.startswith("/wall/") else request.path


@web.middleware
async def language(request: web.Request, handler: Handler) -> web.StreamResponse:
    """The cookie decides; programs may send Accept-Language: en."""
    chosen = request.cookies.get(LANGUAGE_COOKIE)
    if chosen is None and request.path.startswith("/api/"):
        chosen = "en" if request.headers.get("Accept-Language", "").lower().startswith("en") else "ja"
    request[LANGUAGE] = Language.EN if chosen == "en" else Language.JA
    return await handler(request)


@web.middleware
async def who(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Finds the session of the cookie or of the bearer token; refuses changes that come from elsewhere."""
    console = request.app[CONSOLE]
    if request.path.startswith("/static/") or request.path == "/healthz":
        return await handler(request)
    token = _bearer(request)
    if token is not None:
        if not hmac.compare_digest(token.encode(), console.keys.api_token.encode()):
            raise Problem(
                401, "token", "problem.signin", {}, headers={"WWW-Authenticate": 'Bearer realm="daihyo"'}
            )
        request[SESSION] = _system()
        return await handler(request)
    if request.method in _CHANGES or request.headers.get("Upgrade", "").lower() == "websocket":
        _same_origin(request)
    cookie = request.cookies.get(console.cookie)
    if cookie:
        session = await console.sessions.find(cookie)
        if session is not None:
            request[SESSION] = session
            if not (request.path.startswith(("/live", "/sip")) or request.headers.get("Daihyo-Poll")):
                await console.sessions.touch(session)
    return await handler(request)


def _bearer(request: web.Request) -> str | None:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def _system() -> Session:
    now = datetime.now(UTC)
    account = Account("api-token", "API", Role.SYSTEM, None)
    return Session(account, "", "", now + timedelta(minutes=1), now)


def _same_origin(request: web.Request) -> None:
    """Browsers name the page a change or a WebSocket comes from; one of another site is refused."""
    origin = request.headers.get("Origin")
    if origin is None:
        site = request.headers.get("Sec-Fetch-Site")
        if site in (None, "same-origin", "none"):
            return
    elif urlsplit(origin).netloc == request.host:
        return
    raise problem(403, "origin", "problem.origin")


def holds_token(request: web.Request) -> bool:
    """True when the request came with the API token: no cookie, hence no CSRF."""
    session = request.get(SESSION)
    return session is not None and session.account.role is Role.SYSTEM


def form_token(console: Console, nonce: str) -> str:
    """The sign-in form's token: bound to the nonce in its cookie by the session key."""
    key = console.keys.session_key.encode()
    return hmac.new(key, b"signin:" + nonce.encode(), "sha256").hexdigest()
