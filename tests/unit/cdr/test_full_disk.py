"""A disk that is full or broken: no call notices, an alarm is raised, and nothing is lost or doubled."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from cdr import Journal, read_journal
from cdr.segments import segments

pytestmark = pytest.mark.req("REL-5")
ADVICE = "No space left on device; free space on that disk (events are kept in memory)"


class Disk:
    """Stands before os.write and os.fdatasync and fails as told."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.write_error = self.sync_error = self.open_error = 0
        write, sync, open_ = os.write, os.fdatasync, os.open

        def failing_write(file: int, data: bytes) -> int:
            if not self.write_error:
                return write(file, data)
            if len(data) > 1:  # as a real disk does: what fits is written, the rest is refused
                return write(file, data[: len(data) // 2])
            raise OSError(self.write_error, os.strerror(self.write_error))

        def failing_sync(file: int) -> None:
            if self.sync_error:
                raise OSError(self.sync_error, os.strerror(self.sync_error))
            sync(file)

        def failing_open(path: str, flags: int, mode: int = 0o777) -> int:
            if self.open_error and flags & os.O_CREAT:
                raise OSError(self.open_error, os.strerror(self.open_error))
            return open_(path, flags, mode)

        patch.setattr("cdr.journal.RETRY_S", 0.01)
        patch.setattr(os, "write", failing_write)
        patch.setattr(os, "fdatasync", failing_sync)
        patch.setattr(os, "open", failing_open)

    def heal(self) -> None:
        self.write_error = self.sync_error = self.open_error = 0


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(monkeypatch)


def full(disk: Disk) -> None:
    disk.write_error = errno.ENOSPC


def limited(disk: Disk) -> None:
    disk.write_error = errno.EFBIG


def broken(disk: Disk) -> None:
    disk.sync_error = errno.EIO


def no_new_files(disk: Disk) -> None:
    disk.write_error = disk.open_error = errno.ENOSPC


@pytest.mark.parametrize("fail", [full, limited, broken, no_new_files])
@pytest.mark.parametrize("begun", [True, False])
async def test_nothing_is_lost_and_nothing_doubled(
    tmp_path: Path, disk: Disk, fail: Callable[[Disk], None], begun: bool
) -> None:
    with Journal(tmp_path) as journal:
        written = [journal.append("held", number=0)] if begun else []
        assert await journal.synced(30)
        fail(disk)
        written += [journal.append("held", number=number) for number in range(1, 100)]
        assert not await journal.synced(30)
        assert str(tmp_path) in (journal.failing or "")
        assert "kept in memory" in (journal.failing or "")
        assert journal.unwritten == 99
        written += [journal.append("held", number=number) for number in range(100, 120)]
        assert not await journal.synced()  # at once: no call waits for a disk that is known to fail
        disk.heal()
        while journal.failing is not None:  # the next try is some milliseconds away
            await journal.synced()
            os.sched_yield()
        assert await journal.synced(30)
        written.append(journal.append("held", number=120))
    assert list(read_journal(tmp_path)) == written
    lines = b"".join(file.read_bytes() for file in segments(tmp_path)).splitlines()
    assert len(lines) == len(written) + len(segments(tmp_path))


async def test_the_advice_for_a_full_disk(tmp_path: Path, disk: Disk) -> None:
    with Journal(tmp_path) as journal:
        full(disk)
        journal.append("held")
        assert not await journal.synced(30)
        assert journal.failing == f"journal {tmp_path}: {ADVICE}"
        disk.heal()


async def test_stopping_while_the_disk_fails_ends_and_says_what_was_lost(
    tmp_path: Path, disk: Disk, caplog: pytest.LogCaptureFixture
) -> None:
    journal = Journal(tmp_path)
    full(disk)
    journal.append("held")
    journal.append("resumed")
    journal.close()
    assert "2 events were not written before the stop" in caplog.text
    disk.heal()
    assert list(read_journal(tmp_path)) == []


REALLY_FULL = textwrap.dedent("""
    import asyncio, os, sys
    from pathlib import Path
    import cdr.journal
    from cdr import Journal, read_journal
    cdr.journal.RETRY_S = 0.01
    folder, ballast = Path(sys.argv[1]) / "journal", Path(sys.argv[1]) / "ballast"

    async def main():
        with Journal(folder) as journal:
            journal.append("held", number=0)
            assert await journal.synced(30)
            with ballast.open("wb", buffering=0) as file:
                try:
                    while True:
                        file.write(bytes(4096))
                except OSError:
                    pass
            number = 0
            while journal.failing is None:
                number += 1
                journal.append("held", number=number, text="x" * 500)
                await journal.synced(30)
            print(journal.failing)
            for _ in range(50):
                number += 1
                journal.append("held", number=number)
            os.truncate(ballast, 0)
            while not await journal.synced(30):
                await asyncio.sleep(0)
        assert [event.data["number"] for event in read_journal(folder)] == list(range(number + 1))
        print("all there")

    asyncio.run(main())
""")


def test_a_disk_that_is_really_full(tmp_path: Path) -> None:
    """On a file system of 256 KiB of its own, in a mount namespace of its own."""
    command = 'mount -t tmpfs -o size=256k tmpfs "$0" && exec "$1" -c "$2" "$0"'
    if subprocess.run(
        ["unshare", "-rm", "mount", "-t", "tmpfs", "x", "/mnt"], capture_output=True
    ).returncode:
        pytest.skip("this machine lets us mount nothing (unshare -rm)")
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", command, str(tmp_path), sys.executable, REALLY_FULL],
        capture_output=True, text=True, timeout=60, cwd=Path(__file__).parents[3],
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        f"journal {tmp_path}/journal: {ADVICE}",
        "all there",
    ]
