"""Call records: one call, told by its events."""

from __future__ import annotations

import random
from datetime import timedelta

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as some

from cdr import Event, Outcome, record_of
from cdr.record import told_by
from cdr.talks import Talk
from tests.support.events import NINE, Story, abandoned, answered


def arrived(call: str = "c1") -> Story:
    return Story(call).at(0, "arrived", number="0246221111", caller="0901", channel=call, via="engine")


def test_a_call_like_most() -> None:
    record = record_of(answered("c1", wait_s=4.5).events)
    assert record.to_json() == {
        "call": "c1",
        "arrived_at": "2026-11-21T00:00:00.000000Z",
        "outcome": "answered",
        "via": "engine",
        "number": "0246221111",
        "caller": "09012345678",
        "queue": "main",
        "queued_at": "2026-11-21T00:00:02.000000Z",
        "answered_at": "2026-11-21T00:00:06.500000Z",
        "ended_at": "2026-11-21T00:01:06.500000Z",
        "operator": "1001",
        "operators": ["1001"],
        "offers": 1,
        "refusals": 0,
        "answer_s": 6.5,
        "wait_s": 4.5,
        "talk_s": 60.0,
        "hold_s": 0.0,
        "wrap_up_s": 10.0,
        "total_s": 66.5,
        "ended_by": "caller",
        "cause": 16,
        "reason": "normal",
        "plan": None,
        "open": None,
        "staff": None,
        "queues": None,
        "language": None,
        "path": [],
        "dialled": None,
        "diverted_from": None,
        "forward": None,
        "forward_answered_at": None,
        "exit_step": None,
        "answered_queue": "main",
        "callback_of": None,
        "transfers": [],
        "hops": 0,
        "marks": [],
        "case_id": None,
        "recording": None,
        "recording_s": None,
    }


@pytest.mark.parametrize(
    ("story", "outcome"),
    [
        (arrived(), Outcome.ACTIVE),
        (arrived().at(1, "answered", operator="1001"), Outcome.ACTIVE),
        (abandoned("c1", queued=False), Outcome.ABANDONED_GREETING),
        (abandoned("c1"), Outcome.ABANDONED_QUEUE),
        (arrived().at(2, "queued").at(3, "ended", by="unknown"), Outcome.ABANDONED_QUEUE),
        (arrived().at(2, "queued").at(3, "ended", by="switch", reason="switch restarted"), Outcome.LOST),
        (arrived().at(2, "ended", by="centre", reason="fault"), Outcome.LOST),
        (arrived().at(2, "answered", operator="1001").at(3, "ended", by="switch"), Outcome.ANSWERED),
    ],
)  # fmt: skip
def test_outcomes(story: Story, outcome: Outcome) -> None:
    assert record_of(story.events).outcome is outcome


@pytest.mark.parametrize("told", [True, False])
def test_given_up_while_an_operators_phone_rang(told: bool) -> None:
    story = arrived().at(2, "queued", queue="main").at(2, "offered", operator="1001")
    if told:  # the order of these two is a matter of milliseconds
        story.at(7, "offer_ended", operator="1001", reason="caller_gone")
    record = record_of(story.at(7, "ended", by="caller", cause=16).events)
    assert (record.outcome, record.wait_s, record.total_s) == (Outcome.ABANDONED_RINGING, 5.0, 7.0)
    assert (record.answer_s, record.talk_s, record.hold_s, record.operator) == (None, None, None, None)


def test_given_up_after_an_unanswered_offer_is_given_up_in_the_queue() -> None:
    story = arrived().at(2, "queued", queue="main").at(2, "offered", operator="1001")
    story.at(17, "offer_ended", operator="1001", reason="no_answer").at(18, "ended", by="caller")
    assert record_of(story.events).outcome is Outcome.ABANDONED_QUEUE


def booked(call: str = "c1", *, end_by: str = "centre") -> Story:
    story = arrived(call).at(2, "queued", queue="main").at(40, "step", step="later", step_kind="callback")
    story.at(45, "callback_booked", callback="cb1", queue="main", number="0901", place="…")
    return story.at(50, "ended", by=end_by, reason="callback" if end_by == "centre" else "normal")


