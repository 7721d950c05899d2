"""Evenness: the figures against slow definitions, time on duty, and a day counted by hand."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from cdr import Attendance, Event, Share, Span, calls, carry, evenness, evenness_by_day
from cdr.attendance import Stretch, Told, attendance, stretches
from cdr.events import to_line
from cdr.shares import LEAST_DUTY_S, Even, Work, evenness_of, gini
from store import Store
from tests.support.events import NINE, Story, answered

DAY = Span.of_day(NINE.date(), "Asia/Tokyo")
EVENING = NINE + timedelta(hours=12)
amounts = some.lists(some.floats(0, 1e6), max_size=12)


def naive_gini(values: list[float]) -> float:
    """Half the mean difference of all pairs, over the mean."""
    pairs = [abs(one - other) for one in values for other in values]
    mean = sum(values) / len(values)
    return sum(pairs) / len(pairs) / 2 / mean


@given(values=amounts)
def test_gini_is_what_it_is_defined_as(values: list[float]) -> None:
    found = gini(values)
    if len(values) < 2 or sum(values) == 0:
        assert found == 0.0
    else:
        assert found == pytest.approx(naive_gini(values), abs=1e-9)
        assert 0 <= found < 1


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([], 0),
        ([5], 0),
        ([0, 0], 0),
        ([4, 4, 4], 0),
        ([0, 10], 0.5),
        ([0, 0, 0, 10], 0.75),
        ([1, 2, 3], 2 / 9),
    ],
)
def test_gini_of_a_few(values: list[float], expected: float) -> None:
    assert gini(values) == pytest.approx(expected, abs=1e-12)


@given(values=amounts, factor=some.floats(0.1, 100))
def test_the_unit_does_not_matter_to_gini(values: list[float], factor: float) -> None:
    assert gini([value * factor for value in values]) == pytest.approx(gini(values), abs=1e-6)


@given(values=amounts, chance=some.randoms())
def test_evenness_of_values_in_any_order(values: list[float], chance: random.Random) -> None:
    shuffled = values[:]
    chance.shuffle(shuffled)
    found = Even.of(values)
    assert Even.of(shuffled) == found
    if not values:
        assert found == Even()
    else:
        assert found.spread == max(values) - min(values)
        assert found.mean == pytest.approx(sum(values) / len(values))
        assert found.min is not None and found.mean is not None and found.max is not None  # noqa: PT018
        assert found.min <= found.mean <= found.max


works = some.lists(
    some.builds(
        Work,
        operator=some.sampled_from(["1001", "1002", "1003"]),
        queue=some.sampled_from(["main", "tax", None]),
        calls=some.integers(0, 50),
        talk_s=some.floats(0, 9000),
        hold_s=some.floats(0, 900),
        wrap_up_s=some.floats(0, 900),
    ),
    max_size=8,
)
attendances = some.dictionaries(
    some.sampled_from(["1001", "1002", "1003", "1004"]),
    some.builds(Attendance, duty_s=some.floats(0, 30000), break_s=some.floats(0, 3000)),
)


@pytest.mark.req("ACD-1")
@given(work=works, times=attendances, queue=some.sampled_from([None, "main", "tax"]), chance=some.randoms())
def test_the_order_of_rows_changes_nothing(
    work: list[Work], times: dict[str, Attendance], queue: str | None, chance: random.Random
) -> None:
    serves = {"1004": ["main"], "1001": ["tax"]}
    found = evenness_of(work, times, DAY, queue, serves)
    shuffled = work[:]
    chance.shuffle(shuffled)
    again = evenness_of(shuffled, dict(reversed(times.items())), DAY, queue, serves)
    assert again.to_json() == found.to_json()
    assert sum(row.queue_calls for row in found.rows) == sum(
        one.calls for one in work if queue is None or one.queue == queue
    )
    counted = [row.calls_h for row in found.rows if row.counted]
    assert found.calls.max == (max(filter(None, counted), default=0.0) if counted else None)


# ── time on duty ─────────────────────────────────────────────────────────────────────────────────────────


def at(hour: float) -> datetime:
    return NINE + timedelta(hours=hour)


def spent(
    told: list[tuple[float, str | None, bool | None]], *, until: float = 10, start: float = 0
) -> Attendance:
    of_operator = stretches([Told(at(hour), state, phone) for hour, state, phone in told], at(until))
    return attendance(of_operator, at(start), at(until))


def hours(found: Attendance) -> tuple[float, ...]:
    seconds = (found.duty_s, found.break_s, found.training_s, found.no_answer_s, found.away_s)
    return tuple(each / 3600 for each in seconds)


@pytest.mark.req("OPR-2", "ACD-1")
def test_what_is_time_on_duty() -> None:
    day = [
        (0, "ready", True),
        (1, "wrap_up", True),
        (1.5, "ready", True),
        (3, "break", True),
        (4, "ready", True),
        (5, "training", True),
        (5.5, "no_answer", True),
        (6, "ready", True),
        (7, None, False),  # the phone went away
        (7.25, "ready", False),
        (7.5, None, True),
        (9, "off", True),
    ]
    found = spent([*day, (9.5, None, False)])
    assert hours(found) == (6.5, 1.0, 0.5, 0.5, 0.5)
    assert found.signed_on_s == 9 * 3600
    assert hours(spent(day, until=2, start=1)) == (1.0, 0, 0, 0, 0)
    assert hours(spent(day, until=3.5, start=2.5)) == (0.5, 0.5, 0, 0, 0)


def test_signed_on_without_an_end_is_so_until_now() -> None:
    assert hours(spent([(1, "ready", None)], until=3)) == (2, 0, 0, 0, 0)
    assert hours(spent([(1, "break", None), (2, None, False)], until=3)) == (0, 2, 0, 0, 0)
    assert hours(spent([(4, "ready", None)], until=3)) == (0, 0, 0, 0, 0)
    assert hours(spent([], until=3)) == (0, 0, 0, 0, 0)
    assert hours(spent([(0, None, True), (1, "off", None)], until=3)) == (0, 0, 0, 0, 0)


def test_a_clock_that_was_set_back_counts_nothing_twice() -> None:
    told = [(0, "ready", None), (2, "break", None), (1, "ready", None), (3, "off", None)]
    assert hours(spent(told)) == (3, 0, 0, 0, 0)  # the break was over at once


events_told = some.lists(
    some.builds(
        Told,
        at=some.floats(-1, 11).map(at),
        state=some.sampled_from(["ready", "wrap_up", "break", "training", "no_answer", "off", None]),
        reachable=some.sampled_from([True, False, None]),
    ),
    max_size=12,
).map(lambda told: sorted(told, key=lambda each: each.at))


@given(told=events_told, cut=some.floats(0, 10).map(at))
def test_the_parts_of_a_span_are_the_whole(told: list[Told], cut: datetime) -> None:
    found: list[Stretch] = stretches(told, at(10))
    for before, after in pairwise(found):
        assert before.start < before.end <= after.start
    whole = attendance(found, at(0), at(10))
    parts = [attendance(found, at(0), cut), attendance(found, cut, at(10))]
    for name in ("duty_s", "break_s", "training_s", "no_answer_s", "away_s", "signed_on_s"):
        assert sum(getattr(part, name) for part in parts) == pytest.approx(getattr(whole, name), abs=1e-3)
    assert 0 <= whole.signed_on_s <= 36000 + 1e-6


# ── from the database ────────────────────────────────────────────────────────────────────────────────────


class Journal:
    """Lines of a journal, made up."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def state(self, operator: str, when: datetime, state: str, **data: object) -> None:
        self._add(when, "operator_state", operator=operator, state=state, **data)

    def phone(self, operator: str, when: datetime, reachable: bool) -> None:
        self._add(when, "operator_phone", operator=operator, reachable=reachable, tally=[0, 0.0, 0.0, "x"])

    def _add(self, when: datetime, kind: str, **data: object) -> None:
        self.events.append(Event(f"s{len(self.events):06d}", when, None, None, kind, data))

    def talk(
        self, call: str, operator: str, when: datetime, talk_s: float, queue: str = "main"
    ) -> None:  # wrap-up: 10 s
        story = answered(call, when, operator=operator, talk_s=talk_s)
        for event in story.events:
            if event.kind in ("queued", "offered"):
                event.data["queue"] = queue  # type: ignore[index]
        self.events += story.events

    async def into(self, store: Store, folder: Path) -> None:
        (folder / "00000001-x-y.jsonl").write_bytes(b"".join(map(to_line, self.events)))
        await carry(folder, store)


