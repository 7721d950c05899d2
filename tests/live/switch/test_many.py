"""Many calls at once: every end is told once, and nothing is left behind."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest

from switch import Channel, ChannelGone, Hangup, Switch
from tests.live.support.mini_asterisk import PHONE_PASSWORD, MiniAsterisk
from tests.live.support.sip_phone import SipPhone
from tests.live.switch.conftest import Watched, opened

DESKS, CALLS, ROUNDS = 6, 6, 4


class Tally:
    """Who was told what, how often."""

    def __init__(self) -> None:
        self.ends: dict[str, int] = {}

    def follow(self, channel: Channel) -> None:
        self.ends[channel.id] = 0
        channel.on_gone(lambda hangup: self._end(channel.id, hangup))

    def _end(self, channel_id: str, _: Hangup) -> None:
        self.ends[channel_id] += 1


async def one_call(
    switch: Switch, call: Channel, desk: SipPhone, citizens: dict[str, SipPhone], tally: Tally, leg_id: str
) -> None:
    """From arrival to end; who hangs up, and when, is drawn."""
    tally.follow(call)
    room = await switch.bridge()
    try:
        await call.answer()
        leg = await switch.leg(desk.user, channel_id=leg_id)
        tally.follow(leg)
        await leg.dial(10)
        await leg.wait_up()
        await room.add(call, leg)
        await asyncio.sleep(random.random() * 0.3)
        match random.randrange(4):
            case 0:
                desk.bye()
            case 1:
                citizens[call.caller or ""].bye()
            case 2:
                await leg.hangup()
            case _:
                await asyncio.gather(leg.hangup(), call.hangup())
        await asyncio.wait({asyncio.create_task(leg.wait_gone()), asyncio.create_task(call.wait_gone())},
                           return_when=asyncio.FIRST_COMPLETED)  # fmt: skip
        await asyncio.gather(leg.hangup(), call.hangup())
        await asyncio.gather(leg.wait_gone(), call.wait_gone())
    except ChannelGone:
        await call.hangup()
        await call.wait_gone()
    finally:
        await room.destroy()


@pytest.mark.req("ACD-1")
async def test_many_calls_end_once_each_and_leave_nothing(tmp_path: Path) -> None:
    random.seed(20261121)
    mini = MiniAsterisk(tmp_path, tuple(f"10{number:02}" for number in range(DESKS)))
    await mini.start()
    phones: list[SipPhone] = []
    try:
        async with opened(mini.settings(heartbeat_s=5.0)) as (switch, seen):
            desks = [await SipPhone.open(mini.sip_port, name, PHONE_PASSWORD) for name in mini.endpoints]
            phones += desks
            for desk in desks:
                await desk.register()
            tally = Tally()
            for number in range(ROUNDS):
                phones += await a_round(mini, switch, seen, desks, tally, number)
            assert len(tally.ends) == 2 * CALLS * ROUNDS
            assert set(tally.ends.values()) == {1}
            assert seen.lost.empty()
            assert all(switch.channel(name) is None for name in tally.ends)
        async with opened(mini.settings()) as (_, after):
            snapshot = await after.snapshot()
            assert (snapshot.channels, snapshot.bridges) == ((), ())
    finally:
        for phone in phones:
            phone.close()
        mini.kill()


async def a_round(
    mini: MiniAsterisk, switch: Switch, seen: Watched, desks: list[SipPhone], tally: Tally, number: int
) -> list[SipPhone]:
    """CALLS citizens call at once and each reaches a desk of its own."""
    citizens = {}
    for caller in range(CALLS):
        phone = await SipPhone.open(mini.sip_port, f"03{number:04}{caller:04}")
        citizens[phone.user] = phone
        await phone.call("1", wait_answer=False)
    calls = [await seen.arrival() for _ in citizens]
    async with asyncio.timeout(60):
        await asyncio.gather(
            *(
                one_call(switch, call, desk, citizens, tally, f"leg-{number}-{desk.user}")
                for call, desk in zip(calls, desks, strict=True)
            )
        )
    for desk in desks:
        desk.in_call = False
    return list(citizens.values())