@pytest.mark.req("ACD-7")
def test_a_call_that_booked_a_callback_was_not_given_up() -> None:
    for end_by in ("centre", "caller", "unknown", "switch"):
        record = record_of(booked(end_by=end_by).events)
        assert (record.outcome, record.wait_s, record.queue) == (Outcome.CALLBACK, 48.0, "main")
    # Its offers come after its end; that an operator took one is told by another call.
    story = booked().at(90, "offered", operator="1001", queue="main")
    story.at(95, "offer_ended", operator="1001", reason="no_answer").at(99, "offered", operator="1002")
    story.at(101, "answered", operator="1002")
    told = told_by(story.events)
    assert (told.record.outcome, told.record.offers, told.record.operators) == (Outcome.CALLBACK, 2, ())
    assert (told.record.answered_at, told.talks) == (None, ())


def test_who_asks_for_a_callback_that_is_booked_already_did_not_give_up() -> None:
    story = arrived().at(2, "queued", queue="main").at(50, "ended", by="centre", reason="callback")
    assert record_of(story.events).outcome is Outcome.CALLBACK


@pytest.mark.parametrize(
    ("queued", "outcome"), [(True, Outcome.ABANDONED_QUEUE), (False, Outcome.ABANDONED_MENU)]
)
def test_hanging_up_at_the_offer_of_a_callback(queued: bool, outcome: Outcome) -> None:
    story = arrived()
    if queued:
        story.at(2, "queued", queue="main")
    story.at(40, "step", step="later", step_kind="callback").at(45, "ended", by="caller")
    record = record_of(story.events)
    assert (record.outcome, record.exit_step) == (outcome, "later")


def dialled(call: str = "d1") -> Story:
    return Story(call).at(
        0, "dialled", number="0246221111", to="0901", reason="callback", callback="cb1", of="c1",
        queue="main", operator="1001", phone="desk", operator_leg="l1", leg="l2", plan=4,
    )  # fmt: skip


@pytest.mark.req("ACD-7")
def test_a_call_that_we_made_to_call_back() -> None:
    story = dialled().at(8, "answered", operator="1001", phone="desk").at(10, "held", operator="1001")
    story.at(14, "resumed", operator="1001").at(68, "left", operator="1001").at(68, "ended", by="caller")
    story.at(68, "wrap_up", operator="1001").at(80, "wrapped_up", operator="1001")
    told = told_by(story.events)
    record = told.record
    assert (record.via, record.caller, record.number) == ("callback", "0901", "0246221111")
    assert (record.callback_of, record.plan, record.queue) == ("c1", 4, "main")
    assert (record.outcome, record.operator, record.answer_s) == (Outcome.ANSWERED, "1001", 8.0)
    assert told.talks == (Talk("1001", "main", story.events[1].at, True, 60.0, 4.0, 12.0),)


def test_a_callback_that_nobody_answered() -> None:
    for by in ("centre", "caller", "switch", "operator"):
        story = dialled().at(30, "callback_failed", callback="cb1", reason="no_answer", next_at=None)
        record = record_of(story.at(30, "ended", by=by).events)
        assert (record.outcome, record.operators, record.callback_of) == (Outcome.UNREACHED, (), "c1")
    assert record_of(dialled().events).outcome is Outcome.ACTIVE
    rest = record_of(Story("d1").at(30, "callback_failed", reason="busy").at(30, "ended", by="centre").events)
    assert (rest.via, rest.outcome, rest.callback_of) == ("callback", Outcome.UNREACHED, None)


@pytest.mark.req("MON-3", "ACD-4")
def test_from_which_queue_a_call_was_answered() -> None:
    story = arrived().at(2, "queued", queue="main").at(30, "moved", queue="tax", by="sv01")
    record = record_of(story.at(40, "answered", operator="1001").events)
    assert (record.queue, record.answered_queue, record.wait_s) == ("main", "tax", 38.0)
    story = arrived().at(2, "queued", queue="main").at(30, "offered", queue="main", operator="1001")
    story.at(33, "moved", queue="tax", by="sv01")
    story.at(35, "offered", queue="tax", operator="1002").at(38, "answered", operator="1002")
    assert record_of(story.events).answered_queue == "tax"
    story = arrived().at(2, "queued", queue="main").at(30, "overflowed", reason="expected_wait", to="x")
    assert (
        record_of(story.at(30, "queued", queue="b").at(31, "answered", operator="1").events).queue == "main"
    )


