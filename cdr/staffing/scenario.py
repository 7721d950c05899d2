"""What is simulated: the site, who calls when, who sits there when, and how people behave.

A scenario holds every call with everything that chance decides about it, drawn beforehand. Two scenarios that
share their calls (`what_if`) differ by what was changed, and by nothing else (common random numbers).
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from cdr.staffing.spread import Spread
from dialplans import Site

DAY_S = 86_400.0
AT_ONCE = Spread.constant(0.0)


class ScenarioError(ValueError):
    """A scenario that cannot be; one line: what, where, what to do. Japanese in `ja`."""

    def __init__(self, ja: str, en: str) -> None:
        super().__init__(f"{ja} / {en}")
        self.ja, self.en = ja, en


class Arrival(NamedTuple):
    """One call, with all that chance decides about it. Times in seconds; `at` after the scenario's first
    midnight.

    `patience_s`: from queue entry until the caller gives up (inf: never). `wrap_up_s` None: as the queue
    says. `leaves_s`: hangs up so long after `at`, before any queue (None: does not). `luck`: one number in
    [0, 1) from which everything that happens when it is offered is drawn."""

    at: float
    queue: str
    talk_s: float
    wrap_up_s: float | None = None
    patience_s: float = math.inf
    greeting_s: float = 0.0
    leaves_s: float | None = None
    luck: float = 0.0
    language: str | None = None
    priority: int = 0
    staff: bool = False  # not counted, but served


class Shift(NamedTuple):
    """An operator's day. `day` counts from 0; the rest in seconds after that day's midnight (the end may be
    above 86,400). During `breaks` (in order, inside the shift) the operator is signed on and on break."""

    day: int
    operator: str
    start_s: float
    end_s: float
    breaks: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Conduct:
    """How operators behave. `pick_up`: from the first ring to the answer. `refuses`, `misses`: shares of
    offers that are refused, and that ring until the queue's limit; both set the operator to 応答なし, and
    after `back_s` they are ready again. `stay_s`: so long after the day's last shift has ended they still
    answer those in line."""

    pick_up: Spread = AT_ONCE
    refuses: float = 0.0
    misses: float = 0.0
    back_s: float = 60.0
    stay_s: float = 900.0

    def __post_init__(self) -> None:
        if not (self.refuses >= 0 and self.misses >= 0 and self.refuses + self.misses < 1):
            raise ScenarioError(
                f"応答しない割合 {self.refuses:g}＋{self.misses:g}: 合わせて1未満にしてください",
                f"shares refused {self.refuses:g} and missed {self.misses:g}: both from 0, together below 1",
            )
        if not (0 < self.back_s < math.inf and 0 <= self.stay_s <= DAY_S):
            raise ScenarioError(
                "戻るまでの秒数は0より大きく、残る秒数は0以上一日以下にしてください",
                "back_s must be above 0, stay_s from 0 to a day",
            )


USUAL = Conduct()


@dataclass(frozen=True)
class Scenario:
    """What `simulate` runs. `calls` in order of `at`. `first`: the date of day 0; `days`: how many.

    `extra`: operators that the site does not have, serving every queue. `warm_up_s`: calls that arrive before
    it, and what operators do before it, are not counted. `interval_s`: of the rows by time of day.
    `patience_s`: the callers' mean, for the formula beside (the calls have each their own). `rates_h`: calls
    an hour that reach a queue, as they were asked for, in as many equal parts of a day that is open as there
    are figures; empty: `calls` themselves are what was asked for. `open_days`: on which calls can come
    (None: on which any does)."""

    site: Site
    first: dt.date
    days: int
    calls: Sequence[Arrival]
    shifts: Sequence[Shift]
    conduct: Conduct = USUAL
    seed: int = 1
    extra: tuple[str, ...] = ()
    warm_up_s: float = 0.0
    interval_s: float = 1800.0
    patience_s: float = math.inf
    rates_h: tuple[float, ...] = ()
    open_days: frozenset[int] | None = None
    notes: tuple[tuple[str, str], ...] = field(default=())  # (Japanese, English): what was assumed

    def __post_init__(self) -> None:
        if not 1 <= self.days <= 3660:
            raise ScenarioError(f"日数 {self.days}: 1～3660", f"days {self.days}: from 1 to 3660")
        if not (self.interval_s >= 60 and DAY_S % self.interval_s == 0):
            raise ScenarioError(
                f"区切り {self.interval_s:g} 秒: 一日を割り切る60秒以上の長さにしてください",
                f"interval_s {self.interval_s:g}: 60 or more, and a day must be a multiple of it",
            )
        if not self.warm_up_s >= 0:
            raise ScenarioError("助走は0秒以上", f"warm_up_s {self.warm_up_s:g}: 0 or more")
        queues = {one.id for one in self.site.queues}
        for number, call in enumerate(self.calls):
            if call.queue not in queues:
                raise ScenarioError(
                    f"{number + 1}件目の呼: 待ち行列「{call.queue}」はありません",
                    f"call {number + 1}: there is no queue {call.queue!r}; there are: {', '.join(queues)}",
                )
        known = {one.id for one in self.site.operators} | set(self.extra)
        for shift in self.shifts:
            if shift.operator not in known:
                raise ScenarioError(
                    f"勤務: 操作者 {shift.operator} はいません",
                    f"shifts: there is no operator {shift.operator}; there are: {' '.join(sorted(known))}",
                )
            if not (
                0 <= shift.day < self.days and 0 <= shift.start_s < shift.end_s <= (self.days + 1) * DAY_S
            ):
                raise ScenarioError(
                    f"勤務: {shift.operator} の時間が読めません", f"shifts: {shift} is no span of time"
                )

    def days_counted(self) -> frozenset[int]:
        """The days that figures per day are divided by: open, or with anybody on duty."""
        opened = self.open_days
        if opened is None:
            opened = frozenset(int(one.at // DAY_S) for one in self.calls)
        return opened | self.days_worked()

    def days_worked(self) -> frozenset[int]:
        """Days on which a shift runs; one that goes on for days counts on each."""
        days: set[int] = set()
        for one in self.shifts:
            last = one.day + max(math.ceil(one.end_s / DAY_S) - 1, 0)
            days.update(range(one.day, min(last, self.days - 1) + 1))
        return frozenset(days)

    def asked_calls_h(self, start_s: float, end_s: float) -> float | None:
        """Calls an hour that were asked for between two times of the day, over the days counted; None where
        the calls themselves were."""
        if not self.rates_h:
            return None
        part_s = DAY_S / len(self.rates_h)
        first, last = int(start_s // part_s), min(math.ceil(end_s / part_s), len(self.rates_h))
        calls = math.fsum(
            self.rates_h[n] * (min((n + 1) * part_s, end_s) - max(n * part_s, start_s))
            for n in range(first, last)
        )
        days = self.days_counted()
        opened = len(days) if self.open_days is None else len(self.open_days)
        return calls / (end_s - start_s) * opened / max(len(days), 1)

    def with_shifts(self, shifts: Sequence[Shift], extra: tuple[str, ...] | None = None) -> Scenario:
        """The same calls, other shifts."""
        return replace(self, shifts=shifts, extra=self.extra if extra is None else extra)
