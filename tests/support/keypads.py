"""Citizens' telephones that press keys in each of the three ways telephones do (IVR-4).

Events in the voice stream (RFC 4733) and SIP INFO come from a real phone (baresip). Tones in the voice itself
come from a phone of ours that offers no events: baresip always does, and who offers them must use them.
"""

from __future__ import annotations

import asyncio
import contextlib
import enum
import struct
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Any, Literal, Protocol, Self

import numpy as np
from baresip import Account, UserAgent

from tests.live.asterisk_conf.tone_phone import _DECODED, FRAME, TonePhone, encode
from tests.support.heard import RATE, Samples
from tests.support.phones import CITIZEN_HZ, Phones, Talk

_ROWS, _COLUMNS = (697, 770, 852, 941), (1209, 1336, 1477)  # Hz, ITU-T Q.23
_PAD = ("123", "456", "789", "*0#")
KEY_S, PAUSE_S = 0.1, 0.1


class Keypad(enum.Enum):
    """How a telephone tells which key was pressed."""

    EVENTS = "RFC 4733"
    INFO = "SIP INFO"
    TONES = "in-band"


class Line(Protocol):
    """A call at a citizen's telephone."""

    ended: asyncio.Event

    async def press(self, keys: str) -> None: ...

    def samples(self, last_s: float | None = None) -> Samples: ...

    async def until(self, true: Callable[[], bool], within_s: float, what: str) -> None: ...

    async def hangup(self) -> None: ...


class RealLine:
    """A call of baresip."""

    def __init__(self, talk: Talk) -> None:
        self.talk = talk
        self.ended = talk.ended

    async def press(self, keys: str) -> None:
        await self.talk.call.send_dtmf(keys)

    def samples(self, last_s: float | None = None) -> Samples:
        return self.talk.samples(last_s)

    async def until(self, true: Callable[[], bool], within_s: float, what: str) -> None:
        await self.talk.until(true, within_s, what)

    async def hangup(self) -> None:
        await self.talk.hangup()


class _KeyPhones(Phones):
    """Phones of the same stack whose calls send keys in one of baresip's ways."""

    def __init__(self, runtime: Any, mode: Literal["info", "rtpevent"]) -> None:
        super().__init__(runtime)
        self.mode = mode

    async def citizen(self, sip: str, caller: str = "09012345678") -> Any:
        account = Account(user=caller, domain=sip, password="", reg_interval=0, dtmf_mode=self.mode)
        return await UserAgent.create(self.runtime, account)


class TonePad(TonePhone):
    """A telephone without events: it speaks a tone of its own (`hertz`, whole), and those of its keys."""

    hertz = CITIZEN_HZ

    def __init__(self, server_port: int, user: str, password: str) -> None:
        super().__init__(server_port, user, password)
        self.ended = asyncio.Event()
        self._frames: deque[bytes] = deque()

    @classmethod
    async def open(cls, server_port: int, user: str = "citizen", password: str = "") -> Self:
        phone = await super().open(server_port, user, password)
        assert isinstance(phone, cls)
        return phone

    async def press(self, keys: str) -> None:
        at = np.arange(int(KEY_S * RATE)) / RATE
        for key in keys:
            row = next(n for n, line in enumerate(_PAD) if key in line)
            high = _COLUMNS[_PAD[row].index(key)]
            tone = 0.2 * np.sin(2 * np.pi * _ROWS[row] * at) + 0.2 * np.sin(2 * np.pi * high * at)
            sound = encode(np.concatenate([tone, np.zeros(int(PAUSE_S * RATE))]))
            self._frames.extend(sound[n : n + FRAME] for n in range(0, len(sound), FRAME))

    def samples(self, last_s: float | None = None) -> Samples:
        heard = bytes(self.heard) if last_s is None else bytes(self.heard[-int(last_s * RATE) :])
        return np.asarray(_DECODED[np.frombuffer(heard, np.uint8)], dtype=np.int16)

    async def until(self, true: Callable[[], bool], within_s: float, what: str) -> None:
        try:
            await self._until(true, within_s)
        except TimeoutError:
            raise AssertionError(f"{what} was not heard within {within_s} s") from None

    async def hangup(self) -> None:
        if self.in_call:
            self.bye()
        self.ended.set()

    def _ended(self) -> None:
        super()._ended()
        self.ended.set()

    def _sdp(self) -> str:
        lines = super()._sdp().replace("AVP 0 101", "AVP 0").split("\r\n")
        return "\r\n".join(line for line in lines if "101" not in line)

    def _talk(self) -> None:
        at = np.arange(RATE) / RATE  # a whole number of waves a second: the end joins the beginning
        second = encode(0.2 * np.sin(2 * np.pi * self.hertz * at))
        voice = [second[n : n + FRAME] for n in range(0, RATE, FRAME)]

        async def send() -> None:
            count, due = 0, asyncio.get_running_loop().time()
            while self.in_call:
                sound = self._frames.popleft() if self._frames else voice[count % len(voice)]
                self._rtp_send(struct.pack("!BBHII", 0x80, 0, count & 0xFFFF, count * FRAME, 78) + sound)
                count += 1
                due += FRAME / RATE
                await asyncio.sleep(max(0.0, due - asyncio.get_running_loop().time()))

        self._rtp_task = asyncio.get_running_loop().create_task(send())


@contextlib.asynccontextmanager
async def dialled(
    sip: Phones, address: str, number: str, keypad: Keypad, caller: str = "09012345678"
) -> AsyncIterator[Line]:
    """Dials a number of the centre at `address` (host:port); the call is answered. Hung up at the end."""
    line: TonePad | RealLine
    if keypad is Keypad.TONES:
        line = await TonePad.open(int(address.rsplit(":", 1)[1]), caller)
        await line.call(number)
    else:
        real = _KeyPhones(sip.runtime, "info" if keypad is Keypad.INFO else "rtpevent")
        line = RealLine(await real.call(address, number, caller))
    try:
        yield line
    finally:
        await line.hangup()
        if isinstance(line, TonePad):
            line.close()
