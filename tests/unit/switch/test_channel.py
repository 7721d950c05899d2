"""A channel's facts and waits, with the exchange played by the test."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from switch import channel as channels
from switch.api import ChannelGone, Hangup, HangupReason, NotFound, Refused, SwitchError
from switch.bridge import AriBridge
from switch.channel import AriChannel


class Exchange:
    """Answers every request at once unless `answer` says otherwise; remembers what was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, dict[str, str] | None, str]] = []
        self.answer: Callable[[str, str], Any] = lambda method, uri: None
        self.playbacks: dict[str, asyncio.Future[str]] = {}
        self.work: list[asyncio.Task[Any]] = []
        self._number = 0

    async def request(
        self,
        method: str,
        uri: str,
        query: dict[str, str] | None = None,
        *,
        body: object = None,
        lane: str = "auto",
    ) -> Any:
        self.asked.append((method, uri, query, lane))
        return self.answer(method, uri)

    def new_id(self, kind: str) -> str:
        self._number += 1
        return f"{kind}-{self._number}"

    def playback(self, playback_id: str, finished: asyncio.Future[str] | None) -> None:
        if finished is None:
            self.playbacks.pop(playback_id, None)
        else:
            self.playbacks[playback_id] = finished

    def later(self, work: Coroutine[Any, Any, Any]) -> None:
        self.work.append(asyncio.get_running_loop().create_task(work))


@pytest.fixture
def exchange() -> Exchange:
    return Exchange()


@pytest.fixture
def channel(exchange: Exchange) -> AriChannel:
    channel = AriChannel(exchange, "c-1")
    channel.describe(
        {"id": "c-1", "name": "PJSIP/trunk-1", "state": "Ring", "caller": {"number": "0312345678"}}
    )
    channel.started(("arrival", "0246221111"))
    return channel


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def test_what_an_arrival_tells(channel: AriChannel) -> None:
    assert (channel.caller, channel.dialled, channel.args) == (
        "0312345678",
        "0246221111",
        ("arrival", "0246221111"),
    )
    assert channel.in_application
    assert not channel.up


@pytest.mark.parametrize("number", ["", "anonymous", "Anonymous", "unknown"])
def test_a_withheld_number_is_none(exchange: Exchange, number: str) -> None:
    channel = AriChannel(exchange, "c-1")
    channel.describe({"id": "c-1", "caller": {"number": number}})
    assert channel.caller is None


def test_a_number_that_may_not_be_shown_is_none(exchange: Exchange) -> None:
    channel = AriChannel(exchange, "c-1")
    channel.describe({"id": "c-1", "caller": {"number": "0312345678"}})
    channel.started(("arrival", "0246221111", "prohib_passed_screen"))
    assert channel.caller is None


async def test_gone_calls_back_once_and_ends_every_wait(channel: AriChannel) -> None:
    told: list[Hangup] = []
    channel.on_gone(told.append)
    waits = [asyncio.create_task(wait) for wait in (channel.wait_up(), channel.digit())]
    gone = asyncio.create_task(channel.wait_gone())
    await settle()
    channel.end({"cause": 17, "tech_cause": 486})
    channel.end({"cause": 16})
    assert [(hangup.cause, hangup.tech_cause) for hangup in told] == [(17, 486)]
    for wait in waits:
        with pytest.raises(ChannelGone):
            await wait
    assert (await gone).cause == 17
    late: list[Hangup] = []
    channel.on_gone(late.append)
    assert late == told
    assert not channel.in_application


async def test_ringing_is_told_once_it_rings_and_by_an_answer_too(exchange: Exchange) -> None:
    for told, rings in (("Ringing", True), ("Up", False)):
        leg = AriChannel(exchange, f"leg-{told}")
        waiting = asyncio.create_task(leg.wait_ringing())
        leg.state("Down")
        await settle()
        assert not waiting.done()
        leg.state(told)
        await waiting
        assert leg.rings is rings
    leg = AriChannel(exchange, "leg-refused")
    waiting = asyncio.create_task(leg.wait_ringing())
    await settle()
    leg.end({"cause": 17, "tech_cause": 486})
    with pytest.raises(ChannelGone):
        await waiting
    assert not leg.rings


async def test_the_end_after_our_own_hang_up_carries_our_cause(channel: AriChannel) -> None:
    await channel.hangup("busy")
    channel.end({})
    assert channel.hangup_info is not None
    assert channel.hangup_info.cause == 17
    with pytest.raises(ValueError, match="none of"):
        await AriChannel(Exchange(), "c-2").hangup("tired")


async def test_hanging_up_what_is_gone_is_no_error(exchange: Exchange, channel: AriChannel) -> None:
    def gone(method: str, uri: str) -> None:
        raise NotFound("404")

    exchange.answer = gone
    await channel.hangup()
    channel.end({})
    await channel.hangup()
    assert len(exchange.asked) == 1


@pytest.mark.parametrize("settles_s", [0.0, 60.0])
async def test_a_transfer_key_is_not_answered_before_asterisk_is_ready_for_the_answer(
    exchange: Exchange, channel: AriChannel, monkeypatch: pytest.MonkeyPatch, settles_s: float
) -> None:
    monkeypatch.setattr(channels, "KEY_SETTLES_S", settles_s)
    channel.transfer_pressed()
    telling = asyncio.create_task(channel.transfer_told(False))
    await settle()
    assert telling.done() is not bool(settles_s)
    told = [("POST", "channels/c-1/transfer_progress", {"states": "channel_declined"}, "auto")]
    assert exchange.asked == ([] if settles_s else told)
    telling.cancel()


