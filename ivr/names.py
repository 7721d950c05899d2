"""Names of sounds, and which are not there yet. Loads nothing heavy: the engine asks it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from dialplans import Prompt

RATES = {".wav": 8000, ".wav16": 16000}


def sound_name(key: str) -> str:
    """The name of a prompt's sound, without suffix."""
    return f"daihyo-{key}"


def missing(prompts: Iterable[Prompt], sounds: Path) -> list[Prompt]:
    """Those without a sound (at both rates) in the folder `sounds`, in their order. Reads the folder once."""
    there: set[str] = set()
    with suppress(FileNotFoundError):
        there.update(entry.name for entry in os.scandir(sounds))
    return [one for one in prompts if not all(f"{sound_name(one.key)}{suffix}" in there for suffix in RATES)]
