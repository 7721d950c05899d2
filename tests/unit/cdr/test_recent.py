"""What an engine takes up: found quickly, and the same as if the whole journal had been read."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from cdr import Event, Journal, read_journal, read_recent
from cdr.recent import OpenCalls
from cdr.segments import segments

CALLS = ["c1", "c2", 'an "odd" \\ id']
OPERATORS = ["1001", "1002"]
steps = some.lists(
    some.tuples(
        some.just("call"),
        some.sampled_from(["arrived", "queued", "offered", "ended"]),
        some.sampled_from(CALLS),
    )
    | some.tuples(some.just("wrap"), some.sampled_from(["wrap_up", "wrapped_up"]), some.sampled_from(CALLS))
    | some.tuples(some.just("operator"), some.sampled_from(["ready", "break"]), some.sampled_from(OPERATORS))
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
