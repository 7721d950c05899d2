"""Supervisors' switches over the hours, emergency notices, other versions of the plan: while calls go on."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.support.phones import phones
from tests.support.planned import (
    CITY,
    EVENTS,
    GUARDED,
    TUESDAY_NIGHT,
    TUESDAY_NOON,
    Planned,
    plan,
    planned,
    put_version,
)

MENU = "窓口は1、英語は2、守衛は3、案内は4です。"
TOKYO = ZoneInfo("Asia/Tokyo")


async def back(at: Planned, pid: int) -> None:
    """Until another engine drives the calls."""
    async with asyncio.timeout(30):
        while at.running.pid("engine") == pid:
            await asyncio.sleep(0.02)
    await at.running.event("engine_started", 30, lambda one: one.data["pid"] == at.running.pid("engine"))
    await at.running.control.wait(lambda: bool(at.running.control.switch.get("connected")), 30)


async def live(at: Planned) -> dict[str, Any]:
    return await at.running.control.do("live")


async def becomes(at: Planned, true: Callable[[dict[str, Any]], bool], within_s: float = 15) -> None:
    async with asyncio.timeout(within_s):
        while not true(await live(at)):
            await asyncio.sleep(0.05)


async def number(at: Planned, digits: str) -> dict[str, Any]:
    return next(one for one in (await live(at))["numbers"] if one["number"] == digits)


def moment(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=TOKYO)


@pytest.mark.req("HRS-1", "HRS-3", "REL-1")
async def test_a_number_is_switched_open_and_comes_back_by_itself(tmp_path: Path) -> None:
    async with planned(tmp_path, TUESDAY_NIGHT) as at, phones() as sip:
        at.outside.policy = "486"
        shown = await number(at, GUARDED)
        assert (shown["open"], shown["until"]) == (False, None)
        assert moment("2026-11-25 08:30") == dt.datetime.fromisoformat(shown["next_open"])
        until = (moment(TUESDAY_NIGHT) + dt.timedelta(hours=1)).isoformat()
        wanted = {"numbers": ["0246-22-1200"], "mode": "extended", "reason": "選挙", "by": "sv01"}
        await at.running.control.do("opening.set", until=until, **wanted)
        [opening] = (await live(at))["openings"]
        assert (opening["number"], opening["mode"], opening["reason"]) == (GUARDED, "extended", "選挙")
        async with at.dial(sip, GUARDED) as citizen:
            await citizen.hears("お待ちください。")
            assert citizen.told()[:3] == ["夜間案内です。", "録音します。", "お待ちください。"]
        await back(at, at.running.kill("engine"))
        assert (await number(at, GUARDED))["open"] is True
        # Its time is over; nobody has to do anything.
        near = (moment(TUESDAY_NIGHT) + dt.timedelta(minutes=59, seconds=59)).isoformat()
        await at.running.control.do("plan.time", at=near)
        cleared = await at.event("opening_cleared", number=GUARDED)
        assert (cleared["by"], cleared["mode"], cleared["reason"]) == ("expiry", "extended", "選挙")
        await becomes(at, lambda now: not now["openings"])
        async with at.dial(sip, GUARDED) as citizen:
            await citizen.hears("守衛室におつなぎします。")
        # By day: closed by hand, and open again by hand.
        await at.running.control.do("plan.time", at=moment(TUESDAY_NOON).isoformat())
        until = moment("2026-11-24 13:00").isoformat()
        await at.running.control.do("opening.set", mode="closed", until=until, reason="停電", by="sv01")
        assert not any(one["open"] for one in (await live(at))["numbers"])
        async with at.dial(sip, CITY) as citizen:  # no closed target: said kindly and hung up
            await citizen.is_hung_up()
            assert "市代表です。" not in citizen.told()
        await at.running.control.do("opening.clear", numbers=[CITY], by="sv01")
        assert (await number(at, CITY))["open"] is True
        assert (await number(at, EVENTS))["open"] is False


@pytest.mark.req("HRS-3", "SEC-1")
async def test_what_cannot_be_switched(tmp_path: Path) -> None:
    whole = {"mode": "open", "until": "2026-11-24T13:00:00+09:00", "reason": "選挙", "by": "sv01"}
    refusals: list[tuple[dict[str, Any], str]] = [
        ({"numbers": ["0990"]}, "unknown_number"),
        ({"until": "2026-11-24T11:59:00+09:00"}, "bad_until"),
        ({"until": "2027-11-24T12:00:00+09:00"}, "bad_until"),
        ({"until": "2026-11-24T13:00:00"}, "bad_field"),  # of which zone?
        ({"reason": ""}, "bad_field"),
        ({"mode": "ajar"}, "bad_field"),
    ]
    async with planned(tmp_path) as at:
        for fields, code in refusals:
            answer = await at.running.control.ask("opening.set", **(whole | fields))
            assert answer["error"]["code"] == code, fields
        assert not (await live(at))["openings"]
        assert not [event for event in at.running.events() if event.kind == "opening_set"]


@pytest.mark.req("HRS-6", "REL-1")
async def test_a_notice_stands_in_front_of_everything(tmp_path: Path) -> None:
    async with planned(tmp_path) as at, phones() as sip:
        do = at.running.control.do
        assert (await do("notice.set", notice="flood", by="sv01"))["state"] == "on"
        assert (await do("notice.set", notice="quake", by="sv01"))["state"] == "asked"
        again = await at.running.control.ask("notice.set", notice="quake", by="sv01")
        assert again["error"]["code"] == "second_person"
        async with at.dial(sip, EVENTS) as citizen:
            await citizen.is_hung_up()
            assert citizen.told()[:2] == ["大雨の警報が出ています。", "催し案内です。"]
            assert "地震がありました。" not in citizen.told()
        assert (await do("notice.set", notice="quake", by="sv02"))["state"] == "on"
        told = {
            one["notice"]: (one["state"], one["by"], one["confirmed_by"])
            for one in (await live(at))["notices"]
        }
        assert told == {"flood": ("on", "sv01", None), "quake": ("on", "sv01", "sv02")}
        await asyncio.sleep(0.2)  # on disk
        await back(at, at.running.kill("engine"))
        async with at.dial(sip, EVENTS) as citizen:
            await citizen.hears("催し案内です。")
            assert citizen.told()[:2] == ["大雨の警報が出ています。", "地震がありました。"]
        await do("notice.clear", notice="flood", by="sv01")
        await do("notice.clear", notice="quake", by="sv01")
        async with at.dial(sip, EVENTS) as citizen:
            await citizen.hears("催し案内です。")
            assert citizen.told() == ["催し案内です。"]
        unknown = await at.running.control.ask("notice.set", notice="snow", by="sv01")
        assert unknown["error"]["code"] == "unknown_notice"


def put(at: Planned, version: int, **changes: Any) -> None:
    put_version(at.running.state.path, version, plan(at.outside.port, **changes))


def other_menu(at: Planned, text: str) -> dict[str, Any]:
    """The plan's steps, the first menu with another text and without key 4."""
    steps = plan(at.outside.port)["steps"]
    steps[0] |= {"say": text, "keys": {"1": {"go": "queue:main", "label": "窓口"}}}
    return {"steps": [one for one in steps if one["id"] not in ("inner", "place")]}


