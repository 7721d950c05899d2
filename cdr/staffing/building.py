"""Scenarios from what is at hand: a rate, a profile of one's own history, calls that have been."""

from __future__ import annotations

import datetime as dt
import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import TypeAlias

from cdr.staffing.past import PastCall
from cdr.staffing.profiles import Profile, QueueProfile, profile_of
from cdr.staffing.roster import shifts_of
from cdr.staffing.scenario import DAY_S, USUAL, Arrival, Conduct, Scenario, ScenarioError, Shift
from cdr.staffing.shift_plan import ShiftPlan
from cdr.staffing.spread import Spread
from cdr.staffing.traffic import FOR_EVER, Callers, drawn
from dialplans import Site

Roster: TypeAlias = int | ShiftPlan | Sequence[Shift]
"""So many operators while calls come; or a plan by weekdays; or the very shifts."""
MONDAY = dt.date(2027, 4, 5)  # where no date is given: no holiday


def by_rate(
    site: Site,
    calls_h: float,
    roster: Roster,
    *,
    callers: Callers,
    queue: str | None = None,
    hours: tuple[float, float] = (9 * 3600.0, 17 * 3600.0),
    days: int = 1,
    first: dt.date = MONDAY,
    conduct: Conduct = USUAL,
    seed: int = 1,
) -> Scenario:
    """`calls_h` an hour, all day alike within `hours` (seconds after midnight, whole minutes), to `queue`
    (default: the site's first). ScenarioError."""
    if not 0 <= calls_h <= 100_000:
        raise ScenarioError(f"件数 {calls_h:g}/時: 0～100000", f"{calls_h:g} calls an hour: 0 to 100000")
    name = site.queues[0].id if queue is None else queue
    if name not in {one.id for one in site.queues}:
        raise ScenarioError(f"待ち行列「{name}」はありません", f"there is no queue {name!r}")
    opens, closes = (round(one / 60) for one in hours)
    if not 0 <= opens < closes <= 1440:
        raise ScenarioError(
            "電話の来る時間が読めません", f"hours {hours}: from 0 to a day, the earlier first"
        )
    rates = [calls_h if opens <= minute < closes else 0.0 for minute in range(1440)]
    calls = [
        call
        for day in range(days)
        for call in drawn(name, first + dt.timedelta(day), day, rates, callers, seed)
    ]
    shifts, extra = _shifts(site, roster, first, dict.fromkeys(range(days), (opens * 60.0, closes * 60.0)))
    return Scenario(
        site,
        first,
        days,
        calls,
        shifts,
        conduct,
        seed,
        extra,
        patience_s=_mean_patience(callers.patience),
        rates_h=tuple(rate * (1 - callers.leaves_early) for rate in rates),
        open_days=frozenset(range(days)),
    )


def by_profile(
    site: Site,
    profile: Profile,
    roster: Roster,
    *,
    first: dt.date = MONDAY,
    days: int = 7,
    growth: float = 1.0,
    change: Callable[[Callers], Callers] = lambda callers: callers,
    conduct: Conduct = USUAL,
    seed: int = 1,
) -> Scenario:
    """Days that might be: Poisson calls by the profile's rates of each weekday, `growth` times as many.
    `change` alters how callers are (another talk time). Queues that the site has no more are left out."""
    if not 0 < growth <= 100:
        raise ScenarioError(
            f"倍率 {growth:g}: 0より大きく100以下", f"growth {growth:g}: above 0, at most 100"
        )
    known = {one.id for one in site.queues}
    queues = [one for one in profile.queues if one.queue in known]
    calls: list[Arrival] = []
    hours = {}
    weekdays: list[int] = []
    for day in range(days):
        date = first + dt.timedelta(day)
        if (open_hours := profile.hours(date.weekday())) is not None:
            hours[day] = open_hours
            weekdays.append(date.weekday())
        of_day: list[Arrival] = []
        for one in queues:
            rates = [rate * growth for rate in one.rates_h[date.weekday()]]
            of_day += drawn(one.queue, date, day, rates, change(one.callers()), seed)
        of_day.sort(key=lambda call: call.at)
        calls += of_day
    shifts, extra = _shifts(site, roster, first, hours)
    notes = [
        (
            f"待ち行列「{one.queue}」は、今の計画にないので除きました。",
            f"Queue {one.queue} is gone: left out.",
        )
        for one in profile.queues
        if one.queue not in known
    ]
    return Scenario(
        site,
        first,
        days,
        calls,
        shifts,
        conduct,
        seed,
        extra,
        patience_s=profile.patience_s or math.inf,
        rates_h=_mean_rates(queues, weekdays, growth),
        open_days=frozenset(hours),
        notes=tuple(notes),
    )


