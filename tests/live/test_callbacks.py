"""折り返し予約 by real telephones: booked while waiting, the place kept, the citizen called at its turn."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from tests.live.test_plan_recovery import killed
from tests.support.phones import CITIZEN_HZ, OPERATOR_HZ, DeskPhone, Phones, Talk, phones, share
from tests.support.planned import GUARDED, Planned, plan, planned

HOME_HZ = 1000.0  # the citizen's telephone at home
RING_HZ = 400.0  # what the operator hears meanwhile
ALREADY = "その番号への折り返しは、すでに承っております。順番がまいりましたら、お電話します。"
UNREACHED = "おつなぎできませんでした。"
ENTER = "おかけ直しする電話番号を市外局番から押して、最後にシャープを押してください。"


def offered(**terms: Any) -> dict[str, Any]:
    """The plan with a callback in its queue `main`."""
    made = plan(0)
    queue = made["queues"][0] | {"callback": "call-back"}
    step = {
        "id": "call-back",
        "kind": "callback",
        "say": {"ja": "折り返しは1です。", "en": "For a callback press one."},
        "queue": "main",
        "trunk": "narrow",
        "declined": "queue:main",
        "retry_s": 30,
        **terms,
    }
    return {"queues": [queue, *made["queues"][1:]], "steps": [*made["steps"], step]}


async def booked(at: Planned, sip: Phones, caller: str) -> dict[str, Any]:
    """A citizen waits, for nobody is ready, asks for a callback, confirms the number, hears that it is noted.
    Its event's data."""
    async with at.dial(sip, GUARDED, caller=caller) as citizen:
        await citizen.hears("お待ちください。", whole=False)
        await citizen.press("1")
        await at.running.control.wait(lambda: [one["phase"] for one in own(at, caller)] == ["menu"])
        await citizen.press("1")
        await citizen.is_hung_up()
        return await at.event("callback_booked", number=caller)


def own(at: Planned, caller: str) -> list[dict[str, Any]]:
    return [one for one in at.running.control.calls.values() if one["caller"] == caller]


async def callback_is(at: Planned, number: str, state: str, within_s: float = 15.0) -> dict[str, Any]:
    """Until the callback to this number is in this state."""
    control = at.running.control
    await control.wait(
        lambda: [one["state"] for one in control.callbacks if one["number"] == number] == [state],
        within_s,
        f"callback to {number} {state}; there are {control.callbacks}",
    )
    return next(one for one in control.callbacks if one["number"] == number)


async def answered(desk: DeskPhone) -> Talk:
    await desk.answer(await desk.rung(20))
    return await desk.talk()


