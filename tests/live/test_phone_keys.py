"""Transfers by the keys of the operators' own desk phones (SIP REFER), on real calls with measured sound: the
same transfers as by the page's buttons, with the same refusals (XFR-6, SEC-4).

All scenarios run beside each other in one centre, against a second Asterisk as the city hall's exchange.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from baresip import BaresipError, TransferFailed

from dialplans import load_site
from switch.install import find_asterisk, keys_objection
from tests.faults.test_engine_killed import back
from tests.live.asterisk_conf.tone_phone import TonePhone
from tests.support.centre import Centre, centre
from tests.support.pbx import PREFIX, RETURN_CODE, WARD_HZ, Pbx, pbx
from tests.support.phones import CITIZEN_HZ, OPERATOR_HZ, Talk, phones
from tests.support.rooms import beside_each_other
from tests.support.scenes import Scene, Stage, at_the_desk, hears, hears_music
from tests.support.site import NUMBER, OTHER_NUMBER, site

C, O, W = CITIZEN_HZ, OPERATOR_HZ, WARD_HZ  # noqa: E741
OPERATORS, AT_ONCE = 6, 5
CALLER = "1801"  # calls out, and is offered nobody
PLAIN = "1101"  # without the opt-in, alone in the queue `other`


def plan(made: dict[str, Any]) -> dict[str, Any]:
    made["queues"][0] |= {"wrap_up_s": 600, "ring_timeout_s": 30}
    made["transfers"] = {"back_after_s": 12, "keys_at_own_risk": True}
    made["queues"].append({**made["queues"][0], "id": "other", "name": "専門", "wrap_up_s": 0})
    made["numbers"][1]["queue"] = "other"
    made["queues"].append({**made["queues"][0], "id": "calls", "name": "発信"})
    made["operators"].append({"id": CALLER, "name": "発信", "queues": ["calls"]})
    for one in made["operators"]:
        one["phone_keys"] = True
    made["operators"].append({"id": PLAIN, "name": "専門", "queues": ["other"]})
    return made


class Raw(TonePhone):
    """A telephone that sends a REFER as it is told to, and keeps what it is answered."""

    def refers(self, to: str, **headers: str) -> None:
        self._cseq += 1
        more = {name.replace("_", "-"): value for name, value in headers.items()}
        lines = self._dialogue() | {"Contact": f"<{self._contact()}>", "Refer-To": f"<{to}>"} | more
        self._request("REFER", self._call["target"], lines, self._cseq)

    async def is_heard(self) -> None:
        """Until Asterisk has dealt with all that was sent in this call."""
        self._cseq += 1
        self._request("OPTIONS", self._call["target"], self._dialogue(), self._cseq)
        assert (await self.event("OPTIONS answered"))["status"] == "200"

    def _response(self, status: int, headers: dict[str, str]) -> None:
        if (method := headers["cseq"].split()[1]) in ("REFER", "OPTIONS"):
            self._note(f"{method} answered", {**headers, "status": str(status)})
        super()._response(status, headers)


async def key(scene: Scene, digits: str) -> None:
    """The operator's phone transfers; TransferFailed when it is told that it did not work."""
    await scene.talk.call.transfer(f"sip:{digits}@{scene.on.running.sip}")


async def told(scene: Scene, reason: str) -> None:
    """The screen says why."""
    await scene.until(
        lambda: bool((scene.live["last_transfer"] or {}).get("reason") == reason), f"{reason} is told"
    )


async def still_together(scene: Scene, reason: str) -> None:
    """Nothing has changed but what is on the screen."""
    await hears(scene.citizen, O)
    await hears(scene.talk, C)
    await scene.phase_is("talking")
    await told(scene, reason)
    assert scene.live["operator"] == scene.operator
    assert not scene.events("left")


# -- blind


async def blind(on: Stage) -> None:
    async with on.scene() as scene:
        await key(scene, scene.extension)
        await scene.talk.over()
        assert (await on.hall.dialled(PREFIX + scene.extension)).caller == NUMBER
        await hears(scene.citizen, W)
        await hears(scene.ward, C)
        await scene.phase_is("transferred")
        begun = await scene.event("transfer_begun")
        assert (begun["by"], begun["how"], begun["operator"]) == ("phone", "blind", scene.operator)
        assert begun["to"]["kind"] == "extension"
        await scene.event("wrap_up")
        kinds = [one.kind for one in on.running.events(scene.call)]
        assert kinds.index("transferred") < kinds.index("left") < kinds.index("wrap_up")


