"""Call records: one call, told by its events."""

from __future__ import annotations

import random
from datetime import timedelta

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as some

from cdr import Event, Outcome, record_of
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
    "left", "ended", "wrap_up", "wrapped_up", "handed_over", "something_new",
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
    assert record_of(again) == record
    orjson.dumps(record.to_json())
    for name in ("answer_s", "wait_s", "talk_s", "hold_s", "wrap_up_s", "total_s"):
        value = getattr(record, name)
        assert value is None or value >= 0
    kinds = {event.kind for event in unique}
    assert (record.outcome is Outcome.ACTIVE) == ("ended" not in kinds)
    assert (record.outcome is Outcome.ANSWERED) == ({"ended", "answered"} <= kinds)
    assert (record.answered_at is not None) == ("answered" in kinds)


@given(missing=some.sets(some.integers(0, 9)))
def test_a_record_of_what_is_left_of_a_call(missing: set[int]) -> None:
    whole = answered("c1").events
    left = [event for number, event in enumerate(whole) if number not in missing]
    if left:
        record = record_of(left)
        assert record.call == "c1"
        assert record.talk_s in (None, 60.0)
        assert record.arrived_at == min(event.at for event in left)
