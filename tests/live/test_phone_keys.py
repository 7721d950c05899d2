"""Transfers by the keys of the operators' own desk phones (SIP REFER), on real calls with measured sound: the
same transfers as by the page's buttons, with the same refusals (XFR-6, SEC-4).

All scenarios run beside each other in one centre, against a second Asterisk as the city hall's exchange.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from baresip import TransferFailed

from dialplans import load_site
from switch.install import find_asterisk, keys_objection
from tests.live.asterisk_conf.tone_phone import TonePhone
from tests.support.centre import Centre, centre
from tests.support.pbx import PREFIX, RETURN_CODE, WARD_HZ, Pbx, pbx
from tests.support.phones import CITIZEN_HZ, OPERATOR_HZ, Talk, phones
from tests.support.rooms import beside_each_other
from tests.support.scenes import Scene, Stage, at_the_desk, hears
from tests.support.site import NUMBER, OTHER_NUMBER

C, O, W = CITIZEN_HZ, OPERATOR_HZ, WARD_HZ  # noqa: E741
OPERATORS, AT_ONCE = 6, 5
PLAIN = "1101"  # without the opt-in, alone in the queue `other`


def plan(made: dict[str, Any]) -> dict[str, Any]:
    made["queues"][0] |= {"wrap_up_s": 600, "ring_timeout_s": 30}
    made["transfers"] = {"back_after_s": 12, "keys_at_own_risk": True}
    made["queues"].append({**made["queues"][0], "id": "other", "name": "専門", "wrap_up_s": 0})
    made["numbers"][1]["queue"] = "other"
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

    def _response(self, status: int, headers: dict[str, str]) -> None:
        if headers["cseq"].endswith("REFER"):
            self._note("refer answered", {**headers, "status": str(status)})
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
    assert (await phone.event("refer answered"))["status"] == "603"
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
            desks = await at_the_desk(running, sip, [str(1001 + n) for n in range(OPERATORS)])
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
            }
        )
        await running.control.wait(lambda: not running.control.calls, 30, "all calls over")
        assert all(one.dialled[:2] in ("82",) for one in hall.calls), hall.calls
        await running.nothing_left()
        for call in {one.call for one in running.events() if one.kind == "arrived" and one.call}:
            kinds = running.kinds(call)
            assert kinds.count("transfer_begun") == kinds.count("transfer_ended"), kinds


__all__ = ["Talk", "asyncio", "find_asterisk", "keys_objection"]
