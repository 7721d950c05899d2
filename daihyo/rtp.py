"""Sound of a softphone: RTP (RFC 3550) with G.711 µ-law (PCMU, payload type 0) in packets of 20 ms."""

from __future__ import annotations

import asyncio
import random
import struct
from collections.abc import Iterator
from itertools import cycle
from typing import cast

import numpy as np
import numpy.typing as npt

RATE = 8000
FRAME = 160  # samples, 20 ms
SILENCE = b"\xff" * FRAME


def _codes() -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int16]]:
    """The tables of G.711 µ-law: 16-bit sample (as unsigned index) → code, code → sample."""
    code = np.arange(256, dtype=np.int32) ^ 0xFF
    exponent, mantissa = (code >> 4) & 7, code & 15
    size = (((mantissa << 3) + 0x84) << exponent) - 0x84
    decoded = np.where(code & 0x80, -size, size).astype(np.int16)
    order = np.argsort(decoded, kind="stable")
    samples = np.arange(-32768, 32768)
    near = np.clip(np.searchsorted(decoded[order], samples), 1, 255)
    low, high = decoded[order][near - 1].astype(np.int32), decoded[order][near].astype(np.int32)
    chosen = np.where(samples - low <= high - samples, near - 1, near)
    table = np.empty(65536, dtype=np.uint8)
    table[samples & 0xFFFF] = order[chosen]
    table[0] = 0xFF  # of the two zeros the positive one
    return table, decoded


_ENCODE, _DECODE = _codes()


def encode(samples: npt.NDArray[np.int16]) -> bytes:
    """PCM at 8 kHz → µ-law, a byte a sample."""
    return _ENCODE[samples.view(np.uint16)].tobytes()


def decode(data: bytes) -> npt.NDArray[np.int16]:
    return _DECODE[np.frombuffer(data, dtype=np.uint8)]


def frames(data: bytes) -> list[bytes]:
    """µ-law cut into packets of 20 ms; the last one is filled up with silence."""
    return [data[at : at + FRAME].ljust(FRAME, b"\xff") for at in range(0, len(data), FRAME)]


class Media(asyncio.DatagramProtocol):
    """One side's RTP: sends what `say` was given (silence otherwise), counts and measures what comes.

    `received`: packets; `heard_dbfs()`: loudness of the last second received.
    """

    def __init__(self) -> None:
        self.received = 0
        self.sent = 0
        self._transport: asyncio.DatagramTransport | None = None
        self._remote: tuple[str, int] | None = None
        self._recent: list[bytes] = []
        self._speech: Iterator[bytes] = cycle([SILENCE])
        self._task: asyncio.Task[None] | None = None

    @classmethod
    async def open(cls, host: str) -> Media:
        """On a free even port of `host`."""
        loop = asyncio.get_running_loop()
        for _ in range(100):
            transport, media = await loop.create_datagram_endpoint(cls, local_addr=(host, 0))
            if media.port % 2 == 0:
                return media
            transport.close()
        raise OSError(f"no even UDP port is free on {host}")

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport = cast(asyncio.DatagramTransport, transport)
        self._transport = transport

    @property
    def port(self) -> int:
        return int(self._transport.get_extra_info("sockname")[1]) if self._transport else 0

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if len(data) > 12 and data[0] >> 6 == 2 and data[1] & 0x7F == 0:
            self.received += 1
            self._recent.append(data[12:])
            del self._recent[:-50]

    def heard_dbfs(self) -> float:
        """RMS of the last second, -90 for digital silence or nothing."""
        if not self._recent:
            return -90.0
        pcm = decode(b"".join(self._recent)).astype(np.float64) / 32768
        return max(-90.0, float(10 * np.log10(np.mean(pcm**2) + 1e-12)))

    def start(self, remote: tuple[str, int]) -> None:
        """Begins to send to `remote`; a second call only changes where to."""
        self._remote = remote
        if self._task is None:
            self._task = asyncio.create_task(self._send())

    def say(self, speech: list[bytes], again: bool = True) -> None:
        """Says packets of µ-law, again and again or once; then silence."""
        self._speech = cycle(speech) if again and speech else iter(speech)

    async def _send(self) -> None:
        loop = asyncio.get_running_loop()
        source = random.getrandbits(32)
        sequence, stamp = random.getrandbits(15), random.getrandbits(31)
        due = loop.time()
        while self._transport is not None and not self._transport.is_closing():
            payload = next(self._speech, SILENCE)
            header = struct.pack("!BBHII", 0x80, 0, sequence & 0xFFFF, stamp & 0xFFFFFFFF, source)
            if self._remote is not None:
                self._transport.sendto(header + payload, self._remote)
                self.sent += 1
            sequence, stamp, due = sequence + 1, stamp + FRAME, due + 0.02
            if loop.time() - due > 1.0:  # the machine was busy: no burst of old packets
                due = loop.time()
            await asyncio.sleep(max(0.0, due - loop.time()))

    def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
        if self._transport is not None:
            self._transport.close()
