"""The plan's text, read: what stands in it, and where.

A *row* is one entry of a list of the plan (`steps[3]`); a *part* is a group of keys (`wording`). Reading
gives plain data with every scalar as text, exactly as written: forms show and compare texts.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml
from ruamel.yaml.scalarint import ScalarInt
from yaml import MappingNode, Node, ScalarNode, SequenceNode

Plain = Any  # str | None | list[Plain] | dict[str, Plain]

_NAMES = {
    "categories": "name",
    "numbers": "number",
    "users": "login",
}  # what a row is known by; elsewhere its id
_DEEPEST = 100
_NULL = ("", "~", "null", "Null", "NULL")
_BOOL = ("true", "True", "TRUE", "false", "False", "FALSE")
# libyaml reads tens of times as fast as Python; what plain words mean is decided here, as in YAML 1.2.
_Loader = type("_Loader", (yaml.CSafeLoader,), {"yaml_implicit_resolvers": {}})


class DocumentError(Exception):
    """The text is no YAML that can be edited by forms; the message says where (one line)."""


@dataclass(frozen=True)
class RowPlaces:
    """Where a list of the plan stands: its key's line, each row's lines [first, end), the dashes' column."""

    key_line: int
    end: int
    column: int
    rows: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Document:
    """A plan's text, read. `data` is empty when the text is no YAML; `broken` then says why."""

    text: str
    data: dict[str, Plain] = field(default_factory=dict)
    broken: str | None = None

    def rows(self, section: str) -> list[dict[str, Plain]]:
        """The rows of a list; what is no group of keys is passed over as an empty one."""
        found = self.data.get(section)
        if not isinstance(found, list):
            return []
        return [row if isinstance(row, dict) else {} for row in found]

    def part(self, name: str) -> dict[str, Plain]:
        """A group of keys; empty when it is not there."""
        found = self.data.get(name)
        return found if isinstance(found, dict) else {}

    def index(self, section: str, name: str) -> int | None:
        """Where the row of this id (a number's digits) stands."""
        for at, row in enumerate(self.rows(section)):
            if name_of(section, row) == name:
                return at
        return None

    def row(self, section: str, name: str) -> dict[str, Plain] | None:
        """The row of this id, or None."""
        at = self.index(section, name)
        return None if at is None else self.rows(section)[at]


def name_of(section: str, row: Mapping[str, Plain]) -> str:
    """What a row is known by: its id; a number's digits."""
    value = str(row.get(_NAMES.get(section, "id")) or "")
    return value.replace("-", "") if section == "numbers" else value


@functools.lru_cache(maxsize=8)
def read(text: str) -> Document:
    """Reads a plan's text. Blocking: some milliseconds a thousand lines; the last texts are remembered."""
    try:
        return Document(text, _composed(text)[1])
    except DocumentError as error:
        return Document(text, broken=str(error))


def _plain(node: Node, seen: set[int]) -> Plain:
    if id(node) in seen:
        raise DocumentError("anchors and aliases are not allowed")
    seen.add(id(node))
    if isinstance(node, MappingNode):
        pairs = ((key, value) for key, value in node.value if isinstance(key, ScalarNode))
        return {str(key.value): _plain(value, seen) for key, value in pairs}
    if isinstance(node, SequenceNode):
        return [_plain(child, seen) for child in node.value]
    text = str(node.value)
    if not node.style and text in _NULL:
        return None
    return text.lower() if not node.style and text in _BOOL else text


def as_text(value: Any) -> Plain:
    """A value as `read` gives it: scalars as text."""
    if isinstance(value, Mapping):
        return {as_text(key): as_text(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [as_text(inner) for inner in value]
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, ScalarInt) and (width := getattr(value, "_width", None)):
        return f"{int(value):0{width}d}"
    return str(value)


# -- where things stand


@functools.lru_cache(maxsize=4)
def _composed(text: str) -> tuple[MappingNode, dict[str, Plain]]:
    """The nodes, which know where they stand, and the plain data of them."""
    _check_depth(text)
    try:
        node = yaml.compose(text, Loader=_Loader)
    except (yaml.YAMLError, UnicodeEncodeError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{mark.line + 1}: " if mark is not None else ""
        raise DocumentError(where + str(getattr(error, "problem", None) or error).splitlines()[0]) from None
    if not isinstance(node, MappingNode):
        raise DocumentError("the plan is not a group of keys")
    return node, _plain(node, set())


def _check_depth(text: str) -> None:
    """libyaml descends without asking how deep; no plan needs a hundred levels."""
    depth = 0
    for line in text.split("\n"):
        depth = max(0, depth + line.count("[") + line.count("{") - line.count("]") - line.count("}"))
        if depth > _DEEPEST or len(line) - len(line.lstrip(" -?")) > 2 * _DEEPEST:
            raise DocumentError("nested too deeply")


def find_key(text: str, name: str) -> tuple[int, int] | None:
    """The lines [first, end) of a key of the plan with its value."""
    lines = lines_of(text)
    entries = _composed(text)[0].value
    for at, (key, value) in enumerate(entries):
        if key.value == name:
            end = entries[at + 1][0].start_mark.line if at + 1 < len(entries) else len(lines)
            last = max(value.start_mark.line, _last_of(lines, value.start_mark.line, end, 0) - 1)
            return key.start_mark.line, last + 1
    return None


def find_rows(text: str, section: str) -> RowPlaces | None:
    """The rows of a list written with dashes; None when it is not there, empty, or in brackets."""
    lines = lines_of(text)
    entries = _composed(text)[0].value
    for at, (key, value) in enumerate(entries):
        if key.value != section:
            continue
        if not isinstance(value, SequenceNode) or value.flow_style or not value.value:
            return None
        column = value.start_mark.column
        end = entries[at + 1][0].start_mark.line if at + 1 < len(entries) else len(lines)
        starts = [_dash(lines, child.start_mark.line, column) for child in value.value]
        stops = [*starts[1:], end]
        rows = tuple(
            (start, _last_of(lines, start, stop, column)) for start, stop in zip(starts, stops, strict=True)
        )
        return RowPlaces(key.start_mark.line, end, column, rows)
    return None


def _dash(lines: list[str], line: int, column: int) -> int:
    while line and not (lines[line][:column].strip() == "" and lines[line][column : column + 1] == "-"):
        line -= 1
    return line


def _last_of(lines: list[str], first: int, stop: int, column: int) -> int:
    """One after the last line that belongs to what begins on `first`: empty lines and comments that stand no
    deeper than its dash are the next one's."""
    end = stop
    while end > first + 1:
        line = lines[end - 1]
        indent = len(line) - len(line.lstrip())
        if line.strip() and not (line.lstrip().startswith("#") and indent <= column):
            break
        end -= 1
    return end


def usual_column(text: str) -> int:
    """The column of dashes in this text; 2 when it has none."""
    for _, value in _composed(text)[0].value:
        if isinstance(value, SequenceNode) and not value.flow_style:
            return int(value.start_mark.column)
    return 2


def lines_of(text: str) -> list[str]:
    """Lines as YAML counts them: `splitlines` would also break at signs that are text in Japanese."""
    return text.removesuffix("\n").split("\n")