async def blind_comes_back(on: Stage) -> None:
    """It rings there and nobody answers: back at who transferred, as ever."""
    async with on.scene() as scene:
        scene.ward.policy = "ring"
        await key(scene, scene.extension)
        await scene.talk.over()
        await scene.phase_is("transferring")
        scene.ward.refuse(603)
        operator, talk = await on.next_talk(scene.caller)
        assert operator == scene.operator
        await hears(talk, C)
        assert scene.live["returned"]["reason"] == "refused"


async def blind_fails(on: Stage) -> None:
    """Busy, unknown, a full exchange: the phone is told, and keeps its call."""
    async with on.scene() as scene:
        for policy, reason in (("486", "busy"), ("404", "unreachable"), ("503", "trunk_full")):
            scene.ward.policy = policy
            if policy == "503":
                await on.hall.refuses(PREFIX + scene.extension, 34)
            with pytest.raises(TransferFailed):
                await key(scene, scene.extension)
            await still_together(scene, reason)


async def not_allowed(on: Stage) -> None:
    """Emergency and paid numbers, our own, what is no number: refused before anything is dialled (SEC-4)."""
    async with on.scene() as scene:
        for digits, reason in (
            ("119", "not_allowed"),
            ("0990123456", "not_allowed"),
            ("0101212555010", "not_allowed"),
            (NUMBER, "own_number"),
            ("00", "bad_extension"),
            (scene.operator, "not_allowed"),
        ):
            with pytest.raises(TransferFailed):
                await key(scene, digits)
            await told(scene, reason)
        await still_together(scene, "not_allowed")
        assert not scene.events("transfer_begun")


async def back_to_the_queue(on: Stage) -> None:
    """By the return code: the citizen goes to the front of the queue."""
    async with on.scene() as scene:
        await key(scene, RETURN_CODE)
        await scene.talk.over()
        operator, talk = await on.next_talk(scene.caller, after=scene.operator)
        assert operator != scene.operator
        await hears(talk, C)
        assert (await scene.event("transfer_begun"))["to"]["kind"] == "queue"


# -- attended


async def dial(scene: Scene, digits: str) -> Any:
    """The operator's phone puts the citizen on hold and dials."""
    await scene.talk.call.hold()
    desk = scene.on.desks[scene.operator]
    return await scene.on.sip.dial(desk.user_agent, f"sip:{digits}@{scene.on.running.sip}")


async def asked(scene: Scene) -> Talk:
    """The operator's phone talks with the extension."""
    call = await dial(scene, scene.extension)
    await call.wait_established()
    pad = Talk(call, O)
    await hears(pad, W)
    await hears(scene.ward, O)
    await scene.transfer_is("talking")
    return pad


async def attended(on: Stage) -> None:
    async with on.scene() as scene:
        pad = await asked(scene)
        await scene.phase_is("consulting")
        await hears_music(scene.citizen)
        begun = await scene.event("transfer_begun")
        assert (begun["by"], begun["how"], begun["to"]["number"]) == ("phone", "consult", scene.extension)
        await scene.talk.call.attended_transfer(pad.call)
        await pad.over()
        await scene.talk.over()
        await hears(scene.citizen, W)
        await hears(scene.ward, C)
        await scene.phase_is("transferred")
        await scene.event("wrap_up")
        assert scene.live["hops"] == 1
        kinds = [one.kind for one in on.running.events(scene.call)]
        assert kinds.index("transferred") < kinds.index("left") < kinds.index("wrap_up")
        scene.ward.bye()
        await scene.citizen.over()
        assert (await scene.event("ended"))["by"] == "outside"


async def taken_back(on: Stage) -> None:
    """The phone hangs up what it had dialled, and goes on with the citizen."""
    async with on.scene() as scene:
        pad = await asked(scene)
        await pad.hangup()
        await scene.ward.event("bye")
        await scene.phase_is("hold")  # the phone holds the citizen still, who hears no silence
        await hears_music(scene.citizen)
        await scene.talk.call.resume()
        await together_again(scene, "returned")


