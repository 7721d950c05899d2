"""What may be wrong with a site file, said so that the person who wrote it can mend it."""

from __future__ import annotations

from dataclasses import dataclass


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
    """A problem before it is known where in a file it stands: `loc` is the path of keys and indices."""

    loc: tuple[str | int, ...]
    ja: str
    en: str
    do_ja: str = ""
    do_en: str = ""
    on_key: bool = False  # the key itself is wrong, not its value


def path_text(loc: tuple[str | int, ...]) -> str:
    """("operators", 2, "id") → "operators[2].id"."""
    out = ""
    for part in loc:
        out += f"[{part}]" if isinstance(part, int) else (f".{part}" if out else str(part))
    return out
