"""The scenarios that every telephone queue is tried with, on real calls: places and limits, breaks, phones
that do not answer, are on another call, are redirected; levels, wrap-up, operators who come and go.

One centre for all: each scenario has its own number, queue and operators. Transfers by caller and by operator
are not here: they belong to the work on transfers.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from io import StringIO
from typing import Any

import pytest
import pytest_asyncio
from ruamel.yaml import YAML

from bench.sip import Leg, Phone
from cdr import Event
from daihyo.apply import go_live, opened
from store import plans
from tests.support.centre import Centre, centre
from tests.support.light_phones import ANSWER, RING, Town, light_phones
from tests.support.site import site

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("queue_scenarios")]

WRAP_UP_S, LONG_WRAP_UP_S, MOST_WAITING, WIDEN_AFTER_S = 1, 600, 4, 2


def number_of(queue: str) -> str:
    """The number that leads into a queue."""
    return f"02462220{[one['id'] for one in plan()['queues']].index(queue):02}"


VIP = "0246222099"  # into `limited`, with priority


def plan() -> dict[str, Any]:
    made = site(operators=0)
    made["queues"] = [
        {"id": "limited", "most_waiting": MOST_WAITING, "overflow": "full"},
        {"id": "paused"},
        {"id": "unanswered", "ring_timeout_s": 3},
        {"id": "one"},
        {"id": "other"},
        {"id": "levels", "widen": [{"after_s": WIDEN_AFTER_S, "level": 2}, {"after_s": 3600, "level": 3}]},
        {"id": "brief", "wrap_up_s": WRAP_UP_S},
        {"id": "thorough", "wrap_up_s": LONG_WRAP_UP_S},
        {"id": "changing"},
        {"id": "spare"},
        {"id": "redirected"},
        {"id": "from"},
        {"id": "to"},
    ]
    for queue in made["queues"]:
        queue.setdefault("name", queue["id"])
        queue.setdefault("wrap_up_s", 0)
    made["steps"] = [{"id": "full", "kind": "say", "say": "満員。", "next": "hangup"}]
    common = {"greeting": "はい。", "recording_notice": "録音。"}
    made["numbers"] = [
        {"number": f"0246-22-20{n:02}", "name": queue["id"], "queue": queue["id"], **common}
        for n, queue in enumerate(made["queues"])
    ] + [{"number": VIP, "name": "優先", "queue": "limited", "priority": 2, **common}]
    made["operators"] = [
        operator("1001", "limited"),
        *(operator(f"101{n}", "paused") for n in range(2)),
        *(operator(f"102{n}", "unanswered") for n in range(2)),
        operator("1030", "one", "other"),
        *(operator(f"104{n}", "levels") | {"levels": {"levels": n}} for n in (1, 2, 3)),
        *(operator(f"105{n}", "brief", "thorough") for n in range(2)),
        operator("1060", "changing"),
        operator("1061", "spare"),
        *(operator(f"107{n}", "redirected") for n in range(3)),
        operator("1080", "from"),
        operator("1081", "to"),
    ]
    return made


def operator(number: str, *queues: str) -> dict[str, Any]:
    return {"id": number, "name": f"操作者{number}", "queues": list(queues)}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    async with (
        centre(tmp_path_factory.mktemp("scenarios"), site=plan()) as running,
        light_phones(running) as phones,
    ):
        yield phones


def shown(running: Centre, caller: str) -> dict[str, Any]:
    """The call as the board shows it."""
    return next(one for one in running.control.calls.values() if one["caller"] == caller)


def places(running: Centre, *callers: str) -> list[int]:
    return [shown(running, caller)["position"] for caller in callers]


def story(running: Centre, caller: str, *kinds: str) -> list[Event]:
    """What the journal tells of a caller."""
    [call] = [
        event.call for event in running.events() if event.kind == "arrived" and event.data["caller"] == caller
    ]
    return [event for event in running.events(call) if event.kind in kinds]


async def told(running: Centre, caller: str, kind: str, count: int = 1) -> list[Event]:
    """The same, once the journal has so many on disk."""
    async with asyncio.timeout(10):
        while len(found := story(running, caller, kind)) < count:
            await asyncio.sleep(0.05)
    return found


@pytest.mark.req("ACD-3", "ACD-4", "ACD-5")
async def test_places_follow_priority_and_the_line_has_an_end(town: Town) -> None:
    running, number = town.running, number_of("limited")
    ordinary, vip = ["0311000001", "0311000002"], ["0311000003", "0311000004"]
    lines = {**dict.fromkeys(ordinary, number), **dict.fromkeys(vip, VIP)}
    await asyncio.gather(*(town.waits(line, caller) for caller, line in lines.items()))
    entered = {caller: (await told(running, caller, "queued"))[0].at for caller in lines}
    order = sorted(vip, key=entered.__getitem__) + sorted(ordinary, key=entered.__getitem__)
    await running.control.wait(lambda: places(running, *order) == [1, 2, 3, 4], what="the places")
    # Full is full for everybody.
    refused = await asyncio.gather(town.call(number, "0311000005"), town.call(VIP, "0311000006"))
    for one in refused:
        await one.over()
        [over] = await told(running, one.caller, "overflowed")
        assert [over.data[name] for name in ("queue", "reason", "to")] == ["limited", "most_waiting", "full"]
    assert places(running, *order) == [1, 2, 3, 4]
    [desk] = await town.ready("1001")
    for caller in order:
        await desk.talk(caller)
        desk.hangup()
    await town.until(lambda: desk.leg is None, "nobody is left")
    assert desk.callers == order


@pytest.mark.req("ACD-2", "OPR-2")
async def test_all_on_a_break_nobody_is_rung_until_one_comes_back(town: Town) -> None:
    running = town.running
    desks = await town.ready("1010", "1011")
    for desk in desks:
        await running.control.do("operator.state", operator=desk.operator, state="break", reason="昼食")
    citizen = await town.waits(number_of("paused"), "0312000001")
    assert running.control.operators["1010"]["reason"] == "昼食"
    assert story(running, "0312000001", "offered") == []
    await running.control.do("operator.state", operator="1011", state="ready")
    await desks[1].talk("0312000001")
    assert [desk.rings for desk in desks] == [0, 1]
    citizen.hangup()
    await running.control.state_is("1011", "ready")


@pytest.mark.req("ACD-1", "ACD-2")
async def test_one_on_a_break_the_other_is_rung_although_idle_for_less(town: Town) -> None:
    running = town.running
    desks = await town.ready("1010", "1011")
    await running.control.do("operator.state", operator="1010", state="break", reason="会議")
    for n in (1, 2):
        citizen = await town.call(number_of("paused"), f"031210000{n}")
        await desks[1].talk(citizen.caller)
        citizen.hangup()
        await running.control.state_is("1011", "ready")
    assert [desk.rings for desk in desks] == [0, 2]
    rung = [await told(running, f"031210000{n}", "offered") for n in (1, 2)]
    assert [event.data["because"]["among"] for [event] in rung] == [1, 1]


@pytest.mark.req("ACD-6", "ACD-3")
async def test_a_phone_that_rings_on_costs_the_caller_neither_place_nor_time(town: Town) -> None:
    running, number = town.running, number_of("unanswered")
    [silent] = await town.ready("1020", rule=RING)
    first = await town.call(number, "0313000001")
    await silent.rung("0313000001")
    second = await town.waits(number, "0313000002")
    queued_at = shown(running, "0313000001")["queued_at"]
    await running.control.state_is("1020", "no_answer")
    assert running.control.operators["1020"]["reason"] == "no_answer"
    await town.phase("0313000001", "waiting")
    assert shown(running, "0313000001")["queued_at"] == queued_at
    assert places(running, "0313000001", "0313000002") == [1, 2]
    [other] = await town.ready("1021")
    await other.talk("0313000001")
    first.hangup()
    await other.talk("0313000002")
    second.hangup()
    await town.until(lambda: other.leg is None, "both were served")
    assert (silent.rings, other.callers) == (1, ["0313000001", "0313000002"])
    assert running.control.state("1020") == "no_answer"  # until they say that they are there again
    [end] = await told(running, "0313000001", "offer_ended")
    assert (end.data["operator"], end.data["reason"]) == ("1020", "no_answer")
    assert end.data["ring_s"] > 2.9
    await running.control.do("operator.state", operator="1020", state="ready")
    await running.control.state_is("1020", "ready")


@pytest.mark.req("ACD-2", "ACD-5", "OPR-2")
async def test_who_talks_for_one_queue_is_not_rung_for_the_other_nor_after_a_break_was_asked_for(
    town: Town,
) -> None:
    running = town.running
    [desk] = await town.ready("1030")
    talking = await town.call(number_of("one"), "0314000001")
    await desk.talk("0314000001")
    waiting = await town.waits(number_of("other"), "0314000002")
    asked = await running.control.do("operator.state", operator="1030", state="break", reason="昼食")
    assert asked["next_state"] == "break"
    talking.hangup()
    await running.control.state_is("1030", "break")
    assert shown(running, "0314000002")["phase"] == "waiting"
    assert (desk.callers, desk.doubles) == (["0314000001"], [])
    await running.control.do("operator.state", operator="1030", state="ready")
    await desk.talk("0314000002")
    waiting.hangup()
    await running.control.state_is("1030", "ready")
    assert desk.doubles == []


@pytest.mark.req("ACD-5", "ACD-4")
async def test_an_operator_of_another_level_is_rung_after_its_time_alone(town: Town) -> None:
    running = town.running
    second, third = await town.ready("1042", "1043")
    second.rule = "486 Busy Here"
    citizen = await town.call(number_of("levels"), "0315000001")
    await second.rung("0315000001")
    await running.control.state_is("1042", "no_answer")
    [queued] = await told(running, "0315000001", "queued")
    [offered] = await told(running, "0315000001", "offered")
    assert (offered.at - queued.at).total_seconds() >= WIDEN_AFTER_S - 0.01
    assert offered.data["because"]["among"] == 1
    await town.phase("0315000001", "waiting")
    [first] = await town.ready("1041")  # the best level is asked at any time
    await first.talk("0315000001")
    assert third.rings == 0  # of a level that is not asked yet
    citizen.hangup()
    await running.control.state_is("1041", "ready")


def wrap_up_of(running: Centre, number: str) -> float:
    """Seconds of the running wrap-up, as the board shows it."""
    row = running.control.operators[number]
    assert row["state"] == "wrap_up", row
    return (datetime.fromisoformat(row["until"]) - datetime.fromisoformat(row["since"])).total_seconds()


@pytest.mark.req("OPR-2", "ACD-2")
async def test_wrap_up_is_that_of_the_queue_the_call_came_by(town: Town) -> None:
    running = town.running
    [desk] = await town.ready("1050")
    brief = await town.call(number_of("brief"), "0316000001")
    await desk.talk("0316000001")
    thorough = await town.waits(number_of("thorough"), "0316000002")
    brief.hangup()
    await running.control.state_is("1050", "wrap_up")
    assert wrap_up_of(running, "1050") == pytest.approx(WRAP_UP_S, abs=0.05)
    await desk.talk("0316000002")  # it ends by itself
    thorough.hangup()
    await running.control.state_is("1050", "wrap_up")
    assert wrap_up_of(running, "1050") == pytest.approx(LONG_WRAP_UP_S, abs=0.05)
    waiting = await town.waits(number_of("brief"), "0316000003")  # the other queue waits for it, too
    assert desk.callers == ["0316000001", "0316000002"]
    await running.control.do("operator.wrapped_up", operator="1050", result="完了")
    await desk.talk("0316000003")
    waiting.hangup()
    await running.control.state_is("1050", "ready")


@pytest.mark.req("OPR-2", "ACD-2")
async def test_wrap_up_made_longer_by_one_operator_is_theirs_alone(town: Town) -> None:
    running = town.running
    desks = await town.ready("1050", "1051")
    for n, desk in enumerate(desks):
        citizen = await town.call(number_of("thorough"), f"031610000{n}")
        await desk.talk(citizen.caller)
        citizen.hangup()
        await running.control.state_is(desk.operator, "wrap_up")
    await running.control.do("operator.wrap_up", operator="1050", seconds=3600)
    await running.control.do("operator.wrap_up", operator="1051", seconds=10)
    await running.control.wait(lambda: wrap_up_of(running, "1050") > 3000, what="the longer wrap-up")
    await running.control.wait(lambda: wrap_up_of(running, "1051") < 300, what="the shorter one")
    waiting = await town.waits(number_of("brief"), "0316100002")
    await running.control.do("operator.wrapped_up", operator="1051", result="完了")
    await desks[1].talk("0316100002")
    assert running.control.state("1050") == "wrap_up"
    waiting.hangup()
    await running.control.state_is("1051", "wrap_up")
    refused = await running.control.ask("operator.wrap_up", operator="1060", seconds=60)
    assert refused["error"]["code"] == "no_wrap_up"


@pytest.mark.req("ADM-1", "ACD-3")
async def test_operators_come_and_go_by_the_plan_while_citizens_wait(town: Town) -> None:
    running, number = town.running, number_of("changing")
    leaving, coming = await town.ready("1060", "1061")
    first = await town.call(number, "0317000000")
    await leaving.talk(first.caller)
    citizens = await asyncio.gather(*(town.waits(number, f"031700000{n}") for n in (1, 2, 3)))
    citizens.sort(key=lambda one: int(shown(running, one.caller)["position"]))
    callers = [one.caller for one in citizens]
    before = [shown(running, caller)["queued_at"] for caller in callers]
    leaving.rule = coming.rule = RING

    changed = plan()
    changed["operators"] = [one for one in changed["operators"] if one["id"] not in ("1060", "1061")]
    changed["operators"].append(operator("1061", "changing", "spare"))
    await activate(running, changed)

    await coming.rung(callers[0])  # ready since before: rung as soon as the plan is live
    assert places(running, *callers) == [1, 2, 3]
    assert [shown(running, caller)["queued_at"] for caller in callers] == before
    coming.rule = ANSWER
    coming.answer()
    await coming.talk(callers[0])
    first.hangup()  # who was taken out finishes their call, and is rung no more
    await town.until(lambda: leaving.leg is None, "the last call of who left")
    for n, citizen in enumerate(citizens):
        await coming.talk(callers[n])
        citizen.hangup()
    await town.until(lambda: coming.leg is None, "all are served")
    assert (leaving.callers, coming.callers) == ([first.caller], callers)


async def activate(running: Centre, content: dict[str, Any]) -> None:
    """A plan goes live, as the console does it."""
    text = StringIO()
    YAML().dump(content, text)
    async with opened(running.state) as store:
        live = await plans.live(store)
        made = await plans.add_version(
            store, text.getvalue(), author="sv01", comment="", based_on=live.id if live else None
        )
        await go_live(store, made, "sv01")
    wanted = {one["id"]: one["queues"] for one in content["operators"]}
    await running.control.wait(
        lambda: {one["id"]: one["queues"] for one in running.control.operators.values()} == wanted,
        what="the plan's operators",
    )


@pytest.mark.req("ACD-6", "ACD-2")
@pytest.mark.parametrize("where", ["a telephone outside", "an extension", "nobody"])
async def test_a_phone_that_sends_its_calls_elsewhere_is_not_followed(town: Town, where: str) -> None:
    running = town.running
    n = ["a telephone outside", "an extension", "nobody"].index(where)
    followed: list[Leg] = []
    elsewhere = Phone(town.desks_phone.server, 9, followed.append)
    try:
        moving, extension, taking = await town.ready("1070", "1071", "1072")
        await running.control.do("operator.state", operator="1071", state="break")
        host, port = town.desks_phone.server
        moving.rule = "302 Moved Temporarily"
        moving.moved_to = {
            "a telephone outside": f"sip:0312345678@127.0.0.1:{elsewhere.port}",
            "an extension": f"sip:1071@{host}:{port}",
            "nobody": "sip:nobody@192.0.2.1",
        }[where]
        citizen = await town.call(number_of("redirected"), f"031800000{n}")
        await taking.talk(citizen.caller)
        await running.control.state_is("1070", "no_answer")
        [end] = await told(running, citizen.caller, "offer_ended")
        assert end.data["operator"] == "1070"
        assert (moving.rings, extension.rings, followed) == (1, 0, [])
        citizen.hangup()
        await running.control.state_is("1072", "ready")
        assert len(story(running, citizen.caller, "offered")) == 2
        assert followed == []
    finally:
        elsewhere.close()


@pytest.mark.req("MON-3", "ACD-4")
async def test_a_waiting_call_is_moved_and_keeps_its_waiting_time(town: Town) -> None:
    running = town.running
    early = await town.waits(number_of("from"), "0319000001")
    late = await town.waits(number_of("to"), "0319000002")
    queued_at = shown(running, "0319000001")["queued_at"]
    call = shown(running, "0319000001")["id"]
    await running.control.do("call.move", call=call, queue="to", by="sv01")
    await running.control.wait(lambda: shown(running, "0319000001")["moved_from"] == "from", what="moved")
    assert shown(running, "0319000001")["queued_at"] == queued_at
    assert places(running, "0319000001", "0319000002") == [1, 2]
    desks = await town.ready("1081", "1080")
    await desks[0].talk("0319000001")
    early.hangup()
    await desks[0].talk("0319000002")
    late.hangup()
    await town.until(lambda: desks[0].leg is None, "both were served")
    assert desks[1].rings == 0
    [moved] = await told(running, "0319000001", "moved")
    assert (moved.data["queue"], moved.data["from"], moved.data["by"]) == ("to", "from", "sv01")
