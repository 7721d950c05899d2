"""Calls through the plan, by real telephones: what is heard, where it ends, what the journal tells of it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.support.keypads import Keypad
from tests.support.phones import CITIZEN_HZ, OPERATOR_HZ, Phones, phones
from tests.support.planned import (
    CITY,
    EVENTS,
    GUARDED,
    LIMITED,
    LONELY,
    TUESDAY_NIGHT,
    Planned,
    plan,
    planned,
    put_version,
)

GUARD_HZ = 1000.0
MENU = "窓口は1、英語は2、守衛は3、案内は4です。"
ENGLISH = "Please hold the line."
WRONG, SILENT = (
    "そのボタンは、お使いいただけません。",
    "ボタンが押されたことを、確認できませんでした。",
)


@pytest.mark.req("IVR-1", "IVR-2", "IVR-4", "HRS-4", "ACD-4")
async def test_keys_lead_through_menus_and_every_step_is_told(tmp_path: Path) -> None:
    steps = plan(0)["steps"]
    steps[0] |= {"tries": 2}
    async with planned(tmp_path, steps=steps) as at, phones() as sip:
        await asyncio.gather(
            _barge_in(at, sip), _typed_ahead(at, sip), _never_a_key(at, sip), _language(at, sip)
        )
        records = {row.caller: row for row in await at.running.ended(4)}
        assert {row.outcome for row in records.values()} == {"abandoned_queue", "announced"}
        assert {row.plan for row in records.values()} == {1}


async def _barge_in(at: Planned, sip: Phones) -> None:
    """Keys that stop the question; one that is wrong; one within an announcement, which goes on."""
    async with at.dial(sip, CITY, Keypad.TONES, "0311110001") as citizen:
        await citizen.press("1")  # within the greeting: not heard as an answer
        await citizen.hears(MENU, whole=False)
        await citizen.press("7")
        await citizen.hears(WRONG)
        await citizen.hears(MENU, times=2, whole=False)
        await citizen.press("4")
        await citizen.hears("場所は1、戻るは0です。", whole=False)
        await citizen.press("0")
        await citizen.hears(MENU, times=3, whole=False)
        await citizen.press("4")
        await citizen.hears("場所は1、戻るは0です。", times=2, whole=False)
        await citizen.press("1")
        await citizen.hears("市役所は、みなと町1番地です。", whole=False)
        await citizen.press("5")
        await citizen.is_hung_up()
        assert citizen.told()[-1] == "市役所は、みなと町1番地です。"
        await citizen.hears("市役所は、みなと町1番地です。", within_s=1)  # to its end, whatever was pressed
        assert citizen.told()[:2] == ["市代表です。", "録音します。"]
    steps = ["greeting", "recording_notice", "top", "7=wrong", "4=案内", "inner", "0=back"]
    assert at.steps("0311110001") == [*steps, "top", "4=案内", "inner", "1=場所", "place"]
    ended = await at.running.event("ended", 10, lambda event: event.data["reason"] == "announcement")
    assert ended.data["by"] == "centre"


async def _typed_ahead(at: Planned, sip: Phones) -> None:
    """Two keys at once, by SIP INFO: the second is for the second menu."""
    async with at.dial(sip, CITY, Keypad.INFO, "0311110002") as citizen:
        await citizen.hears(MENU, whole=False)
        await citizen.press("41")
        await citizen.is_hung_up()
        assert "場所は1、戻るは0です。" not in citizen.told()
        assert citizen.told()[-1] == "市役所は、みなと町1番地です。"


async def _never_a_key(at: Planned, sip: Phones) -> None:
    """Two failures lead to somebody."""
    async with at.dial(sip, CITY, caller="0311110003") as citizen:
        await citizen.hears("お待ちください。", within_s=60)
        said = [MENU, SILENT, MENU, "係の者におつなぎします。", "お待ちください。"]
        assert citizen.told() == ["市代表です。", "録音します。", *said]
    assert at.steps("0311110003")[-2:] == ["None=none", "operator"]


async def _language(at: Planned, sip: Phones) -> None:
    """The queue speaks the language that was chosen."""
    async with at.dial(sip, CITY, Keypad.EVENTS, "0311110004") as citizen:
        await citizen.hears(MENU, whole=False)
        await citizen.press("2")
        await citizen.hears(ENGLISH)
        await at.running.control.wait(
            lambda: any(
                (one["language"], one["path"], one["phase"]) == ("en", ["English"], "waiting")
                for one in at.running.control.calls.values()
            )
        )
        assert (await at.event("queued", language="en"))["queue"] == "main"


@pytest.mark.long
@pytest.mark.req("ACD-4", "HRS-2", "NUM-3", "REC-1")
async def test_forwards_outside_answered_busy_silent_and_full(tmp_path: Path) -> None:
    async with planned(tmp_path, TUESDAY_NIGHT) as at, phones() as sip:
        async with at.dial(sip, GUARDED, caller="0311110001") as citizen:
            at.outside.policy = "ring"
            invite = await at.outside.event("invite")
            await citizen.hears("守衛室におつなぎします。")
            assert citizen.told() == ["録音します。", "守衛室におつなぎします。"]
            assert "0246221200" in invite["from"]  # whoever answers there sees the number that was dialled
            assert invite["first"].startswith("INVITE sip:00246229999@")  # the trunk's prefix
            await at.running.control.phase_is("forwarding")
            talk = citizen.line.talk  # type: ignore[attr-defined]
            await talk.hears(400.0, for_s=0.3)  # the ringing tone
            at.outside.answer()
            await talk.hears(GUARD_HZ)
            await at.outside.hears_tone(CITIZEN_HZ)
            await at.running.control.phase_is("forwarded")
            async with at.dial(sip, GUARDED, caller="0311110002") as second:  # the trunk has one channel
                await second.hears("守衛が出ません。朝までお待ちください。")
                await second.is_hung_up()
            at.outside.bye()
            await citizen.is_hung_up()
        assert (await at.event("forward_ended", reason="over"))["talk_s"] > 0
        assert await at.event("forward_ended", reason="trunk_full")
        for policy, reason in (("486", "busy"), ("503", "failed")):
            at.outside.policy = policy
            async with at.dial(sip, GUARDED) as citizen:
                assert await at.event("forward_ended", reason=reason)
                await citizen.is_hung_up()
        at.outside.policy = "ring"
        async with at.dial(sip, GUARDED) as citizen:  # the citizen gives up while it rings
            await at.running.control.phase_is("forwarding")
            await citizen.line.hangup()
        assert await at.event("forward_ended", reason="caller_gone")
        await at.outside.event("cancel")
        impatient = plan(at.outside.port)
        impatient["forwards"][0]["ring_s"] = 5
        put_version(at.running.state.path, 71, impatient)
        await at.running.control.do("plan.activate", version=71, by="op")
        async with at.dial(sip, GUARDED) as citizen:  # nobody comes in its time
            await at.outside.event("cancel")
            await citizen.hears("守衛が出ません。朝までお待ちください。")
        assert await at.event("forward_ended", reason="no_answer")
        records = await at.running.ended(6)
        answered = next(row for row in records if row.caller == "0311110001")
        assert (answered.outcome, answered.ended_by, answered.forward) == ("forwarded", "outside", "guard")
        assert answered.open is False
        recordings = await at.running.recordings(1)
        assert set(recordings) == {answered.call}


@pytest.mark.req("ACD-3", "ACD-4", "HRS-4")
async def test_queues_that_send_calls_on(tmp_path: Path) -> None:
    async with planned(tmp_path) as at, phones() as sip:
        await asyncio.gather(_nobody_there(at, sip), _full(at, sip))


async def _nobody_there(at: Planned, sip: Phones) -> None:
    """Nobody of the queue is signed on; then somebody is, and leaves while a citizen waits."""
    control = at.running.control
    async with at.dial(sip, LONELY) as citizen:
        await citizen.hears("担当者は席を外しております。")
        await citizen.is_hung_up()
    assert await at.event("overflowed", reason="nobody", queue="lonely", to="absent")
    await control.do("operator.state", operator="1002", state="break", reason="昼食")
    async with at.dial(sip, LONELY) as citizen:
        await control.wait(
            lambda: any(
                (one["number"], one["phase"]) == (LONELY, "waiting") for one in control.calls.values()
            )
        )
        await control.do("operator.state", operator="1002", state="off")
        await citizen.hears("担当者は席を外しております。")
        await citizen.is_hung_up()


async def _full(at: Planned, sip: Phones) -> None:
    """One waits, a second finds the queue full, the first has to leave after its longest wait."""
    async with at.dial(sip, LIMITED) as first:
        await first.hears("順におつなぎします。", whole=False)
        async with at.dial(sip, LIMITED) as second:
            await second.hears("ただいま満員です。のちほどおかけください。")
            await second.is_hung_up()
            assert second.told() == [
                "混雑案内です。", "録音します。", "ただいま満員です。のちほどおかけください。"
            ]  # fmt: skip
        await first.hears("ただいま満員です。のちほどおかけください。")
        await first.is_hung_up()
        said = ["順におつなぎします。", "ただいま、1番目にお待ちいただいております。"]
        congested = ["たいへん混み合っております。", "11月28日、みなと祭りは、中止となりました。"]
        [fair] = [text for text in first.told() if "みなと祭り" in text]
        assert fair.startswith(congested[1][:12])
        assert first.told()[2:] == [
            *said, congested[0], fair, said[1], "ただいま満員です。のちほどおかけください。"
        ]  # fmt: skip
    assert await at.event("overflowed", reason="most_waiting", queue="limited")
    assert await at.event("overflowed", reason="longest_wait", queue="limited")


@pytest.mark.req("ACD-4", "OPR-1")
async def test_the_queue_after_a_menu_ends_with_an_operator(tmp_path: Path) -> None:
    async with planned(tmp_path) as at, phones() as sip:
        desk = await sip.desk(at.running.phone("1001"))
        async with at.dial(sip, CITY) as citizen:
            await citizen.hears(MENU, whole=False)
            await citizen.press("1")
            await citizen.hears("お待ちください。", whole=False)
            await at.running.ready_operator("1001")  # an answer interrupts whatever is said
            operator = await desk.talk()
            await operator.hears(CITIZEN_HZ)
            await citizen.line.talk.hears(OPERATOR_HZ)  # type: ignore[attr-defined]
        [record] = await at.running.ended(1)
        assert (record.outcome, record.language, record.exit_step) == ("answered", "ja", None)


@pytest.mark.req("NUM-1", "NUM-2", "NUM-7", "HRS-5")
async def test_who_was_dialled_from_where_and_by_whom(tmp_path: Path) -> None:
    async with planned(tmp_path) as at:
        seen = at.running.control.calls
        for number, headers, told in (
            ("0120001111", {}, (CITY, "0120001111", None, None)),
            ("+81120001111", {}, (CITY, "+81120001111", None, None)),
            (CITY, {"Diversion": "<sip:0246223333@city>;reason=unconditional"}, "diverted"),
            (CITY, {"History_Info": "<sip:0246223333@city>;index=1, <sip:x@city>;index=1.1"}, "diverted"),
            (CITY, {"History_Info": "<sip:0246221111@city;user=phone>;index=1"}, (CITY, CITY, None, None)),
            (CITY, {"To": "<sip:0246223333@city>"}, "diverted"),
            (CITY, {"To": "<sip:0246220000@city>"}, (CITY, CITY, None, None)),
            # A diverted line is its own number's, wherever the exchange lands it.
            (GUARDED, {"Diversion": "<sip:+81246223333@city>;reason=unconditional"}, "elsewhere"),
            (CITY, {"Diversion": "<sip:0399998888@city>;reason=no-answer"}, (CITY, CITY, "0399998888", None)),
        ):
            count = len([event for event in at.running.events() if event.kind == "arrived"])
            async with at.raw(number, **headers):
                await at.running.control.wait(lambda: len(seen) == 1)
                [call] = list(seen.values())
            await at.running.control.wait(lambda: not seen)
            arrived = [event.data for event in at.running.events() if event.kind == "arrived"]
            assert len(arrived) == count + 1
            one = arrived[-1]
            found = (one["number"], one["dialled"], one["diverted_from"], call["diverted_name"])
            if isinstance(told, str):
                landed = CITY if told == "diverted" else GUARDED
                told = (CITY, landed, "0246223333", "税務課")
            assert found == told, (number, headers)
        async with at.raw(EVENTS, "anonymous", Privacy="id") as withheld:
            await withheld.event("bye")
        assert (await at.event("arrived", caller=None))["number"] == EVENTS
        assert await at.event("step", step="show-number")


@pytest.mark.req("REL-1")
async def test_a_sound_that_is_missing_is_left_out(tmp_path: Path) -> None:
    async with planned(tmp_path) as at, phones() as sip:
        for text in ("市代表です。", MENU):
            for suffix in (".wav", ".wav16"):
                (at.running.state.sounds / f"daihyo-{at.prompts[text].key}{suffix}").unlink()
        async with at.dial(sip, CITY) as citizen:
            await citizen.hears("録音します。")
            await at.running.control.phase_is("menu")
            await citizen.press("1")
            await citizen.hears("お待ちください。")
