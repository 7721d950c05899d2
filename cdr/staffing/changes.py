"""The same calls with more or fewer operators between two times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cdr.staffing.result import Simulated
from cdr.staffing.roster import Change, changed
from cdr.staffing.scenario import Scenario
from cdr.staffing.simulation import simulate


@dataclass(frozen=True)
class WhatIf:
    """Both pasts of one stream of calls."""

    changes: tuple[Change, ...]
    before: Simulated
    after: Simulated

    def to_json(self) -> dict[str, Any]:
        return {
            "changes": [str(one) for one in self.changes],
            "before": self.before.to_json(),
            "after": self.after.to_json(),
        }


def what_if(scenario: Scenario, changes: Sequence[Change], before: Simulated | None = None) -> WhatIf:
    """Simulates the scenario, and the same with the changes: the same calls at the same times, with the same
    talk and patience, so that the difference is the operators'. `before`: when it is known already."""
    if before is None:
        before = simulate(scenario)
    return WhatIf(tuple(changes), before, simulate(with_changes(scenario, changes)))


def with_changes(scenario: Scenario, changes: Sequence[Change]) -> Scenario:
    """The scenario with other shifts."""
    shifts, extra = changed(scenario.site, scenario.shifts, scenario.extra, changes, scenario.days)
    return scenario.with_shifts(shifts, extra)
