"""Transfers in the moments that real telephones seldom hit: two things at once, and an engine killed between
two facts. Telephones and rooms are those of test_supervision."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from acd import OperatorState
from cdr import record_of
from dialplans import OutRoute
from engine import session, transfer_control
from engine.call import Phase
from engine.commands import CommandError
from engine.outbound import Wanted
from engine.transfer_control import To
from switch import Channel, KeyTransfer
from tests.support.site import NUMBER, site

from .conftest import close
from .floors import Citizen, opened, settle
from .test_supervision import CALL, OPERATOR, Leg, Play, Town

THIRD, SECOND_CALL = "1003", "minato-1.2"


class Rings(Leg):
    """A telephone that rings until it is answered."""

    @property
    def up(self) -> bool:  # type: ignore[override]
        return self.answered.is_set() and self.hangup_info is None

    async def wait_ringing(self) -> None: ...


class Exchange(Town):
    """`ring_on`: endpoints that are not answered by themselves. `stopped`: whose recording was ended, and
    what happens then."""

    def __init__(self) -> None:
        super().__init__()
        self.stopped: list[str] = []
        self.when_stopped: Any = None

    async def leg(self, endpoint: str, *, channel_id: str, **_: Any) -> Any:
        leg = Rings(self, channel_id, "leg")
        self.legs.setdefault(endpoint, []).append(leg)
        if endpoint not in self.ring_on:
            leg.answered.set()
        return leg

    async def stop_recording(self, channel: Channel) -> None:
        self.stopped.append(channel.id)
        if self.when_stopped is not None:
            self.when_stopped()


class Scene(Play):
    """Operator 1001 talks with a citizen; 1002 is there and 1003 rings on."""

    def __init__(self, made: Any) -> None:
        super().__init__(made)
        self.exchange = self.town = Exchange()
        there: Any = self.exchange
        made.centre.switch = self.session.switch = there
        self.town.ring_on.add(THIRD)

    @property
    def third(self) -> Leg:
        return self.town.legs[THIRD][-1]

    async def press(
        self, key: str, call: str = CALL, operator: str = OPERATOR, **more: Any
    ) -> dict[str, Any]:
        return await self.do(f"call.{key}", call=call, operator=operator, **more)

    async def answers(self) -> None:
        self.third.answered.set()
        await settle()

    def hops(self) -> int:
        """As the screen has it; the record says the same."""
        live = self.made.centre.live.state()["calls"]
        [shown] = [one["hops"] for one in live if one["id"] == CALL]
        told = record_of([event for event in self.made.noted if event.call == CALL]).hops
        assert shown == told
        return int(shown)


def to(operator: str = THIRD) -> dict[str, Any]:
    return {"kind": "operator", "number": operator}


@pytest.fixture
async def scene(tmp_path: Path) -> Any:
    made = await opened(tmp_path, site(operators=3, wrap_up_s=0), ready=False)
    made.connect()
    one = Scene(made)
    made.ready(OPERATOR)
    call = await made.calls(CALL)
    await settle()
    assert call.operator == OPERATOR
    made.ready(THIRD)
    yield one
    close(made.centre)


@pytest.mark.req("XFR-4")
async def test_only_who_has_answered_counts_as_a_hop(scene: Scene) -> None:
    await scene.press("blind", to=to())
    assert scene.hops() == 0  # it rings
    await scene.do("operator.refuse", operator=THIRD)
    assert scene.call is not None
    assert (scene.call.operator, scene.hops()) == (OPERATOR, 0)  # come back
    await scene.press("consult", to=to())
    await scene.answers()
    assert scene.hops() == 0
    await scene.press("complete")
    assert (scene.call.operator, scene.hops()) == (THIRD, 1)
    await scene.press("blind", operator=THIRD, to={"kind": "queue", "number": "main"})
    assert scene.call.operator in (OPERATOR, THIRD)
    assert scene.hops() == 2  # an operator of the queue has answered


@pytest.mark.req("XFR-4")
@pytest.mark.parametrize("wrap_up_s", [0, 600])
async def test_a_citizen_who_comes_back_before_the_phone_has_hung_up_is_the_same_operators(
    tmp_path: Path, wrap_up_s: int
) -> None:
    """The target refuses while the operator's own phone is still on its way to hang up."""
    made = await opened(tmp_path, site(operators=3, wrap_up_s=wrap_up_s), ready=False)
    made.connect()
    scene = Scene(made)
    made.ready(OPERATOR)
    call = await made.calls(CALL)
    assert call.operator == OPERATOR
    made.ready("1002", THIRD)
    mine: Any = call.leg
    hung_up = asyncio.Event()

    async def slowly(cause: str = "normal") -> None:
        await hung_up.wait()
        mine.ends()

    mine.hangup = slowly
    await scene.press("blind", to=to())
    await scene.do("operator.refuse", operator=THIRD)
    assert made.last("returned")["to"] == OPERATOR
    assert call.phase is Phase.WAITING  # though 1002 is free
    hung_up.set()
    await settle()
    assert call.operator == OPERATOR
    assert len(scene.town.legs[OPERATOR]) == 2
    close(made.centre)


