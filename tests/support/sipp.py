"""Citizens played by sipp: the exact messages of a scenario, many at once."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest

SCENARIOS = Path(__file__).parent / "scenarios"


async def sipp(
    scenario: str,
    sip: str,
    number: str,
    folder: Path,
    *,
    calls: int = 1,
    at_once: int = 10,
    within_s: float = 60,
) -> None:
    """Runs `scenarios/NAME.xml` so many times; AssertionError with sipp's own words when one did not go by
    the scenario."""
    program = shutil.which("sipp")
    if program is None:
        pytest.skip("sipp is not installed: apt-get install sip-tester")
    errors = folder / f"{scenario}-errors.log"
    process = await asyncio.create_subprocess_exec(
        program, sip, "-sf", str(SCENARIOS / f"{scenario}.xml"), "-s", number, "-i", "127.0.0.1",
        "-mi", "127.0.0.1", "-m", str(calls), "-l", str(at_once), "-r", str(at_once), "-nostdin",
        "-timeout", f"{within_s:.0f}s", "-timeout_error", "-trace_err", "-error_file", str(errors),
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
        cwd=folder,
    )  # fmt: skip
    _, said = await process.communicate()
    if process.returncode != 0:
        wrong = errors.read_text(errors="replace")[-1500:] if errors.exists() else said.decode()[-1500:]
        raise AssertionError(f"sipp {scenario}: exit code {process.returncode}: {wrong}")
