"""The proofs of a day's distribution find what is wrong with a journal, and nothing in a right one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from cdr import Event
from tests.support.events import Story
from tests.support.ledger import (
    PROOFS,
    Told,
    lives,
    offers_end,
    one_call_each,
    overtaken,
    replays,
    tallies_go_on,
)


def because(waited_s: float, *rows: tuple[str, float, int]) -> dict[str, Any]:
    """Candidates as (operator, idle_s, calls), the chosen first."""
    candidates = [[name, 1, idle_s, calls, 60.0 * calls, 600.0, calls, calls] for name, idle_s, calls in rows]
    return {
        "rule": "longest_idle",
        "idle_s": rows[0][1],
        "among": len(rows),
        "candidates": candidates,
        "waited_s": waited_s,
    }


def day() -> list[Event]:
    """Three callers, two operators: the first refuses the first caller, who goes to the second; the others
    wait for whoever is free."""
    one, two, three = (Story(call) for call in ("c1", "c2", "c3"))
    for at, story in ((0, one), (1, two), (2, three)):
        story.at(at, "arrived", number="1", caller=f"09{at}", via="engine")
        story.at(at + 2, "queued", queue="main", priority=0, again=False)
    one.at(2.5, "offered", operator="A", leg="l1", because=because(0.5, ("A", 9.0, 0), ("B", 8.0, 0)))
    one.at(2.8, "offer_ended", operator="A", reason="refused")
    one.at(2.8, "offered", operator="B", leg="l2", because=because(0.8, ("B", 8.3, 0)))
    one.at(3.2, "answered", operator="B", leg="l2")
    two.at(5.0, "offered", operator="A", leg="l3", because=because(2.0, ("A", 9.5, 0)))
    two.at(5.5, "answered", operator="A", leg="l3")
    one.at(9.0, "left", operator="B").at(9.0, "ended", by="caller")
    three.at(9.5, "offered", operator="B", leg="l4", because=because(5.5, ("B", 0.5, 1)))
    three.at(9.9, "ended", by="caller").at(9.95, "offer_ended", operator="B", reason="caller_gone")
    two.at(12.0, "left", operator="A").at(12.0, "ended", by="operator")
    return sorted([*one.events, *two.events, *three.events], key=lambda event: event.mono or 0.0)


def without(call: str, kind: str) -> Callable[[list[Event]], list[Event]]:
    return lambda events: [event for event in events if (event.call, event.kind) != (call, kind)]


def with_data(leg: str, **changes: Any) -> Callable[[list[Event]], list[Event]]:
    """The offer of that leg holds other facts."""

    def changed(events: list[Event]) -> list[Event]:
        return [
            replace(event, data={**event.data, "because": {**event.data["because"], **changes}})
            if event.kind == "offered" and event.data["leg"] == leg
            else event
            for event in events
        ]

    return changed


def swapped(events: list[Event]) -> list[Event]:
    """The third caller is rung while the second waits."""
    return [
        replace(event, call={"c2": "c3", "c3": "c2"}[str(event.call)])
        if event.call in ("c2", "c3") and event.kind not in ("arrived", "queued")
        else event
        for event in events
    ]


def twice(events: list[Event]) -> list[Event]:
    [answered] = [event for event in events if (event.call, event.kind) == ("c1", "answered")]
    again = replace(answered, data={"operator": "A", "leg": "l9"})
    return [*events[: events.index(answered) + 1], again, *events[events.index(answered) + 1 :]]


@pytest.mark.req("ACD-1")
def test_a_right_day_passes_every_proof() -> None:
    told = Told(day())
    assert [proof(told) for proof in PROOFS] == [[]] * len(PROOFS)


@pytest.mark.req("ACD-1", "ACD-3")
@pytest.mark.parametrize(
    ("proof", "spoilt"),
    [
        (lives, without("c3", "ended")),
        (lives, without("c2", "arrived")),
        (lives, twice),
        (offers_end, without("c1", "offer_ended")),
        (offers_end, without("c3", "offer_ended")),
        (offers_end, without("c2", "offered")),
        (one_call_each, without("c1", "left")),
        (replays, with_data("l1", candidates=because(0, ("A", 7.0, 0), ("B", 8.0, 0))["candidates"])),
        (replays, with_data("l3", candidates=because(0, ("B", 9.5, 0))["candidates"])),
        (replays, with_data("l4", among=2)),
        (replays, without("c2", "offered")),
        (tallies_go_on, with_data("l2", candidates=because(0, ("B", 8.3, 5))["candidates"])),
        (overtaken, swapped),
    ],
)
def test_a_spoilt_day_does_not(
    proof: Callable[[Told], list[str]], spoilt: Callable[[list[Event]], list[Event]]
) -> None:
    assert proof(Told(spoilt(day())))
