"""/cases (折り返し・案件): what is still to be done for citizens, and what was done."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any, Literal
from urllib.parse import urlencode

from aiohttp import web

from desk import Case, NoCase, cases, digits_of
from store import StoreUnavailable

from ..audit import Action
from ..console import Console, console_of, texts_of, whose
from ..link import EngineAway, EngineRefused
from ..pages import check_csrf, form_field, signed_in
from ..problems import problem
from ..rights import Right
from ..sessions import Session
from ..views import page
from .hall import logged, people_of

_PAGE = 50
_RING_S = 20.0
_DIGITS = re.compile(r"[0-9]{3,15}")


@signed_in(Right.CASES)
async def listed(request: web.Request) -> web.StreamResponse:
    """Open ones by due date, or done ones."""
    return await _list(request)


async def _list(
    request: web.Request, *, status: int = 200, error: str | None = None, typed: dict[str, str] | None = None
) -> web.Response:
    console, session, texts = console_of(request), whose(request), texts_of(request)
    query = request.query
    state: Literal["open", "done"] = "done" if query.get("state") == "done" else "open"
    own = session.account.operator if "mine" in query else None
    offset = int(query["offset"]) if re.fullmatch(r"[0-9]{1,6}", query.get("offset", "")) else 0
    away = False
    try:
        found = await cases.listed(console.store, state, operator=own, limit=_PAGE, offset=offset)
        counts = {one: await cases.count(console.store, one, operator=own) for one in ("open", "done")}
    except StoreUnavailable:
        found, counts, away = [], {"open": 0, "done": 0}, True
    now = datetime.now(UTC).astimezone(console.site.zone)
    more = {"state": state, "offset": str(offset + _PAGE)} | ({"mine": "1"} if own else {})
    return page(
        request,
        "desk/cases.html",
        status=status,
        cases=[(one, due_of(one, now)) for one in found],
        counts=counts,
        state=state,
        own=own,
        has_seat=session.account.operator is not None and session.may(Right.SEAT),
        may_dial=may_dial(console, session),
        away=away,
        now=now,
        names={operator.id: operator.name for operator in console.site.operators},
        people=people_of(request),
        number_names={number.digits: number.name for number in console.site.numbers},
        more=urlencode(more) if offset + len(found) < counts[state] else None,
        error=error,
        typed=typed or {},
        done=texts.known(f"cases.done.{query.get('done', '')}", ""),
    )


def due_of(case: Case, now: datetime) -> Literal["late", "today", "later", "none"]:
    """How a case stands to its date; `now` in the site's zone."""
    if case.due_at is None:
        return "none"
    local = case.due_at.astimezone(now.tzinfo)
    if case.state == "open" and local < now:
        return "late"
    return "today" if local.date() == now.date() else "later"


def may_dial(console: Console, session: Session) -> bool:
    """Whether somebody can call from here: with a seat, where the plan has a line for calls out."""
    dials = bool(console.site.dialling.trunks or console.site.dialling.by_class)
    return dials and session.account.operator is not None and session.may(Right.SEAT)


@signed_in(Right.CASES)
async def add(request: web.Request) -> web.StreamResponse:
    """Begins a case by hand."""
    console, texts, form = console_of(request), texts_of(request), await _form(request)
    names = ("kind", "subject", "caller", "due", "operator", "note")
    typed = {name: form_field(form, name).strip() for name in names}
    kind: Literal["callback", "case"] = "callback" if typed["kind"] == "callback" else "case"
    caller = digits_of(typed["caller"])
    error = None
    due_at = None
    if not typed["subject"]:
        error = texts("cases.error.subject")
    elif typed["caller"] and not _DIGITS.fullmatch(caller):
        error = texts("cases.error.caller")
    elif kind == "callback" and not caller:
        error = texts("cases.error.whom")
    if typed["due"] and error is None:
        try:
            due_at = datetime.fromisoformat(typed["due"]).replace(tzinfo=console.site.zone)
        except ValueError:
            error = texts("cases.error.due")
    operators = {operator.id for operator in console.site.operators}
    if error is not None:
        return await _list(request, status=422, error=error, typed=typed)
    await cases.add(
        console.store,
        _login(request),
        kind=kind,
        subject=typed["subject"][: cases.SUBJECT_MAX],
        note=typed["note"][: cases.NOTE_MAX],
        caller=caller or None,
        operator=typed["operator"] if typed["operator"] in operators else None,
        due_at=due_at,
        logged=logged(request, Action.CASE_ADD, f"{kind} {typed['subject']}"),
    )
    raise web.HTTPSeeOther("/cases?done=added")


@signed_in(Right.CASES)
async def settle(request: web.Request) -> web.StreamResponse:
    """It is done."""
    await _form(request)
    await settle_case(request)
    raise web.HTTPSeeOther("/cases?done=settled")


@signed_in(Right.CASES)
async def reopen(request: web.Request) -> web.StreamResponse:
    """It was not done after all."""
    await _form(request)
    try:
        case = int(request.match_info["case"])
        log = logged(request, Action.CASE_REOPEN, str(case))
        await cases.reopen(console_of(request).store, case, _login(request), logged=log)
    except NoCase:
        raise gone() from None
    raise web.HTTPSeeOther("/cases?done=reopened")


@signed_in(Right.CASES)
async def dial(request: web.Request) -> web.StreamResponse:
    """Calls the citizen back: the operator's own phone rings first; the seat shows the call."""
    await _form(request)
    texts = texts_of(request)
    try:
        await dial_case(request)
    except EngineRefused as refused:
        error = refused.message if texts.language.value == "ja" else refused.message_en
        return await _list(request, status=409, error=error)
    except EngineAway as away:
        text = "problem.engine_unsure" if away.unsure else "problem.engine_away"
        return await _list(request, status=503, error=texts(text))
    raise web.HTTPSeeOther("/seat")


async def settle_case(request: web.Request, call: str | None = None) -> Case:
    """Settles the case of the path. Raises Problem (404), StoreUnavailable."""
    case = int(request.match_info["case"])
    log = logged(request, Action.CASE_DONE, f"{case} {call or ''}".strip())
    try:
        return await cases.done(console_of(request).store, case, _login(request), call=call, logged=log)
    except NoCase:
        raise gone() from None


async def dial_case(request: web.Request) -> dict[str, Any]:
    """Has the engine ring the operator's phone, then the citizen of the case of the path. Raises Problem,
    EngineRefused, EngineAway, StoreUnavailable."""
    from .. import audit

    console, session = console_of(request), whose(request)
    operator = session.account.operator
    if operator is None:
        raise problem(409, "no_seat", "problem.no_seat")
    try:
        case = await cases.case(console.store, int(request.match_info["case"]))
    except NoCase:
        raise gone() from None
    if case.state == "done":
        raise problem(409, "case_done", "problem.case_done")
    if not case.caller:
        raise problem(409, "no_number", "problem.case_number")
    about = {"about": case.call or case.number} if case.call or case.number else {}
    login = session.account.login
    detail = f"{operator} {case.caller} case {case.id}"
    await audit.note(console.store, Action.DIAL, login=login, address=request.remote, detail=detail)
    fields = {"operator": operator, "number": case.caller, "case": case.id, "by": login, **about}
    return await console.link.command("operator.dial", _RING_S, **fields)


def gone() -> Exception:
    """The case is not there."""
    return problem(404, "unknown_case", "problem.no_case")


async def _form(request: web.Request) -> Any:
    session = whose(request)
    form = await request.post()
    check_csrf(session, form_field(form, "csrf"))
    return form


def _login(request: web.Request) -> str:
    session = whose(request)
    return session.account.login
