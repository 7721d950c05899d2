"""The target of a transfer: its telephone rung, by one way after another, and let go again."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from acd import OperatorState
from switch import Channel, ChannelGone, Hangup, Refused, SwitchError, SwitchGone

from .call import Call, LegGone
from .offer import leg_id
from .phones import DEAD_CAUSES, DESK, endpoint, phone_of
from .serials import serial
from .transfer_model import WITH, Reason, State, TargetRings, TargetUp, Transfer

if TYPE_CHECKING:
    from dialplans import OutLeg

    from .session import Session

log = logging.getLogger("daihyo.engine.transfer")

BYE_S = 2.0  # how long a colleague's phone may take to hang up before it counts as free

# Why a target did not answer, by SIP status and by Q.850 cause. A 503 is an exchange without a free channel.
_BY_STATUS: dict[int, Reason] = {486: "busy", 600: "busy", 603: "refused", 403: "refused", 503: "trunk_full"}
_BY_STATUS |= {480: "no_answer", 487: "no_answer", 404: "unreachable", 410: "unreachable", 484: "unreachable"}
_BY_CAUSE: dict[int, Reason] = {17: "busy", 18: "no_answer", 19: "no_answer", 21: "refused"}
_BY_CAUSE |= {34: "trunk_full", 42: "trunk_full", 1: "unreachable", 3: "unreachable", 20: "unreachable"}
_BY_CAUSE |= {27: "unreachable", 38: "unreachable"}
# What says nothing of the telephone that was meant: another way may lead there.
NEXT_WAY: frozenset[Reason] = frozenset({"trunk_full", "unreachable", "failed"})


def why(hangup: Hangup) -> Reason:
    """What the end of a target's leg that was never answered means."""
    known = _BY_STATUS.get(hangup.tech_cause or 0)
    return known or _BY_CAUSE.get(hangup.cause or 0, "failed")


def fell_silent(hangup: Hangup) -> bool:
    """Whether a target's leg ended because its line or telephone died: nobody there has hung up."""
    return (hangup.cause or 16) in DEAD_CAUSES


