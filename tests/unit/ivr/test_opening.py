"""When a number is open: what rules a date, midnight, switches; every holiday of fifty years."""

from __future__ import annotations

import datetime as dt
from typing import Any

import holidays
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialplans import Site
from ivr import Mode, Opening, Switches, day, number_of, opening, year
from ivr.opening import open_now
from tests.support.plans import moments
from tests.support.site import NUMBER, OTHER_NUMBER, site

JAPAN = dt.timezone(dt.timedelta(hours=9))

CALENDAR = {
    "id": "city",
    "name": "市の暦",
    "closures": [{"start": "12-29", "until": "01-03", "name": "年末年始"}],
    "days": [{"date": "2027-06-01", "name": "開庁記念日"}, {"date": "2027-05-03", "name": "臨時休業"}],
}
OFFICE = {
    "id": "office",
    "name": "開庁時間",
    "calendar": "city",
    "week": {"mon-fri": ["8:30-12:00", "13:00-17:15"], "sat": [], "sun": []},
    "holiday": ["10:00-15:00"],
    "days": [
        {"date": "2027-03-28", "open": ["9:00-12:00"], "name": "転入の日曜開庁"},
        {"date": "2027-02-11", "name": "停電"},
    ],
}


def centre(
    *hours: dict[str, Any], calendars: tuple[dict[str, Any], ...] = (CALENDAR,), **changes: Any
) -> Site:
    """A site whose first number has the first of these hours."""
    made = site()
    made |= {"hours": list(hours), "calendars": list(calendars)}
    made["steps"] = [{"id": "closed", "kind": "say", "say": "本日は終わりました。"}]
    made["numbers"][0] |= {"hours": hours[0]["id"], "closed": "closed"}
    made["numbers"][1] |= {
        "aliases": ["0246-22-1300"],
        "diverted": [{"number": "0246-22-1400", "name": "課"}],
    }
    return Site.model_validate(made | changes)


def japan(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=JAPAN)


def week_of(*spans: str) -> dict[str, Any]:
    return {"id": "h", "name": "h", "week": {"mon-sun": list(spans)}}


@pytest.mark.req("HRS-1")
@pytest.mark.parametrize(
    ("date", "kind", "name", "spans"),
    [
        ("2027-06-02", "week", None, [(510, 720), (780, 1035)]),  # a Wednesday
        ("2027-06-05", "week", None, []),  # a Saturday
        ("2027-06-01", "one_off", "開庁記念日", []),
        ("2026-12-28", "week", None, [(510, 720), (780, 1035)]),
        ("2026-12-29", "closure", "年末年始", []),
        ("2027-01-01", "closure", "年末年始", []),  # before the holiday's own hours
        ("2027-01-03", "closure", "年末年始", []),
        ("2027-01-04", "week", None, [(510, 720), (780, 1035)]),
        ("2027-01-11", "holiday", "成人の日", [(600, 900)]),
        ("2027-03-22", "holiday", "春分の日 振替休日", [(600, 900)]),
        ("2026-09-22", "holiday", "国民の休日", [(600, 900)]),
        ("2027-03-28", "own", "転入の日曜開庁", [(540, 720)]),
        ("2027-02-11", "own", "停電", []),  # before the holiday
        ("2027-05-03", "one_off", "臨時休業", []),  # before the holiday
    ],
)
def test_what_rules_a_date(date: str, kind: str, name: str | None, spans: list[tuple[int, int]]) -> None:
    found = day(centre(OFFICE), "office", dt.date.fromisoformat(date))
    assert (found.kind, found.name, [tuple(span) for span in found.spans]) == (kind, name, spans)


@pytest.mark.req("HRS-1")
def test_a_list_kept_by_hand_takes_the_place_of_computed_holidays() -> None:
    own = CALENDAR | {"holidays": [{"date": "2027-06-15", "name": "市民の日"}]}
    plan = centre(OFFICE, calendars=(own,))
    assert day(plan, "office", dt.date(2027, 6, 15)).name == "市民の日"
    assert day(plan, "office", dt.date(2027, 1, 11)).kind == "week"


def test_a_closure_within_one_year_and_on_a_leap_day() -> None:
    summer = CALENDAR | {
        "closures": [
            {"start": "08-13", "until": "08-15", "name": "お盆"},
            {"start": "02-29", "until": "02-29", "name": "閏日"},
        ]
    }
    plan = centre(OFFICE, calendars=(summer,))
    closed = [one.date for one in year(plan, "office", 2028) if one.kind == "closure"]
    assert closed == [dt.date(2028, 2, 29), *(dt.date(2028, 8, n) for n in (13, 14, 15))]
    assert sum(one.kind == "closure" for one in year(plan, "office", 2027)) == 3


