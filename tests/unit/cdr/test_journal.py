"""The journal's writer: groups, segments, restarts, torn and corrupt lines."""

from __future__ import annotations

import asyncio
import os
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cdr import Journal, JournalError, Problem, read_journal, tail
from cdr.segments import segments


def kinds(folder: Path) -> list[str]:
    return [event.kind for event in read_journal(folder)]


async def test_what_was_appended_is_read_back_in_order(tmp_path: Path) -> None:
    with Journal(tmp_path / "a" / "journal") as journal:
        written = [journal.append("held", call="c1", operator=str(number)) for number in range(100)]
        assert await journal.synced()
        assert journal.unwritten == 0
        assert list(read_journal(journal.folder)) == written
    assert [event.id for event in written] == sorted(event.id for event in written)
    assert written[0].call == "c1"
    assert written[0].mono is not None


async def test_synced_means_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is called synced before an fsync that began after it was written has returned."""
    synced_bytes = 0
    real = os.fdatasync

    def fdatasync(file: int) -> None:
        nonlocal synced_bytes
        real(file)
        synced_bytes = os.fstat(file).st_size

    monkeypatch.setattr(os, "fdatasync", fdatasync)
    with Journal(tmp_path) as journal:
        for number in range(20):
            event = journal.append("held", operator=str(number))
            assert await journal.synced()
            assert event.id.encode() in segments(tmp_path)[0].read_bytes()[:synced_bytes]


@pytest.mark.req("REL-4")
async def test_a_group_waits_while_the_disk_is_busy_and_nobody_else_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, may_go, busy, calls = os.fdatasync, threading.Event(), threading.Event(), []

    def slow(file: int) -> None:
        calls.append(file)
        busy.set()
        assert may_go.wait(30)
        real(file)

    with Journal(tmp_path) as journal:
        journal.append("first")
        assert await journal.synced()
        monkeypatch.setattr(os, "fdatasync", slow)
        journal.append("second")
        assert await asyncio.to_thread(busy.wait, 30)
        for number in range(500):  # returns at once although the disk does nothing
            journal.append("third", number=number)
        assert journal.unwritten == 501
        assert not await journal.synced(within_s=0.01)
        may_go.set()
        assert await journal.synced(within_s=30)
        assert len(calls) == 2  # one for "second", one for all the others
    assert kinds(tmp_path) == ["first", "second"] + ["third"] * 500


async def test_a_stuck_disk_raises_the_alarm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    may_go, busy = threading.Event(), threading.Event()

    def stuck(_file: int) -> None:
        busy.set()
        assert may_go.wait(30)

    monkeypatch.setattr("cdr.journal.STUCK_S", -1.0)
    monkeypatch.setattr(os, "fdatasync", stuck)
    with Journal(tmp_path) as journal:
        assert journal.failing is None
        journal.append("first")
        assert await asyncio.to_thread(busy.wait, 30)
        assert "stuck" in (journal.failing or "")
        may_go.set()
        assert await journal.synced(30)
        assert journal.failing is None


async def test_each_start_begins_a_segment_and_so_does_each_full_one(tmp_path: Path) -> None:
    for _ in range(3):
        with Journal(tmp_path) as journal:
            journal.append("held")
    assert len(segments(tmp_path)) == 3
    with Journal(tmp_path, segment_bytes=500) as journal:
        for _ in range(10):
            journal.append("resumed")
            assert await journal.synced()
    assert len(segments(tmp_path)) > 5
    assert kinds(tmp_path) == ["held"] * 3 + ["resumed"] * 10
    numbers = [int(file.name[:8]) for file in segments(tmp_path)]
    assert numbers == list(range(1, len(numbers) + 1))


def test_a_start_without_events_leaves_no_segment(tmp_path: Path) -> None:
    Journal(tmp_path).close()
    assert segments(tmp_path) == []


def test_closing_writes_what_is_left_and_twice_is_once(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append("held")
    journal.close()
    journal.close()
    assert kinds(tmp_path) == ["held"]


def test_only_one_writes(tmp_path: Path) -> None:
    with Journal(tmp_path):
        with pytest.raises(JournalError, match="another engine is writing it"):
            Journal(tmp_path)
    Journal(tmp_path).close()


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(JournalError, match=r"file/journal: .*check the folder's rights"):
        Journal(tmp_path / "file" / "journal")


def test_files_are_their_owners_alone(tmp_path: Path) -> None:
    with Journal(tmp_path / "journal") as journal:
        journal.append("held")
    assert (tmp_path / "journal").stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o777 for file in (tmp_path / "journal").iterdir()} == {0o600}


def test_an_earlier_time_has_no_monotonic_one(tmp_path: Path) -> None:
    then = datetime(2026, 11, 20, 1, tzinfo=UTC)
    with Journal(tmp_path) as journal:
        event = journal.append("arrived", call="c", at=then, number="1", via="survival")
    assert (event.at, event.mono, event.boot) == (then, None, None)


@pytest.mark.req("REL-5")
@pytest.mark.parametrize("kept", [1, 10, -2])
def test_a_torn_last_line_is_cut_off_with_a_note(tmp_path: Path, kept: int) -> None:
    with Journal(tmp_path) as journal:
        journal.append("first")
        journal.append("second")
    (file,) = segments(tmp_path)
    whole = file.read_bytes()
    end = whole[:-1].rfind(b"\n") + 1
    file.write_bytes(whole[:end] + whole[end:][:kept])
    assert kinds(tmp_path) == ["first"]  # a reader leaves it alone: it might be being written
    with Journal(tmp_path) as journal:
        journal.append("third")
    assert file.read_bytes() == whole[:end]
    assert kinds(tmp_path) == ["first", "third"]
    (note,) = journal.notes
    assert str(file) in note
    assert "cut off" in note


def test_a_last_line_that_lacks_only_its_newline_is_kept(tmp_path: Path) -> None:
    with Journal(tmp_path) as journal:
        journal.append("first")
    (file,) = segments(tmp_path)
    file.write_bytes(file.read_bytes()[:-1])
    with Journal(tmp_path) as journal:
        journal.append("second")
    assert kinds(tmp_path) == ["first", "second"]
    assert "completed" in journal.notes[0]


def test_a_torn_end_without_any_newline(tmp_path: Path) -> None:
    (tmp_path / "00000007-20261121T000000Z-aaaaaaaa.jsonl").write_bytes(b"\0" * 3_000_000)
    with Journal(tmp_path) as journal:
        journal.append("first")
    assert kinds(tmp_path) == ["first"]
    assert "cut off 3000000 bytes" in journal.notes[0]
    assert segments(tmp_path)[-1].name.startswith("00000008-")


def test_corrupt_lines_are_reported_and_the_others_read(tmp_path: Path) -> None:
    with Journal(tmp_path) as journal:
        for number in range(5):
            journal.append("held", number=number)
    (file,) = segments(tmp_path)
    lines = file.read_bytes().splitlines(keepends=True)
    lines[2] = lines[2].replace(b'"number":1', b'"number":7')
    lines[4] = b"\xff\xfe nonsense\n"
    lines.insert(5, b"\n")
    file.write_bytes(b"".join(lines))
    problems: list[Problem] = []
    read = [event.data["number"] for event in read_journal(tmp_path, report=problems.append)]
    assert read == [0, 2, 4]
    assert [(problem.file, problem.line) for problem in problems] == [(file, 3), (file, 5), (file, 6)]
    assert str(problems[0]) == f"{file}, line 3: its checksum is wrong; it is left out"
    with Journal(tmp_path) as journal:  # and an engine starts all the same
        journal.append("held", number=5)
    assert [event.data["number"] for event in tail(tmp_path, 2)] == [4, 5]


async def test_since_and_tail(tmp_path: Path) -> None:
    written = []
    for _ in range(3):
        with Journal(tmp_path, segment_bytes=600) as journal:
            for _ in range(7):
                written.append(journal.append("held"))
                assert await journal.synced()
    for index, event in enumerate(written):
        assert list(read_journal(tmp_path, since=event.id)) == written[index + 1 :]
    for count in range(len(written) + 2):
        assert tail(tmp_path, count) == (written[-count:] if count else [])


def test_no_folder_is_an_empty_journal(tmp_path: Path) -> None:
    assert list(read_journal(tmp_path / "none")) == []
    assert tail(tmp_path / "none") == []


async def test_synced_in_many_tasks_at_once(tmp_path: Path) -> None:
    with Journal(tmp_path) as journal:

        async def one(number: int) -> bool:
            journal.append("held", number=number)
            return await journal.synced(30)

        assert all(await asyncio.gather(*(one(number) for number in range(200))))
    assert sorted(event.data["number"] for event in read_journal(tmp_path)) == list(range(200))
