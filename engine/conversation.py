"""Citizen and operator together: hold, the phone that dies, until somebody hangs up."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from switch import Bridge, Channel, ChannelGone, Hangup, Refused, SwitchError, SwitchGone

from .call import Answer, Call, EndPolitely, HangUp, Hold, LegGone, PageLost, Phase, Resume, TakeOver
from .offer import leg_id
from .phones import BROWSER, died, endpoint
from .transfer import FoundTransfer, Left, found, transfer
from .transfer_model import Resumed, Wish
from .voice import carried_over

if TYPE_CHECKING:
    from .session import Session

log = logging.getLogger("daihyo.engine.conversation")

GRACE_S = 10.0  # how long the citizen waits for an operator's page that was loaded again
ANSWER_S = 10.0  # how long that page may take to answer by itself
RETRY_S = 0.3


@dataclass(frozen=True)
class Returned:
    """The citizen is still there but the operator's phone is not; who it was."""

    operator: str


@dataclass(frozen=True)
class TakenOver:
    """A supervisor who had joined goes on with the citizen; the operator is out of it."""

    answer: Answer


@dataclass(frozen=True)
class Polite:
    """The operator is out of it, the citizen stands alone and is to hear the last words."""


async def conversation(
    session: Session,
    call: Call,
    answer: Answer,
    *,
    adopted: bool = False,
    held: bool = False,
    taken: bool = False,
    under_way: FoundTransfer | None = None,
) -> str | Returned | TakenOver | Polite | Left:
    """Joins the two and stays with them. Returns who ended it (`operator`), or what is to follow.

    `adopted`: both are in the bridge already (recovery); `held`: the citizen was on hold then. `taken`: by a
    supervisor, or by a colleague through a transfer, who is in the bridge already. `under_way`: a transfer
    (recovery).
    """
    centre = session.centre
    operator, leg, bridge = answer.operator, answer.leg, answer.bridge
    call.inbox = asyncio.Queue()  # what was said to an earlier conversation is not for this one
    _listen(call, leg)
    call.operator, call.phone, call.leg, call.bridge = operator, answer.phone, leg, bridge
    free = False
    room: Bridge | None = bridge
    try:
        if not adopted:
            if not taken:
                await _join(call, leg, bridge)
            centre.note(
                "answered", call.id, operator=operator, phone=answer.phone, leg=leg.id, bridge=bridge.id
            )
            if taken:
                await _join(call, leg, bridge)  # noted first: nobody else speaks for the citizen now
            if call.callback is not None:
                session.floor.talks(operator, call.id, call.queue)  # from here on it counts
        elif held:
            await call.music(True)
        call.answered = call.answered or centre.clock.now()
        call.lost_by = None
        session.phase(call, Phase.HOLD if held else Phase.TALKING)
        lost = await _talk(session, call, bridge, under_way)
        while isinstance(lost, str):
            if (heir := session.supervisions.heir(call)) is not None:
                lost = TakeOver(heir.supervisor)
                break
            waits = call.phase is Phase.HOLD  # on hold the citizen stays: only the operator ends a hold
            if not waits:
                await _leaves(call, bridge)
            again = await _again(session, call, operator, lost, quietly=waits)
            if again is None:
                call.lost_by = operator if answer.phone == BROWSER else None
                return Returned(operator)
            leg = call.leg = again
            _listen(call, leg)
            await carried_over(call, leg)
            await (bridge.add(leg) if waits else _join(call, leg, bridge))
            centre.note(
                "answered", call.id, operator=operator, phone=answer.phone, leg=leg.id, bridge=bridge.id
            )
            if waits:
                centre.note("held", call.id, operator=operator)
            session.phase(call, Phase.HOLD if waits else Phase.TALKING)
            lost = await _talk(session, call, bridge)
        free = True
        if isinstance(lost, Left):
            room = None  # citizen and target are in it
            return lost
        if lost is None and (heir := session.supervisions.heir(call)) is not None:
            lost = TakeOver(heir.supervisor)
        if isinstance(lost, TakeOver):
            room = None  # it is the supervisor's now
            return TakenOver(session.supervisions.give(call, lost.supervisor, operator))
        if isinstance(lost, EndPolitely):
            centre.note("polite_end", call.id, operator=operator)
            if call.phase is not Phase.HOLD:
                await bridge.remove(call.channel)
            return Polite()
        return "operator"
    except ChannelGone as gone:
        if gone.hangup is call.channel.hangup_info or call.channel.hangup_info is not None:
            raise
        # The operator's phone ended while the two were being joined: the citizen keeps the place.
        return Returned(operator)
    finally:
        call.leg = call.bridge = None
        call.muted = False
        if not session.detached:
            session.conversation_over(call, operator, leg, room, at_once=free)


def _listen(call: Call, leg: Channel) -> None:
    def gone(hangup: Hangup) -> None:
        call.inbox.put_nowait(LegGone(leg.id, hangup))

    leg.on_gone(gone)


