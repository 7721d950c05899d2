"""Real SIP phones (baresip) that speak a tone and measure what they hear."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from baresip import Account, BaresipError, CallDeclined, CallFailed, Config, Runtime, UserAgent

RATE = 8000
# Far from the notes of the waiting music, and none a harmonic or a mixture of the others.
CITIZEN_HZ, OPERATOR_HZ, SUPERVISOR_HZ = 2450.0, 1850.0, 1350.0
FRAME = RATE // 50  # 20 ms


def tone(hz: float, start: int, length: int) -> bytes:
    """`length` samples of a sine, 16 bit, at -14 dBFS, continuous over `start`."""
    at = (np.arange(length) + start) / RATE
    return (np.sin(2 * np.pi * hz * at) * 6500).astype("<i2").tobytes()


def level(samples: npt.NDArray[np.int16]) -> float:
    """Root mean square, 0…1 of full scale."""
    return float(np.sqrt(np.mean((samples.astype(float) / 32768) ** 2))) if len(samples) else 0.0


def share(samples: npt.NDArray[np.int16], hz: float) -> float:
    """How much of the sound's energy lies within 40 Hz of a tone, 0…1."""
    if len(samples) < RATE // 10:
        return 0.0
    spectrum = np.abs(np.fft.rfft(samples.astype(float) * np.hanning(len(samples)))) ** 2
    frequencies = np.fft.rfftfreq(len(samples), 1 / RATE)
    total = spectrum[frequencies > 60].sum()
    return float(spectrum[np.abs(frequencies - hz) < 40].sum() / total) if total > 0 else 0.0


def dbfs(samples: npt.NDArray[np.int16], hz: float) -> float:
    """How loud a tone is, in dB of full scale; a sine at full scale is 0."""
    if len(samples) < RATE // 10:
        return -120.0
    spectrum = np.abs(np.fft.rfft(samples.astype(float) * np.hanning(len(samples)))) / (len(samples) / 4)
    near = np.abs(np.fft.rfftfreq(len(samples), 1 / RATE) - hz) < 20
    return float(20 * np.log10(max(spectrum[near].max() / 32768, 1e-6)))


def longest_quiet_s(samples: npt.NDArray[np.int16], below: float = 0.03) -> float:
    """The longest time in which nothing was heard."""
    longest = run = 0
    for at in range(0, len(samples) - FRAME, FRAME):
        run = run + 1 if level(samples[at : at + FRAME]) < below else 0
        longest = max(longest, run)
    return longest * FRAME / RATE


