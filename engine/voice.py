"""What an operator's voice is let through to: muted at the switch, key tones, and the last words to a citizen
whom nobody can help any more (カスハラ)."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from switch import Channel, ChannelGone, SwitchError, SwitchGone

from .call import Call, Phase

if TYPE_CHECKING:
    from .session import Session

log = logging.getLogger("daihyo.engine.voice")

LAST_WORD_S = 1.0  # the words are on their way still, and a pause after them is good manners


async def muted(session: Session, call: Call, on: bool) -> None:
    """The operator's microphone off or on, at the switch: nobody in the room hears it, whatever the phone."""
    leg = call.leg
    if leg is None or call.muted is on:
        return
    await leg.mute(on)
    if call.leg is not leg:
        return
    call.muted = on
    session.centre.note("muted" if on else "unmuted", call.id, operator=call.operator)
    session.centre.live.call(call.id)


async def carried_over(call: Call, leg: Channel) -> None:
    """A page that was loaded anew is as muted as it was; before it is joined with the citizen."""
    if call.muted:
        await leg.mute(True)


async def last_words(session: Session, call: Call) -> None:
    """The citizen hears `harassment_end`, alone; then the line is closed. Ended by the operator."""
    call.ended_by, call.end_reason = "operator", "ended_politely"
    session.phase(call, Phase.ANNOUNCEMENT)
    key = call.site.wording.said("harassment_end", call.language).key
    await call.quiet()
    try:
        await call.channel.play(f"sound:daihyo-{key}")
        await asyncio.sleep(LAST_WORD_S)
    except (ChannelGone, SwitchGone):
        raise
    except SwitchError as problem:
        log.error("call %s: its last words: %s", call.id, problem)
