"""A queue as the distributor keeps it: the callers in line and the operators ready for them."""

from __future__ import annotations

from acd.model import QueueRules
from acd.ordered import Key, Ordered
from acd.strategies import STRATEGIES, Strategy


class Caller:
    """One caller in line. `rank` is the place: it never changes, a failed offer costs nothing."""

    __slots__ = (
        "call",
        "held",
        "number",
        "offered_to",
        "prefer",
        "prefer_until",
        "priority",
        "queue",
        "rank",
        "since",
    )

    def __init__(
        self,
        call: str,
        queue: str,
        since: float,
        priority: int,
        prefer: str | None,
        prefer_until: float | None,
        number: int,
    ) -> None:
        self.call = call
        self.queue = queue
        self.since = since
        self.priority = priority
        self.prefer = prefer
        self.prefer_until = prefer_until
        self.offered_to: str | None = None
        self.held = False  # waits for the preferred operator alone
        # Higher priority first; within it a returned caller in front, then order of arrival; `number`
        # (a running one) settles what arrived in the same instant.
        self.number = number
        self.rank: Key = (-2 * priority - (prefer is not None), since, number)


class Line:
    """One queue. `waiting`: callers to be offered now (none ringing, none held); `ready`: free operators."""

    __slots__ = ("callers", "ready", "retired", "rules", "waiting")

    def __init__(self, rules: QueueRules) -> None:
        self.rules = rules
        self.waiting = Ordered()
        self.ready: Strategy = make_strategy(rules)
        self.callers = 0  # everyone in line, ringing and held ones too
        self.retired = False  # taken out of the site; served until the last caller is through


def make_strategy(rules: QueueRules) -> Strategy:
    """A fresh strategy as the rules name it; ValueError names the ones there are."""
    if rules.strategy not in STRATEGIES:
        known = ", ".join(sorted(STRATEGIES))
        raise ValueError(f"queue {rules.id}: no strategy {rules.strategy!r}; there is: {known}")
    return STRATEGIES[rules.strategy]()
