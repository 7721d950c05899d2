"""The five cities' examples say to callers what the cities' documents ask for."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import holidays
import pytest

import dialplans
from dialplans import DialRefused, Site, load_site, route_extension, route_out
from ivr import hear, opening
from tests.support.examples import (
    AFTER_NEW_YEAR,
    CARD,
    CENTRE,
    CITIES,
    EVENING,
    EVENTS,
    EXAMPLES,
    HOLIDAY,
    IWAKI,
    KOBE,
    MEDICAL,
    NEW_YEAR,
    NOON,
    SATURDAY,
    SATURDAY_LATE,
    SUBSTITUTE,
    TASKS,
    WATER,
    YEAR_END,
)

JST = ZoneInfo("Asia/Tokyo")
NATIONAL = holidays.country_holidays("JP", years=range(2026, 2029))
GREETED = ["greeting", "recording_notice"]


@cache
def site_of(city: str) -> Site:
    return load_site(EXAMPLES / f"{city}.yaml")


def moment(written: str) -> dt.datetime:
    return dt.datetime.fromisoformat(written).replace(tzinfo=JST)


def heard(city: str, number: str, at: str, keys: str = "") -> tuple[list[str], str]:
    """The steps that are heard, in order, and where the call ends."""
    told = hear(site_of(city), number.replace("-", ""), moment(at), keys)
    return list(dict.fromkeys(line.step for line in told.lines)), told.target


@pytest.mark.req("IVR-2", "ADM-1")
@pytest.mark.parametrize("city", CITIES)
def test_each_example_passes_every_check(city: str) -> None:
    site = site_of(city)
    assert site.id == city
    assert site.city.endswith("(例)")


def test_every_example_is_tested_and_is_packed() -> None:
    assert {path.stem for path in EXAMPLES.glob("*")} == set(CITIES)
    pyproject = (Path(dialplans.__file__).parents[1] / "pyproject.toml").read_text()
    assert '"examples/*.yaml"' in pyproject


@pytest.mark.req("NUM-1")
def test_iwakis_five_representative_numbers_are_those_of_its_document() -> None:
    citizens = [number for number in site_of("iwaki").numbers if not number.staff]
    assert tuple(number.number for number in citizens) == IWAKI


@pytest.mark.req("NUM-3")
def test_iwakis_trunk_to_the_city_hall_has_48_channels() -> None:
    [pbx] = [trunk for trunk in site_of("iwaki").trunks if trunk.outbound]
    assert pbx.max_channels == 48


@pytest.mark.req("NUM-3", "NUM-4", "NUM-5", "XFR-4")
def test_the_cities_departments_are_reached_through_their_exchange() -> None:
    """By extension, with 付加番号 where the document says so; 0570, 0120 and mobiles outside."""
    for city, dialled in (("iwaki", "2314"), ("yokosuka", "822314")):
        site = site_of(city)
        assert [leg.dial for leg in route_extension(site, "2314").legs] == [dialled]
        for number in ("0570-012-345", "0120-123-456", "070-1234-5678", "090-1234-5678", "03-1234-5678"):
            assert route_out(site, number).legs[0].trunk == "pbx"
        for number in ("+1 212 555 0100", "0990-123456", "110"):
            with pytest.raises(DialRefused):
                route_out(site, number)
    pbx = site_of("iwaki").pbx
    assert pbx is not None
    assert pbx.return_code  # 転送戻り


@pytest.mark.req("NUM-1", "HRS-1", "HRS-2", "HRS-4")
@pytest.mark.parametrize("number", IWAKI)
@pytest.mark.parametrize(
    ("at", "steps", "target"),
    [
        (NOON, GREETED, "queue:main"),
        ("2026-11-24 18:59", GREETED, "queue:main"),
        ("2026-11-24 19:00", ["after-hours", "recording_notice"], "forward:guard"),
        ("2026-11-24 08:29", ["after-hours", "recording_notice"], "forward:guard"),
        ("2026-11-24 08:30", GREETED, "queue:main"),
        (SATURDAY, GREETED, "queue:main"),
        (SATURDAY_LATE, ["after-hours", "recording_notice"], "forward:guard"),
        (HOLIDAY, GREETED, "queue:main"),
        ("2026-11-23 18:00", ["after-hours", "recording_notice"], "forward:guard"),
        (SUBSTITUTE, GREETED, "queue:main"),
        (YEAR_END, ["year-end", "recording_notice"], "forward:guard"),
        (NEW_YEAR, ["year-end", "recording_notice"], "forward:guard"),
        (AFTER_NEW_YEAR, GREETED, "queue:main"),
    ],
)
def test_iwaki(number: str, at: str, steps: list[str], target: str) -> None:
    assert heard("iwaki", number, at) == (steps, target)


@pytest.mark.req("NUM-6")
@pytest.mark.parametrize(
    ("city", "number"), [("iwaki", "0246-00-9000"), ("yokosuka", "046-000-0009"), ("kawagoe", "049-000-0001")]
)
def test_the_staff_line_is_not_counted_and_always_answers(city: str, number: str) -> None:
    assert site_of(city).number(number.replace("-", "")).staff
    steps, target = heard(city, number, NEW_YEAR)
    assert steps == GREETED
    assert target.startswith("queue:")


@pytest.mark.req("HRS-1", "HRS-2", "HRS-5", "IVR-1", "IVR-3")
@pytest.mark.parametrize(
    ("number", "at", "keys", "steps", "target"),
    [
        (CENTRE, NOON, "1", [*GREETED, "guide"], "queue:main"),
        (CENTRE, NOON, "2", [*GREETED, "guide"], "queue:courses"),
        (CENTRE, NOON, "3", [*GREETED, "guide", "events-now"], "hangup"),
        (CENTRE, NOON, "#0", [*GREETED, "guide"], "queue:main"),
        (CENTRE, NOON, "91", [*GREETED, "guide"], "queue:main"),
        (CENTRE, NOON, "", [*GREETED, "guide"], "queue:main"),  # no key at all: an operator
        (CENTRE, "2026-11-24 18:00", "", ["closed-centre", "events-now"], "hangup"),
        (CENTRE, "2026-11-28 15:59", "1", [*GREETED, "guide"], "queue:main"),
        (CENTRE, "2026-11-28 16:00", "", ["closed-centre", "events-now"], "hangup"),
        (CENTRE, HOLIDAY, "1", [*GREETED, "guide"], "queue:main"),
        (CENTRE, "2026-11-23 17:00", "", ["closed-centre", "events-now"], "hangup"),
        (CENTRE, YEAR_END, "1", [*GREETED, "guide"], "queue:main"),
        (CENTRE, NEW_YEAR, "1", [*GREETED, "guide"], "queue:main"),  # a holiday: open until 16:00
        (WATER, NOON, "", GREETED, "queue:water"),
        (WATER, "2026-11-24 17:15", "", ["closed-water"], "hangup"),
        (WATER, SATURDAY, "", ["closed-water"], "hangup"),
        (WATER, HOLIDAY, "", ["closed-water"], "hangup"),
        (EVENTS, NEW_YEAR, "", ["greeting", "events-line", "events-again"], "hangup"),
        (EVENTS, EVENING, "1", ["greeting", "events-line", "events-again"], "hangup"),
    ],
)
def test_yokosuka(number: str, at: str, keys: str, steps: list[str], target: str) -> None:
    assert heard("yokosuka", number, at, keys) == (steps, target)


@pytest.mark.req("HRS-5")
def test_yokosuka_tells_at_least_eight_events_in_ten_states_on_one_day() -> None:
    site = site_of("yokosuka")
    told = hear(site, EVENTS.replace("-", ""), moment(NOON))
    lines = [line.prompt.text for line in told.lines if line.step == "events-line"][1:]
    assert len(lines) >= 8
    assert len(set(lines)) == len(lines)
    assert len({event.state for event in site.events}) >= 8
    assert len(dialplans.states_of(site)) >= 10


@pytest.mark.req("IVR-3")
def test_yokosukas_english_goes_on_into_queue_and_events() -> None:
    site = site_of("yokosuka")
    told = hear(site, CENTRE.replace("-", ""), moment(NOON), "93")
    after = [line.prompt for line in told.lines if line.step in ("guide", "events-now")][1:]
    assert {prompt.language for prompt in after} == {"en"}
    assert told.language == "en"
    waiting = [one.say for one in site.queue("main").waiting if one.say is not None]
    assert {dialplans.spoken(said, "ja", "en").language for said in waiting} == {"en"}


@pytest.mark.req("NUM-2")
def test_yokosukas_old_number_leads_to_the_new_one() -> None:
    told = hear(site_of("yokosuka"), "0460000010", moment(NOON), "1")
    assert told.target == "queue:main"


@pytest.mark.req("HRS-1", "HRS-2")
@pytest.mark.parametrize(
    ("at", "steps", "target"),
    [
        (NOON, GREETED, "queue:card"),
        ("2026-11-24 08:30", GREETED, "queue:card"),
        ("2026-11-24 17:15", ["closed", "station-open"], "hangup"),  # the station's desk has until 18:00
        (EVENING, ["closed", "call-again"], "hangup"),
        (SATURDAY, ["closed", "station-open"], "hangup"),
        ("2026-11-29 12:00", ["closed", "call-again"], "hangup"),  # a Sunday
        (HOLIDAY, ["closed-day"], "hangup"),
        (YEAR_END, ["closed-day"], "hangup"),
        (NEW_YEAR, ["closed-day"], "hangup"),
        ("2026-11-27 12:00", ["closed-day"], "hangup"),  # a day agreed upon
        (AFTER_NEW_YEAR, GREETED, "queue:card"),
    ],
)
def test_kawagoe(at: str, steps: list[str], target: str) -> None:
    assert heard("kawagoe", CARD, at) == (steps, target)


@pytest.mark.req("HRS-1", "HRS-2", "IVR-1")
@pytest.mark.parametrize(
    ("at", "keys", "steps", "target", "path"),
    [
        (NOON, "12", [*GREETED, "guide", "insurance"], "queue:insurance", ["国民健康保険", "保険料"]),
        (NOON, "2", [*GREETED, "guide"], "queue:elderly", ["後期高齢者医療"]),
        (NOON, "31", [*GREETED, "guide", "subsidies"], "queue:welfare", ["医療費の助成", "福祉医療"]),
        (
            NOON,
            "322",
            [*GREETED, "guide", "subsidies", "designated"],
            "queue:welfare",
            ["医療費の助成", "特定医療費", "更新"],
        ),
        (NOON, "32**0", [*GREETED, "guide", "subsidies", "designated"], "queue:general", ["オペレーター"]),
        (NOON, "4", [*GREETED, "guide", "forms"], "queue:general", ["申請書の送付"]),
        (NOON, "778", [*GREETED, "guide"], "queue:general", []),  # three wrong keys: somebody helps
        (NOON, "", [*GREETED, "guide"], "queue:general", []),
        ("2026-11-24 08:44", "", ["closed"], "hangup", []),
        ("2026-11-24 17:30", "", ["closed"], "hangup", []),
        (SATURDAY, "", ["closed"], "hangup", []),
        (HOLIDAY, "", ["closed"], "hangup", []),
        (NEW_YEAR, "", ["closed"], "hangup", []),
        (YEAR_END, "0", [*GREETED, "guide"], "queue:general", ["オペレーター"]),
    ],
)
def test_kobe(at: str, keys: str, steps: list[str], target: str, path: list[str]) -> None:
    assert heard("kobe", KOBE, at, keys) == (steps, target)
    assert list(hear(site_of("kobe"), "0120000000", moment(at), keys).path) == path


@pytest.mark.req("NUM-1", "HRS-1", "HRS-2")
@pytest.mark.parametrize(("number", "queue"), TASKS.items())
def test_kumamotos_numbers_have_a_queue_each(number: str, queue: str) -> None:
    assert heard("kumamoto", number, NOON) == (GREETED, f"queue:{queue}")
    assert heard("kumamoto", number, "2026-11-24 17:15") == (["closed"], "hangup")
    assert heard("kumamoto", number, SATURDAY) == (["closed"], "hangup")
    assert heard("kumamoto", number, HOLIDAY) == (["closed-day"], "hangup")
    assert heard("kumamoto", number, YEAR_END) == (["closed-day"], "hangup")


@pytest.mark.req("IVR-1")
@pytest.mark.parametrize("keys", ["1", "2", "3", "9", ""])
def test_kumamotos_medical_number_asks_which_of_three(keys: str) -> None:
    assert heard("kumamoto", MEDICAL, NOON, keys) == ([*GREETED, "medical-kind"], "queue:medical")


def _minutes(hours: int, minutes: int = 0) -> int:
    return hours * 60 + minutes


def _year_end(day: dt.date) -> bool:
    return (day.month, day.day) >= (12, 29) or (day.month, day.day) <= (1, 3)


def _day_off(day: dt.date) -> bool:
    return day.weekday() >= 5 or day in NATIONAL


def _iwaki(day: dt.date) -> tuple[int, int] | None:
    if _year_end(day):
        return None
    return _minutes(8, 30), _minutes(17 if _day_off(day) else 19)


def _yokosuka(day: dt.date) -> tuple[int, int] | None:
    return _minutes(8), _minutes(16 if _day_off(day) else 18)


def _water(day: dt.date) -> tuple[int, int] | None:
    return None if _day_off(day) else (_minutes(8, 30), _minutes(17, 15))


def _kawagoe(day: dt.date) -> tuple[int, int] | None:
    closed = _day_off(day) or _year_end(day) or day == dt.date(2026, 11, 27)
    return None if closed else (_minutes(8, 30), _minutes(17, 15))


def _kobe(day: dt.date) -> tuple[int, int] | None:
    return None if _day_off(day) else (_minutes(8, 45), _minutes(17, 30))


def _kumamoto(day: dt.date) -> tuple[int, int] | None:
    return None if _day_off(day) or _year_end(day) else (_minutes(8, 30), _minutes(17, 15))


@pytest.mark.req("HRS-1")
@pytest.mark.parametrize(
    ("city", "number", "hours"),
    [
        ("iwaki", "0246221111", _iwaki),
        ("yokosuka", CENTRE.replace("-", ""), _yokosuka),
        ("yokosuka", WATER.replace("-", ""), _water),
        ("kawagoe", "0570000000", _kawagoe),
        ("kobe", "0120000000", _kobe),
        ("kumamoto", "0960000001", _kumamoto),
    ],
)
def test_every_day_of_two_years_opens_and_closes_to_the_minute(
    city: str, number: str, hours: Callable[[dt.date], tuple[int, int] | None]
) -> None:
    """`hours`: the document's rule, written out once more by hand; public holidays from another library."""
    site = site_of(city)
    for n in range(365 * 2):
        day = dt.date(2026, 4, 1) + dt.timedelta(days=n)
        midnight = dt.datetime.combine(day, dt.time(), JST)
        span = hours(day)
        looked = {0, _minutes(12), _minutes(23, 59)} | ({span[0] - 1, *span, span[1] - 1} if span else set())
        for minute in looked:
            expected = span is not None and span[0] <= minute < span[1]
            at = midnight + dt.timedelta(minutes=minute)
            assert opening(site, number, at).open is expected, at
