"""An example's centre with a clock of its own, and citizens who tell what they heard there."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from dialplans import Language, Prompt, Site, load_site, spoken
from ivr import hear
from tests.live.asterisk_conf.tone_phone import TonePhone
from tests.support.centre import Centre, centre
from tests.support.examples import EXAMPLES
from tests.support.heard import Heard, Samples, sounds, which_prompts
from tests.support.keypads import Keypad, Line, dialled
from tests.support.phones import Phones

LOOK_S = 0.25  # how often a citizen thinks about what was said


@dataclass
class Rehearsal:
    """A city's centre. `outside`: the telephone that every trunk leads to."""

    running: Centre
    site: Site
    sounds: dict[str, Samples]
    outside: TonePhone
    at: dt.datetime
    callers: int = 0

    async def clock(self, at: str) -> None:
        """The plan's clock goes on from there (the site's zone); calls that came keep their time."""
        self.at = dt.datetime.fromisoformat(at).replace(tzinfo=self.site.zone)
        await self.running.control.do("plan.time", at=self.at.isoformat())

    def expected(self, number: str, keys: str = "") -> list[Prompt]:
        """What the plan says at this time to somebody who presses these keys."""
        return [line.prompt for line in hear(self.site, number.replace("-", ""), self.at, keys).lines]

    def waiting(self, queue: str, language: Language = "ja") -> Prompt:
        """What is said first in a queue."""
        one = self.site.queue(queue)
        said = one.tells[0].say
        assert said is not None
        return spoken(said, one.language, language)

    @contextlib.asynccontextmanager
    async def dial(
        self,
        sip: Phones,
        number: str,
        keys: str = "",
        keypad: Keypad = Keypad.EVENTS,
        *,
        patient: bool = False,
    ) -> AsyncIterator[Citizen]:
        """A citizen who dials a number and presses each key while its question is said (or, `patient`, when
        it was said)."""
        self.callers += 1
        caller = f"0909000{self.callers:04}"
        lines = hear(self.site, number.replace("-", ""), self.at, keys).lines
        async with dialled(sip, self.running.sip, number.replace("-", ""), keypad, caller) as line:
            citizen = Citizen(self, line, caller)
            asked: dict[str, int] = {}
            for one in lines:
                asked[one.prompt.key] = asked.get(one.prompt.key, 0) + 1
                if one.key is not None and one.key != "-":
                    await citizen.hears(one.prompt, times=asked[one.prompt.key], whole=patient)
                    await line.press(one.key)
            yield citizen


class Citizen:
    """Somebody on the telephone."""

    def __init__(self, at: Rehearsal, line: Line, caller: str) -> None:
        self.rehearsal, self.line, self.caller = at, line, caller

    def heard(self) -> list[Heard]:
        """All announcements until now, by the sound alone; named by their text."""
        return which_prompts(self.line.samples(), self.rehearsal.sounds)

    def told(self) -> list[str]:
        """The texts of `heard`, in order."""
        return [one.name for one in self.heard()]

    async def hears(
        self, prompt: Prompt, *, times: int = 1, whole: bool = True, within_s: float = 60.0
    ) -> None:
        """Until this announcement was heard so many times."""
        sound = {prompt.text: self.rehearsal.sounds[prompt.text]}

        def enough() -> bool:
            return sum(one.whole or not whole for one in which_prompts(self.line.samples(), sound)) >= times

        await self.until(enough, within_s, f"“{prompt.text}”, {times}×")

    async def until(self, true: Callable[[], bool], within_s: float, what: str) -> None:
        """Looks now and then: an ear is slower than the packets."""
        try:
            async with asyncio.timeout(within_s):
                while not true():
                    await asyncio.sleep(LOOK_S)
        except TimeoutError:
            heard = ", ".join(map(str, self.heard()))
            raise AssertionError(
                f"{self.caller} did not hear {what} within {within_s} s, but {heard}"
            ) from None

    async def is_hung_up(self, within_s: float = 60.0) -> None:
        """Until the centre has hung up."""
        async with asyncio.timeout(within_s):
            await self.line.ended.wait()


@contextlib.asynccontextmanager
async def rehearsal(city: str, folder: Path, at: str) -> AsyncIterator[Rehearsal]:
    """Starts an example at a time of its zone. Trunks with a way out lead to one telephone of this test."""
    outside = await TonePhone.open(0, "outside")
    assert isinstance(outside, TonePhone)
    plan: dict[str, Any] = YAML().load(EXAMPLES / f"{city}.yaml")
    for trunk in plan["trunks"]:
        if "outbound" in trunk:
            trunk["outbound"] |= {"host": "127.0.0.1", "port": outside.port}
    try:
        async with centre(folder, "--practice-time", at, site=plan) as running:
            outside.server_port = int(running.sip.rsplit(":", 1)[1])
            site = load_site(folder / "site.yaml")
            prompts = site.prompts()
            by_key = sounds(running.state.sounds, prompts)
            named = {one.text: by_key[one.key] for one in prompts}
            when = dt.datetime.fromisoformat(at).replace(tzinfo=site.zone)
            yield Rehearsal(running, site, named, outside, when)
    finally:
        outside.close()
