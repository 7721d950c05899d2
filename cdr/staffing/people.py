"""A call and an operator as the simulation keeps them."""

from __future__ import annotations

import datetime as dt

from acd import OperatorState
from cdr.record import Outcome
from cdr.staffing.scenario import Arrival


class SimulatedCall:
    """One call as it went; `cdr.kpi_of` counts it like a record. Times: seconds after the first midnight."""

    __slots__ = (
        "answered",
        "arrival",
        "call",
        "ended",
        "entered",
        "midnight",
        "moves",
        "offers",
        "operator",
        "outcome",
        "queue",
        "ring",
        "stood",
    )
    open = True
    queues = True
    via = "engine"

    def __init__(self, call: str, arrival: Arrival, midnight: dt.datetime) -> None:
        self.call = call
        self.arrival = arrival
        self.midnight = midnight
        self.queue = arrival.queue
        self.entered: float | None = None  # the first queue
        self.stood: float = 0.0  # the present one
        self.answered: float | None = None
        self.ended: float | None = None
        self.outcome: str = Outcome.ACTIVE
        self.operator: str | None = None
        self.ring = 0  # serial of the offer that rings, 0: none
        self.offers = 0
        self.moves = 0

    @property
    def staff(self) -> bool:
        return self.arrival.staff

    def _moment(self, seconds: float | None) -> dt.datetime | None:
        return None if seconds is None else self.midnight + dt.timedelta(seconds=seconds)

    @property
    def queued_at(self) -> dt.datetime | None:
        return self._moment(self.entered)

    @property
    def answered_at(self) -> dt.datetime | None:
        return self._moment(self.answered)

    @property
    def answer_s(self) -> float | None:
        return None if self.answered is None else self.answered - self.arrival.at

    @property
    def wait_s(self) -> float | None:
        until = self.ended if self.answered is None else self.answered
        return None if self.entered is None or until is None else until - self.entered

    @property
    def total_s(self) -> float | None:
        return None if self.ended is None else self.ended - self.arrival.at


class Seat:
    """What an operator did: seconds on duty, talking and in wrap-up; per queue conversations and talk."""

    __slots__ = (
        "busy_since",
        "calls",
        "duty_s",
        "duty_since",
        "id",
        "queues",
        "state",
        "talk_s",
        "wish",
        "wrap_s",
        "wrap_since",
        "wrap_up_s",
    )

    def __init__(self, id: str, queues: tuple[str, ...]) -> None:
        self.id = id
        self.queues = queues
        self.state = OperatorState.OFF
        self.duty_since: float | None = None  # ready, ringing, talking or in wrap-up without a gap
        self.busy_since: float | None = None  # talking or in wrap-up
        self.wrap_since = 0.0
        self.wish = OperatorState.OFF
        self.wrap_s = 0.0  # of the wrap-up to come
        self.duty_s = self.wrap_up_s = 0.0
        self.calls = dict.fromkeys(queues, 0)
        self.talk_s = dict.fromkeys(queues, 0.0)
