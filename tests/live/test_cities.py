"""The five cities' examples by telephone: what citizens hear, at which time, after which keys.

Each centre is started with a clock of its own; the calls of a city go on side by side. What was said is told
from the sound at the citizen's telephone alone, and compared with what the plan says (`ivr.hear`, which
`tests/unit/dialplans/test_examples.py` holds against the cities' documents).
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
import soundfile

from dialplans import Language, Prompt
from tests.support.examples import (
    CARD,
    CENTRE,
    EVENING,
    EVENTS,
    HOLIDAY,
    IWAKI,
    KOBE,
    MEDICAL,
    NEW_YEAR,
    NOON,
    SATURDAY,
    TASKS,
    WATER,
)  # fmt: skip
from tests.support.heard import RATE, contains
from tests.support.keypads import Keypad
from tests.support.phones import CITIZEN_HZ, OPERATOR_HZ, Phones, phones, share
from tests.support.rehearsal import Rehearsal, rehearsal


async def waits(
    at: Rehearsal,
    sip: Phones,
    number: str,
    queue: str,
    keys: str = "",
    keypad: Keypad = Keypad.EVENTS,
    language: Language = "ja",
) -> None:
    """The call hears what the plan says and then the queue's first words."""
    waiting = at.waiting(queue, language)
    async with at.dial(sip, number, keys, keypad, then=[waiting]) as citizen:
        await citizen.hears(waiting, whole=not keys or keypad is Keypad.TONES)


async def told_and_hung_up(at: Rehearsal, sip: Phones, number: str, *then: Prompt) -> None:
    """The call hears what the plan says, to the end, and is hung up by the centre."""
    async with at.dial(sip, number, then=then) as citizen:
        await citizen.is_hung_up()


async def all_arrived(at: Rehearsal) -> None:
    """Until every call dialled so far has come in: from now on the clock may move."""
    async with asyncio.timeout(30):
        while sum(event.kind == "arrived" for event in at.running.events()) < at.callers:
            await asyncio.sleep(0.05)


@pytest.mark.req("NUM-1", "NUM-3", "HRS-1", "HRS-2", "HRS-4", "IVR-2")
async def test_iwaki_by_telephone(tmp_path: Path) -> None:
    """Five numbers by day; after hours and at New Year the guard room, also when nobody is there."""
    async with rehearsal("iwaki", tmp_path, NOON) as at, phones() as sip, asyncio.TaskGroup() as calls:
        at.outside.hertz, at.outside.policy = OPERATOR_HZ, "486"
        for number in IWAKI:
            calls.create_task(waits(at, sip, number, "main"))
        await asyncio.sleep(0)
        await all_arrived(at)
        await at.clock(EVENING)
        calls.create_task(_guard_room_is_busy(at, sip, IWAKI[0]))
        await asyncio.sleep(0)
        await all_arrived(at)
        await at.clock(NEW_YEAR)
        calls.create_task(_guard_room_answers(at, sip, IWAKI[1]))


async def _guard_room_is_busy(at: Rehearsal, sip: Phones, number: str) -> None:
    async with at.dial(sip, number, then=[at.said("guard-away")]) as citizen:
        rung = await at.outside.event("invite", 60)
        assert rung["first"].split()[1].startswith("sip:0246000110@")
        at.outside.policy = "answer"
        await citizen.is_hung_up()


async def _guard_room_answers(at: Rehearsal, sip: Phones, number: str) -> None:
    async with at.dial(sip, number) as citizen:
        await at.outside.event("ack", 60)
        await citizen.until(
            lambda: share(citizen.line.samples(0.4), OPERATOR_HZ) > 0.8, 20, "the guard room's voice"
        )
        await at.outside.hears_tone(CITIZEN_HZ)


