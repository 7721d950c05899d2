"""The journal: every fact, on local disk, before anybody acts upon it.

One process writes (a lock says so). `append` only puts the event into memory; a thread writes what has
gathered and calls fsync once for the whole group, and what is appended meanwhile goes into the next group.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import fcntl
import logging
import os
import threading
import time
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from cdr import recent
from cdr.events import Clock, Event, Ids, SystemClock
from cdr.segments import SEGMENT_OPENED, mend_end, segments
from cdr.writer import SegmentWriter

log = logging.getLogger(__name__)

# A start reads the newest segment: about 8,000 events, a tenth of a second.
SEGMENT_BYTES = 2 * 1024 * 1024
GATHER_S = 0.02  # events of a moment share one write and one fsync
RETRY_S = 0.5
STUCK_S = 5.0  # a write that takes longer counts as failing


class JournalError(Exception):
    """The journal cannot be opened; one line: what, where, what to do."""


class Journal:
    """The writer of one journal folder.

        with Journal(folder) as journal:
            journal.append("arrived", call="minato-1.12", number="0246221111", caller=None)
            await journal.synced()

    A full or broken disk never reaches a call: `append` goes on in memory, `failing` says what is wrong, and
    everything is written as soon as the disk takes it. `recovered` is what `read_recent` gave at the start:
    the calls an engine has to take up. `notes` tells in words what had to be mended at the start.
    """

    def __init__(
        self, folder: Path, *, clock: Clock | None = None, segment_bytes: int = SEGMENT_BYTES
    ) -> None:
        """Opens the journal; each start begins a new segment with its first event. Raises JournalError."""
        self.folder = folder
        self._clock: Clock = clock or SystemClock()
        self._lock = _hold(folder)
        try:
            self.notes = _mend(folder)
            found = recent.load(folder)
            self.recovered: list[Event] = found.to_recover()
            self._ids = Ids(after=found.last_id)
            self._writer = SegmentWriter(folder, found.state, self._head, self._ids.writer, segment_bytes)
        except OSError as error:
            os.close(self._lock)
            raise JournalError(f"journal {folder}: {_reason(error)}; check the folder's rights") from None

        # Shared with the writer's thread, under `_wake`:
        self._wake = threading.Condition()
        self._gathered: list[Event] = []
        self._appended = 0
        self._written = 0
        self._waiting: list[tuple[int, asyncio.AbstractEventLoop, asyncio.Future[bool]]] = []
        self._failure: str | None = None
        self._busy_since: float | None = None
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    def append(self, kind: str, call: str | None = None, at: datetime | None = None, **data: Any) -> Event:
        """Adds an event; returns at once and never fails. `at` (aware) only for what happened earlier or
        elsewhere: such an event has no monotonic time."""
        now = self._clock.now()
        with self._wake:
            event = Event(
                id=self._ids.next(now),
                at=at or now,
                mono=None if at else self._clock.mono(),
                boot=None if at else self._clock.boot,
                call=call,
                kind=kind,
                data=data,
            )
            self._gathered.append(event)
            self._appended += 1
            self._wake.notify()
        return event

    async def synced(self, within_s: float = 2.0) -> bool:
        """Waits until all that was appended before is on disk: True. When the disk does not take it (see
        `failing`) or not within `within_s` seconds: False, so that no call waits for a disk."""
        with self._wake:
            if self._written >= self._appended:
                return True
            if self._failure is not None or self._closing:
                return False
            loop = asyncio.get_running_loop()
            done: asyncio.Future[bool] = loop.create_future()
            self._waiting.append((self._appended, loop, done))
        try:
            async with asyncio.timeout(within_s):
                return await done
        except TimeoutError:
            return False

    @property
    def failing(self) -> str | None:
        """What keeps the journal from being written (one line, with what to do), None when all is well."""
        with self._wake:
            if self._failure is None and self._busy_since is not None:
                stuck = time.monotonic() - self._busy_since
                if stuck > STUCK_S:
                    return f"journal {self.folder}: writing has been stuck for {stuck:.0f} s; check the disk"
            return self._failure

    @property
    def unwritten(self) -> int:
        """How many events are in memory only."""
        with self._wake:
            return self._appended - self._written

    def close(self) -> None:
        """Writes what is left (one last try when failing) and lets the folder go. Blocks while writing."""
        with self._wake:
            if self._closing:
                return
            self._closing = True
            self._wake.notify()
        self._thread.join()
        with contextlib.suppress(OSError):
            self._writer.close()
        os.close(self._lock)

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _head(self, data: Mapping[str, Any]) -> Event:
        """The first line of a segment."""
        now = self._clock.now()
        with self._wake:
            identity = self._ids.next(now)
        return Event(identity, now, self._clock.mono(), None, SEGMENT_OPENED, data, self._clock.boot)

    # -- the writer's thread ------------------------------------------------------------------------------

    def _run(self) -> None:
        group: list[Event] = []
        while True:
            with self._wake:
                if group and not self._closing:
                    # The disk did not take this group: try again soon, not for every append.
                    self._wake.wait_for(lambda: self._closing, RETRY_S)
                while not group and not self._gathered and not self._closing:
                    self._wake.wait()
            if not self._closing:
                time.sleep(GATHER_S)
            with self._wake:
                group += self._gathered
                self._gathered = []
                last_try = self._closing
                self._busy_since = time.monotonic()
            failure = self._try(group)
            with self._wake:
                self._busy_since = None
                self._settle(group, failure)
                if not failure:
                    group = []
                elif last_try:
                    log.error("%s; %d events were not written before the stop", failure, len(group))
                if last_try and not self._gathered:
                    self._settle_all()
                    return

    def _try(self, group: list[Event]) -> str | None:
        """Writes a group; returns what went wrong."""
        if not group:
            return None
        try:
            self._writer.write(group)
        except OSError as error:
            return f"journal {self.folder}: {_reason(error)}; {_advice(error)} (events are kept in memory)"
        except Exception as error:  # a slip of ours must not end the thread: calls go on, the alarm is raised
            log.exception("the journal's writer failed")
            return f"journal {self.folder}: {type(error).__name__} while writing; see the log"
        return None

    def _settle(self, group: list[Event], failure: str | None) -> None:
        """Tells those who wait; called with `_wake` held."""
        if failure is None:
            self._written += len(group)
            if self._failure is not None:
                log.warning("journal %s: written again, nothing was lost", self.folder)
        elif self._failure is None:
            log.error("%s", failure)
        self._failure = failure
        waiting, self._waiting = self._waiting, []
        for count, loop, done in waiting:
            if count <= self._written or failure is not None:
                _tell(loop, done, count <= self._written)
            else:
                self._waiting.append((count, loop, done))

    def _settle_all(self) -> None:
        for count, loop, done in self._waiting:
            _tell(loop, done, count <= self._written)
        self._waiting = []


def _tell(loop: asyncio.AbstractEventLoop, done: asyncio.Future[bool], result: bool) -> None:
    def tell() -> None:
        if not done.done():
            done.set_result(result)

    with contextlib.suppress(RuntimeError):  # that loop is closed: nobody waits any more
        loop.call_soon_threadsafe(tell)


def _hold(folder: Path) -> int:
    """Creates the folder if need be and takes its lock; the kernel drops it when the process ends."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise JournalError(f"journal {folder}: {_reason(error)}; check the folder's rights") from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(lock)
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
            raise JournalError(
                f"journal {folder}: another engine is writing it; stop that one first"
            ) from None
        raise JournalError(f"journal {folder}: {_reason(error)}; use a local disk") from None
    return lock


def _mend(folder: Path) -> list[str]:
    """Mends what a killed writer left behind: only the newest segment can be torn."""
    notes = [note for file in segments(folder)[-1:] if (note := mend_end(file)) is not None]
    for note in notes:
        log.warning("journal: %s", note)
    return notes


def _reason(error: OSError) -> str:
    return error.strerror or type(error).__name__


def _advice(error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return "free space on that disk"
    return "check the disk"
