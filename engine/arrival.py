"""A citizen's call to one number, from ring to hang-up."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from switch import ChannelGone, Hangup, HangupReason, SwitchGone

from .call import Call
from .walk import led

if TYPE_CHECKING:
    from .session import Session

log = logging.getLogger("daihyo.engine.arrival")

STRANDED_S = 2.0  # a call whose request found no line, while the line still stands


async def citizen(session: Session, call: Call) -> None:
    """Answers and leads the citizen through the plan."""
    async with life(session, call):
        if not call.channel.up:  # the dialplan has answered, unless it was changed
            await call.channel.answer()
        session.centre.note("greeted", call.id)
        await led(session, call, call.walk.begin())


@asynccontextmanager
async def life(session: Session, call: Call) -> AsyncIterator[None]:
    """Whatever happens inside, the call is ended once, truly, and nobody is left on the line.

    The citizen's hang-up cancels the task. A fault of ours hands the citizen to Asterisk's own survival path.
    """
    task = asyncio.current_task()
    assert task is not None  # noqa: S101  (always within a task)
    call.task = task

    def hung_up(_: Hangup) -> None:
        task.cancel()

    call.channel.on_gone(hung_up)
    try:
        yield
    except asyncio.CancelledError:
        if call.channel.hangup_info is None:
            raise
    except ChannelGone as gone:
        log.debug("call %s: %s", call.id, gone)
    except SwitchGone:
        # The same call is taken up again at the reconnect.
        session.start(_stranded(session, call), f"stranded {call.id}")
        return
    except Exception:
        log.exception("call %s: a fault of ours; Asterisk's own path takes the citizen", call.id)
        # Whom we called ourselves has no number of ours to be served as.
        if not session.detached and call.channel.hangup_info is None and not call.ours:
            session.hand_over(call)
            return
    if not session.detached:
        session.finish(call)


async def _stranded(session: Session, call: Call) -> None:
    """A single request may fail as if the line were lost. No reconnect follows then: the session lives on."""
    await asyncio.sleep(STRANDED_S)
    if call.channel.hangup_info is not None or call.ours:
        session.finish(call)
    elif call.id in session.calls:
        log.error("call %s: a request was lost; Asterisk's own path takes the citizen", call.id)
        session.hand_over(call)


def ended_by(call: Call, hangup: Hangup | None) -> tuple[str, str]:
    """Who ended the call, and the reason in words for the record."""
    if hangup is None or call.ended_by is not None:
        return call.ended_by or "centre", call.end_reason
    if hangup.reason is HangupReason.SWITCH_RESTARTED:
        return "switch", hangup.reason.value
    if hangup.reason is HangupReason.FOUND_ENDED:
        return "unknown", hangup.reason.value
    return "caller", "normal"