@pytest.mark.long
@pytest.mark.req("ACD-7", "NUM-5", "REC-1", "SEC-4")
async def test_the_place_is_kept_and_the_citizen_is_called(tmp_path: Path) -> None:
    async with planned(tmp_path, **offered()) as at, phones() as sip:
        at.outside.policy, at.outside.hertz = "ring", HOME_HZ
        control = at.running.control
        first = await booked(at, sip, "0311110001")
        assert (first["shown"], first["called"], first["queue"]) == (GUARDED, GUARDED, "main")
        await callback_is(at, "0311110001", "waiting")
        async with at.dial(sip, GUARDED, caller="0311110002") as later:
            await control.phase_is("waiting")
            async with at.dial(sip, GUARDED, caller="0311110001") as again:
                await again.hears("お待ちください。", whole=False)
                await again.press("1")
                await control.phase_is("menu")
                await again.press("1")
                await again.hears(ALREADY, whole=False)
                await again.is_hung_up()
            await control.wait(lambda: not own(at, "0311110001"))
            positions = {one["caller"]: one["position"] for one in control.calls.values()}
            assert positions == {"0311110002": 2}

            desk = await sip.desk(at.running.phone("1001"), policy="ring")
            await at.running.ready_operator("1001")
            ringing = await callback_is(at, "0311110001", "ringing")
            assert (ringing["operator"], ringing["called_name"], ringing["path"]) == ("1001", "夜間案内", [])
            operator = await answered(desk)
            invite = await at.outside.event("invite")
            assert invite["first"].startswith("INVITE sip:00311110001@")  # the trunk's prefix
            assert GUARDED in invite["from"]
            assert (await callback_is(at, "0311110001", "calling"))["operator"] == "1001"
            await operator.hears(RING_HZ, for_s=0.3)
            [shown] = [one for one in control.calls.values() if one["via"] == "callback"]
            assert (shown["phase"], shown["caller"], shown["operator"]) == ("calling", "0311110001", "1001")
            at.outside.answer()
            await operator.hears(HOME_HZ)
            await at.outside.hears_tone(OPERATOR_HZ)
            await callback_is(at, "0311110001", "talking")
            assert control.state("1001") == "talking"
            desk.policy = "answer"
            await asyncio.sleep(1)  # a talk of a known length
            at.outside.bye()
            await operator.over()
            assert (await at.event("callback_ended", reason="done"))["callback"] == first["callback"]
            await (await desk.talk()).hears(CITIZEN_HZ)  # whoever came later
            await later.line.hangup()
        dialled = await at.running.event("dialled")
        records = {row.call: row for row in await at.running.ended(4)}
        call = records[str(dialled.call)]
        assert (call.via, call.caller, call.number, call.outcome) == (
            "callback", "0311110001", GUARDED, "answered"
        )  # fmt: skip
        assert records[dialled.data["of"]].outcome == "callback"
        sound, rate = soundfile.read((await at.running.recordings(2))[call.call], dtype="int16")
        assert len(sound) / rate > 1
        middle = sound[len(sound) // 4 : len(sound) * 3 // 4]
        assert share(np.asarray(middle[:, 0]), HOME_HZ) > 0.6  # left: the citizen
        assert share(np.asarray(middle[:, 1]), OPERATOR_HZ) > 0.6
        await _busy_then_reached(at, sip, desk)
        await _called_in_and_dropped(at, sip, desk)


async def _busy_then_reached(at: Planned, sip: Phones, desk: DeskPhone) -> None:
    """Busy: the operator hears so and is free; tried again by the rule, and nobody hears of it meanwhile."""
    control = at.running.control
    await control.do("operator.state", operator="1001", state="break", reason="昼食")
    at.outside.policy = "486"
    await booked(at, sip, "0311110003")
    await control.do("operator.state", operator="1001", state="ready")
    operator = await desk.talk(15)
    await operator.over()
    failed = await at.event("callback_failed", reason="busy")
    assert failed["try"] == 1
    later = await callback_is(at, "0311110003", "later")
    assert (later["tries"], later["next_at"]) == (1, failed["next_at"])
    await at.running.control.state_is("1001", "ready")
    at.outside.policy = "answer"
    await (await desk.talk(60)).hears(HOME_HZ)
    assert (await at.event("dialled", to="0311110003"))["number"] == GUARDED
    at.outside.bye()
    await at.running.control.wait(lambda: not at.running.control.callbacks)


async def _called_in_and_dropped(at: Planned, sip: Phones, desk: DeskPhone) -> None:
    """Reached in another way: nobody is called."""
    control = at.running.control
    await control.do("operator.state", operator="1001", state="break", reason="昼食")
    for caller in ("0311110004", "0311110005"):
        await booked(at, sip, caller)
        await callback_is(at, caller, "waiting")
    dropped = next(one["id"] for one in control.callbacks if one["number"] == "0311110005")
    await control.do("callback.drop", callback=dropped, by="sv01")
    assert not (await control.ask("callback.drop", callback=dropped, by="sv01"))["ok"]
    assert (await at.event("callback_ended", reason="dropped"))["by"] == "sv01"
    async with at.dial(sip, GUARDED, caller="0311110004") as citizen:
        await control.phase_is("waiting")
        await control.do("operator.state", operator="1001", state="ready")
        await (await desk.talk()).hears(CITIZEN_HZ)
        assert await at.event("callback_ended", reason="called_in")
        await citizen.line.hangup()
    await control.wait(lambda: not control.callbacks)
    await control.state_is("1001", "ready")
    assert not [one for one in at.running.events() if one.data.get("to") in ("0311110004", "0311110005")]


@pytest.mark.long
@pytest.mark.req("ACD-7", "REL-1")
async def test_the_engine_is_killed_at_every_stage(tmp_path: Path) -> None:
    async with planned(tmp_path, **offered()) as at, phones() as sip:
        at.outside.policy, at.outside.hertz = "ring", HOME_HZ
        control = at.running.control
        desk = await sip.desk(at.running.phone("1001"), policy="ring")
        await booked(at, sip, "0311110001")
        await killed(at)  # while it waits
        await callback_is(at, "0311110001", "waiting")
        await at.running.ready_operator("1001")
        await desk.rung()
        await killed(at)  # while the operator's phone rings: it rings again
        operator = await answered(desk)
        await at.outside.event("invite")
        await callback_is(at, "0311110001", "calling")
        await killed(at)  # while the citizen's telephone rings: it rings on
        await callback_is(at, "0311110001", "calling")
        at.outside.answer()
        await operator.hears(HOME_HZ)
        await callback_is(at, "0311110001", "talking")
        await killed(at)  # in the talk
        await at.outside.hears_tone(OPERATOR_HZ)
        await callback_is(at, "0311110001", "talking")
        at.outside.bye()
        await operator.over()
        await at.event("callback_ended", reason="done")
        await control.state_is("1001", "ready")
        assert len([one for one in at.running.events() if one.kind == "dialled"]) == 1

        # Killed while it rings, and the operator hangs up meanwhile: nobody hears silence, it is tried again.
        desk.policy = "answer"
        await control.do("operator.state", operator="1001", state="break", reason="昼食")
        await booked(at, sip, "0311110002")
        await control.do("operator.state", operator="1001", state="ready")
        operator = await desk.talk(15)
        await at.outside.event("invite")
        await callback_is(at, "0311110002", "calling")
        await killed(at, operator.hangup)
        failed = await at.event("callback_failed", reason="operator_gone")
        await at.outside.event("cancel")
        assert failed["try"] == 0
        at.outside.policy = "answer"
        await (await desk.talk(40)).hears(HOME_HZ)
        at.outside.bye()
        await control.wait(lambda: not control.callbacks)
        records = await at.running.ended(5)
        tried = sorted(row.outcome for row in records if row.via == "callback")
        assert tried == ["answered", "answered", "unreached"]
