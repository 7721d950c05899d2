"""Who sits there when: from numbers per interval, from a file of shifts, with changes for a what-if."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from cdr.staffing.scenario import DAY_S, ScenarioError, Shift
from dialplans import Site

EXTRA = "extra-"  # operators of a what-if that the site does not have: extra-1, extra-2, …
_Spans = list[tuple[float, float]]
_CHANGE = re.compile(r"^\s*(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})\s*:\s*([+-]\d{1,3})\s*$")


@dataclass(frozen=True, slots=True)
class Change:
    """On every day, between `start_s` and `end_s` after midnight, `operators` more (or fewer, below 0)."""

    start_s: float
    end_s: float
    operators: int

    @classmethod
    def parse(cls, text: str) -> Change:
        """`10:00-12:00:+1`, `8:30-17:00:-2`. ScenarioError."""
        found = _CHANGE.match(text)
        if found is not None:
            h1, m1, h2, m2, more = (int(one) for one in found.groups())
            start, end = h1 * 60 + m1, h2 * 60 + m2
            if m1 < 60 and m2 < 60 and start < end <= 1440 and more:
                return cls(start * 60.0, end * 60.0, more)
        raise ScenarioError(
            f"「{text}」は 10:00-12:00:+1 のように書いてください", f"{text!r}: write it like 10:00-12:00:+1"
        )

    def __str__(self) -> str:
        def clock(seconds: float) -> str:
            return f"{int(seconds) // 3600}:{int(seconds) % 3600 // 60:02}"

        return f"{clock(self.start_s)}-{clock(self.end_s)}:{self.operators:+d}"


def shifts_of(
    site: Site, days: Iterable[int], counts: Mapping[tuple[float, float], int], rotate: bool = True
) -> tuple[list[Shift], tuple[str, ...]]:
    """Shifts in which so many operators are there in each span of the day (`counts`: (start_s, end_s) →
    operators), named in the site's order, and the extra ones where the site has too few. With `rotate` each
    day begins with another operator, so that nobody has all the long days."""
    ids = [one.id for one in site.operators]
    most = max(counts.values(), default=0)
    extra = tuple(f"{EXTRA}{number + 1}" for number in range(most - len(ids)))
    names = [*ids, *extra]
    spans = sorted(counts.items())
    by_rank = [_joined([span for span, count in spans if count > rank]) for rank in range(most)]
    shifts = []
    for day in days:
        turn = day % len(ids) if rotate and not extra else 0
        for rank, mine in enumerate(by_rank):
            name = names[(rank + turn) % len(names)]
            shifts += [Shift(day, name, start, end) for start, end in mine]
    return shifts, extra


def changed(
    site: Site, shifts: Sequence[Shift], extra: Sequence[str], changes: Iterable[Change], days: int
) -> tuple[list[Shift], tuple[str, ...]]:
    """The shifts with more or fewer operators between two times, on every day on which anybody works. More:
    the first of the site who is not there, else an extra one. Fewer: the last of the site who is there the
    whole time, else the last who is there at all; on a day with nobody left to take away nothing changes."""
    order = [*(one.id for one in site.operators), *extra]
    names = list(order)
    spans: dict[int, dict[str, _Spans]] = {}
    for shift in shifts:
        spans.setdefault(shift.day, {}).setdefault(shift.operator, []).extend(_worked(shift))
    for change in changes:
        window = (change.start_s, change.end_s)
        for day in range(days):
            if (here := spans.get(day)) is None:
                continue
            for _ in range(abs(change.operators)):
                (_add if change.operators > 0 else _take)(here, names, window)
    made = [
        Shift(day, operator, start, end)
        for day, here in sorted(spans.items())
        for operator, mine in here.items()
        for start, end in _joined(mine)
    ]
    return made, tuple(one for one in names if one.startswith(EXTRA))


def _worked(shift: Shift) -> _Spans:
    """The shift without its breaks, which become ends and beginnings."""
    left, spans = shift.start_s, []
    for start, end in shift.breaks:
        spans.append((left, start))
        left = end
    return [(start, end) for start, end in [*spans, (left, shift.end_s)] if start < end]


def _overlaps(spans: _Spans, window: tuple[float, float]) -> bool:
    return any(start < window[1] and window[0] < end for start, end in spans)


def _covers(spans: _Spans, window: tuple[float, float]) -> bool:
    return any(start <= window[0] and window[1] <= end for start, end in _joined(spans))


def _add(here: dict[str, _Spans], names: list[str], window: tuple[float, float]) -> None:
    free = next((one for one in names if not _overlaps(here.get(one, []), window)), None)
    if free is None:
        free = f"{EXTRA}{sum(one.startswith(EXTRA) for one in names) + 1}"
        names.append(free)
    here.setdefault(free, []).append(window)


def _take(here: dict[str, _Spans], names: list[str], window: tuple[float, float]) -> None:
    there = [one for one in reversed(names) if _overlaps(here.get(one, []), window)]
    if not there:
        return
    whole = [one for one in there if _covers(here[one], window)]
    name = (whole or there)[0]
    first, last = window
    here[name] = [
        piece
        for start, end in _joined(here[name])
        for piece in ((start, min(end, first)), (max(start, last), end))
        if piece[0] < piece[1]
    ]


def _joined(spans: _Spans) -> _Spans:
    """Spans that touch become one."""
    out: _Spans = []
    for start, end in sorted(spans):
        if out and start <= out[-1][1]:
            out[-1] = (out[-1][0], max(out[-1][1], end))
        else:
            out.append((start, end))
    return out


def always(operators: int, site: Site, days: int) -> tuple[list[Shift], tuple[str, ...]]:
    """So many operators from the first midnight to the last, without a break."""
    shifts, extra = shifts_of(site, [0], {(0.0, DAY_S): operators})
    return [one._replace(end_s=days * DAY_S) for one in shifts], extra
