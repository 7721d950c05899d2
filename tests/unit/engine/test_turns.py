"""Whose turn it is survives a kill of the engine: idle time, offers, the round of round robin."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from acd import OperatorState
from engine.clock import Clock
from tests.support.site import NUMBER, site, write_site

from .callback_town import DESK, Town, until
from .callback_town import site as callback_site
from .conftest import close, make
from .floors import Opened, opened, settle
from .test_memory import event, folded

READY, BREAK = OperatorState.READY, OperatorState.BREAK
Passes = Callable[[float], None]


@pytest.fixture
def passes(monkeypatch: pytest.MonkeyPatch) -> Passes:
    """Both clocks go on by so many seconds."""
    ahead = 0.0
    mono, now = Clock.mono, Clock.now
    monkeypatch.setattr(Clock, "mono", lambda self: mono(self) + ahead)
    monkeypatch.setattr(Clock, "now", lambda self: now(self) + timedelta(seconds=ahead))

    def go_on(seconds: float) -> None:
        nonlocal ahead
        ahead += seconds

    return go_on


def idle_s(floor: Opened, operator: str) -> float:
    floor.floor._tick()
    since = floor.floor.view(operator).idle_since
    assert since is not None
    return floor.floor.at - since


async def restarted(before: Opened, folder: Path, *lines: Any) -> Opened:
    """Killed, and a new engine connects: the switch tells of the phones before it tells of the calls."""
    reachable = before.centre.reachable
    close(before.centre)
    new = await opened(folder, ready=False)
    for operator in sorted(reachable):
        new.centre.on_phone(operator, bool(reachable[operator]))
    new.connect(*lines)
    await settle()
    return new


@pytest.mark.req("ACD-1", "REL-1")
async def test_idle_time_is_the_same_after_a_restart(tmp_path: Path, passes: Passes) -> None:
    floor = await opened(tmp_path, site(operators=3, wrap_up_s=60))
    wants = floor.floor.wants
    passes(10)
    wants("1001", BREAK)
    call = await floor.calls("c1")
    await floor.answers("1002")
    passes(3600)
    call.channel.hangs_up()  # type: ignore[attr-defined]
    await settle()
    wants("1001", READY)
    passes(20)  # 1002 is in wrap-up, which is idle time
    floor.centre.on_phone("1003", False)
    passes(30)
    floor.centre.on_phone("1003", True)
    passes(5)
    before = [idle_s(floor, one) for one in ("1001", "1002", "1003")]
    assert [round(one) for one in before] == [65, 55, 3635]
    floor = await restarted(floor, tmp_path)
    assert [idle_s(floor, one) for one in ("1001", "1002", "1003")] == pytest.approx(before, abs=2)

    # On a break over the next one: it stands still.
    floor.floor.wants("1003", BREAK)
    passes(100)
    floor = await restarted(floor, tmp_path)
    passes(100)
    floor.floor.wants("1003", READY)
    assert idle_s(floor, "1003") == pytest.approx(before[2], abs=2)
    assert idle_s(floor, "1001") == pytest.approx(before[0] + 200, abs=2)
    close(floor.centre)


@pytest.mark.req("ACD-1", "REL-1")
async def test_who_waited_over_the_restart_goes_to_whoever_is_idle_longest(
    tmp_path: Path, passes: Passes
) -> None:
    floor = await opened(tmp_path, site(operators=3))
    for operator in ("1003", "1002", "1001"):  # 1003 has been idle longest, 1001 is told of first
        floor.floor.wants(operator, OperatorState.OFF)
    for operator in ("1003", "1002", "1001"):
        floor.floor.wants(operator, READY)
        passes(100)
    for operator in ("1001", "1002", "1003"):
        floor.centre.on_phone(operator, False)
    call = await floor.calls("c1")
    assert "offered" not in floor.kinds("c1")
    floor.centre.reachable = {operator: {"desk"} for operator in ("1001", "1002", "1003")}
    floor = await restarted(floor, tmp_path, call.channel)
    offered = floor.last("offered")
    assert (offered["operator"], offered["because"]["among"]) == ("1003", 3)
    assert offered["because"]["idle_s"] == pytest.approx(300, abs=2)
    tallies = [floor.floor.view(one).tally.duty_s for one in ("1001", "1002", "1003")]
    assert tallies == pytest.approx([100, 200, 300], abs=2)
    close(floor.centre)


@pytest.mark.req("ACD-1", "REL-1")
async def test_the_round_goes_on_though_it_was_killed_in_a_talk(tmp_path: Path) -> None:
    content = site(operators=3)
    content["queues"][0]["strategy"] = "round_robin"
    floor = await opened(tmp_path, content)
    first = await floor.calls("c1")
    await floor.answers("1001")
    first.channel.hangs_up()  # type: ignore[attr-defined]
    await settle()
    call = await floor.calls("c2")
    await floor.answers("1002")
    leg, citizen = floor.exchange.rung["1002"][0], call.channel
    reachable = floor.centre.reachable
    close(floor.centre)

    floor = await opened(tmp_path, ready=False)
    floor.centre.reachable = reachable
    floor.connect(citizen, leg, rooms={"b-2": (citizen.id, leg.id)})  # type: ignore[arg-type]
    await settle()
    citizen.hangs_up()  # type: ignore[attr-defined]
    await settle()
    turns = [(floor.floor.view(one).offers, floor.floor.view(one).last) for one in ("1001", "1002", "1003")]
    assert turns == [(1, {"main": 1}), (1, {"main": 2}), (0, {})]
    for call_id, operator in (("c3", "1003"), ("c4", "1001")):
        await floor.calls(call_id, NUMBER)
        assert floor.last("offered")["operator"] == operator
    assert floor.floor.view("1003").last == {"main": 3}
    close(floor.centre)


@pytest.mark.req("REL-1")
def test_a_journal_of_before_tells_idle_time_by_its_states() -> None:
    def told(n: int, state: str) -> Any:
        return event(n, "operator_state", None, operator="1001", state=state)

    states = [told(0, "ready"), told(10, "break"), told(50, "ready")]
    assert folded(states).operator("1001").idle.at(4055.0) == 15.0
    assert folded(states[2:]).operator("1001").idle.at(4055.0) == 5.0  # all that a restart reads
    assert folded(states[:2]).operator("1001").idle.at(4055.0) == 10.0


@pytest.mark.req("ACD-1", "ACD-7")
async def test_a_callback_that_nobody_answered_is_no_call(tmp_path: Path) -> None:
    write_site(tmp_path / "site.yaml", callback_site())
    town = Town(await make(tmp_path))
    town.connect()

    def calls() -> tuple[int, float]:
        tally = town.session.floor.view(DESK).tally
        return tally.calls, tally.talk_s

    town.book()
    town.to_the_end_of(retry_s=0.01)
    town.ready()
    _, citizen = await town.taken()
    await until(lambda: citizen.id in town.session.calls)
    assert calls() == (0, 0)
    citizen.end(17, 486)
    await until(lambda: town.centre.live.operator_state(DESK)["state"] != "talking")
    assert calls() == (0, 0)
    _, citizen = await town.taken()
    citizen.answer()
    await until(lambda: "answered" in town.kinds())
    assert calls() == (1, 0)
    assert town.session.floor.view(DESK).call == citizen.id
    citizen.end()
    await until(lambda: town.centre.live.operator_state(DESK)["state"] != "talking")
    counted, talk_s = calls()
    assert counted == 1
    assert talk_s > 0
    close(town.centre)


@pytest.mark.req("ACD-1", "ACD-2", "REL-1")
async def test_a_call_of_ones_own_keeps_the_place_also_over_a_restart(tmp_path: Path, passes: Passes) -> None:
    floor = await opened(tmp_path, site(operators=2))
    passes(100)
    floor.centre.on_channels("1001", frozenset({"minato-1.7"}))
    passes(50)
    floor.centre.on_channels("1001", frozenset())
    passes(5)
    assert round(idle_s(floor, "1001")) == 105
    floor = await restarted(floor, tmp_path)
    assert round(idle_s(floor, "1001")) == 105
    assert floor.floor.view("1001").tally.calls == 0
    close(floor.centre)
