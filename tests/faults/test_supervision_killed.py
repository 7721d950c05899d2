"""The engine is killed while supervisors are at conversations: nobody's hearing changes, and their keys work
on."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.faults.test_engine_killed import back
from tests.support.centre import centre
from tests.support.phones import CITIZEN_HZ, OPERATOR_HZ, RATE, SUPERVISOR_HZ, dbfs, longest_quiet_s, phones
from tests.support.rooms import Room, beside_each_other, hall, hears, sound_of
from tests.support.site import site

C, O, S = CITIZEN_HZ, OPERATOR_HZ, SUPERVISOR_HZ  # noqa: E741
MODES = ("listen", "whisper", "join")
CITIZEN_HEARS = {"listen": (O,), "whisper": (O,), "join": (O, S)}
OPERATOR_HEARS = {"listen": (C,), "whisper": (C, S), "join": (C, S)}


async def all_hear(room: Room, mode: str) -> None:
    assert room.said is not None
    await hears(room.citizen, *CITIZEN_HEARS[mode])
    await hears(room.talk, *OPERATOR_HEARS[mode])
    await hears(room.said, C, O)


@pytest.mark.long
@pytest.mark.req("REL-1", "MON-2", "OPR-5")
async def test_a_kill_in_mid_listen_mid_whisper_and_mid_join(tmp_path: Path) -> None:
    async with (
        centre(tmp_path, site=site(operators=5, supervisors=5, wrap_up_s=30)) as running,
        phones() as sip,
        hall(running, sip, 5, 5, 5) as rooms,
    ):
        ready = asyncio.Barrier(6)
        killed = asyncio.Event()

        async def supervised(mode: str) -> None:
            async with rooms.room() as room:
                await room.supervise(mode)
                await all_hear(room, mode)
                marks = len(room.citizen.samples()), len(room.talk.samples())
                await ready.wait()
                await killed.wait()
                await room.until(lambda: [one["mode"] for one in room.live["supervision"]] == [mode], "again")
                await all_hear(room, mode)
                for one, mark in zip((room.citizen, room.talk), marks, strict=True):
                    assert longest_quiet_s(one.samples()[mark:]) <= 0.2
                if mode != "join":
                    await sound_of(room.citizen, 4)  # for the reason told in tests/live/test_supervision.py
                    assert dbfs(room.citizen.samples()[marks[0] :], S) < -75
                for other in (MODES[MODES.index(mode) - 1], mode):  # switching works on
                    await room.supervise(other)
                    await all_hear(room, other)
                assert room.said is not None
                await room.said.hangup()
                await room.supervision_over("hung_up")
                await hears(room.citizen, O)
                await hears(room.talk, C)

        async def the_operator_goes_while_nobody_looks() -> None:
            """The supervisor who had joined has the call."""
            async with rooms.room() as room:
                said = await room.supervise("join")
                await all_hear(room, "join")
                await ready.wait()
                await room.talk.hangup()
                await killed.wait()
                await room.event("taken_over")
                await hears(room.citizen, S)
                await hears(said, C)
                assert room.live["operator"] == room.supervisor
                await said.hangup()
                await room.citizen.over()

        async def remembered() -> None:
            """Mute, marks, a request for help."""
            do = running.control.do
            async with rooms.room() as room:
                await do("call.mute", call=room.call, operator=room.operator)
                await do("call.mark", call=room.call, mark="emergency", on=True, by="op")
                asked = await do("help.ask", operator=room.operator, call=room.call, text="脅迫です")
                await ready.wait()
                await killed.wait()
                await room.until(lambda: room.live["muted"], "still muted")
                assert [one["mark"] for one in room.live["marks"]] == ["emergency"]
                assert [one["id"] for one in running.control.helps] == [asked["id"]]
                mark = len(room.citizen.samples())  # who is muted sends nothing
                await do("call.unmute", call=room.call, operator=room.operator)
                await room.citizen.until(lambda: len(room.citizen.samples()) > mark + RATE, 30, "sound again")
                await hears(room.citizen, O)
                await do("help.close", help=asked["id"], by="sv")

        async def last_words() -> None:
            """A citizen who was hearing them hears them again and is let go; nobody else is rung."""
            async with rooms.room() as room:
                await running.control.do("call.end_politely", call=room.call, operator=room.operator)
                await room.event("polite_end")
                await room.talk.over()
                await back(running, running.kill("engine"))
                await room.citizen.over()
                ended = await room.event("ended")
                assert (ended.data["by"], ended.data["reason"]) == ("operator", "ended_politely")
                assert running.kinds(room.call).count("offered") == 1

        async def kill() -> None:
            await ready.wait()
            await asyncio.sleep(0.2)  # what was noted last is on disk
            await back(running, running.kill("engine"))
            killed.set()

        gone, memory = the_operator_goes_while_nobody_looks(), remembered()
        supervisions = {mode: supervised(mode) for mode in MODES}
        await beside_each_other({**supervisions, "heir": gone, "memory": memory, "kill": kill()})
        await last_words()
        await running.nothing_left()
