"""Ids for channels that this engine makes: none was ever given before, by it or by another."""

from __future__ import annotations

import itertools
import os
import secrets

_count = itertools.count(1)
_run = ""


def serial() -> str:
    """Another one at each call: `1f3a9c02-17`."""
    return f"{_run}-{next(_count)}"


def _begin() -> None:
    """Engines are forked by a process that has loaded this already: each begins anew, or a new engine would
    give the ids of the one that was killed."""
    global _run, _count
    _run, _count = secrets.token_hex(4), itertools.count(1)


_begin()
os.register_at_fork(after_in_child=_begin)
