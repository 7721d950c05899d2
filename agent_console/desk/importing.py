"""/directory/import: a CSV file is read, what it would change is shown, then it replaces the directory."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from aiohttp import web

import desk
from desk import NAMES, CsvProblems, Difference, DirectoryChanged, Entry, Stamp, difference, read_csv

from ..audit import Action
from ..console import console_of, texts_of, whose
from ..pages import check_csrf, form_field, signed_in
from ..rights import Right
from ..views import page
from .hall import HALL, directory_of, logged, shown_problems

KEPT_S: Final = 1800.0  # between the preview and the word to go on
_SHOWN: Final = 100  # problems, and lines of each kind of change
_FORM_BYTES: Final = desk.MAX_BYTES + 64 * 1024


@dataclass(frozen=True)
class Pending:
    """A file that was read and waits for somebody's word. `stamp`: the directory it was compared with."""

    token: str
    name: str
    entries: list[Entry]
    stamp: Stamp | None
    found: Difference
    since: float


@dataclass
class Imports:
    """What waits, one a sign-in. It does not outlive this program: then the file is chosen again."""

    waiting: dict[str, Pending] = field(default_factory=dict)

    def keep(self, login: str, pending: Pending) -> None:
        now = time.monotonic()
        self.waiting = {who: one for who, one in self.waiting.items() if now - one.since < KEPT_S}
        self.waiting[login] = pending

    def take(self, login: str, token: str) -> Pending | None:
        found = self.waiting.get(login)
        if found is None or time.monotonic() - found.since >= KEPT_S:
            return None
        if not secrets.compare_digest(found.token.encode(), token.encode()):
            return None
        return self.waiting.pop(login)


IMPORTS: Final = web.AppKey("imports", Imports)


@signed_in(Right.DIRECTORY_EDIT)
async def form(request: web.Request) -> web.StreamResponse:
    """Where the file is chosen, and what must stand in it."""
    return await _page(request)


@signed_in(Right.DIRECTORY_EDIT)
async def preview(request: web.Request) -> web.StreamResponse:
    """Reads the file: every mistake, or what would change. Nothing is changed yet."""
    session, texts = whose(request), texts_of(request)
    sent = await request.clone(client_max_size=_FORM_BYTES).post()
    check_csrf(session, form_field(sent, "csrf"))
    file = sent.get("file")
    if not isinstance(file, web.FileField) or not file.filename:
        return await _page(request, status=422, error=texts("directory.import.no_file"))
    content = await asyncio.to_thread(file.file.read)
    name = file.filename[-100:]
    try:
        entries = await asyncio.to_thread(read_csv, content)
    except CsvProblems as error:
        return await _page(request, status=422, name=name, problems=error)
    return await _preview(request, name, entries)


async def _preview(
    request: web.Request, name: str, entries: list[Entry], *, error: str | None = None
) -> web.Response:
    session = whose(request)
    hall = await directory_of(request)
    found = await asyncio.to_thread(difference, hall.entries, entries)
    pending = Pending(secrets.token_urlsafe(16), name, entries, hall.stamp, found, time.monotonic())
    if not found.nothing or [one.values() for one in hall.entries] != [one.values() for one in entries]:
        request.app[IMPORTS].keep(session.account.login, pending)
    return await _page(request, status=409 if error else 200, name=name, pending=pending, error=error)


@signed_in(Right.DIRECTORY_EDIT)
async def replace(request: web.Request) -> web.StreamResponse:
    """Makes the file that was shown the directory."""
    session, texts = whose(request), texts_of(request)
    sent = await request.post()
    check_csrf(session, form_field(sent, "csrf"))
    login = session.account.login
    pending = request.app[IMPORTS].take(login, form_field(sent, "token"))
    if pending is None:
        return await _page(request, status=409, error=texts("directory.import.again"))
    try:
        await replace_all(request, pending.entries, pending.name, pending.stamp)
    except DirectoryChanged:
        request.app[HALL].changed()
        return await _preview(
            request, pending.name, pending.entries, error=texts("directory.import.changed_meanwhile")
        )
    raise web.HTTPSeeOther("/directory?done=imported")


async def replace_all(
    request: web.Request, entries: list[Entry], name: str, expected: Stamp | None
) -> Difference:
    """Replaces the directory and writes down who did so. Raises DirectoryChanged, StoreUnavailable."""
    session, hall = whose(request), request.app[HALL]
    now = (await hall.directory()).entries
    found = await asyncio.to_thread(difference, now, entries)
    detail = f"{name}: {len(entries)} (+{len(found.added)} -{len(found.removed)} ~{len(found.changed)})"
    done = await desk.replace(
        console_of(request).store,
        entries,
        session.account.login,
        expected=expected,
        logged=logged(request, Action.DIRECTORY_IMPORT, detail),
    )
    hall.changed()
    return done


def changed_fields(before: Entry, after: Entry, names: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """What differs in an entry: name of the field, as it is, as it would be."""
    return [
        (names[name], old, new)
        for name, old, new in zip(desk.FIELDS, before.values(), after.values(), strict=True)
        if old != new
    ]


async def _page(
    request: web.Request,
    *,
    status: int = 200,
    name: str = "",
    problems: CsvProblems | None = None,
    pending: Pending | None = None,
    error: str | None = None,
) -> web.Response:
    texts = texts_of(request)
    language = texts.language.value
    column = 0 if language == "ja" else 1
    names = {field: both[column] for field, both in NAMES.items()}
    hall = await directory_of(request)
    every = problems.problems if problems is not None else ()
    waits = pending is not None and any(
        one.token == pending.token for one in request.app[IMPORTS].waiting.values()
    )
    found = pending.found if pending is not None else None
    return page(
        request,
        "desk/import.html",
        status=status,
        error=error,
        name=name,
        problems=shown_problems(every[:_SHOWN], language),
        problem_count=len(every),
        problem_rows=len({one.row for one in every if one.row is not None}),
        pending=pending,
        waits=waits,
        found=found,
        changed=[(after, changed_fields(before, after, names)) for before, after in found.changed[:_SHOWN]]
        if found
        else [],
        most=_SHOWN,
        names=names,
        now=len(hall),
    )
