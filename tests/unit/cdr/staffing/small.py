"""Small centres to simulate, and calls to put into them."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from typing import Any

from cdr.staffing import Arrival, Conduct, Scenario, Shift, Simulated, simulate
from dialplans import Site

MONDAY = dt.date(2027, 4, 5)
NINE, TEN, NOON, FIVE = (hour * 3600.0 for hour in (9, 10, 12, 17))


def centre(
    operators: int = 2,
    *,
    queues: Sequence[dict[str, Any]] = ({},),
    people: Sequence[dict[str, Any]] | None = None,
    steps: Sequence[dict[str, Any]] = (),
    kpi: dict[str, Any] | None = None,
    **more: Any,
) -> Site:
    """Queues q0, q1, … (ring 10 s, no wrap-up), every operator in all of them unless `people` says more.
    Every queue has a number, 0246-22-1110, -1111, …"""
    made = [
        {"id": f"q{n}", "name": f"行列{n}", "ring_timeout_s": 10, "wrap_up_s": 0} | dict(queue)
        for n, queue in enumerate(queues)
    ]
    ids = tuple(queue["id"] for queue in made)
    who = people if people is not None else [{} for _ in range(operators)]
    return Site.model_validate(
        {
            "city": "みなと市",
            "centre": "センター",
            "id": "minato",
            "numbers": [
                {
                    "number": f"0246-22-{1110 + n}",
                    "name": f"番号{n}",
                    "queue": id,
                    "greeting": "はい。",
                    "recording_notice": "録音します。",
                }
                for n, id in enumerate(ids)
            ],
            "queues": made,
            "operators": [
                {"id": str(1001 + n), "name": f"操作者{n + 1}", "queues": ids} | dict(one)
                for n, one in enumerate(who)
            ],
            "trunks": [{"id": "test", "addresses": ["127.0.0.0/8"], "outbound": {"host": "127.0.0.1"}}],
            "steps": list(steps),
            "kpi": kpi or {},
        }
        | more
    )


def call(at: float, talk_s: float = 60.0, **more: Any) -> Arrival:
    return Arrival(at, more.pop("queue", "q0"), talk_s, **more)


def all_day(*operators: str, start_s: float = NINE, end_s: float = FIVE) -> list[Shift]:
    return [Shift(0, one, start_s, end_s) for one in operators]


def day(
    site: Site,
    calls: Sequence[Arrival],
    shifts: Sequence[Shift] | None = None,
    conduct: Conduct | None = None,
    **more: Any,
) -> Scenario:
    """One day; without shifts every operator is there from nine to five."""
    if shifts is None:
        shifts = all_day(*(one.id for one in site.operators))
    return Scenario(site, MONDAY, more.pop("days", 1), list(calls), shifts, conduct or Conduct(), **more)


def simulated(*args: Any, **more: Any) -> Simulated:
    """`simulate(day(…))` with every call kept."""
    return simulate(day(*args, **more), keep_calls=True)


def answers(found: Simulated) -> list[float | None]:
    """When each call was answered, in seconds after nine."""
    return [None if one.answered is None else round(one.answered - NINE, 6) for one in found.made]


FOREVER = math.inf
