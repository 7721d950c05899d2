"""The shapes of the API about sharing calls; `models` has all others."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from .models import Id, In, Out


class WrapUpTime(In):
    """The running wrap-up ends so many seconds from now."""

    seconds: Annotated[int, Field(ge=10, le=3600)]


class CallMove(In):
    """The queue that a waiting call goes to; its waiting time goes along."""

    queue: Id


class CallbackDrop(In):
    """Why a callback is given up."""

    reason: Annotated[str, Field(max_length=200)] | None = None


class LiveCallback(Out):
    """A callback that has not ended. `number`: whom to call; `of`: the call that booked it."""

    id: str
    number: str
    number_text: str
    queue: str
    state: Literal["waiting", "ringing", "calling", "talking", "later"]
    place_since: str
    tries: int
    next_at: str | None = None
    of: str
    language: str | None = None
    operator: str | None = None
    called: str | None = None
    called_name: str | None = None
    path: list[str] = Field(default_factory=list)


class EndedCallback(Out):
    """A callback that ended today."""

    callback: str
    of: str
    number: str
    queue: str | None
    booked_at: datetime | None
    ended_at: datetime
    tries: int
    reason: str
    by: str | None


class Callbacks(Out):
    callbacks: list[LiveCallback]
    ended: list[EndedCallback]


class WhyLine(Out):
    """One offer of a call in a sentence; `operator` null: the caller waited, or was called back in vain.
    `rows`: the ledger (who could have been chosen), empty without the right `evenness`; `replayed`: the
    ledger leads to the same choice again (null where it does not tell)."""

    at: datetime
    operator: str | None
    queue: str | None
    rule: str
    sentence: str
    rows: list[dict[str, Any]]
    replayed: bool | None


class Reasons(Out):
    lines: list[WhyLine]


class EvennessQuery(In):
    """Which span and queue; without `queue`: the whole centre."""

    start: date | datetime | None = Field(None, alias="from", description="default: today")
    end: date | datetime | None = Field(None, alias="to", description="default: the day after `from`")
    queue: Id | None = None


class EvenFigure(Out):
    """How far the operators lie apart; null where nobody can be compared. `gini`: 0 all alike, up to 1."""

    min: float | None
    max: float | None
    mean: float | None
    spread: float | None
    gini: float | None


class EvennessOf(Out):
    """Calls, talk seconds and occupancy per hour on duty, with the operators' rows behind them."""

    queue: str | None
    operators: int
    calls: EvenFigure
    talk: EvenFigure
    occupancy: EvenFigure
    rows: list[dict[str, Any]]
    formula: Any


class Staffing(Out):
    """A day simulated as asked, and with the change. `formulas`: Erlang C and A beside the first."""

    days: int
    before: dict[str, Any]
    after: dict[str, Any] | None
    formulas: dict[str, Any] | None


class StaffingHistory(Out):
    """The last eight weeks by weekday (0 Monday): on how many dates anybody called, calls an hour and
    operators on duty in each half hour of the day, means in seconds."""

    since: str | None
    until: str | None
    days: list[int]
    rates_h: list[list[float]]
    operators: list[list[float]]
    talk_s: float | None
    wrap_up_s: float | None
    patience_s: float | None
