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

from daihyo.nursery import SUPERVISOR, Forked, Nursery, NurseryGone
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
    With a `nursery` it is back at once after a death, on a busy machine too.
    """

    def __init__(
        self,
        name: str,
        state: StateDir,
        probe: Callable[[], Awaitable[bool]],
        nursery: Nursery | None = None,
    ) -> None:
        self.name = name
        self._nursery = nursery
        self.probe = probe
        self.pid: int | None = None
        self.starts = 0
        self.started_at = 0.0  # monotonic
        self.ready = asyncio.Event()
        self._state = state
        self._stopping = asyncio.Event()
        self._output = state.log / f"{name}.out"
        self._process: asyncio.subprocess.Process | Forked | None = None

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
                async with asyncio.timeout(pause):
                    await self._stopping.wait()

    async def _start(self) -> asyncio.subprocess.Process | Forked:
        if self._output.exists() and self._output.stat().st_size > _LARGE_OUTPUT:
            self._output.replace(self._output.with_suffix(".out.1"))
        process: asyncio.subprocess.Process | Forked | None = None
        if self._nursery is not None:
            try:
                process = await self._nursery.spawn(self.name, self._state, self._output)
            except NurseryGone:
                log.warning("the nursery is gone: %s starts the long way", self.name)
        if process is None:
            process = await self._spawn()
        with contextlib.suppress(ProcessLookupError):
            os.setpriority(os.PRIO_PROCESS, process.pid, NICE.get(self.name, 0))
        self.pid = process.pid
        self.starts += 1
        self.started_at = time.monotonic()
        return process

    async def _spawn(self) -> asyncio.subprocess.Process:
        with self._output.open("ab") as output:
            return await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "daihyo",
                self.name,
                "--state",
                str(self._state.path),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                # Ctrl-C is for `up` alone: it stops its programs in order.
                start_new_session=True,
                env={**os.environ, SUPERVISOR: str(os.getpid())},
            )

    async def _wait_ready(self) -> None:
        while True:
            with contextlib.suppress(Exception):
                if await self.probe():
                    log.info("%s is ready (pid %s)", self.name, self.pid)
                    self.ready.set()
                    return
            await asyncio.sleep(0.05)

    def kill(self, why: str) -> None:
        """Ends it at once (SIGKILL); `keep` starts it anew."""
        if self.pid is not None:
            log.error("%s (pid %d) is killed: %s", self.name, self.pid, why)
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)

    async def stop(self, within_s: float = 8.0) -> None:
        """SIGTERM, then SIGKILL; returns when it has ended. It is not started again."""
        self._stopping.set()
        process = self._process
        if process is None or process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            async with asyncio.timeout(within_s):
                await process.wait()
        except TimeoutError:
            self.kill(f"it did not end within {within_s:g} s")
            await process.wait()

    def _last_words(self) -> str:
        with contextlib.suppress(OSError):
            lines = [line for line in self._output.read_text(errors="replace").splitlines() if line.strip()]
            if lines:
                return lines[-1][:400]
        return f"it ended without a word, see {self._state.log}"
