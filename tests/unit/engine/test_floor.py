"""The floor between site, distributor and journal: rules and profiles, ledger, parallel offers, wrap-ups."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from acd import OfferEnd, OperatorState, choose
from dialplans import load_site
from engine.clock import parse_iso
from engine.control import Control
from engine.floor import profiles_of, rules_of
from tests.support.site import NUMBER, OTHER_NUMBER, site, write_site

from .conftest import close
from .floors import Opened, opened, settle


@pytest.fixture
async def floor(tmp_path: Path) -> AsyncIterator[Opened]:
    made = await opened(tmp_path, site(operators=4, wrap_up_s=30))
    yield made
    close(made.centre)


def same_time(one: str, other: str) -> bool:
    """But for the grain of two clocks."""
    return abs(parse_iso(one) - parse_iso(other)) < timedelta(seconds=1)


def two_queues(**changes: Any) -> dict[str, Any]:
    """`main` served by 1001 and 1002, `other` by 1002 alone; OTHER_NUMBER leads to `other`."""
    made = site(operators=2)
    made["queues"].append({"id": "other", "name": "別"} | changes)
    made["numbers"][1]["queue"] = "other"
    made["operators"][1]["queues"] = ["main", "other"]
    return made


def test_all_that_the_site_says_of_distribution_reaches_the_distributor(tmp_path: Path) -> None:
    content = two_queues(
        strategy="skill",
        then="fewest_calls",
        target_s=20,
        weight=2.5,
        ageing_s=60,
        widen=[{"after_s": 30, "level": 2}, {"after_s": 60, "level": 4}],
        language_after_s=45,
        wrap_up_s=7,
        ring_timeout_s=12,
    )
    content["operators"][0]["queues"] = ["main", "other"]
    content["operators"][0]["levels"] = {"other": 4}
    content["operators"][1] |= {"levels": {"other": 2}, "languages": ["ja", "en"], "most_calls_h": 6}
    made = load_site(write_site(tmp_path / "site.yaml", content))
    other = next(one for one in rules_of(made) if one.id == "other")
    assert (other.strategy, other.then, other.target_s, other.weight) == ("skill", "fewest_calls", 20, 2.5)
    assert (other.ageing_s, other.widen, other.language_after_s) == (60, ((30, 2), (60, 4)), 45)
    assert (other.wrap_up_s, other.ring_timeout_s) == (7, 12)
    first, second = profiles_of(made)
    assert (first.levels, first.languages, first.most_calls_h) == ({"other": 4}, None, None)
    assert (second.levels, second.languages, second.most_calls_h) == ({"other": 2}, ("ja", "en"), 6)


@pytest.mark.req("ACD-5")
async def test_as_many_phones_ring_at_once_as_citizens_wait(floor: Opened) -> None:
    for n in range(3):
        await floor.calls(f"c{n}")
    ringing = [one for one in ("1001", "1002", "1003", "1004") if floor.state(one) == "ringing"]
    assert ringing == ["1001", "1002", "1003"]  # idle as long: by offers, then by id
    assert [len(floor.exchange.rung[operator]) for operator in ringing] == [1, 1, 1]
    await floor.answers("1002")  # whoever is quick talks, the others ring on
    assert [floor.state(operator) for operator in ringing] == ["ringing", "talking", "ringing"]


@pytest.mark.req("ACD-2", "ACD-6")
async def test_a_phone_that_fails_costs_the_citizen_neither_place_nor_time(floor: Opened) -> None:
    call = await floor.calls("c1")
    since = call.queued_mono
    floor.floor.failed("c1", "1001", OfferEnd.UNREACHABLE)
    await settle()
    state = floor.centre.live.operator_state("1001")
    assert (state["state"], state["reason"]) == ("no_answer", "unreachable")
    assert floor.state("1002") == "ringing"
    [waiting] = floor.floor.distributor.waiting()
    assert (waiting.since, waiting.position, call.queued_mono) == (since, 1, since)


@pytest.mark.req("ACD-1", "ACD-7")
async def test_the_ledger_of_an_offer_makes_the_same_choice_again(tmp_path: Path) -> None:
    floor = await opened(tmp_path, two_queues(strategy="round_robin"))
    try:
        for operator in ("1001", "1002"):
            floor.floor.failed("none", operator, OfferEnd.FAILED)  # harmless: nothing rang
        await floor.calls("c1")
        because = floor.last("offered")["because"]
        assert because["rule"] == "longest_idle"
        assert because["among"] == len(because["candidates"]) == 2
        assert choose(because["rule"], because["candidates"]) == floor.last("offered")["operator"]
        assert because["candidates"][0][0] == floor.last("offered")["operator"]
        assert because["waited_s"] >= 0
        assert "heads" not in because
        rows = [figure for row in because["candidates"] for figure in row[2:]]
        assert all(round(figure, 3) == figure for figure in rows)
    finally:
        close(floor.centre)


@pytest.mark.req("ACD-3", "ACD-7")
async def test_callers_of_several_queues_stand_in_the_ledger(tmp_path: Path) -> None:
    floor = await opened(tmp_path, two_queues(weight=3))
    try:
        await floor.calls("m1")  # 1001
        await floor.calls("m2")  # 1002
        await floor.calls("m3")
        await floor.calls("o1", OTHER_NUMBER)
        await floor.answers("1002")
        floor.floor.over("1002")
        await settle()
        offered = floor.last("offered")
        assert (offered["operator"], offered["because"]["heads"][0][0]) == ("1002", offered["queue"])
        assert {head[0] for head in offered["because"]["heads"]} == {"main", "other"}
        assert [len(head) for head in offered["because"]["heads"]] == [4, 4]
    finally:
        close(floor.centre)


@pytest.mark.req("ACD-1")
async def test_another_strategy_holds_from_the_next_call_on(tmp_path: Path) -> None:
    content = site(operators=2)
    floor = await opened(tmp_path, content)
    try:
        content["queues"][0] |= {"strategy": "skill", "then": "round_robin"}
        content["operators"][0]["levels"] = {"main": 2}
        live = load_site(write_site(tmp_path / "next.yaml", content))
        floor.floor.site_changed(live)
        await floor.calls("c1")
        assert floor.last("offered")["operator"] == "1002"  # level 1, though 1001 is idle as long
        assert floor.last("offered")["because"]["rule"] == "skill/round_robin"
        rows = floor.last("offered")["because"]["candidates"]
        assert [row[:2] for row in rows] == [["1002", 1], ["1001", 2]]
    finally:
        close(floor.centre)


@pytest.mark.req("OPR-2")
async def test_a_wrap_up_is_made_longer_and_a_new_engine_knows_it(floor: Opened, tmp_path: Path) -> None:
    control = Control(floor.centre)
    refused = await control.answer('{"do": "operator.wrap_up", "operator": "1001", "seconds": 60}')
    assert refused["error"]["code"] == "no_wrap_up"
    call = await floor.calls("c1")
    await floor.answers("1001")
    call.channel.hangs_up()  # type: ignore[attr-defined]
    await settle()
    before = floor.centre.live.operator_state("1001")
    done = await control.answer('{"do": "operator.wrap_up", "operator": "1001", "seconds": 600}')
    assert done["ok"]
    after = done["result"]
    assert after["state"] == "wrap_up"
    assert same_time(after["since"], before["since"])
    assert after["until"] > before["until"]
    told = floor.last("operator_state")
    assert told["state"] == "wrap_up"
    assert same_time(told["until"], after["until"])
    assert "wrapped_up" not in floor.kinds("c1")
    close(floor.centre)
    again = await opened(tmp_path, ready=False)
    again.connect()
    await settle()
    state = again.centre.live.operator_state("1001")
    assert state["state"] == "wrap_up"
    assert same_time(state["until"], after["until"])
    assert same_time(state["since"], after["since"])
    close(again.centre)


@pytest.mark.req("OPR-2")
@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ('"operator": "1001", "seconds": 9', "bad_field"),
        ('"operator": "1001", "seconds": 3601', "bad_field"),
        ('"operator": "9999", "seconds": 60', "unknown_operator"),
    ],
)
async def test_a_wrap_up_cannot_be_made_longer_like_this(floor: Opened, fields: str, code: str) -> None:
    answer = await Control(floor.centre).answer(f'{{"do": "operator.wrap_up", {fields}}}')
    assert answer["error"]["code"] == code


@pytest.mark.req("ACD-2", "OPR-2")
async def test_whoever_is_in_a_call_of_their_own_is_offered_nothing(floor: Opened) -> None:
    floor.centre.on_channels("1001", frozenset({"minato-1.7"}))
    floor.centre.on_channels("1002-web", frozenset({"leg-1002-x-1"}))  # one of ours: not theirs
    state = floor.centre.live.operator_state("1001")
    assert (state["state"], state["own_call"], state["call"]) == ("talking", True, None)
    await floor.calls("c1")
    assert floor.last("offered")["operator"] == "1002"
    floor.centre.on_channels("1001", frozenset())
    state = floor.centre.live.operator_state("1001")
    assert (state["state"], state["own_call"], state["tally"]["calls"]) == ("ready", False, 0)
    assert "wrap_up" not in [event.data.get("state") for event in floor.noted]


@pytest.mark.req("ACD-2")
async def test_an_own_call_that_begins_while_the_phone_rings_lets_the_citizen_go_on(floor: Opened) -> None:
    await floor.calls("c1")
    assert floor.state("1001") == "ringing"
    floor.centre.on_channels("1001", frozenset({"minato-1.7"}))
    await settle()
    assert (floor.state("1001"), floor.state("1002")) == ("talking", "ringing")
    assert floor.last("offer_ended")["reason"] == "withdrawn"


@pytest.mark.req("ACD-2", "OPR-2")
async def test_an_own_call_waits_for_the_wrap_up_and_leaves_a_break_alone(floor: Opened) -> None:
    await floor.calls("c1")
    await floor.answers("1001")
    floor.centre.on_channels("1001", frozenset({"minato-1.7"}))
    assert not floor.centre.live.operator_state("1001")["own_call"]  # talks with the citizen
    floor.floor.over("1001")
    assert floor.state("1001") == "wrap_up"
    floor.floor.wrapped_up("1001")
    assert floor.centre.live.operator_state("1001")["own_call"]
    floor.centre.on_channels("1001", frozenset())
    assert floor.state("1001") == "ready"
    await Control(floor.centre).answer('{"do": "operator.state", "operator": "1001", "state": "break"}')
    floor.centre.on_channels("1001", frozenset({"minato-1.8"}))
    assert floor.state("1001") == "break"


@pytest.mark.req("ACD-3", "MON-3")
async def test_a_waiting_call_is_moved_with_the_time_it_has_waited(tmp_path: Path) -> None:
    floor = await opened(tmp_path, two_queues(nobody="hangup"), ready=False)
    floor.connect()
    floor.centre.on_phone("1002", True)
    try:
        control = Control(floor.centre)
        first = await floor.calls("c1")
        await floor.calls("c2")
        since = first.queued_mono
        answer = await control.answer('{"do": "call.move", "call": "c1", "queue": "other", "by": "sv01"}')
        assert answer["result"] == {"call": "c1", "queue": "other", "position": 1}
        assert floor.last("moved") == {"queue": "other", "from": "main", "by": "sv01"}
        await settle()
        assert floor.kinds("c1")[-1] == "overflowed"  # that queue's own limit: nobody is signed on
        assert floor.last("overflowed") == {"queue": "other", "reason": "nobody", "to": "hangup"}

        floor.ready("1002")
        await settle()
        assert floor.last("offered")["queue"] == "main"  # c2
        third = await floor.calls("c3", NUMBER)
        answer = await control.answer('{"do": "call.move", "call": "c3", "queue": "other", "by": "sv01"}')
        assert answer["ok"]
        shown = next(one for one in floor.centre.live.state()["calls"] if one["id"] == "c3")
        assert (shown["queue"], shown["moved_from"], shown["position"]) == ("other", "main", 1)
        assert (first.queued_mono, third.walk.step) == (since, "queue:other")
        [waiting] = [one for one in floor.floor.distributor.waiting() if one.call == "c3"]
        assert waiting.since == third.queued_mono
    finally:
        close(floor.centre)


@pytest.mark.req("MON-3")
async def test_a_moved_call_stands_in_the_new_queue_after_a_restart(tmp_path: Path) -> None:
    floor = await opened(tmp_path, two_queues(), ready=False)
    floor.connect()
    call = await floor.calls("c1")
    moved = '{"do": "call.move", "call": "c1", "queue": "other", "by": "sv01"}'
    assert (await Control(floor.centre).answer(moved))["ok"]
    since, channel = call.queued_mono, call.channel
    close(floor.centre)
    again = await opened(tmp_path, ready=False)
    again.connect(channel)  # type: ignore[arg-type]
    await settle()
    [waiting] = again.floor.distributor.waiting()
    assert (waiting.queue, waiting.since) == ("other", since)
    assert "queued" not in again.kinds("c1")
    [shown] = again.centre.live.state()["calls"]
    assert (shown["queue"], shown["moved_from"], shown["phase"]) == ("other", "main", "waiting")
    close(again.centre)


@pytest.mark.req("MON-3")
@pytest.mark.parametrize(
    ("call", "queue", "code"),
    [
        ("c9", "other", "unknown_call"),
        ("c1", "nowhere", "unknown_queue"),
        ("c1", "other", "not_waiting"),
        ("c2", "main", "not_waiting"),
    ],
    ids=["over", "no such queue", "talks", "there already"],
)
async def test_a_call_cannot_be_moved_like_this(tmp_path: Path, call: str, queue: str, code: str) -> None:
    floor = await opened(tmp_path, two_queues())
    try:
        await floor.calls("c1")
        await floor.answers("1001")
        await floor.calls("c2")
        command = f'{{"do": "call.move", "call": "{call}", "queue": "{queue}", "by": "sv01"}}'
        answer = await Control(floor.centre).answer(command)
        assert answer["error"]["code"] == code
        assert answer["error"]["message"] != answer["error"]["message_en"]
        assert "moved" not in floor.kinds("c1") + floor.kinds("c2")
    finally:
        close(floor.centre)


@pytest.mark.req("ACD-1", "ACD-6")
async def test_an_offer_withdrawn_before_it_rang_stands_in_the_ledger_with_its_end(tmp_path: Path) -> None:
    made = await opened(tmp_path, site(operators=1))
    await made.calls("minato-1.1")
    await made.answers("1001")
    await made.calls("minato-1.2")
    made.noted.clear()
    made.floor.over("1001")  # offered at once, or after the wrap-up
    made.centre.wants("1001", OperatorState.READY, "", "test")
    made.centre.wants("1001", OperatorState.BREAK, "", "test")  # in the same moment
    await settle()
    assert made.kinds("minato-1.2") == ["offered", "offer_ended"]
    assert made.last("offer_ended")["reason"] == "withdrawn"
    close(made.centre)
