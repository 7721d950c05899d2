"""Asterisk alone: citizens are greeted, reach an operator, are recorded, and it can be read afterwards."""

from __future__ import annotations

from pathlib import Path

import aiohttp
import numpy as np
import pytest
import soundfile

from tests.live.asterisk_conf.exchange import GREETING_HZ, MUSIC_HZ, NOTICE_HZ, Exchange
from tests.live.asterisk_conf.tone_phone import RATE, share

MINE = ("arrived", "queued", "answered", "ended")


@pytest.mark.req("REL-2", "REC-1", "HRS-4")
async def test_a_citizen_is_greeted_reaches_an_operator_and_is_recorded(tmp_path: Path) -> None:
    async with Exchange.run(tmp_path) as exchange, exchange.phone("1001", policy="ring") as phone:
        async with exchange.citizen("09012345678", hertz=440) as citizen:
            await citizen.call("0246221111")
            await citizen.hears_tone(GREETING_HZ)
            await citizen.hears_tone(NOTICE_HZ)
            await phone.event("invite")
            await citizen.hears_tone(MUSIC_HZ)
            phone.answer()
            await citizen.hears_tone(1000)
            await phone.hears_tone(440)
            await citizen.hears(100)  # two seconds of talk
            citizen.bye()
            await phone.event("bye")
        ended = await exchange.fact("ended")
        facts = exchange.facts()
        assert [fact.kind for fact in facts] == list(MINE)
        assert len({fact.call for fact in facts}) == 1
        assert [fact.at for fact in facts] == sorted(fact.at for fact in facts)
        assert facts[0].data["number"] == "0246221111"
        assert facts[0].data["caller"] == "09012345678"
        assert facts[1].data["queue"] == "main"
        assert (facts[2].data["operator"], facts[2].data["phone"]) == ("1001", "desk")
        assert (ended.data["by"], ended.data["cause"]) == ("caller", 16)

        call = facts[0].call
        spool = exchange.settings.spool
        assert sorted(path.name for path in spool.glob("*.wav")) == [f"{call}-in.wav", f"{call}-out.wav"]
        heard, rate = soundfile.read(spool / f"{call}-in.wav")
        said, _ = soundfile.read(spool / f"{call}-out.wav")
        assert rate == RATE
        # Each side by itself, of one length, as long as the talk: no greeting, no music.
        assert share(heard, 440) > 0.9
        assert share(said, 1000) > 0.9
        assert share(said, MUSIC_HZ) < 0.01
        assert share(said, NOTICE_HZ) < 0.01
        assert abs(len(heard) - len(said)) <= RATE * 0.04
        talk_s = (ended.at - facts[2].at).total_seconds()
        assert abs(len(said) / RATE - talk_s) < 0.5


@pytest.mark.req("REL-2", "NUM-7")
async def test_the_operator_hangs_up_and_a_withheld_number_stays_unknown(tmp_path: Path) -> None:
    async with Exchange.run(tmp_path) as exchange, exchange.phone("1002") as phone:
        async with exchange.citizen("09012345678") as citizen:
            citizen.extra = {
                "P-Asserted-Identity": "<sip:09012345678@127.0.0.1>",
                "Privacy": "id",
            }
            await citizen.call("0246221111")
            await phone.hears_tone(440)
            phone.bye()
            await citizen.event("bye")
        ended = await exchange.fact("ended")
        assert ended.data["by"] == "operator"
        assert (await exchange.fact("arrived")).data["caller"] is None
        assert (await exchange.fact("answered")).data["operator"] == "1002"


@pytest.mark.req("REL-2", "ACD-3")
async def test_a_second_citizen_waits_until_an_operator_is_free(tmp_path: Path) -> None:
    async with Exchange.run(tmp_path) as exchange, exchange.phone("1001") as phone:
        async with exchange.citizen("0901") as first, exchange.citizen("0902") as second:
            await first.call("0246221111")
            await first.hears_tone(1000)
            await second.call("0246221111")
            await second.hears_tone(MUSIC_HZ)
            assert [name for name, _ in phone.seen].count("invite") == 1  # the busy phone is not rung
            first.bye()
            await second.hears_tone(1000, timeout_s=40)
            second.bye()
        await exchange.until(lambda: sum(fact.kind == "ended" for fact in exchange.facts()) == 2)
        answered = [fact.call for fact in exchange.facts() if fact.kind == "answered"]
        assert len(set(answered)) == 2
        assert all((exchange.settings.spool / f"{call}-in.wav").stat().st_size > 44 for call in answered)


