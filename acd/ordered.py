"""A set kept in order: the smallest first, anything removable. Every operation O(log n), amortised."""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from typing import Any, Generic, TypeVar

Item = TypeVar("Item", bound=Any)
Key = tuple[Any, ...]

_SLACK = 64  # entries a heap may hold beyond twice the living ones before it is swept


class Ordered(Generic[Item]):
    """Items by key, smallest key first. Keys are tuples that must tell any two items apart.

    A removed item's heap entry stays behind as a ghost until it surfaces or ghosts outnumber the living;
    an entry lives while its key is, by identity, the key the item has now.
    """

    __slots__ = ("_heap", "_keys")

    def __init__(self) -> None:
        self._keys: dict[Item, Key] = {}
        self._heap: list[tuple[Key, Item]] = []

    def __len__(self) -> int:
        return len(self._keys)

    def __contains__(self, item: object) -> bool:
        return item in self._keys

    def put(self, item: Item, key: Key) -> None:
        """Adds the item, or moves it to a new key."""
        keys, heap = self._keys, self._heap
        if keys.get(item) is key:  # the same entry twice would never turn into a ghost
            return
        keys[item] = key
        heappush(heap, (key, item))
        if len(heap) > 2 * len(keys) + _SLACK:
            heap[:] = [entry for entry in heap if keys.get(entry[1]) is entry[0]]
            heapify(heap)

    def drop(self, item: Item) -> bool:
        """Removes the item; False if it was not in."""
        return self._keys.pop(item, None) is not None

    def first(self) -> tuple[Key, Item] | None:
        """The smallest key and its item, left in place; None when empty."""
        keys, heap = self._keys, self._heap
        while heap:
            entry = heap[0]
            if keys.get(entry[1]) is entry[0]:
                return entry
            heappop(heap)
        return None
