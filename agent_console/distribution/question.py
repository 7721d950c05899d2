"""What somebody asks of /staffing: calls and operators by the half hour, how calls are, and one change."""

from __future__ import annotations

import itertools
import math
import re
import struct
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, model_validator

LENGTH: Final = struct.Struct(">Q")  # before each message to and from `trial_work`
HALF_HOUR_S = 1800.0
_MONDAY = date(2027, 4, 5)
MOST_CALLS = 20_000  # of a day
_CLOCK = re.compile(r"([01]?\d|2[0-4]):([03]0)")

Clock = Annotated[str, Field(pattern=r"^([01]?\d|2[0-4]):[03]0$", description="9:00 or 9:30; 24:00 at most")]


class Slot(BaseModel):
    """Half an hour: `calls` that come in it, on average, and operators on duty."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    start: Clock = Field(alias="from")
    calls: Annotated[float, Field(ge=0, le=1000)]
    operators: Annotated[int, Field(ge=0, le=200)]

    @property
    def start_s(self) -> float:
        return seconds(self.start)


class ChangeAsked(BaseModel):
    """So many operators more (or fewer) between two times."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    start: Clock = Field(alias="from")
    end: Clock = Field(alias="to")
    operators: Annotated[int, Field(ge=-20, le=20)]

    @model_validator(mode="after")
    def _in_order(self) -> ChangeAsked:
        if seconds(self.end) <= seconds(self.start):
            raise ValueError("`to` must be later than `from`")
        return self

    def holds(self, start_s: float) -> bool:
        """Whether the half hour that begins then is changed."""
        return seconds(self.start) <= start_s < seconds(self.end)


class Question(BaseModel):
    """One day, simulated many times over. Seconds; `patience_s` null: nobody gives up.

    `weekday` (0 Monday) takes how calls are spread over queues from the own history of that weekday; without
    it all calls come to the first queue."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    slots: Annotated[list[Slot], Field(min_length=1, max_length=48)]
    talk_s: Annotated[float, Field(ge=5, le=3600)]
    wrap_up_s: Annotated[float, Field(ge=0, le=3600)]
    pick_up_s: Annotated[float, Field(ge=0, le=60)] = 3
    patience_s: Annotated[float, Field(ge=5, le=7200)] | None = None
    weekday: Annotated[int, Field(ge=0, le=6)] | None = None
    change: ChangeAsked | None = None

    @model_validator(mode="after")
    def _adds_up(self) -> Question:
        starts = [one.start_s for one in self.slots]
        if any(later - former != HALF_HOUR_S for former, later in itertools.pairwise(starts)):
            raise ValueError("the half hours must follow one another")
        if starts[-1] >= 86_400:
            raise ValueError("a day ends at 24:00")
        if self.calls_a_day > MOST_CALLS:
            raise ValueError(f"at most {MOST_CALLS} calls a day")
        return self

    @property
    def calls_a_day(self) -> float:
        return sum(one.calls for one in self.slots)

    @property
    def first(self) -> date:
        """A date of the weekday, no holiday."""
        return _MONDAY + timedelta(days=self.weekday or 0)

    @property
    def rates_h(self) -> tuple[float, ...]:
        """Calls an hour in each half hour of the day."""
        rates = [0.0] * 48
        for one in self.slots:
            rates[int(one.start_s // HALF_HOUR_S)] = one.calls * 2
        return tuple(rates)


def seconds(clock: str) -> float:
    """`9:30` → 34200.0. ValueError."""
    found = _CLOCK.fullmatch(clock.strip())
    if found is None:
        raise ValueError(f"{clock!r} is no half hour")
    return int(found[1]) * 3600.0 + int(found[2]) * 60.0


def number(text: str, otherwise: float, least: float, most: float) -> float:
    """A number as typed, at least and at most; `otherwise` where it is none."""
    try:
        value = float(text)
    except ValueError:
        return otherwise
    return min(max(value, least), most) if math.isfinite(value) else otherwise


def clock_of(start_s: float) -> str:
    """34200.0 → `9:30`."""
    return f"{int(start_s) // 3600}:{int(start_s) % 3600 // 60:02}"


def even_slots(start_s: float, end_s: float, calls: float, operators: int) -> list[Slot]:
    """The same in every half hour; `calls`: an hour."""
    count = max(1, round((end_s - start_s) / HALF_HOUR_S))
    return [
        Slot.model_validate(
            {"from": clock_of(start_s + n * HALF_HOUR_S), "calls": calls / 2, "operators": operators}
        )
        for n in range(count)
    ]


def slots_of(
    rates_h: Sequence[float], operators: Sequence[float], start_s: float, end_s: float
) -> list[Slot]:
    """Of a day's 48 half hours those between two times; operators rounded, at least one."""
    first, last = int(start_s // HALF_HOUR_S), int(-(-end_s // HALF_HOUR_S))
    return [
        Slot.model_validate(
            {
                "from": clock_of(n * HALF_HOUR_S),
                "calls": round(min(rates_h[n] / 2, 1000), 1),
                "operators": max(1, min(200, round(operators[n]))),
            }
        )
        for n in range(first, min(last, 48))
    ]
