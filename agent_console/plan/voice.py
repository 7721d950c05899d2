"""Sounds for listening before a plan goes live: texts not yet spoken are spoken in a process of their own.

    python -m agent_console.plan.voice FOLDER     prompts as JSON lines in, one JSON line of answer each

One process at a time, at low priority, started when it is needed and ended after a minute without work: the
console never waits in its event loop, and calls come first. Sounds land in a folder of previews and, by
`ivr.prepare`'s cache, where the worker finds them again when the plan goes live.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import re
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Final

from aiohttp import web

from dialplans import Prompt

log = logging.getLogger(__name__)

IDLE_S = 60.0
MAKE_S = 45.0
_KEY = re.compile(r"[0-9a-f]{16}")
_MOST_WAITING = 8


class VoiceError(Exception):
    """A text could not be spoken; the message is one line."""


class NothingSaid(VoiceError):
    """The text itself is why: nothing in it can be spoken."""


class Voice:
    """Finds sounds, and makes those that are missing. `folders` are looked through in order."""

    def __init__(self, *folders: Path) -> None:
        self._folders = folders
        self._own: Path | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._lock = asyncio.Lock()
        self._waiting = 0
        self._idle: asyncio.TimerHandle | None = None

    def find(self, key: str) -> Path | None:
        """The 16 kHz sound of this key, or None."""
        if not _KEY.fullmatch(key):
            return None
        for folder in (*self._folders, self._own):
            for name in (f"daihyo-{key}.wav16", f"{key}.wav16") if folder is not None else ():
                path = folder / name if folder is not None else Path(name)
                if path.is_file():
                    return path
        return None

    async def make(self, prompt: Prompt) -> Path:
        """The sound of a prompt, spoken now if need be. Raises VoiceError."""
        if (found := self.find(prompt.key)) is not None:
            return found
        if prompt.audio:
            raise VoiceError(f"the uploaded audio {prompt.key} is not here")
        if self._waiting >= _MOST_WAITING:
            raise VoiceError("too many texts are waiting to be spoken; try again in a moment")
        self._waiting += 1
        try:
            async with self._lock:
                if self.find(prompt.key) is None:
                    await self._speak(prompt)
        finally:
            self._waiting -= 1
        found = self.find(prompt.key)
        if found is None:
            raise VoiceError("the sound was made but is not there")
        return found

    async def close(self) -> None:
        """Ends the process and removes the previews."""
        if self._idle is not None:
            self._idle.cancel()
        await self._end()
        if self._own is not None:
            await asyncio.to_thread(shutil.rmtree, self._own, True)

    async def _speak(self, prompt: Prompt) -> None:
        if self._idle is not None:
            self._idle.cancel()
        process = await self._started()
        line = json.dumps({"key": prompt.key, "text": prompt.text, "language": prompt.language}) + "\n"
        try:
            assert process.stdin is not None and process.stdout is not None  # noqa: S101, PT018 - pipes asked for
            process.stdin.write(line.encode())
            async with asyncio.timeout(MAKE_S):
                answer = await process.stdout.readline()
            told = json.loads(answer or b'{"error": "the voice ended"}')
        except (TimeoutError, OSError, ValueError) as error:
            await self._end()
            raise VoiceError(f"the text could not be spoken: {type(error).__name__}") from None
        except asyncio.CancelledError:
            await self._end()  # the answer would otherwise be taken for the next one's
            raise
        if told.get("error"):
            if process.returncode is not None or not answer:
                await self._end()
            raise (NothingSaid if told.get("text") else VoiceError)(str(told["error"]))
        loop = asyncio.get_running_loop()
        self._idle = loop.call_later(IDLE_S, lambda: loop.create_task(self._end_if_idle()))

    async def _started(self) -> asyncio.subprocess.Process:
        if self._own is None:
            self._own = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="daihyo-previews-"))
        if self._process is None or self._process.returncode is not None:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                __name__,
                str(self._own),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
            )
        return self._process

    async def _end_if_idle(self) -> None:
        async with self._lock:
            await self._end()

    async def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()


VOICE: Final = web.AppKey("voice", Voice)


def main(folder: Path) -> None:
    """Speaks what comes in, until the other side closes."""
    from ivr import NothingToSay, SpeechError, prepare

    os.nice(10)
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # nothing that a library prints may be taken for an answer
    for line in sys.stdin:
        told = json.loads(line)
        try:
            prepare([Prompt(told["key"], told["text"], told["language"])], folder)
            answer: dict[str, object] = {"ok": True}
        except (SpeechError, OSError) as error:
            answer = {"error": str(error), "text": isinstance(error, NothingToSay)}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
