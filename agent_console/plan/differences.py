"""What differs between two plans: line by line, and box by box in words."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass

from ..texts import Texts
from .difference_words import Teller, fields
from .document import Document, Plain, name_of, read

_CONTEXT = 3
_MANY = 20_000


@dataclass(frozen=True)
class Line:
    """One line of a difference. `kind`: `same`, `gone`, `new` or `gap`; line numbers before and after."""

    kind: str
    text: str
    before: int | None = None
    after: int | None = None


@dataclass(frozen=True)
class Change:
    """What became of one box: `how` is `added`, `removed` or `changed`; `fields`: (label, before, after) in
    words."""

    section: str
    id: str
    name: str
    how: str
    fields: tuple[tuple[str, str, str], ...] = ()


def lines(before: str, after: str) -> list[Line]:
    """The difference line by line, with a little of what is around it."""
    old, new = before.split("\n"), after.split("\n")
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=len(old) + len(new) > _MANY)
    out: list[Line] = []
    for group in matcher.get_grouped_opcodes(_CONTEXT):
        if out or group[0][1] > 0:
            out.append(Line("gap", "", group[0][1] + 1, group[0][3] + 1))
        for tag, i1, i2, j1, j2 in group:
            if tag == "equal":
                out += [Line("same", old[i], i + 1, j1 + i - i1 + 1) for i in range(i1, i2)]
                continue
            out += [Line("gone", old[i], i + 1, None) for i in range(i1, i2)]
            out += [Line("new", new[j], None, j + 1) for j in range(j1, j2)]
    return out


def changes(before: str, after: str, texts: Texts) -> list[Change]:
    """The difference box by box, in the order of the plan, in words. Empty when only comments differ, and
    where a text is no YAML (see `broken`)."""
    old, new = read(before), read(after)
    if old.broken or new.broken:
        return []
    found: list[Change] = []
    for section in dict.fromkeys((*old.data, *new.data)):
        a, b = old.data.get(section), new.data.get(section)
        if a == b:
            continue
        if isinstance(a or b, list) and all(isinstance(row, dict) for row in (*(a or ()), *(b or ()))):
            found += _rows(section, old, new, texts)
        elif isinstance(a or {}, dict) and isinstance(b or {}, dict):
            told = tuple(fields(section, a or {}, b or {}, old, new, texts))
            found.append(Change(section, "", "", _how(a, b), told))
        else:
            was, now = Teller(old, texts, section), Teller(new, texts, section)
            told = (("", was.value(section, a), now.value(section, b)),)
            found.append(Change(section, "", "", _how(a, b), told))
    return found


def broken(before: str, after: str) -> str | None:
    """Why two texts cannot be compared box by box; None when they can."""
    return read(before).broken or read(after).broken


def _rows(section: str, old: Document, new: Document, texts: Texts) -> Iterator[Change]:
    before = {name_of(section, row): row for row in old.rows(section)}
    after = {name_of(section, row): row for row in new.rows(section)}
    for id in dict.fromkeys((*before, *after)):
        a, b = before.get(id), after.get(id)
        if a == b:
            continue
        name = Teller(new if b else old, texts, section).value("name", (b or a or {}).get("name"))
        told = tuple(fields(section, a, b, old, new, texts)) if a and b else ()
        yield Change(section, id, name, _how(a, b), told)
    if before == after:  # the same rows in another order
        yield Change(section, "", "", "changed", (("", "", ""),))


def _how(a: Plain, b: Plain) -> str:
    return "added" if a is None else "removed" if b is None else "changed"
