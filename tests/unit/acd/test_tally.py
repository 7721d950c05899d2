"""What an operator has done: counted, begun anew with the day, given back after a restart."""

from __future__ import annotations

import pytest

from acd import Distributor, OperatorProfile, OperatorState, QueueRules, Tally
from tests.unit.acd.conftest import Centre

READY, BREAK, TALKING, WRAP_UP = (
    OperatorState.READY,
    OperatorState.BREAK,
    OperatorState.TALKING,
    OperatorState.WRAP_UP,
)


@pytest.mark.req("ACD-1", "OPR-2")
def test_calls_talk_and_duty_are_counted_breaks_and_own_calls_are_not(centre: Centre) -> None:
    distributor = centre("1001")
    distributor.caller_waits("c1", "main", at=10.0)
    distributor.offer_answered("c1", "1001", at=15.0)
    assert distributor.operator("1001").tally == Tally(1, 0.0, 15.0)
    distributor.conversation_ended("1001", at=45.0)
    distributor.tick(at=65.0)
    assert distributor.operator("1001").tally == Tally(1, 30.0, 65.0)
    distributor.operator_wants("1001", BREAK, at=70.0)
    distributor.conversation_began("1001", "own", at=100.0)  # on duty while it talks, and in wrap-up
    distributor.conversation_ended("1001", at=110.0)
    distributor.wrap_up_done("1001", at=115.0)
    distributor.phone_changed("1001", False, at=120.0)
    distributor.operator_wants("1001", READY, at=130.0)
    distributor.phone_changed("1001", True, at=200.0)
    distributor.tick(at=210.0)
    assert distributor.operator("1001").tally == Tally(1, 30.0, 70.0 + 15.0 + 10.0)


@pytest.mark.req("ACD-1")
def test_a_failed_offer_is_no_call_and_one_found_in_talk_is(centre: Centre) -> None:
    distributor = centre("1001")
    distributor.caller_waits("c1", "main", at=10.0)
    distributor.tick(at=25.0)
    assert distributor.operator("1001").tally.calls == 0
    distributor.conversation_began("1001", "c1", at=30.0)  # served while nobody looked: it stood in line
    distributor.conversation_began("1001", "c2", at=50.0, queue="main")
    distributor.conversation_ended("1001", at=60.0)
    assert distributor.operator("1001").tally.calls == 2
    assert distributor.operator("1001").tally.talk_s == 30.0


@pytest.mark.req("ACD-1")
def test_a_new_day_counts_from_zero_and_splits_what_goes_on(centre: Centre) -> None:
    distributor = centre("1001")
    distributor.caller_waits("c1", "main", at=10.0)
    distributor.offer_answered("c1", "1001", at=10.0)
    assert distributor.new_day(at=100.0) == []
    assert distributor.operator("1001").tally == Tally()
    distributor.conversation_ended("1001", at=130.0)
    assert distributor.operator("1001").tally == Tally(0, 30.0, 30.0)


@pytest.mark.req("ACD-1")
def test_a_callback_counts_when_the_citizen_has_answered(centre: Centre) -> None:
    distributor = centre("1001", wrap_up_s=0.0)
    distributor.caller_waits("c1-cb", "main", at=10.0)
    distributor.offer_answered("c1-cb", "1001", at=15.0, counts=False)
    distributor.conversation_ended("1001", at=25.0)  # nobody was reached
    assert distributor.operator("1001").tally == Tally(0, 0.0, 25.0)
    assert distributor.operator("1001").idle_since == 25.0  # it was work all the same

    distributor.caller_waits("c1-cb", "main", at=30.0)
    distributor.offer_answered("c1-cb", "1001", at=30.0, counts=False)
    distributor.conversation_began("1001", "cb2", at=40.0, queue="main")
    distributor.conversation_ended("1001", at=50.0)
    assert distributor.operator("1001").tally == Tally(1, 10.0, 50.0)

    # After a restart: found while the citizen's telephone rings, then answered.
    distributor.conversation_began("1001", "cb3", at=60.0, queue="main", counts=False)
    distributor.conversation_began("1001", "cb3", at=62.0, queue="main", counts=False)
    distributor.conversation_began("1001", "cb3", at=65.0, queue="main")
    distributor.conversation_began("1001", "cb3", at=66.0, queue="main")
    distributor.conversation_ended("1001", at=70.0)
    assert distributor.operator("1001").tally == Tally(2, 15.0, 70.0)