async def together_again(scene: Scene, reason: str) -> None:
    await scene.phase_is("talking")
    await hears(scene.citizen, O)
    await hears(scene.talk, C)
    await told(scene, reason)
    assert scene.live["operator"] == scene.operator
    assert scene.live["transfer"] is None
    assert not scene.events("left")


async def target_busy(on: Stage) -> None:
    """What is dialled is refused as a telephone refuses; the citizen is there still."""
    async with on.scene() as scene:
        for policy, reason in (("486", "busy"), ("603", "refused")):
            scene.ward.policy = policy
            call = await dial(scene, scene.extension)
            with pytest.raises(BaresipError):
                await call.wait_established()
            await scene.talk.call.resume()
            await together_again(scene, reason)
        call = await dial(scene, "119")
        with pytest.raises(BaresipError):
            await call.wait_established()
        await scene.talk.call.resume()
        await together_again(scene, "not_allowed")


async def target_hangs_up(on: Stage) -> None:
    async with on.scene() as scene:
        pad = await asked(scene)
        scene.ward.bye()
        await pad.over()
        await scene.talk.call.resume()
        await together_again(scene, "target_gone")


async def to_and_fro(on: Stage) -> None:
    """The phone goes from one to the other by its own hold key; then transfers."""
    async with on.scene() as scene:
        pad = await asked(scene)
        for _ in range(2):
            await pad.call.hold()
            await scene.talk.call.resume()
            await scene.transfer_is("held")
            await hears(scene.citizen, O)
            await hears(scene.talk, C)
            await hears_music(scene.ward)
            await scene.talk.call.hold()
            await pad.call.resume()
            await scene.transfer_is("talking")
            await hears(scene.ward, O)
            await hears(pad, W)
            await hears_music(scene.citizen)
        await scene.talk.call.attended_transfer(pad.call)
        await hears(scene.citizen, W)
        await hears(scene.ward, C)


async def citizen_hangs_up(on: Stage) -> None:
    async with on.scene() as scene:
        pad = await asked(scene)
        await scene.citizen.hangup()
        await pad.over()
        await scene.talk.over()
        await scene.ward.event("bye")
        assert (await scene.event("transfer_ended"))["reason"] == "caller_gone"


async def calls_out(on: Stage, operator: str) -> None:
    """Nobody is on the line: what is dialled is a call out, by the same rules."""
    control = on.running.control
    number = "0246559001"
    home = await on.hall.number(number)
    desk = on.desks[operator]
    call = await on.sip.dial(desk.user_agent, f"sip:{number}@{on.running.sip}")
    await call.wait_established()
    talk = Talk(call, O)
    await hears(talk, W)
    await hears(home, O)
    placed = (await on.running.event("dialled", 30, lambda one: one.data["operator"] == operator)).data
    assert (placed["by"], placed["to"], placed["number"]) == ("phone", number, NUMBER)
    await talk.hangup()
    await home.event("bye")
    await control.state_is(operator, "wrap_up")
    await on.written_up(control.operators[operator]["last_call"])
    await control.state_is(operator, "ready")
    for digits, reason in (("119", "not_allowed"), ("0990123456", "not_allowed"), (NUMBER, "own_number")):
        call = await on.sip.dial(desk.user_agent, f"sip:{digits}@{on.running.sip}")
        with pytest.raises(BaresipError):
            await call.wait_established()
        await control.wait(partial(_last_dialled, on, operator, digits), what=f"{digits} is told")
        assert control.operators[operator]["last_dial"]["reason"] == reason


def _last_dialled(on: Stage, operator: str, digits: str) -> bool:
    return bool((on.running.control.operators[operator]["last_dial"] or {}).get("number") == digits)


async def killed_in_between(on: Stage) -> None:
    """The engine dies while the phone asks somebody: both go on talking, and the key works with the next."""
    async with on.scene() as scene, on.scene() as other:
        pad, second = await asked(scene), await asked(other)
        pid = on.running.kill("engine")
        await hears(pad, W)
        await second.hangup()
        await back(on.running, pid)
        await hears(pad, W)
        await hears(scene.ward, O)
        await hears_music(scene.citizen)
        await scene.transfer_is("talking")
        await other.phase_is("hold")
        await hears_music(other.citizen)
        await other.talk.call.resume()
        await together_again(other, "returned")
        await scene.talk.call.attended_transfer(pad.call)
        await scene.talk.over()
        await hears(scene.citizen, W)
        await hears(scene.ward, C)


