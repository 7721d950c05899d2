"""A centre's own past: profile, patience, shifts; and days simulated from it."""

from __future__ import annotations

import datetime as dt
import math
from typing import Any

import pytest

from cdr import Span
from cdr.staffing import (
    Callers,
    PastCall,
    Shift,
    Spread,
    by_calls,
    by_profile,
    by_rate,
    calls_of,
    profile,
    profile_of,
    shifts_of_past,
    simulate,
)
from store import CallRow, OperatorStateRow, Store
from tests.unit.cdr.staffing.small import MONDAY, NINE, TEN, centre

pytestmark = pytest.mark.req("RPT-3")
TOKYO = dt.timezone(dt.timedelta(hours=9))


def at(hour: float, day: int = 0) -> dt.datetime:
    return dt.datetime.combine(MONDAY + dt.timedelta(day), dt.time()) + dt.timedelta(hours=hour)


def test_calls_an_hour_are_means_over_the_days_on_which_anybody_called() -> None:
    """Two Mondays with 1 and 3 calls between nine and half past; Tuesday was closed."""
    calls = [PastCall(at(9.1), "q0")] + [PastCall(at(9.2, 7), "q0") for _ in range(3)]
    found = profile_of(calls)
    assert found.days == (2, 0, 0, 0, 0, 0, 0)
    (queue,) = found.queues
    assert queue.rates_h[0][18] == 4.0  # (1 + 3) calls / 2 days / half an hour
    assert sum(map(sum, queue.rates_h)) == 4.0
    assert found.hours(0) == (NINE, NINE + 1800)
    assert found.hours(1) is None
    assert (found.since, found.until) == (MONDAY, MONDAY + dt.timedelta(7))


def test_patience_is_all_waiting_over_those_who_gave_up() -> None:
    """Answered after 10 and 20 s, given up after 30: one end seen in 60 s of waiting."""
    calls = [
        PastCall(at(9), "q0", talk_s=100, wait_s=10),
        PastCall(at(9), "q0", talk_s=300, wait_s=20, wrap_up_s=40),
        PastCall(at(9), "q0", wait_s=30, gave_up=True),
        PastCall(at(9), "q0", left_s=2),
        PastCall(at(9), "q0", talk_s=9999, staff=True),
    ]
    (queue,) = profile_of(calls).queues
    assert (queue.patience_s, queue.talk_s, queue.wrap_up_s, queue.leaves_early) == (60, 200, 40, 0.25)
    assert queue.talk_variation == pytest.approx(math.sqrt(2) * 100 / 200)
    (nobody_left,) = profile_of(calls[:2]).queues
    assert nobody_left.patience_s is None
    assert nobody_left.callers().patience.mean_s == math.inf


def test_a_profile_finds_what_the_days_were_made_of() -> None:
    """Days simulated from known figures, profiled: the same figures again, and days like them."""
    site = centre(9, kpi={"clock_start": "queue"})
    callers = Callers(
        Spread.lognormal(200, 0.8), Spread.exponential(30), Spread.exponential(90), greeting_s=6
    )
    first = simulate(by_rate(site, 100, 6, callers=callers, days=5), keep_calls=True)
    past = [
        PastCall(
            at(one.arrival.at / 3600),
            "q0",
            one.arrival.talk_s if one.answered is not None else None,
            one.arrival.wrap_up_s,
            one.wait_s,
            one.outcome.startswith("abandoned"),
            None,
            6.0,
        )
        for one in first.made
    ]
    found = profile_of(past)
    (queue,) = found.queues
    assert queue.talk_s == pytest.approx(200, rel=0.04)
    assert queue.talk_variation == pytest.approx(0.8, rel=0.1)
    assert queue.wrap_up_s == pytest.approx(30, rel=0.05)
    assert queue.patience_s == pytest.approx(90, rel=0.12)
    assert sum(queue.rates_h[0]) / 2 == pytest.approx(800, rel=0.05)
    again = simulate(by_profile(site, found, 6, days=5))
    assert again.kpi.answer_rate == pytest.approx(first.kpi.answer_rate, abs=0.03)
    more = simulate(by_profile(site, found, 6, days=5, growth=1.2))
    assert (more.kpi.answer_rate or 0) < (again.kpi.answer_rate or 0) - 0.03
    replayed = simulate(by_calls(site, past, 6))
    assert replayed.kpi.offered == first.kpi.offered
    assert replayed.kpi.answer_rate == pytest.approx(first.kpi.answer_rate, abs=0.02)


