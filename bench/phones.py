"""The telephones of a bench: operators who answer and hang up, citizens who call, and their RTP."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import struct
from collections.abc import Callable, Mapping

from bench.sip import Leg, Phone
from bench.sip_message import Address

_FRAME_S, _FRAME = 0.02, 160  # G.711: 20 ms are 160 bytes
_ALIVE_S = 5.0


class Operators:
    """All operators' desk phones on one socket. They ring, answer after `answer_after_s`, talk `talk_s`
    (None: until the citizen hangs up), hang up.

    Each one's first conversation is shorter, by another share each: operators who began together would
    otherwise hang up together for ever, which none do.
    `gaps`: seconds from an operator's BYE to their next INVITE, both on the wire. `doubles`: INVITEs to an
    operator who already had a call: must stay 0 with a distributor worth its name. `talks`, `ended`:
    conversations begun and over."""

    def __init__(self, server: Address, rtp_port: int, *, talk_s: float | None, answer_after_s: float = 0.0):
        self.talk_s = talk_s
        self.answer_after_s = answer_after_s
        self.gaps: list[float] = []
        self.doubles = 0
        self.talks = self.ended = 0
        self.length: Callable[[Leg], float] | None = None  # of each talk, instead of `talk_s`
        self.active: dict[str, Leg] = {}
        self._freed_at: dict[str, float] = {}
        self._first_s: dict[str, float] = {}
        self._loop = asyncio.get_running_loop()
        self.phone = Phone(server, rtp_port, self._invited)

    async def register(self, secrets: Mapping[str, str]) -> None:
        for number, (user, secret) in enumerate(secrets.items(), start=1):
            await self.phone.register(user, secret)
            if self.talk_s is not None:
                self._first_s[user] = self.talk_s * number / len(secrets)

    def _invited(self, leg: Leg) -> None:
        if leg.user in self.active:
            self.doubles += 1
            self.phone.refuse(leg)
            return
        if (freed_at := self._freed_at.pop(leg.user, None)) is not None:
            self.gaps.append(leg.invited_at - freed_at)
        self.active[leg.user] = leg
        leg.on_confirmed, leg.on_ended = self._talking, self._ended
        self.phone.ring(leg)
        if self.answer_after_s > 0:
            self._loop.call_later(self.answer_after_s, self.phone.answer, leg)
        else:
            self.phone.answer(leg)

    def _talking(self, leg: Leg) -> None:
        self.talks += 1
        if self.length is not None:
            self._loop.call_later(self.length(leg), self.phone.bye, leg)
        elif self.talk_s is not None:
            talk_s = self._first_s.pop(leg.user, self.talk_s)
            self._loop.call_later(talk_s, self.phone.bye, leg)

    def _ended(self, leg: Leg) -> None:
        self.active.pop(leg.user, None)
        self.ended += leg.confirmed_at > 0
        if leg.bye_at:
            self._freed_at[leg.user] = leg.bye_at


class Citizens:
    """Citizens' calls to one number, on one socket. `on_ended` is told of each that is over."""

    def __init__(self, server: Address, rtp_port: int, number: str) -> None:
        self.number = number
        self.phone = Phone(server, rtp_port)
        self.active: dict[str, Leg] = {}
        self.made = self.over = self.refused = 0
        self.on_ended: Callable[[], object] | None = None

    def call(self) -> Leg:
        self.made += 1
        leg = self.phone.call(f"090{self.made:08d}", self.number)
        leg.on_ended = self._ended
        self.active[leg.call_id] = leg
        return leg

    def _ended(self, leg: Leg) -> None:
        self.active.pop(leg.call_id, None)
        self.over += 1
        self.refused += leg.status != 200
        if self.on_ended is not None:
            self.on_ended()

    def keep_calling(self, lines: int, pause_s: float, at_once: int = 1000) -> None:
        """`lines` citizens, each calling again `pause_s` after the call was over. `at_once` of them begin
        together, the others ten a second."""
        loop = asyncio.get_running_loop()
        self.on_ended = lambda: loop.call_later(pause_s, self._again)
        for number in range(lines):
            if number < at_once:
                self.call()
            else:
                loop.call_later((number - at_once) / 10, self._again)

    def _again(self) -> None:
        if self.on_ended is not None:
            self.call()

    async def arrive(self, per_s: float, seconds: float) -> None:
        """New calls at an even rate, however the centre copes."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        for number in range(round(per_s * seconds)):
            await asyncio.sleep(max(0.0, began + number / per_s - loop.time()))
            self.call()

    async def hang_up(self) -> None:
        """Every call that talks ends now, and nobody calls again; those not yet answered are left to be."""
        self.on_ended = None
        for leg in list(self.active.values()):
            self.phone.bye(leg)
        await asyncio.sleep(0.5)  # for the answers; what is late has no one waiting for it


class Rtp:
    """One RTP socket for all calls of a group: sends G.711 to each that talks, counts what comes."""

    def __init__(self) -> None:
        self.received = 0
        self.sent = 0
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self._socket.setblocking(False)
        self._socket.bind(("127.0.0.1", 0))
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def port(self) -> int:
        return int(self._socket.getsockname()[1])

    def count(self) -> None:
        """Begins to read, and to count; without it the kernel throws away what comes."""
        buffer = bytearray(2048)

        def readable() -> None:
            with contextlib.suppress(BlockingIOError):
                for _ in range(256):
                    self._socket.recv_into(buffer)
                    self.received += 1

        asyncio.get_running_loop().add_reader(self._socket.fileno(), readable)

    def talk(self, active: Callable[[], list[Leg]]) -> None:
        """Sends to each active leg that talks, every 20 ms, speech-like noise."""
        self._tasks.append(asyncio.create_task(self._talk(active)))

    def keep_alive(self, active: Callable[[], list[Leg]]) -> None:
        """Sends each active leg one packet of silence now and then: a phone that sends nothing for 20 s is
        taken for dead."""
        self._tasks.append(asyncio.create_task(self._keep_alive(active)))

    async def _keep_alive(self, active: Callable[[], list[Leg]]) -> None:
        count = 0
        while True:
            await asyncio.sleep(_ALIVE_S)
            count += 1
            stamp = count * _FRAME & 0xFFFFFFFF
            packet = struct.pack("!BBHII", 0x80, 0, count & 0xFFFF, stamp, 1) + b"\xff" * _FRAME
            for leg in active():
                if leg.talking and leg.rtp is not None:
                    with contextlib.suppress(BlockingIOError, ConnectionRefusedError):
                        self._socket.sendto(packet, leg.rtp)

    async def _talk(self, active: Callable[[], list[Leg]]) -> None:
        loop = asyncio.get_running_loop()
        noise = os.urandom(_FRAME * 50)
        began, tick = loop.time(), 0
        while True:
            tick += 1
            await asyncio.sleep(max(0.0, began + tick * _FRAME_S - loop.time()))
            at = tick % 50 * _FRAME
            sound = noise[at : at + _FRAME]
            for leg in active():
                if leg.talking and leg.rtp is not None:
                    # One SSRC a leg; the packet number counts all ticks, so a late start is no loss.
                    ssrc = hash(leg.call_id) & 0xFFFFFFFF
                    stamp = tick * _FRAME & 0xFFFFFFFF
                    header = struct.pack("!BBHII", 0x80, 0, tick & 0xFFFF, stamp, ssrc)
                    with contextlib.suppress(BlockingIOError, ConnectionRefusedError):
                        self._socket.sendto(header + sound, leg.rtp)
                        self.sent += 1

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        asyncio.get_running_loop().remove_reader(self._socket.fileno())
        self._socket.close()
