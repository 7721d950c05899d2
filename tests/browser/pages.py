"""The pages as people use them: what can be done, what can be seen; every wait is for something seen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.async_api import ConsoleMessage, Page, expect

from agent_console import set_password
from store import Store
from tests.support.centre import Centre

PASSWORD = "minato-bashi-7"
SLOW_MS = 30_000  # machines that run tests are busy

# The loudest frequency of what the page plays, in Hz; 0 while it is silent.
HEARD = """async () => {
  const stream = document.getElementById("remote").srcObject;
  if (!stream) return 0;
  const context = new AudioContext();
  const analyser = context.createAnalyser();
  analyser.fftSize = 8192;
  context.createMediaStreamSource(stream).connect(analyser);
  await new Promise((done) => setTimeout(done, 400));
  const levels = new Float32Array(analyser.frequencyBinCount);
  analyser.getFloatFrequencyData(levels);
  let loudest = 0;
  levels.forEach((level, i) => { if (level > levels[loudest]) loudest = i; });
  const hz = levels[loudest] > -70 ? loudest * context.sampleRate / analyser.fftSize : 0;
  await context.close();
  return hz;
}"""


class Person:
    """Somebody in front of the console."""

    def __init__(self, running: Centre, page: Page, screens: Path, web: str = "") -> None:
        self.running = running
        self.page = page
        self.web = web or running.web
        self.errors: list[str] = []
        self._screens = screens
        page.set_default_timeout(SLOW_MS)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", self._on_console)

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.errors.append(message.text)

    async def open(self, path: str) -> None:
        await self.page.goto(self.web + path)

    async def gets_password(self, login: str) -> None:
        store = await Store.open(self.running.state.sqlite_url)
        await set_password(store, login, PASSWORD)
        await store.close()

    async def sign_in(self, login: str) -> None:
        await self.gets_password(login)
        await self.open("/signin")
        await self.page.get_by_label("ログイン名").fill(login)
        await self.page.get_by_label("パスワード").fill(PASSWORD)
        await self.page.get_by_role("button", name="サインイン").click()
        await self.page.wait_for_url(lambda url: "/signin" not in url)

    async def screenshot(self, name: str) -> None:
        await self.page.screenshot(path=self._screens / f"{name}.png")

    async def fits_the_screen(self) -> None:
        """Nothing of the page is outside 1280×720."""
        size = await self.page.evaluate(
            "[document.documentElement.scrollWidth, document.documentElement.scrollHeight]"
        )
        assert size[0] <= 1280, size
        assert size[1] <= 720, size

    async def hears(self, hz: float) -> None:
        """Until the page plays this tone."""
        for _ in range(30):
            heard = float(await self.page.evaluate(HEARD))
            if abs(heard - hz) < 30:
                return
        raise AssertionError(f"the page plays {heard:.0f} Hz, not {hz:.0f} Hz")


class Seat:
    """The operator's seat."""

    def __init__(self, person: Person) -> None:
        self.person = person
        self.page = person.page

    async def has_phone(self) -> None:
        await expect(self.page.locator("#phone-state")).to_have_attribute("data-ok", "true", timeout=SLOW_MS)

    async def ready(self) -> None:
        await self.has_phone()
        await self.page.get_by_role("button", name="待機", exact=True).click()
        await self.state("ready")

    async def ready_again(self) -> None:
        """Back to ready where a call may ring at once."""
        await self.has_phone()
        await self.page.get_by_role("button", name="待機", exact=True).click()

    async def state(self, state: str) -> None:
        await expect(self.page.locator("#state")).to_have_attribute("data-state", state, timeout=SLOW_MS)

    async def phase(self, phase: str) -> None:
        await expect(self.page.locator("#current")).to_have_attribute("data-phase", phase, timeout=SLOW_MS)

    async def shows(self, selector: str, text: str) -> None:
        await expect(self.page.locator(selector)).to_contain_text(text, timeout=SLOW_MS)

    async def rings(self) -> None:
        await self.phase("ringing")
        await expect(self.page.locator("#answer")).to_be_enabled(timeout=SLOW_MS)

    async def press(self, key: str) -> None:
        await self.page.keyboard.press(key)

    async def answer(self) -> None:
        await self.rings()
        await self.press("F2")
        await self.phase("talking")

    async def write(self, result: str, category: str, note: str) -> None:
        await self.page.get_by_role("radio", name=result, exact=True).check(force=True)
        await self.page.get_by_label("分類").fill(category)
        await self.page.get_by_label("メモ").fill(note)


class Board:
    """The live board."""

    def __init__(self, person: Person) -> None:
        self.page = person.page

    async def operator(self, operator_id: str, state: str) -> None:
        row = self.page.locator(f'#operators li[data-operator="{operator_id}"] .st')
        await expect(row).to_have_attribute("data-state", state, timeout=SLOW_MS)

    async def figure(self, name: str, text: str) -> None:
        await expect(self.page.locator(f"#fig-{name} .value")).to_have_text(text, timeout=SLOW_MS)


class Calls:
    """The list of calls."""

    def __init__(self, person: Person) -> None:
        self.person = person
        self.page = person.page

    async def open_first(self) -> None:
        """Reloads until the first call is there with its recording, then opens it in place."""
        row = self.page.locator(".call-row:has(.sound)").first
        for _ in range(30):
            await self.person.open("/calls")
            if await row.count():
                break
            await self.page.wait_for_timeout(500)
        await row.click()
        await self.page.wait_for_selector('.player[data-ready="true"]')

    async def plays(self) -> None:
        """Until the sound has moved on, and it is not silence."""
        await self.page.get_by_role("button", name="再生").click()
        # The page's own policy forbids playwright's wait_for_function, which evaluates text.
        for _ in range(60):
            if await self.page.evaluate("document.querySelector('.player audio').currentTime") > 0.3:
                break
            await self.page.wait_for_timeout(100)
        else:
            raise AssertionError("the player does not move on")
        peak: Any = await self.page.evaluate(
            """async () => {
              const sound = await (await fetch(document.querySelector(".player").dataset.src)).arrayBuffer();
              const decoded = await new OfflineAudioContext(1, 1, 8000).decodeAudioData(sound);
              const loudest = (channel) => channel.reduce((a, x) => Math.max(a, Math.abs(x)), 0);
              return [0, 1].map((i) => loudest(decoded.getChannelData(i)));
            }"""
        )
        assert min(peak) > 0.01, peak


class CitizenPhone:
    """市民の電話."""

    def __init__(self, person: Person) -> None:
        self.page = person.page
        self.person = person

    async def call(self, name: str = "市代表") -> None:
        await self.person.open("/citizen")
        await self.page.get_by_role("radio", name=name).check(force=True)
        button = self.page.get_by_role("button", name="発信")
        await expect(button).to_be_enabled(timeout=SLOW_MS)
        await button.click()
        await self.state("talking")

    async def state(self, state: str) -> None:
        await expect(self.page.locator("#call-state")).to_have_attribute("data-state", state, timeout=SLOW_MS)

    async def hang_up(self) -> None:
        await self.page.get_by_role("button", name="切る").click()
