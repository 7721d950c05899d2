"""Changing the plan's text: a row's own lines are taken out, changed and put back; the rest stays to the
letter. Comments and order within the row stay as well."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import YAMLError
from ruamel.yaml.scalarstring import DoubleQuotedScalarString, LiteralScalarString

from .document import DocumentError, Plain, as_text, find_key, find_rows, lines_of, read, usual_column

_WIDE = 100_000


def set_row(text: str, section: str, index: int, values: Mapping[str, Any]) -> str:
    """The text with these keys of a row set; None takes a key out. Raises DocumentError, IndexError."""

    values = _differing(read(text).rows(section)[index], values)
    if not values:
        return text

    def change(document: CommentedMap) -> None:
        _merge(document[section][0], values, whole=False)

    place = find_rows(text, section)
    if place is None:
        return _whole(text, lambda document: _merge(document[section][index], values, whole=False))
    first, end = place.rows[index]
    return _spliced(text, section, place.column, first, end, change)


def add_row(text: str, section: str, values: Mapping[str, Any]) -> str:
    """The text with a row put after the last one of its list. Raises DocumentError."""
    kept = {key: value for key, value in values.items() if value is not None}
    place = find_rows(text, section)
    lines = lines_of(text)
    column = place.column if place is not None else usual_column(text)
    new = lines_of(_dumped({section: [kept]}, column))
    if place is not None:
        end = place.rows[-1][1]
        lines[end:end] = new[1:]
        return _joined(lines)
    key = find_key(text, section)
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
    place = find_rows(text, section)
    if place is None:

        def drop(document: CommentedMap) -> None:
            del document[section][index]
            if not document[section]:
                del document[section]

        return _whole(text, drop)
    lines = lines_of(text)
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
    key = find_key(text, name)
    if key is None:
        kept = {at: value for at, value in values.items() if value is not None}
        lines = lines_of(text)
        return _joined([*lines, "", *lines_of(_dumped({name: kept}, usual_column(text)))])

    def change(document: CommentedMap) -> None:
        if not isinstance(document[name], CommentedMap):
            document[name] = CommentedMap()
        _merge(document[name], values, whole=False)

    lines = lines_of(text)
    doc = _loaded("\n".join(lines[key[0] : key[1]]) + "\n")
    change(doc)
    lines[key[0] : key[1]] = lines_of(_written(doc, usual_column(text)))
    return _joined(lines)


def _differing(old: Mapping[str, Plain], values: Mapping[str, Any]) -> dict[str, Any]:
    """Those values that change something."""
    return {key: value for key, value in values.items() if as_text(value) != old.get(key)}


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
    lines = lines_of(text)
    document = _loaded("\n".join([f"{section}:", *lines[first:end]]) + "\n")
    change(document)
    lines[first:end] = lines_of(_written(document, column))[1:]
    return _joined(lines)


def _whole(text: str, change: Callable[[CommentedMap], None]) -> str:
    """The change made on the whole text: for lists in brackets, which have no lines of their own."""
    document = _loaded(text)
    change(document)
    return _written(document, usual_column(text))


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
