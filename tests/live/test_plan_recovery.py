"""The engine is killed while citizens are on their way through the plan: each goes on where they were."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tests.support.phones import CITIZEN_HZ, OPERATOR_HZ, phones
from tests.support.planned import CITY, GUARDED, TUESDAY_NIGHT, Planned, planned

GUARD_HZ = 1000.0
MENU = "窓口は1、英語は2、守衛は3、案内は4です。"
INNER = "場所は1、戻るは0です。"
UNANSWERED = "守衛が出ません。朝までお待ちください。"


async def killed(at: Planned, before: Callable[[], Awaitable[None]] | None = None) -> None:
    """The engine is killed and another drives the calls. `before`: what is done while there is none."""
    await asyncio.sleep(0.3)  # what has happened is on disk
    pid = at.running.pid("engine")
    at.running.kill("engine")
    if before is not None:
        await before()
    async with asyncio.timeout(30):
        while at.running.pid("engine") == pid:
            await asyncio.sleep(0.02)
    await at.running.event("engine_started", 30, lambda one: one.data["pid"] == at.running.pid("engine"))
    await at.running.control.wait(lambda: bool(at.running.control.switch.get("connected")), 30)


@pytest.mark.req("REL-1", "IVR-1", "IVR-2")
async def test_calls_in_menus_announcements_and_the_queue(tmp_path: Path) -> None:
    async with planned(tmp_path) as at, phones() as sip:
        desk = await sip.desk(at.running.phone("1001"))
        async with (
            at.dial(sip, CITY, caller="0311110001") as inner,
            at.dial(sip, CITY, caller="0311110002") as english,
        ):
            await inner.hears(MENU, whole=False)
            await inner.press("4")
            await english.hears(MENU, whole=False)
            await english.press("2")
            await inner.hears(INNER)
            await at.running.control.phase_is("waiting")
            async with at.dial(sip, CITY, caller="0311110003") as greeted:
                await greeted.hears("市代表です。", whole=False)
                await killed(at)
                # Greeted again from the beginning, since nobody knows what of it was heard.
                await greeted.hears("録音します。")
                await greeted.hears(MENU, whole=False)
            # The question is said again, back leads where it led, the path is known.
            await inner.hears(INNER, times=2)
            await inner.press("0")
            await inner.hears(MENU, times=2, whole=False)
            await inner.press("4")
            await inner.hears(INNER, times=3, whole=False)
            await inner.press("1")
            await inner.is_hung_up()
            assert inner.told()[-1] == "市役所は、みなと町1番地です。"
            assert inner.told().count("録音します。") == 1
            await at.running.control.wait(
                lambda: [one["path"] for one in at.running.control.calls.values()] == [["English"]]
            )
            await english.hears("Please hold the line.", times=2)
            await at.running.ready_operator("1001")
            await (await desk.talk()).hears(CITIZEN_HZ)
            await english.line.talk.hears(OPERATOR_HZ)  # type: ignore[attr-defined]
        steps = at.steps("0311110001")
        assert steps == [
            "greeting", "recording_notice", "top", "4=案内", "inner", "0=back", "top", "4=案内", "inner",
            "1=場所", "place",
        ]  # fmt: skip
        records = {row.caller: row for row in await at.running.ended(3)}
        assert records["0311110001"].outcome == "announced"
        assert (records["0311110002"].outcome, records["0311110002"].language) == ("answered", "en")


@pytest.mark.long
@pytest.mark.req("REL-1", "ACD-4", "HRS-2")
async def test_calls_led_outside(tmp_path: Path) -> None:
    async with planned(tmp_path, TUESDAY_NIGHT) as at, phones() as sip:
        at.outside.policy = "ring"

        # Killed in the talk: it goes on, and its end is noted.
        async with at.dial(sip, GUARDED, caller="0311110001") as citizen:
            await at.outside.event("invite")
            at.outside.answer()
            talk = citizen.line.talk  # type: ignore[attr-defined]
            await talk.hears(GUARD_HZ)
            await killed(at)
            await talk.hears(GUARD_HZ)
            await at.outside.hears_tone(CITIZEN_HZ)
            await at.running.control.phase_is("forwarded")
            await citizen.line.hangup()
            await at.outside.event("bye")
        assert (await at.event("forward_ended", reason="over"))["talk_s"] > 0.5

        # Killed while it rings: it rings on, and whoever answers meanwhile or after is joined.
        for meanwhile in (False, True):

            async def answer() -> None:
                at.outside.answer()

            async with at.dial(sip, GUARDED) as citizen:
                await at.outside.event("invite")
                await at.running.control.phase_is("forwarding")
                await killed(at, answer if meanwhile else None)
                if not meanwhile:
                    at.outside.answer()
                talk = citizen.line.talk  # type: ignore[attr-defined]
                await talk.hears(GUARD_HZ)
                at.outside.bye()
                await citizen.is_hung_up()

        # Killed while it rings, refused meanwhile: the plan goes on as after any call that nobody took.
        async def refuse() -> None:
            at.outside.refuse(486)

        async with at.dial(sip, GUARDED, caller="0311110004") as citizen:
            await at.outside.event("invite")
            await at.running.control.phase_is("forwarding")
            await killed(at, refuse)
            await citizen.hears(UNANSWERED)
            await citizen.is_hung_up()

        # Killed in the talk, and whoever talked hung up meanwhile: the call is over.
        async def hang_up() -> None:
            at.outside.bye()

        async with at.dial(sip, GUARDED, caller="0311110005") as citizen:
            await at.outside.event("invite")
            at.outside.answer()
            await at.running.control.phase_is("forwarded")
            await killed(at, hang_up)
            await citizen.is_hung_up()
        records = {row.caller: row for row in await at.running.ended(5)}
        assert (records["0311110001"].outcome, records["0311110001"].ended_by) == ("forwarded", "caller")
        assert records["0311110004"].outcome == "announced"
        assert (records["0311110005"].outcome, records["0311110005"].ended_by) == ("forwarded", "outside")
        assert not [event for event in at.running.events() if event.kind == "handed_over"]
