"""なぜこの操作者に, 均等度: what supervisors and the city see, what operators do not; the CSV, the links."""

from __future__ import annotations

import csv
import io
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from agent_console.distribution.evenness import days_of, grade

from .conftest import Start
from .days import carry_day

ALL = ("op01", "op02", "sv01", "staff01", "admin", "audit")
DAY = "from=2026-11-20&to=2026-11-20"


@pytest.mark.req("ACD-1")
async def test_a_call_says_why_this_operator_with_the_ledger_behind(start: Start, tmp_path: Path) -> None:
    running = await start(users=ALL)
    first, second, *_ = await carry_day(running, tmp_path / "journal")
    browser = await running.browser("sv01")
    text = await (await browser.get(f"/calls/{second}")).text()
    for part in (
        "なぜこの操作者に?",
        "操作者02に呼び出し",
        "いちばん長く待機していたため",
        "選んだときの記録 (2 人)",
    ):
        assert part in text, part
    assert "✓ 記録から選び直しても同じ結果です" in text
    assert text.count('class="chosen"') == 1
    found = await (await browser.get(f"/api/v1/calls/{first}/why")).json()
    [line] = found["lines"]
    assert (line["operator"], line["rule"], line["replayed"]) == ("1001", "longest_idle", True)
    assert [row["operator"] for row in line["rows"]] == ["1001", "1002"]
    english = await browser.client.get(f"/api/v1/calls/{first}/why", headers={"Accept-Language": "en"})
    assert "longest" in (await english.json())["lines"][0]["sentence"]


@pytest.mark.req("ACD-1", "CON-6")
async def test_operators_see_why_of_their_own_calls_and_nobody_elses_figures(
    start: Start, tmp_path: Path
) -> None:
    running = await start()
    first, second, *_ = await carry_day(running, tmp_path / "journal")
    browser = await running.browser("op01")
    page = await (await browser.get(f"/calls/{first}")).text()
    assert "操作者01に呼び出し" in page
    assert "ほかの操作者の数字は表示されません" in page
    assert "操作者02" not in page
    assert "選んだときの記録" not in page
    [line] = (await (await browser.get(f"/api/v1/calls/{first}/why")).json())["lines"]
    assert (line["rows"], line["replayed"]) == ([], None)
    detail = await (await browser.get(f"/api/v1/calls/{first}")).json()
    [offered] = [event["data"] for event in detail["events"] if event["kind"] == "offered"]
    assert set(offered["because"]) == {"rule", "among", "idle_s"}
    assert (await browser.get(f"/api/v1/calls/{second}/why")).status == 404
    supervisor = await running.browser("sv01")
    detail = await (await supervisor.get(f"/api/v1/calls/{first}")).json()
    [offered] = [event["data"] for event in detail["events"] if event["kind"] == "offered"]
    assert len(offered["because"]["candidates"]) == 2


@pytest.mark.req("ACD-1", "SEC-1")
async def test_the_evenness_of_a_day_and_who_may_see_it(start: Start, tmp_path: Path) -> None:
    running = await start(users=ALL)
    await carry_day(running, tmp_path / "journal")
    for login in ALL:
        browser = await running.browser(login)
        for path in (f"/evenness?{DAY}", f"/evenness.csv?{DAY}", "/api/v1/evenness"):
            assert (await browser.get(path)).status == (403 if login.startswith("op") else 200), (login, path)
    browser = await running.browser("staff01")
    text = await (await browser.get(f"/evenness?{DAY}")).text()
    # 3 and 2 calls in two hours each: 1.5 and 1.0 an hour; Gini 0.5 / (2 × 2.5) = 0.1.
    assert "最小 1.0 ～ 最大 1.5" in text
    assert "差 0.5 · ジニ係数 0.100" in text
    assert "少しかたよりあり" in text
    assert 'href="/calls?date=2026-11-20&amp;until=2026-11-20&amp;operator=1001"' in text
    found = await (await browser.get("/api/v1/evenness?from=2026-11-20&to=2026-11-21&queue=main")).json()
    assert [(row["operator"], row["calls"]) for row in found["rows"]] == [("1001", 3), ("1002", 2)]
    assert (found["calls"]["spread"], found["calls"]["gini"]) == (0.5, 0.1)
    assert (await browser.get("/api/v1/evenness?queue=nothing")).status == 404
    assert (await browser.get("/api/v1/evenness?from=yesterday")).status == 422
    empty = await (await browser.get("/evenness?from=2026-11-10&to=2026-11-10")).text()
    assert "比べられません" in empty


@pytest.mark.req("ACD-1")
async def test_each_number_opens_its_calls(start: Start, tmp_path: Path) -> None:
    running = await start()
    await carry_day(running, tmp_path / "journal")
    browser = await running.browser("sv01")
    for operator, count in (("1001", 3), ("1002", 2)):
        path = f"/calls?date=2026-11-20&until=2026-11-20&operator={operator}&queue=main"
        assert f"{count} 件" in await (await browser.get(path)).text()
    longer = await (await browser.get("/calls?date=2026-11-19&until=2026-11-20")).text()
    assert "2026年11月19日(木) ～ 2026年11月20日(金)" in longer
    assert longer.count('class="call-row"') == 6
    assert "0 件" in await (await browser.get("/calls?date=2026-11-20&queue=other")).text()


@pytest.mark.req("ACD-1", "RPT-1")
async def test_the_csv_opens_in_a_spreadsheet(start: Start, tmp_path: Path) -> None:
    running = await start()
    await carry_day(running, tmp_path / "journal")
    answer = await (await running.browser("sv01")).get(f"/evenness.csv?{DAY}")
    assert answer.content_type == "text/csv"
    body = await answer.read()
    assert body.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(body.decode("utf-8-sig"))))
    assert rows[0][:5] == ["開始日", "終了日", "待ち行列", "操作者番号", "操作者"]
    assert [row[3:7] for row in rows[1:3]] == [
        ["1001", "操作者01", "3", "3"],
        ["1002", "操作者02", "2", "2"],
    ]
    assert rows[3][3:] == [
        "件数 (在席1時間あたり)",
        "最小",
        "1.0000",
        "最大",
        "1.5000",
        "差",
        "0.5000",
        "ジニ係数",
        "0.1000",
    ]


@pytest.mark.parametrize(
    ("query", "first", "last"),
    [
        ({}, date(2026, 11, 21), date(2026, 11, 21)),
        ({"from": "2026-11-01"}, date(2026, 11, 1), date(2026, 11, 1)),
        ({"from": "2026-11-01", "to": "2026-10-01"}, date(2026, 11, 1), date(2026, 11, 1)),
        ({"from": "tomorrow", "to": "9999-12-31"}, date(2026, 11, 21), date(2026, 11, 21)),
        ({"from": "2001-01-01", "to": "2026-11-21"}, date(2001, 1, 1), date(2002, 2, 4)),
    ],
)
def test_days_are_kept_within_reason(query: dict[str, Any], first: date, last: date) -> None:
    found = days_of(query, date(2026, 11, 21))
    assert (found.first, found.last) == (first, last)


def test_what_a_gini_coefficient_means_in_words() -> None:
    assert [grade(gini) for gini in (0.0, 0.049, 0.05, 0.1, 0.2, 0.9)] == [0, 0, 1, 2, 3, 3]
