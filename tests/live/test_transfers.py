"""Transfers on real calls with measured sound: who hears whom at every stage, and what becomes of everybody
whoever hangs up, fails or dies (XFR-1, 4, 5; NUM-3, NUM-4; REC-1).

All scenarios run beside each other in one centre, against a second Asterisk as the city hall's exchange.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
import soundfile

from dialplans import load_site
from tests.live.asterisk_conf.tone_phone import TonePhone
from tests.support.adding_up import adds_up
from tests.support.centre import centre
from tests.support.heard import sounds, which_prompts
from tests.support.pbx import PREFIX, WARD_HZ, pbx
from tests.support.phones import CITIZEN_HZ, OPERATOR_HZ, phones, share
from tests.support.rooms import beside_each_other
from tests.support.scenes import Scene, Stage, at_the_desk, hears, hears_music, more
from tests.support.site import OTHER_NUMBER

C, O, W = CITIZEN_HZ, OPERATOR_HZ, WARD_HZ  # noqa: E741
COLLEAGUE_HZ = 1350.0
BACK_AFTER_S = 12
OPERATORS, AT_ONCE = 10, 5
COLLEAGUE, OTHERS = "1901", "1101"  # without a queue; alone in the queue `other`


def plan(made: dict[str, Any]) -> dict[str, Any]:
    """Citizens of the second number are served by the queue `other`, whose operator writes nothing up."""
    made["queues"][0] |= {"wrap_up_s": 600, "ring_timeout_s": 30}
    made["transfers"] = {"back_after_s": BACK_AFTER_S}
    made["queues"].append({**made["queues"][0], "id": "other", "name": "専門", "wrap_up_s": 0})
    made["numbers"][1]["queue"] = "other"
    made["operators"].append({"id": OTHERS, "name": "専門", "queues": ["other"]})
    return made


# -- the table of docs/interfaces.md: state × party → what follows


async def all_end(scene: Scene) -> None:
    await scene.citizen.over()
    await scene.talk.over()
    assert (await scene.event("ended"))["by"] == "caller"
    assert (await scene.event("transfer_ended"))["reason"] == "caller_gone"
    await _let_go(scene.ward)


async def rings_on(scene: Scene) -> None:
    """It has become a blind transfer: the citizen is told so and hears it ring, then whoever answers."""
    await scene.talk.over()
    await scene.phase_is("transferring")
    await hears_music(scene.citizen)
    scene.ward.answer()
    await with_target(scene)


async def with_target(scene: Scene) -> None:
    await scene.talk.over()
    await hears(scene.citizen, W)
    await hears(scene.ward, C)
    await scene.phase_is("transferred")
    await scene.until(lambda: scene.live["operator"] is None, "the operator has left")
    assert scene.live["hops"] == 1
    await scene.event("wrap_up")
    kinds = [one.kind for one in scene.on.running.events(scene.call)]
    assert kinds.index("transferred") < kinds.index("left") < kinds.index("wrap_up")


def back(*reasons: str) -> Callable[[Scene], Coroutine[Any, Any, None]]:
    """The citizen is the operator's again, who sees why."""

    async def follows(scene: Scene) -> None:
        await hears(scene.citizen, O)
        await hears(scene.talk, C)
        await scene.phase_is("talking")
        await scene.until(lambda: bool(scene.live["last_transfer"]), "the reason is told")
        assert scene.live["transfer"] is None
        assert scene.live["last_transfer"]["reason"] in reasons
        assert scene.live["last_transfer"]["to"]["number"] == scene.extension
        assert scene.live["operator"] == scene.operator

    return follows


async def next_operator(scene: Scene) -> None:
    """The target is let go, the citizen goes to the front of the queue."""
    await _let_go(scene.ward)
    again = await scene.event("queued", lambda one: bool(one.data["again"]))
    assert again["priority"] >= 100
    _, talk = await scene.on.next_talk(scene.caller)
    await hears(scene.citizen, O)
    await hears(talk, C)
    assert (await scene.event("transfer_ended"))["reason"] == "operator_gone"


