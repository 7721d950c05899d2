"""A call that an operator makes (NUM-5): the operator's own phone rings first and answers by itself, then the
number is called by the first way that has room. Recorded, held, transferred and written up like any other."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dialplans import OutLeg, OutRoute
from ivr import Walk
from switch import Channel, ChannelGone, Hangup, Refused, SwitchError, SwitchGone

from .call import Answer, Call, Phase
from .clock import iso
from .offer import leg_id
from .paging import page
from .phones import DESK, phone_of
from .reaching import SYNCED_S, Reaching, Taken, answered, dialled, hears
from .serials import serial
from .transfer_target import NEXT_WAY, why

if TYPE_CHECKING:
    from .session import Session

log = logging.getLogger("daihyo.engine.outbound")

TELL_S = 2.0  # how long the operator hears that nobody was reached; the page says why
_SHOWN = "発信"  # on the operator's own phone, beside the number


@dataclass(frozen=True)
class Wanted:
    """Whom an operator calls. `case`: of the desk; `about`: the call or number that it is about, as it was
    named; `by`: who asked for it."""

    operator: str
    route: OutRoute
    case: int | None = None
    about: str | None = None
    by: str = ""


class Outgoing:
    """One of them, from the ring of the operator's own phone. `rings` is done once that is rung, cancelled
    when it cannot be."""

    def __init__(self, session: Session, wanted: Wanted) -> None:
        self.session, self.wanted = session, wanted
        self.id = f"{session.centre.site.id}-out{serial()}"
        self.leg_id = leg_id(wanted.operator)
        self.rings: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.phone = phone_of(session.centre, wanted.operator) or DESK
        self.task: asyncio.Task[None] | None = None
        self._since = session.centre.clock.now()
        self.begun = False
        self._wrote_up = session.centre.memory.operator(wanted.operator).state == "wrap_up"

    def told(self) -> dict[str, Any]:
        """As the operator's live state has it while their own phone is rung."""
        return {"call": self.id, "number": self.wanted.route.digits, "since": iso(self._since)}

    async def run(self) -> None:
        session, operator = self.session, self.wanted.operator
        leg: Channel | None = None
        self.begun = True
        try:
            shows = (self.wanted.route.digits, _SHOWN)
            leg = await page(session, operator, self.leg_id, shows, self.rings)
        except (Refused, ChannelGone) as problem:
            log.info("operator %s does not take their call to %s: %s", operator, self.id, problem)
        except SwitchGone:
            return  # what became of it is seen at the reconnect
        except SwitchError as problem:
            log.warning("ringing operator %s: %s", operator, problem)
        finally:
            if not self.rings.done():
                self.rings.cancel()
            session.outbounds.over(self)
            if leg is None and not session.detached:
                # A wrap-up that was cut short for it begins again.
                session.floor.over(operator, wrap_up=self._wrote_up)
        if leg is not None:
            ends_wrap_up(session, operator)
            await CallOut(session, self.id, Taken(operator, self.phone, leg), self.wanted).run()


def ends_wrap_up(session: Session, operator: str) -> None:
    """Who makes a call has written the last one up."""
    last = session.centre.memory.operator(operator).last_call
    if last is not None:
        session.centre.wrap_up_words.setdefault(operator, {"by": "operator"})
        session.wrap_up_over(operator, last)


