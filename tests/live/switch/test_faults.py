"""What the switch does when the network, Asterisk or another engine gets in its way (real Asterisk)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import aiohttp
import pytest

from switch import HangupReason, SwitchError, SwitchGone
from tests.live.support.mini_asterisk import ARI_PASSWORD, ARI_USER, PHONE_PASSWORD, MiniAsterisk
from tests.live.support.sip_phone import SipPhone
from tests.live.support.tcp_proxy import TcpProxy
from tests.live.switch.conftest import opened


@pytest.mark.req("REL-1")
async def test_a_dropped_connection_comes_back_with_the_call_as_it_was(
    asterisk: MiniAsterisk, desk: SipPhone, citizen: SipPhone, sound: Callable[[str], str]
) -> None:
    async with asyncio.timeout(90), TcpProxy(asterisk.http_port) as proxy:
        settings = asterisk.settings(ari_url=f"http://127.0.0.1:{proxy.port}/ari")
        async with opened(settings) as (switch, seen):
            assert (await seen.snapshot()).channels == ()
            await citizen.call("1", wait_answer=False)
            call = await seen.arrival()
            await call.answer()
            leg = await switch.leg("1001", channel_id="leg-1")
            await leg.dial(10)
            await leg.wait_up()
            room = await switch.bridge()
            await room.add(call, leg)
            waiting = asyncio.create_task(leg.wait_gone())

            assert seen.log == ["connected", f"arrival {call.id}"]  # nothing was lost before
            proxy.cut()
            await seen.disconnected()
            assert not switch.connected
            with pytest.raises(SwitchGone):
                await call.answer()
            snapshot = await seen.snapshot()
            assert {id(channel) for channel in snapshot.channels} == {id(call), id(leg)}
            assert [(found.bridge.id, set(found.channel_ids)) for found in snapshot.bridges] == [
                (room.id, {call.id, leg.id})
            ]
            assert seen.arrivals.empty()  # a call that goes on is not a new one
            assert not waiting.done()  # what is waited for stays true through a reconnect
            await citizen.hears(5)

            desk.bye()
            assert (await asyncio.wait_for(waiting, 15)).reason is HangupReason.HANGUP
            await snapshot.bridges[0].bridge.destroy()
            await call.play(sound("tone100ms"))


@pytest.mark.req("REL-1")
async def test_what_ended_and_what_came_while_we_were_away(
    asterisk: MiniAsterisk, desk: SipPhone, citizen: SipPhone
) -> None:
    async with TcpProxy(asterisk.http_port) as proxy:
        settings = asterisk.settings(
            ari_url=f"http://127.0.0.1:{proxy.port}/ari", request_timeout_s=0.5, heartbeat_s=1.0
        )
        async with opened(settings) as (switch, seen):
            await seen.snapshot()
            leg = await switch.leg("1001", channel_id="leg-1")
            await leg.dial(10)
            await leg.wait_up()
            await citizen.call("1", wait_answer=False)
            waiting_call = await seen.arrival()

            proxy.black_hole()  # Asterisk still thinks we listen: these events are lost
            desk.bye()
            late = await SipPhone.open(asterisk.sip_port, "0399999999")
            await late.call("2", wait_answer=False)
            await seen.disconnected(15)
            proxy.heal()
            snapshot = await seen.snapshot()
            assert leg.hangup_info is not None
            assert leg.hangup_info.reason is HangupReason.FOUND_ENDED
            assert waiting_call in snapshot.channels
            others = [channel for channel in snapshot.channels if channel is not waiting_call]
            assert [(channel.caller, channel.dialled, channel.args[:1]) for channel in others] == [
                ("0399999999", "2", ("arrival",))
            ]
            await others[0].answer()
            await late.event("answered")
            assert seen.arrivals.empty()
            late.close()


async def test_a_silent_network_is_noticed_within_two_heartbeats(asterisk: MiniAsterisk) -> None:
    async with TcpProxy(asterisk.http_port) as proxy:
        settings = asterisk.settings(ari_url=f"http://127.0.0.1:{proxy.port}/ari", heartbeat_s=1.0)
        async with opened(settings) as (switch, seen):
            proxy.black_hole()
            # The goal is 2 heartbeats; the bound below only tells it from the 40 s without a heartbeat.
            await seen.disconnected(30)
            assert not switch.connected


@pytest.mark.req("REL-3")
async def test_asterisk_killed_and_started_again(asterisk: MiniAsterisk, citizen: SipPhone) -> None:
    async with opened(asterisk.settings()) as (switch, seen):
        first = await seen.snapshot()
        await citizen.call("1", wait_answer=False)
        call = await seen.arrival()
        gone = asyncio.create_task(call.wait_gone())
        asterisk.kill()
        await seen.disconnected()
        assert not gone.done()  # we cannot know yet: it may have been the network
        await asterisk.start()
        snapshot = await seen.snapshot()
        assert snapshot.channels == ()
        assert snapshot.switch_started > first.switch_started
        assert (await asyncio.wait_for(gone, 15)).reason is HangupReason.SWITCH_RESTARTED
        assert seen.log.count("connected") == 2
        again = await SipPhone.open(asterisk.sip_port, "0388888888")
        await again.call("3", wait_answer=False)
        assert (await seen.arrival()).caller == "0388888888"
        assert switch.connected
        again.close()


async def test_asterisk_stopped_in_order_and_started_again(asterisk: MiniAsterisk) -> None:
    async with opened(asterisk.settings()) as (switch, seen):
        await seen.snapshot()
        asterisk.stop()
        await seen.disconnected()
        await asterisk.start()
        await seen.snapshot()
        assert await switch.ping() > 0


async def test_another_engine_takes_over_and_we_do_not_fight(asterisk: MiniAsterisk) -> None:
    async with opened(asterisk.settings()) as (ours, seen):
        await seen.snapshot()
        async with opened(asterisk.settings()) as (theirs, other):
            await seen.disconnected()
            with pytest.raises(SwitchGone, match="another engine took over"):
                await ours.bridge()
            with pytest.raises(SwitchError, match="another engine took over"):
                await asyncio.wait_for(ours.wait_connected(), 15)
            citizen = await SipPhone.open(asterisk.sip_port, "0377777777")
            await citizen.call("4", wait_answer=False)
            assert (await other.arrival()).dialled == "4"
            assert theirs.connected
            assert other.lost.empty()
            assert seen.arrivals.empty()
            citizen.close()


async def test_a_program_that_is_busy_for_seconds_is_not_cut_off_and_misses_nothing(
    asterisk: MiniAsterisk,
) -> None:
    async with opened(asterisk.settings(heartbeat_s=5.0)) as (switch, seen):
        await seen.snapshot()
        phones = [await SipPhone.open(asterisk.sip_port, f"03000000{number:02}") for number in range(12)]
        for phone in phones:
            await phone.call("5", wait_answer=False)
        time.sleep(2.5)  # noqa: ASYNC251 (the whole loop stands still, reader included, while events pour in)
        callers = {(await seen.arrival()).caller for _ in phones}
        assert callers == {phone.user for phone in phones}
        assert switch.connected
        assert seen.lost.empty()
        for phone in phones:
            phone.close()


async def test_a_callback_that_fails_makes_nobody_deaf(asterisk: MiniAsterisk, citizen: SipPhone) -> None:
    async with opened(asterisk.settings()) as (_, seen):
        calls = 0

        def bad(channel: object) -> None:
            nonlocal calls
            calls += 1
            raise RuntimeError("a mistake in the engine")

        await citizen.call("1", wait_answer=False)
        call = await seen.arrival()
        call.on_gone(bad)  # type: ignore[arg-type]
        told: list[object] = []
        call.on_gone(told.append)
        citizen.cancel()
        await asyncio.wait_for(call.wait_gone(), 15)
        assert calls == 1
        assert len(told) == 1


@pytest.mark.req("REL-1")
async def test_a_new_engine_finds_the_calls_of_a_dead_one(
    asterisk: MiniAsterisk, desk: SipPhone, citizen: SipPhone
) -> None:
    async with opened(asterisk.settings()) as (switch, seen):
        await citizen.call("0246221111", wait_answer=False)
        call = await seen.arrival()
        await call.answer()
        leg = await switch.leg("1001", channel_id="leg-1")
        await leg.dial(10)
        await leg.wait_up()
        room = await switch.bridge()
        await room.add(call, leg)
        stray = await switch.leg("1001", channel_id="leg-2")  # asked for, never rung
        async with asyncio.timeout(10):
            while not stray.in_application:  # one that enters later meets the new engine as a stranger
                await asyncio.sleep(0.01)
    async with opened(asterisk.settings()) as (switch, seen):
        snapshot = await seen.snapshot()
        found = {channel.id: channel for channel in snapshot.channels}
        assert set(found) == {call.id, leg.id, stray.id}
        adopted = found[call.id]
        assert adopted.up
        assert adopted.in_application
        assert (adopted.caller, adopted.args[:2]) == ("0312345678", ("arrival", "0246221111"))
        assert found[leg.id].args == ("leg",)
        assert not found[stray.id].up
        await found[stray.id].hangup()
        assert (await asyncio.wait_for(found[stray.id].wait_gone(), 15)).reason is HangupReason.HANGUP
        desk.bye()
        assert (await asyncio.wait_for(found[leg.id].wait_gone(), 15)).cause == 16


async def test_a_wrong_password_is_said_without_saying_it(
    asterisk: MiniAsterisk, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(TimeoutError):
        async with opened(asterisk.settings(ari_password="wrong-secret"), connect_s=3):
            pass
    assert any("check the ARI user and password" in record.message for record in caplog.records)
    assert "wrong-secret" not in caplog.text


@pytest.mark.req("OPR-1")
async def test_phones_are_known_to_be_reachable_or_not(asterisk: MiniAsterisk, desk: SipPhone) -> None:
    async with opened(asterisk.settings()) as (switch, seen):
        await seen.phone("1001", True)
        await seen.phone("1002", False)
        assert switch.phone_reachable("1001")
        second = await SipPhone.open(asterisk.sip_port, "1002", PHONE_PASSWORD)
        await second.register()
        await seen.phone("1002", True)
        # The same phone from a new address (a page reloaded): reachable all along.
        moved = await SipPhone.open(asterisk.sip_port, "1002", PHONE_PASSWORD)
        await moved.register()
        await second.register(0)
        await moved.register(0)
        await seen.phone("1002", False)
        await switch.watch(("1001",))
        assert switch.phone_reachable("1001")
        assert not switch.phone_reachable("1002")
        second.close()
        moved.close()


@pytest.mark.req("OPR-1")
async def test_a_browser_phone_whose_socket_closes_is_unreachable(asterisk: MiniAsterisk) -> None:
    async with opened(asterisk.settings()) as (_, seen):
        async with aiohttp.ClientSession() as session:
            phone = await SipPhone.open(asterisk.sip_port, "1001", PHONE_PASSWORD)
            socket = await session.ws_connect(f"http://127.0.0.1:{asterisk.http_port}/ws", protocols=("sip",))
            await phone.register_over(socket)
            await seen.phone("1001", True)
            await socket.close()
            await seen.phone("1001", False)
            phone.close()


async def test_without_ami_calls_and_phones_go_on_and_reload_says_why(
    asterisk: MiniAsterisk, desk: SipPhone, citizen: SipPhone
) -> None:
    async with TcpProxy(1) as nothing:  # port 1: nobody listens, every connection is reset at once
        settings = asterisk.settings(ami_port=nothing.port, heartbeat_s=2.0)
        async with opened(settings) as (switch, seen):
            await seen.phone("1001", True)
            await citizen.call("1", wait_answer=False)
            await (await seen.arrival()).answer()
            with pytest.raises(SwitchGone, match="AMI"):
                await switch.reload("res_pjsip.so")
            await desk.register(0)
            await seen.phone("1001", False)


async def test_reload_through_ami_and_what_it_refuses(asterisk: MiniAsterisk) -> None:
    async with opened(asterisk.settings()) as (switch, seen):
        await ami_up(switch)
        configuration = asterisk.folder / "etc/pjsip.conf"
        text = configuration.read_text().replace("[1002]", "[1003]")
        configuration.write_text(text.replace("auth=1002", "auth=1003").replace("aors=1002", "aors=1003"))
        await switch.reload("res_pjsip.so")
        await switch.watch(("1003",))
        await seen.phone("1003", False)
        assert "1003" in asterisk.cli("pjsip show endpoints")
        with pytest.raises(ValueError, match="Module"):
            await switch.reload("res_pjsip.so\r\nAction: Command")
        with pytest.raises(SwitchError, match="Reload"):
            await switch.reload("no_such_module.so")


async def test_a_silent_ami_is_noticed_and_comes_back(asterisk: MiniAsterisk, citizen: SipPhone) -> None:
    async with TcpProxy(asterisk.ami_port) as proxy:
        settings = asterisk.settings(ami_port=proxy.port, heartbeat_s=2.0, request_timeout_s=1.0)
        async with opened(settings) as (switch, seen):
            await ami_up(switch)
            proxy.black_hole()
            with pytest.raises(SwitchGone, match="AMI"):
                await switch.reload("res_musiconhold.so")  # not sent again when it is back
            await citizen.call("1", wait_answer=False)
            await (await seen.arrival()).answer()
            proxy.heal()
            await ami_up(switch)
            assert seen.lost.empty()


async def test_a_lane_that_is_held_up_does_not_hold_up_the_others(
    asterisk: MiniAsterisk, citizen: SipPhone, sound: Callable[[str], str]
) -> None:
    """Asterisk works off one socket's requests one by one, and a bridge waits for a channel that plays."""
    async with opened(asterisk.settings()) as (switch, seen):
        await citizen.call("1", wait_answer=False)
        call = await seen.arrival()
        await call.answer()
        playing = asyncio.create_task(call.play(sound("tone2s")))
        await citizen.hears()
        room = await switch.bridge()
        adding = asyncio.create_task(room.add(call))
        other = await switch.bridge()
        await other.destroy()
        assert not playing.done()
        await asyncio.wait_for(asyncio.gather(playing, adding), 10)


async def ami_up(switch: object) -> None:
    """Until AMI has logged in (reload works)."""
    async with asyncio.timeout(10):
        while True:
            try:
                await switch.reload("res_musiconhold.so")  # type: ignore[attr-defined]
                return
            except SwitchGone:
                await asyncio.sleep(0.05)


async def test_ari_answers_are_not_lost_to_the_event_filter(asterisk: MiniAsterisk) -> None:
    """Asterisk filters the answers of requests on the socket like events: they must be allowed."""
    async with opened(asterisk.settings()):
        async with aiohttp.ClientSession(
            headers={"Authorization": aiohttp.encode_basic_auth(ARI_USER, ARI_PASSWORD)}
        ) as session:
            async with session.get(f"{asterisk.ari_url}/applications/daihyo") as answer:
                application = await answer.json()
        allowed = {entry["type"] for entry in application["events_allowed"]}
        assert "RESTResponse" in allowed
        assert "ChannelVarset" not in allowed
        assert application["endpoint_ids"] == []
