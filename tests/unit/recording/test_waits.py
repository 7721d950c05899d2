"""A conversation's recording waits in the spool while the archive takes nothing."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from recording import Finisher
from store import Recording, Store
from tests.support.databases import sqlite_with_tables
from tests.unit.recording.test_finish import row, spooled


@pytest.mark.req("REC-1")
async def test_an_archive_that_takes_nothing_for_a_while_loses_nothing(tmp_path: Path) -> None:
    """A full disk is nobody's bad sound: the captures wait and are archived afterwards."""
    store = await Store.open(sqlite_with_tables(tmp_path / "d.db"))
    try:
        async with store.session() as session:
            session.add(row("c", ended=True))
        spool, archive = tmp_path / "spool", tmp_path / "archive"
        spool.mkdir()
        spooled(spool, "c")
        in_the_way = archive / "2026/11/21/.c.flac.part"
        in_the_way.mkdir(parents=True)
        finisher = Finisher(spool, archive, store, ZoneInfo("Asia/Tokyo"))
        with pytest.raises(OSError, match=r"c\.flac"):
            await finisher.finish()
        assert len(list(spool.glob("c-*.wav"))) == 2
        in_the_way.rmdir()
        assert await finisher.finish() == 1
        async with store.reading() as session:
            [found] = (await session.execute(select(Recording))).scalars()
        assert found.state == "ready"
    finally:
        await store.close()
