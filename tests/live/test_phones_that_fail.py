"""Operators' phones that refuse, are busy, or die in mid-call: the citizen is looked after each time."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.live.support.sip_phone import SipPhone
from tests.support.centre import Centre, centre
from tests.support.phones import OPERATOR_HZ, phones
from tests.support.site import NUMBER, site


async def desk(running: Centre, operator: str) -> SipPhone:
    phone = running.phone(operator)
    opened = await SipPhone.open(phone["port"], operator, phone["secret"])
    await opened.register()
    return opened


REFUSALS = {486: "busy", 603: "refused", 480: "no_answer", 500: "failed"}


@pytest.mark.req("ACD-6", "ACD-2")
async def test_each_refusal_has_its_name_and_the_next_operator_is_rung(tmp_path: Path) -> None:
    async with centre(tmp_path, site=site(operators=2)) as running, phones() as sip:
        refusing = await desk(running, "1001")
        try:
            await sip.desk(running.phone("1002"))
            for n, (status, reason) in enumerate(REFUSALS.items()):
                refusing.policy = str(status)
                # Whoever has been ready for longer is rung first.
                await running.control.do("operator.state", operator="1002", state="break", reason="昼食")
                await running.ready_operator("1001")
                await running.ready_operator("1002")
                citizen = await sip.call(running.sip, NUMBER, f"031111000{n}")
                await refusing.event("invite")
                await citizen.hears(OPERATOR_HZ)
                await running.control.state_is("1001", "no_answer")
                assert running.control.operators["1001"]["reason"] == reason
                await citizen.hangup()
                records = {row.caller: row for row in await running.ended(n + 1)}
                record = records[f"031111000{n}"]
                assert (record.outcome, record.operator, record.offers) == ("answered", "1002", 2)
                ends = [one.data for one in running.events(record.call) if one.kind == "offer_ended"]
                assert [(end["operator"], end["reason"]) for end in ends] == [("1001", reason)]
        finally:
            refusing.close()


@pytest.mark.long
@pytest.mark.req("XFR-5", "ACD-5", "REC-1")
async def test_a_desk_phone_that_dies_in_mid_call_gives_the_citizen_to_the_next(tmp_path: Path) -> None:
    async with centre(tmp_path, site=site(operators=2)) as running, phones() as sip:
        dying = await desk(running, "1001")
        await running.ready_operator("1001")
        citizen = await sip.call(running.sip, NUMBER)
        await dying.event("invite")
        await running.control.phase_is("talking", 1)
        await dying.hears()
        dying.close()  # pulled out of the wall: no BYE, no more sound
        lost = await running.event("leg_lost", within_s=40)
        assert lost.data == {"operator": "1001", "reason": "phone_died"}
        await citizen.hears_sound()  # never silence
        await sip.desk(running.phone("1002"))
        await running.ready_operator("1002")
        await citizen.hears(OPERATOR_HZ)
        await citizen.hangup()
        [record] = await running.ended(1)
        assert (record.outcome, record.operators, record.ended_by) == ("answered", ["1001", "1002"], "caller")
        queued = [event for event in running.events() if event.kind == "queued"]
        assert [event.data["again"] for event in queued] == [False, True]
        assert queued[1].data["priority"] > 0
        await running.recordings(1)
