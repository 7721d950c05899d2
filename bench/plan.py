"""How soon a citizen hears the greeting: `python -m bench.plan [--json] [--seconds S]`.

5 calls a second to a number with hours, a calendar and a menu; measured on the wire from the INVITE to the
first audible sample of the greeting (louder than -40 dBFS), by the kernel's stamp of its RTP packet. Beside
it a plain dialplan, Answer() and Playback() of the same sound, on the same Asterisk. Both are up all the time
and are called in turns of 10 s, so that the machine's moods meet both.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import os
import socket
import struct
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from bench.centres import BenchFailed, Centre, ours, playback
from bench.report import Figure, percentile, show
from bench.sip import SO_TIMESTAMPNS, Leg, Phone, stamp_of
from bench.sip_message import Address
from cdr import read_journal
from daihyo.settings import StateDir

CALLS_PER_S, TURN_S, LISTEN_S, WARM_UP_S = 5.0, 10.0, 1.5, 5.0
_PATIENCE_S = 5.0
_PCMU = 0
_HEADER = 12
_FRAME_S, _FRAME = 0.02, 160


def _loudness(code: int) -> int:
    """The size of a µ-law sample on the scale of 16 bits (G.711)."""
    code = ~code & 0xFF
    return (((code & 0x0F) << 3) + 0x84 << ((code & 0x70) >> 4)) - 0x84


AUDIBLE = 328  # -40 dBFS of 16 bits
_MARKS = bytes(int(_loudness(code) > AUDIBLE) for code in range(256))


class Ear:
    """One call's RTP socket. `first_at`: when the first packet came; `heard_at`: that of the first with an
    audible sample; 0 until then. `talk` sends silence from now on, as every telephone does: Answer() waits
    up to half a second for the first packet of a caller."""

    def __init__(self) -> None:
        self.first_at = self.heard_at = 0.0
        self.heard = asyncio.Event()
        self._talking: asyncio.Task[None] | None = None
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self._socket.setblocking(False)
        self._socket.bind(("127.0.0.1", 0))
        asyncio.get_running_loop().add_reader(self._socket.fileno(), self._readable)

    @property
    def port(self) -> int:
        return int(self._socket.getsockname()[1])

    def _readable(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while True:
                data, ancillary, _flags, _sender = self._socket.recvmsg(2048, 256)
                self._take(data, stamp_of(ancillary) or time.time())

    def _take(self, packet: bytes, at: float) -> None:
        if len(packet) <= _HEADER or packet[1] & 0x7F != _PCMU:
            return
        (first,) = struct.unpack_from("!B", packet)
        if first >> 6 != 2:
            return
        self.first_at = self.first_at or at
        if not self.heard_at and 1 in packet[_HEADER + 4 * (first & 0x0F) :].translate(_MARKS):
            self.heard_at = at
            self.heard.set()

    def talk(self, to: Address) -> None:
        self._talking = asyncio.create_task(self._talk(to))

    async def _talk(self, to: Address) -> None:
        loop = asyncio.get_running_loop()
        began, ssrc = loop.time(), int.from_bytes(os.urandom(4))
        for number in itertools.count():
            await asyncio.sleep(max(0.0, began + number * _FRAME_S - loop.time()))
            header = struct.pack("!BBHII", 0x80, _PCMU, number & 0xFFFF, number * _FRAME, ssrc)
            with contextlib.suppress(BlockingIOError, ConnectionRefusedError):
                self._socket.sendto(header + b"\xff" * _FRAME, to)

    def close(self) -> None:
        if self._talking is not None:
            self._talking.cancel()
        asyncio.get_running_loop().remove_reader(self._socket.fileno())
        self._socket.close()


@dataclass(frozen=True, slots=True)
class Heard:
    """Seconds from the INVITE to the 200, to the first RTP packet, to the first audible one."""

    answered: float
    packet: float
    audible: float


class Caller:
    """Calls one centre; `found` are the calls that heard something, `deaf` those that did not."""

    def __init__(self, centre: Centre) -> None:
        self.name, self._number = centre.name, centre.number
        self.phone = Phone(centre.sip, 9)
        self.found: list[Heard] = []
        self.deaf = 0
        self._callers = itertools.count(1)

    async def turn(self, seconds: float) -> list[Heard]:
        """New calls at an even rate for so long; returns when all are over."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        async with asyncio.TaskGroup() as group:
            made = []
            for number in range(round(CALLS_PER_S * seconds)):
                await asyncio.sleep(max(0.0, began + number / CALLS_PER_S - loop.time()))
                made.append(group.create_task(self._call()))
        heard = [each for task in made if (each := task.result()) is not None]
        self.found += heard
        self.deaf += len(made) - len(heard)
        return heard

    async def _call(self) -> Heard | None:
        ear = Ear()
        self.phone.rtp_port = ear.port  # the INVITE is written at once
        leg = self.phone.call(f"090{next(self._callers):08d}", self._number)

        def answered(leg: Leg) -> None:
            if leg.rtp is not None:
                ear.talk(leg.rtp)

        leg.on_confirmed = answered
        try:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(ear.heard.wait(), _PATIENCE_S)
                await asyncio.sleep(LISTEN_S)
            if not ear.heard_at or not leg.confirmed_at:
                return None
            times = (leg.confirmed_at, ear.first_at, ear.heard_at)
            return Heard(*(each - leg.invited_at for each in times))
        finally:
            self.phone.bye(leg)
            ear.close()


