"""The supervisor's seat on real calls with measured sound: who hears whom, and what becomes of a call whoever
hangs up (MON-2, MON-3); the operator's keys beside it (OPR-1, OPR-5).

All scenarios run beside each other in one centre.
"""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from dialplans import load_site
from tests.support.adding_up import adds_up
from tests.support.centre import centre
from tests.support.heard import contains, sounds
from tests.support.phones import (
    CITIZEN_HZ,
    OPERATOR_HZ,
    RATE,
    SUPERVISOR_HZ,
    Talk,
    dbfs,
    longest_quiet_s,
    phones,
)
from tests.support.rooms import Hall, Room, beside_each_other, hall, hears, sound_of
from tests.support.site import NUMBER, site

MODES = ("listen", "whisper", "join")
PARTIES = ("citizen", "operator", "supervisor")
AT_ONCE = 4
GAP_S = 0.2

C, O, S = CITIZEN_HZ, OPERATOR_HZ, SUPERVISOR_HZ  # noqa: E741


async def listening_cannot_be_heard(rooms: Hall) -> None:
    async with rooms.room() as room:
        parties = (room.citizen, room.talk)
        await sound_of(room.citizen, 2)
        before = [dbfs(one.samples(2), S) for one in parties]
        marks = [len(one.samples()) for one in parties]
        said = await room.supervise("listen")
        await hears(said, C, O)
        await sound_of(said, 3)
        for one, was, mark in zip(parties, before, marks, strict=True):
            now = one.samples()[mark:]
            # A hundred thousandth of what the supervisor says would stand out of the line's own noise.
            assert dbfs(now, S) < max(was, -80) + 3, (dbfs(now, S), was)
            assert longest_quiet_s(now) <= GAP_S
        await hears(room.citizen, O)
        await hears(room.talk, C)
        assert room.live["supervision"][0]["supervisor"] == room.supervisor
        shown = rooms.running.control.operators[room.supervisor]
        assert shown["supervising"] == {"call": room.call, "mode": "listen", "ringing": False}
        assert shown["call"] is None

        # Every way from one mode to another, and who hears whom then. The citizen never hears the supervisor
        # but in join; nobody hears a gap.
        marks = [len(one.samples()) for one in parties]
        quiet: list[tuple[int, int]] = []
        for mode in ("whisper", "listen", "join", "whisper", "join", "listen"):
            begun = len(room.citizen.samples())
            await room.supervise(mode)
            await hears(said, C, O)
            await hears(room.talk, *((C,) if mode == "listen" else (C, S)))
            await hears(room.citizen, *((O, S) if mode == "join" else (O,)))
            if mode != "join":
                # A packet that came too late has something of every pitch: in a few seconds that sinks below
                # the bound, a tone does not.
                await sound_of(room.citizen, 4 if len(quiet) < 2 else 0.5)
                quiet.append((begun, len(room.citizen.samples())))
        for one, mark in zip(parties, marks, strict=True):
            assert longest_quiet_s(one.samples()[mark:]) <= GAP_S
        for begun, end in quiet[:2]:  # from and to modes in which the citizen hears nothing of it
            assert dbfs(room.citizen.samples()[begun:end], S) < -75
        await said.hangup()
        await room.supervision_over("hung_up")
        modes = [e.data["mode"] for e in rooms.running.events(room.call) if e.kind == "supervision_mode"]
        assert modes == ["whisper", "listen", "join", "whisper", "join", "listen"]
        assert rooms.running.control.state(room.supervisor) == "off"


async def a_whisper_reaches_the_operator_while_the_citizen_is_on_hold(rooms: Hall) -> None:
    do = rooms.running.control.do
    async with rooms.room() as room:
        said = await room.supervise("whisper")
        await hears(room.talk, C, S)
        await do("call.hold", call=room.call, operator=room.operator)
        await hears(room.talk, S)
        await hears(said, O)
        await room.citizen.hears_sound(for_s=1)  # music
        assert dbfs(room.citizen.samples(1), S) < -45  # there are faint notes near it
        await do("call.resume", call=room.call, operator=room.operator)
        await hears(room.talk, C, S)
        await hears(room.citizen, O)
        await do("call.hold", call=room.call, operator=room.operator)
        await hears(room.talk, S)
        await do("supervise.stop", supervisor=room.supervisor)
        await said.over()
        await room.supervision_over("stopped")
        await do("call.resume", call=room.call, operator=room.operator)
        await hears(room.talk, C)
        await hears(room.citizen, O)


