"""The interface's texts in the language chosen. A key that is missing is a mistake, not a blank."""

from __future__ import annotations

import enum
from collections.abc import Mapping

from .words import WORDS


class Language(enum.StrEnum):
    """The languages of the interface."""

    JA = "ja"
    EN = "en"


class Texts:
    """The texts of one language: `texts("seat.answer")`, `texts("calls.count", n=3)`."""

    def __init__(self, language: Language) -> None:
        self.language = language
        self._column = 0 if language is Language.JA else 1

    def __call__(self, key: str, /, **values: object) -> str:
        text = WORDS[key][self._column]
        return text.format(**values) if values else text

    def known(self, key: str, otherwise: str) -> str:
        """The text of a key made from data (a reason, a state), or `otherwise` when nobody foresaw it."""
        entry = WORDS.get(key)
        return entry[self._column] if entry else otherwise

    def for_browser(self) -> Mapping[str, str]:
        """What the scripts need."""
        return {
            key.removeprefix("js."): pair[self._column]
            for key, pair in WORDS.items()
            if key.startswith("js.")
        }


_BY_LANGUAGE = {language: Texts(language) for language in Language}


def texts(language: Language) -> Texts:
    """The texts of a language."""
    return _BY_LANGUAGE[language]
