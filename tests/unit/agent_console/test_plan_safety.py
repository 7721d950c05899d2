"""What callers hear at once is asked for once more, shown as it will be heard, and seen while it runs."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from agent_console.plan.running import foretell
from dialplans import parse_site, spoken

from .conftest import Browser, Running, Start
from .plans import Form, form_at, forms_of, minato, send
from .test_plan_pages import HOURS, draft_text, settings, started

__all__ = ["settings"]

MAIN = "0246221300"


async def told(running: Running, browser: Browser, **event: Any) -> None:
    """The engine tells something, and the console has it."""
    before = running.console.link.state.version
    await running.engine.tell(**event)
    while running.console.link.state.version == before:
        await browser.get("/healthz")


def switch(digits: str, mode: str, until: datetime) -> dict[str, Any]:
    return {"number": digits, "mode": mode, "until": until.isoformat(), "reason": "停電", "by": "admin"}


def on(state: str = "on") -> dict[str, Any]:
    return {"notice": "disaster", "state": state, "by": "admin", "confirmed_by": None, "since": None}


async def sure(browser: Browser, form: Form) -> tuple[str, Form]:
    """Sends a form, and gives the page that asks once more and its form."""
    answer = await send(browser, form)
    page = await answer.text()
    assert answer.status == 200, page
    return page, next(one for one in forms_of(page, form.action) if one.action == form.action)


# -- what runs is heard


@pytest.mark.req("IVR-2", "HRS-3")
async def test_what_is_heard_follows_running_switches_and_notices(start: Start) -> None:
    running = await started(start)
    browser = await running.browser("sv01")
    zone = running.console.site.zone
    noon = (datetime.now(zone) + timedelta(days=1)).replace(hour=12, minute=0, second=0, microsecond=0)
    ends = noon + timedelta(hours=3)
    await told(running, browser, openings=[switch(MAIN, "closed", ends)], notices=[on()])

    async def seen(at: datetime, more: str = "") -> str:
        text = at.replace(tzinfo=None).isoformat("T", "minutes")
        return await (await browser.get(f"/plan?number={MAIN}&at={text}{more}")).text()

    page = await seen(noon)
    assert 'class="opening" data-open="false"' in page
    assert page.count("受付の切り替え中") == 2  # beside what is heard, and on the number's box
    assert 'value="disaster" checked' in page
    assert "災害" in page.split('<ol class="lines">')[1].split("</ol>")[0]
    # Somebody took the tick away: as if it were not on.
    assert 'value="disaster" checked' not in await seen(noon, "&chose=1")
    # After the switch's end it rules no more.
    assert "受付の切り替え中" not in await seen(ends + timedelta(minutes=1))
    # Nor in the past: nobody knows whether it was made then.
    assert "受付の切り替え中" not in await seen(noon - timedelta(days=8))


@pytest.mark.req("IVR-2", "HRS-3")
async def test_an_extension_is_heard_as_open(start: Start) -> None:
    running = await started(start)
    browser = await running.browser("staff01")
    night = (datetime.now(running.console.site.zone) + timedelta(days=1)).replace(hour=23, minute=0)
    path = f"/plan?number={MAIN}&at={night.replace(tzinfo=None).isoformat('T', 'minutes')}"
    assert 'class="opening" data-open="false"' in await (await browser.get(path)).text()
    await told(running, browser, openings=[switch(MAIN, "extended", night + timedelta(minutes=30))])
    assert 'class="opening" data-open="true"' in await (await browser.get(path)).text()


# -- asked once


@pytest.mark.req("HRS-3")
async def test_closing_shows_what_will_be_heard_before_it_is_done(start: Start) -> None:
    running = await started(start)
    browser = await running.browser("sv01")
    zone = running.console.site.zone
    form = await form_at(browser, "/plan/switches", "/plan/switches/opening")
    until = (datetime.now(zone) + timedelta(hours=2)).replace(tzinfo=None).isoformat(timespec="minutes")
    form.set(until=until, reason="停電")
    form.fields += [("number", MAIN), ("mode", "closed")]
    page, again = await sure(browser, form)
    heard = page.split('<ol class="lines">')[1].split("</ol>")[0]
    step = next(one for one in running.console.site.steps if one.kind == "say" and one.id == "closed-today")
    assert spoken(step.say, "ja").text in heard
    assert "時間外の案内がありません" not in page
    assert running.engine.commands.empty()  # nothing was done yet
    answer = await send(browser, again)
    assert answer.status == 303
    done = await running.engine.told("opening.set")
    assert (done["numbers"], done["mode"], done["reason"]) == ([MAIN], "closed", "停電")
    assert "受付を切り替えました" in await (await browser.get(answer.headers["Location"])).text()


@pytest.mark.req("HRS-3")
def test_a_number_without_words_for_closing_is_warned_of() -> None:
    site = parse_site(minato())
    number = next(one for one in site.numbers if one.digits == MAIN)
    bare = number.model_copy(update={"hours": None, "closed": None, "holiday": None})
    others = tuple(one for one in site.numbers if one.digits != MAIN)
    without = site.model_copy(update={"numbers": (bare, *others)})
    at = datetime(2026, 11, 24, 10, tzinfo=site.zone)
    told = foretell(without, MAIN, "closed", at, (), False)
    assert told is not None
    assert told.bare
    assert [line.text for line in told.lines or []] == [spoken(site.wording.sorry_goodbye, "ja").text]
    opened = foretell(without, MAIN, "open", at, (), False)
    assert opened is not None
    assert not opened.bare
    assert opened.ending == ""  # a key is waited for
    assert foretell(without, "000", "closed", at, (), False) is None


@pytest.mark.req("HRS-3", "HRS-4")
async def test_a_notice_is_stopped_only_after_a_question(start: Start) -> None:
    running = await started(start)
    browser = await running.browser("sv01")
    await told(running, browser, notices=[on()])
    form = await form_at(browser, "/plan/switches", "/plan/switches/notices/disaster/off")
    page, again = await sure(browser, form)
    assert "止めます" in page
    assert "よろしいですか" in page
    assert running.engine.commands.empty()
    # Meanwhile somebody else stopped it: another question, and nothing is done.
    await told(running, browser, notices=[])
    assert (await send(browser, again)).status == 200
    await told(running, browser, notices=[on()])
    answer = await send(browser, again)
    assert (answer.status, answer.headers["Location"]) == (303, "/plan/switches?saved=off")
    assert (await running.engine.told("notice.clear"))["by"] == "sv01"


@pytest.mark.req("HRS-3", "HRS-4")
async def test_starting_a_notice_shows_its_words_first(start: Start) -> None:
    running = await started(start)
    browser = await running.browser("sv01")
    form = await form_at(browser, "/plan/switches", "/plan/switches/notices/disaster/on")
    page, again = await sure(browser, form)
    notice = running.console.site.notices[0]
    assert notice.name in page
    assert "もう一人" in page
    assert running.engine.commands.empty()
    assert (await send(browser, again)).status == 303
    assert (await running.engine.told("notice.set"))["notice"] == "disaster"


# -- the board


@pytest.mark.req("HRS-3", "OPR-6")
async def test_the_board_says_what_is_switched(start: Start) -> None:
    running = await started(start)
    browser = await running.browser("sv01")
    assert 'class="running-line"' not in await (await browser.get("/board")).text()
    until = datetime.now(running.console.site.zone) + timedelta(hours=1)
    notice = running.console.site.notices[0]
    number = next(one for one in running.console.site.numbers if one.digits == MAIN)
    asked = {**on("asked"), "notice": "other"}
    await told(running, browser, openings=[switch(MAIN, "closed", until)], notices=[on(), asked])
    page = await (await browser.get("/board")).text()
    told_lines = page.split('id="running"')[1].split("</div>")[0]
    assert told_lines.index(f"お知らせを流しています: {notice.name}") < told_lines.index("確認待ち: other")
    assert f"{number.name} 受付の切り替え中" in told_lines
    assert until.strftime("%H:%M") in told_lines
    assert 'href="/plan/switches"' in told_lines


# -- boxes


@pytest.mark.req("ADM-1", "SEC-1")
async def test_a_box_is_taken_out_only_after_a_question_that_names_its_users(start: Start) -> None:
    running = await started(start)
    browser = await running.browser("admin")
    step = "closed-today"
    form = await form_at(browser, f"/plan/edit/steps/{step}", f"/plan/remove/steps/{step}")
    page, again = await sure(browser, form)
    number = next(one for one in running.console.site.numbers if one.closed == step)
    assert "削除します。よろしいですか" in page
    assert number.name in page
    assert await draft_text(running) is None
    answer = await send(browser, again)
    assert answer.status == 303
    assert f"number={number.digits}" in answer.headers["Location"]
    assert "id: closed-today" not in (await draft_text(running) or "")
    page = await (await browser.get(answer.headers["Location"])).text()
    assert "を下書きから削除しました" in page
    assert number.number in page


@pytest.mark.req("ADM-1")
async def test_two_windows_of_one_login_do_not_write_over_each_other(start: Start) -> None:
    running = await started(start)
    browser = await running.browser("admin")
    first, second = await form_at(browser, HOURS), await form_at(browser, HOURS)
    other = await form_at(browser, "/plan/edit/steps/closed-today")
    first.put("week.mon", "9:00-16:00")
    assert (await send(browser, first)).status == 303
    second.put("week.mon", "10:00-15:00")
    answer = await send(browser, second)
    page = await answer.text()
    assert answer.status == 409
    assert "別の画面で" in page
    assert "9:00-16:00" in (await draft_text(running) or "")  # nothing was written over
    again = next(one for one in forms_of(page, HOURS) if one.action == HOURS)
    assert ("week.mon", "10:00-15:00") in again.fields  # what was typed is kept
    assert (await send(browser, again)).status == 303  # now on purpose
    assert "10:00-15:00" in (await draft_text(running) or "")
    # Another box's form, opened before all that, has nothing to do with it.
    other.put("say.ja", "本日は終わりました。")
    assert (await send(browser, other)).status == 303
