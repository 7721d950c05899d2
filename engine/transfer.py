"""A transfer (転送, 取次ぎ) while the operator is in it: from the key until the citizen is the
operator's again or has been left to the target.

Who hears whom is who is in the conversation's one bridge: `State`. Whoever is not in it hears music.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from switch import Bridge, Channel, ChannelGone, SwitchError, SwitchGone

from .call import Call, HangUp, LegGone, PageLost, Phase, Word
from .clock import iso
from .phones import died
from .transfer_model import Key, Reason, State, TargetLeaves, TargetRings, TargetUp, Transfer, Wish
from .transfer_target import TargetPhone

if TYPE_CHECKING:
    from .session import Session

log = logging.getLogger("daihyo.engine.transfer")

RINGS_S = 3.0  # a target that has told nothing by then counts as ringing


@dataclass(frozen=True)
class Left:
    """The operator has left the citizen to the target. `undo` lets go of the target unless somebody else
    has it then."""

    target: TargetPhone
    bridge: Bridge
    undo: ExitStack


@dataclass(frozen=True)
class FoundTransfer:
    """A transfer that stood when the engine came. `inside`: ids of those who were in the room."""

    transfer: Transfer
    leg: Channel | None  # None: gone
    inside: frozenset[str]


async def transfer(session: Session, call: Call, bridge: Bridge, wish: Wish) -> Left | str | None:
    """Until it is over: None, the operator talks with the citizen again; Left; or why the operator's phone is
    lost (the target has been let go)."""
    call.transfers += 1
    call.last_transfer = call.returned = None
    made = call.transfer = Transfer(
        call.transfers,
        wish.how,
        wish.target,
        call.operator or "",
        wish.by,
        session.centre.clock.now(),
    )
    inside = {call.channel.id} if call.phase is Phase.TALKING else set()
    with ExitStack() as undo:
        side = _Side(session, call, bridge, TargetPhone(session, call, made), wish, inside, undo)
        left = await side.begun()
        if wish.key is not None:
            await wish.key.told(isinstance(left, Left))  # before it is let go
        return left


async def found(session: Session, call: Call, bridge: Bridge, was: FoundTransfer) -> Left | str | None:
    """The same, where it stood."""
    call.transfer = was.transfer
    with ExitStack() as undo:
        target = TargetPhone(session, call, was.transfer)
        side = _Side(session, call, bridge, target, None, set(was.inside), undo)
        return await side.taken_up(was.leg)


class _Side:
    """The operator's side of it. Each method is a stage and ends as `transfer` does."""

    def __init__(
        self,
        session: Session,
        call: Call,
        bridge: Bridge,
        target: TargetPhone,
        wish: Wish | None,
        inside: set[str],
        undo: ExitStack,
    ) -> None:
        self.session, self.call, self.bridge, self.target, self.wish = session, call, bridge, target, wish
        assert call.leg is not None  # noqa: S101  (a conversation goes on)
        self.operator = call.leg  # the operator's phone
        self.inside = inside | {self.operator.id} if wish is not None else inside
        self.undo = undo
        undo.callback(self._broken_off)

    @property
    def transfer(self) -> Transfer:
        return self.target.transfer

    def _broken_off(self) -> None:
        self._answer_wish(broken_off(self.call, self.target))

    # -- stages

    async def begun(self) -> Left | str | None:
        call, target = self.call, self.target
        if self.transfer.target.kind == "queue":
            target.begun()
            return self._leaves()
        reason = await target.dial()
        if reason is not None:
            return await self._back(reason)
        if call.phase is Phase.HOLD:
            self.session.centre.note("resumed", call.id, operator=call.operator)
        await self._out(call.channel)
        blind = self.transfer.how == "blind"
        self.session.phase(call, Phase.TRANSFERRING if blind else Phase.CONSULTING)
        await call.music(True)
        if blind:
            return await self._rings(RINGS_S)
        await self._operator_hears_ringing(True)
        return await self._rings(call.site.transfers.back_after_s)

    async def taken_up(self, leg: Channel | None) -> Left | str | None:
        """Where it stood, with everybody put where they are heard again."""
        call, state = self.call, self.transfer.state
        if leg is None:
            return await self._back("failed" if state is State.RINGING else "target_gone")
        self.target.follow(leg)
        if state is State.RINGING and leg.up:
            call.inbox.put_nowait(TargetUp(leg.id))
        if state is not State.RINGING:
            await self._seat(state)
            self.session.phase(call, Phase.CONSULTING if state is State.TALKING else Phase.TALKING)
            return await self._talks()
        blind = self.transfer.how == "blind"
        self.session.phase(call, Phase.TRANSFERRING if blind else Phase.CONSULTING)
        await self._out(call.channel)
        await call.music(True)
        if not blind:
            self.inside.add(self.operator.id)  # perhaps; the tone is begun anew
            await self._operator_hears_ringing(True)
        return await self._rings(RINGS_S if blind else self._left_s())

    def _left_s(self) -> float:
        """How long the target may still ring."""
        rung_s = (self.session.centre.clock.now() - self.transfer.since).total_seconds()
        return max(0.0, self.call.site.transfers.back_after_s - rung_s)

    async def _rings(self, for_s: float) -> Left | str | None:
        """The target's telephone rings. Who transfers blindly stays until it does."""
        target, blind = self.target, self.transfer.how == "blind"
        until = asyncio.get_running_loop().time() + for_s
        while True:
            match await self._word(until):
                case None:
                    return self._leaves() if blind else await self._back("no_answer")
                case TargetRings(leg=leg) if target.tells(leg):
                    self._answer_wish(None)
                    if blind:
                        return self._leaves()
                case TargetUp(leg=leg) if target.tells(leg):
                    self._answer_wish(None)
                    if blind:
                        return self._leaves()
                    await self._operator_hears_ringing(False)
                    target.answered()
                    await self._hears(State.TALKING)
                    return await self._talks()
                case LegGone(leg=leg, hangup=hangup) if target.tells(leg):
                    reason = await target.next_way(hangup)
                    if reason is not None:
                        return await self._back(reason)
                case TargetLeaves():
                    return await self._back("refused")
                case Key.RETURN:
                    return await self._back("returned")
                case Key.COMPLETE | HangUp():
                    return self._leaves()
                case LegGone() | PageLost() as word if (lost := self._lost(word)) is not None:
                    return self._leaves() if blind or lost == "" else await self._gone(lost)
                case Wish() as other:
                    other.answered("failed")  # pressed twice
                case _:
                    pass

    async def _word(self, until: float) -> Word | None:
        """The next word; None when it is that late."""
        try:
            async with asyncio.timeout_at(until):
                return await self.call.inbox.get()
        except TimeoutError:
            return None

    def _answer_wish(self, reason: Reason | None) -> None:
        if self.wish is not None:
            self.wish.answered(reason)

    async def _talks(self) -> Left | str | None:
        """Somebody answered there. The operator's keys say who hears whom."""
        call, target, transfer = self.call, self.target, self.transfer
        while True:
            match await call.inbox.get():
                case Key.SWAP if transfer.state in (State.TALKING, State.HELD):
                    held = transfer.state is State.TALKING
                    await self._hears(State.HELD if held else State.TALKING)
                case Key.THREE_WAY if transfer.state is not State.THREE_WAY:
                    await self._hears(State.THREE_WAY)
                    await target.record_no_more()
                case Key.COMPLETE | HangUp():
                    return await self._completed()
                case Key.RETURN:
                    return await self._back("returned")
                case LegGone(leg=leg) if target.tells(leg):
                    return await self._back("target_gone")
                case TargetLeaves():
                    return await self._back("target_gone")
                case LegGone() | PageLost() as word if (lost := self._lost(word)) is not None:
                    if lost == "" or transfer.state is State.THREE_WAY:
                        return await self._completed()
                    return await self._gone(lost)
                case Wish() as other:
                    other.answered("failed")
                case _:
                    pass

    # -- ends

    async def _back(self, reason: Reason) -> str | None:
        """The citizen is the operator's again, who sees why. An operator who has hung up in the same moment
        counts as lost: the citizen goes to the next."""
        call, target = self.call, self.target
        if target.leg is not None:
            await self._out(target.leg)
        await self._operator_hears_ringing(False)
        await call.music(False)
        await self._in(self.operator, call.channel)
        call.last_transfer = {
            "to": self.transfer.target.told(),
            "reason": reason,
            "at": iso(self.session.centre.clock.now()),
        }
        target.over(reason)
        self._answer_wish(reason)
        if self.operator.hangup_info is not None:
            return "phone_died"
        self.session.phase(call, Phase.TALKING)
        return None

    async def _gone(self, lost: str) -> str:
        """The operator's phone died, or the page went away, and the citizen waits."""
        self.target.over("operator_gone")
        await self.call.music(False)
        return lost

    async def _completed(self) -> Left | str | None:
        """Citizen and target go on without the operator."""
        if self.target.leg is None or self.target.leg.hangup_info is not None:
            return await self._back("target_gone")
        await self._seat(State.TRANSFERRED)
        await self.target.record_no_more()
        return self._leaves()

    def _leaves(self) -> Left:
        """The operator has left the citizen to the target, or to its ringing telephone."""
        call, transfer = self.call, self.transfer
        self._answer_wish(None)
        call.hops += 1
        self.target.note_transferred(self.bridge.id, call.hops)
        if transfer.target.kind != "queue":
            self.session.phase(call, Phase.TRANSFERRED if transfer.state.target else Phase.TRANSFERRING)
        return Left(self.target, self.bridge, self.undo.pop_all())

    # -- the room

    async def _hears(self, state: State) -> None:
        await self._seat(state)
        session, call = self.session, self.call
        self.target.note_room(state)
        session.phase(call, Phase.CONSULTING if state is State.TALKING else Phase.TALKING)

    async def _seat(self, state: State) -> None:
        """Who is to be out of the room leaves it first: nobody hears a word that is not meant for them."""
        call, leg = self.call, self.target.leg
        if not state.citizen:
            await self._out(call.channel)
            await call.music(True)
        if leg is not None and not state.target and leg.id in self.inside:
            await self._out(leg)
            await _music(leg, True)
        if state.citizen:
            await call.music(False)
        if leg is not None and state.target and leg.id not in self.inside:
            if self.transfer.state is State.HELD:
                await _music(leg, False)
            await self._in(leg)
        await self._in(self.operator, *([call.channel] if state.citizen else []))
        self.transfer.state = state

    async def _in(self, *legs: Channel) -> None:
        """Into the room. Who has hung up meanwhile is told by a word of their own."""
        for leg in legs:
            if leg.id in self.inside or leg.hangup_info is not None:
                continue
            try:
                await self.bridge.add(leg)
                self.inside.add(leg.id)
            except ChannelGone:
                if leg is self.call.channel:
                    raise

    async def _out(self, leg: Channel) -> None:
        if leg.id in self.inside:
            await self.bridge.remove(leg)
            self.inside.discard(leg.id)

    async def _operator_hears_ringing(self, on: bool) -> None:
        """Outside the room: within it the tone would be lost."""
        leg = self.operator
        if leg.hangup_info is not None or on is not (leg.id in self.inside):
            return
        try:
            await self._out(leg)
            await leg.ring(on)
        except ChannelGone:
            pass  # told by its own end
        except SwitchGone:
            raise
        except SwitchError as problem:
            log.warning("operator's leg %s: %s", leg.id, problem)

    def _lost(self, word: LegGone | PageLost) -> str | None:
        """Of the operator's phone: "" when it was hung up, else why it is lost; None: of another leg."""
        if word.leg != self.operator.id:
            return None
        if isinstance(word, PageLost):
            self.session.let_go(self.operator, None)
            return word.reason
        return "phone_died" if died(self.call.phone, word.hangup) else ""


def broken_off(call: Call, target: TargetPhone) -> Reason:
    """The citizen has hung up, or a fault of ours goes up."""
    reason: Reason = "caller_gone" if call.channel.hangup_info is not None else "failed"
    target.over(reason)
    return reason


async def _music(leg: Channel, on: bool) -> None:
    try:
        await leg.music(on)
    except ChannelGone:
        pass  # told by its own end
    except SwitchGone:
        raise
    except SwitchError as problem:
        log.warning("music for %s: %s", leg.id, problem)