def hand_counted() -> Journal:
    """The day of docs/fairness.md: みなと市, 9:00 to 13:00."""
    journal = Journal()
    for operator, begins, ends in (("1001", 0, 4), ("1002", 0, 4), ("1003", 3, 4), ("1004", 3.9, 4)):
        journal.state(operator, at(begins), "ready")
        if operator == "1001":
            journal.state(operator, at(1), "wrap_up")  # as after each call: still on duty
            journal.state(operator, at(1.1), "ready")
        if operator == "1002":
            journal.state(operator, at(1), "break", reason="昼食")
            journal.state(operator, at(2), "ready")
        journal.state(operator, at(ends), "off")
    for number in range(8):
        journal.talk(f"a{number}", "1001", at(number / 2), 350)
    for number in range(3):
        journal.talk(f"b{number}", "1002", at(number / 4), 350)
    for number in range(3):
        journal.talk(f"t{number}", "1002", at(2 + number / 4), 230, queue="tax")
    journal.talk("c0", "1003", at(3.2), 710)
    journal.talk("c1", "1003", at(3.6), 710)
    journal.talk("d0", "1004", at(3.92), 50)
    return journal


@pytest.mark.req("ACD-1", "KPI-7")
async def test_a_morning_counted_by_hand(store: Store, tmp_path: Path) -> None:
    await hand_counted().into(store, tmp_path)
    found = await evenness(store, DAY, "main", serves={"1003": ["main"]})
    assert [(row.operator, row.calls, row.queue_calls, row.counted) for row in found.rows] == [
        ("1001", 8, 8, True),
        ("1002", 6, 3, True),
        ("1003", 2, 2, True),
        ("1004", 1, 1, False),
    ]
    assert [(row.times.signed_on_s / 3600, row.times.duty_s / 3600) for row in found.rows] == [
        pytest.approx((4, 4)),
        pytest.approx((4, 3)),
        pytest.approx((1, 1)),
        pytest.approx((0.1, 0.1)),
    ]
    assert [(row.calls_h, row.talk_h, row.occupancy) for row in found.rows[:3]] == [
        pytest.approx((2.0, 700.0, (2800 + 80) / 14400)),
        pytest.approx((2.0, 580.0, (1740 + 60) / 10800)),
        pytest.approx((2.0, 1420.0, (1420 + 20) / 3600)),
    ]
    assert (found.calls.min, found.calls.max, found.calls.spread, found.calls.gini) == (2.0, 2.0, 0.0, 0.0)
    assert (found.talk.min, found.talk.max, found.talk.mean) == (580.0, 1420.0, 900.0)
    assert (found.talk.spread, found.talk.gini) == (840.0, pytest.approx(1680 / 8100))
    assert found.occupancy.spread == pytest.approx(0.4 - 1 / 6)
    assert found.occupancy.gini == pytest.approx(2 * (0.4 - 1 / 6) / (3 * (0.2 + 1 / 6 + 0.4)))
    shown = found.to_json()
    assert (shown["queue"], shown["operators"], shown["calls"]["gini"]) == ("main", 3, 0.0)
    assert "在席時間15分未満" in shown["formula"]["ja"]


