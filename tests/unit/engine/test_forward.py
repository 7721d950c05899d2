"""A telephone outside that sends its calls back to us is not rung for them."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest

from engine.call import Call
from engine.centre import Centre
from engine.forward import FORWARDS_MAX, _place_on, why
from switch import Hangup, HangupReason
from switch.channel import AriChannel
from tests.support.planned import CITY

from .conftest import Line
from .test_plan_recovery import connected

GUARD = "0246229999"


async def arrives(centre: Centre, name: str, caller: str | None, diverted_from: str = "") -> Call:
    line = Line(name, "arrival", CITY, "allowed", "", diverted_from, "")
    line.caller = caller  # type: ignore[assignment]
    assert centre.session is not None
    centre.session.arrived(line)  # type: ignore[arg-type]
    await asyncio.sleep(0)
    return centre.session.calls[name]


def placed(centre: Centre, call: Call) -> str | None:
    assert centre.session is not None
    return _place_on(centre.session, call, call.site.forward("guard"))


def ended(centre: Centre, call: Call) -> None:
    centre.note("forward_ended", call.id, forward="guard", reason="busy", talk_s=None)


@pytest.fixture
async def at(planned: Centre) -> Centre:
    await connected(planned)
    return planned


@pytest.mark.req("ACD-4", "HRS-2")
@pytest.mark.parametrize("line", [GUARD, "+81246229999"])
async def test_diverted_by_the_telephone_that_would_be_rung(at: Centre, line: str) -> None:
    assert placed(at, await arrives(at, "minato-1.2", "0311112222", line)) == "busy"


@pytest.mark.req("ACD-4", "HRS-2")
@pytest.mark.parametrize("shown", [CITY, "+81246221111"])
async def test_diverted_without_a_word_while_that_telephone_is_rung(at: Centre, shown: str) -> None:
    back = await arrives(at, "minato-1.3", shown)
    assert placed(at, back) is None  # somebody of the city, by chance: nobody is led there just now
    ended(at, back)
    citizen = await arrives(at, "minato-1.2", "0311112222")
    assert placed(at, citizen) is None
    assert placed(at, back) == "busy"
    ended(at, back)
    other: Any = await arrives(at, "minato-1.4", "0311113333")
    assert placed(at, other) == "trunk_full"  # another citizen: the trunk's only channel is taken


@pytest.mark.req("ACD-4")
async def test_a_call_is_led_outside_so_many_times(at: Centre) -> None:
    call = await arrives(at, "minato-1.2", None)
    for _ in range(FORWARDS_MAX):
        assert placed(at, call) is None
        ended(at, call)
    assert placed(at, call) == "failed"


@pytest.mark.req("ACD-4")
@pytest.mark.parametrize(
    ("status", "cause", "reason"),
    [
        (486, 17, "busy"),
        (600, None, "busy"),
        (603, 21, "refused"),
        (480, 19, "no_answer"),
        (408, 18, "no_answer"),
        (503, 34, "failed"),
        (None, 17, "busy"),
        (None, None, "failed"),
    ],
)
def test_why_nobody_answered_outside(status: int | None, cause: int | None, reason: str) -> None:
    assert why(Hangup(HangupReason.HANGUP, cause, "", status, 0.0)) == reason


@pytest.mark.req("REL-1", "ACD-4")
def test_a_leg_is_down_until_it_is_rung() -> None:
    leg = AriChannel(cast(Any, None), "out-guard-x-1")
    assert not leg.down  # nothing is known of it
    leg.describe({"name": "PJSIP/trunk-narrow-1", "state": "Down"})
    assert leg.down
    for state in ("Ringing", "Up"):
        leg.describe({"name": "PJSIP/trunk-narrow-1", "state": state})
        assert not leg.down
