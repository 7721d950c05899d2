"""Recordings: from Asterisk's captures to the archive, and out of it. Encryption, retention and search will
stand here too."""

import importlib
from typing import TYPE_CHECKING, Any

from .finish import Finisher
from .removal import remove

if TYPE_CHECKING:
    from .stereo import BadSound, Made, combine

__all__ = ["BadSound", "Finisher", "Made", "combine", "remove"]


def __getattr__(name: str) -> Any:
    # Sound libraries (0.3 s, 20 MB) are loaded when the first recording is to be made.
    if name not in ("BadSound", "Made", "combine"):
        raise AttributeError(f"module 'recording' has no attribute {name!r}")
    return getattr(importlib.import_module("recording.stereo"), name)