async def comes_back(scene: Scene) -> None:
    """To the operator who had transferred: free, or still writing up this very call."""
    told = await scene.event("returned")
    assert told["to"] == scene.operator
    operator, talk = await scene.on.next_talk(scene.caller)
    assert operator == scene.operator
    await hears(scene.citizen, O)
    await hears(talk, C)
    assert scene.live["returned"]["operator"] == scene.operator
    assert scene.live["returned"]["to"]["number"] == scene.extension
    if operator != OTHERS:
        assert [one["by"] for one in scene.events("wrapped_up")] == ["returned"]


async def ends_outside(scene: Scene) -> None:
    await scene.citizen.over()
    assert (await scene.event("ended"))["by"] == "outside"
    assert (await scene.event("transfer_ended"))["reason"] == "over"


STAGES: dict[str, Callable[[Scene], Coroutine[Any, Any, None]]] = {
    "rings": Scene.rings,
    "talks": Scene.consulted,
    "swapped": Scene.swapped,
    "three_way": Scene.three_way,
    "blind": lambda scene: scene.rings("blind"),
    "transferred": Scene.transferred,
}
TABLE: dict[tuple[str, str], Callable[[Scene], Coroutine[Any, Any, None]]] = {
    **{(state, "citizen"): all_end for state in STAGES},
    ("rings", "operator"): rings_on,
    ("rings", "operator lost"): next_operator,
    ("rings", "target"): back("busy"),
    ("talks", "operator"): with_target,
    ("talks", "operator lost"): next_operator,
    ("talks", "target"): back("target_gone"),
    ("swapped", "operator"): with_target,
    ("swapped", "operator lost"): next_operator,
    ("swapped", "target"): back("target_gone"),
    ("three_way", "operator"): with_target,
    ("three_way", "operator lost"): with_target,
    ("three_way", "target"): back("target_gone"),
    ("blind", "target"): comes_back,
    ("transferred", "target"): ends_outside,
    ("transferred", "target lost"): comes_back,
}


async def _let_go(ward: TonePhone) -> None:
    async with asyncio.timeout(30):
        while not {"bye", "cancel"} & {name for name, _ in ward.seen}:
            await asyncio.sleep(0.05)


async def hung_up_by(on: Stage, state: str, party: str) -> None:
    async with on.scene() as scene:
        await STAGES[state](scene)
        leg = (await scene.event("transfer_begun"))["leg"]
        operators = (await scene.event("answered"))["leg"]
        match party:
            case "citizen":
                await scene.citizen.hangup()
            case "operator":
                await scene.talk.hangup()
            case "operator lost":
                await scene.dies(operators)
            case "target lost":
                await scene.dies(leg)
            case "target" if scene.ward.in_call:
                scene.ward.bye()
            case "target":
                scene.ward.refuse(486)
        await TABLE[state, party](scene)


# -- who hears whom, and what is recorded of it


async def every_stage(on: Stage) -> None:
    async with on.scene() as scene:
        await scene.rings()
        shown = await on.hall.dialled(PREFIX + scene.extension)
        assert shown.caller == "0246221111"
        await scene.phase_is("consulting")
        await hears_music(scene.citizen)
        await hears_music(scene.talk)  # the tone of a telephone that rings
        assert await scene.refused("swap") == "no_target"
        assert await scene.refused("hold") == "not_talking"
        assert await scene.refused("consult", to=scene.to) == "transfer_under_way"
        scene.ward.answer()
        await scene.transfer_is("talking")
        for _ in range(2):
            await hears(scene.talk, W)
            await hears(scene.ward, O)
            await hears_music(scene.citizen)
            # The citizen hears nothing of what the two say.
            music = await more(scene.citizen, 0.5)
            assert max(share(music, hz) for hz in (O, W)) < 0.2
            await scene.do("swap")
            await scene.transfer_is("held")
            await scene.phase_is("talking")
            assert await scene.refused("hold") == "transfer_under_way"
            await hears(scene.talk, C)
            await hears(scene.citizen, O)
            await hears_music(scene.ward)
            music = await more(scene.ward, 0.5)
            assert max(share(music, hz) for hz in (C, O)) < 0.2
            await scene.do("swap")
            await scene.transfer_is("talking")
        await hears(scene.talk, W)
        await scene.do("three_way")
        await hears(scene.talk, C, W)
        await hears(scene.citizen, O, W)
        await hears(scene.ward, C, O)
        assert on.running.control.state(scene.operator) == "talking"
        await scene.do("complete")
        await scene.talk.over()
        await hears(scene.citizen, W)
        await hears(scene.ward, C)
        await on.running.control.state_is(scene.operator, "wrap_up")
        await more(scene.citizen, 3)
        scene.ward.bye()
        await scene.citizen.over()
        await _recorded(scene)