async def test_digits_keep_their_order_and_a_cancelled_wait_loses_none(channel: AriChannel) -> None:
    channel.dtmf("1")
    channel.dtmf("2")
    assert [await channel.digit(), await channel.digit()] == ["1", "2"]
    waiting = asyncio.create_task(channel.digit())
    await settle()
    channel.dtmf("3")  # arrives in the same turn in which the wait is given up
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert await channel.digit() == "3"


async def test_a_playback_that_ends_before_its_answer_is_not_lost(
    exchange: Exchange, channel: AriChannel
) -> None:
    def outrun(method: str, uri: str) -> None:
        for finished in exchange.playbacks.values():
            finished.set_result("done")

    exchange.answer = outrun
    await asyncio.wait_for(channel.play("sound:a", "sound:b"), 5)
    assert exchange.asked[0][2] == {"media": "sound:a,sound:b", "playbackId": "p-1"}
    assert exchange.playbacks == {}


async def test_a_cancelled_playback_is_stopped(exchange: Exchange, channel: AriChannel) -> None:
    playing = asyncio.create_task(channel.play("sound:a"))
    await settle()
    playing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await playing
    await asyncio.gather(*exchange.work)
    assert exchange.asked[-1][:2] == ("DELETE", "playbacks/p-1")


async def test_a_failed_playback_is_an_error_that_names_the_sound(
    exchange: Exchange, channel: AriChannel
) -> None:
    playing = asyncio.create_task(channel.play("sound:missing"))
    await settle()
    exchange.playbacks["p-1"].set_result("failed")
    with pytest.raises(SwitchError, match="sound:missing"):
        await playing


async def test_a_refusal_because_the_leg_is_gone_says_why(exchange: Exchange, channel: AriChannel) -> None:
    def refuse(method: str, uri: str) -> None:
        raise Refused("409")

    exchange.answer = refuse
    asking = asyncio.create_task(channel.answer())
    await settle()
    channel.gone(Hangup(HangupReason.HANGUP, 16))  # the reason comes after the refusal
    with pytest.raises(ChannelGone):
        await asking


async def test_a_refusal_for_another_reason_stays_a_refusal(exchange: Exchange, channel: AriChannel) -> None:
    def refuse(method: str, uri: str) -> None:
        raise Refused("409")

    exchange.answer = refuse
    with pytest.raises(Refused):
        await channel.answer()


async def test_a_bridge_asks_only_when_every_leg_is_in_the_application(exchange: Exchange) -> None:
    leg = AriChannel(exchange, "leg-1")
    room = AriBridge(exchange, "b-1")
    adding = asyncio.create_task(room.add(leg))
    await settle()
    assert exchange.asked == []
    leg.started(("leg",))
    await adding
    assert exchange.asked == [("POST", "bridges/b-1/addChannel", {"channel": "leg-1"}, "auto")]


async def test_what_waits_for_a_channel_that_may_play_keeps_off_the_socket(
    exchange: Exchange, channel: AriChannel
) -> None:
    channel.adopted()  # a dead engine may have begun something on it
    await AriBridge(exchange, "b-1").add(channel)
    await AriBridge(exchange, "b-1").remove(channel)
    playing = asyncio.create_task(channel.play("sound:a"))
    await settle()
    await channel.answer()
    exchange.playbacks["p-1"].set_result("done")
    await playing
    lanes = [(uri.rpartition("/")[2], lane) for _, uri, _, lane in exchange.asked]
    assert lanes == [("addChannel", "http"), ("removeChannel", "auto"), ("play", "auto"), ("answer", "http")]


async def played(exchange: Exchange) -> str:
    """The id of the playback that was begun."""
    await settle()
    [playback] = exchange.playbacks
    return playback


@pytest.mark.req("IVR-1")
async def test_a_digit_stops_what_is_played_and_is_not_lost(channel: AriChannel, exchange: Exchange) -> None:
    playing = asyncio.create_task(channel.play("sound:menu", until_digit=True))
    playback = await played(exchange)
    channel.dtmf("2")
    channel.dtmf("3")
    assert await playing == "2"
    assert ("DELETE", f"playbacks/{playback}", None, "auto") in exchange.asked
    assert await channel.digit() == "3"


@pytest.mark.req("IVR-1")
async def test_a_digit_that_came_before_is_not_preceded_by_the_sound(
    channel: AriChannel, exchange: Exchange
) -> None:
    channel.dtmf("5")
    assert await channel.play("sound:menu", until_digit=True) == "5"
    assert not exchange.asked


@pytest.mark.req("IVR-1")
async def test_a_digit_within_an_announcement_stops_nothing_and_can_be_forgotten(
    channel: AriChannel, exchange: Exchange
) -> None:
    playing = asyncio.create_task(channel.play("sound:notice"))
    playback = await played(exchange)
    channel.dtmf("5")
    await settle()
    assert not playing.done()
    exchange.playbacks[playback].set_result("done")
    assert await playing is None
    channel.forget_digits()
    waiting = asyncio.create_task(channel.digit())
    await settle()
    assert not waiting.done()
    channel.dtmf("6")
    assert await waiting == "6"


async def test_a_hang_up_while_a_digit_is_awaited_in_a_sound(channel: AriChannel, exchange: Exchange) -> None:
    playing = asyncio.create_task(channel.play("sound:menu", until_digit=True))
    await played(exchange)
    channel.end({"cause": 16})
    with pytest.raises(ChannelGone):
        await playing
