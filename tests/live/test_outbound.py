"""Calls out, and citizens whom the city hall gives back, on real lines: one centre beside a second Asterisk
that is the city hall's exchange and the public network (NUM-3, NUM-4, NUM-5, SEC-4, XFR-4).

All scenarios run beside each other in one centre; each has operators of its own.
"""

from __future__ import annotations

import asyncio
import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from dialplans import load_site
from tests.faults.test_engine_killed import back
from tests.support.adding_up import adds_up
from tests.support.centre import Centre, centre
from tests.support.pbx import PREFIX, RETURN_CODE, WARD_HZ, Dialled, Pbx, pbx
from tests.support.phones import CITIZEN_HZ, OPERATOR_HZ, CallFailed, Phones, Talk, phones, share
from tests.support.rooms import beside_each_other
from tests.support.scenes import Scene, Stage, at_the_desk, hears, hears_music
from tests.support.site import NUMBER, OTHER_NUMBER

BUSY_HZ = 400.0  # 話中音
OPERATORS, CALLERS = 4, 6  # who answer citizens; who call out, and are offered none
OWN = [f"{1801 + n}" for n in range(CALLERS)]


class Town:
    """The centre, the exchange, and operators who call out, each for one scenario at a time."""

    def __init__(self, running: Centre, hall: Pbx, sip: Phones, stage: Stage) -> None:
        self.running, self.hall, self.sip, self.stage = running, hall, sip, stage
        self.idle: asyncio.Queue[str] = asyncio.Queue()
        self._numbers = itertools.count(1)

    def number(self) -> str:
        """A number outside that no other scenario calls."""
        return f"024655{next(self._numbers):04}"

    def live(self, operator: str) -> dict[str, Any]:
        return self.running.control.operators[operator]

    async def dial(self, operator: str, number: str, **more: Any) -> str:
        done = await self.running.control.do(
            "operator.dial", operator=operator, number=number, by="op", **more
        )
        return str(done["call"])

    async def refused(self, operator: str, number: str) -> tuple[str, str]:
        answer = await self.running.control.ask("operator.dial", operator=operator, number=number)
        assert not answer["ok"], answer
        return answer["error"]["code"], answer["error"]["message"]

    async def event(self, call: str, kind: str) -> dict[str, Any]:
        return dict((await self.running.event(kind, 30, lambda one: one.call == call)).data)

    async def talk(self, operator: str) -> Talk:
        return await self.stage.desks[operator].talk()

    async def phase_is(self, call: str, phase: str) -> None:
        calls = self.running.control.calls
        await self.running.control.wait(
            lambda: calls.get(call, {}).get("phase") == phase, 30, f"{call} {phase}"
        )

    async def over(self, operator: str, call: str) -> None:
        """The operator writes the call up, and is there for the next scenario."""
        await self.running.control.wait(
            lambda: self.live(operator)["state"] == "wrap_up" and self.live(operator)["last_call"] == call,
            30,
            f"{operator} writes {call} up",
        )
        await self.running.control.do("operator.wrapped_up", operator=operator, result="折り返し", call=call)
        await self.running.control.state_is(operator, "ready")


# -- calls out


