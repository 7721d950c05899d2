"""What one call asks of the switch, on a real Asterisk with real SIP phones."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from switch import Channel, ChannelGone, HangupReason, Refused, SwitchError
from tests.live.support.mini_asterisk import MiniAsterisk
from tests.live.support.sip_phone import SipPhone
from tests.live.switch.conftest import opened


@pytest.mark.req("NUM-1", "ACD-1")
async def test_a_citizen_and_an_operator_talk_and_the_operator_hangs_up(
    asterisk: MiniAsterisk, desk: SipPhone, citizen: SipPhone
) -> None:
    async with opened(asterisk.settings()) as (switch, seen):
        await citizen.call("0246221111", wait_answer=False)
        call = await seen.arrival()
        assert call.caller == "0312345678"
        assert call.dialled == "0246221111"
        assert call.args[:2] == ("arrival", "0246221111")
        assert call.in_application
        assert not call.up
        await call.answer()
        await citizen.event("answered")
        assert call.up
        await call.music(True)

        leg = await switch.leg(
            "1001",
            channel_id="leg-1",
            caller_id="0312345678",
            caller_name="みなと一郎",
            variables={"PJSIP_HEADER(add,X-Daihyo-Call)": call.id},
        )
        await leg.dial(10)
        invite = await desk.event("invite")
        assert "0312345678" in invite["from"]
        assert "みなと一郎" in invite["from"]
        assert invite["x-daihyo-call"] == call.id
        await asyncio.wait_for(leg.wait_up(), 10)
        room = await switch.bridge()
        await call.music(False)
        await room.add(call, leg)
        await citizen.hears_silence()  # the operator's voice (a test phone sends silence); the music is over
        counters = await call.rtp()
        assert counters.rx > 0
        assert counters.tx > 0

        desk.bye()
        hangup = await asyncio.wait_for(leg.wait_gone(), 15)
        assert hangup.reason is HangupReason.HANGUP
        assert hangup.cause == 16
        assert not leg.up
        assert switch.channel("leg-1") is None
        await room.remove(call, leg)
        await room.destroy()
        await room.destroy()  # no error: it is gone already
        await call.hangup()
        await citizen.event("bye")
        assert (await call.wait_gone()).cause == 16
        await call.hangup()


@pytest.mark.req("ACD-3")
@pytest.mark.parametrize(("policy", "cause", "status"), [("486", 17, 486), ("603", 21, 603)])
async def test_a_refusing_phone_is_told_at_once_with_its_cause(
    asterisk: MiniAsterisk, desk: SipPhone, policy: str, cause: int, status: int
) -> None:
    desk.policy = policy
    async with opened(asterisk.settings()) as (switch, _):
        leg = await switch.leg("1001", channel_id="leg-1")
        told: list[int | None] = []
        leg.on_gone(lambda hangup: told.append(hangup.cause))
        await leg.dial(10)
        with pytest.raises(ChannelGone) as gone:
            await asyncio.wait_for(leg.wait_up(), 15)
        assert gone.value.hangup.cause == cause
        assert gone.value.hangup.tech_cause == status
        assert told == [cause]


@pytest.mark.req("ACD-3")
async def test_a_phone_that_nobody_answers_ends_with_no_answer(
    asterisk: MiniAsterisk, desk: SipPhone
) -> None:
    desk.policy = "ring"
    async with opened(asterisk.settings()) as (switch, _):
        leg = await switch.leg("1001", channel_id="leg-1")
        await leg.dial(1)
        with pytest.raises(ChannelGone) as gone:
            await asyncio.wait_for(leg.wait_up(), 8)
        assert gone.value.hangup.cause == 19
        await desk.event("cancel")


@pytest.mark.req("ACD-3")
async def test_an_unregistered_phone_is_refused(asterisk: MiniAsterisk) -> None:
    async with opened(asterisk.settings()) as (switch, _):
        assert not switch.phone_reachable("1002")
        with pytest.raises(Refused, match="create"):
            await switch.leg("1002", channel_id="leg-1")
        assert switch.channel("leg-1") is None


async def test_a_leg_withdrawn_while_it_rings_is_cancelled_at_the_phone(
    asterisk: MiniAsterisk, desk: SipPhone
) -> None:
    desk.policy = "ring"
    async with opened(asterisk.settings()) as (switch, _):
        leg = await switch.leg("1001", channel_id="leg-1")
        await leg.dial(30)
        await desk.event("invite")
        await leg.hangup("answered_elsewhere")
        await desk.event("cancel")
        assert (await asyncio.wait_for(leg.wait_gone(), 15)).reason is HangupReason.HANGUP


@pytest.mark.req("HRS-4")
async def test_playing_returns_when_it_was_heard_and_several_follow_each_other(
    asterisk: MiniAsterisk, citizen: SipPhone, sound: Callable[[str], str]
) -> None:
    async with opened(asterisk.settings()) as (_, seen):
        await citizen.call("1", wait_answer=False)
        call = await seen.arrival()
        await call.answer()
        await asyncio.wait_for(call.play(sound("tone100ms"), sound("tone100ms")), 15)
        with pytest.raises(SwitchError, match="could not be played"):
            await call.play(sound("no-such-sound"))
        assert call.up


async def test_cancelling_a_playback_stops_it_and_the_channel_answers_at_once(
    asterisk: MiniAsterisk, citizen: SipPhone, sound: Callable[[str], str]
) -> None:
    async with opened(asterisk.settings()) as (switch, seen):
        await citizen.call("1", wait_answer=False)
        call = await seen.arrival()
        await call.answer()
        playing = asyncio.create_task(call.play(*[sound("tone2s")] * 20))
        await citizen.hears()
        playing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await playing
        # 40 s of tone were asked for: this can only be done by then if they were stopped.
        room = await switch.bridge()
        await asyncio.wait_for(room.add(call), 20)
        await room.destroy()


async def test_a_hang_up_while_playing_is_channel_gone(
    asterisk: MiniAsterisk, citizen: SipPhone, sound: Callable[[str], str]
) -> None:
    async with opened(asterisk.settings()) as (_, seen):
        await citizen.call("1", wait_answer=False)
        call = await seen.arrival()
        await call.answer()
        playing = asyncio.create_task(call.play(sound("tone2s")))
        await citizen.hears()
        citizen.bye()
        with pytest.raises(ChannelGone) as gone:
            await asyncio.wait_for(playing, 20)
        assert gone.value.hangup.reason is HangupReason.HANGUP
        with pytest.raises(ChannelGone):
            await call.play(sound("tone2s"))
        with pytest.raises(ChannelGone):
            await call.answer()


async def test_our_own_hang_up_while_playing_is_channel_gone_not_a_missing_sound(
    asterisk: MiniAsterisk, citizen: SipPhone, sound: Callable[[str], str]
) -> None:
    async with opened(asterisk.settings()) as (_, seen):
        await citizen.call("1", wait_answer=False)
        call = await seen.arrival()
        await call.answer()
        playing = asyncio.create_task(call.play(sound("tone2s")))
        await citizen.hears()
        await call.hangup()
        with pytest.raises(ChannelGone):
            await asyncio.wait_for(playing, 20)


async def test_digits_are_queued_from_the_arrival_on(asterisk: MiniAsterisk, citizen: SipPhone) -> None:
    async with opened(asterisk.settings()) as (_, seen):
        await citizen.call("1", wait_answer=False)
        call = await seen.arrival()
        await call.answer()
        await citizen.event("answered")
        await is_heard(call)
        citizen.digit("4")
        assert await asyncio.wait_for(call.digit(), 15) == "4"
        waiting = asyncio.create_task(call.digit())
        await asyncio.sleep(0)
        citizen.bye()
        with pytest.raises(ChannelGone):
            await asyncio.wait_for(waiting, 15)


async def test_a_bridge_waits_for_a_leg_that_is_not_in_the_application_yet(
    asterisk: MiniAsterisk, desk: SipPhone
) -> None:
    async with opened(asterisk.settings()) as (switch, _):
        room = await switch.bridge()
        for number in range(10):
            leg = await switch.leg("1001", channel_id=f"leg-{number}")
            await room.add(leg)  # Asterisk itself says 422 until the leg's StasisStart
            await leg.hangup()
            await leg.wait_gone()
        await room.destroy()


async def test_adding_a_leg_that_hung_up_says_so(asterisk: MiniAsterisk, desk: SipPhone) -> None:
    async with opened(asterisk.settings()) as (switch, _):
        room = await switch.bridge()
        leg = await switch.leg("1001", channel_id="leg-1")
        await leg.dial(10)
        await leg.wait_up()
        desk.bye()
        await leg.wait_gone()
        with pytest.raises(ChannelGone):
            await room.add(leg)
        await room.remove(leg)  # as good as removed
        await room.destroy()


async def test_ringing_and_variables_and_going_on_in_the_dialplan(
    asterisk: MiniAsterisk, citizen: SipPhone
) -> None:
    async with opened(asterisk.settings()) as (switch, seen):
        await citizen.call("1", wait_answer=False)
        call = await seen.arrival()
        await call.ring(True)
        await citizen.event("180")
        assert await call.variable("CHANNEL(language)") == "en"
        await call.go_on("trunk", "echo")
        await citizen.event("answered")  # by the dialplan
        await asyncio.wait_for(call.wait_gone(), 15)
        assert switch.channel(call.id) is None


async def is_heard(call: Channel) -> None:
    """Until Asterisk receives the phone's voice packets (only its counters tell)."""
    async with asyncio.timeout(10):
        while (await call.rtp()).rx < 3:
            await asyncio.sleep(0.02)
