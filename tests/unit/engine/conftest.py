"""A centre without a switch: lines that note what is asked of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from cdr import Journal
from engine.centre import Centre
from engine.clock import Clock
from engine.settings import EngineSettings
from engine.versions import Versions
from switch import Hangup, SwitchSettings
from tests.support.planned import CITY, plan
from tests.support.site import write_site


class Line:
    """A channel (or bridge) that notes what is asked of it; what is played lasts until told otherwise."""

    up, name, caller, dialled, hangup_info = True, "PJSIP/x", None, CITY, None
    down = False

    def __init__(self, identity: str, *args: str) -> None:
        self.id, self.args = identity, args
        self.asked: list[str] = []

    def on_gone(self, callback: Callable[[Hangup], None]) -> None: ...

    def forget_digits(self) -> None: ...

    async def play(self, *media: str, until_digit: bool = False) -> str | None:
        self.asked.append(" ".join(("play", *media)))
        await asyncio.Event().wait()
        return None

    def __getattr__(self, what: str) -> Any:
        async def asked(*arguments: object) -> None:
            self.asked.append(" ".join((what, *map(str, arguments))))

        return asked


@pytest.fixture
async def planned(tmp_path: Path) -> AsyncIterator[Centre]:
    """On the plan of tests.support.planned."""
    made = await make(tmp_path)
    yield made
    close(made)


async def make(folder: Path, versions: Versions | None = None) -> Centre:
    """A centre in `folder` as a new engine finds it, journal and all."""
    path = folder / "site.yaml"
    if not path.exists():
        write_site(path, plan(5099))
    settings = EngineSettings(
        site_path=path,
        journal_folder=folder / "journal",
        spool_folder=folder,
        control_socket=folder / "s",
        queue_log=folder / "queue_log",
        switch=SwitchSettings("", "", "", "", 0, "", ""),
    )
    clock = Clock()
    journal = Journal(settings.journal_folder, clock=clock)
    centre = Centre(settings, versions or Versions.open(None, path), journal, clock)
    centre.remember()
    return centre


def close(centre: Centre) -> None:
    centre.openings.stop()
    if centre.session is not None:
        centre.session.detach()
    centre.journal.close()
