"""Conversations for scenarios that run beside each other in one centre: each has a citizen, an operator and a
supervisor's phone of its own.

    async with hall(running, sip, operators=4, supervisors=3) as rooms:
        async with rooms.room() as room:
            await rooms.do("supervise.start", call=room.call, …)
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cdr import Event

from .centre import Centre
from .phones import OPERATOR_HZ, RATE, SUPERVISOR_HZ, DeskPhone, Phones, Talk, share
from .site import NUMBER


async def sound_of(talk: Talk, seconds: float) -> None:
    """Until so much more was heard."""
    want = len(talk.samples()) + int(seconds * RATE)
    await talk.until(lambda: len(talk.samples()) >= want, 30, f"{seconds} s of sound")


@dataclass
class Room:
    """One conversation. `desk` is the supervisor's phone; `said` the talk at it, once it has answered."""

    hall: Hall
    call: str
    operator: str
    citizen: Talk
    talk: Talk  # the operator's
    supervisor: str
    desk: DeskPhone
    said: Talk | None = None

    @property
    def live(self) -> dict[str, Any]:
        return self.hall.running.control.calls[self.call]

    async def supervise(self, mode: str) -> Talk:
        """The supervisor begins, or switches, and the engine says that it is so."""
        do = self.hall.running.control.do
        if self.said is None:
            await do("supervise.start", call=self.call, supervisor=self.supervisor, mode=mode, by="sv")
            self.said = await self.desk.talk()
        else:
            await do("supervise.mode", supervisor=self.supervisor, mode=mode, by="sv")
        await self.until(lambda: [one["mode"] for one in self.live["supervision"]] == [mode], mode)
        return self.said

    async def until(self, true: Callable[[], bool], what: str) -> None:
        await self.hall.running.control.wait(true, 30, f"{what} of {self.call}")

    async def event(self, kind: str, true: Callable[[Event], bool] = lambda _: True) -> Event:
        return await self.hall.running.event(kind, 30, lambda one: one.call == self.call and true(one))

    async def supervision_over(self, reason: str) -> None:
        ended = await self.event("supervision_ended")
        assert ended.data["reason"] == reason, dict(ended.data)
        control = self.hall.running.control
        await control.wait(
            lambda: control.operators[self.supervisor]["supervising"] is None, 30, "free again"
        )


class Hall:
    def __init__(self, running: Centre, sip: Phones, desks: dict[str, DeskPhone], at_once: int) -> None:
        self.running, self.sip, self.desks = running, sip, desks
        self.supervisors: asyncio.Queue[str] = asyncio.Queue()
        self._numbers = itertools.count(1)
        self._at_once = asyncio.Semaphore(at_once)

    def caller(self) -> str:
        return f"0311{next(self._numbers):06}"

    def call_of(self, caller: str) -> dict[str, Any] | None:
        return next((one for one in self.running.control.calls.values() if one["caller"] == caller), None)

    @contextlib.asynccontextmanager
    async def supervisor(self) -> AsyncIterator[str]:
        """One whose phone nobody else uses meanwhile."""
        id = await self.supervisors.get()
        incoming = self.desks[id].incoming
        while not incoming.empty():
            incoming.get_nowait()  # of an earlier scenario
        try:
            yield id
        finally:
            self.supervisors.put_nowait(id)

    @contextlib.asynccontextmanager
    async def room(self) -> AsyncIterator[Room]:
        """A citizen and an operator in talk, hearing each other."""
        async with self._at_once, self.supervisor() as supervisor:
            caller = self.caller()
            citizen = await self.sip.call(self.running.sip, NUMBER, caller)

            def talking() -> bool:
                call = self.call_of(caller)
                return call is not None and call["phase"] == "talking"

            await self.running.control.wait(talking, 30, f"{caller} talks")
            call = self.call_of(caller)
            assert call is not None
            talk = await self.desks[call["operator"]].talk()
            await citizen.hears(OPERATOR_HZ)
            desk = self.desks[supervisor]
            try:
                yield Room(self, call["id"], call["operator"], citizen, talk, supervisor, desk)
            finally:
                await citizen.hangup()
                with contextlib.suppress(AssertionError, TimeoutError):
                    await self.running.control.wait(lambda: self.call_of(caller) is None, 10)
                while not desk.talks.empty():
                    await desk.talks.get_nowait().over()


@contextlib.asynccontextmanager
async def hall(
    running: Centre, sip: Phones, operators: int, supervisors: int, at_once: int
) -> AsyncIterator[Hall]:
    desks: dict[str, DeskPhone] = {}
    for n in range(operators):
        desks[str(1001 + n)] = await sip.desk(running.phone(str(1001 + n)))
        await running.ready_operator(str(1001 + n))
    made = Hall(running, sip, desks, at_once)
    control = running.control
    for n in range(supervisors):
        id = str(1901 + n)
        desks[id] = await sip.desk(running.phone(id), hz=SUPERVISOR_HZ)
        await control.wait(lambda id=id: control.operators[id]["phones"]["desk"], 10)  # type: ignore[misc]
        made.supervisors.put_nowait(id)
    yield made


async def beside_each_other(scenarios: dict[str, Coroutine[Any, Any, None]]) -> None:
    """Runs all; says by name which of them failed."""
    ended = await asyncio.gather(*scenarios.values(), return_exceptions=True)
    failed = []
    for name, problem in zip(scenarios, ended, strict=True):
        if isinstance(problem, BaseException):
            problem.add_note(f"scenario: {name}")
            failed.append(problem)
    if len(failed) == 1:
        raise failed[0]
    if failed:
        raise BaseExceptionGroup(f"{len(failed)} of {len(scenarios)} scenarios", failed)


def heard(samples: npt.NDArray[np.int16], *tones: float) -> bool:
    """Whether the sound is these tones, all of them, and nothing else."""
    parts = [share(samples, hz) for hz in tones]
    return sum(parts) > 0.9 and all(part > 0.9 / len(tones) / 3 for part in parts)


async def hears(talk: Talk, *tones: float, for_s: float = 0.4) -> None:
    """Until a talk's last sound was these tones and no others."""
    await talk.until(lambda: heard(talk.samples(for_s), *tones), 30, f"{tones} and nothing else")
