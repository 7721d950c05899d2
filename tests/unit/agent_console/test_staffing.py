"""人数の試算: by hand and from the own history, limits on what may be asked, a console that never waits."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from agent_console.distribution import trial
from agent_console.distribution.staffing import Rate
from agent_console.distribution.trial import TRIALS
from cdr import kpi_of
from cdr.staffing import Interval, Waits
from dialplans import Kpi as KpiOfSite

from .conftest import Start
from .days import carry_day
from .plans import forms_of

KPI = KpiOfSite()
ALL = ("op01", "sv01", "staff01", "admin", "audit")
WHAT_IF = "/api/v1/staffing/what-if"


def question(**changes: Any) -> dict[str, Any]:
    """Two hours of 20 calls an hour for two operators."""
    slots = [{"from": clock, "calls": 10.0, "operators": 2} for clock in ("9:00", "9:30", "10:00", "10:30")]
    asked: dict[str, Any] = {"slots": slots, "talk_s": 240, "wrap_up_s": 60, "patience_s": 120}
    return asked | changes


CHANGE = {"from": "10:00", "to": "11:00", "operators": 2}


@pytest.mark.req("RPT-3")
async def test_more_operators_answer_more_and_the_formulas_stand_beside(start: Start) -> None:
    running = await start(users=ALL)
    browser = await running.browser("sv01")
    answer = await browser.post(WHAT_IF, question(change=CHANGE))
    found = await answer.json()
    assert answer.status == 200, found
    before, after = found["before"], found["after"]
    assert before["answer_rate"] < after["answer_rate"] <= 1
    assert before["offered"] == after["offered"]
    # The hour before the change is the very same.
    assert before["intervals"][0] == after["intervals"][0]
    assert 0 < found["formulas"]["erlang_a"]["answer_rate"] < 1
    assert found["formulas"]["intervals"][0]["needed"] > 2
    again = await (await browser.post(WHAT_IF, question(change=CHANGE))).json()
    assert again == found  # the same question, the same answer
    alone = await (await browser.post(WHAT_IF, question())).json()
    assert alone["after"] is None
    fewer = await (await browser.post(WHAT_IF, question(change={**CHANGE, "operators": -2}))).json()
    assert fewer["after"]["answer_rate"] < before["answer_rate"]


@pytest.mark.req("RPT-3", "SEC-1")
async def test_who_may_try_and_what_may_be_asked(start: Start) -> None:
    running = await start(users=ALL)
    for login in ALL:
        browser = await running.browser(login)
        status = 200 if login in ("sv01", "staff01", "admin") else 403
        assert (await browser.get("/staffing")).status == status, login
        if status == 403:
            assert (await browser.post(WHAT_IF, question())).status == 403, login
    browser = await running.browser("sv01")
    slot = question()["slots"][0]
    for wrong in (
        {},
        question(slots=[]),
        question(slots=[slot] * 49),
        question(slots=[slot, {**slot, "from": "10:00"}]),
        question(slots=[{**slot, "from": "9:10"}]),
        question(slots=[{**slot, "from": "24:00"}]),
        question(slots=[{**slot, "calls": -1}]),
        question(slots=[{**slot, "calls": 1001}]),
        question(slots=[{**slot, "operators": 201}]),
        question(slots=[{**slot, "calls": 900, "from": f"{n // 2}:{n % 2 * 3}0"} for n in range(24)]),
        question(talk_s=0),
        question(talk_s="240"),
        question(wrap_up_s=-1),
        question(patience_s=0),
        question(weekday=7),
        question(change={**CHANGE, "operators": 21}),
        question(change={**CHANGE, "to": "9:30"}),
        question(colour="red"),
    ):
        answer = await browser.post(WHAT_IF, wrong)
        assert answer.status == 422, wrong
    assert (await browser.client.post(WHAT_IF, json=question())).status == 403  # no token


@pytest.mark.req("RPT-3")
async def test_the_page_works_by_hand_and_keeps_what_was_typed(start: Start) -> None:
    running = await start()
    browser = await running.browser("sv01")
    text = await (await browser.get("/staffing?from=10:00&to=12:00&calls=40&operators=3")).text()
    assert "まだ実績がありません" in text
    form = next(one for one in forms_of(text, "/staffing") if "talk_s" in dict(one.fields))
    assert [dict(form.fields)[f"calls{n}"] for n in range(4)] == ["20"] * 4
    form.put("operators1", "5")
    form.put("by", "1")
    answer = await browser.client.post("/staffing", data=dict(form.fields))
    shown = await answer.text()
    assert answer.status == 200
    assert "を 1 人増やすと、応答率はその時間で" in shown
    assert "必要な時間: 1日 +2 人時" in shown  # one more from 10:00 to 12:00
    for part in ("目標", "変更後", "アーランA", "アーランC", "稼働率"):
        assert part in shown, part
    kept = next(one for one in forms_of(shown, "/staffing") if "talk_s" in dict(one.fields))
    assert dict(kept.fields)["operators1"] == "5"
    form.put("talk_s", "a while")
    wrong = await browser.client.post("/staffing", data=dict(form.fields))
    shown = await wrong.text()
    assert (wrong.status, "入力を確かめてください: 通話 (秒)" in shown) == (422, True)
    again = dict(next(one for one in forms_of(shown, "/staffing") if "talk_s" in dict(one.fields)).fields)
    assert {name: again[name] for name in ("talk_s", "operators1", "by")} == {
        "talk_s": "a while",
        "operators1": "5",
        "by": "1",
    }
    fields = dict(form.fields) | {"csrf": "x"}
    assert (await browser.client.post("/staffing", data=fields)).status == 403


@pytest.mark.req("RPT-3")
async def test_a_change_that_ends_before_it_begins_is_told_in_plain_words_and_kept(start: Start) -> None:
    running = await start()
    browser = await running.browser("sv01")
    text = await (await browser.get("/staffing")).text()
    form = next(one for one in forms_of(text, "/staffing") if "talk_s" in dict(one.fields))
    for name, value in (("change_from", "12:00"), ("change_to", "10:00"), ("by", "-2"), ("calls0", "7")):
        form.put(name, value)
    answer = await browser.client.post("/staffing", data=dict(form.fields))
    shown = await answer.text()
    assert answer.status == 422
    assert "「もし」の終わりは、始まりより後にしてください。" in shown
    assert "to` must" not in shown
    kept = dict(next(one for one in forms_of(shown, "/staffing") if "talk_s" in dict(one.fields)).fields)
    names = ("change_from", "change_to", "by", "calls0")
    assert [kept[name] for name in names] == ["12:00", "10:00", "-2", "7"]


@pytest.mark.req("RPT-3")
@pytest.mark.parametrize(
    ("rate", "half", "sure"),
    [
        (0.85, 0.02, "missed"),
        (0.89, 0.02, "near"),
        (0.90, 0.0, "near"),
        (0.91, 0.02, "near"),
        (0.95, 0.02, "met"),
        (0.50, None, "near"),
        (1.00, None, "met"),
        (None, None, None),
    ],
)
def test_a_half_hour_is_red_only_beyond_chance(
    rate: float | None, half: float | None, sure: str | None
) -> None:
    kpi = replace(kpi_of([], KPI), answer_rate=rate)
    one = Interval(0.0, 1800.0, kpi, Waits.of([]), 1.0, None, 0, half)
    assert Rate.of(one, 0.9).sure == sure


@pytest.mark.req("RPT-3")
async def test_a_weekday_of_the_own_history_fills_the_table(start: Start, tmp_path: Path) -> None:
    running = await start()
    now = datetime.now(UTC)
    monday = (now - timedelta(days=now.weekday() + 7)).replace(hour=0, minute=0, second=0, microsecond=0)
    await carry_day(running, tmp_path / "journal", at=monday, calls=7)
    browser = await running.browser("sv01")
    text = await (await browser.get("/staffing?weekday=0")).text()
    assert "月曜 (実績 1 日)" in text
    form = dict(next(one for one in forms_of(text, "/staffing") if "talk_s" in dict(one.fields)).fields)
    # From 9:10 to 10:10 a call every ten minutes: 2, 3 and 2 in the half hours; both operators were there.
    assert [form[f"calls{n}"] for n in range(3)] == ["2", "3", "2"]
    assert [form[f"operators{n}"] for n in range(3)] == ["2", "2", "2"]
    assert (form["from0"], form["talk_s"]) == ("9:00", "100")
    told = await (await browser.get("/api/v1/staffing/history")).json()
    assert (told["days"], told["talk_s"]) == ([1, 0, 0, 0, 0, 0, 0], 100)
    answer = await browser.post(WHAT_IF, question(weekday=0))
    assert answer.status == 200, await answer.text()


async def test_the_process_beside_is_bounded_and_started_anew(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = await start()
    browser = await running.browser("sv01")
    trials = running.app[TRIALS]

    # Too many at once are told to come again.
    monkeypatch.setattr(trial, "MOST_WAITING", 2)
    answers = await asyncio.gather(*(browser.post(WHAT_IF, question()) for _ in range(5)))
    statuses = sorted(answer.status for answer in answers)
    assert statuses[:2] == [200, 200]
    assert statuses[-1] == 503
    monkeypatch.setattr(trial, "MOST_WAITING", 4)

    # One that dies is started anew.
    process = trials._process
    assert process is not None
    process.kill()
    await process.wait()
    assert (await browser.post(WHAT_IF, question())).status == 200
    assert trials._process is not process

    # One that takes too long is ended; the page can be used by hand.
    monkeypatch.setattr(trial, "ANSWER_S", 0.0)
    answer = await browser.post(WHAT_IF, question())
    assert (answer.status, (await answer.json())["code"]) == (503, "staffing")
    assert trials._process is None
    assert "手で入力して試算できます" in await (await browser.get("/staffing")).text()
