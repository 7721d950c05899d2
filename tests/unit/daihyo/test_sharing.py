"""`daihyo why` and `daihyo evenness`: what is printed of a call and of a morning."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from daihyo.plans import write, write_live
from daihyo.settings import Runtime, StateDir
from daihyo.sharing import apart, table
from dialplans import parse_site
from store import Store
from tests.support.databases import sqlite_with_tables
from tests.support.events import NINE, Story
from tests.unit.cdr.test_shares import Journal, hand_counted
from tests.unit.daihyo.command_line import Daihyo
from tests.unit.daihyo.plan_folder import text_of

DAY = NINE.date().isoformat()


def row(operator: str, idle_s: float) -> list[object]:
    return [operator, 1, idle_s, 3, 700.0, 3600.0, 4, 2]


def rung() -> list[Story]:
    """A call that rang twice and then booked a callback, and the callback."""
    call = Story("minato-1.1").at(0, "arrived", number="0246221111", caller="0901", via="engine")
    call.at(2, "queued", queue="main", priority=0, again=False)
    because = {"rule": "longest_idle", "idle_s": 90.0, "among": 2}
    right = {**because, "candidates": [row("1001", 90), row("1002", 5)]}
    wrong = {**because, "candidates": [row("1001", 5), row("1002", 90)]}
    call.at(2, "offered", queue="main", operator="1001", because=right)
    call.at(12, "offer_ended", operator="1001", reason="no_answer", ring_s=10)
    call.at(40, "callback_booked", callback="cb1", queue="main").at(45, "ended", by="centre")
    call.at(100, "offered", queue="main", operator="1001", because=wrong)
    back = Story("minato-1.2").at(105, "dialled", of="minato-1.1", callback="cb1", operator="1001", to="0901")
    for event in back.events:  # after the call's, as the journal would have it
        object.__setattr__(event, "id", "z" + event.id)
    return [call, back]


@pytest.fixture
def state(tmp_path: Path) -> StateDir:
    """A centre that is not running, with a morning and a call in its database."""
    made = StateDir(tmp_path / "s")
    made.create()
    Runtime("/site.yaml", "127.0.0.1", 8080, 5060, (10000, 10999), 8088, 5038).save(made)
    write(made, 1, text_of(), parse_site(text_of()))
    write_live(made, 1)
    (tmp_path / "journal").mkdir()

    async def fill() -> None:
        journal: Journal = hand_counted()
        journal.events += [event for story in rung() for event in story.events]
        async with await Store.open(sqlite_with_tables(made.path / "daihyo.db")) as store:
            await journal.into(store, tmp_path / "journal")

    asyncio.run(fill())
    return made


@pytest.mark.req("ACD-1", "ACD-6")
@pytest.mark.parametrize("call", ["minato-1.1", "minato-1.2"])
def test_why_a_call_rang_where_it_rang(daihyo: Daihyo, state: StateDir, call: str) -> None:
    assert daihyo("why", call, "--state", state.path) == (0, "")
    assert daihyo.out.splitlines() == [
        "09:00:02 操作者01に呼び出し: 待機していた2人のうち、いちばん長く待機していたため"
        "（1分30秒。次は操作者02 5秒）。10秒鳴らしたが応答なし。",
        "09:00:12から28秒待ち: 受けられる操作者が空いていないか、先に待っている人がいたため。",
        "09:00:40から1分00秒、折り返しの順番待ち（待ち行列での順番はそのまま）。",
        "09:01:40 操作者01に呼び出し: 規則「longest_idle」による。ただし記録の数字では操作者02になる。"
        "操作者が受け、市民に電話した。",
    ]


def test_why_with_those_who_could_have_been_chosen(daihyo: Daihyo, state: StateDir) -> None:
    assert daihyo("why", "minato-1.1", "--rows", "--state", state.path)[0] == 0
    assert daihyo.out.splitlines()[1:4] == [
        "       操作者    レベル     待機  件数     通話     在席  呼出  前回",
        "    *  操作者01       1  0:01:30     3  0:11:40  1:00:00     4     2",
        "       操作者02       1  0:00:05     3  0:11:40  1:00:00     4     2",
    ]
    assert daihyo("why", "minato-1.1", "--json", "--state", state.path)[0] == 0
    offers = json.loads(daihyo.out)["offers"]
    assert [(line["operator"], line["ending"], line["replayed"]) for line in offers] == [
        ("1001", "no_answer", True),
        (None, None, None),
        (None, None, None),
        ("1001", "called", False),
    ]
    assert [each["operator"] for each in offers[0]["rows"]] == ["1001", "1002"]


def test_why_of_a_call_that_is_not_known_and_of_one_that_rang_nowhere(
    daihyo: Daihyo, state: StateDir
) -> None:
    code, said = daihyo("why", "nobody-1.1", "--state", state.path)
    assert code == 2
    assert "there is no call nobody-1.1; `daihyo calls` lists them" in said
    assert len(said.strip().splitlines()) == 1
    assert daihyo("why", "a0", "--state", state.path)[0] == 0
    assert "1001に呼び出し" not in daihyo.out  # people have names
    assert "操作者01に呼び出し" in daihyo.out


@pytest.mark.req("ACD-1")
def test_how_evenly_a_morning_was_shared(daihyo: Daihyo, state: StateDir) -> None:
    assert daihyo("evenness", "--from", DAY, "--by-day", "--state", state.path) == (0, "")
    lines = daihyo.out.splitlines()
    assert lines[0] == "総合案内 (main)"
    assert ["|".join(line.split()) for line in lines[1:6]] == [
        "操作者|件数|うちこの待ち行列|通話|後処理|在席|離席|研修|件数/時|通話/時|稼働率",
        "操作者01|8|8|0:46:40|0:01:20|4:00:00|0:00:00|0:00:00|2.00|0:11:40|20.0|%",
        "操作者02|6|3|0:29:00|0:01:00|3:00:00|1:00:00|0:00:00|2.00|0:09:40|16.7|%",
        "1003|2|2|0:23:40|0:00:20|1:00:00|0:00:00|0:00:00|2.00|0:23:40|40.0|%",
        "(1004)|1|1|0:00:50|0:00:10|0:06:00|0:00:00|0:00:00|10.00|0:08:20|16.7|%",
    ]
    assert "2.00 – 2.00  平均/mean 2.00  差/spread 0.00  Gini 0.000" in lines[6]
    assert "0:09:40 – 0:23:40  平均/mean 0:15:00  差/spread 0:14:00  Gini 0.207" in lines[7]
    assert "16.7 % – 40.0 %  平均/mean 25.6 %  差/spread 23.3 %  Gini 0.203" in lines[8]
    assert lines[9].startswith(f"{DAY}  2.00 – 2.00")
    assert "在席時間15分未満" in lines[-1]
    assert (
        daihyo("evenness", "--from", "2026-11-01", "--to", "2026-12-01", "--by-day", "--state", state.path)[0]
        == 0
    )
    assert [line[:10] for line in daihyo.out.splitlines() if line.startswith("2026-")] == [DAY]


@pytest.mark.req("ACD-1")
def test_evenness_as_json_and_of_one_queue(daihyo: Daihyo, state: StateDir) -> None:
    until = ("--from", DAY, "--to", "2026-11-22", "--queue", "main", "--json", "--state", state.path)
    assert daihyo("evenness", *until) == (0, "")
    (queue,) = json.loads(daihyo.out)["queues"]
    assert (queue["queue"], queue["operators"], queue["calls"]["spread"]) == ("main", 3, 0.0)
    assert "days" not in queue
    assert daihyo("evenness", "--by-day", *until) == (0, "")
    (queue,) = json.loads(daihyo.out)["queues"]
    assert [(day["day"], len(day["rows"])) for day in queue["days"]] == [(DAY, 4)]
    assert daihyo("evenness", "--from", "2020-01-01", "--to", "2020-01-02", "--state", state.path)[0] == 0
    assert "nobody was on duty" in daihyo.out
    code, said = daihyo("evenness", "--queue", "mian", "--state", state.path)
    assert code == 2
    assert "--queue mian: この待ち行列はありません / no such queue; there are: main" in said


def test_a_missing_state_is_said_in_both_languages(daihyo: Daihyo) -> None:
    assert daihyo("why", "a0") == (2, "daihyo: --state を指定してください / --state must be given\n")


def test_two_who_lie_close_together_do_not_look_alike() -> None:
    assert apart([27.4, 26.9, 3.0]) == ["0:00:27.4", "0:00:26.9", "0:00:03.0"]
    assert apart([27.0, 27.0, 3.04]) == ["0:00:27", "0:00:27", "0:00:03"]


def test_columns_of_japanese_names_stand_straight() -> None:
    assert table(("操作者", "n"), [("山田", "1"), ("Li", "10")]) == ["操作者   n", "山田     1", "Li      10"]
