"""Transfers for scenarios that run beside each other in one centre: each has a citizen, the operator who
answered, and an extension of the city hall of its own.

    async with stage(running, hall, sip, operators=8, at_once=4) as on:
        async with on.scene() as scene:
            await scene.consult()
            scene.ward.answer()
            await hears(scene.talk, WARD_HZ)
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import aiohttp
import numpy as np
import numpy.typing as npt

from asterisk_conf import Secrets
from cdr import Event
from daihyo.settings import Runtime
from tests.live.asterisk_conf.tone_phone import TonePhone

from .centre import Centre
from .pbx import PREFIX, WARD_HZ, Pbx
from .phones import CITIZEN_HZ, OPERATOR_HZ, RATE, DeskPhone, Phones, Talk, level, share
from .site import NUMBER

Sound = npt.NDArray[Any]
TONES = (CITIZEN_HZ, OPERATOR_HZ, WARD_HZ)
DEAD = 44  # Q.850: what Asterisk says of a phone that sends nothing any more


class Citizen(TonePhone):
    """A telephone outside. It plays what arrives as it arrives: the buffer of the phones in `phones` may take
    a source that speaks on with an older clock for late, for good, and "hears" the sound before it."""

    hertz = CITIZEN_HZ

    def samples(self) -> Sound:
        return np.asarray(self.sound(len(self.heard) / RATE) * 32768).astype(np.int16)

    async def hangup(self) -> None:
        if self.in_call:
            self.bye()

    async def over(self) -> None:
        async with asyncio.timeout(30):
            while self.in_call:
                await asyncio.sleep(0.05)


def last(who: Talk | TonePhone, seconds: float = 0.4) -> Sound:
    """What was heard last, in samples of 16 bit."""
    if isinstance(who, Talk):
        return who.samples(seconds)
    return np.asarray(who.sound(seconds) * 32768).astype(np.int16)


async def hears(who: Talk | TonePhone, *tones: float) -> None:
    """Until the last sound was these tones, all of them, and no other."""

    def heard() -> bool:
        sound = last(who)
        parts = [share(sound, hz) for hz in tones]
        return sum(parts) > 0.9 and all(part > 0.3 / len(tones) for part in parts)

    await _until(who, heard, f"{tones} and nothing else")


async def hears_music(who: Talk | TonePhone) -> None:
    """Until something was heard that is nobody's tone: music, speech, a telephone that rings."""

    def heard() -> bool:
        sound = last(who)
        return level(sound) > 0.003 and all(share(sound, hz) < 0.3 for hz in TONES)

    await _until(who, heard, "music")


async def _until(who: Talk | TonePhone, true: Callable[[], bool], what: str) -> None:
    if isinstance(who, Talk):
        await who.until(true, 30, what)
        return
    try:
        async with asyncio.timeout(30):
            while not true():
                await who.hears(2)  # until more has come
    except TimeoutError:
        raise AssertionError(f"{who.user} did not hear {what}; events: {who.seen}") from None


async def more(who: TonePhone, seconds: float) -> Sound:
    """What is heard in the next seconds."""
    want = len(who.heard) + int(seconds * RATE)
    await _until(who, lambda: len(who.heard) >= want, f"{seconds} s of sound")
    return last(who, seconds)


@dataclass
class Scene:
    """One conversation and the extension it is to be transferred to."""

    on: Stage
    call: str
    caller: str
    operator: str
    citizen: Citizen
    talk: Talk  # the operator's
    ward: TonePhone
    extension: str

    @property
    def live(self) -> dict[str, Any]:
        return self.on.running.control.calls[self.call]

    @property
    def to(self) -> dict[str, Any]:
        return {"kind": "extension", "number": self.extension, "name": "税務課"}

    async def dials(self) -> Any:
        """The operator's phone is rung, and does nothing by itself: the call, to be answered."""
        desk = self.on.desks[self.operator]
        while not desk.incoming.empty():
            desk.incoming.get_nowait()
        return await desk.rung()

    async def do(self, command: str, **fields: Any) -> dict[str, Any]:
        return await self.on.running.control.do(
            f"call.{command}", call=self.call, operator=self.operator, **fields
        )

    async def refused(self, command: str, **fields: Any) -> str:
        """The code with which the engine refuses."""
        answer = await self.on.running.control.ask(
            f"call.{command}", call=self.call, operator=self.operator, **fields
        )
        assert not answer["ok"], answer
        assert answer["error"]["message"]
        return str(answer["error"]["code"])

    async def transfer_is(self, state: str) -> None:
        await self.until(
            lambda: (self.live["transfer"] or {}).get("state") == state, f"the transfer is {state}"
        )

    async def phase_is(self, phase: str) -> None:
        await self.until(lambda: self.live["phase"] == phase, f"it is {phase}")

    async def until(self, true: Callable[[], bool], what: str) -> None:
        await self.on.running.control.wait(true, 30, f"{what}: {self.call}")

    async def event(self, kind: str, true: Callable[[Event], bool] = lambda _: True) -> dict[str, Any]:
        found = await self.on.running.event(kind, 30, lambda one: one.call == self.call and true(one))
        return dict(found.data)

    def events(self, kind: str) -> list[dict[str, Any]]:
        return [dict(one.data) for one in self.on.running.events(self.call) if one.kind == kind]

    # -- stages

    async def rings(self, how: str = "consult") -> None:
        """The extension's telephone rings; blindly: the operator has gone."""
        self.ward.policy = "ring"
        await self.do(how, to=self.to)
        await self.ward.event("invite")
        if how == "blind":
            await self.talk.over()
            await self.phase_is("transferring")

    async def consulted(self) -> None:
        """The operator talks with the extension."""
        await self.rings()
        self.ward.answer()
        await self.transfer_is("talking")
        await hears(self.talk, WARD_HZ)

    async def swapped(self) -> None:
        await self.consulted()
        await self.do("swap")
        await self.transfer_is("held")
        await hears(self.talk, CITIZEN_HZ)

    async def three_way(self) -> None:
        await self.consulted()
        await self.do("three_way")
        await self.transfer_is("three_way")
        await hears(self.citizen, OPERATOR_HZ, WARD_HZ)

    async def transferred(self) -> None:
        await self.consulted()
        await self.do("complete")
        await self.talk.over()
        await hears(self.citizen, WARD_HZ)
        await self.phase_is("transferred")

    async def dies(self, leg: str) -> None:
        """Asterisk is told that this leg's telephone is dead, as it finds by itself after a time without
        sound."""
        secrets = Secrets.load_or_create(self.on.running.state.secrets, self.on.site)
        port = Runtime.load(self.on.running.state).ari_port
        login = aiohttp.encode_basic_auth(Secrets.ari_user, secrets.ari_password)
        url = f"http://127.0.0.1:{port}/ari/channels/{leg}"
        async with aiohttp.ClientSession(headers={"Authorization": login}) as session:
            async with session.delete(url, params={"reason_code": str(DEAD)}) as answer:
                assert answer.status == 204, await answer.text()


