"""The operator's day in a real browser against a real Asterisk."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Opened
from tests.browser.pages import SLOW_MS, Board, Calls, CitizenPhone, Seat
from tests.support.centre import Centre
from tests.support.phones import CITIZEN_HZ, phones
from tests.support.site import NUMBER


@pytest.mark.req("OPR-1", "OPR-2", "OPR-4", "OPR-6", "REC-1", "REC-2", "REC-7", "MON-1", "NUM-1")
async def test_an_operator_answers_holds_hangs_up_and_wraps_up(running: Centre, person: Opened) -> None:
    async with person() as op, person(dark=True) as boss, phones() as sip:
        await op.sign_in("op01")
        seat = Seat(op)
        await seat.ready()
        await op.screenshot("seat-ready")
        await op.fits_the_screen()
        await boss.sign_in("sv01")
        board = Board(boss)
        await board.operator("1001", "ready")

        citizen = await sip.call(running.sip, NUMBER, "09012345678")
        await seat.rings()
        await seat.shows("#number-name", "市代表")
        await seat.shows("#caller", "090-1234-5678")
        await op.screenshot("seat-ringing")
        await seat.press("F2")
        await seat.phase("talking")
        await op.hears(CITIZEN_HZ)
        await citizen.hears_sound()  # the browser's false microphone beeps
        await board.operator("1001", "talking")
        await boss.screenshot("board-dark")
        await boss.fits_the_screen()

        await seat.press("F3")
        await seat.phase("hold")
        await citizen.hears_sound()  # music
        await op.screenshot("seat-hold")
        await seat.press("F3")
        await seat.phase("talking")
        await op.hears(CITIZEN_HZ)

        await seat.write("完了", "住民票・戸籍", "転入届の書類を案内")
        await op.screenshot("seat-talking")
        await op.fits_the_screen()
        await seat.press("F8")
        await seat.phase("talking")  # one key alone ends no conversation
        await seat.press("F8")
        await citizen.over()
        await seat.state("wrap_up")
        await op.screenshot("seat-wrap-up")
        await seat.press("F6")
        await seat.state("ready")
        noted = await running.event("wrapped_up")
        assert (noted.data["result"], noted.data["category"]) == ("completed", "住民票・戸籍")
        assert noted.data["note"] == "転入届の書類を案内"

        await expect(op.page.locator("#own-calls tr")).to_have_count(1, timeout=SLOW_MS)
        await board.figure("rate", "100.0%")
        calls = Calls(boss)
        await calls.open_first()
        await calls.plays()
        await boss.screenshot("calls")
        await boss.fits_the_screen()


@pytest.mark.req("REL-1", "OPR-1")
async def test_a_page_that_reloads_gets_its_conversation_and_its_notes_back(
    running: Centre, person: Opened
) -> None:
    async with person() as op, phones() as sip:
        await op.sign_in("op01")
        seat = Seat(op)
        await seat.ready()
        citizen = await sip.call(running.sip, NUMBER, "09012345678")
        await seat.answer()
        await seat.write("折り返し", "税", "書きかけ")
        await op.page.reload()
        await seat.phase("talking")
        await op.hears(CITIZEN_HZ)
        await citizen.hears_sound()
        await expect(op.page.get_by_label("メモ")).to_have_value("書きかけ")
        await expect(op.page.get_by_role("radio", name="折り返し")).to_be_checked()
        await citizen.hangup()
        await seat.state("wrap_up")
        await seat.press("F6")
        await seat.state("ready")
        # What was written and not saved, because time ran out and the page was closed, is taken up again.
        call = (await running.event("wrapped_up")).call
        await op.page.evaluate(
            "([key, draft]) => localStorage.setItem(key, draft)",
            [f"daihyo.wrap.1001.{call}", '{"note": "未保存", "title": "市代表 090-1234-5678"}'],
        )
        await op.page.reload()
        await expect(op.page.get_by_label("メモ")).to_have_value("未保存")
        await seat.shows("#wrap-for", "市代表 090-1234-5678")
        await seat.press("F6")
        await seat.shows("#wrap-hint", "結果を選んでください。")
        await op.page.get_by_role("radio", name="完了", exact=True).check(force=True)
        await seat.press("F6")
        await expect(op.page.get_by_label("メモ")).to_have_value("")


@pytest.mark.req("REL-1")
async def test_a_console_killed_in_mid_call_touches_no_conversation(running: Centre, person: Opened) -> None:
    async with person(expect_errors=True) as op, phones() as sip:
        await op.sign_in("op01")
        seat = Seat(op)
        await seat.ready()
        citizen = await sip.call(running.sip, NUMBER, "09012345678")
        await seat.answer()
        running.kill("console")
        await expect(op.page.locator("#away-live")).to_be_visible(timeout=SLOW_MS)
        await op.screenshot("seat-console-away")
        await op.hears(CITIZEN_HZ)
        await expect(op.page.locator("#away-live")).to_be_hidden(timeout=60_000)
        await seat.has_phone()
        await seat.phase("talking")
        await op.hears(CITIZEN_HZ)
        await seat.press("F3")  # commands reach the call again
        await seat.phase("hold")
        await citizen.hangup()  # and Asterisk's goodbye reaches the page
        await seat.state("wrap_up")
        kinds = [event.kind for event in running.events()]
        assert "leg_lost" not in kinds


@pytest.mark.req("OPR-1")
async def test_the_demos_citizen_calls_from_another_page(running: Centre, person: Opened) -> None:
    async with person() as op, person() as citizen:
        await op.sign_in("op01")
        seat = Seat(op)
        await seat.ready()
        phone = CitizenPhone(citizen)
        await phone.call("ごみ相談")
        await seat.rings()
        await seat.shows("#number-name", "ごみ相談")
        await seat.answer()
        await citizen.screenshot("citizen")
        await phone.hang_up()
        await seat.state("wrap_up")
        await phone.state("off")


@pytest.mark.req("OPR-1", "ACD-2")
async def test_refusing_a_call_and_ringing_at_the_desk(running: Centre, person: Opened) -> None:
    async with person() as op, phones() as sip:
        await op.sign_in("op01")
        seat = Seat(op)
        await seat.ready()
        await sip.call(running.sip, NUMBER, "09012345678")
        await seat.rings()
        await op.page.get_by_role("button", name="拒否").click()
        ended = await running.event("offer_ended")
        assert ended.data["reason"] == "refused"

        desk = await sip.desk(running.phone("1001"))
        await op.page.get_by_role("radio", name="電話機").check(force=True)
        await seat.has_phone()
        await op.page.get_by_role("button", name="待機", exact=True).click()
        talk = await desk.talk(20)  # it answers by itself
        await seat.phase("talking")
        await expect(op.page.locator("#mute")).to_be_enabled()  # by the switch, so for desk phones too
        await talk.hears(CITIZEN_HZ)
        await op.page.get_by_role("button", name="終話").click()
        await talk.over()


@pytest.mark.req("OPR-1")
async def test_a_missing_microphone_is_explained_and_nobody_goes_ready_with_it(
    running: Centre, person: Opened
) -> None:
    async with person() as op:
        await op.page.add_init_script(
            "navigator.mediaDevices.getUserMedia = () =>"
            " Promise.reject(new DOMException('no', 'NotFoundError'));"
        )
        await op.sign_in("op01")
        seat = Seat(op)
        await seat.has_phone()
        await op.page.get_by_role("button", name="待機", exact=True).click()
        await seat.shows("#phone-message", "マイクが見つかりません")
        await op.screenshot("seat-no-microphone")
        assert running.control.state("1001") == "off"


@pytest.mark.req("OPR-2", "MON-1")
async def test_breaks_have_reasons_and_the_board_shows_them(running: Centre, person: Opened) -> None:
    async with person() as op, person() as boss:
        await op.sign_in("op02")
        await boss.sign_in("sv01")
        await op.page.locator("#set-break").click()
        await op.page.get_by_role("button", name="昼食").click()
        await Seat(op).state("break")
        await Board(boss).operator("1002", "break")
        await expect(boss.page.locator("#operators")).to_contain_text("離席 昼食")
        stopped = running.kill("up", signal.SIGSTOP)  # so that nobody starts the engine anew at once
        try:
            running.kill("engine")
            await expect(boss.page.locator("#away-engine")).to_be_visible(timeout=SLOW_MS)
            await boss.screenshot("board-engine-away")
        finally:
            os.kill(stopped, signal.SIGCONT)
        await expect(boss.page.locator("#away-engine")).to_be_hidden(timeout=60_000)
        await Board(boss).operator("1002", "break")
        await asyncio.wait_for(running.control.state_is("1002", "break"), 20)
