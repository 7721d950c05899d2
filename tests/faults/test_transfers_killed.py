"""The engine is killed in mid-transfer: everybody goes on hearing whom they heard, and the keys work on."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from dialplans import load_site
from tests.support.centre import Centre, centre
from tests.support.pbx import WARD_HZ, pbx
from tests.support.phones import CITIZEN_HZ, OPERATOR_HZ, phones
from tests.support.rooms import beside_each_other
from tests.support.scenes import Scene, Stage, at_the_desk, hears, hears_music

C, O, W = CITIZEN_HZ, OPERATOR_HZ, WARD_HZ  # noqa: E741
COLLEAGUE_HZ = 1350.0
OPERATORS, COLLEAGUE = 9, "1901"
Step = Callable[[Scene], Coroutine[Any, Any, None]]


async def asks_a_colleague(scene: Scene) -> None:
    await scene.do("consult", to={"kind": "operator", "number": COLLEAGUE})
    await scene.transfer_is("talking")
    await hears(scene.talk, COLLEAGUE_HZ)


async def waits_while_it_rings(scene: Scene) -> None:
    await hears_music(scene.citizen)
    await hears_music(scene.talk)
    await scene.phase_is("consulting")


async def is_asked_about(scene: Scene) -> None:
    await hears_music(scene.citizen)
    await hears(scene.talk, W)
    await hears(scene.ward, O)
    await scene.phase_is("consulting")


async def is_asked_about_with_a_colleague(scene: Scene) -> None:
    await hears_music(scene.citizen)
    await hears(scene.talk, COLLEAGUE_HZ)
    control = scene.on.running.control
    await control.wait(lambda: control.operators[COLLEAGUE]["call"] == scene.call, 30, "the colleague's call")


async def talks_while_the_target_waits(scene: Scene) -> None:
    await hears(scene.citizen, O)
    await hears(scene.talk, C)
    await hears_music(scene.ward)
    await scene.transfer_is("held")


async def all_three_talk(scene: Scene) -> None:
    await hears(scene.citizen, O, W)
    await hears(scene.talk, C, W)
    await hears(scene.ward, C, O)
    await scene.transfer_is("three_way")


async def hears_it_ring(scene: Scene) -> None:
    await hears_music(scene.citizen)
    await scene.phase_is("transferring")


async def talks_with_the_target(scene: Scene) -> None:
    await hears(scene.citizen, W)
    await hears(scene.ward, C)
    await scene.phase_is("transferred")
    assert scene.live["operator"] is None
    assert scene.live["hops"] == 1


async def completes(scene: Scene) -> None:
    await scene.do("complete")
    await scene.talk.over()
    await talks_with_the_target(scene)


async def completes_with_the_colleague(scene: Scene) -> None:
    await scene.do("complete")
    await scene.talk.over()
    await hears(scene.citizen, COLLEAGUE_HZ)
    await scene.until(lambda: scene.live["operator"] == COLLEAGUE, "the call is the colleague's")


async def is_answered(scene: Scene) -> None:
    scene.ward.answer()
    if scene.talk.ended.is_set():
        await talks_with_the_target(scene)
    else:
        await is_asked_about(scene)


async def comes_back_by_the_key(scene: Scene) -> None:
    await scene.do("return")
    await has_the_citizen_again(scene)


async def swaps(scene: Scene) -> None:
    await scene.do("swap")
    await is_asked_about(scene)


async def target_hangs_up(scene: Scene) -> None:
    scene.ward.bye()
    await scene.citizen.over()
    assert (await scene.event("ended"))["by"] == "outside"


# By name: brought to it, what must be so before the kill and after it, and what is done then.
STANDS: dict[str, tuple[Step, Step, Step]] = {
    "rings": (Scene.rings, waits_while_it_rings, is_answered),
    "talks": (Scene.consulted, is_asked_about, comes_back_by_the_key),
    "swapped": (Scene.swapped, talks_while_the_target_waits, swaps),
    "three_way": (Scene.three_way, all_three_talk, completes),
    "blind": (lambda scene: scene.rings("blind"), hears_it_ring, is_answered),
    "transferred": (Scene.transferred, talks_with_the_target, target_hangs_up),
    "colleague": (asks_a_colleague, is_asked_about_with_a_colleague, completes_with_the_colleague),
}


async def has_the_citizen_again(scene: Scene) -> None:
    await hears(scene.citizen, O)
    await hears(scene.talk, C)
    await scene.phase_is("talking")
    assert scene.live["last_transfer"]["reason"] in ("returned", "target_gone")


async def is_over(scene: Scene) -> None:
    ended = await scene.event("ended")
    assert ended["reason"] == "found ended"
    assert (await scene.event("transfer_ended"))["reason"] == "caller_gone"
    await scene.talk.over()


async def ended_outside(scene: Scene) -> None:
    await scene.citizen.over()
    assert (await scene.event("ended"))["by"] == "outside"


async def returns(scene: Scene) -> None:
    """Refused while nobody looked: to an operator, as after any transfer that failed."""
    assert (await scene.event("returned"))["from"] == 1
    _, talk = await scene.on.next_talk(scene.caller)
    await hears(talk, C)
    await hears(scene.citizen, O)


async def citizen_hangs_up(scene: Scene) -> None:
    await scene.citizen.hangup()


async def operator_hangs_up(scene: Scene) -> None:
    await scene.talk.hangup()


async def ward_hangs_up(scene: Scene) -> None:
    scene.ward.bye()


async def ward_refuses(scene: Scene) -> None:
    scene.ward.refuse(486)


# By name: brought to it, what happens while there is no engine, what follows when there is one again.
MEANWHILE: dict[str, tuple[Step, Step, Step]] = {
    "asked about, the operator hangs up": (Scene.consulted, operator_hangs_up, talks_with_the_target),
    "asked about, the target hangs up": (Scene.consulted, ward_hangs_up, has_the_citizen_again),
    "asked about, the citizen hangs up": (Scene.consulted, citizen_hangs_up, is_over),
    "three talk, the operator hangs up": (Scene.three_way, operator_hangs_up, talks_with_the_target),
    "transferred, the target hangs up": (Scene.transferred, ward_hangs_up, ended_outside),
    "rings blindly, refused": (lambda scene: scene.rings("blind"), ward_refuses, returns),
}


@asynccontextmanager
async def engine_away(running: Centre) -> AsyncIterator[None]:
    """Killed, and nobody starts it anew until the block is left; then another drives the calls."""
    await asyncio.sleep(0.3)  # what has happened is on disk
    pid = running.pid("engine")
    stopped = running.kill("up", signal.SIGSTOP)
    try:
        running.kill("engine")
        async with asyncio.timeout(30):
            while "State:\tZ" not in Path(f"/proc/{pid}/status").read_text():
                await asyncio.sleep(0.01)
        yield
    finally:
        os.kill(stopped, signal.SIGCONT)
    async with asyncio.timeout(30):
        while running.pid("engine") == pid:
            await asyncio.sleep(0.02)
    await running.event("engine_started", 30, lambda one: one.data["pid"] == running.pid("engine"))
    await running.control.wait(lambda: bool(running.control.switch.get("connected")), 30)


@pytest.mark.long
@pytest.mark.timeout(300)
@pytest.mark.req("REL-1", "XFR-1", "XFR-5", "REC-1")
async def test_killed_in_mid_transfer(tmp_path: Path) -> None:
    async with pbx() as hall, phones() as sip:
        made = hall.site(operators=OPERATORS, supervisors=1, wrap_up_s=0)
        made["transfers"] = {"back_after_s": 120}
        async with centre(tmp_path, site=made) as running:
            hall.centre(running)
            desks = await at_the_desk(running, sip, [str(1001 + n) for n in range(OPERATORS)])
            desks |= await at_the_desk(running, sip, [COLLEAGUE], hz=COLLEAGUE_HZ)
            on = Stage(running, load_site(tmp_path / "site.yaml"), hall, sip, desks, OPERATORS)
            async with AsyncExitStack() as ends:
                scenes = {name: await ends.enter_async_context(on.scene()) for name in STANDS}
                for part in range(3):
                    if part == 2:
                        async with engine_away(running):
                            pass
                        await beside_each_other({name: STANDS[name][1](scenes[name]) for name in STANDS})
                    await beside_each_other({name: STANDS[name][part](scenes[name]) for name in STANDS})
            await running.control.wait(lambda: not running.control.calls, 30, "all calls over")
            async with AsyncExitStack() as ends:
                scenes = {name: await ends.enter_async_context(on.scene()) for name in MEANWHILE}
                await beside_each_other({name: MEANWHILE[name][0](scenes[name]) for name in MEANWHILE})
                async with engine_away(running):
                    for name, scene in scenes.items():
                        await MEANWHILE[name][1](scene)
                    await asyncio.sleep(1)  # so that Asterisk has taken it
                await beside_each_other({name: MEANWHILE[name][2](scenes[name]) for name in MEANWHILE})
            await running.control.wait(lambda: not running.control.calls, 30, "all calls over")
            for operator in desks:
                await running.control.state_is(operator, "ready")
            await running.nothing_left()
            for call in {one.call for one in running.events() if one.kind == "arrived" and one.call}:
                kinds = running.kinds(call)
                assert kinds.count("ended") == 1
                assert kinds.count("transfer_begun") == kinds.count("transfer_ended"), kinds
