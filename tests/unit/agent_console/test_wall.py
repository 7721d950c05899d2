"""The wall screen: a link without a sign-in that shows no caller, and goes blank when it is revoked."""

from __future__ import annotations

import asyncio
import hashlib
import re
from typing import Any

import aiohttp
import pytest
from sqlalchemy import select

from agent_console.wall import links
from agent_console.wall.socket import CLOSE_REVOKED
from store import AccessEntry, WallLink

from .conftest import Browser, Running, Start, live_call, operator
from .test_live_socket import Page


async def make(running: Running, name: str = "2階 執務室") -> str:
    """The path of a new link, as somebody makes one on the page."""
    boss = await running.browser("sv01")
    answer = await boss.client.post("/walls", data={"csrf": boss.csrf, "name": name})
    found = re.search(r'id="made-link" href="[^"]*(/wall/[^"]+)"', await answer.text())
    assert found is not None, answer.status
    return found[1]


async def screen(browser: Browser, path: str) -> Page:
    return Page(await browser.client.ws_connect(f"{path}/live"))


async def closed(socket: aiohttp.ClientWebSocketResponse) -> int:
    """The code that the console closes it with."""
    async with asyncio.timeout(10):
        while (message := await socket.receive()).type is not aiohttp.WSMsgType.CLOSE:
            assert message.type is aiohttp.WSMsgType.TEXT, message
    return int(message.data)


@pytest.mark.req("MON-5")
async def test_the_screen_follows_without_a_sign_in_and_names_no_caller(start: Start) -> None:
    running = await start()
    path = await make(running)
    anybody = await running.browser()
    page = await anybody.client.get(path)
    assert page.status == 200
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert "signin" not in await page.text()
    wall = await screen(anybody, path)
    frames = [await wall.socket.receive_str(timeout=10)]
    await running.engine.tell(
        operators=[operator("1001", state="talking", call="minato-1.1")],
        calls=[live_call("minato-1.1", phase="talking", operator="1001")],
    )
    async with asyncio.timeout(10):
        while '"state":"talking"' not in frames[-1]:
            frames.append(await wall.socket.receive_str(timeout=10))
    told = "".join(frames)
    assert "操作者1001" in told
    assert not re.search(r"1234.?5678|minato-1\.1|caller", told)


@pytest.mark.req("MON-5", "SEC-5")
async def test_only_the_links_hash_is_kept_and_it_is_told_once(start: Start) -> None:
    running = await start()
    path = await make(running)
    token = path.removeprefix("/wall/")
    assert len(token) >= 32
    async with running.console.store.reading() as database:
        (row,) = (await database.scalars(select(WallLink))).all()
        logged = (await database.scalars(select(AccessEntry))).all()
    assert row.token_hash == hashlib.sha256(token.encode()).hexdigest()
    assert (row.name, row.created_by) == ("2階 執務室", "sv01")
    assert [entry.action for entry in logged].count("wall_link") == 1
    assert not any(token in str(entry.detail) for entry in logged)
    boss = await running.browser("sv01")
    assert token not in await (await boss.get("/walls")).text()
    assert token not in await (await boss.get("/api/v1/walls")).text()


@pytest.mark.req("MON-5", "SEC-2")
@pytest.mark.parametrize("way", ["page", "api", "database"])
async def test_a_revoked_link_closes_its_screens_at_once(
    start: Start, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent_console.wall.socket._CHECK_S", 0.05 if way == "database" else 600.0)
    running = await start()
    path, other = await make(running), await make(running, "受付")
    anybody, boss = await running.browser(), await running.browser("sv01")
    wall, stays = await screen(anybody, path), await screen(anybody, other)
    await wall.read()
    await stays.read()
    async with running.console.store.reading() as database:
        row = await database.scalar(select(WallLink).where(WallLink.name == "2階 執務室"))
    assert row is not None
    if way == "page":
        answer = await boss.client.post(f"/walls/{row.id}/revoke", data={"csrf": boss.csrf})
        assert "取り消し済み" in await answer.text()
    elif way == "api":
        assert (await boss.post(f"/api/v1/walls/{row.id}/revoke", None)).status == 200
    else:
        await links.revoke(running.console.store, row.id, "sv01")
    assert await closed(wall.socket) == CLOSE_REVOKED
    assert await closed((await screen(anybody, path)).socket) == CLOSE_REVOKED  # and not again
    await running.engine.tell(gone=["minato-1.1"])
    await stays.until("waiting", {"count": 0, "longest_since": None})


@pytest.mark.req("MON-5")
async def test_a_made_up_link_shows_nothing(start: Start) -> None:
    running = await start()
    anybody = await running.browser()
    assert await closed((await screen(anybody, "/wall/nobody-made-this")).socket) == CLOSE_REVOKED


@pytest.mark.req("MON-5", "SEC-1")
async def test_links_are_for_supervisors_and_administrators(start: Start) -> None:
    running = await start(users=("op01", "sv01", "admin", "staff01"))
    for login, status in (("op01", 403), ("staff01", 403), ("sv01", 200), ("admin", 200)):
        browser = await running.browser(login)
        assert (await browser.get("/walls")).status == status
        made = await browser.post("/api/v1/walls", {"name": "受付"})
        assert made.status == status
        if status == 200:
            assert re.fullmatch(r"/wall/[A-Za-z0-9_-]{32}", (await made.json())["path"])
    boss = await running.browser("sv01")
    assert (await boss.post("/api/v1/walls", {"name": " "})).status == 422
    answer = await boss.client.post("/walls", data={"csrf": boss.csrf, "name": ""})
    assert answer.status == 422
    assert (await boss.client.post("/walls", data={"csrf": "x", "name": "y"})).status == 403
    assert (await boss.post("/api/v1/walls/99999/revoke", None)).status == 404


@pytest.mark.req("MON-5")
async def test_a_screen_says_nothing_back(start: Start) -> None:
    running = await start()
    wall = await screen(await running.browser(), await make(running))
    await wall.socket.send_str('{"seat": {"instance": "aaaaaaaa-1", "phone": "browser"}}')
    assert await closed(wall.socket) == aiohttp.WSCloseCode.POLICY_VIOLATION
    assert running.engine.commands.empty()


@pytest.mark.req("MON-5", "REL-1")
async def test_a_quiet_line_still_gives_signs_of_life_and_the_script_to_load(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent_console.wall.socket._ALIVE_S", 0.02)
    running = await start()
    path = await make(running)
    anybody = await running.browser()
    wall = await screen(anybody, path)
    seen: list[dict[str, Any]] = [await wall.read() for _ in range(4)]
    script = re.search(r'data-script="([^"]+)"', await (await anybody.client.get(path)).text())
    assert script is not None
    assert {frame["page"] for frame in seen} == {script[1]}
    assert len({frame["at"] for frame in seen}) > 1