@pytest.mark.req("ACD-1")
async def test_every_count_opens_to_its_calls(store: Store, tmp_path: Path) -> None:
    await hand_counted().into(store, tmp_path)
    for queue in ("main", "tax"):
        for row in (await evenness(store, DAY, queue)).rows:
            found = await calls(store, DAY.start, DAY.end, operator=row.operator, queue=queue)
            assert len(found) == row.queue_calls
    assert len(await calls(store, DAY.start, DAY.end, queue="tax")) == 3


async def test_who_was_given_nothing_is_seen(store: Store, tmp_path: Path) -> None:
    journal = hand_counted()
    journal.state("1009", at(0), "ready")
    await journal.into(store, tmp_path)
    serves = {"1009": ("main",), "1010": ("main",)}
    found = await evenness(store, DAY, "main", serves=serves, now=at(4))
    assert [(row.operator, row.calls, row.counted) for row in found.rows][-1] == ("1009", 0, True)
    assert (found.calls.min, found.calls.gini) == (0.0, pytest.approx(0.25))
    assert "1009" in [row.operator for row in (await evenness(store, DAY, now=at(4))).rows]
    assert (await evenness(store, DAY, "nobody")).calls == Even()


@pytest.mark.req("REL-1")
async def test_over_midnight_a_restart_and_still_signed_on(store: Store, tmp_path: Path) -> None:
    journal = Journal()
    journal.state("1001", at(-24 * 40), "ready", tally=[0, 0.0, 0.0, "2026-10-12"])
    journal.state("1001", at(-24 * 40 + 8), "off", tally=[9, 1.0, 2.0, "2026-10-12"])
    journal.state("1001", at(-11), "ready", tally=[0, 0.0, 0.0, "2026-11-20"])  # 22:00 the day before
    journal.phone("1001", at(-10), reachable=False)  # 23:00; the day begins at -9
    journal.phone("1001", at(-8), reachable=True)
    journal.events.append(Event("s5", at(-4), None, None, "engine_started", {"pid": 7}))
    journal.state("1001", at(-2), "wrap_up", tally=[3, 1.0, 2.0, "2026-11-21"])
    journal.state("1002", at(-30), "off", tally=[3, 1.0, 2.0, "2026-11-20"])
    await journal.into(store, tmp_path)
    (row,) = (await evenness(store, DAY, now=at(0))).rows
    assert (row.operator, hours(row.times)) == ("1001", (8.0, 0, 0, 0, 1.0))
    days = await evenness_by_day(store, Span(at(-32), at(400)), "Asia/Tokyo", now=at(0))
    assert [(day.isoformat(), [hours(row.times) for row in found.rows]) for day, found in days] == [
        ("2026-11-20", [(1.0, 0, 0, 0, 1.0)]),
        ("2026-11-21", [(8.0, 0, 0, 0, 1.0)]),
    ]
    assert [found.span.start for _, found in days] == [at(-32), at(-9)]
    whole = (await evenness(store, Span(at(-33), at(15)), now=at(0))).rows[0].times
    assert hours(whole) == (9.0, 0, 0, 0, 2.0)