# -- the guards


async def without_the_opt_in(on: Stage, port: int) -> None:
    """Asterisk itself refuses the key, and whatever is dialled."""
    phone = await Raw.open(port, PLAIN, on.running.phone(PLAIN)["secret"])
    assert isinstance(phone, Raw)
    phone.hertz = O
    await phone.register()
    await on.running.ready_operator(PLAIN)
    citizen = await on.sip.call(on.running.sip, OTHER_NUMBER, "0311990001")
    await phone.hears_tone(C)
    phone.refers(f"sip:2314@127.0.0.1:{port}")
    assert (await phone.event("REFER answered"))["status"] == "603"
    await hears(citizen, O)
    call = on.call_of("0311990001")
    assert call is not None
    assert call["phase"] == "talking"
    assert "transfer_begun" not in on.running.kinds(call["id"])
    await citizen.hangup()
    await phone.event("bye")
    phone.close()


@asynccontextmanager
async def stage(folder: Path) -> AsyncIterator[tuple[Stage, Centre, Pbx]]:
    async with pbx() as hall, phones() as sip:
        made = plan(hall.site(operators=OPERATORS))
        async with centre(folder, site=made) as running:
            hall.centre(running)
            desks = await at_the_desk(running, sip, [*(str(1001 + n) for n in range(OPERATORS)), CALLER])
            yield (
                Stage(running, load_site(folder / "site.yaml"), hall, sip, desks, AT_ONCE),
                running,
                hall,
            )


@pytest.mark.timeout(240)
@pytest.mark.req("XFR-6", "XFR-1", "XFR-4", "SEC-4")
async def test_the_phones_own_keys(tmp_path: Path) -> None:
    async with stage(tmp_path) as (on, running, hall):
        port = int(running.sip.rsplit(":", 1)[1])
        await beside_each_other(
            {
                "blind": blind(on),
                "comes back": blind_comes_back(on),
                "fails": blind_fails(on),
                "not allowed": not_allowed(on),
                "queue": back_to_the_queue(on),
                "no opt-in": without_the_opt_in(on, port),
                "attended": attended(on),
                "taken back": taken_back(on),
                "busy": target_busy(on),
                "target gone": target_hangs_up(on),
                "to and fro": to_and_fro(on),
                "citizen gone": citizen_hangs_up(on),
                "out": calls_out(on, CALLER),
            }
        )
        await killed_in_between(on)
        await running.control.wait(lambda: not running.control.calls, 30, "all calls over")
        assert all(one.dialled.startswith(("82", "10246559")) for one in hall.calls), hall.calls
        await running.nothing_left()
        for call in {one.call for one in running.events() if one.kind == "arrived" and one.call}:
            kinds = running.kinds(call)
            assert kinds.count("transfer_begun") == kinds.count("transfer_ended"), kinds


@pytest.mark.timeout(120)
@pytest.mark.req("XFR-6", "REL-1")
async def test_one_message_does_not_end_all_calls(tmp_path: Path) -> None:
    """`Refer-Sub: false`, by which a telephone wants to hear nothing, ends some versions of Asterisk: with
    them the opt-in alone does not count (docs/decisions/0015)."""
    made = site(operators=1)
    made["operators"][0]["phone_keys"] = True
    async with phones() as sip, centre(tmp_path, site=made) as running:
        phone = await Raw.open(int(running.sip.rsplit(":", 1)[1]), "1001", running.phone("1001")["secret"])
        assert isinstance(phone, Raw)
        phone.hertz = O
        await phone.register()
        await running.ready_operator("1001")
        citizen = await sip.call(running.sip, NUMBER, "0311990002")
        await phone.hears_tone(C)
        before = running.pid("asterisk")
        phone.refers(f"sip:2314@{running.sip}", Refer_Sub="false")
        unsafe = keys_objection(find_asterisk().version) is not None
        if not unsafe:
            assert (await phone.event("REFER answered"))["status"] == "202"
        await phone.is_heard()
        await hears(citizen, O)
        assert running.pid("asterisk") == before
        warned = "phone_keys of 1001 stay off" in (running.state.path / "log" / "up.log").read_text()
        assert warned is unsafe
        phone.close()
        await citizen.hangup()
