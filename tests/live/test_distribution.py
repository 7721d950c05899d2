"""Even distribution on real calls: who is rung, in which order, why, and that a killed engine forgets none of
it. One centre, one operator's day after the other."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from acd import choose
from asterisk_conf import Secrets
from cdr import Event
from tests.support.centre import Centre, centre
from tests.support.phones import (
    OPERATOR_HZ,
    CallDeclined,
    CallFailed,
    DeskPhone,
    Phones,
    Talk,
    phones,
)
from tests.support.planned import put_version
from tests.support.site import site

MAIN, URGENT, TURN, SKILL, ENGLISH, NOTES = (f"024622{end}" for end in range(2001, 2007))
OPERATORS = ("1001", "1002", "1003")
GROUP_B_S, SUPERVISOR_S = 2, 4
KEPT = ("queue", "moved_from", "queued_at", "priority", "phase")


def plan() -> dict[str, Any]:
    """Three operators in every queue but `notes`; 1002 and 1003 are groups B and C of `skill`, 1003 speaks
    English."""
    made = site(operators=3)

    def number(digits: str, queue: str, **more: Any) -> dict[str, Any]:
        words = {"greeting": "はい。", "recording_notice": "録音します。"}
        return {"number": digits, "name": f"{queue} {digits[-1]}", "queue": queue} | words | more

    made["numbers"] = [
        number(MAIN, "main"),
        number(URGENT, "main", priority=9),
        number(TURN, "turn"),
        number(SKILL, "skill"),
        number(ENGLISH, "main", language="en", greeting={"ja": "はい。", "en": "Hello."}),
        number(NOTES, "notes"),
    ]
    [main] = made["queues"]
    main["waiting_announcement"] = {"ja": "お待ちください。", "en": "Please hold."}
    main["language_after_s"] = None
    made["queues"] += [
        {"id": "turn", "name": "順番", "strategy": "round_robin"},
        {
            "id": "skill",
            "name": "専門",
            "strategy": "skill",
            "ring_timeout_s": 3,
            "widen": [{"after_s": GROUP_B_S, "level": 2}, {"after_s": SUPERVISOR_S, "level": 3}],
        },
        {"id": "notes", "name": "記録", "wrap_up_s": 60},
    ]
    for queue in made["queues"][1:]:
        queue["wrap_up_s"] = queue.get("wrap_up_s", 0)
    for level, operator in enumerate(made["operators"], 1):
        operator |= {"queues": ["main", "turn", "skill"], "languages": ["ja"], "levels": {"skill": level}}
    made["operators"][0]["queues"].append("notes")
    made["operators"][2]["languages"] = ["ja", "en"]
    return made


class Floor:
    """A centre with its desk phones, and what one does there."""

    def __init__(self, running: Centre, sip: Phones, desks: dict[str, DeskPhone]) -> None:
        self.running, self.sip, self.desks = running, sip, desks
        self._callers = 0

    async def only(self, *operators: str) -> None:
        """These are ready, the others on a break."""
        for operator in OPERATORS:
            self.desks[operator].policy = "answer"
            if operator not in operators:
                await self.do(operator, "break")
        for operator in operators:
            await self.do(operator, "ready")

    async def do(self, operator: str, state: str) -> None:
        await self.running.control.do("operator.state", operator=operator, state=state)
        if state != "ready":
            await self.running.control.state_is(operator, state)

    async def call(self, number: str) -> tuple[str, Talk]:
        """A citizen calls and is in the queue, or further: the call's id, the telephone."""
        self._callers += 1
        caller = f"03000000{self._callers:02}"
        talk = await self.sip.call(self.running.sip, number, caller)
        event = await self.running.event("queued", 15, lambda one: self._caller(one.call) == caller)
        assert event.call is not None
        return event.call, talk

    def _caller(self, call: str | None) -> str | None:
        arrived = [one for one in self.running.events(call) if one.kind == "arrived"]
        return str(arrived[0].data["caller"]) if arrived else None

    def shown(self, call: str) -> dict[str, Any]:
        """As the live board has it; empty when it is not there."""
        return self.running.control.calls.get(call, {})

    async def served(self, call: str, within_s: float = 15) -> str:
        """Until an operator talks in it: who."""
        await self.running.control.wait(
            lambda: self.shown(call).get("phase") == "talking", within_s, f"{call} is served"
        )
        return str(self.shown(call)["operator"])

    async def places(self, *calls: str) -> None:
        """Until they stand in line like this, from 1."""
        await self.running.control.wait(
            lambda: [self.shown(call).get("position") for call in calls] == list(range(1, len(calls) + 1)),
            10,
            f"the places of {calls}",
        )

    async def over(self, call: str, talk: Talk) -> None:
        await talk.hangup()
        await self.running.control.wait(lambda: not self.shown(call), 10, f"{call} is over")

    async def one(self, number: str) -> str:
        """A whole call: who served it. Whoever was ready is so again."""
        call, talk = await self.call(number)
        operator = await self.served(call)
        await self.over(call, talk)
        await self.running.control.state_is(operator, "ready")
        return operator

    async def on_disk(self, state: str, *operators: str) -> None:
        """Until these are in that state by the journal."""
        async with asyncio.timeout(10):
            while True:
                told = [one.data for one in self.running.events() if one.kind == "operator_state"]
                last = {data["operator"]: data["state"] for data in told}
                if all(last[one] == state for one in operators):
                    return
                await asyncio.sleep(0.05)

    def offers(self, call: str) -> list[Event]:
        return [event for event in self.running.events(call) if event.kind == "offered"]

    async def restarted(self) -> None:
        """The engine is killed, and another one drives the calls."""
        await self.back(self.running.kill("engine"))

    async def back(self, pid: int) -> None:
        """Until another engine drives the calls."""
        async with asyncio.timeout(20):
            while self.running.pid("engine") == pid:
                await asyncio.sleep(0.02)
        new = self.running.pid("engine")
        await self.running.event("engine_started", 15, lambda event: event.data["pid"] == new)
        control = self.running.control
        await control.wait(lambda: bool(control.switch.get("connected")), 10)
        for operator in OPERATORS:
            await control.wait(lambda one=operator: bool(control.operators[one]["phones"]["desk"]), 10)