async def somebody_hangs_up(rooms: Hall, mode: str, party: str) -> None:
    """The table of docs/interfaces.md, a supervisor's rows."""
    async with rooms.room() as room:
        said = await room.supervise(mode)
        await hears(said, C, O)
        await {"citizen": room.citizen, "operator": room.talk, "supervisor": said}[party].hangup()
        match mode, party:
            case _, "supervisor":
                await room.supervision_over("hung_up")
                await hears(room.citizen, O)
                await hears(room.talk, C)
            case "join", "operator":
                await room.supervision_over("took_over")
                await the_supervisor_has_it(rooms, room, said)
            case _:
                for one in (room.citizen, room.talk, said):
                    await one.over()
                await room.supervision_over("call_over")
                ended = await room.event("ended")
                assert ended.data["by"] == {"citizen": "caller"}.get(party, party)


async def the_supervisor_has_it(rooms: Hall, room: Room, said: Talk) -> None:
    """After a take-over: the citizen with the supervisor alone, the operator in wrap-up, and it is one
    call."""
    await room.talk.over()
    await hears(room.citizen, S)
    await hears(said, C)
    assert (room.live["operator"], room.live["supervision"]) == (room.supervisor, [])
    assert rooms.running.control.state(room.supervisor) == "talking"
    kinds = [e.kind for e in rooms.running.events(room.call)]
    assert kinds.index("taken_over") < kinds.index("left") < kinds.index("wrap_up")
    assert kinds.count("answered") == 2
    assert kinds[-1] != "ended"
    await said.hangup()
    await room.citizen.over()
    assert (await room.event("ended")).data["by"] == "operator"


async def taken_over(rooms: Hall, before: str | None, *, held: bool = False) -> None:
    do = rooms.running.control.do
    async with rooms.room() as room:
        if before is not None:
            await hears(await room.supervise(before), C, O)
        if held:
            await do("call.hold", call=room.call, operator=room.operator)
            await room.until(lambda: room.live["phase"] == "hold", "held")
        await do("supervise.take_over", call=room.call, supervisor=room.supervisor, by="sv")
        said = room.said or await room.desk.talk()
        await room.event("taken_over")
        await the_supervisor_has_it(rooms, room, said)


async def two_supervisors(rooms: Hall) -> None:
    """Each hears on by themselves; who has not joined is heard by nobody else."""
    do = rooms.running.control.do
    async with rooms.room() as room, rooms.supervisor() as other:
        said = await room.supervise("listen")
        await do("supervise.start", call=room.call, supervisor=other, mode="whisper", by="sv")
        second = await rooms.desks[other].talk()
        await hears(room.talk, C, S)
        await hears(said, C, O)
        await hears(room.citizen, O)
        await room.talk.hangup()
        for one in (room.citizen, said, second):
            await one.over()


async def refused(rooms: Hall) -> None:
    ask = rooms.running.control.ask
    async with rooms.room() as room:
        asked = {
            "unknown_call": {"call": "minato-0.0", "supervisor": room.supervisor},
            "unknown_operator": {"call": room.call, "supervisor": "1999"},
            "not_allowed": {"call": room.call, "supervisor": room.operator},
            "target_unreachable": {"call": room.call, "supervisor": "1909"},
        }
        for code, fields in asked.items():
            for do in ("supervise.start", "supervise.take_over"):
                answer = await ask(do, **fields, by="sv")
                assert answer["error"]["code"] == code, answer
        answer = await ask("supervise.mode", supervisor=room.supervisor, mode="join", by="sv")
        assert answer["error"]["code"] == "not_supervising"
        answer = await ask("call.pull", call=room.call, supervisor=room.supervisor, by="sv")
        assert answer["error"]["code"] == "not_waiting"
        room.desk.policy = "decline"
        await ask("supervise.start", call=room.call, supervisor=room.supervisor, by="sv")
        await room.desk.rung()
        while (await ask("supervise.mode", supervisor=room.supervisor, mode="listen"))["ok"]:
            pass  # the answer to the refusal is on its way
        room.desk.policy = "answer"
        await hears(room.talk, C)
        assert not [e for e in rooms.running.events(room.call) if e.kind.startswith("supervision")]


