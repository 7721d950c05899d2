"""`daihyo up` as a user meets it: what happens when a part of it dies, and what is left behind."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from daihyo.softphone import SoftCall, Softphone
from tests.support.centre import ROOT, Centre, centre
from tests.support.site import NUMBER, site


async def soon(true: Callable[[], bool], what: str, within_s: float = 30.0) -> None:
    try:
        async with asyncio.timeout(within_s):
            while not true():
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise AssertionError(f"not so within {within_s} s: {what}") from None


def lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def pids(running: Centre) -> dict[str, int]:
    return dict(json.loads(running.state.runtime.read_text())["pids"])


async def run(*arguments: str) -> tuple[int, str]:
    """A command that ends by itself: exit code and stderr."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "daihyo", *arguments, cwd=ROOT, stderr=asyncio.subprocess.PIPE
    )
    _, said = await process.communicate()
    return process.returncode or 0, said.decode()


async def start_again(
    running: Centre, *, sip_port: int | None = None, file: Path | None = None
) -> asyncio.subprocess.Process:
    """`daihyo up` on the same state folder with the same options (or another SIP port, another file)."""
    runtime = json.loads(running.state.runtime.read_text())
    low, high = runtime["rtp_ports"]
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *(
            "-m",
            "daihyo",
            "up",
            "--site",
            str(file or running.state.site),
            "--state",
            str(running.state.path),
        ),
        *("--http-port", str(runtime["http_port"]), "--sip-port", str(sip_port or runtime["sip_port"])),
        *("--rtp-ports", f"{low}-{high}"),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def test_second_start_is_refused_with_the_first_ones_pid_and_stop_ends_everything(
    tmp_path: Path,
) -> None:
    async with centre(tmp_path, site=site(operators=1), tables=False) as running:
        second = await start_again(running)
        _, said = await second.communicate()
        assert second.returncode == 2
        assert f"pid {running.process.pid}" in said.decode()
        assert "Traceback" not in said.decode()
        before = pids(running)
        assert set(before) == {"up", "asterisk", "engine", "console", "worker"}
        assert await running.stop() == 0
        await soon(lambda: not any(lives(pid) for pid in before.values()), "all have ended")


@pytest.mark.req("REL-1")
async def test_hung_engine_is_killed_and_comes_back(tmp_path: Path) -> None:
    async with centre(tmp_path, site=site(operators=1)) as running:
        hung = running.kill("engine", signal.SIGSTOP)
        await soon(lambda: pids(running).get("engine", hung) != hung, "another engine runs")
        assert not lives(hung)
        await running.control.wait(
            lambda: bool(running.control.switch.get("connected")), 20, "it is connected"
        )


@pytest.mark.req("REL-1")
async def test_console_and_worker_are_started_again(tmp_path: Path) -> None:
    async with centre(tmp_path, site=site(operators=1)) as running:
        for program in ("console", "worker"):
            killed = running.kill(program)
            await soon(lambda p=program, k=killed: pids(running).get(p, k) != k, f"another {program} runs")  # type: ignore[misc]


@pytest.mark.req("REL-1")
async def test_killed_up_leaves_the_calls_and_the_next_one_adopts_them(tmp_path: Path) -> None:
    async with centre(tmp_path, site=site(operators=1)) as running:
        server = (running.sip.rsplit(":", 1)[0], int(running.sip.rsplit(":", 1)[1]))
        async with (
            await Softphone.open(server, "1001", running.phone("1001")["secret"]) as desk,
            await Softphone.open(server, "09012345678") as citizen,
        ):
            await desk.register()
            desk.on_call = SoftCall.answer
            await running.ready_operator("1001")
            call = await citizen.call(NUMBER)
            await running.control.phase_is("talking", within_s=30)
            before = pids(running)
            running.process.kill()
            await soon(
                lambda: not any(lives(before[name]) for name in ("engine", "console", "worker")),
                "the programs end",
            )
            assert lives(before["asterisk"])
            refused = await start_again(running, sip_port=server[1] - 1)
            _, said = await refused.communicate()
            assert refused.returncode == 2
            assert f"--sip-port {server[1]}" in said.decode()
            heard = call.media.received
            again = await start_again(running)
            assert again.stdout is not None
            try:
                async with asyncio.timeout(60):
                    while not (line := await again.stdout.readline()).startswith(b"ready "):
                        assert line, (await again.stderr.read()).decode() if again.stderr else ""
                ready = json.loads(line[6:])
                assert ready["pids"]["asterisk"] == before["asterisk"]
                await running.control.phase_is("talking")
                assert call.by_us is None
                assert call.media.received > heard
                call.hang_up()
                await running.control.wait(lambda: not running.control.calls, 10, "the call is over")
            finally:
                again.send_signal(signal.SIGTERM)
                await again.wait()
            await soon(lambda: not lives(before["asterisk"]), "Asterisk ends with the second one")


@pytest.mark.req("REL-2")
async def test_engine_that_stays_away_gives_waiting_citizens_to_the_dialplan(tmp_path: Path) -> None:
    """The engine cannot start again (its plan is broken): who waits reaches an operator all the same."""
    async with centre(tmp_path, site=site(operators=1)) as running:
        server = (running.sip.rsplit(":", 1)[0], int(running.sip.rsplit(":", 1)[1]))
        async with (
            await Softphone.open(server, "1001", running.phone("1001")["secret"]) as desk,
            await Softphone.open(server, "09012345678") as citizen,
        ):
            await desk.register()
            rang: asyncio.Queue[SoftCall] = asyncio.Queue()
            desk.on_call = rang.put_nowait
            await citizen.call(NUMBER)
            await running.control.phase_is("waiting", within_s=30)
            for broken in running.state.plans.iterdir():
                broken.write_text("broken: [")
            running.kill("engine")
            async with asyncio.timeout(60):
                call = await rang.get()
            call.answer()
            await soon(lambda: call.media.received > 25, "the two talk")


@pytest.mark.req("KPI-1", "REC-1")
async def test_try_plays_citizens_and_operators(tmp_path: Path) -> None:
    async with centre(tmp_path, site=site(operators=2)) as running:
        _, out = await running.daihyo("try", "--calls", "3", "--at-once", "2", "--talk", "2", "--json")
        summary = json.loads(out)
        assert summary["calls"] == 3
        assert summary["answered"] == 3
        assert summary["recorded"] == 3
        assert summary["operators_played"] == 2
        _, listed = await running.daihyo("calls", "--json")
        assert [one["outcome"] for one in json.loads(listed)] == ["answered"] * 3
        _, figures = await running.daihyo("kpi", "--json")
        assert json.loads(figures)["answer_rate"] == 1.0


async def test_left_over_asterisk_is_ended_by_stop(tmp_path: Path) -> None:
    async with centre(tmp_path, site=site(operators=1), tables=False) as running:
        before = pids(running)
        os.kill(running.process.pid, signal.SIGKILL)
        await running.process.wait()
        assert lives(before["asterisk"])
        code, _ = await run("stop", "--state", str(running.state.path))
        assert code == 0
        assert not lives(before["asterisk"])
