"""Programs beside Daihyo that make and read sound: on PATH, or where `make setup` unpacked them."""

from __future__ import annotations

import os
import shutil

from switch.install import cache_folder


def find(name: str) -> str | None:
    """The program's path, or None. Those of the system come before the unpacked ones."""
    places = [os.environ.get("PATH", os.defpath), str(cache_folder() / "debian" / "bin")]
    return shutil.which(name, path=os.pathsep.join(places))
