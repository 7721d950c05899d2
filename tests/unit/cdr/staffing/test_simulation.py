"""Days small enough to follow with a pencil, and rules that hold on any day."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from cdr import Outcome, kpi_of
from cdr.staffing import Arrival, Callers, Conduct, Scenario, Shift, Spread, by_rate, simulate
from cdr.staffing.run import Run
from tests.unit.cdr.staffing.small import (
    FIVE,
    NINE,
    NOON,
    TEN,
    all_day,
    answers,
    call,
    centre,
    day,
    simulated,
)

pytestmark = pytest.mark.req("RPT-3")


# ── followed by hand ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.req("ACD-3")
def test_three_callers_one_operator() -> None:
    """60 s of talk, 20 s of wrap-up: the second waits 80 s from nine, the third comes when nobody waits."""
    site = centre(1, queues=[{"wrap_up_s": 20}], kpi={"clock_start": "queue"})
    found = simulated(site, [call(NINE), call(NINE + 10), call(NINE + 500)])
    assert answers(found) == [0, 80, 500]
    assert (found.kpi.offered, found.kpi.answered, found.kpi.answered_within) == (3, 3, 2)
    assert found.kpi.mean_answer_s == pytest.approx(70 / 3)
    assert (found.waits.longest_s, found.waits.p95_s) == (70, 70)
    assert found.most_in_line == 1
    (work,) = found.operators
    assert (work.calls, work.talk_s, work.wrap_up_s, work.times.duty_s) == (3, 180, 60, 8 * 3600)
    assert found.occupancy == pytest.approx(240 / (8 * 3600))


def test_greeting_ring_and_wrap_up_that_is_drawn() -> None:
    """7 s of greeting, 4 s of ringing; a wrap-up of 100 s by the call, not the queue's 20."""
    site = centre(1, queues=[{"wrap_up_s": 20}], kpi={"clock_start": "arrival", "answer_within_s": 11})
    calls = [call(NINE, greeting_s=7, wrap_up_s=100.0), call(NINE + 1, greeting_s=7, wrap_up_s=0.0)]
    found = simulated(site, calls, conduct=Conduct(pick_up=Spread.constant(4)))
    assert answers(found) == [11, 11 + 60 + 100 + 4]
    assert found.kpi.answered_within == 1
    assert found.operators[0].wrap_up_s == 100


def test_who_loses_patience_and_who_hangs_up_in_the_greeting() -> None:
    site = centre(1)
    calls = [
        call(NINE),
        call(NINE + 1, patience_s=30.0),
        call(NINE + 2, greeting_s=7, leaves_s=3.0),
        call(NINE + 3, patience_s=58.0),
    ]
    found = simulated(site, calls)
    assert answers(found) == [0, None, None, 60]
    assert [one.outcome for one in found.made] == [
        "answered",
        "abandoned_queue",
        "abandoned_greeting",
        "answered",
    ]
    assert (found.kpi.answered, found.kpi.abandoned, found.abandon_rate) == (2, 2, 0.5)
    assert found.made[1].wait_s == 30


@pytest.mark.req("ACD-6")
def test_a_phone_that_rings_in_vain_costs_the_caller_the_ring_and_the_operator_the_minute() -> None:
    """luck 0: refused at once or never answered. The caller goes on to 1002; 1001 is back after 60 s."""
    site = centre(2)
    for conduct, first_ring in ((Conduct(refuses=0.5), 0.0), (Conduct(misses=0.5), 10.0)):
        found = simulated(site, [call(NINE, talk_s=600, luck=0.0)], conduct=conduct)
        answered = answers(found)[0]
        # The next offer's luck is mixed from the first: whatever it is, the first one failed.
        assert answered is None or answered >= first_ring
        assert found.made[0].offers >= 2
        assert found.unanswered == found.made[0].offers - 1
        assert found.operators[0].times.duty_s == pytest.approx(
            8 * 3600 - 60 * (found.unanswered > 0), abs=61
        )


def test_a_slow_hand_is_no_answer() -> None:
    site = centre(1)
    found = simulated(site, [call(NINE)], conduct=Conduct(pick_up=Spread.constant(10)))
    assert found.kpi.answered == 0  # the queue rings for 10 s
    assert found.unanswered > 100  # again and again until the centre closes
    assert found.made[0].outcome == Outcome.ABANDONED_QUEUE


