"""A year of calls through the distributor, by a virtual clock: `python -m bench.simulation [--json]`.

The year of a city's centre: 365 days, two queues, eight operators in three shifts with a lunch break,
phones that ring for some seconds, a few offers refused or missed, callers who lose patience, wrap-up, limits
of both queues. `seconds` is the whole of it on the wall clock, drawing of the calls and figures included.
"""

from __future__ import annotations

import argparse
import datetime as dt
import time

from bench.report import Figure, show
from cdr.staffing import (
    Callers,
    Conduct,
    Profile,
    QueueProfile,
    Scenario,
    Shift,
    Simulated,
    Spread,
    by_profile,
    simulate,
)
from dialplans import Site, parse_site

DAYS = 365
FIRST = dt.date(2027, 4, 1)
HOUR = 3600.0
# How a day's calls lie over its half hours from 8:30 on: most in the morning, fewer at noon.
SHAPE = (6, 9, 10, 10, 9, 8, 8, 6, 6, 7, 8, 8, 7, 7, 6, 6, 5, 4, 3, 3, 2)

SITE = """
city: 試験市
centre: 試験センター
id: test
numbers:
  - {number: "0246-22-1000", name: 代表, queue: main, greeting: はい, recording_notice: 録音します}
  - {number: "0246-22-1001", name: くらし, queue: living, greeting: はい, recording_notice: 録音します}
queues:
  - {id: main, name: 案内, most_waiting: 20, longest_wait_s: 600, overflow: queue:living}
  - {id: living, name: くらし, target_s: 20}
kpi: {clock_start: queue}
operators:
"""


def site() -> Site:
    text = SITE
    for n in range(8):
        text += f'  - {{id: "{1001 + n}", name: 操作者{n + 1}, queues: [main, living]}}\n'
    return parse_site(text + "trunks:\n  - {id: line, addresses: [192.0.2.1]}\n", today=FIRST)


def scenario(calls: int, seed: int = 1) -> Scenario:
    """About `calls` calls."""
    week = (1.0, 1.0, 0.95, 0.95, 1.1, 0.4, 0.3)
    a_day = calls / DAYS / (sum(week) / 7)
    profiles = []
    for queue, share in (("main", 0.7), ("living", 0.3)):
        rates = [
            [0.0] * 17 + [a_day * day * share * one / sum(SHAPE) * 2 for one in SHAPE] + [0.0] * 10
            for day in week
        ]
        profiles.append(QueueProfile(queue, 0, tuple(map(tuple, rates)), 200.0, 0.9, 25.0, 150.0, 7.0, 0.02))
    shifts = [
        Shift(day, str(1001 + n), (8.5 + n % 3) * HOUR, (17 + n % 3) * HOUR, ((lunch, lunch + HOUR),))
        for day in range(DAYS)
        for n in range(8)
        if (FIRST + dt.timedelta(day)).weekday() < 5 or (n + day) % 2
        for lunch in [(11.5 + n % 4 * 0.5) * HOUR]
    ]
    return by_profile(
        site(),
        Profile(1800.0, (52,) * 7, None, None, tuple(profiles)),
        shifts,
        first=FIRST,
        days=DAYS,
        change=_impatient,
        conduct=Conduct(Spread.lognormal(4.0, 0.5), refuses=0.005, misses=0.01),
        seed=seed,
    )


def _impatient(callers: Callers) -> Callers:
    return Callers(
        callers.talk,
        callers.wrap_up,
        Spread.weibull(150.0, 0.8),
        callers.greeting_s,
        callers.leaves_early,
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.simulation", description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line")
    parser.add_argument("--calls", type=int, default=200_000, help="calls of the year (default 200000)")
    options = parser.parse_args()

    began, cpu = time.perf_counter(), time.process_time()
    year = scenario(options.calls)
    drawn = time.perf_counter() - began
    found: Simulated = simulate(year)
    seconds, cpu_s = time.perf_counter() - began, time.process_time() - cpu
    made = len(year.calls)
    assert found.kpi.answered + found.kpi.abandoned + found.kpi.overflowed == found.kpi.offered == made
    show(
        f"A year of {made:,} calls",
        [
            Figure("seconds", seconds, "s", what="calls drawn, simulated, counted", goal="< 20"),
            Figure("cpu_s", cpu_s, "s", what="CPU time of it"),
            Figure("calls_per_s", made / seconds, "1/s"),
            Figure("offers_per_s", found.offers / seconds, "1/s"),
        ],
        as_json=options.json,
        notes=[
            f"drawing the calls took {drawn:.1f} s of it; {found.offers:,} offers, {found.unanswered:,} "
            f"of them unanswered, {found.days_worked} days, {found.duty_h:,.0f} hours on duty",
            f"answered {found.kpi.answer_rate or 0:.1%}, within {found.kpi.within_rate or 0:.1%}, "
            f"mean answer {found.kpi.mean_answer_s or 0:.1f} s, occupancy {found.occupancy or 0:.1%}, "
            f"Gini of calls per hour {found.evenness.calls.gini or 0:.4f}",
        ],
    )


if __name__ == "__main__":
    main()
