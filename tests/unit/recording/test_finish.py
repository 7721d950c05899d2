"""The spool is the worker's to-do list: a capture leaves it only when it is archived."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from sqlalchemy import select

from recording import Finisher
from store import CallRow, Recording, Store
from tests.support.databases import sqlite_with_tables

from .test_stereo import capture, ramp

AT = datetime(2026, 11, 20, 20, 0, tzinfo=UTC)  # 5 in the morning of the 21st in Tokyo


def row(call: str, *, ended: bool) -> CallRow:
    return CallRow(
        call=call,
        number="1",
        via="engine",
        arrived_at=AT,
        ended_at=AT if ended else None,
        operators=[],
        offers=0,
        refusals=0,
        outcome="answered" if ended else "active",
    )


def spooled(spool: Path, call: str, seconds: float = 1.0, age_s: float = 60) -> None:
    for side in ("in", "out"):
        path = capture(spool / f"{call}-{side}.wav", ramp(3, int(seconds * 8000)))
        os.utime(path, (time.time() - age_s,) * 2)


async def recordings(store: Store) -> dict[str, Recording]:
    async with store.reading() as session:
        return {one.call: one for one in (await session.execute(select(Recording))).scalars()}


@pytest.mark.req("REC-1")
async def test_ended_calls_are_archived_by_day_of_the_site_others_wait(tmp_path: Path) -> None:
    spool = tmp_path / "spool"
    spool.mkdir()
    store = await Store.open(sqlite_with_tables(tmp_path / "d.db"))
    try:
        async with store.session() as session:
            session.add_all([row("x-1.1", ended=True), row("x-1.2", ended=False), row("x-1.3", ended=True)])
        spooled(spool, "x-1.1")
        spooled(spool, "x-1.2")
        spooled(spool, "x-1.3", seconds=0)  # armed, but nobody ever talked
        spooled(spool, "x-1.4")  # its record is not in the database yet
        finisher = Finisher(spool, tmp_path / "archive", store, ZoneInfo("Asia/Tokyo"))
        assert await finisher.finish() == 2
        found = await recordings(store)
        assert {call: one.path for call, one in found.items()} == {"x-1.1": "2026/11/21/x-1.1.flac"}
        assert (found["x-1.1"].state, found["x-1.1"].seconds) == ("ready", 1.0)
        left = {path.name[:5] for path in spool.iterdir()}
        assert left == {"x-1.2", "x-1.4"}
        assert await finisher.finish() == 0  # nothing twice
    finally:
        await store.close()


async def test_a_capture_of_no_call_is_not_lost(tmp_path: Path) -> None:
    spool = tmp_path / "spool"
    spool.mkdir()
    store = await Store.open(sqlite_with_tables(tmp_path / "d.db"))
    try:
        spooled(spool, "y-1.1", age_s=7 * 3600)
        finisher = Finisher(spool, tmp_path / "archive", store, ZoneInfo("Asia/Tokyo"))
        await finisher.finish()
        assert set(await recordings(store)) == {"y-1.1"}
    finally:
        await store.close()


async def test_a_broken_capture_is_reported_and_kept(tmp_path: Path) -> None:
    spool = tmp_path / "spool"
    spool.mkdir()
    store = await Store.open(sqlite_with_tables(tmp_path / "d.db"))
    try:
        async with store.session() as session:
            session.add(row("z-1.1", ended=True))
        (spool / "z-1.1-in.wav").write_bytes(bytes(np.arange(200, dtype=np.uint8)))
        os.utime(spool / "z-1.1-in.wav", (time.time() - 60,) * 2)
        finisher = Finisher(spool, tmp_path / "archive", store, ZoneInfo("Asia/Tokyo"))
        await finisher.finish()
        found = await recordings(store)
        assert found["z-1.1"].state == "failed"
        assert "z-1.1-in.wav" in (found["z-1.1"].problem or "")
        assert (spool / "z-1.1-in.wav").exists()
        # A worker started anew tries once more, and still throws nothing away.
        await Finisher(spool, tmp_path / "archive", store, ZoneInfo("Asia/Tokyo")).finish()
        assert (spool / "z-1.1-in.wav").exists()
    finally:
        await store.close()
