"""Operations on how calls are shared: moving a waiting call, callbacks."""

from __future__ import annotations

from dataclasses import asdict

from ..audit import Action
from ..distribution import callbacks as callback_pages
from ..distribution import evenness as evenness_pages
from ..distribution import staffing as staffing_pages
from ..distribution import why as why_lines
from ..distribution.question import Question
from ..distribution.trial import TRIALS, Refused
from ..problems import FieldError, Problem, problem
from ..records import one
from .calls import span_of
from .distribution_models import (
    CallbackDrop,
    Callbacks,
    CallMove,
    EndedCallback,
    EvennessOf,
    EvennessQuery,
    LiveCallback,
    Reasons,
    Staffing,
    StaffingHistory,
    WhyLine,
)
from .live import note_done
from .models import Done
from .registry import ApiCall


async def move(call: ApiCall) -> Done:
    """Moves a waiting call to another queue."""
    call_id, queue = call.path("call"), call.body_as(CallMove).queue
    by = call.session.account.login
    await call.console.link.command("call.move", call=call_id, queue=queue, by=by)
    await note_done(call, Action.CALL_MOVE, f"{call_id} {queue}")
    return Done()


async def callbacks(call: ApiCall) -> Callbacks:
    """Who is to be called back, and today's callbacks that have ended."""
    console, session = call.console, call.session
    ended = await callback_pages.ended_today(console.store, console.site.timezone)
    return Callbacks(
        callbacks=[LiveCallback.model_validate(each) for each in callback_pages.listed(console, session)],
        ended=[
            EndedCallback.model_validate(callback_pages.ended_shown(console, session, each)) for each in ended
        ],
    )


async def drop_callback(call: ApiCall) -> Done:
    """Gives a callback up."""
    reason = call.body_as(CallbackDrop).reason or ""
    await callback_pages.drop(call.console, call.session, call.path("callback"), reason, call.request.remote)
    return Done()


async def why(call: ApiCall) -> Reasons:
    """Each offer of a call in a sentence."""
    call_id = call.path("call")
    detail = await one(call.console, call.session, call_id)
    if detail is None:
        raise problem(404, "unknown_call", "problem.no_call", id=call_id)
    told = await why_lines.reasons(call.console, call.session, detail, call.texts)
    return Reasons(lines=[WhyLine.model_validate(line.to_json()) for line in told])


async def evenness(call: ApiCall) -> EvennessOf:
    """How evenly the calls of a span were shared."""
    query = call.query_as(EvennessQuery)
    if query.queue is not None and not any(queue.id == query.queue for queue in call.console.site.queues):
        raise problem(404, "unknown_queue", "problem.no_queue", id=query.queue)
    span = span_of(call, query.start, query.end)
    found = await evenness_pages.evenness_of(call.console, span, query.queue)
    return EvennessOf.model_validate(found.to_json())


async def history(call: ApiCall) -> StaffingHistory:
    """The own history that a trial can begin from."""
    found = await staffing_pages.history_of(call.console, call.request.app[TRIALS])
    return StaffingHistory.model_validate(asdict(found))


async def what_if(call: ApiCall) -> Staffing:
    """Simulates a day, and the same with more or fewer operators."""
    question = call.body_as(Question)
    try:
        answer = await staffing_pages.answer_of(call.console, call.request.app[TRIALS], question)
    except Refused as refused:
        what = refused.ja if call.texts.language.value == "ja" else refused.en
        raise Problem(422, "scenario", "problem.fields", {}, [FieldError(field="body", what=what)]) from None
    return Staffing(
        days=answer.days,
        before=answer.before.to_json(),
        after=answer.after.to_json() if answer.after is not None else None,
        formulas=answer.formulas.to_json() if answer.formulas is not None else None,
    )
