"""Calls that a plan led: their records, which of them count, and what stands for the next engine."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import update

from cdr import (
    Journal,
    Outcome,
    PathStep,
    Span,
    StepCount,
    call,
    calls,
    carry,
    kpi,
    kpi_of,
    path_counts,
    read_recent,
    record_of,
)
from cdr.events import to_line
from cdr.kpis import Kpi
from dialplans import Kpi as SiteKpi
from store import CallRow, Store
from tests.support.events import NINE, Story, abandoned, answered

DAY = Span.of_day(NINE.date(), "Asia/Tokyo")


def came(
    name: str, *, open: bool = True, staff: bool = False, queues: bool = True, number: str = "0246221111"
) -> Story:
    """A call that arrived on version 3 of a plan and was greeted."""
    return (
        Story(name)
        .at(0, "arrived", number=number, caller=None, channel=name, via="engine", plan=3, open=open,
            staff=staff, queues=queues, dialled=number, diverted_from=None)
        .at(0, "greeted")
    )  # fmt: skip


def step(story: Story, at: float, name: str, kind: str, *, language: str = "ja", ends: bool = False) -> Story:
    return story.at(at, "step", step=name, step_kind=kind, language=language, ends=ends)


def greeted(story: Story) -> Story:
    step(story, 0, "greeting", "greeting")
    return step(story, 1, "recording_notice", "recording_notice")


def menu(story: Story, at: float = 2) -> Story:
    return step(greeted(story), at, "top", "menu")


def queued(story: Story, at: float) -> Story:
    return story.at(at, "queued", queue="main", priority=0, again=False, prefer=None, language="ja")


def talked(story: Story, at: float) -> Story:
    story.at(at, "answered", operator="1001", phone="desk")
    return story.at(at + 60, "ended", by="caller", cause=16, reason="normal")


def hung_up(story: Story, at: float) -> Story:
    return story.at(at, "ended", by="caller", cause=16, reason="normal")


def over(story: Story, at: float, why: str) -> Story:
    """The plan's own end."""
    return story.at(at, "ended", by="centre", cause=16, reason=why)


def outside(story: Story, at: float, *, answered: bool) -> Story:
    story.at(at, "forwarded", forward="guard", number="0246-22-1119", leg="x")
    if answered:
        story.at(at + 5, "forward_answered", forward="guard", leg="x", bridge="b")
        story.at(at + 65, "forward_ended", forward="guard", reason="over", talk_s=60.0)
        return hung_up(story, at + 65)
    return story


# The twelve calls of docs/kpi.md.
DAYS_CALLS = {
    "1": talked(
        queued(menu(came("1")).at(4, "key", step="top", key="1", does="くらし", language="ja"), 5), 8
    ),
    "2": talked(queued(greeted(came("2")), 2), 14),
    "3": hung_up(menu(came("3")), 6),
    "4": outside(
        queued(greeted(came("4")), 2).at(62, "overflowed", queue="main", reason="longest_wait", to="x"),
        62,
        answered=True,
    ),
    "5": over(
        step(
            queued(greeted(came("5")), 2).at(62, "overflowed", queue="main", reason="longest_wait", to="x"),
            62,
            "busy",
            "say",
            ends=True,
        ),
        70,
        "announcement",
    ),
    "6": talked(queued(came("6", staff=True), 0), 3),
    "7": over(step(came("7", open=False), 0, "night", "say", ends=True), 9, "closed"),
    "8": outside(came("8", open=False), 0, answered=True),
    "9": talked(queued(came("9", open=False), 0), 4),
    "10": over(step(came("10", queues=False), 0, "events", "events", ends=True), 30, "announcement"),
    "11": hung_up(
        outside(
            menu(came("11")).at(4, "key", step="top", key="9", does="市役所", language="ja"),
            5,
            answered=False,
        ),
        12,
    ),
    "12": hung_up(greeted(came("12", queues=False)), 1),
}
RECORDS = {name: record_of(story.events) for name, story in DAYS_CALLS.items()}


def shown(found: Kpi) -> tuple[int, int, int, int, int]:
    return found.offered, found.answered, found.abandoned, found.lost, found.overflowed


