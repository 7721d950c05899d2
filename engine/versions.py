"""The plan's versions as the engine holds them: the live one, and those on which calls are still under way.

A version is read from DIR/plans (docs/interfaces.md), a few parts at a time, so that no call waits for it.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import orjson
from pydantic import TypeAdapter, ValidationError

from dialplans import Number, Site, SiteError, boxes, entries, load_site
from dialplans.graph import Graph

log = logging.getLogger("daihyo.engine.versions")

AT_A_TIME = 8  # of a list's entries: under a millisecond


@dataclass(frozen=True, eq=False)
class Plan:
    """One version. `version` is None for a site file that is no version."""

    version: int | None
    site: Site
    sha256: str = ""

    @cached_property
    def queueing(self) -> frozenset[str]:
        """The numbers whose calls may come to a queue, by whatever keys, hours and forwards. Where only a
        switched-on notice leads there, such calls are not waited for by anybody."""
        lines = boxes(self.site)
        found = set()
        for entry in entries(self.site):
            if entry.line.loc[0] == "numbers" and _meets_queue(entry.line.to, lines):
                found.add(entry.number.digits)
        return frozenset(found)


def _meets_queue(start: str, lines: Graph) -> bool:
    met, left = {start}, [start]
    while left:
        box = left.pop()
        if box.startswith("queue:"):
            return True
        new = {edge.to for edge in lines.get(box, ())} - met
        met |= new
        left += new
    return False


class Versions:
    """`live`; `of(version)` for a call; `activate`. Blocking: `of` for a version that is not held."""

    def __init__(self, folder: Path | None, live: Plan) -> None:
        self.folder = folder
        self.live = live
        self.coming: Plan | None = None  # between its numbers' arrival in Asterisk and its going live
        self._held: dict[int | None, Plan] = {live.version: live}
        self._before: Plan | None = None
        _ = live.queueing  # no call works it out

    @classmethod
    def open(cls, folder: Path | None, site_path: Path) -> Versions:
        """With the version that `folder/live` names, else with the site file. Raises SiteError."""
        version = live_version(folder) if folder is not None else None
        if folder is None or version is None:
            return cls(folder, Plan(None, load_site(site_path)))
        return cls(folder, read_now(folder, version))

    def of(self, version: int | None) -> Plan:
        """A version that a call is on; the live one where it cannot be had any more."""
        held = self._held.get(version)
        if held is None and self.folder is not None and version is not None:
            try:
                held = self._held[version] = read_now(self.folder, version)
            except (SiteError, OSError) as problem:
                log.warning("version %s of the plan: %s; its calls go on with the live one", version, problem)
        return held or self.live

    def number(self, digits: str) -> tuple[Plan, Number]:
        """The plan and number of a call that comes in. For a moment around an activation Asterisk may know
        a number that the live plan has not, or no longer. Else the first number of the live plan."""
        for plan in (self.live, self.coming, self._before):
            if plan is not None:
                for number in plan.site.numbers:
                    if number.digits == digits:
                        return plan, number
        log.warning("number %s is not in the plan; the first number's plan is used", digits)
        return self.live, self.live.site.numbers[0]

    async def make_live(self, plan: Plan) -> None:
        """Writes it down, then makes it the live one. Raises OSError and changes nothing."""
        await asyncio.to_thread(lambda: plan.queueing)  # no call works it out
        if self.folder is not None and plan.version is not None:
            await asyncio.to_thread(write_live, self.folder, plan.version)
        self._before, self.live = self.live, plan
        self._held[plan.version] = plan

    def let_go(self, used: Iterable[int | None]) -> None:
        """Forgets the versions on which no call is."""
        wanted = {*used, self.live.version}
        if len(self._held) > len(wanted):
            self._held = {version: plan for version, plan in self._held.items() if version in wanted}


def live_version(folder: Path) -> int | None:
    """The number in `folder/live`; None when there is none."""
    try:
        return int((folder / "live").read_text())
    except (OSError, ValueError):
        return None


def write_live(folder: Path, version: int) -> None:
    """Puts the number into `folder/live`, for good, in one step."""
    handle, name = tempfile.mkstemp(dir=folder, prefix=".live.")
    try:
        with os.fdopen(handle, "w") as file:
            file.write(f"{version}\n")
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(folder / "live")
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def read_now(folder: Path, version: int) -> Plan:
    """Reads a version at one go (at the start). Raises SiteError, OSError."""
    json, yaml = _files(folder, version)
    try:
        return Plan(version, Site.model_validate_json(json.read_bytes()), _sha256(yaml))
    except (OSError, ValidationError) as problem:
        if not isinstance(problem, FileNotFoundError):
            log.warning("%s: %s; reading %s", json, _first_line(problem), yaml.name)
        return Plan(version, load_site(yaml), _sha256(yaml))


async def read(folder: Path, version: int) -> Plan:
    """Reads a version while calls go on. Raises SiteError, OSError."""
    json, yaml = _files(folder, version)
    try:
        data = orjson.loads(await asyncio.to_thread(json.read_bytes))
        return Plan(version, await _assembled(data), await asyncio.to_thread(_sha256, yaml))
    except (OSError, ValueError, TypeError, AttributeError) as problem:  # ValidationError is a ValueError
        if not isinstance(problem, FileNotFoundError):
            log.warning("%s: %s; reading %s", json, _first_line(problem), yaml.name)
        return Plan(version, await asyncio.to_thread(load_site, yaml), await asyncio.to_thread(_sha256, yaml))


async def _assembled(data: dict[str, Any]) -> Site:
    """A Site from its JSON, list by list. What fits together was checked before it was written."""
    fields: dict[str, Any] = {}
    for name, value in data.items():
        field = Site.model_fields.get(name)
        if field is None:
            raise ValueError(f"there is no field {name}")
        kind: TypeAdapter[Any] = _adapter(name, field.annotation)
        if isinstance(value, list):
            parts: list[Any] = []
            for start in range(0, len(value), AT_A_TIME):
                parts += kind.validate_json(orjson.dumps(value[start : start + AT_A_TIME]))
                await asyncio.sleep(0)
            fields[name] = tuple(parts)
        else:
            fields[name] = kind.validate_json(orjson.dumps(value))
            await asyncio.sleep(0)
    if missing := [
        name for name, one in Site.model_fields.items() if one.is_required() and name not in fields
    ]:
        raise ValueError(f"there is no {missing[0]}")
    return Site.model_construct(**fields)


_adapters: dict[str, TypeAdapter[Any]] = {}


def _adapter(name: str, annotation: Any) -> TypeAdapter[Any]:
    found = _adapters.get(name)
    if found is None:
        found = _adapters[name] = TypeAdapter(annotation)
    return found


def _files(folder: Path, version: int) -> tuple[Path, Path]:
    return folder / f"{version}.json", folder / f"{version}.yaml"


def _sha256(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""


def _first_line(problem: BaseException) -> str:
    return (str(problem).splitlines() or [type(problem).__name__])[0]
