"""Erlang C and Erlang A: what a queue with so many operators does, by formula (RPT-3).

Both take one queue with Poisson arrivals, exponential times, operators who pick up at once and never refuse.
C (M/M/n): callers wait for ever. A (Palm, M/M/n+M): each gives up after an exponential time of patience.

Sources: N. Gans, G. Koole, A. Mandelbaum, *Telephone call centers: tutorial, review, and research
prospects*, M&SOM 5 (2003), sections 3 and 4; O. Garnett, A. Mandelbaum, M. Reiman, *Designing a call center
with impatient customers*, M&SOM 4 (2002); C. Palm, *Research on telephone traffic carried by full
availability groups* (1957).
Letters as there: λ calls a second, μ = 1 / handling time, θ = 1 / patience, n operators, a = λ / μ.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

_HUGE = 1e200
_ENDLESS_S = 1e6  # more patience than 11 days is none that a formula should be asked about
MOST_OPERATORS = 20_000


@dataclass(frozen=True, slots=True)
class Erlang:
    """What the formula says. Shares are 0…1, times seconds; a time is inf where the queue grows for ever.

    `waits`: share that finds nobody free. `within`: answered within the target ÷ answered (即応率);
    `answer_rate`: answered ÷ arrived (1 in Erlang C). `wait_s`: mean of all callers, whether they waited or
    not, gave up or not; `wait_of_waiting_s`: of those who had to wait; `answer_s`: of those answered
    (平均応答時間, from queue entry). `occupancy`: share of the operators' time on calls and wrap-up."""

    operators: int
    waits: float
    within: float
    answer_rate: float
    wait_s: float
    wait_of_waiting_s: float
    answer_s: float
    occupancy: float

    @property
    def abandoned(self) -> float:
        """Share of callers who give up."""
        return 1.0 - self.answer_rate

    def to_json(self) -> dict[str, Any]:
        """All fields; null for a wait without end."""
        shown = {name: getattr(self, name) for name in self.__slots__} | {"abandoned": self.abandoned}
        return {name: _rounded(value) for name, value in shown.items()}


def erlang_b(load: float, operators: int) -> float:
    """Share of calls that find all of `operators` busy when none may wait (Erlang's loss formula); `load` in
    Erlang. By the recursion over n, in which every step is a sum of positive terms: exact to the last few
    bits for any n."""
    if load <= 0:
        return 1.0 if operators == 0 else 0.0
    blocked = 1.0
    for n in range(1, operators + 1):
        blocked = load * blocked / (n + load * blocked)
    return blocked


def erlang_c(calls_h: float, handle_s: float, operators: int, target_s: float = 9.0) -> Erlang:
    """M/M/n: `calls_h` an hour, each taking `handle_s` (talk and wrap-up). Gans et al. 2003, section 4.1:

    C = B / (1 − ρ (1 − B)), E[W] = C / (nμ − λ), P(W ≤ T) = 1 − C e^(−(nμ−λ)T).
    With a load of n Erlang or more nobody is ever through: `waits` 1, times inf. ValueError: `_checked`."""
    _checked(calls_h, handle_s, operators, target_s)
    load = calls_h * handle_s / 3600
    if load >= operators:
        if load == 0:  # nobody calls, nobody is there
            return Erlang(0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0)
        return Erlang(operators, 1.0, 0.0, 1.0, math.inf, math.inf, math.inf, 1.0)
    occupancy = load / operators
    blocked = erlang_b(load, operators)
    waits = blocked / (1 - occupancy * (1 - blocked))
    of_waiting = handle_s / (operators - load)  # 1 / (nμ − λ)
    late = waits * math.exp(-target_s / of_waiting)
    return Erlang(
        operators, waits, 1 - late, 1.0, waits * of_waiting, of_waiting, waits * of_waiting, occupancy
    )


