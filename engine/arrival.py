"""A citizen's call to one number, from ring to hang-up."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from switch import ChannelGone, Hangup, HangupReason, SwitchError, SwitchGone

from .call import Answer, Call, Phase
from .conversation import Returned, conversation

if TYPE_CHECKING:
    from .session import Session

log = logging.getLogger("daihyo.engine.arrival")

AT_ONCE_S = 1.0  # an operator who answers at once is not preceded by a scrap of music
AGAIN_S = 1.0  # before music that failed is tried again
STRANDED_S = 2.0  # a call whose request found no line, while the line still stands
RETURNED_PRIORITY = 100  # a citizen who lost the operator's phone goes to the front of the queue


async def citizen(session: Session, call: Call) -> None:
    """Greets, says that it records, and serves."""
    async with life(session, call):
        if not call.channel.up:  # the dialplan has answered, unless it was changed
            await call.channel.answer()
        session.centre.note("greeted", call.id)
        number = call.number
        await call.channel.play(sound(number.greeting_prompt), sound(number.recording_notice_prompt))
        await served(session, call, await queue(session, call))


async def served(session: Session, call: Call, answer: Answer) -> None:
    """The conversation, and another one whenever an operator's phone has died, until somebody hangs up."""
    while True:
        ending = await conversation(session, call, answer)
        if not isinstance(ending, Returned):
            call.ended_by = call.ended_by or ending
            return
        answer = await queue(session, call, priority=RETURNED_PRIORITY, prefer=ending.operator, again=True)


async def queue(
    session: Session,
    call: Call,
    *,
    priority: int = 0,
    prefer: str | None = None,
    again: bool = False,
    noted: bool = False,
) -> Answer:
    """Waits in the number's queue, with music and announcements, for an operator who answers.

    The place in the queue is that of the first entry (`call.queued_mono`): nobody loses it by our doing.
    """
    centre = session.centre
    name = call.queue or call.number.queue
    if not any(one.id == name for one in centre.site.queues):  # it left the plan while the citizen was here
        name = centre.number(call.number.digits).queue
    call.queue = name
    call.answer = asyncio.get_running_loop().create_future()
    if not noted:
        event = centre.note("queued", call.id, queue=name, priority=priority, again=again, prefer=prefer)
        if call.queued_mono is None:
            call.queued, call.queued_mono = event.at, event.mono
    session.phase(call, Phase.WAITING)
    since = call.queued_mono if call.queued_mono is not None else centre.clock.mono()
    session.floor.waits(call.id, name, since=since, priority=priority, prefer=prefer)
    comfort = session.start(_comfort(session, call, name), f"comfort {call.id}")
    try:
        try:
            return await call.answer
        finally:
            comfort.cancel()
            await asyncio.wait([comfort])
    except asyncio.CancelledError:
        if not session.detached and call.answer.done() and not call.answer.cancelled():
            # Hung up and answered in one moment: nobody else would let that phone go.
            answer = call.answer.result()
            session.conversation_over(call, answer.operator, answer.leg, answer.bridge, at_once=False)
        raise


async def _comfort(session: Session, call: Call, name: str) -> None:
    """What a waiting citizen hears: music, and every so often that somebody will come."""
    rules = session.centre.site.queue(name)
    channel = call.channel
    announced = session.floor.rings_for(call.id)
    if announced:
        await asyncio.sleep(AT_ONCE_S)
    while True:
        try:
            if not announced and rules.waiting_prompt is not None:
                announced = True  # should it fail, there is at least music
                await call.music(False)
                await channel.play(sound(rules.waiting_prompt))
            await call.music(True, rules.music)
            await asyncio.sleep(rules.waiting_announcement_every_s)
            announced = False
        except ChannelGone:
            return  # the call's own task hears of it
        except SwitchError as problem:
            # A lost line ends the session, and this with it; one request that failed is tried again.
            log.warning("call %s: waiting music failed: %s", call.id, problem)
            call.plays_music = None
            await asyncio.sleep(AGAIN_S)


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
        if not session.detached and call.channel.hangup_info is None:
            session.hand_over(call)
            return
    if not session.detached:
        session.finish(call)


async def _stranded(session: Session, call: Call) -> None:
    """A single request may fail as if the line were lost. No reconnect follows then: the session lives on."""
    await asyncio.sleep(STRANDED_S)
    if call.channel.hangup_info is not None:
        session.finish(call)
    elif call.id in session.calls:
        log.error("call %s: a request was lost; Asterisk's own path takes the citizen", call.id)
        session.hand_over(call)


def sound(key: str) -> str:
    return f"sound:daihyo-{key}"


def ended_by(call: Call, hangup: Hangup | None) -> tuple[str, str]:
    """Who ended the call, and the reason in words for the record."""
    if hangup is None or call.ended_by is not None:
        return call.ended_by or "centre", "normal"
    if hangup.reason is HangupReason.SWITCH_RESTARTED:
        return "switch", hangup.reason.value
    if hangup.reason is HangupReason.FOUND_ENDED:
        return "unknown", hangup.reason.value
    return "caller", "normal"
