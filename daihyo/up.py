"""`daihyo up`: Asterisk, engine, console and worker, started in order, looked after, stopped in order.

When `up` itself is killed (SIGKILL), engine, console and worker end with it; Asterisk goes on with its
calls, and the next `up` on the same state folder adopts it.
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable

import aiohttp

from daihyo import logs, rendering
from daihyo.children import Child
from daihyo.control import EngineGone, EngineSilent, ask
from daihyo.nursery import Nursery
from daihyo.prepare import Prepared, Wanted, alone, prepare
from daihyo.rescue import GRACE_S, Rescue, parse
from daihyo.settings import StateDir, UserError
from switch.process import AsteriskFailed, AsteriskProcess

log = logging.getLogger("daihyo.up")

SIP_SILENT_S = 15.0  # after a restart; it takes a second or two
ASTERISK_READY_S = 60.0
PROGRAMS_READY_S = 60.0
HELLO_S = 5.0
"""An engine that does not answer for so long hangs and is killed; Asterisk keeps the conversations
meanwhile."""
FIRST_HELLO_S = 30.0  # while it takes calls up after a start
LOOK_EVERY_S = 1.0
RESCUE_EVERY_S = 5.0


async def up(
    state: StateDir,
    wanted: Wanted,
    announce: Callable[[Prepared], None],
    before: Callable[[Prepared], Awaitable[None]] | None = None,
    nursery: Nursery | None = None,
) -> None:
    """Runs a centre until SIGTERM or SIGINT; `nursery` (`nursery.opened`) makes its start quick. `before` is
    awaited when all is prepared and nothing runs yet, `announce` called once everything is ready. Raises
    UserError."""
    state.create()
    with alone(state):
        logs.start("up", state)
        prepared = await prepare(state, wanted)
        logs.start("up", state)  # once more: the secrets that must not be logged are known only now
        for line in prepared.warnings:
            log.warning("%s", line)
            sys.stderr.write(f"daihyo: {line}\n")
        if before is not None:
            await before(prepared)
        await Centre(state, prepared, nursery).run(announce)


class Centre:
    """One running centre."""

    def __init__(self, state: StateDir, prepared: Prepared, nursery: Nursery | None) -> None:
        self._state = state
        self._prepared = prepared
        self._runtime = prepared.runtime
        self._asterisk: AsteriskProcess = prepared.asterisk
        self._stop = asyncio.Event()
        self._rescue = Rescue()
        self.engine = Child("engine", state, self._engine_well, nursery)
        self.console = Child("console", state, self._console_well, nursery)
        self.worker = Child("worker", state, self._worker_well, nursery)
        self._children = (self.engine, self.console, self.worker)

    async def run(self, announce: Callable[[Prepared], None]) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        stopped = asyncio.create_task(self._stop.wait())
        tasks: set[asyncio.Task[None]] = set()
        try:
            self._save()  # before Asterisk: whoever adopts it must find its ports here
            start = asyncio.create_task(self._start_asterisk())
            await _first(start, stopped)
            if self._stop.is_set():
                return
            self._state.worker_ready.unlink(missing_ok=True)
            tasks = {asyncio.create_task(child.keep(self._save)) for child in self._children}
            ready = asyncio.create_task(self._all_ready())
            await _first(ready, stopped, *tasks)
            if self._stop.is_set():
                return
            self._save()
            announce(dataclasses.replace(self._prepared, runtime=self._runtime))
            log.info("ready: web %s, SIP %s", self._runtime.web, self._runtime.sip)
            tasks |= {asyncio.create_task(self._keep_asterisk()), asyncio.create_task(self._watch_engine())}
            await _first(stopped, *tasks)
        finally:
            log.info("stopping")
            stopped.cancel()
            for child in (self.console, self.worker, self.engine):
                await child.stop()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            if self._stop.is_set() or not self._prepared.adopted:
                await self._asterisk.stop()
            self._save()
            log.info("stopped")

    # ── Asterisk ─────────────────────────────────────────────────────────────────────────────────────────

    async def _start_asterisk(self) -> None:
        if self._prepared.adopted:
            log.warning("adopting the running Asterisk (pid %s) and its calls", self._asterisk.pid)
        else:
            await self._asterisk.start()
        self._save()
        try:
            await self._asterisk_ready(ASTERISK_READY_S)
            for module in self._prepared.reload:
                await self._asterisk.rx(f"module reload {module}")
            rendering.reloaded(self._state)
        except TimeoutError:
            raise UserError(
                f"Asterisk is not ready after {ASTERISK_READY_S:g} s: {self._asterisk.last_words()}"
            ) from None
        except AsteriskFailed as error:
            raise UserError(str(error)) from None

    async def _asterisk_ready(self, within_s: float) -> None:
        """Until SIP and ARI answer. TimeoutError; AsteriskFailed when it ends instead."""
        runtime, keys = self._runtime, self._prepared.keys
        async with asyncio.timeout(within_s):
            await self._asterisk.wait_ready(
                (runtime.reachable_host, runtime.sip_port),
                ("127.0.0.1", runtime.ari_port),
                keys.ari_user,
                keys.ari_password,
            )

    async def _keep_asterisk(self) -> None:
        """Asterisk that ended is started anew; its calls are gone, the engine says so in the journal. One
        whose SIP stays silent (its port was taken just then) is of no use to anybody: it is ended and started
        again."""
        while True:
            await self._asterisk.wait_ended()
            if self._stop.is_set():
                return
            log.error("Asterisk has ended: %s", self._asterisk.last_words())
            began = time.monotonic()
            await self._asterisk.start()
            self._save()
            try:
                await self._asterisk_ready(SIP_SILENT_S)
                log.info("Asterisk runs again (pid %s)", self._asterisk.pid)
            except TimeoutError:
                log.error("SIP stays silent, Asterisk is started again: %s", self._asterisk.last_words())
                await self._asterisk.stop()
            except AsteriskFailed as error:
                log.error("%s", error)
                await asyncio.sleep(min(5.0, max(0.5, time.monotonic() - began)))

    # ── readiness ────────────────────────────────────────────────────────────────────────────────────────

    async def _engine_well(self) -> bool:
        live = await ask(self._state.control_socket, "live")
        return bool(live.get("switch", {}).get("connected"))

    async def _console_well(self) -> bool:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=3)) as session:
            async with session.get(f"{self._runtime.web}/healthz") as answer:
                return answer.status == 200

    async def _worker_well(self) -> bool:
        return self._state.worker_ready.read_text().strip() == str(self.worker.pid)

    async def _all_ready(self) -> None:
        try:
            async with asyncio.timeout(PROGRAMS_READY_S):
                for child in self._children:
                    await child.ready.wait()
        except TimeoutError:
            late = ", ".join(child.name for child in self._children if not child.ready.is_set())
            raise UserError(
                f"{late}: not ready after {PROGRAMS_READY_S:g} s; see the logs in {self._state.log}"
            ) from None

    # ── while it runs ────────────────────────────────────────────────────────────────────────────────────

    async def _watch_engine(self) -> None:
        """Kills a hung engine; while the engine is away, gives stuck calls back to the dialplan."""
        well_at = rescued_at = time.monotonic()
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            pid, started = self.engine.pid, self.engine.started_at
            try:
                await ask(self._state.control_socket, "hello", HELLO_S, program="up")
                well_at = time.monotonic()
                self._rescue.well()
                continue
            except EngineSilent as error:
                hangs = True
                why = str(error)
            except EngineGone as error:
                hangs = time.monotonic() - started > FIRST_HELLO_S
                why = str(error)
            except UserError as error:
                hangs, why = False, str(error)
            if hangs and pid is not None and pid == self.engine.pid:
                self.engine.kill(why)
            now = time.monotonic()
            if now - rescued_at >= RESCUE_EVERY_S:
                rescued_at = now
                await self._look_for_stuck_calls(now - well_at)

    async def _look_for_stuck_calls(self, away_s: float) -> None:
        try:
            listed = await self._asterisk.rx("core show channels concise")
            commands = self._rescue.look(parse(listed), away_s)
            if commands and away_s >= GRACE_S:
                log.warning(
                    "the engine has been away for %.0f s; %d calls go on without it", away_s, len(commands)
                )
            for command in commands:
                await self._asterisk.rx(command)
        except AsteriskFailed as error:
            log.warning("%s", error)

    def _save(self) -> None:
        """runtime.json names the processes of this moment."""
        pids = {"up": os.getpid()}
        if self._asterisk.pid is not None:
            pids["asterisk"] = self._asterisk.pid
        pids |= {child.name: child.pid for child in self._children if child.pid is not None}
        self._runtime = dataclasses.replace(self._runtime, pids=pids)
        self._runtime.save(self._state)


async def _first(*tasks: asyncio.Task[object] | asyncio.Task[None] | asyncio.Task[bool]) -> None:
    """Waits for the first of them and raises its error."""
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        task.result()
