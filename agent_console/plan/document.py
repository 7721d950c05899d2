"""The plan's text, edited so that everything but the row concerned stays as it was written.

A *row* is one entry of a list of the plan (`steps[3]`); a *part* is a group of keys (`wording`). Reading
gives plain data with every scalar as text, exactly as written: forms show and compare texts. Writing takes
the row's own lines out of the text, changes the keys named, and puts them back; comments and order stay.
"""

from __future__ import annotations

import functools
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.scalarint import ScalarInt
from ruamel.yaml.scalarstring import DoubleQuotedScalarString, LiteralScalarString

Plain = Any  # str | None | list[Plain] | dict[str, Plain]

_NAMES = {"numbers": "number", "users": "login"}  # what a row is known by; elsewhere its id
_WIDE = 100_000


class DocumentError(Exception):
    """The text is no YAML that can be edited by forms; the message says where (one line)."""


@dataclass(frozen=True)
class _Rows:
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
    """Reads a plan's text. Blocking: about half a millisecond a line; the last texts are remembered."""
    try:
        node = YAML(typ="safe", pure=True).compose(text)
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{mark.line + 1}: " if mark is not None else ""
        return Document(text, broken=where + str(getattr(error, "problem", None) or error).splitlines()[0])
    data = _plain(node) if isinstance(node, MappingNode) else {}
    return Document(text, data if isinstance(data, dict) else {})


def _plain(node: Node) -> Plain:
    if isinstance(node, MappingNode):
        return {str(key.value): _plain(value) for key, value in node.value if isinstance(key, ScalarNode)}
    if isinstance(node, SequenceNode):
        return [_plain(child) for child in node.value]
    if str(node.tag).endswith(":null"):
        return None
    if str(node.tag).endswith(":bool"):
        return str(node.value).lower()
    return str(node.value)


def set_row(text: str, section: str, index: int, values: Mapping[str, Any]) -> str:
    """The text with these keys of a row set; None takes a key out. Raises DocumentError, IndexError."""

    values = _differing(read(text).rows(section)[index], values)
    if not values:
        return text

    def change(document: CommentedMap) -> None:
        _merge(document[section][0], values, whole=False)

    place = _find_rows(text, section)
    if place is None:
        return _whole(text, lambda document: _merge(document[section][index], values, whole=False))
    first, end = place.rows[index]
    return _spliced(text, section, place.column, first, end, change)


def add_row(text: str, section: str, values: Mapping[str, Any]) -> str:
    """The text with a row put after the last one of its list. Raises DocumentError."""
    kept = {key: value for key, value in values.items() if value is not None}
    place = _find_rows(text, section)
    lines = _lines(text)
    column = place.column if place is not None else _usual_column(text)
    new = _lines(_dumped({section: [kept]}, column))
    if place is not None:
        end = place.rows[-1][1]
        lines[end:end] = new[1:]
        return _joined(lines)
    key = _find_key(text, section)
    if key is not None:  # there, but an empty or a flowing list
        if read(text).rows(section):
            return _whole(text, lambda document: document[section].append(_ruled(kept)))
        lines[key[0] : key[1]] = new
        return _joined(lines)
    while lines and not lines[-1].strip():
        lines.pop()
    return _joined([*lines, "", *new] if lines else new)


def remove_row(text: str, section: str, index: int) -> str:
    """The text without a row; a list left empty goes as a whole. Raises DocumentError, IndexError."""
    place = _find_rows(text, section)
    if place is None:

        def drop(document: CommentedMap) -> None:
            del document[section][index]
            if not document[section]:
                del document[section]

        return _whole(text, drop)
    lines = _lines(text)
    first, end = place.rows[index]
    if len(place.rows) == 1:
        first = place.key_line
    else:
        while index and first > place.rows[index - 1][1] and lines[first - 1].lstrip().startswith("#"):
            first -= 1  # a comment right above a row is about that row
    del lines[first:end]
    return _joined(lines)


def set_part(text: str, name: str, values: Mapping[str, Any]) -> str:
    """The text with these keys of a group (`wording`) set; None takes a key out. Raises DocumentError."""
    values = _differing(read(text).part(name), values)
    if not values:
        return text
    key = _find_key(text, name)
    if key is None:
        kept = {at: value for at, value in values.items() if value is not None}
        lines = _lines(text)
        return _joined([*lines, "", *_lines(_dumped({name: kept}, _usual_column(text)))])

    def change(document: CommentedMap) -> None:
        if not isinstance(document[name], CommentedMap):
            document[name] = CommentedMap()
        _merge(document[name], values, whole=False)

    lines = _lines(text)
    doc = _loaded("\n".join(lines[key[0] : key[1]]) + "\n")
    change(doc)
    lines[key[0] : key[1]] = _lines(_written(doc, _usual_column(text)))
    return _joined(lines)


def _differing(old: Mapping[str, Plain], values: Mapping[str, Any]) -> dict[str, Any]:
    """Those values that change something."""
    return {key: value for key, value in values.items() if as_text(value) != old.get(key)}


# -- where things stand