@pytest.mark.req("KPI-1", "KPI-2", "KPI-3", "NUM-6")
def test_only_calls_that_asked_for_an_operator_count() -> None:
    found = kpi_of(RECORDS.values(), SiteKpi())
    assert shown(found) == (5, 2, 1, 0, 2)
    assert found.answer_rate == 2 / 5
    assert found.mean_answer_s == 11.0
    assert found.within_rate == 1 / 2
    assert found.calls("left_out") == ("6", "7", "8", "9", "10", "11", "12")
    assert found.calls("overflowed") == ("4", "5")
    assert "職員連絡用" in found.formula.ja
    assert "オペレーターにつながらない番号" in found.formula.ja
    queued_only = kpi_of(RECORDS.values(), SiteKpi(offered="queued"))
    assert (queued_only.offered, queued_only.answer_rate) == (4, 0.5)


@pytest.mark.req("KPI-1", "KPI-2", "KPI-3")
@pytest.mark.parametrize(("queues", "shows"), [(True, (1, 0, 1, 0, 0)), (False, (0, 0, 0, 0, 0))])
def test_a_number_without_a_way_to_operators_asks_for_none(
    queues: bool, shows: tuple[int, int, int, int, int]
) -> None:
    record = record_of(hung_up(greeted(came("c1", queues=queues)), 1).events)
    assert record.queues is queues
    assert shown(kpi_of([record], SiteKpi())) == shows
    fault = record_of(came("c1", queues=queues).at(1, "ended", by="centre", reason="fault").events)
    assert kpi_of([fault], SiteKpi()).lost == shows[0]


def test_calls_noted_before_queues_was_count_as_they_did() -> None:
    record = record_of(abandoned("old", after_s=1.0, queued=False).events)
    assert record.queues is None
    assert shown(kpi_of([record], SiteKpi())) == (1, 0, 1, 0, 0)


def test_outcomes_of_a_plans_calls() -> None:
    assert {name: record.outcome.value for name, record in RECORDS.items()} == {
        "1": "answered", "2": "answered", "3": "abandoned_menu", "4": "forwarded", "5": "announced",
        "6": "answered", "7": "announced", "8": "forwarded", "9": "answered", "10": "announced",
        "11": "abandoned_ringing", "12": "abandoned_greeting",
    }  # fmt: skip


def test_the_path_and_where_it_ended() -> None:
    story = menu(came("c1"))
    story.at(8, "key", step="top", key=None, does="none", language="ja")
    story.at(10, "key", step="top", key="9", does="English", language="en")
    record = record_of(
        step(hung_up(step(story, 10, "sub", "menu", language="en"), 11), 12, "x", "say").events
    )
    assert record.path == (
        PathStep("greeting"),
        PathStep("recording_notice"),
        PathStep("top"),
        PathStep("top", None, "none"),
        PathStep("top", "9", "English"),
        PathStep("sub"),
    )
    assert (record.plan, record.open, record.staff, record.language) == (3, True, False, "en")
    assert (record.exit_step, record.outcome) == ("sub", Outcome.ABANDONED_MENU)
    assert record.to_json()["path"][4] == {"step": "top", "key": "9", "label": "English"}


@pytest.mark.parametrize(
    ("kind", "ends", "outcome"),
    [
        ("say", True, Outcome.ANNOUNCED),
        ("say", False, Outcome.ABANDONED_GREETING),
        ("events", False, Outcome.ANNOUNCED),
        ("notice", False, Outcome.ABANDONED_GREETING),
        ("menu", False, Outcome.ABANDONED_MENU),
    ],
)
def test_hanging_up_in_a_step(kind: str, ends: bool, outcome: Outcome) -> None:
    story = hung_up(step(came("c1"), 0, "here", kind, ends=ends), 5)
    assert record_of(story.events).outcome is outcome


def test_a_fault_in_a_menu_is_no_end_of_the_plan() -> None:
    record = record_of(menu(came("c1")).at(3, "ended", by="centre", cause=None, reason="fault").events)
    assert (record.outcome, record.exit_step) == (Outcome.LOST, "top")


def test_where_a_call_waits_or_talks_it_is_in_no_step() -> None:
    assert [RECORDS[name].exit_step for name in ("1", "2", "4", "11")] == [None] * 4
    assert RECORDS["5"].exit_step == "busy"
    waited = hung_up(queued(menu(came("c1")), 5), 9)
    assert record_of(waited.events).exit_step is None