@pytest.mark.req("XFR-6")
@pytest.mark.parametrize("by_itself", [True, False])
async def test_a_phone_whose_own_key_has_transferred_hangs_up_by_itself(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, by_itself: bool
) -> None:
    """A BYE of ours that overtakes the NOTIFY would tell the operator that it has failed. One that never
    hangs up is let go all the same."""
    monkeypatch.setattr(session, "ITSELF_S", 30.0 if by_itself else 0.0)
    assert scene.call is not None
    mine: Any = scene.call.leg
    monkeypatch.setattr(scene.session.keys, "target", lambda _, dialled: To(kind="operator", number=dialled))
    scene.session.keys.pressed(KeyTransfer(mine, digits=THIRD))
    await settle()
    if by_itself:
        assert mine.asked[-1] == "transfer_told True"
        assert mine.hangup_info is None
        mine.ends()
    async with asyncio.timeout(10):
        while scene.made.state(OPERATOR) != "ready":
            await asyncio.sleep(0.001)
    assert mine.hangup_info is not None


@pytest.mark.req("XFR-2", "OPR-1")
async def test_a_colleague_is_rung_for_one_transfer_at_a_time(scene: Scene) -> None:
    """Two press in the same moment: the second hears that they are busy, and its end frees nobody."""
    scene.made.centre.wants(THIRD, OperatorState.BREAK, "", "test")
    scene.made.ready("1002")
    other = await scene.made.calls(SECOND_CALL)
    scene.made.ready(THIRD)
    await settle()
    assert other.operator == "1002"
    asked = await asyncio.gather(
        scene.press("consult", to=to()),
        scene.press("consult", call=SECOND_CALL, operator="1002", to=to()),
        return_exceptions=True,
    )
    refused = [one.code for one in asked if isinstance(one, CommandError)]
    assert refused == ["target_busy"]
    assert len(scene.town.legs[THIRD]) == 1
    await scene.answers()
    assert scene.made.floor.view(THIRD).state.value == "talking"
    assert other.phase is Phase.TALKING


@pytest.mark.req("REC-1", "XFR-2")
async def test_a_consult_left_while_it_rings_records_no_citizen(scene: Scene) -> None:
    await scene.press("consult", to=to())
    await scene.press("complete")
    assert scene.exchange.stopped == []
    await scene.answers()
    assert scene.exchange.stopped == [scene.third.id]
    assert scene.call is not None
    assert scene.call.operator == THIRD


@pytest.mark.req("XFR-2")
async def test_completed_in_the_moment_in_which_the_target_hangs_up(scene: Scene) -> None:
    """The citizen is the operator's again, not on a line to nobody."""
    await scene.press("consult", to=to())
    await scene.answers()
    scene.exchange.when_stopped = scene.third.ends
    await scene.press("complete")
    call = scene.call
    assert call is not None
    assert (call.operator, call.phase) == (OPERATOR, Phase.TALKING)
    room: Any = call.bridge
    assert {leg.id for leg in room.inside} == {CALL, call.leg.id if call.leg is not None else ""}
    assert scene.made.last("transfer_ended")["reason"] == "target_gone"


@pytest.mark.req("XFR-2")
async def test_a_transfer_told_to_have_failed_does_not_happen_later(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfer_control, "RINGS_S", 0.0)
    call: Any = scene.call
    held = asyncio.Event()
    remove = call.bridge.remove

    async def slowly(*legs: Any) -> None:
        await held.wait()
        await remove(*legs)

    call.bridge.remove = slowly
    await scene.do("call.hold", call=CALL, operator=OPERATOR)
    with pytest.raises(CommandError):
        await scene.press("consult", to=to())
    held.set()
    await settle()
    assert call.phase is Phase.HOLD
    assert THIRD not in scene.town.legs
    assert "transfer_begun" not in scene.made.kinds(CALL)


