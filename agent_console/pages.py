"""The pages: sign-in, seat, account, citizen. Calls stand in `call_pages`, the board in `board_page`."""

from __future__ import annotations

import secrets as random_secrets
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import wraps
from typing import Any
from urllib.parse import quote, urlsplit

from aiohttp import web
from sqlalchemy import select

from store import AccessEntry

from . import seat_page
from .accounts import SignInRefused
from .audit import Action, note
from .console import LANGUAGE_COOKIE, console_of, session_of, texts_of, whose
from .problems import problem
from .rights import Right
from .security import form_token
from .sessions import Session
from .texts import Language
from .views import page

_FORM_MAX_AGE_S = 3600
_YEAR_S = 365 * 24 * 3600

RESULTS = [
    "completed",
    "partial",
    "faq_transfer",
    "consulted",
    "transferred",
    "callback",
    "complaint",
    "opinion",
    "other",
]
BREAKS = ("meal", "rest", "meeting", "away")
# Suggestions for 分類 until a site brings its own; anything may be typed.
CATEGORIES = {
    Language.JA: (
        "住民票・戸籍",
        "税",
        "保険・年金",
        "子育て・学校",
        "高齢・介護",
        "ごみ・環境",
        "道路・住まい",
        "施設・催し",
        "その他",
    ),
    Language.EN: (
        "Registry",
        "Tax",
        "Insurance",
        "Children",
        "Elderly care",
        "Waste",
        "Roads and housing",
        "Events",
        "Other",
    ),
}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def signed_in(*rights: Right) -> Callable[[Handler], Handler]:
    """A page for those signed in who hold any of `rights` (none named: everyone); others are sent to sign in,
    and those who must change their password first, to do so."""

    def guard(handler: Handler) -> Handler:
        @wraps(handler)
        async def run(request: web.Request) -> web.StreamResponse:
            session = session_of(request)
            if session is None:
                why = "&why=expired" if request.cookies.get(console_of(request).cookie) else ""
                raise web.HTTPSeeOther(f"/signin?next={quote(request.path_qs, safe='/')}{why}")
            if session.account.must_change and request.path != "/account":
                raise web.HTTPSeeOther("/account")
            if rights and not session.rights & set(rights):
                raise problem(
                    403,
                    "right",
                    "problem.right",
                    right=" / ".join(texts_of(request).known(f"right.{right}", right) for right in rights),
                )
            return await handler(request)

        return run

    return guard


def start_page(session: Session) -> str:
    """Where somebody begins: operators at their seat, others at the board."""
    if session.account.operator is not None and session.may(Right.SEAT):
        return "/seat"
    return "/board" if session.may(Right.BOARD) else "/calls"


async def root(request: web.Request) -> web.StreamResponse:
    session = session_of(request)
    raise web.HTTPSeeOther(start_page(session) if session else "/signin")


# -- sign-in


async def sign_in_form(request: web.Request) -> web.StreamResponse:
    session = session_of(request)
    if session is not None:
        raise web.HTTPSeeOther(start_page(session))
    why = request.query.get("why", "")
    message = {"expired": "signin.expired", "out": "signin.signed_out"}.get(why)
    return _sign_in_page(request, notice=texts_of(request)(message) if message else None)


def _sign_in_page(
    request: web.Request, *, notice: str | None = None, error: str | None = None, login: str = ""
) -> web.Response:
    console = console_of(request)
    nonce = random_secrets.token_urlsafe(16)
    response = page(
        request,
        "signin.html",
        status=403 if error else 200,
        notice=notice,
        error=error,
        login=login,
        next=_next(request.query.get("next", "")),
        token=form_token(console, nonce),
        demo=console.settings.demo,
    )
    response.set_cookie(
        console.form_cookie,
        nonce,
        max_age=_FORM_MAX_AGE_S,
        httponly=True,
        samesite="Strict",
        secure=console.settings.secure_cookies,
        path="/signin",
    )
    return response


