"""Which end of an operator's leg is a dead phone, and which is somebody hanging up."""

from __future__ import annotations

import pytest

from acd import OfferEnd
from engine.offer import leg_id, offer_end, operator_of_leg
from engine.phones import died, endpoint, endpoints, operator_of
from switch import Hangup, HangupReason


def gone(cause: int | None, sip: int | None = None, reason: HangupReason = HangupReason.HANGUP) -> Hangup:
    return Hangup(reason, cause, tech_cause=sip)


@pytest.mark.req("ACD-6")
@pytest.mark.parametrize(
    ("hangup", "end"),
    [
        (gone(17, 486), OfferEnd.BUSY),
        (gone(21, 603), OfferEnd.REFUSED),
        (gone(19, 480), OfferEnd.NO_ANSWER),
        (gone(19), OfferEnd.NO_ANSWER),
        (gone(20), OfferEnd.UNREACHABLE),
        (gone(41, 500), OfferEnd.FAILED),
        (gone(None), OfferEnd.FAILED),
    ],
)
def test_what_an_unanswered_leg_says_of_its_offer(hangup: Hangup, end: OfferEnd) -> None:
    assert offer_end(hangup) is end


@pytest.mark.req("XFR-5", "REL-1")
def test_a_desk_phone_that_says_bye_has_ended_the_call_one_without_sound_has_died() -> None:
    assert not died("desk", gone(16))
    assert died("desk", gone(44))
    assert died("browser", gone(16))  # a page hangs up through the engine; a BYE means it went away
    assert not died("browser", gone(None, reason=HangupReason.FOUND_ENDED))


def test_endpoints_and_back() -> None:
    assert endpoints(["1001"]) == ("1001", "1001-web")
    for name in endpoints(["1001", "1002"]):
        assert endpoint(*operator_of(name)) == name
    assert leg_id("1001") != leg_id("1001")
    assert operator_of_leg(leg_id("1001")) == "1001"
    assert operator_of_leg("minato-1763.1") is None
