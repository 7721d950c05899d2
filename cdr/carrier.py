"""From the journal into the database: every line once, whatever is killed, away or started twice."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar, cast

from sqlalchemy import Table, delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from cdr.attendance import AT_WORK
from cdr.events import BadLine, Event, from_line
from cdr.recent import load
from cdr.record import CallRecord, Told, told_by
from cdr.segments import SEGMENT_OPENED, Problem, Report, complete_lines, number_of, segments, warn
from cdr.values import flag, text
from store import (
    Base,
    CallRow,
    Carried,
    EventRow,
    OperatorStateRow,
    Store,
    StoreUnavailable,
    TalkRow,
    WrapUp,
    recordings,
)

log = logging.getLogger(__name__)

# One transaction's share: about a thousand events, a few dozen milliseconds of SQLite's only writer's place.
BATCH_BYTES = 256 * 1024
EVERY_S = 0.2
PAUSE_MAX_S = 5.0


@dataclass
class _Chunk:
    """What was read of one segment: events and bad lines before byte `position`."""

    events: list[Event]
    corrupt: list[Problem]
    position: int
    read: int  # bytes


class Carrier:
    """Carries one journal folder. `problem` tells why nothing is carried now (one line), else None.

    Each batch is one transaction: events, the records of the calls they touch, and how far the segment was
    read. An event that is there already is passed over, so a second carrier, or a cursor that was lost with a
    restored backup, does no harm.
    """

    def __init__(self, folder: Path, store: Store, *, report: Report = warn) -> None:
        self._folder, self._store, self._report = folder, store, report
        self._seen: dict[str, int] = {}  # sizes of the segments when they had been carried to their end
        self.problem: str | None = None

    async def carry(self) -> int:
        """Carries all complete lines there are now; returns how many events were new to the database. Costs a
        look at the files' sizes when there is nothing. Raises StoreUnavailable; what was committed stays."""
        new = 0
        for file in segments(self._folder):
            size = _size(file)
            if size == self._seen.get(file.name):
                continue
            while True:
                added, read = await self._one_batch(file)
                new += added
                if not read:
                    break
            self._seen[file.name] = size
        return new

    async def run(self, every_s: float = EVERY_S) -> None:
        """Carries for ever; looks every `every_s` seconds, less often while the database is away."""
        pause = every_s
        while True:
            try:
                await self.carry()
            except StoreUnavailable as error:
                self._fails(str(error))
            except Exception as error:  # the journal keeps everything: try again rather than stop
                log.exception("carrying the journal failed")
                self._fails(f"carrying the journal failed: {type(error).__name__}; see the log")
            else:
                if self.problem is not None:
                    log.warning("journal: carried again into %s", self._store.url)
                self.problem, pause = None, every_s
            await asyncio.sleep(pause)
            if self.problem is not None:
                pause = min(pause * 2, PAUSE_MAX_S)

    def _fails(self, problem: str) -> None:
        if self.problem is None:
            log.error("%s", problem)
        self.problem = problem

    async def _one_batch(self, file: Path) -> tuple[int, int]:
        """One transaction; returns new events and bytes read."""
        try:
            return await self._transaction(file, BATCH_BYTES)
        except DBAPIError:
            # Something in the batch does not fit into the database: line by line, only that is left out.
            log.warning("journal: %s is carried line by line", file.name)
        try:
            return await self._transaction(file, 1)
        except DBAPIError as error:
            return 0, await self._skip_line(file, type(error.orig).__name__)

    async def _transaction(self, file: Path, limit: int) -> tuple[int, int]:
        async with self._store.session() as session:
            await self._store.lock(session, "carry")
            cursor = await session.get(Carried, file.name)
            start = cursor.position if cursor else 0
            chunk = await asyncio.to_thread(_read, file, start, limit)
            if not chunk.read:
                return 0, 0
            added = await _insert_events(session, self._store, chunk.events)
            await _compute(session, self._store, {event.call for event in chunk.events if event.call})
            await self._advance(session, file, cursor, chunk)
        for problem in chunk.corrupt:
            self._report(problem)
        return added, chunk.read

    async def _skip_line(self, file: Path, why: str) -> int:
        async with self._store.session() as session:
            await self._store.lock(session, "carry")
            cursor = await session.get(Carried, file.name)
            start = cursor.position if cursor else 0
            chunk = await asyncio.to_thread(_read, file, start, 1)
            refused = Problem(file, 0, start, f"the database refuses it ({why})")
            await self._advance(session, file, cursor, _Chunk([], [refused], chunk.position, chunk.read))
        self._report(refused)
        return chunk.read

    async def _advance(
        self, session: AsyncSession, file: Path, cursor: Carried | None, chunk: _Chunk
    ) -> None:
        if cursor is None:
            cursor = Carried(segment=file.name, position=0, events=0, corrupt=0)
            session.add(cursor)
        cursor.position = chunk.position
        cursor.events += len(chunk.events)
        cursor.corrupt += len(chunk.corrupt)
        cursor.updated_at = datetime.now(UTC)
        await session.flush()


