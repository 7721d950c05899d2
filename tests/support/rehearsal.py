"""An example's centre with a clock of its own, and citizens who tell what they heard there."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import soundfile
from ruamel.yaml import YAML

from dialplans import Language, Prompt, Say, Site, load_site, spoken
from ivr import hear
from tests.live.asterisk_conf.tone_phone import TonePhone
from tests.support.centre import Centre, centre
from tests.support.examples import EXAMPLES
from tests.support.heard import RATE, Heard, Samples, sounds, which_prompts
from tests.support.keypads import Keypad, Line, TonePad, dialled
from tests.support.phones import Phones

LOOK_S = 0.25  # how often a citizen thinks about what was said


@dataclass(frozen=True)
class Visit:
    """A call that is over: what was recorded at the telephone, and what should be heard in it."""

    caller: str
    recording: Samples
    expected: tuple[str, ...]
    keys: int  # pressed: so many announcements may be broken off
    enough: int  # announcements after which the citizen may have hung up
    exact: bool  # our own phone; a real one (baresip) loses sound on a busy machine


@dataclass
class Rehearsal:
    """A city's centre. `outside`: the telephone that every trunk leads to. What citizens heard is judged when
    all calls are over (`judge`): listening takes a processor that the calls need."""

    folder: Path
    running: Centre
    site: Site
    sounds: dict[str, Samples]
    outside: TonePhone
    at: dt.datetime
    callers: int = 0
    visits: list[Visit] = field(default_factory=list)

    def judge(self) -> None:
        """Each visit's announcements, by the sound alone: those expected, in order, nothing else, and (where
        no packet was lost) whole but for those that a key broke off."""
        assert len(self.visits) == self.callers
        for visit in self.visits:
            heard = which_prompts(visit.recording, self.sounds)
            good = [one.name for one in heard] == list(visit.expected[: len(heard)])
            broken_off = sum(not one.whole for one in heard[: visit.enough])
            if not good or len(heard) < visit.enough or (visit.exact and broken_off > visit.keys):
                kept = self.folder / f"{visit.caller}.wav"
                soundfile.write(kept, visit.recording, RATE)
                told = "\n  ".join(map(str, heard))
                wanted = "\n  ".join(visit.expected)
                raise AssertionError(f"{visit.caller} heard\n  {told}\nnot\n  {wanted}\n(kept: {kept})")

    async def clock(self, at: str) -> None:
        """The plan's clock goes on from there (the site's zone); calls that came keep their time."""
        self.at = dt.datetime.fromisoformat(at).replace(tzinfo=self.site.zone)
        await self.running.control.do("plan.time", at=self.at.isoformat())

    def said(self, step: str) -> Prompt:
        """What is said in an announcement of the plan."""
        one = self.site.step(step)
        assert isinstance(one, Say)
        return spoken(one.say, self.site.language)

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
        then: Sequence[Prompt] = (),
        enough: int | None = None,
    ) -> AsyncIterator[Citizen]:
        """A citizen who dials a number and presses each key while its question is said (or, `patient`, when
        it was said). `then`: what is said after all that the plan's walk says. `enough`: the citizen
        hangs up after so many announcements (None: after all)."""
        self.callers += 1
        caller = f"0909000{self.callers:04}"
        lines = hear(self.site, number.replace("-", ""), self.at, keys).lines
        # Who presses nothing needs no real phone; ours loses no packet on a busy machine.
        kind = keypad if keys else Keypad.TONES
        async with dialled(sip, self.running.sip, number.replace("-", ""), kind, caller) as line:
            citizen = Citizen(self, line, caller)
            said = [*(one.prompt for one in lines), *then]
            for at, one in enumerate(said):
                key = lines[at].key if at < len(lines) else None
                if key is not None and key != "-":
                    await citizen.hears(one, whole=patient)
                    await line.press(key)
                    citizen.mark, citizen.before = len(line.samples()), 0
                elif at + 1 == enough:
                    await citizen.hears(one)
                    break
                elif at + 1 < len(said):
                    citizen.before += len(self.sounds[one.text])
            yield citizen
            expected = tuple(one.text for one in said)
            exact = isinstance(line, TonePad)
            visit = Visit(caller, line.samples(), expected, len(keys), enough or len(said), exact)
            self.visits.append(visit)


class Citizen:
    """Somebody on the telephone. `mark`: what was heard before is not listened to again; `before`: how long
    the announcements are that come before the one that is waited for (in samples)."""

    def __init__(self, at: Rehearsal, line: Line, caller: str) -> None:
        self.rehearsal, self.line, self.caller = at, line, caller
        self.mark = self.before = 0

    async def hears(self, prompt: Prompt, *, whole: bool = True, within_s: float = 60.0) -> None:
        """Until this announcement was heard, after the mark; not `whole`: at least a second of it."""
        sound = self.rehearsal.sounds[prompt.text]
        # Listening is dear, and packets come in meanwhile: not before it can be there.
        due = self.mark + self.before + (len(sound) if whole else RATE)
        await self.until(lambda: len(self.line.samples()) > due - RATE, within_s, f"“{prompt.text}”")

        def found() -> list[Heard]:
            return which_prompts(self.line.samples()[self.mark :], {prompt.text: sound})

        try:
            async with asyncio.timeout(within_s):
                # In a thread: the packets of all calls come in meanwhile.
                while not any(
                    one.whole or (not whole and one.for_s >= 1) for one in await asyncio.to_thread(found)
                ):
                    await asyncio.sleep(LOOK_S)
        except TimeoutError:
            raise self._not_heard(f"“{prompt.text}”") from None

    async def until(self, true: Callable[[], bool], within_s: float, what: str) -> None:
        """Until something simple is so."""
        try:
            async with asyncio.timeout(within_s):
                while not true():
                    await asyncio.sleep(LOOK_S / 5)
        except TimeoutError:
            raise self._not_heard(what) from None

    def _not_heard(self, what: str) -> AssertionError:
        heard = ", ".join(map(str, which_prompts(self.line.samples(), self.rehearsal.sounds)))
        return AssertionError(f"{self.caller} did not hear {what}, but {heard}")

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
            made = Rehearsal(folder, running, site, named, outside, when)
            yield made
        made.judge()
    finally:
        outside.close()
