"""Today's calls as far as figures need them, kept so that only what a call touches is counted anew: its
number, its queue, its half-hour, the day. Pure; the same `cdr` formulas as everywhere."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Hashable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from cdr import Span, kpi_of, misses_left, trend_of
from cdr.kpis import COUNTABLE
from dialplans import Site

MINUTES = 30
# What is read of a call's record.
COLUMNS = tuple(
    dict.fromkeys((*COUNTABLE, "number", "queue", "operator", "talk_s", "arrived_at", "ended_at"))
)
_ALL: Hashable = "all"
_EMPTY = (0, 0, 0)


Call = Any  # a row with COLUMNS


class DayFigures:
    """The figures of one day under one plan's way of counting."""

    def __init__(self, site: Site, span: Span) -> None:
        self.site, self.span = site, span
        self._calls: dict[str, Call] = {}
        self._groups: dict[Hashable, dict[str, Call]] = defaultdict(dict)
        self._dirty: set[Hashable] = {_ALL}
        self._kpis: dict[Hashable, dict[str, Any]] = {}
        self._slots: dict[tuple[Hashable, int], tuple[int, int, int]] = {}
        self._own: dict[str, dict[str, Any]] = {}

    def take(self, rows: Iterable[Call]) -> bool:
        """Takes rows new and known; whether one of them is new or different."""
        changed = False
        for row in rows:
            former = self._calls.get(row.call)
            if former == row:
                continue
            changed = True
            if former is not None:
                self._move(former, None)
            self._calls[row.call] = row
            self._move(row, row)
        return changed

    def keep(self, calls: Collection[str]) -> bool:
        """Lets go of all other calls; whether there were any."""
        gone = [one for id, one in self._calls.items() if id not in calls]
        for one in gone:
            del self._calls[one.call]
            self._move(one, None)
        return bool(gone)

    def _move(self, call: Call, to: Call | None) -> None:
        """Puts a call into all its groups, or takes it out of them."""
        slot = int((call.arrived_at - self.span.start) / timedelta(minutes=MINUTES))
        for group in (_ALL, ("n", call.number), ("q", call.queue)):
            for key in (group, (group, slot)):
                self._dirty.add(key)
                if to is None:
                    self._groups[key].pop(call.call, None)
                else:
                    self._groups[key][call.call] = to
        if call.operator:
            self._dirty.add(("o", call.operator))
            if to is None:
                self._groups["o", call.operator].pop(call.call, None)
            else:
                self._groups["o", call.operator][call.call] = to

    def figures(self) -> dict[str, Any]:
        """In total, by number and by queue, with targets and what may still miss them."""
        site = self.site
        return {
            "total": self._kpi(_ALL),
            "numbers": [
                {"number": one.number, "name": one.name, **self._kpi(("n", one.digits))}
                for one in site.numbers
            ],
            "queues": [{"id": one.id, "name": one.name, **self._kpi(("q", one.id))} for one in site.queues],
            "targets": site.kpi.targets.model_dump(),
            "answer_within_s": site.kpi.answer_within_s,
            "stale": False,
        }

    def trend(self) -> dict[str, Any]:
        """[arrived, answered, abandoned] of each half-hour of the day, in total, by number and by queue."""
        return {
            "minutes": MINUTES,
            "start": self.span.start.isoformat(),
            "total": self._curve(_ALL),
            "numbers": {one.number: self._curve(("n", one.digits)) for one in self.site.numbers},
            "queues": {one.id: self._curve(("q", one.id)) for one in self.site.queues},
        }

    def own(self) -> Mapping[str, dict[str, Any]]:
        """`{"count", "mean_talk_s"}` by operator, of calls that are over."""
        for key in [key for key in self._dirty if isinstance(key, tuple) and key[0] == "o"]:
            self._dirty.discard(key)
            talks = [
                row.talk_s
                for row in self._groups[key].values()
                if row.ended_at is not None and row.talk_s is not None
            ]
            mean = round(sum(talks) / len(talks), 1) if talks else None
            self._own[str(key[1])] = {"count": len(talks), "mean_talk_s": mean}
        return dict(self._own)

    def _kpi(self, group: Hashable) -> dict[str, Any]:
        if group in self._dirty or group not in self._kpis:
            self._dirty.discard(group)
            kpi = kpi_of(self._groups[group].values(), self.site.kpi)
            misses = misses_left(kpi, self.site.kpi.targets)
            self._kpis[group] = {**kpi.to_json(), "misses": misses.to_json()}
        return self._kpis[group]

    def _curve(self, group: Hashable) -> list[list[int]]:
        step = timedelta(minutes=MINUTES)
        count = -(-(self.span.end - self.span.start) // step)
        found = []
        for slot in range(count):
            key = (group, slot)
            if key in self._dirty:
                self._dirty.discard(key)
                span = _slot(self.span.start + slot * step, self.span.end)
                part = trend_of(self._groups[key].values(), self.site.kpi, span, MINUTES)[0]
                self._slots[key] = (part.arrived, part.answered, part.abandoned)
            found.append(list(self._slots.get(key, _EMPTY)))
        return found


def _slot(begin: datetime, end: datetime) -> Span:
    return Span(begin, min(begin + timedelta(minutes=MINUTES), end))
