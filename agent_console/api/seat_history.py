"""Who calls (OPR-3): earlier contacts and open cases of a number; and the case that a wrap-up leaves."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import cdr
from desk import cases, open_cases

from ..audit import Action
from ..desk.hall import logged
from ..problems import problem
from ..records import one
from ..rights import Right
from .models import WrapUpDone
from .registry import ApiCall
from .seat_models import Contact, History, OpenCase

_CONTACTS = 8


async def history(call: ApiCall) -> History:
    """Of the one who calls: for whoever is in the call, is rung by it or had it; and for those who see all.
    A number alone opens nothing: it must be that of a call."""
    call_id = call.path("call")
    caller = await _caller(call, call_id)
    if not caller:
        return History(contacts=[], cases=[])
    store, site = call.console.store, call.console.site
    numbers = {number.digits: number.name for number in site.numbers}
    operators = {operator.id: operator.name for operator in site.operators}
    found = await cdr.history(store, caller, _CONTACTS, but=call_id)
    still_open = await open_cases(store, caller) if call.session.may(Right.CASES) else []
    now = datetime.now(UTC)
    return History(
        contacts=[
            Contact(
                call=each.call,
                at=each.at,
                number=each.number,
                number_name=numbers.get(each.number or ""),
                via=each.via,
                outcome=each.outcome,
                result=each.result,
                category=each.category,
                note=each.note,
                operator=each.operator,
                operator_name=operators.get(each.operator or "", each.operator),
                transferred_to=_named(each.transferred[-1].to_json()) if each.transferred else None,
            )
            for each in found
        ],
        cases=[
            OpenCase(
                id=each.id,
                kind=each.kind,
                subject=each.subject,
                note=each.note,
                due_at=each.due_at,
                created_at=each.created_at,
                created_by=each.created_by,
                call=each.call,
                overdue=each.due_at is not None and each.due_at < now,
            )
            for each in still_open
        ],
    )


async def _caller(call: ApiCall, call_id: str) -> str | None:
    """Whose call it is; None for 非通知. Raises Problem (404) where it is not for these eyes."""
    state, own = call.console.link.state, call.session.account.operator
    live: dict[str, Any] | None = state.calls.get(call_id)
    if live is not None and (own in _in_call(live) or call.session.may(Right.CALLS_ALL)):
        return live.get("caller")
    offered = state.callback_of(own) if own is not None else None
    if offered is not None and offered.get("id") == call_id:
        return offered.get("number")
    detail = await one(call.console, call.session, call_id)
    if detail is None:
        raise problem(404, "unknown_call", "problem.no_call", id=call_id)
    return detail.record.caller


def _in_call(live: dict[str, Any]) -> set[str]:
    """Whose call it is, and the colleague who is consulted or is to take it."""
    to = (live.get("transfer") or {}).get("to") or {}
    asked = to.get("number") if to.get("kind") == "operator" else None
    return {str(one) for one in (live.get("operator"), asked) if one}


def _named(target: dict[str, Any]) -> str:
    """`環境課 ごみ係`, else the number."""
    name = " ".join(filter(None, (target.get("department"), target.get("name"))))
    return name or str(target.get("number") or "")


async def follow_up(call: ApiCall, operator: str, done: WrapUpDone) -> None:
    """Begins the case that a wrap-up leaves, once: a form that is sent again after an error finds its case.
    Raises StoreUnavailable: what was promised to a citizen must not be lost silently."""
    wanted = done.follow_up
    assert wanted is not None  # noqa: S101 - asked only then
    store, site = call.console.store, call.console.site
    call_id = done.call or (call.console.link.state.operators.get(operator) or {}).get("last_call")
    if call_id is None:
        raise problem(409, "no_call", "problem.no_call_for_case")
    known = await cases.listed(store, "open", call=call_id, operator=operator)
    if any(each.kind == wanted.kind for each in known):
        return
    caller, number = await _whom(call, call_id)
    if wanted.kind == "callback" and not caller:
        raise problem(409, "no_caller", "problem.no_caller_for_callback")
    due = wanted.due_at
    if due is not None and due.tzinfo is None:
        due = due.replace(tzinfo=site.zone)
    subject = wanted.subject.strip() or done.category or call.texts(f"case.subject.{wanted.kind}")
    await cases.add(
        store,
        call.session.account.login,
        kind=wanted.kind,
        subject=subject[: cases.SUBJECT_MAX],
        note=(done.note or "")[: cases.NOTE_MAX],
        call=call_id,
        caller=caller,
        number=number,
        operator=operator,
        due_at=due,
        logged=logged(call.request, Action.CASE_ADD, f"{wanted.kind} {subject}"),
    )


async def _whom(call: ApiCall, call_id: str) -> tuple[str | None, str | None]:
    """Caller and number of ours: of the live call, else of its record, which may be a moment behind."""
    live = call.console.link.state.calls.get(call_id)
    if live is None:
        detail = await cdr.call(call.console.store, call_id)
        if detail is None:
            raise problem(404, "unknown_call", "problem.no_call", id=call_id)
        return detail.record.caller, detail.record.number
    number = "".join(sign for sign in str(live.get("number") or "") if sign.isdigit())
    return live.get("caller"), number or None
