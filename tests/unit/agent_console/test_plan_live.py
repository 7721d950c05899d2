"""Events, switches and counts: what supervisors change for the next call; and the same over the API."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from agent_console.live_state import LiveState
from agent_console.plan import document
from agent_console.plan.counts import tables
from agent_console.plan.picture import Box, stem
from agent_console.texts import Language, texts
from cdr import StepCount
from dialplans import SiteError, parse_site
from store import EventRow, plans

from .conftest import Browser, Start
from .plans import agree, carry_out, form_at, forms_of, live, minato, send
from .test_plan_pages import draft_text, logged, settings, sound, started

__all__ = ["settings"]

API = "/api/v1/plan"


# -- events


@pytest.mark.req("HRS-5")
async def test_events_are_changed_on_one_page_with_one_button(start: Start) -> None:
    running = await started(start)
    browser = await running.browser("sv01")
    form = await form_at(browser, "/plan/events")
    ids = [value for name, value in form.fields if name.endswith(".id") and value]
    assert len(ids) >= 8
    at = ids.index("market")
    form.put(f"e.{at}.state", "held")
    form.put(f"e.{at}.note.ja", "駐車場はありません。")
    form.put(f"e.{at}.note.en", "There is no parking.")
    blank = len(ids)
    form.put(f"e.{blank}.name.ja", "防災訓練")
    form.put(f"e.{blank}.name.en", "Emergency drill")
    form.put(f"e.{blank}.date", "2027-09-01")
    form.put(f"e.{blank}.state", "held")
    answer = await send(browser, form)
    assert answer.status == 303, await answer.text()
    assert answer.headers["Location"].endswith("then=%2Fplan%2Fevents")
    now = document.read(await carry_out(running))
    market = now.row("events", "market")
    assert market is not None
    assert market["state"] == "held"
    assert "駐車場はありません。" in str(market["note"])
    assert now.rows("events")[-1]["name"] == {"ja": "防災訓練", "en": "Emergency drill"}
    assert now.rows("events")[-1]["date"] == "2027-09-01"
    before = document.read(minato()).data
    assert {key for key in before if before[key] != now.data[key]} == {"events"}
    version = await plans.live(running.console.store)
    assert version is not None
    assert version.author == "sv01"
    assert ("sv01", "plan_events", "2 イベント開催情報の更新") in await logged(running)


@pytest.mark.req("HRS-5")
async def test_events_unchanged_or_wrong_go_nowhere_and_keep_what_was_typed(start: Start) -> None:
    running = await started(start)
    browser = await running.browser("sv01")
    form = await form_at(browser, "/plan/events")
    answer = await send(browser, form)
    assert answer.status == 422
    assert "変更がありません" in await answer.text()
    form.put("e.0.name.ja", "名" * 1500)
    refused = await send(browser, form)
    assert refused.status == 422
    assert "名" * 1500 in await refused.text()
    assert not await plans.waiting(running.console.store)


@pytest.mark.req("HRS-5")
async def test_events_changed_by_two_people_at_once(start: Start) -> None:
    running = await started(start)
    browser = await running.browser("sv01")
    form = await form_at(browser, "/plan/events")
    await live(running, minato().replace("state: cancelled", "state: postponed", 1), author="admin")
    form.put("e.0.state", "full")
    refused = await send(browser, form)
    page = await refused.text()
    assert refused.status == 409
    assert "別の人が変更しました" in page
    again = next(one for one in forms_of(page, "/plan/events") if one.action == "/plan/events")
    assert (await send(browser, again)).status == 303


# -- switches


def numbers(*digits: str) -> list[dict[str, Any]]:
    return [
        {"number": one, "name": one, "open": True, "until": "2026-11-21T08:15:00Z", "next_open": None}
        for one in digits
    ]


@pytest.mark.req("HRS-3")
async def test_reception_is_switched_with_reason_and_end(start: Start) -> None:
    running = await started(start)
    browser = await running.browser("sv01")
    form = await form_at(browser, "/plan/switches", "/plan/switches/opening")
    until = (datetime.now(running.console.site.zone) + timedelta(hours=2)).replace(tzinfo=None)
    form.fields += [("number", "0246221300"), ("mode", "extended")]
    refused = await send(browser, form)
    assert refused.status == 422
    assert "理由を書いてください" in await refused.text()
    form.set(until=until.isoformat(timespec="minutes"), reason="大雨のため")
    answer = await agree(browser, form)
    assert answer.status == 303, await answer.text()
    told = await running.engine.told("opening.set")
    assert (told["numbers"], told["mode"], told["reason"], told["by"]) == (
        ["0246221300"],
        "extended",
        "大雨のため",
        "sv01",
    )
    assert told["until"].endswith("Z")
    assert any(
        action == "plan_opening" and "大雨" in str(detail) for _, action, detail in await logged(running)
    )


@pytest.mark.req("HRS-3")
async def test_what_is_switched_is_shown_and_taken_back(start: Start) -> None:
    running = await started(start)
    browser = await running.browser("sv01")
    switch = {
        "number": "0246221300",
        "mode": "closed",
        "until": "2026-11-21T11:00:00Z",
        "reason": "停電",
        "by": "admin",
    }
    changed = running.console.link.state.version
    await running.engine.tell(numbers=numbers("0246221300"), openings=[switch])
    while running.console.link.state.version == changed:
        await browser.get("/healthz")
    page = await (await browser.get("/plan/switches")).text()
    assert "停電" in page
    assert "管理者" in page
    assert "11/21 20:00" in page
    form = await form_at(browser, "/plan/switches", "/plan/switches/clear")
    assert (await send(browser, form)).status == 303
    told = await running.engine.told("opening.clear")
    assert (told["numbers"], told["by"]) == (["0246221300"], "sv01")


@pytest.mark.req("HRS-3", "HRS-4")
async def test_a_notice_that_two_people_confirm(start: Start) -> None:
    running = await started(start)
    first, second = await running.browser("sv01"), await running.browser("admin")
    ask = await form_at(first, "/plan/switches", "/plan/switches/notices/disaster/on")
    assert (await agree(first, ask)).status == 303
    assert (await running.engine.told("notice.set"))["by"] == "sv01"
    changed = running.console.link.state.version
    asked = {"notice": "disaster", "state": "asked", "by": "sv01", "confirmed_by": None, "since": None}
    await running.engine.tell(notices=[asked])
    while running.console.link.state.version == changed:
        await first.get("/healthz")
    own = forms_of(await (await first.get("/plan/switches")).text(), "/plan/switches")
    assert "/plan/switches/notices/disaster/on" not in [one.action for one in own]
    page = await (await second.get("/plan/switches")).text()
    assert "小林 真理 さんが依頼しました" in page
    confirm = await form_at(second, "/plan/switches", "/plan/switches/notices/disaster/on")
    assert (await agree(second, confirm)).status == 303
    assert (await running.engine.told("notice.set"))["by"] == "admin"
    unknown = await first.client.post("/plan/switches/notices/nothing/on", data={"csrf": first.csrf})
    assert unknown.status == 404


async def test_an_engine_that_refuses_or_is_away_is_told_on_the_page(start: Start) -> None:
    running = await started(start)
    browser = await running.browser("sv01")
    running.engine.refuse = {"code": "no", "message": "その番号はありません", "message_en": "no"}
    form = await form_at(browser, "/plan/switches", "/plan/switches/opening")
    until = (datetime.now(running.console.site.zone) + timedelta(hours=2)).replace(tzinfo=None)
    form.set(until=until.isoformat(timespec="minutes"), reason="停電")
    form.fields += [("number", "0246221300"), ("mode", "closed")]
    refused = await agree(browser, form)
    assert refused.status == 503
    page = await refused.text()
    assert "その番号はありません" in page
    assert "停電" in page  # what was typed is still there


@pytest.mark.req("HRS-3")
async def test_who_did_what_is_listed(start: Start) -> None:
    running = await started(start)
    async with running.console.store.session() as session:
        session.add(
            EventRow(
                id="e1",
                at=datetime.now(UTC),
                mono=None,
                boot=None,
                call=None,
                kind="opening_cleared",
                data={"number": "0246221300", "by": "expiry"},
            )
        )
    page = await (await (await running.browser("audit")).get("/plan/switches")).text()
    assert "時刻になり自動で" in page


def test_the_live_state_keeps_what_an_event_does_not_name() -> None:
    state = LiveState()
    state.replace({"plan": {"version": 3}, "openings": [{"number": "1"}], "numbers": [{"number": "1"}]})
    state.change({"notices": [{"notice": "a"}]})
    assert (state.plan, state.openings) == ({"version": 3}, [{"number": "1"}])
    state.change({"openings": []})
    assert (state.openings, state.notices) == ([], [{"notice": "a"}])


# -- counts and the picture


@pytest.mark.req("IVR-1")
def test_counts_are_told_by_step_with_shares() -> None:
    site = parse_site(minato())
    counted = [
        StepCount("guide", None, None, 10),
        StepCount("guide", "1", "くらし", 4),
        StepCount("guide", None, "none", 3),
        StepCount("guide", None, "gave_up", 2),
        StepCount("living", None, None, 4),
        StepCount("of-an-older-plan", "1", "消えた", 1),
    ]
    found = tables(site, counted, texts(Language.JA))
    assert [(one.name, one.entered) for one in found] == [
        ("ご用件の選択", 10),
        ("くらし", 4),
        ("of-an-older-plan", 0),
    ]
    assert [(row.kind, row.label, row.count, row.share) for row in found[0].rows] == [
        ("key", "くらし", 4, 0.4),
        ("none", "押さなかった", 3, 0.3),
        ("gave_up", "ここで切った", 2, 0.2),
    ]


def boxes(start: list[Box]) -> list[Box]:
    return [box for one in start for box in (one, *boxes([after for _, after in one.ways]))]


@pytest.mark.req("IVR-1")
def test_the_picture_shows_menus_of_any_depth_with_their_keys() -> None:
    drawn = stem(document.read(minato()), "0246221300", (), texts(Language.JA), "")
    assert [box.kind for box in drawn] == ["number", "notice", "hours", "greeting", "menu"]
    menu = drawn[-1]
    assert [label for label, _ in menu.ways][:3] == ["1 くらし", "2 イベント", "3 夜間診療"]
    living = menu.ways[0][1]
    assert (living.kind, living.ways[0][0]) == ("menu", "1 ごみの出し方")
    assert living.ways[0][1].ways[0][1].kind == "queue"
    assert "月–金 8:30–19:00" in drawn[2].lines
    assert stem(document.read(minato()), "000", (), texts(Language.JA), "") == []


def test_the_picture_of_a_broken_plan_names_what_is_missing_and_ends() -> None:
    text = (
        "numbers:\n  - {number: '012', name: 代表, greeting: a, recording_notice: b, start: m}\n"
        "steps:\n  - id: m\n    kind: menu\n"
        "    keys: {1: {go: m, label: 輪}, 2: {go: nowhere, label: 無}, 3: x}\n"
    )
    with pytest.raises(SiteError) as error:
        parse_site(text)
    drawn = stem(document.read(text), "012", tuple(error.value.problems), texts(Language.JA), "")
    assert [(label, box.kind, box.again) for label, box in drawn[-1].ways] == [
        ("1 輪", "menu", True),
        ("2 無", "unknown", False),
    ]
    assert drawn[-1].wrong > 0
    assert len(boxes(drawn)) < 10


# -- the API


@pytest.mark.req("ADM-1", "IVR-2")
async def test_the_api_leads_a_draft_to_live(start: Start) -> None:
    running = await started(start)
    browser = await running.browser("admin")
    wrong = minato().replace("go: living", "go: livng", 1)
    told = await (await browser.post(f"{API}/draft", {"text": wrong})).json()
    assert any(one["path"].startswith("steps[0].keys") and one["line"] for one in told["problems"])
    refused = await browser.post(f"{API}/activations", {"comment": "x"})
    assert refused.status == 422
    assert (await refused.json())["errors"]
    good = minato().replace("name: ごみ・くらし相談\n", "name: くらし\n", 1)
    assert await (await browser.post(f"{API}/draft", {"text": good})).json() == {"problems": []}
    wish = await (await browser.post(f"{API}/activations", {"comment": "名前"})).json()
    assert (wish["state"], wish["version"]) == ("asked", 2)
    assert await carry_out(running) == good
    done = await (await browser.get(f"{API}/activations/{wish['id']}")).json()
    assert done["state"] == "live"
    back = await (await browser.post(f"{API}/activations", {"comment": "戻す", "version": 1})).json()
    assert back["version"] == 1
    assert (await browser.post(f"{API}/activations", {"comment": "x", "version": 99})).status == 404
    assert (await browser.get(f"{API}/draft")).status == 404  # it went live


@pytest.mark.req("HRS-3", "HRS-5", "SEC-1")
async def test_the_api_switches_and_changes_events(start: Start) -> None:
    running = await started(start)
    browser, staff = await running.browser("sv01"), await running.browser("staff01")
    until = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    wanted = {"numbers": [], "mode": "open", "until": until, "reason": "訓練"}
    assert (await staff.post(f"{API}/openings", wanted)).status == 403
    assert (await browser.post(f"{API}/openings", wanted)).status == 200
    assert (await running.engine.told("opening.set"))["numbers"] == []
    assert (await browser.post(f"{API}/openings/clear", {"numbers": []})).status == 200
    assert (await browser.post(f"{API}/notices/disaster/on", {})).status == 200
    assert (await running.engine.told("notice.set"))["by"] == "sv01"
    assert (await browser.post(f"{API}/notices/nothing/on", {})).status == 404
    change = {
        "events": [{"id": "market", "state": "held"}, {"id": "lecture", "remove": True}],
        "comment": "x",
    }
    assert (await staff.post(f"{API}/events", change)).status == 403
    answer = await browser.post(f"{API}/events", change)
    assert answer.status == 200, await answer.text()
    now = document.read(await carry_out(running))
    market = now.row("events", "market")
    assert market is not None
    assert market["state"] == "held"
    assert now.row("events", "lecture") is None
    broken = {"events": [{"id": "market", "state": "no-such-state"}], "comment": "x"}
    assert (await browser.post(f"{API}/events", broken)).status == 422


@pytest.mark.req("IVR-2")
async def test_the_api_tells_what_is_heard(start: Start) -> None:
    running = await started(start)
    browser = await running.browser("staff01")
    path = f"{API}/hear?number=0246221300&at=2026-11-24T10:00:00&keys=0"
    heard = await (await browser.get(path)).json()
    assert (heard["open"], heard["target"]) == (True, "queue:main")
    assert [line["step"] for line in heard["lines"]] == ["greeting", "recording_notice", "guide"]
    assert heard["lines"][-1]["key"] == "0"
    assert (await browser.get(f"{API}/hear?number=000")).status == 404
    year = await (await browser.get(f"{API}/year?number=0246221300&year=2028")).json()
    assert len(year["days"]) == 366


@pytest.mark.req("HRS-6")
async def test_the_api_keeps_audio_and_refuses_what_is_none(start: Start) -> None:
    running = await started(start)
    browser, boss = await running.browser("admin"), await running.browser("sv01")

    async def send_audio(who: Browser, content: bytes) -> Any:
        headers = {"X-CSRF-Token": who.csrf, "Content-Type": "application/octet-stream"}
        return await who.client.post(f"{API}/audio?name=a.wav", data=content, headers=headers)

    answer = await send_audio(browser, sound(1.0))
    assert answer.status == 200, await answer.text()
    key = (await answer.json())["key"]
    assert (await browser.get(f"{API}/sounds/{key}")).status == 200
    assert (await send_audio(boss, sound(1.0))).status == 403
    refused = await send_audio(browser, b"nothing")
    assert refused.status == 422
    assert (await refused.json())["errors"][0]["field"] == "body"
    assert (await send_audio(browser, bytes(22 * 1024 * 1024))).status == 413


@pytest.mark.req("HRS-6")
async def test_waiting_music_is_uploaded_with_its_licence(start: Start) -> None:
    running = await started(start)
    browser = await running.browser("admin")
    form = await form_at(browser, "/plan/new/musics")
    form.set(id="harp", name="ハープ", licence="自作。自由に使える。")
    answer = await send(browser, form, {"audio.file": ("harp.wav", sound(2.0))})
    assert answer.status == 303, await answer.text()
    kept = document.read(await draft_text(running) or "").row("musics", "harp")
    assert kept is not None
    assert len(kept["audio"]) == 1
    form = await form_at(browser, "/plan/edit/musics/harp")
    assert ("audio", kept["audio"][0]) in form.fields