@pytest.mark.req("HRS-1")
def test_every_national_holiday_from_2000_to_2050() -> None:
    plan = centre(OFFICE | {"days": []}, calendars=({"id": "city", "name": "暦"},))
    oracle = holidays.country_holidays("JP", years=range(2000, 2051))
    ours = {one.date for n in range(2000, 2051) for one in year(plan, "office", n) if one.kind == "holiday"}
    assert sorted(ours) == sorted(date for date in oracle if 2000 <= date.year <= 2050)
    assert len(ours) > 800


@pytest.mark.req("HRS-1")
@pytest.mark.parametrize(
    ("at", "open_", "special", "until", "next_open"),
    [
        ("2027-06-02 08:29", False, None, None, "2027-06-02 08:30"),
        ("2027-06-02 08:30", True, None, "2027-06-02 12:00", None),
        ("2027-06-02 12:00", False, None, None, "2027-06-02 13:00"),
        ("2027-06-02 17:14", True, None, "2027-06-02 17:15", None),
        ("2027-06-04 17:15", False, None, None, "2027-06-07 08:30"),  # Friday evening
        ("2026-12-31 10:00", False, "年末年始", None, "2027-01-04 08:30"),
        ("2027-01-11 14:59", True, None, "2027-01-11 15:00", None),  # a holiday with hours of its own
        ("2027-01-11 15:00", False, None, None, "2027-01-12 08:30"),
    ],
)
def test_open_or_closed(
    at: str, open_: bool, special: str | None, until: str | None, next_open: str | None
) -> None:
    expected = Opening(
        open_, special, japan(until) if until else None, japan(next_open) if next_open else None
    )
    plan = centre(OFFICE)
    assert opening(plan, NUMBER, japan(at)) == expected
    # In whatever zone the time is given; what comes back is UTC.
    found = opening(plan, NUMBER, japan(at).astimezone(dt.UTC))
    assert found == expected
    assert all(time.tzinfo is dt.UTC for time in (found.until, found.next_open) if time is not None)


@pytest.mark.req("HRS-1")
def test_hours_past_midnight_belong_to_the_day_they_began() -> None:
    # Saturday night until two; on Sunday evening nothing.
    bar = {"id": "h", "name": "h", "week": {"mon-fri": [], "sat": ["22:00-26:00"], "sun": []}}
    plan = centre(bar, calendars=())
    assert opening(plan, NUMBER, japan("2027-06-05 21:59")).next_open == japan("2027-06-05 22:00")
    for at in ("2027-06-05 22:00", "2027-06-06 00:00", "2027-06-06 01:59"):
        assert opening(plan, NUMBER, japan(at)).until == japan("2027-06-06 02:00")
    assert opening(plan, NUMBER, japan("2027-06-06 02:00")).next_open == japan("2027-06-12 22:00")
    assert not opening(plan, NUMBER, japan("2027-06-05 01:00")).open  # Friday had no night


@pytest.mark.req("HRS-1")
def test_a_closed_day_does_not_cut_off_the_night_before() -> None:
    late = {"id": "h", "name": "h", "calendar": "city", "week": {"mon-sun": ["22:00-26:00"]}}
    plan = centre(late)
    found = opening(plan, NUMBER, japan("2026-12-29 01:00"))
    assert (found.open, found.special, found.until) == (True, "年末年始", japan("2026-12-29 02:00"))
    assert not opening(plan, NUMBER, japan("2026-12-30 01:00")).open


def test_spans_that_touch_are_one_opening() -> None:
    plan = centre(week_of("0:00-8:00", "8:00-24:00") | {"calendar": "city"})
    assert opening(plan, NUMBER, japan("2026-12-27 10:00")).until == japan("2026-12-29 00:00")
    assert opening(plan, NUMBER, japan("2027-06-02 10:00")).until is None  # longer than a month
    night = {"id": "h", "name": "h", "week": {"mon": ["20:00-24:00"], "tue": ["0:00-3:00"], "wed-sun": []}}
    plan = centre(night, calendars=())
    assert opening(plan, NUMBER, japan("2027-06-07 21:00")).until == japan("2027-06-08 03:00")


