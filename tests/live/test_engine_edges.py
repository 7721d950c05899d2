"""The seams of the engine: what falls between two lives of it, and who would be left standing there."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest

from tests.support.centre import Centre, centre
from tests.support.phones import OPERATOR_HZ, DeskPhone, Phones, Talk, phones
from tests.support.planned import put_version
from tests.support.site import NUMBER, site


async def back(running: Centre, pid: int) -> None:
    """Until another engine drives the calls."""
    async with asyncio.timeout(30):
        while running.pid("engine") == pid:
            await asyncio.sleep(0.02)
    await running.event("engine_started", 30, lambda event: event.data["pid"] == running.pid("engine"))
    await running.control.wait(lambda: bool(running.control.switch.get("connected")), 30)


async def without_engine(running: Centre, sip: Phones, desk: DeskPhone) -> tuple[int, int, Talk]:
    """A conversation that Asterisk alone made; the supervisor is stopped, so no engine comes back."""
    await running.event("operator_state", true=lambda event: event.data["state"] == "ready")  # on disk
    stopped = running.kill("up", signal.SIGSTOP)
    killed = running.kill("engine")
    await running.engine_away()
    citizen = await sip.call(running.sip, NUMBER, "0333330001")
    await desk.talk()
    await citizen.hears(OPERATOR_HZ)
    return stopped, killed, citizen


@pytest.mark.req("REL-2", "ACD-2")
@pytest.mark.parametrize("wrap_up_s", [0, 30])
async def test_a_survival_call_that_ended_meanwhile_changes_no_operators_state(
    tmp_path: Path, wrap_up_s: int
) -> None:
    async with centre(tmp_path, site=site(operators=1, wrap_up_s=wrap_up_s)) as running, phones() as sip:
        desk = await sip.desk(running.phone("1001"))
        await running.ready_operator("1001")
        stopped, killed, citizen = await without_engine(running, sip, desk)
        await citizen.hangup()
        await asyncio.sleep(0.5)  # Asterisk writes the end down
        os.kill(stopped, signal.SIGCONT)
        await back(running, killed)
        [record] = await running.ended(1)
        assert (record.via, record.outcome, record.operator) == ("survival", "answered", "1001")
        assert running.kinds(record.call).count("ended") == 1
        assert running.control.state("1001") == "ready"
        following = await sip.call(running.sip, NUMBER, "0333330002")
        await following.hears(OPERATOR_HZ)
        await following.hangup()


@pytest.mark.req("REL-2", "OPR-2")
async def test_a_survival_call_that_ends_with_the_engine_back_is_wrapped_up(tmp_path: Path) -> None:
    async with centre(tmp_path, site=site(operators=1, wrap_up_s=60)) as running, phones() as sip:
        desk = await sip.desk(running.phone("1001"))
        await running.ready_operator("1001")
        stopped, killed, citizen = await without_engine(running, sip, desk)
        os.kill(stopped, signal.SIGCONT)
        await back(running, killed)
        await running.control.state_is("1001", "talking")
        await citizen.hangup()
        await running.control.state_is("1001", "wrap_up")
        await running.control.do("operator.wrapped_up", operator="1001", result="完了")
        await running.control.state_is("1001", "ready")
        [record] = await running.ended(1)
        kinds = running.kinds(record.call)
        assert [kinds.count(kind) for kind in ("left", "wrap_up", "wrapped_up", "ended")] == [1, 1, 1, 1]


@pytest.mark.req("REL-1", "OPR-2")
async def test_a_break_asked_for_in_mid_call_survives_a_kill_in_the_wrap_up(tmp_path: Path) -> None:
    async with centre(tmp_path, site=site(operators=1, wrap_up_s=60)) as running, phones() as sip:
        desk = await sip.desk(running.phone("1001"))
        await running.ready_operator("1001")
        citizen = await sip.call(running.sip, NUMBER)
        await desk.talk()
        await running.control.state_is("1001", "talking")
        await running.control.do("operator.state", operator="1001", state="break", reason="昼食")
        await citizen.hangup()
        await running.control.state_is("1001", "wrap_up")
        await running.event("operator_next", true=lambda event: event.data["reason"] == "昼食")
        await asyncio.sleep(0.2)  # on disk
        await back(running, running.kill("engine"))
        await running.control.state_is("1001", "wrap_up")
        assert running.control.operators["1001"]["next_state"] == "break"
        await running.control.do("operator.wrapped_up", operator="1001", result="完了")
        await running.control.state_is("1001", "break")
        assert running.control.operators["1001"]["reason"] == "昼食"


@pytest.mark.req("OPR-2")
async def test_a_late_form_for_an_earlier_call_leaves_the_running_wrap_up_alone(tmp_path: Path) -> None:
    async with centre(tmp_path, site=site(operators=1, wrap_up_s=60)) as running, phones() as sip:
        desk = await sip.desk(running.phone("1001"))
        await running.ready_operator("1001")
        calls: list[str] = []
        for n in range(2):
            citizen = await sip.call(running.sip, NUMBER, f"033333000{n}")
            await desk.talk()
            await running.control.state_is("1001", "talking")
            calls.append(next(iter(running.control.calls)))
            await citizen.hangup()
            await running.control.state_is("1001", "wrap_up")
            if n == 0:
                await running.control.do("operator.state", operator="1001", state="ready")
                await running.control.state_is("1001", "ready")
                await running.control.wait(lambda: not running.control.calls)
        await running.control.do("operator.wrapped_up", operator="1001", call=calls[0], result="完了")
        await asyncio.sleep(0.3)
        assert running.control.state("1001") == "wrap_up"
        await running.control.do("operator.wrapped_up", operator="1001", call=calls[1], result="完了")
        await running.control.state_is("1001", "ready")


@pytest.mark.req("ACD-3", "ADM-1")
async def test_a_queue_that_left_the_plan_during_the_greeting(tmp_path: Path) -> None:
    """The call's own plan leads it on, into the queue that operators serve now."""
    plan = site(operators=1)
    async with centre(tmp_path, site=plan) as running, phones() as sip:
        await sip.desk(running.phone("1001"))
        await running.ready_operator("1001")
        citizen = await sip.call(running.sip, NUMBER)
        await running.event("greeted")
        plan["queues"][0]["id"] = "new"
        for one in (*plan["numbers"], *plan["operators"]):
            one |= {"queue": "new"} if "queue" in one else {"queues": ["new"]}
        put_version(running.state.path, 71, plan)
        await running.control.do("plan.activate", version=71, by="test")
        await citizen.hears(OPERATOR_HZ)
        await citizen.hangup()
        [record] = await running.ended(1)
        assert (record.via, record.outcome, record.queue) == ("engine", "answered", "new")
        assert "handed_over" not in running.kinds(record.call)
