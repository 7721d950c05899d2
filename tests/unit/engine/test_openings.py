"""Supervisors' switches and notices: kept through a restart, over when their time is."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import engine.openings
from engine.centre import Centre
from ivr import Mode
from tests.support.planned import CITY, GUARDED

from .conftest import close, make


def set_for(centre: Centre, seconds: float, digits: str = GUARDED, mode: str = "open") -> None:
    number = next(one for one in centre.site.numbers if one.digits == digits)
    until = centre.plan_now() + timedelta(seconds=seconds)
    centre.openings.switch([number], mode, until, "選挙", "sv01")


@pytest.mark.req("HRS-3", "REL-1")
async def test_a_switch_outlives_the_engine_and_ends_by_itself(tmp_path: Path) -> None:
    first = await make(tmp_path)
    set_for(first, 3600)
    set_for(first, 0.5, CITY, "closed")
    assert first.openings.switches(first.site).modes == {GUARDED: Mode.OPEN, CITY: Mode.CLOSED}
    assert await first.journal.synced()
    close(first)  # killed; the second switch ends while nobody looks

    second = await make(tmp_path)
    ended = asyncio.Event()
    note = second.note

    def noted(kind: str, *args: Any, **data: Any) -> Any:
        if kind == "opening_cleared":
            assert (data["number"], data["by"], data["mode"]) == (CITY, "expiry", "closed")
            ended.set()
        return note(kind, *args, **data)

    second.note = noted  # type: ignore[method-assign]
    second.openings.changed()
    async with asyncio.timeout(10):
        await ended.wait()
    assert second.openings.switches(second.site).modes == {GUARDED: Mode.OPEN}
    [left] = second.live.state()["openings"]
    assert (left["number"], left["mode"], left["reason"], left["by"]) == (GUARDED, "open", "選挙", "sv01")
    close(second)


@pytest.mark.req("HRS-3")
async def test_a_switch_that_is_over_rules_no_call_even_before_it_is_cleared(planned: Centre) -> None:
    set_for(planned, 60)
    planned.openings.set_clock(planned.plan_now() + timedelta(seconds=61))
    assert planned.openings.switches(planned.site).modes == {}
    planned.openings.changed()
    assert planned.memory.openings == {}


@pytest.mark.req("HRS-1")
async def test_the_board_is_told_when_a_number_opens(planned: Centre) -> None:
    planned.openings.set_clock(datetime(2026, 11, 23, 23, 29, 59, 700_000, UTC))  # 8:29:59.7 on Tuesday
    told: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    planned.live.listeners.add(told.put_nowait)
    planned.openings.changed()

    async def guarded() -> tuple[bool, str | None]:
        async with asyncio.timeout(10):
            live = (await told.get())["live"]
        [one] = [number for number in live["numbers"] if number["number"] == GUARDED]
        return one["open"], one["next_open"]

    assert await guarded() == (False, "2026-11-23T23:30:00.000000Z")
    assert await guarded() == (True, None)


@pytest.mark.req("HRS-6")
async def test_notices_in_the_order_of_the_plan_and_two_people(planned: Centre) -> None:
    openings = planned.openings
    assert openings.notice("quake", "a", two_people=True) == "asked"
    assert openings.notice("quake", "a", two_people=True) == "same"
    assert openings.switches(planned.site).notices == ()
    assert openings.notice("quake", "b", two_people=True) == "on"
    assert openings.notice("quake", "c", two_people=True) == "on"
    assert openings.notice("flood", "a", two_people=False) == "on"
    assert openings.switches(planned.site).notices == ("flood", "quake")
    kept = planned.memory.notices["quake"]
    assert (kept.by, kept.confirmed_by) == ("a", "b")
    assert openings.clear_notice("quake", "a")
    assert not openings.clear_notice("quake", "a")
    assert openings.switches(planned.site).notices == ("flood",)


@pytest.mark.req("HRS-6")
async def test_what_no_second_person_confirms_is_asked_for_no_longer(
    planned: Centre, monkeypatch: pytest.MonkeyPatch
) -> None:
    cleared: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    note = planned.note

    def noted(kind: str, *args: Any, **data: Any) -> Any:
        if kind == "notice_cleared":
            cleared.put_nowait(data)
        return note(kind, *args, **data)

    planned.note = noted  # type: ignore[method-assign]
    openings = planned.openings
    assert openings.notice("quake", "a", two_people=True) == "asked"
    monkeypatch.setattr(engine.openings, "LAPSES", timedelta(milliseconds=50))
    openings.changed()  # it lapses by itself
    async with asyncio.timeout(10):
        assert (await cleared.get()) == {"notice": "quake", "by": "expiry", "confirmed_by": None}
    assert openings.state()["notices"] == []
    monkeypatch.undo()
    assert openings.notice("quake", "a", two_people=True) == "asked"
    now = planned.clock.now
    monkeypatch.setattr(planned.clock, "now", lambda: now() + timedelta(minutes=16))
    assert openings.notice("quake", "b", two_people=True) == "asked"  # too late to confirm: asked anew
    assert openings.notice("quake", "c", two_people=True) == "on"
    monkeypatch.setattr(planned.clock, "now", lambda: now() + timedelta(minutes=60))
    openings.changed()
    assert planned.memory.notices["quake"].on  # what is on stays on
