"""Calls and shifts out of files, what is wrong with them, and changes for a what-if."""

from __future__ import annotations

import datetime as dt
import json
import math
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from cdr.staffing import (
    Callers,
    CallsFileError,
    Change,
    PastCall,
    ScenarioError,
    Shift,
    Spread,
    by_calls,
    by_rate,
    read_calls,
    read_shifts,
    shifts_of,
    simulate,
    what_if,
    with_changes,
)
from tests.unit.cdr.staffing.small import FIVE, MONDAY, NINE, NOON, TEN, call, centre, day

pytestmark = pytest.mark.req("RPT-3")
SITE = centre(3, queues=[{}, {}])


def written(folder: Path, text: str) -> Path:
    file = folder / "file"
    file.write_text(text, "utf-8")
    return file


# ── calls ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_file_for_people(tmp_path: Path) -> None:
    """BOM, order, columns of no interest; times in the site's zone or with their own."""
    text = (
        "\ufeffarrived_at,number,queue,talk_s,memo\r\n"
        "2027-04-05T09:30:00,,q1,120,later\r\n"
        "2027-04-05T00:10:00Z,0246-22-1110,,,09:10 here\r\n"
    )
    found = read_calls(written(tmp_path, text), SITE)
    assert [(f"{one.at:%H:%M}", one.queue, one.talk_s) for one in found] == [
        ("09:10", "q0", None),
        ("09:30", "q1", 120.0),
    ]


@pytest.mark.req("ACD-5")
def test_priority_callers_go_first_as_in_life(tmp_path: Path) -> None:
    site = centre(1, priority_callers=[{"number": "0246-22-9999", "name": "警察署", "priority": 3}])
    text = "arrived_at,queue,caller\n2027-04-05T09:00,q0,0246229999\n2027-04-05T09:01,q0,0246221234\n"
    assert [one.priority for one in read_calls(written(tmp_path, text), site)] == [3, 0]


@pytest.mark.parametrize("as_array", [True, False])
def test_what_daihyo_calls_prints_can_be_fed_in_again(tmp_path: Path, as_array: bool) -> None:
    usual = {"number": "0246221110", "queue": "q0", "via": "engine", "open": True, "staff": False}
    rows = [
        usual
        | {
            "arrived_at": "2027-04-05T00:00:00.000000Z",
            "queued_at": "2027-04-05T00:00:07.000000Z",
            "outcome": "answered",
            "talk_s": 90.5,
            "wait_s": 3.25,
            "wrap_up_s": None,
            "language": "en",
        },
        usual | {"arrived_at": "2027-04-05T00:01:00Z", "outcome": "abandoned_greeting", "total_s": 4.0},
        usual
        | {
            "arrived_at": "2027-04-05T00:02:00Z",
            "queued_at": "2027-04-05T00:02:07Z",
            "outcome": "abandoned_ringing",
            "wait_s": 33.0,
        },
        usual | {"arrived_at": "2027-04-05T00:03:00Z", "outcome": "announced"},
        usual | {"arrived_at": "2027-04-05T00:03:00Z", "outcome": "answered", "open": False},
        usual | {"arrived_at": "2027-04-05T00:03:00Z", "outcome": "answered", "queues": False},
        usual | {"arrived_at": "2027-04-05T00:03:00Z", "outcome": "answered", "via": "callback"},
    ]
    text = json.dumps(rows) if as_array else "\n".join(map(json.dumps, rows))
    found = read_calls(written(tmp_path, text), SITE)
    assert [one[1:9] for one in found] == [
        ("q0", 90.5, None, 3.25, False, None, 7.0, "en"),
        ("q0", None, None, None, False, 4.0, None, None),
        ("q0", None, None, 33.0, True, None, 7.0, None),
    ]


