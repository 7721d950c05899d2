"""One form of all the ways in which people write and type the same word."""

from __future__ import annotations

import re
import unicodedata

_TO_HIRAGANA = {code: code - 0x60 for code in (*range(0x30A1, 0x30F7), 0x30FD, 0x30FE)}
_DASHES = {ord(dash): "-" for dash in "‐‑‒–—―−"}
# Forms of names in the family register, and the ones that people type.
_NAMES = str.maketrans(
    "髙﨑𠮷邊邉濵濱澤嶋嶌廣齋齊斎櫻國惠眞德藏黑靜瀨曾龍瀧淵冨桒",
    "高崎吉辺辺浜浜沢島島広斉斉斉桜国恵真徳蔵黒静瀬曽竜滝渕富桑",
)
_TABLE = {**_TO_HIRAGANA, **_DASHES, **_NAMES}
_NUMBER = re.compile(r"[0-9()-]*[0-9][0-9()-]*")


def folded(text: str) -> str:
    """NFKC, letters small, katakana as hiragana, dashes as one, old forms of characters as the usual ones.
    Folding again changes nothing."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold()).translate(_TABLE)


def digits_of(text: str) -> str:
    """The digits of a number as people write it."""
    plain = text if text.isascii() else unicodedata.normalize("NFKC", text)
    return re.sub(r"[^0-9]", "", plain)


def terms(query: str) -> list[tuple[str, ...]]:
    """The words of a query, folded, each with the forms in which it may be found: a telephone number is
    found without its hyphens too."""
    found: list[tuple[str, ...]] = []
    for word in folded(query).split():
        bare = re.sub(r"[()-]", "", word) if _NUMBER.fullmatch(word) else word
        found.append((word,) if bare == word else (word, bare))
    return found
