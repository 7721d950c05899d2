"""/directory (職員録): search, list, one entry in a form, export."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

import desk
from desk import FIELDS, LONGEST, DirectoryChanged, Entry, EntryProblems, NoEntry, entry_of, write_csv
from store import StoreUnavailable

from .. import audit
from ..audit import Action
from ..console import console_of, session_of, texts_of, whose
from ..pages import check_csrf, form_field, signed_in
from ..problems import problem
from ..rights import Right
from ..views import page
from .hall import HALL, directory_of, logged, open_now, people_of, shown_problems

_PAGE = 50
_QUERY_MAX = 100
# As the form shows them, two in a row, the hours alone.
_FORM = ("department", "section", "person", "reading", "duties", "note", "extension", "direct", "hours")


@signed_in(Right.DIRECTORY_READ)
async def directory(request: web.Request) -> web.StreamResponse:
    """The list and its search field; while somebody types, htmx asks for the list alone."""
    console, session, texts = console_of(request), whose(request), texts_of(request)
    query = request.query.get("q", "").strip()[:_QUERY_MAX]
    offset = _offset(request.query.get("offset", ""))
    away = False
    try:
        hall = await directory_of(request)
        found, total = hall.search(query, _PAGE, offset)
        all_of_them = len(hall)
    except StoreUnavailable:
        found, total, all_of_them, away = [], 0, 0, True
    language = texts.language.value
    rows = []
    for one in found:
        opening = open_now(console, one.entry)
        rows.append((one.entry, opening, _when(request, opening.until or opening.next_open)))
    more = urlencode({"q": query, "offset": offset + _PAGE}) if offset + len(found) < total else None
    return page(
        request,
        "desk/directory.html",
        query=query,
        offset=offset,
        rows=rows,
        total=total,
        all_of_them=all_of_them,
        shown_from=offset + 1,
        shown_to=offset + len(found),
        back=urlencode({"q": query, "offset": max(0, offset - _PAGE)}) if offset else None,
        more=more,
        away=away,
        language_of_words=language,
        may_edit=session.may(Right.DIRECTORY_EDIT),
        done=texts.known(f"directory.done.{request.query.get('done', '')}", ""),
    )


@signed_in(Right.DIRECTORY_EDIT)
async def export(request: web.Request) -> web.StreamResponse:
    """All of it as CSV, ready to be imported again."""
    return await csv_answer(request)


async def csv_answer(request: web.Request) -> web.Response:
    """The directory as a file; written down, since it holds everybody's numbers. Raises StoreUnavailable."""
    console, session = console_of(request), session_of(request)
    hall = await directory_of(request)
    await audit.note(
        console.store,
        Action.DIRECTORY_EXPORT,
        login=session.account.login if session is not None else None,
        address=request.remote,
        detail=str(len(hall)),
    )
    today = datetime.now(UTC).astimezone(console.site.zone).date()
    return web.Response(
        body=write_csv(hall.entries, texts_of(request).language.value),
        content_type="text/csv",
        charset="utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="directory-{today.isoformat()}.csv"',
            "Cache-Control": "private, no-store",
        },
    )


@signed_in(Right.DIRECTORY_EDIT)
async def new_form(request: web.Request) -> web.StreamResponse:
    """An empty form; `department` in the address is filled in."""
    values = dict.fromkeys(FIELDS, "") | {"department": request.query.get("department", "")[:100]}
    return await _form(request, None, values)


@signed_in(Right.DIRECTORY_EDIT)
async def edit_form(request: web.Request) -> web.StreamResponse:
    """The form of one entry."""
    entry = await _entry(request)
    return await _form(request, entry, dict(zip(FIELDS, entry.values(), strict=True)))


@signed_in(Right.DIRECTORY_EDIT)
async def add(request: web.Request) -> web.StreamResponse:
    """Adds an entry."""
    form = await _checked_form(request)
    values = {name: form_field(form, name) for name in FIELDS}
    try:
        entry = entry_of(values)
    except EntryProblems as error:
        return await _form(request, None, values, error=error)
    console, login = console_of(request), _login(request)
    await desk.add(
        console.store, entry, login, logged=logged(request, Action.DIRECTORY_EDIT, _told("+", entry))
    )
    request.app[HALL].changed()
    raise web.HTTPSeeOther("/directory?" + urlencode({"q": entry.extension or entry.direct, "done": "added"}))


