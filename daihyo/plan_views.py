"""`daihyo plan check|hear|year`: a plan looked at without a telephone."""

from __future__ import annotations

import dataclasses
import json
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import ivr
from daihyo.control import EngineGone, EngineSilent, ask
from daihyo.moments import moment
from daihyo.plans import live_site, read_file, today
from daihyo.settings import Runtime, StateDir, UserError
from dialplans import Number, Site, SiteError, load_site

# How a day is drawn: open, closed as every week, and the special ones.
_MARKS = {"holiday": "H", "closure": "C", "one_off": "C", "own": "C"}
_MONTHS = range(1, 13)


@dataclass(frozen=True)
class Asked:
    """A call to imagine. `when` as typed; None is now."""

    number: str
    when: str | None
    keys: str = ""
    withheld: bool = False


def check(file: Path, as_json: bool) -> tuple[bool, str]:
    """Whether a file may go live, and what to print: one line a problem, or `OK: …`."""
    try:
        site = load_site(file, today())
    except SiteError as error:
        if as_json:
            problems = [dataclasses.asdict(one) for one in error.problems]
            return False, json.dumps({"ok": False, "problems": problems}, ensure_ascii=False, default=str)
        return False, "\n".join(str(one) for one in error.problems)
    counts = {
        "numbers": len(site.numbers),
        "steps": len(site.steps),
        "hours": len(site.hours),
        "queues": len(site.queues),
        "forwards": len(site.forwards),
        "events": len(site.events),
        "notices": len(site.notices),
        "operators": len(site.operators),
        "announcements": len(site.prompts()),
    }
    if as_json:
        return True, json.dumps({"ok": True, "problems": [], "counts": counts}, ensure_ascii=False)
    return True, "OK: " + ", ".join(f"{count} {name}" for name, count in counts.items())


async def hear(source: Path | StateDir, asked: Asked, as_json: bool) -> str:
    """What a caller hears. Of a running centre and now: with its switches as they stand."""
    site = _site(source)
    number = _number(site, asked.number)
    switches = ivr.Switches()
    if asked.when is not None:
        at = moment(asked.when, site.zone, "--at")
    else:
        at = datetime.now(UTC)
        if isinstance(source, StateDir):
            at = Runtime.load(source).practice_now() or at
            switches = await _switches(source)
    try:
        heard = ivr.hear(site, number.digits, at, asked.keys, switches, withheld=asked.withheld)
    except ValueError as error:
        raise UserError(
            f"--keys {asked.keys}: 電話機のボタンを 1,2 のように書いてください / {error}"
        ) from None
    local = at.astimezone(site.zone)
    if as_json:
        return json.dumps(
            {
                "number": number.number,
                "at": local.isoformat(),
                "open": heard.open,
                "language": heard.language,
                "path": list(heard.path),
                "lines": [
                    {
                        "step": line.step,
                        "text": line.prompt.text,
                        "language": line.prompt.language,
                        "sound": ivr.sound_name(line.prompt.key),
                        "key": line.key,
                    }
                    for line in heard.lines
                ],
                "ending": heard.ending,
                "ending_en": heard.ending_en,
                "target": heard.target,
            },
            ensure_ascii=False,
        )
    state = "受付中 / open" if heard.open else "受付時間外 / closed"
    lines = [f"{number.name} {number.number}  {local:%Y-%m-%d %H:%M}  {state}"]
    for line in heard.lines:
        key = "" if line.key is None else "  → (無操作 / no key)" if line.key == "-" else f"  → [{line.key}]"
        lines.append(f"  {line.step:20} {line.prompt.text}{key}")
    lines.append(f"  → {heard.ending} / {heard.ending_en} ({heard.target})")
    return "\n".join(lines)


async def _switches(state: StateDir) -> ivr.Switches:
    """What supervisors have switched; nothing when the centre does not run."""
    live: dict[str, Any] = {}
    with suppress(EngineGone, EngineSilent, UserError):
        live = await ask(state.control_socket, "live")
    modes = {one["number"]: ivr.Mode(one["mode"]) for one in live.get("openings", ())}
    on = [one["notice"] for one in live.get("notices", ()) if one["state"] == "on"]
    return ivr.Switches(modes, tuple(on))


def year(source: Path | StateDir, wanted: str, which: int | None, as_json: bool) -> str:
    """The days of a year: a line a month, then the special days with their names."""
    site = _site(source)
    number = _number(site, wanted)
    which = which if which is not None else datetime.now(site.zone).year
    if number.hours is None:
        if as_json:
            return json.dumps({"number": number.number, "year": which, "always_open": True, "days": []})
        return f"{number.name} {number.number}: いつも受付中 / always open"
    days = ivr.year(site, number.hours, which)
    if as_json:
        return json.dumps(
            {
                "number": number.number,
                "year": which,
                "always_open": False,
                "days": [
                    {
                        "date": one.date.isoformat(),
                        "kind": one.kind,
                        "name": one.name,
                        "open": [span_text(span) for span in one.spans],
                    }
                    for one in days
                ],
            },
            ensure_ascii=False,
        )
    hours = site.hours_of(number.hours)
    lines = [f"{number.name} {number.number}  {which}  {hours.name}"]
    for month in _MONTHS:
        marks = "".join(_mark(one) for one in days if one.date.month == month)
        lines.append(f"{month:>3}  {marks}")
    lines.append("o 受付 / open   S 特別な時間 / special hours   . 休み / closed   H 祝日   C 休業日")
    for one in days:
        if one.name is not None:
            spans = ", ".join(span_text(span) for span in one.spans) or "休み / closed"
            lines.append(f"  {one.date.isoformat()}  {one.name}: {spans}")
    return "\n".join(lines)


def _mark(one: ivr.Day) -> str:
    if one.kind == "week":
        return "o" if one.spans else "."
    return "S" if one.spans else _MARKS[one.kind]


def span_text(span: tuple[int, int]) -> str:
    """(510, 1035) → `8:30-17:15`."""
    start, end = span
    return f"{start // 60}:{start % 60:02}-{end // 60}:{end % 60:02}"


def _site(source: Path | StateDir) -> Site:
    return live_site(source) if isinstance(source, StateDir) else read_file(source)[1]


def _number(site: Site, wanted: str) -> Number:
    try:
        return ivr.number_of(site, wanted)
    except KeyError:
        known = " ".join(one.number for one in site.numbers)
        raise UserError(
            f"--number {wanted}: この番号はありません / no such number; there are: {known}"
        ) from None
