"""A queue as the distributor keeps it: lanes, each with callers in order and the operators ready for them.

Callers whom the same operators may serve share a lane: same queue, same language asked for, same level
reached. So whoever cannot be served now (their language, their level) never stands before somebody who can.
"""

from __future__ import annotations

import sys
from typing import Protocol

from acd.model import QueueRules
from acd.ordered import Key, Ordered
from acd.ready import Ready, ready_for
from acd.strategies import strategy_of

EVERY_LEVEL = sys.maxsize
LaneKey = tuple[str | None, int]
_EVERYBODY: LaneKey = (None, EVERY_LEVEL)


class Server(Protocol):
    """What a lane asks of an operator."""

    @property
    def languages(self) -> frozenset[str] | None: ...
    def level(self, queue: str) -> int: ...


class Lane:
    """`waiting`: callers to be offered now (none ringing, none held); `ready`: free operators who may serve
    them. `language` None: any; `level`: the last that is asked."""

    __slots__ = ("language", "level", "line", "ready", "waiting")

    def __init__(self, line: Line, key: LaneKey) -> None:
        self.line = line
        self.language, self.level = key
        self.waiting = Ordered()
        self.ready: Ready = ready_for(line.strategy, line.rules.id)

    def takes(self, operator: Server) -> bool:
        if operator.level(self.line.rules.id) > self.level:
            return False
        languages = operator.languages
        return self.language is None or languages is None or self.language in languages


class Caller:
    """One caller in line. `rank` is the place in the queue: a failed offer costs nothing."""

    __slots__ = (
        "call",
        "held",
        "lane",
        "language",
        "number",
        "offered_to",
        "opens_at",
        "prefer",
        "prefer_until",
        "priority",
        "queue",
        "rank",
        "since",
    )

    lane: Lane  # given by the floor as soon as the caller stands in a queue

    def __init__(
        self,
        call: str,
        since: float,
        priority: int,
        prefer: str | None,
        prefer_until: float | None,
        language: str | None,
        number: int,
    ) -> None:
        self.call = call
        self.queue = ""
        self.since = since
        self.priority = priority
        self.prefer = prefer
        self.prefer_until = prefer_until
        self.language = language
        self.number = number  # a running one: settles what is equal otherwise
        self.opens_at: float | None = None  # when further operators may be asked
        self.offered_to: str | None = None
        self.held = False  # waits for the preferred operator alone
        self.rank: Key = ()


class Line:
    """One queue."""

    __slots__ = ("callers", "lanes", "retired", "rules", "serial", "strategy")

    def __init__(self, rules: QueueRules) -> None:
        self.change(rules)
        self.callers = 0  # everyone in line, ringing and held ones too
        self.serial = 0  # of the offers made here
        self.retired = False  # taken out of the site; served until the last caller is through

    def change(self, rules: QueueRules) -> None:
        """New rules, no lanes yet."""
        self.rules = rules
        self.strategy = strategy_of(rules)
        self.lanes: dict[LaneKey, Lane] = {}

    def rank(self, caller: Caller) -> Key:
        """The place: a step of priority counts like so many seconds of waiting; a returned caller goes
        before an equal one; then the order of telling."""
        credit = caller.priority * self.rules.ageing_s
        return (caller.since - credit, caller.prefer is None, caller.number)

    def urgency(self, rank: Key, at: float) -> float:
        """The time waited, priority counted in, against what the queue promises."""
        rules = self.rules
        waited: float = at - rank[0]
        return waited * rules.weight / rules.target_s

    def lane_of(self, caller: Caller, at: float) -> tuple[LaneKey, float | None]:
        """Who may be asked for the caller by now, and when that grows (None: never)."""
        rules, since, language = self.rules, caller.since, caller.language
        if language is None and not rules.widen:
            return _EVERYBODY, None
        grows: list[float] = []
        level = EVERY_LEVEL
        if rules.widen:
            level = 1
            for after_s, up_to in rules.widen:
                if since + after_s > at:
                    grows.append(since + after_s)
                    break
                level = up_to
        if language is not None and rules.language_after_s is not None:
            anybody_at = since + rules.language_after_s
            if anybody_at > at:
                grows.append(anybody_at)
            else:
                language = None
        return (language, level), min(grows, default=None)
