"""Operations on settled calls: the list, one call, its recording, the KPIs."""

from __future__ import annotations

import mimetypes
from datetime import date, datetime

from aiohttp import web

import cdr
from cdr import Span, SpanError

from .. import audit
from ..audit import Action
from ..problems import FieldError, Problem, problem
from ..records import Choice, find, may_replay, one, recording_path, shape
from ..rights import Right
from .models import CallDetail, Calls, CallsQuery, CallSummary, KpiQuery, Kpis
from .registry import ApiCall

mimetypes.add_type("audio/flac", ".flac")


async def calls(call: ApiCall) -> Calls:
    """Calls of a span, the latest first."""
    query = call.query_as(CallsQuery)
    choice = Choice(
        span=span_of(call, query.start, query.end),
        number=query.number,
        operator=query.operator,
        outcome=query.outcome,
        queue=query.queue,
        limit=query.limit,
        offset=query.offset,
    )
    found, total = await find(call.console, call.session, choice)
    return Calls(
        calls=[CallSummary.model_validate(shape(call.console, call.session, r)) for r in found], total=total
    )


async def one_call(call: ApiCall) -> CallDetail:
    """One call with its events."""
    call_id = call.path("call")
    detail = await one(call.console, call.session, call_id)
    if detail is None:
        raise problem(404, "unknown_call", "problem.no_call", id=call_id)
    return CallDetail.model_validate(shape(call.console, call.session, detail))


async def recording(call: ApiCall) -> web.StreamResponse:
    """The sound of a call, also in ranges. Each replay is in the access log before a byte of it is sent."""
    call_id = call.path("call")
    detail = await one(call.console, call.session, call_id)
    if detail is None:
        raise problem(404, "unknown_call", "problem.no_call", id=call_id)
    if not may_replay(call.session, detail.record):
        raise problem(403, "right", "problem.right", right=Right.REPLAY_ALL.value)
    path = recording_path(call.console, detail.record)
    if path is None:
        raise problem(404, "no_recording", "problem.no_recording", id=call_id)
    wanted = call.request.headers.get("Range", "bytes=0-")
    if wanted.startswith("bytes=0-"):  # players ask for the rest in pieces: one replay, one row
        await audit.note(
            call.console.store,
            Action.REPLAY,
            login=call.session.account.login,
            address=call.request.remote,
            detail=call_id,
        )
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return web.FileResponse(
        path,
        headers={
            "Content-Type": kind,
            "Cache-Control": "private, no-store",
            "Content-Disposition": f'inline; filename="{path.name}"',
        },
    )


async def kpi(call: ApiCall) -> Kpis:
    """応答率, 平均応答時間, 即応率 of a span, for the centre or one number."""
    query = call.query_as(KpiQuery)
    span = span_of(call, query.start, query.end)
    figures = await cdr.kpi(call.console.store, call.console.site.kpi, span, query.number or None)
    return Kpis.model_validate({**figures.to_json(), **span.to_json()})


def span_of(call: ApiCall, start: date | datetime | None, end: date | datetime | None) -> Span:
    """The span asked for. A time with an offset is that instant, one without is the site's."""
    try:
        return Span.parse(
            start.isoformat() if start else None, end.isoformat() if end else None, call.console.site.timezone
        )
    except SpanError as error:
        what = str(error).replace("--from", "from").replace("--to", "to")
        raise Problem(422, "span", "problem.fields", {}, [FieldError(field="query.to", what=what)]) from None
