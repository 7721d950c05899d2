"""A citizen whom the operator has left to the target of a transfer: its telephone rings, the two talk, or the
citizen comes back (転送戻り)."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from acd import OperatorState
from switch import Bridge, Channel, ChannelGone, SwitchError, SwitchGone

from .call import Answer, Call, LegGone, Phase
from .clock import iso
from .transfer import Left
from .transfer_model import GivenBack, Reason, State, TargetLeaves, TargetUp
from .transfer_target import TargetPhone, fell_silent

if TYPE_CHECKING:
    from .session import Session

log = logging.getLogger("daihyo.engine.transfer")

AT_ONCE_S = 0.5  # somebody who answers at once is not preceded by a scrap of words


@dataclass(frozen=True)
class Waits:
    """The citizen waits for an operator, in front. `queue`: the one transferred to; None: they have come
    back, for `operator` if that one is there."""

    queue: str | None = None
    operator: str | None = None


async def left_to(session: Session, call: Call, left: Left) -> Answer | Waits | None:
    """Until the call is over (None: `call.ended_by` tells) or an operator has it or is to have it. The leg of
    an Answer is in the room already, and noted."""
    with left.undo as undo:
        target, bridge = left.target, left.bridge
        if target.transfer.target.kind == "queue":
            target.taken()
            session.let_go(None, bridge)
            return Waits(queue=target.transfer.target.number)
        undo.callback(session.let_go, None, bridge)
        if not target.transfer.state.target:
            reason = await _answered(session, call, target, bridge)
            if reason is not None:
                return await comes_back(session, call, target, bridge, reason)
        if target.colleague is not None and target.leg is not None:
            answer = Answer(target.colleague, target.phone, target.leg, bridge)
            session.floor.talks(
                target.colleague, call.id, call.queue or _own_queue(session, target.colleague)
            )
            session.centre.note(
                "answered",
                call.id,
                operator=answer.operator,
                phone=answer.phone,
                leg=answer.leg.id,
                bridge=bridge.id,
            )
            target.taken()
            undo.pop_all()
            return answer
        return await _talk(session, call, target, bridge)


async def _answered(session: Session, call: Call, target: TargetPhone, bridge: Bridge) -> Reason | None:
    """The telephone rings, and the citizen hears it. None: somebody has answered and both are in the room."""
    transfer = target.transfer
    session.phase(call, Phase.TRANSFERRING)
    rung_s = (session.centre.clock.now() - transfer.since).total_seconds()
    left_s = max(0.0, call.site.transfers.back_after_s - rung_s)
    comfort = session.start(_comfort(session, call), f"transferring {call.id}")
    try:
        async with asyncio.timeout(left_s):
            reason = await _rung(call, target)
    except TimeoutError:
        reason = "no_answer"
    finally:
        comfort.cancel()
        await asyncio.wait([comfort])
    if reason is not None or target.leg is None:
        return reason or "failed"
    try:
        await target.record_no_more()  # begun as a consult: the citizen's own recording has the rest
        await call.quiet()
        await bridge.add(call.channel, target.leg)
    except ChannelGone:
        if call.channel.hangup_info is not None:
            raise
        return "target_gone"
    target.answered()
    transfer.state = State.TRANSFERRED
    return None


async def _rung(call: Call, target: TargetPhone) -> Reason | None:
    while target.leg is None or not target.leg.up:
        match await call.inbox.get():
            case LegGone(leg=leg, hangup=hangup) if target.tells(leg):
                reason = await target.next_way(hangup)
                if reason is not None:
                    return reason
            case TargetLeaves():
                return "refused"
            case TargetUp():
                pass
            case _:
                pass  # of the operator, who has left
    return None


async def _comfort(session: Session, call: Call) -> None:
    """What a citizen hears who is being transferred: that they are, then the telephone that rings."""
    key = call.site.wording.said("transfer_ringing", call.language).key
    await asyncio.sleep(AT_ONCE_S)
    try:
        await call.quiet()
        try:
            await call.channel.play(f"sound:daihyo-{key}")
        except (ChannelGone, SwitchGone):
            raise
        except SwitchError as problem:
            log.error("call %s: %s", call.id, problem)
        await call.ringing(True)
    except (ChannelGone, SwitchGone):
        pass  # the call's own task hears of it
    except SwitchError as problem:
        log.warning("call %s: the tone of ringing: %s", call.id, problem)


async def _talk(session: Session, call: Call, target: TargetPhone, bridge: Bridge) -> Waits | None:
    """Citizen and target, until one of them hangs up or the department gives the citizen back."""
    session.phase(call, Phase.TRANSFERRED)
    while True:
        match await call.inbox.get():
            case LegGone(leg=leg, hangup=hangup) if target.tells(leg):
                if fell_silent(hangup):
                    return await comes_back(session, call, target, bridge, "failed")
                call.ended_by = call.ended_by or "outside"
                target.over("over")
                return None
            case GivenBack():
                return await comes_back(session, call, target, bridge, "return_code")
            case _:
                pass


async def comes_back(
    session: Session, call: Call, target: TargetPhone, bridge: Bridge | None, reason: Reason
) -> Waits:
    """To the operator who transferred, if free or in the wrap-up of this very call, else to the front."""
    centre, transfer = session.centre, target.transfer
    operator = transfer.operator if is_free(session, transfer.operator, call.id) else None
    target.over(reason)
    data: dict[str, Any] = {"from": transfer.place, "to": operator, "reason": reason}
    event = centre.note("returned", call.id, **data)
    call.returned = {
        "to": transfer.target.told(),
        "reason": reason,
        "operator": transfer.operator,
        "at": iso(event.at),
    }
    if transfer.state.citizen and bridge is not None:
        await _leaves(bridge, call.channel)
    session.phase(call, Phase.RETURNING)
    return Waits(operator=operator)


async def _leaves(bridge: Bridge, citizen: Channel) -> None:
    try:
        await bridge.remove(citizen)
    except (ChannelGone, SwitchGone):
        raise
    except SwitchError as problem:
        log.warning("%s in %s: %s", citizen.id, bridge.id, problem)


def is_free(session: Session, operator: str, call: str) -> bool:
    """Whether the operator can have this call at once: ready, or still writing it up, or their phone has not
    hung up yet from having had it."""
    if not session.floor.knows(operator):
        return False
    view = session.floor.view(operator)
    if not view.reachable or view.next_state is not None:
        return False
    return view.state is OperatorState.READY or view.call == call or writes_up(session, operator, call)


def writes_up(session: Session, operator: str, call: str) -> bool:
    """Whether the operator is in the wrap-up of this very call."""
    view = session.floor.view(operator)
    last = session.centre.memory.operator(operator).last_call
    return view.state is OperatorState.WRAP_UP and last == call


def ends_wrap_up(session: Session, operator: str | None, call: str) -> None:
    """The call is theirs again: its wrap-up is over. To be told after the floor knows that it waits for them,
    so that nobody else is offered to them first."""
    if operator is not None and session.floor.knows(operator) and writes_up(session, operator, call):
        session.centre.wrap_up_words[operator] = {"by": "returned"}
        session.floor.wrapped_up(operator)


def _own_queue(session: Session, operator: str) -> str | None:
    """Of a call that came by no queue: the first one of who has it now."""
    mine = (one.queues for one in session.centre.site.operators if one.id == operator)
    return next((one for one in next(mine, ())), None)
