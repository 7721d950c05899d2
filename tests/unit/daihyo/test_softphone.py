"""The small telephone: two of them call each other over loopback."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from daihyo import rtp, sip_message
from daihyo.softphone import CallFailed, SoftCall, Softphone, State


def test_mu_law_is_g711s() -> None:
    # Values of ITU-T G.711's table and the silence code.
    assert rtp.encode(np.array([0], dtype=np.int16)) == b"\xff"
    assert rtp.decode(b"\x80")[0] == 32124
    assert rtp.decode(b"\x00")[0] == -32124
    assert rtp.decode(b"\xff")[0] == 0


def test_mu_law_comes_back_within_its_step() -> None:
    pcm = np.arange(-32000, 32000, 7, dtype=np.int16)
    back = rtp.decode(rtp.encode(pcm)).astype(np.int32)
    assert np.all(np.abs(back - pcm) <= np.maximum(8, np.abs(pcm.astype(np.int32)) / 16))


def test_digest_is_rfc_2617s_example() -> None:
    """RFC 2069's form (no qop) with RFC 2617's user, secret and nonce."""
    value = sip_message.authorization(
        'Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093"',
        "GET",
        "/dir/index.html",
        "Mufasa",
        "Circle Of Life",
    )
    assert 'response="670fd8c2df070c60b045671b8b24ff02"' in value


@pytest.mark.parametrize("data", [b"", b"\r\n\r\n", b"\x00\x01", b"GARBAGE", b"SIP/2.0 abc OK\r\n\r\n"])
def test_noise_is_not_a_message(data: bytes) -> None:
    with pytest.raises(sip_message.BadMessage):
        sip_message.parse(data)


async def pair() -> tuple[Softphone, Softphone]:
    """The second is the first one's exchange."""
    called = await Softphone.open(("127.0.0.1", 9), "1001")
    calling = await Softphone.open(("127.0.0.1", called.port), "0312345678")
    called.server = ("127.0.0.1", calling.port)
    return calling, called


async def test_call_answered_talked_and_hung_up() -> None:
    calling, called = await pair()
    async with calling, called:
        came: asyncio.Queue[SoftCall] = asyncio.Queue()
        called.on_call = came.put_nowait
        call = await calling.call("0246221111")
        other = await came.get()
        other.answer()
        await call.answered(10)
        tone = (np.sin(np.arange(1600) / 4) * 8000).astype(np.int16)
        call.media.say(rtp.frames(rtp.encode(tone)))
        async with asyncio.timeout(10):
            while other.media.received < 50:
                await asyncio.sleep(0.02)
        assert other.media.heard_dbfs() > -20
        call.hang_up()
        async with asyncio.timeout(10):
            await other.ended()
        assert other.by_us is False
        assert call.by_us is True


async def test_refused_call() -> None:
    calling, called = await pair()
    async with calling, called:
        called.on_call = lambda call: call.refuse(486, "Busy Here")
        call = await calling.call("0246221111")
        with pytest.raises(CallFailed) as failure:
            await call.answered(10)
        assert failure.value.status == 486


async def test_given_up_while_it_rings() -> None:
    calling, called = await pair()
    async with calling, called:
        came: asyncio.Queue[SoftCall] = asyncio.Queue()
        called.on_call = came.put_nowait
        call = await calling.call("0246221111")
        other = await came.get()
        assert other.state is State.RINGING
        call.hang_up()
        async with asyncio.timeout(10):
            await other.ended()
        assert other.state is State.ENDED
