"""What console and command line ask, on both databases."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from cdr import CallRecord, Outcome, Span, call, calls, carry, count_calls, kpi, kpi_of, record_of
from cdr.events import to_line
from dialplans import Kpi as SiteKpi
from store import Recording, Store
from tests.support.events import NINE, Story, abandoned, answered

HOUR = timedelta(hours=1)


def morning() -> list[Story]:
    return [
        answered("c1", NINE),
        answered("c2", NINE + HOUR, operator="1002", wait_s=20),
        abandoned("c3", NINE + 2 * HOUR),
        answered("c4", NINE + 3 * HOUR, number="0246229999"),
    ]


@pytest.fixture
async def filled(store: Store, tmp_path: Path) -> Store:
    lines = [to_line(event) for story in morning() for event in story.events]
    (tmp_path / "00000001-x-y.jsonl").write_bytes(b"".join(lines))
    await carry(tmp_path, store)
    return store


def ids(records: Sequence[CallRecord]) -> list[str]:
    return [record.call for record in records]


async def test_the_latest_call_first(filled: Store) -> None:
    found = await calls(filled, NINE, NINE + 24 * HOUR)
    assert found == [record_of(story.events) for story in reversed(morning())]


async def test_spans_are_half_open(filled: Store) -> None:
    assert ids(await calls(filled, NINE, NINE + 2 * HOUR)) == ["c2", "c1"]
    assert ids(await calls(filled, NINE + timedelta(microseconds=1), NINE + 2 * HOUR)) == ["c2"]


@pytest.mark.req("NUM-1")
async def test_of_one_number_however_it_is_written(filled: Store) -> None:
    assert ids(await calls(filled, NINE, NINE + 24 * HOUR, number="0246-22-9999")) == ["c4"]
    assert await count_calls(filled, NINE, NINE + 24 * HOUR, number="0246221111") == 3


async def test_of_one_operator_also_when_others_answered_before(filled: Store, tmp_path: Path) -> None:
    twice = answered("c5", NINE + 4 * HOUR).at(30, "answered", operator="1002", phone="desk")
    (tmp_path / "00000002-x-y.jsonl").write_bytes(b"".join(to_line(event) for event in twice.events))
    await carry(tmp_path, filled)
    assert ids(await calls(filled, NINE, NINE + 24 * HOUR, operator="1002")) == ["c5", "c2"]
    for odd in ("100", "1001%", "_001", '"', "\\"):
        assert await calls(filled, NINE, NINE + 24 * HOUR, operator=odd) == []


async def test_of_one_outcome(filled: Store) -> None:
    given_up = await calls(filled, NINE, NINE + 24 * HOUR, outcome=Outcome.ABANDONED_QUEUE)
    assert ids(given_up) == ["c3"]
    assert await count_calls(filled, NINE, NINE + 24 * HOUR, outcome=Outcome.ANSWERED) == 3


async def test_page_by_page(filled: Store) -> None:
    pages = [ids(await calls(filled, NINE, NINE + 24 * HOUR, limit=3, offset=start)) for start in (0, 3, 6)]
    assert pages == [["c4", "c3", "c2"], ["c1"], []]
    assert await count_calls(filled, NINE, NINE + 24 * HOUR) == 4


async def test_a_recording_shows_once_it_is_ready(filled: Store) -> None:
    async with filled.session() as session:
        session.add(Recording(call="c1", path="2026/11/21/c1.flac", state="capturing", created_at=NINE))
        session.add(
            Recording(call="c2", path="2026/11/21/c2.flac", seconds=60.0, state="ready", created_at=NINE)
        )
    one, two, none = [await call(filled, name) for name in ("c1", "c2", "c3")]
    assert one is not None
    assert two is not None
    assert none is not None
    assert (one.record.recording, one.recording_state) == (None, "capturing")
    assert (two.record.recording, two.record.recording_s) == ("2026/11/21/c2.flac", 60.0)
    assert (none.record.recording, none.recording_state) == (None, None)
    listed = {record.call: record.recording for record in await calls(filled, NINE, NINE + 24 * HOUR)}
    assert listed == {"c1": None, "c2": "2026/11/21/c2.flac", "c3": None, "c4": None}


async def test_a_call_with_everything(filled: Store) -> None:
    found = await call(filled, "c1")
    assert found is not None
    shown = found.to_json()
    assert shown["call"] == "c1"
    assert [event["kind"] for event in shown["events"]][:3] == ["arrived", "greeted", "queued"]
    assert shown["events"][0]["at"] == "2026-11-21T00:00:00.000000Z"
    assert shown["wrap_ups"][0]["category"] == "住民票"
    assert await call(filled, "nobody") is None


@pytest.mark.req("KPI-1", "KPI-2", "KPI-3")
async def test_kpis_of_a_span_and_a_number(filled: Store) -> None:
    day = Span(NINE, NINE + 24 * HOUR)
    whole = await kpi(filled, SiteKpi(), day)
    assert whole == kpi_of([record_of(story.events) for story in morning()], SiteKpi())
    assert (whole.offered, whole.answered, whole.answered_within) == (4, 3, 2)
    assert whole.calls("answered") == ("c1", "c2", "c4")
    one = await kpi(filled, SiteKpi(), day, "0246-22-1111")
    assert (one.offered, one.answered, one.answer_rate) == (3, 2, pytest.approx(2 / 3))
    assert one.mean_answer_s == pytest.approx((6 + 22) / 2)
    none = await kpi(filled, SiteKpi(), Span(NINE - HOUR, NINE))
    assert (none.offered, none.answer_rate) == (0, None)
