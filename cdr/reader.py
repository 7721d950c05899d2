"""Reading the journal, whoever writes it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from cdr.events import BadLine, Event, from_line
from cdr.segments import SEGMENT_OPENED, Report, events_of, segments, warn


def read_journal(folder: Path, since: str | None = None, report: Report = warn) -> Iterator[Event]:
    """All events in the order of writing; with `since` (an event id) those after it.

    May be used while the journal is written: an unfinished last line is left alone. Bad lines are told to
    `report` (file, line, why) and left out.
    """
    for file in _from(segments(folder), since):
        for event in events_of(file, report):
            if event.kind != SEGMENT_OPENED and (since is None or event.id > since):
                yield event


def tail(folder: Path, count: int = 10, report: Report = warn) -> list[Event]:
    """The last `count` events, oldest first."""
    found: list[Event] = []
    for file in reversed(segments(folder)):
        if len(found) >= count:
            break
        found = [event for event in events_of(file, report) if event.kind != SEGMENT_OPENED] + found
    return found[max(0, len(found) - count) :]


def _from(files: list[Path], since: str | None) -> list[Path]:
    """The files that can hold something later than `since`: what was written before a segment was opened
    has a smaller id than its first line."""
    if since is None:
        return files
    for index in range(len(files) - 1, 0, -1):
        try:
            with files[index].open("rb") as reader:
                first = from_line(reader.readline())
        except (BadLine, OSError):
            continue
        if first.kind == SEGMENT_OPENED and first.id <= since:
            return files[index:]
    return files
