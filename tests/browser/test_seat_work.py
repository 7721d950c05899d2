"""An operator's work at the seat by keyboard alone, on real calls: a consult that is given back, a transfer,
a wrap-up begun in the call, a raised hand, a call out. Who hears whom is measured."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import expect

import desk
from desk import entry_of
from store import Store
from tests.browser.conftest import Opened
from tests.browser.pages import SLOW_MS, Seat
from tests.browser.test_phone import SPEAKS
from tests.live.asterisk_conf.tone_phone import TonePhone, share
from tests.support.centre import Centre, centre
from tests.support.pbx import WARD_HZ, Pbx, pbx
from tests.support.phones import CITIZEN_HZ, OPERATOR_HZ
from tests.support.site import NUMBER

ALWAYS = "毎日 0:00-24:00"
ENTRIES = [
    {"department": "環境課", "section": "ごみ係", "extension": "2314", "duties": "粗大ごみ", "hours": ALWAYS},
    {"department": "市民課", "section": "戸籍係", "extension": "2201", "duties": "戸籍", "hours": ALWAYS},
]
OUTSIDE = "0246229999"


@pytest.fixture
async def hall() -> AsyncIterator[Pbx]:
    async with pbx() as made:
        yield made


@pytest.fixture
async def running(tmp_path: Path, hall: Pbx) -> AsyncIterator[Centre]:
    """A centre beside the city hall's exchange, with two departments in the directory."""
    site = hall.site(operators=1, wrap_up_s=120, ring_timeout_s=30)
    site["categories"] = [
        {"name": "くらし", "children": [{"name": "ごみ"}, {"name": "水道"}]},
        {"name": "税"},
    ]
    async with centre(tmp_path, site=site) as made:
        hall.centre(made)
        store = await Store.open(made.state.sqlite_url)
        await desk.replace(store, [entry_of(one) for one in ENTRIES], "test")
        await store.close()
        yield made


class Citizen(TonePhone):
    """A telephone without a jitter buffer: what is sent to it is what it hears. (That of `phones` plays
    nothing any more when a new source's timestamps lie behind those of the former one.)"""

    hertz = CITIZEN_HZ

    async def hears_music(self) -> None:
        """Until the last quarter of a second was sound, and nobody's tone."""
        tones = (OPERATOR_HZ, WARD_HZ)
        await self._until(
            lambda: (
                bool(abs(self.sound(0.25)).max(initial=0) > 0.01)
                and all(share(self.sound(0.25), hertz) < 0.5 for hertz in tones)
            ),
            30,
        )


class Keys(Seat):
    """The seat without a mouse."""

    async def keys(self, *keys: str) -> None:
        for key in keys:
            await self.page.keyboard.press(key)

    async def find(self, text: str, first: str) -> None:
        """Types into the search and goes to the first result, which must be `first`."""
        await self.keys("F4")
        await self.page.keyboard.type(text)
        await expect(self.page.locator("#found li").first).to_contain_text(first, timeout=SLOW_MS)
        await self.keys("ArrowDown")
        await expect(self.page.locator("#found li").first.locator("button:focus")).to_have_count(1)

    async def partner(self, state: str) -> None:
        await expect(self.page.locator("#partner-word")).to_have_text(state, timeout=SLOW_MS)

    async def alone(self) -> None:
        await expect(self.page.locator("#partner")).to_be_hidden(timeout=SLOW_MS)

    async def form_is(self, result: str, category: str, faq: list[str], note: str) -> None:
        page = self.page
        await expect(page.get_by_role("radio", name=result, exact=True)).to_be_checked()
        await expect(page.get_by_label("分類")).to_have_value(category)
        await expect(page.locator("#faq-list .num")).to_have_text([f"#{one}" for one in faq])
        await expect(page.get_by_label("メモ")).to_have_value(note)


