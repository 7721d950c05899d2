"""Asterisk's configuration for a plan: rendered aside, compared, put in place.

Which modules must still be reloaded stands in DIR/asterisk/reload.json from before the first file is changed
until the engine has had them reloaded, so that whoever takes over after a crash knows it too.
"""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from asterisk_conf import (
    AsteriskSettings,
    ConfigurationError,
    Secrets,
    modules_to_reload,
    needs_restart,
    render,
)
from asterisk_conf.phone_keys import warning
from daihyo.settings import Runtime, StateDir, UserError, write_private
from dialplans import Site
from switch.install import Tree

log = logging.getLogger("daihyo.rendering")

# Parts of a plan that no configuration file is made of: rendering is spared where only they change.
NOT_FOR_ASTERISK = frozenset(
    ("hours", "calendars", "steps", "notices", "events", "event_states", "users", "kpi", "centre", "dialling")
) | {"categories", "harassment", "alarms", "mail"}
NOT_OF_NUMBERS = frozenset(("greeting", "hours", "closed", "holiday", "withheld"))


@dataclass(frozen=True)
class Rendered:
    """A plan's configuration beside the one in use, and the secrets it holds. `changed`: names of the files
    that differ."""

    folder: Path
    into: Path
    changed: list[str]
    keys: Secrets

    @property
    def needs_restart(self) -> list[str]:
        """The changed files that Asterisk reads at its start only."""
        return needs_restart(self.changed)

    def put(self) -> None:
        """Puts the changed files in place, each in one step. OSError."""
        self.into.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name in self.changed:
            (self.folder / name).replace(self.into / name)


def render_aside(site: Site, state: StateDir, runtime: Runtime, tree: Tree) -> Rendered:
    """Renders without touching what is in use. Raises UserError."""
    try:
        keys = Secrets.load_or_create(state.secrets, site)
        settings = AsteriskSettings(
            folder=state.asterisk,
            spool=state.spool,
            tree=tree,
            listen=runtime.listen,
            sip_port=runtime.sip_port,
            rtp_ports=runtime.rtp_ports,
            ari_port=runtime.ari_port,
            ami_port=runtime.ami_port,
            demo=runtime.demo,
            run_folder=state.asterisk_run,
        )
        aside = state.asterisk / "etc.next"
        render(site, keys, settings, aside)
        if words := warning(site, tree.version):
            log.warning("%s", words)
    except ConfigurationError as error:
        raise UserError(str(error)) from None
    names = sorted(path.name for path in aside.iterdir() if not path.name.startswith("."))
    return Rendered(
        aside, settings.etc, [name for name in names if _differs(aside, settings.etc, name)], keys
    )


def seen_by_asterisk(site: Site) -> str:
    """What is in a plan for Asterisk, to be compared: where this is the same, so is the configuration."""
    return site.model_dump_json(
        exclude={**dict.fromkeys(NOT_FOR_ASTERISK, True), "numbers": {"__all__": set(NOT_OF_NUMBERS)}}
    )


def forget(state: StateDir) -> None:
    """Removes what was rendered aside: another version of this program may have made other files."""
    shutil.rmtree(state.asterisk / "etc.next", ignore_errors=True)


def _differs(one: Path, other: Path, name: str) -> bool:
    try:
        return (one / name).read_bytes() != (other / name).read_bytes()
    except FileNotFoundError:
        return True


def to_reload(state: StateDir, changed: Iterable[str] = ()) -> list[str]:
    """The modules to reload: for `changed`, and those that are still owed."""
    return sorted({*modules_to_reload(changed), *_owed(state)})


def owe(state: StateDir, modules: list[str]) -> None:
    """Notes that these must be reloaded."""
    if modules and set(modules) != set(_owed(state)):
        write_private(_note(state), json.dumps(modules) + "\n")


def reloaded(state: StateDir) -> None:
    """Nothing is owed any more."""
    _note(state).unlink(missing_ok=True)


def _owed(state: StateDir) -> list[str]:
    with suppress(OSError, ValueError):
        return [str(one) for one in json.loads(_note(state).read_text())]
    return []


def _note(state: StateDir) -> Path:
    return state.asterisk / "reload.json"
