"""/alarms: what goes on, and what was; acknowledging without a script."""

from __future__ import annotations

from aiohttp import web

from store import StoreUnavailable

from ..audit import Action, note_if_possible
from ..console import console_of, texts_of, whose
from ..pages import check_csrf, form_field, signed_in
from ..problems import problem
from ..rights import Right
from ..views import page
from .book import BOOK, Entry
from .shown import sentence

_EACH = 100


@signed_in(Right.ALARMS)
async def alarms(request: web.Request) -> web.StreamResponse:
    console, texts, book = console_of(request), texts_of(request), request.app[BOOK]
    asked = request.query.get("from", "0")
    offset = int(asked) if asked.isdecimal() and len(asked) < 8 else 0
    history: list[Entry] = []
    total, away = 0, False
    try:
        history, total = await book.history(_EACH, offset)
    except StoreUnavailable:
        away = True
    return page(
        request,
        "alarms.html",
        # Without the database what is known here is shown all the same.
        history=history if not away else sorted(book.entries, key=lambda one: one.at, reverse=True),
        away=away,
        total=total,
        offset=offset,
        each=_EACH,
        words=lambda one: sentence(one, console.site, texts),
        people={user.login: user.name for user in console.site.users},
        mailing=console.site.alarms.mail and console.site.mail is not None and bool(console.site.mail.to),
        settings=console.site.alarms,
        targets=console.site.kpi.targets,
    )


@signed_in(Right.ALARMS)
async def acknowledge(request: web.Request) -> web.StreamResponse:
    console, session = console_of(request), whose(request)
    check_csrf(session, form_field(await request.post(), "csrf"))
    text = request.match_info["alarm"]
    number = int(text) if text.isdecimal() and len(text) < 10 else -1
    taken = await request.app[BOOK].acknowledge(number, session.account.login)
    if taken is None:
        raise problem(404, "unknown_alarm", "problem.no_alarm", id=text)
    await note_if_possible(
        console.store,
        Action.ALARM_ACKNOWLEDGED,
        login=session.account.login,
        address=request.remote,
        detail=f"{number} {taken.kind} {taken.subject}",
    )
    raise web.HTTPSeeOther("/alarms")
