"""Keeps programs running: starts them, sees whether they are ready or hang, restarts them with back-off,
stops them."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable

from daihyo.programs import GO, SPARE, SUPERVISOR
from daihyo.settings import StateDir, UserError

log = logging.getLogger("daihyo.up")

# Seconds before the first, second, … restart in a row; a program that lived for SETTLED_S begins anew.
BACK_OFF = (0.0, 0.5, 1.0, 2.0, 5.0, 10.0)
SETTLED_S = 30.0
# Calls come first: sound files, records and pages take the processor time that Asterisk and engine leave.
NICE = {"console": 5, "worker": 10}
_LARGE_OUTPUT = 1024 * 1024


class Child:
    """One program (`python -m daihyo NAME --state DIR`) kept running by `keep` until `stop`.

    `probe` answers whether it is ready and healthy; it may raise. `pid` is None while it is not running.
    With `spare`, a second process stands by that has loaded everything and waits for the word: after a death
    the program is back at once, on a busy machine too.
    """

    def __init__(
        self, name: str, state: StateDir, probe: Callable[[], Awaitable[bool]], *, spare: bool = False
    ) -> None:
        self.name = name
        self._with_spare = spare
        self._spare: asyncio.subprocess.Process | None = None
        self.probe = probe
        self.pid: int | None = None
        self.starts = 0
        self.started_at = 0.0  # monotonic
        self.ready = asyncio.Event()
        self._state = state
        self._stopping = asyncio.Event()
        self._output = state.log / f"{name}.out"
        self._process: asyncio.subprocess.Process | None = None

    async def keep(self, changed: Callable[[], None]) -> None:
        """Runs it again and again; `changed` is called when `pid` has. Raises UserError when it ends
        before it was ready for the first time: then the fault is in what we were given, and no restart
        helps."""
        in_a_row = 0
        while not self._stopping.is_set():
            self._process = await self._start()
            changed()
            became_ready = asyncio.create_task(self._wait_ready())
            code = await self._process.wait()
            became_ready.cancel()
            self.pid = None
            if self._stopping.is_set():
                return
            if not self.ready.is_set():
                raise UserError(f"{self.name}: {self._last_words()} (exit code {code})")
            lived = time.monotonic() - self.started_at
            in_a_row = 1 if lived > SETTLED_S else in_a_row + 1
            pause = BACK_OFF[min(in_a_row, len(BACK_OFF)) - 1]
            log.error("%s ended (exit code %s) after %.1f s, again in %g s", self.name, code, lived, pause)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), pause)

    async def _start(self) -> asyncio.subprocess.Process:
        process, self._spare = self._spare, None
        if process is None or not await _told_to_go(process):
            process = await self._spawn()
        self.pid = process.pid
        self.starts += 1
        self.started_at = time.monotonic()
        return process

    async def _spawn(self, *, spare: bool = False) -> asyncio.subprocess.Process:
        if self._output.exists() and self._output.stat().st_size > _LARGE_OUTPUT:
            self._output.replace(self._output.with_suffix(".out.1"))
        with self._output.open("ab") as output:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "daihyo",
                self.name,
                "--state",
                str(self._state.path),
                stdin=asyncio.subprocess.PIPE if spare else asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                # Ctrl-C is for `up` alone: it stops its programs in order.
                start_new_session=True,
                env={**os.environ, SUPERVISOR: str(os.getpid()), **({SPARE: "1"} if spare else {})},
            )
        with contextlib.suppress(ProcessLookupError):
            os.setpriority(os.PRIO_PROCESS, process.pid, NICE.get(self.name, 0))
        return process

    async def _wait_ready(self) -> None:
        while True:
            with contextlib.suppress(Exception):
                if await self.probe():
                    log.info("%s is ready (pid %s)", self.name, self.pid)
                    self.ready.set()
                    break
            await asyncio.sleep(0.05)
        if self._with_spare and self._spare is None and not self._stopping.is_set():
            self._spare = await self._spawn(spare=True)

    def kill(self, why: str) -> None:
        """Ends it at once (SIGKILL); `keep` starts it anew."""
        if self.pid is not None:
            log.error("%s (pid %d) is killed: %s", self.name, self.pid, why)
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)

    async def stop(self, within_s: float = 8.0) -> None:
        """SIGTERM, then SIGKILL; returns when it has ended. It is not started again."""
        self._stopping.set()
        if self._spare is not None:
            with contextlib.suppress(ProcessLookupError):
                self._spare.kill()  # it holds nothing
            await self._spare.wait()
        process = self._process
        if process is None or process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), within_s)
        except TimeoutError:
            self.kill(f"it did not end within {within_s:g} s")
            await process.wait()

    def _last_words(self) -> str:
        with contextlib.suppress(OSError):
            lines = [line for line in self._output.read_text(errors="replace").splitlines() if line.strip()]
            if lines:
                return lines[-1][:400]
        return f"it ended without a word, see {self._state.log}"


async def _told_to_go(spare: asyncio.subprocess.Process) -> bool:
    """Whether the spare took the word; one that has died did not."""
    if spare.returncode is not None or spare.stdin is None:
        return False
    try:
        spare.stdin.write(GO)
        await spare.stdin.drain()
        spare.stdin.close()
    except (ConnectionError, OSError):
        return False
    return True
