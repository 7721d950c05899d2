"""From what a form sends to the keys of a row. Nothing is refused that a text can hold: the plan's own checks
say what is wrong, beside the field; only what would be lost (a key twice) is an error here."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from .document import Plain, as_text
from .forms import Field, Kind

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
LANGUAGES = ("ja", "en")
_MOST_ROWS = 400


@dataclass
class Sent:
    """What came: `values` to be set (None: take the key out), `errors` by field as keys of texts."""

    values: dict[str, Any] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)


Form = Mapping[str, list[str]]


def parse(fields: tuple[Field, ...], form: Form, old: Mapping[str, Plain], own: str) -> Sent:
    """The values of a form. `old` is the row as it stands; `own` the language of plain texts."""
    sent = Sent()
    for one in fields:
        if one.kind is Kind.KEYS and _twice(form, one.key):
            sent.errors[one.key] = "plan.error.key_twice"
            sent.values[one.key] = old.get(one.key)
            continue
        value = _value(one, one.key, form, old.get(one.key), own)
        if one.key not in old and one.default and as_text(value) == one.default:
            value = None
        if one.key in old and _bare(as_text(value)) == _bare(old[one.key]):
            if old[one.key] is None:
                continue  # `null` says something: it stays
            value = old[one.key]  # as it was written
        sent.values[one.key] = value
    return sent


def _bare(value: Plain) -> Plain:
    """Without what says nothing: `open: []` and no `open` at all are the same to a reader."""
    if isinstance(value, Mapping):
        return {key: bare for key, inner in value.items() if (bare := _bare(inner)) is not None}
    if isinstance(value, list):
        return [_bare(inner) for inner in value] or None
    return value


def first(form: Form, name: str) -> str:
    """The field's text, trimmed, with line breaks as YAML has them."""
    texts = form.get(name) or [""]
    return texts[0].replace("\r\n", "\n").replace("\r", "\n").strip()


def _value(one: Field, name: str, form: Form, old: Plain, own: str) -> Any:
    match one.kind:
        case Kind.SAID | Kind.WORDS:
            return said(form, name, own)
        case Kind.NUMBER:
            text = unicodedata.normalize("NFKC", first(form, name))
            return int(text) if text.isdecimal() and len(text) < 9 else text or None
        case Kind.FLAG:
            return first(form, name) == "true"
        case Kind.DATE:
            return _date(first(form, name))
        case Kind.SPANS:
            return spans(first(form, name)) or None
        case Kind.WEEK:
            return _week(form, name, old)
        case Kind.PHONES:
            return _words(first(form, name)) or None
        case Kind.NUMBERS | Kind.SOUNDS:
            return [text for text in form.get(name, []) if text] or None
        case Kind.ROWS:
            return _rows(one, name, form, own) or None
        case Kind.KEYS:
            return _keys(one, name, form, own) or None
        case Kind.HOLIDAYS:
            kept = first(form, f"{name}.kind") == "list"
            return _rows(one, name, form, own) if kept else "japan"
        case Kind.PHONE | Kind.MONTH_DAY:
            return unicodedata.normalize("NFKC", first(form, name)) or None
    return first(form, name) or None


def said(form: Form, name: str, own: str) -> Any:
    """Wording: plain text where one language is enough, else one line a language."""
    lines: dict[str, Any] = {}
    for language in LANGUAGES:
        text, audio = first(form, f"{name}.{language}"), first(form, f"{name}.{language}.audio")
        if audio:
            lines[language] = {"audio": audio, "text": text or "音声"}
        elif text:
            lines[language] = text
    if not lines:
        return None
    return lines[own] if list(lines) == [own] else lines


def said_lines(value: Plain, own: str) -> dict[str, tuple[str, str]]:
    """By language (text, audio key or ""): wording as a form shows it."""
    if isinstance(value, Mapping) and "audio" not in value:
        return {language: _line(value.get(language)) for language in LANGUAGES}
    return {language: _line(value) if language == own else ("", "") for language in LANGUAGES}


def _line(value: Plain) -> tuple[str, str]:
    if isinstance(value, Mapping):
        return (str(value.get("text") or ""), str(value.get("audio") or ""))
    return (str(value) if value is not None else "", "")


def spans(text: str) -> list[str]:
    """ "8：30～12：00、13:00–17:15" → ["8:30-12:00", "13:00-17:15"]."""
    plain = re.sub(r"[~〜～‐‑–—−ー]", "-", unicodedata.normalize("NFKC", text))
    plain = re.sub(r"\s*-\s*", "-", plain)
    return [part for part in re.split(r"[\s,、・/]+", plain) if part]


def _words(text: str) -> list[str]:
    return [part for part in re.split(r"[\s,、]+", unicodedata.normalize("NFKC", text)) if part]


def _date(text: str) -> date | str | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return text or None


def week(value: Plain) -> dict[str, list[str]]:
    """The spans of each day; `mon-fri` spread out."""
    days: dict[str, list[str]] = {day: [] for day in WEEKDAYS}
    if isinstance(value, Mapping):
        for key, listed in value.items():
            begin, _, end = str(key).partition("-")
            end = end or begin
            if begin in days and end in days:
                for day in WEEKDAYS[WEEKDAYS.index(begin) : WEEKDAYS.index(end) + 1]:
                    days[day] = [str(span) for span in listed] if isinstance(listed, list) else []
    return days


def _week(form: Form, name: str, old: Plain) -> Any:
    new = {day: spans(first(form, f"{name}.{day}")) for day in WEEKDAYS}
    if isinstance(old, Mapping) and week(old) == new:
        return old
    out: dict[str, list[str]] = {}
    begin = 0
    for at in range(1, len(WEEKDAYS) + 1):
        if at == len(WEEKDAYS) or new[WEEKDAYS[at]] != new[WEEKDAYS[begin]]:
            last = WEEKDAYS[at - 1]
            key = WEEKDAYS[begin] if at - 1 == begin else f"{WEEKDAYS[begin]}-{last}"
            out[key] = new[last]
            begin = at
    return out


def _indices(form: Form, name: str) -> list[int]:
    found = {
        int(rest)
        for key in form
        if key.startswith(f"{name}.") and (rest := key[len(name) + 1 :].partition(".")[0]).isdecimal()
    }
    return sorted(found)[:_MOST_ROWS]


def _rows(one: Field, name: str, form: Form, own: str) -> list[dict[str, Any]]:
    rows = []
    for at in _indices(form, name):
        row = {
            column.key: value
            for column in one.columns
            if (value := _value(column, f"{name}.{at}.{column.key}", form, None, own)) is not None
            and not (column.default and as_text(value) == column.default)
        }
        if row and not first(form, f"{name}.{at}.remove"):
            rows.append(row)
    return rows


def _key(form: Form, name: str, at: int) -> str:
    if first(form, f"{name}.{at}.remove"):
        return ""
    return unicodedata.normalize("NFKC", first(form, f"{name}.{at}.key"))


def _keys(one: Field, name: str, form: Form, own: str) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for at in _indices(form, name):
        if key := _key(form, name, at):
            found[key] = {
                column.key: value
                for column in one.columns
                if (value := _value(column, f"{name}.{at}.{column.key}", form, None, own)) is not None
            }
    return found


def _twice(form: Form, name: str) -> bool:
    keys = [key for at in _indices(form, name) if (key := _key(form, name, at))]
    return len(keys) != len(set(keys))