def test_every_wrong_row_is_named(tmp_path: Path) -> None:
    text = (
        "arrived_at,number,queue,talk_s,staff\n"
        "2027-04-05 09:00,,q0,60,\n"
        "five past,,q0,60,\n"
        "2027-04-05 09:00,,tax,60,\n"
        "2027-04-05 09:00,999,,60,\n"
        "2027-04-05 09:00,,q0,-1,\n"
        "2027-04-05 09:00,,q0,60,perhaps\n"
        ",,q0,60,\n"
    )
    with pytest.raises(CallsFileError) as caught:
        read_calls(written(tmp_path, text), SITE)
    told = str(caught.value)
    for row, word in ((3, "five past"), (4, "tax"), (5, "999"), (6, "-1"), (7, "perhaps"), (8, "arrived_at")):
        (line,) = [one for one in told.splitlines() if f"{row}行目" in one]
        assert word in line
        assert f"row {row}" in line
    assert "2行目" not in told
    assert "6 rows" in told


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "first line"),
        ("at,queue\n1,q0\n", "first line"),
        ("arrived_at,queue\n", "no call"),
        ("[1, 2", "not JSON"),
        ("[1]", "is not JSON"),
        ('{"arrived_at": "2027-04-05T09:00:00"}\n{', "row 2: is not JSON"),
    ],
)
def test_files_that_are_none(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(ScenarioError, match=told):
        read_calls(written(tmp_path, text), SITE)


def test_a_file_that_is_not_there_or_no_text(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="cannot be read"):
        read_calls(tmp_path / "none", SITE)
    (tmp_path / "sound").write_bytes(b"\xff\xfe\x00\x01")
    for read in (read_calls, read_shifts):
        with pytest.raises(ScenarioError, match="UTF-8"):
            read(tmp_path / "sound", SITE)


anything = some.text(max_size=60) | some.lists(
    some.tuples(
        some.sampled_from(["2027-04-05T09:00", "2027-04-05T09:00+99:00", "9999-12-31T23:00Z", "", "9"]),
        some.sampled_from(["q0", "", "x", '"', "0246-22-1110"]),
        some.sampled_from(["1", "", "nan", "inf", "1e999", "a"]),
    ),
    max_size=4,
).map(lambda rows: "arrived_at,queue,talk_s\n" + "\n".join(map(",".join, rows)))


@given(anything)
@settings(max_examples=60)
def test_whatever_a_file_holds_it_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    file = tmp_path_factory.mktemp("any") / "file"
    file.write_text(text, "utf-8", newline="")
    for read in (read_calls, read_shifts):
        try:
            found = read(file, SITE)
        except ScenarioError:
            continue  # every other error is a fault
        assert found


# ── shifts ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_shifts_by_name_with_breaks_and_a_day_of_its_own(tmp_path: Path) -> None:
    text = (
        "operator,days,from,to,breaks\n"
        "1001,mon-fri,9:00,17:00,10:00-10:15 12:00-13:00\n"
        "1002,sat sun,9:00,12:00,\n"
        "\n"
        "1003,2027-04-06,22:00,6:00,\n"
    )
    plan = read_shifts(written(tmp_path, text), SITE)
    shifts, extra = plan.shifts(SITE, MONDAY, range(7))
    assert extra == ()
    breaks = ((TEN, TEN + 900), (NOON, NOON + 3600))
    assert [one for one in shifts if one.operator == "1001"] == [
        Shift(n, "1001", NINE, FIVE, breaks) for n in (0, 2, 3, 4)
    ]
    assert [one for one in shifts if one.operator == "1002"] == [Shift(n, "1002", NINE, NOON) for n in (5, 6)]
    assert [one for one in shifts if one.operator == "1003"] == [Shift(1, "1003", 22 * 3600.0, 30 * 3600.0)]


def test_shifts_by_number_get_names_and_the_long_days_go_round(tmp_path: Path) -> None:
    text = "days,from,to,operators\n,9:00,10:00,1\n,10:00,12:00,5\n,12:00,17:00,1\n"
    plan = read_shifts(written(tmp_path, text), SITE)
    shifts, extra = plan.shifts(SITE, MONDAY, [0])
    assert extra == ("extra-1", "extra-2")
    assert shifts == [
        Shift(0, "1001", NINE, FIVE),
        *(Shift(0, name, TEN, NOON) for name in ("1002", "1003", "extra-1", "extra-2")),
    ]
    shifts, extra = shifts_of(SITE, [0, 1, 2, 3], {(NINE, FIVE): 1, (TEN, NOON): 2})
    assert [one.operator for one in shifts if one.end_s == FIVE] == ["1001", "1002", "1003", "1001"]


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("9999,,9:00,17:00,", "9999"),
        ("1001,mon-xyz,9:00,17:00,", "mon-xyz"),
        ("1001,fri-mon,9:00,17:00,", "fri-mon"),
        ("1001,mon 2027-04-06,9:00,17:00,", "rows of their own"),
        ("1001,,9,17:00,", "'9'"),
        ("1001,,9:00,25:00,", "25:00"),
        ("1001,,9:00,17:00,8:00-9:30", "8:00-9:30"),
        ("1001,,9:00,17:00,12:00-13:00 12:30-14:00", "12:30-14:00"),
        ("1001,,9:00,17:00,noon", "noon"),
    ],
)
def test_every_wrong_shift_is_named(tmp_path: Path, row: str, told: str) -> None:
    text = f"operator,days,from,to,breaks\n{row}\n1001,,9:00,17:00,\n{row}\n"
    with pytest.raises(ScenarioError) as caught:
        read_shifts(written(tmp_path, text), SITE)
    assert "2行目" in str(caught.value)
    assert "4行目" in str(caught.value)
    assert told in str(caught.value)


