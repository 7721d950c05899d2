"""The pure core under load: `python -m bench.distributor [--json] [--seconds S]`.

A decision is one offer made. Everybody is busy, `n` callers wait; an operator becomes free and the next
caller is offered to them. Timed is the fact that makes the decision (`wrap_up_done`), in batches of
a round over all operators; the rest of a call's life (answered, ended, the next caller comes) runs
between the batches and is given as a figure of its own. Times are CPU time of this thread, so that other
programs on the machine do not count.

The other half is the quiet centre: `n` operators are ready, a caller comes, the strategy chooses among all of
them and the ledger writes down each. Timed is the fact that makes the choice (`caller_waits`), by strategy,
with the ledger and without. `year_s` is what a simulated year of 200,000 calls spends in the distributor.
"""

from __future__ import annotations

import argparse
import math
import time
from collections import deque
from dataclasses import dataclass

from acd import Action, Distributor, Offer, OperatorProfile, OperatorState, QueueRules
from bench.report import Figure, show

SIZES = (10, 100, 1_000, 10_000)
READY = (10, 50, 200)
STRATEGIES = ("longest_idle", "fewest_calls", "least_talk", "round_robin", "skill")
YEAR = 200_000  # calls


def operators_for(waiting: int) -> int:
    """A tenth of the callers, but enough that reading the clock does not weigh."""
    return max(10, waiting // 10)


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU seconds per decision, and per whole life of a call (five facts, one decision among them)."""

    decision_s: float
    life_s: float


class Centre:
    """A distributor with `operators` busy operators and `waiting` callers, and a clock that we turn."""

    def __init__(self, operators: int, waiting: int, *, ledger: bool = True) -> None:
        self.now = 1.0
        self.calls = 0
        self.ringing: deque[Offer] = deque()
        ids = [str(1000 + number) for number in range(operators)]
        self.distributor = Distributor(
            [QueueRules("main")], [OperatorProfile(each, ("main",)) for each in ids], ledger
        )
        for operator in ids:
            self.distributor.phone_changed(operator, True, at=self.now)
            self.distributor.operator_wants(operator, OperatorState.READY, at=self.now)
        for _ in range(operators + waiting):
            self.caller()
        assert len(self.ringing) == operators

    def caller(self) -> None:
        self.now += 1e-4
        self.calls += 1
        self.heed(self.distributor.caller_waits(f"call-{self.calls}", "main", at=self.now))

    def heed(self, actions: list[Action]) -> None:
        self.ringing.extend(action for action in actions if type(action) is Offer)

    def talk(self) -> list[str]:
        """Every offer is answered and talked through; the operators are in wrap-up. Returns their ids."""
        offers = list(self.ringing)
        self.ringing.clear()
        for offer in offers:
            self.now += 1e-4
            self.distributor.offer_answered(offer.call, offer.operator, at=self.now)
        for offer in offers:
            self.now += 1e-4
            self.distributor.conversation_ended(offer.operator, at=self.now)
        return [offer.operator for offer in offers]

    def decide(self, operators: list[str]) -> list[list[Action]]:
        """Every wrap-up ends, and each makes one offer."""
        now, done = self.now, self.distributor.wrap_up_done
        self.now = now + 1.0
        return [done(operator, at=now) for operator in operators]

    def refill(self, made: list[list[Action]]) -> None:
        """The offers ring, and as many new callers come as have left the line."""
        for actions in made:
            self.heed(actions)
        assert len(self.ringing) == len(made)
        for _ in made:
            self.caller()
        self.distributor.tick(at=self.now)


def measure(operators: int, waiting: int, seconds: float, *, ledger: bool = True) -> Cost:
    """The median cost, over about `seconds` of CPU time, of samples of 1,000 decisions each."""
    centre = Centre(operators, waiting, ledger=ledger)
    samples: list[tuple[float, float]] = []
    spent = 0.0
    while spent < seconds or len(samples) < 3:
        began, decided, decisions = time.thread_time(), 0.0, 0
        while decisions < 1000:
            talked = centre.talk()
            deciding = time.thread_time()
            made = centre.decide(talked)
            decided += time.thread_time() - deciding
            centre.refill(made)
            decisions += len(talked)
        whole = time.thread_time() - began
        samples.append((decided / decisions, whole / decisions))
        spent += whole
    middle = len(samples) // 2
    return Cost(sorted(each[0] for each in samples)[middle], sorted(each[1] for each in samples)[middle])


def choice(operators: int, strategy: str, seconds: float, *, ledger: bool) -> float:
    """CPU seconds of one choice among `operators` who are all ready: the median over about `seconds`."""
    ids = [str(1000 + number) for number in range(operators)]
    rules = QueueRules("main", strategy=strategy, then="fewest_calls")
    distributor = Distributor([rules], [OperatorProfile(each, ("main",)) for each in ids], ledger)
    now = 1.0
    for operator in ids:
        distributor.phone_changed(operator, True, at=now)
        distributor.operator_wants(operator, OperatorState.READY, at=now)
    samples: list[float] = []
    spent, calls = 0.0, 0
    while spent < seconds or len(samples) < 3:
        chosen = 0.0
        began = time.thread_time()
        for _ in range(200):
            now += 1.0
            calls += 1
            call = f"call-{calls}"
            choosing = time.thread_time()
            offer = distributor.caller_waits(call, "main", at=now)[0]
            chosen += time.thread_time() - choosing
            assert isinstance(offer, Offer)
            distributor.offer_answered(call, offer.operator, at=now)
            distributor.conversation_ended(offer.operator, at=now + 0.5)
            distributor.wrap_up_done(offer.operator, at=now + 0.5)
        spent += time.thread_time() - began
        samples.append(chosen / 200)
    return sorted(samples)[len(samples) // 2]


def slope(points: list[tuple[float, float]]) -> float:
    """Least-squares slope of y over x."""
    mean_x = sum(x for x, _ in points) / len(points)
    mean_y = sum(y for _, y in points) / len(points)
    return sum((x - mean_x) * (y - mean_y) for x, y in points) / sum((x - mean_x) ** 2 for x, _ in points)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.distributor", description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line")
    parser.add_argument("--seconds", type=float, default=1.5, help="CPU seconds a size (default 1.5)")
    options = parser.parse_args()

    costs = {waiting: measure(operators_for(waiting), waiting, options.seconds) for waiting in SIZES}
    year = measure(12, 12, options.seconds, ledger=False)
    choices = {
        (strategy, ledger): [choice(each, strategy, options.seconds / 5, ledger=ledger) for each in READY]
        for strategy in STRATEGIES
        for ledger in (True, False)
    }
    small, large = costs[SIZES[0]], costs[SIZES[-1]]
    growth = large.decision_s / small.decision_s
    log_growth = math.log(SIZES[-1]) / math.log(SIZES[0])
    per_tenfold = slope([(math.log10(waiting), cost.decision_s * 1e6) for waiting, cost in costs.items()])
    show(
        "Distributor: 1,000 operators, 10,000 waiting",
        [
            Figure("decisions_per_s", 1 / large.decision_s, "1/s", what="offers made", goal="≥ 50,000"),
            Figure("lives_per_s", 1 / large.life_s, "1/s", what="whole calls, five facts each"),
            Figure(
                "growth", growth, "×", what="cost at 10,000 ÷ cost at 10", goal=f"≤ {log_growth:.0f} (log n)"
            ),
            Figure("slope", per_tenfold, "µs per tenfold n"),
            Figure("year_s", year.life_s * YEAR, "s", what="200,000 calls without ledger", goal="< 10"),
            *(
                Figure(
                    f"choice_{ready}_us", choices["longest_idle", True][place] * 1e6, "µs", what="with ledger"
                )
                for place, ready in enumerate(READY)
            ),
        ],
        as_json=options.json,
        notes=[
            f"{waiting:>7,} waiting, {operators_for(waiting):>5,} operators: {cost.decision_s * 1e6:6.1f} µs"
            f" a decision, {cost.life_s * 1e6:6.1f} µs a call's whole life"
            for waiting, cost in costs.items()
        ]
        + [
            f"{strategy:<12} among {', '.join(map(str, READY))} ready, ledger {'kept' if ledger else 'off '}:"
            f" {', '.join(f'{each * 1e6:.1f}' for each in row)} µs a choice"
            for (strategy, ledger), row in choices.items()
        ],
    )


if __name__ == "__main__":
    main()
