"""Files that are either the old or the new, never half."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path


def write_atomically(path: Path, text: str, mode: int = 0o600) -> None:
    """Replaces `path` with `text` (UTF-8) in one step."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            os.fchmod(file.fileno(), mode)
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise


def write_if_changed(path: Path, text: str) -> bool:
    """As `write_atomically`, but only when the content differs; True if it did."""
    with contextlib.suppress(OSError, UnicodeDecodeError):
        if path.read_text(encoding="utf-8") == text:
            return False
    write_atomically(path, text)
    return True


def link(path: Path, target: Path) -> None:
    """Makes `path` a symbolic link to `target`, replacing another link."""
    if path.is_symlink():
        if Path(os.readlink(path)) == target:
            return
        path.unlink()
    path.symlink_to(target)
