"""Changing the directory: one entry, or all of it at once (the import). Each change is one transaction, with
the access log's row in it: what is not logged does not happen."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from desk.directory import Stamp, entries_in, stamp_in
from desk.entries import FIELDS, Entry
from store import AccessEntry, DirectoryEntry, Store

_AT_ONCE: Final = 500  # ids in one statement: SQLite has a limit


class DirectoryChanged(Exception):
    """Somebody else has changed the directory since it was looked at."""


class NoEntry(KeyError):
    """There is no such entry (any more)."""


@dataclass(frozen=True)
class Difference:
    """What an import would change. `changed`: pairs (as it is, as it would be) of the same desk or person;
    `same` counts those that stay as they are, wherever they stand."""

    added: tuple[Entry, ...]
    removed: tuple[Entry, ...]
    changed: tuple[tuple[Entry, Entry], ...]
    same: int

    @property
    def nothing(self) -> bool:
        return not (self.added or self.removed or self.changed)


def difference(now: Sequence[Entry], wanted: Sequence[Entry]) -> Difference:
    """How `wanted` differs from `now`. A changed entry is known by department, section and person, else by
    its extension, else by its direct line."""
    return _compared(now, wanted)[1]


def _compared(now: Sequence[Entry], wanted: Sequence[Entry]) -> tuple[list[Entry | None], Difference]:
    """The present entry of each wanted one, and what differs."""
    pairs = _pairs(now, wanted)
    added = tuple(entry for entry, before in zip(wanted, pairs, strict=True) if before is None)
    changed = tuple(
        (before, entry)
        for entry, before in zip(wanted, pairs, strict=True)
        if before is not None and before != entry
    )
    kept = {id(before) for before in pairs if before is not None}
    removed = tuple(entry for entry in now if id(entry) not in kept)
    return pairs, Difference(added, removed, changed, len(wanted) - len(added) - len(changed))


def _pairs(now: Sequence[Entry], wanted: Sequence[Entry]) -> list[Entry | None]:
    """For each wanted entry the present one that it is or replaces, each present one once."""
    found: list[Entry | None] = [None] * len(wanted)
    taken: set[int] = set()
    keys: tuple[Callable[[Entry], object], ...] = (
        Entry.values,
        lambda entry: (entry.department, entry.section, entry.person),
        lambda entry: (entry.department, entry.extension) if entry.extension else None,
        lambda entry: (entry.extension, entry.person) if entry.extension else None,
        lambda entry: (entry.direct_digits, entry.person) if entry.direct else None,
    )
    for key in keys:
        free: defaultdict[object, list[int]] = defaultdict(list)
        for place, entry in enumerate(now):
            if place not in taken and (known := key(entry)) is not None:
                free[known].append(place)
        for ours in free.values():
            ours.reverse()  # the first is taken first
        for n, entry in enumerate(wanted):
            if found[n] is None and (known := key(entry)) is not None and free.get(known):
                place = free[known].pop()
                taken.add(place)
                found[n] = now[place]
    return found


async def replace(
    store: Store,
    entries: Sequence[Entry],
    by: str,
    *,
    expected: Stamp | None = None,
    logged: Iterable[AccessEntry] = (),
) -> Difference:
    """Makes `entries` the directory, in this order; those that stay or change keep their ids. With `expected`
    only if the table is still the one of that stamp, else DirectoryChanged. Raises StoreUnavailable."""
    async with store.session() as session:
        await store.lock(session, "directory")
        if expected is not None and await stamp_in(session) != expected:
            raise DirectoryChanged
        stood = await session.execute(select(DirectoryEntry.id, DirectoryEntry.place))
        places = {row.id: row.place for row in stood}
        now = await entries_in(session)
        pairs, done = await asyncio.to_thread(_compared, now, entries)
        at = await _later(session)
        gone = [entry.id for entry in done.removed]
        for start in range(0, len(gone), _AT_ONCE):
            await session.execute(
                delete(DirectoryEntry).where(DirectoryEntry.id.in_(gone[start : start + _AT_ONCE]))
            )
        new: list[dict[str, Any]] = []
        moved: list[dict[str, Any]] = []
        for place, (entry, before) in enumerate(zip(entries, pairs, strict=True)):
            if before is None:
                new.append({**_row(entry, by, at), "place": place})
            elif before != entry:
                moved.append({**_row(entry, by, at), "id": before.id, "place": place})
            elif places[before.id or 0] != place:
                moved.append({"id": before.id, "place": place, "changed_at": at, "changed_by": by})
        if new:
            await session.execute(insert(DirectoryEntry), new)
        for kind in (FIELDS, ()):  # rows of one statement must have the same columns
            rows = [row for row in moved if ("department" in row) == bool(kind)]
            if rows:
                await session.execute(update(DirectoryEntry), rows)
        session.add_all(logged)
    return done


async def add(store: Store, entry: Entry, by: str, *, logged: Iterable[AccessEntry] = ()) -> int:
    """Adds an entry behind the last of its department, or at the end; its id. Raises StoreUnavailable."""
    async with store.session() as session:
        await store.lock(session, "directory")
        last = await session.scalar(
            select(func.max(DirectoryEntry.place)).where(DirectoryEntry.department == entry.department)
        )
        if last is None:
            last = await session.scalar(select(func.max(DirectoryEntry.place)))
        place = 0 if last is None else last + 1
        await session.execute(
            update(DirectoryEntry)
            .where(DirectoryEntry.place >= place)
            .values(place=DirectoryEntry.place + 1)
            .execution_options(synchronize_session=False)
        )
        row = DirectoryEntry(**_row(entry, by, await _later(session)), place=place)
        session.add(row)
        session.add_all(logged)
        await session.flush()
        return row.id


async def put(
    store: Store,
    id: int,
    entry: Entry,
    by: str,
    *,
    before: Entry | None = None,
    logged: Iterable[AccessEntry] = (),
) -> None:
    """Changes an entry. With `before` only if it still reads so, else DirectoryChanged. Raises NoEntry,
    StoreUnavailable."""
    async with store.session() as session:
        await store.lock(session, "directory")
        row = await session.get(DirectoryEntry, id)
        if row is None:
            raise NoEntry(id)
        if before is not None and tuple(getattr(row, name) for name in FIELDS) != before.values():
            raise DirectoryChanged
        for name, value in _row(entry, by, await _later(session)).items():
            setattr(row, name, value)
        session.add_all(logged)


async def remove(store: Store, id: int, *, logged: Iterable[AccessEntry] = ()) -> None:
    """Takes an entry out. Raises NoEntry, StoreUnavailable."""
    async with store.session() as session:
        await store.lock(session, "directory")
        row = await session.get(DirectoryEntry, id)
        if row is None:
            raise NoEntry(id)
        await session.delete(row)
        session.add_all(logged)


def _row(entry: Entry, by: str, at: datetime) -> dict[str, Any]:
    return {**dict(zip(FIELDS, entry.values(), strict=True)), "changed_at": at, "changed_by": by}


async def _later(session: AsyncSession) -> datetime:
    """Now, but later than every change before: by it others see that there was one."""
    now = datetime.now(UTC)
    last = await session.scalar(select(func.max(DirectoryEntry.changed_at)))
    return now if last is None or last < now else last + timedelta(microseconds=1)
