"""/live: who sees what, how often, and what the engine is told about seats."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import pytest

from agent_console.live_socket import CLOSE_SIGNED_OUT

from .conftest import Browser, Running, Start, live_call, operator

SEAT = {"seat": {"instance": "11111111-aaaa", "phone": "browser", "in_call": False}}


class Page:
    """The page's end of /live: everything said so far, put together as the page does."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.seen: dict[str, Any] = {}
        self.updates = 0

    async def until(self, key: str, value: Any) -> None:
        async with asyncio.timeout(10):
            while self.seen.get(key) != value:
                await self.read()

    async def read(self) -> dict[str, Any]:
        update: dict[str, Any] = await self.socket.receive_json(timeout=10)
        self.seen |= update
        self.updates += 1
        return update


async def look(browser: Browser) -> Page:
    page = Page(await browser.client.ws_connect("/live"))
    await page.read()
    return page


async def test_an_operator_sees_the_own_seat_and_no_more(start: Start) -> None:
    running = await start()
    page = await look(await running.browser("op01"))
    assert page.seen["me"]["id"] == "1001"
    assert page.seen["waiting"] == {"count": 1, "longest_since": "2026-11-21T00:00:05.000000Z"}
    assert not {"operators", "calls", "kpi"} & set(page.seen)


@pytest.mark.req("MON-1")
async def test_a_board_sees_everything_then_only_what_changed(start: Start) -> None:
    running = await start()
    page = await look(await running.browser("sv01"))
    assert [o["id"] for o in page.seen["operators"]] == ["1001", "1002"]
    assert page.seen["calls"][0]["caller_text"] == "090-1234-5678"
    await running.engine.tell(operators=[operator("1002", state="break", reason="昼食")])
    update = await page.read()
    while "operators" not in update:  # figures of today may come in between
        update = await page.read()
    assert [o["id"] for o in update["operators"]] == ["1002"]
    assert "calls" not in update
    await running.engine.tell(gone=["minato-1.1"])
    await page.until("gone", ["minato-1.1"])
    assert page.seen["waiting"]["count"] == 0


async def test_many_changes_at_once_are_few_updates(start: Start) -> None:
    running = await start()
    page = await look(await running.browser("sv01"))
    before = page.updates
    for n in range(100):
        await running.engine.tell(operators=[operator("1001", reason=f"{n}")])
    last: list[dict[str, Any]] = []
    async with asyncio.timeout(10):
        while not last or last[0]["reason"] != "99":
            last = (await page.read()).get("operators", last)
    assert page.updates - before < 50


@pytest.mark.req("ACD-2", "REL-1")
async def test_the_engine_learns_of_a_seat_and_again_after_its_restart(start: Start) -> None:
    running = await start()
    page = await look(await running.browser("op01"))
    await page.socket.send_json(SEAT)
    opened = await running.engine.told("seat.opened")
    assert (opened["operator"], opened["instance"], opened["phone"], opened["in_call"]) == (
        "1001",
        "11111111-aaaa",
        "browser",
        False,
    )
    await running.engine.stop()
    await page.until("engine", "away")
    assert page.seen["me"]["state"] == "ready"  # the last state stays
    await running.engine.start()
    assert (await running.engine.told("seat.opened"))["instance"] == "11111111-aaaa"
    await page.until("engine", "connected")
    await page.socket.close()
    assert (await running.engine.told("seat.closed"))["instance"] == "11111111-aaaa"


async def test_a_seat_opened_elsewhere_replaces_the_first(start: Start) -> None:
    running = await start()
    browser = await running.browser("op01")
    first, second = await look(browser), await look(browser)
    await first.socket.send_json(SEAT)
    await running.engine.told("seat.opened")
    await second.socket.send_json({"seat": {"instance": "22222222-bbbb", "phone": "desk"}})
    await first.until("replaced", True)
    assert (await running.engine.told("seat.opened"))["phone"] == "desk"


@pytest.mark.req("REL-1")
async def test_a_console_that_ends_does_not_say_that_the_pages_left(start: Start) -> None:
    running = await start()
    page = await look(await running.browser("op01"))
    await page.socket.send_json(SEAT)
    await running.engine.told("seat.opened")
    closing = asyncio.create_task(running.server.close())
    async with asyncio.timeout(10):
        while not page.socket.closed:
            await page.socket.receive()
    await closing
    assert page.socket.close_code == aiohttp.WSCloseCode.SERVICE_RESTART
    assert running.engine.commands.empty()


@pytest.mark.req("SEC-1")
async def test_a_session_that_ends_closes_its_pages(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent_console.live_socket._CHECK_SESSION_S", 0.05)
    running = await start()
    browser = await running.browser("op01")
    page = await look(browser)
    await browser.client.post("/signout", data={"csrf": browser.csrf})
    async with asyncio.timeout(10):
        while not page.socket.closed:
            await page.socket.receive()
    assert page.socket.close_code == CLOSE_SIGNED_OUT


@pytest.mark.parametrize(
    "frame",
    [
        "{",
        "[]",
        '{"seat": {"instance": "x", "phone": "browser"}}',
        '{"color": 1}',
        '{"a": "%s"}' % ("x" * 5000),
    ],
)
async def test_nonsense_from_a_page_ends_only_that_page(start: Start, frame: str) -> None:
    running = await start()
    page, other = await look(await running.browser("op01")), await look(await running.browser("op02"))
    await page.socket.send_str(frame)
    async with asyncio.timeout(10):
        while not page.socket.closed:
            await page.socket.receive()
    await running.engine.tell(calls=[live_call("minato-1.2")])
    await other.until("waiting", {"count": 2, "longest_since": "2026-11-21T00:00:05.000000Z"})


async def test_supervisors_without_a_seat_announce_none(start: Start) -> None:
    running = await start()
    page = await look(await running.browser("sv01"))
    await page.socket.send_json(SEAT)
    await running.engine.tell(gone=["minato-1.1"])
    await page.until("gone", ["minato-1.1"])
    assert running.engine.commands.empty()


async def test_foreign_pages_get_no_socket(start: Start) -> None:
    running: Running = await start()
    browser = await running.browser("op01")
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await browser.client.ws_connect("/live", headers={"Origin": "https://evil.test"})
    assert refused.value.status == 403
