"""A call led on to a telephone outside (ACD-4, HRS-2): rung by a trunk, joined, recorded like any other."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dialplans import Forward, Trunk
from ivr import UnansweredReason
from switch import Bridge, Channel, ChannelGone, Hangup, SwitchError, SwitchGone

from .call import Call, Phase
from .call import digits as plain
from .serials import serial

if TYPE_CHECKING:
    from .session import Session

log = logging.getLogger("daihyo.engine.forward")

FORWARDS_MAX = 8  # a call; plans lead on from forward to forward, and round through queues

# Why a telephone outside was not answered, by SIP status and by Q.850 cause.
_BY_STATUS: dict[int, UnansweredReason] = {486: "busy", 600: "busy", 603: "refused", 403: "refused"}
_BY_STATUS |= {408: "no_answer", 480: "no_answer", 487: "no_answer"}
_BY_CAUSE: dict[int, UnansweredReason] = {17: "busy", 18: "no_answer", 19: "no_answer", 21: "refused"}


@dataclass(frozen=True)
class Found:
    """A forward that stood in Asterisk when the engine came: rung since so many seconds, or `bridge`: in
    talk since."""

    leg: Channel
    since_mono: float
    bridge: Bridge | None = None


async def forward(
    session: Session, call: Call, name: str, found: Found | None = None
) -> UnansweredReason | None:
    """Connects the call. None: the talk is over (`call.ended_by` tells); else why there was none."""
    to = call.site.forward(name)
    if found is not None and found.bridge is not None:
        await _talk(session, call, name, found.leg, found.bridge, found.since_mono)
        return None
    session.phase(call, Phase.FORWARDING)
    reason: UnansweredReason | None = None
    leg, room = None, None
    began = found.since_mono if found is not None else session.centre.clock.mono()
    try:
        if found is None:
            reason = _place_on(session, call, to)
        if reason is None:
            try:
                leg = found.leg if found is not None else await _rung(session, call, to)
                await call.ringing(True)
                async with asyncio.timeout(max(0.0, began + to.ring_s - session.centre.clock.mono())):
                    await leg.wait_up()
                room = await session.switch.bridge()
                await call.quiet()
                await room.add(call.channel, leg)
            except TimeoutError:
                reason = "no_answer"
            except ChannelGone as gone:
                if call.channel.hangup_info is not None:
                    raise
                reason = why(gone.hangup)
            except SwitchGone:
                raise
            except SwitchError as problem:
                log.warning("forwarding %s to %s failed: %s", call.id, name, problem)
                reason = "failed"
        if reason is not None:
            session.centre.note("forward_ended", call.id, forward=name, reason=reason, talk_s=None)
            return reason
        assert leg is not None  # noqa: S101  (answered)
        assert room is not None  # noqa: S101  (made with the leg)
        talking, bridge = leg, room
        leg = room = None
    except (asyncio.CancelledError, ChannelGone):
        if not session.detached and call.channel.hangup_info is not None:
            session.centre.note("forward_ended", call.id, forward=name, reason="caller_gone", talk_s=None)
        raise
    finally:
        session.let_go(leg, room)
    session.centre.note("forward_answered", call.id, forward=name, leg=talking.id, bridge=bridge.id)
    await _talk(session, call, name, talking, bridge, session.centre.clock.mono())
    return None


def why(hangup: Hangup) -> UnansweredReason:
    """What the end of a leg outside that was never answered means."""
    known = _BY_STATUS.get(hangup.tech_cause or 0)
    return known or _BY_CAUSE.get(hangup.cause or 0, "failed")


def _place_on(session: Session, call: Call, to: Forward) -> UnansweredReason | None:
    """Notes the attempt. Tells whether the trunk has a channel for it: calls in and out count alike."""
    centre = session.centre
    leg = f"out-{to.id}-{serial()}"
    centre.note("forwarded", call.id, forward=to.id, number=plain(to.number), trunk=to.trunk, leg=leg)
    if _comes_back(session, call, to):
        log.warning("call %s comes from forward %s: that telephone is diverted to us", call.id, to.id)
        return "busy"
    if centre.memory.calls[call.id].forwards > FORWARDS_MAX:
        log.warning("call %s was led outside %d times already", call.id, FORWARDS_MAX)
        return "failed"
    if centre.memory.on_trunk(to.trunk) > _trunk(session, call, to.trunk).max_channels:
        return "trunk_full"
    return None


def _comes_back(session: Session, call: Call, to: Forward) -> bool:
    """Whether the telephone outside has sent this very call to us: led there again, it would come back until
    the trunk is full. Told by whence it was diverted, else by the number that is shown there just now."""
    outbound = _trunk(session, call, to.trunk).outbound
    prefix = outbound.prefix if outbound is not None else ""
    if call.diverted_from in (plain(to.number), plain(prefix + to.number)):
        return True
    for other in session.calls.values():
        memory = session.centre.memory.calls.get(other.id)
        if other is call or call.caller is None or memory is None or memory.forward is None:
            continue
        with suppress(KeyError):
            there = other.site.forward(memory.forward.id)
            if (plain(there.number), _shown(other, there)) == (plain(to.number), plain(call.caller)):
                return True
    return False


def _shown(call: Call, to: Forward) -> str:
    """The caller's number that the telephone outside sees."""
    return plain(to.caller_number) if to.caller_number is not None else call.number.digits


async def _rung(session: Session, call: Call, to: Forward) -> Channel:
    """Rings the telephone outside. Whoever answers there sees the number that the citizen dialled."""
    forward = session.centre.memory.calls[call.id].forward
    assert forward is not None  # noqa: S101  (noted just before)
    outbound = _trunk(session, call, to.trunk).outbound
    prefix = outbound.prefix if outbound is not None else ""
    leg = await session.switch.leg(
        f"{prefix}{plain(to.number)}@trunk-{to.trunk}",
        channel_id=forward.leg,
        caller_id=_shown(call, to),
        caller_name="",
    )
    try:
        await leg.dial(to.ring_s + 10)
    except BaseException:
        session.let_go(leg, None)
        raise
    return leg


def _trunk(session: Session, call: Call, trunk: str) -> Trunk:
    """As the live plan has it; as the call's own when it left that."""
    for site in (session.centre.site, call.site):
        for one in site.trunks:
            if one.id == trunk:
                return one
    raise SwitchError(f"there is no trunk {trunk}")


async def _talk(
    session: Session, call: Call, name: str, leg: Channel, bridge: Bridge, since_mono: float
) -> None:
    """Until one of the two hangs up."""
    centre = session.centre
    try:
        call.answered = call.answered or centre.clock.now()
        session.phase(call, Phase.FORWARDED)
        await leg.wait_gone()
        call.ended_by = call.ended_by or "outside"
    finally:
        if not session.detached:
            talk_s = round(centre.clock.mono() - since_mono, 3)
            centre.note("forward_ended", call.id, forward=name, reason="over", talk_s=talk_s)
            session.let_go(leg, bridge)