async def help_and_marks(rooms: Hall) -> None:
    control, do = rooms.running.control, rooms.running.control.do
    async with rooms.room() as room:
        asked = await do("help.ask", operator=room.operator, call=room.call, text="税の還付がわかりません")
        again = await do("help.ask", operator=room.operator, text="至急です", urgent=True)
        assert again["id"] == asked["id"]

        def shown() -> dict[str, object]:
            return next((one for one in control.helps if one["id"] == asked["id"]), {})

        await control.wait(lambda: bool(shown().get("urgent")), 30, "the request is shown")
        await do("help.say", help=asked["id"], by="sv", text="納税課の3番です")
        await do("help.take", help=asked["id"], by="sv")
        await control.wait(lambda: shown().get("state") == "taken", 30, "taken")
        messages = shown()["messages"]
        assert isinstance(messages, list)
        assert [one["text"] for one in messages] == ["税の還付がわかりません", "至急です", "納税課の3番です"]
        assert (shown()["call"], shown()["by"]) == (room.call, "sv")

        await do("call.mark", call=room.call, operator=room.operator, mark="emergency", on=True, by="op")
        await do("call.mark", call=room.call, mark="harassment", on=True, by="sv", note="長時間")
        await do("call.mark", call=room.call, mark="harassment", on=False, by="sv")
        await room.until(lambda: [one["mark"] for one in room.live["marks"]] == ["emergency"], "marked")
        await room.talk.hangup()
        await room.event("ended")
        # Without a wrap-up the operator's work is over with the call, and so is the request.
        await control.wait(lambda: not shown(), 30, "closed")
        await do("call.mark", call=room.call, operator=room.operator, mark="harassment", on=True, by="op")
        marked = [
            (e.data["mark"], e.data["on"]) for e in rooms.running.events(room.call) if e.kind == "marked"
        ]
        assert marked[:3] == [("emergency", True), ("harassment", True), ("harassment", False)]