async def _recorded(scene: Scene) -> None:
    """The citizen's recording has whatever they heard and said; the consult has one of its own."""
    files: dict[str, Path] = {}
    for name in (scene.call, f"{scene.call}.1"):
        async with asyncio.timeout(30):
            while name not in files:
                files |= await scene.on.running.recordings(1)
                await asyncio.sleep(0.1)
    sound, rate = soundfile.read(files[scene.call], dtype="int16")
    # The last that the citizen heard: the target. A busy machine notices an end late.
    parts = [
        [[round(share(sound[at : at + rate // 2, side], hz), 2) for hz in (C, O, W)] for side in (0, 1)]
        for at in range(0, len(sound), rate // 2)
    ]
    assert share(sound[-2 * rate : -rate, 1], W) > 0.8, parts
    assert share(sound[: rate // 3, 1], O) > 0.6
    assert share(sound[:, 0], C) > 0.8
    asked, rate = soundfile.read(files[f"{scene.call}.1"], dtype="int16")
    assert share(asked[:, 0], W) > 0.8
    assert share(asked[:, 1], O) > 0.8
    assert share(asked[:, 1], C) < 0.05  # not what was said after it


async def returned_by_the_key(on: Stage) -> None:
    """Asked, and taken back; then asked once more, and left to it."""
    async with on.scene() as scene:
        await scene.rings()
        await scene.do("return")
        await back("returned")(scene)
        await _let_go(scene.ward)
        await scene.consulted()
        await scene.do("return")
        await back("returned")(scene)
        assert await scene.refused("return") == "no_transfer"
        await scene.consulted()
        await scene.do("complete")
        await with_target(scene)
        await scene.event("transferred")
        assert [one["place"] for one in scene.events("transfer_begun")] == [1, 2, 3]


async def from_hold(on: Stage) -> None:
    async with on.scene() as scene:
        await scene.do("hold")
        await scene.phase_is("hold")
        await scene.consulted()
        await hears_music(scene.citizen)
        await scene.do("return")
        await back("returned")(scene)
        await scene.event("transfer_ended")
        assert [len(scene.events(kind)) for kind in ("held", "resumed")] == [1, 1]


# -- targets that fail


async def fails(on: Stage, how: str, status: int, code: str, reason: str) -> None:
    """At once: the operator, who has never left, is told why."""
    async with on.scene() as scene:
        scene.ward.policy = str(status)
        if status == 404:
            scene.extension = "2299"  # nobody has it
        if status == 503:
            await on.hall.refuses(PREFIX + scene.extension, 34)
        assert await scene.refused(how, to=scene.to) == code
        await back(reason)(scene)
        await scene.event("transfer_ended")
        assert not scene.events("left")
        assert [one["reason"] for one in scene.events("transfer_ended")] == [reason]


async def nobody_answers(on: Stage, how: str) -> None:
    """Until the set time is over: the citizen comes back (転送戻り), and is told so."""
    async with on.scene() as scene:
        await scene.rings(how)
        if how == "consult":
            await back("no_answer")(scene)
            return
        on.desks[scene.operator].policy = "ring"  # so that the words are heard to their end
        try:
            call = await scene.dials()
            assert (await scene.event("returned"))["reason"] == "no_answer"
            words = {name: on.site.wording.said(name) for name in ("transfer_ringing", "transfer_back")}
            known = sounds(on.running.state.sounds, list(words.values()))

            def told() -> list[str]:
                heard = which_prompts(scene.citizen.samples(), known)
                return [one.name for one in heard if one.whole]

            async with asyncio.timeout(30):
                while told() != [one.key for one in words.values()]:
                    await more(scene.citizen, 0.5)
            await on.desks[scene.operator].answer(call)
        finally:
            on.desks[scene.operator].policy = "answer"
        await comes_back(scene)


async def to_the_front_where_the_operator_is_away(on: Stage) -> None:
    async with on.scene() as scene:
        await on.running.control.do("operator.state", operator=scene.operator, state="break")
        await scene.rings("blind")
        scene.ward.refuse(603)
        told = await scene.event("returned")
        assert (told["to"], told["reason"]) == (None, "refused")
        operator, talk = await on.next_talk(scene.caller)
        assert operator != scene.operator
        await hears(talk, C)
        await on.running.control.do("operator.state", operator=scene.operator, state="ready")


async def between_queues(on: Stage) -> None:
    """To an operator who is ready again; then on to another queue, in front of those who wait there."""
    control = on.running.control
    async with on.scene(OTHER_NUMBER) as scene:
        assert scene.operator == OTHERS
        await scene.rings("blind")
        await control.state_is(OTHERS, "ready")
        scene.ward.refuse(486)
        await comes_back(scene)
        assert await scene.refused("consult", to={"kind": "queue", "number": "main"}) == "not_allowed"
        assert await scene.refused("blind", to={"kind": "queue", "number": "none"}) == "unknown_target"
        await scene.do("blind", to={"kind": "queue", "number": "main"})
        _, talk = await on.next_talk(scene.caller, after=OTHERS)
        await hears(talk, C)
        await hears(scene.citizen, O)
        queued = await scene.event("queued", lambda one: one.data["queue"] == "main")
        assert queued["priority"] == 99
        assert scene.live["hops"] == 1  # whom nobody answered took nobody over


# -- ways out, colleagues


async def other_routes(on: Stage) -> None:
    """A line that is full, by our count or the exchange's, is passed over; all full: refused, and nobody is
    lost. Each line has one channel."""
    outside = {"kind": "outside", "number": "0246-22-9000", "name": "保健所"}
    await on.hall.number("0246229000")
    third = await on.hall.number("0246229001")
    async with on.scene() as scene, on.scene() as other:
        await on.hall.refuses("10246229000", 34)
        await scene.do("consult", to=outside)
        await scene.transfer_is("talking")
        await hears(scene.talk, W)
        begun, rerouted = await scene.event("transfer_begun"), await scene.event("transfer_rerouted")
        assert (begun["trunk"], rerouted["trunk"], rerouted["reason"]) == ("line-a", "line-b", "trunk_full")
        await other.do("blind", to={**outside, "number": "0246229001"})
        await hears(other.citizen, W)
        assert not other.events("transfer_rerouted")
        await hears(third, C)
        async with on.scene() as late:
            assert await late.refused("consult", to=outside) == "trunk_full"
            await hears(late.citizen, O)
            assert (await late.event("transfer_ended"))["reason"] == "trunk_full"
            third.bye()
            await other.citizen.over()
            await late.do("consult", to={**outside, "number": "0246229001"})  # there is room again
            await hears(late.talk, W)
            again = await late.event("transfer_begun", lambda one: one.data["place"] == 2)
            assert again["trunk"] == "line-a"
        await scene.do("return")
        await hears(scene.citizen, O)
        for number, code in (("110", "not_allowed"), ("0990123456", "not_allowed"), ("12", "bad_number")):
            assert await scene.refused("consult", to={"kind": "outside", "number": number}) == code


async def colleagues(on: Stage) -> None:
    """An operator as the target: rung alone, asked, and the call theirs."""
    control, desk = on.running.control, on.desks[COLLEAGUE]
    to = {"kind": "operator", "number": COLLEAGUE}
    async with on.scene() as scene:
        assert await scene.refused("consult", to={"kind": "operator", "number": "1999"}) == "unknown_target"
        same = {"kind": "operator", "number": scene.operator}
        assert await scene.refused("blind", to=same) == "not_allowed"
        desk.policy = "ring"
        await scene.do("consult", to=to)
        rung = await desk.rung()
        await control.state_is(COLLEAGUE, "ringing")
        assert control.operators[COLLEAGUE]["call"] == scene.call
        await control.do("operator.refuse", operator=COLLEAGUE)
        await scene.until(lambda: scene.live["transfer"] is None, "refused")
        assert scene.live["last_transfer"]["reason"] == "refused"
        await hears(scene.citizen, O)
        await control.state_is(COLLEAGUE, "ready")

        await scene.do("consult", to=to)
        rung = await desk.rung()
        talk = await desk.answer(rung)
        await hears(talk, O)
        await hears(scene.talk, COLLEAGUE_HZ)
        await control.state_is(COLLEAGUE, "talking")
        async with on.scene() as other:
            assert await other.refused("consult", to=to) == "target_busy"
        await scene.do("complete")
        await scene.talk.over()
        await hears(scene.citizen, COLLEAGUE_HZ)
        await hears(talk, C)
        assert (scene.live["operator"], scene.live["hops"]) == (COLLEAGUE, 1)
        assert scene.live["transfer"] is None
        await control.do("call.hold", call=scene.call, operator=COLLEAGUE)  # the keys are theirs
        await scene.phase_is("hold")
        await control.do("call.resume", call=scene.call, operator=COLLEAGUE)
        await hears(scene.citizen, COLLEAGUE_HZ)

        # And back by a blind transfer.
        await on.written_up(scene.call)
        await control.state_is(scene.operator, "ready")
        ready = await control.ask("call.blind", call=scene.call, operator=COLLEAGUE, to=same)
        assert ready["ok"], ready
        operator, first = await on.next_talk(scene.caller, after=COLLEAGUE)
        assert operator == scene.operator
        await talk.over()
        await hears(scene.citizen, O)
        await hears(first, C)
        await control.state_is(COLLEAGUE, "wrap_up")
        desk.policy = "answer"


@pytest.mark.long
@pytest.mark.timeout(300)
@pytest.mark.req("XFR-1", "XFR-4", "XFR-5", "NUM-3", "NUM-4", "REC-1", "OPR-2")
async def test_transfers(tmp_path: Path) -> None:
    async with pbx() as hall, phones() as sip:
        lines = {"line-a": 1, "line-b": 1}
        made = plan(hall.site(operators=OPERATORS, supervisors=1, max_channels=lines))
        async with centre(tmp_path, site=made) as running:
            hall.centre(running)
            desks = await at_the_desk(running, sip, [str(1001 + n) for n in range(OPERATORS)] + [OTHERS])
            desks |= await at_the_desk(running, sip, [COLLEAGUE], hz=COLLEAGUE_HZ)
            on = Stage(running, load_site(tmp_path / "site.yaml"), hall, sip, desks, AT_ONCE)
            scenarios: dict[str, Coroutine[Any, Any, None]] = {
                f"{state}: {party}": hung_up_by(on, state, party) for state, party in TABLE
            }
            for how, (status, code, reason) in itertools.product(("consult", "blind"), FAILURES):
                scenarios[f"{how}: {status}"] = fails(on, how, status, code, reason)
            for how in ("consult", "blind"):
                scenarios[f"{how}: nobody answers"] = nobody_answers(on, how)
            for one in (
                every_stage,
                returned_by_the_key,
                from_hold,
                to_the_front_where_the_operator_is_away,
                between_queues,
                other_routes,
                colleagues,
            ):
                scenarios[one.__name__] = one(on)
            await beside_each_other(scenarios)
            await running.control.wait(lambda: not running.control.calls, 30, "all calls over")
            for operator in desks:
                await running.control.state_is(operator, "ready")
            await running.nothing_left()
            for call in {one.call for one in running.events() if one.kind == "arrived" and one.call}:
                kinds = running.kinds(call)
                assert kinds.count("ended") == 1
                assert kinds.count("transfer_begun") == kinds.count("transfer_ended"), kinds
            await adds_up(running)


FAILURES = (
    (486, "target_busy", "busy"),
    (603, "target_busy", "refused"),
    (404, "target_unreachable", "unreachable"),
    (503, "trunk_full", "trunk_full"),
)