@contextlib.asynccontextmanager
async def floor(folder: Path) -> AsyncIterator[Floor]:
    async with centre(folder, site=plan()) as running, phones() as sip:
        desks = {one: await sip.desk(running.phone(one)) for one in OPERATORS}
        for operator in OPERATORS:
            await running.ready_operator(operator)
        yield Floor(running, sip, desks)


@pytest.mark.long
@pytest.mark.req("ACD-1", "ACD-2", "ACD-3", "ACD-4", "ACD-5", "ACD-6", "ACD-7", "OPR-2", "MON-3")
async def test_a_day_of_even_distribution(tmp_path: Path) -> None:
    async with floor(tmp_path) as at:
        await strategies_per_queue_and_changed_live(at)
        await more_groups_are_asked_with_time(at)
        await a_language_is_kept_for_who_speaks_it(at)
        await the_urgent_number_goes_first(at)
        await as_many_phones_ring_as_citizens_wait(at)
        await who_is_in_a_call_of_their_own_is_left_alone(at)
        await what_asterisk_rings_alone_is_not_rung_twice(at)
        await a_moved_call_keeps_its_time_over_a_kill(at)
        await a_longer_wrap_up_outlives_a_kill(at)
        offers = [event for event in at.running.events() if event.kind == "offered"]
        for event in offers:
            because = event.data["because"]
            assert because["candidates"][0][0] == event.data["operator"]
            assert choose(because["rule"], because["candidates"]) == event.data["operator"], because
        rules = {event.data["because"]["rule"] for event in offers}
        assert {"longest_idle", "round_robin", "fewest_calls", "skill/longest_idle"} <= rules


