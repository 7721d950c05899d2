"""A page that is closed in mid-call and does not come back."""

from __future__ import annotations

import pytest

from tests.browser.conftest import Opened
from tests.browser.pages import Seat
from tests.support.centre import Centre
from tests.support.phones import OPERATOR_HZ, phones
from tests.support.site import NUMBER


@pytest.mark.req("REL-1", "XFR-5", "ACD-5", "OPR-1")
async def test_a_page_closed_for_good_gives_the_citizen_to_the_next_operator(
    running: Centre, person: Opened
) -> None:
    async with person(expect_errors=True) as op, phones() as sip:
        await op.sign_in("op01")
        seat = Seat(op)
        await seat.ready()
        citizen = await sip.call(running.sip, NUMBER, "09012345678")
        await seat.answer()
        await op.page.close()
        lost = await running.event("leg_lost", within_s=30)
        assert lost.data["operator"] == "1001"
        await citizen.hears_sound()  # please wait, music: never silence
        await sip.desk(running.phone("1002"))
        await running.ready_operator("1002")
        await citizen.hears(OPERATOR_HZ, within_s=40)
        await citizen.hangup()
        [record] = await running.ended(1)
        assert (record.outcome, record.operators, record.ended_by) == ("answered", ["1001", "1002"], "caller")
