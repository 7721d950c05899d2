"""Operators whose phone is in a call that is none of the engine's: one they dialled themselves, or one that
Asterisk rings or serves alone. No caller is offered to them meanwhile (ACD-2); no wrap-up follows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from acd import OperatorState

from .offer import operator_of_leg

if TYPE_CHECKING:
    from .floor import Floor

FREE = (OperatorState.READY, OperatorState.RINGING)  # others are offered nothing anyway


class OwnCalls:
    """Lays what Asterisk says of the phones beside what the floor believes."""

    def __init__(self, floor: Floor) -> None:
        self.floor = floor
        self._shown: dict[str, str] = {}  # by operator: the channel that the distributor was told of

    def talks(self, operator: str) -> bool:
        """Whether the operator is in such a call, and in no other."""
        channel = self._shown.get(operator)
        return channel is not None and self.floor.talks_in(operator, channel)

    def look(self) -> None:
        """After anything that may have changed: phones in such a call, or operators who are free again."""
        for operator in {*self._shown, *self.floor.centre.own_channels}:
            self._look(operator)

    def _look(self, operator: str) -> None:
        floor = self.floor
        if not floor.has(operator):
            self._shown.pop(operator, None)
            return
        channels = floor.centre.own_channels.get(operator, frozenset())
        shown = self._shown.get(operator)
        if shown is not None and not floor.talks_in(operator, shown):
            del self._shown[operator]  # it has become a call that the journal knows
            shown = None
        if shown is not None and shown not in channels:
            del self._shown[operator]
            floor.over(operator, wrap_up=False)
        elif shown is None and channels and floor.view(operator).state in FREE:
            self._shown[operator] = channel = min(channels)
            floor.talks_alone(operator, channel)


def own(channels: frozenset[str]) -> frozenset[str]:
    """Those that are no legs of the engine's making."""
    return frozenset(one for one in channels if operator_of_leg(one) is None)