async def strategies_per_queue_and_changed_live(at: Floor) -> None:
    """In turn; whoever has been idle longest; and, by a plan that goes live meanwhile, the fewest calls."""
    await at.only(*OPERATORS)
    assert [await at.one(TURN) for _ in range(4)] == ["1001", "1002", "1003", "1001"]
    assert [await at.one(MAIN) for _ in range(2)] == ["1002", "1003"]  # idle longest
    # 1001, 1002 and 1003 have had two calls each. 1001 alone takes two more.
    await at.only("1001")
    assert [await at.one(MAIN) for _ in range(2)] == ["1001", "1001"]
    await at.only(*OPERATORS)
    changed = plan()
    changed["queues"][1]["strategy"] = "fewest_calls"
    put_version(at.running.state.path, 71, changed)
    await at.running.control.do("plan.activate", version=71, by="sv01")
    assert {await at.one(TURN) for _ in range(2)} == {"1002", "1003"}
    tallies = {one: at.running.control.operators[one]["tally"] for one in OPERATORS}
    assert {one: tally["calls"] for one, tally in tallies.items()} == {"1001": 4, "1002": 3, "1003": 3}
    assert all(tally["talk_s"] > 0 and tally["duty_s"] > tally["talk_s"] for tally in tallies.values())


async def more_groups_are_asked_with_time(at: Floor) -> None:
    """Level 1 is on a break: level 2 is rung after 2 s and does not answer; then level 3."""
    await at.only("1002", "1003")
    at.desks["1002"].policy = "ring"
    call, talk = await at.call(SKILL)
    assert await at.served(call) == "1003"
    first, second = at.offers(call)
    assert [first.data["operator"], second.data["operator"]] == ["1002", "1003"]
    assert first.data["because"]["waited_s"] >= GROUP_B_S
    assert [row[:2] for row in first.data["because"]["candidates"]] == [["1002", 2]]
    assert second.data["because"]["waited_s"] >= SUPERVISOR_S
    shown = at.running.control.operators["1002"]
    assert (shown["state"], shown["reason"]) == ("no_answer", "no_answer")
    await at.over(call, talk)


async def a_language_is_kept_for_who_speaks_it(at: Floor) -> None:
    """1001 is free and speaks no English; whoever called later in Japanese is served before."""
    await at.only("1001")
    english, hello = await at.call(ENGLISH)
    japanese, moshi = await at.call(MAIN)
    assert await at.served(japanese) == "1001"
    assert at.offers(english) == []
    await at.over(japanese, moshi)
    await at.do("1003", "ready")
    assert await at.served(english) == "1003"
    await at.over(english, hello)


async def the_urgent_number_goes_first(at: Floor) -> None:
    await at.only()
    first, one = await at.call(MAIN)
    urgent, other = await at.call(URGENT)
    await at.places(urgent, first)
    assert at.shown(urgent)["priority"] == 9
    await at.do("1001", "ready")
    assert await at.served(urgent) == "1001"
    await at.over(urgent, other)
    assert await at.served(first) == "1001"
    await at.over(first, one)


async def as_many_phones_ring_as_citizens_wait(at: Floor) -> None:
    """One of them is slow; that holds nobody up."""
    await at.only()
    for desk in at.desks.values():
        desk.policy = "ring"
    rang = {one: desk.rings for one, desk in at.desks.items()}
    waiting = [await at.call(MAIN) for _ in OPERATORS]
    at.desks["1002"].policy = at.desks["1003"].policy = "answer"
    for operator in OPERATORS:
        await at.do(operator, "ready")
    for operator in ("1002", "1003"):
        await at.running.control.state_is(operator, "talking")
    assert at.running.control.state("1001") == "ringing"
    assert {one: desk.rings - rang[one] for one, desk in at.desks.items()} == dict.fromkeys(OPERATORS, 1)
    for call, talk in waiting:
        await at.over(call, talk)


async def who_is_in_a_call_of_their_own_is_left_alone(at: Floor) -> None:
    """A channel at the desk phone that the engine has not made, asked for past it."""
    await at.only("1001", "1002")
    control = at.running.control
    at.desks["1001"].policy = "ring"
    await ari(at.running, "POST", "channels/own-1?endpoint=PJSIP/1001&app=elsewhere&timeout=60")
    await control.wait(lambda: bool(control.operators["1001"]["own_call"]), 10, "1001 in a call of their own")
    assert (control.state("1001"), control.operators["1001"]["call"]) == ("talking", None)
    assert [await at.one(MAIN) for _ in range(2)] == ["1002", "1002"]
    await ari(at.running, "DELETE", "channels/own-1")
    await control.state_is("1001", "ready")
    assert not control.operators["1001"]["own_call"]
    at.desks["1001"].policy = "answer"
    await at.do("1002", "break")
    # What is dialled by hand is refused, and disturbs nothing.
    dialled = await at.sip.dial(at.desks["1001"].user_agent, f"sip:0311112222@{at.running.sip}")
    with pytest.raises((CallDeclined, CallFailed)):
        await dialled.wait_established()
    assert await at.one(MAIN) == "1001"


