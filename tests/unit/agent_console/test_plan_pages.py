"""The plan's pages: who may what, forms that change only what was changed, the way to live and back."""

from __future__ import annotations

import difflib
import io
import re
from pathlib import Path

import numpy as np
import pytest
import soundfile
from sqlalchemy import select

from agent_console import ConsoleSettings
from agent_console.plan import document
from agent_console.plan.forms import SECTIONS
from asterisk_conf import Secrets
from dialplans import load_site
from store import AccessEntry, PlanDraft, plans
from tests.support.databases import sqlite_with_tables

from .conftest import Browser, Running, Start
from .plans import ALL, EXAMPLES, MINATO, agree, carry_out, form_at, forms_of, live, minato, send

HOURS = "/plan/edit/hours/office"


@pytest.fixture
def settings(tmp_path: Path) -> ConsoleSettings:
    """みなと市's whole plan instead of a small site."""
    site_path = tmp_path / "site.yaml"
    site_path.write_text(minato(), encoding="utf-8")
    (tmp_path / "archive").mkdir()
    Secrets.load_or_create(tmp_path / "secrets.json", load_site(site_path))
    return ConsoleSettings(
        listen="127.0.0.1",
        http_port=0,
        database_url=sqlite_with_tables(tmp_path / "console.db"),
        control_socket=tmp_path / "e.sock",
        ari_ws_url="ws://127.0.0.1:1/ws",
        archive=tmp_path / "archive",
        site_path=site_path,
        secrets_path=tmp_path / "secrets.json",
        sip_domain="127.0.0.1",
    )


async def started(start: Start, *users: str, text: str | None = None) -> Running:
    """A console whose version 1 is live."""
    running = await start(users=users or ALL)
    await live(running, text if text is not None else minato())
    return running


async def draft_text(running: Running, login: str = "admin") -> str | None:
    async with running.console.store.reading() as session:
        row = await session.get(PlanDraft, login)
        return row.text if row is not None else None


async def logged(running: Running) -> list[tuple[str | None, str, str | None]]:
    async with running.console.store.reading() as session:
        rows = await session.scalars(select(AccessEntry).where(AccessEntry.action.like("plan_%")))
        return [(row.login, row.action, row.detail) for row in rows]


async def changed_hours(browser: Browser, monday: str) -> str:
    """Changes Monday in a form and returns the page that follows."""
    form = await form_at(browser, HOURS)
    form.put("week.mon", monday)
    answer = await send(browser, form)
    assert answer.status == 303, await answer.text()
    return await (await browser.get(answer.headers["Location"])).text()


# -- rights


@pytest.mark.req("SEC-1", "ADM-1")
async def test_rights_decide_who_sees_and_who_changes(start: Start) -> None:
    running = await started(start)
    readers, editors = {"sv01", "staff01", "admin", "audit"}, {"admin"}
    pages = {
        "/plan": readers,
        HOURS: readers,
        "/plan/text": readers,
        "/plan/check": readers,
        "/plan/events": readers,
        "/plan/switches": readers,
        "/plan/counts": readers,
        "/plan/difference": readers,
        "/plan/history": {"sv01", "admin", "audit"},
        "/plan/versions/1": {"sv01", "admin", "audit"},
        "/plan/versions/1/plan.yaml": {"sv01", "admin", "audit"},
        "/plan/new/steps?kind=menu": editors,
        "/plan/activate": editors,
    }
    changes = {
        HOURS: editors,
        "/plan/text": editors,
        "/plan/remove/hours/office": editors,
        "/plan/activate": editors,
        "/plan/versions/1/activate": editors,
        "/plan/events": {"sv01", "admin"},
        "/plan/switches/opening": {"sv01", "admin"},
        "/plan/switches/clear": {"sv01", "admin"},
        "/plan/switches/notices/disaster/on": {"sv01", "admin"},
    }
    for login in ALL:
        browser = await running.browser(login)
        for path, may in pages.items():
            assert ((await browser.get(path)).status == 200) == (login in may), (login, path)
        for path, may in changes.items():
            answer = await browser.client.post(path, data={"csrf": browser.csrf}, allow_redirects=False)
            assert (answer.status != 403) == (login in may), (login, path, answer.status)
            without = await browser.client.post(path, data={"csrf": "x"}, allow_redirects=False)
            assert without.status == 403, (login, path)
    assert (await (await running.browser()).get("/plan")).status == 303


