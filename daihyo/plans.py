"""The live plan as files: DIR/plans/<version>.yaml and .json, and DIR/plans/live, which names one of them.

The database holds every version (`store.plans`); these files are what programs read: they are there when the
database is away, and the JSON, checked once, is read in a few milliseconds.
"""

from __future__ import annotations

import difflib
import os
import tempfile
from contextlib import suppress
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from daihyo.settings import StateDir, UserError
from dialplans import Site, SiteError, load_site, parse_site, plan_text

_JAPAN = ZoneInfo("Asia/Tokyo")  # where the cities are; a plan's own zone is known only once it is read


class SiteProblems(UserError):
    """The plan is wrong: one line a problem."""


def today() -> date:
    """The date by which a plan is judged that is about to go live: its calendars must not run out soon."""
    return datetime.now(_JAPAN).date()


def checked(text: str, name: str, on: date | None = None) -> Site:
    """The plan of a text, or SiteProblems with every problem on a line of its own. `on`: `today()` for a plan
    that is to go live."""
    try:
        return parse_site(text, name, on)
    except SiteError as error:
        raise SiteProblems("\n".join(str(problem) for problem in error.problems)) from None


def read_file(file: Path, on: date | None = None) -> tuple[str, Site]:
    """A site's file with the parts it includes, as the text that is kept as a version, and the plan in it.
    `on` as in `checked`. Raises SiteProblems."""
    try:
        site = load_site(file, on)
        return plan_text(file), site
    except SiteError as error:
        raise SiteProblems("\n".join(str(problem) for problem in error.problems)) from None


def plan_file(state: StateDir, version: int) -> Path:
    """The text of a version that was activated."""
    return state.plans / f"{version}.yaml"


def checked_version(state: StateDir, version: int, text: str) -> Site:
    """A version about to go live, checked and put where the engine reads it. One that was checked today is
    not checked again. Blocking. Raises SiteProblems, OSError."""
    file = plan_file(state, version)
    now = today()
    with suppress(OSError, ValueError):
        known = file.with_suffix(".json")
        if (
            datetime.fromtimestamp(known.stat().st_mtime, _JAPAN).date() == now
            and file.read_bytes() == text.encode()
        ):
            return Site.model_validate_json(known.read_bytes())
    site = checked(text, file.name, now)
    write(state, version, text, site)
    return site


def write(state: StateDir, version: int, text: str, site: Site) -> None:
    """Puts a version where the engine reads it. OSError."""
    state.plans.mkdir(mode=0o700, exist_ok=True)
    file = plan_file(state, version)
    _write(file, text)
    _write(file.with_suffix(".json"), site.model_dump_json())


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
