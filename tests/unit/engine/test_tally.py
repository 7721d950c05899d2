"""What operators have done today survives a kill of the engine, and begins anew at midnight."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from acd import Tally
from dialplans import load_site
from engine.clock import Clock
from engine.tally import Day, TallyMemory, day_of, tally_data
from tests.support.site import site, write_site

from .conftest import close
from .floors import Opened, opened, settle
from .test_memory import event, folded

TODAY = Day("2026-11-21", 3000.0, 50000.0)
YESTERDAY = "2026-11-20"


def told(n: int, state: str, *tally: object, **more: Any) -> Any:
    return event(n, "operator_state", None, operator="1001", state=state, tally=list(tally), **more)


def talk(begins: int, ends: int | None = None, call: str = "c1") -> list[Any]:
    events = [
        event(begins - 1, "arrived", call, number="0246221111", caller=None, via="engine"),
        event(begins, "answered", call, operator="1001", leg="l", bridge="b", phone="desk"),
    ]
    return events if ends is None else [*events, event(ends, "left", call, operator="1001")]


def at(n: int, *events: Any, day: Day = TODAY) -> tuple[Tally, list[float]]:
    """The tally of 1001 at 4000 + n, and when their conversations of the last hour began."""
    tally = folded(list(events)).operator("1001").tally
    return tally.at(4000.0 + n, day), tally.begun(4000.0 + n)


READY = told(0, "ready", 5, 100, 900, TODAY.name)
LOST = {"operator": "1001", "reachable": False, "tally": [5, 100, 910, TODAY.name]}


@pytest.mark.req("ACD-1", "REL-1")
@pytest.mark.parametrize(
    ("events", "tally"),
    [
        ([READY], Tally(5, 100, 960)),
        ([told(0, "break", 5, 100, 900, TODAY.name)], Tally(5, 100, 900)),
        ([told(0, "wrap_up", 5, 100, 900, TODAY.name, until="2026-11-21T02:00:00Z")], Tally(5, 100, 960)),
        # In a talk since 20: its call is counted by the new floor, its seconds until now here.
        ([READY, *talk(20)], Tally(5, 140, 960)),
        # Over, and the state after it not told: killed in between.
        ([READY, *talk(20, 50)], Tally(6, 130, 960)),
        # Told after it: that is the truth.
        ([READY, *talk(20, 50), told(50, "ready", 6, 130, 950, TODAY.name)], Tally(6, 130, 960)),
        # A phone that was away does no duty.
        ([READY, event(10, "operator_phone", None, **LOST)], Tally(5, 100, 910)),
        ([told(0, "ready", 5, 100, 900, TODAY.name, reachable=False)], Tally(5, 100, 900)),
        # A journal of before: nothing was told.
        ([event(0, "operator_state", None, operator="1001", state="ready")], Tally(0, 0, 60)),
    ],
)
def test_a_new_engine_goes_on_where_the_old_one_was_killed(events: list[Any], tally: Tally) -> None:
    assert at(60, *events)[0] == tally


@pytest.mark.req("ACD-1", "REL-1")
def test_midnight_while_the_engine_was_away() -> None:
    """At 4000 + 60 it is 30 s past midnight."""
    today = Day("2026-11-22", 4030.0, 50000.0)
    assert at(60, READY, day=today)[0] == Tally(0, 0, 30)
    assert at(60, READY, *talk(20), day=today)[0] == Tally(0, 30, 30)
    assert at(60, READY, *talk(40), day=today)[0] == Tally(0, 20, 30)
    assert at(60, told(0, "break", 5, 100, 900, YESTERDAY))[0] == Tally(0, 0, 0)


@pytest.mark.req("ACD-2", "REL-1")
def test_the_conversations_of_the_last_hour_are_remembered_for_a_limit() -> None:
    assert at(60, *talk(10, 20), *talk(30, 40, "c2"), *talk(50, call="c3"))[1] == [4010.0, 4030.0]
    assert at(3625, *talk(10, 20), *talk(30, 40, "c2"))[1] == [4030.0]
    kept = told(100, "ready", 2, 20, 90, TODAY.name, begun=["2026-11-21T01:16:40.000000Z"])
    assert at(110, *talk(10, 20), *talk(30, 40, "c2"), kept)[1] == [5000.0]


def test_an_answer_told_again_is_one_talk() -> None:
    tally = TallyMemory()
    tally.talk_began(10)
    tally.talk_began(15)  # the page was loaded anew
    tally.talk_ended(30)
    assert (tally.calls, tally.talk_s) == (1, 20)
    tally.talk_ended(40)
    assert tally.calls == 1


class At(Clock):
    """A wall clock that the test sets; the other one goes on."""

    def __init__(self, now: datetime) -> None:
        self._ahead = now - datetime.now(UTC)

    def now(self) -> datetime:
        return datetime.now(UTC) + self._ahead

    def passes(self, span: timedelta) -> None:
        self._ahead += span


def test_a_day_is_one_of_the_sites_zone(tmp_path: Path) -> None:
    tokyo = load_site(write_site(tmp_path / "site.yaml", site()))
    clock = At(datetime(2026, 11, 21, 15, 30, tzinfo=UTC))
    day = day_of(tokyo, clock)
    assert day.name == "2026-11-22"
    assert abs(clock.mono() - day.begun_mono - 1800) < 60
    assert abs(day.left_s - 23.5 * 3600) < 60


@pytest.fixture
async def floor(tmp_path: Path) -> AsyncIterator[Opened]:
    content = site(operators=2)
    content["operators"][0]["most_calls_h"] = 1
    made = await opened(tmp_path, content)
    yield made
    close(made.centre)


@pytest.mark.req("ACD-1", "KPI-1")
async def test_a_new_day_counts_from_zero(floor: Opened) -> None:
    centre = floor.centre
    call = await floor.calls("c1")
    await floor.answers("1001")
    call.channel.hangs_up()  # type: ignore[attr-defined]
    await settle()
    assert floor.last("operator_state")["tally"][0] == 1
    centre.clock = At(datetime.now(UTC) + timedelta(days=1))
    floor.floor.duty.watch()  # what the timer does at midnight
    assert centre.live.operator_state("1001")["tally"]["calls"] == 0
    floor.ready("1002")
    assert floor.floor.duty.tally("1001")[0] == 0
    assert floor.floor.duty.tally("1001")[3] == day_of(centre.site, centre.clock).name


@pytest.mark.req("ACD-1", "ACD-2", "REL-1")
async def test_killed_in_a_talk_the_new_engine_counts_it_once(floor: Opened, tmp_path: Path) -> None:
    call = await floor.calls("c1")
    await floor.answers("1001")
    before = floor.floor.view("1001")
    assert before.tally.calls == 1
    leg, citizen = floor.exchange.rung["1001"][0], call.channel
    close(floor.centre)

    again = await opened(tmp_path, ready=False)
    again.centre.reachable = {"1001": {"desk"}, "1002": {"desk"}}
    again.connect(citizen, leg, rooms={"b-1": (citizen.id, leg.id)})  # type: ignore[arg-type]
    await settle()
    tally = again.floor.view("1001").tally
    assert (again.state("1001"), tally.calls) == ("talking", 1)
    assert before.tally.talk_s <= tally.talk_s < before.tally.talk_s + 60
    assert before.tally.duty_s <= tally.duty_s < before.tally.duty_s + 60
    citizen.hangs_up()  # type: ignore[attr-defined]
    await settle()
    told = again.last("operator_state")
    assert (told["operator"], told["state"], told["tally"][0], len(told["begun"])) == ("1001", "ready", 1, 1)
    # The operator's own limit holds over the kill: one call an hour.
    assert again.centre.live.operator_state("1001")["limited_until"] is not None
    close(again.centre)

    third = await opened(tmp_path, ready=False)
    third.centre.reachable = {"1001": {"desk"}, "1002": {"desk"}}
    third.connect()
    assert third.floor.view("1001").tally.calls == 1
    assert third.centre.live.operator_state("1001")["limited_until"] is not None
    await third.calls("c2")
    assert third.last("offered")["operator"] == "1002"
    close(third.centre)


def test_as_the_journal_has_it() -> None:
    assert tally_data(Tally(3, 61.23456, 3600.0004), "2026-11-21") == [3, 61.235, 3600.0, "2026-11-21"]


def test_while_the_switch_is_away_duty_goes_on() -> None:
    tally = TallyMemory()
    tally.told([5, 100, 900, TODAY.name], 4000, True)
    tally.told(None, 4060, False)  # a break, told without the distributor
    assert tally.at(5000, TODAY) == Tally(5, 100, 960)


@pytest.mark.req("ACD-2")
async def test_a_limit_that_has_passed_is_told_to_the_board(floor: Opened) -> None:
    call = await floor.calls("c1")
    await floor.answers("1001")
    call.channel.hangs_up()  # type: ignore[attr-defined]
    await settle()
    floor.floor._tick()
    until = floor.floor.view("1001").limited_until
    assert until is not None
    floor.floor.do(floor.floor.distributor.tick(at=until))
    floor.centre.live._operators.clear()
    floor.floor.duty.limits_passed()
    assert floor.centre.live._operators == {"1001"}
    assert floor.centre.live.operator_state("1001")["limited_until"] is None
    await floor.calls("c2")
    assert floor.last("offered")["because"]["among"] == 2
