"""Chromium with a false microphone, in front of a centre that runs for real."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
from playwright.async_api import Browser, async_playwright

from tests.browser.pages import Person
from tests.support.centre import Centre, centre
from tests.support.site import site

SCREENS = Path(__file__).parents[2] / "var" / "screens"
CHROMIUM = os.environ.get("DAIHYO_CHROMIUM") or shutil.which("chromium") or "chromium"
FLAGS = [
    "--no-sandbox",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
    "--allow-loopback-in-peer-connection",
    "--autoplay-policy=no-user-gesture-required",
    "--disable-background-networking",
    "--disable-gpu",
    "--disable-quic",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]

Opened = Callable[..., AbstractAsyncContextManager[Person]]


@pytest.fixture
async def chromium() -> AsyncIterator[Browser]:
    """The system's browser."""
    if not Path(CHROMIUM).exists():
        pytest.skip(f"no browser at {CHROMIUM}; install chromium or set DAIHYO_CHROMIUM")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        await browser.close()


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Centre]:
    """A demo centre of two operators; after a call they have a minute for the wrap-up."""
    async with centre(tmp_path, "--demo", site=site(operators=2, wrap_up_s=60)) as made:
        yield made


@pytest.fixture
def person(chromium: Browser, running: Centre) -> Opened:
    """`async with person() as somebody:` somebody at a screen of 1280×720, or with a phone of 390×844.
    Errors in it fail the test. `web`: where the console is found when not directly (support.network)."""
    SCREENS.mkdir(parents=True, exist_ok=True)

    @contextlib.asynccontextmanager
    async def sit(
        dark: bool = False,
        expect_errors: bool = False,
        phone: bool = False,
        scripts: bool = True,
        web: str = "",
    ) -> AsyncIterator[Person]:
        context = await chromium.new_context(
            viewport={"width": 390, "height": 844} if phone else {"width": 1280, "height": 720},
            java_script_enabled=scripts,
            locale="ja-JP",
            color_scheme="dark" if dark else "light",
            permissions=["microphone"],
        )
        try:
            somebody = Person(running, await context.new_page(), SCREENS, web)
            yield somebody
            assert expect_errors or somebody.errors == []
        finally:
            await context.close()

    return sit
