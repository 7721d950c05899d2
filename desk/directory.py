"""The directory (職員録) in memory, and the search in it while somebody types (XFR-2)."""

from __future__ import annotations

import asyncio
import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from desk.entries import FIELDS, Entry
from desk.folding import digits_of, folded, terms
from store import DirectoryEntry, Store

_SEARCHED = ("department", "section", "person", "reading", "duties")
# Every word begins after this; nothing that is typed holds it.
_EDGE = "\x1f"
_BREAKS = str.maketrans(dict.fromkeys("・、。,/;:()「」[]〔〕【】|", " "))


class Rank(IntEnum):
    """How well an entry fits what was typed, best first."""

    NUMBER = 0  # its whole extension or direct line was typed
    WORD = 1  # every word typed begins a word of it
    PART = 2


@dataclass(frozen=True, slots=True)
class Found:
    """An entry that was found, and how well it fits."""

    entry: Entry
    rank: Rank


@dataclass(frozen=True, slots=True)
class Stamp:
    """By which a changed table is known: its length and its last change."""

    count: int
    last: str


class Directory:
    """The entries in their order. It never changes: `load` gives a new one."""

    def __init__(self, entries: Iterable[Entry], stamp: Stamp | None = None) -> None:
        self.entries: Sequence[Entry] = _with_department_hours(list(entries))
        self.stamp = stamp
        self._texts = [_searched(entry) for entry in self.entries]
        self._by_number: defaultdict[str, set[int]] = defaultdict(set)
        for place, entry in enumerate(self.entries):
            for number in filter(None, (entry.extension, entry.direct_digits)):
                self._by_number[number].add(place)
        self._by_number.default_factory = None
        self._by_id = {entry.id: entry for entry in self.entries if entry.id is not None}

    @classmethod
    async def load(cls, store: Store) -> Directory:
        """The directory as it is stored. Raises StoreUnavailable."""
        async with store.reading() as session:
            stamp = await stamp_in(session)
            entries = await entries_in(session)
        return await asyncio.to_thread(cls, entries, stamp)  # a third of a second for ten thousand

    def __len__(self) -> int:
        return len(self.entries)

    def entry(self, id: int) -> Entry:
        """The entry of this id. Raises KeyError."""
        return self._by_id[id]

    def reached_by(self, number: str) -> list[Entry]:
        """The entries whose extension or direct line a number is; separators do not matter."""
        return [self.entries[place] for place in sorted(self._by_number.get(digits_of(number), ()))]

    def find(self, text: str, limit: int = 20) -> list[Found]:
        """The best `limit` entries in which every word of `text` occurs, in any field but the note: words are
        parted by blanks, かな and カナ, full and half width, small and large letters are the same, a number
        may have hyphens or not. Best first, then in the directory's order; nothing typed: the first ones."""
        return self.search(text, limit)[0]

    def search(self, text: str, limit: int = 20, offset: int = 0) -> tuple[list[Found], int]:
        """`limit` of the entries found from `offset` on, and how many there are in all."""
        words = terms(text)
        if not words:
            shown = self.entries[offset : offset + limit]
            return [Found(entry, Rank.PART) for entry in shown], len(self.entries)
        places = self._containing(words)
        best = itertools.islice(self._best_first(places, words), offset, offset + limit)
        return [Found(self.entries[place], rank) for rank, place in best], len(places)

    def _containing(self, words: list[tuple[str, ...]]) -> list[int]:
        places = list(range(len(self._texts)))
        for word in words:
            places = self._with(places, word)
        return places

    def _best_first(self, places: list[int], words: list[tuple[str, ...]]) -> Iterator[tuple[Rank, int]]:
        """`places` by rank, each rank in the directory's order."""
        whole = self._by_number.get(words[0][-1], set()) if len(words) == 1 else set()
        yield from ((Rank.NUMBER, place) for place in places if place in whole)
        begun = places
        for word in words:
            begun = self._with(begun, tuple(_EDGE + form for form in word))
        yield from ((Rank.WORD, place) for place in begun if place not in whole)
        told = whole.union(begun)
        yield from ((Rank.PART, place) for place in places if place not in told)

    def _with(self, places: list[int], forms: tuple[str, ...]) -> list[int]:
        """Those in which one of the forms occurs. Written out: ten thousand entries are looked at."""
        texts, first = self._texts, forms[0]
        if len(forms) == 1:
            return [place for place in places if first in texts[place]]
        other = forms[1]
        return [place for place in places if first in texts[place] or other in texts[place]]


async def stamp_in(session: AsyncSession) -> Stamp:
    """How the table stands now; cheap enough to ask every second."""
    row = (
        await session.execute(select(func.count(DirectoryEntry.id), func.max(DirectoryEntry.changed_at)))
    ).one()
    return Stamp(int(row[0]), row[1].isoformat() if row[1] is not None else "")


async def entries_in(session: AsyncSession) -> list[Entry]:
    """All entries in their order."""
    columns = [getattr(DirectoryEntry, name) for name in (*FIELDS, "id", "changed_at", "changed_by")]
    query = select(*columns).order_by(DirectoryEntry.place, DirectoryEntry.id)
    rows = (await session.execute(query)).all()
    return await asyncio.to_thread(lambda: [_entry(row) for row in rows])


def _entry(row: Sequence[Any]) -> Entry:
    *texts, id, changed_at, changed_by = row
    return replace(Entry.of(texts), id=id, changed_at=changed_at, changed_by=changed_by)


def _searched(entry: Entry) -> str:
    """The folded text of an entry, an edge before every word. Blanks within a field part words and are left
    out as well: 山田太郎 finds 山田 太郎."""
    fields = folded(_EDGE.join(getattr(entry, name) for name in _SEARCHED)).translate(_BREAKS).split(_EDGE)
    parts = []
    for field in fields:
        words = field.split()
        parts += words
        if len(words) > 1:
            parts.append("".join(words))
        if "-" in field:
            parts += [word.replace("-", "") for word in words]
    if entry.section:
        parts.append("".join((fields[0] + fields[1]).split()))
    digits = entry.direct_digits
    parts += (entry.extension, entry.direct, digits) if digits else (entry.extension,)
    return _EDGE + _EDGE.join(parts)


def _with_department_hours(entries: list[Entry]) -> list[Entry]:
    """Where an entry has no hours: those of its section, else of its department, as lines without a person
    name them."""
    known: dict[tuple[str, str], str] = {}
    for entry in entries:
        if entry.hours and not entry.person:
            known.setdefault((entry.department, entry.section), entry.hours)
    made = []
    for entry in entries:
        if not entry.hours:
            section = known.get((entry.department, entry.section))
            hours = section or known.get((entry.department, ""), "")
            of = entry.name if section else entry.department
            entry = replace(entry, department_hours=hours, hours_of=of)
        made.append(entry)
    return made
