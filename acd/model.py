"""The words of the distributor: queues, operators, actions and what one may look at.

Every time is a float in seconds of one monotonic clock that the caller of the distributor owns; every
span ends in `_s`. Ids are strings of the caller's. Nothing here reads a clock or talks to anyone.
Actions are not frozen only because making a frozen dataclass costs four times as much; they are given
away, the distributor keeps none.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple


class DistributorError(LookupError):
    """A fact that cannot be true: an operator, queue or offer the distributor does not know.

    The message names the id, what is known instead, and what to do; nothing has been changed.
    """


class OperatorState(enum.Enum):
    """What an operator is doing (オペレータ状態). Only READY operators with a reachable phone get offers."""

    READY = "ready"  # 受付可
    RINGING = "ringing"  # 呼出中
    TALKING = "talking"  # 通話中
    WRAP_UP = "wrap_up"  # 後処理
    BREAK = "break"  # 離席
    TRAINING = "training"  # 研修
    NO_ANSWER = "no_answer"  # 応答なし: set by the distributor, left by the operator's own hand
    OFF = "off"


class OfferEnd(enum.Enum):
    """Why an offer ended without a conversation."""

    NO_ANSWER = "no_answer"
    REFUSED = "refused"
    BUSY = "busy"
    UNREACHABLE = "unreachable"
    CALLER_GONE = "caller_gone"
    WITHDRAWN = "withdrawn"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class QueueRules:
    """How one queue is served. `ring_timeout_s` > 0, `wrap_up_s` ≥ 0 (0: ready again at once);
    `strategy` is one of `acd.STRATEGIES`, `then` the one within a level under `skill`.

    `target_s` > 0 and `weight` > 0: between queues the caller with the largest
    (time waited + priority × `ageing_s`) × `weight` / `target_s` comes first. `widen`: (after_s, level),
    rising: from then on operators up to that level are asked too; empty: all levels from the start, else
    level 1 first. `language_after_s`: how long a caller is kept for operators of their language (None: for
    good).
    ValueError if a figure makes no sense."""

    id: str
    ring_timeout_s: float = 15.0
    wrap_up_s: float = 20.0
    strategy: str = "longest_idle"
    then: str = "longest_idle"
    target_s: float = 9.0
    weight: float = 1.0
    ageing_s: float = 300.0
    widen: tuple[tuple[float, int], ...] = ()
    language_after_s: float | None = 30.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.ring_timeout_s) and self.ring_timeout_s > 0):
            raise ValueError(f"queue {self.id}: ring_timeout_s is {self.ring_timeout_s}, must be above 0")
        if not (math.isfinite(self.wrap_up_s) and self.wrap_up_s >= 0):
            raise ValueError(f"queue {self.id}: wrap_up_s is {self.wrap_up_s}, must be 0 or more")
        for name, figure in (("target_s", self.target_s), ("weight", self.weight)):
            if not (math.isfinite(figure) and figure > 0):
                raise ValueError(f"queue {self.id}: {name} is {figure}, must be above 0")
        if not (math.isfinite(self.ageing_s) and self.ageing_s >= 0):
            raise ValueError(f"queue {self.id}: ageing_s is {self.ageing_s}, must be 0 or more")
        after = self.language_after_s
        if after is not None and not (math.isfinite(after) and after >= 0):
            raise ValueError(f"queue {self.id}: language_after_s is {after}, must be 0 or more, or None")
        before_s, before_level = -1.0, 1
        for after_s, level in self.widen:
            if not (math.isfinite(after_s) and after_s >= 0 and after_s > before_s):
                raise ValueError(f"queue {self.id}: widen after {after_s} s, times must rise from 0 up")
            if level <= before_level:
                raise ValueError(f"queue {self.id}: widen to level {level}, levels must rise from 2 up")
            before_s, before_level = after_s, level


@dataclass(frozen=True, slots=True)
class OperatorProfile:
    """Who serves which queues. An operator starts OFF and unreachable until told otherwise.

    `levels`: by queue, 1 (default) the best; `languages`: None serves every language; `most_calls_h`: own
    limit of conversations begun within any 3600 s."""

    id: str
    queues: tuple[str, ...]
    levels: Mapping[str, int] = field(default_factory=dict)
    languages: tuple[str, ...] | None = None
    most_calls_h: int | None = None

    def __post_init__(self) -> None:
        if self.most_calls_h is not None and self.most_calls_h < 1:
            raise ValueError(f"operator {self.id}: most_calls_h is {self.most_calls_h}, must be 1 or more")
        for queue, level in self.levels.items():
            if level < 1:
                raise ValueError(f"operator {self.id}: level {level} in {queue}, must be 1 or more")


@dataclass(frozen=True, slots=True)
class Tally:
    """What an operator has done since the day (or the signing on of the first day) began: conversations from
    offers that began (`calls`), seconds talked in those that have ended, seconds on duty (ready, ringing,
    talking or in wrap-up, with a phone that can be reached)."""

    calls: int = 0
    talk_s: float = 0.0
    duty_s: float = 0.0


class Candidate(NamedTuple):
    """One operator who could have been chosen, as of the decision: what any strategy looks at.

    Times are whole milliseconds, and were so when they were compared: three digits written replay."""

    operator: str
    level: int
    idle_s: float
    calls: int
    talk_s: float
    duty_s: float
    offers: int
    last: int  # serial of their last offer in this queue, 0: none yet (round robin)


@dataclass(slots=True)
class Because:
    """Why this operator. `rule`: the strategy's name (`longest_idle`; under `skill` `skill/longest_idle`),
    or `same_operator` for a returned caller; `idle_s`: their idle time then; `among`: how many could have
    been chosen, this one included. `candidates`: all of them (the fairness ledger), the chosen one first, the
    others in any order; empty when the distributor keeps no ledger. `choose(rule, candidates)` gives the same
    operator again. `heads`: (queue, waited_s, priority, urgency) of the callers that were compared, the
    chosen first; empty when there was but one."""

    rule: str
    idle_s: float
    among: int
    candidates: tuple[Candidate, ...] = ()
    heads: tuple[tuple[str, float, int, float], ...] = ()


@dataclass(slots=True)
class Offer:
    """Ring this operator for this caller, until `expires_at` (then `tick` withdraws it)."""

    call: str
    operator: str
    queue: str
    because: Because
    expires_at: float


@dataclass(slots=True)
class Withdraw:
    """Stop ringing: the distributor itself has ended this offer, and says why.

    Not returned for an offer that ended by a fact told (`offer_answered`, `offer_failed`)."""

    call: str
    operator: str
    reason: OfferEnd


@dataclass(slots=True)
class StateChanged:
    """The operator's state is now this, `since` then; `until`: end of the wrap-up, otherwise None."""

    operator: str
    state: OperatorState
    since: float
    reason: str
    until: float | None = None


Action = Offer | Withdraw | StateChanged


@dataclass(frozen=True, slots=True)
class OperatorView:
    """One operator as of the last fact. `call`: the one ringing or talking; `next_state`: noted for after
    the wrap-up, None means READY; `idle_since`: now − idle time, None while talking (see `Distributor`);
    `limited_until`: till then their own limit (`most_calls_h`) keeps them from calls; `offers`: so far;
    `last`: by queue, the serial of the last one there."""

    id: str
    state: OperatorState
    since: float
    reason: str
    until: float | None
    next_state: OperatorState | None
    reachable: bool
    call: str | None
    idle_since: float | None
    tally: Tally = Tally()
    limited_until: float | None = None
    offers: int = 0
    last: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WaitingView:
    """One caller in line. `position` counts from 1 in their queue, ringing ones included."""

    call: str
    queue: str
    since: float
    priority: int
    offered_to: str | None
    position: int