def erlang_a(
    calls_h: float, handle_s: float, operators: int, target_s: float = 9.0, *, patience_s: float
) -> Erlang:
    """M/M/n+M: as `erlang_c`, each caller giving up after an exponential time of mean `patience_s` (s, at
    most a million; inf is `erlang_c`). The birth-death chain of Palm 1957 (Garnett et al. 2002, section 2),
    whose states above n are q_k = p_(n+k) / p_n = Π λ/(nμ + jθ), j = 1…k:

    p_n = 1 / (1/B − 1 + Σ q_k); P(W > 0) = p_n Σ q_k; P(give up) = p_n Σ q_k kθ/λ; E[W] = P(give up) / θ.
    Who finds k in line is served with nμ/(nμ + (k+1)θ), then after Σ 1/(nμ + jθ), j = 1…k+1, on average.
    P(served, W > t) = p_n (nμ/λ) g(t) Σ y^j / ((x+1)…(x+j)), j ≥ 1, with x = nμ/θ, y = λ e^(−θt)/θ,
    g(t) = exp(λ(1 − e^(−θt))/θ − nμt): the integral of Garnett et al. worked out as a series.
    Every sum is of positive terms, so nothing cancels however large n is. ValueError: `_checked`."""
    _checked(calls_h, handle_s, operators, target_s)
    if not patience_s > 0 or _ENDLESS_S < patience_s < math.inf:
        raise ValueError(f"patience_s is {patience_s}, must be above 0 and at most 1e6, or inf")
    load = calls_h * handle_s / 3600
    if math.isinf(patience_s) or load == 0:
        return erlang_c(calls_h, handle_s, operators, target_s)
    lam, theta = calls_h / 3600, 1 / patience_s
    if operators == 0:  # everybody waits until they give up
        return Erlang(0, 1.0, 0.0, 0.0, patience_s, patience_s, math.inf, 0.0)
    drain = operators / handle_s  # nμ
    line = _line(load, operators, lam, drain, theta)
    waits, gives_up = line.here / line.total, line.leaving / line.total
    served = 1 - gives_up
    log_late = _log_tail(drain / theta, lam * math.exp(-theta * target_s) / theta)
    if log_late > -math.inf:
        log_late += lam * -math.expm1(-theta * target_s) / theta - drain * target_s
        log_late += math.log(drain / lam) - line.log_total
    late = math.exp(min(log_late, 0.0))
    return Erlang(
        operators,
        waits,
        min(max(1 - late / served, 0.0), 1.0) if served > 0 else 0.0,
        served,
        gives_up * patience_s,
        gives_up * patience_s / waits if waits > 0 else 0.0,
        line.served_wait / line.total / served if served > 0 else math.inf,
        min(load * served / operators, 1.0),
    )


@dataclass(slots=True)
class _Line:
    """Sums over the states with everybody busy, each times p_n's unknown: divide by `total` (all states)."""

    total: float
    here: float
    leaving: float  # Σ q_k kθ/λ
    served_wait: float
    log_total: float  # of the sum before it was scaled


def _line(load: float, operators: int, lam: float, drain: float, theta: float) -> _Line:
    below = 1.0  # 1/B, by the recursion upside down; 1/B − 1 is the weight of the states below n
    for n in range(1, operators + 1):
        below = 1 + below * n / load
    below -= 1
    here = leaving = served_wait = stages = log_scale = 0.0
    term, k = 1.0, 0
    while True:
        stages += 1 / (drain + (k + 1) * theta)
        here += term
        leaving += term * k * theta / lam
        served_wait += term * drain / (drain + (k + 1) * theta) * stages
        k += 1
        ratio = lam / (drain + k * theta)
        term *= ratio
        if ratio < 1 and (term == 0 or term * max(k, 1) < 1e-17 * here * (1 - ratio)):
            break
        if here > _HUGE:
            term, here, leaving, served_wait, below = (
                each / _HUGE for each in (term, here, leaving, served_wait, below)
            )
            log_scale += math.log(_HUGE)
    total = below + here
    return _Line(
        total, here, leaving, served_wait, math.log(total) + log_scale if total < math.inf else math.inf
    )


