"""A line of `why`, with the ledger behind it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cdr.events import time_text


@dataclass(frozen=True, slots=True)
class WhyRow:
    """One candidate of an offer, as the ledger has it; `name` for people, `chosen`: the one who was rung."""

    operator: str
    name: str
    chosen: bool
    level: int
    idle_s: float
    calls: int
    talk_s: float
    duty_s: float
    offers: int
    last: int

    def to_json(self) -> dict[str, Any]:
        return {each: getattr(self, each) for each in self.__slots__}


@dataclass(frozen=True, slots=True)
class WhyHead:
    """The first caller of a queue when it was decided whose turn it was; this call's queue comes first."""

    queue: str
    name: str
    waited_s: float
    priority: int
    urgency: float

    def to_json(self) -> dict[str, Any]:
        return {each: getattr(self, each) for each in self.__slots__}


@dataclass(frozen=True, slots=True)
class Why:
    """One line of a call's way to an operator, and on from there. `operator` None: nobody was rung; the
    caller waited (`rule` `waiting`), was called back in vain (`callback`), was transferred (`transfer`), a
    supervisor took the call over (`taken_over`) or an operator made it (`outbound`). `rule`: as the
    distributor names it, `unknown` where nothing was noted. `ending`: how the ringing ended (`answered`, a
    callback's `called`, an `OfferEnd`; of a call out why it was not answered), None while it rings.
    `replayed`: the ledger's figures lead to the same operator again; None where there are none."""

    at: datetime
    operator: str | None
    queue: str | None
    rule: str
    sentence: str
    rows: tuple[WhyRow, ...] = ()
    heads: tuple[WhyHead, ...] = ()
    ending: str | None = None
    replayed: bool | None = None

    def to_json(self) -> dict[str, Any]:
        return {
            "at": time_text(self.at),
            "operator": self.operator,
            "queue": self.queue,
            "rule": self.rule,
            "sentence": self.sentence,
            "rows": [row.to_json() for row in self.rows],
            "heads": [head.to_json() for head in self.heads],
            "ending": self.ending,
            "replayed": self.replayed,
        }
