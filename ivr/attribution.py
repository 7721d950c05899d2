"""Whose voices and music citizens hear, to be shown where they are chosen (docs/attribution.md)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from dialplans import Language


@dataclass(frozen=True)
class Attribution:
    """`text` is what the licence asks to be shown; `language`: of a voice."""

    what: Literal["voice", "music"]
    name: str
    text: str
    licence: str
    url: str
    language: Language | None = None


ATTRIBUTIONS = (
    Attribution(
        what="voice",
        name="Mei (Normal)",
        text='HTS Voice "Mei (Normal)", Copyright (c) 2009-2013 Nagoya Institute of Technology, '
        "Department of Computer Science",
        licence="CC BY 3.0",
        url="https://creativecommons.org/licenses/by/3.0/",
        language="ja",
    ),
    Attribution(
        what="voice",
        name="eSpeak NG",
        text="Spoken by eSpeak NG; the program is under GPL-3.0-or-later, its speech is not",
        licence="GPL-3.0-or-later",
        url="https://github.com/espeak-ng/espeak-ng",
        language="en",
    ),
    Attribution(
        what="music",
        name="Daihyo",
        text="Composed and synthesised by Daihyo",
        licence="Apache-2.0",
        url="https://www.apache.org/licenses/LICENSE-2.0",
    ),
)