@pytest.mark.req("HRS-1", "HRS-5", "IVR-1", "IVR-3", "IVR-4", "NUM-2")
async def test_yokosuka_by_telephone(tmp_path: Path) -> None:
    """Menu in two languages, events on a number of their own, the waterworks."""
    async with rehearsal("yokosuka", tmp_path, NOON) as at, phones() as sip, asyncio.TaskGroup() as calls:
        # Somebody is there, though not ready: else the city hall would be rung.
        await at.running.control.do("operator.state", operator="7001", state="break", reason="昼食")
        calls.create_task(_some_events(at, sip))
        calls.create_task(waits(at, sip, CENTRE, "main", "91", Keypad.INFO, "en"))
        calls.create_task(waits(at, sip, CENTRE, "courses", "#2", Keypad.TONES))
        calls.create_task(waits(at, sip, WATER, "water"))
        await asyncio.sleep(0)
        await all_arrived(at)
        await at.clock(HOLIDAY)
        calls.create_task(told_and_hung_up(at, sip, WATER))
        calls.create_task(waits(at, sip, CENTRE, "main", "1"))


async def _some_events(at: Rehearsal, sip: Phones) -> None:
    async with at.dial(sip, EVENTS, enough=6):  # greeting, what follows, some of the events
        pass


@pytest.mark.req("HRS-1", "HRS-2", "ACD-4")
async def test_kawagoe_by_telephone(tmp_path: Path) -> None:
    """Nobody at the seats: the automatic answer. After hours: also where one can still go."""
    async with rehearsal("kawagoe", tmp_path, NOON) as at, phones() as sip, asyncio.TaskGroup() as calls:
        calls.create_task(told_and_hung_up(at, sip, CARD, at.said("crowded")))
        for when in ("2026-11-24 17:15", HOLIDAY, EVENING):
            await asyncio.sleep(0)
            await all_arrived(at)
            await at.clock(when)
            calls.create_task(told_and_hung_up(at, sip, CARD))


@pytest.mark.req("IVR-1", "IVR-4", "HRS-2")
async def test_kobe_by_telephone(tmp_path: Path) -> None:
    """A menu three deep, with each kind of keys; back; wrong keys."""
    async with rehearsal("kobe", tmp_path, NOON) as at, phones() as sip, asyncio.TaskGroup() as calls:
        calls.create_task(waits(at, sip, KOBE, "welfare", "322", Keypad.TONES))
        calls.create_task(waits(at, sip, KOBE, "general", "32**0", Keypad.INFO))
        calls.create_task(waits(at, sip, KOBE, "general", "778"))
        await asyncio.sleep(0)
        await all_arrived(at)
        await at.clock(SATURDAY)
        calls.create_task(told_and_hung_up(at, sip, KOBE))


@pytest.mark.req("NUM-1", "HRS-1", "IVR-1", "ACD-3")
async def test_kumamoto_by_telephone(tmp_path: Path) -> None:
    """Each number's own words, then an operator; a key after the question; music while waiting."""
    async with rehearsal("kumamoto", tmp_path, NOON) as at, phones() as sip, asyncio.TaskGroup() as calls:
        for operator in ("4001", "4002", "4003"):
            await sip.desk(at.running.phone(operator))
            await at.running.ready_operator(operator)
        for number in TASKS:
            calls.create_task(_operator_answers(at, sip, number))
        await asyncio.sleep(0)
        await all_arrived(at)
        calls.create_task(_music(at, sip, "2"))
        await asyncio.sleep(0)
        await all_arrived(at)
        await at.clock(NEW_YEAR)
        calls.create_task(told_and_hung_up(at, sip, "096-000-0003"))


async def _operator_answers(at: Rehearsal, sip: Phones, number: str) -> None:
    async with at.dial(sip, number) as citizen:
        await citizen.until(
            lambda: share(citizen.line.samples(0.4), OPERATOR_HZ) > 0.8, 30, "the operator's voice"
        )
        await at.running.event("queued", 30, lambda event: event.data["queue"] == "medical")


async def _music(at: Rehearsal, sip: Phones, keys: str) -> None:
    sound = next((at.running.state.sounds / "moh" / "default").glob("*.wav"))
    tune, _ = soundfile.read(sound, dtype="int16")
    waiting = at.waiting("medical")
    async with at.dial(sip, MEDICAL, keys, Keypad.TONES, patient=True, then=[waiting]) as citizen:
        await citizen.hears(waiting)
        end = len(citizen.line.samples()) + 2 * RATE
        await citizen.until(lambda: len(citizen.line.samples()) > end, 20, "two seconds of anything")
        assert contains(citizen.line.samples(1.5), tune) > 0.6
