"""What is wrong, said beside a field: the keys of the text become the form's own labels, rows and days."""

from __future__ import annotations

import re

from dialplans import Problem

from ..texts import Language, Texts
from .form_values import WEEKDAYS

_MISSING = re.compile(r"“([a-z_]+)” is missing")
_EMPTY = "must not be empty"
_PARTS = re.compile(r"\[(\d+)\]|([^.\[\]]+)")


def words_of(one: Problem, section: str, prefix: str, texts: Texts) -> str:
    """One sentence for a form. `prefix` is the path of the box (`steps[3]`): what stands behind it names the
    row, the day or the telephone's key."""
    english = texts.language is Language.EN
    message, hint = (one.message_en, one.hint_en) if english else (one.message, one.hint)
    parts = _behind(one.path, prefix)
    missing = _MISSING.fullmatch(one.message_en)
    key = missing[1] if missing else parts[-1] if parts and one.message_en == _EMPTY else ""
    if key:
        label = texts.known(f"plan.f.{section}.{key}", texts.known(f"plan.f.{key}", key))
        empty = texts.known(f"plan.missing.{key}", texts("plan.missing", label=label))
        message, hint = texts.known(f"plan.missing.{section}.{key}", empty), ""
    return _place(parts, texts) + message + (f" → {hint}" if hint else "")


def wrong_days(problems: list[Problem], prefix: str) -> set[str]:
    """The weekdays (`mon` …) of some hours that have something wrong."""
    found: set[str] = set()
    for one in problems:
        parts = _behind(one.path, prefix)
        if len(parts) > 1 and parts[0] == "week":
            found.update(_days(parts[1]))
    return found


def _behind(path: str, prefix: str) -> list[str]:
    """`steps[3].keys.1.go` behind `steps[3]` → ["keys", "1", "go"]."""
    rest = path[len(prefix) :] if path.startswith(prefix) else path
    return [index or name for index, name in _PARTS.findall(rest)]


def _days(key: str) -> list[str]:
    """`mon-fri` → its days; empty for anything else."""
    begin, _, end = key.partition("-")
    end = end or begin
    if begin not in WEEKDAYS or end not in WEEKDAYS:
        return []
    return list(WEEKDAYS[WEEKDAYS.index(begin) : WEEKDAYS.index(end) + 1])


def _place(parts: list[str], texts: Texts) -> str:
    if len(parts) < 2:
        return ""
    if parts[0] == "week" and (days := _days(parts[1])):
        ends = [texts(f"plan.day.{day}") for day in (days[0], days[-1])]
        return texts("plan.at_day", day="〜".join(dict.fromkeys(ends)))
    if parts[0] == "keys":
        return texts("plan.at_key", key=parts[1])
    if parts[1].isdecimal() and len(parts) > 2:
        return texts("plan.at_row", n=int(parts[1]) + 1)
    return ""
