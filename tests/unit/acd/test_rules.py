"""Each rule of the distributor on one example."""

from __future__ import annotations

import pytest

from acd import (
    Action,
    Because,
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

READY, RINGING, TALKING, WRAP_UP, BREAK, TRAINING, NO_ANSWER, OFF = OperatorState


def offers(actions: list[Action]) -> list[tuple[str, str]]:
    return [(each.call, each.operator) for each in actions if isinstance(each, Offer)]


def talk(distributor: Distributor, operator: str, call: str, at: float, until: float) -> None:
    """A whole conversation and wrap-up of this operator."""
    assert (call, operator) in offers(distributor.caller_waits(call, "main", at=at))
    distributor.offer_answered(call, operator, at=at)
    distributor.conversation_ended(operator, at=until)
    distributor.wrap_up_done(operator, at=until)


@pytest.mark.req("ACD-1")
def test_idle_time_counts_before_the_number_of_offers(centre: Centre) -> None:
    distributor = centre("1001", "1002")
    for number in range(3):  # 1001 has been offered calls before, but given up by their callers
        distributor.caller_waits(f"c{number}", "main", at=5.0)
        distributor.caller_gone(f"c{number}", at=5.0)
    assert offers(distributor.caller_waits("c9", "main", at=6.0)) == [("c9", "1001")]


@pytest.mark.req("ACD-1")
def test_of_two_wrap_ups_that_end_in_one_tick_the_longer_idle_is_offered(centre: Centre) -> None:
    distributor = centre("1001", "1002")
    for operator, at in (("1002", 5.0), ("1001", 6.0)):
        distributor.conversation_began(operator, f"c-{operator}", at=at, queue="main")
        distributor.conversation_ended(operator, at=at)
    distributor.extend_wrap_up("1002", 30.0, at=7.0)
    distributor.caller_waits("c1", "main", at=8.0)
    assert offers(distributor.tick(at=31.0)) == [("c1", "1002")]  # though 1001's wrap-up ended first


@pytest.mark.req("ACD-1")
def test_an_offer_says_why_and_how_long(centre: Centre) -> None:
    distributor = centre("1001", "1002")
    assert distributor.caller_waits("c1", "main", at=10.0) == [
        Offer("c1", "1001", "main", Because("longest_idle", 10.0, 2), 25.0),
        StateChanged("1001", RINGING, 10.0, ""),
    ]
    assert distributor.next_deadline() == 25.0


@pytest.mark.req("ACD-1")
def test_the_longest_idle_is_counted_from_the_end_of_the_talk(centre: Centre) -> None:
    distributor = centre("1001", "1002")
    distributor.caller_waits("c1", "main", at=10.0)
    distributor.caller_waits("c2", "main", at=10.0)
    distributor.offer_answered("c1", "1001", at=10.0)
    distributor.offer_answered("c2", "1002", at=10.0)
    distributor.conversation_ended("1001", at=20.0)
    distributor.conversation_ended("1002", at=21.0)
    distributor.wrap_up_done("1002", at=22.0)
    distributor.wrap_up_done("1001", at=30.0)  # a longer wrap-up does not cost 1001 the turn
    assert offers(distributor.caller_waits("c3", "main", at=31.0)) == [("c3", "1001")]


@pytest.mark.req("ACD-1")
@pytest.mark.parametrize("away", [BREAK, TRAINING, OFF])
def test_time_away_makes_nobody_longer_idle(centre: Centre, away: OperatorState) -> None:
    distributor = centre("1001", "1002")
    talk(distributor, "1001", "c1", at=5.0, until=10.0)
    distributor.operator_wants("1001", away, at=15.0)  # 5 s idle
    talk(distributor, "1002", "c2", at=100.0, until=110.0)
    distributor.operator_wants("1001", READY, at=112.0)
    view = distributor.operator("1001")
    assert view.idle_since is not None
    assert 112.0 - view.idle_since == 5.0
    assert offers(distributor.caller_waits("c3", "main", at=112.0)) == [("c3", "1001")]  # 5 s against 2 s
    assert offers(distributor.caller_waits("c4", "main", at=112.0)) == [("c4", "1002")]


@pytest.mark.req("ACD-1")
def test_a_phone_that_was_away_makes_nobody_longer_idle(centre: Centre) -> None:
    distributor = centre("1001", "1002")
    distributor.phone_changed("1001", False, at=2.0)
    distributor.phone_changed("1001", True, at=100.0)
    assert offers(distributor.caller_waits("c1", "main", at=100.0)) == [("c1", "1002")]


@pytest.mark.req("ACD-1")
def test_equally_idle_the_one_with_fewer_offers_then_by_natural_order() -> None:
    distributor = Distributor(
        [QueueRules("main")], [OperatorProfile(each, ("main",)) for each in ("10", "9", "2")]
    )
    for each in ("10", "9", "2"):
        distributor.phone_changed(each, True, at=0.0)
        distributor.operator_wants(each, READY, at=0.0)
    assert offers(distributor.caller_waits("c1", "main", at=1.0)) == [("c1", "2")]
    distributor.caller_gone("c1", at=1.0)
    assert offers(distributor.caller_waits("c2", "main", at=1.0)) == [("c2", "9")]
    assert offers(distributor.caller_waits("c3", "main", at=1.0)) == [("c3", "10")]


@pytest.mark.req("ACD-2")
@pytest.mark.parametrize("state", [BREAK, TRAINING, OFF])
def test_no_offer_to_those_who_are_not_ready(centre: Centre, state: OperatorState) -> None:
    distributor = centre("1001")
    distributor.operator_wants("1001", state, at=1.0)
    assert distributor.caller_waits("c1", "main", at=2.0) == []
    assert offers(distributor.operator_wants("1001", READY, at=3.0)) == [("c1", "1001")]


@pytest.mark.req("ACD-2")
def test_no_offer_in_wrap_up_on_a_call_or_without_a_phone(centre: Centre) -> None:
    distributor = centre("1001")
    distributor.caller_waits("c1", "main", at=1.0)
    assert distributor.caller_waits("c2", "main", at=2.0) == []  # ringing for another
    distributor.offer_answered("c1", "1001", at=3.0)
    assert distributor.phone_changed("1001", False, at=4.0) == []
    assert distributor.conversation_ended("1001", at=5.0) == [
        StateChanged("1001", WRAP_UP, 5.0, "", until=25.0)
    ]
    assert distributor.next_deadline() == 25.0
    assert distributor.tick(at=25.0) == [StateChanged("1001", READY, 25.0, "")]
    assert offers(distributor.phone_changed("1001", True, at=26.0)) == [("c2", "1001")]


@pytest.mark.req("ACD-3")
def test_callers_in_order_of_arrival_each_to_a_free_operator_at_once(centre: Centre) -> None:
    distributor = centre("1001", "1002")
    for each in ("1001", "1002"):
        distributor.operator_wants(each, BREAK, at=5.0)
    for number in (1, 2, 3):
        distributor.caller_waits(f"c{number}", "main", at=10.0 + number)
    assert [each.position for each in distributor.waiting()] == [1, 2, 3]
    assert offers(distributor.operator_wants("1002", READY, at=20.0)) == [("c1", "1002")]
    assert offers(distributor.operator_wants("1001", READY, at=20.0)) == [("c2", "1001")]
    assert [(each.call, each.offered_to, each.position) for each in distributor.waiting()] == [
        ("c1", "1002", 1),
        ("c2", "1001", 2),
        ("c3", None, 3),
    ]


@pytest.mark.req("ACD-3")
def test_waiting_since_gives_the_place_not_the_moment_it_was_told(centre: Centre) -> None:
    distributor = centre()
    distributor.caller_waits("late", "main", at=50.0)
    distributor.caller_waits("adopted", "main", at=60.0, waiting_since=10.0)
    assert [each.call for each in distributor.waiting()] == ["adopted", "late"]


@pytest.mark.req("ACD-5")
def test_higher_priority_goes_first(centre: Centre) -> None:
    distributor = centre("1001")
    distributor.operator_wants("1001", BREAK, at=1.0)
    distributor.caller_waits("c1", "main", at=2.0)
    distributor.caller_waits("urgent", "main", at=3.0, priority=5)
    assert offers(distributor.operator_wants("1001", READY, at=4.0)) == [("urgent", "1001")]


@pytest.mark.req("ACD-6")
@pytest.mark.parametrize(
    "why", [OfferEnd.NO_ANSWER, OfferEnd.REFUSED, OfferEnd.BUSY, OfferEnd.UNREACHABLE, OfferEnd.FAILED]
)
def test_a_failed_offer_goes_on_and_costs_no_place(centre: Centre, why: OfferEnd) -> None:
    distributor = centre("1001", "1002")
    distributor.operator_wants("1002", BREAK, at=2.0)
    distributor.caller_waits("c1", "main", at=10.0)
    distributor.caller_waits("c2", "main", at=11.0)
    assert distributor.offer_failed("c1", "1001", why, at=12.0) == [
        StateChanged("1001", NO_ANSWER, 12.0, why.value)
    ]
    assert [each.call for each in distributor.waiting()] == ["c1", "c2"]
    assert offers(distributor.operator_wants("1002", READY, at=13.0)) == [("c1", "1002")]
    assert distributor.offer_failed("c1", "1001", why, at=14.0) == []


@pytest.mark.req("ACD-6")
def test_ring_no_answer_sets_the_operator_and_rings_the_next(centre: Centre) -> None:
    distributor = centre("1001", "1002")
    distributor.caller_waits("c1", "main", at=10.0)
    assert distributor.tick(at=24.9) == []
    assert distributor.tick(at=25.0) == [
        Withdraw("c1", "1001", OfferEnd.NO_ANSWER),
        StateChanged("1001", NO_ANSWER, 25.0, "no_answer"),
        Offer("c1", "1002", "main", Because("longest_idle", 24.0, 1), 40.0),
        StateChanged("1002", RINGING, 25.0, ""),
    ]


@pytest.mark.req("ACD-6")
def test_a_phone_lost_while_ringing_ends_the_offer_but_not_the_readiness(centre: Centre) -> None:
    distributor = centre("1001")
    distributor.caller_waits("c1", "main", at=10.0)
    assert distributor.phone_changed("1001", False, at=11.0) == [
        Withdraw("c1", "1001", OfferEnd.UNREACHABLE),
        StateChanged("1001", READY, 11.0, ""),
    ]
    assert offers(distributor.phone_changed("1001", True, at=12.0)) == [("c1", "1001")]


def test_a_caller_who_gives_up_stops_the_ringing_and_costs_no_idle_time(centre: Centre) -> None:
    distributor = centre("1001")
    distributor.caller_waits("c1", "main", at=10.0)
    assert distributor.caller_gone("c1", at=12.0) == [
        Withdraw("c1", "1001", OfferEnd.CALLER_GONE),
        StateChanged("1001", READY, 12.0, ""),
    ]
    assert distributor.operator("1001").idle_since == 0.0
    assert distributor.caller_gone("c1", at=12.0) == []


@pytest.mark.req("OPR-2")
def test_a_break_wished_for_in_a_call_comes_after_the_wrap_up(centre: Centre) -> None:
    distributor = centre("1001")
    distributor.caller_waits("c1", "main", at=1.0)
    distributor.offer_answered("c1", "1001", at=2.0)
    assert distributor.operator_wants("1001", BREAK, at=3.0, reason="lunch") == []
    assert distributor.operator("1001").next_state is BREAK
    distributor.conversation_ended("1001", at=4.0)
    assert distributor.tick(at=24.0) == [StateChanged("1001", BREAK, 24.0, "lunch")]
    assert distributor.operator("1001").next_state is None


@pytest.mark.req("OPR-2")
def test_a_break_wished_for_while_ringing_withdraws_the_offer(centre: Centre) -> None:
    distributor = centre("1001", "1002")
    distributor.caller_waits("c1", "main", at=5.0)
    assert distributor.operator_wants("1001", READY, at=6.0) == []
    actions = distributor.operator_wants("1001", BREAK, at=6.0)
    assert actions[:2] == [
        Withdraw("c1", "1001", OfferEnd.WITHDRAWN),
        StateChanged("1001", BREAK, 6.0, ""),
    ]
    assert offers(actions) == [("c1", "1002")]


@pytest.mark.req("OPR-2")
def test_wrap_up_is_ended_by_hand_extended_or_left_out(centre: Centre) -> None:
    distributor = centre("1001")
    distributor.conversation_began("1001", "own", at=1.0)
    distributor.conversation_ended("1001", at=2.0)
    distributor.extend_wrap_up("1001", 60.0, at=3.0)
    assert distributor.tick(at=22.0) == []
    assert distributor.operator("1001").since == 2.0
    assert distributor.operator_wants("1001", READY, at=30.0) == [StateChanged("1001", READY, 30.0, "")]
    assert distributor.next_deadline() is None

    at_once = centre("1001", wrap_up_s=0.0)
    at_once.conversation_began("1001", "own", at=1.0)
    assert at_once.conversation_ended("1001", at=2.0) == [StateChanged("1001", READY, 2.0, "")]


def test_an_own_call_in_a_break_leads_back_to_the_break(centre: Centre) -> None:
    distributor = centre("1001")
    distributor.operator_wants("1001", BREAK, at=1.0, reason="lunch")
    distributor.conversation_began("1001", "own", at=2.0)
    distributor.conversation_ended("1001", at=3.0)
    assert distributor.wrap_up_done("1001", at=4.0) == [StateChanged("1001", BREAK, 4.0, "lunch")]


@pytest.mark.req("ACD-3")
def test_an_operator_of_several_queues_takes_priority_then_the_longest_wait(centre: Centre) -> None:
    distributor = centre("1001", op1001=("main", "tax"))
    distributor.operator_wants("1001", BREAK, at=1.0)
    distributor.caller_waits("m1", "main", at=5.0)
    distributor.caller_waits("t1", "tax", at=5.0, waiting_since=4.0)
    distributor.caller_waits("m2", "main", at=6.0, priority=1)
    order = []
    for second in (10.0, 11.0, 12.0):
        actions = distributor.operator_wants("1001", READY, at=second)
        order += [call for call, _ in offers(actions)]
        distributor.offer_failed(order[-1], "1001", OfferEnd.NO_ANSWER, at=second)
        distributor.caller_gone(order[-1], at=second)
    assert order == ["m2", "t1", "m1"]


@pytest.mark.req("ACD-1")
def test_a_clock_that_goes_backwards_is_held(centre: Centre) -> None:
    distributor = centre("1001")
    distributor.tick(at=100.0)
    actions = distributor.caller_waits("c1", "main", at=50.0)
    assert isinstance(actions[0], Offer)
    assert actions[0].expires_at == 115.0


def test_what_cannot_be_is_said_and_changes_nothing(centre: Centre) -> None:
    distributor = centre("1001")
    with pytest.raises(DistributorError, match=r"unknown queue 'tax'.*known: main"):
        distributor.caller_waits("c1", "tax", at=1.0)
    with pytest.raises(DistributorError, match="unknown operator '9'"):
        distributor.phone_changed("9", True, at=1.0)
    with pytest.raises(DistributorError, match="cannot be set ringing"):
        distributor.operator_wants("1001", RINGING, at=1.0)
    with pytest.raises(DistributorError, match="not offered to operator 1001"):
        distributor.offer_answered("c1", "1001", at=1.0)
    with pytest.raises(DistributorError, match="finite"):
        distributor.tick(at=float("inf"))
    with pytest.raises(DistributorError, match="cannot fail by caller_gone"):
        distributor.offer_failed("c1", "1001", OfferEnd.CALLER_GONE, at=1.0)
    assert offers(distributor.caller_waits("c1", "main", at=2.0)) == [("c1", "1001")]
    assert distributor.caller_waits("c1", "main", at=2.0) == []


@pytest.mark.parametrize("rules", [("q", 0.0), ("q", float("nan")), ("q", 15.0, -1.0)])
def test_rules_that_make_no_sense_are_refused(rules: tuple[str, float]) -> None:
    with pytest.raises(ValueError, match="queue q"):
        QueueRules(*rules)


def test_an_unknown_strategy_is_named_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="no strategy 'dice'; there is: longest_idle"):
        Distributor([QueueRules("main", strategy="dice")], [])
