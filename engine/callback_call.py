"""One try of a callback: an operator has taken it, the citizen is called with the centre's number."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal

from dialplans import Trunk, callback_number
from ivr import UnansweredReason, Walk
from switch import Channel, ChannelGone, SwitchError, SwitchGone

from .arrival import life
from .call import Answer, Call, HangUp, PageLost, Phase
from .callback_memory import CallbackMemory
from .clock import iso
from .forward import why
from .serials import serial
from .waiting import served

if TYPE_CHECKING:
    from .callbacks import Kept
    from .session import Session

log = logging.getLogger("daihyo.engine.callbacks")

Unreached = UnansweredReason | Literal["operator_gone"]
NO_TRY = ("trunk_full", "operator_gone")  # the citizen's telephone is not to blame
SOON_S = 10.0  # after a restart of ours has cost a try
_BY: dict[str, str] = {"operator_gone": "operator", "busy": "outside", "refused": "outside"}


async def call_back(session: Session, kept: Kept, answer: Answer) -> bool:
    """Calls the citizen. True: not reached, to be tried again later (noted); False: the talk has begun, or
    it was the last try."""
    centre, memory = session.centre, kept.memory
    plan, _ = centre.versions.number(memory.called)
    id = f"{centre.site.id}-cb{serial()}"
    centre.note(
        "dialled",
        id,
        number=memory.shown,
        to=memory.number,
        reason="callback",
        callback=memory.id,
        of=memory.of,
        queue=memory.queue,
        operator=answer.operator,
        phone=answer.phone,
        operator_leg=answer.leg.id,
        leg=id,
        plan=plan.version,
    )
    centre.live.callbacks()
    reason: Unreached | None = _refused(session, memory)
    leg: Channel | None = None
    if reason is None:
        try:
            leg = await _dialled(session, memory, id)
        except ChannelGone as gone:
            reason = why(gone.hangup)
        except SwitchGone:
            raise
        except SwitchError as problem:
            log.warning("callback %s to %s failed: %s", memory.id, memory.number, problem)
            reason = "failed"
    if leg is None:
        return await _unreached(session, kept, id, None, answer, reason or "failed")
    return await see_through(session, kept, made(session, memory, id, leg, answer), answer)


async def see_through(session: Session, kept: Kept, call: Call, answer: Answer) -> bool:
    """From the ringing on; as `call_back`. After a restart too: what rings since then is waited for."""
    session.calls[call.id] = call
    session.phase(call, Phase.CALLING)
    session.centre.live.callbacks()
    reason = await _rung(session, kept.memory, call, answer)
    if reason is not None:
        return await _unreached(session, kept, call.id, call, answer, reason)
    session.take_up(call, _talk(session, call, answer))
    return False


def made(session: Session, memory: CallbackMemory, id: str, leg: Channel, answer: Answer) -> Call:
    """The new call, as the engine holds it."""
    centre = session.centre
    plan, number = centre.versions.number(memory.called)
    language: Literal["ja", "en"] = "en" if memory.language == "en" else "ja"
    call = Call(
        id=id,
        channel=leg,
        plan=plan,
        number=number,
        walk=Walk(plan.site, number.digits, centre.plan_now(), language=language),
        caller=memory.number,
        arrived=centre.memory.calls[id].arrived,
        phase=Phase.CALLING,
        since=centre.clock.now(),
        queue=memory.queue,
        callback=memory.id,
        shown=memory.shown,
        booked_path=memory.path,
    )
    call.operator, call.phone, call.leg = answer.operator, answer.phone, answer.leg
    return call


def _refused(session: Session, memory: CallbackMemory) -> Unreached | None:
    """Why that number is not called now: asked again each time, plans and trunks change."""
    site = session.centre.site
    trunk = _trunk(session, memory)
    if callback_number(site, memory.number) != memory.number:
        log.error("callback %s: %s may not be called", memory.id, memory.number)
        return "refused"
    if trunk is None or trunk.outbound is None:
        log.error("callback %s: the plan has no trunk %s to call by", memory.id, memory.trunk)
        return "failed"
    return "trunk_full" if session.centre.memory.on_trunk(trunk.id) > trunk.max_channels else None


def _trunk(session: Session, memory: CallbackMemory) -> Trunk | None:
    return next((one for one in session.centre.site.trunks if one.id == memory.trunk), None)


async def _dialled(session: Session, memory: CallbackMemory, id: str) -> Channel:
    """Rings the citizen, who sees the centre's number. Recorded from the first word, or not called."""
    trunk = _trunk(session, memory)
    prefix = trunk.outbound.prefix if trunk is not None and trunk.outbound is not None else ""
    leg = await session.switch.leg(
        f"{prefix}{memory.number}@trunk-{memory.trunk}",
        channel_id=id,
        caller_id=memory.shown,
        caller_name="",
    )
    try:
        spool = session.centre.settings.spool_folder
        await session.switch.record(leg, spool / f"{id}-in.wav", spool / f"{id}-out.wav")
        await leg.dial(memory.ring_s + 10)
    except BaseException:
        session.let_go(leg, None)
        raise
    return leg


