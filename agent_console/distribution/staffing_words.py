"""/staffing: the comparison, line by line, and what it says in a few sentences."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from cdr.staffing import Erlang, Simulated
from dialplans import Site

from ..formats import percent
from ..texts import Texts
from .question import ChangeAsked, Question, seconds
from .trial_work import Answer


@dataclass(frozen=True)
class Figure:
    """A line of the comparison. Values are None where there is nothing to divide by; `target` is a share or
    seconds; `kind`: `share` or `seconds`; `more_is_better` False for waits and abandonment."""

    name: str
    kind: str
    target: float | None
    before: float | None
    after: float | None
    erlang_a: float | None
    erlang_c: float | None
    more_is_better: bool = True

    def met(self, value: float | None) -> bool | None:
        if value is None or self.target is None:
            return None
        return value >= self.target if self.more_is_better else value <= self.target


def figures(answer: Answer, site: Site) -> list[Figure]:
    """The comparison, line by line."""
    targets, before, after = site.kpi.targets, answer.before, answer.after
    a = answer.formulas.a if answer.formulas is not None else None
    c = answer.formulas.c if answer.formulas is not None else None

    # The city's clock also counts what the formulas do not know: greeting and ringing.
    uncounted_s = answer.formulas.before_s if answer.formulas is not None else 0.0

    def of(read: Callable[[Simulated], float | None]) -> tuple[float | None, float | None]:
        return read(before), read(after) if after is not None else None

    def erlang(read: Callable[[Erlang], float]) -> tuple[float | None, float | None]:
        return _finite(read(a)) if a is not None else None, _finite(read(c)) if c is not None else None

    rate = of(lambda one: one.kpi.answer_rate)
    mean = of(lambda one: one.kpi.mean_answer_s)
    within = of(lambda one: one.kpi.within_rate)
    gone = of(lambda one: one.abandon_rate)
    busy = of(lambda one: one.occupancy)
    return [
        Figure("answer_rate", "share", targets.answer_rate, *rate, *erlang(lambda e: e.answer_rate)),
        Figure(
            "mean_answer",
            "seconds",
            targets.mean_answer_s,
            *mean,
            *erlang(lambda e: e.answer_s + uncounted_s),
            more_is_better=False,
        ),
        Figure("within", "share", targets.within_rate, *within, *erlang(lambda e: e.within)),
        Figure("abandoned", "share", None, *gone, *erlang(lambda e: e.abandoned), more_is_better=False),
        Figure("occupancy", "share", None, *busy, *erlang(lambda e: e.occupancy), more_is_better=False),
    ]


def said(question: Question, answer: Answer, compared: list[Figure], site: Site, texts: Texts) -> list[str]:
    """What the comparison says: the answer rate in the hours changed and over the day, targets that are still
    missed or change, what it costs."""
    first = compared[0]
    change = question.change
    if change is None or answer.after is None:
        return [texts("staffing.said_plain", before=percent(first.before))]
    lines = [
        texts(
            "staffing.said_more" if change.operators > 0 else "staffing.said_fewer",
            start=change.start,
            end=change.end,
            n=abs(change.operators),
            there=percent(_rate_in(answer.before, change)),
            there_after=percent(_rate_in(answer.after, change)),
            before=percent(first.before),
            after=percent(first.after),
        )
    ]
    for one in compared:
        was, now = one.met(one.before), one.met(one.after)
        if was is None or now is None or (was and now):
            continue
        key = "now_met" if now else "now_missed" if was else "still_missed"
        limit = {"n": f"{site.kpi.answer_within_s:g}"} if one.name == "within" else {}
        values = {"before": _shown(one.kind, one.before, texts), "after": _shown(one.kind, one.after, texts)}
        lines.append(texts(f"staffing.{key}", what=texts(f"staffing.figure.{one.name}", **limit), **values))
    hours = (seconds(change.end) - seconds(change.start)) / 3600 * change.operators
    return [*lines, texts("staffing.cost", hours=hours)]


def _rate_in(simulated: Simulated, change: ChangeAsked) -> float | None:
    there = [one.kpi for one in simulated.intervals if change.holds(one.start_s)]
    offered = sum(one.offered for one in there)
    return sum(one.answered for one in there) / offered if offered else None


def _shown(kind: str, value: float | None, texts: Texts) -> str:
    if kind == "share" or value is None:
        return percent(value)
    return f"{value:.1f} {texts('js.board.second')}"


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
