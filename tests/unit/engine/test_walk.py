"""A call led through its plan: which keys count, and what a fault of ours comes to."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import engine.walk
from dialplans import load_site
from engine.call import Call
from engine.centre import Centre
from engine.session import Session
from engine.versions import Plan
from tests.support.planned import CITY, EVENTS, GUARDED, LIMITED, plan
from tests.support.site import write_site

from .conftest import Line, close, make
from .test_plan_recovery import connected

TUESDAY_NIGHT = datetime(2026, 11, 24, 13, tzinfo=UTC)
SENT_ON = "混んでいます。待つは1、終わるは9です。"


class Pressed(Line):
    """A line whose keys wait to be heard, as a real one's do."""

    def __init__(self, identity: str, *args: str) -> None:
        super().__init__(identity, *args)
        self.keys: list[str] = []
        self.asks = asyncio.Event()

    def forget_digits(self) -> None:
        self.keys.clear()

    async def play(self, *media: str, until_digit: bool = False) -> str | None:
        self.asked.append(" ".join(("play", *media)))
        if not until_digit:
            return None
        if self.keys:
            return self.keys.pop(0)
        self.asks.set()
        await asyncio.Event().wait()
        return None


def overflowing() -> dict[str, Any]:
    """A queue and a forward that lead into a menu."""
    made = plan(5099)
    made["steps"].append(
        {
            "id": "busy",
            "kind": "menu",
            "say": SENT_ON,
            "keys": {"1": {"go": "queue:main", "label": "待つ"}, "9": {"go": "full", "label": "終わる"}},
            "otherwise": "full",
        }
    )
    made["queues"][1]["overflow"] = "busy"
    made["forwards"][0]["unanswered"] = "busy"
    made["steps"] = [one for one in made["steps"] if one["id"] != "nobody-there"]
    return made


@pytest.mark.req("IVR-1", "ACD-3", "ACD-4")
@pytest.mark.parametrize(("number", "waits_in"), [(LIMITED, "queue"), (GUARDED, "forward")])
async def test_keys_pressed_while_waiting_choose_nothing_afterwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: str, waits_in: str
) -> None:
    write_site(tmp_path / "site.yaml", overflowing())
    centre = await make(tmp_path)
    centre.openings.set_clock(TUESDAY_NIGHT)
    await connected(centre)
    line = Pressed("minato-1.2", "arrival", number)

    async def over(_: Session, call: Call, *__: object) -> str:
        line.keys.append("9")  # somebody plays with the keys while nothing asks for one
        return "longest_wait" if waits_in == "queue" else "busy"

    monkeypatch.setattr(engine.walk, waits_in, over)
    assert centre.session is not None
    centre.session.arrived(line)  # type: ignore[arg-type]
    async with asyncio.timeout(10):
        await line.asks.wait()  # the menu waits for a key
    assert [fact.data["step"] for fact in centre.memory.calls[line.id].facts][-1] == "busy"
    assert centre.session.calls[line.id].walk.step == "busy"
    close(centre)


@pytest.mark.req("REL-2", "NUM-1")
async def test_a_number_that_has_left_the_plan_is_handed_over_as_one_that_is_there(
    planned: Centre, tmp_path: Path
) -> None:
    await connected(planned)
    assert planned.session is not None
    line = Line("minato-1.2", "arrival", LIMITED)
    planned.session.arrived(line)  # type: ignore[arg-type]
    content = plan(5099)
    content["numbers"] = [one for one in content["numbers"] if one["number"] != LIMITED]
    (tmp_path / "next").mkdir()
    await planned.activate(Plan(2, load_site(write_site(tmp_path / "next" / "site.yaml", content))))
    planned.session.hand_over(planned.session.calls[line.id])
    planned.session.hand_over_again(line, LIMITED)  # type: ignore[arg-type]
    for _ in range(5):
        await asyncio.sleep(0)
    gone_on = [asked for asked in line.asked if asked.startswith("go_on")]
    assert gone_on == [f"go_on survival-adopt {CITY}"] * 2


@pytest.mark.req("ACD-3")
async def test_a_new_engine_counts_each_answer_once(tmp_path: Path) -> None:
    first = await make(tmp_path)
    for n in range(3):
        first.note("arrived", f"c{n}", number=CITY, caller="03", channel="PJSIP/x-1", via="engine")
        first.note("queued", f"c{n}", queue="main", priority=0, again=False, prefer=None)
        first.note("answered", f"c{n}", operator="1001", phone="desk", leg="l", bridge="b")
    first.note("ended", "c0", by="operator", cause=16, reason="normal")
    assert await first.journal.synced()
    close(first)
    second = await make(tmp_path)
    assert len(second.memory.served["main"]) == len(first.memory.served["main"]) == 3
    assert set(second.memory.calls) == {"c1", "c2"}
    assert "c0" in second.memory.ended
    close(second)


@pytest.mark.req("NUM-1")
@pytest.mark.parametrize(("number", "queues"), [(CITY, True), (EVENTS, False)])
async def test_the_journal_tells_whether_a_number_has_queues(
    planned: Centre, number: str, queues: bool
) -> None:
    noted = await connected(planned)
    assert planned.session is not None
    planned.session.arrived(Line("minato-1.2", "arrival", number))  # type: ignore[arg-type]
    arrived = [data for kind, data in noted if kind == "arrived" and data["number"] == number][-1]
    assert arrived["queues"] is queues
