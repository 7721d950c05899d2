"""The fairness ledger (均等配分の証明): who could have been chosen, as it stands in `offered`.because."""

from __future__ import annotations

from typing import Any

from acd import Because

DIGITS = 3  # milliseconds


def because_data(because: Because, waited_s: float) -> dict[str, Any]:
    """`acd.choose(rule, candidates)` gives the same operator again. `heads` only where callers of several
    queues were compared."""
    data: dict[str, Any] = {
        "rule": because.rule,
        "idle_s": round(because.idle_s, DIGITS),
        "among": because.among,
        "candidates": [
            [
                one.operator,
                one.level,
                round(one.idle_s, DIGITS),
                one.calls,
                round(one.talk_s, DIGITS),
                round(one.duty_s, DIGITS),
                one.offers,
                one.last,
            ]
            for one in because.candidates
        ],
        "waited_s": round(waited_s, DIGITS),
    }
    if len(because.heads) > 1:
        data["heads"] = [
            [queue, round(waited_s, DIGITS), priority, round(urgency, DIGITS)]
            for queue, waited_s, priority, urgency in because.heads
        ]
    return data
