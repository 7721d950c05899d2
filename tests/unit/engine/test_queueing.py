"""Who goes first, in which language, and when a queue cannot be entered."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.clock import iso
from tests.support.site import NUMBER, OTHER_NUMBER, site

from .conftest import close
from .floors import Opened, opened, settle


def with_priorities() -> dict[str, Any]:
    made = site(operators=1)
    made["numbers"][1]["priority"] = 2
    made["priority_callers"] = [
        {"number": "03-1111-0009", "name": "消防", "priority": 5},
        {"number": "0246-22-4444", "name": "市長室", "priority": 1},
    ]
    return made


@pytest.mark.req("ACD-3")
@pytest.mark.parametrize(
    ("number", "caller", "priority"),
    [
        (NUMBER, "0311110001", 0),
        (NUMBER, None, 0),
        (OTHER_NUMBER, "0311110001", 2),
        (NUMBER, "0311110009", 5),
        (NUMBER, "+81311110009", 5),
        (OTHER_NUMBER, "0311110009", 7),
        (OTHER_NUMBER, "0246224444", 3),
    ],
)
async def test_a_priority_is_the_sum_of_the_numbers_and_the_callers(
    tmp_path: Path, number: str, caller: str | None, priority: int
) -> None:
    floor = await opened(tmp_path, with_priorities(), ready=False)
    floor.connect()
    try:
        await floor.calls("c1", number, caller)
        assert floor.last("queued")["priority"] == priority
        [waiting] = floor.floor.distributor.waiting()
        [shown] = floor.centre.live.state()["calls"]
        assert (waiting.priority, shown["priority"]) == (priority, priority)
        assert "since" not in floor.last("queued")
    finally:
        close(floor.centre)


@pytest.mark.req("ACD-3")
async def test_a_returned_call_keeps_what_it_weighed(tmp_path: Path) -> None:
    """The desk phone died: in front of all, with the place of its first entry told."""
    floor = await opened(tmp_path, with_priorities())
    try:
        call = await floor.calls("c1", OTHER_NUMBER)
        await floor.answers("1001")
        first, since = call.queued, call.queued_mono
        floor.centre.wants("1001", floor.floor.view("1001").state.BREAK, "", "test")  # nobody takes it again
        from engine.call import LegGone
        from switch import Hangup, HangupReason

        call.inbox.put_nowait(LegGone(call.leg.id if call.leg else "", Hangup(HangupReason.HANGUP, 44)))
        await settle()
        told = floor.last("queued")
        assert first is not None
        assert (told["priority"], told["again"], told["since"]) == (102, True, iso(first))
        assert floor.centre.memory.calls["c1"].queued_mono == since
    finally:
        close(floor.centre)


@pytest.mark.req("ACD-4")
async def test_a_language_is_asked_of_the_operators(tmp_path: Path) -> None:
    content = site(operators=2)
    content["numbers"][1]["language"] = "en"
    content["operators"][0]["languages"] = ["ja"]
    content["operators"][1]["languages"] = ["en", "ja"]
    content["queues"][0]["waiting_announcement"] = {"ja": "お待ちください。", "en": "Please hold."}
    floor = await opened(tmp_path, content)
    try:
        await floor.calls("c1", OTHER_NUMBER)
        assert floor.last("offered")["operator"] == "1002"
        assert floor.last("offered")["because"]["among"] == 1
        await floor.calls("c2", OTHER_NUMBER)  # 1001 is free, and speaks no English: not yet
        assert floor.kinds("c2")[-1] == "queued"
        await floor.calls("c3")
        assert floor.last("offered")["operator"] == "1001"
        shown = {one["id"]: one["languages"] for one in floor.centre.live.state()["operators"]}
        assert shown == {"1001": ["ja"], "1002": ["en", "ja"]}
    finally:
        close(floor.centre)


def limited(**more: Any) -> dict[str, Any]:
    return site(operators=1, longest_expected_s=100, overflow="hangup", **more)


def answers(floor: Opened, count: int, queue: str = "main") -> None:
    for n in range(count):
        floor.centre.note("queued", f"x{n}", queue=queue, priority=0, again=False, prefer=None)
        floor.centre.note("answered", f"x{n}", operator="1001", phone="desk", leg="l", bridge="b")


async def minutes_ago(floor: Opened, minutes: float) -> None:
    """Three answers in that time."""
    answers(floor, 3)
    now = floor.floor.at
    served = floor.centre.memory.served["main"]
    served.clear()
    served.extend([now - minutes * 60, now - 30, now - 20])


@pytest.mark.req("ACD-4", "HRS-4")
async def test_who_would_wait_too_long_is_sent_on_at_once(tmp_path: Path) -> None:
    floor = await opened(tmp_path, limited(), ready=False)
    floor.connect()
    try:
        await floor.calls("c1")
        assert floor.kinds("c1")[-1] == "queued"  # it cannot be told: nobody was answered lately
        await minutes_ago(floor, 3)  # 90 s a place
        await floor.calls("c2")  # second in line: 180 s
        assert floor.last("overflowed") == {"queue": "main", "reason": "expected_wait", "to": "hangup"}
        floor.floor.gone("c1")
        await floor.calls("c3")  # first in line: 90 s
        assert floor.kinds("c3")[-1] == "queued"
        assert floor.centre.memory.calls["c3"].sent_on is None
        floor.centre.note("overflowed", "c3", queue="main", reason="expected_wait", to="hangup")
        assert floor.centre.memory.calls["c3"].sent_on == "expected_wait"
    finally:
        close(floor.centre)


@pytest.mark.req("ACD-4")
async def test_nobody_is_sent_on_while_somebody_is_free(tmp_path: Path) -> None:
    floor = await opened(tmp_path, limited())
    try:
        await minutes_ago(floor, 9)
        await floor.calls("c1")
        assert floor.kinds("c1")[-1] == "offered"
        await floor.calls("c2")
        assert floor.last("overflowed")["reason"] == "expected_wait"
    finally:
        close(floor.centre)


@pytest.mark.req("ACD-4")
async def test_who_goes_first_waits_less_long(tmp_path: Path) -> None:
    content = limited()
    content["numbers"][1]["priority"] = 9
    floor = await opened(tmp_path, content, ready=False)
    floor.connect()
    try:
        await floor.calls("c1")
        await minutes_ago(floor, 3)
        await floor.calls("c2", OTHER_NUMBER)  # before c1: 90 s
        assert floor.kinds("c2")[-1] == "queued"
    finally:
        close(floor.centre)
