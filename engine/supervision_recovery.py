"""Supervisors as a new engine (or connection) finds them: listening, whispering, joined."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING

from switch import Channel, ChannelGone, FoundBridge, SwitchError

from .arrival import life
from .call import Answer, Call
from .memory import CallMemory
from .seat_memory import SupervisionMemory
from .supervision import Mode, Supervision
from .voice import last_words

if TYPE_CHECKING:
    from .session import Session

log = logging.getLogger("daihyo.engine.recovery")


def supervised(
    session: Session, channels: Mapping[str, Channel], bridges: Mapping[str, FoundBridge]
) -> set[str]:
    """All that go on, once the calls are taken up. Returns the ids of the channels and bridges that are used
    on; the ends of the others are noted."""
    used: set[str] = set()
    for memory in list(session.centre.memory.seats.supervisions.values()):
        call, leg, own = session.calls.get(memory.call), channels.get(memory.leg), bridges.get(memory.bridge)
        reason = _why_over(session, memory, call, leg)
        if call is not None and call.leg is not None and memory.mode == Mode.WHISPER:
            session.start(_audible(call.leg), f"silence of {call.id}")
        if reason is not None or call is None or leg is None:
            session.centre.note(
                "supervision_ended",
                memory.call,
                supervisor=memory.supervisor,
                mode=memory.mode,
                reason=reason,
            )
            continue
        snoop = _snoop(channels, own)
        one = Supervision(session, call, memory.supervisor, Mode(memory.mode), memory.by)
        one.adopt(memory, leg, own.bridge if own is not None else None, snoop)
        one.in_room = call.bridge is not None and leg.id in _inside(bridges, call.bridge.id)
        session.supervisions.take_up(one)
        used |= {leg.id} | {found.id for found in (one.bridge, snoop) if found is not None}
    return used


def _why_over(
    session: Session, memory: SupervisionMemory, call: Call | None, leg: Channel | None
) -> str | None:
    if call is not None and call.operator == memory.supervisor:
        return "took_over"
    if call is None or call.leg is None:
        return "call_over" if call is None else "operator_left"
    if leg is None:
        return "hung_up"
    return None if call.operator == memory.operator else "operator_left"


def _inside(bridges: Mapping[str, FoundBridge], bridge: str) -> tuple[str, ...]:
    return bridges[bridge].channel_ids if bridge in bridges else ()


def _snoop(channels: Mapping[str, Channel], own: FoundBridge | None) -> Channel | None:
    """What the supervisor hears by; others beside it are let go as nobody's."""
    inside = own.channel_ids if own is not None else ()
    found = (channels[one] for one in inside if one in channels)
    return next((one for one in found if one.args[:1] == ("snoop",)), None)


async def _audible(leg: Channel) -> None:
    """Silence that a whisper needed while the citizen was on hold may still be sent."""
    try:
        await leg.silence(False)
    except (SwitchError, ChannelGone) as problem:
        log.info("silence to %s: %s", leg.id, problem)


def heir(
    session: Session, memory: CallMemory, channels: Mapping[str, Channel], room: FoundBridge | None
) -> Answer | None:
    """The supervisor who had joined a call whose operator is there no more."""
    if memory.operator is None or room is None:
        return None
    for one in session.centre.memory.seats.supervisions.values():
        leg = channels.get(one.leg)
        joined = one.call == memory.id and one.mode == Mode.JOIN and one.leg in room.channel_ids
        if joined and leg is not None:
            return Answer(one.supervisor, one.phone, leg, room.bridge)
    return None


async def parting(session: Session, call: Call) -> None:
    """A citizen whose call was being ended politely: the words once more, then the line is closed."""
    async with life(session, call):
        await asyncio.sleep(0)
        await last_words(session, call)
