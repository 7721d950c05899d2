"""A set kept in order: the smallest first, anything removable. Every operation O(log n), amortised."""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heapify, heappop, heappush
from typing import Any

Key = tuple[Any, ...]

_SLACK = 64  # entries a heap may hold beyond twice the living ones before it is swept


class Ordered:
    """Ids by key, smallest key first. Keys are tuples that tell any two items apart, and of one shape.

    A removed item's heap entry stays behind as a ghost until it surfaces or ghosts outnumber the living;
    an entry lives while it is, by identity, the one remembered for its item. Entries are flat, key and
    then item: comparing nested tuples would cost twice.
    """

    __slots__ = ("_entries", "_heap")

    def __init__(self) -> None:
        self._entries: dict[str, Key] = {}
        self._heap: list[Key] = []

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[str]:
        """The items, not in order of their keys."""
        return iter(self._entries)

    def put(self, item: str, key: Key) -> None:
        """Adds the item, or moves it to a new key."""
        entries, heap = self._entries, self._heap
        entry = (*key, item)
        entries[item] = entry
        heappush(heap, entry)
        if len(heap) > 2 * len(entries) + _SLACK:
            heap[:] = [each for each in heap if entries.get(each[-1]) is each]
            heapify(heap)

    def drop(self, item: str) -> None:
        """Removes the item; no error if it is not in."""
        self._entries.pop(item, None)

    def first(self) -> Key | None:
        """The smallest key with its item appended, left in place; None when empty."""
        entries, heap = self._entries, self._heap
        while heap:
            entry = heap[0]
            if entries.get(entry[-1]) is entry:
                return entry
            heappop(heap)
        return None
