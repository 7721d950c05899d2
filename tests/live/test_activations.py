"""A hundred versions of the plan go live one after another while twenty calls are under way."""

from __future__ import annotations

import asyncio
import contextlib
import struct
from collections.abc import AsyncIterator
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from ruamel.yaml import YAML

from daihyo.apply import go_live, opened
from dialplans import parse_site
from store import plans
from tests.support.centre import Centre, centre
from tests.support.heard import RATE, Samples, contains, sounds, which_prompts
from tests.support.keypads import TonePad
from tests.support.phones import OPERATOR_HZ, share
from tests.support.site import NUMBER, OTHER_NUMBER, site

ACTIVATIONS, PROBE_EVERY = 100, 25
TALKING, WAITING, ASKED = 6, 10, 4
GREETINGS = ("一番の案内です。", "二番の案内です。", "三番の案内です。", "四番の案内です。")
FIRST_MENU = "はじめの版です。いちを押してください。"
HOLE = RATE // 5  # a fifth of a second without sound would be noticed


def version(n: int) -> dict[str, Any]:
    """Version `n`, counted from 0: its own greeting, and another menu behind the second number. Now and then
    one more operator, who is taken out again: Asterisk must read its configuration anew."""
    plan = site(operators=TALKING + (n % 20 == 10), wrap_up_s=0)
    talk, ask = plan["numbers"]
    talk["greeting"] = GREETINGS[n % len(GREETINGS)]
    del ask["queue"]
    ask["start"] = "menu"
    plan["steps"] = [
        {
            "id": "menu",
            "kind": "menu",
            "say": FIRST_MENU if n == 0 else f"{n % 3 + 2}を押してください。",
            "keys": {"1" if n == 0 else str(n % 3 + 2): {"go": "queue:main", "label": f"{n}版"}},
            "timeout_s": 30,
            "tries": 9,
            "otherwise": "queue:main",
        }
    ]
    plan["queues"][0] |= {"ring_timeout_s": 5 + n % 10, "waiting_announcement_every_s": 600}
    plan["events"] = []
    return plan


def text(plan: dict[str, Any]) -> str:
    out = StringIO()
    YAML().dump(plan, out)
    return out.getvalue()


class WatchedPhone(TonePad):
    """A telephone that keeps each packet's number and time stamp: a hole in the sound is seen in them,
    however busy the machine on which it is looked for."""

    def __init__(self, server_port: int, user: str, password: str) -> None:
        super().__init__(server_port, user, password)
        self.packets: list[tuple[int, int, int]] = []  # SSRC, number, time stamp

    def _rtp_in(self, data: bytes) -> None:
        number, stamp, source = struct.unpack("!HII", data[2:12])
        self.packets.append((source, number, stamp))
        super()._rtp_in(data)

    def holes(self, since: int) -> list[int]:
        """What is missing in the stream from this packet on: samples per place, small change left out."""
        seen = self.packets[since:]
        assert len({source for source, _, _ in seen}) == 1, "another stream began"
        steps = np.diff([stamp for _, _, stamp in seen])
        return [int(step) for step in steps if step > HOLE]


@contextlib.asynccontextmanager
async def calling(running: Centre, number: str, count: int, first: int) -> AsyncIterator[list[WatchedPhone]]:
    """So many calls, one after another."""
    made = []
    try:
        for n in range(count):
            phone = await WatchedPhone.open(int(running.sip.rsplit(":", 1)[1]), f"0909100{first + n:04}")
            made.append(phone)
            await phone.call(number)
        yield made
    finally:
        for phone in made:
            await phone.hangup()
            phone.close()


@contextlib.asynccontextmanager
async def answering(running: Centre, count: int) -> AsyncIterator[None]:
    """So many operators, ready, whose telephones answer with a tone."""
    made = []
    try:
        for n in range(count):
            account = running.phone(str(1001 + n))
            phone = await TonePad.open(account["port"], account["user"], account["secret"])
            phone.hertz = OPERATOR_HZ
            made.append(phone)
            await phone.register()
            await running.ready_operator(account["user"])
        yield
    finally:
        for phone in made:
            phone.close()


async def until(true: Any, what: str, within_s: float = 30.0) -> None:
    try:
        async with asyncio.timeout(within_s):
            while not true():
                await asyncio.sleep(0.1)
    except TimeoutError:
        raise AssertionError(f"not within {within_s} s: {what}") from None


def travels(sound: Samples, tune: Samples) -> bool:
    """Whether all of a recording is that music, but for what is said in it at the beginning."""
    return contains(sound, tune) > 0.95