def test_breaks_ends_and_the_line_that_is_still_served() -> None:
    """A break at ten does not cut a conversation; at five those in line are served, then all go home."""
    site = centre(1, queues=[{"wrap_up_s": 30}])
    shifts = [Shift(0, "1001", NINE, FIVE, ((TEN, NOON),))]
    calls = [call(TEN - 10), call(TEN + 5), call(FIVE - 5, talk_s=100), call(FIVE - 4, talk_s=100)]
    found = simulated(site, calls, shifts)
    assert answers(found) == [3590, 3 * 3600, 8 * 3600 - 5, 8 * 3600 - 5 + 130]
    # On duty until the break began (the talk and its wrap-up in it), and until the last wrap-up.
    assert found.operators[0].times.duty_s == pytest.approx((TEN + 80 - NINE) + (FIVE + 255 - NOON), abs=15)


def test_who_still_waits_when_all_have_gone_has_called_in_vain() -> None:
    found = simulated(centre(1), [call(FIVE + 1), call(FIVE + 2000)], conduct=Conduct(stay_s=900))
    assert answers(found) == [None, None]
    assert found.made[0].ended == FIVE + 900
    assert found.made[0].outcome == Outcome.ABANDONED_QUEUE
    assert found.kpi.unfinished == 1  # came after that: nobody ever comes to this line


def test_a_longer_wrap_up_than_the_break_is_not_cut_by_coming_back() -> None:
    site = centre(1)
    shifts = [Shift(0, "1001", NINE, FIVE, ((NINE + 60, NINE + 120),))]
    found = simulated(site, [call(NINE, wrap_up_s=300.0), call(NINE + 10, wrap_up_s=0.0)], shifts)
    assert answers(found) == [0, 360]


# ── the site's rules ───────────────────────────────────────────────────────────────────────────────────────

SORRY = [{"id": "sorry", "kind": "say", "say": "混み合っています。"}]


@pytest.mark.req("ACD-4")
def test_limits_send_callers_on() -> None:
    site = centre(1, queues=[{"most_waiting": 1, "longest_wait_s": 30, "overflow": "sorry"}], steps=SORRY)
    found = simulated(site, [call(NINE, talk_s=100), call(NINE + 1), call(NINE + 2), call(NINE + 50)])
    assert [one.outcome for one in found.made] == ["answered", "announced", "announced", "announced"]
    assert [one.ended for one in found.made[1:]] == [NINE + 31, NINE + 2, NINE + 80]
    assert (found.kpi.overflowed, found.kpi.offered, found.kpi.answer_rate) == (3, 4, 0.25)


@pytest.mark.req("ACD-4")
def test_overflow_into_another_queue_keeps_the_place() -> None:
    """q0's caller comes to q1 after 30 s, and has waited longer than q1's own."""
    queues = [{"longest_wait_s": 30, "overflow": "queue:q1"}, {}]
    site = centre(queues=queues, people=[{"queues": ["q0"]}, {"queues": ["q1"]}])
    busy = [call(NINE, 1000.0), call(NINE, 60.0, queue="q1")]
    found = simulated(site, [*busy, call(NINE + 1), call(NINE + 2, queue="q1")])
    assert answers(found) == [0, 0, 60, 120]
    assert found.queues[0].kpi.answered == 2  # by the queue that they came to
    assert [one.calls for one in found.operators] == [1, 3]
    assert [row.operator for row in found.queues[1].evenness.rows] == ["1002"]


@pytest.mark.req("ACD-4")
def test_nobody_signed_on_sends_callers_on_also_those_who_wait() -> None:
    site = centre(1, queues=[{"nobody": "sorry"}], steps=SORRY)
    shifts = all_day("1001", end_s=TEN)
    calls = [call(NINE - 1), call(TEN - 10, talk_s=60), call(TEN - 5, patience_s=10_000.0), call(TEN + 3000)]
    found = simulated(site, calls, shifts, Conduct(stay_s=0))
    assert [one.outcome for one in found.made] == ["announced", "answered", "abandoned_queue", "announced"]
    # With people who stay it is they who decide: nobody is left when the line is empty.
    found = simulated(site, calls, shifts, Conduct(stay_s=900))
    assert [one.outcome for one in found.made] == ["announced", "answered", "answered", "announced"]


@pytest.mark.req("ACD-4")
def test_the_wait_that_is_expected_is_the_engines() -> None:
    """Answers every 60 s; with two in line the third would wait 180 s by `ivr.expected_wait_s`."""
    site = centre(1, queues=[{"longest_expected_s": 150, "overflow": "sorry"}], steps=SORRY)
    calls = [call(NINE + 60 * n, 60.0) for n in range(5)] + [call(NINE + 301 + n) for n in range(3)]
    calls.insert(5, call(NINE + 300, 600.0))
    found = simulated(site, calls)
    assert [one.outcome for one in found.made[-3:]] == ["answered", "answered", "announced"]


