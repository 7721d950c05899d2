"""The engine is killed at its busiest: nobody on the telephone notices, nothing in the records is lost."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from pathlib import Path

import pytest
import soundfile

from tests.support.centre import Centre, centre
from tests.support.phones import CITIZEN_HZ, OPERATOR_HZ, DeskPhone, Phones, Talk, phones, share
from tests.support.site import NUMBER, site


async def staff(running: Centre, sip: Phones, count: int) -> list[DeskPhone]:
    desks = [await sip.desk(running.phone(str(1001 + n))) for n in range(count)]
    for n in range(count):
        await running.ready_operator(str(1001 + n))
    return desks


async def back(running: Centre, pid: int) -> None:
    """Until another engine drives the calls."""
    async with asyncio.timeout(30):
        while running.pid("engine") == pid:
            await asyncio.sleep(0.02)
    await running.event("engine_started", 30, lambda event: event.data["pid"] == running.pid("engine"))
    control = running.control
    # What is known of before the kill says "connected" as well.
    await control.wait(
        lambda: control.connections > running.killed_at and bool(control.switch.get("connected")), 30, "back"
    )


def positions(running: Centre) -> list[object]:
    """Places in the queue of those who wait, in the order of their numbers."""
    calls = sorted(running.control.calls.values(), key=lambda one: one["caller"])
    return [one["position"] for one in calls if one["phase"] == "waiting"]


@pytest.mark.req("REL-1", "REC-1", "ACD-3")
async def test_ten_conversations_and_five_waiting_survive_a_kill(tmp_path: Path) -> None:
    async with centre(tmp_path, site=site(operators=10)) as running, phones() as sip:
        await staff(running, sip, 10)
        talking = list(
            await asyncio.gather(*(sip.call(running.sip, NUMBER, f"03111100{n:02}") for n in range(10)))
        )
        await asyncio.gather(*(one.hears(OPERATOR_HZ) for one in talking))
        waiting: list[Talk] = []
        for n in range(5):
            waiting.append(await sip.call(running.sip, NUMBER, f"03222200{n:02}"))
            await running.control.phase_is("waiting", n + 1)
        before = {one["caller"]: one["queued_at"] for one in running.control.calls.values()}

        killed = running.kill("engine")
        at = time.monotonic()
        await back(running, killed)
        print(f"engine back after {time.monotonic() - at:.2f} s")

        await running.control.wait(lambda: len(running.control.calls) == 15, 10)
        after = {one["caller"]: one["queued_at"] for one in running.control.calls.values()}
        assert after == before  # waiting time and order are those of before
        await running.control.wait(lambda: positions(running) == [1, 2, 3, 4, 5], 10, "the old places")
        assert sorted(running.control.states().values()) == ["talking"] * 10
        await asyncio.gather(*(one.hears(OPERATOR_HZ) for one in talking))  # nobody noticed

        for n, one in enumerate(talking):
            await one.hangup()
            if n < 5:
                await waiting[n].hears(OPERATOR_HZ)
        for one in waiting:
            await one.hangup()
        records = await running.ended(15)
        assert len(records) == 15
        assert {(row.outcome, row.ended_by) for row in records} == {("answered", "caller")}
        for call in {row.call for row in records}:
            kinds = running.kinds(call)
            assert (kinds.count("arrived"), kinds.count("ended")) == (1, 1)
        for path in (await running.recordings(15, 40)).values():
            sound, _ = soundfile.read(path, dtype="int16")
            assert share(sound[:, 0], CITIZEN_HZ) > 0.5
            assert share(sound[:, 1], OPERATOR_HZ) > 0.5


@pytest.mark.req("REL-2", "HRS-4", "REC-1")
async def test_a_call_while_the_engine_is_away_reaches_an_operator(tmp_path: Path) -> None:
    async with centre(tmp_path, site=site(operators=2)) as running, phones() as sip:
        desk = await sip.desk(running.phone("1001"))
        other = await sip.desk(running.phone("1002"), policy="ring")
        await running.ready_operator("1001")
        stopped = running.kill("up", signal.SIGSTOP)  # so that nobody starts the engine anew
        try:
            running.kill("engine")
            await running.engine_away()
            citizen = await sip.call(running.sip, NUMBER, "0333330001")
            await citizen.hears_sound()
            operator = await desk.talk()
            await other.rung(5)  # everybody is rung, whoever answers first has the call
            await citizen.hears(OPERATOR_HZ)
            await operator.hears(CITIZEN_HZ)
        finally:
            os.kill(stopped, signal.SIGCONT)
        await running.control.wait(lambda: bool(running.control.switch.get("connected")), 15)
        await citizen.hears(OPERATOR_HZ)  # the engine's return changed nothing
        await citizen.hangup()
        [record] = await running.ended(1)
        assert (record.via, record.outcome, record.number) == ("survival", "answered", NUMBER)
        assert record.caller == "0333330001"
        assert record.operator == "1001"
        [path] = (await running.recordings(1, 30)).values()
        sound, _ = soundfile.read(path, dtype="int16")
        assert share(sound[:, 0], CITIZEN_HZ) > 0.5
        assert share(sound[:, 1], OPERATOR_HZ) > 0.5


@pytest.mark.req("REL-3")
async def test_asterisk_restarts_and_the_records_say_so(tmp_path: Path) -> None:
    async with centre(tmp_path, site=site(operators=1)) as running, phones() as sip:
        await sip.desk(running.phone("1001"))
        await running.ready_operator("1001")
        talking = await sip.call(running.sip, NUMBER, "0311110001")
        await talking.hears(OPERATOR_HZ)
        await sip.call(running.sip, NUMBER, "0311110002")
        await running.control.phase_is("waiting", 1)
        await running.registration_kept("1001")
        running.kill("asterisk")
        await running.control.wait(lambda: not running.control.switch.get("connected", True), 10)
        await running.control.wait(lambda: bool(running.control.switch.get("connected")), 30)
        records = await running.ended(2)
        assert {row.reason for row in records} == {"switch restarted"}
        assert {row.ended_by for row in records} == {"switch"}
        assert not running.control.calls  # no ghosts
        outcomes = {row.caller: row.outcome for row in records}
        assert outcomes["0311110001"] == "answered"
        # The next citizen is served as if nothing had been. The phone does nothing for it: registrations
        # outlive Asterisk.
        await running.control.do("operator.state", operator="1001", state="ready")
        citizen = await sip.call(running.sip, NUMBER, "0311110003")
        await citizen.hears(OPERATOR_HZ)
        await citizen.hangup()
        await running.ended(3)


@pytest.mark.req("REL-1")
async def test_console_and_worker_killed_calls_untouched(tmp_path: Path) -> None:
    async with centre(tmp_path, site=site(operators=1)) as running, phones() as sip:
        desk = await sip.desk(running.phone("1001"))
        await running.ready_operator("1001")
        citizen = await sip.call(running.sip, NUMBER)
        operator = await desk.talk()
        pids = {program: running.kill(program) for program in ("console", "worker")}
        async with asyncio.timeout(30):
            while any(running.pid(program) == pid for program, pid in pids.items()):
                await asyncio.sleep(0.05)
        await citizen.hears(OPERATOR_HZ)
        await operator.hears(CITIZEN_HZ)
        await citizen.hangup()
        [record] = await running.ended(1)
        assert record.outcome == "answered"
        kinds = [kind for kind in running.kinds(record.call) if kind != "step"]
        assert len(kinds) == len(set(kinds))
        await running.recordings(1, 30)


@pytest.mark.req("REL-1")
async def test_killed_while_a_phone_rings_and_while_greeting(tmp_path: Path) -> None:
    async with centre(tmp_path, site=site(operators=1)) as running, phones() as sip:
        desk = await sip.desk(running.phone("1001"), policy="ring")
        await running.ready_operator("1001")
        ringing = await sip.call(running.sip, NUMBER, "0311110001")
        call = await desk.rung()
        await running.event("offered")  # on disk: what the journal gathers for 20 ms may be lost
        greeted = await sip.call(running.sip, NUMBER, "0311110002")
        desk.policy = "answer"  # what rings from now on
        await back(running, running.kill("engine"))
        again = asyncio.create_task(desk.rung())
        await asyncio.wait([again])
        assert again.result() is not call
        await ringing.hears(OPERATOR_HZ)
        await ringing.hangup()
        await greeted.hears(OPERATOR_HZ)
        await greeted.hangup()
        records = await running.ended(2)
        assert {row.outcome for row in records} == {"answered"}


@pytest.mark.req("REL-1", "ACD-3")
async def test_hang_ups_while_the_engine_is_away(tmp_path: Path) -> None:
    async with centre(tmp_path, site=site(operators=2)) as running, phones() as sip:
        desks = await staff(running, sip, 2)
        by_citizen = await sip.call(running.sip, NUMBER, "0311110001")
        await by_citizen.hears(OPERATOR_HZ)
        by_operator = await sip.call(running.sip, NUMBER, "0311110002")
        await by_operator.hears(OPERATOR_HZ)
        waiting = await sip.call(running.sip, NUMBER, "0311110003")
        await running.control.phase_is("waiting", 1)
        talks = [await desk.talk() for desk in desks]
        stopped = running.kill("up", signal.SIGSTOP)
        killed = running.kill("engine")
        try:
            await by_citizen.hangup()
            owner = {
                event.call: event.data["operator"] for event in running.events() if event.kind == "answered"
            }
            second = next(
                e for e in running.events() if e.kind == "arrived" and e.data["caller"] == "0311110002"
            )
            await talks[int(owner[second.call]) - 1001].hangup()
        finally:
            os.kill(stopped, signal.SIGCONT)
        await back(running, killed)
        await by_operator.over()  # the citizen is not left in silence
        await waiting.hears(OPERATOR_HZ)
        await waiting.hangup()
        records = await running.ended(3)
        assert {row.outcome for row in records} == {"answered"}
        assert len(records) == 3


@pytest.mark.req("REL-1")
async def test_without_the_nursery_a_killed_engine_is_back_all_the_same(tmp_path: Path) -> None:
    async with centre(tmp_path, site=site(operators=1)) as running, phones() as sip:
        await staff(running, sip, 1)
        talking = await sip.call(running.sip, NUMBER)
        await talking.hears(OPERATOR_HZ)
        up = running.pid("up")
        [nursery] = [
            int(child)
            for child in Path(f"/proc/{up}/task/{up}/children").read_text().split()
            if b"nursery" in Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0")
        ]
        os.kill(nursery, signal.SIGKILL)
        await back(running, running.kill("engine"))  # nobody else died: this is the engine killed here
        assert "the nursery is gone: engine starts the long way" in (running.state.log / "up.log").read_text()
        await running.control.wait(lambda: running.control.state("1001") == "talking")
        await talking.hears(OPERATOR_HZ)
        await talking.hangup()
        [record] = await running.ended(1)
        assert record.outcome == "answered"