async def _rung(session: Session, memory: CallbackMemory, call: Call, answer: Answer) -> Unreached | None:
    """Until the citizen answers (None), or why not. The operator hears it ring."""
    began = session.centre.memory.calls[call.id].arrived_mono
    await _ringing(answer, True)
    up = asyncio.create_task(call.channel.wait_up())
    gone = asyncio.create_task(answer.leg.wait_gone())
    try:
        while True:
            word = asyncio.create_task(call.inbox.get())
            try:
                left_s = began + memory.ring_s - session.centre.clock.mono()
                either: set[asyncio.Future[Any]] = {up, gone, word}
                done, _ = await asyncio.wait(
                    either, timeout=max(0.0, left_s), return_when=asyncio.FIRST_COMPLETED
                )
            finally:
                word.cancel()
            if up in done:
                try:
                    up.result()
                except ChannelGone as ended:
                    return why(ended.hangup)
                await _ringing(answer, False)
                return None
            if gone in done:
                return "operator_gone"
            if not done:
                return "no_answer"
            if isinstance(word.result(), (HangUp, PageLost)):
                return "operator_gone"
    finally:
        for task in (up, gone):
            task.cancel()
        await asyncio.wait([up, gone])


async def _ringing(answer: Answer, on: bool) -> None:
    """The operator hears it. A phone that is gone is told of by its own end."""
    try:
        await answer.leg.ring(on)
    except SwitchGone:
        raise
    except SwitchError as problem:
        log.debug("operator %s: %s", answer.operator, problem)


async def _talk(session: Session, call: Call, answer: Answer) -> None:
    async with life(session, call):
        await served(session, call, answer)


async def _unreached(
    session: Session, kept: Kept, id: str, call: Call | None, answer: Answer, reason: Unreached
) -> bool:
    """Noted at once; then the operator is told and free. Returns whether it is to be tried again."""
    last = failed(session, kept.memory, id, reason)
    if call is not None:
        session.let_go(call.channel, None)
        call.ended_by, call.end_reason = _BY.get(reason, "centre"), reason
    if reason != "operator_gone":
        await _tell(session, answer)
    session.operator_free(id, answer.operator, answer.leg, answer.bridge)
    if call is not None:
        call.operator = call.leg = None
        session.finish(call)
    else:
        session.centre.note("ended", id, by="centre", cause=None, reason=reason)
    if last is not None:
        session.callbacks.end(kept, last)
    session.centre.live.callbacks()
    return last is None


def failed(
    session: Session, memory: CallbackMemory, id: str, reason: Unreached, *, soon: bool = False
) -> str | None:
    """Notes the try that has failed. Returns why it was the last, or None. `soon`: our restart cost it."""
    centre = session.centre
    tried = memory.tried if soon or reason in NO_TRY else memory.tried + 1
    next_at = centre.clock.now() + timedelta(seconds=SOON_S if soon else memory.retry_s)
    last: str | None = None
    if tried >= memory.tries or callback_number(centre.site, memory.number) != memory.number:
        last = "given_up"
    elif next_at >= memory.expires:
        last = "expired"
    told: dict[str, Any] = {"try": tried, "next_at": iso(next_at) if last is None else None}
    centre.note("callback_failed", id, callback=memory.id, reason=reason, **told)
    return last


async def _tell(session: Session, answer: Answer) -> None:
    """The operator hears that nobody was reached."""
    key = session.centre.site.wording.said("callback_unreached").key
    try:
        await _ringing(answer, False)
        await answer.leg.play(f"sound:daihyo-{key}")
    except (ChannelGone, SwitchGone):
        pass
    except SwitchError as problem:
        log.warning("telling operator %s: %s", answer.operator, problem)