@pytest.mark.req("ACD-5")
def test_levels_languages_priorities_and_own_limits_are_the_distributors() -> None:
    """q0 asks level 1 alone for 20 s; an English caller goes to who speaks it; priority goes first."""
    site = centre(
        queues=[{"widen": [{"after_s": 20, "level": 2}], "language_after_s": None}],
        people=[
            {"languages": ["ja"]},
            {"languages": ["ja", "en"], "levels": {"q0": 2}},
        ],
    )
    calls = [
        call(NINE, 100.0, language="ja"),
        call(NINE + 1, 30.0, language="ja"),  # 1002 after 20 s of waiting
        call(NINE + 2, 30.0, language="en"),  # 1002 when free
        call(NINE + 3, 30.0, language="ja", priority=1),  # before the English one
    ]
    found = simulated(site, calls)
    assert answers(found) == [0, 21, 81, 51]
    assert [one.operator for one in found.made] == ["1001", "1002", "1002", "1002"]
    limited = centre(people=[{"most_calls_h": 1}])
    found = simulated(limited, [call(NINE), call(NINE + 100)])
    assert answers(found) == [0, 3600]


def test_what_is_not_modelled_is_said() -> None:
    steps = [
        {
            "id": "book",
            "kind": "callback",
            "say": "折り返します。",
            "queue": "q0",
            "trunk": "test",
            "declined": "hangup",
        }
    ]
    site = centre(1, queues=[{"callback": "book"}], steps=steps)
    assert "折り返し" in simulated(site, [call(NINE)]).notes[0][0]
    assert simulated(centre(1), [call(NINE)]).notes == ()


# ── any day ────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_figures_are_those_of_the_calls() -> None:
    """The city's formula over the very calls gives what the simulation tells; parts add up to the whole."""
    site = centre(3, queues=[{"wrap_up_s": 20}], kpi={"ignore_abandoned_within_s": 3})
    callers = Callers(Spread.lognormal(200), patience=Spread.exponential(60), greeting_s=5, leaves_early=0.05)
    found = simulate(by_rate(site, 50, 3, callers=callers, days=3), keep_calls=True)
    plain = kpi_of(found.made, site.kpi)
    assert plain.mean_answer_s == pytest.approx(found.kpi.mean_answer_s)
    assert plain.to_json().keys() == found.kpi.to_json().keys()
    for name in ("offered", "answered", "abandoned", "left_out", "answered_within", "unfinished"):
        assert getattr(plain, name) == getattr(found.kpi, name)
        assert (getattr(plain, name) > 0) is (name != "unfinished")
        assert sum(getattr(one.kpi, name) for one in found.intervals) == getattr(plain, name)
        assert sum(getattr(one.kpi, name) for one in found.queues) == getattr(plain, name)
    assert plain.within_rate == found.kpi.within_rate
    assert sum(one.calls for one in found.operators) == plain.answered
    hours = sum(one.operators * 0.5 * found.days_worked for one in found.intervals)
    assert hours == pytest.approx(found.duty_h)


def test_the_same_scenario_gives_the_same_figures_and_another_seed_others() -> None:
    site = centre(2)
    callers = Callers(Spread.exponential(120), patience=Spread.weibull(90, 0.7))

    def shown(seed: int) -> dict[str, Any]:
        return simulate(by_rate(site, 40, 2, callers=callers, seed=seed)).to_json()

    assert shown(7) == shown(7)
    assert shown(7)["wait"] != shown(8)["wait"]


def test_the_warm_up_is_not_counted() -> None:
    site = centre(1)
    calls = [call(NINE), call(NINE + 1), call(NINE + 100)]
    found = simulated(site, calls, all_day("1001"), warm_up_s=NINE + 50)
    assert (found.kpi.offered, found.waits.mean_s) == (1, 20)
    assert found.operators[0].calls == 1
    assert found.duty_h == pytest.approx(8 - 50 / 3600)


moments = some.integers(0, 400).map(lambda n: NINE + 0.5 * n)
arrivals = some.builds(
    Arrival,
    at=moments,
    queue=some.sampled_from(["q0", "q1"]),
    talk_s=some.sampled_from([0.0, 5.0, 30.0, 90.0]),
    wrap_up_s=some.sampled_from([None, 0.0, 10.0]),
    patience_s=some.sampled_from([0.0, 8.0, 40.0, 1000.0]),
    greeting_s=some.sampled_from([0.0, 3.0]),
    luck=some.floats(0, 1, exclude_max=True),
    language=some.sampled_from([None, "ja", "en"]),
    priority=some.integers(0, 2),
    # Named, or hypothesis takes any number of their type: not a number (nan) is never equal to itself.
    leaves_s=some.sampled_from([None, None, 0.0, 2.5]),
    staff=some.booleans(),
)


