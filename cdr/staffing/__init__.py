"""How many operators, and when: Erlang's formulas, and a simulation with the distributor of real calls."""

from cdr.staffing.erlang import Erlang, erlang_a, erlang_b, erlang_c, operators_needed
from cdr.staffing.result import Interval, OperatorWork, QueueWork, Simulated
from cdr.staffing.roster import Change, always, shifts_of
from cdr.staffing.scenario import Arrival, Conduct, Scenario, ScenarioError, Shift
from cdr.staffing.simulation import simulate
from cdr.staffing.spread import Spread
from cdr.staffing.traffic import Callers

__all__ = [
    "Arrival",
    "Callers",
    "Change",
    "Conduct",
    "Erlang",
    "Interval",
    "OperatorWork",
    "QueueWork",
    "Scenario",
    "ScenarioError",
    "Shift",
    "Simulated",
    "Spread",
    "always",
    "erlang_a",
    "erlang_b",
    "erlang_c",
    "operators_needed",
    "shifts_of",
    "simulate",
]
