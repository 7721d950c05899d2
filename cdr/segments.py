"""The journal's files: their names, their lines, and what a crash leaves in them.

A segment is `NNNNNNNN-<UTC time>-<writer>.jsonl`; the number grows by one from segment to segment, whatever
the clock does, so names sort in the order of writing. Only the last one is ever written to.
"""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Callable, Iterator, Set
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cdr.events import BadLine, Event, from_line, might_be_of

log = logging.getLogger(__name__)

# The first line of a segment: which calls are open and what state each operator is in (see recent.py).
SEGMENT_OPENED = "segment_opened"
_BLOCK = 1 << 20


@dataclass(frozen=True)
class Problem:
    """A line that could not be read: `line` counts from 1 (0: not known, the reading began in mid-file)."""

    file: Path
    line: int
    position: int
    why: str

    def __str__(self) -> str:
        where = f"line {self.line}" if self.line else f"byte {self.position}"
        return f"{self.file}, {where}: {self.why}; it is left out"


Report = Callable[[Problem], None]


def warn(problem: Problem) -> None:
    """The usual report: a warning in the log."""
    log.warning("journal: %s", problem)


def segments(folder: Path) -> list[Path]:
    """All segments, oldest first; empty when the folder does not exist."""
    try:
        names = [entry.name for entry in os.scandir(folder) if entry.name.endswith(".jsonl")]
    except FileNotFoundError:
        return []
    return [folder / name for name in sorted(names)]


def number_of(segment: Path) -> int:
    """A segment's number; 0 for a file that is none of ours."""
    head, _, _ = segment.name.partition("-")
    return int(head) if head.isdecimal() else 0


def name_of(number: int, at: datetime, writer: str) -> str:
    return f"{number:08d}-{at.astimezone(UTC):%Y%m%dT%H%M%SZ}-{writer}.jsonl"


def complete_lines(file: Path, position: int = 0, limit: int | None = None) -> tuple[list[bytes], int]:
    """The lines that end with a newline from byte `position` on, and the byte behind the last of them.

    `limit`: about how many bytes to read; at least one whole line is returned if there is one.
    """
    with file.open("rb") as reader:
        reader.seek(position)
        data = reader.read() if limit is None else reader.read(limit)
        if limit is not None and len(data) == limit and b"\n" not in data:
            data += reader.readline()
    end = data.rfind(b"\n") + 1
    return [line + b"\n" for line in data[:end].split(b"\n")[:-1]], position + end


def events_of(file: Path, report: Report = warn, calls: Set[str] | None = None) -> Iterator[Event]:
    """The events of one segment, in order, with `calls` only those of these calls (found many times faster).
    An unfinished last line is left alone (it may be being written). Bad lines are reported and left out.
    A segment removed meanwhile is empty."""
    position = 0
    wanted = None if calls is None else frozenset(call.encode() for call in calls)
    try:
        lines, _ = complete_lines(file)
    except FileNotFoundError:
        return
    for count, line in enumerate(lines, 1):
        try:
            if wanted is None or might_be_of(line, wanted):
                yield from_line(line)
        except BadLine as bad:
            report(Problem(file, count, position, str(bad)))
        position += len(line)


def mend_end(file: Path) -> str | None:
    """Mends the end of a segment whose writer died: a last line without newline is completed if its checksum
    holds, else cut off. Returns what was done in words, None if nothing had to be.
    """
    end = _after_last_newline(file)
    size = file.stat().st_size
    if end == size:
        return None
    with file.open("r+b") as writer:
        writer.seek(end)
        torn = writer.read()
        try:
            from_line(torn)
        except BadLine:
            writer.truncate(end)
            done = f"{file}: cut off {size - end} bytes of a line that was being written when its writer died"
        else:
            writer.write(b"\n")
            done = f"{file}: completed the last line, whose newline was missing"
        writer.flush()
        os.fsync(writer.fileno())
    return done


def _after_last_newline(file: Path) -> int:
    with file.open("rb") as reader:
        end = reader.seek(0, os.SEEK_END)
        while end > 0:
            start = max(0, end - _BLOCK)
            reader.seek(start)
            newline = reader.read(end - start).rfind(b"\n")
            if newline >= 0:
                return start + newline + 1
            end = start
    return 0


def sync_folder(folder: Path) -> None:
    """Makes the names in a folder as lasting as the files."""
    with contextlib.suppress(PermissionError):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
