"""Operations on the directory (職員録) and on cases."""

from __future__ import annotations

import asyncio
import re
from dataclasses import asdict

from aiohttp import web

import cdr
import desk
from desk import Case, CsvProblems, Difference, Entry, EntryProblems, Found, NoEntry, entry_of, read_csv
from desk import cases as stored

from .. import formats
from ..audit import Action
from ..desk import cases as case_pages
from ..desk import directory as directory_pages
from ..desk.hall import HALL, directory_of, logged, open_now
from ..desk.importing import replace_all
from ..problems import FieldError, Problem, problem
from ..rights import Right
from .desk_models import (
    CaseDialled,
    CaseIn,
    CaseOut,
    Cases,
    CaseSettled,
    CasesQuery,
    DirectoryAnswer,
    DirectoryLine,
    DirectoryQuery,
    EntryDone,
    EntryIn,
    ImportDone,
    ImportQuery,
    OpenNow,
)
from .models import Done
from .registry import ApiCall

# -- the directory


async def find(call: ApiCall) -> DirectoryAnswer:
    """The entries that hold every word typed."""
    query = call.query_as(DirectoryQuery)
    hall = await directory_of(call.request)
    found, total = hall.search(query.q, query.limit, query.offset)
    return DirectoryAnswer(entries=[_line(call, one) for one in found], total=total)


def _line(call: ApiCall, found: Found) -> DirectoryLine:
    entry, language = found.entry, call.texts.language.value
    now = open_now(call.console, entry)
    return DirectoryLine(
        **dict(zip(desk.FIELDS, entry.values(), strict=True)),
        id=entry.id or 0,
        rank=found.rank,
        open=OpenNow(
            is_open=now.is_open,
            until=now.until,
            next_open=now.next_open,
            hours=now.hours[language],
            words=now.words[language],
        ),
    )


async def add(call: ApiCall) -> EntryDone:
    """Adds an entry."""
    entry = _entry(call)
    log = logged(call.request, Action.DIRECTORY_EDIT, f"+ {_told(entry)}")
    made = await desk.add(call.console.store, entry, call.session.account.login, logged=log)
    call.request.app[HALL].changed()
    return EntryDone(id=made)


async def change(call: ApiCall) -> EntryDone:
    """Changes an entry."""
    entry, of = _entry(call), _id(call, "entry")
    log = logged(call.request, Action.DIRECTORY_EDIT, f"{of} {_told(entry)}")
    try:
        await desk.put(call.console.store, of, entry, call.session.account.login, logged=log)
    except NoEntry:
        raise problem(404, "unknown_entry", "problem.no_entry") from None
    call.request.app[HALL].changed()
    return EntryDone(id=of)


async def remove(call: ApiCall) -> Done:
    """Takes an entry out."""
    of = _id(call, "entry")
    try:
        await desk.remove(
            call.console.store, of, logged=logged(call.request, Action.DIRECTORY_EDIT, f"-{of}")
        )
    except NoEntry:
        raise problem(404, "unknown_entry", "problem.no_entry") from None
    call.request.app[HALL].changed()
    return Done()


async def import_csv(call: ApiCall) -> ImportDone:
    """Replaces the directory by a CSV file, or tells every row that is wrong."""
    content = await call.request.clone(client_max_size=desk.MAX_BYTES).read()
    try:
        entries = await asyncio.to_thread(read_csv, content)
    except CsvProblems as error:
        raise _refused(call, error.problems) from None
    if call.query_as(ImportQuery).check:
        hall = await directory_of(call.request)
        return _done(await asyncio.to_thread(desk.difference, hall.entries, entries), done=False)
    return _done(await replace_all(call.request, entries, "API", None), done=True)


def _done(found: Difference, *, done: bool) -> ImportDone:
    return ImportDone(
        added=len(found.added),
        removed=len(found.removed),
        changed=len(found.changed),
        same=found.same,
        done=done,
    )


async def export_csv(call: ApiCall) -> web.StreamResponse:
    """The directory as CSV, ready to be imported again."""
    return await directory_pages.csv_answer(call.request)


def _entry(call: ApiCall) -> Entry:
    try:
        return entry_of(call.body_as(EntryIn).model_dump())
    except EntryProblems as error:
        raise _refused(call, error.problems) from None


