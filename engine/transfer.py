"""A transfer (転送, 取次ぎ) while the operator is in it: from the key until the citizen is the
operator's again or has been left to the target.

Who hears whom is who is in the conversation's one bridge: `State`. Whoever is not in it hears music.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from switch import Bridge, Channel, ChannelGone, SwitchError, SwitchGone

from .call import Call, HangUp, LegGone, PageLost, Phase, Word
from .clock import iso
from .pad import hung_up
from .phones import died
from .transfer_model import Key, Reason, Resumed, State, TargetLeaves, TargetRings, TargetUp, Transfer, Wish
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
    """A transfer that stood when the engine came. `inside`: ids of those who were in the room; `pad_gone`:
    the operator's phone has hung up its second call meanwhile."""

    transfer: Transfer
    leg: Channel | None  # None: gone
    inside: frozenset[str]
    pad_gone: bool = False


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
        pad=wish.pad,
        key=wish.key,
    )
    inside = {call.channel.id} if call.phase is Phase.TALKING else set()
    with ExitStack() as undo:
        side = _Side(session, call, bridge, TargetPhone(session, call, made), wish, inside, undo)
        return await side.parted(await side.begun())


async def found(session: Session, call: Call, bridge: Bridge, was: FoundTransfer) -> Left | str | None:
    """The same, where it stood."""
    call.transfer = was.transfer
    with ExitStack() as undo:
        target = TargetPhone(session, call, was.transfer)
        side = _Side(session, call, bridge, target, None, set(was.inside), undo)
        return await side.parted(await side.taken_up(was.leg, was.pad_gone))


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
        # The operator's phone: where it has the citizen, and where it has the target. The second is a call of
        # its own only if the phone dialled it; `voice` is the one that the operator speaks on.
        self.first = call.leg
        self.operator = self.voice = target.transfer.pad or call.leg
        self.inside = inside | {self.first.id} if wish is not None else inside
        self.undo = undo
        self._asked: Reason | None = None  # why it came back
        undo.callback(self._broken_off)
        if (pad := target.transfer.pad) is not None:
            undo.callback(session.let_go, pad, None)
            pad.on_gone(lambda hangup: call.inbox.put_nowait(LegGone(pad.id, hangup)))

    @property
    def transfer(self) -> Transfer:
        return self.target.transfer

    def _broken_off(self) -> None:
        self._answer_wish(broken_off(self.call, self.target))

    async def parted(self, left: Left | str | None) -> Left | str | None:
        """The operator's part is over: their phone hears what came of its keys; its second call ends."""
        pad, key = self.transfer.pad, self.transfer.key
        if key is not None:
            await key.told(isinstance(left, Left))  # before it is let go
            if isinstance(left, Left):
                self.session.hangs_up_itself(self.first)
        if pad is not None:
            self.session.start(hung_up(pad, self._asked), f"pad {pad.id}")
        return left

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
        if self.transfer.pad is not None:
            await self._out(self.first)
        blind = self.transfer.how == "blind"
        self.session.phase(call, Phase.TRANSFERRING if blind else Phase.CONSULTING)
        await call.music(True)
        if blind:
            return await self._rings(RINGS_S)
        await self._operator_hears_ringing(True)
        return await self._rings(call.site.transfers.back_after_s)

    async def taken_up(self, leg: Channel | None, pad_gone: bool) -> Left | str | None:
        """Where it stood, with everybody put where they are heard again."""
        call, state = self.call, self.transfer.state
        if self.first.id in self.inside:
            self.voice = self.first
        if leg is None:
            return await self._back("failed" if state is State.RINGING else "target_gone")
        self.target.follow(leg)
        if pad_gone:
            return await self._back("returned", held=self.first.id not in self.inside)
        if state is State.RINGING and leg.up:
            call.inbox.put_nowait(TargetUp(leg.id))
        if state is not State.RINGING:
            await self._pad_answered()
            await self._seat(state)
            if state is State.HELD:
                await _music(leg, True)  # perhaps not begun yet, or ended already
            self.session.phase(call, Phase.CONSULTING if state is State.TALKING else Phase.TALKING)
            return await self._talks()
        blind = self.transfer.how == "blind"
        self.session.phase(call, Phase.TRANSFERRING if blind else Phase.CONSULTING)
        await self._out(call.channel)
        await call.music(True)
        if not blind:
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
                    self.voice = self.operator
                    await self._pad_answered()
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
                case LegGone(leg=leg) if self._is_pad(leg):
                    return await self._back("returned")
                case Resumed(leg=leg) if leg == self.first.id:
                    self.voice = self.first  # to be joined at once when it comes back
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
                case LegGone(leg=leg) if self._is_pad(leg):
                    if transfer.state is State.THREE_WAY:
                        return await self._completed()
                    return await self._back("returned")
                case Resumed(leg=leg) if self.transfer.pad is not None:
                    await self._speaks_on(leg)
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

    async def _back(self, reason: Reason, held: bool = False) -> str | None:
        """The citizen is the operator's again, who sees why. An operator who has hung up in the same moment
        counts as lost: the citizen goes to the next."""
        call, target = self.call, self.target
        self._asked = reason
        if target.leg is not None:
            await self._out(target.leg)
        await self._operator_hears_ringing(False)
        if self.transfer.pad is not None:
            await self._out(self.transfer.pad)
        # The phone still holds the citizen's call, until its own key says otherwise: no silence till then.
        held = held or self.voice is not self.first
        await call.music(held)
        if held:
            await self._out(call.channel)
        await self._in(self.first, *([] if held else [call.channel]))
        call.last_transfer = {
            "to": self.transfer.target.told(),
            "reason": reason,
            "at": iso(self.session.centre.clock.now()),
        }
        target.over(reason)
        self._answer_wish(reason)
        if self.first.hangup_info is not None:
            return "phone_died"
        if held:
            self.session.centre.note("held", call.id, operator=call.operator)
        self.session.phase(call, Phase.HOLD if held else Phase.TALKING)
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
        if self.target.leg.hangup_info is not None:
            return await self._back("target_gone")
        return self._leaves()

    def _leaves(self) -> Left:
        """The operator has left the citizen to the target, or to its ringing telephone."""
        call, transfer = self.call, self.transfer
        self._answer_wish(None)
        self.target.note_transferred(self.bridge.id)
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
        for other in (self.first, self.operator):
            if other is not self.voice:
                await self._out(other)
        await self._in(self.voice, *([call.channel] if state.citizen else []))
        self.transfer.state = state

    # -- the phone's second call

    def _is_pad(self, leg: str) -> bool:
        return self.transfer.pad is not None and self.transfer.pad.id == leg

    async def _pad_answered(self) -> None:
        """As soon as the target has answered: until then the phone shows that it rings there."""
        if self.transfer.pad is None or self.transfer.pad.up:
            return
        with suppress(ChannelGone):  # told by its own end
            await self.transfer.pad.answer()

    async def _speaks_on(self, leg: str) -> None:
        """The phone has gone on with its other call: with the citizen, or with the target."""
        self.voice = self.first if leg == self.first.id else self.operator
        if self.transfer.state is not State.THREE_WAY:
            await self._hears(State.HELD if self.voice is self.first else State.TALKING)
        else:
            await self._seat(State.THREE_WAY)

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
        if self.transfer.pad is not None:
            if leg.up or not on:
                return  # a call that it made itself: it is answered, or ends
        elif leg.id in self.inside and not on:
            return
        if leg.hangup_info is not None:
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
        if word.leg != self.first.id:
            return None
        if isinstance(word, PageLost):
            self.session.let_go(self.first, None)
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