# ── what if ────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_change_as_people_write_it() -> None:
    assert Change.parse("10:00-12:00:+1") == Change(TEN, NOON, 1)
    assert str(Change.parse(" 8:30-9:00:-2 ")) == "8:30-9:00:-2"
    for wrong in ("", "10-12:+1", "12:00-10:00:+1", "10:00-12:00:1", "10:00-12:00:+0", "10:60-12:00:+1"):
        with pytest.raises(ScenarioError, match="10:00-12:00"):
            Change.parse(wrong)


def test_one_more_is_the_first_who_is_not_there_and_then_an_extra_one() -> None:
    shifts = [Shift(0, "1001", NINE, FIVE), Shift(0, "1002", NINE, TEN)]
    changed = with_changes(day(SITE, [], shifts), [Change(TEN, NOON, 2), Change(TEN, TEN + 60, 1)])
    assert sorted(changed.shifts) == [
        Shift(0, "1001", NINE, FIVE),
        Shift(0, "1002", NINE, NOON),
        Shift(0, "1003", TEN, NOON),
        Shift(0, "extra-1", TEN, TEN + 60),
    ]
    assert changed.extra == ("extra-1",)


def test_one_less_is_the_last_who_is_there_all_the_time() -> None:
    shifts = [Shift(0, one, NINE, FIVE, ((NOON, NOON + 1800),)) for one in ("1001", "1002")]
    shifts.append(Shift(0, "1003", TEN, TEN + 60))
    changed = with_changes(day(SITE, [], shifts), [Change(TEN, NOON, -1)])
    assert sorted(changed.shifts) == [
        Shift(0, "1001", NINE, NOON),
        Shift(0, "1001", NOON + 1800, FIVE),
        Shift(0, "1002", NINE, TEN),
        Shift(0, "1002", NOON + 1800, FIVE),
        Shift(0, "1003", TEN, TEN + 60),
    ]
    nobody = with_changes(day(SITE, [], shifts), [Change(0, 86_400, -9)])
    assert nobody.shifts == []


def test_the_same_calls_with_one_operator_more() -> None:
    """Nothing but the operators is different: all before ten is the same to the letter."""
    site = centre(8, kpi={"clock_start": "queue"})
    callers = Callers(Spread.lognormal(240), patience=Spread.exponential(120))
    scenario = by_rate(site, 60, 5, callers=callers, days=5)
    found = what_if(scenario, [Change.parse("10:00-12:00:+2")])
    before, after = ({one.start_s: one for one in each.intervals} for each in (found.before, found.after))
    assert before.keys() == after.keys()
    for start, one in before.items():
        other = after[start]
        assert one.kpi.offered == other.kpi.offered
        if TEN <= start < NOON:
            assert other.operators > one.operators + 1.5
            assert (other.kpi.answer_rate or 0) > (one.kpi.answer_rate or 0)
        elif start < TEN - 1800:
            assert one == other
    assert found.to_json()["changes"] == ["10:00-12:00:+2"]
    unchanged = what_if(scenario, [], before=found.before)
    assert unchanged.after.kpi == unchanged.before.kpi


def test_scenarios_that_cannot_be() -> None:
    good = day(SITE, [call(NINE)])
    for wrong, told in (
        ({"days": 0}, "days"),
        ({"calls": [call(NINE, queue="x")]}, "no queue 'x'"),
        ({"shifts": [Shift(0, "9", NINE, FIVE)]}, "no operator 9"),
        ({"shifts": [Shift(1, "1001", NINE, FIVE)]}, "no span"),
        ({"shifts": [Shift(0, "1001", FIVE, NINE)]}, "no span"),
        ({"interval_s": 7000}, "interval_s"),
        ({"warm_up_s": math.nan}, "warm_up_s"),
    ):
        fields = {name: getattr(good, name) for name in good.__dataclass_fields__} | wrong
        with pytest.raises(ScenarioError, match=told):
            type(good)(**fields)
    with pytest.raises(ScenarioError, match="no calls"):
        by_calls(SITE, [], 1)
    with pytest.raises(ScenarioError, match="operators"):
        by_rate(SITE, 1, -1, callers=Callers(Spread.constant(1)))


def test_a_year_of_one_call_a_day_stays_in_place() -> None:
    past = [
        PastCall(dt.datetime.combine(MONDAY + dt.timedelta(n), dt.time(9, 30)), "q0", talk_s=60)
        for n in range(0, 365, 5)
    ]
    found = simulate(by_calls(SITE, past, 1))
    assert found.days == 361
    assert found.days_worked == len(past) == found.kpi.answered