async def test_those_who_may_not_edit_get_forms_to_read(start: Start) -> None:
    running = await started(start)
    for login, enabled in (("staff01", False), ("sv01", False), ("admin", True)):
        form = await form_at(await running.browser(login), HOURS)
        assert form.disabled != enabled


# -- forms


@pytest.mark.req("ADM-1", "HRS-1")
@pytest.mark.parametrize("path", [MINATO, *EXAMPLES], ids=lambda path: path.stem)
async def test_a_form_saved_unchanged_changes_nothing(start: Start, path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    running = await started(start, "admin", text=text)
    browser = await running.browser("admin")
    places = [
        f"/plan/edit/{section}/{document.name_of(section, row)}"
        for section in SECTIONS
        for row in document.read(text).rows(section)
    ]
    for place in [*places, "/plan/edit/wording/all"]:
        answer = await send(browser, await form_at(browser, place))
        assert answer.status == 303, (place, await answer.text())
        kept = await draft_text(running)
        assert kept in (None, text), (
            place,
            list(difflib.unified_diff(text.splitlines(), str(kept).splitlines(), n=0)),
        )


@pytest.mark.req("HRS-1", "ADM-1")
async def test_hours_are_changed_by_form_and_nothing_else_changes(start: Start) -> None:
    running = await started(start)
    browser = await running.browser("admin")
    page = await changed_hours(browser, "８：３０～12:00、13:00-17:15")
    assert "下書きに保存しました" in page
    kept = await draft_text(running)
    assert kept is not None
    row = document.read(kept).row("hours", "office")
    assert row is not None
    assert row["week"]["mon"] == ["8:30-12:00", "13:00-17:15"]
    before = document.read(minato()).data
    after = document.read(kept).data
    assert {key for key in before if before[key] != after[key]} == {"hours"}
    place = document.find_rows(minato(), "hours")
    assert place is not None
    first, end = place.rows[document.read(minato()).index("hours", "office") or 0]
    lines = minato().splitlines()
    assert kept.splitlines()[:first] == lines[:first]  # comments included
    assert kept.splitlines()[end - len(lines) :] == lines[end:]
    assert ("admin", "plan_draft", "hours/office") in await logged(running)
    difference = await (await browser.get("/plan/difference")).text()
    assert re.search(r"曜日ごとの時間 月<.*?<ins>8:30-12:00 13:00-17:15</ins>", difference, re.DOTALL)


@pytest.mark.req("IVR-1", "IVR-2")
async def test_what_is_wrong_stands_beside_its_field_and_in_the_list(start: Start) -> None:
    running = await started(start)
    browser = await running.browser("admin")
    page = await changed_hours(browser, "8:30-25:99")
    found = re.search(r'id="f-week".*?class="field-error">(.*?)</p>', page, re.DOTALL)
    assert found is not None
    assert "8:30-25:99" in found[1]
    listed = await (await browser.get("/plan/check")).text()
    assert "8:30-25:99" in listed
    assert f'href="{HOURS}#f-week"' in listed
    form = forms_of(await (await browser.get("/plan/activate")).text(), "/plan/activate")
    assert not any(one.action == "/plan/activate" for one in form)  # nothing to press
    sent = {"csrf": browser.csrf, "comment": "x"}
    answer = await browser.client.post("/plan/activate", data=sent, allow_redirects=False)
    assert answer.status == 422
    assert await plans.activations(running.console.store) is not None
    assert len(await plans.history(running.console.store)) == 1


@pytest.mark.req("IVR-1")
async def test_a_menus_keys(start: Start) -> None:
    running = await started(start)
    browser = await running.browser("admin")
    form = await form_at(browser, "/plan/edit/steps/living")
    blank = max(int(name.split(".")[1]) for name, _ in form.fields if name.startswith("keys."))
    form.put(f"keys.{blank}.key", "5")
    form.put(f"keys.{blank}.label", "水道")
    form.put(f"keys.{blank}.go", "queue:main")
    assert (await send(browser, form)).status == 303
    keys = document.read(await draft_text(running) or "").row("steps", "living")
    assert keys is not None
    assert keys["keys"]["5"] == {"go": "queue:main", "label": "水道"}
    again = await form_at(browser, "/plan/edit/steps/living")
    again.put("keys.0.key", "5")
    answer = await send(browser, again)
    page = await answer.text()
    assert answer.status == 422
    assert "同じボタンが二つあります" in page
    assert 'value="ごみの出し方"' in page  # what was typed is still there


@pytest.mark.req("ADM-1")
async def test_boxes_are_added_and_taken_out(start: Start) -> None:
    running = await started(start)
    browser = await running.browser("admin")
    form = await form_at(browser, "/plan/new/steps?kind=say", "/plan/new/steps")
    form.set(id="Bad Id", say__ja="工事のため休みます。")
    form.action = "/plan/new/steps?kind=say"
    refused = await send(browser, form)
    assert refused.status == 422
    assert "工事のため休みます。" in await refused.text()
    form.set(id="works")
    answer = await send(browser, form)
    assert answer.status == 303
    assert document.read(await draft_text(running) or "").row("steps", "works") == {
        "id": "works",
        "kind": "say",
        "say": "工事のため休みます。",
    }
    picture = await (await browser.get("/plan/check")).text()
    assert "works" in picture  # nothing leads there yet: the check says so
    assert (await send(browser, form)).status == 422  # the id is taken now
    gone = await form_at(browser, "/plan/edit/steps/works", "/plan/remove/steps/works")
    assert (await agree(browser, gone)).headers["Location"].startswith("/plan?removed=")
    # What remains is the live plan again: there is no draft any more.
    await browser.get("/plan")
    assert await draft_text(running) is None


def sound(seconds: float, level: float = 0.3) -> bytes:
    """A tone as a WAV file."""
    rate = 44100
    wave = level * np.sin(np.arange(int(rate * seconds)) * 2 * np.pi * 440 / rate)
    out = io.BytesIO()
    soundfile.write(out, wave, rate, format="WAV")
    return out.getvalue()


@pytest.mark.req("HRS-6")
async def test_a_sound_is_uploaded_heard_and_given_up_again(start: Start) -> None:
    running = await started(start)
    browser = await running.browser("admin")
    place = "/plan/edit/steps/closed-today"
    form = await form_at(browser, place)
    answer = await send(browser, form, {"say.ja.file": ("annai.wav", sound(1.5))})
    assert answer.status == 303, await answer.text()
    page = await (await browser.get(answer.headers["Location"])).text()
    assert re.search(r"音声 1\.\d 秒", page)
    row = document.read(await draft_text(running) or "").row("steps", "closed-today")
    assert row is not None
    recorded = row["say"]["ja"] if "ja" in row["say"] else row["say"]
    played = await browser.get(f"/plan/sound/{recorded['audio']}")
    assert played.status == 200
    assert (await played.read())[:4] == b"RIFF"
    for name, content in (("x.wav", b"no sound at all"), ("silent.wav", sound(1.0, 0.0))):
        refused = await send(browser, await form_at(browser, place), {"say.ja.file": (name, content)})
        assert refused.status == 422
        assert "field-error" in await refused.text()
    form = await form_at(browser, place)
    form.fields = [(name, value) for name, value in form.fields if not name.endswith(".audio")]
    assert (await send(browser, form)).status == 303
    row = document.read(await draft_text(running) or "").row("steps", "closed-today")
    assert row is not None
    assert "audio" not in str(row["say"])


# -- text


@pytest.mark.req("ADM-1")
async def test_the_text_itself_keeps_whatever_is_typed(start: Start) -> None:
    running = await started(start)
    browser = await running.browser("admin")
    form = await form_at(browser, "/plan/text")
    assert dict(form.fields)["text"] == minato()
    broken = minato() + "steps: [\n"
    form.set(text=broken)
    assert (await send(browser, form)).status == 303
    assert await draft_text(running) == broken
    page = await (await browser.get("/plan/text")).text()
    assert "data-line=" in page
    assert (await browser.get("/plan")).status == 200  # the picture bears a broken text
    # The same form once more, from a window that did not see the change: nothing is written over.
    form.set(text=minato() + "# other\n")
    refused = await send(browser, form)
    assert refused.status == 409
    assert "# other" in await refused.text()
    assert await draft_text(running) == broken


async def test_a_plan_may_not_grow_without_end(start: Start) -> None:
    running = await started(start, "admin")
    browser = await running.browser("admin")
    form = await form_at(browser, "/plan/text")
    form.set(text="# " + "x" * (4 * 1024 * 1024))
    assert (await send(browser, form)).status == 413
    assert await draft_text(running) is None


# -- going live


@pytest.mark.req("IVR-2", "ADM-1")
async def test_a_draft_goes_live_and_an_older_version_comes_back(start: Start) -> None:
    running = await started(start)
    browser = await running.browser("admin")
    await changed_hours(browser, "9:00-17:00")
    form = await form_at(browser, "/plan/activate")
    assert (await send(browser, form)).status == 422  # a comment is asked for
    form.set(comment="月曜日の受付を変更")
    answer = await send(browser, form)
    assert answer.status == 303
    progress = await browser.get(answer.headers["Location"])
    assert progress.headers["Refresh"] == "1"
    text = await carry_out(running)
    done = await browser.get(answer.headers["Location"])
    assert "Refresh" not in done.headers
    assert 'data-activation="live"' in await done.text()
    assert await draft_text(running) is None
    version = await plans.live(running.console.store)
    assert version is not None
    assert (version.author, version.comment, version.based_on) == ("admin", "月曜日の受付を変更", 1)
    assert ("admin", "plan_activate", "2 月曜日の受付を変更") in await logged(running)
    exported = await browser.get("/plan/versions/2/plan.yaml")
    assert await exported.text() == text

    back = await form_at(browser, "/plan/versions/1", "/plan/versions/1/activate")
    back.set(comment="取り消し")
    answer = await send(browser, back)
    assert answer.status == 303
    assert await carry_out(running) == minato()
    history = await (await browser.get("/plan/history")).text()
    assert history.index("版 2") < history.index("版 1</a>")
    now = await plans.live(running.console.store)
    assert now is not None
    assert now.id == 1


@pytest.mark.req("ADM-1")
async def test_a_failed_activation_says_why_and_keeps_the_draft(start: Start) -> None:
    running = await started(start)
    browser = await running.browser("admin")
    await changed_hours(browser, "9:00-17:00")
    form = await form_at(browser, "/plan/activate")
    form.set(comment="x")
    place = (await send(browser, form)).headers["Location"]
    taken = await plans.take(running.console.store, None)
    assert taken is not None
    await plans.settle(running.console.store, taken[0].id, plans.FAILED, "the engine is away")
    page = await (await browser.get(place)).text()
    assert "the engine is away" in page
    assert await draft_text(running) is not None


@pytest.mark.req("ADM-1")
async def test_two_people_who_change_one_plan_hear_of_each_other(start: Start) -> None:
    running = await started(start)
    browser = await running.browser("admin")
    await changed_hours(browser, "9:00-17:00")
    other = minato().replace("name: ごみ・くらし相談\n", "name: くらし相談\n", 1)
    await live(running, other, author="sv01", comment="名前を変更")
    page = await (await browser.get("/plan/activate")).text()
    assert "名前を変更" in page
    assert "小林 真理" in page
    sent = {"csrf": browser.csrf, "comment": "x"}
    answer = await browser.client.post("/plan/activate", data=sent, allow_redirects=False)
    assert answer.status == 409
    merge = next(one for one in forms_of(page, "/plan/activate") if one.action == "/plan/lay-over")
    assert (await send(browser, merge)).status == 303
    merged = document.read(await draft_text(running) or "")
    hours, number = merged.row("hours", "office"), merged.row("numbers", "0246221200")
    assert hours is not None
    assert number is not None
    assert (hours["week"]["mon"], number["name"]) == (["9:00-17:00"], "くらし相談")
    form = await form_at(browser, "/plan/activate")
    form.set(comment="両方")
    assert (await send(browser, form)).status == 303
    assert "くらし相談" in await carry_out(running)


@pytest.mark.req("ADM-1")
async def test_changes_to_the_same_place_are_not_combined(start: Start) -> None:
    running = await started(start)
    browser = await running.browser("admin")
    await changed_hours(browser, "9:00-17:00")
    mine = await draft_text(running)
    assert mine is not None
    await live(running, mine.replace("9:00-17:00", "10:00-16:00"), author="sv01", comment="私も")
    page = await (await browser.get("/plan/activate")).text()
    actions = [one.action for one in forms_of(page, "/plan/activate")]
    assert "/plan/lay-over" not in actions
    keep = next(one for one in forms_of(page, "/plan/activate") if one.action == "/plan/rebase")
    assert (await send(browser, keep)).status == 303
    assert await draft_text(running) == mine
    page = await (await browser.get("/plan/activate")).text()
    assert "/plan/rebase" not in [one.action for one in forms_of(page, "/plan/activate")]


async def test_a_draft_can_be_thrown_away(start: Start) -> None:
    running = await started(start)
    browser = await running.browser("admin")
    await changed_hours(browser, "9:00-17:00")
    form = await form_at(browser, "/plan/activate", "/plan/discard")
    assert (await send(browser, form)).status == 303
    assert await draft_text(running) is None


# -- what callers hear, and the year


@pytest.mark.req("HRS-1", "IVR-1", "HRS-6")
async def test_the_overview_tells_what_is_heard_and_draws_the_year(start: Start) -> None:
    running = await started(start)
    browser = await running.browser("staff01")
    page = await (await browser.get("/plan?number=0246221300&at=2026-11-24T10:00&keys=1,2")).text()
    assert "ごみの出し方は1を" in page
    assert page.count('class="play"') >= 4
    assert "受付中" in page
    night = await (await browser.get("/plan?number=0246221300&at=2026-11-24T23:00")).text()
    assert "受付時間外" in night
    year = await (await browser.get("/plan?number=0246221300&year=2027")).text()
    assert year.count("<caption>") == 12
    days = re.findall(r'<td><span class="day[^"]*" data-kind="(\w+)" title="([^"]*)"', year)
    assert len(days) == 365
    assert any("元日" in about or "年末年始" in about for _, about in days)
    assert (await browser.get("/plan?number=nonsense&at=x&year=99999&keys=abc")).status == 200


@pytest.mark.req("HRS-6")
async def test_a_text_is_spoken_before_it_is_anywhere_in_a_plan(start: Start) -> None:
    running = await started(start)
    browser = await running.browser("sv01")
    answer = await browser.post("/api/v1/plan/preview", {"text": "試しに話します。", "language": "ja"})
    assert answer.status == 200, await answer.text()
    heard = await browser.get((await answer.json())["url"])
    samples, rate = soundfile.read(io.BytesIO(await heard.read()))
    assert rate == 16000
    assert len(samples) > 0.5 * rate
    assert np.abs(samples).max() > 0.05
    assert (await browser.get("/plan/sound/0123456789abcdef")).status == 404
    assert (await browser.get("/plan/sound/..%2f..%2fsite.yaml")).status == 404
    assert (await browser.post("/api/v1/plan/preview", {"text": "", "language": "ja"})).status == 422