@pytest.mark.req("ADM-1", "IVR-1", "REL-1")
async def test_a_call_ends_on_the_version_it_began_with(tmp_path: Path) -> None:
    async with planned(tmp_path) as at, phones() as sip:
        ask, do = at.running.control.ask, at.running.control.do
        first = (await live(at))["plan"]["version"]
        async with at.dial(sip, CITY) as citizen:
            await citizen.hears(MENU, whole=False)
            put(at, 71, **other_menu(at, "新しい案内の準備ができていません。"))
            refused = await ask("plan.activate", version=71, by="op")
            assert refused["error"]["code"] == "sounds_missing"
            assert "新しい案内" in refused["error"]["message"]
            put(at, 72, **other_menu(at, "大雨の警報が出ています。"))  # a text that has its sound
            (at.running.state.path / "plans" / "72.json").unlink()
            done = await do("plan.activate", version=72, by="op", comment="短くした")
            assert done == {"version": 72, "calls": 1}
            assert (await at.event("plan_activated", version=72))["comment"] == "短くした"
            async with at.dial(sip, CITY) as other:
                await other.hears("大雨の警報が出ています。", whole=False)
                await other.press("4")
                await other.hears("そのボタンは、お使いいただけません。")
            # Killed and back: the call's own version is read again.
            await back(at, at.running.kill("engine"))
            assert (await live(at))["plan"]["version"] == 72
            await citizen.hears(MENU, times=2)
            await citizen.press("4")
            await citizen.hears("場所は1、戻るは0です。")
        (at.running.state.path / "plans" / "73.yaml").write_text("city: [")
        for version in (73, 74):
            broken = await ask("plan.activate", version=version, by="op")
            assert broken["error"]["code"] == "plan_broken"
        assert (await live(at))["plan"]["version"] == 72
        assert (await do("plan.activate", version=first, by="op"))["version"] == first  # undone