@pytest.mark.req("ACD-1", "ACD-2")
def test_the_limit_of_an_hour_knows_no_callback_that_reached_nobody() -> None:
    distributor = Distributor([QueueRules("main")], [OperatorProfile("1", ("main",), most_calls_h=1)])
    distributor.phone_changed("1", True, at=0.0)
    distributor.operator_wants("1", READY, at=0.0)
    distributor.caller_waits("c1-cb", "main", at=1.0)
    distributor.offer_answered("c1-cb", "1", at=2.0, counts=False)
    assert distributor.operator("1").limited_until is None
    distributor.conversation_began("1", "cb2", at=3.0, queue="main")
    assert distributor.operator("1").limited_until == 3603.0


@pytest.mark.req("ACD-1", "ACD-2")
def test_a_call_of_ones_own_keeps_the_place_in_the_line(centre: Centre) -> None:
    distributor = centre("1001", "1002", wrap_up_s=0.0)
    distributor.conversation_began("1001", "own", at=500.0)
    distributor.phone_changed("1001", False, at=502.0)
    distributor.phone_changed("1001", True, at=503.0)
    distributor.conversation_ended("1001", at=506.0)
    assert distributor.operator("1001").idle_since == 6.0
    assert distributor.operator("1002").idle_since == 1.0
    distributor.conversation_began("1001", "own", at=600.0)
    distributor.conversation_began("1001", "own2", at=610.0)
    distributor.conversation_began("1001", "c1", at=620.0, queue="main")  # it has become a call of the centre
    distributor.conversation_ended("1001", at=630.0)
    assert distributor.operator("1001").idle_since == 630.0


def restored(state: OperatorState, **more: object) -> Distributor:
    distributor = Distributor([QueueRules("main")], [OperatorProfile("1", ("main",), most_calls_h=2)])
    distributor.phone_changed("1", True, at=1000.0)
    distributor.restore_operator("1", state, since=990.0, at=1000.0, **more)  # type: ignore[arg-type]
    return distributor


@pytest.mark.req("REL-1", "ACD-1")
def test_after_a_restart_the_counts_go_on_where_they_stood() -> None:
    tally = Tally(7, 600.0, 3000.0)
    assert restored(READY, tally=tally).operator("1").tally == Tally(7, 600.0, 3010.0)
    assert restored(BREAK, tally=tally).operator("1").tally == tally
    extended = restored(WRAP_UP, until=1020.0, tally=tally, tally_at=996.0)  # written after the state began
    assert extended.operator("1").tally == Tally(7, 600.0, 3004.0)
    extended.tick(at=1020.0)
    assert extended.operator("1").tally == Tally(7, 600.0, 3024.0)
    assert restored(READY).operator("1").tally == Tally()


@pytest.mark.req("REL-1", "ACD-1")
def test_the_conversation_found_after_a_restart_is_counted_once_from_its_begin() -> None:
    distributor = restored(TALKING, tally=Tally(7, 600.0, 3000.0))
    distributor.conversation_began("1", "c1", at=1001.0, queue="main")
    distributor.conversation_began("1", "c1", at=1002.0, queue="main")  # told twice
    distributor.conversation_ended("1", at=1010.0)
    assert distributor.operator("1").tally == Tally(8, 620.0, 3020.0)


@pytest.mark.req("REL-1", "ACD-2")
def test_a_limit_is_not_forgotten_by_a_restart() -> None:
    distributor = restored(READY, begun=[-2000.0, -500.0, 900.0])
    assert distributor.operator("1").limited_until == 3100.0
    assert distributor.caller_waits("c1", "main", at=1001.0) == []
    assert restored(READY, begun=[-3000.0, 900.0]).operator("1").limited_until is None
