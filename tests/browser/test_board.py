"""The supervisor's day in a real browser with its own telephone: listens, whispers, joins and takes over by
one click each on real calls with measured sound, answers a request for help, sees alarms on the page and in
the mail, and the wall screen that follows and goes blank."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, expect
from sqlalchemy import select

from store import AccessEntry, Store
from tests.browser.conftest import Opened
from tests.browser.pages import SLOW_MS, Board, Person
from tests.browser.test_phone import SPEAKS
from tests.support.centre import Centre, centre
from tests.support.mailbox import Mailbox, mailbox
from tests.support.phones import CITIZEN_HZ, OPERATOR_HZ, SUPERVISOR_HZ, Phones, Talk, dbfs, phones
from tests.support.rooms import hears
from tests.support.site import NUMBER, site

WAIT_S = 5
SUPERVISOR = "1900"

# How loud tones are in what the page plays, in dB below the loudest of all; null while it is silent.
TONES = """async (hz) => {
  const stream = document.getElementById("remote").srcObject;
  if (!stream) return null;
  const context = new AudioContext();
  const analyser = context.createAnalyser();
  analyser.fftSize = 8192;
  context.createMediaStreamSource(stream).connect(analyser);
  await new Promise((done) => setTimeout(done, 400));
  const levels = new Float32Array(analyser.frequencyBinCount);
  analyser.getFloatFrequencyData(levels);
  const loudest = Math.max(...levels);
  const width = context.sampleRate / analyser.fftSize;
  await context.close();
  if (loudest < -70) return null;
  const near = (one) => levels.slice(Math.floor((one - 30) / width), Math.ceil((one + 30) / width));
  return hz.map((one) => Math.max(...near(one)) - loudest);
}"""


@pytest.fixture
async def box() -> AsyncIterator[Mailbox]:
    async with mailbox() as made:
        yield made


@pytest.fixture
async def running(tmp_path: Path, box: Mailbox) -> AsyncIterator[Centre]:
    made: dict[str, Any] = site(operators=2, wrap_up_s=60)
    made["operators"].append({"id": SUPERVISOR, "name": "監督席", "queues": []})
    made["users"] = [
        one | {"operator": SUPERVISOR} if one["login"] == "sv01" else one for one in made["users"]
    ]
    made["alarms"] = {"wait_s": WAIT_S, "nobody_ready": False}
    made["mail"] = box.settings()
    async with centre(tmp_path, site=made) as started:
        yield started


class Supervisor:
    """The board with its telephone."""

    def __init__(self, person: Person) -> None:
        self.person, self.page = person, person.page
        self.board = Board(person)

    async def begin(self) -> None:
        await self.page.add_init_script(SPEAKS.replace(str(OPERATOR_HZ), str(SUPERVISOR_HZ)))
        await self.person.sign_in("sv01")
        await self.person.open("/board")
        await expect(self.page.locator("#phone-state")).to_have_attribute("data-ok", "true", timeout=SLOW_MS)

    def row(self, operator: str) -> Any:
        return self.page.locator(f'#operators li[data-operator="{operator}"]')

    async def presses(self, operator: str, mode: str) -> None:
        """A button of the row, and the mode is on: in the row and in the line above."""
        button = self.row(operator).locator(f'[data-mode="{mode}"]')
        await button.click()
        await expect(self.page.locator("#sup")).to_have_attribute("data-on", mode, timeout=SLOW_MS)
        await expect(button).to_have_attribute("aria-pressed", "true", timeout=SLOW_MS)

    async def line(self, on: str) -> None:
        await expect(self.page.locator("#sup")).to_have_attribute("data-on", on, timeout=SLOW_MS)

    async def hears(self, *tones: float) -> None:
        """Until the page plays these."""
        levels: list[float] | None = None
        for _ in range(30):
            levels = await self.page.evaluate(TONES, list(tones))
            if levels is not None and min(levels) > -25:
                return
        raise AssertionError(f"the page does not play {tones} Hz: {levels}")


async def in_talk(running: Centre, sip: Phones, desk: Any, caller: str) -> tuple[Talk, Talk, str]:
    """A citizen and an operator who hear each other; the call."""
    citizen = await sip.call(running.sip, NUMBER, caller)
    talk = await desk.talk()
    await citizen.hears(OPERATOR_HZ)
    call = next(one["id"] for one in running.control.calls.values() if one["caller"] == caller)
    return citizen, talk, call


@pytest.mark.long
@pytest.mark.req("MON-1", "MON-2", "MON-3", "MON-4", "MON-5", "OPR-5", "SEC-1", "SEC-2")
async def test_a_supervisors_day(running: Centre, person: Opened, box: Mailbox) -> None:
    async with person() as boss, person(dark=True) as hall, phones() as sip:
        desk = await sip.desk(running.phone("1001"))
        await running.ready_operator("1001")
        board = Supervisor(boss)
        await board.begin()
        await boss.screenshot("board-quiet")
        await boss.fits_the_screen()
        screen = await wall_begins(board, hall)

        citizen, talk, call = await in_talk(running, sip, desk, "09012345678")
        await expect(screen.locator('#wall-people [data-operator="1001"]')).to_have_attribute(
            "data-state", "talking", timeout=SLOW_MS
        )
        await hall.screenshot("wall-dark")
        await hall.fits_the_screen()
        await listens_whispers_joins(board, citizen, talk)
        await helps(running, board, call)
        await emergency(running, board, call)
        await takes_over(running, board, citizen, talk)
        await waits_too_long(running, board, box, sip)
        await sets_a_state(running, board)
        await wall_ends(board, screen)
        await on_record(running, call)


async def listens_whispers_joins(board: Supervisor, citizen: Talk, talk: Talk) -> None:
    mark = len(citizen.samples())
    await board.presses("1001", "listen")
    await board.hears(CITIZEN_HZ, OPERATOR_HZ)
    await board.person.screenshot("board-listening")
    await board.person.fits_the_screen()
    await board.presses("1001", "whisper")
    await hears(talk, CITIZEN_HZ, SUPERVISOR_HZ)
    assert dbfs(citizen.samples()[mark:], SUPERVISOR_HZ) < -60  # neither of it reached the citizen
    await board.presses("1001", "join")
    await hears(citizen, OPERATOR_HZ, SUPERVISOR_HZ)
    await board.hears(CITIZEN_HZ, OPERATOR_HZ)
    await board.page.locator("#sup-stop").click()
    await board.line("")
    await hears(citizen, OPERATOR_HZ)


async def helps(running: Centre, board: Supervisor, call: str) -> None:
    """手上げ: its text and its sound, 応じる listens at once, an answer goes back."""
    page = board.page
    sounded = int(await page.evaluate("Number(document.body.dataset.sounded ?? 0)"))
    await running.control.do("help.ask", operator="1001", call=call, text="聞いていてもらえますか")
    ask = page.locator(".ask.help")
    await expect(ask).to_contain_text("聞いていてもらえますか", timeout=SLOW_MS)
    assert await page.evaluate("Number(document.body.dataset.sounded ?? 0)") == sounded + 1
    await board.person.screenshot("board-help")
    await ask.get_by_role("button", name="操作者01 に応じる").click()
    await board.line("listen")
    await expect(ask).to_have_attribute("data-state", "taken", timeout=SLOW_MS)
    await ask.get_by_role("button", name="返事").click()
    await ask.get_by_label("操作者01 への返事").fill("聞いています。続けてください")
    await page.keyboard.press("Enter")
    said = await running.event("help_said")
    assert said.data["text"] == "聞いています。続けてください"
    await ask.get_by_role("button", name="済にする").click()
    await expect(ask).to_have_count(0, timeout=SLOW_MS)
    await page.locator("#sup-stop").click()
    await board.line("")


async def emergency(running: Centre, board: Supervisor, call: str) -> None:
    await running.control.do("call.mark", call=call, operator="1001", by="op01", mark="emergency", on=True)
    row = board.row("1001")
    await expect(row).to_have_attribute("data-mark", "emergency", timeout=SLOW_MS)
    alarm = board.page.locator('.ask.alarm[data-kind="emergency"]')
    await expect(alarm).to_have_attribute("data-state", "on", timeout=SLOW_MS)
    await board.person.screenshot("board-emergency")
    await alarm.get_by_role("button").click()
    await expect(alarm).to_have_attribute("data-state", "seen", timeout=SLOW_MS)
    await expect(alarm).to_contain_text("監督 確認")


async def takes_over(running: Centre, board: Supervisor, citizen: Talk, talk: Talk) -> None:
    page = board.page
    await board.row("1001").get_by_role("button", name="操作者01の通話を引き取る").click()
    await talk.over()
    await board.line("talk")
    await hears(citizen, SUPERVISOR_HZ)
    await running.control.state_is("1001", "wrap_up")
    await board.person.screenshot("board-own-call")
    hang_up = page.locator("#sup-hangup")
    await hang_up.click()
    await expect(hang_up).to_have_text("もう一度で終話")
    await hang_up.click()
    await citizen.over()
    await board.line("")


async def waits_too_long(running: Centre, board: Supervisor, box: Mailbox, sip: Phones) -> None:
    """Nobody is free: the alarm, its mail, who saw it; then the citizen is pulled and answered here."""
    page = board.page
    await running.control.do("operator.wrapped_up", operator=SUPERVISOR, next="break")
    citizen = await sip.call(running.sip, NUMBER, "0246355678")
    alarm = page.locator('.ask.alarm[data-kind="wait"]')
    await expect(alarm).to_have_attribute("data-state", "on", timeout=SLOW_MS)
    await expect(alarm).to_contain_text(f"({WAIT_S} 秒超)")
    await board.person.screenshot("board-alarm")
    await board.person.fits_the_screen()
    while "待ち" not in (mail := await box.mail())["Subject"]:
        pass  # the emergency's came first
    assert mail["To"] == "sv@minato.example"
    assert "総合案内: 待ち" in mail.get_content()
    await alarm.get_by_role("button").click()
    await expect(alarm).to_have_attribute("data-state", "seen", timeout=SLOW_MS)
    await page.get_by_role("button", name="0246-35-5678 を引き取る").click()
    await board.line("talk")
    await hears(citizen, SUPERVISOR_HZ)
    await board.hears(CITIZEN_HZ)
    await expect(alarm).to_have_count(0, timeout=SLOW_MS)  # over, and seen
    await citizen.hangup()
    await board.line("")
    await board.person.open("/alarms")
    await expect(page.locator('.alarm-row[data-kind="wait"]')).to_contain_text("監督")
    await board.person.screenshot("alarms")
    await board.person.open("/board")


async def sets_a_state(running: Centre, board: Supervisor) -> None:
    page = board.page
    await running.control.do("operator.wrapped_up", operator="1001")
    await board.board.operator("1001", "ready")
    await board.row("1001").get_by_role("button", name="操作者01の状態を変える").click()
    await board.person.screenshot("board-state")
    await page.locator("#state-of").get_by_role("button", name="離席").click()
    await board.board.operator("1001", "break")
    await board.row("1001").get_by_role("button", name="操作者01の状態を変える").click()
    await page.locator("#state-of").get_by_role("button", name="サインオフ").click()
    await board.board.operator("1001", "off")
    assert running.control.state("1001") == "off"


async def wall_begins(board: Supervisor, hall: Person) -> Page:
    """A link is made, and a screen that nobody signed in at shows it."""
    await board.person.open("/walls")
    await board.page.get_by_label("どこの画面か").fill("2階 執務室")
    await board.page.get_by_role("button", name="リンクを作る").click()
    link = board.page.locator("#made-link")
    await expect(link).to_be_visible()
    await board.person.screenshot("walls")
    await hall.page.goto(str(await link.get_attribute("href")))
    await expect(hall.page.locator("#wall-states")).to_contain_text("待機", timeout=SLOW_MS)
    await board.person.open("/board")
    await expect(board.page.locator("#phone-state")).to_have_attribute("data-ok", "true", timeout=SLOW_MS)
    return hall.page


async def wall_ends(board: Supervisor, screen: Page) -> None:
    await board.person.open("/walls")
    await board.page.get_by_role("button", name="「2階 執務室」のリンクを取り消す").click()
    await expect(screen.get_by_role("alert")).to_contain_text("この表示は終了しました。", timeout=SLOW_MS)
    await expect(screen.locator("#wall")).to_be_hidden()
    assert "操作者" not in str(await screen.locator("body").text_content())
    # Its clock ticks on in the blank page and must find nothing to write: a second timer outlasts one tick.
    await screen.evaluate("() => new Promise((done) => setTimeout(done, 1200))")


async def on_record(running: Centre, call: str) -> None:
    """Every listening with call, operator, mode, from and to; who took over; who made the link."""
    store = await Store.open(running.state.sqlite_url)
    try:
        async with asyncio.timeout(30):
            while True:
                async with store.reading() as database:
                    rows = (await database.scalars(select(AccessEntry).order_by(AccessEntry.id))).all()
                noted = [str(row.detail) for row in rows if row.action == "supervise" and row.login == "sv01"]
                ended = [one for one in noted if one.startswith("end ")]
                if len(ended) >= 4:
                    break
                await asyncio.sleep(0.1)
    finally:
        await store.close()
    assert [one.split()[1] for one in ended] == ["listen", "whisper", "join", "listen"]
    assert all(f"call={call} operator=1001 supervisor={SUPERVISOR} from=" in one for one in ended)
    assert {"take_over", "call_pull", "alarm_acknowledged", "wall_link", "state_set"} <= {
        r.action for r in rows
    }
