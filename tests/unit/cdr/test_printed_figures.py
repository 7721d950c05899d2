"""`daihyo kpi` and `daihyo calls` on the day of docs/kpi.md: every figure and outcome is printed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from daihyo import figures
from daihyo.plans import write, write_live
from daihyo.settings import Runtime, StateDir
from dialplans import parse_site
from store import Store
from tests.support.events import NINE
from tests.unit.cdr.test_plan import RECORDS, filled
from tests.unit.daihyo.plan_folder import text_of

DAY = NINE.date().isoformat()


@pytest.fixture
async def state(tmp_path: Path) -> StateDir:
    """A centre that is not running, with the twelve calls in its database."""
    made = StateDir(tmp_path / "s")
    made.create()
    Runtime("/site.yaml", "127.0.0.1", 8080, 5060, (10000, 10999), 8088, 5038).save(made)
    write(made, 1, text_of(), parse_site(text_of()))
    write_live(made, 1)
    (tmp_path / "journal").mkdir()
    async with await Store.open(made.sqlite_url) as store:
        await filled(store, tmp_path / "journal")
    return made


@pytest.mark.req("KPI-1", "KPI-2", "KPI-3")
async def test_what_was_offered_is_told_in_its_parts(state: StateDir) -> None:
    lines = (await figures.kpi(state, DAY, None, None, False)).splitlines()
    told = [line.split(" / ", 1)[1].split() for line in lines[:7]]
    assert told == [
        ["answered", "40.0", "%", "(2", "/", "5)"],
        ["abandoned", "1"],
        ["lost", "0"],
        ["overflowed", "2"],
        ["callbacks", "0"],
        ["mean", "11.0", "s"],
        ["within", "9", "s", "50.0", "%"],
    ]
    as_json = json.loads(await figures.kpi(state, DAY, None, None, True))
    assert (as_json["offered"], as_json["overflowed"], as_json["left_out"]) == (5, 2, 7)


async def test_every_call_is_listed_with_its_outcome(state: StateDir) -> None:
    lines = (await figures.calls(state, DAY, None, None, 100, False)).splitlines()
    assert {line.split()[-1]: line.split()[4] for line in lines} == {
        name: record.outcome.value for name, record in RECORDS.items()
    }
