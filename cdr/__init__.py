"""Call data: the journal of events, call records computed from it, and the cities' KPIs.

The engine writes a `Journal`; the worker runs a `Carrier`; console and command line
ask `calls`, `call`, `history`, `kpi`, `trend`, `path_counts`, `evenness`.
"""

import importlib
from typing import TYPE_CHECKING, Any

from cdr.attendance import Attendance
from cdr.events import Clock, Event, SystemClock
from cdr.journal import Journal, JournalError
from cdr.kpis import FIGURES, Formula, Kpi, KpiSettings, formula_of, kpi_of
from cdr.misses import Left, MissesLeft, misses_left
from cdr.paths import StepCount
from cdr.reader import read_journal, tail
from cdr.reasons import Why, WhyHead, WhyRow, why
from cdr.recent import read_recent
from cdr.record import CallRecord, Outcome, PathStep, record_of
from cdr.segments import Problem
from cdr.shares import Even, Evenness, Share
from cdr.span import Span, SpanError
from cdr.transfers import Target, Transfer

if TYPE_CHECKING:
    from cdr.carrier import Carrier, carry, recompute, remove_carried
    from cdr.contacts import Contact, history
    from cdr.evenness_queries import evenness, evenness_by_day
    from cdr.queries import (
        CallDetail,
        Consult,
        Held,
        WrapUpNote,
        call,
        calls,
        count_calls,
        digits,
        kpi,
        offers_of,
        path_counts,
    )
    from cdr.trends import Interval, trend, trend_of

__all__ = [
    "FIGURES",
    "Attendance",
    "CallDetail",
    "CallRecord",
    "Carrier",
    "Clock",
    "Consult",
    "Contact",
    "Even",
    "Evenness",
    "Event",
    "Formula",
    "Held",
    "Interval",
    "Journal",
    "JournalError",
    "Kpi",
    "KpiSettings",
    "Left",
    "MissesLeft",
    "Outcome",
    "PathStep",
    "Problem",
    "Share",
    "Span",
    "SpanError",
    "StepCount",
    "SystemClock",
    "Target",
    "Transfer",
    "Why",
    "WhyHead",
    "WhyRow",
    "WrapUpNote",
    "call",
    "calls",
    "carry",
    "count_calls",
    "digits",
    "evenness",
    "evenness_by_day",
    "formula_of",
    "history",
    "kpi",
    "kpi_of",
    "misses_left",
    "offers_of",
    "path_counts",
    "read_journal",
    "read_recent",
    "recompute",
    "record_of",
    "remove_carried",
    "tail",
    "trend",
    "trend_of",
    "why",
]

# The engine writes the journal and never talks to a database: it need not load (25 MB, half a second at each
# restart) what only the others use.
_WITH_DATABASE = {
    **dict.fromkeys(("Carrier", "carry", "recompute", "remove_carried"), "cdr.carrier"),
    **dict.fromkeys(("Contact", "history"), "cdr.contacts"),
    **dict.fromkeys(("evenness", "evenness_by_day"), "cdr.evenness_queries"),
    **dict.fromkeys(("Interval", "trend", "trend_of"), "cdr.trends"),
    **dict.fromkeys(
        (
            "CallDetail",
            "Consult",
            "Held",
            "WrapUpNote",
            "call",
            "calls",
            "count_calls",
            "digits",
            "kpi",
            "offers_of",
            "path_counts",
        ),
        "cdr.queries",
    ),
}


def __getattr__(name: str) -> Any:
    if name not in _WITH_DATABASE:
        raise AttributeError(f"module 'cdr' has no attribute {name!r}")
    return getattr(importlib.import_module(_WITH_DATABASE[name]), name)
