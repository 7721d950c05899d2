"""Folding the journal's events gives the calls and operators of now, whatever end the journal breaks off
at."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdr import Event
from engine.clock import Clock
from engine.memory import Memory

START = datetime(2026, 11, 21, 1, 0, tzinfo=UTC)


class Fixed(Clock):
    """A clock that stands: boot `b1`, monotonic 5000 at START + 1000 s."""

    boot = "b1"

    def now(self) -> datetime:
        return START + timedelta(seconds=1000)

    def mono(self) -> float:
        return 5000.0


def event(n: int, kind: str, call: str | None = "c1", boot: str = "b1", **data: Any) -> Event:
    return Event(
        id=f"{n:06}",
        at=START + timedelta(seconds=n),
        mono=4000.0 + n,
        call=call,
        kind=kind,
        data=data,
        boot=boot,
    )


def whole_call(boot: str = "b1") -> list[Event]:
    return [
        event(1, "arrived", boot=boot, number="0246221111", caller=None, via="engine"),
        event(2, "greeted", boot=boot),
        event(5, "queued", boot=boot, queue="main", priority=0),
        event(6, "offered", boot=boot, operator="1001", leg="leg-1", phone="desk"),
        event(9, "offer_ended", boot=boot, operator="1001", reason="no_answer"),
        event(9, "offered", boot=boot, operator="1002", leg="leg-2", phone="browser"),
        event(12, "answered", boot=boot, operator="1002", leg="leg-2", bridge="b-1", phone="browser"),
        event(20, "held", boot=boot, operator="1002"),
        event(25, "resumed", boot=boot, operator="1002"),
        event(30, "left", boot=boot, operator="1002"),
        event(30, "wrap_up", boot=boot, operator="1002"),
        event(30, "ended", boot=boot, by="operator"),
    ]


def folded(events: list[Event]) -> Memory:
    memory = Memory(Fixed())
    for one in events:
        memory.apply(one)
    return memory


@pytest.mark.req("REL-1")
@pytest.mark.parametrize(
    ("length", "where"),
    [
        (1, "greeting"),
        (3, "waiting"),
        (4, "ringing"),
        (6, "ringing"),
        (7, "talking"),
        (8, "hold"),
        (9, "talking"),
    ],
)
def test_a_call_stands_where_its_last_event_left_it(length: int, where: str) -> None:
    call = folded(whole_call()[:length]).calls["c1"]
    seen = "greeting"
    if call.operator is not None:
        seen = "hold" if call.held else "talking"
    elif call.ringing:
        seen = "ringing"
    elif call.queue is not None:
        seen = "waiting"
    assert seen == where


def test_an_ended_call_is_forgotten_and_its_operator_is_idle_since_then() -> None:
    memory = folded(whole_call())
    assert not memory.calls
    assert memory.operator("1002").idle.at(4035.0) == 5.0
    assert memory.operator("1002").last_call == "c1"
    assert not memory.operator("1001").known


@pytest.mark.req("REL-1", "ACD-3")
def test_waiting_time_goes_on_over_restarts_of_engine_and_machine() -> None:
    assert folded(whole_call()[:3]).calls["c1"].queued_mono == 4005.0
    # After the machine's restart only the wall clock is common: 995 s ago.
    assert folded(whole_call(boot="b0")[:3]).calls["c1"].queued_mono == 5000.0 - 995.0


def test_back_in_the_queue_keeps_the_first_entry() -> None:
    events = [*whole_call()[:7], event(15, "leg_lost", operator="1002", reason="phone_died")]
    call = folded(events).calls["c1"]
    assert (call.returning, call.operator, call.leg) == (True, "1002", None)
    call = folded(
        [*events, event(18, "left", operator="1002"), event(18, "queued", queue="main", priority=100)]
    ).calls["c1"]
    assert (call.returning, call.operator, call.queued_mono, call.priority) == (False, None, 4005.0, 100)


def test_operators_keep_state_reason_and_wish() -> None:
    memory = folded(
        [
            event(
                1,
                "operator_state",
                None,
                operator="1001",
                state="wrap_up",
                reason="",
                until="2026-11-21T01:16:50.000000Z",
            ),
            event(2, "operator_next", None, operator="1001", state="break", reason="昼食"),
        ]
    )
    one = memory.operator("1001")
    assert (one.state, one.until_mono, one.next_state, one.next_reason) == (
        "wrap_up",
        5010.0,
        "break",
        "昼食",
    )
    memory.apply(event(3, "operator_state", None, operator="1001", state="break", reason="昼食", until=None))
    assert (one.state, one.next_state, one.until_mono) == ("break", None, None)


@pytest.mark.req("REL-2")
def test_a_call_handed_over_is_asterisks_own() -> None:
    assert folded([*whole_call()[:3], event(9, "handed_over")]).calls["c1"].via == "survival"


def test_survival_log_position_is_remembered() -> None:
    assert folded([event(1, "survival_read", None, log_offset=120)]).log_offset == 120


@given(st.lists(st.sampled_from(whole_call())), st.sampled_from(["b1", "b0"]))
def test_any_events_in_any_order_are_folded_without_complaint(events: list[Event], boot: str) -> None:
    memory = folded(events)
    assert set(memory.calls) <= {"c1"}


def test_a_call_handed_over_takes_up_no_channel_outside() -> None:
    forwarded = event(3, "forwarded", forward="guard", number="0246229999", trunk="narrow", leg="out-1")
    memory = folded([whole_call()[0], forwarded])
    assert memory.on_trunk("narrow") == 1
    memory.apply(event(4, "handed_over"))
    assert memory.on_trunk("narrow") == 0
