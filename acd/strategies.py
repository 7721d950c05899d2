"""How the next operator is chosen: tiny classes that give a key, the smallest is next. They know no calls
and no clock.

A further strategy is one class here and one entry in `_PLAIN`; a queue names it in its rules. Whatever
the strategy, equals are told apart in one way: longer idle, fewer offers so far, id in natural order.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, Protocol

from acd.model import Candidate, QueueRules

NaturalKey = tuple[tuple[int, int, str], ...]
Key = tuple[float, ...]
Figures = tuple[int, int, int, float, float]  # level, last, calls, talk_s, duty_s: see `Candidate`

SAME_OPERATOR = "same_operator"  # the rule by which a returned caller is given back, no strategy
LEAST_DUTY_S = 60.0  # who has just signed on counts as so long on duty: no rate is made of a few seconds


@lru_cache(maxsize=16384)
def natural_order(text: str) -> NaturalKey:
    """A sort key that reads digits as numbers: 2 before 10, 1001 before 10010."""
    parts = re.findall(r"([0-9]+)|([^0-9]+)", text)
    # The text itself comes last, so that "01" and "1" are never taken for equal.
    return (*((0, int(digits), "") if digits else (1, 0, word) for digits, word in parts), (2, 0, text))


class Strategy(Protocol):
    """Whose turn it is. `lasting`: the key of a ready operator stays while they are ready, so it may be
    taken once; otherwise it is taken at the decision, of everybody."""

    name: str
    lasting: bool

    def key(self, level: int, last: int, calls: int, talk_s: float, duty_s: float) -> Key:
        """The smallest is chosen. The figures (`Figures`) are those of `Candidate`."""


class LongestIdle:
    """Whoever has been idle longest (均等配分): nothing goes before what tells equals apart."""

    name = "longest_idle"
    lasting = True

    def key(self, level: int, last: int, calls: int, talk_s: float, duty_s: float) -> Key:
        return ()


class FewestCalls:
    """Fewest conversations per time on duty: who comes at noon is not flooded to catch up."""

    name = "fewest_calls"
    lasting = False

    def key(self, level: int, last: int, calls: int, talk_s: float, duty_s: float) -> Key:
        return (calls / max(duty_s, LEAST_DUTY_S),)


class LeastTalk:
    """Least time in conversation per time on duty: who had the long ones gets the next one later."""

    name = "least_talk"
    lasting = False

    def key(self, level: int, last: int, calls: int, talk_s: float, duty_s: float) -> Key:
        return (talk_s / max(duty_s, LEAST_DUTY_S),)


class RoundRobin:
    """Whoever's last offer in this queue is furthest back; who has had none yet comes first."""

    name = "round_robin"
    lasting = True

    def key(self, level: int, last: int, calls: int, talk_s: float, duty_s: float) -> Key:
        return (last,)


class Skill:
    """The best level first (1 before 2), within it as `then` chooses."""

    def __init__(self, then: Strategy) -> None:
        self._then = then
        self.name = f"skill/{then.name}"
        self.lasting = then.lasting

    def key(self, level: int, last: int, calls: int, talk_s: float, duty_s: float) -> Key:
        return (level, *self._then.key(level, last, calls, talk_s, duty_s))


_PLAIN: tuple[Strategy, ...] = (LongestIdle(), FewestCalls(), LeastTalk(), RoundRobin())
THEN = tuple(each.name for each in _PLAIN)
STRATEGIES = (*THEN, "skill")
"""What a queue's `strategy` may be; its `then` any of these but `skill`."""
_RULES: dict[str, Strategy] = {each.name: each for each in (*_PLAIN, *(Skill(then) for then in _PLAIN))}


def strategy_of(rules: QueueRules) -> Strategy:
    """As the rules name it; ValueError names the ones there are."""
    for name, known in ((rules.strategy, STRATEGIES), (rules.then, THEN)):
        if name not in known:
            raise ValueError(f"queue {rules.id}: no strategy {name!r}; there is: {', '.join(known)}")
    return _RULES[f"skill/{rules.then}" if rules.strategy == "skill" else rules.strategy]


def choose(rule: str, candidates: Iterable[Candidate | Sequence[Any]]) -> str:
    """The operator whom `rule` (`Because.rule`) chooses among these: the decision, made again.

    Pure, whatever the order of the candidates; rows as the journal has them (the figures of `Candidate` in
    order) do as well. ValueError for an unknown rule or nobody to choose from."""
    rows = [Candidate(*each) for each in candidates]
    if not rows:
        raise ValueError(f"rule {rule!r}: nobody to choose from")
    if rule == SAME_OPERATOR:
        return rows[0].operator
    strategy = _RULES.get(rule)
    if strategy is None:
        raise ValueError(f"no rule {rule!r}; there is: {', '.join((*_RULES, SAME_OPERATOR))}")

    def whole(one: Candidate) -> tuple[Any, ...]:
        key = strategy.key(one.level, one.last, one.calls, one.talk_s, one.duty_s)
        return (*key, -one.idle_s, one.offers, natural_order(one.operator))

    return min(rows, key=whole).operator
