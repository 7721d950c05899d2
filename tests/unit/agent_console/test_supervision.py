"""The supervisor's commands over the API: what the engine is told, who may, what stands in the access log;
and what the board is told that others are not."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlalchemy import select

from agent_console.audit import Action
from store import AccessEntry, StoreUnavailable

from .conftest import USERS, Browser, Running, Start, live_call, operator
from .test_live_socket import Page, look

SUPERVISOR = "1002"
TALK = live_call("minato-1.1", phase="talking", operator="1001", position=None)
HELP = {
    "id": "h1",
    "operator": "1001",
    "call": "minato-1.1",
    "at": "2026-11-21T00:01:00.000000Z",
    "urgent": False,
    "state": "open",
    "by": None,
    "messages": [{"at": "2026-11-21T00:01:00.000000Z", "by": "1001", "text": "聞いていてください"}],
}


@pytest.fixture
def _with_phone(monkeypatch: pytest.MonkeyPatch) -> None:
    """sv01 has the telephone of 1002."""
    users = [one | {"operator": SUPERVISOR} if one["login"] == "sv01" else one for one in USERS]
    users = [one for one in users if one["login"] != "op02"]
    monkeypatch.setattr("tests.unit.agent_console.conftest.USERS", users)


@pytest.fixture
async def running(_with_phone: None, start: Start) -> Running:
    return await start(users=("op01", "sv01", "staff01", "admin", "audit"))


@pytest.fixture
async def boss(running: Running) -> Browser:
    await running.engine.tell(calls=[TALK])
    return await running.browser("sv01")


async def log_of(running: Running, action: Action = Action.SUPERVISE) -> list[tuple[str | None, str | None]]:
    async with running.console.store.reading() as database:
        query = select(AccessEntry).where(AccessEntry.action == action.value).order_by(AccessEntry.id)
        return [(row.login, row.detail) for row in (await database.scalars(query)).all()]


@pytest.mark.req("MON-2", "SEC-2")
@pytest.mark.parametrize("mode", ["listen", "whisper", "join"])
async def test_listening_is_on_record_before_it_begins(running: Running, boss: Browser, mode: str) -> None:
    answer = await boss.post("/api/v1/calls/minato-1.1/supervise", {"mode": mode})
    assert answer.status == 200, await answer.text()
    told = await running.engine.told("supervise.start")
    assert (told["call"], told["supervisor"], told["mode"], told["by"]) == (
        "minato-1.1",
        SUPERVISOR,
        mode,
        "sv01",
    )
    assert await log_of(running) == [
        ("sv01", f"ask {mode} call=minato-1.1 operator=1001 supervisor={SUPERVISOR}")
    ]


@pytest.mark.req("MON-2", "SEC-2", "REL-4")
async def test_without_the_database_nobody_listens(
    running: Running, boss: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object, **__: object) -> Any:
        raise StoreUnavailable("away")

    monkeypatch.setattr("agent_console.audit.note", away)
    answer = await boss.post("/api/v1/calls/minato-1.1/supervise", {"mode": "listen"})
    assert answer.status == 503
    assert running.engine.commands.empty()
    # Taking a call over is no listening: a citizen waits for it.
    assert (await boss.post("/api/v1/calls/minato-1.1/take-over", None)).status == 200


@pytest.mark.req("MON-2", "SEC-2")
async def test_the_end_of_each_mode_is_on_record_with_its_times(running: Running, boss: Browser) -> None:
    def with_mode(mode: str | None) -> dict[str, Any]:
        since = "2026-11-21T01:00:00.000Z"
        listed = [{"supervisor": SUPERVISOR, "mode": mode, "since": since}] if mode else []
        return {**TALK, "supervision": listed}

    page = await look(boss)
    for mode in ("listen", "join", None):
        await running.engine.tell(calls=[with_mode(mode)])
        await _sees(page, [mode] if mode else [])
    async with asyncio.timeout(10):
        while len(noted := await log_of(running)) < 2:
            await asyncio.sleep(0.02)
    assert [login for login, _ in noted] == ["sv01", "sv01"]
    first, second = (str(detail) for _, detail in noted)
    begun = (
        f"end listen call=minato-1.1 operator=1001 supervisor={SUPERVISOR} from=2026-11-21T01:00:00.000Z to="
    )
    assert first.startswith(begun)
    to = first.removeprefix(begun)
    assert second.startswith(f"end join call=minato-1.1 operator=1001 supervisor={SUPERVISOR} from={to} to=")


async def _sees(page: Page, modes: list[str]) -> None:
    """Until the board shows the call so."""
    async with asyncio.timeout(10):
        while True:
            for call in (await page.read()).get("calls", ()):
                if [one["mode"] for one in call.get("supervision", ())] == modes:
                    return


@pytest.mark.req("MON-2", "MON-3")
async def test_mode_stop_take_over_and_pull_reach_the_engine(running: Running, boss: Browser) -> None:
    assert (await boss.post("/api/v1/supervision/mode", {"mode": "join"})).status == 409
    supervising = {"call": "minato-1.1", "mode": "listen", "ringing": False}
    await running.engine.tell(operators=[operator(SUPERVISOR, supervising=supervising)])
    page = await look(boss)
    assert page.seen["me"]["supervising"] == supervising
    assert (await boss.post("/api/v1/supervision/mode", {"mode": "join"})).status == 200
    assert (await running.engine.told("supervise.mode"))["mode"] == "join"
    assert (await boss.post("/api/v1/supervision/stop", None)).status == 200
    assert (await running.engine.told("supervise.stop"))["supervisor"] == SUPERVISOR
    assert (await boss.post("/api/v1/calls/minato-1.1/take-over", None)).status == 200
    assert (await running.engine.told("supervise.take_over"))["by"] == "sv01"
    assert (await boss.post("/api/v1/calls/minato-1.1/pull", None)).status == 200
    assert (await running.engine.told("call.pull"))["supervisor"] == SUPERVISOR
    detail = f"call=minato-1.1 operator=1001 supervisor={SUPERVISOR}"
    assert await log_of(running, Action.TAKE_OVER) == [("sv01", detail)]
    assert await log_of(running, Action.CALL_PULL) == [("sv01", f"call=minato-1.1 supervisor={SUPERVISOR}")]


@pytest.mark.req("MON-2", "SEC-1")
@pytest.mark.parametrize("login", ["op01", "staff01", "admin", "audit"])
async def test_nobody_else_listens(running: Running, login: str) -> None:
    browser = await running.browser(login)
    for path, body in (
        ("calls/minato-1.1/supervise", {"mode": "listen"}),
        ("supervision/mode", {"mode": "join"}),
        ("supervision/stop", None),
        ("calls/minato-1.1/take-over", None),
        ("calls/minato-1.1/pull", None),
        ("helps/h1/take", None),
    ):
        assert (await browser.post(f"/api/v1/{path}", body)).status == 403, path
    assert running.engine.commands.empty()


@pytest.mark.req("MON-2")
async def test_a_supervisor_without_a_telephone_is_told_so(start: Start) -> None:
    running = await start()
    browser = await running.browser("sv01")
    answer = await browser.post("/api/v1/calls/minato-1.1/supervise", {"mode": "listen"})
    assert answer.status == 409
    assert (await answer.json())["code"] == "no_phone_of_own"
    page = await (await browser.get("/board")).text()
    assert "phone-menu" not in page


@pytest.mark.req("OPR-5", "SEC-1")
async def test_requests_for_help_are_for_supervisors_and_for_who_asked(
    running: Running, boss: Browser
) -> None:
    asking, board = await look(await running.browser("op01")), await look(boss)
    city = await look(await running.browser("staff01"))
    await running.engine.tell(helps=[HELP])
    await board.until("all_helps", [HELP])
    await asking.until("helps", [HELP])
    assert "all_helps" not in asking.seen
    await running.engine.tell(calls=[live_call("minato-1.2")])
    await city.until("waiting", {"count": 1, "longest_since": "2026-11-21T00:00:05.000000Z"})
    assert not {"all_helps", "alarms"} & set(city.seen)
    assert (await boss.post("/api/v1/helps/h1/take", None)).status == 200
    assert (await running.engine.told("help.take")) | {"id": 0} == {
        "id": 0,
        "do": "help.take",
        "help": "h1",
        "by": "sv01",
    }


@pytest.mark.req("MON-1", "MON-2")
async def test_the_telephone_is_at_the_seat_while_it_is_open(running: Running, boss: Browser) -> None:
    board, seat = await look(boss), await look(boss)
    assert board.seen["phone_page"] is None
    await board.socket.send_json({"seat": {"instance": "aaaaaaaa-1", "phone": "browser", "page": "board"}})
    await board.until("phone_page", "board")
    await seat.socket.send_json({"seat": {"instance": "bbbbbbbb-2", "phone": "browser"}})
    await board.until("phone_page", "seat")
    assert board.seen["replaced"] is True
    await seat.socket.close()
    await board.until("phone_page", None)


@pytest.mark.req("MON-1")
async def test_figures_by_number_and_queue_with_what_may_still_miss_and_the_days_curve(start: Start) -> None:
    running = await start()
    page = await look(await running.browser("sv01"))
    async with asyncio.timeout(10):
        while not page.seen.get("trend") or not page.seen.get("kpi"):
            await page.read()
    kpi, trend = page.seen["kpi"], page.seen["trend"]
    assert [one["id"] for one in kpi["queues"]] == ["main"]
    assert kpi["total"]["misses"] == {"within": {"left": 0, "needed": 0}, "answer": {"left": 0, "needed": 0}}
    assert len(trend["total"]) in (46, 48, 50)
    assert set(trend["numbers"]) == {"0246-22-1111", "0246-22-1200"}
    found = await (await (await running.browser("sv01")).get("/api/v1/trend")).json()
    assert len(found["slices"]) == len(trend["total"])


async def test_boards_that_are_equally_far_get_the_same_bytes(start: Start) -> None:
    running = await start()
    browser = await running.browser("sv01")
    one, other = await look(browser), await look(browser)
    await running.engine.tell(operators=[operator("1002", state="break", reason="昼食")])

    async def operators(page: Page) -> Any:
        async with asyncio.timeout(10):
            while "operators" not in (update := await page.read()):
                pass
        return update["operators"]

    assert await operators(one) == await operators(other)
