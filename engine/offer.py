"""Ringing one operator's phone for one caller, and what comes of it."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Protocol

from acd import Offer, OfferEnd
from switch import Bridge, Channel, ChannelGone, Hangup, Refused, SwitchError, SwitchGone

from .call import Answer, Call, Phase
from .ledger import because_data
from .phones import endpoint
from .serials import serial

if TYPE_CHECKING:
    from .session import Session

log = logging.getLogger("daihyo.engine.offer")

# Q.850 cause of the leg → how the offer ended. 17 is SIP 486, 21 is 603 and 403, 19 and 18 are 480 and 408.
ENDS = {17: OfferEnd.BUSY, 21: OfferEnd.REFUSED, 18: OfferEnd.NO_ANSWER, 19: OfferEnd.NO_ANSWER}
ENDS |= {20: OfferEnd.UNREACHABLE, 3: OfferEnd.UNREACHABLE, 27: OfferEnd.UNREACHABLE}


def leg_id(operator: str) -> str:
    """A channel id that no other engine and no earlier leg ever had."""
    return f"leg-{operator}-{serial()}"


def operator_of_leg(identity: str) -> str | None:
    """Whose phone a leg found in Asterisk belongs to; None if it is no leg of ours."""
    kind, _, rest = identity.partition("-")
    return rest.partition("-")[0] if kind == "leg" else None


def offer_end(hangup: Hangup) -> OfferEnd:
    """What an unanswered leg's end means for its offer."""
    match hangup.tech_cause:
        case 486 | 600:
            return OfferEnd.BUSY
        case 603 | 403:
            return OfferEnd.REFUSED
        case 480 | 408 | 487:
            return OfferEnd.NO_ANSWER
    return ENDS.get(hangup.cause or 0, OfferEnd.FAILED)


def failed_end(problem: SwitchError, what: str) -> OfferEnd:
    """What an error means for the offer whose phone was to be rung. Raises SwitchGone on: nothing is known
    then."""
    match problem:
        case SwitchGone():
            raise problem
        case Refused():
            return OfferEnd.UNREACHABLE
        case ChannelGone():
            return offer_end(problem.hangup)
    log.warning("%s failed: %s", what, problem)
    return OfferEnd.FAILED


class Waiter(Protocol):
    """Whom a phone is rung for: a call, or the kept place of a callback (`callbacks.Kept`)."""

    id: str
    offers: int

    @property
    def queued_mono(self) -> float | None: ...
    @property
    def told_as(self) -> str: ...
    @property
    def shows(self) -> tuple[str, str]: ...
    def take(self, answer: Answer) -> bool: ...
    def waits(self) -> bool: ...


class Ring:
    """One offer while the phone rings. It ends answered (the leg goes over to the call) or for a reason."""

    def __init__(
        self, session: Session, call: Waiter, offer: Offer, phone: str | None, waited_s: float = 0.0
    ) -> None:
        self.session = session
        self.call = call
        self.offer = offer
        self.phone = phone
        self.because = because_data(offer.because, waited_s)
        self.id = leg_id(offer.operator)
        self.stopped: OfferEnd | None = None
        self.tell = False
        self._begun = False
        self._task: asyncio.Task[None] | None = None

    def begin(self) -> None:
        self._task = self.session.start(self._run(), f"ring {self.offer.operator} for {self.offer.call}")

    def stop(self, reason: OfferEnd, *, tell: bool) -> None:
        """Stops ringing. `tell`: the distributor does not know yet."""
        if self.stopped is None:
            self.stopped, self.tell = reason, tell
            # A task that has not begun would never run: what was decided would not be in the ledger.
            if self._task is not None and self._begun:
                self._task.cancel()

    async def _run(self) -> None:
        session, offer = self.session, self.offer
        clock = session.centre.clock
        began = clock.mono()
        self._begun = True
        if self.stopped is OfferEnd.CALLER_GONE:
            return session.floor.rang(self)  # the call has ended, nothing has rung
        self._note_offered()
        self._phase(Phase.RINGING)
        tell = True
        try:
            if self.stopped is None:
                end = await self._ring(began)
            else:
                end, tell = self.stopped, self.tell
        except SwitchGone:
            return  # what became of it is seen at the reconnect
        except asyncio.CancelledError:
            if self.stopped is None:
                raise  # the engine stops or the switch is lost: recovery decides
            end, tell = self.stopped, self.tell
        if session.detached:
            return
        session.floor.rang(self)
        if end is None:
            session.floor.answered(offer.call, offer.operator)
            return
        session.centre.note(
            "offer_ended",
            self.call.told_as,
            operator=offer.operator,
            reason=end.value,
            ring_s=round(clock.mono() - began, 3),
        )
        if tell and end is not OfferEnd.CALLER_GONE:  # a caller's end is told by the call itself
            session.floor.failed(offer.call, offer.operator, end)
        if self.call.waits() and not session.floor.rings_for(offer.call):
            self._phase(Phase.WAITING)

    def _phase(self, phase: Phase) -> None:
        if isinstance(self.call, Call):
            self.session.phase(self.call, phase)
        else:
            self.session.centre.live.callbacks()

    def _note_offered(self) -> None:
        self.session.centre.note(
            "offered",
            self.call.told_as,
            queue=self.offer.queue,
            operator=self.offer.operator,
            phone=self.phone,
            leg=self.id,
            because=self.because,
        )

    async def _ring(self, began: float) -> OfferEnd | None:
        """Rings until answered (None: the call has the leg now) or says why not. Leaves nothing behind."""
        session, offer, switch = self.session, self.offer, self.session.switch
        if self.phone is None:
            return OfferEnd.UNREACHABLE
        leg: Channel | None = None
        bridge: Bridge | None = None
        try:
            await session.phone_free(offer.operator)
            number, name = self.call.shows
            leg = await switch.leg(
                endpoint(offer.operator, self.phone),
                channel_id=self.id,
                caller_id=number,
                caller_name=name,
            )
            # The distributor's clock ends the ringing; Asterisk's own limit is only for an engine that is
            # away.
            await leg.dial(max(5.0, offer.expires_at - began + 10))
            bridge = await switch.bridge()
            await leg.wait_up()
            if not self.call.take(Answer(offer.operator, self.phone, leg, bridge)):
                return OfferEnd.CALLER_GONE
            leg = bridge = None
            return None
        except SwitchError as problem:
            return failed_end(problem, f"ringing {offer.operator} for {offer.call}")
        finally:
            session.let_go(leg, bridge, of=offer.operator)
