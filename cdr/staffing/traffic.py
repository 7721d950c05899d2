"""Calls drawn by chance: Poisson arrivals by rates that change with the time of day, and what goes with each.

Each of a call's properties has a stream of numbers of its own, by seed, date, queue and property: another
talk time, another queue or another day beside it leaves all the rest as it was. Only `Random.random()` is
used, whose numbers are the same in every Python.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

from cdr.staffing.scenario import DAY_S, Arrival
from cdr.staffing.spread import Spread

FOR_EVER = Spread.exponential(math.inf)


@dataclass(frozen=True)
class Callers:
    """How the callers of one queue are. `leaves_early`: the share that hangs up in the greeting; `languages`:
    (language, share), the rest asks for none; `wrap_up` None: as the queue says."""

    talk: Spread
    wrap_up: Spread | None = None
    patience: Spread = FOR_EVER
    greeting_s: float = 0.0
    leaves_early: float = 0.0
    languages: tuple[tuple[str, float], ...] = ()
    priority: int = 0


def poisson_day(rates_h: Sequence[float], random: Random) -> Iterator[float]:
    """Arrivals of a day in seconds after midnight; `rates_h`: calls an hour in each of as many equal parts of
    the day as there are rates. A process of rate 1 seen through the rates' sum: other rates move the same
    arrivals, they do not draw new ones."""
    part_s = DAY_S / len(rates_h)
    at, reached = 0.0, 0.0
    target = -math.log1p(-random.random())
    for rate in rates_h:
        end = at + part_s
        here = rate * part_s / 3600
        while rate > 0 and target < reached + here:
            yield at + (target - reached) / rate * 3600
            target += -math.log1p(-random.random())
        reached += here
        at = end


def drawn(
    queue: str, date: dt.date, day: int, rates_h: Sequence[float], callers: Callers, seed: int
) -> list[Arrival]:
    """The calls to a queue on one day, in order."""

    def stream(name: str) -> Random:
        return Random(f"{seed} {date} {queue} {name}")

    talk_of, patience_of = callers.talk.draw(), callers.patience.draw()
    wrap_of = None if callers.wrap_up is None else callers.wrap_up.draw()
    talk, patience, wrap, luck, other = (
        stream(name).random for name in ("talk", "patience", "wrap_up", "luck", "other")
    )
    greeting_s, leaves, languages = callers.greeting_s, callers.leaves_early, callers.languages
    calls = []
    for at in poisson_day(rates_h, stream("arrivals")):
        leaves_s = None
        if leaves and (u := other()) < leaves:
            leaves_s = greeting_s * u / leaves
        calls.append(
            Arrival(
                day * DAY_S + at,
                queue,
                talk_of(talk()),
                None if wrap_of is None else wrap_of(wrap()),
                patience_of(patience()),
                greeting_s,
                leaves_s,
                luck(),
                _language(languages, other()) if languages else None,
                callers.priority,
            )
        )
    return calls


def _language(languages: tuple[tuple[str, float], ...], u: float) -> str | None:
    for language, share in languages:
        if u < share:
            return language
        u -= share
    return None