async def measure(folder: Path, seconds: float) -> tuple[Caller, Caller]:
    """`seconds` of calls to each, in turns."""
    async with ours(folder / "ours", 1, plan=True) as mine, playback(folder / "peer") as peer:
        callers = Caller(mine), Caller(peer)
        try:
            for caller in callers:
                await caller.turn(WARM_UP_S)
                caller.found.clear()
                caller.deaf = 0
            for _ in range(max(1, round(seconds / TURN_S))):
                for caller in callers:
                    await caller.turn(min(TURN_S, seconds))
                    await asyncio.sleep(0.5)  # the last BYEs are answered
        finally:
            for caller in callers:
                caller.phone.close()
        facts = read_journal(StateDir(folder / "ours" / "state").journal)
        led = sum(each.kind == "step" and each.data.get("step") == "greeting" for each in facts)
    if led < len(callers[0].found):
        raise BenchFailed(
            f"ours: the plan greeted {led} of {len(callers[0].found)} calls, something else did"
        )
    for caller in callers:
        if caller.deaf or not caller.found:
            raise BenchFailed(
                f"{caller.name}: {caller.deaf} of {caller.deaf + len(caller.found)} calls heard nothing in"
                f" {_PATIENCE_S:g} s"
            )
    return callers


def _ms(caller: Caller, what: str, share: float) -> float:
    return percentile([getattr(each, what) for each in caller.found], share) * 1e3


async def run(seconds: float, as_json: bool) -> None:
    with tempfile.TemporaryDirectory(prefix="daihyo-bench-") as folder:
        mine, peer = await measure(Path(folder), seconds)
    shares = (("p50", 0.5), ("p99", 0.99))
    figures = [
        Figure(name, _ms(mine, "audible", share), "ms", _ms(peer, "audible", share), "INVITE to greeting")
        for name, share in shares
    ]
    figures += [
        Figure(f"{name}_extra_ms", _ms(mine, "audible", share) - _ms(peer, "audible", share), "ms",
               goal="≤ 15" if name == "p99" else "")
        for name, share in shares
    ]  # fmt: skip
    show(
        f"Plan: INVITE to the first audible sample of the greeting, {CALLS_PER_S:g} calls/s",
        figures,
        as_json=as_json,
        notes=[
            f"{each.name}: {len(each.found)} calls; p50 and p99 to the 200"
            f" {_ms(each, 'answered', 0.5):.1f} and {_ms(each, 'answered', 0.99):.1f} ms, to the first RTP"
            f" packet {_ms(each, 'packet', 0.5):.1f} and {_ms(each, 'packet', 0.99):.1f} ms"
            for each in (mine, peer)
        ],
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.plan", description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line")
    parser.add_argument("--seconds", type=float, default=60.0, help="measured seconds a centre (default 60)")
    options = parser.parse_args()
    try:
        asyncio.run(run(options.seconds, options.json))
    except BenchFailed as error:
        raise SystemExit(f"bench.plan: {error}") from None


if __name__ == "__main__":
    main()
