"""A call's page and API: transfers, marks, listenings, consults' recordings, held recordings."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

import cdr
from cdr.events import to_line
from store import AccessEntry, Recording, recordings
from tests.support.events import Story

from .conftest import Browser, Running, Start

CALL = "minato-1763700000.12"
USERS = ("op01", "op02", "sv01", "staff01", "admin", "audit")
TO = {"kind": "extension", "number": "2345", "name": "子育て支援課", "department": "こども部"}
OUTSIDE = {"kind": "outside", "number": "09099998888", "name": "担当者"}


def told() -> Story:
    start = datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=400)
    story = Story(CALL, start).at(0, "arrived", number="0246221111", caller="09012345678", via="engine")
    story.at(2, "queued", queue="main").at(6, "answered", operator="1001", phone="browser", leg="l1")
    story.at(8, "supervision_began", supervisor="1090", operator="1001", mode="listen", leg="s1", by="sv01")
    story.at(9, "help_asked", help="h1", operator="1001", text="むずかしい方です", by="1001")
    story.at(10, "marked", mark="emergency", on=True, by="op01", note="爆破予告")
    for place, (to, leg) in enumerate(((OUTSIDE, "x1"), (TO, "x2")), 1):
        story.at(20 * place, "transfer_begun", operator="1001", how="consult", place=place, to=to, leg=leg)
        if place == 1:
            story.at(32, "transfer_ended", leg=leg, place=1, reason="busy")
    story.at(45, "transfer_answered", leg="x2", place=2)
    story.at(
        60, "wrapped_up", operator="1001", result="consulted", faq=["12"], follow_up="callback", note="急ぎ"
    )
    story.at(70, "transferred", operator="1001", to=TO, leg="x2", place=2, hops=1)
    story.at(70, "left", operator="1001").at(70, "wrap_up", operator="1001")
    story.at(90, "wrapped_up", operator="1001", by="timeout")
    story.at(95, "help_closed", help="h1", operator="1001", by="sv01")
    story.at(100, "supervision_ended", supervisor="1090", operator="1001", mode="listen", reason="stopped")
    return story.at(200, "ended", by="outside", cause=16, reason="normal")


async def filled(running: Running, tmp_path: Path) -> None:
    folder, archive = tmp_path / "journal", running.settings.archive
    folder.mkdir()
    (folder / "00000001-x-y.jsonl").write_bytes(b"".join(to_line(event) for event in told().events))
    await cdr.carry(folder, running.console.store)
    async with running.console.store.session() as session:
        for key in (CALL, f"{CALL}.2"):
            (archive / f"{key}.flac").write_bytes(b"sound of " + key.encode())
            session.add(
                Recording(
                    call=key, path=f"{key}.flac", state="ready", seconds=25.0, created_at=datetime.now(UTC)
                )
            )
        await session.flush()
        await recordings.hold(session, CALL, by="op01", reason="emergency", at=datetime.now(UTC))


async def detail(browser: Browser) -> dict[str, Any]:
    answer = await browser.get(f"/api/v1/calls/{CALL}")
    assert answer.status == 200
    found: dict[str, Any] = await answer.json()
    return found


def kinds(shown: dict[str, Any]) -> set[str]:
    return {event["kind"] for event in shown["events"]}


@pytest.mark.req("XFR-1", "XFR-5", "REC-1")
async def test_the_record_tells_transfers_marks_and_consults(start: Start, tmp_path: Path) -> None:
    running = await start(users=USERS)
    await filled(running, tmp_path)
    shown = await detail(await running.browser("op01"))
    assert [(one["place"], one["to"]["number"], one["reason"]) for one in shown["transfers"]] == [
        (1, "09099998888", "busy"),
        (2, "2345", None),
    ]
    assert (shown["hops"], shown["marks"]) == (1, ["emergency"])
    assert shown["consults"] == [{"place": 2, "state": "ready", "seconds": 25.0}]
    assert (shown["held"]["by"], shown["held"]["reason"]) == ("op01", "emergency")
    assert [(one["result"], one["faq"], one["follow_up"]) for one in shown["wrap_ups"]] == [
        ("consulted", ["12"], "callback"),
        (None, [], None),
    ]
    masked = await detail(await running.browser("staff01"))
    assert masked["transfers"][0]["to"]["number"] == "0909999****"
    assert masked["transfers"][1]["to"]["number"] == "2345"
    begun = [event["data"]["to"]["number"] for event in masked["events"] if event["kind"] == "transfer_begun"]
    assert begun == ["0909999****", "2345"]


@pytest.mark.req("MON-2", "SEC-1")
async def test_who_listened_is_told_to_supervisors_and_auditors_alone(start: Start, tmp_path: Path) -> None:
    running = await start(users=USERS)
    await filled(running, tmp_path)
    for login in ("sv01", "audit"):
        found = await running.browser(login)
        assert {"supervision_began", "supervision_ended", "help_asked"} <= kinds(await detail(found))
        page = await (await found.get(f"/calls/{CALL}")).text()
        assert "モニター開始" in page
        assert "むずかしい方です" in page
    for login in ("op01", "staff01", "admin"):
        found = await running.browser(login)
        shown = kinds(await detail(found))
        assert not any(kind.startswith("supervision") for kind in shown)
        assert ("help_asked" in shown) == (login == "op01")  # whoever asked
        page = await (await found.get(f"/calls/{CALL}")).text()
        assert "モニター" not in page
        assert ("むずかしい方です" in page) == (login == "op01")
    assert (await (await running.browser("op02")).get(f"/api/v1/calls/{CALL}")).status == 404


@pytest.mark.req("XFR-1", "XFR-5", "OPR-4", "OPR-5")
async def test_the_page_tells_the_way_in_one_glance(start: Start, tmp_path: Path) -> None:
    running = await start(users=USERS)
    await filled(running, tmp_path)
    browser = await running.browser("sv01")
    page = await (await browser.get(f"/calls/{CALL}")).text()
    for words in (
        "こども部 子育て支援課 内線2345",
        "担当者 090-9999-8888",
        "に相談（取次ぎ）。相手は話中。市民は操作者に戻った。",
        "5秒で応答。25秒話して、市民をつないだ。",
        "緊急",
        "転送 1回",
        "FAQ 12",
        "折り返しの約束",
        "急ぎ",
        "録音は消去できません（保全中）",
        f"/api/v1/calls/{CALL}/recordings/2",
        "「爆破予告」",
    ):
        assert words in page, words
    assert "記入はありません" not in page  # the wrap-up that ran out says nothing new
    assert f"/api/v1/calls/{CALL}/recordings/1" not in page
    listed = await (await browser.get("/calls")).text()
    assert "緊急" in listed
    assert "転送 1回" in listed


@pytest.mark.req("REC-1", "SEC-1")
async def test_a_consult_is_heard_by_those_who_may_hear_the_call_and_each_time_noted(
    start: Start, tmp_path: Path
) -> None:
    running = await start(users=USERS)
    await filled(running, tmp_path)
    path = f"/api/v1/calls/{CALL}/recordings/2"
    answer = await (await running.browser("op01")).get(path)
    assert await answer.read() == f"sound of {CALL}.2".encode()
    statuses = {login: (await (await running.browser(login)).get(path)).status for login in USERS[1:]}
    assert statuses == {
        "op02": 404,
        "sv01": 200,
        "staff01": 403,
        "admin": 403,
        "audit": 200,
    }
    assert await replays(running) == [f"{CALL}.2"] * 3
    browser = await running.browser("sv01")
    for nothing in ("1", "3", "x", "02"):
        assert (await browser.get(f"/api/v1/calls/{CALL}/recordings/{nothing}")).status == 404
    assert (await browser.get(f"/api/v1/calls/{CALL}.2/recording")).status == 404


async def replays(running: Running, action: str = "replay") -> list[str | None]:
    async with running.console.store.reading() as session:
        rows = await session.scalars(
            select(AccessEntry).where(AccessEntry.action == action).order_by(AccessEntry.id)
        )
        return [row.detail for row in rows]


async def held(running: Running) -> list[bool]:
    async with running.console.store.reading() as session:
        return [one.held_at is not None for one in await recordings.of_call(session, CALL)]


@pytest.mark.req("REC-4", "OPR-5")
async def test_a_supervisor_holds_and_releases_and_it_is_written_down(start: Start, tmp_path: Path) -> None:
    running = await start(users=USERS)
    await filled(running, tmp_path)
    for login in ("op01", "staff01", "admin", "audit"):
        browser = await running.browser(login)
        assert (await browser.post(f"/api/v1/calls/{CALL}/recording/release", {})).status == 403
        assert "保全を解除する" not in await (await browser.get(f"/calls/{CALL}")).text()
    browser = await running.browser("sv01")
    form = {"csrf": browser.csrf, "do": "release"}
    page = f"/calls/{CALL}/recording"
    assert (await browser.client.post(page, data=form | {"csrf": "x"}, allow_redirects=False)).status == 403
    assert await held(running) == [True, True]
    answer = await browser.client.post(page, data=form)
    assert answer.status == 200
    text = await answer.text()
    assert "保全は解除されました" in text
    assert await held(running) == [False, False]
    answer = await browser.client.post(page, data={"csrf": browser.csrf, "do": "hold", "reason": " "})
    assert "理由を入力してください" in await answer.text()
    assert await held(running) == [False, False]
    await browser.client.post(page, data={"csrf": browser.csrf, "do": "hold", "reason": "警察の照会"})
    assert await held(running) == [True, True]
    assert (await browser.post(f"/api/v1/calls/{CALL}/recording/release", {})).status == 200
    assert (await browser.post(f"/api/v1/calls/{CALL}/recording/hold", {"reason": " "})).status == 422
    assert (await browser.post(f"/api/v1/calls/{CALL}/recording/hold", {"reason": "照会"})).status == 200
    assert (await browser.post("/api/v1/calls/nobody/recording/hold", {"reason": "照会"})).status == 404
    assert await replays(running, "recording_held") == [
        f"release {CALL}",
        f"hold {CALL} 警察の照会",
        f"release {CALL}",
        f"hold {CALL} 照会",
    ]


async def test_what_has_no_recording_cannot_be_held(start: Start, tmp_path: Path) -> None:
    running = await start(users=USERS)
    folder = tmp_path / "journal"
    folder.mkdir()
    (folder / "00000001-x-y.jsonl").write_bytes(b"".join(to_line(event) for event in told().events))
    await cdr.carry(folder, running.console.store)
    browser = await running.browser("sv01")
    answer = await browser.post(f"/api/v1/calls/{CALL}/recording/hold", {"reason": "照会"})
    assert (answer.status, (await answer.json())["code"]) == (404, "no_recording")
    page = await (await browser.get(f"/calls/{CALL}")).text()
    assert "録音を保全する" not in page