@signed_in(Right.DIRECTORY_EDIT)
async def change(request: web.Request) -> web.StreamResponse:
    """Changes an entry, unless somebody else has done so since the form was opened."""
    form = await _checked_form(request)
    values = {name: form_field(form, name) for name in FIELDS}
    before = Entry.of([form_field(form, f"was_{name}") for name in FIELDS])
    now = await _entry(request)
    try:
        entry = entry_of(values)
        await desk.put(
            console_of(request).store,
            now.id or 0,
            entry,
            _login(request),
            before=before,
            logged=logged(request, Action.DIRECTORY_EDIT, _told(str(now.id), entry)),
        )
    except EntryProblems as error:
        return await _form(request, now, values, error=error, before=before)
    except DirectoryChanged:
        request.app[HALL].changed()
        return await _form(request, await _entry(request), values, clash=True)
    except NoEntry:
        raise _gone() from None
    request.app[HALL].changed()
    raise web.HTTPSeeOther(
        "/directory?" + urlencode({"q": entry.extension or entry.direct, "done": "changed"})
    )


@signed_in(Right.DIRECTORY_EDIT)
async def remove(request: web.Request) -> web.StreamResponse:
    """Takes an entry out."""
    await _checked_form(request)
    entry = await _entry(request)
    try:
        await desk.remove(
            console_of(request).store,
            entry.id or 0,
            logged=logged(request, Action.DIRECTORY_EDIT, _told(f"-{entry.id}", entry)),
        )
    except NoEntry:
        raise _gone() from None
    request.app[HALL].changed()
    raise web.HTTPSeeOther("/directory?done=removed")


async def _form(
    request: web.Request,
    entry: Entry | None,
    values: dict[str, str],
    *,
    error: EntryProblems | None = None,
    clash: bool = False,
    before: Entry | None = None,
) -> web.Response:
    """The form with what was typed. `entry`: what is stored; `before`: what the form was opened with."""
    console, texts = console_of(request), texts_of(request)
    problems = shown_problems(error.problems if error else (), texts.language.value)
    hall = await directory_of(request)
    was = before or entry
    stored = dict(zip(FIELDS, entry.values(), strict=True)) if entry is not None else {}
    return page(
        request,
        "desk/entry.html",
        status=422 if error else 409 if clash else 200,
        entry=entry,
        values=values,
        was=dict(zip(FIELDS, was.values(), strict=True)) if was is not None else {},
        clash={name: text for name, text in stored.items() if text != values[name]} if clash else {},
        clashed=clash,
        problems=problems,
        wrong={one["field"]: one for one in problems},
        longest=LONGEST,
        fields=FIELDS,
        form_fields=_FORM,
        departments=list(dict.fromkeys(one.department for one in hall.entries)),
        usual=desk.office_hours(console.site.transfers.office_hours).text(
            "ja" if texts.language.value == "ja" else "en"
        ),
        inherited=entry.department_hours if entry is not None else "",
        people=people_of(request),
    )


async def _entry(request: web.Request) -> Entry:
    hall = await directory_of(request)
    try:
        return hall.entry(int(request.match_info["entry"]))
    except KeyError:
        raise _gone() from None


async def _checked_form(request: web.Request) -> Any:
    session = whose(request)
    form = await request.post()
    check_csrf(session, form_field(form, "csrf"))
    return form


def _back_to(entry: Entry, done: str) -> web.HTTPSeeOther:
    """The list with this entry in it."""
    query = urlencode({"q": entry.extension or entry.direct, "done": done})
    return web.HTTPSeeOther(f"/directory?{query}")


def _gone() -> Exception:
    return problem(404, "unknown_entry", "problem.no_entry")


def _told(what: str, entry: Entry) -> str:
    """For the access log."""
    return f"{what} {entry.name} {entry.person} {entry.extension} {entry.direct}"


def _login(request: web.Request) -> str:
    session = whose(request)
    return session.account.login


def _when(request: web.Request, at: datetime | None) -> str:
    """`17:15`, on another day `11/24(火) 8:30`; empty where it is too far away."""
    if at is None:
        return ""
    zone, texts = console_of(request).site.zone, texts_of(request)
    local, today = at.astimezone(zone), datetime.now(UTC).astimezone(zone).date()
    clock = f"{local.hour}:{local.minute:02}"
    if local.date() == today:
        return clock
    weekday = texts(f"weekday.{local.weekday()}")
    return f"{texts('desk.day', month=local.month, day=local.day, weekday=weekday)} {clock}"


def _offset(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 7 else 0
