"""How the trunks stand, as far as calls tell: channels taken, and whether the last call led out by one found
nobody there."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from cdr import Event

from .clock import iso

if TYPE_CHECKING:
    from .centre import Centre

_LED = frozenset({"forwarded", "transfer_begun", "transfer_rerouted", "dialled", "next_way"})
_TAKEN = frozenset({"forward_answered", "transfer_answered", "answered"})
_ENDED = frozenset({"forward_ended", "transfer_ended", "callback_failed", "ended"})
# Somebody there has said so. Of `trunk_full`, `unreachable` and the rest nobody knows who did.
_THERE = frozenset({"busy", "no_answer", "refused", "returned"})


class Trunks:
    """`noted` is given every fact; `state` is what the console is told."""

    def __init__(self, centre: Centre) -> None:
        self._centre = centre
        self._led: dict[str, str] = {}  # by call: the trunk of the leg that is on its way
        self._failing: dict[str, datetime] = {}

    def noted(self, event: Event) -> None:
        """Folds a fact in."""
        call, kind = event.call, event.kind
        if call is None:
            return
        if kind in _LED:
            self._next_way(call, str(event.data.get("reason") or "failed"))
            if trunk := event.data.get("trunk"):
                self._led[call] = str(trunk)
        elif kind in _TAKEN:
            self._stands(self._led.pop(call, None))
        elif kind in _ENDED:
            self._ended(call, str(event.data.get("reason") or ""), event.at)

    def _next_way(self, call: str, reason: str) -> None:
        """A call that tries another trunk: the one before did not take it."""
        trunk = self._led.pop(call, None)
        if trunk is not None and reason == "failed":  # one that is full is there
            self._failing.setdefault(trunk, self._centre.clock.now())

    def _ended(self, call: str, reason: str, at: datetime) -> None:
        trunk = self._led.pop(call, None)
        if trunk is None:
            return
        if reason == "failed":
            self._failing.setdefault(trunk, at)
        elif reason in _THERE:
            self._stands(trunk)

    def _stands(self, trunk: str | None) -> None:
        if trunk is not None:
            self._failing.pop(trunk, None)

    def state(self) -> list[dict[str, Any]]:
        """Of each trunk of the live plan: `channels` taken of `max_channels`; `failing`: since when (ISO)
        calls led out by it find nobody there, or None."""
        memory = self._centre.memory
        return [
            {
                "id": trunk.id,
                "channels": memory.on_trunk(trunk.id),
                "max_channels": trunk.max_channels,
                "failing": iso(self._failing[trunk.id]) if trunk.id in self._failing else None,
            }
            for trunk in self._centre.site.trunks
        ]
