"""A busy morning at random: citizens who call, wait, give up; operators whose phones answer, refuse, ring on,
lose their registration. Everything is drawn from one seed, per person and occasion; what happens when is the
machine's pace, so a run with the same seed is like another, not equal to it.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import Counter
from dataclasses import dataclass, field

from bench.sip import Leg
from tests.support.light_phones import Desk, Town, caller_of

TALK_S = (0.8, 2.2)
PATIENCE_S = (0.8, 5.0)
IMPATIENT = 0.2  # share of the citizens who give up if nobody talks with them by then
REFUSALS = {"486 Busy Here": 0.06, "603 Decline": 0.04, "480 Temporarily Unavailable": 0.02}
RINGS_ON, PULLED = 0.05, 0.03  # shares of the INVITEs: nobody comes; the phone is unplugged while it rings


@dataclass
class Caller:
    """One citizen: the number, and the call as the telephones saw it."""

    number: str
    leg: Leg | None = None
    talks: list[Leg] = field(default_factory=list)  # operators' legs, in order
    gave_up: bool = False

    @property
    def over(self) -> bool:
        return self.leg is not None and self.leg.ended_at > 0


class Crowd:
    """`calls` citizens dial `number` within `seconds`; `operators` have their phones at the town's."""

    def __init__(self, town: Town, seed: int, number: str, calls: int, seconds: float) -> None:
        self.town, self.seed, self.number = town, seed, number
        self.callers = {f"0902{n:07}": Caller(f"0902{n:07}") for n in range(calls)}
        self.met: Counter[str] = Counter()  # what INVITEs met
        chance = self._chance("arrivals")
        self._arrivals = sorted(chance.uniform(0, seconds) for _ in self.callers)
        self._loop = asyncio.get_running_loop()
        self._invites: Counter[str] = Counter()
        self._tasks: set[asyncio.Task[None]] = set()
        town.on_invite, town.on_talk = self._invited, self._talks

    def _chance(self, *of: object) -> random.Random:
        return random.Random(f"{self.seed} {of}")

    @property
    def served(self) -> int:
        return sum(bool(one.talks) for one in self.callers.values())

    async def open(self, operators: list[str]) -> None:
        """Everybody is there and ready; from now on whoever missed a call says soon that they are back."""
        await self.town.ready(*operators)
        for operator in operators:
            self._start(self._comes_back(operator))
        self._start(self._plugs(operators))

    async def call(self) -> None:
        """All citizens dial, at their times; returns when every call is over."""
        began = self._loop.time()
        for at, caller in zip(self._arrivals, self.callers.values(), strict=True):
            await asyncio.sleep(max(0.0, began + at - self._loop.time()))
            caller.leg = self.town.dial(self.number, caller.number)
            chance = self._chance("citizen", caller.number)
            if chance.random() < IMPATIENT:
                self._loop.call_later(chance.uniform(*PATIENCE_S), self._gives_up, caller)

    async def over(self, within_s: float) -> None:
        await self.town.until(
            lambda: all(one.over for one in self.callers.values()), "every call is over", within_s
        )

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    def _start(self, work: object) -> None:
        assert asyncio.iscoroutine(work)
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # -- citizens ---

    def _gives_up(self, caller: Caller) -> None:
        assert caller.leg is not None
        if caller.leg.talking and not any(leg.talking for leg in caller.talks):
            caller.gave_up = not caller.talks
            self.town.citizens_phone.bye(caller.leg)

    # -- operators ---

    def _invited(self, desk: Desk, leg: Leg) -> None:
        self._invites[desk.operator] += 1
        chance = self._chance("invite", desk.operator, self._invites[desk.operator])
        phone, drawn = self.town.desks_phone, chance.random()
        for status, share in REFUSALS.items():
            if drawn < share:
                self.met[status] += 1
                phone.refuse(leg, status)
                return
            drawn -= share
        phone.ring(leg)
        if drawn < RINGS_ON:
            self.met["rings on"] += 1
        elif drawn < RINGS_ON + PULLED:
            self.met["unplugged"] += 1
            self._start(self._unplugged(desk, chance.uniform(0.3, 1.0)))
        else:
            self.met["answered"] += 1
            self._loop.call_later(chance.uniform(0.0, 0.3), phone.answer, leg)

    def _talks(self, desk: Desk, leg: Leg) -> None:
        caller = self.callers[caller_of(leg)]
        caller.talks.append(leg)
        chance = self._chance("talk", caller.number)
        talk_s, by_citizen = chance.uniform(*TALK_S), chance.random() < 0.5
        if by_citizen and caller.leg is not None:
            self._loop.call_later(talk_s, self._hangs_up, caller, leg)
        else:
            self._loop.call_later(talk_s, self.town.desks_phone.bye, leg)

    def _hangs_up(self, caller: Caller, leg: Leg) -> None:
        assert caller.leg is not None
        if leg.talking:  # else it was no conversation for long, and another may come
            self.town.citizens_phone.bye(caller.leg)

    async def _unplugged(self, desk: Desk, for_s: float) -> None:
        with contextlib.suppress(TimeoutError):
            await desk.unregister()
            await asyncio.sleep(for_s)
        await desk.register()

    async def _plugs(self, operators: list[str]) -> None:
        """Now and then a phone is away for a while, whatever it is doing."""
        chance = self._chance("plugs")
        while True:
            await asyncio.sleep(chance.uniform(0.5, 2.0))
            self.met["unplugged at leisure"] += 1
            self._start(self._unplugged(self.town.desks[chance.choice(operators)], chance.uniform(0.3, 1.5)))

    async def _comes_back(self, operator: str) -> None:
        """Sets the operator ready again whenever the engine has set 応答なし; an engine that is just away is
        asked again."""
        control, chance = self.town.running.control, self._chance("back", operator)
        while True:
            await control.wait(lambda: control.state(operator) == "no_answer", 300)
            await asyncio.sleep(chance.uniform(0.1, 0.6))
            with contextlib.suppress(AssertionError, TimeoutError, OSError):
                async with asyncio.timeout(1):
                    await control.do("operator.state", operator=operator, state="ready")
                    await control.wait(lambda: control.state(operator) != "no_answer", 1)
