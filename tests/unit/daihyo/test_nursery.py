"""The nursery forks programs that belong to whoever asked, and its death costs nobody anything."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]

# In a process of its own, as `daihyo up` is: forking is for a process without threads.
BEGIN = """
import asyncio, os, signal, sys
from pathlib import Path
from daihyo import nursery
from daihyo.settings import StateDir

state = StateDir(Path(sys.argv[1]))
output = state.path / "engine.out"

def words(pid):
    return Path(f"/proc/{pid}/cmdline").read_text().rstrip("\\0").split("\\0")

async def main(children):
"""
END = """
with nursery.opened() as children:
    asyncio.run(main(children))
"""


def run(folder: Path, body: str) -> str:
    lines = "".join(f"    {line}\n" for line in body.strip().splitlines())
    done = subprocess.run(
        [sys.executable, "-c", BEGIN + lines + END, str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.req("REL-1")
def test_a_program_that_cannot_start_says_so_as_one_started_alone(tmp_path: Path) -> None:
    said = run(
        tmp_path,
        """
program = await children.spawn("engine", state, output)
print(await program.wait(), program.returncode)
""",
    )
    assert said == "2 2"  # nothing was prepared in this state folder
    assert "daihyo up" in (tmp_path / "engine.out").read_text()


@pytest.mark.req("REL-1")
def test_programs_are_children_of_whoever_asked_and_carry_their_own_names(tmp_path: Path) -> None:
    said = run(
        tmp_path,
        """
os.mkfifo(state.runtime)  # who reads it waits: a program that stays
first, second = await asyncio.gather(
    children.spawn("engine", state, output), children.spawn("worker", state, output)
)
for one in (first, second):
    fields = Path(f"/proc/{one.pid}/stat").read_text().rsplit(")", 1)[1].split()
    assert int(fields[1]) == os.getpid(), "its parent"
    assert int(fields[3]) == one.pid, "a session of its own"
    assert "nursery" not in words(one.pid)
os.kill(first.pid, signal.SIGKILL)
second.terminate()
print(await first.wait(), await second.wait())
""",
    )
    assert said == "-9 -15"


@pytest.mark.req("REL-1")
def test_the_nursery_dies_and_its_programs_go_on(tmp_path: Path) -> None:
    said = run(
        tmp_path,
        """
os.mkfifo(state.runtime)
program = await children.spawn("engine", state, output)
os.kill(children.pid, signal.SIGKILL)
try:
    await children.spawn("worker", state, output)
except nursery.NurseryGone:
    os.kill(program.pid, 0)
    print("gone", program.returncode)
program.terminate()
print(await program.wait())
""",
    )
    assert said == "gone None\n-15"


@pytest.mark.req("REL-1")
def test_a_nursery_that_does_not_answer_is_waited_for_no_longer(tmp_path: Path) -> None:
    said = run(
        tmp_path,
        """
nursery.ANSWER_S = 0.2
os.kill(children.pid, signal.SIGSTOP)
for _ in range(2):
    try:
        await children.spawn("engine", state, output)
    except nursery.NurseryGone:
        print("gone")
os.waitid(os.P_PID, children.pid, os.WEXITED | os.WNOWAIT)  # it cannot fork one later
print(output.exists())
""",
    )
    assert said == "gone\ngone\nFalse"


@pytest.mark.req("REL-1")
def test_a_child_that_cannot_be_watched_is_ended_and_the_long_way_is_taken(tmp_path: Path) -> None:
    said = run(
        tmp_path,
        """
def refused(pid):
    seen.append(pid)
    raise PermissionError(1, "seccomp")

seen = []
os.mkfifo(state.runtime)
os.pidfd_open = refused
for _ in range(2):
    try:
        await children.spawn("engine", state, output)
    except nursery.NurseryGone:
        print("gone")
print(len(seen), Path(f"/proc/{seen[0]}").exists())
""",
    )
    assert said == "gone\ngone\n1 False"
