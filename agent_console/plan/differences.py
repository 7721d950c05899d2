"""What differs between two plans: line by line, and box by box in words."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass

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
    """What became of one box: `how` is `added`, `removed` or `changed`; `fields`: (key, before, after)."""

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


def changes(before: str, after: str) -> list[Change]:
    """The difference box by box, in the order of the plan. Empty when only comments differ."""
    old, new = read(before), read(after)
    found: list[Change] = []
    for section in dict.fromkeys((*old.data, *new.data)):
        a, b = old.data.get(section), new.data.get(section)
        if a == b:
            continue
        if isinstance(a or b, list) and all(isinstance(row, dict) for row in (*(a or ()), *(b or ()))):
            found += _rows(section, old, new)
        else:
            found.append(Change(section, "", "", _how(a, b), tuple(_fields(a, b))))
    return found


def _rows(section: str, old: Document, new: Document) -> Iterator[Change]:
    before = {name_of(section, row): row for row in old.rows(section)}
    after = {name_of(section, row): row for row in new.rows(section)}
    for id in dict.fromkeys((*before, *after)):
        a, b = before.get(id), after.get(id)
        if a == b:
            continue
        name = str((b or a or {}).get("name") or "")
        yield Change(section, id, name, _how(a, b), tuple(_fields(a, b)) if a and b else ())
    if before == after:  # the same rows in another order
        yield Change(section, "", "", "changed", (("", "", ""),))


def _how(a: Plain, b: Plain) -> str:
    return "added" if a is None else "removed" if b is None else "changed"


def _fields(a: Plain, b: Plain) -> Iterator[tuple[str, str, str]]:
    if isinstance(a, dict) and isinstance(b, dict):
        for key in dict.fromkeys((*a, *b)):
            if a.get(key) != b.get(key):
                inner = [(a.get(key), b.get(key))]
                if all(isinstance(side, dict) for side in inner[0]):
                    yield from ((f"{key}.{k}", x, y) for k, x, y in _fields(*inner[0]))
                else:
                    yield (key, told(a.get(key)), told(b.get(key)))
    else:
        yield ("", told(a), told(b))


def told(value: Plain, most: int = 120) -> str:
    """A value in one line."""
    if value is None:
        return ""
    if isinstance(value, list):
        text = "、".join(told(one) for one in value)
    elif isinstance(value, dict):
        text = " ".join(f"{key}: {told(inner)}" for key, inner in value.items())
    else:
        text = " ".join(str(value).split())
    return text if len(text) <= most else text[: most - 1] + "…"
