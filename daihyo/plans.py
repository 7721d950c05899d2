"""The live plan as files: DIR/plans/<version>.yaml and .json, and DIR/plans/live, which names one of them.

The database holds every version (`store.plans`); these files are what programs read: they are there when the
database is away, and the JSON, checked once, is read in a few milliseconds.
"""

from __future__ import annotations

import difflib
import os
import tempfile
from contextlib import suppress
from pathlib import Path

from pydantic import ValidationError

from daihyo.settings import StateDir, UserError
from dialplans import Site, SiteError, load_site, parse_site


class SiteProblems(UserError):
    """The plan is wrong: one line a problem."""


def checked(text: str, name: str) -> Site:
    """The plan of a text, or SiteProblems with every problem on a line of its own."""
    try:
        return parse_site(text, file=name)
    except SiteError as error:
        raise SiteProblems("\n".join(str(problem) for problem in error.problems)) from None


def read_file(file: Path) -> tuple[str, Site]:
    """A site's file as the text that is kept as a version, and the plan in it. Raises SiteProblems."""
    try:
        return file.read_text(encoding="utf-8-sig"), load_site(file)
    except SiteError as error:
        raise SiteProblems("\n".join(str(problem) for problem in error.problems)) from None
    except UnicodeDecodeError as error:
        raise SiteProblems(
            f"{file}: 文字コードがUTF-8ではありません / not UTF-8 (at byte {error.start}); save it as UTF-8"
        ) from None
    except OSError as error:
        raise SiteProblems(f"{file}: 読めません / cannot be read: {error.strerror}") from None


def plan_file(state: StateDir, version: int) -> Path:
    """The text of a version that was activated."""
    return state.plans / f"{version}.yaml"


def write(state: StateDir, version: int, text: str, site: Site) -> None:
    """Puts a version where the engine reads it; to be done before it is asked. OSError."""
    state.plans.mkdir(mode=0o700, exist_ok=True)
    _write(plan_file(state, version), text)
    _write(plan_file(state, version).with_suffix(".json"), site.model_dump_json())


def write_copy(state: StateDir, text: str) -> None:
    """DIR/site.yaml: the live plan for people to look at. OSError."""
    _write(state.site, text)


def is_copy(state: StateDir, file: Path) -> bool:
    """Whether this is DIR/site.yaml itself."""
    return file.resolve() == state.site.resolve()


def live_number(state: StateDir) -> int | None:
    """The version that the engine runs, or will run when it starts; None before the first start."""
    with suppress(OSError, ValueError):
        return int((state.plans / "live").read_text())
    return None


def write_live(state: StateDir, version: int) -> None:
    """Says which version is live; while the engine runs this is its own to write. OSError."""
    _write(state.plans / "live", f"{version}\n")


def site_of(state: StateDir, version: int) -> Site:
    """An activated version, checked. Raises SiteProblems or UserError when it cannot be read."""
    file = plan_file(state, version)
    with suppress(OSError, ValidationError):
        return Site.model_validate_json(file.with_suffix(".json").read_bytes())
    try:
        return checked(file.read_text(encoding="utf-8"), str(file))
    except OSError as error:
        raise UserError(f"{file}: 読めません / cannot be read: {error.strerror}") from None


def live_site(state: StateDir) -> Site:
    """The live plan. Raises UserError when there is none, SiteProblems when it cannot be read."""
    number = live_number(state)
    if number is None:
        raise UserError(
            f"{state.path} では何も起動していません / nothing has been started on {state.path}. "
            "Start it: daihyo up --site FILE --state DIR"
        )
    return site_of(state, number)


def difference(old: str, new: str, old_name: str, new_name: str) -> str:
    """What changed, as a unified diff; empty when nothing did."""
    lines = difflib.unified_diff(old.splitlines(), new.splitlines(), old_name, new_name, lineterm="")
    return "\n".join(lines)


def _write(path: Path, text: str) -> None:
    """Whole and on disk, or not at all; 0600 since names of staff stand in a plan."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        with suppress(OSError):
            os.unlink(name)
        raise