async def _leaves(call: Call, bridge: Bridge) -> None:
    """The citizen leaves the room before any music: begun in a room that is then taken away, it was missing
    from a later hold (seen with 22.10.1); and it is no part of the recording."""
    try:
        await bridge.remove(call.channel)
    except (ChannelGone, SwitchGone):
        raise
    except SwitchError as problem:
        log.info("call %s: not in its room: %s", call.id, problem)


async def _join(call: Call, leg: Channel, bridge: Bridge) -> None:
    await call.music(False)
    await bridge.add(call.channel, leg)


async def _talk(
    session: Session, call: Call, bridge: Bridge, under_way: FoundTransfer | None = None
) -> str | TakeOver | EndPolitely | Left | None:
    """Until it is over: None when the operator ended it, otherwise why the operator's phone is lost, or what
    was asked for."""
    centre = session.centre
    if under_way is not None:
        left = await found(session, call, bridge, under_way)
        if left is not None:
            return left
    while True:
        word = await call.inbox.get()
        match word:
            case Wish(answer=answer) if not answer.done():
                left = await transfer(session, call, bridge, word)
                if left is not None:
                    return left
            case LegGone(leg=leg, hangup=hangup) if call.leg is not None and leg == call.leg.id:
                if not died(call.phone, hangup):
                    return None
                return "phone_died"
            case HangUp():
                return None
            case TakeOver(supervisor=supervisor) if session.supervisions.heir(call, supervisor) is not None:
                return word
            case EndPolitely():
                return word
            case PageLost(reason=reason, leg=leg) if call.leg is not None and leg == call.leg.id:
                session.let_go(call.leg, None)
                return reason
            case Hold() if call.phase is Phase.TALKING:
                await bridge.remove(call.channel)
                await call.music(True)
                centre.note("held", call.id, operator=call.operator)
                session.phase(call, Phase.HOLD)
            case Resume() | Resumed() if call.phase is Phase.HOLD and _goes_on(call, word):
                await call.music(False)
                await bridge.add(call.channel)
                centre.note("resumed", call.id, operator=call.operator)
                session.phase(call, Phase.TALKING)
            case _:
                pass  # a key pressed twice, or the end of a leg already replaced


def _goes_on(call: Call, word: Resume | Resumed) -> bool:
    """By the page, or by the hold key of the phone that has the citizen."""
    return isinstance(word, Resume) or (call.leg is not None and word.leg == call.leg.id)


async def _again(
    session: Session, call: Call, operator: str, why: str, *, quietly: bool = False
) -> Channel | None:
    """Gives the conversation back to an operator whose page was loaded again; None if it does not come
    back. `quietly`: the citizen hears the music of a hold already, and goes on to."""
    centre = session.centre
    centre.note("leg_lost", call.id, operator=operator, reason=why)
    session.phase(call, Phase.RETURNING)
    if call.phone != BROWSER:
        return None  # a desk phone cannot answer by itself
    comfort = session.start(_please_wait(session, call, quietly), f"please wait {call.id}")
    leg: Channel | None = None
    try:
        try:
            async with asyncio.timeout(GRACE_S):
                while True:
                    await centre.page_back(operator)
                    page = centre.seats.page_of(operator)
                    try:
                        leg = await _resume_leg(session, call, operator)
                        await leg.dial(ANSWER_S)
                        if await _taken(session, operator, page, leg):
                            break
                        session.let_go(leg, None)  # loaded again while it was to answer: the next one is rung
                    except (Refused, ChannelGone):
                        if call.channel.hangup_info is not None:
                            raise
                        session.let_go(leg, None)
                        await asyncio.sleep(RETRY_S)  # the new page's registration may be a moment behind
        finally:
            comfort.cancel()
            await asyncio.wait([comfort])
        found, leg = leg, None
        return found
    except TimeoutError:
        return None
    finally:
        session.let_go(leg, None)  # the citizen may hang up until the very end


async def _taken(session: Session, operator: str, page: str | None, leg: Channel) -> bool:
    """Whether this page answers; False as soon as another one has the seat."""
    up = asyncio.ensure_future(leg.wait_up())
    other = asyncio.ensure_future(session.centre.seats.other_page(operator, page))
    try:
        await asyncio.wait({up, other}, return_when=asyncio.FIRST_COMPLETED)
        if up.done():
            up.result()
        return up.done()
    finally:
        for one in (up, other):
            one.cancel()
        await asyncio.gather(up, other, return_exceptions=True)


async def _resume_leg(session: Session, call: Call, operator: str) -> Channel:
    return await session.switch.leg(
        endpoint(operator, BROWSER),
        channel_id=leg_id(operator),
        caller_id=call.caller or "anonymous",
        caller_name=call.diverted_name or call.number.name,
        variables={"PJSIP_HEADER(add,X-Daihyo-Resume)": "1"},  # the page answers by itself
    )


async def _please_wait(session: Session, call: Call, quietly: bool) -> None:
    key = call.site.wording.said("please_wait", call.language).key
    try:
        if not quietly:
            await call.channel.play(f"sound:daihyo-{key}")
        await call.music(True)
    except (ChannelGone, SwitchGone):
        pass
    except SwitchError as problem:
        log.warning("call %s: %s", call.id, problem)
