"""What an operator does at the seat, at the API's border: who may, and what the engine is told."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import Browser, Running, Start, live_call, operator
from .test_api import log_of

CALL = "/api/v1/calls/minato-1.1"
EXTENSION = {"kind": "extension", "number": "23-14", "name": "ごみ係", "department": "環境課"}


async def in_talk(start: Start, **changes: Any) -> tuple[Running, Browser]:
    """op01 is in the conversation minato-1.1."""
    running = await start()
    call = live_call("minato-1.1", phase="talking", operator="1001", **changes)
    await running.engine.tell(operators=[operator("1001", state="talking", call="minato-1.1")], calls=[call])
    browser = await running.browser("op01")
    assert running.console.link.state.call_of("1001") is not None
    return running, browser


@pytest.mark.req("XFR-1", "OPR-1")
@pytest.mark.parametrize(
    ("verb", "body", "told"),
    [
        ("consult", {"to": EXTENSION}, {"do": "call.consult", "to": {**EXTENSION, "number": "2314"}}),
        (
            "blind",
            {"to": {"kind": "queue", "number": "main"}},
            {"do": "call.blind", "to": {"kind": "queue", "number": "main"}},
        ),
        ("swap", {}, {"do": "call.swap"}),
        ("three-way", {}, {"do": "call.three_way"}),
        ("complete", {}, {"do": "call.complete"}),
        ("return", {}, {"do": "call.return"}),
        ("mute", {}, {"do": "call.mute"}),
        ("unmute", {}, {"do": "call.unmute"}),
        ("dtmf", {"digits": "12#"}, {"do": "call.dtmf", "digits": "12#"}),
        ("end-politely", {}, {"do": "call.end_politely"}),
    ],
)
async def test_the_engine_is_told_what_the_operator_wants(
    start: Start, verb: str, body: dict[str, Any], told: dict[str, Any]
) -> None:
    running, browser = await in_talk(start)
    answer = await browser.post(f"{CALL}/{verb}", body)
    assert answer.status == 200, await answer.text()
    command = await running.engine.told(told["do"])
    assert {**command, "id": 0} == {**told, "id": 0, "call": "minato-1.1", "operator": "1001"}


@pytest.mark.req("SEC-1")
@pytest.mark.parametrize("verb", ["swap", "mute", "complete", "return", "end-politely"])
async def test_nobody_acts_in_anothers_conversation(start: Start, verb: str) -> None:
    running, _ = await in_talk(start)
    other = await running.browser("op02")
    # As oneself the engine decides; it is never told that one is somebody else.
    assert (await other.post(f"{CALL}/{verb}", {"operator": "1001"})).status == 403
    await other.post(f"{CALL}/{verb}", {})
    command = await running.engine.told(f"call.{verb.replace('-', '_')}")
    assert command["operator"] == "1002"


@pytest.mark.req("OPR-5", "SEC-1")
async def test_marks_are_set_by_who_talks_or_supervises_and_logged(start: Start) -> None:
    running, browser = await in_talk(start)
    wanted = {"mark": "emergency", "note": "爆破予告"}
    assert (await (await running.browser("op02")).post(f"{CALL}/mark", wanted)).status == 403
    assert (await browser.post(f"{CALL}/mark", wanted)).status == 200
    command = await running.engine.told("call.mark")
    assert command == {
        "id": command["id"],
        "do": "call.mark",
        "call": "minato-1.1",
        "operator": "1001",
        "by": "op01",
        "mark": "emergency",
        "on": True,
        "note": "爆破予告",
    }
    boss = await running.browser("sv01")
    assert (await boss.post(f"{CALL}/mark", {"mark": "harassment", "on": False})).status == 200
    assert (await running.engine.told("call.mark"))["by"] == "sv01"
    assert await log_of(running, "call_mark") == [
        ("op01", "minato-1.1 emergency"),
        ("sv01", "minato-1.1 harassment (off)"),
    ]


@pytest.mark.req("NUM-5", "SEC-1", "SEC-4")
async def test_calls_out_are_logged_and_a_refusal_says_why(start: Start) -> None:
    running = await start()
    browser = await running.browser("op01")
    path = "/api/v1/operators/1001/dial"
    answer = await browser.post(path, {"number": "(0246) 22-9110", "about": "minato-1.1", "case": 7})
    assert answer.status == 200
    command = await running.engine.told("operator.dial")
    assert command == {
        "id": command["id"],
        "do": "operator.dial",
        "operator": "1001",
        "number": "0246229110",
        "about": "minato-1.1",
        "case": 7,
        "by": "op01",
    }
    running.engine.refuse = {"code": "not_allowed", "message": "国際電話は使えません。", "message_en": "no"}
    refused = await browser.post(path, {"number": "010-1-212"})
    assert (refused.status, (await refused.json())["detail"]) == (409, "国際電話は使えません。")
    assert await log_of(running, "dial") == [("op01", "1001 0246229110"), ("op01", "1001 0101212")]
    assert (await browser.post("/api/v1/operators/1002/dial", {"number": "110"})).status == 403
    assert (await browser.post("/api/v1/operators/nobody/dial", {"number": "110"})).status == 404


@pytest.mark.req("OPR-5", "SEC-1")
async def test_help_is_asked_and_answered_by_those_it_concerns(start: Start) -> None:
    running, browser = await in_talk(start)
    body = {"text": "制度が分かりません", "call": "minato-1.1"}
    assert (await browser.post("/api/v1/operators/1001/help", body)).status == 200
    asked = await running.engine.told("help.ask")
    assert (asked["operator"], asked["text"], asked["urgent"]) == ("1001", "制度が分かりません", False)
    await running.engine.tell(helps=[{"id": "h1", "operator": "1001", "state": "open", "messages": []}])
    other, boss = await running.browser("op02"), await running.browser("sv01")
    assert (await other.post("/api/v1/helps/h1/say", {"text": "?"})).status == 403
    assert (await boss.post("/api/v1/helps/h1/say", {"text": "代わります"})).status == 200
    said = await running.engine.told("help.say")
    assert (said["help"], said["by"], said["text"]) == ("h1", "sv01", "代わります")
    assert (await browser.post("/api/v1/helps/h1/say", {"text": " "})).status == 422
    assert (
        await browser.client.post("/api/v1/helps/h1/close", headers={"X-CSRF-Token": browser.csrf})
    ).status == 200
    assert (await running.engine.told("help.close"))["by"] == "op01"
    assert (await boss.post("/api/v1/helps/h9/say", {"text": "?"})).status == 404


@pytest.mark.req("XFR-1")
async def test_operators_and_queues_are_found_with_their_state(start: Start) -> None:
    running = await start()
    browser = await running.browser("op01")
    found = await (await browser.get("/api/v1/targets?q=02")).json()
    assert found["operators"] == [{"id": "1002", "name": "操作者1002", "state": "off", "reachable": False}]
    assert found["queues"] == []
    found = await (await browser.get("/api/v1/targets")).json()
    assert [one["id"] for one in found["operators"]] == ["1002"]  # nobody transfers to oneself
    assert found["queues"] == [{"id": "main", "name": "総合案内", "waiting": 1}]


@pytest.mark.req("MON-2", "OPR-5")
async def test_a_seat_sees_its_own_requests_and_of_supervisors_those_who_joined(start: Start) -> None:
    from .test_live_socket import look

    watching = [{"supervisor": "sv", "mode": "listen"}, {"supervisor": "sx", "mode": "join"}]
    running, browser = await in_talk(start, supervision=watching)
    helps = [{"id": "h1", "operator": "1001"}, {"id": "h2", "operator": "1002"}]
    await running.engine.tell(helps=helps)
    seat, board = await look(browser), await look(await running.browser("sv01"))
    assert seat.seen["call"]["supervision"] == watching[1:]
    await seat.until("helps", helps[:1])
    calls = {one["id"]: one for one in board.seen["calls"]}
    assert calls["minato-1.1"]["supervision"] == watching
