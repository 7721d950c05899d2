"""Language, level, several queues, a call moved, an operator's own limit: who comes first, who is asked."""

from __future__ import annotations

import pytest

from acd import (
    Distributor,
    DistributorError,
    Offer,
    OfferEnd,
    OperatorProfile,
    OperatorState,
    QueueRules,
    StateChanged,
    Withdraw,
)
from tests.unit.acd.test_rules import offers

READY, BREAK = OperatorState.READY, OperatorState.BREAK


def on_duty(queues: list[QueueRules], *operators: OperatorProfile) -> Distributor:
    """All of them READY at 0 s."""
    distributor = Distributor(queues, operators)
    for each in operators:
        distributor.phone_changed(each.id, True, at=0.0)
        distributor.operator_wants(each.id, READY, at=0.0)
    return distributor


@pytest.mark.req("ACD-5")
def test_a_caller_of_another_language_stands_before_nobody() -> None:
    distributor = on_duty([QueueRules("main")], OperatorProfile("1", ("main",), languages=("ja",)))
    assert distributor.caller_waits("pt", "main", at=1.0, language="pt") == []
    assert offers(distributor.caller_waits("ja", "main", at=2.0, language="ja")) == [("ja", "1")]
    assert distributor.next_deadline() == 17.0  # what rings
    distributor.offer_failed("ja", "1", OfferEnd.REFUSED, at=3.0)
    assert distributor.next_deadline() == 31.0  # from then on anybody may be asked for the first
    distributor.tick(at=31.0)
    assert offers(distributor.operator_wants("1", READY, at=32.0)) == [("pt", "1")]


@pytest.mark.req("ACD-5")
def test_a_language_kept_for_good_waits_for_who_speaks_it() -> None:
    speaker = OperatorProfile("2", ("main",), languages=("pt", "ja"))
    distributor = on_duty(
        [QueueRules("main", language_after_s=None)],
        OperatorProfile("1", ("main",), languages=("ja",)),
        speaker,
    )
    distributor.operator_wants("2", BREAK, at=1.0)
    distributor.caller_waits("pt", "main", at=1.0, language="pt")
    assert distributor.tick(at=5000.0) == []
    assert offers(distributor.operator_wants("2", READY, at=5001.0)) == [("pt", "2")]


@pytest.mark.req("ACD-4", "ACD-5")
def test_with_time_further_levels_are_asked_too() -> None:
    rules = QueueRules("main", widen=((30.0, 2), (60.0, 3)))
    distributor = on_duty(
        [rules],
        *(OperatorProfile(str(level), ("main",), levels={"main": level}) for level in (2, 3, 4)),
    )
    assert distributor.caller_waits("c1", "main", at=10.0) == []
    assert distributor.caller_waits("c2", "main", at=15.0) == []
    assert distributor.next_deadline() == 40.0
    assert offers(distributor.tick(at=40.0)) == [("c1", "2")]
    assert offers(distributor.tick(at=45.0)) == []  # c2 may be offered to 2 as well, who rings for c1
    distributor.operator_wants("2", BREAK, at=46.0)  # back in line, and 3 is not asked yet
    assert offers(distributor.tick(at=70.0)) == [("c1", "3")]
    distributor.offer_answered("c1", "3", at=71.0)
    assert offers(distributor.tick(at=1000.0)) == []  # nobody ever asks level 4
    (waiting,) = distributor.waiting()
    assert waiting.call == "c2"


@pytest.mark.req("ACD-5", "REL-1")
def test_the_wait_before_a_restart_counts_for_who_may_be_asked() -> None:
    rules = QueueRules("main", widen=((30.0, 2),))
    distributor = on_duty([rules], OperatorProfile("2", ("main",), levels={"main": 2}, languages=("ja",)))
    actions = distributor.caller_waits("c1", "main", at=100.0, waiting_since=70.0, language="en")
    assert offers(actions) == [("c1", "2")]


@pytest.mark.req("ACD-3")
def test_between_queues_the_longest_wait_against_the_target_times_the_weight() -> None:
    queues = [
        QueueRules("a", target_s=10.0),
        QueueRules("b", target_s=60.0),
        QueueRules("c", target_s=60.0, weight=9),
    ]
    distributor = on_duty(queues, OperatorProfile("1", ("a", "b", "c")))
    distributor.operator_wants("1", BREAK, at=1.0)
    for call, since in (("b1", 10.0), ("a1", 40.0), ("c1", 65.0), ("a2", 55.0)):
        distributor.caller_waits(call, call[0], at=70.0, waiting_since=since)
    # At 70 s: a1 3.0, a2 1.5, b1 1.0, c1 0.75. At 130 s: a1 9, c1 9.75, a2 7.5, b1 2.
    assert [each.call for each in distributor.waiting()] == ["a1", "a2", "b1", "c1"]
    (_, offer, _) = distributor.operator_wants("1", READY, at=130.0)
    assert isinstance(offer, Offer)
    assert offer.call == "c1"
    assert offer.because.heads == (("c", 65.0, 0, 9.75), ("a", 90.0, 0, 9.0), ("b", 120.0, 0, 2.0))
    distributor.offer_failed("c1", "1", OfferEnd.REFUSED, at=130.0)
    distributor.caller_gone("c1", at=130.0)
    assert [each.call for each in distributor.waiting()] == ["a1", "a2", "b1"]