@pytest.mark.req("REL-2")
async def test_a_caller_gives_up_before_anybody_answers(tmp_path: Path) -> None:
    async with Exchange.run(tmp_path) as exchange, exchange.citizen() as citizen:
        await citizen.call("0246221111")
        await citizen.hears_tone(MUSIC_HZ)  # nobody is registered: music, not a dropped call
        citizen.bye()
        ended = await exchange.fact("ended")
        assert ended.data["by"] == "caller"
        assert [fact.kind for fact in exchange.facts()] == ["arrived", "queued", "ended"]


@pytest.mark.req("REL-1", "REL-2")
@pytest.mark.parametrize("number", ["0246221111", "0246229876"])  # the other has left the plan meanwhile
async def test_callers_stuck_in_the_application_can_be_adopted(tmp_path: Path, number: str) -> None:
    async with Exchange.run(tmp_path) as exchange, exchange.phone("1001") as phone:
        keys, port = exchange.secrets, exchange.settings.ari_port
        url = f"http://127.0.0.1:{port}/ari/events?app=daihyo"
        headers = {"Authorization": aiohttp.encode_basic_auth(keys.ari_user, keys.ari_password)}
        async with aiohttp.ClientSession(headers=headers) as session, exchange.citizen() as citizen:
            async with session.ws_connect(url) as engine:
                await citizen.call("0246221111", wait_answer=False)
                start = await engine.receive_json(timeout=10)
                while start["type"] != "StasisStart":
                    start = await engine.receive_json(timeout=10)
                assert start["args"][:2] == ["arrival", "0246221111"]
                assert start["channel"]["caller"]["number"] == "09012345678"
                channel = start["channel"]
            # The engine is gone; the citizen is still there, and nothing of survival was written.
            assert exchange.facts() == []
            # Somebody stuck in the application does not keep the next citizen from the survival path.
            async with exchange.citizen("0902") as next_one:
                await next_one.call("0246221111")
                await next_one.hears_tone(NOTICE_HZ)
                next_one.bye()
                assert (await exchange.fact("ended")).data["by"] == "caller"
            others = len(exchange.facts())
            await exchange.rx(f"channel redirect {channel['name']} survival-adopt,{number},1")
            await citizen.event("answered")
            await citizen.hears_tone(NOTICE_HZ)
            await citizen.hears_tone(1000)
            await phone.hears_tone(440)
            citizen.bye()
        await exchange.until(lambda: sum(fact.kind == "ended" for fact in exchange.facts()) == 2)
        facts = exchange.facts()[others:]
        assert [fact.kind for fact in facts] == ["arrived", "handed_over", "queued", "answered", "ended"]
        assert {fact.call for fact in facts} == {channel["id"]}
        assert facts[2].data["again"] is True
        sound, _ = soundfile.read(exchange.settings.spool / f"{channel['id']}-in.wav")
        assert share(np.asarray(sound), 440) > 0.9


@pytest.mark.req("REL-2")
async def test_a_phone_that_lost_its_power_is_noticed(tmp_path: Path) -> None:
    async with Exchange.run(tmp_path, rtp_timeout_s=2) as exchange, exchange.phone("1001") as phone:
        async with exchange.citizen() as citizen:
            await citizen.call("0246221111")
            await citizen.hears_tone(1000)
            phone.close()  # no BYE, no RTP, no answer to anything
            await citizen.event("bye", timeout_s=20)
        assert (await exchange.fact("ended")).data["by"] == "operator"


@pytest.mark.req("REL-2", "ACD-2")
async def test_who_talks_on_one_phone_is_not_rung_on_the_other(tmp_path: Path) -> None:
    async with Exchange.run(tmp_path) as exchange:
        async with exchange.phone("1001") as desk, exchange.citizen("0901") as first:
            await first.call("0246221111")
            await desk.hears_tone(440)
            async with (
                exchange.phone("1001-web", policy="ring") as other,
                exchange.phone("1002") as colleague,
            ):
                async with exchange.citizen("0902") as second:
                    await second.call("0246221111")
                    await colleague.hears_tone(440)
                    assert [name for name, _ in other.seen if name == "invite"] == []
                    second.bye()
                await colleague.event("bye")
            first.bye()
        await exchange.until(lambda: sum(fact.kind == "ended" for fact in exchange.facts()) == 2)
        expected = ("app 'daihyo'", "Gosub(survival-leg")
        assert [c for c in exchange.complaints() if not any(word in c for word in expected)] == []
