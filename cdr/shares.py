"""How evenly the calls were shared (均等に分配): figures of operators, and how far they lie apart.

docs/fairness.md has the formulas in words and an example counted by hand.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from cdr.attendance import Attendance
from cdr.kpis import Formula
from cdr.span import Span

LEAST_DUTY_S = 15 * 60.0  # who was on duty for less is listed, and counts in no figure

FORMULA = Formula(
    "件数＝呼出に応答した件数（全ての待ち行列）、1時間あたり＝件数または通話時間÷在席時間、"
    "稼働率＝（通話（保留を含む）＋後処理）÷在席時間、"
    "在席時間＝サインオン中のうち離席・研修・応答なし・電話機未接続を除いた時間、"
    "差＝最大－最小、ジニ係数は0が完全な均等、在席時間15分未満の操作者は指標から除外。",
    "calls = offers answered, of all queues; per hour = calls or talk time / time on duty; occupancy = "
    "(talk, holds included, + wrap-up) / time on duty; time on duty = signed on, without breaks, training, "
    "no answer and times without a phone; spread = max - min; Gini: 0 is perfectly even; operators on duty "
    "for less than 15 min count in no figure.",
)


@dataclass(frozen=True, slots=True)
class Work:
    """What one operator did for one queue (None: for none) in a span. `calls`: offers answered; durations in
    seconds, `talk_s` with holds, calls that came without an offer (Asterisk alone) included."""

    operator: str
    queue: str | None
    calls: int
    talk_s: float
    hold_s: float
    wrap_up_s: float


@dataclass(frozen=True, slots=True)
class Share:
    """One operator's row. `calls`, `talk_s`, `hold_s` (a part of `talk_s`), `wrap_up_s`: of all queues;
    `queue_calls`: of the queue that was asked for (all, if none was). Per hour on duty: `calls_h`, `talk_h`
    (seconds); `occupancy` 0…1. `counted`: on duty long enough for the figures."""

    operator: str
    calls: int
    queue_calls: int
    talk_s: float
    hold_s: float
    wrap_up_s: float
    times: Attendance

    @property
    def counted(self) -> bool:
        return self.times.duty_s >= LEAST_DUTY_S

    @property
    def calls_h(self) -> float | None:
        return self._per_duty(self.calls * 3600)

    @property
    def talk_h(self) -> float | None:
        return self._per_duty(self.talk_s * 3600)

    @property
    def occupancy(self) -> float | None:
        return self._per_duty(self.talk_s + self.wrap_up_s)

    def _per_duty(self, amount: float) -> float | None:
        return amount / self.times.duty_s if self.times.duty_s > 0 else None

    def to_json(self) -> dict[str, Any]:
        """All of it; seconds with 3 decimals, figures with 6."""
        return {
            "operator": self.operator,
            "calls": self.calls,
            "queue_calls": self.queue_calls,
            **{name: round(getattr(self, name), 3) for name in ("talk_s", "hold_s", "wrap_up_s")},
            "signed_on_s": round(self.times.signed_on_s, 3),
            **{name: round(seconds, 3) for name, seconds in asdict(self.times).items()},
            **{name: _rounded(getattr(self, name)) for name in ("calls_h", "talk_h", "occupancy")},
            "counted": self.counted,
        }


@dataclass(frozen=True, slots=True)
class Even:
    """How far the values of some operators lie apart. `spread`: max − min, in the values' own unit; `gini`: 0
    (all alike) up to, but below, 1 (one has all). None where there are no operators."""

    min: float | None = None
    max: float | None = None
    mean: float | None = None
    spread: float | None = None
    gini: float | None = None

    @classmethod
    def of(cls, values: Iterable[float]) -> Even:
        """Of any number of values, in any order, none below 0."""
        ordered = sorted(values)
        if not ordered:
            return cls()
        mean = min(max(math.fsum(ordered) / len(ordered), ordered[0]), ordered[-1])
        return cls(ordered[0], ordered[-1], mean, ordered[-1] - ordered[0], gini(ordered))

    def to_json(self) -> dict[str, Any]:
        return {each.name: _rounded(getattr(self, each.name)) for each in fields(self)}


@dataclass(frozen=True, slots=True)
class Evenness:
    """The operators of a queue (None: of the centre) in a span, by id, and how even their `calls` per hour,
    `talk` seconds per hour and `occupancy` are."""

    queue: str | None
    span: Span
    rows: Sequence[Share]
    calls: Even
    talk: Even
    occupancy: Even
    formula: Formula = FORMULA

    def to_json(self) -> dict[str, Any]:
        return {
            "queue": self.queue,
            **self.span.to_json(),
            "operators": sum(row.counted for row in self.rows),
            **{name: getattr(self, name).to_json() for name in ("calls", "talk", "occupancy")},
            "rows": [row.to_json() for row in self.rows],
            "formula": asdict(self.formula),
        }


def gini(values: Sequence[float]) -> float:
    """The Gini coefficient of values from 0 up: half the mean difference of any two, over the mean. 0 for
    less than two, and where all are 0. Corrado Gini, *Variabilità e mutabilità* (1912)."""
    ordered, count, total = sorted(values), len(values), math.fsum(values)
    if count < 2 or total <= 0 or ordered[0] == ordered[-1]:
        return 0.0
    # Of sorted values the sum of all differences needs each value once.
    weighted = math.fsum((2 * place - count - 1) * value for place, value in enumerate(ordered, 1))
    return max(0.0, weighted / (count * total))


def evenness_of(
    work: Iterable[Work],
    times: Mapping[str, Attendance],
    span: Span,
    queue: str | None = None,
    serves: Mapping[str, Collection[str]] | None = None,
) -> Evenness:
    """The evenness of these operators' work and times in a span.

    Of a queue: whoever answered a call of it, and of those signed on whoever serves it by `serves` (the
    queues of each operator). An operator of several queues is one person with one day: all their work is
    counted, over all their time on duty."""
    by_operator: dict[str, list[Work]] = {}
    for one in work:
        by_operator.setdefault(one.operator, []).append(one)
    present = {operator for operator, each in times.items() if each.signed_on_s > 0}
    operators = present | by_operator.keys()
    if queue is not None:
        wanted = {operator for operator, queues in (serves or {}).items() if queue in queues}
        answered = {one.operator for each in by_operator.values() for one in each if one.queue == queue}
        operators = (present & wanted) | answered
    rows = [
        _share(operator, by_operator.get(operator, ()), times.get(operator, Attendance()), queue)
        for operator in sorted(operators)
    ]
    counted = [row for row in rows if row.counted]
    return Evenness(
        queue,
        span,
        tuple(rows),
        calls=Even.of(row.calls_h or 0.0 for row in counted),
        talk=Even.of(row.talk_h or 0.0 for row in counted),
        occupancy=Even.of(row.occupancy or 0.0 for row in counted),
    )


def _share(operator: str, work: Sequence[Work], times: Attendance, queue: str | None) -> Share:
    return Share(
        operator,
        sum(one.calls for one in work),
        sum(one.calls for one in work if queue is None or one.queue == queue),
        math.fsum(one.talk_s for one in work),
        math.fsum(one.hold_s for one in work),
        math.fsum(one.wrap_up_s for one in work),
        times,
    )


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)
