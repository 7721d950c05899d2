"""What may be wrong with a site file, said so that the person who wrote it can mend it."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from dataclasses import dataclass

Loc = tuple[str | int, ...]


@dataclass(frozen=True)
class Problem:
    """One thing to mend. `line` and `column` count from 1 (0: the file as a whole); `path` is where in the
    document (`operators[2].queues[0]`); `hint` says what to do. Japanese first, `*_en` in English."""

    file: str
    line: int
    path: str
    message: str
    hint: str
    message_en: str = ""
    hint_en: str = ""
    column: int = 0

    def text(self, language: str = "ja") -> str:
        """One line for people: `minato.yaml:12:5 operators[2].id: …。→ …` (language: ja or en)."""
        message, hint = (self.message_en, self.hint_en) if language == "en" else (self.message, self.hint)
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        where = f" {self.path}" if self.path else ""
        return f"{place}{where}: {message}" + (f" → {hint}" if hint else "")

    def __str__(self) -> str:
        return self.text()


class SiteError(Exception):
    """A site file that must not go live; `problems` holds everything found, in the order of the file."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(problem.text() for problem in problems))
        self.problems = problems

    def text(self, language: str = "ja") -> str:
        """All problems, one a line."""
        return "\n".join(problem.text(language) for problem in self.problems)


@dataclass(frozen=True)
class Finding:
    """A problem before it is known where in a file it stands: `loc` is the path of keys and indices.
    `{see}` in the texts becomes the place `see`."""

    loc: Loc
    ja: str
    en: str
    do_ja: str = ""
    do_en: str = ""
    on_key: bool = False  # the key itself is wrong, not its value
    see: Loc | None = None

    def said(self, place: Callable[[Loc], str]) -> tuple[str, str, str, str]:
        """Message and hint in Japanese, message and hint in English, other places put in."""
        texts = (self.ja, self.do_ja, self.en, self.do_en)
        if self.see is None:
            return texts
        where = place(self.see)
        ja, do_ja, en, do_en = (text.replace("{see}", where) for text in texts)
        return ja, do_ja, en, do_en


def path_text(loc: Loc) -> str:
    """("operators", 2, "id") → "operators[2].id"."""
    out = ""
    for part in loc:
        out += f"[{part}]" if isinstance(part, int) else (f".{part}" if out else str(part))
    return out


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that was probably meant."""
    lower = {one.lower(): one for one in known}
    found = difflib.get_close_matches(word.lower(), lower, n=1, cutoff=0.6)
    return lower[found[0]] if found else None


def unknown(loc: Loc, word: str, known: Iterable[str], ja: str, en: str) -> Finding:
    """There is no such thing; what was probably meant, or what there is."""
    known = list(known)
    near = nearest(word, known)
    listed = "、".join(known[:8]) or "(なし)"
    listed_en = ", ".join(known[:8]) or "(none)"
    return Finding(
        loc,
        f"{ja}「{word}」はありません",
        f"there is no {en} “{word}”",
        f"{near} ではありませんか" if near else f"あるもの: {listed}",
        f"did you mean {near}?" if near else f"known: {listed_en}",
    )
