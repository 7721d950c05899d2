"""Events and their lines: what is written comes back, what is damaged is noticed, ids only grow."""

from __future__ import annotations

import enum
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from cdr.events import BadLine, Event, Ids, from_line, plain, to_line

NOON = datetime(2026, 11, 21, 3, 0, 0, 5, tzinfo=UTC)
texts = some.text(some.characters(exclude_categories=["Cs"], exclude_characters="\0"))
values = some.recursive(
    some.none()
    | some.booleans()
    | some.integers(-(2**53), 2**53)
    | some.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
events = some.builds(
    Event,
    id=texts,
    at=some.datetimes(datetime(1970, 1, 1), datetime(2999, 1, 1), timezones=some.just(UTC)),  # noqa: DTZ001
    mono=some.none() | some.floats(0, 1e9),
    call=some.none() | texts,
    kind=texts,
    data=some.dictionaries(texts, values, max_size=4),
    boot=some.none() | texts,
)


@given(event=events)
def test_a_line_gives_its_event_back(event: Event) -> None:
    line = to_line(event)
    assert line.count(b"\n") == 1
    assert from_line(line) == event
    assert from_line(line[:-1]) == event


@given(event=events, where=some.floats(0, 0.999), change=some.integers(1, 255))
def test_a_changed_byte_is_noticed(event: Event, where: float, change: int) -> None:
    line = bytearray(to_line(event)[:-1])
    line[int(where * len(line))] ^= change
    with pytest.raises(BadLine):
        from_line(bytes(line))


@given(event=events, kept=some.floats(0, 0.999))
def test_a_torn_line_is_noticed(event: Event, kept: float) -> None:
    line = to_line(event)[:-1]
    with pytest.raises(BadLine):
        from_line(line[: int(kept * len(line))])


@given(noise=some.binary(max_size=60))
def test_noise_is_no_event(noise: bytes) -> None:
    with pytest.raises(BadLine):
        from_line(noise)


def test_a_line_is_json_that_any_program_reads() -> None:
    event = Event("1-0-a", NOON, 12.5, "minato-1.2", "arrived", {"number": "0246221111", "名": "市"}, "b1")
    line = json.loads(to_line(event))
    assert line.pop("sum") != ""
    assert line == {
        "id": "1-0-a",
        "at": "2026-11-21T03:00:00.000005Z",
        "mono": 12.5,
        "boot": "b1",
        "call": "minato-1.2",
        "kind": "arrived",
        "data": {"number": "0246221111", "名": "市"},
    }


class Shade(enum.Enum):
    RED = "red"


@dataclass
class Because:
    rule: str
    idle_s: float


class Unprintable:
    def __str__(self) -> str:
        raise RuntimeError("no text")


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ("a\0b", "a\ufffdb"),
        ("half \ud800 pair", "half ? pair"),
        (2**70, str(2**70)),
        ({1}, [1]),
        ({3: "x"}, {"3": "x"}),
        (b"raw", "b'raw'"),
        (Shade.RED, "red"),
        (Because("idle", 1.5), {"rule": "idle", "idle_s": 1.5}),
        (NOON, "2026-11-21T03:00:00.000005Z"),
        (float("nan"), None),
    ],
)
def test_what_json_cannot_hold_is_written_as_what_comes_nearest(value: Any, kept: Any) -> None:
    assert from_line(to_line(Event("1", NOON, None, None, "test", {"value": value}))).data == {"value": kept}


def test_what_cannot_be_written_at_all_is_still_an_event() -> None:
    endless: dict[str, Any] = {}
    endless["self"] = endless
    for data in (endless, {"x": Unprintable()}):
        event = from_line(to_line(Event("1", NOON, None, "c1", "ended", data)))
        assert (event.call, event.kind) == ("c1", "ended")
        assert "unwritable" in event.data


def test_plain_leaves_plain_things_alone() -> None:
    value = {"a": [1, 2.5, None, True, "あ"], "b": {}}
    assert plain(value) == value


@pytest.mark.req("REL-5")
@given(steps=some.lists(some.floats(-1e6, 1e6), max_size=50))
def test_ids_grow_whatever_the_wall_clock_does(steps: list[float]) -> None:
    ids, at, made = Ids(), NOON, []
    for step in steps:
        at += timedelta(milliseconds=step)
        made.append(ids.next(at))
    assert made == sorted(set(made))


def test_more_ids_in_a_millisecond_than_the_counter_holds() -> None:
    ids = Ids()
    made = [ids.next(NOON) for _ in range(70_000)]
    assert made == sorted(set(made))


def test_a_new_writer_goes_on_behind_the_last_id_even_with_the_clock_set_back() -> None:
    last = Ids().next(NOON)
    following = Ids(after=last)
    assert following.next(NOON - timedelta(days=400)) > last
    assert Ids(after="").next(NOON) != Ids(after="").next(NOON)
