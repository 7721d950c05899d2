"""Consults' recordings belong to their call; what is held is deleted by nobody."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

import cdr
from cdr.events import to_line
from recording import Finisher, remove
from store import Recording, RecordingHeld, Store, recordings
from tests.support.databases import database_url, store
from tests.support.events import NINE, Story, answered

from .test_finish import spooled

__all__ = ["database_url", "store"]
CALL = "minato-1763700000.12"
OTHER = "minato-1763700000.1"  # the other's id begins with it


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path, Path]:
    made = tmp_path / "spool", tmp_path / "archive", tmp_path / "journal"
    for folder in made:
        folder.mkdir()
    return made


async def carried(store: Store, folder: Path, *stories: Story) -> None:
    lines = [to_line(event) for story in stories for event in story.events]
    file = folder / f"{len(list(folder.iterdir())) + 1:08d}-x-y.jsonl"
    file.write_bytes(b"".join(lines))
    await cdr.carry(folder, store)


def marked(on: bool = True, **more: Any) -> Story:
    story = answered(CALL)
    return story.at(20, "marked", mark="emergency", on=on, by="op01", note="爆破予告", **more)


async def rows(store: Store) -> dict[str, Recording]:
    async with store.reading() as session:
        return {one.call: one for call in (OTHER, CALL) for one in await recordings.of_call(session, call)}


def finisher(store: Store, spool: Path, archive: Path) -> Finisher:
    return Finisher(spool, archive, store, ZoneInfo("Asia/Tokyo"))


@pytest.mark.req("REC-1", "XFR-1")
async def test_a_consults_recording_waits_for_its_call_and_is_found_with_it(
    store: Store, folders: tuple[Path, Path, Path]
) -> None:
    spool, archive, journal = folders
    unfinished = Story(CALL).at(0, "arrived", number="1", via="engine").at(1, "answered", operator="1001")
    await carried(store, journal, answered(OTHER), unfinished)
    for key in (OTHER, f"{OTHER}.1", CALL, f"{CALL}.1", f"{CALL}.2"):
        spooled(spool, key)
    assert await finisher(store, spool, archive).finish() == 2  # the other call goes on
    assert set(await rows(store)) == {OTHER, f"{OTHER}.1"}
    await carried(store, journal, Story(CALL, NINE.replace(hour=1)).at(0, "ended", by="caller"))
    assert await finisher(store, spool, archive).finish() == 3
    found = await rows(store)
    assert list(found) == [OTHER, f"{OTHER}.1", CALL, f"{CALL}.1", f"{CALL}.2"]
    assert found[f"{CALL}.1"].path == f"2026/11/21/{CALL}.1.flac"
    assert all((archive / one.path).stat().st_size for one in found.values())
    assert not list(spool.iterdir())
    detail = await cdr.call(store, CALL)
    assert detail is not None
    assert detail.record.recording == f"2026/11/21/{CALL}.flac"
    assert [(one.place, one.state, one.path) for one in detail.consults] == [
        (1, "ready", f"2026/11/21/{CALL}.1.flac"),
        (2, "ready", f"2026/11/21/{CALL}.2.flac"),
    ]
    listed = await cdr.calls(store, NINE, NINE.replace(hour=23))
    assert sorted(one.call for one in listed) == [OTHER, CALL]  # consults are no calls of their own


@pytest.mark.req("REC-4", "OPR-5")
async def test_what_an_emergency_left_is_held_from_the_first_moment_until_it_is_released(
    store: Store, folders: tuple[Path, Path, Path]
) -> None:
    spool, archive, journal = folders
    await carried(store, journal, answered(OTHER), marked())
    for key in (OTHER, CALL, f"{CALL}.1"):
        spooled(spool, key)
    await finisher(store, spool, archive).finish()
    found = await rows(store)
    assert {key: one.held_by for key, one in found.items()} == {
        OTHER: None, CALL: "op01", f"{CALL}.1": "op01",
    }  # fmt: skip
    assert (found[CALL].held_reason, found[CALL].held_at) == ("emergency", marked().events[-1].at)
    with pytest.raises(RecordingHeld, match=r"by op01 \(emergency\)"):
        await remove(archive, store, CALL)
    assert all((archive / one.path).exists() for one in (await rows(store)).values())
    assert await remove(archive, store, OTHER) == 1
    async with store.session() as session:
        assert await recordings.release(session, CALL) == 2
    spooled(spool, f"{CALL}.2")  # comes late, after a fault
    await finisher(store, spool, archive).finish()
    assert all(one.held_at is None for one in (await rows(store)).values())
    assert await remove(archive, store, CALL) == 3
    assert not list(archive.rglob("*.flac"))
    assert await rows(store) == {}
    assert await remove(archive, store, CALL) == 0


@pytest.mark.req("REC-4", "OPR-5")
async def test_a_mark_that_comes_when_the_recording_is_archived_holds_it_too(
    store: Store, folders: tuple[Path, Path, Path]
) -> None:
    spool, archive, journal = folders
    await carried(store, journal, answered(CALL), answered(OTHER))
    for key in (CALL, OTHER):
        spooled(spool, key)
    await finisher(store, spool, archive).finish()
    late = Story(CALL, NINE.replace(hour=2)).at(0, "marked", mark="harassment", on=True, by="op01")
    await carried(store, journal, late)
    assert all(one.held_at is None for one in (await rows(store)).values())
    late.at(1, "marked", mark="emergency", on=True, by="sv01").at(2, "marked", mark="emergency", on=False)
    await carried(store, journal, late)
    found = await rows(store)  # taking the mark off does not let it go
    assert {key: one.held_by for key, one in found.items()} == {CALL: "sv01", OTHER: None}
    async with store.session() as session:
        await recordings.release(session, CALL)
    await carried(store, journal, late)  # a restored backup, say: nothing new, nothing held again
    assert (await rows(store))[CALL].held_at is None


@pytest.mark.req("REC-4")
async def test_an_interrupted_deletion_is_done_to_its_end(
    store: Store, folders: tuple[Path, Path, Path]
) -> None:
    spool, archive, journal = folders
    await carried(store, journal, answered(CALL))
    spooled(spool, CALL)
    await finisher(store, spool, archive).finish()
    next(archive.rglob("*.flac")).unlink()
    assert await remove(archive, store, CALL) == 1
    assert await rows(store) == {}


async def test_a_recording_outside_the_archive_is_not_touched(store: Store, tmp_path: Path) -> None:
    outside = tmp_path / "secret"
    outside.write_text("x")
    async with store.session() as session:
        session.add(Recording(call=CALL, path="../secret", state="ready", created_at=datetime.now(UTC)))
    await remove(tmp_path / "archive", store, CALL)
    assert outside.exists()


def test_keys_of_calls_and_consults() -> None:
    assert recordings.consult_key(CALL, 3) == f"{CALL}.3"
    assert recordings.place_of(CALL, f"{CALL}.3") == 3
    for other in (CALL, OTHER, f"{CALL}.x", f"{CALL}2", f"{CALL}.2.1"):
        assert recordings.place_of(CALL, other) is None


async def test_a_consult_of_no_known_call_is_not_lost(store: Store, folders: tuple[Path, Path, Path]) -> None:
    spool, archive, _ = folders
    spooled(spool, f"{CALL}.1", age_s=7 * 3600)
    await finisher(store, spool, archive).finish()
    assert set(await rows(store)) == {f"{CALL}.1"}
    assert not list(spool.iterdir())
