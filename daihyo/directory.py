"""The directory (職員録) read from and written to files, for the command line."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import desk
from daihyo.apply import myself
from daihyo.figures import opened
from daihyo.settings import StateDir, UserError
from store import AccessEntry

_SHOWN = 50


def read(file: Path) -> list[desk.Entry]:
    """The entries of a CSV file. Raises UserError with every wrong row."""
    try:
        return desk.read_csv(file.read_bytes())
    except OSError as error:
        raise UserError(f"{file}: {error.strerror}") from None
    except desk.CsvProblems as error:
        raise UserError("\n".join(_lines(file, error))) from None


async def replace(state: StateDir, name: str, entries: list[desk.Entry], *, check: bool = False) -> str:
    """Makes the entries of the file `name` the directory (with `check` only tells what that would change);
    what was done, in one line. Raises UserError, StoreUnavailable."""
    async with opened(state) as (_, store):
        if check:
            hall = await desk.Directory.load(store)
            return f"{_told(desk.difference(hall.entries, entries))} (まだ変えていません / not done)"
        by = myself()
        log = AccessEntry(
            at=datetime.now(UTC),
            login=by,
            address=None,
            action="directory_import",
            detail=f"{name}: {len(entries)}",
        )
        return _told(await desk.replace(store, entries, by, logged=[log]))


async def export(state: StateDir) -> tuple[bytes, str]:
    """The directory as CSV, and what to say of it. Raises UserError."""
    async with opened(state) as (site, store):
        hall = await desk.Directory.load(store)
    told = f"{len(hall)} 件を書き出しました / {len(hall)} entries written"
    return desk.write_csv(hall.entries, site.language), told


def write(file: Path, content: bytes) -> None:
    """Raises UserError."""
    try:
        file.write_bytes(content)
    except OSError as error:
        raise UserError(f"{file}: {error.strerror}") from None


def _lines(file: Path, error: desk.CsvProblems) -> list[str]:
    """A line for each mistake, the file and row first, as compilers tell theirs."""
    lines = []
    for one in error.problems[:_SHOWN]:
        place = f"{file}:{one.row}" if one.row is not None else str(file)
        column = f" {one.column}:" if one.column else ""
        lines.append(f"{place}:{column} {one.ja} → {one.do_ja} / {one.en}: {one.do_en}")
    if len(error.problems) > _SHOWN:
        lines.append(f"… ほか {len(error.problems) - _SHOWN} 件 / and more")
    return lines


def _told(found: desk.Difference) -> str:
    figures = (len(found.added), len(found.changed), len(found.removed), found.same)
    ja = "追加 {} 件、変更 {} 件、削除 {} 件、そのまま {} 件".format(*figures)
    return f"{ja} / {{}} added, {{}} changed, {{}} removed, {{}} unchanged".format(*figures)
