"""Telephones that cost next to nothing: SIP alone, all of a side on one socket, no sound but a packet now and
then. For scenarios with many phones; what is heard is asked of the phones in `phones` and `keypads`.

`async with light_phones(running) as town:` gives desks (`await town.desk("1001")`) and citizens (`await
town.call(NUMBER, "0311110001")`). What a phone does with an INVITE is its `rule`; what it has met is in its
lists; `town.until(lambda: …)` waits for any of it. Times are seconds since the epoch, as the kernel stamps
the packets.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from bench.sip import Leg, Phone
from bench.sip_message import uri_of
from tests.support.centre import Centre

ANSWER, RING = "answer", "ring"
_ALIVE_S = 2.0  # a phone that sends nothing for 20 s is taken for dead


@dataclass
class Desk:
    """An operator's telephone. `rule`: `answer`, `ring` (and wait for `answer()`), or the SIP status that an
    INVITE gets, such as `486 Busy Here`; `moved_to`: the Contact of a 302."""

    town: Town
    operator: str
    secret: str
    rule: str = ANSWER
    moved_to: str | None = None
    legs: list[Leg] = field(default_factory=list)  # every INVITE, in order
    talks: list[Leg] = field(default_factory=list)  # those that became conversations
    doubles: list[tuple[Leg, Leg]] = field(default_factory=list)  # INVITEs that found another call there

    @property
    def rings(self) -> int:
        return len(self.legs)

    @property
    def callers(self) -> list[str]:
        """The numbers shown, one for each INVITE."""
        return [caller_of(leg) for leg in self.legs]

    @property
    def leg(self) -> Leg | None:
        """The call on the phone now, ringing or in talk."""
        return next((leg for leg in self.legs if not leg.ended_at), None)

    async def rung(self, caller: str, within_s: float = 30.0) -> Leg:
        """Until the phone is rung for this caller."""
        await self.town.until(lambda: caller in self.callers, f"{self.operator} rung for {caller}", within_s)
        return next(leg for leg in reversed(self.legs) if caller_of(leg) == caller)

    async def talk(self, caller: str, within_s: float = 30.0) -> Leg:
        """Until the phone talks with this caller, and the centre has joined the two."""

        def talks() -> list[Leg]:
            return [leg for leg in self.talks if leg.talking and caller_of(leg) == caller]

        await self.town.until(lambda: bool(talks()), f"{self.operator} talks with {caller}", within_s)
        await self.town.phase(caller, "talking")
        return talks()[-1]

    def answer(self) -> None:
        """Takes the call that rings."""
        assert self.leg is not None, f"{self.operator} is not rung"
        self.town.desks_phone.answer(self.leg)

    def hangup(self) -> None:
        assert self.leg is not None, f"{self.operator} has no call"
        self.town.desks_phone.bye(self.leg)

    async def register(self) -> None:
        await self.town.desks_phone.register(self.operator, self.secret)

    async def unregister(self) -> None:
        await self.town.desks_phone.register(self.operator, self.secret, expires_s=0)


class Citizen:
    """A citizen's call; the centre has answered it."""

    def __init__(self, town: Town, caller: str, leg: Leg) -> None:
        self.town, self.caller, self.leg = town, caller, leg

    def hangup(self) -> None:
        self.town.citizens_phone.bye(self.leg)

    async def over(self, within_s: float = 30.0) -> None:
        """Until the call has ended, by whoever it was."""
        await self.town.until(lambda: self.leg.ended_at > 0, f"the call of {self.caller} is over", within_s)