@pytest.mark.req("OPR-5")
async def test_a_call_out_given_up_before_it_has_begun_leaves_nobody_stuck(scene: Scene) -> None:
    scene.made.ready("1002")
    scene.town.ring_on.add("1002")
    outbounds = scene.session.outbounds
    one = outbounds.begin(Wanted("1002", OutRoute("0311110002", None, NUMBER, ())))
    outbounds.cancel("1002")
    await settle()
    outbounds.cancel("1002")
    await settle()
    assert one.task is not None
    assert one.task.done()
    assert outbounds.under_way == {}
    assert scene.made.state("1002") == "ready"


# -- an engine that was killed between two facts

EXTENSION = {"kind": "extension", "number": "2345", "name": "", "department": "", "entry": None}


def told_before(centre: Any, *facts: tuple[str, dict[str, Any]]) -> None:
    for kind, data in facts:
        centre.note(kind, CALL, **data)


def arrived() -> tuple[str, dict[str, Any]]:
    return "arrived", {
        "number": NUMBER,
        "caller": "0311110001",
        "channel": "PJSIP/trunk-test-1",
        "plan": None,
    }


TALKS = [
    ("queued", {"queue": "main", "priority": 0, "again": False}),
    ("answered", {"operator": OPERATOR, "phone": "desk", "leg": "leg-1001-1", "bridge": "b1"}),
]
GONE_OVER = [
    ("transfer_begun", {"place": 1, "how": "blind", "operator": OPERATOR, "to": EXTENSION, "leg": "x1"}),
    ("transferred", {"place": 1, "operator": OPERATOR, "to": EXTENSION, "leg": "x1", "bridge": "b1"}),
    ("left", {"operator": OPERATOR}),
    ("wrap_up", {"operator": OPERATOR}),
    ("transfer_answered", {"place": 1, "leg": "x1"}),
]


@pytest.mark.req("XFR-4", "REL-1")
async def test_a_citizen_is_given_back_while_the_engine_is_just_coming_back(tmp_path: Path) -> None:
    """The department's call to the return code stands in Asterisk already when the engine connects."""
    made = await opened(tmp_path, site(), ready=False)
    told_before(made.centre, arrived(), *TALKS, *GONE_OVER)  # type: ignore[arg-type]
    town = Town()
    code = Citizen("minato-1.9", NUMBER, "0311110001")
    code.args = ("arrival", NUMBER, "", "7700", "", "", "return_code")
    made.centre.switch = town  # type: ignore[assignment]
    made.connect(
        Citizen(CALL, NUMBER, "0311110001"), Leg(town, "x1", "leg"), code, rooms={"b1": (CALL, "x1")}
    )
    session = made.centre.session
    assert session is not None
    await settle()
    assert code.id not in session.calls
    assert made.last("returned")["reason"] == "return_code"
    assert made.centre.memory.calls[CALL].transfers.hops == 1
    close(made.centre)


@pytest.mark.req("XFR-4", "REL-1")
async def test_whom_we_had_called_comes_back_though_the_engine_is_killed_meanwhile(tmp_path: Path) -> None:
    """Between `returned` and the place in line: nobody leads such a call by a plan."""
    made = await opened(tmp_path, site(), ready=False)
    dialled = {
        "number": NUMBER,
        "to": "0311110001",
        "reason": "outbound",
        "callback": None,
        "operator": OPERATOR,
        "phone": "desk",
        "operator_leg": "leg-1001-1",
        "leg": CALL,
        "trunk": "test",
        "plan": None,
    }
    back = [
        ("transfer_ended", {"place": 1, "leg": "x1", "reason": "failed", "talk_s": None}),
        ("returned", {"from": 1, "to": None, "reason": "failed"}),
    ]
    told_before(made.centre, ("dialled", dialled), TALKS[1], *GONE_OVER[:4], *back)  # type: ignore[arg-type]
    made.centre.switch = Town()  # type: ignore[assignment]
    made.connect(Citizen(CALL, NUMBER, None))
    await settle()
    session = made.centre.session
    assert session is not None
    assert session.calls[CALL].phase is Phase.WAITING
    assert made.last("queued")["queue"] == "main"
    close(made.centre)
