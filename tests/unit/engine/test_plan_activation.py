"""A version that goes live while the switch or the disk fails: it is live wholly or not at all."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

import engine.versions
from engine.centre import Centre
from engine.commands import CommandError
from engine.plan_control import Activate, PlanControl
from engine.versions import Versions, live_version, write_live
from switch import SwitchGone
from switch.phones import Phones
from tests.support.planned import plan, put_version

from .conftest import Line, close, make
from .test_plan_recovery import Noted, connected


class Switch(Line):
    """Takes everything but questions about phones."""

    async def watch(self, _: tuple[str, ...]) -> None:
        raise SwitchGone("GET endpoints/PJSIP/1009: timed out")


@pytest.fixture
async def on_one(tmp_path: Path) -> AsyncIterator[tuple[Centre, Noted]]:
    """Version 1 is live, 2 has one more operator."""
    content = plan(5099)
    put_version(tmp_path, 1, content)
    content["operators"].append({"id": "1009", "name": "新", "queues": ["main"]})
    put_version(tmp_path, 2, content)
    folder = tmp_path / "plans"
    write_live(folder, 1)
    centre = await make(tmp_path, Versions.open(folder, tmp_path / "none"))
    centre.settings = dataclasses.replace(centre.settings, plans=folder)
    noted = await connected(centre)
    centre.switch = Switch("switch")  # type: ignore[assignment]
    yield centre, noted
    close(centre)


WISH = Activate(version=2, by="sv01", comment="新しい人", modules=("pbx_config.so",))


@pytest.mark.req("ADM-1", "REL-1")
async def test_what_fails_after_a_plan_is_live_makes_it_no_less_live(on_one: tuple[Centre, Noted]) -> None:
    centre, noted = on_one
    assert (await PlanControl(centre)._activate(WISH))["version"] == 2
    told = dict(noted)["plan_activated"]
    assert (told["version"], told["by"], told["comment"], len(told["sha256"])) == (2, "sv01", "新しい人", 64)
    assert centre.versions.folder is not None
    assert (centre.versions.live.version, live_version(centre.versions.folder)) == (2, 2)


@pytest.mark.req("ADM-1", "REL-1")
async def test_a_plan_that_the_disk_refused_is_not_told_as_live(
    on_one: tuple[Centre, Noted], monkeypatch: pytest.MonkeyPatch
) -> None:
    centre, noted = on_one

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(engine.versions, "write_live", full)
    with pytest.raises(CommandError) as refused:
        await PlanControl(centre)._activate(WISH)
    assert refused.value.code == "not_activated"
    assert "plan_activated" not in dict(noted)
    assert centre.versions.live.version == 1


@pytest.mark.req("REL-1", "OPR-1")
async def test_a_new_phone_that_could_not_be_asked_for_is_asked_for_again() -> None:
    answers: list[Any] = [SwitchGone("timed out"), {"state": "online"}]
    told: asyncio.Queue[tuple[str, bool]] = asyncio.Queue()

    async def ask(_: str) -> Any:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    phones = Phones((), ask, lambda *one: told.put_nowait(one))
    await phones.replace(("1009",))
    looking = asyncio.create_task(phones.run(lambda: 3600.0))
    async with asyncio.timeout(10):
        assert await told.get() == ("1009", True)
    looking.cancel()
