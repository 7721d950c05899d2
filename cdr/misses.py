"""How many more calls may be missed today with the city's target still met: the meter on the board."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Protocol


class Counted(Protocol):
    """What is needed of a `Kpi`."""

    @property
    def offered(self) -> int: ...
    @property
    def answered(self) -> int: ...
    @property
    def answered_within(self) -> int: ...


class RateTargets(Protocol):
    """`dialplans.Targets`: 応答率 and 即応率 as shares of 1."""

    @property
    def answer_rate(self) -> float: ...
    @property
    def within_rate(self) -> float: ...


@dataclass(frozen=True, slots=True)
class Left:
    """`left`: so many more calls may be missed, one after another, with the rate still at its target (None:
    any number). `needed`: below the target, so many calls in a row must go well to be at it again (None: it
    cannot be reached any more); 0 at the target. One of the two is 0."""

    left: int | None
    needed: int | None

    def to_json(self) -> dict[str, Any]:
        return {"left": self.left, "needed": self.needed}


@dataclass(frozen=True, slots=True)
class MissesLeft:
    """`within`: answered calls that may be answered late (即応率); `answer`: offered calls that may go
    unanswered (応答率)."""

    within: Left
    answer: Left

    def to_json(self) -> dict[str, Any]:
        return {"within": self.within.to_json(), "answer": self.answer.to_json()}


def misses_left(kpi: Counted, targets: RateTargets, expected: int | None = None) -> MissesLeft:
    """The misses that a day still allows.

    Without `expected`: if the next calls were all missed, one after another, before anything else happens.
    With it, the number of calls offered in the whole day (today's and those still to come): how many of those
    to come may be missed when the others go well; of them as large a share is answered as was until now. A
    number below what was offered already says nothing: then as without. docs/kpi.md has the formula and an
    example counted by hand.
    """
    to_come = max(0, expected - kpi.offered) if expected is not None else None
    answered_to_come = None
    if to_come is not None:
        rate = Fraction(kpi.answered, kpi.offered) if kpi.offered else Fraction(1)
        answered_to_come = math.floor(to_come * rate)
    return MissesLeft(
        within=_left(kpi.answered_within, kpi.answered, targets.within_rate, answered_to_come),
        answer=_left(kpi.answered, kpi.offered, targets.answer_rate, to_come),
    )


def _left(good: int, all_: int, target: float, to_come: int | None) -> Left:
    """`good` of `all_`, and `to_come` more in the day (None or 0: not known)."""
    wanted = Fraction(str(target))  # 0.8 is meant as 8/10, not as the binary number next to it
    if wanted <= 0:
        return Left(None, 0)
    if to_come:
        left = min(to_come, math.floor((1 - wanted) * (all_ + to_come)) - (all_ - good))
    else:
        left = math.floor(good / wanted) - all_
    if left >= 0:
        return Left(left, 0)
    if wanted >= 1:
        return Left(0, None)
    needed = math.ceil((wanted * all_ - good) / (1 - wanted))
    return Left(0, None if to_come and needed > to_come else max(0, needed))
