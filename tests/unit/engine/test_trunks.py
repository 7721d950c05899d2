"""What calls tell of the trunks: taken channels, and nobody there."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from cdr import Event, SystemClock
from engine.trunks import Trunks


def trunks(channels: int = 0) -> Trunks:
    centre: Any = SimpleNamespace(
        clock=SystemClock(),
        memory=SimpleNamespace(on_trunk=lambda trunk: channels),
        site=SimpleNamespace(trunks=[SimpleNamespace(id="hikari", max_channels=2)]),
    )
    return Trunks(centre)


def tell(made: Trunks, kind: str, call: str = "c1", **data: Any) -> None:
    clock = SystemClock()
    made.noted(Event("1", clock.now(), None, call, kind, data, None))


def failing(made: Trunks) -> bool:
    return made.state()[0]["failing"] is not None


@pytest.mark.req("MON-4")
def test_a_trunk_that_nobody_answers_on_is_failing_until_somebody_does() -> None:
    made = trunks()
    assert made.state() == [{"id": "hikari", "channels": 0, "max_channels": 2, "failing": None}]
    tell(made, "forwarded", trunk="hikari")
    tell(made, "forward_ended", reason="failed")
    assert failing(made)
    tell(made, "dialled", "c2", trunk="hikari")
    assert failing(made)  # on its way: not known yet
    tell(made, "ended", "c2", reason="busy")
    assert not failing(made)  # who is busy is there


@pytest.mark.req("MON-4")
def test_a_call_that_takes_the_next_way_says_that_the_first_has_failed() -> None:
    made = trunks()
    tell(made, "dialled", trunk="hikari")
    tell(made, "next_way", trunk="other", reason="failed")
    tell(made, "answered")
    assert failing(made)
    tell(made, "transfer_begun", "c2", trunk="hikari")
    tell(made, "transfer_answered", "c2")
    assert not failing(made)
    tell(made, "transfer_begun", "c4", trunk="hikari")
    tell(made, "transfer_rerouted", "c4", trunk="other", reason="failed")
    tell(made, "transfer_answered", "c4")
    assert failing(made)  # the other one has led there
    tell(made, "forwarded", "c5", trunk="hikari")
    tell(made, "forward_answered", "c5")
    assert not failing(made)
    tell(made, "dialled", "c3", trunk="hikari")
    tell(made, "next_way", "c3", trunk="other", reason="trunk_full")
    assert not failing(made)  # who has no channel left is there


@pytest.mark.parametrize("reason", ["trunk_full", "unreachable", "caller_gone", "operator_gone"])
def test_ends_that_say_nothing_of_the_trunk_change_nothing(reason: str) -> None:
    made = trunks()
    tell(made, "transfer_begun", trunk="hikari")
    tell(made, "transfer_ended", reason=reason)
    assert not failing(made)
    tell(made, "ended", reason="failed")  # of the call: its leg out has ended before
    assert not failing(made)


def test_channels_are_told() -> None:
    assert trunks(channels=2).state()[0]["channels"] == 2
