"""A plan's sounds, made in a process of its own: `python -m daihyo.speaking DIR VERSION`.

Speaking takes a processor for seconds and a synthesiser's memory; so neither calls nor the worker's other
jobs wait for it. The process yields to all others and ends with whoever asked for it.
"""

from __future__ import annotations

import asyncio
import ctypes
import json
import os
import shutil
import signal
import sys
from contextlib import suppress
from pathlib import Path

import ivr
from daihyo.plans import site_of
from daihyo.settings import StateDir, UserError
from dialplans import Site

NICE = 15
_PARENT = "DAIHYO_SPEAKS_FOR"
_PR_SET_PDEATHSIG = 1


def missing(site: Site, state: StateDir) -> bool:
    """Whether any sound or music of the plan is not there yet. Cheap: looks at names only."""
    with suppress(OSError):
        if _made_music(state).read_text() == _music(site):
            return bool(ivr.missing(site.prompts(), state.sounds))
    return True


def _made_music(state: StateDir) -> Path:
    """Which music was made last: what `_music` gave then."""
    return state.sounds / "moh" / "made.json"


def _music(site: Site) -> str:
    return json.dumps([[one.id, *one.audio] for one in site.musics])


async def speak(site: Site, version: int, state: StateDir) -> None:
    """Makes the sounds that are missing; returns when all are there. DIR/plans holds the version already.
    Raises UserError. Cancelled, it stops the work."""
    if not await asyncio.to_thread(missing, site, state) or await asyncio.to_thread(_fetched, site, state):
        return
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "daihyo.speaking", str(state.path), str(version)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, _PARENT: str(os.getpid())},
    )
    try:
        said, fault = await process.communicate()
    except BaseException:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        raise
    if process.returncode:
        lines = (said or fault).decode(errors="replace").strip().splitlines() or ["?"]
        raise UserError(f"案内音声を作れません / announcements cannot be made: {lines[-1]}")


def _fetched(site: Site, state: StateDir) -> bool:
    """Whether all could be taken from what this machine has made before: then nobody needs to speak."""
    with suppress(OSError):  # the process will say what is wrong
        if ivr.fetch_all(site.prompts(), site.musics, state.sounds):
            _made_music(state).write_text(_music(site))
            return True
    return False


def make(site: Site, state: StateDir) -> None:
    """Makes them here and now. Blocking. OSError, SpeechError."""
    ivr.prepare(site.prompts(), state.sounds, state.audio)
    ivr.music(state.sounds, site.musics, state.audio)
    _made_music(state).write_text(_music(site))


def tidy_music(site: Site, state: StateDir) -> None:
    """Removes waiting music that is not the plan's. Only while no Asterisk runs: a call may be hearing it."""
    kept = {"default", *(one.folder for one in site.musics)}
    for folder in (state.sounds / "moh").glob("*/"):
        if folder.name not in kept:
            shutil.rmtree(folder, ignore_errors=True)


def main(folder: str, version: str) -> int:
    """Exit code 0, or 2 with the problem as the last line printed."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if (parent := os.environ.get(_PARENT)) and os.getppid() != int(parent):
        return 0  # whoever asked has gone before we could say so
    os.nice(max(0, NICE - os.nice(0)))
    state = StateDir(Path(folder))
    try:
        make(site_of(state, int(version)), state)
    except Exception as error:  # whatever it is, a person reads it in the list of activations
        sys.stdout.write(" ".join(f"{error}".split()) or type(error).__name__)
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
