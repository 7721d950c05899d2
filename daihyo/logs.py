"""One log file a program, one line an event, no secret in it."""

from __future__ import annotations

import contextlib
import json
import logging
import logging.handlers
import time
from pathlib import Path

from daihyo.settings import StateDir

_SIZE = 10 * 1024 * 1024
_KEPT = 5


class OneLine(logging.Formatter):
    """`2026-04-01T00:00:00.123Z WARNING daihyo.engine: text`; line breaks of a text or traceback become `
    ⏎ `.

    Values of secrets.json never reach the file, whatever was logged."""

    def __init__(self, hidden: list[str]) -> None:
        super().__init__("%(asctime)s.%(msecs)03dZ %(levelname)s %(name)s: %(message)s", "%Y-%m-%dT%H:%M:%S")
        self.converter = time.gmtime
        self._hidden = hidden

    def format(self, record: logging.LogRecord) -> str:
        line = super().format(record).rstrip().replace("\n", " ⏎ ")
        for secret in self._hidden:
            line = line.replace(secret, "•••")
        return line


def start(program: str, state: StateDir, level: int = logging.INFO) -> None:
    """Everything this program logs goes to DIR/log/<program>.log (10 MB, five older ones are kept)."""
    state.log.mkdir(parents=True, exist_ok=True, mode=0o700)
    handler = logging.handlers.RotatingFileHandler(
        state.log / f"{program}.log", maxBytes=_SIZE, backupCount=_KEPT, encoding="utf-8"
    )
    handler.setFormatter(OneLine(_secrets(state.secrets)))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # They tell of every request and every file.
    for noisy in ("alembic", "asyncio", "aiohttp.access", "aiosqlite", "panoramisk"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def _secrets(path: Path) -> list[str]:
    found: list[str] = []

    def collect(value: object) -> None:
        if isinstance(value, dict):
            for name, inner in value.items():
                if isinstance(inner, dict | list) or not str(name).endswith("_user"):
                    collect(inner)
        elif isinstance(value, list):
            for inner in value:
                collect(inner)
        elif isinstance(value, str) and len(value) >= 8:
            found.append(value)

    with contextlib.suppress(OSError, ValueError):
        collect(json.loads(path.read_text()))
    return found
