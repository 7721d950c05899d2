"""What an engine takes up: found quickly, and the same as if the whole journal had been read."""

from __future__ import annotations

import tempfile
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from cdr import Event, Journal, read_journal, read_recent
from cdr.recent import OpenCalls
from cdr.segments import segments
from tests.support.events import NINE

CALLS = ["c1", "c2", 'an "odd" \\ id']
OPERATORS = ["1001", "1002"]
CALLBACKS = ["cb1", "cb2"]
steps = some.lists(
    some.tuples(
        some.just("call"),
        some.sampled_from(["arrived", "queued", "offered", "ended"]),
        some.sampled_from(CALLS),
    )
    | some.tuples(some.just("wrap"), some.sampled_from(["wrap_up", "wrapped_up"]), some.sampled_from(CALLS))
    | some.tuples(some.just("operator"), some.sampled_from(["ready", "break"]), some.sampled_from(OPERATORS))
    | some.tuples(
        some.sampled_from(CALLBACKS),
        some.sampled_from(["callback_booked", "dialled", "callback_failed", "callback_ended"]),
        some.sampled_from(CALLS),
    )
    | some.tuples(some.just("restart"), some.just(""), some.just("")),
    max_size=25,
)


def play(folder: Path, moves: list[tuple[str, str, str]], segment_bytes: int) -> None:
    journal = Journal(folder, segment_bytes=segment_bytes)
    try:
        for what, kind, who in moves:
            match what:
                case "call":
                    journal.append(kind, call=who)
                case "wrap":
                    journal.append(kind, call=who, operator="1001")
                case "operator":
                    journal.append("operator_state", operator=who, state=kind)
                case "cb1" | "cb2":
                    journal.append(kind, call=who, callback=what)
                case _:
                    journal.close()
                    journal = Journal(folder, segment_bytes=segment_bytes)
    finally:
        journal.close()


def expected(events: list[Event]) -> list[Event]:
    """The slow way: everything is read."""
    state = OpenCalls()
    for event in events:
        state.note(event, 1)
    standing = {
        (event.kind, event.data.get("operator")): event for event in events if event.kind == "operator_state"
    }
    kept = [event for event in events if state.belongs(event)]
    return sorted([*kept, *standing.values()], key=lambda event: event.id)


