"""The work behind /staffing, done in a process of its own (`trial`): own history, and days simulated.

Questions come as pickled (name, arguments) with their length before them, answers go back the same way.
"""

from __future__ import annotations

import asyncio
import math
import os
import pickle
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from cdr import Span
from cdr.staffing import (
    Beside,
    Callers,
    Change,
    Conduct,
    Profile,
    QueueProfile,
    Scenario,
    ScenarioError,
    Simulated,
    Spread,
    beside,
    by_profile,
    shifts_of,
    simulate,
    what_if,
)
from dialplans import CHECKED, Site

from .question import HALF_HOUR_S, LENGTH, Question, seconds

_CALLS_ALTOGETHER = 15_000  # about half a second of simulation
_FEWEST_DAYS, _MOST_DAYS = 3, 60


@dataclass(frozen=True)
class History:
    """A centre's own past. `days`: on how many dates of each weekday anybody called; `rates_h`: by weekday
    calls an hour in each half hour; `operators`: on duty there, on average; `hours`: by weekday when calls
    come (s), None without any. Means in seconds, None where nothing is known."""

    since: str | None
    until: str | None
    days: tuple[int, ...]
    rates_h: tuple[tuple[float, ...], ...]
    operators: tuple[tuple[float, ...], ...]
    hours: tuple[tuple[float, float] | None, ...]
    talk_s: float | None
    wrap_up_s: float | None
    patience_s: float | None

    @property
    def known(self) -> bool:
        return any(self.days)


@dataclass(frozen=True)
class Answer:
    """Both days, Erlang's formulas beside the first, and how many times the day was simulated."""

    before: Simulated
    after: Simulated | None
    formulas: Beside | None
    days: int


@dataclass(frozen=True)
class _Past:
    profile: Profile
    history: History


_kept: dict[tuple[str, str, str], _Past] = {}


def history(site_json: str, database_url: str, start: str, end: str) -> History:
    """The own history between two dates (the end not included). Raises StoreUnavailable."""
    return _past(site_json, database_url, start, end).history


def attempt(site_json: str, database_url: str, start: str, end: str, question: Question) -> Answer:
    """Simulates the day asked for. Raises ScenarioError, StoreUnavailable."""
    site = _site(site_json)
    profile = None
    if question.weekday is not None:
        profile = _past(site_json, database_url, start, end).profile
    scenario = _scenario(site, question, profile)
    before = simulate(scenario)
    after = None
    if question.change is not None and question.change.operators:
        asked = question.change
        change = Change(seconds(asked.start), seconds(asked.end), asked.operators)
        after = what_if(scenario, [change], before=before).after
    return Answer(before, after, beside(scenario, before), scenario.days)


def _scenario(site: Site, question: Question, profile: Profile | None) -> Scenario:
    days = min(_MOST_DAYS, max(_FEWEST_DAYS, round(_CALLS_ALTOGETHER / max(question.calls_a_day, 1))))
    asked = Profile(HALF_HOUR_S, (1,) * 7, None, None, _queues(site, question, profile))
    patience = Spread.exponential(math.inf if question.patience_s is None else question.patience_s)

    def change(callers: Callers) -> Callers:
        longer = question.talk_s / mean_talk if mean_talk else 1.0
        wrap_up = Spread.exponential(question.wrap_up_s) if question.wrap_up_s else Spread.constant(0.0)
        return Callers(
            talk=callers.talk.times(longer),
            wrap_up=wrap_up,
            patience=patience,
            greeting_s=callers.greeting_s,
            leaves_early=callers.leaves_early,
            languages=callers.languages,
        )

    weights = [(one.callers().talk.mean_s, sum(one.rates_h[0])) for one in asked.queues]
    total = math.fsum(weight for _, weight in weights)
    mean_talk = math.fsum(mean * weight for mean, weight in weights) / total if total else None
    counts = {
        (one.start_s, one.start_s + HALF_HOUR_S): one.operators for one in question.slots if one.operators
    }
    shifts, extra = shifts_of(site, range(days), counts)
    conduct = Conduct(pick_up=Spread.constant(question.pick_up_s))
    # Operators that the site does not have come with their names only in `with_shifts`.
    found = by_profile(site, asked, [], first=question.first, days=days, change=change, conduct=conduct)
    return found.with_shifts(shifts, extra)


