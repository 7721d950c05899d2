"""The API at its borders: rights, CSRF, malformed input, the engine's answers, its own document."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, get_args

import pytest
from sqlalchemy import select, update

from agent_console import api
from agent_console.api import models
from cdr import FIGURES, Outcome
from store import AccessEntry, CallRow, EventRow, Recording, plans

from .conftest import Running, Start

STATE = "/api/v1/operators/1001/state"
ALL = ("op01", "op02", "sv01", "staff01", "admin", "audit")


async def add_call(
    running: Running, call: str = "minato-1.9", operator: str = "1001", sound: bool = True
) -> None:
    now = datetime.now(UTC)
    store = running.console.store
    async with store.session() as session:
        session.add(
            CallRow(
                call=call,
                number="0246221111",
                caller="09012345678",
                queue="main",
                via="engine",
                arrived_at=now,
                queued_at=now,
                answered_at=now,
                ended_at=now,
                operator=operator,
                operators=[operator],
                offers=1,
                refusals=0,
                answer_s=4.0,
                wait_s=3.0,
                talk_s=20.0,
                hold_s=0.0,
                wrap_up_s=None,
                total_s=24.0,
                outcome="answered",
                ended_by="caller",
                cause=16,
                reason="normal",
            )
        )
        session.add(
            EventRow(
                id=f"e-{call}",
                at=now,
                mono=None,
                boot=None,
                call=call,
                kind="arrived",
                data={"caller": "09012345678", "number": "0246221111"},
            )
        )
        if sound:
            path = f"{call}.flac"
            session.add(Recording(call=call, path=path, seconds=20.0, state="ready", created_at=now))
            (running.settings.archive / path).write_bytes(b"fLaC" + bytes(range(200)))


async def log_of(running: Running, action: str) -> list[tuple[str | None, str | None]]:
    async with running.console.store.reading() as session:
        rows = await session.scalars(select(AccessEntry).where(AccessEntry.action == action))
        return [(row.login, row.detail) for row in rows]


@pytest.mark.req("SEC-1")
async def test_rights_decide_who_may_what(start: Start) -> None:
    running = await start(users=ALL)
    await add_call(running)
    wanted = {  # path: who may
        "/api/v1/session": set(ALL),
        "/api/v1/session/phone": {"op01", "op02", "sv01"},  # sv01 has the right but no seat: 404
        "/api/v1/live": {"sv01", "staff01", "admin", "audit"},
        "/api/v1/kpi": {"sv01", "staff01", "admin", "audit"},
        "/api/v1/calls": set(ALL),
        "/api/v1/calls/minato-1.9": set(ALL) - {"op02"},  # op02 had no part in it: 404
        "/api/v1/calls/minato-1.9/recording": {"op01", "sv01", "audit"},
        "/api/v1/operators/1001/phone": {"admin"},
    }
    for login in ALL:
        browser = await running.browser(login)
        for path, may in wanted.items():
            status = (await browser.get(path)).status
            allowed = status == 200 or (login, path, status) == ("sv01", "/api/v1/session/phone", 404)
            assert allowed == (login in may), (login, path, status)


@pytest.mark.req("SEC-1")
async def test_operators_act_for_themselves_supervisors_for_all(start: Start) -> None:
    running = await start()
    operator, supervisor = await running.browser("op01"), await running.browser("sv01")
    assert (await operator.post(STATE, {"state": "break", "reason": "昼食"})).status == 200
    told = await running.engine.told("operator.state")
    assert told | {"id": 0} == {
        "id": 0,
        "do": "operator.state",
        "operator": "1001",
        "state": "break",
        "reason": "昼食",
    }
    assert (await operator.post("/api/v1/operators/1002/state", {"state": "off"})).status == 403
    assert (await supervisor.post(STATE, {"state": "off"})).status == 200
    assert (await running.engine.told("operator.state"))["by"] == "sv01"
    assert await log_of(running, "state_set") == [("sv01", "1001 off")]


async def test_the_token_needs_no_cookie_and_no_csrf(start: Start) -> None:
    running = await start()
    client = (await running.browser()).client
    assert (await client.post(STATE, json={"state": "ready"}, headers=running.token)).status == 200
    wrong = await client.get("/api/v1/live", headers={"Authorization": "Bearer nonsense"})
    assert wrong.status == 401
    assert "WWW-Authenticate" in wrong.headers
    phone = await (await client.get("/api/v1/operators/1001/phone", headers=running.token)).json()
    assert phone["user"] == "1001"
    assert phone["secret"] == running.console.keys.sip["1001"]
    assert await log_of(running, "phone_secret") == [("api-token", "1001")]


@pytest.mark.req("SEC-1")
async def test_changes_need_the_csrf_token_and_our_own_origin(start: Start) -> None:
    running = await start()
    browser = await running.browser("op01")
    for headers in (
        {"X-CSRF-Token": ""},
        {"X-CSRF-Token": "x" * 32},
        {"Origin": "https://evil.test"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
    ):
        answer = await browser.post(STATE, {"state": "ready"}, **headers)
        assert answer.status == 403, headers
        assert answer.content_type == "application/problem+json"
    own = str(running.server.make_url("")).rstrip("/")
    assert (await browser.post(STATE, {"state": "ready"}, Origin=own)).status == 200


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        (b"{", 400, "body"),
        (b"\xff\xfe", 400, "body"),
        (b"[]", 422, "body"),
        (b"null", 422, "body"),
        (b"{}", 422, "body.state"),
        (b'{"state": "dancing"}', 422, "body.state"),
        (b'{"state": 1}', 422, "body.state"),
        (b'{"state": "ready", "color": "red"}', 422, "body.color"),
        (b'{"state": "break", "reason": "' + b"x" * 61 + b'"}', 422, "body.reason"),
        (b"[" * 5000, 400, "body"),
        (b" " * 70_000, 413, None),
    ],
)
async def test_malformed_bodies_are_told_what_is_wrong(
    start: Start, body: bytes, status: int, field: str | None
) -> None:
    running = await start()
    browser = await running.browser("op01")
    headers = {"Content-Type": "application/json", "X-CSRF-Token": browser.csrf}
    answer = await browser.client.post(STATE, data=body, headers=headers)
    problem = await answer.json()
    assert answer.status == status, problem
    assert answer.content_type == "application/problem+json"
    assert problem["title"]
    assert problem["detail"]
    if field is not None:
        assert field in [error["field"] for error in problem["errors"]]
    assert running.engine.commands.empty()


async def test_other_content_types_and_methods_are_refused(start: Start) -> None:
    running = await start()
    browser = await running.browser("op01")
    headers = {"X-CSRF-Token": browser.csrf}
    assert (await browser.client.post(STATE, data={"state": "ready"}, headers=headers)).status == 415
    wrong = await browser.client.delete(STATE, headers=headers)
    assert (wrong.status, wrong.headers["Allow"]) == (405, "POST")
    missing = await browser.client.get("/api/v1/nothing")
    assert (missing.status, missing.content_type) == (404, "application/problem+json")


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=x", "from=yesterday", "from=2026-11-22&to=2026-11-21", "outcome=fine", "colour=1"],
)
async def test_bad_queries_name_the_field(start: Start, query: str) -> None:
    running = await start()
    answer = await (await running.browser("sv01")).get(f"/api/v1/calls?{query}")
    problem = await answer.json()
    assert answer.status == 422, problem
    assert problem["errors"][0]["field"].startswith("query.")


async def test_the_engines_refusal_reaches_the_user_in_their_language(start: Start) -> None:
    running = await start()
    running.engine.refuse = {
        "code": "not_talking",
        "message": "通話中ではありません。",
        "message_en": "nobody talks",
    }
    browser = await running.browser("op01")
    answer = await browser.post("/api/v1/calls/minato-1.1/hold", {})
    assert (answer.status, (await answer.json())["detail"]) == (409, "通話中ではありません。")
    english = await browser.post("/api/v1/calls/minato-1.1/hold", {}, **{"Accept-Language": "en-GB"})
    assert (await english.json())["detail"] == "nobody talks"
    running.engine.refuse["code"] = "unknown_call"
    assert (await browser.post("/api/v1/calls/minato-1.1/hold", {})).status == 404


@pytest.mark.req("REL-1")
async def test_without_the_engine_pages_are_served_and_commands_say_so(start: Start) -> None:
    running = await start(engine=False)
    browser = await running.browser("op01")
    assert (await browser.get("/seat")).status == 200
    assert await (await browser.get("/healthz")).json() == {"ok": True, "engine": False, "switch": False}
    answer = await browser.post(STATE, {"state": "ready"})
    assert (answer.status, answer.headers["Retry-After"]) == (503, "2")
    assert (await answer.json())["code"] == "engine_away"


async def test_a_command_that_is_never_answered_says_it_may_have_been_done(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent_console.link.COMMAND_TIMEOUT_S", 0.05)
    running = await start()
    running.engine.deaf = True
    answer = await (await running.browser("op01")).post(STATE, {"state": "ready"})
    assert answer.status == 503
    assert "実行された可能性" in (await answer.json())["detail"]


@pytest.mark.req("REC-7")
async def test_a_replay_is_logged_and_served_in_ranges(start: Start) -> None:
    running = await start()
    await add_call(running)
    browser = await running.browser("op01")
    path = "/api/v1/calls/minato-1.9/recording"
    whole = await browser.get(path)
    assert (whole.status, whole.content_type) == (200, "audio/flac")
    assert (await whole.read())[:4] == b"fLaC"
    part = await browser.get(path, Range="bytes=4-7")
    assert (part.status, await part.read()) == (206, bytes(range(4)))
    assert part.headers["Content-Range"] == "bytes 4-7/204"
    assert (await browser.get(path, Range="bytes=9999-")).status == 416
    assert await log_of(running, "replay") == [("op01", "minato-1.9")]


async def test_a_recording_outside_the_archive_is_not_served(start: Start, settings: Any) -> None:
    running = await start()
    await add_call(running)
    (settings.archive.parent / "outside.flac").write_bytes(b"secret")
    async with running.console.store.session() as session:
        (await session.get_one(Recording, "minato-1.9")).path = "../outside.flac"
    assert (await (await running.browser("op01")).get("/api/v1/calls/minato-1.9/recording")).status == 404


@pytest.mark.req("CON-6")
async def test_callers_are_masked_for_eyes_without_the_right(start: Start) -> None:
    running = await start(users=("staff01", "sv01"))
    await add_call(running)
    staff, supervisor = await running.browser("staff01"), await running.browser("sv01")
    for path in ("/api/v1/live", "/api/v1/calls", "/api/v1/calls/minato-1.9", "/calls", "/calls/minato-1.9"):
        masked, whole = await (await staff.get(path)).text(), await (await supervisor.get(path)).text()
        digits = masked.replace("-", "")
        assert "09012345678" not in digits, path
        assert "0901234****" in digits, path
        assert "09012345678" in whole.replace("-", ""), path


@pytest.mark.req("KPI-1", "KPI-2", "KPI-3")
async def test_kpi_and_calls_of_today(start: Start) -> None:
    running = await start()
    await add_call(running)
    browser = await running.browser("sv01")
    kpi = models.Kpis.model_validate(await (await browser.get("/api/v1/kpi")).json())
    assert (kpi.offered, kpi.answered, kpi.answer_rate, kpi.mean_answer_s, kpi.within_rate) == (1, 1, 1, 4, 1)
    calls = await (await browser.get("/api/v1/calls?number=0246-22-1111&outcome=answered")).json()
    assert [(c["call"], c["caller_text"], c["number_name"]) for c in calls["calls"]] == [
        ("minato-1.9", "090-1234-5678", "市代表")
    ]
    assert (await (await browser.get("/api/v1/calls?outcome=lost")).json()) == {"calls": [], "total": 0}


def test_the_api_knows_every_outcome_and_every_figure() -> None:
    assert {outcome.value for outcome in Outcome} <= set(get_args(models.Outcome))
    assert set(FIGURES) <= set(models.Kpis.model_fields)


@pytest.mark.req("KPI-1")
async def test_outcomes_of_the_plan_can_be_chosen_and_overflow_is_a_figure(
    start: Start,
) -> None:
    running = await start()
    for outcome in ("forwarded", "announced", "abandoned_menu"):
        await add_call(running, call=f"minato-{outcome}", sound=False)
        async with running.console.store.session() as session:
            await session.execute(
                update(CallRow)
                .where(CallRow.call == f"minato-{outcome}")
                .values(outcome=outcome, answered_at=None, operator=None, operators=[])
            )
    browser = await running.browser("sv01")
    for outcome, word in (
        ("forwarded", "外部へ転送"),
        ("announced", "案内で終了"),
        ("abandoned_menu", "放棄 (案内のボタン)"),
    ):
        found = await (await browser.get(f"/api/v1/calls?outcome={outcome}")).json()
        assert [call["call"] for call in found["calls"]] == [f"minato-{outcome}"]
        assert found["total"] == 1
        listed = await (await browser.get(f"/calls?outcome={outcome}")).text()
        assert f'data-outcome="{outcome}">{word}<' in listed
        assert listed.count("data-outcome=") == 1
    kpi = models.Kpis.model_validate(await (await browser.get("/api/v1/kpi")).json())
    assert (kpi.offered, kpi.answered, kpi.abandoned, kpi.lost, kpi.overflowed) == (3, 0, 1, 0, 2)


# -- the document


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if "$ref" in value:
            yield value["$ref"]
        for part in value.values():
            yield from references(part)
    elif isinstance(value, list):
        for part in value:
            yield from references(part)


async def test_the_document_describes_what_is_served(start: Start) -> None:
    running = await start(users=("sv01",))
    await add_call(running)
    document = await (await (await running.browser()).get("/api/openapi.json")).json()
    assert document["openapi"] == "3.1.0"
    schemas = document["components"]["schemas"]
    assert {ref.removeprefix("#/components/schemas/") for ref in references(document)} <= set(schemas)
    routed = {
        (route.method.lower(), route.resource.canonical)
        for route in running.app.router.routes()
        if route.resource is not None and route.resource.canonical.startswith(("/api/v1", "/live"))
    } - {("head", path) for path in document["paths"]}
    described = {(method, path) for path, methods in document["paths"].items() for method in methods}
    assert described == {one for one in routed if one[0] != "head"}
    identifiers = [op["operationId"] for methods in document["paths"].values() for op in methods.values()]
    assert len(identifiers) == len(set(identifiers))


async def test_live_answers_are_as_described(start: Start) -> None:
    running = await start(users=("sv01",))
    await add_call(running)
    client = (await running.browser()).client
    store, text = running.console.store, running.settings.site_path.read_text(encoding="utf-8")
    version = await plans.add_version(store, text, author="file")
    await plans.note_live(store, version.id, by="file")
    draft = await client.post("/api/v1/plan/draft", json={"text": text + "# mine\n"}, headers=running.token)
    assert await draft.json() == {"problems": []}
    more = {"hearPlan": "?number=0246221111", "planYear": "?number=0246221111&year=2027"}
    checked = set()
    for operation in api.OPERATIONS:
        if operation.method != "GET" or operation.answer is None or operation.id == "ownPhone":
            continue
        path = operation.path.replace("{call}", "minato-1.9").replace("{operator}", "1001")
        path = path.replace("{version}", "1").replace("{activation}", "1") + more.get(operation.id, "")
        answer = await client.get(path, headers=running.token)
        assert answer.status == 200, path
        operation.answer.model_validate(await answer.json())
        checked.add(operation.id)
    of_the_plan = {
        "plan",
        "planDraft",
        "planVersions",
        "planVersion",
        "planActivation",
        "hearPlan",
        "planYear",
    }
    of_the_plan |= {"planCounts", "planSwitches", "planEvents"}
    of_sharing = {"callbacks", "whyCall", "evenness", "staffingHistory"}
    of_the_seats = {"transferTargets", "callHistory", "findInDirectory", "cases"}
    of_the_seats |= {"alarms", "trend", "wallLinks"}
    of_calls = {"session", "live", "phone", "calls", "call", "kpi"}
    assert checked == of_calls | of_the_plan | of_sharing | of_the_seats


async def test_every_answer_carries_the_security_headers(start: Start) -> None:
    running = await start()
    browser = await running.browser("op01")
    for path in ("/seat", "/api/v1/session", "/api/v1/nothing", "/static/console.css", "/healthz", "/signin"):
        headers = (await browser.get(path)).headers
        policy = headers["Content-Security-Policy"]
        assert "script-src 'self'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["X-Content-Type-Options"] == "nosniff"


async def test_static_files_stay_within_their_folder(start: Start) -> None:
    running = await start()
    browser = await running.browser()
    for path in (
        "/static/../app.py",
        "/static/%2e%2e/app.py",
        "/static//etc/passwd",
        "/static/bundle/../../app.py",
    ):
        assert (await browser.get(path)).status == 404, path