@pytest.mark.req("REL-1")
@settings(max_examples=60, deadline=None)
@given(moves=steps, segment_bytes=some.sampled_from([1, 2000, 10**6]))
def test_recent_is_what_the_whole_journal_says(moves: list[tuple[str, str, str]], segment_bytes: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        play(folder, moves, segment_bytes)
        everything = list(read_journal(folder))
        found = read_recent(folder)
        assert found == expected(everything)
        journal = Journal(folder)
        journal.close()
        assert journal.recovered == found


def test_open_calls_and_last_states_over_many_segments(tmp_path: Path) -> None:
    play(tmp_path, [("operator", "break", "1001"), ("call", "arrived", "c1"), ("restart", "", "")], 1)
    for _ in range(5):
        play(tmp_path, [("call", "arrived", "c2"), ("call", "ended", "c2")], 1)
    play(tmp_path, [("call", "queued", "c1"), ("operator", "ready", "1002")], 1)
    assert [(event.kind, event.call or event.data["operator"]) for event in read_recent(tmp_path)] == [
        ("operator_state", "1001"),
        ("arrived", "c1"),
        ("queued", "c1"),
        ("operator_state", "1002"),
    ]


def test_a_long_journal_is_not_read_again(tmp_path: Path) -> None:
    play(tmp_path, [("operator", "break", "1001"), ("call", "arrived", "c1"), ("call", "ended", "c1")], 10**6)
    play(tmp_path, [("call", "arrived", "c2")], 10**6)
    old, _ = segments(tmp_path)
    old.write_bytes(b"")  # whoever still read it would miss the operator
    assert [event.kind for event in read_recent(tmp_path)] == ["operator_state", "arrived"]


def test_a_lost_first_line_makes_it_read_further_back(tmp_path: Path) -> None:
    play(tmp_path, [("call", "arrived", "c1")], 10**6)
    play(tmp_path, [("call", "queued", "c1")], 10**6)
    _, last = segments(tmp_path)
    head, rest = last.read_bytes().split(b"\n", 1)
    last.write_bytes(head.replace(b"segment_opened", b"segment_closed") + b"\n" + rest)
    assert [event.kind for event in read_recent(tmp_path)] == ["arrived", "queued"]


def test_wrap_up_keeps_a_call_until_it_is_over(tmp_path: Path) -> None:
    play(tmp_path, [("call", "arrived", "c1"), ("wrap", "wrap_up", "c1"), ("call", "ended", "c1")], 10**6)
    assert [event.kind for event in read_recent(tmp_path)] == ["arrived", "wrap_up", "ended"]
    play(tmp_path, [("wrap", "wrapped_up", "c1")], 10**6)
    assert read_recent(tmp_path) == []


def test_a_wrap_up_never_closed_ends_with_the_operators_next(tmp_path: Path) -> None:
    play(tmp_path, [("call", "arrived", "c1"), ("wrap", "wrap_up", "c1"), ("call", "ended", "c1")], 10**6)
    play(tmp_path, [("wrap", "wrap_up", "c2"), ("wrap", "wrapped_up", "c2")], 10**6)
    assert read_recent(tmp_path) == []


def test_everything_of_the_newest_segment(tmp_path: Path) -> None:
    play(tmp_path, [("call", "arrived", "c1"), ("call", "ended", "c1")], 10**6)
    assert [event.kind for event in read_recent(tmp_path, calls_open=False)] == ["arrived", "ended"]


DUE: list[tuple[str, str, str]] = [
    ("call", "arrived", "c1"),
    ("call", "queued", "c1"),
    ("cb1", "callback_booked", "c1"),
    ("call", "ended", "c1"),
    ("call", "offered", "c1"),
]
TRIED: list[tuple[str, str, str]] = [
    ("cb1", "dialled", "c2"),
    ("cb1", "callback_failed", "c2"),
    ("call", "ended", "c2"),
]


def of_calls(folder: Path) -> list[tuple[str, str | None]]:
    return [(event.kind, event.call) for event in read_recent(folder)]


@pytest.mark.req("ACD-7", "REL-1")
@pytest.mark.parametrize("segment_bytes", [1, 10**6])
def test_a_callback_keeps_its_call_and_its_tries_until_it_has_ended(
    tmp_path: Path, segment_bytes: int
) -> None:
    play(tmp_path, [*DUE, ("call", "arrived", "other"), ("call", "ended", "other")], segment_bytes)
    first = [
        ("arrived", "c1"),
        ("queued", "c1"),
        ("callback_booked", "c1"),
        ("ended", "c1"),
        ("offered", "c1"),
    ]
    assert of_calls(tmp_path) == first
    play(tmp_path, TRIED, segment_bytes)
    assert of_calls(tmp_path) == [*first, ("dialled", "c2"), ("callback_failed", "c2"), ("ended", "c2")]
    play(tmp_path, [("cb1", "dialled", "c3"), ("cb1", "callback_ended", "c1")], segment_bytes)
    assert of_calls(tmp_path) == [("dialled", "c3")]  # the talk goes on
    play(tmp_path, [("call", "ended", "c3")], segment_bytes)
    assert of_calls(tmp_path) == []


def test_a_call_of_two_callbacks_waits_for_both(tmp_path: Path) -> None:
    play(tmp_path, [*DUE, ("cb2", "callback_booked", "c1"), ("cb1", "callback_ended", "c1")], 10**6)
    assert len(of_calls(tmp_path)) == 7
    play(tmp_path, [("cb2", "callback_ended", "c1")], 10**6)
    assert of_calls(tmp_path) == []


def test_a_callback_that_nobody_ended_is_let_go_after_four_days() -> None:
    state = OpenCalls()
    for number, (hours, kind, call) in enumerate(
        [(0, "arrived", "c1"), (0, "callback_booked", "c1"), (0, "ended", "c1"), (96, "arrived", "c2")]
    ):
        at = NINE + timedelta(hours=hours)
        state.note(Event(f"{number}", at, None, call, kind, {"callback": "cb1"}), 1)
    assert state.calls == {"c1", "c2"}
    again = OpenCalls.from_data(state.to_data())
    assert again.to_data() == state.to_data()
    for each in (state, again):
        each.note(Event("5", NINE + timedelta(hours=96, seconds=1), None, None, "engine_started"), 2)
        assert each.calls == {"c2"}


def test_a_segment_of_before_there_were_callbacks_is_read() -> None:
    head = {"open": {"c1": [1, "0", False, []]}, "standing": []}
    assert OpenCalls.from_data(head).calls == {"c1"}


@pytest.mark.req("OPR-5", "REL-1")
@pytest.mark.parametrize("segment_bytes", [1, 10**6])
def test_open_requests_for_help_are_kept_with_a_call_and_without(tmp_path: Path, segment_bytes: int) -> None:
    journal = Journal(tmp_path, segment_bytes=segment_bytes)
    journal.append("arrived", call="c1")
    journal.append("help_asked", call="c1", help="h1", operator="1001", text="お願いします")
    journal.append("help_said", call="c1", help="h1", operator="1001", text="早く")
    journal.append("help_asked", help="h2", operator="1002", text="席で")
    journal.append("ended", call="c1", by="caller")
    journal.append("help_asked", help="h3", operator="1003", text="")
    journal.append("help_closed", help="h3", by="sv01")
    journal.close()
    open_ones = [("help_asked", "h1"), ("help_said", "h1"), ("help_asked", "h2")]

    def told() -> list[tuple[str, str | None]]:
        return [(event.kind, event.data.get("help")) for event in read_recent(tmp_path)]

    assert told() == open_ones
    with Journal(tmp_path, segment_bytes=segment_bytes) as again:
        again.append("help_taken", call="c1", help="h1", by="sv01")
        again.append("help_closed", help="h2", by="sv01")
    assert told() == [*open_ones[:2], ("help_taken", "h1")]


def test_a_request_for_help_is_not_kept_for_ever() -> None:
    state = OpenCalls()

    def note(number: int, minutes: float, kind: str, help: str) -> None:
        at = NINE + timedelta(minutes=minutes)
        state.note(Event(f"{number:04d}", at, None, None, kind, {"help": help}), 1)

    note(0, 0, "help_asked", "h1")
    for number in range(1, 80):
        note(number, number, "help_said", "h1")
    note(90, 90, "help_asked", "h2")
    again = OpenCalls.from_data(state.to_data())
    for each in (state, again):
        kept = [event.id for event in each.standing]
        assert (len(kept), kept[0], kept[1]) == (52, "0000", "0030")
        assert each.to_data() == state.to_data()
    note(99, 24 * 60 + 1, "help_said", "h1")
    assert [event.data["help"] for event in state.standing] == ["h2"]


@pytest.mark.req("MON-2", "REL-1")
def test_supervision_and_transfers_of_an_open_call_are_kept(tmp_path: Path) -> None:
    kinds = ["arrived", "answered", "supervision_began", "transfer_begun", "transferred", "left"]
    with Journal(tmp_path) as journal:
        for kind in kinds:
            journal.append(kind, call="c1", operator="1001", supervisor="1090", place=1)
    assert [event.kind for event in read_recent(tmp_path)] == kinds