class Stage:
    def __init__(
        self,
        running: Centre,
        site: Any,
        hall: Pbx,
        sip: Phones,
        desks: dict[str, DeskPhone],
        at_once: int,
    ) -> None:
        self.running, self.site, self.hall, self.sip, self.desks = running, site, hall, sip, desks
        self._numbers = itertools.count(1)
        self._at_once = asyncio.Semaphore(at_once)

    def call_of(self, caller: str) -> dict[str, Any] | None:
        return next((one for one in self.running.control.calls.values() if one["caller"] == caller), None)

    async def next_talk(self, caller: str, after: str | None = None) -> tuple[str, Talk]:
        """Once an operator (not `after`) talks with this caller: who, and the talk at their phone."""

        def talking() -> bool:
            call = self.call_of(caller)
            if call is None or call["phase"] != "talking" or call["transfer"] is not None:
                return False
            return bool(call["operator"] != after)

        await self.running.control.wait(talking, 30, f"{caller} talks with an operator")
        call = self.call_of(caller)
        assert call is not None
        talk = await self.desks[call["operator"]].talk()
        while talk.ended.is_set():  # of a scene before this
            talk = await self.desks[call["operator"]].talk()
        return call["operator"], talk

    async def written_up(self, call: str) -> None:
        """Whoever has left this call has written it up. Their phone may take a moment to hang up first."""
        control = self.running.control

        def hanging_up() -> list[str]:
            now = control.calls.get(call, {}).get("operator")
            with_it = [one for one in control.operators.values() if one["call"] == call]
            return [one["id"] for one in with_it if one["state"] in ("talking", "hold") and one["id"] != now]

        await control.wait(lambda: not hanging_up(), 10, f"who has left {call} has hung up")
        for one in list(control.operators.values()):
            if one["state"] == "wrap_up" and one["last_call"] == call:
                await control.do("operator.wrapped_up", operator=one["id"], call=call)

    @contextlib.asynccontextmanager
    async def scene(self, number: str = NUMBER) -> AsyncIterator[Scene]:
        """A citizen and an operator in talk, hearing each other."""
        async with self._at_once:
            n = next(self._numbers)
            caller, extension = f"0311{n:06}", f"{2300 + n}"
            ward = await self.hall.extension(extension)
            citizen = await Citizen.open(int(self.running.sip.rsplit(":", 1)[1]), caller)
            assert isinstance(citizen, Citizen)
            await citizen.call(number)
            operator, talk = await self.next_talk(caller)
            call = self.call_of(caller)
            assert call is not None
            await hears(citizen, OPERATOR_HZ)
            await hears(talk, CITIZEN_HZ)
            try:
                yield Scene(self, call["id"], caller, operator, citizen, talk, ward, extension)
            finally:
                await citizen.hangup()
                with contextlib.suppress(AssertionError, TimeoutError):
                    await self.running.control.wait(lambda: self.call_of(caller) is None, 10)
                await self.written_up(call["id"])
                citizen.close()


async def at_the_desk(
    running: Centre, sip: Phones, operators: list[str], **more: Any
) -> dict[str, DeskPhone]:
    """Their phones, registered, and they ready."""
    desks = {one: await sip.desk(running.phone(one), **more) for one in operators}
    for one in operators:
        await running.ready_operator(one)
    return desks


__all__ = ["PREFIX", "Scene", "Stage", "at_the_desk", "hears", "hears_music", "last", "more"]
