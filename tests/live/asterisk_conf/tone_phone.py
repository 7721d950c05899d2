"""A test telephone that speaks a tone and keeps what it hears."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from tests.live.support.sip_phone import SipPhone

RATE = 8000
FRAME = 160  # 20 ms


def _ulaw_table() -> npt.NDArray[np.int16]:
    """G.711 µ-law: byte → 16 bit sample."""
    code = ~np.arange(256, dtype=np.uint8)
    size = (((code & 0x0F).astype(np.int32) << 3) + 0x84) << ((code & 0x70) >> 4)
    return np.where(code & 0x80, 0x84 - size, size - 0x84).astype(np.int16)


_DECODED = _ulaw_table()
_ORDER = np.argsort(_DECODED, kind="stable")


def encode(samples: npt.NDArray[np.float64]) -> bytes:
    """-1…1 to µ-law, by the nearest value."""
    ladder = _DECODED[_ORDER].astype(float)
    at = np.searchsorted((ladder[1:] + ladder[:-1]) / 2, samples * 32767)
    return _ORDER[at].astype(np.uint8).tobytes()


def share(samples: npt.NDArray[np.float64], hertz: float) -> float:
    """How much of a sound's energy lies within 30 Hz of a tone: 0…1."""
    if len(samples) < FRAME:
        return 0.0
    power = np.abs(np.fft.rfft(samples * np.hanning(len(samples)))) ** 2
    near = np.abs(np.fft.rfftfreq(len(samples), 1 / RATE) - hertz) < 30
    return float(power[near].sum() / power.sum()) if power.sum() > 0 else 0.0


class TonePhone(SipPhone):
    """Sends `hertz` at -14 dBFS while in a call; `extra` are more headers for its INVITEs."""

    hertz = 440.0
    extra: dict[str, str]

    def __init__(self, server_port: int, user: str, password: str) -> None:
        super().__init__(server_port, user, password)
        self.heard = bytearray()
        self.extra = {}

    def sound(self, last_s: float) -> npt.NDArray[np.float64]:
        """What was heard last, -1…1 at 8 kHz."""
        tail = np.frombuffer(bytes(self.heard[-int(last_s * RATE) :]), np.uint8)
        return np.asarray(_DECODED[tail] / 32768)

    async def hears_tone(self, hertz: float, timeout_s: float = 15.0) -> None:
        """Until a quarter of a second of this tone was heard."""
        try:
            await self._until(lambda: share(self.sound(0.25), hertz) > 0.9, timeout_s)
        except TimeoutError:
            raise AssertionError(f"{self.user} never heard {hertz} Hz; events: {self.seen}") from None

    async def _until(self, true: Callable[[], bool], timeout_s: float) -> None:
        async with asyncio.timeout(timeout_s):
            while not true():
                await self.hears(5, timeout_s)

    def _rtp_in(self, data: bytes) -> None:
        if data[1] & 0x7F == 0:
            self.heard += data[12:]
        super()._rtp_in(data)

    def _talk(self) -> None:
        async def send() -> None:
            count = 0
            loop = asyncio.get_running_loop()
            due = loop.time()
            while self.in_call:
                at = (np.arange(FRAME) + count * FRAME) / RATE
                sound = encode(0.2 * np.sin(2 * np.pi * self.hertz * at))
                self._rtp_send(struct.pack("!BBHII", 0x80, 0, count & 0xFFFF, count * FRAME, 77) + sound)
                count += 1
                due += FRAME / RATE
                await asyncio.sleep(max(0.0, due - loop.time()))

        self._rtp_task = asyncio.get_running_loop().create_task(send())

    def _request(self, method: str, uri: str, headers: dict[str, str], cseq: int, body: str = "") -> None:
        more = self.extra if method == "INVITE" else {}
        super()._request(method, uri, {**headers, **more}, cseq, body)
