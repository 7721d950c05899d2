"""Every face of the seat in a real browser, the engine played by the test: nothing is cut off, nothing moves
its neighbours. Pictures of each, in both themes, are left in var/screens."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from agent_console import ConsoleSettings
from asterisk_conf import Secrets
from desk import cases, fill_demo
from dialplans import load_site
from store import CallRow, WrapUp
from tests.browser.conftest import SCREENS
from tests.browser.seat_states import faces
from tests.support.site import site, write_site
from tests.unit.agent_console.conftest import PASSWORD, USERS, Running, Start, settings, start

__all__ = ["settings", "start"]

SITE = {
    **site(operators=2, users=USERS),
    "dialling": {"trunks": ["hikari"]},
    "pbx": {"trunks": ["hikari"], "prefix": "8"},
    "categories": [
        {"name": "くらし", "children": [{"name": "ごみ"}, {"name": "上下水道"}, {"name": "道路・公園"}]},
        {"name": "戸籍・住民票", "children": [{"name": "転入・転出"}, {"name": "印鑑登録"}]},
        {"name": "税"},
    ],
}
SITE["trunks"] = [
    {"id": "hikari", "addresses": ["127.0.0.0/8"], "outbound": {"host": "127.0.0.1", "port": 5070}}
]

# What stands outside of its box without being able to scroll, or outside of the page: by id or class.
CUT_OFF = """() => {
  const seen = (one) => one.checkVisibility() && !one.closest(".visually-hidden, dialog, .menu-body, .skip");
  const cut = [];
  for (const one of document.querySelectorAll(":is(main, .bar) :is(button, p, label, b)")) {
    if (!seen(one)) continue;
    const box = one.getBoundingClientRect();
    const name = one.id || one.className || one.textContent.slice(0, 20);
    if (box.right > innerWidth + 1 || box.left < -1) cut.push("outside " + name);
    if (one.matches("button") && one.scrollWidth > one.clientWidth + 1) cut.push("cut " + name);
  }
  return cut;
}"""
PLACES = """() => Object.fromEntries(
  ["current", "raise", "pad-open", "harassment", "emergency", "find", "about-tabs", "wrap", "note", "done",
   "set-ready", "waiting-count", "phone-state"].map((id) => {
    const box = document.getElementById(id).getBoundingClientRect();
    return [id, [Math.round(box.left), Math.round(box.top)]];
  }))"""
DESK = """localStorage.setItem("daihyo.phone.1001", "desk")"""


async def fill(running: Running) -> None:
    """A directory, and somebody who has called before."""
    store, now = running.console.store, datetime.now(UTC)
    await fill_demo(store)
    said = [
        ("minato-1.7", "transferred", "くらし › ごみ", "粗大ごみの申込み。環境課へ。", 9),
        ("minato-1.8", "completed", "戸籍・住民票 › 転入・転出", "転入届に必要なものを案内した。", 3),
    ]
    async with store.session() as session:
        for call, result, category, note, days in said:
            at = now - timedelta(days=days)
            times = dict.fromkeys(("arrived_at", "queued_at", "answered_at", "ended_at"), at)
            plain = {"offers": 1, "refusals": 0, "outcome": "answered", "via": "engine", "hold_s": 0.0}
            session.add(
                CallRow(
                    call=call,
                    number="0246221111",
                    caller="09012345678",
                    operator="1002",
                    operators=["1002"],
                    talk_s=90.0,
                    **times,
                    **plain,
                )
            )
            session.add(
                WrapUp(
                    id=call, call=call, operator="1002", result=result, category=category, note=note, at=at
                )
            )
    await cases.add(
        store,
        "op02",
        kind="callback",
        subject="粗大ごみの収集日",
        note="夕方以降",
        caller="09012345678",
        call="minato-1.7",
        number="0246221111",
        due_at=now + timedelta(hours=20),
    )


@pytest.fixture
async def seat(
    settings: ConsoleSettings, start: Start, chromium: Browser
) -> AsyncIterator[tuple[Running, Page]]:
    write_site(settings.site_path, SITE)
    Secrets.load_or_create(settings.secrets_path, load_site(settings.site_path))
    running = await start()
    await fill(running)
    context = await chromium.new_context(viewport={"width": 1280, "height": 720}, locale="ja-JP")
    page = await context.new_page()
    page.on("pageerror", lambda error: errors.append(str(error)))
    errors: list[str] = []
    await page.add_init_script(DESK)
    await page.goto(str(running.server.make_url("/signin")))
    await page.get_by_label("ログイン名").fill("op01")
    await page.get_by_label("パスワード").fill(PASSWORD)
    await page.get_by_role("button", name="サインイン").click()
    await page.wait_for_url("**/seat")
    yield running, page
    await context.close()
    assert errors == []


async def shown(running: Running, page: Page, face: dict[str, Any]) -> None:
    """Until the page shows what the engine tells."""
    former = list(running.console.link.state.calls)
    gone = [one for one in former if one not in [call["id"] for call in face["calls"]]]
    await running.engine.tell(**face, gone=gone)
    me = face["operators"][0]
    await expect(page.locator("#state")).to_have_attribute("data-state", me["state"])
    phases = {"consulting": "talking", "transferring": "talking"}
    want = phases.get(face["calls"][0]["phase"], face["calls"][0]["phase"]) if face["calls"] else "idle"
    await expect(page.locator("#current")).to_have_attribute("data-phase", want)
    marks = face["calls"][0]["marks"] if face["calls"] else []
    await expect(page.locator("#harassed")).to_be_visible(
        visible=any(mark["mark"] == "harassment" for mark in marks)
    )
    transfer = bool(face["calls"] and face["calls"][0]["transfer"])
    await expect(page.locator("#partner")).to_be_visible(visible=transfer)


@pytest.mark.req("OPR-3", "OPR-6", "XFR-5")
async def test_every_face_fits_and_nothing_moves(seat: tuple[Running, Page]) -> None:
    running, page = seat
    SCREENS.mkdir(parents=True, exist_ok=True)
    places: dict[str, Any] = {}
    for name, face in faces().items():
        await shown(running, page, face)
        size = await page.evaluate(
            "[document.documentElement.scrollWidth, document.documentElement.scrollHeight]"
        )
        assert size == [1280, 720], (name, size)
        assert await page.evaluate(CUT_OFF) == [], name
        now = await page.evaluate(PLACES)
        places = places or now
        assert now == places, name
        for dark in (False, True):
            await page.emulate_media(color_scheme="dark" if dark else "light")
            await page.screenshot(path=SCREENS / f"face-{name}{'-dark' if dark else ''}.png")
    await searched(running, page)
    await page.set_viewport_size({"width": 390, "height": 844})
    for name, face in faces().items():
        await shown(running, page, face)
        width = await page.evaluate("document.documentElement.scrollWidth")
        assert width == 390, (name, width)
        assert await page.evaluate(CUT_OFF) == [], name
        await page.screenshot(path=SCREENS / f"face-{name}-phone.png", full_page=True)


async def searched(running: Running, page: Page) -> None:
    """The directory in a call, a department that is closed, the tree of categories, the keys, the keypad."""
    await shown(running, page, faces()["talking"])
    await page.keyboard.press("/")
    await page.keyboard.type("かんきょう")
    await expect(page.locator("#found li").first).to_contain_text("環境課")
    await page.screenshot(path=SCREENS / "face-search.png")
    await page.locator("#find").fill("0246-55-1234")
    await expect(page.locator("#found")).to_contain_text("この外線へ")
    await page.screenshot(path=SCREENS / "face-search-number.png")
    await page.locator("#find").fill("おっほっほ")
    await expect(page.locator("#found-empty")).to_be_visible()
    await page.screenshot(path=SCREENS / "face-search-nothing.png")
    await page.locator("#category").click()
    await expect(page.locator("#category-list")).to_be_visible()
    await page.locator("#faq").fill("１２３ 45")
    await page.locator("#faq").press("Enter")
    await page.locator("#follow").select_option("callback")
    await page.locator("#category").fill("ごみ")
    await page.screenshot(path=SCREENS / "face-category.png")
    await page.locator("#category").press("Enter")
    await expect(page.locator("#category")).to_have_value("くらし › ごみ")
    await page.keyboard.press("Shift+F7")
    await page.screenshot(path=SCREENS / "face-keypad.png")
    await page.keyboard.press("Escape")
    await page.locator("#tab-help").click()
    await shown(running, page, faces()["help"])
    await page.keyboard.press("Shift+F8")
    await page.screenshot(path=SCREENS / "face-help-open.png")
    assert await page.evaluate(CUT_OFF) == []
    await page.locator("#keys-open").click()
    await page.screenshot(path=SCREENS / "face-keys.png")
    await page.locator("#keys-close").click()
