"""Transfers in the record: who had the citizen when, counted by hand; any events in any order."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from cdr import Event, Outcome, Target, Transfer, kpi_of, record_of, why
from cdr.record import told_by
from cdr.talks import Talk
from dialplans import Kpi as SiteKpi
from tests.support.events import NINE, Story

CHILD = {"kind": "extension", "number": "2345", "name": "子育て支援課", "department": "こども部", "entry": 7}
COLLEAGUE = {"kind": "operator", "number": "1002"}
TAX = {"kind": "queue", "number": "tax"}


def talking(call: str = "c1") -> Story:
    """Arrived at 0, answered by 1001 at 6."""
    story = Story(call).at(0, "arrived", number="0246221111", caller="0901", channel=call, via="engine")
    story.at(2, "queued", queue="main").at(2, "offered", queue="main", operator="1001")
    return story.at(6, "answered", operator="1001", phone="desk", leg="l1", bridge="b1")


def begun(story: Story, at: float, to: dict[str, Any] = CHILD, how: str = "consult", place: int = 1) -> Story:
    leg = None if to["kind"] == "queue" else f"x{place}"
    return story.at(
        at, "transfer_begun", operator="1001", how=how, place=place, to=to, leg=leg, trunk="pbx", by="console"
    )


def left(
    story: Story, at: float, to: dict[str, Any] = CHILD, place: int = 1, operator: str = "1001"
) -> Story:
    leg = None if to["kind"] == "queue" else f"x{place}"
    story.at(at, "transferred", operator=operator, to=to, leg=leg, bridge="b1", hops=1, place=place)
    return story.at(at, "left", operator=operator).at(at, "wrap_up", operator=operator)


def room(story: Story, at: float, who: str) -> Story:
    told: dict[str, Any] = {"with": who}
    return story.at(at, "transfer_room", **told)


def moment(story: Story, seconds: float) -> Any:
    return story.start + timedelta(seconds=seconds)


@pytest.mark.req("XFR-1", "KPI-5")
def test_consulted_swapped_and_completed() -> None:
    """The operator talks 6…70; the citizen hears music 20…40 (ringing 20…26, talk 26…40), talks with the
    operator 40…50, music 50…60, all three 60…70; then with the target until 100."""
    story = begun(talking(), 20).at(26, "transfer_answered", leg="x1", place=1)
    room(room(room(story, 40, "citizen"), 50, "target"), 60, "all")
    left(story, 70).at(85, "wrapped_up", operator="1001", by="operator", result="consulted")
    story.at(100, "transfer_ended", leg="x1", place=1, reason="over", talk_s=74.0)
    told = told_by(story.at(100, "ended", by="outside", cause=16, reason="normal").events)
    record = told.record
    assert (record.outcome, record.answer_s, record.wait_s) == (Outcome.ANSWERED, 6.0, 4.0)
    assert (record.talk_s, record.hold_s, record.wrap_up_s, record.total_s) == (94.0, 30.0, 15.0, 100.0)
    assert told.talks == (Talk("1001", "main", moment(story, 6), True, 64.0, 30.0, 15.0),)
    assert record.transfers == (
        Transfer(
            place=1,
            at=moment(story, 20),
            how="consult",
            operator="1001",
            to=Target("extension", "2345", "子育て支援課", "こども部", "7"),
            answered_at=moment(story, 26),
            transferred_at=moment(story, 70),
            ended_at=moment(story, 100),
            reason="over",
            talk_s=74.0,
        ),
    )
    assert record.hops == 1
    assert record.to_json()["transfers"][0]["to"]["name"] == "子育て支援課"
    assert record.to_json()["transfers"][0]["answered_at"] == "2026-11-21T00:00:26.000000Z"


@pytest.mark.req("XFR-5")
@pytest.mark.parametrize("reason", ["busy", "no_answer", "refused", "trunk_full", "returned", "target_gone"])
def test_back_to_the_operator(reason: str) -> None:
    """Music 20…32, then on with the operator until 50; the operator was never away."""
    story = begun(talking(), 20)
    if reason in ("returned", "target_gone"):
        story.at(25, "transfer_answered", leg="x1", place=1)
    story.at(32, "transfer_ended", leg="x1", place=1, reason=reason, talk_s=None)
    told = told_by(story.at(50, "left", operator="1001").at(50, "ended", by="caller").events)
    assert (told.record.talk_s, told.record.hold_s, told.record.hops) == (44.0, 12.0, 0)
    (talk,) = told.talks
    assert (talk.talk_s, talk.hold_s) == (44.0, 12.0)
    (one,) = told.record.transfers
    assert (one.reason, one.transferred_at, one.ended_at) == (reason, None, moment(story, 32))
    assert one.talk_s == (7.0 if reason in ("returned", "target_gone") else None)


@pytest.mark.req("XFR-1")
def test_from_hold_into_a_consult_is_one_hold() -> None:
    story = begun(talking().at(10, "held", operator="1001"), 20).at(20, "resumed", operator="1001")
    story.at(30, "transfer_ended", leg="x1", place=1, reason="busy").at(40, "ended", by="caller")
    told = told_by(story.events)
    assert (told.record.hold_s, told.talks[0].hold_s) == (20.0, 20.0)


@pytest.mark.req("XFR-1", "XFR-5")
def test_blind_the_wait_for_the_target_is_no_talk() -> None:
    """1001 talks 6…21 and leaves; the target rings until 30 and talks 30…60: 15 + 30 s of talk."""
    story = left(begun(talking(), 20, how="blind"), 21).at(30, "transfer_answered", leg="x1", place=1)
    story.at(60, "transfer_ended", leg="x1", place=1, reason="over").at(60, "ended", by="outside")
    told = told_by(story.events)
    assert (told.record.talk_s, told.record.hold_s, told.record.hops) == (45.0, 0.0, 1)
    assert (told.talks[0].talk_s, told.record.transfers[0].talk_s) == (15.0, 30.0)


@pytest.mark.req("XFR-4", "XFR-5", "KPI-1")
def test_returned_and_waiting_again_is_one_call_answered_once() -> None:
    """1001 talks 6…21; nobody answers there; the citizen waits again 46…50 and talks with 1001 50…80."""
    story = left(begun(talking(), 20, how="blind"), 21)
    story.at(46, "transfer_ended", leg="x1", place=1, reason="no_answer", talk_s=None)
    story.at(46, "returned", **{"from": 1}, to="1001", reason="no_answer")
    story.at(46, "wrapped_up", operator="1001", by="returned")
    story.at(46, "queued", queue="main", priority=10, again=True, prefer="1001")
    story.at(46, "offered", queue="main", operator="1001").at(50, "answered", operator="1001", leg="l2")
    story.at(80, "left", operator="1001").at(80, "ended", by="caller").at(80, "wrap_up", operator="1001")
    story.at(90, "wrapped_up", operator="1001", by="timeout")
    told = told_by(story.events)
    record = told.record
    assert (record.answer_s, record.wait_s, record.talk_s, record.hops) == (6.0, 4.0, 45.0, 0)
    assert [(one.talk_s, one.wrap_up_s) for one in told.talks] == [(15.0, 25.0), (30.0, 10.0)]
    (one,) = record.transfers
    assert (one.returned_at, one.reason) == (moment(story, 46), "no_answer")
    figures = kpi_of([record], SiteKpi())
    assert (figures.offered, figures.answered, figures.answered_within) == (1, 1, 1)
    assert figures.mean_answer_s == 6.0


@pytest.mark.req("XFR-4")
def test_returned_by_the_department_with_the_return_code() -> None:
    story = left(begun(talking(), 20).at(25, "transfer_answered", leg="x1", place=1), 30)
    story.at(70, "transfer_ended", leg="x1", place=1, reason="return_code", talk_s=45.0)
    story.at(70, "returned", **{"from": 1}, to="1001", reason="return_code")
    story.at(70, "queued", queue="main", again=True).at(75, "answered", operator="1003")
    told = told_by(story.at(95, "ended", by="caller").events)
    # 6…30 with 1001 (of it 20…30 hold), 30…70 with the target, 75…95 with 1003.
    assert (told.record.talk_s, told.record.hold_s, told.record.hops) == (84.0, 10.0, 1)
    assert [(one.operator, one.talk_s, one.hold_s) for one in told.talks] == [
        ("1001", 24.0, 10.0),
        ("1003", 20.0, 0.0),
    ]
    assert told.record.transfers[0].talk_s == 45.0


@pytest.mark.req("XFR-1")
def test_a_colleague_becomes_the_calls_operator() -> None:
    story = begun(talking(), 20, COLLEAGUE).at(24, "transfer_answered", leg="x1", place=1)
    left(story, 40, COLLEAGUE).at(40, "transfer_ended", leg="x1", place=1, reason="over", talk_s=16.0)
    story.at(40, "answered", operator="1002", phone="browser", leg="x1", bridge="b1")
    story.at(90, "left", operator="1002").at(90, "ended", by="caller").at(90, "wrap_up", operator="1002")
    told = told_by(story.at(95, "wrapped_up", operator="1002").events)
    assert (told.record.operators, told.record.operator) == (("1001", "1002"), "1001")
    assert (told.record.talk_s, told.record.hold_s, told.record.hops) == (84.0, 20.0, 1)
    assert [(one.operator, one.offered, one.talk_s, one.wrap_up_s) for one in told.talks] == [
        ("1001", True, 34.0, None),
        ("1002", False, 50.0, 5.0),
    ]
    (one,) = told.record.transfers
    assert (one.talk_s, one.ended_at) == (16.0, moment(story, 40))


@pytest.mark.req("XFR-1")
def test_there_and_back_between_two_operators_are_three_parts() -> None:
    story = begun(talking(), 20, COLLEAGUE).at(24, "transfer_answered", leg="x1", place=1)
    left(story, 40, COLLEAGUE).at(40, "answered", operator="1002", leg="x1")
    again = {"kind": "operator", "number": "1001"}
    story.at(50, "transfer_begun", operator="1002", how="consult", place=2, to=again, leg="x2")
    story.at(52, "transfer_answered", leg="x2", place=2)
    left(story, 60, again, 2, "1002").at(60, "answered", operator="1001", leg="x2").at(
        75, "ended", by="caller"
    )
    told = told_by(story.events)
    assert [(one.operator, one.offered, one.talk_s) for one in told.talks] == [
        ("1001", True, 34.0),
        ("1002", False, 20.0),
        ("1001", False, 15.0),
    ]
    assert (told.record.talk_s, told.record.hops, told.record.operators) == (69.0, 2, ("1001", "1002"))


@pytest.mark.req("XFR-1", "KPI-1")
@pytest.mark.parametrize("told_over", [True, False])
def test_to_another_queue(told_over: bool) -> None:
    story = begun(talking(), 20, TAX, "blind")
    left(story, 20, TAX)
    if told_over:
        story.at(20, "transfer_ended", leg=None, place=1, reason="over", talk_s=None)
    story.at(20, "queued", queue="tax", priority=9, again=True)
    waiting = record_of(story.events)
    assert (waiting.hops, waiting.outcome) == (0, Outcome.ACTIVE)
    story.at(21, "offered", queue="tax", operator="1003").at(25, "answered", operator="1003")
    told = told_by(story.at(45, "ended", by="operator").events)
    record = told.record
    assert (record.queue, record.answered_queue, record.talk_s, record.hops) == ("main", "main", 34.0, 1)
    assert [(one.operator, one.queue, one.offered) for one in told.talks] == [
        ("1001", "main", True),
        ("1003", "tax", True),
    ]
    assert (record.transfers[0].answered_at, record.transfers[0].talk_s) == (moment(story, 25), None)


@pytest.mark.req("MON-2")
def test_a_supervisor_takes_over() -> None:
    story = talking().at(20, "supervision_began", supervisor="1090", operator="1001", mode="listen", leg="s1")
    story.at(30, "taken_over", operator="1001", by="1090").at(30, "left", operator="1001")
    story.at(30, "wrap_up", operator="1001").at(30, "answered", operator="1090", leg="s1", bridge="b1")
    told = told_by(story.at(50, "ended", by="caller").events)
    assert [(one.operator, one.offered, one.talk_s) for one in told.talks] == [
        ("1001", True, 24.0),
        ("1090", False, 20.0),
    ]
    assert (told.record.talk_s, told.record.operators) == (44.0, ("1001", "1090"))


@pytest.mark.req("MON-3", "ACD-1")
def test_a_call_that_a_supervisor_pulled_was_not_given_to_them() -> None:
    story = Story("c1").at(0, "arrived", number="0246221111").at(2, "queued", queue="main")
    story.at(5, "offered", queue="main", operator="1090", because={"rule": "pull", "by": "sv01"})
    story.at(9, "answered", operator="1090").at(29, "ended", by="caller")
    told = told_by(story.events)
    assert told.talks == (Talk("1090", "main", moment(story, 9), False, 20.0, 0.0, None),)
    assert (told.record.outcome, told.record.wait_s, told.record.offers) == (Outcome.ANSWERED, 7.0, 1)
    assert "監督者が待ち行列から自分で受けたため" in why(story.events)[1].sentence


@pytest.mark.req("OPR-5")
def test_marks_that_are_on() -> None:
    story = talking().at(9, "marked", mark="harassment", on=True, by="op01")
    story.at(10, "marked", mark="emergency", on=True, by="op01", note="予告")
    assert record_of(story.events).marks == ("harassment", "emergency")
    assert record_of(story.at(12, "marked", mark="harassment", on=False).events).marks == ("emergency",)


def dialled(case: object = 12) -> Story:
    return Story("o1").at(
        0, "dialled", number="0246221111", to="0901", reason="outbound", callback=None, case=case,
        about="c1", operator="1001", phone="desk", operator_leg="l1", leg="l2", plan=4,
    )  # fmt: skip


@pytest.mark.req("NUM-5", "KPI-1")
def test_a_call_that_an_operator_made_is_in_no_figure_of_calls_in() -> None:
    story = dialled().at(8, "answered", operator="1001", phone="desk", leg="l1", bridge="b1")
    begun(story, 20).at(26, "transfer_answered", leg="x1", place=1)
    left(story, 30).at(60, "ended", by="caller")
    told = told_by(story.events)
    record = told.record
    assert (record.via, record.caller, record.number, record.case_id) == (
        "outbound",
        "0901",
        "0246221111",
        12,
    )
    assert (record.outcome, record.callback_of, record.talk_s, record.hops) == (
        Outcome.ANSWERED,
        None,
        52.0,
        1,
    )
    assert [(one.operator, one.offered, one.talk_s) for one in told.talks] == [("1001", False, 22.0)]
    figures = kpi_of([record, record_of(dialled().events)], SiteKpi())
    assert (figures.offered, figures.unfinished, figures.left_out) == (0, 0, 2)


@pytest.mark.req("NUM-5")
@pytest.mark.parametrize("reason", ["busy", "no_answer", "refused", "trunk_full", "operator_gone", "failed"])
def test_a_call_out_that_reached_nobody(reason: str) -> None:
    record = record_of(dialled(None).at(30, "ended", by="outside", reason=reason).events)
    assert (record.via, record.outcome, record.reason) == ("outbound", Outcome.UNREACHED, reason)
    assert (record.case_id, record.talk_s, record.operators) == (None, None, ())


def test_a_second_line_to_the_same_target_is_the_same_transfer() -> None:
    story = begun(talking(), 20).at(21, "transfer_answered", leg="x1-again")
    story.at(30, "transfer_ended", leg="x1-again", reason="target_gone").at(40, "ended", by="caller")
    (one,) = record_of(story.events).transfers
    assert (one.talk_s, one.reason) == (9.0, "target_gone")


def test_what_is_told_after_the_calls_end_changes_no_time() -> None:
    story = left(begun(talking(), 20).at(25, "transfer_answered", leg="x1"), 30).at(60, "ended", by="caller")
    story.at(65, "transfer_ended", leg="x1", reason="caller_gone", talk_s=40.0)
    record = record_of(story.events)
    assert (record.talk_s, record.transfers[0].talk_s, record.transfers[0].reason) == (
        54.0,
        35.0,
        "caller_gone",
    )


KINDS = [
    "arrived", "queued", "offered", "offer_ended", "answered", "held", "resumed", "leg_lost", "left", "ended",
    "wrap_up", "wrapped_up", "dialled", "transfer_begun", "transfer_answered", "transfer_room", "transferred",
    "transfer_ended", "returned", "marked", "taken_over", "supervision_began", "help_asked", "muted",
]  # fmt: skip
values: dict[str, list[Any]] = {
    "operator": ["1001", "1002", None, 7],
    "place": [1, 2, 0, -1, None, "1", 2**40],
    "from": [1, 2, None, "x"],
    "leg": ["x1", "x2", None, 3],
    "to": [CHILD, COLLEAGUE, TAX, None, "0901", 5, {"kind": 3, "number": []}, {}],
    "how": ["consult", "blind", None, 1],
    "with": ["citizen", "target", "all", None, {}],
    "reason": ["busy", "over", "outbound", "callback", None, 4],
    "mark": ["emergency", "harassment", "", None, 1],
    "on": [True, False, None, "x"],
    "case": [3, None, "x", 2**40],
    "queue": ["main", "tax", None],
    "by": ["caller", "centre", "outside", None],
}
data = some.fixed_dictionaries({}, optional={name: some.sampled_from(each) for name, each in values.items()})
events = some.lists(
    some.tuples(some.sampled_from(KINDS), data, some.floats(0, 50), some.sampled_from(["b1", "b1", None])),
    min_size=1,
    max_size=25,
)


@settings(max_examples=200)
@given(told=events, chance=some.randoms())
@pytest.mark.req("XFR-1", "REC-1")
def test_any_events_make_a_record_that_adds_up(
    told: list[tuple[str, dict[str, Any], float, str | None]], chance: random.Random
) -> None:
    now, made = 0.0, []
    for place, (kind, more, step, boot) in enumerate(told):
        now += step
        at = NINE + timedelta(seconds=now)
        made.append(Event(f"{place:03d}", at, now if boot else None, "c1", kind, more, boot))
    ordered = told_by(made)
    chance.shuffle(made)
    again = told_by([*made, *made[:3]])
    assert (again.record, tuple(again.talks)) == (ordered.record, tuple(ordered.talks))
    record = ordered.record
    orjson.dumps(record.to_json())
    assert tuple(Transfer.of(one.to_json()) for one in record.transfers) == record.transfers
    places = [one.place for one in record.transfers]
    assert len(set(places)) == len(places)
    assert all(place >= 1 for place in places)
    assert record.hops == sum(one.arrived for one in record.transfers) <= len(record.transfers)
    over = record.ended_at is not None  # what still lasts is in no sum yet
    assert not over or (record.hold_s or 0) <= (record.talk_s or 0) + 1e-6
    span = now + 1e-6
    for one in record.transfers:
        assert one.talk_s is None or 0 <= one.talk_s <= span
        assert one.ended_at is None or one.ended_at >= one.at
    if record.ended_at is not None:
        assert all(one.ended_at is not None for one in record.transfers)
    for talk in ordered.talks:
        assert not over or (talk.hold_s or 0) <= (talk.talk_s or 0) + 1e-6
        assert (talk.talk_s or 0) <= span


@settings(max_examples=100)
@given(missing=some.sets(some.integers(0, 15)))
def test_what_is_left_of_a_transferred_call_never_grows(missing: set[int]) -> None:
    story = begun(talking(), 20).at(26, "transfer_answered", leg="x1", place=1)
    left(story, 40).at(60, "wrapped_up", operator="1001")
    story.at(80, "transfer_ended", leg="x1", place=1, reason="over").at(80, "ended", by="outside")
    rest = [event for number, event in enumerate(story.events) if number not in missing]
    if not rest:
        return
    told = told_by(rest)
    assert (told.record.talk_s or 0) <= 74.0
    assert sum(one.talk_s or 0 for one in told.talks) <= 74.0
    assert len(told.record.transfers) <= 1
    assert told.record.hops <= 1
