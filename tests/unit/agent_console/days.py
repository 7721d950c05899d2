"""A short day of a centre in its journal, carried into the console's database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import cdr
from acd import Candidate, choose
from cdr import Journal

from .conftest import Running

DAY = datetime(2026, 11, 20, 0, 0, tzinfo=UTC)  # a Friday, 9:00 in Japan
NUMBER = "0246221111"


def first_call(at: datetime = DAY) -> str:
    """The id of the first call of a day."""
    return f"minato-{int(at.timestamp())}.1"


async def carry_day(running: Running, folder: Path, at: datetime = DAY, calls: int = 6) -> list[str]:
    """Two operators sign on at `at` for two hours; a call every ten minutes, each of 100 s, goes to whoever
    is idle longest (1001 first, by number); the last is given up. Returns the ids of the calls."""
    told: list[tuple[datetime, str, str | None, dict[str, Any]]] = []
    ids, free, counts = [], {"1001": at, "1002": at}, {"1001": 0, "1002": 0}
    for operator in free:
        told.append((at, "operator_state", None, {"operator": operator, "state": "ready", "reason": ""}))
    for n in range(1, calls + 1):
        begun = at + timedelta(minutes=10 * n)
        call = first_call(at) if n == 1 else f"minato-{int(begun.timestamp())}.{n}"
        ids.append(call)

        def add(s: float, kind: str, call: str = call, begun: datetime = begun, **data: Any) -> None:
            told.append((begun + timedelta(seconds=s), kind, call, data))

        add(
            0,
            "arrived",
            number=NUMBER,
            caller="09012345678",
            via="engine",
            open=True,
            queues=True,
            staff=False,
        )
        add(2, "queued", queue="main", priority=0)
        if n == calls:
            add(30, "ended", by="caller", reason="normal")
            continue
        rows = [
            Candidate(
                one, 1, (begun - since).total_seconds(), counts[one], 100.0 * counts[one], 600.0 * n, n, 0
            )
            for one, since in free.items()
        ]
        chosen = choose("longest_idle", rows)
        rows.sort(key=lambda row: row.operator != chosen)
        because = {"rule": "longest_idle", "idle_s": rows[0].idle_s, "among": 2, "candidates": rows}
        add(2.1, "offered", queue="main", operator=chosen, phone="desk", leg=f"{call}-leg", because=because)
        add(6, "answered", operator=chosen, phone="desk", leg=f"{call}-leg", bridge="b")
        add(106, "ended", by="caller", reason="normal")
        free[chosen], counts[chosen] = begun + timedelta(seconds=106), counts[chosen] + 1
    for operator in free:
        over = at + timedelta(hours=2)
        told.append((over, "operator_state", None, {"operator": operator, "state": "off", "reason": ""}))
    journal = Journal(folder)
    for moment, kind, call_id, data in sorted(told, key=lambda one: one[0]):
        journal.append(kind, call=call_id, at=moment, **data)
    assert await journal.synced()
    journal.close()
    await cdr.carry(folder, running.console.store)
    return ids
