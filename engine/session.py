"""Everything that lives as long as one connection to the switch: the calls, the floor, the tasks.

When the connection is lost the session is detached: its tasks stop without touching or noting anything. The
next connection's session is built from the journal's memory and from what stands in Asterisk (`recovery`),
just as after a restart of the engine.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from acd import OfferEnd
from dialplans import Number, Site
from ivr import Walk
from switch import Bridge, Channel, HangupReason, Switch, SwitchError, SwitchGone

from .arrival import citizen, ended_by
from .call import Call, Phase, digits
from .callbacks import Callbacks
from .floor import Floor
from .outbound import Outbounds
from .phone_keys import PhoneKeys
from .return_code import PRIORITY, by_return_code, given_back
from .supervision import Supervisions
from .transferred import ends_wrap_up

if TYPE_CHECKING:
    from .centre import Centre

log = logging.getLogger("daihyo.engine.session")

SURVIVAL = "survival-adopt"
AFTER_S = 0.01  # clearing away lets the next citizen's ring go first
ITSELF_S = 1.0  # how long a phone that hangs up by itself is let
BYE_S = 2.0  # how long an operator's phone may take to hang up before it counts as free


class Session:
    """`calls` by id; `floor` decides who gets them."""

    def __init__(self, centre: Centre, switch: Switch) -> None:
        self.centre = centre
        self.switch = switch
        self.calls: dict[str, Call] = {}
        self.detached = False
        self._leaving: dict[str, Channel] = {}  # legs that still ring at an operator's phone, being cancelled
        self._hanging_up: set[str] = set()  # legs that do so by themselves
        self._tasks: set[asyncio.Task[Any]] = set()
        self.floor = Floor(self)
        self.callbacks = Callbacks(self)
        self.supervisions = Supervisions(self)
        self.outbounds = Outbounds(self)
        self.keys = PhoneKeys(self)

    def start(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        """Runs in the background until done or until the session ends."""
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (problem := task.exception()) is not None:
            log.error("task %s failed", task.get_name(), exc_info=problem)

    def detach(self) -> None:
        """The connection is lost, or the engine stops: nothing is touched any more."""
        self.detached = True
        self.floor.close()
        for task in list(self._tasks):
            task.cancel()

    # -- calls ---

    def arrived(self, channel: Channel) -> None:
        """A citizen's channel entered the application."""
        if self.detached or channel.id in self.calls:
            return
        from_hall = by_return_code(channel)
        if from_hall and given_back(self, channel):
            return
        try:
            call = self._call(channel)
        except Exception:
            log.exception("call %s: a fault of ours; Asterisk's own path takes the citizen", channel.id)
            if channel.id in self.centre.memory.calls:
                self.centre.note("handed_over", channel.id)
            self.hand_over_again(channel, channel.dialled)
            return
        call.own_priority = PRIORITY if from_hall else 0
        self.take_up(call, citizen(self, call))

    def _call(self, channel: Channel) -> Call:
        """Whom the citizen called, in which plan; noted."""
        centre = self.centre
        # arrival, number, presentation, as it was dialled, diverted from, To (docs/interfaces.md)
        _, landed, _, dialled, first, to = (*channel.args, "", "", "", "", "", "")[:6]
        landed = landed or channel.dialled
        plan, number = centre.versions.number(landed)
        diverted, number = _diverted(plan.site, number, (digits(first), digits(to)))
        walk = Walk(
            plan.site,
            number.digits,
            centre.plan_now(),
            switches=centre.openings.switches(plan.site),
            withheld=channel.caller is None,
            caller=channel.caller,
        )
        event = centre.note(
            "arrived",
            channel.id,
            number=number.digits,
            caller=channel.caller,
            channel=channel.name,
            via="engine",
            plan=plan.version,
            open=walk.open,
            staff=number.staff or by_return_code(channel),
            queues=number.digits in plan.queueing,
            dialled=dialled or landed,
            diverted_from=diverted,
        )
        return Call(
            id=channel.id,
            channel=channel,
            plan=plan,
            number=number,
            walk=walk,
            caller=channel.caller,
            arrived=event.at,
            phase=Phase.GREETING,
            since=event.at,
            diverted_from=diverted,
        )

    def take_up(self, call: Call, work: Coroutine[Any, Any, None]) -> None:
        """Gives a call its task."""
        self.calls[call.id] = call
        call.task = self.start(work, f"call {call.id}")
        self.centre.live.call(call.id)

    def phase(self, call: Call, phase: Phase) -> None:
        if call.phase is not phase:
            call.phase, call.since = phase, self.centre.clock.now()
        self.centre.live.call(call.id)
        if call.operator is not None:
            self.centre.live.operator(call.operator)

    def finish(self, call: Call) -> None:
        """The call is over: noted once, nobody waits for it, the citizen's channel is let go."""
        if self.calls.pop(call.id, None) is None:
            return
        self.floor.gone(call.id)
        hangup = call.channel.hangup_info
        self.callbacks.over(call)
        by, reason = ended_by(call, hangup)
        cause = hangup.cause if hangup is not None else 16
        self.centre.note("ended", call.id, by=by, cause=cause, reason=reason)
        self.centre.versions.let_go(one.plan for one in self.centre.memory.calls.values())
        self.centre.live.call_gone(call.id)
        if hangup is None:
            self.let_go(call.channel, None)

    def hand_over(self, call: Call) -> None:
        """A fault of ours: Asterisk's survival path looks after the citizen, who hears nothing of it."""
        self.calls.pop(call.id, None)
        self.floor.gone(call.id)
        self.centre.live.call_gone(call.id)
        self.centre.note("handed_over", call.id)
        self.start(self._hand_over(call.channel, call.number.digits), f"hand over {call.id}")

    def hand_over_again(self, channel: Channel, number: str) -> None:
        """The line was lost while the citizen was being handed over (noted already)."""
        self.start(self._hand_over(channel, number), f"hand over {channel.id}")

    async def _hand_over(self, channel: Channel, number: str) -> None:
        # Asterisk knows the numbers of the live plan alone; the call's own may have left it.
        known = [one.digits for one in self.centre.site.numbers]
        try:
            await channel.go_on(SURVIVAL, number if number in known else known[0])
        except SwitchGone:
            log.warning("call %s: handed over at the reconnect", channel.id)
        except SwitchError as problem:
            log.warning("call %s: %s", channel.id, problem)
            self.centre.note("ended", channel.id, by="centre", cause=None, reason="fault")
            self.let_go(channel, None)

    def conversation_over(
        self, call: Call, operator: str, leg: Channel, bridge: Bridge | None, *, at_once: bool
    ) -> None:
        """The operator is free: at once when it was they who hung up, otherwise when their phone has."""
        call.operator = None
        self.offer_over(call.id, operator, caller_gone=call.channel.hangup_info is not None)
        self.operator_free(call.id, operator, leg, bridge, at_once=at_once)

    def operator_free(
        self, call: str, operator: str, leg: Channel, bridge: Bridge | None, *, at_once: bool = False
    ) -> None:
        """As `conversation_over`, also of a callback that came to no conversation."""
        self.centre.note("left", call, operator=operator)
        self.centre.note("wrap_up", call, operator=operator)
        if at_once and leg.hangup_info is not None:
            self._hanging_up.discard(leg.id)
            self._over(operator, call)
            self.let_go(None, bridge)
        else:
            self.start(self.free(call, operator, leg, bridge), f"free {operator}")

    def offer_over(self, call: str, operator: str, *, caller_gone: bool) -> None:
        """An offer of which the journal knows no end: taken up at the phone, the two were never joined."""
        memory = self.centre.memory.calls.get(call)
        if memory is not None and operator in memory.ringing:
            reason = OfferEnd.CALLER_GONE if caller_gone else OfferEnd.FAILED
            self.centre.note("offer_ended", call, operator=operator, reason=reason.value, ring_s=None)

    async def free(self, call: str, operator: str, leg: Channel, bridge: Bridge | None) -> None:
        try:
            if leg.id in self._hanging_up:
                with suppress(TimeoutError):
                    async with asyncio.timeout(ITSELF_S):
                        await leg.wait_gone()
            await leg.hangup()
            if bridge is not None:
                await bridge.destroy()
            async with asyncio.timeout(BYE_S):
                await leg.wait_gone()
        except (SwitchError, TimeoutError) as problem:
            log.warning("hanging up operator %s: %s", operator, problem)
        finally:
            self._hanging_up.discard(leg.id)
            if not self.detached:
                self._over(operator, call)

    def hangs_up_itself(self, leg: Channel) -> None:
        """This phone has been told that its transfer is done and hangs up now (RFC 5589): a BYE of ours that
        overtakes the word of it would tell the operator that it has failed."""
        self._hanging_up.add(leg.id)

    def _over(self, operator: str, call_id: str) -> None:
        self.floor.over(operator)
        call = self.calls.get(call_id)
        if call is not None and call.back_to == operator and call.waits():
            ends_wrap_up(self, operator, call_id)  # the citizen came back before their phone had hung up

    def wrap_up_over(self, operator: str, call: str) -> None:
        """A wrap-up ended, by its time or by the operator."""
        memory = self.centre.memory.operator(operator)
        memory.last_call = None
        how = self.centre.wrap_up_words.pop(operator, {"by": "timeout"})
        self.centre.note("wrapped_up", call, at=None, operator=operator, **how)

    async def phone_free(self, operator: str) -> None:
        """Until the last call has left the operator's phone: an INVITE that overtakes a CANCEL finds it
        busy."""
        leg = self._leaving.pop(operator, None)
        if leg is not None and leg.hangup_info is None:
            with suppress(TimeoutError):
                async with asyncio.timeout(BYE_S):
                    await leg.wait_gone()

    def let_go(self, leg: Channel | None, bridge: Bridge | None, *, of: str | None = None) -> None:
        """Hangs up and clears away in the background; no error if it is gone. `of`: whose phone it rings."""
        if of is not None and leg is not None and leg.hangup_info is None:
            self._leaving[of] = leg
        if not self.detached and (leg is not None or bridge is not None):
            self.start(self._let_go(leg, bridge), "let go")

    async def _let_go(self, leg: Channel | None, bridge: Bridge | None) -> None:
        await asyncio.sleep(AFTER_S)
        try:
            if leg is not None:
                await leg.hangup()
            if bridge is not None:
                await bridge.destroy()
        except SwitchError as problem:
            log.warning("clearing away: %s", problem)

    # -- phones and pages ---

    def call_of(self, operator: str) -> Call | None:
        """The call this operator talks in."""
        return next((call for call in self.calls.values() if call.operator == operator), None)

    def switch_restarted(self, channel: Channel) -> bool:
        hangup = channel.hangup_info
        return hangup is not None and hangup.reason is HangupReason.SWITCH_RESTARTED


def _diverted(site: Site, number: Number, lines: tuple[str, str]) -> tuple[str | None, Number]:
    """The line that was diverted to us, and the number whose line it is (else the number that was reached).
    `lines`: from Diversion or History-Info; from To, which may name anything and counts only where the plan
    knows it."""
    for line in filter(None, lines):
        for one in (number, *site.numbers):
            if any(digits(diverted.number) == line for diverted in one.diverted):
                return line, one
    told = lines[0]
    own = {number.digits, *(digits(alias) for alias in number.aliases)}
    return (told if told and told not in own else None), number