@some.composite
def days(draw: some.DrawFn) -> Scenario:
    limits: dict[str, Any] = draw(
        some.sampled_from(
            [{}, {"most_waiting": 2, "overflow": "queue:q1"}, {"longest_wait_s": 10, "overflow": "sorry"}]
        )
    )
    rules = {"strategy": draw(some.sampled_from(["longest_idle", "fewest_calls", "round_robin"]))}
    rules |= draw(some.sampled_from([{}, {"widen": [{"after_s": 5, "level": 2}]}]))
    people = [
        draw(some.sampled_from([{}, {"levels": {"q0": 2}}, {"languages": ["ja"]}, {"queues": ["q0"]}]))
        for _ in range(draw(some.integers(0, 2)))
    ]
    site = centre(
        queues=[{**limits, **rules, "wrap_up_s": 7}, {"wrap_up_s": 3, "nobody": "sorry"}],
        people=[*people, {}, {"levels": {"q0": 2}}],
        steps=SORRY,
    )
    calls = sorted(draw(some.lists(arrivals, max_size=14)), key=lambda one: one.at)
    shifts = [
        Shift(0, one.id, start, end, breaks)
        for one in site.operators
        for start, end, breaks in [
            draw(
                some.sampled_from(
                    [
                        (NINE, NINE + 300, ()),
                        (NINE + 20, NINE + 90, ()),
                        (NINE, NINE + 200, ((NINE + 30, NINE + 60), (NINE + 90, NINE + 100))),
                    ]
                )
            )
        ]
    ]
    conduct = Conduct(
        pick_up=draw(some.sampled_from([Spread.constant(0), Spread.constant(3), Spread.exponential(6)])),
        refuses=draw(some.sampled_from([0.0, 0.3])),
        misses=draw(some.sampled_from([0.0, 0.2])),
        back_s=20,
        stay_s=draw(some.sampled_from([0.0, 60.0])),
    )
    return day(site, calls, shifts, conduct)


@given(days())
@settings(max_examples=60)
def test_on_any_day(scenario: Scenario) -> None:
    found = simulate(scenario, keep_calls=True)
    rules = {one.id: one for one in scenario.site.queues}
    talks: dict[str, list[tuple[float, float]]] = {}
    for one, arrival in zip(found.made, scenario.calls, strict=True):
        if one.answered is None:
            assert one.outcome != Outcome.ANSWERED
        else:
            assert one.operator is not None
            assert one.ended == one.answered + arrival.talk_s
            assert one.entered is not None
            assert one.entered <= one.answered <= one.entered + arrival.patience_s
            wrap = rules[one.queue].wrap_up_s if arrival.wrap_up_s is None else arrival.wrap_up_s
            talks.setdefault(one.operator, []).append((one.answered, one.ended + wrap))
        if one.outcome == Outcome.ABANDONED_QUEUE and one.wait_s != pytest.approx(arrival.patience_s):
            assert one.ended is not None  # sent home at closing time
            assert one.ended >= NINE + 90
    # Nobody has two callers, or one in wrap-up; no work is lost and none made up.
    for spans in talks.values():
        for (_, end), (start, _) in itertools.pairwise(sorted(spans)):
            assert start >= end - 1e-6
    busy = sum(end - start for spans in talks.values() for start, end in spans)
    assert sum(one.talk_s + one.wrap_up_s for one in found.operators) == pytest.approx(busy)
    assert (found.occupancy or 0) <= 1 + 1e-9
    kpi = found.kpi
    assert kpi.offered + kpi.left_out + kpi.unfinished == len(scenario.calls)
    assert sum(one.kpi.offered for one in found.queues) == kpi.offered


@given(days())
@settings(max_examples=40)
def test_asking_for_every_deadline_changes_nothing(scenario: Scenario) -> None:
    """Without rules that have deadlines of their own the distributor is not asked for the next: it is right
    not to ask."""
    quick, asking = Run(scenario), Run(scenario)
    asking._asks = True
    quick.run()
    asking.run()
    if not quick._asks:
        assert [(one.answered, one.ended, one.outcome, one.operator) for one in quick.calls] == [
            (one.answered, one.ended, one.outcome, one.operator) for one in asking.calls
        ]
