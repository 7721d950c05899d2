"""`simulate`: a scenario through the distributor, and what came out."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

from cdr.staffing.result import Simulated, result_of
from cdr.staffing.run import Progress, Run
from cdr.staffing.scenario import Scenario


def simulate(scenario: Scenario, *, progress: Progress | None = None, keep_calls: bool = False) -> Simulated:
    """Runs the scenario through `acd.Distributor` with a virtual clock. The same scenario gives the same
    figures. `progress(day, days)` is called as each day begins; `keep_calls`: every call as it went, in
    `Simulated.made`. Blocking, 50 to 100 µs a call: a year in a process or thread of its own."""
    with _no_cycles():
        return result_of(scenario, Run(scenario, progress).run(), keep_calls)


@contextmanager
def _no_cycles() -> Iterator[None]:
    """A simulation makes many objects and no cycles: looking for cycles among them takes a tenth of it."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
