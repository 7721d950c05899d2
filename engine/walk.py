"""A call led through its plan: what `ivr.Walk` asks for is done here, what came of it is told there."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from dialplans import Prompt
from ivr import Ask, BookCallback, End, Move, Play, ToForward, ToQueue
from switch import ChannelGone, SwitchError, SwitchGone

from .call import Answer, Call, Phase
from .forward import Found, forward
from .waiting import Entry, queue, served

if TYPE_CHECKING:
    from .session import Session

log = logging.getLogger("daihyo.engine.walk")

LAST_WORD_S = 0.4  # on its way still, however slow the line: hung up at once, it would be cut off


async def led(
    session: Session,
    call: Call,
    move: Move,
    *,
    entry: Entry = Entry(),  # noqa: B008  (frozen)
    found: Found | None = None,
) -> None:
    """Until the call is over or the plan has come to its end (`call.ended_by`). `entry`, `found`: of the
    queue or forward that the first move leads to (recovery)."""
    walk = call.walk
    asked = False  # for a callback, while waiting
    while True:
        note_facts(session, call)
        match move:
            case Play():
                session.phase(call, _phase(walk.step, move.keys))
                key = await said(call, move.prompts, until_key=move.keys)
                move = walk.heard() if key is None else walk.digit(key)
            case Ask():
                session.phase(call, Phase.MENU)
                key = await _key(call, move.timeout_s)
                move = walk.timed_out() if key is None else walk.digit(key)
            case ToQueue():
                call.channel.forget_digits()  # pressed before: none of them asks for a callback
                if move.back:
                    entry = Entry(back=True, stays=asked)
                outcome = await queue(session, call, move.queue, entry)
                if isinstance(outcome, Answer):
                    await served(session, call, outcome)
                    return
                asked = not isinstance(outcome, str)
                if isinstance(outcome, str):
                    call.channel.forget_digits()  # pressed while waiting: not meant for what is said next
                    move = walk.overflow(outcome)
                else:
                    move = outcome
            case ToForward():
                reason = await forward(session, call, move.forward, found)
                if reason is None:
                    return
                call.channel.forget_digits()
                move = walk.unanswered(reason)
            case BookCallback():
                move = walk.booked(session.callbacks.book(call, move.step, move.number))
            case End():
                call.ended_by, call.end_reason = "centre", move.why
                await asyncio.sleep(LAST_WORD_S)
                return
        entry, found = Entry(), None


def note_facts(session: Session, call: Call) -> None:
    """What the walk has to tell, into the journal."""
    facts = call.walk.facts()
    for fact in facts:
        data: dict[str, Any] = dict(fact.data)
        session.centre.note(fact.kind, call.id, **data)
    if facts:
        session.centre.live.call(call.id)


async def said(call: Call, prompts: Sequence[Prompt], *, until_key: bool) -> str | None:
    """Says these; a key stops it and is returned. Keys that came in what no key can stop are passed over.
    A sound that is missing is left out: the call goes on."""
    media = [f"sound:daihyo-{prompt.key}" for prompt in prompts]
    await call.quiet()
    try:
        return await call.channel.play(*media, until_digit=until_key)
    except (ChannelGone, SwitchGone):
        raise
    except SwitchError as problem:
        log.error("call %s: %s", call.id, problem)
        return await _said_alone(call, media, until_key) if len(media) > 1 else None
    finally:
        if not until_key:
            call.channel.forget_digits()


async def _said_alone(call: Call, media: list[str], until_key: bool) -> str | None:
    """One after another, so that one that is missing takes no other with it."""
    for medium in media:
        try:
            key = await call.channel.play(medium, until_digit=until_key)
        except (ChannelGone, SwitchGone):
            raise
        except SwitchError:
            continue  # told above
        if key is not None:
            return key
    return None


async def _key(call: Call, timeout_s: float) -> str | None:
    """The next key, one that came before included; None when none comes in time."""
    await call.quiet()
    try:
        async with asyncio.timeout(timeout_s):
            return await call.channel.digit()
    except TimeoutError:
        return None


def _phase(step: str, keys: bool) -> Phase:
    if keys:
        return Phase.MENU
    return Phase.GREETING if step in ("greeting", "recording_notice") else Phase.ANNOUNCEMENT
