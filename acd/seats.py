"""An operator as the distributor keeps them: state, noted wish, phone, idle clock."""

from __future__ import annotations

from acd.lines import Line
from acd.model import OperatorState, OperatorView
from acd.strategies import natural_order

# By name once: an enum's attributes and hash are slow, and these are asked for at every decision.
_READY, _RINGING, _WRAP_UP = OperatorState.READY, OperatorState.RINGING, OperatorState.WRAP_UP


class Seat:
    """One operator. `call`: ringing or talking; `line`: the queue it came from, for its wrap-up."""

    __slots__ = (
        "call",
        "id",
        "idle_since",
        "leaving",
        "line",
        "natural",
        "next_reason",
        "next_state",
        "offers",
        "pooled",
        "preferred_by",
        "queues",
        "reachable",
        "reason",
        "since",
        "state",
        "stopped_at",
        "until",
    )

    def __init__(self, operator_id: str, queues: tuple[str, ...]) -> None:
        self.id = operator_id
        self.natural = natural_order(operator_id)
        self.queues = queues
        self.state = OperatorState.OFF
        self.since = 0.0
        self.reason = ""
        self.until: float | None = None
        self.next_state: OperatorState | None = None
        self.next_reason = ""
        self.reachable = False
        self.leaving = False  # taken out of the site in mid-call: gone when the call is
        self.call: str | None = None
        self.line: Line | None = None
        self.offers = 0
        self.pooled = False
        self.idle_since = 0.0
        self.stopped_at: float | None = 0.0
        self.preferred_by: set[str] = set()

    @property
    def eligible(self) -> bool:
        """May be offered a call this moment."""
        return self.state is _READY and self.reachable

    def will_be_free_for(self, call: str) -> bool:
        """Worth waiting for: reachable, and nothing but this call or a wrap-up stands between."""
        if not self.reachable or self.leaving or self.next_state is not None:
            return False
        if self.state in (_RINGING, OperatorState.TALKING):
            return self.call == call
        return self.state in (_READY, _WRAP_UP)

    def keep_clock(self, at: float) -> None:
        """Starts or stops the idle clock as the state asks.

        Idle time counts from the end of the last conversation (a wrap-up is part of it), and stands still
        on break, in training, off, at no answer and while the phone is away: whoever comes back from an
        hour's break has the place they left with, neither first for the hour nor last for having gone.
        """
        state = self.state
        if self.reachable and (state is _READY or state is _RINGING or state is _WRAP_UP):
            if self.stopped_at is not None:
                self.idle_since += at - self.stopped_at
                self.stopped_at = None
        elif self.stopped_at is None:
            self.stopped_at = at

    def start_clock_anew(self, at: float) -> None:
        """A conversation ended now: idle from here."""
        self.idle_since = at
        if self.stopped_at is not None:
            self.stopped_at = at

    def view(self, at: float) -> OperatorView:
        idle: float | None = self.idle_since + (0.0 if self.stopped_at is None else at - self.stopped_at)
        if self.state is OperatorState.TALKING:
            idle = None
        return OperatorView(
            self.id,
            self.state,
            self.since,
            self.reason,
            self.until,
            self.next_state,
            self.reachable,
            self.call,
            idle,
        )
