"""What is said to callers: a text in the plan's own language, texts in several, or uploaded audio."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, Discriminator, Field, Tag, model_validator

from dialplans.fields import Language, Part, Prompt, Text, bad, prompt

AudioKey = Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]


class Recorded(Part):
    """Audio that was uploaded, known by its content (`ivr.audio_key`); `text` says what one hears in it."""

    audio: AudioKey
    text: Text


def _kind_of_line(value: object) -> str:
    return "~audio" if isinstance(value, (Mapping, Recorded)) else "~text"


Line = Annotated[
    Annotated[Text, Tag("~text")] | Annotated[Recorded, Tag("~audio")],
    Discriminator(_kind_of_line),
]


class Translated(Part):
    """One line a language."""

    ja: Line | None = None
    en: Line | None = None

    @model_validator(mode="after")
    def _something(self) -> Translated:
        if self.ja is None and self.en is None:
            raise bad(
                "文言がありません", "there is no wording", "ja: か en: に書いてください", "give ja: or en:"
            )
        return self


def _kind_of_said(value: object) -> str:
    if isinstance(value, Translated):
        return "~languages"
    if isinstance(value, Recorded):
        return "~audio"
    if isinstance(value, Mapping):
        return "~audio" if "audio" in value else "~languages"
    return "~text"


Said = Annotated[
    Annotated[Text, Tag("~text")]
    | Annotated[Recorded, Tag("~audio")]
    | Annotated[Translated, Tag("~languages")],
    Discriminator(_kind_of_said),
]
"""In a plan: `say: text` | `say: {ja: …, en: …}` | `say: {audio: KEY, text: …}` | a mix of the last two."""


def lines_of(said: str | Recorded | Translated) -> list[str | Recorded]:
    """Its lines, whatever their language."""
    if not isinstance(said, Translated):
        return [said]
    return [line for line in (said.ja, said.en) if line is not None]


def _no_audio(said: str | Recorded | Translated) -> str | Recorded | Translated:
    if any(isinstance(line, Recorded) for line in lines_of(said)):
        raise bad(
            "ここには録音した音声を使えません(数や日付、催しの名前を入れて読み上げるため)",
            "uploaded audio cannot be used here: numbers, dates or names are put into these words",
            "文字で書いてください",
            "write it as text",
        )
    return said


Words = Annotated[Said, AfterValidator(_no_audio)]
"""As `Said`, but of text alone: something is put into it, or it is put into something."""


def prompt_of_line(line: str | Recorded, language: Language) -> Prompt:
    """The sound of one line. Uploaded audio has its own key, whatever its text."""
    if isinstance(line, Recorded):
        return Prompt(key=line.audio, text=line.text, language=language, audio=True)
    return prompt(line, language)


def spoken(said: str | Recorded | Translated, own: Language, wanted: Language | None = None) -> Prompt:
    """The prompt of `said` in the `wanted` language; where it has none, in its `own` (plain text is in the
    `own` one), else in the language it has."""
    if not isinstance(said, Translated):
        return prompt_of_line(said, own)
    order: list[Language] = [wanted or own, own, "ja", "en"]
    for language in order:
        line = said.ja if language == "ja" else said.en
        if line is not None:
            return prompt_of_line(line, language)
    raise AssertionError("a Translated has at least one line")


def languages_of(said: str | Recorded | Translated, own: Language) -> frozenset[Language]:
    """The languages in which it is worded."""
    if not isinstance(said, Translated):
        return frozenset({own})
    both: tuple[tuple[Language, Any], ...] = (("ja", said.ja), ("en", said.en))
    return frozenset(language for language, line in both if line is not None)


def prompts_of(
    said: str | Recorded | Translated, own: Language, languages: Iterable[Language]
) -> Iterator[Prompt]:
    """Its prompt in each of the languages, as `spoken` finds it."""
    for language in languages:
        yield spoken(said, own, language)


def audio_key(content: bytes) -> str:
    """The key of uploaded audio: of the finished 16 kHz samples (16 bit, mono, little endian)."""
    return hashlib.sha256(b"audio" + content).hexdigest()[:16]
