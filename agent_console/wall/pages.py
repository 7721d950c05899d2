"""/wall/<token>, the screen; /walls, where links are made and revoked."""

from __future__ import annotations

from aiohttp import web

from ..audit import Action, note
from ..console import console_of, texts_of, whose
from ..pages import check_csrf, form_field, signed_in
from ..problems import problem
from ..rights import Right
from ..views import page
from . import links
from .socket import WALL

NAME_MAX = 60


async def wall(request: web.Request) -> web.StreamResponse:
    """The screen itself. It is the same for links that hold and others: the socket says which, and the page
    blanks itself with words."""
    console = console_of(request)
    response = page(
        request,
        "wall.html",
        config={"csrf": None, "login": None, "operator": None},
        within=console.site.kpi.answer_within_s,
    )
    # The address is the key: it goes nowhere else, and no search engine keeps it.
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    return response


@signed_in(Right.WALL)
async def walls(request: web.Request) -> web.StreamResponse:
    return await _page(request)


@signed_in(Right.WALL)
async def make(request: web.Request) -> web.StreamResponse:
    """Makes a link and shows its address, this once."""
    console, session, texts = console_of(request), whose(request), texts_of(request)
    form = await request.post()
    check_csrf(session, form_field(form, "csrf"))
    name = form_field(form, "name").strip()
    if not name or len(name) > NAME_MAX:
        return await _page(request, error=texts("walls.need_name", n=NAME_MAX), name=name)
    login = session.account.login
    row, path = await links.make(console.store, name, login)
    await note(
        console.store, Action.WALL_LINK, login=login, address=request.remote, detail=f"made {row.id} {name}"
    )
    address = f"{request.scheme}://{request.host}{path}"
    return await _page(request, made=address, made_name=name)


@signed_in(Right.WALL)
async def revoke(request: web.Request) -> web.StreamResponse:
    console, session = console_of(request), whose(request)
    check_csrf(session, form_field(await request.post(), "csrf"))
    text = request.match_info["link"]
    number = int(text) if text.isdecimal() and len(text) < 10 else -1
    login = session.account.login
    if not await links.revoke(console.store, number, login):
        raise problem(404, "unknown_link", "problem.no_wall_link", id=text)
    request.app[WALL].revoked(number)
    await note(
        console.store, Action.WALL_LINK, login=login, address=request.remote, detail=f"revoked {number}"
    )
    raise web.HTTPSeeOther("/walls")


async def _page(
    request: web.Request,
    *,
    error: str | None = None,
    made: str | None = None,
    made_name: str = "",
    name: str = "",
) -> web.Response:
    console = console_of(request)
    return page(
        request,
        "walls.html",
        status=422 if error else 200,
        links=await links.listed(console.store),
        screens=request.app[WALL].count,
        error=error,
        made=made,
        made_name=made_name,
        name=name,
        people={user.login: user.name for user in console.site.users},
    )
