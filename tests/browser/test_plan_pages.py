"""The plan's pages in a real browser, in front of a centre whose next call hears what was changed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from playwright.async_api import expect

from dialplans import prompt
from tests.browser.conftest import Opened
from tests.browser.pages import SLOW_MS, Person
from tests.support.centre import Centre, centre
from tests.support.heard import sounds, which_prompts
from tests.support.phones import phones
from tests.support.site import NUMBER, OTHER_NUMBER, site

CLOSED = "本日の受付は、終了しました。"
EVENT = "港まつりは、中止となりました。"
OLD_EVENT = "港まつりは、予定どおり開催します。"


def planned() -> dict[str, Any]:
    """A number that is open at any hour, until somebody changes that; another that tells events."""
    made = site(operators=2)
    made["hours"] = [{"id": "office", "name": "受付時間", "week": {"mon-sun": ["0:00-24:00"]}}]
    made["steps"] = [
        {"id": "closed-today", "kind": "say", "name": "時間外の案内", "say": CLOSED},
        {"id": "told", "kind": "events", "name": "催し", "none": "ありません。"},
    ]
    made["events"] = [{"id": "port", "name": "港まつり", "state": "held"}]
    made["notices"] = [{"id": "rain", "name": "大雨のお知らせ", "say": "大雨です。", "two_people": True}]
    main, other = made["numbers"]
    main |= {"hours": "office", "closed": "closed-today"}
    other |= {"name": "催し案内", "start": "told"}
    del other["queue"]
    made["users"] += [
        {"login": "sv02", "name": "監督二", "role": "supervisor"},
        {"login": "admin", "name": "管理者", "role": "administrator"},
    ]
    return made


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Centre]:
    async with centre(tmp_path, "--demo", site=planned()) as made:
        yield made


async def goes_live(person: Person) -> None:
    """Until the page that watches a change says that it is live."""
    await expect(person.page.locator('[data-activation="live"]')).to_be_visible(timeout=SLOW_MS)


async def heard(running: Centre, number: str, *texts: str) -> list[str]:
    """Calls, listens until the centre hangs up, and tells which of the texts were heard."""
    spoken = {text: prompt(text, "ja") for text in texts}
    by_key = {one.key: text for text, one in spoken.items()}
    async with phones() as sip:
        citizen = await sip.call(running.sip, number, "09012345678")
        await citizen.over(30)
        there = [one for one in spoken.values() if (running.state.sounds / f"daihyo-{one.key}.wav").exists()]
        known = await asyncio.to_thread(sounds, running.state.sounds, there)
        return [by_key[one.name] for one in which_prompts(citizen.samples(), known)]


@pytest.mark.req("HRS-1", "IVR-2", "ADM-1")
async def test_hours_changed_by_form_are_heard_by_the_next_call_and_undone(
    running: Centre, person: Opened
) -> None:
    async with person() as admin:
        page = admin.page
        await admin.sign_in("admin")
        await admin.open("/plan")
        await expect(page.locator(".stem .box").first).to_contain_text("市代表")
        await page.locator('.box[data-kind="hours"]').click()
        for day in "月火水木金土日":
            await page.get_by_label(day, exact=True).fill("")
        await page.get_by_label("日", exact=True).fill("8:30-99:00")
        await page.get_by_role("button", name="下書きに保存").click()
        await expect(page.locator(".field-error")).to_contain_text("8:30-99:00")
        await admin.screenshot("plan-form-wrong")
        await page.get_by_label("日", exact=True).fill("")
        later = "月火水木金土日"[(datetime.now(ZoneInfo("Asia/Tokyo")).weekday() + 3) % 7]
        await page.get_by_label(later, exact=True).fill("0:00-1:00")  # hours that are never open are refused
        await page.get_by_role("button", name="下書きに保存").click()
        await expect(page.get_by_text("下書きに保存しました")).to_be_visible()
        assert (running.state.path / "plans" / "live").read_text().strip() == "1"  # nothing of it is live yet

        await page.get_by_role("link", name="変更点", exact=True).click()
        await expect(page.locator(".changes")).to_contain_text("0:00-24:00")
        await admin.screenshot("plan-difference")
        await page.get_by_role("link", name="電話に反映する").click()
        await page.get_by_label("変更の説明").fill("終日受付なし")
        await admin.screenshot("plan-activate")
        await page.get_by_role("button", name="電話に反映する").click()
        await goes_live(admin)
        await admin.screenshot("plan-live")

        assert await heard(running, NUMBER, CLOSED) == [CLOSED]
        arrived = await running.event("arrived")
        assert (arrived.data["plan"], arrived.data["open"]) == (2, False)

        await admin.open("/plan/history")
        await admin.screenshot("plan-history")
        await page.get_by_role("link", name="版 1", exact=True).click()
        await page.get_by_label("変更の説明").fill("元に戻す")
        await page.get_by_role("button", name="この版に戻す").click()
        await goes_live(admin)
        async with phones() as sip:
            citizen = await sip.call(running.sip, NUMBER, "09012340000")
            queued = await running.event("queued")
            assert queued.data["queue"] == "main"
            await citizen.hangup()


@pytest.mark.req("HRS-5")
async def test_an_event_is_switched_and_heard_without_any_script(running: Centre, person: Opened) -> None:
    async with person(scripts=False) as boss:
        await boss.sign_in("sv01")
        await boss.open("/plan/events")
        state = boss.page.locator("select.event-state").first
        await expect(state).to_have_value("held")
        await state.select_option("cancelled")
        await boss.page.get_by_role("button", name="電話に反映する").click()
        await goes_live(boss)
        assert EVENT in await heard(running, OTHER_NUMBER, EVENT, OLD_EVENT)


@pytest.mark.req("HRS-3", "HRS-4")
async def test_reception_is_closed_and_a_notice_confirmed_by_a_second_person(
    running: Centre, person: Opened
) -> None:
    async with person() as boss, person() as other:
        await boss.sign_in("sv01")
        await boss.open("/plan/switches")
        page = boss.page
        await page.get_by_role("checkbox", name="市代表").check()
        await page.get_by_role("radio", name="受付を止める").check(force=True)
        await page.get_by_label("理由").fill("停電のため")
        await page.locator(".switch-form button.big").click()
        await expect(page.locator(".foretold")).to_contain_text(
            CLOSED
        )  # what will be heard, before it is done
        await boss.screenshot("plan-switch-sure")
        await page.locator(".sure button").click()
        await expect(page.locator("#now")).to_contain_text("停電のため", timeout=SLOW_MS)
        await boss.screenshot("plan-switches")
        assert await heard(running, NUMBER, CLOSED) == [CLOSED]
        await page.get_by_role("button", name="通常に戻す").click()
        await expect(page.locator("#now")).not_to_contain_text("停電のため", timeout=SLOW_MS)

        await page.get_by_role("button", name="流す(もう一人が確認)").click()
        await page.locator(".sure button").click()
        await expect(page.locator("#now")).to_contain_text("もう一人の確認を待っています", timeout=SLOW_MS)
        await other.sign_in("sv02")
        await other.open("/plan/switches")
        await other.page.get_by_role("button", name="確認して流す").click()
        await other.page.locator(".sure button").click()
        await expect(other.page.locator("#now")).to_contain_text("流れています", timeout=SLOW_MS)
        await expect(page.locator("#now")).to_contain_text("流れています", timeout=SLOW_MS)  # by itself
        assert (await running.event("notice_set")).data["confirmed_by"] == "sv02"


@pytest.mark.req("HRS-6")
async def test_words_are_heard_before_they_are_saved_and_typing_survives_a_reload(
    running: Centre, person: Opened
) -> None:
    async with person() as admin:
        page = admin.page
        await admin.sign_in("admin")
        await admin.open("/plan/edit/steps/closed-today")
        words = page.get_by_label("日本語")
        await words.fill("ただいま工事中です。")
        await page.reload()
        await expect(words).to_have_value("ただいま工事中です。")
        listen = page.locator(".speak").first
        await listen.click()
        await expect(listen).to_have_attribute("data-playing", "true", timeout=SLOW_MS)
        await expect(listen).not_to_have_attribute("data-playing", "true", timeout=SLOW_MS)
        await page.get_by_role("button", name="下書きに保存").click()
        await expect(page.get_by_text("下書きに保存しました")).to_be_visible()
        await page.reload()
        await expect(words).to_have_value("ただいま工事中です。")
        # The way it would be heard stands beside the picture, with the draft's words.
        await admin.open(f"/plan?number={NUMBER}")
        await page.locator(".lines .play").first.click()
        await expect(page.locator('.lines .play[data-playing="true"]')).to_be_visible(timeout=SLOW_MS)


@pytest.mark.req("OPR-6", "ADM-1")
async def test_the_text_has_line_numbers_and_problems_lead_to_their_lines(
    running: Centre, person: Opened
) -> None:
    async with person() as admin:
        page = admin.page
        await admin.sign_in("admin")
        await admin.open("/plan/text")
        text = page.locator("#plan-text")
        good = await text.input_value()
        await text.fill(good.replace("closed: closed-today", "closed: nowhere"))
        await page.get_by_role("button", name="下書きに保存").click()
        await expect(page.locator(".gutter .bad").first).to_be_visible()
        await page.locator(".problem-list .line").first.click()
        chosen = await page.evaluate(
            "(() => { const t = document.getElementById('plan-text');"
            " return t.value.slice(t.selectionStart, t.selectionEnd); })()"
        )
        assert "nowhere" in chosen
        await admin.screenshot("plan-text-wrong")


PAGES = {
    "plan": f"/plan?number={NUMBER}",
    "form": "/plan/edit/hours/office",
    "menu-form": "/plan/new/steps?kind=menu",
    "events": "/plan/events",
    "switches": "/plan/switches",
    "counts": "/plan/counts",
    "text": "/plan/text",
    "history": "/plan/history",
    "activate": "/plan/activate",
}


@pytest.mark.req("OPR-6")
async def test_pages_fit_a_desk_and_a_phone_in_light_and_dark(running: Centre, person: Opened) -> None:
    for kind, how in (("", {}), ("-dark", {"dark": True}), ("-phone", {"phone": True})):
        async with person(**how) as somebody:
            await somebody.sign_in("admin")
            for name, path in PAGES.items():
                await fits(somebody, path)
                await somebody.screenshot(f"plan-{name}{kind}")
            await somebody.page.set_viewport_size({"width": 360, "height": 640})
            for path in PAGES.values():
                await fits(somebody, path)


async def fits(person: Person, path: str) -> None:
    """The page is there, and no wider than the screen."""
    await person.open(path)
    await expect(person.page.locator(".plan-bar")).to_be_visible()
    wide = await person.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert wide[0] <= wide[1], (path, wide)
