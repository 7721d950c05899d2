"""Looking into plain data (dicts and lists as read, possibly half wrong) without stumbling over it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from dialplans.fields import as_written
from dialplans.problems import Loc

Row = Mapping[str, object]


def rows(data: Row, name: str) -> Iterator[tuple[int, Row]]:
    """The groups of keys in the list `name`, with their indices."""
    for index, row in enumerate(items(data, name)):
        if isinstance(row, Mapping):
            yield index, row


def items(data: Row, name: str) -> tuple[object, ...]:
    """The list `name`; empty if there is none."""
    found = data.get(name)
    return tuple(found) if isinstance(found, (list, tuple)) else ()


def text(value: object) -> str | None:
    """A value as it was written; whole numbers (an unquoted 1001) count as their digits."""
    value = as_written(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) else None


def digits(number: str) -> str:
    """A telephone number without its hyphens."""
    return number.replace("-", "")


def ids(data: Row, name: str) -> list[str]:
    """The ids in the list `name`."""
    return [one for _, row in rows(data, name) if (one := text(row.get("id"))) is not None]


def lines(said: object, loc: Loc) -> Iterator[tuple[Loc, str]]:
    """The texts of something said, each with its place; uploaded audio is passed over."""
    if isinstance(said, str):
        yield loc, said
    elif isinstance(said, Mapping):
        for language in ("ja", "en"):
            if isinstance(line := said.get(language), str):
                yield (*loc, language), line