class CallOut(Reaching):
    """The number is called. `began_mono`: since when it rings already (recovery)."""

    def __init__(
        self,
        session: Session,
        id: str,
        taken: Taken,
        wanted: Wanted,
        *,
        began_mono: float | None = None,
    ) -> None:
        super().__init__(session, id, taken)
        self.wanted, self.began_mono = wanted, began_mono
        self._noted = taken.citizen is not None
        self._why = ""  # of the way before

    async def run(self) -> None:
        session = self.session
        session.outbounds.last.pop(self.wanted.operator, None)
        await self.reach()

    async def called(self) -> Call | str:
        if self.citizen is not None:
            self.bridge = self.bridge or await self.session.switch.bridge()
            return await self._answered(self.citizen)
        self._why = reason = "trunk_full"
        for way in self.wanted.route.legs:
            if full(self.session, way.trunk):
                continue
            outcome = await self._by(way)
            if isinstance(outcome, Call) or outcome not in NEXT_WAY:
                return outcome
            self._why = reason = outcome
            self.session.let_go(self.citizen, None)
            self.citizen = None
        if not self._noted:
            await self._placed(None)
        return reason

    async def _by(self, way: OutLeg) -> Call | str:
        """The call, answered, or why not by this way."""
        session, channel = self.session, await self._placed(way.trunk)
        ring_s = session.centre.site.dialling.ring_s
        shown = self.wanted.route.shown
        try:
            self.bridge = self.bridge or await session.switch.bridge()
            self.citizen = await dialled(
                session, way, call=self.id, channel=channel, shown=shown, ring_s=ring_s
            )
        except ChannelGone as gone:
            return why(gone.hangup)
        except SwitchGone:
            raise
        except SwitchError as problem:
            log.warning("call %s by %s failed: %s", self.id, way.trunk, problem)
            return "failed"
        return await self._answered(self.citizen)

    async def _placed(self, trunk: str | None) -> str:
        """Notes by which way it is called; the id of the channel. None: by none, all are full."""
        centre, taken, wanted = self.session.centre, self.taken, self.wanted
        if self._noted:
            channel = f"{self.id}-{serial()}"
            centre.note("next_way", self.id, leg=channel, trunk=trunk, reason=self._why)
        else:
            self._noted, channel = True, self.id
            plan, _ = centre.versions.number(wanted.route.shown)
            centre.note(
                "dialled",
                self.id,
                number=wanted.route.shown,
                to=wanted.route.digits,
                reason="outbound",
                callback=None,
                case=wanted.case,
                about=wanted.about,
                by=wanted.by,
                queue=None,
                operator=taken.operator,
                phone=taken.phone,
                operator_leg=taken.leg.id,
                leg=channel,
                trunk=trunk,
                plan=plan.version,
            )
        self.began_mono = centre.clock.mono()
        if trunk is not None:
            await centre.journal.synced(SYNCED_S)
        return channel

    async def _answered(self, leg: Channel) -> Call | str:
        session, taken = self.session, self.taken
        assert self.bridge is not None  # noqa: S101  (made first)
        if self.call is None:
            answer = Answer(taken.operator, taken.phone, taken.leg, self.bridge)
            self.call = made(session, self.id, self.wanted, leg, answer)
            session.calls[self.id] = self.call
        self.call.channel = leg
        session.phase(self.call, Phase.CALLING)
        began = self.began_mono if self.began_mono is not None else session.centre.clock.mono()
        until = began + session.centre.site.dialling.ring_s
        outcome = await answered(session, self.call, taken.leg, until)
        return why(outcome) if isinstance(outcome, Hangup) else outcome or self.call

    def noted(self, reason: str) -> None:
        """The journal has it with the call's end; the seat is told until the operator calls again."""
        session, operator = self.session, self.wanted.operator
        session.outbounds.last[operator] = {
            "call": self.id,
            "number": self.wanted.route.digits,
            "reason": reason,
            "at": iso(session.centre.clock.now()),
        }
        session.centre.live.operator(operator)

    async def told(self, reason: str) -> None:
        await hears(self.taken.leg, "tone:busy" if reason == "busy" else "tone:congestion", TELL_S)


class Outbounds:
    """Of a session: `under_way`, by operator, while their own phone is rung; `last`: why the last call of an
    operator reached nobody."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.under_way: dict[str, Outgoing] = {}
        self.last: dict[str, dict[str, Any]] = {}

    def begin(self, wanted: Wanted) -> Outgoing:
        """The operator's phone is rung; no caller is offered to them from now on."""
        one = self.under_way[wanted.operator] = Outgoing(self.session, wanted)
        self.session.floor.talks_alone(wanted.operator, one.id)
        one.task = self.session.start(one.run(), f"call {one.id} of {wanted.operator}")
        self.session.centre.live.operator(wanted.operator)
        return one

    def over(self, one: Outgoing) -> None:
        if self.under_way.get(one.wanted.operator) is one:
            del self.under_way[one.wanted.operator]
            self.session.centre.live.operator(one.wanted.operator)

    def refused(self, operator: str, number: str, code: str) -> None:
        """What the operator's own phone had dialled is not called: the screen says why."""
        centre = self.session.centre
        self.last[operator] = {"call": None, "number": number, "reason": code, "at": iso(centre.clock.now())}
        centre.live.operator(operator)

    def cancel(self, operator: str, call: str | None = None) -> bool:
        """While their own phone is rung; False when it is not, or for another call."""
        one = self.under_way.get(operator)
        if one is None or one.task is None or not one.begun or call not in (None, one.id):
            return False  # (a task that has not begun would never free the operator)
        one.task.cancel()
        return True

    def state(self, operator: str) -> dict[str, Any]:
        """What the live state says of an operator."""
        one = self.under_way.get(operator)
        shown: dict[str, Any] = {"dialling": None, "last_dial": self.last.get(operator)}
        return shown if one is None else shown | {"dialling": one.told(), "call": None}


def full(session: Session, trunk: str) -> bool:
    """Whether all channels of the trunk are in use, by calls in and out."""
    most = {one.id: one.max_channels for one in session.centre.site.trunks}
    return session.centre.memory.on_trunk(trunk) >= most.get(trunk, 0)


def made(session: Session, id: str, wanted: Wanted, leg: Channel, answer: Answer) -> Call:
    """The new call, as the engine holds it."""
    centre = session.centre
    plan, number = centre.versions.number(wanted.route.shown)
    call = Call(
        id=id,
        channel=leg,
        plan=plan,
        number=number,
        walk=Walk(plan.site, number.digits, centre.plan_now()),
        caller=wanted.route.digits,
        arrived=centre.memory.calls[id].arrived,
        phase=Phase.CALLING,
        since=centre.clock.now(),
        outbound=True,
        case=wanted.case,
        shown=wanted.route.shown,
    )
    call.operator, call.phone, call.leg = answer.operator, answer.phone, answer.leg
    return call
