"""Calls that have been: read from a file (CSV, JSON lines or a JSON array), one row a call.

Columns are those of a call record (`daihyo calls --json`), so that its output can be fed in again:

| column | |
|---|---|
| `arrived_at` | date and time, in the site's zone unless it has an offset or Z. Must be there |
| `queue` or `number` | one of them; a number's calls wait where the number leads without a key |
| `talk_s`, `wrap_up_s` | seconds; empty: drawn by chance |
| `outcome` | as in records; `abandoned…` gave up. Empty: answered |
| `wait_s` | from queue entry to the answer or giving up |
| `queued_at`, `total_s` | when it came to the queue; arrival to end |
| `caller` | priority callers of the site go first, as in life |
| `language`, `open`, `staff`, `queues`, `via` | as in records |
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from cdr.staffing.centre import queue_of
from cdr.staffing.scenario import ScenarioError
from dialplans import Site

_SHOWN = 20
_LONGEST_S = 86_400.0
_TRUE, _FALSE = ("true", "1", "yes"), ("false", "0", "no")


class CallsFileError(ScenarioError):
    """Rows that cannot be read; every one of the first twenty on a line of its own."""


class PastCall(NamedTuple):
    """One call that asked for an operator. `at`: wall time of the site, without zone. None: not known.

    `gave_up`: while waiting, after `wait_s`; `left_s`: before any queue, so long after the arrival."""

    at: dt.datetime
    queue: str
    talk_s: float | None = None
    wrap_up_s: float | None = None
    wait_s: float | None = None
    gave_up: bool = False
    left_s: float | None = None
    greeting_s: float | None = None
    language: str | None = None
    staff: bool = False
    priority: int = 0


class _Bad(Exception):
    def __init__(self, ja: str, en: str) -> None:
        super().__init__(en)
        self.ja, self.en = ja, en


def read_calls(path: Path, site: Site) -> list[PastCall]:
    """The calls of a file that asked for an operator, in order of arrival. CallsFileError names each row that
    cannot be read; ScenarioError a file that cannot be."""
    try:
        text = path.read_text("utf-8-sig")
    except OSError as error:
        raise ScenarioError(f"{path}: 読めません", f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ScenarioError(f"{path}: UTF-8 ではありません", f"{path}: is not UTF-8") from None
    calls, problems = [], []
    reader = Reader(site)
    for row, fields in _rows(text, path):
        try:
            if fields is None:
                raise _Bad("JSON として読めません", "is not JSON")
            if (call := reader.call(fields)) is not None:
                calls.append(call)
        except _Bad as bad:
            problems.append((f"{path} {row}行目: {bad.ja}", f"row {row}: {bad.en}"))
    if problems:
        told = problems[:_SHOWN]
        more = len(problems) - len(told)
        lines = [f"{ja} / {en}" for ja, en in told]
        raise CallsFileError(
            "\n".join(lines), f"{len(problems)} rows cannot be read" + (f" ({more} more)" if more else "")
        )
    if not calls:
        raise ScenarioError(f"{path}: 呼がありません", f"{path}: holds no call that asked for an operator")
    calls.sort(key=lambda one: one.at)
    return calls


def _rows(text: str, path: Path) -> Iterator[tuple[int, Mapping[str, Any] | None]]:
    """(row number as an editor shows it, fields); None for what is no JSON object."""
    begins = text.lstrip()[:1]
    if begins == "[":
        try:
            found = json.loads(text)
        except ValueError as error:
            raise ScenarioError(f"{path}: JSON として読めません", f"{path}: is not JSON: {error}") from None
        yield from ((n, one if isinstance(one, dict) else None) for n, one in enumerate(found, 1))
    elif begins == "{":
        for n, line in enumerate(text.splitlines(), 1):
            if line.strip():
                try:
                    one = json.loads(line)
                except ValueError:
                    one = None
                yield n, one if isinstance(one, dict) else None
    else:
        rows = csv.DictReader(io.StringIO(text, newline=""))
        names = {(name or "").strip() for name in rows.fieldnames or ()}
        if "arrived_at" not in names or not names & {"queue", "number"}:
            raise ScenarioError(
                f"{path}: 見出しに arrived_at と、queue か number が要ります",
                f"{path}: its first line must name the columns arrived_at and queue or number",
            )
        for one in rows:
            yield rows.line_num, {(name or "").strip(): value for name, value in one.items()}


class Reader:
    """Makes calls of fields as a record has them; whatever they hold."""

    def __init__(self, site: Site) -> None:
        self._zone = site.zone
        self._queues = {one.id for one in site.queues}
        self._by_number: dict[str, tuple[str | None, bool, int]] = {}
        for one in site.numbers:
            led = (queue_of(site, one), one.staff, one.priority)
            for number in (one.number, *one.aliases, *(line.number for line in one.diverted)):
                self._by_number.setdefault(_digits(number), led)
        self._callers = {_digits(one.number): one.priority for one in site.priority_callers}

    def call(self, fields: Mapping[str, Any]) -> PastCall | None:
        """None: the call did not ask for an operator. Raises _Bad."""
        outcome = str(fields.get("outcome") or "answered")
        queued = _time(fields.get("queued_at"), "queued_at", self._zone)
        early = outcome in ("abandoned_greeting", "abandoned_menu") and queued is None
        wait_s = _seconds(fields, "wait_s")
        if (
            _flag(fields, "open") is False
            or _flag(fields, "queues") is False
            or fields.get("via") == "callback"
            or (outcome in ("announced", "forwarded", "lost") and queued is None and wait_s is None)
        ):
            return None
        at = _time(fields.get("arrived_at"), "arrived_at", self._zone)
        if at is None:
            raise _Bad("arrived_at がありません", "arrived_at is missing")
        queue, staff, priority = self._place(fields)
        priority += self._callers.get(_digits(str(fields.get("caller") or "")), 0)
        total_s = _seconds(fields, "total_s")
        told_staff = _flag(fields, "staff")
        talk_s = _seconds(fields, "talk_s")
        return PastCall(
            at,
            queue,
            None if outcome.startswith("abandoned") else talk_s,
            _seconds(fields, "wrap_up_s"),
            wait_s,
            outcome.startswith("abandoned") and not early and wait_s is not None,
            (total_s or 0.0) if early else None,
            None if queued is None else max((queued - at).total_seconds(), 0.0),
            str(fields.get("language") or "") or None,
            staff if told_staff is None else told_staff,
            priority,
        )

    def _place(self, fields: Mapping[str, Any]) -> tuple[str, bool, int]:
        queue, number = str(fields.get("queue") or ""), str(fields.get("number") or "")
        led = self._by_number.get(_digits(number)) if number else None
        if queue in self._queues:
            return queue, led is not None and led[1], 0 if led is None else led[2]
        if queue and led is None:
            known = ", ".join(sorted(self._queues))
            raise _Bad(f"待ち行列「{queue}」はありません", f"there is no queue {queue!r}; there are: {known}")
        if led is None:
            raise _Bad(
                f"番号「{number}」はありません", f"there is no number {number!r}, and no queue is told"
            )
        if led[0] is None:
            raise _Bad(
                f"番号 {number} はどの待ち行列にもつながりません",
                f"number {number} leads to no queue: tell the queue",
            )
        return led[0], led[1], led[2]


def past_calls(rows: Iterable[Mapping[str, Any]], site: Site) -> list[PastCall]:
    """Of rows of call records; what cannot be placed in this site (a queue or number that is gone) is left
    out."""
    reader, calls = Reader(site), []
    for fields in rows:
        try:
            call = reader.call(fields)
        except _Bad:
            continue
        if call is not None:
            calls.append(call)
    calls.sort(key=lambda one: one.at)
    return calls


def _time(value: Any, name: str, zone: dt.tzinfo) -> dt.datetime | None:
    if value is None or value == "":
        return None
    try:
        found = value if isinstance(value, dt.datetime) else dt.datetime.fromisoformat(str(value).strip())
        return found if found.tzinfo is None else found.astimezone(zone).replace(tzinfo=None)
    except (ValueError, OverflowError):
        raise _Bad(
            f"{name}「{value}」は 2027-01-04T09:30:00 のように書いてください",
            f"{name} {str(value)[:40]!r}: write it like 2027-01-04T09:30:00",
        ) from None


def _seconds(fields: Mapping[str, Any], name: str) -> float | None:
    value = fields.get(name)
    if value is None or value == "":
        return None
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        seconds = math.nan
    if not 0 <= seconds <= _LONGEST_S:
        raise _Bad(
            f"{name}「{value}」は0から86400までの秒数で",
            f"{name} {str(value)[:40]!r}: seconds from 0 to 86400",
        )
    return seconds


def _flag(fields: Mapping[str, Any], name: str) -> bool | None:
    value = fields.get(name)
    if value is None or value == "" or isinstance(value, bool):
        return None if value == "" else value
    word = str(value).strip().lower()
    if word in _TRUE or word in _FALSE:
        return word in _TRUE
    raise _Bad(f"{name}「{value}」は true か false で", f"{name} {str(value)[:40]!r}: true or false")


def _digits(number: str) -> str:
    return "".join(sign for sign in number if sign.isdecimal())