@pytest.mark.req("ACD-5")
def test_a_step_of_priority_is_worth_its_seconds_and_no_more() -> None:
    distributor = on_duty([QueueRules("main", ageing_s=60.0)], OperatorProfile("1", ("main",)))
    distributor.operator_wants("1", BREAK, at=1.0)
    distributor.caller_waits("early", "main", at=10.0)
    distributor.caller_waits("late", "main", at=130.5, priority=2)
    distributor.caller_waits("in time", "main", at=131.0, waiting_since=129.5, priority=2)
    distributor.caller_waits("equal, told later", "main", at=131.0, waiting_since=130.0, priority=2)
    assert [each.call for each in distributor.waiting()] == ["in time", "early", "equal, told later", "late"]


@pytest.mark.req("MON-3")
def test_a_call_moved_keeps_its_wait_and_stops_ringing_where_it_was() -> None:
    distributor = on_duty(
        [QueueRules("a"), QueueRules("b", ageing_s=10.0)],
        OperatorProfile("1", ("a",)),
        OperatorProfile("2", ("b",)),
    )
    distributor.operator_wants("2", BREAK, at=1.0)
    distributor.caller_waits("c1", "a", at=10.0)
    distributor.caller_waits("c2", "b", at=11.0)
    assert distributor.move_caller("c1", "b", at=12.0) == [
        Withdraw("c1", "1", OfferEnd.WITHDRAWN),
        StateChanged("1", READY, 12.0, ""),
    ]
    assert [(each.call, each.queue, each.since, each.position) for each in distributor.waiting()] == [
        ("c1", "b", 10.0, 1),
        ("c2", "b", 11.0, 2),
    ]
    assert distributor.move_caller("c1", "b", at=12.0) == []
    distributor.move_caller("c2", "b", at=12.0, priority=1)  # within the queue: another place
    assert [each.call for each in distributor.waiting()] == ["c2", "c1"]
    assert offers(distributor.move_caller("c2", "a", at=13.0)) == [("c2", "1")]
    distributor.move_caller("c2", "a", at=13.0, priority=0)  # and what rings, rings on
    assert distributor.operator("1").call == "c2"
    with pytest.raises(DistributorError, match="unknown queue 'tax' for call c1; known: a, b"):
        distributor.move_caller("c1", "tax", at=14.0)
    with pytest.raises(DistributorError, match="call c9 is not in line"):
        distributor.move_caller("c9", "a", at=14.0)


@pytest.mark.req("ACD-2")
def test_an_own_limit_of_calls_an_hour_keeps_from_calls_until_there_is_room_again() -> None:
    distributor = on_duty(
        [QueueRules("main", wrap_up_s=0.0)], OperatorProfile("1", ("main",), most_calls_h=2)
    )
    distributor.conversation_began("1", "own", at=5.0)  # their own: not counted
    distributor.conversation_ended("1", at=6.0)
    for call, at in (("c1", 10.0), ("c2", 100.0)):
        assert offers(distributor.caller_waits(call, "main", at=at)) == [(call, "1")]
        distributor.offer_answered(call, "1", at=at)
        distributor.conversation_ended("1", at=at + 10)
    assert distributor.operator("1").limited_until == 3610.0
    assert distributor.caller_waits("c3", "main", at=200.0) == []
    assert distributor.caller_waits("c4", "main", at=200.0, prefer="1") == []
    assert distributor.next_deadline() == 3610.0
    assert offers(distributor.tick(at=3610.0)) == [("c4", "1")]
    assert distributor.operator("1").limited_until is None
    distributor.offer_answered("c4", "1", at=3611.0)
    assert distributor.operator("1").limited_until == 3700.0
    distributor.conversation_ended("1", at=3612.0)
    distributor.set_operators([OperatorProfile("1", ("main",), most_calls_h=3)], at=3613.0)
    assert distributor.operator("1").call == "c3"  # more is allowed: at once
    distributor.set_operators([OperatorProfile("1", ("main",), most_calls_h=1)], at=3614.0)
    assert distributor.operator("1").limited_until == 7211.0


@pytest.mark.req("ACD-5")
def test_levels_and_languages_changed_live_count_at_once() -> None:
    queue = QueueRules("main", widen=((600.0, 2),), language_after_s=None)
    distributor = on_duty([queue], OperatorProfile("1", ("main",), {"main": 2}, languages=("ja",)))
    distributor.caller_waits("c1", "main", at=1.0, language="pt")
    level_one = OperatorProfile("1", ("main",), languages=("ja",))
    assert distributor.set_operators([level_one], at=2.0) == []
    speaks = OperatorProfile("1", ("main",), languages=("ja", "pt"))
    assert offers(distributor.set_operators([speaks], at=3.0)) == [("c1", "1")]
    distributor.set_operators([OperatorProfile("1", ("main",), {"main": 2}, languages=("ja",))], at=4.0)
    assert distributor.operator("1").call == "c1"  # what rings goes on
    distributor.offer_failed("c1", "1", OfferEnd.REFUSED, at=5.0)
    assert distributor.operator_wants("1", READY, at=6.0) == [StateChanged("1", READY, 6.0, "")]
    actions = distributor.set_queues([QueueRules("main", language_after_s=5.0)], at=7.0)
    assert [(each.call, each.because.idle_s) for each in actions if isinstance(each, Offer)] == [("c1", 6.0)]
    assert distributor.waiting()[0].since == 1.0