def test_each_operators_part_in_a_call() -> None:
    story = arrived().at(1, "queued", queue="main").at(2, "offered", queue="main", operator="1001")
    story.at(5, "answered", operator="1001").at(10, "held", operator="1001").at(
        12, "resumed", operator="1001"
    )
    story.at(15, "leg_lost", operator="1001").at(18, "answered", operator="1001")  # the page came back
    story.at(25, "leg_lost", operator="1001").at(25, "queued", queue="main", again=True, prefer="1001")
    story.at(30, "offered", queue="main", operator="1002").at(33, "answered", operator="1002")
    story.at(43, "ended", by="caller")
    for operator, begun, over in (("1001", 26, 36), ("1002", 43, 63)):
        story.at(begun, "wrap_up", operator=operator).at(over, "wrapped_up", operator=operator)
    story.at(900, "wrapped_up", operator="1002", by="operator", note="遅れて")
    first, second = told_by(story.events).talks
    assert (first.operator, first.offered, first.talk_s, first.hold_s, first.wrap_up_s) == (
        "1001", True, 17.0, 2.0, 10.0,
    )  # fmt: skip
    assert (second.operator, second.offered, second.talk_s, second.hold_s, second.wrap_up_s) == (
        "1002", True, 10.0, 0.0, 20.0,
    )  # fmt: skip


def test_the_same_operator_offered_again_is_given_the_call_twice() -> None:
    story = arrived().at(1, "queued", queue="main")
    for second in (2, 20):
        story.at(second, "offered", queue="main", operator="1001").at(second + 1, "answered", operator="1001")
        story.at(second + 5, "leg_lost", operator="1001")
    assert [(talk.offered, talk.talk_s) for talk in told_by(story.events).talks] == [(True, 4.0)] * 2


def test_who_came_to_a_call_without_an_offer_was_not_given_it() -> None:
    story = Story("c1", boot=None).at(0, "arrived", via="survival").at(3, "queued", queue="main")
    (talk,) = told_by(story.at(9, "answered", operator="1004").at(69, "ended", by="caller").events).talks
    assert (talk.offered, talk.queue, talk.talk_s) == (False, "main", 60.0)


def test_offers_and_refusals_are_counted() -> None:
    story = arrived().at(1, "queued", queue="main")
    for second, operator, reason in [
        (1, "1001", "refused"),
        (2, "1002", "no_answer"),
        (20, "1001", "refused"),
    ]:
        story.at(second, "offered", operator=operator)
        story.at(second + 1, "offer_ended", operator=operator, reason=reason)
    record = record_of(story.at(22, "offered", operator="1003").at(25, "answered", operator="1003").events)
    assert (record.offers, record.refusals, record.operator) == (4, 2, "1003")
    assert (record.wait_s, record.answer_s) == (24.0, 25.0)


def test_holds_belong_to_the_talk_and_are_added_up() -> None:
    story = arrived().at(5, "answered", operator="1001")
    story.at(10, "held", operator="1001").at(14, "resumed", operator="1001")
    story.at(20, "held", operator="1001").at(23, "ended", by="caller")  # given up on hold
    record = record_of(story.events)
    assert (record.talk_s, record.hold_s) == (18.0, 7.0)


def test_a_citizen_who_lost_the_operator_waits_again_and_does_not_talk_meanwhile() -> None:
    story = arrived().at(1, "queued", queue="main").at(5, "answered", operator="1001")
    story.at(15, "leg_lost", operator="1001", reason="phone_died")
    story.at(15, "queued", queue="main", priority=10, again=True, prefer="1001")
    story.at(35, "answered", operator="1002").at(40, "left", operator="1002").at(40, "ended", by="operator")
    record = record_of(story.events)
    assert (record.talk_s, record.total_s, record.wait_s) == (15.0, 40.0, 4.0)
    assert (record.operator, record.operators) == ("1001", ("1001", "1002"))
    assert record.outcome is Outcome.ANSWERED


def test_a_wrap_up_written_after_its_time_ran_out_counts_once() -> None:
    story = answered("c1")  # wrapped up 10 s after the end, at 76
    story.at(300, "wrapped_up", operator="1001", by="operator", note="遅れて記入")
    assert record_of(story.events).wrap_up_s == 10.0


@pytest.mark.req("REL-5")
def test_a_step_of_the_wall_clock_changes_no_duration() -> None:
    story = arrived().at(1, "queued", queue="main", wall_shift_s=-3600)
    story.at(6, "answered", operator="1001", wall_shift_s=-3600).at(
        66, "ended", by="caller", wall_shift_s=7200
    )
    record = record_of(story.events)
    assert (record.answer_s, record.wait_s, record.talk_s, record.total_s) == (6.0, 5.0, 60.0, 66.0)