def by_calls(
    site: Site,
    past: Sequence[PastCall],
    roster: Roster,
    *,
    callers: Callers | None = None,
    conduct: Conduct = USUAL,
    seed: int = 1,
) -> Scenario:
    """The very calls that have been, at the times at which they came. What a call does not tell is drawn, as
    `callers` says, or as the calls themselves say together (`profile_of`). Somebody who gave up would have
    given up after the same time; somebody who was answered would have waited longer by chance."""
    if not past:
        raise ScenarioError("呼がありません", "there are no calls")
    profile = profile_of(past)
    of_queue = {one.queue: callers or one.callers() for one in profile.queues}
    first = past[0].at.date()
    midnight = dt.datetime.combine(first, dt.time())
    days = (past[-1].at.date() - first).days + 1
    talk, wrap, patience, luck = (Random(f"{seed} past {name}").random for name in ("t", "w", "p", "l"))
    drawers = {
        queue: (one.talk.draw(), None if one.wrap_up is None else one.wrap_up.draw(), one.patience.draw())
        for queue, one in of_queue.items()
    }
    lost = callers or Callers(Spread.lognormal(240.0))
    usual = (lost.talk.draw(), None if lost.wrap_up is None else lost.wrap_up.draw(), lost.patience.draw())
    calls: list[Arrival] = []
    hours: dict[int, tuple[float, float]] = {}
    for one in past:
        at = (one.at - midnight).total_seconds()
        talk_of, wrap_of, patience_of = drawers.get(one.queue, usual)
        # Every number is drawn for every call, used or not: another file's gap moves nothing else.
        drawn_talk, drawn_patience = talk_of(talk()), patience_of(patience())
        drawn_wrap = None if wrap_of is None else wrap_of(wrap())
        waited = one.wait_s or 0.0
        greeting_s = of_queue[one.queue].greeting_s if one.queue in of_queue else 0.0
        calls.append(
            Arrival(
                at,
                one.queue,
                drawn_talk if one.talk_s is None else one.talk_s,
                drawn_wrap if one.wrap_up_s is None else one.wrap_up_s,
                waited if one.gave_up else waited + drawn_patience,
                greeting_s if one.greeting_s is None else one.greeting_s,
                one.left_s,
                luck(),
                one.language,
                one.priority,
                one.staff,
            )
        )
        day = int(at // DAY_S)
        begins, ends = hours.get(day, (at, at))
        hours[day] = (min(begins, at), max(ends, at))
    part = profile.interval_s
    rounded = {
        day: (begins % DAY_S // part * part, (ends % DAY_S // part + 1) * part)
        for day, (begins, ends) in hours.items()
    }
    shifts, extra = _shifts(site, roster, first, rounded)
    return Scenario(
        site,
        first,
        days,
        calls,
        shifts,
        conduct,
        seed,
        extra,
        patience_s=profile.patience_s or math.inf,
        open_days=frozenset(hours),
    )


def _shifts(
    site: Site, roster: Roster, first: dt.date, hours: Mapping[int, tuple[float, float]]
) -> tuple[list[Shift], tuple[str, ...]]:
    """`hours`: by day, when calls come; days without an entry have none."""
    if isinstance(roster, ShiftPlan):
        return roster.shifts(site, first, sorted(hours))
    if not isinstance(roster, int):
        return list(roster), ()
    if not 0 <= roster <= 5000:
        raise ScenarioError(f"操作者 {roster} 人: 0～5000", f"{roster} operators: 0 to 5000")
    shifts: list[Shift] = []
    extra: tuple[str, ...] = ()
    for day, span in hours.items():
        made, extra = shifts_of(site, [day], {span: roster})
        shifts += made
    return shifts, extra


def _mean_rates(queues: Sequence[QueueProfile], weekdays: Sequence[int], growth: float) -> tuple[float, ...]:
    """Calls an hour to all queues in each part of the day, over days of these weekdays."""
    share = Counter(weekdays)
    parts = max((len(one.rates_h[0]) for one in queues), default=0)
    return tuple(
        math.fsum(
            one.rates_h[weekday][n] * (1 - one.leaves_early) * count
            for one in queues
            for weekday, count in share.items()
        )
        * growth
        / len(weekdays)
        for n in range(parts if weekdays else 0)
    )


def days_for(calls_a_day: float) -> int:
    """How many days to simulate so that noise is small and a person need not wait: about 15,000 calls (under
    a second), 10 days at least, 100 at most."""
    return min(100, max(10, round(15_000 / max(calls_a_day, 1))))


def _mean_patience(patience: Spread) -> float:
    return math.inf if patience == FOR_EVER else patience.mean_s
