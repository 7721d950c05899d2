"""What the journal says laid beside what Asterisk holds: each disagreement has one outcome."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cdr import Journal
from engine.centre import Centre
from engine.clock import Clock
from engine.settings import EngineSettings
from engine.versions import Versions
from switch import FoundBridge, Hangup, Snapshot, SwitchSettings
from tests.support.site import NUMBER, site, write_site


class Line:
    """A channel that notes what is asked of it."""

    up, name, caller, dialled, hangup_info = True, "PJSIP/x", None, NUMBER, None

    def __init__(self, identity: str, *args: str) -> None:
        self.id, self.args = identity, args
        self.asked: list[str] = []

    def on_gone(self, callback: Callable[[Hangup], None]) -> None: ...

    def __getattr__(self, what: str) -> Any:
        async def asked(*arguments: object) -> None:
            self.asked.append(" ".join((what, *map(str, arguments))))

        return asked


CITIZEN, LEG, ROOM = "minato-1.1", "leg-1001-x-1", "b-1"


@pytest.fixture
async def centre(tmp_path: Path) -> AsyncIterator[Centre]:
    path = write_site(tmp_path / "site.yaml", site(operators=1, wrap_up_s=30))
    switch = SwitchSettings("", "", "", "", 0, "", "")
    settings = EngineSettings(
        path, tmp_path / "journal", tmp_path, tmp_path / "s", tmp_path / "queue_log", switch
    )
    clock = Clock()
    journal = Journal(settings.journal_folder, clock=clock)
    made = Centre(settings, Versions.open(None, path), journal, clock)
    made.switch = Line("switch")
    made.note("operator_state", operator="1001", state="ready", reason="", until=None)
    yield made
    if made.session is not None:
        made.session.detach()
    await asyncio.sleep(0)
    journal.close()


def talking(centre: Centre, phone: str = "desk") -> None:
    centre.note("arrived", CITIZEN, number=NUMBER, caller=None, channel="x", via="engine")
    centre.note("queued", CITIZEN, queue="main", priority=0, again=False, prefer=None)
    centre.note("answered", CITIZEN, operator="1001", phone=phone, leg=LEG, bridge=ROOM)


async def connected(centre: Centre, *channels: Line, room: tuple[str, ...] | None = None) -> list[str]:
    """Connects to a switch that holds these; returns the kinds of event that this brought."""
    rooms: Any = () if room is None else (FoundBridge(Line(ROOM), room),)
    kinds: list[str] = []
    note = centre.note
    centre.note = lambda kind, *a, **k: kinds.append(kind) or note(kind, *a, **k)  # type: ignore
    held: Any = channels
    centre.on_connected(Snapshot(datetime.now(UTC) - timedelta(days=1), held, rooms))
    await asyncio.sleep(0.05)
    return kinds


@pytest.mark.req("REL-1", "OPR-2")
@pytest.mark.parametrize("noted", [True, False])
async def test_a_hold_that_was_not_yet_written_down_is_one_all_the_same(centre: Centre, noted: bool) -> None:
    talking(centre)
    if noted:
        centre.note("held", CITIZEN, operator="1001")
    citizen = Line(CITIZEN, "arrival", NUMBER)
    kinds = await connected(centre, citizen, Line(LEG, "leg"), room=(LEG,))
    assert centre.live.state()["calls"][0]["phase"] == "hold"
    assert ("held" in kinds) is not noted
    assert citizen.asked == ["music True default"]


@pytest.mark.req("REL-1", "OPR-1")
@pytest.mark.parametrize(("phone", "stays"), [("browser", True), ("desk", False)])
async def test_a_leg_gone_meanwhile_is_a_page_that_went_away_or_a_desk_phone_hung_up(
    centre: Centre, phone: str, stays: bool
) -> None:
    talking(centre, phone)
    citizen = Line(CITIZEN, "arrival", NUMBER)
    kinds = await connected(centre, citizen)
    assert ("leg_lost" in kinds) is stays
    assert ("ended" in kinds) is not stays
    assert ("hangup" in citizen.asked) is not stays
    if stays:
        queued = [call for call in centre.memory.calls.values() if call.operator is None]
        assert [call.priority for call in queued] == [100]


@pytest.mark.req("REL-1")
async def test_a_call_that_had_ended_is_let_go_and_not_greeted_again(centre: Centre) -> None:
    talking(centre)
    centre.note("ended", CITIZEN, by="operator", cause=16, reason="normal")
    citizen = Line(CITIZEN, "arrival", NUMBER)
    kinds = await connected(centre, citizen)
    assert "arrived" not in kinds
    assert citizen.asked == ["hangup"]


@pytest.mark.req("REL-2")
async def test_a_hand_over_that_the_lost_line_swallowed_is_made_good(centre: Centre) -> None:
    talking(centre)
    centre.note("left", CITIZEN, operator="1001")
    centre.note("handed_over", CITIZEN)
    citizen = Line(CITIZEN, "arrival", NUMBER)
    kinds = await connected(centre, citizen)
    assert not {"arrived", "ended"} & set(kinds)
    assert citizen.asked == [f"go_on survival-adopt {NUMBER}"]


@pytest.mark.req("REL-1", "OPR-2")
async def test_a_break_asked_for_in_a_talk_that_ended_meanwhile_still_comes(centre: Centre) -> None:
    talking(centre)
    centre.note("operator_next", operator="1001", state="break", reason="昼食")
    await connected(centre)
    operator = centre.live.state()["operators"][0]
    assert (operator["state"], operator["next_state"]) == ("wrap_up", "break")
    memory = centre.memory.operator("1001")
    assert (memory.next_state, memory.next_reason) == ("break", "昼食")


@pytest.mark.req("ACD-6", "REL-1")
async def test_every_offer_ends_also_when_the_caller_left_while_nobody_looked(centre: Centre) -> None:
    centre.note("arrived", CITIZEN, number=NUMBER, caller=None, channel="x", via="engine")
    centre.note("queued", CITIZEN, queue="main", priority=0, again=False, prefer=None)
    centre.note("offered", CITIZEN, queue="main", operator="1001", phone="desk", leg=LEG, because={})
    kinds = await connected(centre)
    assert kinds.index("offer_ended") < kinds.index("ended")
