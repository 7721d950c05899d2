"""Operations on settled calls: the list, one call, the KPIs."""

from __future__ import annotations

from datetime import date, datetime

import cdr
from cdr import Span, SpanError

from ..problems import FieldError, Problem, problem
from ..records import Choice, find, one, shape
from .call_models import CallDetail, Calls, CallSummary
from .models import CallsQuery, KpiQuery, Kpis
from .registry import ApiCall


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