def test_who_gave_up_gives_up_after_the_same_time_and_who_waited_waits_on() -> None:
    past = [
        PastCall(at(9), "q0", talk_s=600),
        PastCall(at(9.01), "q0", wait_s=25, gave_up=True),
        PastCall(at(9.02), "q0", talk_s=60, wait_s=90),
    ]
    calls = by_calls(centre(1), past, 1).calls
    assert calls[1].patience_s == 25
    assert calls[2].patience_s > 90
    assert [one.talk_s for one in calls if one.talk_s in (600, 60)] == [600, 60]


def record(call: str, when: dt.datetime, **more: Any) -> CallRow:
    arrived = when.replace(tzinfo=TOKYO).astimezone(dt.UTC)
    fields = {
        "number": "0246221110",
        "queue": "q0",
        "via": "engine",
        "outcome": "answered",
        "queued_at": arrived + dt.timedelta(seconds=5),
        "operators": [],
        "offers": 1,
        "refusals": 0,
        "talk_s": 100.0,
        "wait_s": 4.0,
        "wrap_up_s": 20.0,
        "total_s": 109.0,
    }
    return CallRow(call=call, arrived_at=arrived, **fields | more)


def state(number: int, when: dt.datetime, state: str | None, **more: Any) -> OperatorStateRow:
    fields: dict[str, Any] = {"operator": "1001", "reachable": True} | more
    works = state in ("ready", "ringing", "talking", "wrap_up") and fields["reachable"]
    moment = when.replace(tzinfo=TOKYO).astimezone(dt.UTC)
    return OperatorStateRow(id=f"{number:04}", at=moment, state=state, at_work=works, **fields)


async def test_out_of_the_store(store: Store) -> None:
    rows = [
        record("a", at(9)),
        record("b", at(9.25), outcome="abandoned_queue", talk_s=None, wait_s=40.0, wrap_up_s=None),
        record("c", at(10), outcome="abandoned_greeting", queued_at=None, talk_s=None, wait_s=None),
        record("closed", at(20), open=False),
        record("announced", at(9), outcome="announced", queued_at=None, wait_s=None, talk_s=None),
        record("ours", at(9), via="callback"),
        record("staff", at(9.1), staff=True),
        record("gone", at(9), queue="old", number="999"),
        record("later", at(9, 1)),
    ]
    async with store.session() as session:
        session.add_all(rows)
    site = centre(1)
    span = Span.of_day(MONDAY, "Asia/Tokyo")
    calls = await calls_of(store, site, span)
    assert [(one.at, one.gave_up, one.left_s, one.staff) for one in calls] == [
        (at(9), False, None, False),
        (at(9.1), False, None, True),
        (at(9.25), True, None, False),
        (at(10), False, 109.0, False),
    ]
    found = await profile(store, site, span)
    assert (found.calls, found.queues[0].patience_s, found.queues[0].greeting_s) == (3, 44.0, 5.0)
    assert found.to_json()["queues"][0]["rates_h"]["mon"][18] == 4.0


async def test_shifts_as_they_were(store: Store) -> None:
    """Signed on at nine, calls, a break, a phone that goes and comes, off at ten; on again over midnight."""
    told: list[tuple[float, str | None, dict[str, Any]]] = [
        (9.0, "ready", {}),
        (9.1, "talking", {}),
        (9.15, "wrap_up", {}),
        (9.2, "break", {}),
        (9.3, "ready", {}),
        (9.4, None, {"reachable": False}),
        (9.5, None, {"reachable": True}),
        (9.6, "no_answer", {}),
        (9.7, "ready", {}),
        (10.0, "off", {}),
        (22.0, "ready", {}),
        (25.0, "off", {}),
        (9.0, "ready", {"operator": "gone"}),
    ]
    async with store.session() as session:
        session.add_all(state(n, at(hour), name, **more) for n, (hour, name, more) in enumerate(told))
    span = Span(at(0).replace(tzinfo=TOKYO), at(48).replace(tzinfo=TOKYO))
    found = await shifts_of_past(store, centre(1), span, now=span.end)
    assert found == [
        Shift(
            0,
            "1001",
            NINE,
            TEN,
            tuple(
                (pytest.approx(a * 3600), pytest.approx(b * 3600))
                for a, b in [(9.2, 9.3), (9.4, 9.5), (9.6, 9.7)]
            ),
        ),
        Shift(0, "1001", 22 * 3600.0, 24 * 3600.0),
        Shift(1, "1001", 0.0, 3600.0),
    ]
    eleven = at(23).replace(tzinfo=TOKYO)
    found = await shifts_of_past(store, centre(1), span, now=eleven)
    assert found[-1] == Shift(0, "1001", 22 * 3600.0, 23 * 3600.0)