@pytest.mark.req("OPR-1", "OPR-3", "OPR-4", "OPR-5", "OPR-6", "XFR-1", "XFR-2", "XFR-5", "NUM-5", "CON-1")
async def test_a_day_by_keyboard_alone(running: Centre, hall: Pbx, person: Opened) -> None:
    ward = await hall.extension("2314")
    busy = await hall.extension("2201", policy="486")
    home = await hall.number(OUTSIDE)
    citizen = await Citizen.open(int(running.sip.rsplit(":", 1)[1]), "09012345678")
    assert isinstance(citizen, Citizen)
    async with person(expect_errors=True) as op:  # refusals are answers of 409
        await op.page.add_init_script(SPEAKS)
        await op.sign_in("op01")
        seat = Keys(op)
        await seat.has_phone()
        await seat.keys("F1", "Enter")  # to the states: the first is 待機
        await seat.state("ready")
        await citizen.call(NUMBER)
        await seat.rings()
        await seat.keys("F2")
        await seat.phase("talking")
        await citizen.hears_tone(OPERATOR_HZ, 30)

        # A busy department: the reason stands where it was asked for, the citizen is still there.
        await seat.find("戸籍", "市民課 戸籍係")
        await seat.keys("Enter")
        await seat.shows("#find-problem", "話し中")
        await seat.phase("talking")
        assert busy.seen
        await citizen.hears_tone(OPERATOR_HZ, 30)

        # Consult and back.
        await seat.find("粗大", "環境課 ごみ係")
        await seat.keys("Enter")
        await seat.partner("取次中")
        await ward.hears_tone(OPERATOR_HZ)
        await op.hears(WARD_HZ)
        await citizen.hears_music()
        await op.screenshot("seat-consult")
        await op.fits_the_screen()
        await seat.keys("F3")
        await seat.partner("市民と通話")
        await citizen.hears_tone(OPERATOR_HZ, 30)
        await seat.keys("Shift+F9")
        await seat.partner("三者通話")
        await seat.keys("F10")
        await seat.alone()
        await ward.event("bye")
        await citizen.hears_tone(OPERATOR_HZ, 30)

        # The form, in the call; it survives a reload.
        await seat.keys("Shift+F6", "Space")  # 完了
        await seat.keys("ArrowRight", "Tab")  # 一部完了, then 分類
        await op.page.keyboard.type("ごみ")
        await seat.keys("Enter", "Tab")
        await op.page.keyboard.type("123")
        await seat.keys("Enter")
        await op.page.keyboard.type("45")
        await seat.keys("Enter")
        await op.page.get_by_label("メモ").focus()
        await op.page.keyboard.type("粗大ごみの申込み")
        written = ("一部完了", "くらし › ごみ", ["123", "45"], "粗大ごみの申込み")
        await seat.form_is(*written)
        await op.page.reload()
        await seat.phase("talking")
        await citizen.hears_tone(OPERATOR_HZ, 30)
        await seat.form_is(*written)

        # 手上げ: what a supervisor answers is seen on the call.
        await seat.keys("Shift+F2")
        await op.page.keyboard.type("申込みの期限は?")
        await seat.keys("Enter")
        asked = await running.event("help_asked")
        assert asked.data["text"] == "申込みの期限は?"
        await running.control.do("help.say", help=asked.data["help"], by="sv01", text="毎月10日です")
        await seat.shows("#notices", "監督: 毎月10日です")
        await op.screenshot("seat-help")

        # Blind: the citizen is with the department, the operator in the wrap-up.
        await seat.find("2314", "環境課 ごみ係")
        await seat.keys("ArrowRight", "Enter")
        await seat.state("wrap_up")
        await citizen.hears_tone(WARD_HZ, 30)
        await ward.hears_tone(CITIZEN_HZ)
        await seat.form_is(*written)
        await seat.keys("F6")
        await seat.state("ready")
        saved = await running.event("wrapped_up")
        assert saved.data["result"] == "partial"
        assert (saved.data["category"], saved.data["faq"]) == ("くらし › ごみ", ["123", "45"])
        assert saved.data["note"] == "粗大ごみの申込み"
        citizen.bye()
        await ward.event("bye")

        # Calls out: one that is not allowed says why and stays to be mended.
        await seat.keys("Shift+F4")
        await op.page.keyboard.type("0101212555")
        await seat.keys("Enter")
        await expect(op.page.locator("#dial-problem")).to_be_visible(timeout=SLOW_MS)
        await expect(op.page.locator("#dial-number")).to_have_value("0101212555")
        await seat.keys("Shift+F4", "Control+a")
        await op.page.keyboard.type("0246-22-9999")
        await seat.keys("Enter")
        await seat.phase("talking")
        await home.hears_tone(OPERATOR_HZ)
        await op.hears(WARD_HZ)
        await seat.keys("F8")
        await seat.phase("talking")  # one key alone ends nothing
        await seat.keys("F8")
        await home.event("bye")
        await seat.state("wrap_up")
        await expect(op.page.locator("#dialled button").first).to_have_text("0246-22-9999")
        dialled = await running.event("dialled")
        assert (dialled.data["to"], dialled.data["reason"]) == (OUTSIDE, "outbound")
    citizen.close()
