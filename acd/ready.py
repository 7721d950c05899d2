"""The operators who are ready for a lane, and whose turn it is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from acd.ordered import Ordered
from acd.strategies import Figures, NaturalKey, Strategy


class Person(Protocol):
    """What is asked of a ready operator. `idle_from_ms` and `offers` stay while the operator is in."""

    @property
    def id(self) -> str: ...
    @property
    def idle_from_ms(self) -> int: ...
    @property
    def offers(self) -> int: ...
    @property
    def natural(self) -> NaturalKey: ...
    def level(self, queue: str) -> int: ...
    def last_in(self, queue: str) -> int: ...
    def figures(self, queue: str, at_ms: int) -> Figures: ...


class Ready(Protocol):
    """A set of operators; `next` leaves the one it names in place."""

    def add(self, operator: Person) -> None: ...
    def remove(self, operator_id: str) -> None:
        """No error if the operator is not in."""

    def next(self, at_ms: int) -> str | None:
        """Whose turn it is, None when nobody is ready."""

    def __iter__(self) -> Iterator[str]: ...
    def __len__(self) -> int: ...


class Standing(Ordered):
    """For a strategy whose keys last: a heap, O(log n)."""

    __slots__ = ("_key", "_queue")

    def __init__(self, strategy: Strategy, queue: str) -> None:
        super().__init__()
        self._key = strategy.key
        self._queue = queue

    def add(self, operator: Person) -> None:
        queue = self._queue
        key = self._key(operator.level(queue), operator.last_in(queue), 0, 0.0, 0.0)
        self.put(operator.id, (*key, operator.idle_from_ms, operator.offers, operator.natural))

    def remove(self, operator_id: str) -> None:
        self.drop(operator_id)

    def next(self, at_ms: int) -> str | None:
        first = self.first()
        return None if first is None else str(first[-1])


class Moving:
    """For a strategy whose keys change with time: everybody is looked at, O(n) a decision."""

    __slots__ = ("_people", "_queue", "_strategy")

    def __init__(self, strategy: Strategy, queue: str) -> None:
        self._strategy = strategy
        self._queue = queue
        self._people: dict[str, Person] = {}

    def add(self, operator: Person) -> None:
        self._people[operator.id] = operator

    def remove(self, operator_id: str) -> None:
        self._people.pop(operator_id, None)

    def next(self, at_ms: int) -> str | None:
        people, queue, key = self._people, self._queue, self._strategy.key
        if len(people) < 2:
            return next(iter(people), None)
        _, _, _, _, first = min(
            (key(*each.figures(queue, at_ms)), each.idle_from_ms, each.offers, each.natural, each.id)
            for each in people.values()
        )
        return first

    def __iter__(self) -> Iterator[str]:
        return iter(self._people)

    def __len__(self) -> int:
        return len(self._people)


def ready_for(strategy: Strategy, queue: str) -> Ready:
    return Standing(strategy, queue) if strategy.lasting else Moving(strategy, queue)
