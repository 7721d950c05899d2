"""Supervisors at conversations whose telephones the test plays: whatever is pressed in whatever order, who is
in which room is who may hear whom."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.call import Call, Hold, LegGone, PageLost, Resume
from engine.commands import CommandError
from engine.control import Control
from switch import Hangup, HangupReason, NotFound
from tests.support.site import site

from .conftest import Line, close
from .floors import Exchange, Opened, opened, settle

CALL, OPERATOR, BOSS, OTHER = "minato-1.1", "1001", "1901", "1902"


class Leg(Line):
    """A telephone that is answered at once, unless it is told to ring on, and that can hang up."""

    def __init__(self, town: Town, identity: str, *args: str) -> None:
        super().__init__(identity, *args)
        self.town = town
        self.answered = asyncio.Event()
        self.gone: list[Callable[[Hangup], None]] = []

    def on_gone(self, callback: Callable[[Hangup], None]) -> None:
        if self.hangup_info is not None:
            callback(self.hangup_info)
        else:
            self.gone.append(callback)

    async def wait_up(self) -> None:
        await self.answered.wait()

    async def wait_gone(self) -> None:
        while self.hangup_info is None:
            await asyncio.sleep(0.001)

    async def hangup(self, cause: str = "normal") -> None:
        self.ends()

    def ends(self) -> None:
        if self.hangup_info is None:
            self.hangup_info = Hangup(HangupReason.HANGUP, 16)  # type: ignore[assignment]
            self.town.leaves(self)
            for callback in self.gone:
                callback(self.hangup_info)  # type: ignore[arg-type]


class Snoop(Leg):
    def __init__(self, town: Town, identity: str, of: Line, whisper: bool) -> None:
        super().__init__(town, identity, "snoop")
        self.of, self.whisper = of, whisper


class Room(Line):
    def __init__(self, town: Town, identity: str) -> None:
        super().__init__(identity)
        self.town = town
        self.inside: list[Line] = []

    async def add(self, *legs: Line) -> None:
        for leg in legs:
            assert leg.hangup_info is None, f"{leg.id} is gone"
            self.town.leaves(leg)
            self.inside.append(leg)
        self.town.look(self, legs)

    async def remove(self, *legs: Line) -> None:
        for leg in legs:
            if leg in self.inside:
                self.inside.remove(leg)

    async def destroy(self) -> None:
        self.inside.clear()
        self.town.rooms.remove(self)


class Town(Exchange):
    """Looks at each move of a leg whether anybody hears what is not meant for them."""

    def __init__(self) -> None:
        super().__init__()
        self.rooms: list[Room] = []
        self.legs: dict[str, list[Leg]] = {}
        self.snoops: list[Snoop] = []
        self.ring_on: set[str] = set()
        self.may_join: Callable[[str], bool] = lambda supervisor: False

    async def leg(self, endpoint: str, *, channel_id: str, **_: Any) -> Any:
        leg = Leg(self, channel_id, "leg")
        self.legs.setdefault(endpoint, []).append(leg)
        if endpoint not in self.ring_on:
            leg.answered.set()
        return leg

    async def bridge(self) -> Any:
        self.rooms.append(Room(self, f"room-{len(self.rooms)}-{len(self.snoops)}"))
        return self.rooms[-1]

    async def snoop(self, channel: Any, *, snoop_id: str, whisper: bool) -> Snoop:
        if channel.hangup_info is not None:
            raise NotFound("no such channel")
        self.snoops.append(Snoop(self, snoop_id, channel, whisper))
        return self.snoops[-1]

    def leaves(self, leg: Line) -> None:
        for room in self.rooms:
            if leg in room.inside:
                room.inside.remove(leg)

    def look(self, room: Room, came: tuple[Line, ...]) -> None:
        """Who has just come into a room. (Who is to leave it may be in it a moment longer.)"""
        snoops = [leg for leg in room.inside if isinstance(leg, Snoop)]
        assert len(snoops) <= 1, "two snoops hear each other"
        if CALL in [leg.id for leg in room.inside]:
            assert not snoops
            for id in [leg.id for leg in came if leg.id.startswith("leg-19")]:
                assert self.may_join(id.split("-")[1]), f"{id} is heard by the citizen"

    def room_of(self, leg: Line | None) -> Room | None:
        return next((room for room in self.rooms if leg in room.inside), None)


class Play:
    """One conversation of operator 1001; supervisors 1901 and 1902."""

    def __init__(self, made: Opened) -> None:
        self.made, self.town = made, Town()
        made.exchange = self.town
        made.centre.switch = self.town  # type: ignore[assignment]
        assert made.centre.session is not None
        made.centre.session.switch = self.town  # type: ignore[assignment]
        self.session = made.centre.session
        self.control = Control(made.centre)
        self.town.may_join = self._may_join

    def _may_join(self, supervisor: str) -> bool:
        one = self.session.supervisions.all.get(supervisor)
        joined = one is not None and one.mode.value == "join"
        return joined or (self.call is not None and self.call.operator == supervisor)

    @property
    def call(self) -> Call | None:
        return self.session.calls.get(CALL)

    @property
    def boss(self) -> Leg:
        return self.town.legs[BOSS][-1]

    async def begins(self) -> Call:
        call = await self.made.calls(CALL)
        await settle()
        assert call.operator == OPERATOR
        return call

    async def do(self, command: str, **fields: Any) -> dict[str, Any]:
        commands = self.control.commands
        model, work = commands[command]
        asked = asyncio.ensure_future(work(model.model_validate(fields)))
        await settle()
        try:
            result: Any = await asked
            return dict(result)
        finally:
            await settle()

    async def supervise(self, mode: str, supervisor: str = BOSS) -> None:
        await self.do("supervise.start", call=CALL, supervisor=supervisor, mode=mode, by="sv")

    def hears(self) -> str:
        """As what the first supervisor is in the conversation."""
        room = self.town.room_of(self.boss)
        if room is None:
            return "nothing"
        call: Any = self.call
        if call is not None and room is call.bridge:
            return "join"
        snoops = [leg for leg in room.inside if isinstance(leg, Snoop)]
        if not snoops:
            return "nothing"
        [snoop] = snoops
        assert call is not None
        assert snoop.of is call.leg, "it hears an old leg"
        return "whisper" if snoop.whisper else "listen"


async def play(folder: Path) -> Play:
    made = await opened(folder, site(operators=2, supervisors=2, wrap_up_s=30), ready=False)
    made.connect()
    made.ready(OPERATOR, BOSS)
    made.centre.on_phone(OTHER, True)
    await settle()
    return Play(made)


@pytest.fixture
async def scene(tmp_path: Path) -> Any:
    one = await play(tmp_path)
    yield one
    close(one.made.centre)


MOVES = st.sampled_from(
    ["listen", "whisper", "join", "hold", "resume", "stop", "other joins", "page lost", "hangs up", "mute"]
)


@pytest.mark.req("MON-2")
@settings(max_examples=40, deadline=None)
@given(st.lists(MOVES, min_size=1, max_size=8))
def test_in_whatever_order_nobody_hears_what_is_not_meant_for_them(moves: list[str]) -> None:
    async def run() -> None:
        with TemporaryDirectory() as folder:
            scene = await play(Path(folder))
            try:
                await _moves(scene, moves)
            finally:
                close(scene.made.centre)

    asyncio.run(run())


async def _moves(scene: Play, moves: list[str]) -> None:
    call, wished = await scene.begins(), None
    for move in moves:
        if scene.call is None or call.operator != OPERATOR:
            break
        match move:
            case "listen" | "whisper" | "join":
                await scene.supervise(move)
                wished = move
            case "other joins":
                await scene.supervise("join", OTHER)
            case "hold" | "resume":
                call.inbox.put_nowait(Hold() if move == "hold" else Resume())
            case "stop" if wished is not None:
                await scene.do("supervise.stop", supervisor=BOSS)
                wished = None
            case "hangs up" if wished is not None:
                scene.boss.ends()
                wished = None
            case "mute":
                await scene.do("call.mute", call=CALL, operator=OPERATOR)
            case "page lost":
                assert call.leg is not None
                call.inbox.put_nowait(PageLost("page_closed", call.leg.id))
        await settle()
        if scene.call is not None and call.operator == OPERATOR and wished is not None:
            async with asyncio.timeout(5):
                while scene.hears() != wished:
                    await settle()
    if wished is None and scene.call is not None:
        assert scene.session.supervisions.all.get(BOSS) is None
        assert scene.made.state(BOSS) == ("talking" if call.operator == BOSS else "ready")


@pytest.mark.req("MON-2", "OPR-1")
async def test_the_snoop_follows_a_page_that_was_loaded_anew_and_so_does_mute(scene: Play) -> None:
    call = await scene.begins()
    call.phone = "browser"
    await scene.supervise("whisper")
    await scene.do("call.mute", call=CALL, operator=OPERATOR)
    old = call.leg
    assert old is not None
    seat = scene.made.centre.seats
    seat.opened(OPERATOR, "page-b", "browser", in_call=False)
    scene.made.centre.on_phone(f"{OPERATOR}-web", True)
    call.inbox.put_nowait(PageLost("page_closed", old.id))
    for _ in range(100):
        await settle()
        if call.leg is not old and scene.call is not None and call.phase.value == "talking":
            break
        await asyncio.sleep(0.01)
    assert call.leg is not old
    assert scene.hears() == "whisper"
    assert "mute True" in call.leg.asked  # type: ignore[union-attr]
    assert call.muted


@pytest.mark.req("OPR-5", "MON-2")
@pytest.mark.parametrize("joined", [True, False])
async def test_a_phone_that_dies_leaves_the_citizen_with_whoever_has_joined(
    scene: Play, joined: bool
) -> None:
    call = await scene.begins()
    await scene.supervise("join" if joined else "listen")
    assert call.leg is not None
    died = Hangup(HangupReason.HANGUP, 44)
    call.leg.hangup_info = died  # type: ignore[misc]
    call.inbox.put_nowait(LegGone(call.leg.id, died))
    await settle()
    if joined:
        assert (call.operator, call.leg.id) == (BOSS, scene.boss.id)
        assert scene.made.last("taken_over") == {"operator": OPERATOR, "by": BOSS}
        assert scene.made.last("supervision_ended")["reason"] == "took_over"
    else:
        assert call.waits()  # in front
        assert scene.made.last("supervision_ended")["reason"] == "operator_left"
        await asyncio.sleep(0.02)  # what is let go is let go a moment later
        assert scene.boss.hangup_info is not None


@pytest.mark.req("MON-2")
async def test_a_phone_that_still_rings(scene: Play) -> None:
    """Stopped before it is answered: nothing is noted. The call over meanwhile: the same."""
    call = await scene.begins()
    scene.town.ring_on.add(BOSS)
    for end in ("stop", "over"):
        await scene.supervise("listen")
        shown = scene.made.centre.live.operator_state(BOSS)
        assert shown["supervising"] == {"call": CALL, "mode": "listen", "ringing": True}
        assert shown["state"] == "talking"  # no caller is offered meanwhile
        if end == "stop":
            await scene.do("supervise.stop", supervisor=BOSS)
        else:
            assert isinstance(call.leg, Leg)
            call.leg.ends()
            await settle()
            scene.boss.answered.set()
        await settle()
        await asyncio.sleep(0.02)  # what is let go is let go a moment later
        assert scene.boss.hangup_info is not None
        assert scene.made.state(BOSS) == "ready"
    assert "supervision_began" not in scene.made.kinds(CALL)


@pytest.mark.req("MON-2")
async def test_from_one_conversation_to_another_by_one_key(scene: Play) -> None:
    await scene.begins()
    scene.made.centre.on_phone("1002", True)
    scene.made.ready("1002")
    other = await scene.made.calls("minato-1.2")
    await settle()
    assert other.operator == "1002"
    await scene.supervise("whisper")
    first = scene.boss
    command = {"call": other.id, "supervisor": BOSS, "mode": "listen", "by": "sv"}
    asked = asyncio.create_task(scene.do("supervise.start", **command))
    async with asyncio.timeout(5):
        await asked
        while first.hangup_info is None or scene.boss is first:
            await asyncio.sleep(0.01)
    await settle()
    assert scene.made.last("supervision_ended")["reason"] == "moved"
    assert [one.call.id for one in scene.session.supervisions.all.values()] == [other.id]
    assert scene.made.state(BOSS) == "talking"


@pytest.mark.req("MON-2", "MON-3")
async def test_what_cannot_be_is_refused_with_its_reason(scene: Play) -> None:
    call = await scene.begins()
    for fields, code in (
        ({"call": "minato-9.9", "supervisor": BOSS}, "unknown_call"),
        ({"call": CALL, "supervisor": "1999"}, "unknown_operator"),
        ({"call": CALL, "supervisor": OPERATOR}, "not_allowed"),
        ({"call": CALL, "supervisor": "1002"}, "target_unreachable"),
    ):
        for command in ("supervise.start", "supervise.take_over"):
            with pytest.raises(CommandError) as problem:
                await scene.do(command, **fields, by="sv")
            assert problem.value.code == code
    await scene.supervise("listen")
    for command in ("call.pull", "supervise.mode"):
        fields = {"call": CALL, "supervisor": BOSS, "by": "sv"}
        fields = fields if command == "call.pull" else {"supervisor": OTHER, "mode": "join"}
        with pytest.raises(CommandError) as problem:
            await scene.do(command, **fields)
        assert problem.value.code in ("not_waiting", "not_supervising")
    with pytest.raises(CommandError) as problem:
        await scene.do("call.unmute", call=CALL, operator=BOSS)
    assert problem.value.code == "not_your_call"
    assert call.operator == OPERATOR


@pytest.mark.req("OPR-5")
async def test_a_request_for_help_is_one_and_ends_with_the_work_on_its_call(scene: Play) -> None:
    call = await scene.begins()
    helps = scene.made.centre.helps
    first = await scene.do("help.ask", operator=OPERATOR, call=CALL, text="税")
    await scene.do("help.ask", operator=OPERATOR, text="至急", urgent=True)
    await scene.do("help.ask", operator="1002", text="休憩の前に一言")
    assert [one["operator"] for one in helps.state()] == [OPERATOR, "1002"]  # the urgent first
    assert [one["text"] for one in helps.state()[0]["messages"]] == ["税", "至急"]
    assert helps.state()[0]["id"] == first["id"]
    assert isinstance(call.leg, Leg)
    call.leg.ends()
    await settle()
    assert scene.made.state(OPERATOR) == "wrap_up"
    assert len(helps.state()) == 2  # what was asked may be needed to write it up
    await scene.do("operator.wrapped_up", operator=OPERATOR, result="完了")
    assert [one["operator"] for one in helps.state()] == ["1002"]
    await scene.do("help.close", help=helps.state()[0]["id"], by="1002")
    assert helps.state() == []
    with pytest.raises(CommandError) as problem:
        await scene.do("help.say", help=first["id"], by="sv", text="?")
    assert problem.value.code == "unknown_help"