def test_the_next_opening_is_looked_for_over_a_year() -> None:
    once = OFFICE | {"week": {"mon-sun": []}, "holiday": [], "days": []}
    never = centre(once)
    assert opening(never, NUMBER, japan("2027-06-02 10:00")) == Opening(False, None, None, None)
    in_a_year = once | {"days": [{"date": "2028-06-30", "open": ["9:00-10:00"], "name": "点検"}]}
    plan = centre(in_a_year)
    assert opening(plan, NUMBER, japan("2027-06-02 10:00")).next_open == japan("2028-06-30 09:00")
    assert opening(plan, NUMBER, japan("2027-05-01 10:00")).next_open is None  # more than 400 days


def test_a_number_without_hours_is_always_open() -> None:
    plan = centre(OFFICE)
    assert opening(plan, OTHER_NUMBER, japan("2027-01-01 03:00")) == Opening(True, None, None, None)


@pytest.mark.req("HRS-3")
@pytest.mark.parametrize(
    ("mode", "at", "open_"),
    [
        (Mode.OPEN, "2027-06-02 20:00", True),
        (Mode.EXTENDED, "2027-06-02 20:00", True),
        (Mode.CLOSED, "2027-06-02 10:00", False),
        (Mode.OPEN, "2027-01-01 10:00", True),
    ],
)
def test_the_supervisors_switch_rules(mode: Mode, at: str, open_: bool) -> None:
    plan, switches = centre(OFFICE), Switches({NUMBER: mode})
    found = opening(plan, NUMBER, japan(at), switches)
    assert (found.open, found.until, found.next_open) == (open_, None, None)
    assert opening(plan, NUMBER, japan(at)).open is not open_
    # Another number is not touched.
    assert opening(plan, OTHER_NUMBER, japan(at), switches).open


@pytest.mark.req("NUM-1", "NUM-2")
def test_a_number_is_known_by_its_aliases_and_diverted_lines() -> None:
    plan = centre(OFFICE)
    for dialled in ("0246-22-1200", "0246221200", "0246221300", "0246-22-1400"):
        assert number_of(plan, dialled) is plan.numbers[1]
    with pytest.raises(KeyError):
        number_of(plan, "0312345678")


def test_what_cannot_be_answered_is_an_error() -> None:
    plan = centre(OFFICE)
    with pytest.raises(ValueError, match="zone"):
        opening(plan, NUMBER, dt.datetime(2027, 1, 1, 10))  # noqa: DTZ001
    with pytest.raises(KeyError):
        opening(plan, "0312345678", japan("2027-01-01 10:00"))
    with pytest.raises(KeyError):
        day(plan, "nowhere", dt.date(2027, 1, 1))


def test_hours_of_a_zone_with_summer_time_are_wall_clock_times() -> None:
    plan = centre(week_of("9:00-17:00"), calendars=(), timezone="Europe/Berlin")
    assert opening(plan, NUMBER, dt.datetime(2027, 1, 1, 8, tzinfo=dt.UTC)).open
    assert not opening(plan, NUMBER, dt.datetime(2027, 1, 1, 7, 59, tzinfo=dt.UTC)).open
    summer = opening(plan, NUMBER, dt.datetime(2027, 7, 1, 7, tzinfo=dt.UTC))
    assert summer.until == dt.datetime(2027, 7, 1, 15, tzinfo=dt.UTC)


_week = st.lists(st.integers(0, 47), max_size=4, unique=True).map(
    lambda halves: [
        f"{a // 2}:{a % 2 * 30:02}-{b // 2}:{b % 2 * 30:02}"
        for a, b in zip(sorted(halves)[::2], sorted(halves)[1::2], strict=False)
    ]
)


@pytest.mark.req("HRS-1")
@given(st.tuples(*[_week] * 7), moments())
def test_the_long_view_agrees_with_a_look_at_each_moment(
    week: tuple[list[str], ...], at: dt.datetime
) -> None:
    days = dict(zip(("mon", "tue", "wed", "thu", "fri", "sat", "sun"), week, strict=True))
    plan = centre({"id": "h", "name": "h", "calendar": "city", "week": days})
    found = opening(plan, NUMBER, at)

    def is_open(moment: dt.datetime) -> bool:
        return open_now(plan, plan.numbers[0], moment)[0]

    assert found.open == is_open(at)
    edge = found.until or found.next_open
    if edge is not None:
        assert edge > at
        assert is_open(edge) is not found.open
        moment = at
        while moment < min(edge, at + dt.timedelta(days=9)):
            assert is_open(moment) is found.open
            moment += dt.timedelta(minutes=29)
