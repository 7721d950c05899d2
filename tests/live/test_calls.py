"""Calls of citizens from ring to record: every way they can go."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

import numpy as np
import pytest
import soundfile

from daihyo.softphone import CallFailed, Softphone
from tests.support.centre import Centre, centre
from tests.support.phones import CITIZEN_HZ, OPERATOR_HZ, Talk, level, phones, share
from tests.support.sipp import sipp
from tests.support.site import NUMBER, OTHER_NUMBER, site, write_site


async def in_queue(running: Centre, count: int = 1) -> None:
    """Until so many citizens wait after their greeting."""
    await running.control.phase_is("waiting", count)


@pytest.mark.req("NUM-1", "HRS-4", "ACD-1", "REC-1", "KPI-1", "KPI-2", "KPI-3", "OPR-1")
async def test_a_citizen_calls_an_operator_answers_it_is_recorded_and_counted(tmp_path: Path) -> None:
    async with centre(tmp_path, site=site(wrap_up_s=5)) as running, phones() as sip:
        desk = await sip.desk(running.phone("1001"))
        await running.ready_operator("1001")
        citizen = await sip.call(running.sip, NUMBER, "09011112222")
        await citizen.hears_sound()  # the greeting
        operator = await desk.talk()
        await citizen.hears(OPERATOR_HZ)
        await operator.hears(CITIZEN_HZ)
        assert running.control.state("1001") == "talking"
        shown = next(iter(running.control.calls.values()))
        assert (shown["number_name"], shown["caller"]) == ("市代表", "09011112222")
        await asyncio.sleep(1)  # a conversation of a known length, not a wait for something
        await operator.hangup()
        await citizen.over()
        await running.control.state_is("1001", "wrap_up")
        await running.control.do(
            "operator.wrapped_up", operator="1001", result="完了", category="証明", note="住民票"
        )
        await running.control.state_is("1001", "ready")

        [record] = await running.ended(1)
        assert record.outcome == "answered"
        assert (record.number, record.caller, record.operator) == (NUMBER, "09011112222", "1001")
        assert record.ended_by == "operator"
        kinds = running.kinds(record.call)
        order = ["arrived", "greeted", "queued", "offered", "answered", "left", "wrap_up"]
        assert [kind for kind in kinds if kind in order] == order
        assert kinds.count("ended") == 1

        [recording] = (await running.recordings(1)).values()
        sound, rate = soundfile.read(recording, dtype="int16")
        assert rate == 8000
        assert sound.shape[1] == 2
        middle = sound[len(sound) // 4 : len(sound) * 3 // 4]
        assert share(middle[:, 0], CITIZEN_HZ) > 0.6  # left: the citizen
        assert share(middle[:, 1], OPERATOR_HZ) > 0.6  # right: the operator
        assert record.talk_s is not None
        assert abs(len(sound) / rate - record.talk_s) < 0.7

        _, printed = await running.daihyo("kpi", "--from", "2020-01-01", "--to", "2100-01-01", "--json")
        assert '"answered":1' in printed.replace(" ", "")


@pytest.mark.req("ACD-3", "HRS-4")
async def test_waiting_citizens_hear_music_and_come_in_order_of_arrival(tmp_path: Path) -> None:
    async with centre(tmp_path, site=site(operators=1)) as running, phones() as sip:
        desk = await sip.desk(running.phone("1001"))
        first = await sip.call(running.sip, NUMBER, "0311110001")
        await in_queue(running, 1)
        second = await sip.call(running.sip, OTHER_NUMBER, "0311110002")
        await in_queue(running, 2)
        await first.hears_sound()  # announcement or music
        positions = {one["caller"]: one["position"] for one in running.control.calls.values()}
        assert positions == {"0311110001": 1, "0311110002": 2}
        await running.ready_operator("1001")
        await (await desk.talk()).hears(CITIZEN_HZ)
        await first.hears(OPERATOR_HZ)
        assert share(second.samples(0.4), OPERATOR_HZ) < 0.5
        await first.hangup()
        await second.hears(OPERATOR_HZ)
        await second.hangup()
        records = await running.ended(2)
        assert {row.outcome for row in records} == {"answered"}
        assert {row.ended_by for row in records} == {"caller"}


@pytest.mark.req("KPI-1")
async def test_given_up_in_the_greeting_in_the_queue_and_while_ringing(tmp_path: Path) -> None:
    async with centre(tmp_path, site=site(operators=1)) as running, phones() as sip:
        desk = await sip.desk(running.phone("1001"), policy="ring")
        greeted = await sip.call(running.sip, NUMBER, "0311110001")
        await running.event("greeted")
        await greeted.hangup()
        await running.event("ended")
        waited = await sip.call(running.sip, NUMBER, "0311110002")
        await in_queue(running)
        await waited.hangup()
        await running.control.wait(lambda: not running.control.calls)
        await running.ready_operator("1001")
        ringing = await sip.call(running.sip, NUMBER, "0311110003")
        await desk.rung()
        await ringing.hangup()
        records = await running.ended(3)
        outcomes = {row.caller: row.outcome for row in records}
        assert outcomes == {
            "0311110001": "abandoned_greeting",
            "0311110002": "abandoned_queue",
            "0311110003": "abandoned_ringing",
        }
        assert {row.ended_by for row in records} == {"caller"}
        await running.control.state_is("1001", "ready")  # not their fault: ready for the next
        end = await running.event("offer_ended")
        assert end.data["reason"] == "caller_gone"


@pytest.mark.req("ACD-6", "ACD-2")
@pytest.mark.parametrize(
    ("policy", "reason"),
    [("decline", {"refused", "busy"}), ("ring", {"no_answer"})],
    ids=["refused", "rings"],
)
async def test_a_phone_that_refuses_or_rings_on_and_the_next_operator(
    tmp_path: Path, policy: str, reason: set[str]
) -> None:
    async with centre(tmp_path, site=site(operators=2, ring_timeout_s=3)) as running, phones() as sip:
        first = await sip.desk(running.phone("1001"), policy=policy)
        second = await sip.desk(running.phone("1002"))
        await running.ready_operator("1001")  # idle longer: rung first
        await running.ready_operator("1002")
        citizen = await sip.call(running.sip, NUMBER)
        await citizen.hears(OPERATOR_HZ)
        assert (first.rings, second.rings) == (1, 1)
        assert (await running.event("offer_ended")).data["reason"] in reason
        await running.control.state_is("1001", "no_answer")
        await citizen.hangup()
        [record] = await running.ended(1)
        assert (record.outcome, record.operator, record.offers) == ("answered", "1002", 2)


@pytest.mark.req("ACD-2")
async def test_an_operator_without_a_phone_is_offered_nothing(tmp_path: Path) -> None:
    async with centre(tmp_path, site=site(operators=2)) as running, phones() as sip:
        await running.control.do("operator.state", operator="1001", state="ready")  # never registered
        await running.control.state_is("1001", "ready")
        citizen = await sip.call(running.sip, NUMBER)
        await in_queue(running)
        second = await sip.desk(running.phone("1002"))
        await running.ready_operator("1002")
        await second.talk()
        await citizen.hears(OPERATOR_HZ)
        await citizen.hangup()
        [record] = await running.ended(1)
        assert record.operators == ["1002"]
        assert not [e for e in running.events() if e.kind == "offered" and e.data["operator"] == "1001"]


@pytest.mark.req("ACD-2", "OPR-2")
async def test_hold_plays_music_to_the_citizen_and_is_not_recorded(tmp_path: Path) -> None:
    async with centre(tmp_path, site=site(operators=1)) as running, phones() as sip:
        desk = await sip.desk(running.phone("1001"))
        await running.ready_operator("1001")
        citizen = await sip.call(running.sip, NUMBER)
        operator = await desk.talk()
        await citizen.hears(OPERATOR_HZ)
        [call] = running.control.calls
        await running.control.do("call.hold", call=call, operator="1001")
        await running.control.phase_is("hold")
        await citizen.hears_sound()
        mark = len(operator.samples())
        await citizen.hears_sound(for_s=1.0)
        assert share(operator.samples()[mark:], CITIZEN_HZ) < 0.3  # the operator hears nothing of it
        assert running.control.state("1001") == "hold"
        await running.control.do("call.resume", call=call, operator="1001")
        await citizen.hears(OPERATOR_HZ)
        await operator.hears(CITIZEN_HZ)
        await running.control.do("call.hangup", call=call, operator="1001")
        await citizen.over()
        await operator.over()
        [record] = await running.ended(1)
        assert record.ended_by == "operator"
        assert record.hold_s is not None
        assert record.hold_s > 0.3
        [recording] = (await running.recordings(1)).values()
        sound, rate = soundfile.read(recording, dtype="int16")
        assert record.talk_s is not None
        assert abs(len(sound) / rate - (record.talk_s - record.hold_s)) < 1.0
        assert share(sound[-rate // 2 :, 1], OPERATOR_HZ) > 0.5  # no music in it


@pytest.mark.req("OPR-2", "ACD-2")
async def test_break_during_a_call_holds_after_the_wrap_up(tmp_path: Path) -> None:
    async with centre(tmp_path, site=site(operators=1, wrap_up_s=60)) as running, phones() as sip:
        desk = await sip.desk(running.phone("1001"))
        await running.ready_operator("1001")
        citizen = await sip.call(running.sip, NUMBER)
        await desk.talk()
        await running.control.state_is("1001", "talking")
        done = await running.control.do("operator.state", operator="1001", state="break", reason="昼食")
        assert done["next_state"] == "break"
        await citizen.hangup()
        await running.control.state_is("1001", "wrap_up")
        waiting = await sip.call(running.sip, NUMBER)
        await in_queue(running)
        assert running.control.state("1001") == "wrap_up"
        await running.control.do("operator.wrapped_up", operator="1001", result="完了", next="break")
        await running.control.state_is("1001", "break")
        assert running.control.operators["1001"]["reason"] == "昼食"
        await running.control.do("operator.state", operator="1001", state="ready")
        await waiting.hears(OPERATOR_HZ)
        await waiting.hangup()
        await running.ended(2)


@pytest.mark.req("NUM-1", "SEC-4")
async def test_a_number_that_is_not_ours_is_refused(tmp_path: Path) -> None:
    async with centre(tmp_path) as running:
        await sipp("refused", running.sip, "0990909090", tmp_path, calls=3)
        assert not [event for event in running.events() if event.kind == "arrived"]


@pytest.mark.req("ACD-1", "ACD-3", "KPI-1")
async def test_twelve_citizens_by_sipp_on_three_operators(tmp_path: Path) -> None:
    async with centre(tmp_path, site=site(operators=3)) as running, phones() as sip:
        for n in range(3):
            await sip.desk(running.phone(str(1001 + n)))
            await running.ready_operator(str(1001 + n))
        await sipp("talks", running.sip, NUMBER, tmp_path, calls=12, at_once=3)
        records = await running.ended(12)
        assert {(row.outcome, row.ended_by) for row in records} == {("answered", "caller")}
        served = [sum(row.operator == str(1001 + n) for row in records) for n in range(3)]
        assert max(served) - min(served) <= 1, served


@pytest.mark.req("ACD-1", "ACD-3", "REC-1")
async def test_thirty_calls_at_once_on_eight_operators(tmp_path: Path) -> None:
    async with centre(tmp_path, site=site(operators=8)) as running, phones() as sip:
        desks = [await sip.desk(running.phone(str(1001 + n))) for n in range(8)]
        for n in range(8):
            await running.ready_operator(str(1001 + n))
        calls = await asyncio.gather(*(sip.call(running.sip, NUMBER, f"03222200{n:02}") for n in range(30)))
        await asyncio.gather(*(_talk_a_second(call) for call in calls))
        records = await running.ended(30)
        assert {row.outcome for row in records} == {"answered"}
        assert sum(desk.rings for desk in desks) == 30
        served = [sum(row.operator == str(1001 + n) for row in records) for n in range(8)]
        assert max(served) - min(served) <= 2, served
        recordings = await running.recordings(30, 40)
        for path in recordings.values():
            sound, _ = soundfile.read(path, dtype="int16")
            assert share(sound[:, 0], CITIZEN_HZ) > 0.5
            assert share(sound[:, 1], OPERATOR_HZ) > 0.5
        # First come, first served: by the time of arrival in the queue.
        queued = sorted(records, key=lambda row: row.queued_at)
        answered = np.argsort(np.argsort([row.answered_at.timestamp() for row in queued]))
        assert max(abs(answered - np.arange(30))) <= 8


async def _talk_a_second(call: Talk) -> None:
    await call.hears(OPERATOR_HZ, within_s=60)
    await asyncio.sleep(0.8)
    await call.hangup()


async def _lets_in(running: Centre, operator: str) -> None:
    """Until Asterisk takes a new telephone's password: in the moment of its reload it may refuse it once
    (docs/operations.md), and a telephone comes again only after a while."""
    host, port = running.sip.rsplit(":", 1)
    secret = running.phone(operator)["secret"]
    async with await Softphone.open((host, int(port)), operator, secret) as tried, asyncio.timeout(10):
        while True:
            with contextlib.suppress(CallFailed):
                await tried.register()
                return await tried.register(0)
            await asyncio.sleep(0.1)


@pytest.mark.req("ADM-1", "REL-1")
async def test_an_operator_is_added_and_removed_while_a_call_goes_on(tmp_path: Path) -> None:
    plan = site(operators=2)
    async with centre(tmp_path, site=plan) as running, phones() as sip:
        desk = await sip.desk(running.phone("1001"))
        await running.ready_operator("1001")
        citizen = await sip.call(running.sip, NUMBER)
        operator = await desk.talk()
        changed = site(operators=3)
        del changed["operators"][1]
        changed["users"] = [one for one in changed["users"] if one.get("operator") != "1002"]

        new_file = write_site(tmp_path / "new.yaml", changed)
        await running.daihyo("site", "apply", str(new_file))
        await running.control.wait(lambda: set(running.control.operators) == {"1001", "1003"})
        await _lets_in(running, "1003")
        third = await sip.desk(running.phone("1003"))
        await running.ready_operator("1003")
        other = await sip.call(running.sip, NUMBER)
        await third.talk()
        await citizen.hears(OPERATOR_HZ)  # the first conversation noticed nothing
        await operator.hears(CITIZEN_HZ)
        assert level(citizen.samples(0.4)) > 0.01
        await citizen.hangup()
        await other.hangup()
        records = await running.ended(2)
        assert {row.outcome for row in records} == {"answered"}
