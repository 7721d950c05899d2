"""The site changes while calls go on, and an engine that starts anew takes up what stood."""

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
from tests.unit.acd.conftest import Centre
from tests.unit.acd.test_rules import offers

READY, RINGING, TALKING, WRAP_UP, BREAK, TRAINING, NO_ANSWER, OFF = OperatorState


@pytest.mark.req("REL-1")
def test_state_and_idle_time_as_they_were() -> None:
    distributor = Distributor([QueueRules("main")], [OperatorProfile(each, ("main",)) for each in "123"])
    for each in "123":
        distributor.phone_changed(each, True, at=1000.0)
    assert distributor.restore_operator("1", READY, since=990.0, idle_since=970.0, at=1000.0) == [
        StateChanged("1", READY, 990.0, "")
    ]
    distributor.restore_operator("2", READY, since=980.0, at=1000.0)
    distributor.restore_operator("3", WRAP_UP, since=900.0, until=1010.0, at=1000.0)
    assert distributor.next_deadline() == 1010.0
    calls = [offers(distributor.caller_waits(call, "main", at=1001.0)) for call in ("a", "b")]
    assert calls == [[("a", "1")], [("b", "2")]]
    distributor.caller_waits("c", "main", at=1001.0)
    actions = distributor.tick(at=1010.0)
    assert [each.because.idle_s for each in actions if isinstance(each, Offer)] == [110.0]


@pytest.mark.req("REL-1", "ACD-1")
def test_offers_and_the_turn_of_round_robin_go_on_where_they_stood() -> None:
    distributor = Distributor(
        [QueueRules("main", strategy="round_robin")], [OperatorProfile(each, ("main",)) for each in "123"]
    )
    for each, offers_so_far, last in (("1", 9, 7), ("2", 2, 8), ("3", 1, 0)):
        distributor.restore_operator(
            each,
            READY,
            since=0.0,
            at=1000.0,
            offers=offers_so_far,
            last={"main": last, "gone": 4},
        )
    for each in "123":
        distributor.phone_changed(each, True, at=1000.0)
    rung = [offers(distributor.caller_waits(call, "main", at=1001.0))[0][1] for call in ("a", "b", "c")]
    assert rung == ["3", "1", "2"]
    views = [distributor.operator(each) for each in "123"]
    assert [(view.offers, view.last["main"]) for view in views] == [(10, 10), (3, 11), (2, 9)]


@pytest.mark.req("REL-1")
def test_what_rang_is_ready_and_what_talked_is_adopted() -> None:
    distributor = Distributor(
        [QueueRules("main", wrap_up_s=5.0)], [OperatorProfile(each, ("main",)) for each in "12"]
    )
    for each in "12":
        distributor.phone_changed(each, True, at=100.0)
    distributor.restore_operator("1", RINGING, since=99.0, at=100.0)
    assert distributor.operator("1").state is READY
    distributor.restore_operator("2", TALKING, since=50.0, at=100.0)
    assert distributor.conversation_began("2", "c1", at=100.0) == []
    view = distributor.operator("2")
    assert (view.call, view.since) == ("c1", 50.0)
    assert distributor.conversation_ended("2", at=110.0) == [StateChanged("2", WRAP_UP, 110.0, "", 115.0)]
    with pytest.raises(DistributorError, match="needs its end"):
        distributor.restore_operator("1", WRAP_UP, since=1.0, at=111.0)


def test_a_caller_found_in_talk_leaves_the_line(centre: Centre) -> None:
    distributor = centre("1001", "1002")
    distributor.caller_waits("c1", "main", at=5.0)
    assert distributor.conversation_began("1002", "c1", at=6.0) == [
        Withdraw("c1", "1001", OfferEnd.WITHDRAWN),
        StateChanged("1001", READY, 6.0, ""),
        StateChanged("1002", TALKING, 6.0, ""),
    ]
    assert distributor.waiting() == []


@pytest.mark.req("ACD-3")
def test_an_operator_taken_out_finishes_the_call_and_is_forgotten(centre: Centre) -> None:
    distributor = centre("1001", "1002")
    distributor.caller_waits("c1", "main", at=5.0)
    distributor.offer_answered("c1", "1001", at=6.0)
    distributor.caller_waits("c2", "main", at=7.0)
    actions = distributor.set_operators([], at=8.0)
    assert actions == [
        Withdraw("c2", "1002", OfferEnd.WITHDRAWN),
        StateChanged("1002", OFF, 8.0, "removed"),
    ]
    assert [each.id for each in distributor.operators()] == ["1001"]
    assert distributor.conversation_ended("1001", at=9.0) == [StateChanged("1001", OFF, 9.0, "removed")]
    assert distributor.operators() == []
    assert [each.call for each in distributor.waiting()] == ["c2"]


def test_new_queues_of_an_operator_count_at_once_and_calls_do_not_notice(centre: Centre) -> None:
    distributor = centre("1001", "1002")
    distributor.caller_waits("c1", "main", at=5.0)
    distributor.set_queues([QueueRules("main", 99.0), QueueRules("tax")], at=6.0)
    assert distributor.next_deadline() == 20.0  # the running offer keeps its time
    distributor.caller_waits("t1", "tax", at=7.0)
    profiles = [OperatorProfile("1001", ("main",)), OperatorProfile("1002", ("tax",))]
    assert offers(distributor.set_operators(profiles, at=8.0)) == [("t1", "1002")]
    assert distributor.operator("1001").state is RINGING


def test_a_queue_taken_out_is_served_to_its_last_caller(centre: Centre) -> None:
    distributor = centre("1001", op1001=("main", "tax"))
    distributor.operator_wants("1001", BREAK, at=1.0)
    distributor.caller_waits("t1", "tax", at=2.0)
    distributor.set_queues([QueueRules("main")], at=3.0)
    distributor.set_operators([OperatorProfile("1001", ("main",))], at=3.0)
    with pytest.raises(DistributorError, match="tax"):
        distributor.caller_waits("t2", "tax", at=3.0)
    assert offers(distributor.operator_wants("1001", READY, at=4.0)) == [("t1", "1001")]
    distributor.offer_answered("t1", "1001", at=5.0)
    assert distributor.conversation_ended("1001", at=6.0) == [StateChanged("1001", WRAP_UP, 6.0, "", 26.0)]
    with pytest.raises(DistributorError, match="unknown queue 'tax'"):
        distributor.caller_waits("t3", "tax", at=7.0)


def test_a_site_that_contradicts_itself_changes_nothing(centre: Centre) -> None:
    distributor = centre("1001")
    with pytest.raises(DistributorError, match="operator 1002 serves unknown queues: tax"):
        distributor.set_operators([OperatorProfile("1002", ("main", "tax"))], at=5.0)
    with pytest.raises(DistributorError, match="named twice"):
        distributor.set_queues([QueueRules("main"), QueueRules("main")], at=5.0)
    assert [each.id for each in distributor.operators()] == ["1001"]
