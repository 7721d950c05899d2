"""Two people changed one plan: their changes laid over each other, line by line, where they do not meet."""

from __future__ import annotations

import difflib


def merge(base: str, mine: str, theirs: str) -> str | None:
    """`mine` and `theirs` both made from `base`: a text with the changes of both, or None where they touch
    the same lines or lines next to each other."""
    old, a, b = (text.split("\n") for text in (base, mine, theirs))
    edits_a, edits_b = _edits(old, a), _edits(old, b)
    out: list[str] = []
    at = 0
    while edits_a or edits_b:
        first = _next(edits_a, edits_b)
        if first is None:
            return None
        start, stop, lines = first
        out += old[at:start]
        out += lines
        at = stop
    return "\n".join(out + old[at:])


_Edit = tuple[int, int, list[str]]  # lines [start, stop) of the base become these


def _edits(old: list[str], new: list[str]) -> list[_Edit]:
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    return [(i1, i2, new[j1:j2]) for tag, i1, i2, j1, j2 in matcher.get_opcodes() if tag != "equal"]


def _next(edits_a: list[_Edit], edits_b: list[_Edit]) -> _Edit | None:
    """Takes the edit that comes first; None when the next two meet and differ."""
    if not edits_a or not edits_b:
        return (edits_a or edits_b).pop(0)
    a, b = edits_a[0], edits_b[0]
    if a == b:
        edits_b.pop(0)
        return edits_a.pop(0)
    if a[1] < b[0]:
        return edits_a.pop(0)
    return edits_b.pop(0) if b[1] < a[0] else None