class TargetPhone:
    """Rings, tells the conversation by words in `call.inbox`, is let go by `over`. `leg`: the present one."""

    def __init__(self, session: Session, call: Call, transfer: Transfer) -> None:
        self.session, self.call, self.transfer = session, call, transfer
        self.phone = DESK
        self._ways: list[OutLeg] = list(transfer.target.ways)

    @property
    def leg(self) -> Channel | None:
        return self.transfer.leg

    @property
    def colleague(self) -> str | None:
        """The operator who is the target."""
        target = self.transfer.target
        return target.number if target.kind == "operator" else None

    def tells(self, leg: str) -> bool:
        """Whether a word about this leg is about the present one."""
        return self.leg is not None and self.leg.id == leg

    async def dial(self) -> Reason | None:
        """By the first way that has room. None: it is dialled; else why not by the last of them."""
        if self.colleague is not None:
            return await self._dial_colleague(self.colleague)
        return await self._by_first(self._note_begun)

    async def next_way(self, hangup: Hangup) -> Reason | None:
        """After the leg's end, unanswered. None: it is tried by another way."""
        reason, self.transfer.leg = why(hangup), None
        return await self._else(reason)

    async def _else(self, reason: Reason) -> Reason | None:
        """By another way, where one is left and may lead there."""
        if reason not in NEXT_WAY or not self._ways:
            return reason
        return await self._by_first(partial(self._note_rerouted, reason=reason))

    async def _by_first(self, note: Callable[[str | None, str], object]) -> Reason | None:
        way, *self._ways = self._ways
        if self._full(way.trunk):
            note(None, way.trunk)
            return await self._else("trunk_full")
        leg = f"xfer-{serial()}"
        note(leg, way.trunk)
        reason = await self._rung(f"{way.dial}@trunk-{way.trunk}", leg, self.transfer.target.shown, "")
        return None if reason is None else await self._else(reason)

    def _full(self, trunk: str) -> bool:
        centre = self.session.centre
        most = next((one.max_channels for one in centre.site.trunks if one.id == trunk), 0)
        return centre.memory.on_trunk(trunk) >= most

    def begun(self) -> None:
        """A queue: nothing rings."""
        self._note_begun(None, None)

    def _note_begun(self, leg: str | None, trunk: str | None) -> None:
        transfer = self.transfer
        self._note(
            "transfer_begun",
            operator=transfer.operator,
            how=transfer.how,
            to=transfer.target.told(),
            leg=leg,
            trunk=trunk,
            phone=self.phone if self.colleague is not None else None,
            by=transfer.by,
            **({"pad": transfer.pad.id} if transfer.pad is not None else {}),
        )

    def _note_rerouted(self, leg: str | None, trunk: str, reason: Reason) -> None:
        self._note("transfer_rerouted", leg=leg, trunk=trunk, reason=reason)

    def _note(self, kind: str, **data: Any) -> None:
        centre = self.session.centre
        centre.note(kind, self.call.id, place=self.transfer.place, **data)
        centre.live.call(self.call.id)
        if self.colleague is not None:
            centre.live.operator(self.colleague)

    def note_room(self, state: State) -> None:
        """Whom the operator talks with from now on."""
        self._note("transfer_room", **{"with": WITH[state]})

    def note_transferred(self, bridge: str) -> None:
        transfer, call = self.transfer, self.session.centre.memory.calls.get(self.call.id)
        hops = call.transfers.hops if call is not None else 0
        self._note(
            "transferred",
            operator=transfer.operator,
            to=transfer.target.told(),
            leg=self.leg.id if self.leg is not None else None,
            bridge=bridge,
            hops=hops + (transfer.answered_mono is not None),
        )

    def answered(self) -> None:
        """The target has answered."""
        self.transfer.answered_mono = self.session.centre.clock.mono()
        self._note("transfer_answered", leg=self.leg.id if self.leg is not None else None)

    async def _dial_colleague(self, operator: str) -> Reason | None:
        """An operator's phone, outside the distribution: no caller is offered to them meanwhile."""
        session = self.session
        self.phone = phone_of(session.centre, operator) or DESK
        if session.floor.view(operator).state is not OperatorState.READY:
            self._note_begun(None, None)
            return "busy"  # since the key was pressed; another call of theirs must not end with this one
        leg = leg_id(operator)
        self._note_begun(leg, None)
        session.floor.talks_alone(operator, self.call.id)
        await session.phone_free(operator)
        number, name = self.call.shows
        return await self._rung(endpoint(operator, self.phone), leg, number, name)

    async def _rung(self, there: str, leg_id: str, number: str, name: str) -> Reason | None:
        """Recorded from the first word where the operator talks to the target alone, or not rung."""
        session, call, transfer = self.session, self.call, self.transfer
        leg: Channel | None = None
        try:
            leg = await session.switch.leg(there, channel_id=leg_id, caller_id=number, caller_name=name)
            if transfer.how == "consult":
                await self._record(leg)
            await leg.dial(call.site.transfers.back_after_s + 10)
            self.follow(leg)
            if leg.up:  # answered while it was being dialled
                call.inbox.put_nowait(TargetUp(leg.id))
            leg = None
            return None
        except Refused:
            return "unreachable"
        except ChannelGone as gone:
            if call.channel.hangup_info is not None:
                raise
            return why(gone.hangup)
        except SwitchGone:
            raise
        except SwitchError as problem:
            log.warning("call %s: ringing %s failed: %s", call.id, there, problem)
            return "failed"
        finally:
            session.let_go(leg, None, of=self.colleague)

    async def _record(self, leg: Channel) -> None:
        """As `<call>.<place>`: the talk that the citizen does not hear."""
        session, name = self.session, f"{self.call.id}.{self.transfer.place}"
        spool = session.centre.settings.spool_folder
        try:
            await session.switch.record(leg, spool / f"{name}-in.wav", spool / f"{name}-out.wav")
        except SwitchGone as problem:  # AMI alone: the calls go on
            raise SwitchError(f"its recording cannot be begun: {problem}") from problem

    async def record_no_more(self) -> None:
        """From now on the citizen hears what is said: that is in the citizen's own recording."""
        if self.leg is not None and self.transfer.how == "consult":
            with suppress(SwitchError):
                await self.session.switch.stop_recording(self.leg)

    def follow(self, leg: Channel) -> None:
        """The leg's telephone tells the conversation what it does."""
        self.transfer.leg = leg
        leg.on_gone(lambda hangup: self.call.inbox.put_nowait(LegGone(leg.id, hangup)))
        if not leg.up:
            self.session.start(self._told(leg), f"target {leg.id}")

    async def _told(self, leg: Channel) -> None:
        with suppress(ChannelGone, SwitchGone):
            await leg.wait_ringing()
            self.call.inbox.put_nowait(TargetRings(leg.id))
            await leg.wait_up()
            self.call.inbox.put_nowait(TargetUp(leg.id))

    def over(self, reason: Reason) -> None:
        """The target's part is over: noted once, its telephone let go, a colleague free again."""
        if self.call.transfer is not self.transfer or self.session.detached:
            return
        self._ended(reason)
        leg, self.transfer.leg = self.leg, None
        if self.colleague is not None:
            self.session.start(self._freed(self.colleague, leg), f"free {self.colleague}")
        else:
            self.session.let_go(leg, None)

    def taken(self) -> None:
        """A colleague has the citizen now: the target's part is an operator's."""
        self._ended("over")
        self.transfer.leg = None

    def _ended(self, reason: Reason) -> None:
        centre, transfer = self.session.centre, self.transfer
        self.call.transfer = None
        since = transfer.answered_mono
        talk_s = None if since is None else round(centre.clock.mono() - since, 3)
        leg = transfer.leg.id if transfer.leg is not None else None
        self._note("transfer_ended", leg=leg, reason=reason, talk_s=talk_s)

    async def _freed(self, operator: str, leg: Channel | None) -> None:
        try:
            if leg is not None:
                await leg.hangup()
                async with asyncio.timeout(BYE_S):
                    await leg.wait_gone()
        except (SwitchError, TimeoutError) as problem:
            log.warning("hanging up operator %s: %s", operator, problem)
        finally:
            if not self.session.detached and self.session.floor.talks_in(operator, self.call.id):
                self.session.floor.over(operator, wrap_up=False)
