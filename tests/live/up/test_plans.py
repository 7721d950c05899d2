"""The plan of a running centre changed, as the command line does it."""

from __future__ import annotations

import asyncio
import json
import signal
import uuid
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from daihyo.settings import Runtime
from store import Store, plans
from tests.live.up.test_up import pids, start_again
from tests.support.centre import Centre, centre
from tests.support.phones import CITIZEN_HZ, OPERATOR_HZ, phones
from tests.support.site import NUMBER, site, write_site

EXTRA = "0246221300"


def with_number(operators: int = 1) -> dict[str, Any]:
    """The plan with one number more, which Asterisk must learn of too."""
    changed = site(operators=operators)
    third = {
        **changed["numbers"][0],
        "number": "0246-22-1300",
        "name": "税の相談",
        "greeting": f"税の相談、{uuid.uuid4().hex[:6]}番です。",  # never spoken before
    }
    return {**changed, "numbers": [*changed["numbers"], third]}


async def settled(running: Centre, activation: int) -> str:
    """The state in which a wish ends."""
    async with await Store.open(Runtime.load(running.state).database(running.state)) as store:
        async with asyncio.timeout(60):
            while True:
                found = await plans.activation(store, activation)
                if found is not None and found.done_at is not None:
                    return found.state
                await asyncio.sleep(0.05)


def with_music(key: str) -> dict[str, Any]:
    """The plan with waiting music of uploaded audio."""
    made = site(operators=1)
    made["musics"] = [{"id": "sea", "name": "海", "audio": [key], "licence": "市の自作"}]
    made["queues"][0] |= {"music": "sea", "waiting_announcement_every_s": 600}
    return made


def a_tone(folder: Path, key: str, hertz: float) -> None:
    """Uploaded audio: three seconds of a tone."""
    folder.mkdir(parents=True, exist_ok=True)
    wave = 0.3 * np.sin(2 * np.pi * hertz * np.arange(3 * 16000) / 16000)
    soundfile.write(folder / f"{key}.wav16", wave, 16000, subtype="PCM_16", format="WAV")


@pytest.mark.req("HRS-4", "IVR-2")
async def test_a_music_gets_other_audio_while_citizens_wait(tmp_path: Path) -> None:
    old, new = (uuid.uuid4().hex[:16] for _ in range(2))  # never made before
    (tmp_path / "state").mkdir(mode=0o700)
    a_tone(tmp_path / "state" / "audio", old, CITIZEN_HZ)
    a_tone(tmp_path / "state" / "audio", new, OPERATOR_HZ)
    async with centre(tmp_path, site=with_music(old)) as running, phones() as sip:
        waiting = await sip.call(running.sip, NUMBER)
        await running.control.phase_is("waiting", 1, 30)
        await waiting.hears(CITIZEN_HZ)
        changed = write_site(tmp_path / "changed.yaml", with_music(new))
        await running.daihyo("site", "apply", str(changed))
        other = await sip.call(running.sip, NUMBER)
        await running.control.phase_is("waiting", 2, 30)
        await other.hears(OPERATOR_HZ)
        await waiting.hears(CITIZEN_HZ)  # never silence, over more than one turn of the music
        log = "\n".join(file.read_text() for file in (running.state.path / "asterisk/log").glob("messages*"))
        assert "Unable to open file" not in log
        await other.hangup()
        await waiting.hangup()


@pytest.mark.req("ADM-1", "IVR-2", "NUM-1")
async def test_a_plan_goes_live_during_a_call_and_is_undone(tmp_path: Path) -> None:
    async with centre(tmp_path, site=site(operators=1)) as running, phones() as sip:
        desk = await sip.desk(running.phone("1001"))
        await running.ready_operator("1001")
        citizen = await sip.call(running.sip, NUMBER)
        operator = await desk.talk()
        await citizen.hears(OPERATOR_HZ)
        changed = write_site(tmp_path / "changed.yaml", with_number())
        await running.daihyo("site", "apply", str(changed))
        await citizen.hears(OPERATOR_HZ)
        await operator.hears(CITIZEN_HZ)
        assert running.control.state("1001") == "talking"
        activated = await running.event("plan_activated", true=lambda event: event.data["version"] == 2)
        assert activated.call is None
        await operator.hangup()
        await citizen.over()
        await running.control.wait(lambda: not running.control.calls)

        other = await sip.call(running.sip, EXTRA)  # the number that was not there before
        await other.hears_sound()
        await desk.talk()
        shown = next(iter(running.control.calls.values()))
        assert (shown["number"], shown["number_name"]) == ("0246-22-1300", "税の相談")
        await other.hangup()

        _, exported = await running.daihyo("plan", "export")
        assert exported == changed.read_text()
        await running.daihyo("plan", "undo")
        _, listed = await running.daihyo("plan", "list", "--json")
        assert [(one["version"], one["live"]) for one in json.loads(listed)] == [(2, False), (1, True)]
        records = await running.ended(2)
        assert {row.number: row.plan for row in records} == {NUMBER: 1, EXTRA: 2}


@pytest.mark.req("ADM-1", "REL-1")
async def test_a_killed_worker_leaves_the_change_to_the_next_and_a_start_keeps_it(tmp_path: Path) -> None:
    async with centre(tmp_path, site=site(operators=1)) as running:
        url = Runtime.load(running.state).database(running.state)
        text = write_site(tmp_path / "changed.yaml", with_number()).read_text()
        async with await Store.open(url) as store:
            version = await plans.add_version(store, text, author="sv01", comment="税の相談", based_on=1)
            killed = running.kill("worker")
            wish = await plans.ask(store, version.id, by="sv01")
        assert await settled(running, wish.id) == "live"
        assert pids(running)["worker"] != killed
        assert await running.stop() == 0

        # The file was changed too, but what was made in the console stays.
        write_site(tmp_path / "site.yaml", site(operators=2))
        again = await start_again(running, file=tmp_path / "site.yaml")
        assert again.stdout is not None
        assert again.stderr is not None
        try:
            async with asyncio.timeout(60):
                told = (await again.stderr.readline()).decode()
                assert "version 2, made in the console by sv01, stays live" in told
                while not (line := await again.stdout.readline()).startswith(b"ready "):
                    assert line, (await again.stderr.read()).decode()
            await running.control.wait(
                lambda: list(running.control.operators) == ["1001"], 20, "the operators of version 2"
            )
        finally:
            again.send_signal(signal.SIGTERM)
            await again.wait()


@pytest.mark.req("HRS-3")
async def test_switched_from_the_command_line_under_a_practice_clock(tmp_path: Path) -> None:
    async with centre(tmp_path, "--practice-time", "2027-01-04 10:00", site=site(operators=1)) as running:
        code, _ = await running.daihyo(
            "opening", "closed", "--until", "10:30", "--reason", "台風", "--by", "sv01"
        )
        assert code == 0
        noted = await running.event("opening_set")
        assert (noted.data["mode"], noted.data["reason"], noted.data["by"]) == ("closed", "台風", "sv01")
        assert noted.data["until"].startswith("2027-01-04T01:30:00")
        _, heard = await running.daihyo("plan", "hear", "--number", NUMBER, "--json")
        told = json.loads(heard)
        assert told["at"].startswith("2027-01-04T10:")
        assert (told["open"], told["target"]) == (False, "hangup")
        await running.daihyo("opening", "clear", "--numbers", NUMBER, "--by", "sv01")
        await running.event("opening_cleared", true=lambda event: event.data["number"] == NUMBER)
