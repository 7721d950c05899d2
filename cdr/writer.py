"""Puts groups of events on disk: all of a group or, for now, nothing of it."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from cdr.events import Event, to_line
from cdr.recent import OpenCalls
from cdr.segments import name_of, number_of, segments, sync_folder


class SegmentWriter:
    """Appends to the newest segment and begins new ones. For one thread; every method may block on the disk.

    `state` follows what was written and is written at the head of each new segment; `header(data)` makes that
    event; `tag` tells this writer's files from another's.
    """

    def __init__(
        self,
        folder: Path,
        state: OpenCalls,
        header: Callable[[Mapping[str, Any]], Event],
        tag: str,
        segment_bytes: int,
    ) -> None:
        self._folder, self._state, self._header, self._tag = folder, state, header, tag
        self._segment_bytes = segment_bytes
        existing = segments(folder)
        self._number = number_of(existing[-1]) if existing else 0
        self._file: int | None = None
        self._size = 0  # bytes of the open segment that are safely on disk

    def write(self, events: Sequence[Event]) -> None:
        """Returns when all are on disk. Raises OSError; then the same events have to be given again."""
        data = b"".join([to_line(event) for event in events])
        if self._file is None or self._size >= self._segment_bytes:
            self._begin()
        assert self._file is not None  # noqa: S101 - for the type checker
        try:
            _write_all(self._file, data)
        except OSError as error:
            # Half a group must not stay: the whole group is written again. A full disk is waited for with
            # this file, anything else (a limit on its size, a broken disk) is tried with a new one.
            self._cut_back(abandon=error.errno not in (errno.ENOSPC, errno.EDQUOT))
            raise
        try:
            os.fdatasync(self._file)
        except OSError:
            # After a failed fsync the kernel may have dropped pages yet answer the next fsync with success:
            # this file is not trusted any more. The group bears the same ids in the next segment.
            self._cut_back(abandon=True)
            raise
        self._size += len(data)
        for event in events:
            self._state.note(event, self._number)

    def close(self) -> None:
        """Closes the open segment; everything given to `write` that returned is on disk already."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _cut_back(self, *, abandon: bool) -> None:
        assert self._file is not None  # noqa: S101 - for the type checker
        try:
            os.ftruncate(self._file, self._size)
        except OSError:
            abandon = True
        if abandon:
            with contextlib.suppress(OSError):
                self.close()
            self._file = None

    def _begin(self) -> None:
        """A new segment, with the state so far as its first line."""
        head = self._header(self._state.to_data())
        line = to_line(head)
        path = self._folder / name_of(self._number + 1, head.at, self._tag)
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            _write_all(file, line)
            os.fdatasync(file)
            sync_folder(self._folder)
        except OSError:
            with contextlib.suppress(OSError):
                os.close(file)
            with contextlib.suppress(OSError):
                path.unlink()
            raise
        self.close()
        self._file, self._size = file, len(line)
        self._number += 1


def _write_all(file: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(file, view) :]
