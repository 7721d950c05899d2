"""How the next operator is chosen: a tiny class with add, remove, next. It knows no calls and no clock.

A further strategy is one class here and one line in STRATEGIES; a queue names it in its rules.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Protocol

from acd.ordered import Ordered

NaturalKey = tuple[tuple[int, int, str], ...]


def natural_order(text: str) -> NaturalKey:
    """A sort key that reads digits as numbers: 2 before 10, 1001 before 10010."""
    parts = re.findall(r"([0-9]+)|([^0-9]+)", text)
    # The text itself comes last, so that "01" and "1" are never taken for equal.
    return (*((0, int(digits), "") if digits else (1, 0, word) for digits, word in parts), (2, 0, text))


class Candidate(Protocol):
    """What a strategy may know of a ready operator. None of it changes while the operator is added."""

    @property
    def id(self) -> str: ...
    @property
    def idle_since(self) -> float: ...
    @property
    def offers(self) -> int: ...
    @property
    def natural(self) -> NaturalKey: ...


class Strategy(Protocol):
    """The ready operators of one queue, and whose turn it is."""

    def add(self, operator: Candidate) -> None: ...
    def remove(self, operator_id: str) -> None:
        """No error if the operator is not in."""

    def next(self) -> str | None:
        """Whose turn it is, left in place; None when nobody is ready."""

    def __len__(self) -> int: ...


class LongestIdle:
    """Whoever has been idle longest; among equals fewest offers so far, then by id (均等配分)."""

    __slots__ = ("_ready",)

    def __init__(self) -> None:
        self._ready = Ordered()

    def add(self, operator: Candidate) -> None:
        self._ready.put(operator.id, (operator.idle_since, operator.offers, operator.natural))

    def remove(self, operator_id: str) -> None:
        self._ready.drop(operator_id)

    def next(self) -> str | None:
        first = self._ready.first()
        return None if first is None else str(first[-1])

    def __len__(self) -> int:
        return len(self._ready)


STRATEGIES: dict[str, Callable[[], Strategy]] = {"longest_idle": LongestIdle}
