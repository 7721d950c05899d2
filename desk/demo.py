"""The fictional みなと市's directory, so that a demo has somebody to transfer to."""

from __future__ import annotations

from importlib import resources

from desk.changes import DirectoryChanged, replace
from desk.csv_files import read_csv
from desk.directory import Stamp
from desk.entries import Entry
from store import Store

_EMPTY = Stamp(0, "")


def demo_entries() -> list[Entry]:
    """The entries of `desk/minato.csv`."""
    return read_csv((resources.files("desk") / "minato.csv").read_bytes())


async def fill_demo(store: Store) -> bool:
    """Fills an empty directory; whether it was. Raises StoreUnavailable."""
    try:
        await replace(store, demo_entries(), "demo", expected=_EMPTY)
    except DirectoryChanged:
        return False
    return True
