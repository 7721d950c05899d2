"""The rendered configuration on a real Asterisk: no complaint at start, and nothing that need not be."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import aiohttp
import pytest

from asterisk_conf import modules_to_reload, needs_restart
from switch.process import sip_answers
from tests.live.asterisk_conf.exchange import SITE, Exchange
from tests.live.asterisk_conf.tone_phone import TonePhone


async def test_starts_without_a_complaint_and_small(tmp_path: Path, record_property: object) -> None:
    async with Exchange.run(tmp_path, demo=True) as exchange:
        shown = await exchange.rx("module show")
        memory = exchange.rss_kb()
        print(f"Asterisk: {memory} kB, {shown.strip().splitlines()[-1]}")
        assert exchange.complaints() == []
        not_running = [line for line in shown.splitlines() if ".so" in line and "Not Running" in line]
        assert not_running == []
        assert memory < 150_000
        endpoints = await exchange.rx("pjsip show endpoints")
        for name in ("1001", "1001-web", "1002", "1002-web", "citizen-web", "trunk-line"):
            assert f" {name} " in endpoints or f" {name}/" in endpoints, name
        # Everything is told to whom: SIP to the world, ARI with a password, browsers by WebSocket.
        assert await sip_answers("127.0.0.1", exchange.settings.sip_port)
        assert await answers_by_tcp(exchange.settings.sip_port)
        web = f"http://127.0.0.1:{exchange.settings.ari_port}"
        async with aiohttp.ClientSession() as session:
            async with session.get(f"{web}/ari/channels") as refused:
                assert refused.status == 401
            async with session.ws_connect(f"{web}/ws", protocols=("sip",)) as socket:
                assert socket.protocol == "sip"
        assert exchange.complaints() == []


async def answers_by_tcp(port: int) -> bool:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(
        f"OPTIONS sip:127.0.0.1:{port} SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bKtcp\r\n"
        f"From: <sip:probe@127.0.0.1>;tag=1\r\nTo: <sip:127.0.0.1:{port}>\r\nCall-ID: tcp\r\n"
        "CSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n".encode()
    )
    try:
        return (await asyncio.wait_for(reader.readline(), 10)).startswith(b"SIP/2.0 200")
    finally:
        writer.close()


@pytest.mark.req("NUM-1", "SEC-4")
async def test_only_the_sites_numbers_can_be_called(tmp_path: Path) -> None:
    async with Exchange.run(tmp_path) as exchange, exchange.citizen() as citizen:
        for number in ("0246229999", "1001", "s", "09099999999", "survival"):
            await citizen.call(number, wait_answer=False)
            answer = await citizen.event("failed")
            assert answer["first"].startswith("SIP/2.0 404"), number
        async with exchange.citizen() as other:  # the number as E.164
            await other.call("+81246221111")
            assert (await exchange.fact("arrived")).data["number"] == "0246221111"


@pytest.mark.req("SEC-4")
async def test_malformed_sip_is_outlived_in_silence(tmp_path: Path) -> None:
    async with Exchange.run(tmp_path) as exchange:
        port = exchange.settings.sip_port
        invite = (
            b"INVITE sip:0246221111@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bKx\r\n"
            b"From: <sip:1@127.0.0.1>;tag=1\r\nTo: <sip:0246221111@127.0.0.1>\r\nCall-ID: x\r\n"
            b"CSeq: 1 INVITE\r\nContact: <sip:1@127.0.0.1:9>\r\nMax-Forwards: 70\r\n"
        )
        broken = [
            b"\x00" * 100, os.urandom(1200), b"INVITE", b"INVITE sip: SIP/2.0\r\n\r\n",
            b"SIP/2.0 200 OK\r\n\r\n",
            invite.replace(b"CSeq: 1", b"CSeq: -99999999999999"), invite + b"Content-Length: 99999\r\n\r\n",
            invite.replace(b"\r\nVia", b"\r\nno header line\r\nVia") + b"\r\n",
            invite + b"Content-Type: application/sdp\r\nContent-Length: 8\r\n\r\nv=0\r\nm=x",
            b"REGISTER sip:127.0.0.1 SIP/2.0\r\n" + b"Via: SIP/2.0/UDP 127.0.0.1\r\n" * 40 + b"\r\n",
        ]  # fmt: skip
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            asyncio.DatagramProtocol, remote_addr=("127.0.0.1", port)
        )
        for datagram in broken * 3:
            transport.sendto(datagram)
        transport.close()
        for datagram in broken:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(datagram)
            writer.close()
        # It answers behind all that, a call goes through, and the log holds nothing of it.
        assert await sip_answers("127.0.0.1", port, timeout_s=10)
        async with exchange.citizen() as citizen:
            await citizen.call("0246221111")
        assert [c for c in exchange.complaints() if "app 'daihyo'" not in c] == []


@pytest.mark.req("SEC-4")
async def test_operators_phones_cannot_dial_and_names_open_no_door(tmp_path: Path) -> None:
    strangers = SITE.replace("addresses: [127.0.0.1]", "addresses: [192.0.2.1]")
    async with Exchange.run(tmp_path, strangers) as exchange:
        # Who is neither a trunk by address nor a phone by password is asked for a password.
        for name in ("trunk-line", "1001", "somebody", "citizen-web"):
            stranger = await TonePhone.open(exchange.settings.sip_port, name)
            await stranger.call("0246221111", wait_answer=False)
            answer = await stranger.event("failed")
            assert answer["first"].startswith("SIP/2.0 401"), name
            stranger.close()
        guesser = await TonePhone.open(exchange.settings.sip_port, "1001", "wrong")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(guesser.register(), 2)
        guesser.close()
        assert "survival" not in await exchange.rx("core show channels concise")


@pytest.mark.req("SEC-4")
async def test_ami_may_do_what_is_needed_and_no_more(tmp_path: Path) -> None:
    async with Exchange.run(tmp_path) as exchange:
        reader, writer = await asyncio.open_connection("127.0.0.1", exchange.settings.ami_port)

        async def ask(**fields: str) -> dict[str, str]:
            writer.write(("".join(f"{k}: {v}\r\n" for k, v in fields.items()) + "\r\n").encode())
            while True:
                block = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)).decode()
                lines = dict(line.split(": ", 1) for line in block.strip().splitlines() if ": " in line)
                if "Response" in lines:
                    return lines

        await reader.readline()
        keys = exchange.secrets
        login = await ask(Action="Login", Username=keys.ami_user, Secret=keys.ami_password)
        assert login["Response"] == "Success"
        assert (await ask(Action="Reload", Module="res_pjsip.so"))["Response"] == "Success"
        forbidden = (
            {"Action": "Command", "Command": "core show version"},
            {"Action": "Originate", "Channel": "PJSIP/1001", "Application": "Hangup", "Data": "16"},
            {"Action": "UpdateConfig", "SrcFilename": "ari.conf", "DstFilename": "ari.conf"},
        )
        for action in forbidden:
            answer = await ask(**action)
            assert answer["Response"] == "Error", action
            assert "ermission" in answer["Message"]
        writer.close()


async def test_a_call_makes_no_ami_event_that_nobody_reads(tmp_path: Path) -> None:
    """With a session connected Asterisk writes out every event it has; a phone's contact must be told."""
    async with Exchange.run(tmp_path) as exchange:
        reader, writer = await asyncio.open_connection("127.0.0.1", exchange.settings.ami_port)
        keys = exchange.secrets
        login = f"Action: Login\r\nUsername: {keys.ami_user}\r\nSecret: {keys.ami_password}\r\n\r\n"
        writer.write(login.encode())
        await asyncio.wait_for(reader.readuntil(b"Response: Success"), 10)
        async with exchange.phone("1001") as phone, exchange.citizen() as citizen:
            await citizen.call("0246221111")
            await citizen.hears_tone(1000)
            citizen.bye()
            await phone.event("bye")
        await exchange.fact("ended")
        shown = await exchange.rx("manager show eventq")
        made = {line.removeprefix("Event: ").strip() for line in shown.splitlines() if "Event: " in line}
        writer.close()
        assert "ContactStatus" in made
        of_each_call = {
            "Newchannel", "Newexten", "Newstate", "NewConnectedLine", "NewCallerid", "VarSet", "Hangup",
            "HangupRequest", "SoftHangupRequest", "BridgeCreate", "BridgeEnter", "BridgeLeave",
            "BridgeDestroy", "DialBegin", "DialState", "DialEnd", "MixMonitorStart", "MixMonitorStop",
        }  # fmt: skip
        assert made & of_each_call == set()


