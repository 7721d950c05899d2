"""An operator as the distributor keeps them: state, noted wish, phone, idle clock, duty clock, counts."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

from acd.lines import Lane, Line
from acd.model import Candidate, OperatorProfile, OperatorState, OperatorView, Tally
from acd.strategies import Figures, natural_order

HOUR_S = 3600.0

# By name once: an enum's attributes and hash are slow, and these are asked for at every decision.
_READY, _RINGING, _WRAP_UP = OperatorState.READY, OperatorState.RINGING, OperatorState.WRAP_UP
_TALKING = OperatorState.TALKING
ON_DUTY = (_READY, _RINGING, _TALKING, _WRAP_UP)


def in_ms(at: float) -> int:
    """The clocks that decide count whole milliseconds, so what the ledger says is what was compared."""
    return round(at * 1000)


class Seat:
    """One operator. `call`: ringing or talking; `line`: the queue it came from, for its wrap-up;
    `lanes`: whom they may serve."""

    __slots__ = (
        "begun",
        "call",
        "calls",
        "duty_from_ms",
        "duty_ms",
        "id",
        "idle_from_ms",
        "idle_kept_ms",
        "lanes",
        "languages",
        "last",
        "leaving",
        "levels",
        "limited_until",
        "line",
        "most_calls_h",
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
        "stopped_ms",
        "talk_from_ms",
        "talk_ms",
        "until",
    )

    def __init__(self, operator_id: str) -> None:
        self.id = operator_id
        self.natural = natural_order(operator_id)
        self.queues: tuple[str, ...] = ()
        self.levels: Mapping[str, int] = {}
        self.languages: frozenset[str] | None = None
        self.most_calls_h: int | None = None
        self.lanes: list[Lane] = []
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
        self.pooled = False
        self.preferred_by: set[str] = set()
        self.idle_from_ms = 0
        self.idle_kept_ms: int | None = None  # a call of their own goes on: idle time as it began
        self.stopped_ms: int | None = 0  # not on duty since then: the clocks stand still
        # What they have done: counts of the day, and what the limit of an hour needs.
        self.offers = 0
        self.last: dict[str, int] = {}  # by queue: serial of the last offer there
        self.calls = 0
        self.talk_ms = 0
        self.talk_from_ms: int | None = None  # a conversation that counts is going on since then
        self.duty_ms = 0
        self.duty_from_ms = 0  # on duty since then, while the clocks run
        self.begun: deque[float] = deque()  # conversations that count, of the last hour
        self.limited_until: float | None = None

    def take(self, profile: OperatorProfile, kept: list[str]) -> None:
        """What the site says of the operator; `kept`: queues that they go on serving all the same."""
        self.levels = {**profile.levels, **{queue: self.level(queue) for queue in kept}}
        self.queues = tuple(dict.fromkeys((*profile.queues, *kept)))
        self.languages = None if profile.languages is None else frozenset(profile.languages)
        self.most_calls_h = profile.most_calls_h

    def level(self, queue: str) -> int:
        return self.levels.get(queue, 1)

    def last_in(self, queue: str) -> int:
        return self.last.get(queue, 0)

    @property
    def eligible(self) -> bool:
        """May be offered a call this moment."""
        return self.state is _READY and self.reachable and self.limited_until is None

    def will_be_free_for(self, call: str) -> bool:
        """Worth waiting for: reachable, and nothing but this call or a wrap-up stands between."""
        if not self.reachable or self.leaving or self.next_state is not None:
            return False
        if self.limited_until is not None:
            return False
        if self.state in (_RINGING, _TALKING):
            return self.call == call
        return self.state in (_READY, _WRAP_UP)

    # ── clocks ─────────────────────────────────────────────────────────────────────────────────────────

    def keep_clocks(self, at: float) -> None:
        """Starts or stops the idle and the duty clock as the state asks.

        Idle time counts from the end of the last conversation (a wrap-up is part of it), and stands still
        in a call of their own (`talk_begins`), on break, in training, off, at no answer and while the phone
        is away: whoever comes back from an hour's break has the place they left with, neither first for the
        hour nor last for having gone.
        """
        if (self.reachable and self.state in ON_DUTY) is (self.stopped_ms is None):
            return
        now = in_ms(at)
        if self.stopped_ms is None:
            self.stopped_ms = now
            self.duty_ms += now - self.duty_from_ms
        else:
            self.idle_from_ms += now - self.stopped_ms
            self.duty_from_ms = now
            self.stopped_ms = None

    def duty_to(self, at_ms: int) -> int:
        return self.duty_ms if self.stopped_ms is not None else self.duty_ms + at_ms - self.duty_from_ms

    def talk_begins(self, at: float, counts: bool, own: bool = False) -> None:
        """A conversation since `at`; whether it counts. `own`: of no queue, so idle time stands still."""
        if self.talk_from_ms is not None:
            self.talk_ends(at)
        if not own:
            self.idle_kept_ms = None
        elif self.idle_kept_ms is None:
            now = in_ms(at) if self.stopped_ms is None else self.stopped_ms
            self.idle_kept_ms = max(0, now - self.idle_from_ms)
        if counts:
            self.talk_from_ms = in_ms(at)
            self.calls += 1
            begun = self.begun
            begun.append(at)
            if begun[0] + HOUR_S <= at:
                self._forget(at)

    def talk_ends(self, at: float) -> None:
        """The conversation ended now: idle from here, or as before a call of their own."""
        now = in_ms(at)
        if self.talk_from_ms is not None:
            self.talk_ms += now - self.talk_from_ms
            self.talk_from_ms = None
        self.idle_from_ms = now - (self.idle_kept_ms or 0)
        self.idle_kept_ms = None
        if self.stopped_ms is not None:
            self.stopped_ms = now

    def limit_at(self, at: float) -> float | None:
        """Until when their own limit keeps them from calls; None: it does not."""
        begun, most = self.begun, self.most_calls_h
        self._forget(at)
        if most is None or len(begun) < most:
            return None
        return begun[-most] + HOUR_S

    def restore(self, idle_since: float, tally: Tally | None, begun: list[float], at: float) -> None:
        """Clocks and counts as they were; `keep_clocks` stops them or lets them run on."""
        now = in_ms(at)
        self.duty_ms = self.duty_to(now)
        self.duty_from_ms, self.stopped_ms = now, None
        self.idle_from_ms = in_ms(idle_since)
        self.talk_from_ms = self.idle_kept_ms = None
        if begun:
            self.begun = deque(begun)
        if tally is not None:
            self.calls, self.talk_ms, self.duty_ms = tally.calls, in_ms(tally.talk_s), in_ms(tally.duty_s)

    def _forget(self, at: float) -> None:
        while self.begun and self.begun[0] + HOUR_S <= at:
            self.begun.popleft()

    def new_day(self, at: float) -> None:
        self.calls = self.talk_ms = self.duty_ms = 0
        self.duty_from_ms = in_ms(at)
        if self.talk_from_ms is not None:
            self.talk_from_ms = self.duty_from_ms

    # ── views ──────────────────────────────────────────────────────────────────────────────────────────

    def figures(self, queue: str, at_ms: int) -> Figures:
        """What strategies look at, as of a decision for that queue."""
        level, last = self.levels.get(queue, 1), self.last.get(queue, 0)
        return (level, last, self.calls, self.talk_ms / 1000, self.duty_to(at_ms) / 1000)

    def candidate(self, queue: str, at_ms: int) -> Candidate:
        """The same and what tells equals apart: a row of the ledger."""
        level, last, calls, talk_s, duty_s = self.figures(queue, at_ms)
        idle_s = (at_ms - self.idle_from_ms) / 1000
        return Candidate._make((self.id, level, idle_s, calls, talk_s, duty_s, self.offers, last))

    def view(self, at: float) -> OperatorView:
        now = in_ms(at)
        stood_ms = 0 if self.stopped_ms is None else now - self.stopped_ms
        return OperatorView(
            self.id,
            self.state,
            self.since,
            self.reason,
            self.until,
            self.next_state,
            self.reachable,
            self.call,
            None if self.state is _TALKING else (self.idle_from_ms + stood_ms) / 1000,
            Tally(self.calls, self.talk_ms / 1000, self.duty_to(now) / 1000),
            self.limited_until,
            self.offers,
            dict(self.last),
        )