@functools.lru_cache(maxsize=8)
def _composed(text: str) -> MappingNode:
    try:
        node = YAML(typ="safe", pure=True).compose(text)
    except YAMLError as error:
        raise DocumentError(str(error).splitlines()[0]) from None
    if not isinstance(node, MappingNode):
        raise DocumentError("the plan is not a group of keys")
    return node


def _find_key(text: str, name: str) -> tuple[int, int] | None:
    """The lines [first, end) of a key of the plan with its value."""
    lines = _lines(text)
    entries = _composed(text).value
    for at, (key, value) in enumerate(entries):
        if key.value == name:
            end = entries[at + 1][0].start_mark.line if at + 1 < len(entries) else len(lines)
            last = max(value.start_mark.line, _last_of(lines, value.start_mark.line, end, 0) - 1)
            return key.start_mark.line, last + 1
    return None


def _find_rows(text: str, section: str) -> _Rows | None:
    """The rows of a list written with dashes; None when it is not there, empty, or in brackets."""
    lines = _lines(text)
    entries = _composed(text).value
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
        return _Rows(key.start_mark.line, end, column, rows)
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


def _usual_column(text: str) -> int:
    """The column of dashes in this text; 2 when it has none."""
    for _, value in _composed(text).value:
        if isinstance(value, SequenceNode) and not value.flow_style:
            return int(value.start_mark.column)
    return 2


# -- changing


def _yaml(column: int) -> YAML:
    yaml = YAML(typ="rt")
    yaml.preserve_quotes = True
    yaml.allow_duplicate_keys = True
    yaml.width = _WIDE
    yaml.indent(mapping=2, sequence=column + 2, offset=column)
    return yaml


def _loaded(text: str) -> CommentedMap:
    try:
        document = _yaml(2).load(text)
    except YAMLError as error:
        raise DocumentError(str(error).splitlines()[0]) from None
    if not isinstance(document, CommentedMap):
        raise DocumentError("the plan is not a group of keys")
    return document


def _written(document: Any, column: int) -> str:
    out = io.StringIO()
    _yaml(column).dump(document, out)
    return out.getvalue()


def _dumped(value: Any, column: int) -> str:
    return _written(_ruled(value), column)


def _spliced(
    text: str, section: str, column: int, first: int, end: int, change: Callable[[CommentedMap], None]
) -> str:
    lines = _lines(text)
    document = _loaded("\n".join([f"{section}:", *lines[first:end]]) + "\n")
    change(document)
    lines[first:end] = _lines(_written(document, column))[1:]
    return _joined(lines)


def _whole(text: str, change: Callable[[CommentedMap], None]) -> str:
    """The change made on the whole text: for lists in brackets, which have no lines of their own."""
    document = _loaded(text)
    change(document)
    return _written(document, _usual_column(text))


def _lines(text: str) -> list[str]:
    """Lines as YAML counts them: `splitlines` would also break at signs that are text in Japanese."""
    return text.removesuffix("\n").split("\n")


def _joined(lines: list[str]) -> str:
    return "\n".join(lines) + "\n"


def _ruled(value: Any) -> Any:
    """Plain data as ruamel writes it best: several lines of text as a block."""
    if isinstance(value, Mapping):
        made = CommentedMap()
        for key, inner in value.items():
            made[key] = _ruled(inner)
        return made
    if isinstance(value, (list, tuple)):
        rows = CommentedSeq([_ruled(inner) for inner in value])
        if all(not isinstance(inner, (Mapping, list, tuple)) for inner in value):
            rows.fa.set_flow_style()
        return rows
    if isinstance(value, str) and "\n" in value:
        plain = value == value.strip() and all(line == line.strip() for line in value.split("\n"))
        return LiteralScalarString(value) if plain else DoubleQuotedScalarString(value)
    return value


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


def _merge(row: CommentedMap, values: Mapping[str, Any], *, whole: bool) -> None:
    """Puts `values` into `row`, touching only what differs. `whole`: keys not named go."""
    known = {as_text(key): key for key in row}
    if whole:
        for name in known.keys() - values.keys():
            del row[known[name]]
    for name, value in values.items():
        key = known.get(name, name)
        if value is None:
            row.pop(key, None)
        elif key not in row:
            row[key] = _ruled(value)
        elif as_text(row[key]) != as_text(value):
            _replace(row, key, value)


def _replace(holder: Any, key: Any, value: Any) -> None:
    old = holder[key]
    if isinstance(old, CommentedMap) and isinstance(value, Mapping):
        _merge(old, value, whole=True)
    elif isinstance(old, CommentedSeq) and isinstance(value, (list, tuple)):
        _merge_rows(old, value)
    else:
        holder[key] = _ruled(value)


def _merge_rows(old: CommentedSeq, new: list[Any] | tuple[Any, ...]) -> None:
    """Rows that are the same stay in place with their comments; the rest is changed in order."""
    wanted = [as_text(row) for row in new]
    for at in range(len(old) - 1, -1, -1):
        if len(old) > len(new) and as_text(old[at]) not in wanted:
            del old[at]
    for at, row in enumerate(new):
        if at >= len(old):
            old.append(_ruled(row))
        elif as_text(old[at]) != as_text(row):
            _replace(old, at, row)
    while len(old) > len(new):
        del old[len(old) - 1]
