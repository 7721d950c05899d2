"""`daihyo stop`: ends a running `up`, and what a killed one left behind."""

from __future__ import annotations

import asyncio
import fcntl
import os
import signal
from contextlib import suppress

from daihyo.settings import StateDir, UserError
from switch.install import AsteriskMissing, find_asterisk
from switch.process import AsteriskFiles, AsteriskProcess

STOP_S = 40.0


async def stop(state: StateDir) -> str:
    """Returns what was done, in a line. Raises UserError when it does not end."""
    if not state.lock.exists():
        raise UserError(f"{state.path} では何も起動していません / nothing has been started on {state.path}")
    done = []
    with state.lock.open("r+") as handle:
        if not _free(handle.fileno()):
            pid = int(handle.read().strip() or 0)
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
            try:
                async with asyncio.timeout(STOP_S):
                    while not _free(handle.fileno()):  # noqa: ASYNC110 - a file lock tells nobody
                        await asyncio.sleep(0.1)
            except TimeoutError:
                raise UserError(f"`daihyo up` (pid {pid}) has not ended after {STOP_S:g} s") from None
            done.append(f"up (pid {pid})")
        # Holding the lock: nobody starts meanwhile.
        with suppress(AsteriskMissing):
            files = AsteriskFiles(state.asterisk_conf, state.asterisk_run, state.log / "asterisk.out")
            asterisk = AsteriskProcess(find_asterisk(), files)
            if (left := asterisk.adopt()) is not None:
                await asterisk.stop()
                done.append(f"Asterisk (pid {left})")
    return (
        f"停止しました / stopped: {', '.join(done)}" if done else "何も動いていません / nothing was running"
    )


def _free(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