def _refused(call: ApiCall, problems: tuple[desk.Problem, ...]) -> Problem:
    """Every mistake with its place: `body.hours` of an entry, `row 3, 内線` of a file."""
    ja = call.texts.language.value == "ja"
    errors = []
    for one in problems:
        place = f"row {one.row}, {one.column}" if one.row is not None else f"body.{one.field}".rstrip(".")
        what = f"{one.ja} → {one.do_ja}" if ja else f"{one.en}: {one.do_en}"
        errors.append(FieldError(field=place, what=what))
    return Problem(422, "fields", "problem.fields", {}, errors)


def _told(entry: Entry) -> str:
    return f"{entry.name} {entry.person} {entry.extension} {entry.direct}"


# -- cases


async def cases(call: ApiCall) -> Cases:
    """Cases, what is due first at the front."""
    query = call.query_as(CasesQuery)
    store, asked = call.console.store, query.model_dump(include={"caller", "call", "operator"})
    found = await stored.listed(store, query.state, limit=query.limit, offset=query.offset, **asked)
    total = await stored.count(store, query.state, **asked)
    return Cases(cases=[_case(call, one) for one in found], total=total)


async def add_case(call: ApiCall) -> CaseOut:
    """Begins a case. Who called, and on which number, is taken from its call where it is not said."""
    wanted = call.body_as(CaseIn)
    caller, number = wanted.caller, wanted.number
    if wanted.operator and not any(one.id == wanted.operator for one in call.console.site.operators):
        raise problem(404, "unknown_operator", "problem.no_operator", id=wanted.operator)
    if wanted.due_at is not None and wanted.due_at.utcoffset() is None:
        wanted = wanted.model_copy(update={"due_at": wanted.due_at.replace(tzinfo=call.console.site.zone)})
    if wanted.call is not None and (caller is None or number is None):
        known_caller, known_number = await _of_call(call, wanted.call)
        caller, number = caller or known_caller, number or known_number
    if wanted.kind == "callback" and not caller:
        what = call.texts("cases.error.whom")
        raise Problem(422, "fields", "problem.fields", {}, [FieldError(field="body.caller", what=what)])
    made = await stored.add(
        call.console.store,
        call.session.account.login,
        kind=wanted.kind,
        subject=wanted.subject.strip(),
        note=wanted.note,
        call=wanted.call,
        caller=caller,
        number=number,
        operator=wanted.operator,
        due_at=wanted.due_at,
        logged=logged(call.request, Action.CASE_ADD, f"{wanted.kind} {wanted.subject}"),
    )
    return _case(call, made)


async def _of_call(call: ApiCall, id: str) -> tuple[str | None, str | None]:
    """Caller and number of a call: the live one, else its record."""
    live = call.console.link.state.calls.get(id)
    if live is not None:
        caller, number = live.get("caller"), live.get("number")
    else:
        detail = await cdr.call(call.console.store, id)
        if detail is None:
            return None, None
        caller, number = detail.record.caller, detail.record.number
    plain = re.fullmatch(r"[0-9]{3,15}", caller or "")
    return caller if plain else None, number


async def settle_case(call: ApiCall) -> CaseOut:
    """It is done. A second time changes nothing."""
    _id(call, "case")
    return _case(call, await case_pages.settle_case(call.request, call.body_as(CaseSettled).call))


async def dial_case(call: ApiCall) -> CaseDialled:
    """Rings the own phone, then the citizen of a case."""
    _id(call, "case")
    result = await case_pages.dial_case(call.request)
    return CaseDialled(call=result.get("call"))


def _case(call: ApiCall, case: Case) -> CaseOut:
    text = formats.phone_number(case.caller or "", call.console.groups)
    told = asdict(case)
    if not call.session.may(Right.CALLER_FULL):
        text = formats.masked(text)
        told["caller"] = formats.masked(case.caller) if case.caller else None
    return CaseOut(**told, caller_text=text)


def _id(call: ApiCall, name: str) -> int:
    text = call.path(name)
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise problem(404, f"unknown_{name}", f"problem.no_{name}")
    return int(text)
