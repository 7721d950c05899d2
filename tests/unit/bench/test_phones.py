"""The load phones, one talking to another: what they measure must be what happened."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator

import pytest

from bench.phones import Citizens, Operators, Rtp
from bench.sip import Leg, Phone
from bench.sip_message import digest, parse, rtp_address, tag_of, uri_of


@pytest.fixture
async def pair() -> AsyncIterator[tuple[Citizens, Operators]]:
    """A citizens' socket and an operators' socket that are each other's server."""
    operators = Operators(("127.0.0.1", 9), 4000, talk_s=0.0)
    citizens = Citizens(("127.0.0.1", operators.phone.port), 4002, "1001")
    operators.phone.server = ("127.0.0.1", citizens.phone.port)
    yield citizens, operators
    citizens.phone.close()
    operators.phone.close()


async def over(leg: Leg) -> None:
    done = asyncio.Event()
    then = leg.on_ended

    def ended(which: Leg) -> None:
        if then is not None:
            then(which)
        done.set()

    leg.on_ended = ended
    async with asyncio.timeout(10):
        await done.wait()


async def test_a_call_is_answered_talked_and_ended_by_the_operator(pair: tuple[Citizens, Operators]) -> None:
    citizens, operators = pair
    leg = citizens.call()
    await over(leg)
    assert (leg.status, leg.rtp) == (200, ("127.0.0.1", 4000))
    assert leg.invited_at <= leg.confirmed_at <= leg.ended_at
    assert (citizens.over, citizens.refused, operators.talks, operators.ended) == (1, 0, 1, 1)
    assert not citizens.active
    assert not operators.active
    assert citizens.phone.errors == operators.phone.errors == []


async def test_the_gap_is_from_the_operators_bye_to_the_next_invite(pair: tuple[Citizens, Operators]) -> None:
    citizens, operators = pair
    first = citizens.call()
    await over(first)
    second = citizens.call()
    await over(second)
    assert len(operators.gaps) == 1
    # The BYE reached the citizen after it was sent, the INVITE was sent before it came: the gap lies around.
    assert operators.gaps[0] >= second.invited_at - first.ended_at > 0


async def test_a_second_invite_to_a_busy_operator_is_refused_and_counted(
    pair: tuple[Citizens, Operators],
) -> None:
    citizens, operators = pair
    operators.talk_s = None
    first = citizens.call()
    confirmed = asyncio.Event()
    first.on_confirmed = lambda _leg: confirmed.set()
    async with asyncio.timeout(10):
        await confirmed.wait()
    second = citizens.call()
    await over(second)
    assert (second.status, operators.doubles, citizens.refused) == (486, 1, 1)
    citizens.phone.bye(first)
    assert citizens.over == 2


async def test_an_unanswered_invite_is_sent_again() -> None:
    """The far end takes the first INVITE for lost, and answers the second."""
    seen = 0

    def deaf(leg: Leg) -> None:
        nonlocal seen
        seen += 1
        far._legs.pop(leg.call_id)  # forgotten: the retransmission comes as a new call
        if seen == 2:
            far.refuse(leg, "404 Not Found")

    far = Phone(("127.0.0.1", 9), 4000, deaf)
    near = Phone(("127.0.0.1", far.port), 4002)
    far.server = ("127.0.0.1", near.port)
    try:
        leg = near.call("090", "1001")
        await over(leg)
        assert (leg.status, seen, near.retransmitted) == (404, 2, 1)
    finally:
        near.close()
        far.close()


async def test_pings_and_what_is_no_sip(pair: tuple[Citizens, Operators]) -> None:
    citizens, operators = pair
    assert 0 < await citizens.phone.ping() < 2
    citizens.phone._send(b"hello\r\nno header at all\r\n\r\n")
    assert 0 < await citizens.phone.ping() < 2  # it is read after the nonsense, and answered
    assert [each.split(" ")[0] for each in operators.phone.errors] == ["not"]


async def test_rtp_reaches_the_other_side_and_is_counted(pair: tuple[Citizens, Operators]) -> None:
    citizens, operators = pair
    operators.talk_s = None
    here, there = Rtp(), Rtp()
    operators.phone.rtp_port = there.port
    try:
        leg = citizens.call()
        confirmed = asyncio.Event()
        leg.on_confirmed = lambda _leg: confirmed.set()
        async with asyncio.timeout(10):
            await confirmed.wait()
            there.count()
            here.talk(lambda: list(citizens.active.values()))
            while there.received < 3:
                await asyncio.sleep(0.01)
        assert here.sent >= there.received
    finally:
        await here.close()
        await there.close()


def test_a_digest_is_what_rfc_2617_says() -> None:
    header = digest(
        'Digest realm="daihyo", nonce="abc", opaque="xyz", algorithm=MD5, qop="auth"',
        "1001",
        "secret",
        "REGISTER",
        "sip:127.0.0.1:5060",
    )
    said = dict(re.findall(r'(\w+)="?([^",\r]+)', header))

    def md5(text: str) -> str:
        return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()

    secret, request = md5("1001:daihyo:secret"), md5("REGISTER:sip:127.0.0.1:5060")
    assert said["response"] == md5(f"{secret}:abc:00000001:{said['cnonce']}:auth:{request}")
    assert said["opaque"] == "xyz"


def test_headers_are_read_in_short_form_and_in_order() -> None:
    message = parse(
        b"SIP/2.0 200 OK\r\nv: one\r\nVia: two\r\nf: <sip:a@b>;tag=x\r\nCSeq: 7 INVITE\r\n\r\n"
        b"c=IN IP4 192.0.2.1\r\nm=audio 4000 RTP/AVP 0\r\n",
        1.0,
    )
    assert (message.status, message.method, message.headers["via"]) == (200, "INVITE", ["one", "two"])
    assert (tag_of(message["from"]), uri_of(message["from"])) == ("x", "sip:a@b")
    assert rtp_address(message.body) == ("192.0.2.1", 4000)
    assert rtp_address("") is None