async def talked_recorded_transferred(town: Town, operator: str) -> None:
    """A call for a case, about the second number: what is shown, heard, held, passed on, recorded."""
    control, number = town.running.control, town.number()
    home = await town.hall.number(number, policy="ring")
    call = await town.dial(operator, f"{number[:4]}-{number[4:6]}-{number[6:]}", about=OTHER_NUMBER, case=7)
    there = await town.hall.dialled("1" + number)
    assert (there.caller, there.name) == (OTHER_NUMBER, "")
    own = await town.talk(operator)
    await town.phase_is(call, "calling")
    shown = control.calls[call]
    assert (shown["via"], shown["caller"], shown["operator"], shown["case"]) == (
        "outbound", number, operator, 7
    )  # fmt: skip
    assert shown["number"].replace("-", "") == OTHER_NUMBER
    await own.hears(BUSY_HZ, for_s=0.3)  # it rings, in the same tone
    await home.event("invite")
    home.answer()
    await hears(own, WARD_HZ)
    await hears(home, OPERATOR_HZ)
    await town.phase_is(call, "talking")
    await asyncio.sleep(1)  # a talk of a known length
    await control.do("call.hold", call=call, operator=operator)
    await hears_music(home)
    await control.do("call.resume", call=call, operator=operator)
    await hears(home, OPERATOR_HZ)
    extension = "2411"
    ward = await town.hall.extension(extension, 700.0)
    await control.do(
        "call.consult", call=call, operator=operator, to={"kind": "extension", "number": extension}
    )
    await hears(own, 700.0)
    await control.do("call.complete", call=call, operator=operator)
    await own.over()
    await ward.hears_tone(WARD_HZ)
    await home.hears_tone(700.0)
    await town.over(operator, call)
    home.bye()
    ended = await town.event(call, "ended")
    assert ended["by"] == "caller"
    [record] = [row for row in await town.running.records(_has_ended(call)) if row.call == call]
    assert (record.via, record.outcome, record.operator) == ("outbound", "answered", operator)
    assert (record.number, record.caller, record.case_id, record.hops) == (OTHER_NUMBER, number, 7, 1)
    sound, rate = soundfile.read((await _recording(town, call)), dtype="int16")
    first = sound[rate // 4 : rate]
    assert share(np.asarray(first[:, 0]), WARD_HZ) > 0.6  # left: whom we called
    assert share(np.asarray(first[:, 1]), OPERATOR_HZ) > 0.6


async def the_next_way(town: Town, operator: str) -> None:
    """The first line is full, at the other end: the second is taken, and it is one call."""
    number = town.number()
    home = await town.hall.number(number)
    await town.hall.refuses("1" + number, 34)
    call = await town.dial(operator, number)
    await town.hall.dialled("1" + number)
    there = await town.hall.dialled("2" + number)
    assert there.caller == NUMBER  # about nothing: the first of ours
    own = await town.talk(operator)
    await hears(own, WARD_HZ)
    await hears(home, OPERATOR_HZ)
    assert (await town.event(call, "dialled"))["trunk"] == "line-a"
    assert (await town.event(call, "next_way"))["trunk"] == "line-b"
    await own.hangup()
    await home.event("bye")
    await town.over(operator, call)
    assert (await town.event(call, "ended"))["by"] == "operator"
    sound, _ = soundfile.read(await _recording(town, call), dtype="int16")
    assert share(np.asarray(sound[:, 0]), WARD_HZ) > 0.5


async def nobody_is_reached(town: Town, operator: str) -> None:
    """Busy, refused, unknown: heard as a tone, told on the page, written up, in no figure as reached."""
    for policy, reason in (("486", "busy"), ("603", "refused"), (None, "unreachable")):
        number = town.number()
        if policy is not None:
            await town.hall.number(number, policy=policy)
        call = await town.dial(operator, number)
        own = await town.talk(operator)
        await own.hears(BUSY_HZ, for_s=0.2)
        await own.over()
        assert (await town.event(call, "ended"))["reason"] == reason
        await town.over(operator, call)
        told = town.live(operator)["last_dial"]
        assert (told["call"], told["number"], told["reason"]) == (call, number, reason)
        [record] = [row for row in await town.running.records(_has_ended(call)) if row.call == call]
        assert (record.outcome, record.talk_s) == ("unreached", None)


async def what_is_not_allowed(town: Town, operator: str) -> None:
    """By the page or by hand, nothing of this leaves the centre."""
    for number, code, words in (
        ("110", "not_allowed", "庁舎の電話か携帯電話"),
        ("１１９", "not_allowed", "庁舎の電話か携帯電話"),
        ("+1 212 555 0100", "not_allowed", "国際電話"),
        ("0990-123-456", "not_allowed", "有料"),
        ("117", "not_allowed", "3桁"),
        ("0246-99-0001", "never", "かけない番号"),
        (NUMBER, "own_number", "自身の番号"),
        (RETURN_CODE, "own_number", "自身"),
        ("0246;x@evil", "bad_number", "読めません"),
    ):
        said = await town.refused(operator, number)
        assert said[0] == code, (number, said)
        assert words in said[1]
    await town.running.control.state_is(operator, "ready")
    assert town.stage.desks[operator].rings == 0
    for one in town.hall.calls:
        assert one.dialled[1:].startswith(("0246", "24", "23")), one


async def an_extension_and_the_full_exchange(town: Town, operator: str, other: str) -> None:
    """An extension is called with the prefix; an exchange without a channel is told as such."""
    ward = await town.hall.extension("2401")
    call = await town.dial(operator, "2401")
    there = await town.hall.dialled(PREFIX + "2401")
    assert there.caller == NUMBER
    own = await town.talk(operator)
    await hears(own, WARD_HZ)
    await hears(ward, OPERATOR_HZ)
    ward.bye()
    await own.over()
    await town.over(operator, call)
    await town.hall.refuses(PREFIX + "2402", 34)
    call = await town.dial(other, "2402")
    own = await town.talk(other)
    await own.over()
    assert (await town.event(call, "ended"))["reason"] == "trunk_full"
    await town.over(other, call)
    assert town.live(other)["last_dial"]["reason"] == "trunk_full"


async def the_limit_of_a_line(town: Town, operator: str, other: str) -> None:
    """The plan says how many calls a line takes: one more is refused before anybody's phone rings, or takes
    the other line."""
    home = await town.hall.number("0570000001", policy="ring")
    call = await town.dial(operator, "0570-000-001")
    await town.hall.dialled("20570000001")  # by its class: the second line alone, which has one channel
    await home.event("invite")
    code, words = await town.refused(other, "0570-000-002")
    assert (code, "回線がすべて使用中" in words) == ("trunk_full", True)
    assert town.stage.desks[other].rings == 0
    await town.running.control.do("call.hangup", call=call, operator=operator)
    await home.event("cancel")
    await town.over(operator, call)


async def changed_their_mind(town: Town, operator: str) -> None:
    """While their own phone rings, and while the other side does: given up, and nobody is left there."""
    number, desk = town.number(), town.stage.desks[operator]
    home = await town.hall.number(number, policy="ring")
    desk.policy = "ring"
    call = await town.dial(operator, number)
    await town.running.control.wait(lambda: (town.live(operator)["dialling"] or {}).get("call") == call)
    await desk.rung()
    await town.running.control.do("operator.refuse", operator=operator)
    await town.running.control.state_is(operator, "ready")
    assert town.running.events(call) == []
    desk.policy = "answer"
    call = await town.dial(operator, number)
    await home.event("invite")
    await town.phase_is(call, "calling")
    await town.running.control.do("call.hangup", call=call, operator=operator)
    await home.event("cancel")
    assert (await town.event(call, "ended"))["reason"] == "operator_gone"
    await town.over(operator, call)


# -- 転送戻り


async def given_back(town: Town, **how: Any) -> None:
    """The department transfers the citizen to the return code: back at the same operator, in one call."""
    async with town.stage.scene() as scene:
        there = await _at_the_hall(town, scene)
        await town.hall.give_back(there, **_named(scene, how))
        await scene.ward.event("bye")
        await _back_again(town, scene)


async def dialled_back(town: Town) -> None:
    """The department dials the code itself, the citizen waiting at its telephone."""
    async with town.stage.scene() as scene:
        await _at_the_hall(town, scene)
        second = await town.hall.extension(scene.extension)  # its second line
        await town.hall.dial_back(second)
        await _back_again(town, scene)


async def a_departments_own_call(town: Town) -> None:
    """Nobody is given back: the department itself is answered, before others, and is no citizen."""
    ward = await town.hall.extension("2499")
    await town.hall.dial_back(ward)
    operator, talk = await town.stage.next_talk("2499")
    await hears(ward, OPERATOR_HZ)
    await hears(talk, WARD_HZ)
    call = town.running.control.calls[town.live(operator)["call"]]
    assert call["priority"] == 9
    arrived = await town.event(call["id"], "arrived")
    assert (arrived["staff"], arrived["dialled"], arrived["number"]) == (True, RETURN_CODE, NUMBER)
    ward.bye()
    await talk.over()
    await town.stage.written_up(call["id"])


async def not_from_outside(town: Town) -> None:
    """A citizen who dials the code is refused like any number that is not ours."""
    with pytest.raises(CallFailed, match="404"):
        await town.sip.call(town.running.sip, RETURN_CODE, "0311119999")


async def _at_the_hall(town: Town, scene: Scene) -> Dialled:
    await scene.transferred()
    return await town.hall.dialled(PREFIX + scene.extension)


def _named(scene: Scene, how: dict[str, str]) -> dict[str, str]:
    return {name: value.format(extension=scene.extension, caller=scene.caller) for name, value in how.items()}


async def _back_again(town: Town, scene: Scene) -> None:
    told = await scene.event("returned")
    assert (told["to"], told["reason"]) == (scene.operator, "return_code")
    operator, talk = await town.stage.next_talk(scene.caller)
    assert operator == scene.operator
    await hears(scene.citizen, OPERATOR_HZ)
    await hears(talk, CITIZEN_HZ)
    assert scene.live["returned"]["reason"] == "return_code"
    assert [one.kind for one in town.running.events(scene.call)].count("arrived") == 1


# -- a kill of the engine


async def killed_while_it_rings_and_in_talk(town: Town, first: str, second: str) -> None:
    """What rings goes on ringing, who talks goes on talking; both end as ever."""
    control, here, there = town.running.control, town.number(), town.number()
    ringing = await town.hall.number(here, policy="ring")
    talking = await town.hall.number(there)
    await town.hall.refuses("1" + there, 34)  # by the second way: another channel than the call's id
    calls = [await town.dial(first, here, case=3), await town.dial(second, there)]
    own = [await town.talk(first), await town.talk(second)]
    await ringing.event("invite")
    await hears(own[1], WARD_HZ)
    await town.phase_is(calls[0], "calling")
    await town.phase_is(calls[1], "talking")
    pid = town.running.kill("engine")
    await back(town.running, pid)
    await town.phase_is(calls[0], "calling")
    assert (control.calls[calls[0]]["via"], control.calls[calls[0]]["case"]) == ("outbound", 3)
    ringing.answer()
    await hears(own[0], WARD_HZ)
    await hears(ringing, OPERATOR_HZ)
    await hears(talking, OPERATOR_HZ)
    await control.do("call.hold", call=calls[1], operator=second)
    await hears_music(talking)
    await control.do("call.resume", call=calls[1], operator=second)
    ringing.bye()
    await own[0].over()
    await own[1].hangup()
    await talking.event("bye")
    await town.over(first, calls[0])
    await town.over(second, calls[1])
    records = {row.call: row for row in await town.running.records(_has_ended(*calls))}
    assert [records[one].outcome for one in calls] == ["answered", "answered"]
    assert [records[one].ended_by for one in calls] == ["caller", "operator"]


def _has_ended(*calls: str) -> Any:
    return lambda rows: set(calls) <= {row.call for row in rows if row.outcome != "active"}


async def _recording(town: Town, call: str) -> Path:
    async with asyncio.timeout(30):
        while call not in (found := await town.running.recordings(1)):
            await asyncio.sleep(0.1)
    return found[call]


@pytest.mark.req("NUM-3", "NUM-4", "NUM-5", "SEC-4", "XFR-4", "OPR-1", "REC-1", "REL-1")
async def test_calls_out_and_citizens_given_back(tmp_path: Path) -> None:
    async with pbx() as hall, phones() as sip:
        made = hall.site(
            operators=OPERATORS,
            wrap_up_s=600,
            ring_timeout_s=30,
            dialling={"never": ["0246-99"], "by_class": {"navi": ["line-b"]}},
            max_channels={"line-b": 1},
        )
        made["queues"].append({**made["queues"][0], "id": "calls", "name": "発信"})
        made["operators"] += [{"id": one, "name": f"発信{one}", "queues": ["calls"]} for one in OWN]
        async with centre(tmp_path, site=made) as running:
            hall.centre(running)
            answering = [str(1001 + n) for n in range(OPERATORS)]
            desks = await at_the_desk(running, sip, [*answering, *OWN])
            stage = Stage(running, load_site(tmp_path / "site.yaml"), hall, sip, desks, OPERATORS)
            town = Town(running, hall, sip, stage)
            await beside_each_other(
                {
                    "talked": talked_recorded_transferred(town, OWN[0]),
                    "next way": the_next_way(town, OWN[1]),
                    "not reached": nobody_is_reached(town, OWN[2]),
                    "not allowed": what_is_not_allowed(town, OWN[3]),
                    "given up": changed_their_mind(town, OWN[4]),
                    "back": given_back(town),
                    "back, citizen's number": given_back(town, shown="{caller}"),
                    "back, diverted": given_back(town, shown="0312345678", diverted="{extension}"),
                    "dialled back": dialled_back(town),
                    "from outside": not_from_outside(town),
                }
            )
            await beside_each_other(
                {
                    "back, our number": given_back(town, shown=NUMBER),  # all that this exchange knows
                    "own call": a_departments_own_call(town),
                    "extension": an_extension_and_the_full_exchange(town, OWN[0], OWN[1]),
                    "limit": the_limit_of_a_line(town, OWN[4], OWN[5]),
                }
            )
            await killed_while_it_rings_and_in_talk(town, OWN[2], OWN[3])
            await _nothing_is_left(town)
            records = await adds_up(running)
            assert {one.via for one in records.values() if one.outcome == "unreached"} == {"outbound"}
            assert any(one.hops for one in records.values() if one.via == "outbound")


async def _nothing_is_left(town: Town) -> None:
    """No channel at the exchange, and no sound of a call that was none."""

    async def left() -> tuple[int, list[str]]:
        return await town.hall.channels(), [one.name for one in town.running.state.spool.glob("*.wav")]

    try:
        async with asyncio.timeout(20):
            while await left() != (0, []):
                await asyncio.sleep(0.1)
    except TimeoutError:
        raise AssertionError(f"left behind: {await left()}") from None
    assert town.running.control.calls == {}
