"""The writer of the journal is killed again and again: all that it had called synced is there."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from cdr import Journal, read_journal, read_recent
from cdr.segments import segments

WRITER = textwrap.dedent("""
    import asyncio, itertools, sys
    from pathlib import Path
    from cdr import Journal

    async def main():
        folder, run = Path(sys.argv[1]), int(sys.argv[2])
        written = 0
        with Journal(folder, segment_bytes=20_000) as journal:
            journal.append("arrived", call=f"open-{run}")
            for group in itertools.count():
                for _ in range(group % 7 + 1):
                    journal.append("held", run=run, number=written, text="あ" * (written % 50))
                    written += 1
                assert await journal.synced(30)
                sys.stdout.write(f"{written}\\n")
                sys.stdout.flush()

    asyncio.run(main())
""")


@pytest.mark.req("REL-1", "REL-5")
def test_only_the_group_not_yet_synced_can_be_lost(tmp_path: Path) -> None:
    chance = random.Random(20261121)
    for run in range(6):
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path), str(run)],
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        ) as writer:
            assert writer.stdout is not None
            said = [writer.stdout.readline() for _ in range(chance.randint(1, 200))]
            writer.send_signal(signal.SIGKILL)
            said += [line for line in writer.stdout if line.endswith("\n")]
        promised = int(said[-1])
        found = [event.data["number"] for event in read_journal(tmp_path) if event.data.get("run") == run]
        assert len(found) >= promised
        assert found == list(range(len(found)))  # what is there beyond has no gaps either
        assert (
            len(found) <= promised + 7 + 7
        )  # at most the group under way, and one said too late to be heard
        with segments(tmp_path)[-1].open("ab") as torn:  # a page that did not make it to the disk
            torn.write(b'{"id":"0')
    with Journal(tmp_path) as journal:
        assert "cut off" in journal.notes[0]
    assert [event.call for event in read_recent(tmp_path)] == [f"open-{run}" for run in range(6)]
