"""How many operators, and when: Erlang's formulas, and a simulation with the distributor of real calls.

    scenario = by_rate(site, 60, 6, callers=Callers(Spread.lognormal(240), patience=Spread.exponential(180)))
    found = simulate(scenario)
    pair = what_if(scenario, [Change.parse("10:00-12:00:+1")], before=found)

`by_profile` (days that might be) and `by_calls` (days that have been) take a centre's own history: `profile`,
`calls_of` and `shifts_of_past` read it from the store.
"""

import importlib
from typing import TYPE_CHECKING, Any

from cdr.staffing.building import by_calls, by_profile, by_rate, days_for
from cdr.staffing.changes import WhatIf, what_if, with_changes
from cdr.staffing.erlang import Erlang, erlang_a, erlang_b, erlang_c, operators_needed
from cdr.staffing.formulas import Beside, Period, beside
from cdr.staffing.past import CallsFileError, PastCall, past_calls, read_calls
from cdr.staffing.profiles import Profile, QueueProfile, profile_of
from cdr.staffing.result import Interval, QueueWork, Simulated, Waits, clock
from cdr.staffing.roster import Change, always, shifts_of
from cdr.staffing.scenario import Arrival, Conduct, Scenario, ScenarioError, Shift
from cdr.staffing.shift_plan import ShiftPlan, clock_s, read_shifts
from cdr.staffing.simulation import simulate
from cdr.staffing.spread import Spread
from cdr.staffing.traffic import Callers

if TYPE_CHECKING:
    from cdr.staffing.history import calls_of, profile, shifts_of_past

__all__ = [
    "Arrival",
    "Beside",
    "Callers",
    "CallsFileError",
    "Change",
    "Conduct",
    "Erlang",
    "Interval",
    "PastCall",
    "Period",
    "Profile",
    "QueueProfile",
    "QueueWork",
    "Scenario",
    "ScenarioError",
    "Shift",
    "ShiftPlan",
    "Simulated",
    "Spread",
    "Waits",
    "WhatIf",
    "always",
    "beside",
    "by_calls",
    "by_profile",
    "by_rate",
    "calls_of",
    "clock",
    "clock_s",
    "days_for",
    "erlang_a",
    "erlang_b",
    "erlang_c",
    "operators_needed",
    "past_calls",
    "profile",
    "profile_of",
    "read_calls",
    "read_shifts",
    "shifts_of",
    "shifts_of_past",
    "simulate",
    "what_if",
    "with_changes",
]


def __getattr__(name: str) -> Any:
    # What asks the store loads SQLAlchemy; a scenario from files needs none.
    if name not in ("calls_of", "profile", "shifts_of_past"):
        raise AttributeError(f"module 'cdr.staffing' has no attribute {name!r}")
    return getattr(importlib.import_module("cdr.staffing.history"), name)
