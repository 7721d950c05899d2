"""A state folder with everything that makes a plan live, but no Asterisk and no engine."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

import ivr
from daihyo import activating, rendering, speaking
from daihyo.activating import Activator
from daihyo.plans import live_number, plan_file, write, write_live
from daihyo.settings import Runtime, StateDir
from dialplans import Site, parse_site
from store import Store, plans
from switch.install import Tree
from tests.support.site import site

ROOT = Path(__file__).parents[3]


def text_of(**changes: Any) -> str:
    """The YAML of a small site (`tests.support.site`) with one event; `state` is the event's."""
    out = io.StringIO()
    event = {"id": "fair", "name": "港まつり", "state": changes.pop("state", "held")}
    whole = {key: changes.pop(key) for key in ("id",) if key in changes}
    waiting = [{"after_s": 20, "every_s": 60, "events": "main"}]
    YAML().dump({**site(waiting=waiting, **changes), "events": [event], **whole}, out)
    return out.getvalue()


class Killed(BaseException):
    """The worker is killed here."""


class Engine:
    """Answers as the engine would: makes a version live, or does what a test says."""

    def __init__(self, state: StateDir) -> None:
        self.state = state
        self.asked: list[dict[str, Any]] = []
        self.there: list[bool] = []  # was the version on disk when it was asked for?
        self.before: Callable[[], None] = lambda: None
        self.after: Callable[[], None] = lambda: None

    async def ask(self, socket: Path, do: str, timeout_s: float, **fields: Any) -> dict[str, Any]:
        assert (socket, do) == (self.state.control_socket, "plan.activate")
        self.asked.append(fields)
        self.there.append(plan_file(self.state, fields["version"]).with_suffix(".json").exists())
        self.before()
        write_live(self.state, fields["version"])
        self.after()
        return {"version": fields["version"], "calls": 0}


class Worker:
    """A worker's activator on a state folder; `again()` is the next one after it was killed."""

    def __init__(self, folder: Path, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        self.state = StateDir(folder / "s")
        self.state.create()
        self.store = store
        self.engine = Engine(self.state)
        self.runtime = Runtime("/site.yaml", "127.0.0.1", 8080, 5060, (10000, 10999), 8088, 5038)
        self._tree = a_tree(folder)
        monkeypatch.setattr(activating, "find_asterisk", lambda: self._tree)
        self.activator = self.again()

    def again(self) -> Activator:
        self.activator = Activator(self.state, self.runtime, self.store, ask=self.engine.ask)
        return self.activator

    async def started(self, text: str) -> None:
        """What `daihyo up` has done: version 1 is live."""
        site = self.spoken(text)
        version = await plans.add_version(self.store, text, author=plans.FILE)
        write(self.state, version.id, text, site)
        rendering.render_aside(site, self.state, self.runtime, self._tree).put()
        write_live(self.state, version.id)
        await plans.note_live(self.store, version.id, by=plans.FILE)

    def spoken(self, text: str) -> Site:
        """All sounds of a plan are there, without a word being spoken."""
        plan = parse_site(text)
        for one in plan.prompts():
            for suffix in (".wav", ".wav16"):
                (self.state.sounds / f"{ivr.sound_name(one.key)}{suffix}").touch()
        made = speaking._made_music(self.state)
        made.parent.mkdir(exist_ok=True)
        made.write_text(speaking._music(plan))
        return plan

    @property
    def live(self) -> int | None:
        return live_number(self.state)

    def config(self) -> dict[str, bytes]:
        etc = self.state.asterisk / "etc"
        return {path.name: path.read_bytes() for path in etc.iterdir()} if etc.is_dir() else {}


def a_tree(folder: Path) -> Tree:
    """An Asterisk that has every module, and is not there otherwise."""
    modules = folder / "modules"
    modules.mkdir(exist_ok=True)
    wanted = (ROOT / "asterisk_conf" / "templates" / "modules.txt").read_text()
    for line in wanted.splitlines():
        for name in line.split("#")[0].split("|"):
            if name.strip():
                (modules / f"{name.strip()}.so").touch()
    return Tree(["asterisk"], modules, folder / "data", (22, 10, 1))