def _queues(site: Site, question: Question, profile: Profile | None) -> tuple[QueueProfile, ...]:
    """The asked rates on every day, shared over the queues as the weekday's own calls were."""
    asked, weekday = question.rates_h, question.weekday or 0
    known = {one.id for one in site.queues}
    own = [one for one in profile.queues if one.queue in known] if profile is not None else []
    totals = [math.fsum(one.rates_h[weekday][n] for one in own) for n in range(48)]
    of_day = math.fsum(totals)
    if not of_day:
        first = site.queues[0].id
        return (
            QueueProfile(first, 1, (asked,) * 7, question.talk_s, 1.0, None, question.patience_s, 0.0, 0.0),
        )
    made = []
    for one in own:
        mine = math.fsum(one.rates_h[weekday]) / of_day  # where nobody has called yet: as over the day
        rates = tuple(
            rate * (one.rates_h[weekday][n] / totals[n] if totals[n] else mine)
            for n, rate in enumerate(asked)
        )
        made.append(
            QueueProfile(
                one.queue,
                one.calls,
                (rates,) * 7,
                one.talk_s or question.talk_s,
                one.talk_variation,
                one.wrap_up_s,
                question.patience_s,
                one.greeting_s,
                one.leaves_early,
                one.languages,
            )
        )
    return tuple(made)


def _site(site_json: str) -> Site:
    return Site.model_validate_json(site_json, context=CHECKED)


def _past(site_json: str, database_url: str, start: str, end: str) -> _Past:
    key = (site_json, start, end)
    if key not in _kept:
        _kept.clear()
        _kept[key] = asyncio.run(_read(_site(site_json), database_url, start, end))
    return _kept[key]


async def _read(site: Site, database_url: str, start: str, end: str) -> _Past:
    from cdr.staffing import profile as profile_in
    from cdr.staffing import shifts_of_past
    from store import Store

    span = Span.parse(start, end, site.timezone)
    store = await Store.open(database_url)
    try:
        found = await profile_in(store, site, span)
        shifts = await shifts_of_past(store, site, span)
    finally:
        await store.close()
    first = span.start.astimezone(site.zone).date()
    on_duty = [[0.0] * 48 for _ in range(7)]
    for shift in shifts:
        weekday = (first + timedelta(days=shift.day)).weekday()
        for n in range(48):
            inside = min(shift.end_s, (n + 1) * HALF_HOUR_S) - max(shift.start_s, n * HALF_HOUR_S)
            on_duty[weekday][n] += max(0.0, inside) / HALF_HOUR_S
    operators = tuple(
        tuple(one / seen if seen else 0.0 for one in row)
        for row, seen in zip(on_duty, found.days, strict=True)
    )
    talked = [(one.talk_s, one.calls) for one in found.queues if one.talk_s is not None]
    wrapped = [(one.wrap_up_s, one.calls) for one in found.queues if one.wrap_up_s is not None]
    told = History(
        since=found.since.isoformat() if found.since else None,
        until=found.until.isoformat() if found.until else None,
        days=found.days,
        rates_h=tuple(
            tuple(math.fsum(one.rates_h[day][n] for one in found.queues) for n in range(48))
            for day in range(7)
        ),
        operators=operators,
        hours=tuple(found.hours(day) for day in range(7)),
        talk_s=_mean(talked),
        wrap_up_s=_mean(wrapped),
        patience_s=found.patience_s,
    )
    return _Past(found, told)


def _mean(parts: list[tuple[float, int]]) -> float | None:
    total = sum(weight for _, weight in parts)
    return math.fsum(mean * weight for mean, weight in parts) / total if total else None


_WORK: dict[str, Callable[..., Any]] = {"history": history, "attempt": attempt}


def main() -> None:
    """Works until the other side closes."""
    from store import StoreUnavailable

    os.nice(10)
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # nothing that a library prints may be taken for an answer
    source = sys.stdin.buffer
    while head := source.read(LENGTH.size):
        name, arguments = pickle.loads(source.read(LENGTH.unpack(head)[0]))  # noqa: S301 - of our own console
        told: tuple[str, Any]
        try:
            told = ("done", _WORK[name](*arguments))
        except ScenarioError as error:
            told = ("refused", (error.ja, error.en))
        except StoreUnavailable as error:
            told = ("away", str(error))
        except Exception as error:  # one question that cannot be answered must not take the next with it
            told = ("failed", f"{type(error).__name__}: {error}")
        body = pickle.dumps(told)
        answers.write(LENGTH.pack(len(body)) + body)
        answers.flush()


if __name__ == "__main__":
    # Under its own name, so that what is pickled here is known over there.
    from agent_console.distribution import trial_work

    trial_work.main()
