"""What the journal says of transfers, whatever end it breaks off at; and why a target was not reached."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdr import Event
from engine.clock import Clock
from engine.memory import CallMemory, Memory
from engine.transfer_model import State, Target, target_of
from engine.transfer_target import fell_silent, why
from switch import Hangup, HangupReason

START = datetime(2026, 11, 21, 1, 0, tzinfo=UTC)
TO = Target("extension", "2314", "税務課").told()
BEGUN: dict[str, Any] = {"operator": "1001", "how": "consult", "to": TO, "by": "console"}


def told(*events: tuple[str, dict[str, Any]]) -> tuple[Memory, CallMemory]:
    """The call after these, told from its arrival by trunk `city` on."""
    memory = Memory(Clock())
    before: list[tuple[str, dict[str, Any]]] = [
        ("arrived", {"number": "0246221111", "caller": "0312345678", "channel": "PJSIP/trunk-city-0000001a"}),
        ("queued", {"queue": "main", "priority": 1}),
        ("answered", {"operator": "1001", "phone": "desk", "leg": "leg-1001-a", "bridge": "b-1"}),
    ]
    for n, (kind, data) in enumerate([*before, *events]):
        at = START + timedelta(seconds=n)
        memory.apply(Event(id=f"{n:06}", at=at, mono=n, call="c1", kind=kind, data=data, boot="b"))
    return memory, memory.calls["c1"]


def begun(place: int = 1, **changes: Any) -> tuple[str, dict[str, Any]]:
    return "transfer_begun", BEGUN | {"place": place, "leg": f"xfer-{place}", "trunk": "hall"} | changes


ROOMS = {"target": State.TALKING, "citizen": State.HELD, "all": State.THREE_WAY}


@pytest.mark.req("XFR-1", "REL-1")
@given(st.lists(st.sampled_from(sorted(ROOMS))))
def test_who_hears_whom_is_what_was_told_last(keys: list[str]) -> None:
    rooms = [("transfer_room", {"place": 1, "with": key}) for key in keys]
    _, call = told(begun(), ("transfer_answered", {"place": 1, "leg": "xfer-1"}), *rooms)
    assert call.transfers.open is not None
    assert call.transfers.open.state is (ROOMS[keys[-1]] if keys else State.TALKING)
    assert call.operator == "1001"


@pytest.mark.req("NUM-3")
def test_a_trunk_s_channel_is_taken_from_the_ringing_to_the_end_of_the_target() -> None:
    steps = [
        begun(leg=None, trunk="line-a"),
        ("transfer_rerouted", {"place": 1, "leg": "xfer-2", "trunk": "line-b", "reason": "trunk_full"}),
        ("transfer_answered", {"place": 1, "leg": "xfer-2"}),
        ("transferred", {"place": 1, "operator": "1001", "to": TO, "leg": "xfer-2", "bridge": "b-1"}),
        ("left", {"operator": "1001"}),
        ("transfer_ended", {"place": 1, "leg": "xfer-2", "reason": "over"}),
    ]
    counts = []
    for end in range(len(steps) + 1):
        memory, _ = told(*steps[:end])
        counts.append([memory.on_trunk(one) for one in ("city", "line-a", "line-b")])
    full = [1, 0, 1]
    assert counts == [[1, 0, 0], [1, 0, 0], full, full, full, full, [1, 0, 0]]


@pytest.mark.req("XFR-5")
def test_one_that_failed_leaves_the_operator_the_reason_and_the_next_takes_it_away() -> None:
    failed = ("transfer_ended", {"place": 1, "leg": "xfer-1", "reason": "busy"})
    _, call = told(begun(), failed)
    assert call.transfers.open is None
    assert call.transfers.last is not None
    assert (call.transfers.last["reason"], call.transfers.last["to"]) == ("busy", TO)
    _, call = told(begun(), failed, begun(2))
    assert (call.transfers.last, call.transfers.count) == (None, 2)


@pytest.mark.req("XFR-4")
def test_who_has_come_back_stands_in_front_even_if_the_engine_dies_now() -> None:
    _, call = told(
        begun(how="blind"),
        ("transferred", {"place": 1, "operator": "1001", "to": TO, "leg": "xfer-1", "bridge": "b-1"}),
        ("left", {"operator": "1001"}),
        ("transfer_ended", {"place": 1, "leg": "xfer-1", "reason": "no_answer"}),
        ("returned", {"from": 1, "to": "1001", "reason": "no_answer"}),
    )
    assert (call.priority, call.last_operator, call.operator) == (100, "1001", None)
    assert call.transfers.returned is not None
    assert call.transfers.returned["operator"] == "1001"


@given(
    st.sampled_from(["extension", "outside", "operator", "queue"]), st.text(max_size=20), st.text(max_size=9)
)
def test_a_target_is_told_and_known_again(kind: Any, name: str, entry: str) -> None:
    target = Target(kind, "2314", name, "税務課", entry or None)
    assert target_of(target.told()) == target


@pytest.mark.req("XFR-5", "NUM-3")
@pytest.mark.parametrize(
    ("status", "cause", "reason"),
    [
        (486, 17, "busy"),
        (603, 21, "refused"),
        (480, 19, "no_answer"),
        (404, 1, "unreachable"),
        (503, 34, "trunk_full"),
        (None, 34, "trunk_full"),
        (500, 41, "failed"),
        (None, None, "failed"),
    ],
)
def test_why_a_target_did_not_answer(status: int | None, cause: int | None, reason: str) -> None:
    assert why(Hangup(HangupReason.HANGUP, cause, tech_cause=status)) == reason


@pytest.mark.parametrize(
    ("cause", "silent"), [(16, False), (None, False), (17, False), (44, True), (38, True)]
)
def test_a_line_that_died_is_no_hang_up(cause: int | None, silent: bool) -> None:
    assert fell_silent(Hangup(HangupReason.HANGUP, cause)) is silent
