"""The ear of the plan's bench: which packet of a greeting is the first that can be heard."""

from __future__ import annotations

import asyncio
import socket
import struct
import time
from collections.abc import AsyncIterator

import numpy as np
import pytest

from bench.plan import AUDIBLE, Ear, _loudness


@pytest.fixture
async def ear() -> AsyncIterator[Ear]:
    made = Ear()
    yield made
    made.close()


def rtp(payload: bytes, kind: int = 0, contributors: int = 0) -> bytes:
    return struct.pack("!BBHII", 0x80 | contributors, kind, 1, 160, 7) + b"\xaa" * 4 * contributors + payload


SILENCE, LOUD = b"\xff" * 160, b"\xff" * 159 + b"\x00"


def test_loudness_of_g711() -> None:
    sizes = np.array([_loudness(code) for code in range(256)])
    assert (sizes[0xFF], sizes[0x7F], sizes[0x00], sizes[0x80]) == (0, 0, 32124, 32124)
    assert (np.diff(sizes[:128]) <= 0).all()  # from the loudest to nothing, on both sides
    assert (np.diff(sizes[128:]) <= 0).all()
    assert 20 * np.log10(AUDIBLE / 32768) == pytest.approx(-40, abs=0.05)


async def test_the_first_packet_with_a_sample_that_can_be_heard(ear: Ear) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.connect(("127.0.0.1", ear.port))
        for packet in (b"", b"\x80", rtp(b"\x01\x00\x00\xa0", kind=101), rtp(SILENCE), rtp(SILENCE, 0, 2)):
            sender.send(packet)
        before = time.time()
        sender.send(rtp(LOUD))
        after = time.time()
        sender.send(rtp(LOUD))
        async with asyncio.timeout(10):
            await ear.heard.wait()
    assert 0 < ear.first_at <= before <= ear.heard_at <= after + 1e-3


async def test_silence_is_not_heard(ear: Ear) -> None:
    ear._take(rtp(SILENCE), 5.0)
    ear._take(rtp(b"\xff" * 4, contributors=3), 6.0)  # what stands in the header is no sound
    assert (ear.first_at, ear.heard_at, ear.heard.is_set()) == (5.0, 0.0, False)