async def carry(folder: Path, store: Store) -> int:
    """Carries everything there is now, once; returns how many events were new. Raises StoreUnavailable."""
    return await Carrier(folder, store).carry()


async def recompute(store: Store) -> int:
    """Computes every call record anew from the events in the database; returns how many. For a new version
    that counts differently, or after a doubt."""
    async with store.reading() as session:
        found = await session.scalars(select(EventRow.call).where(EventRow.call.is_not(None)).distinct())
        calls = [call for call in found if call is not None]
    for start in range(0, len(calls), 500):
        async with store.session() as session:
            await store.lock(session, "carry")
            await _compute(session, store, set(calls[start : start + 500]))
    return len(calls)


async def remove_carried(folder: Path, store: Store, *, older_than: timedelta) -> list[Path]:
    """Deletes the segments that nobody needs any more and returns them: sealed, carried to their last byte,
    not written to for `older_than`, and before every open call. The newest segment always stays."""
    files = await asyncio.to_thread(segments, folder)
    if not files:
        return []
    needed = (await asyncio.to_thread(load, folder)).state.first_segment
    limit = datetime.now(UTC) - older_than
    async with store.reading() as session:
        rows = await session.execute(select(Carried.segment, Carried.position))
        carried = {row.segment: row.position for row in rows}
    removed = []
    for file in files[:-1]:
        known = file.stat()
        old = datetime.fromtimestamp(known.st_mtime, UTC) < limit
        before = needed is None or number_of(file) < needed
        if old and before and carried.get(file.name, -1) >= known.st_size:
            await asyncio.to_thread(file.unlink)
            removed.append(file)
    return removed


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return 0


def _read(file: Path, position: int, limit: int) -> _Chunk:
    try:
        lines, end = complete_lines(file, position, limit)
    except FileNotFoundError:  # removed meanwhile: it had been carried
        return _Chunk([], [], position, 0)
    chunk = _Chunk([], [], end, end - position)
    for line in lines:
        try:
            event = from_line(line)
            if event.kind != SEGMENT_OPENED:
                chunk.events.append(event)
        except BadLine as bad:
            chunk.corrupt.append(Problem(file, _line_number(file, position), position, str(bad)))
        position += len(line)
    return chunk


def _line_number(file: Path, position: int) -> int:
    with file.open("rb") as reader:
        return reader.read(position).count(b"\n") + 1


def _insert(store: Store, model: type[Base], *, replace: bool = False) -> postgresql.Insert | sqlite.Insert:
    """INSERT that passes over rows whose primary key exists, or replaces them. The rows are given when it is
    executed: the statement's text is the same for any number of them and made only once."""
    table = cast(Table, model.__table__)
    key = [column.name for column in table.primary_key]
    statement: postgresql.Insert | sqlite.Insert
    statement = postgresql.insert(table) if store.dialect == "postgresql" else sqlite.insert(table)
    if not replace:
        return statement.on_conflict_do_nothing(index_elements=key)
    others = {each.name: statement.excluded[each.name] for each in table.columns if each.name not in key}
    return statement.on_conflict_do_update(index_elements=key, set_=others)


async def _insert_events(session: AsyncSession, store: Store, events: Sequence[Event]) -> int:
    """Returns how many were not there yet."""
    if not events:
        return 0
    statement = _insert(store, EventRow).returning(cast(Table, EventRow.__table__).c.id)
    added = (await session.execute(statement, [_event_row(event) for event in events])).all()
    notes = [_wrap_up_row(event) for event in events if event.kind == "wrapped_up" and event.call]
    if notes:
        await session.execute(_insert(store, WrapUp), notes)
    states = [row for event in events if (row := _state_row(event)) is not None]
    if states:
        await session.execute(_insert(store, OperatorStateRow), states)
    await _hold(session, store, events, {row.id for row in added})
    return len(added)