async def mute_and_keys(rooms: Hall) -> None:
    do = rooms.running.control.do
    async with rooms.room() as room:
        digits: list[str] = []
        room.citizen.call.on_dtmf(lambda event: digits.append(event.digit))
        said = await room.supervise("listen")
        await do("call.mute", call=room.call, operator=room.operator)
        await hears(said, C)  # who listens hears no more of the operator
        mark = len(room.citizen.samples())
        await sound_of(room.talk, 1.5)  # who is muted hears on
        await hears(room.talk, C)
        assert dbfs(room.citizen.samples()[mark + RATE // 4 :], O) < -70
        await room.until(lambda: room.live["muted"], "muted")
        await do("call.unmute", call=room.call, operator=room.operator)
        await hears(room.citizen, O)
        await do("call.dtmf", call=room.call, operator=room.operator, digits="159#0*")
        await room.citizen.until(lambda: len(digits) >= 6, 30, "key tones")
        assert "".join(digits) == "159#0*"
        answer = await rooms.running.control.ask(
            "call.dtmf", call=room.call, operator=room.operator, digits="1a"
        )
        assert answer["error"]["code"] == "bad_field"


async def ended_politely(rooms: Hall, *, held: bool) -> None:
    do = rooms.running.control.do
    plan = load_site(rooms.running.state.path.parent / "site.yaml")
    words = plan.wording.said("harassment_end")
    async with rooms.room() as room:
        if held:
            await do("call.hold", call=room.call, operator=room.operator)
            await room.until(lambda: room.live["phase"] == "hold", "held")
        mark = len(room.citizen.samples())
        await do("call.end_politely", call=room.call, operator=room.operator)
        await room.talk.over()
        await room.citizen.over()
        said = room.citizen.samples()[mark:]
        prompts = sounds(rooms.running.state.asterisk / "sounds", [words])
        # To its end, as well as it comes through on a busy machine.
        assert len(said) > 0.8 * len(prompts[words.key])
        assert contains(said, prompts[words.key]) > 0.4
        ended = await room.event("ended")
        assert (ended.data["by"], ended.data["reason"]) == ("operator", "ended_politely")


async def pulled(rooms: Hall) -> None:
    """Last, since every operator is on a break: answered, unanswered (the place is kept), and raced."""
    control, do = rooms.running.control, rooms.running.control.do
    for operator in (one for one in rooms.desks if one < "1900"):
        await do("operator.state", operator=operator, state="break")
    async with rooms.supervisor() as supervisor, rooms.supervisor() as slow:
        for one in (supervisor, slow):  # signed on, and offered nothing: they serve no queue
            await do("operator.state", operator=one, state="ready")
        callers = [rooms.caller() for _ in range(3)]
        citizens: list[Talk] = []
        for n, caller in enumerate(callers):
            citizens.append(await rooms.sip.call(rooms.running.sip, NUMBER, caller))
            await control.phase_is("waiting", n + 1)
        calls = [str((rooms.call_of(caller) or {})["id"]) for caller in callers]

        rooms.desks[slow].policy = "decline"
        await do("call.pull", call=calls[1], supervisor=slow, by="sv")
        await rooms.desks[slow].rung()
        await rooms.running.event("offer_ended", true=lambda e: e.call == calls[1])
        assert [control.calls[one]["position"] for one in calls] == [1, 2, 3]
        assert [control.calls[one]["phase"] for one in calls] == ["waiting"] * 3
        await control.state_is(slow, "ready")

        await do("call.pull", call=calls[1], supervisor=supervisor, by="sv")
        talk = await rooms.desks[supervisor].talk()
        await hears(citizens[1], S)
        await hears(talk, C)
        assert control.calls[calls[1]]["operator"] == supervisor
        assert [control.calls[calls[n]]["position"] for n in (0, 2)] == [1, 2]
        await talk.hangup()
        await citizens[1].over()

        # Rung, and an operator is free before it is answered: whoever answers first has it.
        rooms.desks[slow].policy = "ring"
        await do("call.pull", call=calls[0], supervisor=slow, by="sv")
        await rooms.desks[slow].rung()
        await do("operator.state", operator="1001", state="ready")
        answered = await rooms.desks["1001"].talk()
        await hears(citizens[0], O)
        withdrawn = await rooms.running.event(
            "offer_ended", true=lambda e: e.call == calls[0] and e.data["operator"] == slow
        )
        assert withdrawn.data["reason"] == "withdrawn"
        await control.state_is(slow, "ready")
        offered = [e.data["operator"] for e in rooms.running.events() if e.kind == "offered"]
        assert offered.count(supervisor) == 1  # the pull alone
        await citizens[2].hangup()
        await answered.hangup()


@pytest.mark.req("MON-2", "MON-3", "OPR-1", "OPR-5")
async def test_who_hears_whom_at_the_supervisors_seat(tmp_path: Path) -> None:
    plan = site(operators=AT_ONCE + 1, supervisors=9)  # 1909 has no phone
    async with (
        centre(tmp_path, site=plan) as running,
        phones() as sip,
        hall(running, sip, AT_ONCE + 1, AT_ONCE + 2, AT_ONCE) as rooms,
    ):
        scenarios = {
            "listening cannot be heard": listening_cannot_be_heard(rooms),
            "a whisper on hold": a_whisper_reaches_the_operator_while_the_citizen_is_on_hold(rooms),
            "taken over at once": taken_over(rooms, None),
            "taken over out of listening": taken_over(rooms, "listen"),
            "taken over out of whispering, held": taken_over(rooms, "whisper", held=True),
            "two supervisors": two_supervisors(rooms),
            "refused": refused(rooms),
            "help and marks": help_and_marks(rooms),
            "mute and keys": mute_and_keys(rooms),
            "ended politely": ended_politely(rooms, held=False),
            "ended politely out of hold": ended_politely(rooms, held=True),
        }
        for mode, party in itertools.product(MODES, PARTIES):
            scenarios[f"{party} hangs up in {mode}"] = somebody_hangs_up(rooms, mode, party)
        await beside_each_other(scenarios)
        await pulled(rooms)
        records = await running.ended(len(scenarios) + 3)
        assert all(one.outcome == "answered" for one in records[:-3])
        await running.nothing_left()
        await adds_up(running)