def test_a_forward_that_did_not_answer_and_then_one_that_did() -> None:
    story = came("c1").at(1, "forwarded", forward="city", number="1", leg="a")
    story.at(31, "forward_ended", forward="city", reason="no_answer", talk_s=0.0)
    record = record_of(outside(story, 31, answered=True).events)
    assert (record.forward, record.outcome, record.talk_s) == ("guard", Outcome.FORWARDED, None)
    assert record.forward_answered_at == story.start.replace(second=36)
    after = queued(came("c2").at(1, "forwarded", forward="city", number="1", leg="a"), 20)
    after = talked(after, 25)
    record = record_of(after.events)
    assert (record.forward, record.forward_answered_at, record.outcome) == ("city", None, Outcome.ANSWERED)


def test_the_wait_ends_where_somebody_outside_answers() -> None:
    assert RECORDS["4"].wait_s == 65.0


async def filled(store: Store, folder: Path) -> None:
    lines = [to_line(event) for story in DAYS_CALLS.values() for event in story.events]
    (folder / "00000001-x-y.jsonl").write_bytes(b"".join(lines))
    await carry(folder, store)


async def test_records_come_back_from_the_database_as_they_were(store: Store, tmp_path: Path) -> None:
    await filled(store, tmp_path)
    found = {record.call: record for record in await calls(store, DAY.start, DAY.end)}
    assert found == RECORDS
    assert shown(await kpi(store, SiteKpi(), DAY)) == (5, 2, 1, 0, 2)
    detail = await call(store, "1")
    assert detail is not None
    assert detail.to_json()["path"][-1] == {"step": "top", "key": "1", "label": "くらし"}


async def test_records_of_before_there_were_plans_count_as_they_did(store: Store, tmp_path: Path) -> None:
    (tmp_path / "00000001-x-y.jsonl").write_bytes(b"".join(map(to_line, answered("old").events)))
    await carry(tmp_path, store)
    async with store.session() as session:
        await session.execute(
            update(CallRow).values(path=None, open=None, staff=None, queues=None, plan=None)
        )
    (record,) = await calls(store, DAY.start, DAY.end)
    assert (record.path, record.open, record.staff, record.queues) == ((), None, None, None)
    assert shown(await kpi(store, SiteKpi(), DAY)) == (1, 1, 0, 0, 0)
    assert await path_counts(store, DAY) == []


@pytest.mark.req("IVR-1", "IVR-2")
async def test_how_citizens_go_through_a_menu(store: Store, tmp_path: Path) -> None:
    await filled(store, tmp_path)
    counts = await path_counts(store, DAY, "0246-22-1111")
    assert [each for each in counts if each.step == "top"] == [
        StepCount("top", None, None, 3),
        StepCount("top", "1", "くらし", 1),
        StepCount("top", "9", "市役所", 1),
        StepCount("top", None, "gave_up", 1),
    ]
    assert StepCount("greeting", None, None, 7) in counts
    assert not [each for each in counts if each.step in ("night", "events") and each.label == "gave_up"]
    assert await path_counts(store, DAY, "0246-22-9999") == []


@pytest.mark.req("HRS-3", "REL-1")
def test_what_was_switched_stands_for_the_next_engine(tmp_path: Path) -> None:
    journal = Journal(tmp_path, segment_bytes=500)  # every few lines a new segment
    try:
        journal.append("plan_activated", version=1, by="sv01", comment="", sha256="")
        journal.append("opening_set", number="1", mode="closed", until=None, reason="停電", by="sv01")
        journal.append("opening_set", number="2", mode="open", until=None, reason="", by="sv01")
        journal.append("notice_asked", notice="flood", by="sv01", confirmed_by=None)
        journal.append("notice_asked", notice="quake", by="sv01", confirmed_by=None)
        journal.append("plan_activated", version=2, by="sv02", comment="", sha256="")
        journal.append("opening_cleared", number="1", mode="closed", until=None, reason="", by="expiry")
        journal.append("notice_set", notice="flood", by="sv01", confirmed_by="sv02")
        journal.append("notice_cleared", notice="quake", by="sv01", confirmed_by=None)
        for _ in range(20):
            journal.append("engine_started", pid=1, boot="b", adopted=0)
    finally:
        journal.close()
    standing = [
        (event.kind, event.data.get("number") or event.data.get("notice") or event.data.get("version"))
        for event in read_recent(tmp_path)
    ]
    assert standing == [
        ("opening_set", "2"),
        ("plan_activated", 2),
        ("opening_cleared", "1"),
        ("notice_set", "flood"),
        ("notice_cleared", "quake"),
    ]
