"""A supervisor at a conversation: listening, whispering, joined, switched without hanging up (MON-2).

Who listens or whispers is not in the conversation's room. A snoop channel on the operator's leg hears both
sides; it is joined with the supervisor's leg in a bridge of its own. What is said there goes nowhere
(listen: the snoop has no way back) or to the operator's telephone alone (whisper). Who joins is in the room.
Measured: docs/supervision.md.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from acd import OperatorState
from cdr import Event
from switch import Bridge, Channel, ChannelGone, Hangup, Refused, SwitchError, SwitchGone

from .call import Answer, Call, Phase, TakeOver
from .clock import iso
from .offer import leg_id
from .paging import page
from .phones import BROWSER, phone_of
from .seat_memory import SupervisionMemory
from .serials import serial

if TYPE_CHECKING:
    from .session import Session

log = logging.getLogger("daihyo.engine.supervision")

LOOK = ("answered", "left", "leg_lost", "held", "resumed", "transferred", "transfer_room", "ended")


class Mode(StrEnum):
    LISTEN = "listen"
    WHISPER = "whisper"
    JOIN = "join"


class Supervision:
    """One supervisor at one conversation, from the phone's ringing to the end. Its task alone moves legs:
    `look` tells it that something has changed, and it brings about what is wished (`mode`)."""

    def __init__(self, session: Session, call: Call, supervisor: str, mode: Mode, by: str) -> None:
        self.session, self.call, self.supervisor = session, call, supervisor
        self.operator = call.operator or ""
        self.mode, self.by = mode, by
        self.leg_id = leg_id(supervisor)
        self.phone = phone_of(session.centre, supervisor) or ""
        self.leg: Channel | None = None
        self.bridge: Bridge | None = None  # the supervisor's own
        self.snoop: Channel | None = None
        self.since: datetime | None = None  # None while the phone rings
        self.rings: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.in_room = False
        self.takes_over = False
        self.given = False  # the leg belongs to the conversation now
        self.stopped: str | None = None
        self.task: asyncio.Task[None] | None = None
        self._heard: tuple[str, bool] | None = None  # what the snoop was made for: leg, whisper
        self._silent: Channel | None = None  # the operator's leg, to which silence is sent
        self._begun = False
        self._changed = asyncio.Event()

    # -- what is wished

    def look(self) -> None:
        """Something about the call or the wish has changed."""
        self._changed.set()

    def switch(self, mode: Mode, by: str) -> None:
        """Noted before it is done: what a restart finds is what was wished."""
        if mode is self.mode:
            return
        self.mode, self.by = mode, by
        if self.since is not None:
            self._note("supervision_mode", operator=self.operator, mode=mode.value, by=by)
        self.session.supervisions.told(self)
        self.look()

    def take_over(self, by: str) -> None:
        self.takes_over = True
        self.switch(Mode.JOIN, by)
        self.look()

    def stop(self, reason: str) -> None:
        if self.stopped is None:
            self.stopped = reason
            if self.since is None and self._begun and self.task is not None:
                self.task.cancel()
            self.look()

    def adopt(
        self, memory: SupervisionMemory, leg: Channel, own: Bridge | None, snoop: Channel | None
    ) -> None:
        """As a new engine finds it. What stands otherwise than wished is put right; the snoop is made anew,
        since nobody knows whether the last switch was carried out."""
        self.leg_id, self.leg, self.phone = leg.id, leg, memory.phone
        self.bridge, self.snoop, self.since = own, snoop, memory.since

    # -- its life

    async def run(self) -> None:
        reason, self._begun = "failed", True
        try:
            if self.leg is None:
                await self._page()
            reason = await self._stay()
        except ChannelGone as gone:
            reason = self._why(gone)
        except Refused:
            reason = "unreachable"
        except asyncio.CancelledError:
            if self.stopped is None:
                raise
            reason = self.stopped
        except SwitchGone:
            return  # what became of it is seen at the reconnect
        except SwitchError as problem:
            log.warning("supervision of %s by %s: %s", self.call.id, self.supervisor, problem)
        finally:
            if not self.rings.done():
                self.rings.cancel()
            if not self.session.detached:
                self._over(reason)

    async def _page(self) -> None:
        self.leg = await page(self.session, self.supervisor, self.leg_id, self.call.shows, self.rings)
        self.bridge = await self.session.switch.bridge()
        self.leg.on_gone(self._gone)
        if self._why_over() is not None:
            return
        self.since = self.session.centre.clock.now()
        self._note(
            "supervision_began",
            operator=self.operator,
            mode=self.mode.value,
            leg=self.leg.id,
            bridge=self.bridge.id,
            phone=self.phone,
            by=self.by,
        )
        self.session.supervisions.told(self)

    def _gone(self, _: Hangup) -> None:
        self.look()

    async def _stay(self) -> str:
        """Until it is over; why."""
        assert self.leg is not None  # noqa: S101  (paged or adopted)
        if self.bridge is None:
            self.bridge = await self.session.switch.bridge()
        self.leg.on_gone(self._gone)
        while True:
            self._changed.clear()
            if (reason := self._why_over()) is not None:
                return reason
            try:
                await self._settle(self.leg, self.bridge)
            except SwitchGone:
                raise
            except SwitchError:
                # The operator's leg has ended under our hands: the conversation says what follows.
                if self.leg.hangup_info is not None or not self._operators_leg_gone():
                    raise
            await self._changed.wait()

    def _why_over(self) -> str | None:
        if self.given:
            return "took_over"
        if self.stopped is not None:
            return self.stopped
        if self.leg is not None and self.leg.hangup_info is not None:
            return "hung_up"
        if self.session.calls.get(self.call.id) is not self.call:
            return "call_over"
        return None if self.call.operator == self.operator else "operator_left"

    def _operators_leg_gone(self) -> bool:
        leg = self.call.leg
        return leg is None or leg.hangup_info is not None

    async def _settle(self, leg: Channel, own: Bridge) -> None:
        if self.mode is Mode.JOIN:
            if not self.in_room and self.call.bridge is not None:
                await self.call.bridge.add(leg)
                self.in_room = True
            await self._deaf()
            if self.takes_over and self.in_room:
                self.takes_over = False
                self.call.inbox.put_nowait(TakeOver(self.supervisor))
        else:
            if self.in_room or self.snoop is None:
                await own.add(leg)
                self.in_room = False
            await self._hear(own)
        await self._breathe()

    async def _hear(self, own: Bridge) -> None:
        """The snoop that is wanted, on the leg that the operator has now. The old one leaves the bridge
        before the new one enters: they would hear each other."""
        whisper, heard = self.mode is Mode.WHISPER, self.call.leg
        if self.snoop is not None and self.snoop.hangup_info is not None:
            self.snoop = self._heard = None
        if heard is None or self._operators_leg_gone() or self._heard == (heard.id, whisper):
            return
        new = await self.session.switch.snoop(heard, snoop_id=f"snoop-{serial()}", whisper=whisper)
        old, self.snoop, self._heard = self.snoop, new, (heard.id, whisper)
        try:
            if old is not None:
                await own.remove(old)
            await own.add(new)
        finally:
            self.session.let_go(old, None)

    async def _deaf(self) -> None:
        old, self.snoop, self._heard = self.snoop, None, None
        if old is not None:
            await old.hangup()

    async def _breathe(self) -> None:
        """Asterisk mixes a whisper into what is said to the operator; while the citizen is on hold nothing
        is, so silence is sent. It would hide the citizen: it ends when they are back."""
        alone = self.call.phase is Phase.HOLD and self.mode is Mode.WHISPER and self.snoop is not None
        leg = self.call.leg if alone and not self._operators_leg_gone() else None
        if leg is self._silent:
            return
        before, self._silent = self._silent, leg
        if before is not None and before.hangup_info is None:
            await before.silence(False)
        if leg is not None:
            await leg.silence(True)

    # -- the end

    def give(self) -> Answer:
        """The supervisor's leg becomes the operator's: it is in the room already."""
        assert self.leg is not None  # noqa: S101  (only a joined one is asked)
        assert self.call.bridge is not None  # noqa: S101
        self.given = True
        self.session.floor.talks(self.supervisor, self.call.id, self.call.queue)
        self.look()
        return Answer(self.supervisor, self.phone, self.leg, self.call.bridge)

    def joined(self) -> bool:
        up = self.leg is not None and self.leg.hangup_info is None
        return up and self.in_room and self.mode is Mode.JOIN and not self.given and self.stopped is None

    def _why(self, gone: ChannelGone) -> str:
        if self.leg is not None and gone.hangup is self.leg.hangup_info:
            return "hung_up"
        return "no_answer" if self.since is None else "failed"

    def _over(self, reason: str) -> None:
        session = self.session
        if self.since is not None:
            self._note("supervision_ended", mode=self.mode.value, reason=reason)
        session.supervisions.over(self)
        if self._silent is not None and self._silent.hangup_info is None:
            session.start(_silence_ends(self._silent), "silence ends")
        session.let_go(self.snoop, None)
        session.let_go(None if self.given else self.leg, self.bridge, of=self.supervisor)
        if not self.given and session.floor.talks_in(self.supervisor, self.leg_id):
            session.floor.over(self.supervisor, wrap_up=False)
        session.supervisions.told(self)

    def _note(self, kind: str, **data: Any) -> None:
        self.session.centre.note(kind, self.call.id, supervisor=self.supervisor, **data)

    def state(self) -> dict[str, Any]:
        """As the call's live state has it."""
        since = self.since if self.since is not None else self.session.centre.clock.now()
        return {"supervisor": self.supervisor, "mode": self.mode.value, "since": iso(since)}


