"""/cases (折り返し・案件) and its API."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest

from desk import Case, cases

from .conftest import Browser, Running, Start, live_call
from .test_api import log_of

CALLER = "09012345678"


async def case(running: Running, subject: str, **fields: Any) -> Case:
    values: dict[str, Any] = {"kind": "case", "caller": CALLER, **fields}
    return await cases.add(running.console.store, "op01", subject=subject, **values)


async def send(browser: Browser, path: str, **fields: str) -> aiohttp.ClientResponse:
    return await browser.client.post(path, data={"csrf": browser.csrf, **fields}, allow_redirects=False)


@pytest.mark.req("OPR-3", "CON-1")
async def test_open_ones_by_due_date_and_done_ones(start: Start) -> None:
    running = await start(users=("op01",))
    now = datetime.now(UTC)
    await case(running, "期限なしの件")
    await case(running, "あすの件", due_at=now + timedelta(days=1), operator="1002")
    late = await case(
        running,
        "きのうの件",
        due_at=now - timedelta(days=1),
        call="minato-1.5",
        number="0246221111",
        kind="callback",
    )
    browser = await running.browser("op01")
    page = await (await browser.get("/cases")).text()
    assert page.index("きのうの件") < page.index("あすの件") < page.index("期限なしの件")
    for part in ("期限切れ", "090-1234-5678", "市代表", "操作者02", "期限なし", 'href="/calls/minato-1.5"'):
        assert part in page, part
    assert (await browser.client.post(f"/cases/{late.id}/done")).status == 403  # no token
    done = await send(browser, f"/cases/{late.id}/done")
    assert (done.status, done.headers["Location"]) == (303, "/cases?done=settled")
    page = await (await browser.get("/cases?done=settled")).text()
    assert ("きのうの件" in page, "完了にしました" in page) == (False, True)
    page = await (await browser.get("/cases?state=done")).text()
    assert ("きのうの件" in page, "あすの件" in page) == (True, False)
    assert (await send(browser, f"/cases/{late.id}/reopen")).status == 303
    assert "きのうの件" in await (await browser.get("/cases")).text()
    assert "あすの件" not in await (await browser.get("/cases?mine=1")).text()  # 1002's
    assert (await send(browser, "/cases/99/done")).status == 404
    assert await log_of(running, "case_done") == [("op01", str(late.id))]
    assert await log_of(running, "case_reopen") == [("op01", str(late.id))]


@pytest.mark.req("OPR-3")
async def test_one_is_added_by_hand_and_nothing_typed_is_lost(start: Start) -> None:
    running = await start(users=("sv01", "staff01", "admin"))
    browser = await running.browser("sv01")
    assert "未完了の案件はありません" in await (await browser.get("/cases")).text()
    wrong = await send(
        browser, "/cases", kind="callback", subject="収集日の連絡", caller="", note="夕方がよい"
    )
    page = await wrong.text()
    assert wrong.status == 422
    assert "相手の電話番号が要ります" in page
    assert 'value="収集日の連絡"' in page
    assert "夕方がよい</textarea>" in page
    fields = {"kind": "callback", "subject": "収集日の連絡", "caller": "０９０-1234-5678"}
    assert (await send(browser, "/cases", **fields, due="2026-11-24T09:30", operator="1001")).status == 303
    (made,) = await cases.listed(running.console.store)
    assert (made.caller, made.operator, made.created_by) == (CALLER, "1001", "sv01")
    assert made.due_at == datetime(2026, 11, 24, 0, 30, tzinfo=UTC)
    assert await log_of(running, "case_add") == [("sv01", "callback 収集日の連絡")]
    for login in ("staff01", "admin"):
        other = await running.browser(login)
        assert (await other.get("/cases")).status == 403
        assert (await other.get("/api/v1/cases")).status == 403


@pytest.mark.req("OPR-3", "CON-1")
async def test_the_api_begins_lists_and_settles(start: Start) -> None:
    running = await start(users=("op01",))
    browser = await running.browser("op01")
    running.console.link.state.calls["minato-1.7"] = live_call("minato-1.7")
    body = {
        "kind": "callback",
        "subject": "調べて連絡",
        "call": "minato-1.7",
        "due_at": "2026-11-24T09:30:00+09:00",
    }
    made = await (await browser.post("/api/v1/cases", body)).json()
    assert (made["caller"], made["number"], made["caller_text"]) == (CALLER, "0246221111", "090-1234-5678")
    assert made["due_at"] == "2026-11-24T00:30:00Z"
    unknown = {"kind": "callback", "subject": "だれに?", "call": "minato-9.9"}
    assert (await browser.post("/api/v1/cases", unknown)).status == 422
    assert (await browser.post("/api/v1/cases", unknown | {"kind": "case"})).status == 200
    assert (await browser.post("/api/v1/cases", body | {"operator": "9999"})).status == 404
    listed = await (await browser.get(f"/api/v1/cases?state=open&caller={CALLER}")).json()
    assert ([one["id"] for one in listed["cases"]], listed["total"]) == ([made["id"]], 1)
    done = await (await browser.post(f"/api/v1/cases/{made['id']}/done", {"call": "minato-2.1"})).json()
    assert (done["state"], done["done_by"], done["done_call"]) == ("done", "op01", "minato-2.1")
    assert (await (await browser.get("/api/v1/cases?state=open")).json())["total"] == 1
    for path in ("/api/v1/cases/999/done", "/api/v1/cases/x/done"):
        assert (await browser.post(path, {})).status == 404


@pytest.mark.req("OPR-3", "NUM-5")
async def test_calling_back_from_a_case(start: Start) -> None:
    running = await start(users=("op01", "sv01"))
    browser = await running.browser("op01")
    made = await case(running, "折り返し", call="minato-1.5", kind="callback")
    nobody = await case(running, "番号なし", caller=None)
    assert f"/cases/{made.id}/dial" not in await (await browser.get("/cases")).text()  # no line for calls out
    assert (await send(browser, f"/cases/{made.id}/dial")).headers["Location"] == "/seat"
    command = await running.engine.told("operator.dial")
    assert {name: command[name] for name in ("operator", "number", "case", "about", "by")} == {
        "operator": "1001",
        "number": CALLER,
        "case": made.id,
        "about": "minato-1.5",
        "by": "op01",
    }
    assert (await browser.post(f"/api/v1/cases/{made.id}/dial", None)).status == 200
    await running.engine.told("operator.dial")
    running.engine.refuse = {"code": "not_allowed", "message": "かけられません", "message_en": "no"}
    refused = await send(browser, f"/cases/{made.id}/dial")
    assert (refused.status, "かけられません" in await refused.text()) == (409, True)
    running.engine.refuse = None
    assert (await send(browser, f"/cases/{nobody.id}/dial")).status == 409
    await cases.done(running.console.store, made.id, "op01")
    assert (await send(browser, f"/cases/{made.id}/dial")).status == 409
    assert (await send(await running.browser("sv01"), f"/cases/{nobody.id}/dial")).status == 409  # no seat
    assert [one[0] for one in await log_of(running, "dial")] == ["op01"] * 3
