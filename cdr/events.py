"""What happened, as one line of text: the Event, its id, and the line that keeps it on disk."""

from __future__ import annotations

import enum
import functools
import os
import time
import zlib
from collections.abc import Mapping, Set
from dataclasses import dataclass, field, fields, is_dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import orjson


@dataclass(frozen=True, slots=True)
class Event:
    """One fact about a call, an operator or the engine.

    `id` sorts in the order of writing; `at` is aware UTC; `mono` is `time.monotonic()` seconds on the boot
    named by `boot` (both None for what was learned later, from elsewhere); `call` and `data` by `kind`: see
    the table in docs/interfaces.md.
    """

    id: str
    at: datetime
    mono: float | None
    call: str | None
    kind: str
    data: Mapping[str, Any] = field(default_factory=dict)
    boot: str | None = None


class Clock(Protocol):
    """Where a journal gets its times from."""

    @property
    def boot(self) -> str:
        """Names the time base of `mono`: monotonic times may be compared within one boot only."""

    def now(self) -> datetime:
        """Aware UTC."""

    def mono(self) -> float:
        """Seconds that no clock setting changes."""


class SystemClock:
    """The machine's own clocks."""

    @functools.cached_property
    def boot(self) -> str:
        return boot_id()

    def now(self) -> datetime:
        return datetime.now(UTC)

    def mono(self) -> float:
        return time.monotonic()


@functools.cache
def boot_id() -> str:
    """8 hex digits that change when the machine boots."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip().replace("-", "")[:8]
    except OSError:
        # Not Linux: a name of this process's own, so that nothing is compared that must not be.
        return os.urandom(4).hex()


class Ids:
    """Makes event ids: milliseconds of wall time, a counter within them, and what tells writers apart.

    `019ac0ffee00-0001-5f3a9c21`. Each is greater than all before it, also when the wall clock is set back.
    """

    def __init__(self, after: str = "") -> None:
        """`after`: the last id written by an earlier process; ours will be greater."""
        self._writer = os.urandom(4).hex()
        self._ms, self._count = 0, 0
        milliseconds, _, _ = after.partition("-")
        if milliseconds:
            self._ms, self._count = int(milliseconds, 16), 0xFFFF

    @property
    def writer(self) -> str:
        return self._writer

    def next(self, at: datetime) -> str:
        ms = int(at.timestamp() * 1000)
        if ms > self._ms:
            self._ms, self._count = ms, 0
        elif self._count < 0xFFFF:
            self._count += 1
        else:
            self._ms, self._count = self._ms + 1, 0
        return f"{self._ms:012x}-{self._count:04x}-{self._writer}"


def time_text(at: datetime) -> str:
    """ISO 8601 in UTC with microseconds and Z: `2026-11-21T03:15:00.000000Z`."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class BadLine(ValueError):
    """A line that is no event; the text says why."""


_CALL = b',"call":"'
_SUM_TAIL = len(b',"sum":"00000000"}')


def to_fields(event: Event) -> dict[str, Any]:
    """The event as the JSON object of its line, without the checksum."""
    return {
        "id": event.id,
        "at": time_text(event.at),
        "mono": event.mono,
        "boot": event.boot,
        "call": event.call,
        "kind": event.kind,
        "data": event.data,
    }


def from_fields(fields: Mapping[str, Any]) -> Event:
    """The event of such an object. Raises BadLine."""
    try:
        return Event(
            id=_text(fields["id"]),
            at=datetime.fromisoformat(fields["at"]).astimezone(UTC),
            mono=None if fields["mono"] is None else float(fields["mono"]),
            boot=None if fields.get("boot") is None else _text(fields["boot"]),
            call=None if fields["call"] is None else _text(fields["call"]),
            kind=_text(fields["kind"]),
            data=dict(fields["data"]),
        )
    except (ValueError, TypeError, KeyError, OverflowError) as error:
        raise BadLine(f"it is no event ({type(error).__name__}: {error})") from None


def to_line(event: Event) -> bytes:
    """The event as one JSON object and a newline; `sum` is the CRC-32 of all bytes before `,"sum"`.

    Never raises: what JSON cannot hold is written as text.
    """
    try:
        body = orjson.dumps(to_fields(event), option=orjson.OPT_UTC_Z)
        if b"\\u0000" in body:  # PostgreSQL holds no NUL
            body = orjson.dumps(plain(to_fields(event)))
    except (TypeError, ValueError):
        try:
            body = orjson.dumps(plain(to_fields(event)))
        except Exception as error:
            # Data within itself, or whose str() fails: the fact that it happened is worth more than no line.
            bare = replace(event, data={"unwritable": type(error).__name__})
            body = orjson.dumps(plain(to_fields(bare)))
    return b'%b,"sum":"%08x"}\n' % (body[:-1], zlib.crc32(body[:-1]))


def might_be_of(line: bytes, calls: Set[bytes]) -> bool:
    """Whether a line can be an event of one of these calls, found without reading it as JSON."""
    start = line.find(_CALL) + len(_CALL)
    call = line[start : line.find(b'"', start)]
    return call in calls or b"\\" in call  # an id with an escaped sign: let the reader look


def from_line(line: bytes) -> Event:
    """The event of a line (without or with its newline). Raises BadLine."""
    line = line.rstrip(b"\n")
    body, tail = line[:-_SUM_TAIL], line[-_SUM_TAIL:]
    if not (tail.startswith(b',"sum":"') and tail.endswith(b'"}')):
        raise BadLine("it has no checksum")
    if tail != b',"sum":"%08x"}' % zlib.crc32(body):
        raise BadLine("its checksum is wrong")
    try:
        loaded = orjson.loads(body + b"}")
    except ValueError as error:
        raise BadLine(f"it is no JSON ({error})") from None
    if not isinstance(loaded, dict):
        raise BadLine("it is no JSON object")
    return from_fields(loaded)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r:.40} is no text")
    return value


def plain(value: Any) -> Any:
    """`value` as JSON and both databases can hold it: no NUL characters, no half surrogates, no keys that are
    not text, no integers over 64 bits, no objects of ours. Nothing is dropped; what is foreign becomes text.
    """
    match value:
        case enum.Enum():
            return plain(value.value)
        case str():
            if value.isascii() and "\0" not in value:
                return value
            return value.encode("utf-8", "replace").decode("utf-8").replace("\0", "\ufffd")
        case None | bool() | float():
            return value
        case int():
            return value if -(2**63) <= value < 2**63 else str(value)
        case datetime():
            return time_text(value) if value.tzinfo else value.isoformat()
        case Mapping():
            return {plain(str(key)): plain(inner) for key, inner in value.items()}
        case list() | tuple() | set() | frozenset():
            return [plain(inner) for inner in value]
    if is_dataclass(value) and not isinstance(value, type):
        return plain({each.name: getattr(value, each.name) for each in fields(value)})
    return plain(str(value))