async def test_days_add_up(store: Store, tmp_path: Path) -> None:
    journal = hand_counted()
    journal.talk("late", "1001", EVENING + timedelta(hours=2, minutes=59, seconds=30), 600)
    journal.talk("next", "1002", EVENING + timedelta(hours=3), 600)
    await journal.into(store, tmp_path)
    span = Span(DAY.start, DAY.end + timedelta(days=1))
    days = await evenness_by_day(store, span, "Asia/Tokyo", "main", now=DAY.end + timedelta(hours=3))
    counted = [{row.operator: row.calls for row in found.rows} for _, found in days]
    assert counted == [{"1001": 9, "1002": 6, "1003": 2, "1004": 1}, {"1002": 1}]
    assert days[1][1].calls == Even()


def test_a_row_without_time_on_duty_has_no_figures() -> None:
    row = Share("1001", 3, 3, 90.0, 0.0, 0.0, Attendance(away_s=9000))
    assert (row.calls_h, row.talk_h, row.occupancy, row.counted) == (None, None, None, False)
    assert Share("1", 0, 0, 0, 0, 0, Attendance(LEAST_DUTY_S)).counted


async def test_calls_that_asterisk_served_alone_are_work_but_no_share(store: Store, tmp_path: Path) -> None:
    journal = Journal()
    journal.state("1001", at(0), "ready")
    journal.state("1001", at(1), "off")
    story = Story("c1", boot=None).at(0, "arrived", via="survival").at(9, "answered", operator="1001")
    journal.events += story.at(69, "ended", by="caller").events
    await journal.into(store, tmp_path)
    (row,) = (await evenness(store, DAY)).rows
    assert (row.calls, row.talk_s, row.occupancy) == (0, 60.0, pytest.approx(60 / 3600))
