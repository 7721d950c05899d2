"""The floor: the pure distributor, its clock and the hands that carry its decisions out."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING

from acd import (
    Action,
    Distributor,
    DistributorError,
    Offer,
    OfferEnd,
    OperatorProfile,
    OperatorState,
    OperatorView,
    QueueRules,
    StateChanged,
    Withdraw,
)
from dialplans import Site

from .clock import iso
from .duty import Duty
from .memory import OperatorMemory
from .offer import Ring, Waiter
from .own import OwnCalls
from .phones import phone_of

if TYPE_CHECKING:
    from .session import Session

SETTLED = {
    OperatorState.READY,
    OperatorState.WRAP_UP,
    OperatorState.BREAK,
    OperatorState.TRAINING,
    OperatorState.NO_ANSWER,
    OperatorState.OFF,
}


def rules_of(site: Site) -> list[QueueRules]:
    return [
        QueueRules(
            id=one.id,
            ring_timeout_s=one.ring_timeout_s,
            wrap_up_s=one.wrap_up_s,
            strategy=one.strategy,
            then=one.then,
            target_s=one.target_s,
            weight=one.weight,
            ageing_s=one.ageing_s,
            widen=tuple((step.after_s, step.level) for step in one.widen),
            language_after_s=one.language_after_s,
        )
        for one in site.queues
    ]


def profiles_of(site: Site) -> list[OperatorProfile]:
    return [
        OperatorProfile(
            id=one.id,
            queues=tuple(one.queues),
            levels=one.levels,
            languages=one.languages,
            most_calls_h=one.most_calls_h,
        )
        for one in site.operators
    ]


def _is_wrap_up(action: Action) -> bool:
    return isinstance(action, StateChanged) and action.state is OperatorState.WRAP_UP


class Floor:
    """Facts in (methods), decisions carried out (rings begun and stopped, states noted, live board told)."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.centre = session.centre
        site = self.centre.site
        self.distributor = Distributor(rules_of(site), profiles_of(site))
        self.rings: dict[str, Ring] = {}
        self.staffing = asyncio.Event()  # set, and replaced, when somebody signs on or off
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False
        self.duty = Duty(self)
        self.own = OwnCalls(self)
        self.duty.watch()

    @property
    def at(self) -> float:
        return self.centre.clock.mono()

    def close(self) -> None:
        """Decides nothing any more (the connection to the switch is lost)."""
        self._closed = True
        self.duty.stop()
        if self._timer is not None:
            self._timer.cancel()

    def view(self, operator: str) -> OperatorView:
        return self.distributor.operator(operator)

    def knows(self, operator: str) -> bool:
        return any(one.id == operator for one in self.centre.site.operators)

    def rings_for(self, call: str) -> bool:
        return any(ring.call.id == call for ring in self.rings.values())

    def signed_on(self, queue: str) -> int:
        """How many operators of the queue are there, ready or not."""
        return sum(
            queue in one.queues and self.view(one.id).state is not OperatorState.OFF
            for one in self.centre.site.operators
        )

    def waiting_in(self, queue: str) -> int:
        """How many are on the line, those whose operator's phone rings included; no callbacks."""
        calls = self.session.calls
        return sum(one.queue == queue and one.call in calls for one in self.distributor.waiting())

    def free_in(self, queue: str) -> bool:
        """Whether somebody of the queue could be rung this moment."""
        views = (self.view(one.id) for one in self.centre.site.operators if queue in one.queues)
        return any(
            view.state is OperatorState.READY and view.reachable and view.limited_until is None
            for view in views
        )

    def place_in(self, queue: str, since: float, priority: int) -> int:
        """The place that a caller would have in the line, from 1."""
        ageing_s = next((one.ageing_s for one in self.centre.site.queues if one.id == queue), 0)
        mine = since - priority * ageing_s
        return 1 + sum(
            one.queue == queue and one.since - one.priority * ageing_s <= mine
            for one in self.distributor.waiting()
        )

    def position(self, call: str) -> int | None:
        """The call's place in its line, from 1."""
        return next((one.position for one in self.distributor.waiting() if one.call == call), None)

    # -- facts ---

    def waits(
        self,
        call: str,
        queue: str,
        *,
        since: float,
        priority: int = 0,
        prefer: str | None = None,
        for_s: float = 15,
        language: str | None = None,
    ) -> None:
        prefer = prefer if prefer is not None and self.knows(prefer) else None
        until = self.at + for_s if prefer is not None else None
        self.do(
            self.distributor.caller_waits(
                call,
                queue,
                at=self.at,
                waiting_since=since,
                priority=priority,
                prefer=prefer,
                prefer_until=until,
                language=language,
            )
        )

    def gone(self, call: str) -> None:
        self.do(self.distributor.caller_gone(call, at=self.at))

    def wants(self, operator: str, state: OperatorState, reason: str = "") -> None:
        self.do(self.distributor.operator_wants(operator, state, at=self.at, reason=reason))
        view = self.view(operator)
        following = view.next_state.value if view.next_state is not None else None
        if following != self.centre.memory.operator(operator).next_state:
            self.centre.note("operator_next", operator=operator, state=following, reason=reason)
            self.centre.live.operator(operator)

    def phone(self, operator: str, reachable: bool) -> None:
        if not self.knows(operator):
            return
        before = self.view(operator).reachable
        self.do(self.distributor.phone_changed(operator, reachable, at=self.at))
        known = self.centre.memory.operator(operator).reachable
        if before is not reachable is not known and not self._closed:
            self.duty.phone_changed(operator, reachable)

    def rang(self, ring: Ring) -> None:
        """That ringing is over; another may have begun at the same phone."""
        if self.rings.get(ring.offer.operator) is ring:
            del self.rings[ring.offer.operator]

    def answered(self, call: str, operator: str) -> None:
        counts = call not in self.centre.memory.callbacks.open
        self.do(self.distributor.offer_answered(call, operator, at=self.at, counts=counts))

    def failed(self, call: str, operator: str, why: OfferEnd) -> None:
        self.do(self.distributor.offer_failed(call, operator, why, at=self.at))

    def talks(self, operator: str, call: str, queue: str | None = None) -> None:
        """A conversation that was found going on (recovery, or served by Asterisk alone), or a callback whose
        citizen has answered. It counts when it is of a queue and somebody is there."""
        if not self.has(operator):
            return
        counts = queue is not None and not self._calling(call)
        queues = [one.id for one in self.centre.site.queues]
        if queue not in queues:  # none was noted, or it has left the plan
            mine = (one.queues for one in self.centre.site.operators if one.id == operator)
            queue = next((one for one in next(mine, ())), None)
        began = self.distributor.conversation_began(operator, call, at=self.at, queue=queue, counts=counts)
        self.do(began)

    def talks_alone(self, operator: str, channel: str) -> None:
        """A call of the operator's own."""
        self.do(self.distributor.conversation_began(operator, channel, at=self.at))

    def _calling(self, call: str) -> bool:
        """A callback, or the call that tries one, whose citizen has not answered."""
        memory = self.centre.memory
        tried = memory.calls.get(call)
        if tried is not None:
            return tried.dialled is not None and tried.answered is None
        return call in memory.callbacks.open

    def talks_in(self, operator: str, call: str) -> bool:
        return self.has(operator) and self.view(operator).call == call

    def over(self, operator: str, *, wrap_up: bool = True) -> None:
        if not self.has(operator):
            return
        actions = self.distributor.conversation_ended(operator, at=self.at)
        if not wrap_up and self.has(operator):
            actions += self.distributor.wrap_up_done(operator, at=self.at)
            actions = [one for one in actions if not _is_wrap_up(one)]
        self.do(actions)

    def has(self, operator: str) -> bool:
        """Also one who has left the site and still talks."""
        try:
            self.distributor.operator(operator)
        except DistributorError:
            return False
        return True

    def wrapped_up(self, operator: str) -> None:
        self.do(self.distributor.wrap_up_done(operator, at=self.at))

    def move(self, call: str, queue: str) -> None:
        """A waiting caller goes to another queue with the time waited. DistributorError: it does not wait."""
        self.do(self.distributor.move_caller(call, queue, at=self.at))

    def extend_wrap_up(self, operator: str, seconds: float) -> None:
        """The running wrap-up ends so many seconds from now. DistributorError: there is none."""
        self.do(self.distributor.extend_wrap_up(operator, self.at + seconds, at=self.at))

    def refuse(self, operator: str) -> bool:
        """The operator refuses at the console; False when nothing rings there."""
        ring = self.rings.get(operator)
        if ring is None:
            return False
        ring.stop(OfferEnd.REFUSED, tell=True)
        return True

    def restore(self, memory: OperatorMemory) -> None:
        """An operator as the journal remembers them; nothing new is noted."""
        self.do(
            self.distributor.restore_operator(
                memory.id,
                OperatorState(memory.state),
                since=memory.since_mono,
                until=memory.until_mono,
                reason=memory.reason,
                idle_since=self.at - memory.idle.at(self.at),
                tally=self.duty.remembered(memory),
                tally_at=self.at,
                begun=memory.tally.begun(self.at),
                offers=memory.idle.offers,
                last=memory.idle.last,
                at=self.at,
            ),
            noted=False,
        )

    def site_changed(self, site: Site) -> None:
        self.do(self.distributor.set_queues(rules_of(site), at=self.at))
        self.do(self.distributor.set_operators(profiles_of(site), at=self.at))

    # -- decisions ---

    def do(self, actions: Iterable[Action], *, noted: bool = True) -> None:
        if self._closed:
            return
        for action in actions:
            match action:
                case Offer():
                    self._ring(action)
                case Withdraw():
                    ring = self.rings.pop(action.operator, None)
                    if ring is not None:
                        ring.stop(action.reason, tell=False)
                case StateChanged():
                    self._state(action, noted)
        self._arm()
        self.own.look()

    def _ring(self, offer: Offer) -> None:
        call: Waiter | None = self.session.calls.get(offer.call)
        call = call or self.session.callbacks.kept[offer.call]
        call.offers += 1
        phone = phone_of(self.centre, offer.operator)
        since = call.queued_mono if call.queued_mono is not None else self.at
        ring = Ring(self.session, call, offer, phone, self.at - since)
        self.rings[offer.operator] = ring
        ring.begin()

    def _state(self, change: StateChanged, noted: bool) -> None:
        clock = self.centre.clock
        if noted and change.state in SETTLED:
            until = iso(clock.wall(change.until)) if change.until is not None else None
            memory = self.centre.memory.operator(change.operator)
            wish, wish_reason = memory.next_state, memory.next_reason
            before, before_reason = memory.state, memory.reason
            was_wrap_up = memory.state == OperatorState.WRAP_UP.value
            if was_wrap_up and change.state is not OperatorState.WRAP_UP and memory.last_call is not None:
                self.session.wrap_up_over(change.operator, memory.last_call)
            self.centre.note(
                "operator_state",
                operator=change.operator,
                state=change.state.value,
                reason=change.reason,
                until=until,
                **self.duty.told(change),
            )
            if change.state is OperatorState.WRAP_UP:
                # What comes after it was wished in the call, or was so before it.
                following = self.view(change.operator).next_state
                if following is not None:
                    reason = wish_reason if following.value == wish else ""
                    reason = before_reason if wish is None and following.value == before else reason
                    self.centre.note(
                        "operator_next", operator=change.operator, state=following.value, reason=reason
                    )
        if change.state in SETTLED:
            staffing, self.staffing = self.staffing, asyncio.Event()
            staffing.set()
        self.centre.live.operator(change.operator)

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        deadline = self.distributor.next_deadline()
        if deadline is not None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(max(0.0, deadline - self.at), self._tick)

    def _tick(self) -> None:
        self._timer = None
        self.do(self.distributor.tick(at=self.at))
        self.duty.limits_passed()
