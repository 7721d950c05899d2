"""What an operator does at the seat, at the API's border: who may, and what the engine is told."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, get_args

import pytest

import desk
from agent_console.api.models import LiveCall
from agent_console.console import Console
from desk import Entry, Open, cases, entry_of, open_at
from engine.call import Phase
from store import WrapUp

from .conftest import Browser, Running, Start, live_call, operator
from .test_api import add_call, log_of
from .test_live_socket import look

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
    watching = [{"supervisor": "sv", "mode": "listen"}, {"supervisor": "sx", "mode": "join"}]
    running, browser = await in_talk(start, supervision=watching)
    helps = [{"id": "h1", "operator": "1001"}, {"id": "h2", "operator": "1002"}]
    await running.engine.tell(helps=helps)
    seat, board = await look(browser), await look(await running.browser("sv01"))
    assert seat.seen["call"]["supervision"] == watching[1:]
    await seat.until("helps", helps[:1])
    calls = {one["id"]: one for one in board.seen["calls"]}
    assert calls["minato-1.1"]["supervision"] == watching


ENTRIES = [
    entry_of({"department": "環境課", "section": "ごみ係", "extension": "2314", "hours": "毎日 0:00-24:00"}),
    entry_of(
        {"department": "市民課", "extension": "2201", "direct": "0246-22-7101", "hours": "毎日 0:00-0:01"}
    ),
]


@pytest.mark.req("XFR-3")
async def test_a_closed_department_is_not_reached_by_any_of_its_numbers(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent_console.api.seat_work.open_now", noon)
    running, browser = await in_talk(start)
    await desk.replace(running.console.store, ENTRIES, "test")
    for to in (
        {"kind": "extension", "number": "2201"},
        {"kind": "extension", "number": "2201", "entry": 1},  # another department's line: no way round
        {"kind": "outside", "number": "0246 22 7101"},
    ):
        for verb in ("consult", "blind"):
            answer = await browser.post(f"{CALL}/{verb}", {"to": to})
            problem = await answer.json()
            assert (answer.status, problem["code"]) == (409, "closed"), problem
            assert "市民課" in problem["detail"]
            assert "0:00" in problem["detail"]
    assert running.engine.commands.empty()
    answer = await browser.post(
        f"{CALL}/consult", {"to": {"kind": "extension", "number": "2314", "entry": 1}}
    )
    assert answer.status == 200
    assert (await running.engine.told("call.consult"))["to"]["entry"] == "1"


def noon(console: Console, entry: Entry) -> Open:
    return open_at(entry, console.site, datetime(2026, 11, 20, 3, 0, tzinfo=UTC))


@pytest.mark.req("OPR-3", "CON-6", "SEC-1")
async def test_the_history_is_that_of_the_one_who_calls(start: Start) -> None:
    running, browser = await in_talk(start)
    store = running.console.store
    await add_call(running, "minato-1.8", operator="1002", sound=False)
    async with store.session() as session:
        session.add(
            WrapUp(
                id="w-1",
                call="minato-1.8",
                operator="1002",
                result="transferred",
                category="ごみ",
                note="粗大ごみの申込み",
                at=datetime.now(UTC),
                by="operator",
            )
        )
    await cases.add(
        store, "op02", kind="callback", subject="粗大ごみ", caller="09012345678", call="minato-1.8"
    )
    await cases.add(store, "op02", kind="case", subject="別の人", caller="09099999999")
    found = await (await browser.get(f"{CALL}/history")).json()
    assert [(one["call"], one["result"], one["category"], one["note"]) for one in found["contacts"]] == [
        ("minato-1.8", "transferred", "ごみ", "粗大ごみの申込み")
    ]
    assert found["contacts"][0]["operator_name"] == "操作者02"
    assert [(one["subject"], one["overdue"]) for one in found["cases"]] == [("粗大ごみ", False)]
    # Another operator has nothing to do with this call, and a number cannot be asked for.
    colleague = await running.browser("op02")
    assert (await colleague.get(f"{CALL}/history")).status == 404
    # … unless they are consulted about it.
    consulted = {"kind": "consult", "to": {"kind": "operator", "number": "1002"}, "state": "ringing"}
    consulted |= {"operator": "1001", "since": "2026-04-01T00:00:00Z"}
    await running.engine.tell(
        calls=[live_call("minato-1.1", phase="consulting", operator="1001", transfer=consulted)]
    )
    assert (await (await colleague.get(f"{CALL}/history")).json())["contacts"] == found["contacts"]
    assert (await browser.get("/api/v1/calls/minato-9.9/history")).status == 404
    await running.engine.tell(calls=[live_call("minato-1.1", phase="talking", operator="1001", caller=None)])
    nobody = await (await browser.get(f"{CALL}/history")).json()
    assert nobody == {"contacts": [], "cases": []}


@pytest.mark.req("OPR-4", "CON-1", "CON-2")
async def test_a_wrap_up_is_saved_with_its_faq_and_leaves_one_case(start: Start) -> None:
    running, browser = await in_talk(start)
    path = "/api/v1/operators/1001/wrap-up"
    form = {
        "call": "minato-1.1",
        "result": "callback",
        "category": "くらし › ごみ",
        "note": "16時以降に",
        "faq": ["123", "7"],
        "follow_up": {"kind": "callback", "due_at": "2026-11-24T16:00", "subject": ""},
    }
    running.engine.refuse = {"code": "no_wrap_up", "message": "―", "message_en": "-"}
    refused = await browser.post(path, form)
    assert refused.status == 409, await refused.text()
    running.engine.refuse = None
    assert (await browser.post(path, form)).status == 200  # the same form again: one case all the same
    for _ in range(2):
        told = await running.engine.told("operator.wrapped_up")
    assert (told["faq"], told["follow_up"], told["result"]) == (["123", "7"], "callback", "callback")
    [left] = await cases.listed(running.console.store, "open", call="minato-1.1")
    assert (left.kind, left.caller, left.number) == ("callback", "09012345678", "0246221111")
    assert (left.subject, left.note, left.operator) == ("くらし › ごみ", "16時以降に", "1001")
    assert left.due_at == datetime(2026, 11, 24, 7, 0, tzinfo=UTC)
    assert (await browser.post(path, {**form, "faq": ["x"]})).status == 422
    await running.engine.tell(calls=[live_call("minato-1.2", operator="1001", caller=None)])
    answer = await browser.post(path, {**form, "call": "minato-1.2"})
    assert (answer.status, (await answer.json())["code"]) == (409, "no_caller")


def test_the_api_knows_every_phase_of_a_call() -> None:
    assert {phase.value for phase in Phase} == set(get_args(LiveCall.model_fields["phase"].annotation))
