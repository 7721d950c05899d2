"""Trying out staffing without the console's loop ever waiting: in one process beside it, at low priority,
started when it is needed and ended after a minute without work."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import pickle
import sys
from typing import Any, Final

from aiohttp import web

from store import StoreUnavailable

from ..problems import Problem, problem
from .question import LENGTH

log = logging.getLogger(__name__)

IDLE_S = 60.0
ANSWER_S = 30.0
MOST_WAITING = 4


class Refused(Exception):
    """The day asked for cannot be simulated: why, in both languages."""

    def __init__(self, ja: str, en: str) -> None:
        super().__init__(en)
        self.ja, self.en = ja, en


class Trials:
    """Asks the process, one question at a time; a few may wait, more are told to come again."""

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process | None = None
        self._lock = asyncio.Lock()
        self._waiting = 0
        self._idle: asyncio.TimerHandle | None = None

    async def ask(self, name: str, *arguments: Any) -> Any:
        """The answer of a function of `trial_work`. Raises Refused, StoreUnavailable, Problem (503)."""
        if self._waiting >= MOST_WAITING:
            raise Problem(503, "busy", "staffing.busy", {}, headers={"Retry-After": "5"})
        self._waiting += 1
        try:
            async with self._lock:
                kind, told = await self._ask(name, arguments)
        finally:
            self._waiting -= 1
        if kind == "refused":
            raise Refused(*told)
        if kind == "away":
            raise StoreUnavailable(told)
        if kind != "done":
            log.error("staffing: %s: %s", name, told)
            raise problem(503, "staffing", "staffing.failed")
        return told

    async def close(self) -> None:
        """Ends the process."""
        if self._idle is not None:
            self._idle.cancel()
        await self._end()

    async def _ask(self, name: str, arguments: tuple[Any, ...]) -> tuple[str, Any]:
        if self._idle is not None:
            self._idle.cancel()
        process = await self._started()
        body = pickle.dumps((name, arguments))
        try:
            assert process.stdin is not None and process.stdout is not None  # noqa: S101, PT018 - pipes asked for
            process.stdin.write(LENGTH.pack(len(body)) + body)
            async with asyncio.timeout(ANSWER_S):
                await process.stdin.drain()
                (length,) = LENGTH.unpack(await process.stdout.readexactly(LENGTH.size))
                answer: tuple[str, Any] = pickle.loads(  # noqa: S301 - of our own child
                    await process.stdout.readexactly(length)
                )
        except (TimeoutError, OSError, asyncio.IncompleteReadError) as error:
            await self._end()
            return "failed", type(error).__name__
        except asyncio.CancelledError:
            await self._end()  # the answer would otherwise be taken for the next one's
            raise
        loop = asyncio.get_running_loop()
        self._idle = loop.call_later(IDLE_S, lambda: loop.create_task(self._end_if_idle()))
        return answer

    async def _started(self) -> asyncio.subprocess.Process:
        if self._process is None or self._process.returncode is not None:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "agent_console.distribution.trial_work",
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
            )
        return self._process

    async def _end_if_idle(self) -> None:
        async with self._lock:
            await self._end()

    async def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()


TRIALS: Final = web.AppKey("trials", Trials)