async def _hold(session: AsyncSession, store: Store, events: Sequence[Event], new: set[str]) -> None:
    """A call marked as an emergency when its recordings are in the archive already: they are held from now
    on. Those still to come are held when they arrive there."""
    marks = [one for one in events if one.id in new and one.kind == "marked" and recordings.holds(one.data)]
    if marks:
        await store.lock(session, recordings.SECTION)
    for mark in marks:
        by = text(mark.data, "by")
        if mark.call is not None:
            await recordings.hold(session, mark.call, by=by, reason=recordings.EMERGENCY, at=mark.at)


async def _compute(session: AsyncSession, store: Store, calls: set[str]) -> None:
    """Writes the records and talks of these calls from their events in this transaction."""
    for part in _parts(sorted(calls), 500):
        events = await session.execute(
            select(
                EventRow.id,
                EventRow.at,
                EventRow.mono,
                EventRow.call,
                EventRow.kind,
                EventRow.data,
                EventRow.boot,
            ).where(EventRow.call.in_(part))
        )
        by_call: defaultdict[str, list[Event]] = defaultdict(list)
        for row in events:
            by_call[str(row.call)].append(Event(*row))
        told = [told_by(of_call) for of_call in by_call.values()]
        if not told:
            continue
        await session.execute(
            _insert(store, CallRow, replace=True), [_record_row(one.record) for one in told]
        )
        await session.execute(delete(TalkRow).where(TalkRow.call.in_(part)))
        talks = [row for one in told for row in _talk_rows(one)]
        if talks:
            await session.execute(_insert(store, TalkRow), talks)


def _event_row(event: Event) -> dict[str, Any]:
    return {
        "id": event.id,
        "at": event.at,
        "mono": event.mono,
        "boot": event.boot,
        "call": event.call,
        "kind": event.kind,
        "data": dict(event.data),
    }


def _record_row(record: CallRecord) -> dict[str, Any]:
    row = {column.name: getattr(record, column.name) for column in CallRow.__table__.columns}
    row["operators"] = list(record.operators)
    row["transfers"], row["marks"] = list(record.transfers), list(record.marks)
    row["path"] = [asdict(step) for step in record.path]
    row["transfers"] = [one.to_json() for one in record.transfers]
    row["marks"] = list(record.marks)
    row["outcome"] = record.outcome.value
    return row


def _talk_rows(told: Told) -> list[dict[str, Any]]:
    of_call = {"call": told.record.call, "arrived_at": told.record.arrived_at}
    return [{**of_call, "place": place, **asdict(talk)} for place, talk in enumerate(told.talks)]


def _state_row(event: Event) -> dict[str, Any] | None:
    """The row of an `operator_state` or `operator_phone`; None for any other event."""
    operator, state = text(event.data, "operator"), text(event.data, "state")
    of = {"id": event.id, "at": event.at, "operator": operator}
    match event.kind:
        case "operator_state" if operator is not None and state is not None:
            reachable = flag(event.data, "reachable")
            if reachable is None and "tally" in event.data:
                reachable = True  # it would say so if none were
            at_work = state in AT_WORK and reachable is not False
            return {**of, "state": state, "reachable": reachable, "at_work": at_work}
        case "operator_phone" if operator is not None:
            reachable = event.data.get("reachable") is True
            return {**of, "state": None, "reachable": reachable, "at_work": False}
    return None


_WRAP_UP_TEXTS = ("operator", "result", "category", "note", "by", "follow_up")


def _wrap_up_row(event: Event) -> dict[str, Any]:
    texts = {name: event.data.get(name) for name in _WRAP_UP_TEXTS}
    known: dict[str, Any] = {name: None if value is None else str(value) for name, value in texts.items()}
    follow, faq = event.data.get("follow_up"), event.data.get("faq")
    if isinstance(follow, Mapping):  # with its particulars, which stand in the case
        known["follow_up"] = text(follow, "kind")
    known["faq"] = [str(each) for each in faq] if isinstance(faq, list | tuple) else None
    return {"id": event.id, "call": event.call, "at": event.at, **known}


_T = TypeVar("_T")


def _parts(items: Sequence[_T], size: int) -> Iterable[Sequence[_T]]:
    return (items[start : start + size] for start in range(0, len(items), size))