async def sign_in(request: web.Request) -> web.StreamResponse:
    console, texts = console_of(request), texts_of(request)
    form = await request.post()
    login, password = form_field(form, "login").strip(), form_field(form, "password")
    nonce = request.cookies.get(console.form_cookie, "")
    given = form_field(form, "token")
    if not nonce or not random_secrets.compare_digest(given.encode(), form_token(console, nonce).encode()):
        return _sign_in_page(request, error=texts("signin.stale"), login=login)
    outcome = await console.sign_ins.attempt(login[:200], password, request.remote)
    if isinstance(outcome, SignInRefused):
        if outcome.locked_for is None:
            return _sign_in_page(request, error=texts("signin.wrong"), login=login)
        minutes = max(1, -int(-outcome.locked_for.total_seconds() // 60))
        return _sign_in_page(request, error=texts("signin.locked", minutes=minutes), login=login)
    token, session = await console.sessions.begin(outcome, request.remote)
    response = _to(_next(form_field(form, "next")) or start_page(session))
    response.set_cookie(
        console.cookie,
        token,
        httponly=True,
        samesite="Strict",
        secure=console.settings.secure_cookies,
        path="/",
    )
    response.del_cookie(console.form_cookie, path="/signin")
    return response


async def sign_out(request: web.Request) -> web.StreamResponse:
    console, session = console_of(request), session_of(request)
    if session is not None:
        check_csrf(session, form_field(await request.post(), "csrf"))
        await console.sessions.end(session)
        await note(console.store, Action.SIGN_OUT, login=session.account.login, address=request.remote)
    response = _to("/signin?why=out")
    response.del_cookie(console.cookie, path="/")
    return response


async def set_language(request: web.Request) -> web.StreamResponse:
    """Switches the language; a preference, not a change of data, so signed in or not."""
    form = await request.post()
    chosen = "en" if form_field(form, "language") == "en" else "ja"
    response = _to(_next(form_field(form, "next")) or "/")
    response.set_cookie(LANGUAGE_COOKIE, chosen, max_age=_YEAR_S, httponly=True, samesite="Strict", path="/")
    return response


# -- pages behind the sign-in


@signed_in(Right.SEAT)
async def seat(request: web.Request) -> web.StreamResponse:
    session, texts = whose(request), texts_of(request)
    return page(
        request,
        "seat.html",
        results=[(code, texts(f"result.{code}")) for code in RESULTS],
        breaks=[texts(f"break.{code}") for code in BREAKS],
        categories=CATEGORIES[texts.language],
        has_seat=session.account.operator is not None,
        config={"seat": seat_page.setup(console_of(request).site)},
        seat_keys=seat_page.keys(texts),
    )


@signed_in()
async def account(request: web.Request) -> web.StreamResponse:
    done = texts_of(request)("account.done") if "done" in request.query else None
    return await _account_page(request, notice=done)


async def _account_page(
    request: web.Request, *, notice: str | None = None, error: str | None = None
) -> web.Response:
    session, console, texts = whose(request), console_of(request), texts_of(request)
    async with console.store.reading() as database:
        query = (
            select(AccessEntry)
            .where(AccessEntry.login == session.account.login)
            .where(AccessEntry.action.in_([Action.SIGN_IN, Action.SIGN_IN_FAILED, Action.LOCKED_OUT]))
            .order_by(AccessEntry.at.desc())
            .limit(8)
        )
        entries = (await database.scalars(query)).all()
    must = texts("account.must") if session.account.must_change and not notice else None
    return page(
        request,
        "account.html",
        status=422 if error else 200,
        notice=notice or must,
        error=error,
        entries=entries,
    )


@signed_in()
async def change_password(request: web.Request) -> web.StreamResponse:
    session, console, texts = whose(request), console_of(request), texts_of(request)
    form = await request.post()
    check_csrf(session, form_field(form, "csrf"))
    new = form_field(form, "new")
    if new != form_field(form, "again"):
        return await _account_page(request, error=texts("account.differ"))
    wrong = await console.sign_ins.change_password(session.account, form_field(form, "current"), new)
    if wrong:
        return await _account_page(request, error=texts(wrong))
    # All sessions have ended, this one begins anew: a stolen cookie is worth nothing after a change.
    console.sessions.forget(session.account.login)
    who = session.account
    await note(console.store, Action.PASSWORD_CHANGED, login=who.login, address=request.remote)
    token, _ = await console.sessions.begin(who, request.remote)
    response = _to("/account?done=1")
    response.set_cookie(
        console.cookie,
        token,
        httponly=True,
        samesite="Strict",
        secure=console.settings.secure_cookies,
        path="/",
    )
    return response


async def citizen(request: web.Request) -> web.StreamResponse:
    """The citizen's phone; in the demo only, where anybody is a citizen."""
    console = console_of(request)
    if not console.settings.demo:
        raise web.HTTPNotFound
    user = "citizen-web"
    setup: dict[str, Any] = {
        "user": user,
        "secret": console.keys.sip.get(user, ""),
        "domain": console.settings.sip_domain,
    }
    return page(request, "citizen.html", config={"phone": setup}, numbers=console.site.numbers)


def _to(location: str) -> web.Response:
    return web.Response(status=303, headers={"Location": location})


def form_field(form: Any, name: str) -> str:
    """A field of a form; empty where it is missing or a file."""
    value = form.get(name, "")
    return value if isinstance(value, str) else ""


def check_csrf(session: Session, token: str) -> None:
    """Refuses a form that is not of this session. Raises Problem (403)."""
    if not session.csrf_fits(token):
        raise problem(403, "csrf", "problem.csrf")


def _next(path: str) -> str:
    """A path of ours to go on to; anything that leads elsewhere becomes nothing."""
    parts = urlsplit(path)
    if parts.scheme or parts.netloc or not path.startswith("/") or path.startswith(("//", "/\\")):
        return ""
    return path if path.isprintable() and "\\" not in path else ""


def now_local(request: web.Request) -> datetime:
    """Now, in the site's zone."""
    return datetime.now(UTC).astimezone(console_of(request).site.zone)
