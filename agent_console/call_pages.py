"""/calls: the list with its filter, and one call opened in place with its sound and its events."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from aiohttp import web

from cdr import CallRecord, Outcome, Span, SpanError
from store import StoreUnavailable

from . import held
from .call_story import notes_of, transfers_of, what_of
from .console import Console, console_of, texts_of, whose
from .distribution.callbacks import people_of
from .distribution.why import reasons, tries_of
from .formats import duration
from .pages import signed_in
from .problems import problem
from .records import Choice, find, may_replay, one, recording_path
from .rights import Right
from .texts import Texts
from .views import page

_PAGE = 100
_MOST_DAYS = 400
_RECORDED_WITHIN = timedelta(minutes=2)


@signed_in(Right.CALLS_OWN, Right.CALLS_ALL)
async def calls(request: web.Request) -> web.StreamResponse:
    """The list; asked for by htmx only the rows are rendered."""
    console, session = console_of(request), whose(request)
    today = datetime.now(UTC).astimezone(console.site.zone).date()
    query = request.query
    day = _day(query.get("date", ""), today)
    last = max(day, _day(query.get("until", ""), day))
    last = min(last, day + timedelta(days=_MOST_DAYS - 1))
    offset = _offset(query.get("offset", ""))
    outcome = query.get("outcome", "")
    choice = Choice(
        span=Span(
            Span.of_day(day, console.site.timezone).start, Span.of_day(last, console.site.timezone).end
        ),
        number=query.get("number") or None,
        operator=query.get("operator") or None,
        outcome=outcome if outcome in set(Outcome) else None,
        queue=query.get("queue") or None,
        limit=_PAGE,
        offset=offset,
    )
    away = False
    try:
        found, total = await find(console, session, choice)
    except StoreUnavailable:
        found, total, away = [], 0, True
    return page(
        request,
        "call_rows.html" if "HX-Request" in request.headers else "calls.html",
        calls=found,
        total=total,
        away=away,
        day=day,
        last=last,
        today=today,
        choice=choice,
        outcomes=[outcome.value for outcome in Outcome],
        more=dict(query, offset=str(offset + _PAGE)) if offset + len(found) < total else None,
        page_size=min(_PAGE, total - offset - len(found)),
        operator_names=_names(console),
        number_names={n.digits: n.name for n in console.site.numbers},
        may_replay=lambda record: may_replay(session, record),
    )


@signed_in(Right.CALLS_OWN, Right.CALLS_ALL)
async def call(request: web.Request) -> web.StreamResponse:
    """One call: a row that opens below another (htmx), or a page of its own."""
    console, session, texts = console_of(request), whose(request), texts_of(request)
    call_id = request.match_info["call"]
    detail = await one(console, session, call_id)
    if detail is None:
        raise problem(404, "unknown_call", "problem.no_call", id=call_id)
    names = _names(console)
    queues = {queue.id: queue.name for queue in console.site.queues}
    tries = await tries_of(console, call_id)
    events = [
        {
            "at": event.at,
            "kind": event.kind,
            "what": " ".join(
                filter(
                    None,
                    [
                        *what_of(event, console, session, texts),
                        _what(event.kind, event.data, names, queues, texts),
                    ],
                )
            ),
        }
        for event in detail.events
    ]
    allowed = may_replay(session, detail.record)
    return page(
        request,
        "call_detail.html" if "HX-Request" in request.headers else "call.html",
        record=detail.record,
        events=events,
        wrap_ups=notes_of(detail),
        transfers=transfers_of(console, session, texts, detail, sound=allowed),
        held=detail.held,
        held_error=held.said(request),
        may_hold=session.may(Right.SUPERVISE),
        people=people_of(console),
        operator_names=names,
        number_names={n.digits: n.name for n in console.site.numbers},
        sound=recording_path(console, detail.record) is not None,
        waits=_may_still_come(detail.record),
        tries=tries,
        reasons=await reasons(console, session, detail, texts),
        allowed=allowed,
    )


def _may_still_come(record: CallRecord) -> bool:
    """Whether a recording that is not there yet is only being made."""
    if record.outcome is Outcome.ACTIVE:
        return True
    fresh = record.ended_at is not None and datetime.now(UTC) - record.ended_at < _RECORDED_WITHIN
    return record.answered_at is not None and fresh


def _what(
    kind: str, data: Mapping[str, Any], names: dict[str, str], queues: dict[str, str], texts: Texts
) -> str:
    """An event's particulars as people say them."""
    parts: list[str] = []
    if kind in ("step", "key"):
        parts.append(_step(data, texts))
    queue = data.get("queue") if kind in ("queued", "moved") else None
    if queue:
        parts.append(queues.get(str(queue), str(queue)))
    if kind == "moved" and data.get("by"):
        parts.append(f"({data['by']})")
    if kind in ("overflowed", "forwarded"):
        parts.append(str(data.get("to") or data.get("forward") or ""))
    operator = data.get("operator")
    if operator:
        parts.append(names.get(operator, operator))
    if kind == "ended" and data.get("by"):
        parts.append(texts.known(f"by.{data['by']}", str(data["by"])))
    if kind == "wrapped_up" and data.get("result"):
        parts.append(texts.known(f"result.{data['result']}", str(data["result"])))
    reason = data.get("reason")
    if reason and reason != "normal":
        parts.append(texts.known(f"reason.{reason}", str(reason)))
    if data.get("ring_s") is not None:
        parts.append(duration(float(data["ring_s"])))
    return " ".join(parts)


def _step(data: Mapping[str, Any], texts: Texts) -> str:
    """A step of the plan, or the key pressed in it and what it did."""
    if "does" not in data:
        step = str(data.get("step") or "")
        return texts.known(f"plan.said.{step}", step)
    does = str(data["does"])
    return " ".join(filter(None, (data.get("key"), texts.known(f"plan.does.{does}", does))))


def _names(console: Console) -> dict[str, str]:
    return {operator.id: operator.name for operator in console.site.operators}


def _day(text: str, today: date) -> date:
    try:
        day = date.fromisoformat(text)
        Span.of_day(day, "UTC")
        return min(day, today + timedelta(days=1))
    except (ValueError, OverflowError, SpanError):
        return today  # an empty or mistyped field shows today, and the field says so


def _offset(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 8 else 0