def test_over_a_reboot_the_wall_clock_measures() -> None:
    story = arrived().at(1, "queued", queue="main").at(6, "answered", operator="1001")
    record = record_of(story.reboot("b2").at(66, "ended", by="unknown", reason="found ended").events)
    assert (record.answer_s, record.talk_s) == (6.0, 60.0)
    story.events[-1] = Event(**{**_fields(story.events[-1]), "mono": 3.0})  # the other boot's clock is young
    assert record_of(story.events).talk_s == 60.0


def _fields(event: Event) -> dict[str, object]:
    return {name: getattr(event, name) for name in event.__dataclass_fields__}


@pytest.mark.req("REL-2")
def test_a_survival_call_has_wall_times_only() -> None:
    story = Story("c1", boot=None).at(0, "arrived", number="0246221111", caller=None, via="survival")
    story.at(3, "queued", queue="main").at(9, "answered", operator="1004").at(69, "ended", by="caller")
    record = record_of(story.events)
    assert (record.via, record.answer_s, record.wait_s, record.talk_s) == ("survival", 9.0, 6.0, 60.0)
    assert record.outcome is Outcome.ANSWERED


def test_the_first_end_is_the_end() -> None:
    story = abandoned("c1", after_s=20).at(500, "ended", by="unknown", reason="found ended")
    record = record_of(story.events)
    assert (record.ended_by, record.total_s, record.reason) == ("caller", 20.0, "normal")


def test_without_events_there_is_no_record() -> None:
    with pytest.raises(ValueError, match="at least one event"):
        record_of([Event("1", NINE, None, None, "engine_started")])


KINDS = [
    "arrived", "greeted", "queued", "offered", "offer_ended", "answered", "held", "resumed", "leg_lost",
    "left", "ended", "wrap_up", "wrapped_up", "handed_over", "something_new", "moved", "dialled",
    "callback_booked", "callback_failed", "callback_ended", "overflowed", "step",
]  # fmt: skip
odd = [None, True, -1, 2**40, 1.5, float("nan"), "", "か", [1], {}]
data = some.dictionaries(
    some.sampled_from(["operator", "number", "caller", "queue", "by", "cause", "reason", "via"]),
    some.sampled_from([*odd, 16, "1001", "1002", "caller", "switch", "refused", "caller_gone"]),
    max_size=3,
)
any_events = some.lists(
    some.builds(
        Event,
        id=some.integers(0, 99).map("{:03d}".format),
        at=some.integers(-10_000, 10_000).map(lambda seconds: NINE + timedelta(seconds=seconds)),
        mono=some.none() | some.floats(0, 1e6),
        call=some.just("c1"),
        kind=some.sampled_from(KINDS),
        data=data,
        boot=some.sampled_from([None, "b1", "b2"]),
    ),
    min_size=1,
    max_size=20,
)


@given(events=any_events, chance=some.randoms())
def test_any_events_in_any_order_make_a_record(events: list[Event], chance: random.Random) -> None:
    unique = list({event.id: event for event in events}.values())
    record = record_of(unique)
    again = unique + chance.choices(unique, k=5)
    chance.shuffle(again)
    told = told_by(again)
    assert told.record == record
    assert told.talks == told_by(unique).talks
    assert {talk.operator for talk in told.talks} <= set(record.operators)
    orjson.dumps(record.to_json())
    for name in ("answer_s", "wait_s", "talk_s", "hold_s", "wrap_up_s", "total_s"):
        value = getattr(record, name)
        assert value is None or value >= 0
    for talk in told.talks:
        assert all(value is None or value >= 0 for value in (talk.talk_s, talk.hold_s, talk.wrap_up_s))
    kinds = {event.kind for event in unique}
    assert (record.outcome is Outcome.ACTIVE) == ("ended" not in kinds)
    if "callback_booked" not in kinds:
        assert (record.outcome is Outcome.ANSWERED) == ({"ended", "answered"} <= kinds)
        assert (record.answered_at is not None) == ("answered" in kinds)
    elif "ended" in kinds and record.answered_at is None and record.forward_answered_at is None:
        assert record.outcome is (Outcome.UNREACHED if record.via == "callback" else Outcome.CALLBACK)


@given(missing=some.sets(some.integers(0, 9)))
def test_a_record_of_what_is_left_of_a_call(missing: set[int]) -> None:
    whole = answered("c1").events
    left = [event for number, event in enumerate(whole) if number not in missing]
    if left:
        record = record_of(left)
        assert record.call == "c1"
        assert record.talk_s in (None, 60.0)
        assert record.arrived_at == min(event.at for event in left)