def _log_tail(x: float, y: float) -> float:
    """log Σ y^j / ((x+1)…(x+j)), j = 1, 2, …; −inf where it is 0."""
    total, log_scale, term, j = 0.0, 0.0, 1.0, 0
    while True:
        j += 1
        ratio = y / (x + j)
        term *= ratio
        total += term
        if ratio < 1 and term <= 1e-17 * total * (1 - ratio):
            break
        if total > _HUGE:
            term, total = term / _HUGE, total / _HUGE
            log_scale += math.log(_HUGE)
    return math.log(total) + log_scale if total > 0 else -math.inf


def operators_needed(
    calls_h: float,
    handle_s: float,
    *,
    patience_s: float = math.inf,
    target_s: float = 9.0,
    within: float | None = None,
    answer_s: float | None = None,
    answer_rate: float | None = None,
    occupancy: float | None = None,
    shrinkage: float = 0.0,
) -> Erlang:
    """The fewest operators (必要席数) who meet every target given: `within` (of those answered, in
    `target_s`) and `answer_rate` at least, `answer_s` (mean, of those answered) and `occupancy` at most.
    None asks nothing. With patience Erlang A, without Erlang C. `shrinkage`: the share of paid time that
    is no time on duty (breaks, training); `operators` of the result is then the larger number of people, its
    figures those with the seats filled. ValueError: a target that cannot be met or makes no sense."""
    for name, share in (("within", within), ("answer_rate", answer_rate), ("occupancy", occupancy)):
        if share is not None and not 0 <= share <= 1:
            raise ValueError(f"{name} is {share}, must be within 0 and 1")
    if not 0 <= shrinkage < 1:
        raise ValueError(f"shrinkage is {shrinkage}, must be at least 0 and below 1")
    if answer_s is not None and not answer_s >= 0:
        raise ValueError(f"answer_s is {answer_s}, must be 0 or more")

    def figures(operators: int) -> Erlang:
        return erlang_a(calls_h, handle_s, operators, target_s, patience_s=patience_s)

    def met(found: Erlang) -> bool:
        return (
            (within is None or found.within >= within)
            and (answer_s is None or found.answer_s <= answer_s)
            and (answer_rate is None or found.answer_rate >= answer_rate)
            and (occupancy is None or found.occupancy <= occupancy)
            and found.answer_s < math.inf
        )

    if met(figures(0)):
        return figures(0)
    low, high = 0, max(1, math.ceil(calls_h * handle_s / 3600))
    while not met(figures(high)):
        low, high = high, high * 2
        if high > MOST_OPERATORS:
            raise ValueError(f"these targets are not met by {MOST_OPERATORS} operators: ask for less")
    while high - low > 1:  # every figure only gets better with more operators
        middle = (low + high) // 2
        low, high = (low, middle) if met(figures(middle)) else (middle, high)
    found = figures(high)
    if shrinkage:
        people = math.ceil(round(high / (1 - shrinkage), 9))
        found = dataclasses.replace(found, operators=people)
    return found


def _checked(calls_h: float, handle_s: float, operators: int, target_s: float) -> None:
    """ValueError names the figure that makes no sense."""
    for name, value in (("calls_h", calls_h), ("handle_s", handle_s), ("target_s", target_s)):
        if not (math.isfinite(value) and value >= 0):
            raise ValueError(f"{name} is {value}, must be 0 or more")
    if handle_s == 0:
        raise ValueError("handle_s is 0: a call takes some time")
    if not 0 <= operators <= MOST_OPERATORS:
        raise ValueError(f"operators is {operators}, must be within 0 and {MOST_OPERATORS}")


def _rounded(value: float) -> float | None:
    return round(value, 6) if math.isfinite(value) else None
