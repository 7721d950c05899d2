"""Operations on how calls are shared: moving a waiting call, callbacks."""

from __future__ import annotations

from ..audit import Action
from ..distribution import callbacks as callback_pages
from .live import note_done
from .models import CallbackDrop, Callbacks, CallMove, Done, EndedCallback, LiveCallback
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
        callbacks=[LiveCallback.model_validate(one) for one in callback_pages.listed(console, session)],
        ended=[
            EndedCallback.model_validate(callback_pages.ended_shown(console, session, one)) for one in ended
        ],
    )


async def drop_callback(call: ApiCall) -> Done:
    """Gives a callback up."""
    reason = call.body_as(CallbackDrop).reason or ""
    await callback_pages.drop(call.console, call.session, call.path("callback"), reason, call.request.remote)
    return Done()
