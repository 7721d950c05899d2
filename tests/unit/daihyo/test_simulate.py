"""`daihyo simulate`: tables for people, JSON for programs, one line for every mistake."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest

from daihyo import simulating
from daihyo.plans import write, write_live
from daihyo.settings import Runtime, StateDir
from dialplans import load_site
from store import CallRow, OperatorStateRow, Store
from tests.support.site import site, write_site
from tests.unit.daihyo.command_line import Daihyo

pytestmark = pytest.mark.req("RPT-3")


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    return write_site(tmp_path / "site.yaml", site(6, wrap_up_s=20))


def test_a_rate_beside_erlang_and_with_one_more(daihyo: Daihyo, plan: Path) -> None:
    asked = ("simulate", "--site", plan, "--rate", "40", "--operators", "4", "--days", "3")
    code, said = daihyo(*asked, "--plus", "10:00-12:00:+1")
    assert (code, said) == (0, "")
    for word in ("応答率 answered", "Erlang C", "Erlang A", "10:00-12:00:+1", "要る人", "Gini", "総着信呼"):
        assert word in daihyo.out
    assert "…" not in daihyo.out  # nothing is cut off
    daihyo(*asked, "--json")
    found = json.loads(daihyo.out)
    assert found["simulated"]["days"] == 3
    assert found["simulated"]["offered"] == sum(one["offered"] for one in found["simulated"]["intervals"])
    assert found["formulas"]["erlang_c"]["answer_rate"] == 1
    ten = next(one for one in found["formulas"]["intervals"] if one["from"] == "10:00")
    assert ten["operators"] == 4
    assert ten["needed"] >= 4
    daihyo(*asked, "--json", "--plus", "10:00-12:00:+1")
    both = json.loads(daihyo.out)
    assert both["simulated"] == found["simulated"]
    assert both["after"]["offered"] == found["simulated"]["offered"]
    assert both["after"]["answer_rate"] > found["simulated"]["answer_rate"]
    daihyo(*asked, "--json", "--seed", "2")
    assert json.loads(daihyo.out)["simulated"]["offered"] != found["simulated"]["offered"]


def test_days_without_operators_are_days_and_what_is_needed_is_the_same_all_day(
    daihyo: Daihyo, plan: Path
) -> None:
    asked = ("simulate", "--site", plan, "--rate", "60", "--operators", "0", "--days", "3")
    assert daihyo(*asked) == (0, "")
    assert "3 日 / days" in daihyo.out
    rows = [line.split("│") for line in daihyo.out.splitlines() if ":00-" in line or ":30-" in line]
    assert len(rows) == 16
    assert len({row[3] for row in rows}) == 1
    assert all(15 < float(row[1]) < 50 for row in rows)  # 30 a day


def test_talk_after_the_last_call_has_a_row_of_its_own(daihyo: Daihyo, plan: Path) -> None:
    asked = ("simulate", "--site", plan, "--rate", "60", "--operators", "6", "--days", "3")
    assert daihyo(*asked) == (0, "")
    assert "17:00-17:30" not in daihyo.out
    (after,) = [line.split("│") for line in daihyo.out.splitlines() if line.startswith("終了後")]
    assert (after[1].strip(), after[3].strip()) == ("0.0", "")
    assert "だれもあきらめずに" in daihyo.out


def test_files_of_calls_and_shifts(daihyo: Daihyo, plan: Path, tmp_path: Path) -> None:
    calls = tmp_path / "calls.csv"
    rows = [f"2027-04-05T{hour:02}:{minute:02}:00,main,200" for hour in (9, 10) for minute in range(0, 60, 2)]
    calls.write_text("arrived_at,queue,talk_s\n" + "\n".join(rows))
    shifts = tmp_path / "shifts.csv"
    shifts.write_text("operator,from,to\n1001,9:00,12:00\n1002,9:00,12:00\n1003,10:00,12:00\n")
    code, _ = daihyo("simulate", "--site", plan, "--calls", calls, "--shifts", shifts, "--json")
    assert code == 0
    found = json.loads(daihyo.out)["simulated"]
    assert found["answered"] == 60
    assert [one["operator"] for one in found["operators"]] == ["1001", "1002", "1003"]
    assert sum(one["talk_s"] for one in found["operators"]) == 60 * 200


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ((), "--calls FILE, --rate N or --state DIR"),
        (("--rate", "10"), "--operators N or --shifts FILE"),
        (("--rate", "10", "--operators", "2", "--shifts", "x"), "not both"),
        (("--rate", "10", "--shifts", "nowhere.csv"), "nowhere.csv"),
        (("--calls", "nowhere.csv", "--operators", "2"), "nowhere.csv"),
        (("--rate", "10", "--operators", "2", "--plus", "noon:+1"), "noon:+1"),
        (("--rate", "10", "--operators", "2", "--hours", "9"), "9:00-17:00"),
        (("--rate", "10", "--operators", "2", "--hours", "9:00-9:99"), "9:99"),
        (("--rate", "10", "--operators", "2", "--queue", "tax"), "tax"),
        (("--rate", "10", "--operators", "2", "--first", "monday"), "2027-04-05"),
        (("--rate", "10", "--operators", "2", "--refuses", "0.6", "--misses", "0.6"), "below 1"),
    ],
)
def test_every_mistake_is_one_line(daihyo: Daihyo, plan: Path, more: tuple[str, ...], told: str) -> None:
    code, said = daihyo("simulate", "--site", plan, *more)
    assert code == 2
    assert told in said
    assert len(said.strip().splitlines()) == 1
    assert daihyo.out == ""


def test_a_site_must_be_there(daihyo: Daihyo) -> None:
    code, said = daihyo("simulate", "--rate", "10", "--operators", "2")
    assert (code, "--site FILE" in said) == (2, True)


def test_progress_is_told_when_it_takes_long(
    daihyo: Daihyo, plan: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(simulating, "_TELL_S", 0.0)
    code, said = daihyo(
        "simulate", "--site", plan, "--rate", "5", "--operators", "2", "--days", "3", "--json"
    )
    assert code == 0
    assert said.splitlines()[:2] == ["0 / 3 日 / days", "1 / 3 日 / days"]
    json.loads(daihyo.out)


@pytest.fixture
async def past(plan: Path, tmp_path: Path) -> StateDir:
    """A centre that is not running. Monday 2026-04-06: thirty calls from nine on, two minutes apart;
    1001 and 1002 were there from nine to eleven."""
    made = StateDir(tmp_path / "s")
    made.create()
    Runtime("/site.yaml", "127.0.0.1", 8080, 5060, (10000, 10999), 8088, 5038).save(made)
    write(made, 1, plan.read_text(), load_site(plan))
    write_live(made, 1)
    nine = dt.datetime(2026, 4, 6, 0, 0, tzinfo=dt.UTC)
    async with await Store.open(made.sqlite_url) as store, store.session() as session:
        for n in range(30):
            at = nine + dt.timedelta(minutes=2 * n)
            session.add(
                CallRow(
                    call=f"c{n}",
                    arrived_at=at,
                    queued_at=at,
                    number="0246221111",
                    queue="main",
                    via="engine",
                    outcome="answered",
                    operators=[],
                    offers=1,
                    refusals=0,
                    talk_s=100.0,
                    wait_s=5.0,
                )
            )
        for n, (operator, hours, state) in enumerate(
            [("1001", 0, "ready"), ("1002", 0, "ready"), ("1001", 2, "off"), ("1002", 2, "off")]
        ):
            at = nine + dt.timedelta(hours=hours)
            works = state == "ready"
            session.add(
                OperatorStateRow(
                    id=str(n), at=at, operator=operator, state=state, reachable=True, at_work=works
                )
            )
    return made


def test_of_the_own_history(daihyo: Daihyo, past: StateDir) -> None:
    span = ("--from", "2026-04-01", "--to", "2026-05-01")
    code, said = daihyo("simulate", "--state", past.path, *span, "--replay", "--json")
    assert (code, said) == (0, "")
    found = json.loads(daihyo.out)["simulated"]
    assert (found["offered"], found["answered"], found["days"]) == (30, 30, 1)
    assert {one["operator"]: round(one["duty_s"]) for one in found["operators"]} == {
        "1001": 7200,
        "1002": 7200,
    }
    code, said = daihyo("simulate", "--state", past.path, *span, "--operators", "2", "--days", "7", "--json")
    assert (code, said) == (0, "")
    week = json.loads(daihyo.out)["simulated"]
    assert (week["days"], week["days_worked"]) == (7, 1)
    assert 10 < week["offered"] < 60
    code, said = daihyo("simulate", "--state", past.path, *span)
    assert (code, "--operators" in said) == (2, True)
    code, said = daihyo("simulate", "--state", past.path, "--from", "2025-01-01", "--to", "2025-02-01")
    assert (code, "no calls since 2025-01-01" in said) == (2, True)
