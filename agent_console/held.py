"""A call's recordings held against deletion by a supervisor, and released: each in the access log."""

from __future__ import annotations

from datetime import UTC, datetime

from aiohttp import web

from store import recordings

from . import audit
from .audit import Action
from .console import Console, console_of, texts_of, whose
from .pages import check_csrf, form_field, signed_in
from .problems import problem
from .rights import Right
from .sessions import Session

REASON_MAX = 200


async def hold(console: Console, session: Session, call: str, reason: str, address: str | None) -> None:
    """Holds what there is of a call's recordings, and with it what is still to come. Problem 404 when there
    is none yet; StoreUnavailable."""
    store, login = console.store, session.account.login
    async with store.session() as database:
        await store.lock(database, recordings.SECTION)
        if not await recordings.of_call(database, call):
            raise problem(404, "no_recording", "problem.no_recording_held", id=call)
        await recordings.hold(database, call, by=login, reason=reason, at=datetime.now(UTC))
    await _note(console, login, address, f"hold {call} {reason}")


async def release(console: Console, session: Session, call: str, address: str | None) -> None:
    """Lets a call's recordings go. The log entry comes first: without it nothing is released."""
    store, login = console.store, session.account.login
    await _note(console, login, address, f"release {call}")
    async with store.session() as database:
        await store.lock(database, recordings.SECTION)
        await recordings.release(database, call)


async def _note(console: Console, login: str, address: str | None, detail: str) -> None:
    await audit.note(console.store, Action.RECORDING_HELD, login=login, address=address, detail=detail)


@signed_in(Right.SUPERVISE)
async def hold_page(request: web.Request) -> web.StreamResponse:
    """The form of a call's page: `do` hold or release, `reason`."""
    console, session = console_of(request), whose(request)
    call = request.match_info["call"]
    form = await request.post()
    check_csrf(session, form_field(form, "csrf"))
    reason = form_field(form, "reason").strip()[:REASON_MAX]
    said = ""
    if form_field(form, "do") == "release":
        await release(console, session, call, request.remote)
    elif reason:
        await hold(console, session, call, reason, request.remote)
    else:
        said = "?held=reason"
    raise web.HTTPSeeOther(f"/calls/{call}{said}#held")


def said(request: web.Request) -> str | None:
    """What went wrong with the form that led to this page."""
    return texts_of(request)("held.need_reason") if request.query.get("held") == "reason" else None