@pytest.mark.req("IVR-2", "ADM-1")
@pytest.mark.timeout(300)
async def test_a_hundred_activations_in_a_row_during_twenty_calls(tmp_path: Path) -> None:
    async with centre(tmp_path, site=version(0)) as running:
        tune, _ = soundfile.read(
            next((running.state.sounds / "moh" / "default").glob("*.wav")), dtype="int16"
        )
        async with contextlib.AsyncExitStack() as phones:
            await phones.enter_async_context(answering(running, TALKING))
            talking = await phones.enter_async_context(calling(running, NUMBER, TALKING, 0))
            # Greetings that end in one moment end in any order: who waits must come later.
            await running.control.phase_is("talking", TALKING, 20)
            waiting = await phones.enter_async_context(calling(running, NUMBER, WAITING, 100))
            asked = await phones.enter_async_context(calling(running, OTHER_NUMBER, ASKED, 200))
            everybody = [*talking, *waiting, *asked]
            await until(lambda: all(share(one.samples(0.4), OPERATOR_HZ) > 0.8 for one in talking), "talks")
            await running.control.phase_is("waiting", WAITING, 20)
            await until(lambda: all(contains(one.samples(1), tune) == 1 for one in waiting), "music")
            begun = [len(one.packets) for one in everybody]
            mark = [len(one.samples()) for one in waiting]

            await _activate_all(running)

            for phone, since in zip(everybody, begun, strict=True):
                assert not phone.ended.is_set()
                if phone not in asked:  # between the words of a menu nothing is sent
                    assert len(phone.packets) > since + 50
                    assert phone.holes(since) == []
            for phone, since in zip(waiting, mark, strict=True):
                assert travels(phone.samples()[since:], tune)
            for phone in talking:
                assert share(phone.samples(0.4), OPERATOR_HZ) > 0.8
            # Each call keeps the version with which it began: the menu's first key still holds.
            spoken = sounds(running.state.sounds, parse_site(text(version(0))).prompts())
            for phone in asked:
                told = [one.name for one in which_prompts(phone.samples(), spoken)]
                assert len(told) >= 3  # greeting, notice, menu, and the menu again
                await phone.press("1")
            await running.control.phase_is("waiting", WAITING + ASKED, 20)
            arrived = [event for event in running.events() if event.kind == "arrived"]
            assert [event.data["plan"] for event in arrived[: len(everybody)]] == [1] * len(everybody)
            chosen = [event for event in running.events() if event.kind == "key" and event.data["key"] == "1"]
            assert {event.data["does"] for event in chosen} == {"0版"}
            assert len(chosen) == ASKED
            for phone in talking:  # and the operators hear their citizens
                await phone.hangup()
            await until(  # which came first is a matter of milliseconds
                lambda: sum(share(one.samples(0.4), OPERATOR_HZ) > 0.8 for one in waiting) == TALKING,
                "the first of those who waited talk",
            )
            told = running.events()
            lined_up = [event.call for event in told if event.kind == "queued"]
            served = [event.call for event in told if event.kind == "answered"]
            offers = [(one.call, one.mono, one.data["because"]) for one in told if one.kind == "offered"]
            assert set(served) == set(lined_up[: 2 * TALKING]), (lined_up, served, offers)
        records = await running.ended(len(everybody) + ACTIVATIONS // PROBE_EVERY, 40)
        assert {row.reason for row in records} == {"normal"}


async def _activate_all(running: Centre) -> None:
    """One after another; now and then a new call hears the newest."""
    newest = 1
    async with opened(running.state) as store:
        for n in range(1, ACTIVATIONS + 1):
            plan = text(version(n))
            made = await plans.add_version(store, plan, author="sv01", comment=f"{n}", based_on=newest)
            await go_live(store, made, "sv01")
            newest = made.id
            if n % PROBE_EVERY == 0:
                await _hears_the_newest(running, n, newest)


async def _hears_the_newest(running: Centre, n: int, newest: int) -> None:
    site_now = parse_site(text(version(n)))
    spoken = sounds(running.state.sounds, site_now.prompts())
    texts = {one.key: one.text for one in site_now.prompts()}
    async with calling(running, NUMBER, 1, 300 + n) as [phone]:
        await until(lambda: len(which_prompts(phone.samples(), spoken)) >= 2, "the greeting")
        [greeting, *_] = which_prompts(phone.samples(), spoken)
        assert texts[greeting.name] == GREETINGS[n % len(GREETINGS)]
        assert len(running.control.calls) == TALKING + WAITING + ASKED + 1
    arrived = [event for event in running.events() if event.kind == "arrived"]
    assert arrived[-1].data["plan"] == newest