class Supervisions:
    """All of a session, by supervisor."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.all: dict[str, Supervision] = {}

    def of(self, call: Call) -> list[Supervision]:
        """Those of a call whose phones were answered, the first first."""
        return [one for one in self.all.values() if one.call is call and one.since is not None]

    def begin(self, call: Call, supervisor: str, mode: Mode, by: str) -> Supervision:
        """The supervisor's phone is rung; no caller is offered to them from now on."""
        one = Supervision(self.session, call, supervisor, mode, by)
        self.take_up(one)
        return one

    def take_up(self, one: Supervision) -> None:
        self.all[one.supervisor] = one
        self.session.floor.talks_alone(one.supervisor, one.leg_id)
        one.task = self.session.start(one.run(), f"supervision of {one.call.id} by {one.supervisor}")
        self.told(one)

    def told(self, one: Supervision) -> None:
        live = self.session.centre.live
        live.operator(one.supervisor)
        if one.call.id in self.session.calls:
            live.call(one.call.id)

    def over(self, one: Supervision) -> None:
        if self.all.get(one.supervisor) is one:
            del self.all[one.supervisor]

    def noted(self, event: Event) -> None:
        """A fact of any call, just noted."""
        if not self.all or event.kind not in LOOK:
            return
        for one in self.all.values():
            if one.call.id == event.call:
                one.look()

    def page_gone(self, supervisor: str) -> None:
        """The supervisor's page was loaded anew or closed: the phone in it is no more."""
        one = self.all.get(supervisor)
        if one is not None and one.phone == BROWSER and one.since is not None:
            one.stop("page_closed")

    def heir(self, call: Call, supervisor: str | None = None) -> Supervision | None:
        """Who has joined the call longest, or that supervisor: they go on with the citizen."""
        joined = (one for one in self.of(call) if one.joined())
        return next((one for one in joined if supervisor in (None, one.supervisor)), None)

    def give(self, call: Call, supervisor: str, operator: str) -> Answer:
        """The call is theirs now, the operator's no more. Noted together with what follows: no restart finds
        the citizen with nobody."""
        one = self.all[supervisor]
        self.session.centre.note("taken_over", call.id, operator=operator, by=supervisor)
        return one.give()

    def busy(self, supervisor: str) -> bool:
        """Whether the supervisor's phone is rung or talks."""
        state = self.session.floor.view(supervisor).state
        return supervisor in self.all or state in (OperatorState.TALKING, OperatorState.RINGING)


async def _silence_ends(leg: Channel) -> None:
    try:
        await leg.silence(False)
    except (SwitchError, ChannelGone) as problem:
        log.info("silence to %s: %s", leg.id, problem)
