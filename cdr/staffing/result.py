"""What came out of a simulation: the city's figures, waits, work, evenness; by interval, queue, operator."""

from __future__ import annotations

import datetime as dt
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cdr.attendance import Attendance
from cdr.kpis import FIGURES, Kpi, KpiSettings, formula_of, kpi_of
from cdr.shares import Evenness, Share, Work, evenness_of
from cdr.span import Span
from cdr.staffing.centre import not_modelled
from cdr.staffing.noise import half_width
from cdr.staffing.people import Seat, SimulatedCall
from cdr.staffing.run import Run
from cdr.staffing.scenario import DAY_S, Scenario


@dataclass(frozen=True, slots=True)
class Waits:
    """Of all calls that entered a queue, from there to the answer, to giving up or to being sent on."""

    mean_s: float | None
    p95_s: float | None
    longest_s: float | None

    @classmethod
    def of(cls, seconds: Iterable[float]) -> Waits:
        waits = sorted(seconds)
        if not waits:
            return cls(None, None, None)
        p95 = waits[math.ceil(round(0.95 * len(waits), 9)) - 1]
        return cls(math.fsum(waits) / len(waits), p95, waits[-1])

    def to_json(self) -> dict[str, Any]:
        return {name: _rounded(getattr(self, name), 3) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Interval:
    """A part of the day, `start_s` to `end_s` after midnight, over all simulated days together; calls by
    arrival. `operators`: on duty on average over the days counted; `occupancy`: of theirs; `most_in_line`:
    most callers for whom nobody's phone rang.

    `answer_rate_half`, `within_rate_half`: half the width of a 95 % interval about the rate (0…1, Student's,
    from how the days differ); None below three days or without calls. A target that lies inside rate ± half
    is neither met nor missed for certain: that much is chance."""

    start_s: float
    end_s: float
    kpi: Kpi
    waits: Waits
    operators: float
    occupancy: float | None
    most_in_line: int
    answer_rate_half: float | None = None
    within_rate_half: float | None = None

    def to_json(self) -> dict[str, Any]:
        return {
            "from": clock(self.start_s),
            "to": clock(self.end_s),
            **_figures(self.kpi),
            "answer_rate_half": _rounded(self.answer_rate_half, 6),
            "within_rate_half": _rounded(self.within_rate_half, 6),
            "wait": self.waits.to_json(),
            "operators": round(self.operators, 3),
            "occupancy": _rounded(self.occupancy, 4),
            "most_in_line": self.most_in_line,
        }


@dataclass(frozen=True, slots=True)
class QueueWork:
    """One queue, by the calls that came to it; `evenness` of those who serve it, as `cdr.evenness` counts."""

    queue: str
    name: str
    kpi: Kpi
    waits: Waits
    evenness: Evenness

    def to_json(self) -> dict[str, Any]:
        return {
            "queue": self.queue,
            "name": self.name,
            **_figures(self.kpi),
            "wait": self.waits.to_json(),
            "evenness": _even(self.evenness),
        }


@dataclass(frozen=True)
class Simulated:
    """The figures of all calls that arrived after the warm-up. `kpi` by the site's own formula
    (`cdr.kpi_of`); `offers` and of them `unanswered`; `evenness` of all operators with their rows, as
    `cdr.evenness` counts (times: on duty alone); `notes`: (Japanese, English) what was assumed."""

    days: int
    days_worked: int  # with anybody on duty
    days_counted: int  # open or with anybody on duty: what figures per day are divided by
    seed: int
    kpi: Kpi
    waits: Waits
    occupancy: float | None
    duty_h: float
    most_in_line: int
    offers: int
    unanswered: int
    evenness: Evenness
    intervals: tuple[Interval, ...]
    queues: tuple[QueueWork, ...]
    notes: tuple[tuple[str, str], ...]
    made: tuple[SimulatedCall, ...] = field(default=(), repr=False, compare=False)  # with `keep_calls`

    @property
    def operators(self) -> Sequence[Share]:
        """What each operator did, by id."""
        return self.evenness.rows

    @property
    def abandon_rate(self) -> float | None:
        """Share of the offered calls that were given up."""
        return self.kpi.abandoned / self.kpi.offered if self.kpi.offered else None

    def to_json(self) -> dict[str, Any]:
        return {
            "days": self.days,
            "days_worked": self.days_worked,
            "days_counted": self.days_counted,
            "seed": self.seed,
            **self.kpi.to_json(),
            "abandon_rate": _rounded(self.abandon_rate, 6),
            "wait": self.waits.to_json(),
            "occupancy": _rounded(self.occupancy, 4),
            "duty_h": round(self.duty_h, 3),
            "most_in_line": self.most_in_line,
            "offers": self.offers,
            "unanswered_offers": self.unanswered,
            "evenness": _even(self.evenness),
            "intervals": [one.to_json() for one in self.intervals],
            "queues": [one.to_json() for one in self.queues],
            "operators": [_row(one) for one in self.operators],
            "notes": [{"ja": ja, "en": en} for ja, en in self.notes],
        }


@dataclass(slots=True)
class _Part:
    """The calls of one queue that came in one interval of the day."""

    kpi: Kpi
    waits: list[float]


def result_of(scenario: Scenario, run: Run, keep_calls: bool) -> Simulated:
    """The figures of a run."""
    site, interval_s = scenario.site, scenario.interval_s
    groups: dict[tuple[str, int], list[SimulatedCall]] = defaultdict(list)
    for one in run.calls:
        if one.arrival.at >= scenario.warm_up_s:
            groups[one.arrival.queue, int(one.arrival.at % DAY_S / interval_s)].append(one)
    parts = {
        at: _Part(kpi_of(calls, site.kpi), [wait for one in calls if (wait := one.wait_s) is not None])
        for at, calls in groups.items()
    }
    days = max(len(scenario.days_counted()), 1)
    first = dt.datetime.combine(scenario.first, dt.time(), site.zone)
    span = Span(first, first + dt.timedelta(scenario.days))
    work = [one for seat in run.seats.values() for one in _work(seat)]
    times = {seat.id: Attendance(seat.duty_s) for seat in run.seats.values()}
    serves = {seat.id: seat.queues for seat in run.seats.values()}
    duty_s = math.fsum(one.duty_s for one in times.values())
    kpi, waits = _together(parts.values(), site.kpi)
    return Simulated(
        days=scenario.days,
        days_worked=len(scenario.days_worked()),
        days_counted=len(scenario.days_counted()),
        seed=scenario.seed,
        kpi=kpi,
        waits=waits,
        occupancy=math.fsum(run.busy) / duty_s if duty_s > 0 else None,
        duty_h=duty_s / 3600,
        most_in_line=run.most,
        offers=run.offers,
        unanswered=run.unanswered,
        evenness=evenness_of(work, times, span),
        intervals=_intervals(run, parts, days),
        queues=tuple(
            QueueWork(
                queue.id,
                queue.name,
                *_together([part for (name, _), part in parts.items() if name == queue.id], site.kpi),
                evenness_of(work, times, span, queue.id, serves),
            )
            for queue in site.queues
        ),
        notes=(*scenario.notes, *not_modelled(site, {name for name, _ in parts})),
        made=tuple(run.calls) if keep_calls else (),
    )


def _together(parts: Iterable[_Part], settings: KpiSettings) -> tuple[Kpi, Waits]:
    parts = list(parts)
    return merged((one.kpi for one in parts), settings), Waits.of(wait for one in parts for wait in one.waits)


def merged(kpis: Iterable[Kpi], settings: KpiSettings) -> Kpi:
    """The figures of several groups of calls as those of one; their calls are not kept."""
    kpis = list(kpis)
    counts = {name: sum(getattr(one, name) for one in kpis) for name in FIGURES}
    answered, offered = counts["answered"], counts["offered"]
    answer_total = math.fsum((one.mean_answer_s or 0.0) * one.answered for one in kpis)
    return Kpi(
        **counts,
        answer_rate=answered / offered if offered else None,
        mean_answer_s=answer_total / answered if answered else None,
        within_rate=counts["answered_within"] / answered if answered else None,
        formula=formula_of(settings),
    )


def _work(seat: Seat) -> Iterator[Work]:
    for queue, calls in seat.calls.items():
        if calls:
            yield Work(seat.id, queue, calls, seat.talk_s[queue], 0.0, 0.0)
    if seat.wrap_up_s:
        yield Work(seat.id, None, 0, 0.0, 0.0, seat.wrap_up_s)


def _intervals(run: Run, parts: Mapping[tuple[str, int], _Part], days: int) -> tuple[Interval, ...]:
    """Those in which anybody called or was there."""
    interval_s = run.scenario.interval_s
    by_slot: dict[int, list[_Part]] = defaultdict(list)
    for (_, slot), part in parts.items():
        by_slot[slot].append(part)
    day_of = {one.call: int(one.arrival.at // DAY_S) for one in run.calls}
    return tuple(
        Interval(
            slot * interval_s,
            (slot + 1) * interval_s,
            *_together(by_slot[slot], run.scenario.site.kpi),
            run.duty[slot] / days / interval_s,
            run.busy[slot] / run.duty[slot] if run.duty[slot] > 0 else None,
            run.most_in[slot],
            *_halves([part.kpi for part in by_slot[slot]], day_of, days),
        )
        for slot in range(len(run.duty))
        if slot in by_slot or run.duty[slot] > 0
    )


def _halves(kpis: Sequence[Kpi], day_of: Mapping[str, int], days: int) -> tuple[float | None, float | None]:
    """Of the answer rate and of the rate within the limit."""
    by_day = {
        name: Counter(day_of[call] for kpi in kpis for call in kpi.calls(name))
        for name in ("offered", "answered", "answered_within")
    }
    return (
        half_width(by_day["answered"], by_day["offered"], days),
        half_width(by_day["answered_within"], by_day["answered"], days),
    )


def clock(seconds: float) -> str:
    """Seconds after midnight as `8:30`."""
    return f"{int(seconds) // 3600}:{int(seconds) % 3600 // 60:02}"


def _even(evenness: Evenness) -> dict[str, Any]:
    return {name: getattr(evenness, name).to_json() for name in ("calls", "talk", "occupancy")}


def _row(share: Share) -> dict[str, Any]:
    """Without the times that a simulation does not know."""
    shown = share.to_json()
    for name in ("hold_s", "signed_on_s", "break_s", "training_s", "no_answer_s", "away_s", "queue_calls"):
        del shown[name]
    return shown


def _figures(kpi: Kpi) -> dict[str, Any]:
    shown = kpi.to_json()
    del shown["formula"]
    return shown


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
