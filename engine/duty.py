"""The operators' tallies on a floor: told with states, given back to a new floor, begun anew at midnight."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from acd import OperatorState, StateChanged, Tally

from .clock import iso
from .memory import OperatorMemory
from .tally import day_of, tally_data

if TYPE_CHECKING:
    from .floor import Floor

LOOK_S = 3600.0  # at the latest the day is looked at again: wall clocks are set
NOW_S = 0.01


class Duty:
    """`day`: by which the distributor counts now."""

    def __init__(self, floor: Floor) -> None:
        self.floor = floor
        self.day = day_of(floor.centre.site, floor.centre.clock).name
        self._timer: asyncio.TimerHandle | None = None
        self._limited: set[str] = set()  # as the live board was told

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def watch(self) -> None:
        """Until the next midnight of the site's zone, and on."""
        self.stop()
        today = day_of(self.floor.centre.site, self.floor.centre.clock)
        if today.name > self.day:
            self.day = today.name
            self.floor.do(self.floor.distributor.new_day(at=self.floor.at))
        wait_s = min(LOOK_S, max(0.001, today.left_s))
        self._timer = asyncio.get_running_loop().call_later(wait_s, self.watch)

    def tally(self, operator: str) -> list[object]:
        return tally_data(self.floor.view(operator).tally, self.day)

    def told(self, change: StateChanged) -> dict[str, Any]:
        """What an `operator_state` tells beside the state itself."""
        floor = self.floor
        data: dict[str, Any] = {}
        if floor.has(change.operator):
            data["tally"] = self.tally(change.operator)
            data |= self._turn(change.operator)
            if not floor.view(change.operator).reachable:
                data["reachable"] = False
        if any(one.id == change.operator and one.most_calls_h for one in floor.centre.site.operators):
            memory = floor.centre.memory.operator(change.operator)
            data["begun"] = [iso(floor.centre.clock.wall(at)) for at in memory.tally.begun(floor.at)]
        if floor.at - change.since > NOW_S:  # the same state as before
            data["since"] = iso(floor.centre.clock.wall(change.since))
        return data

    def _turn(self, operator: str) -> dict[str, Any]:
        """What decides whose turn it is, as of now."""
        view = self.floor.view(operator)
        data: dict[str, Any] = {"offers": view.offers, "last": view.last}
        if view.idle_since is not None:
            data["idle_s"] = round(self.floor.at - view.idle_since, 3)
        return data

    def limits_passed(self) -> None:
        """Own limits end by time alone, without a state that changes."""
        floor = self.floor
        limits = {one.id for one in floor.centre.site.operators if one.most_calls_h is not None}
        now = {one for one in limits if floor.view(one).limited_until is not None}
        for operator in now ^ self._limited:
            floor.centre.live.operator(operator)
        self._limited = now

    def phone_changed(self, operator: str, reachable: bool) -> None:
        """Time without a phone is no time on duty. In a talk it is told at its end."""
        if self.floor.view(operator).state is not OperatorState.TALKING:
            self.floor.centre.note(
                "operator_phone",
                operator=operator,
                reachable=reachable,
                tally=self.tally(operator),
                **self._turn(operator),
            )

    def remembered(self, memory: OperatorMemory) -> Tally:
        """As of now, by the journal."""
        return memory.tally.at(self.floor.at, day_of(self.floor.centre.site, self.floor.centre.clock))