class Town:
    """All telephones of a test."""

    def __init__(self, running: Centre) -> None:
        host, port = running.sip.rsplit(":", 1)
        self.running = running
        self._rtp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._rtp.setblocking(False)
        self._rtp.bind(("127.0.0.1", 0))
        rtp_port = self._rtp.getsockname()[1]
        self.desks_phone = Phone((host, int(port)), rtp_port, self._rung)
        self.citizens_phone = Phone((host, int(port)), rtp_port)
        self.desks: dict[str, Desk] = {}
        self.on_invite: Callable[[Desk, Leg], None] | None = None
        self.on_talk: Callable[[Desk, Leg], None] | None = None
        self.on_ended: Callable[[Desk, Leg], None] | None = None
        self._citizens: list[Leg] = []
        self._changed = asyncio.Event()
        self._alive = asyncio.create_task(self._keep_alive())

    async def close(self) -> None:
        self._alive.cancel()
        await asyncio.wait([self._alive])
        self.desks_phone.close()
        self.citizens_phone.close()
        self._rtp.close()

    async def desk(self, operator: str, rule: str = ANSWER) -> Desk:
        """Registers an operator's telephone."""
        desk = Desk(self, operator, self.running.phone(operator)["secret"], rule)
        self.desks[operator] = desk
        await desk.register()
        return desk

    async def ready(self, *operators: str, rule: str = ANSWER) -> list[Desk]:
        """Telephones registered and operators ready, in this order: the first is idle longest."""
        desks = [await self.desk(operator, rule) for operator in operators]
        for operator in operators:
            await self.running.ready_operator(operator)
        return desks

    def dial(self, number: str, caller: str) -> Leg:
        """Sends an INVITE; what becomes of it is in the leg."""
        leg = self.citizens_phone.call(caller, number)
        leg.on_confirmed = leg.on_ended = self._told
        self._citizens.append(leg)
        return leg

    async def call(self, number: str, caller: str) -> Citizen:
        """Dials and waits for the centre's answer."""
        leg = self.dial(number, caller)
        await self.until(lambda: leg.status >= 200, f"the call of {caller} is answered")
        assert leg.status == 200, f"{caller} was refused: {leg.status}"
        return Citizen(self, caller, leg)

    async def waits(self, number: str, caller: str) -> Citizen:
        """Dials and waits until the caller stands in the line."""
        citizen = await self.call(number, caller)
        await self.phase(caller, "waiting")
        return citizen

    async def phase(self, caller: str, *phases: str, within_s: float = 30.0) -> None:
        """Until the centre shows the caller so."""
        control = self.running.control
        await control.wait(
            lambda: any(one["caller"] == caller and one["phase"] in phases for one in control.calls.values()),
            within_s,
            f"{caller} is {' or '.join(phases)}",
        )

    async def until(self, true: Callable[[], bool], what: str, within_s: float = 30.0) -> None:
        """Until the telephones are so; AssertionError with what they have seen."""
        try:
            async with asyncio.timeout(within_s):
                while not true():
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            seen = {
                desk.operator: [(caller_of(leg), leg.status, leg.talking) for leg in desk.legs]
                for desk in self.desks.values()
            }
            errors = [*self.desks_phone.errors, *self.citizens_phone.errors]
            raise AssertionError(f"not within {within_s} s: {what}; phones {seen}, {errors}") from None

    def _rung(self, leg: Leg) -> None:
        desk = self.desks.get(leg.user)
        if desk is None:
            self.desks_phone.refuse(leg, "404 Not Found")
            return
        there = desk.leg
        desk.legs.append(leg)
        leg.on_confirmed = lambda leg: self._talks(desk, leg)
        leg.on_ended = lambda leg: self._ended(desk, leg)
        if there is not None:
            desk.doubles.append((leg, there))
            self.desks_phone.refuse(leg)
        elif self.on_invite is not None:
            self.on_invite(desk, leg)
        elif desk.rule in (ANSWER, RING):
            self.desks_phone.ring(leg)
            if desk.rule == ANSWER:
                self.desks_phone.answer(leg)
        else:
            self.desks_phone.refuse(leg, desk.rule, desk.moved_to)
        self._changed.set()

    def _talks(self, desk: Desk, leg: Leg) -> None:
        desk.talks.append(leg)
        if self.on_talk is not None:
            self.on_talk(desk, leg)
        self._changed.set()

    def _ended(self, desk: Desk, leg: Leg) -> None:
        if self.on_ended is not None:
            self.on_ended(desk, leg)
        self._changed.set()

    def _told(self, _: Leg) -> None:
        self._changed.set()

    async def _keep_alive(self) -> None:
        """One packet of silence from each phone in a call, so that none is taken for dead."""
        count = 0
        while True:
            await asyncio.sleep(_ALIVE_S)
            count += 1
            packet = struct.pack("!BBHII", 0x80, 0, count & 0xFFFF, count * 16000, 7) + b"\xff" * 160
            self._citizens = [leg for leg in self._citizens if not leg.ended_at]
            talks = [leg for desk in self.desks.values() for leg in desk.talks if leg.talking]
            for leg in (*self._citizens, *talks):
                if leg.talking and leg.rtp is not None:
                    with contextlib.suppress(OSError):
                        self._rtp.sendto(packet, leg.rtp)


def caller_of(leg: Leg) -> str:
    """The number that an operator's phone shows; empty when it is withheld."""
    assert leg.invite is not None
    user = uri_of(leg.invite["from"]).removeprefix("sip:").partition("@")[0]
    return "" if user == "anonymous" else user


@contextlib.asynccontextmanager
async def light_phones(running: Centre) -> AsyncIterator[Town]:
    town = Town(running)
    try:
        yield town
    finally:
        await town.close()
