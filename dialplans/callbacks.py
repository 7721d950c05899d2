"""折り返し予約: which telephones may be called back, and how a number is read out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from dialplans.calling import national
from dialplans.fields import Language, Prompt, prompt
from dialplans.spoken import Translated
from dialplans.wording import NUMBER_WORDS, NumberWords

if TYPE_CHECKING:
    from dialplans.model import Site
    from dialplans.wording import Wording

# Area codes 011 to 099, ten digits; 050 (IP) and 060–090 (mobile), eleven. So neither 010 (abroad) nor 00XY
# (carriers), nor three digits (110, 118, 119, 171 …).
_CALLED_BACK = re.compile(r"0[1-9][1-9][0-9]{7}|0[5-9]0[0-9]{8}")
# What costs by the minute, or is nobody's telephone: 0120 and 0800 are free to call and answered by firms,
# 0170 messages, 0180 recorded information, 0570 navigation dial, 0910 and 0990 paid services.
_NOBODYS = ("0120", "0170", "0180", "0570", "0800", "0910", "0990")
_DIGITS: dict[Language, tuple[str, ...]] = {
    "ja": ("ゼロ", "イチ", "ニー", "サン", "ヨン", "ゴー", "ロク", "ナナ", "ハチ", "キュウ"),
    "en": ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
}
_EDGES = " 、。,　"


def callback_number(site: Site, number: str) -> str | None:
    """The digits of a number as it is called back (`+819012345678` is `09012345678`); None for one that must
    not be: emergency, paid and free services, abroad, the centre's own (toll fraud, SEC-4)."""
    digits = national(number.replace("-", ""))
    if _CALLED_BACK.fullmatch(digits) is None or digits.startswith(_NOBODYS):
        return None
    return None if digits in own_numbers(site) else digits


def own_numbers(site: Site) -> set[str]:
    """The digits of every number by which a call comes to this centre: aliases and diverted lines too."""
    ours = {one.digits for one in site.numbers}
    for number in site.numbers:
        ours |= {alias.replace("-", "") for alias in number.aliases}
        ours |= {one.number.replace("-", "") for one in number.diverted}
    return ours


def said_number(wording: Wording, name: NumberWords, number: str, language: Language) -> list[Prompt]:
    """One of the wordings that hold {number}, the number put in digit by digit."""
    before, *after = _parts(wording, name, language)
    out = [*before]
    for part in after:
        out += [prompt(_DIGITS[language][int(digit)], language) for digit in number if digit in "0123456789"]
        out += part
    return out


def number_prompts(wording: Wording, languages: tuple[Language, ...]) -> Iterator[Prompt]:
    """All sounds of which `said_number` makes sentences."""
    for language in languages:
        for digit in _DIGITS[language]:
            yield prompt(digit, language)
        for name in NUMBER_WORDS:
            for part in _parts(wording, name, language):
                yield from part


def _parts(wording: Wording, name: NumberWords, language: Language) -> list[list[Prompt]]:
    """What stands around each {number}: at most one prompt each."""
    said = getattr(wording, name)
    own: Language = wording.language
    if isinstance(said, Translated):
        line = said.ja if language == "ja" else said.en
        if line is None:  # the checks ask for both where both are heard
            own, line = ("ja", said.ja) if said.ja is not None else ("en", said.en)
        else:
            own = language
        said = line
    texts = str(said).split("{number}")
    for at, text in enumerate(texts):  # a pause beside the number is made by the sounds themselves
        text = text.lstrip(_EDGES) if at > 0 else text.strip()
        texts[at] = text.rstrip(_EDGES) if at + 1 < len(texts) else text.strip()
    return [[prompt(text, own)] if text.strip(_EDGES) else [] for text in texts]
