"""Callers who come back: to the same operator while that makes sense, else to the front of the queue."""

from __future__ import annotations

import pytest

from acd import Because, Distributor, Offer, OperatorState, StateChanged
from tests.unit.acd.conftest import Centre
from tests.unit.acd.test_rules import offers

READY, BREAK, WRAP_UP = OperatorState.READY, OperatorState.BREAK, OperatorState.WRAP_UP


@pytest.fixture
def lost(centre: Centre) -> Distributor:
    """1001's phone died in a call with c1 and is back; 1001 is in wrap-up until 30 s, 1002 is READY."""
    distributor = centre("1001", "1002")
    distributor.caller_waits("c1", "main", at=5.0)
    distributor.offer_answered("c1", "1001", at=5.0)
    distributor.conversation_ended("1001", at=10.0)
    return distributor


@pytest.mark.req("ACD-5", "REL-1")
def test_waits_for_the_same_operator_through_the_wrap_up(lost: Distributor) -> None:
    assert lost.caller_waits("c1", "main", at=11.0, prefer="1001", prefer_until=60.0) == []
    assert offers(lost.caller_waits("c2", "main", at=12.0)) == [("c2", "1002")]  # others are not held up
    assert lost.wrap_up_done("1001", at=13.0) == [
        StateChanged("1001", READY, 13.0, ""),
        Offer("c1", "1001", "main", Because("same_operator", 3.0, 1), 28.0),
        StateChanged("1001", OperatorState.RINGING, 13.0, ""),
    ]


@pytest.mark.req("ACD-5")
def test_still_in_talk_with_the_same_operator_counts_as_free(centre: Centre) -> None:
    distributor = centre("1001", "1002")
    distributor.conversation_began("1001", "c1", at=5.0)
    assert distributor.caller_waits("c1", "main", at=6.0, prefer="1001") == []
    distributor.conversation_ended("1001", at=7.0)
    assert offers(distributor.wrap_up_done("1001", at=8.0)) == [("c1", "1001")]


@pytest.mark.req("ACD-5")
def test_goes_on_when_the_window_closes(lost: Distributor) -> None:
    lost.caller_waits("c1", "main", at=11.0, prefer="1001", prefer_until=15.0)
    assert lost.next_deadline() == 15.0
    assert offers(lost.tick(at=15.0)) == [("c1", "1002")]


@pytest.mark.req("ACD-5")
@pytest.mark.parametrize("what", ["break", "phone", "own call", "removed"])
def test_goes_on_when_the_operator_will_not_be_free(lost: Distributor, what: str) -> None:
    lost.caller_waits("c1", "main", at=11.0, prefer="1001", prefer_until=60.0)
    match what:
        case "break":
            actions = lost.operator_wants("1001", BREAK, at=12.0)
        case "phone":
            actions = lost.phone_changed("1001", False, at=12.0)
        case "own call":
            actions = lost.conversation_began("1001", "own", at=12.0)
        case _:
            from acd import OperatorProfile

            actions = lost.set_operators([OperatorProfile("1002", ("main",))], at=12.0)
    assert offers(actions) == [("c1", "1002")]


@pytest.mark.req("ACD-5")
def test_otherwise_their_priority_gives_the_place_and_before_an_equal_one(lost: Distributor) -> None:
    lost.operator_wants("1002", BREAK, at=11.0)
    lost.caller_waits("urgent", "main", at=12.0, priority=1)
    lost.caller_waits("c2", "main", at=12.0)
    lost.operator_wants("1001", BREAK, at=13.0)
    lost.caller_waits("c1", "main", at=14.0, priority=100, prefer="1001", prefer_until=60.0)
    assert [each.call for each in lost.waiting()] == ["c1", "urgent", "c2"]
    # gone from the site: nobody to wait for, and still before one who came in the same instant
    lost.caller_waits("c0", "main", at=14.0, waiting_since=12.0, prefer="nobody")
    assert [each.call for each in lost.waiting()] == ["c1", "urgent", "c0", "c2"]


@pytest.mark.req("ACD-5")
def test_two_who_want_the_same_operator_one_rings_there_the_other_goes_on(lost: Distributor) -> None:
    lost.caller_waits("c1", "main", at=11.0, prefer="1001")
    lost.caller_waits("c2", "main", at=12.0, prefer="1001")
    assert offers(lost.wrap_up_done("1001", at=13.0)) == [("c1", "1001"), ("c2", "1002")]


@pytest.mark.req("ACD-5")
def test_the_same_operator_comes_before_their_queue_and_its_priorities(lost: Distributor) -> None:
    lost.operator_wants("1002", BREAK, at=11.0)
    lost.caller_waits("urgent", "main", at=11.0, priority=9)
    lost.caller_waits("c1", "main", at=12.0, prefer="1001", prefer_until=60.0)
    assert offers(lost.wrap_up_done("1001", at=13.0)) == [("c1", "1001")]
