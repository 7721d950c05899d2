"""What the journal tells of a call's way through the plan, and what a new engine does next."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from engine.centre import Centre
from switch import FoundBridge, Snapshot
from tests.support.planned import CITY

from .conftest import Line

CITIZEN, LEG, ROOM = "minato-1.1", "out-guard-x-1", "b-1"
GREETED = [("greeting", "greeting"), ("recording_notice", "recording_notice")]


def on_the_way(centre: Centre, *steps: tuple[str, str]) -> None:
    centre.note("arrived", CITIZEN, number=CITY, caller="03", channel="PJSIP/trunk-test-1a", via="engine")
    for step, kind in (*GREETED, *steps):
        centre.note("step", CITIZEN, step=step, step_kind=kind, language="ja")


def forwarded(centre: Centre) -> None:
    on_the_way(centre, ("top", "menu"))
    centre.note("key", CITIZEN, step="top", key="3", does="守衛", language="ja")
    centre.note("forwarded", CITIZEN, forward="guard", number="0246229999", trunk="narrow", leg=LEG)


Noted = list[tuple[str, Any]]


async def connected(
    centre: Centre, *lines: Line, room: tuple[str, ...] | None = None
) -> list[tuple[str, Any]]:
    """Connects to a switch that holds the citizen and these; what was noted."""
    citizen = Line(CITIZEN, "arrival", CITY)
    noted: Noted = []
    note = centre.note

    def told(kind: str, *args: Any, **data: Any) -> Any:
        noted.append((kind, data))
        return note(kind, *args, **data)

    centre.note = told  # type: ignore[method-assign]
    centre.switch = Line("switch")  # type: ignore[assignment]
    rooms: Any = () if room is None else (FoundBridge(Line(ROOM), room),)  # type: ignore[arg-type]
    held: Any = (citizen, *lines)
    centre.on_connected(Snapshot(datetime.now(UTC) - timedelta(days=1), held, rooms))
    for _ in range(20):
        await asyncio.sleep(0)
    centre.asked = citizen.asked  # type: ignore[attr-defined]
    return noted


def kinds(noted: Noted) -> list[str]:
    return [kind for kind, _ in noted if kind not in ("switch_connected", "engine_started")]


def sounds(centre: Centre, *texts: str) -> str:
    keys = {prompt.text: prompt.key for prompt in centre.site.prompts()}
    return " ".join(("play", *(f"sound:daihyo-{keys[text]}" for text in texts)))


MENU, UNANSWERED = "窓口は1、英語は2、守衛は3、案内は4です。", "守衛が出ません。朝までお待ちください。"


@pytest.mark.req("REL-1", "IVR-1")
async def test_a_menu_is_said_again_and_told_once(planned: Centre) -> None:
    on_the_way(planned, ("top", "menu"))
    noted = await connected(planned)
    assert kinds(noted) == []
    assert planned.asked[-1] == sounds(planned, MENU)  # type: ignore[attr-defined]
    assert planned.live.state()["calls"][0]["phase"] == "menu"


@pytest.mark.req("REL-1", "IVR-1")
async def test_a_key_that_was_pressed_just_before_is_obeyed(planned: Centre) -> None:
    on_the_way(planned, ("top", "menu"))
    planned.note("key", CITIZEN, step="top", key="4", does="案内", language="ja")
    noted = await connected(planned)
    assert [data["step"] for kind, data in noted if kind == "step"] == ["inner"]
    assert planned.live.state()["calls"][0]["path"] == ["案内"]


@pytest.mark.req("REL-1", "ACD-3")
async def test_sent_on_from_a_queue_before_the_next_step_was_told(planned: Centre) -> None:
    on_the_way(planned)
    planned.note("queued", CITIZEN, queue="limited", priority=0, again=False, prefer=None, language="ja")
    planned.note("overflowed", CITIZEN, queue="limited", reason="longest_wait", to="full")
    noted = await connected(planned)
    assert [data["step"] for kind, data in noted if kind == "step"] == ["full"]
    assert "queued" not in kinds(noted)


@pytest.mark.req("REL-1", "ACD-4")
async def test_unanswered_outside_before_the_next_step_was_told(planned: Centre) -> None:
    forwarded(planned)
    planned.note("forward_ended", CITIZEN, forward="guard", reason="busy", talk_s=None)
    noted = await connected(planned)
    assert [data["step"] for kind, data in noted if kind == "step"] == ["nobody-there"]
    assert planned.asked[-1] == sounds(planned, UNANSWERED)  # type: ignore[attr-defined]


@pytest.mark.req("REL-1", "ACD-4")
async def test_a_telephone_outside_that_is_gone_was_not_answered(planned: Centre) -> None:
    forwarded(planned)
    noted = await connected(planned)
    assert [data["reason"] for kind, data in noted if kind == "forward_ended"] == ["failed"]
    assert [data["step"] for kind, data in noted if kind == "step"] == ["nobody-there"]
    assert "ring False" in planned.asked  # type: ignore[attr-defined]


@pytest.mark.req("REL-1", "ACD-4")
@pytest.mark.parametrize("there", [True, False])
async def test_a_talk_outside_goes_on_or_is_over(planned: Centre, there: bool) -> None:
    forwarded(planned)
    planned.note("forward_answered", CITIZEN, forward="guard", leg=LEG, bridge=ROOM)
    leg = Line(LEG, "leg")
    if there:
        noted = await connected(planned, *([leg] if there else []), room=(CITIZEN, LEG))
        # The line of the test returns at once: whoever was outside "hung up".
        assert [data["reason"] for kind, data in noted if kind == "forward_ended"] == ["over"]
    else:
        noted = await connected(planned, room=(CITIZEN,))
    ended = dict(noted)["ended"]
    assert (ended["by"], planned.memory.calls) == ("outside", {})


async def test_channels_of_a_trunk_are_counted_in_and_out(planned: Centre) -> None:
    forwarded(planned)
    assert (planned.memory.on_trunk("test"), planned.memory.on_trunk("narrow")) == (1, 1)
    planned.note("forward_ended", CITIZEN, forward="guard", reason="busy", talk_s=None)
    assert (planned.memory.on_trunk("test"), planned.memory.on_trunk("narrow")) == (1, 0)


@pytest.mark.req("REL-1", "ACD-4")
@pytest.mark.parametrize("down", [True, False])
async def test_a_leg_that_was_never_dialled_is_placed_anew(planned: Centre, down: bool) -> None:
    forwarded(planned)
    leg = Line(LEG, "leg")
    leg.up, leg.down = False, down
    noted = await connected(planned, leg)
    placed = [data["leg"] for kind, data in noted if kind == "forwarded"]
    if down:
        assert leg.asked[:2] == ["hangup", "wait_gone"]  # the trunk may have one channel
        assert len(placed) == 1
        assert placed[0] != LEG
    else:
        assert (placed, leg.asked[0]) == ([], "wait_up")  # it rings: it is waited for


@pytest.mark.req("REL-1", "REL-2")
async def test_one_call_that_cannot_be_taken_up_costs_no_other(planned: Centre) -> None:
    on_the_way(planned, ("top", "menu"))
    planned.note("arrived", "broken", number=CITY, caller="03", channel="PJSIP/trunk-test-1b", via="engine")
    planned.note("step", "broken", step="greeting", step_kind="greeting")  # no language
    planned.note("queued", "broken", queue="main", priority=0, again=False, prefer=None)
    planned.note("answered", "broken", operator="1001", phone="desk", leg="leg-1001-x-1", bridge="b-9")
    broken, leg = Line("broken", "arrival", CITY), Line("leg-1001-x-1", "leg")
    noted = await connected(planned, broken, leg)
    assert planned.session is not None
    assert list(planned.session.calls) == [CITIZEN]
    assert planned.live.state()["calls"][0]["phase"] == "menu"
    assert [kind for kind in kinds(noted) if kind != "operator_state"] == ["left", "wrap_up", "handed_over"]
    assert planned.memory.calls["broken"].operator is None
    async with asyncio.timeout(10):
        while not (broken.asked and leg.asked):
            await asyncio.sleep(0.01)
    assert broken.asked == [f"go_on survival-adopt {CITY}"]
    assert leg.asked == ["hangup"]


@pytest.mark.req("REL-2")
async def test_an_arrival_that_fails_goes_to_asterisks_own_path(
    planned: Centre, monkeypatch: pytest.MonkeyPatch
) -> None:
    await connected(planned)
    monkeypatch.setattr("engine.session.Walk", None)
    line = Line("minato-1.2", "arrival", CITY)
    assert planned.session is not None
    planned.session.arrived(line)  # type: ignore[arg-type]
    async with asyncio.timeout(10):
        while not line.asked:
            await asyncio.sleep(0)
    assert line.asked == [f"go_on survival-adopt {CITY}"]
