"""The work of `daihyo simulate`: from options to a scenario, from figures to tables."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from cdr import Span
from cdr.staffing import (
    Callers,
    Change,
    Conduct,
    Scenario,
    ScenarioError,
    Shift,
    ShiftPlan,
    Spread,
    beside,
    by_calls,
    by_profile,
    by_rate,
    calls_of,
    clock_s,
    days_for,
    profile_of,
    read_calls,
    read_shifts,
    shifts_of_past,
    simulate,
    with_changes,
)
from daihyo import simulated_tables as tables
from daihyo.plans import live_site, read_file
from daihyo.settings import Runtime, StateDir, UserError
from dialplans import Site
from store import Store

_TALK_S, _PATIENCE_S = 240.0, 180.0
_MONDAY = dt.date(2027, 4, 5)
_TELL_S = 2.0  # progress is told after so long, and again


@dataclass(frozen=True)
class Source:
    """Where the calls come from; one of `state`, `calls`, `rate`."""

    site: Path | None
    state: StateDir | None
    calls: Path | None
    rate: float | None
    start: str | None
    end: str | None
    replay: bool
    hours: str
    queue: str | None
    days: int | None
    first: str | None
    growth: float


@dataclass(frozen=True)
class People:
    """Operators and callers; seconds, None: as the site, the file or the history says."""

    operators: int | None
    shifts: Path | None
    talk: float | None
    wrap_up: float | None
    patience: float | None
    greeting: float | None
    pick_up: float
    refuses: float
    misses: float

    @property
    def conduct(self) -> Conduct:
        return Conduct(Spread.lognormal(self.pick_up, 0.5), self.refuses, self.misses)

    def change(self, callers: Callers) -> Callers:
        """The callers as the history has them, with what was told otherwise."""
        talk, wrap_up = callers.talk, callers.wrap_up
        return dataclasses.replace(
            callers,
            talk=talk if self.talk is None else talk.times(self.talk / talk.mean_s),
            wrap_up=wrap_up if self.wrap_up is None else Spread.exponential(self.wrap_up),
            patience=callers.patience if self.patience is None else Spread.exponential(self.patience),
            greeting_s=callers.greeting_s if self.greeting is None else self.greeting,
        )

    @property
    def told(self) -> bool:
        return any(one is not None for one in (self.talk, self.wrap_up, self.patience, self.greeting))


async def run(source: Source, people: People, plus: Sequence[str], seed: int, as_json: bool) -> str:
    """What `daihyo simulate` prints. Raises UserError, StoreUnavailable."""
    try:
        changes = [Change.parse(one) for one in plus]
        scenario = await _scenario(source, people, seed)
        before = simulate(scenario, progress=_Progress())
        formulas = beside(scenario, before)
        after = formulas_after = None
        if changes:
            changed = with_changes(scenario, changes)
            after = simulate(changed, progress=_Progress())
            formulas_after = beside(changed, after)
    except ScenarioError as error:
        raise UserError(str(error)) from None
    if not as_json:
        return tables.text(scenario, before, formulas, changes, after)
    told: dict[str, Any] = {"simulated": before.to_json(), "formulas": formulas and formulas.to_json()}
    if after is not None:
        told |= {
            "changes": [str(one) for one in changes],
            "after": after.to_json(),
            "formulas_after": formulas_after and formulas_after.to_json(),
        }
    return json.dumps(told, ensure_ascii=False)


async def _scenario(source: Source, people: People, seed: int) -> Scenario:
    given = [
        name
        for name, one in (("--calls", source.calls), ("--rate", source.rate), ("--state", source.state))
        if one is not None
    ]
    if len(given) != 1 and given != ["--rate", "--state"] and given != ["--calls", "--state"]:
        raise UserError(
            "呼の出どころを --calls、--rate、--state のどれかで / say where calls come from: "
            "--calls FILE, --rate N or --state DIR"
        )
    if people.operators is not None and people.shifts is not None:
        raise UserError("--operators と --shifts はどちらかを / give --operators or --shifts, not both")
    site = _site(source)
    roster: int | ShiftPlan | None = people.operators
    if people.shifts is not None:
        roster = read_shifts(people.shifts, site)
    first = _first(source.first)
    if source.calls is not None:
        past = read_calls(source.calls, site)
        callers = _callers(people) if people.told else None
        return by_calls(site, past, _needed(roster), callers=callers, conduct=people.conduct, seed=seed)
    if source.rate is not None:
        hours = _hours(source.hours)
        return by_rate(
            site,
            source.rate,
            _needed(roster),
            callers=_callers(people),
            queue=source.queue,
            hours=hours,
            days=source.days or days_for(source.rate * (hours[1] - hours[0]) / 3600),
            first=first,
            conduct=people.conduct,
            seed=seed,
        )
    return await _of_history(source, people, site, roster, first, seed)


async def _of_history(
    source: Source, people: People, site: Site, roster: int | ShiftPlan | None, first: dt.date, seed: int
) -> Scenario:
    assert source.state is not None  # noqa: S101 - the only source that is left
    today = dt.datetime.now(site.zone).date()
    start = source.start or (today - dt.timedelta(28)).isoformat()
    span = Span.parse(start, source.end or today.isoformat(), site.timezone)
    store = await Store.open(Runtime.load(source.state).database(source.state))
    try:
        past = await calls_of(store, site, span)
        shifts: Sequence[Shift] = await shifts_of_past(store, site, span) if roster is None else ()
    finally:
        await store.close()
    if not past:
        raise UserError(
            f"{start} からの呼がありません / there are no calls since {start}: give another --from and --to"
        )
    if source.replay:
        if roster is None:
            shift_by = (past[0].at.date() - span.start.astimezone(site.zone).date()).days
            last = (past[-1].at.date() - past[0].at.date()).days
            mine = [one._replace(day=one.day - shift_by) for one in shifts]
            mine = [one for one in mine if 0 <= one.day <= last]
            return by_calls(site, past, mine, conduct=people.conduct, seed=seed)
        callers = _callers(people) if people.told else None
        return by_calls(site, past, roster, callers=callers, conduct=people.conduct, seed=seed)
    return by_profile(
        site,
        profile_of(past),
        _needed(roster),
        first=first,
        days=source.days or 28,
        growth=source.growth,
        change=people.change,
        conduct=people.conduct,
        seed=seed,
    )


def _site(source: Source) -> Site:
    if source.site is not None:
        return read_file(source.site)[1]
    if source.state is None:
        raise UserError("--site FILE が要ります / --site FILE must be given")
    return live_site(source.state)


def _needed(roster: int | ShiftPlan | None) -> int | ShiftPlan:
    if roster is None:
        raise UserError(
            "--operators N か --shifts FILE が要ります / --operators N or --shifts FILE must be given"
        )
    return roster


def _callers(people: People) -> Callers:
    return Callers(
        Spread.lognormal(_TALK_S if people.talk is None else people.talk),
        None if people.wrap_up is None else Spread.exponential(people.wrap_up),
        Spread.exponential(_PATIENCE_S if people.patience is None else people.patience),
        greeting_s=people.greeting or 0.0,
    )


def _hours(text: str) -> tuple[float, float]:
    start, dash, end = text.partition("-")
    if not dash:
        raise UserError(f"--hours {text}: 9:00-17:00 のように / write it like 9:00-17:00")
    return clock_s(start), clock_s(end)


def _first(text: str | None) -> dt.date:
    if text is None:
        return _MONDAY
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise UserError(f"--first {text}: 2027-04-05 のように / write it like 2027-04-05") from None


class _Progress:
    """Says on stderr how far it is, when it takes long."""

    def __init__(self) -> None:
        self._next = time.monotonic() + _TELL_S

    def __call__(self, day: int, days: int) -> None:
        if time.monotonic() >= self._next:
            self._next += _TELL_S
            click.echo(f"{day} / {days} 日 / days", err=True)
