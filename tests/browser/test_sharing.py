"""A waiting call moved and explained, a longer wrap-up, a callback, evenness, staffing: in real browsers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Opened
from tests.browser.pages import SLOW_MS, Board, Person, Seat
from tests.live.asterisk_conf.tone_phone import TonePhone
from tests.support.centre import Centre, centre
from tests.support.keypads import Keypad, dialled
from tests.support.phones import phones
from tests.support.site import NUMBER, site

HOME = "0311110001"


def shared(outside: int) -> dict[str, Any]:
    """Two queues, a callback from the first; calls outside go to that port."""
    made = site(operators=2, wrap_up_s=60, callback="call-back")
    made["queues"].append({"id": "waste", "name": "ごみ相談", "wrap_up_s": 60, "music": "default"})
    for operator in made["operators"]:
        operator["queues"] = ["main", "waste"]
    made["trunks"].append(
        {"id": "out", "addresses": ["192.0.2.1"], "outbound": {"host": "127.0.0.1", "port": outside}}
    )
    made["steps"] = [
        {
            "id": "call-back",
            "kind": "callback",
            "say": "折り返しは1です。",
            "queue": "main",
            "trunk": "out",
            "declined": "queue:main",
        }
    ]
    return made


@pytest.fixture
async def home() -> AsyncIterator[TonePhone]:
    """The citizen's telephone at home, which is called back."""
    phone = await TonePhone.open(0, HOME)
    assert isinstance(phone, TonePhone)
    phone.policy = "ring"
    yield phone
    phone.close()


@pytest.fixture
async def running(tmp_path: Path, home: TonePhone) -> AsyncIterator[Centre]:
    async with centre(tmp_path, "--demo", site=shared(home.port)) as made:
        home.server_port = int(made.sip.rsplit(":", 1)[1])
        yield made


def wrap_up_s(running: Centre) -> float:
    """How long operator 1001 has for the wrap-up, as the engine says it, in seconds."""
    told = running.control.operators["1001"]
    if told["until"] is None:
        return 0.0
    return (datetime.fromisoformat(told["until"]) - datetime.fromisoformat(told["since"])).total_seconds()


async def shows(person: Person, path: str, text: str) -> None:
    """Loads a page again until it shows this: records follow their calls by a moment."""
    for _ in range(40):
        answer = await person.page.goto(person.running.web + path)
        if answer is not None and answer.ok and await person.page.get_by_text(text).count():
            return
        await person.page.wait_for_timeout(500)
    raise AssertionError(f"{path} never shows {text!r}")


@pytest.mark.req("MON-3", "ACD-1", "ACD-7", "OPR-2", "OPR-3", "OPR-6", "RPT-3")
async def test_calls_are_moved_explained_called_back_and_counted(
    running: Centre, home: TonePhone, person: Opened
) -> None:
    async with person() as op, person(expect_errors=True) as boss, phones() as sip:
        await op.sign_in("op01")
        await boss.sign_in("sv01")
        seat, board, waiting = Seat(op), Board(boss), boss.page.locator("#waiting-list tr")

        # A waiting call is moved, and answered there.
        citizen = await sip.call(running.sip, NUMBER, "09012345678")
        await expect(waiting).to_contain_text("総合案内", timeout=SLOW_MS)
        await boss.page.get_by_role("button", name="090-1234-5678 を移動").click()
        await boss.screenshot("board-move")
        await boss.page.get_by_role("button", name="ごみ相談へ").click()
        moved = await running.event("moved")
        assert (moved.data["from"], moved.data["queue"], moved.data["by"]) == ("main", "waste", "sv01")
        await expect(waiting).to_contain_text("総合案内から", timeout=SLOW_MS)
        await boss.screenshot("board-moved")
        await boss.fits_the_screen()
        await seat.ready_again()
        await seat.answer()
        await citizen.hangup()

        # One more minute for the wrap-up, then a break.
        await seat.state("wrap_up")
        await op.page.get_by_role("button", name="＋1分").click()
        await seat.shows("#wrap-left", "残り 1:")
        await op.screenshot("seat-more-time")
        await op.fits_the_screen()
        await running.control.wait(lambda: wrap_up_s(running) > 100, what="a wrap-up of two minutes")
        await seat.write("完了", "ごみ・環境", "")
        await op.page.get_by_role("button", name="完了して離席").click()
        await seat.state("break")

        # Why this operator.
        await shows(boss, f"/calls/{moved.call}", "操作者01に呼び出し")
        await boss.page.locator(".reason summary").first.click()
        await expect(boss.page.locator(".ledger .chosen")).to_contain_text("操作者01")
        await expect(boss.page.locator(".reason .same").first).to_be_visible()
        await boss.screenshot("call-why")
        await shows(op, f"/calls/{moved.call}", "操作者01に呼び出し")
        await expect(op.page.locator(".ledger")).to_have_count(0)

        # A callback: in the list with its place; the seat sees whom, before anybody is called.
        async with dialled(sip, running.sip, NUMBER, Keypad.EVENTS, HOME) as line:
            await running.control.phase_is("waiting")
            await line.press("1")
            await running.control.phase_is("menu")
            await line.press("1")
            await running.event("callback_booked")
        await boss.open("/callbacks")
        await expect(boss.page.locator("[data-callback]")).to_contain_text("順番待ち", timeout=SLOW_MS)
        await expect(boss.page.locator("[data-callback]")).to_contain_text("03-1111-0001")
        await boss.screenshot("callbacks")
        await op.open("/seat")
        await seat.ready_again()
        await seat.phase("ringing")
        await seat.shows("#caller", "03-1111-0001")
        await seat.shows("#number-name", "市代表 0246-22-1111 にお電話された方")
        await seat.shows("#hint", "初めての折り返し")
        await op.screenshot("seat-callback")
        await op.fits_the_screen()
        await expect(op.page.locator("#answer")).to_be_enabled(timeout=SLOW_MS)
        await seat.press("F2")
        await seat.phase("calling")
        await op.screenshot("seat-calling")
        home.answer()
        await seat.phase("talking")
        await expect(op.page.locator("#callback-mark")).to_be_visible()
        home.bye()
        await seat.state("wrap_up")
        await shows(boss, "/callbacks", "つながった")

        # How evenly, and how many are needed.
        await boss.open("/evenness")
        await expect(boss.page.locator(".operators-rows").first).to_contain_text("操作者01")
        await boss.screenshot("evenness")
        await boss.open("/board")
        await board.operator("1001", "wrap_up")
        await expect(boss.page.locator("#evenness")).to_contain_text("15分以上")
        await boss.open("/staffing")
        await boss.page.get_by_role("button", name="試算する").click()
        await expect(boss.page.locator(".comparison")).to_be_visible(timeout=SLOW_MS)
        await boss.screenshot("staffing")

        # On a phone no page scrolls sideways; a table that does says so.
        await boss.page.set_viewport_size({"width": 390, "height": 844})
        await expect(boss.page.locator(".wide[data-more]").first).to_be_visible()
        for path in ("/board", "/callbacks", "/evenness", "/staffing"):
            await boss.open(path)
            wide = await boss.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
            assert wide[0] <= wide[1], path