@pytest.mark.req("ADM-1")
async def test_operators_come_and_go_by_reload_while_a_call_lives(tmp_path: Path) -> None:
    async with (
        Exchange.run(tmp_path) as exchange,
        exchange.phone("1001") as phone,
        exchange.citizen() as citizen,
    ):
        await citizen.call("0246221111")
        await citizen.hears_tone(1000)
        changed = exchange.configure(SITE.replace('"1002"', '"1003"'))
        assert needs_restart(changed) == []
        modules = modules_to_reload(changed)
        assert set(modules) == {"res_pjsip.so", "app_queue.so"}
        for module in modules:
            await exchange.rx(f"module reload {module}")
        async with exchange.phone("1003"):
            gone = await TonePhone.open(exchange.settings.sip_port, "1002", "gone")
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(gone.register(), 1)
            gone.close()
            queue = await exchange.rx("queue show survival")
            assert "1003 (PJSIP/1003)" in queue
            assert "1002" not in queue
            # The conversation that was going on goes on, both ways.
            citizen.heard.clear()
            phone.heard.clear()
            await citizen.hears_tone(1000)
            await phone.hears_tone(440)
        assert [name for name, _ in citizen.seen if name == "bye"] == []
        citizen.bye()
        assert (await exchange.fact("ended")).data["by"] == "caller"
        # What is meant to be complained of: the absent application, the phone that is no more.
        expected = ("app 'daihyo'", "no configured AORs")
        assert [c for c in exchange.complaints() if not any(word in c for word in expected)] == []
