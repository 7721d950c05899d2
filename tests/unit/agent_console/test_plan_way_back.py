"""Differences in words, the way back to an older version, and who did what."""

from __future__ import annotations

import pytest

from agent_console.plan.differences import broken, changes
from agent_console.texts import Language, texts

from .conftest import Start
from .plans import carry_out, form_at, live, minato, send
from .test_plan_pages import settings, started

__all__ = ["settings"]

JA = texts(Language.JA)
BASE = """
language: ja
numbers:
  - {number: 012-345, name: 代表, start: m, greeting: {ja: はい, en: Hello}}
hours:
  - {id: o, name: 窓口, week: {mon-fri: [8:30-17:15]}}
steps:
  - {id: m, kind: say, name: 案内, say: {audio: c5c54aaaaaaaaaaa, text: どうぞ}, next: queue:q}
  - {id: n, kind: menu, name: 選択, keys: {1: {label: ごみ, go: m}}, tries: 3}
queues:
  - {id: q, name: 総合}
forwards:
  - {id: guard, name: 本庁舎警備室}
events:
  - {id: e, name: 朝市, state: held}
notices:
  - {id: d, name: 災害, two_people: false}
"""


def told(before: str, after: str) -> list[tuple[str, str, str]]:
    """The fields of all boxes that changed."""
    return [line for one in changes(before, after, JA) for line in one.fields]


@pytest.mark.req("ADM-1")
@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("state: held", "state: cancelled", ("状態", "開催", "中止")),
        ("next: queue:q", "next: forward:guard", ("このあと", "総合", "本庁舎警備室")),
        ("two_people: false", "two_people: true", ("二人で確認する", "いいえ", "はい")),
        ("en: Hello}", "en: Good day}", ("あいさつ (英語)", "Hello", "Good day")),
        ("ja: はい", "ja: もしもし", ("あいさつ", "はい", "もしもし")),
        (
            "{mon-fri: [8:30-17:15]}",
            "{mon-thu: [8:30-17:15], fri: [9:00-16:00]}",
            ("曜日ごとの時間 金", "8:30-17:15", "9:00-16:00"),
        ),
        (
            "{audio: c5c54aaaaaaaaaaa, text: どうぞ}",
            "{audio: d5c54aaaaaaaaaaa, text: どうぞ}",
            ("文言", "音声ファイル「どうぞ」", "別の音声ファイル「どうぞ」"),
        ),
        ("go: m}", "go: queue:q}", ("ボタン 1", "ごみ 行き先 案内", "ごみ 行き先 総合")),
    ],
)
def test_differences_are_told_in_words(old: str, new: str, line: tuple[str, str, str]) -> None:
    assert told(BASE, BASE.replace(old, new)) == [line]


@pytest.mark.req("ADM-1")
def test_days_that_changed_alike_stand_together() -> None:
    after = BASE.replace("8:30-17:15", "9:00-16:00")
    assert told(BASE, after) == [("曜日ごとの時間 月–金", "8:30-17:15", "9:00-16:00")]


@pytest.mark.req("ADM-1")
def test_a_text_that_cannot_be_read_is_not_compared() -> None:
    assert changes(BASE, "numbers: [", JA) == []
    assert broken(BASE, "numbers: [")
    assert broken(BASE, BASE) is None


@pytest.mark.req("ADM-1")
async def test_an_unreadable_draft_says_that_it_cannot_be_compared(start: Start) -> None:
    running = await started(start)
    browser = await running.browser("admin")
    form = await form_at(browser, "/plan/text")
    form.set(text="numbers: [\n")
    await send(browser, form)
    page = await (await browser.get("/plan/difference")).text()
    assert "比べられません" in page
    assert 'data-how="removed"' not in page


@pytest.mark.req("ADM-1", "HRS-5")
async def test_going_back_says_loudly_what_becomes_of_events(start: Start) -> None:
    text = minato()
    assert "state: held" in text
    running = await started(start, text=text)
    await live(running, text.replace("state: held", "state: cancelled", 1), author="sv01")
    browser = await running.browser("admin")
    path = "/plan/versions/1/activate"
    page = await (await browser.get("/plan/versions/1")).text()
    assert "<del>中止</del>" in page
    assert "<ins>開催</ins>" in page
    form = await form_at(browser, "/plan/versions/1", path)
    form.put("comment", "元に戻す")
    refused = await send(browser, form)
    assert refused.status == 422  # the box was not ticked
    assert "イベント開催情報が変わります" in await refused.text()
    form.fields.append(("events", "2"))
    # Meanwhile another version goes live: what was ticked no longer holds.
    await live(running, text.replace("state: held", "state: postponed", 1), author="sv01")
    assert (await send(browser, form)).status == 422
    form.put("events", "3")
    assert (await send(browser, form)).status == 303
    assert await carry_out(running) == text


@pytest.mark.req("ADM-1")
async def test_going_back_leaves_a_trail_with_names(start: Start) -> None:
    running = await started(start)
    await live(
        running, minato().replace("name: ごみ・くらし相談\n", "name: くらし\n", 1), "sv01", "名前を短く"
    )
    browser = await running.browser("admin")
    form = await form_at(browser, "/plan/versions/1", "/plan/versions/1/activate")
    form.put("comment", "取り消すため")
    answer = await send(browser, form)
    assert answer.status == 303, await answer.text()
    await carry_out(running)
    page = await (await browser.get("/plan/history")).text()
    lines = page.split('<ol class="events trail">')[1].split("</ol>")[0].split("</li>")
    assert "版1に戻した" in lines[0]
    assert "取り消すため" in lines[0]
    names = {user.login: user.name for user in running.console.site.users}
    assert names["admin"] in lines[0]
    assert "版2を反映した" in lines[1]
    assert "名前を短く" in lines[1]
    assert names["sv01"] in lines[1]
    assert "設定ファイル" in lines[2]
    for shown in ("/plan/history", "/plan/versions/2", answer.headers["Location"], "/plan/events"):
        page = await (await browser.get(shown)).text()
        assert ">sv01<" not in page.replace(" ", "")
        assert names["sv01" if shown != answer.headers["Location"] else "admin"] in page