async def what_asterisk_rings_alone_is_not_rung_twice(at: Floor) -> None:
    """The engine comes back while a citizen who called without it still rings at every phone."""
    await at.only(*OPERATORS)
    control = at.running.control
    await at.on_disk("ready", *OPERATORS)
    for desk in at.desks.values():
        desk.policy = "ring"
    rang = {one: desk.rings for one, desk in at.desks.items()}
    stopped = at.running.kill("up", signal.SIGSTOP)
    killed = at.running.kill("engine")
    await at.running.engine_away()
    alone = await at.sip.call(at.running.sip, MAIN, "0399999999")
    for desk in at.desks.values():
        await desk.rung()
    os.kill(stopped, signal.SIGCONT)
    await at.back(killed)
    for operator in OPERATORS:
        await control.wait(lambda one=operator: bool(control.operators[one]["own_call"]), 10, operator)
    call, talk = await at.call(MAIN)
    await control.wait(lambda: at.shown(call).get("phase") == "waiting", 10, "it waits")
    assert at.offers(call) == []
    assert {one: desk.rings - rang[one] for one, desk in at.desks.items()} == dict.fromkeys(OPERATORS, 1)
    for desk in at.desks.values():
        desk.policy = "answer"
    await alone.hangup()
    assert await at.served(call) in OPERATORS
    await at.over(call, talk)


async def a_moved_call_keeps_its_time_over_a_kill(at: Floor) -> None:
    await at.only()
    old, first = await at.call(MAIN)
    new, second = await at.call(TURN)
    moved = await at.running.control.do("call.move", call=old, queue="turn", by="sv01")
    assert moved["position"] == 1
    await at.places(old, new)
    before = at.shown(old)
    assert (before["queue"], before["moved_from"]) == ("turn", "main")
    await at.running.event("moved", true=lambda event: event.call == old)  # on disk
    await at.restarted()
    await at.places(old, new)
    assert {name: at.shown(old)[name] for name in KEPT} == {name: before[name] for name in KEPT}
    await first.hears_sound()
    await at.do("1001", "ready")
    assert await at.served(old) == "1001"
    assert at.offers(old)[-1].data["queue"] == "turn"
    await at.over(old, first)
    assert await at.served(new) == "1001"
    await at.over(new, second)


async def a_longer_wrap_up_outlives_a_kill(at: Floor) -> None:
    """Killed in the talk, which is counted once; killed in the wrap-up, which goes on to its new end."""
    await at.only("1001")
    control = at.running.control
    before = control.operators["1001"]["tally"]["calls"]
    call, talk = await at.call(NOTES)
    assert await at.served(call) == "1001"
    await talk.hears(OPERATOR_HZ)
    await at.running.event("answered", true=lambda event: event.call == call)
    await at.restarted()
    await control.state_is("1001", "talking")
    assert control.operators["1001"]["tally"]["calls"] == before + 1
    await at.over(call, talk)
    await control.state_is("1001", "wrap_up")
    longer = await control.do("operator.wrap_up", operator="1001", seconds=900)
    ends = longer["until"]
    await at.running.event("operator_state", true=lambda event: str(event.data["until"])[:18] == ends[:18])
    await at.restarted()
    shown = control.operators["1001"]
    assert (shown["state"], shown["until"][:18]) == ("wrap_up", ends[:18])
    assert shown["tally"]["calls"] == before + 1
    await control.do("operator.wrapped_up", operator="1001", result="完了")
    await control.state_is("1001", "ready")


async def ari(running: Centre, method: str, uri: str) -> None:
    secrets = json.loads(running.state.secrets.read_text())
    port = json.loads(running.state.runtime.read_text())["ari_port"]
    login = aiohttp.encode_basic_auth(Secrets.ari_user, secrets["ari_password"])
    async with (
        aiohttp.ClientSession(headers={"Authorization": login}) as session,
        session.request(method, f"http://127.0.0.1:{port}/ari/{uri}") as answer,
    ):
        assert answer.status < 300, await answer.text()
