"""Earlier contacts of a number, and the curve of a day, on both databases."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from cdr import Contact, Span, Target, carry, history, kpi, kpi_of, record_of, trend, trend_of
from cdr.events import to_line
from dialplans import Kpi as SiteKpi
from store import Store
from tests.support.events import NINE, Story, abandoned, answered

CALLER = "09012345678"
HOUR = timedelta(hours=1)


def transferred(call: str, start: datetime) -> Story:
    story = Story(call, start).at(0, "arrived", number="0246221111", caller=CALLER, via="engine")
    story.at(2, "queued", queue="tax").at(5, "answered", operator="1002")
    for place, name in ((1, "税務課"), (2, "市民課")):
        to = {"kind": "extension", "number": f"230{place}", "name": name}
        story.at(10 * place, "transfer_begun", operator="1002", how="consult", place=place, to=to, leg=name)
        if place == 1:
            story.at(12, "transfer_ended", leg=name, place=1, reason="busy")
    story.at(22, "transfer_answered", leg="市民課", place=2)
    story.at(30, "transferred", operator="1002", leg="市民課", place=2).at(60, "ended", by="outside")
    story.at(40, "wrapped_up", operator="1002", by="operator", result="transferred", faq=["12", 7])
    return story.at(99, "wrapped_up", operator="1002", by="timeout")


def dialled(call: str, start: datetime) -> Story:
    story = Story(call, start).at(
        0, "dialled", number="0246221111", to=CALLER, reason="outbound", case=4, operator="1001"
    )
    return story.at(20, "ended", by="outside", reason="no_answer")


def day() -> list[Story]:
    return [
        answered("c1", NINE),
        abandoned("c2", NINE + HOUR),  # withheld
        transferred("c3", NINE + 2 * HOUR),
        dialled("c4", NINE + 3 * HOUR),
        answered("c5", NINE + 4 * HOUR, wait_s=20, number="0246229999"),
    ]


@pytest.fixture
async def filled(store: Store, tmp_path: Path) -> Store:
    lines = [to_line(event) for story in day() for event in story.events]
    (tmp_path / "00000001-x-y.jsonl").write_bytes(b"".join(lines))
    await carry(tmp_path, store)
    return store


@pytest.mark.req("OPR-3", "OPR-4", "CON-1")
async def test_the_earlier_contacts_of_a_number(filled: Store) -> None:
    found = await history(filled, CALLER, 10, but="c5")
    assert [one.call for one in found] == ["c4", "c3", "c1"]
    assert found[0] == Contact("c4", NINE + 3 * HOUR, "0246221111", "outbound", "unreached", None, case_id=4)
    assert found[1] == Contact(
        "c3", NINE + 2 * HOUR, "0246221111", "engine", "answered", "1002", "transferred",
        faq=("12", "7"), transferred=(Target("extension", "2302", "市民課"),),
    )  # fmt: skip
    assert (found[2].result, found[2].category, found[2].operator) == ("完了", "住民票", "1001")
    assert [one.call for one in await history(filled, CALLER, 2)] == ["c5", "c4"]
    shown = found[1].to_json()
    assert (shown["at"], shown["transferred"][0]["name"]) == ("2026-11-21T02:00:00.000000Z", "市民課")


async def test_a_number_is_found_however_it_is_written(filled: Store) -> None:
    for form in ("090-1234-5678", "+819012345678", "+81 90-1234-5678"):
        assert len(await history(filled, form, 10)) == 4, form
    for nobody in ("", "anonymous", "110", "+15551234567", "0312345678"):
        assert await history(filled, nobody, 10) == []
    assert await history(filled, CALLER, 0) == []


@pytest.mark.req("MON-1", "KPI-1", "KPI-3")
async def test_the_curve_of_a_day(filled: Store) -> None:
    site = type("Site", (), {"kpi": SiteKpi()})()
    found = await trend(filled, site, date(2026, 11, 21), "Asia/Tokyo")
    assert len(found) == 48
    busy = {one.at: one for one in found if one.arrived}
    assert [(at, one.arrived, one.answered, one.abandoned, one.within) for at, one in busy.items()] == [
        (NINE, 1, 1, 0, 1),
        (NINE + HOUR, 1, 0, 1, 0),
        (NINE + 2 * HOUR, 1, 1, 0, 1),
        (NINE + 4 * HOUR, 1, 1, 0, 0),
    ]
    span = Span.of_day(date(2026, 11, 21), "Asia/Tokyo")
    whole = await kpi(filled, SiteKpi(), span)
    assert sum(one.arrived for one in found) == whole.offered == 4
    assert sum(one.within for one in found) == whole.answered_within
    hours = await trend(filled, site, date(2026, 11, 21), "Asia/Tokyo", minutes=60)
    assert (len(hours), hours[9].at, hours[9].to_json()["answered"]) == (24, NINE, 1)
    of_queue = await kpi(filled, SiteKpi(), span, queue="tax")
    assert of_queue.calls("offered") == ("c3",)


def test_who_waits_now_has_arrived() -> None:
    waiting = Story("c9").at(0, "arrived", number="1").at(2, "queued", queue="main")
    records = [record_of(waiting.events), record_of(dialled("c4", NINE).events)]
    span = Span(NINE, NINE + HOUR)
    (first, second) = trend_of(records, SiteKpi(), span)
    assert (first.arrived, first.answered, second.arrived) == (1, 0, 0)
    assert kpi_of(records, SiteKpi()).unfinished == 1
    assert len(trend_of(records, SiteKpi(), span, minutes=25)) == 3
    for minutes in (0, 1441):
        with pytest.raises(ValueError, match="minutes"):
            trend_of(records, SiteKpi(), span, minutes=minutes)
