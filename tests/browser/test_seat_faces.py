"""Every face of the seat in a real browser, the engine played by the test: nothing is cut off, nothing moves
its neighbours. Pictures of each, in both themes, are left in var/screens."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.conftest import SCREENS
from tests.browser.seat_states import faces
from tests.unit.agent_console.conftest import PASSWORD, Running, Start, settings, start

__all__ = ["settings", "start"]

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


@pytest.fixture
async def seat(start: Start, chromium: Browser) -> AsyncIterator[tuple[Running, Page]]:
    running = await start()
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
    await page.set_viewport_size({"width": 390, "height": 844})
    for name, face in faces().items():
        await shown(running, page, face)
        width = await page.evaluate("document.documentElement.scrollWidth")
        assert width == 390, (name, width)
        await page.screenshot(path=SCREENS / f"face-{name}-phone.png", full_page=True)
