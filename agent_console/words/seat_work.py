"""At the seat: transfers, directory, history, help, emergency, calls out. Key: (Japanese, English)."""

from __future__ import annotations

WORDS: dict[str, tuple[str, str]] = {
    "problem.no_help": ("この手上げはもう終わっています。", "That request for help is over."),
}