class Talk:
    """One call at a phone: sends a tone all the time and keeps what it hears."""

    def __init__(self, call: Any, hz: float) -> None:
        self.call = call
        self.hz = hz
        self.heard = bytearray()
        self.ended = asyncio.Event()
        self.reason = ""
        self._sent = 0
        self._more = asyncio.Condition()
        call.on(self._on_event)
        self._task = asyncio.create_task(self._stream())

    def _on_event(self, event: Any) -> None:
        if event.event.name in ("CALL_CLOSED", "CLOSED"):
            self.reason = str(getattr(event, "text", ""))
            self.ended.set()

    async def _stream(self) -> None:
        while not self.ended.is_set():
            with contextlib.suppress(BaresipError):  # before and after the talk there is no audio
                self.heard += self.call.audio.read(1 << 16)
                self._sent += (self.call.audio.write(tone(self.hz, self._sent, FRAME * 5)) or 0) // 2
            async with self._more:
                self._more.notify_all()
            await asyncio.sleep(0.04)

    def samples(self, last_s: float | None = None) -> npt.NDArray[np.int16]:
        data = bytes(self.heard[: len(self.heard) // 2 * 2])
        found = np.frombuffer(data, dtype="<i2")
        return found if last_s is None else found[-int(last_s * RATE) :]

    async def hears(self, hz: float, *, for_s: float = 0.4, within_s: float = 30.0) -> None:
        """Until the last `for_s` seconds were mostly this tone."""
        await self.until(lambda: share(self.samples(for_s), hz) > 0.8, within_s, f"a tone of {hz} Hz")

    async def hears_sound(self, *, for_s: float = 0.4, within_s: float = 30.0) -> None:
        """Until something audible was heard: speech or music, not a tone of ours."""
        await self.until(
            lambda: (
                level(self.samples(for_s)) > 0.003
                and share(self.samples(for_s), CITIZEN_HZ) < 0.5
                and share(self.samples(for_s), OPERATOR_HZ) < 0.5
            ),
            within_s,
            "sound",
        )

    async def until(self, true: Callable[[], bool], within_s: float, what: str) -> None:
        try:
            async with asyncio.timeout(within_s), self._more:
                await self._more.wait_for(true)
        except TimeoutError:
            last = self.samples(0.4)
            heard = f"level {level(last):.4f}, citizen {share(last, CITIZEN_HZ):.2f}"
            heard += f", operator {share(last, OPERATOR_HZ):.2f}"
            raise AssertionError(f"{what} was not heard within {within_s} s ({heard})") from None

    async def hangup(self) -> None:
        with contextlib.suppress(Exception):
            await self.call.hangup()
        self.ended.set()

    async def over(self, within_s: float = 30.0) -> None:
        async with asyncio.timeout(within_s):
            await self.ended.wait()


class DeskPhone:
    """A registered phone. `policy`: what it does when it rings: answer, ring (do nothing), decline.

    It keeps its registration up by itself. Never `user_agent.register()` a second time without `unregister()`
    before: the stack (baresip-python 0.5.2a3) then sends two REGISTERs at once, one that removes the old
    registration and one that makes the new, both of the same contact. Asterisk's threads may take them the
    other way round, and the phone is told 200 and has no contact."""

    def __init__(self, user_agent: Any, policy: str, hz: float = OPERATOR_HZ) -> None:
        self.hz = hz
        self.user_agent = user_agent
        self.policy = policy
        self.incoming: asyncio.Queue[Any] = asyncio.Queue()
        self.talks: asyncio.Queue[Talk] = asyncio.Queue()
        self.rings = 0
        self._tasks: set[asyncio.Task[None]] = set()
        user_agent.on_incoming(self._incoming)

    def _incoming(self, call: Any) -> None:
        self.rings += 1
        self.incoming.put_nowait(call)
        task = asyncio.ensure_future(self._react(call))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _react(self, call: Any) -> None:
        if self.policy == "decline":
            await call.reject()
        elif self.policy == "answer":
            await self.answer(call)

    async def answer(self, call: Any) -> Talk:
        await call.answer()
        talk = Talk(call, self.hz)
        self.talks.put_nowait(talk)
        return talk

    async def rung(self, within_s: float = 30.0) -> Any:
        async with asyncio.timeout(within_s):
            return await self.incoming.get()

    async def talk(self, within_s: float = 30.0) -> Talk:
        async with asyncio.timeout(within_s):
            return await self.talks.get()

    async def unregister(self) -> None:
        await self.user_agent.unregister()


class Phones:
    """All phones of a test in one SIP stack."""

    def __init__(self, runtime: Any) -> None:
        self.runtime = runtime

    async def desk(self, phone: dict[str, Any], policy: str = "answer", hz: float = OPERATOR_HZ) -> DeskPhone:
        """Registers a desk phone with what `daihyo phone ID --json` prints."""
        account = Account(
            user=phone["user"],
            domain=f"{phone['registrar']}:{phone['port']}",
            password=phone["secret"],
            reg_interval=300,
        )
        user_agent = await UserAgent.create(self.runtime, account)
        desk = DeskPhone(user_agent, policy, hz)
        await user_agent.register()
        return desk

    async def citizen(self, sip: str, caller: str = "09012345678") -> Any:
        """A telephone outside: not registered, known by its address as the trunk's."""
        account = Account(user=caller, domain=sip, password="", reg_interval=0)
        return await UserAgent.create(self.runtime, account)

    async def call(self, sip: str, number: str, caller: str = "09012345678") -> Talk:
        """Dials a number of the centre and waits until it is answered."""
        call = await self.dial(await self.citizen(sip, caller), f"sip:{number}@{sip}")
        await call.wait_established()
        return Talk(call, CITIZEN_HZ)

    async def dial(self, user_agent: Any, uri: str) -> Any:
        """Begins a call; `wait_established` of what is returned waits for the answer."""
        early: list[Any] = []
        hear = early.append
        self.runtime.subscribe(hear)
        try:
            call = await user_agent.dial(uri)
            # The centre answers so soon that the stack may have told before it gave the call away; what the
            # call has missed is told to it now (baresip-python 0.5.2a3 keeps nothing for it).
            for event in early:
                call._on_stack_event(event)
        finally:
            self.runtime.unsubscribe(hear)
        return call


@contextlib.asynccontextmanager
async def phones() -> AsyncIterator[Phones]:
    runtime = Runtime()
    await runtime.start(Config(net_interface="127.0.0.1", max_concurrent_calls=None, extra_config_text=""))
    try:
        yield Phones(runtime)
    finally:
        with contextlib.suppress(Exception):
            await runtime.close()


__all__ = [
    "CITIZEN_HZ",
    "OPERATOR_HZ",
    "RATE",
    "SUPERVISOR_HZ",
    "CallDeclined",
    "CallFailed",
    "DeskPhone",
    "Phones",
    "Talk",
    "dbfs",
    "level",
    "longest_quiet_s",
    "phones",
    "share",
]
