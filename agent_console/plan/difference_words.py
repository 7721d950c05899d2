"""The values of a difference as people call them: names instead of ids, words of states, days and times."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ..texts import Texts
from .choices import states, target_name
from .document import Document, Plain
from .form_values import LANGUAGES, WEEKDAYS, said_lines, week

_TARGETS = frozenset(
    (
        "start",
        "closed",
        "holiday",
        "withheld",
        "next",
        "otherwise",
        "overflow",
        "nobody",
        "unanswered",
        "declined",
        "callback",
        "go",
    )
)
_SAID = frozenset(
    (
        "say",
        "greeting",
        "recording_notice",
        "before",
        "none",
        "wrong",
        "silent",
        "waiting_announcement",
        "note",
    )
)
_NAMED = {"hours": "hours", "calendar": "calendars", "queue": "queues", "music": "musics"}
_MOST = 160


@dataclass(frozen=True)
class Teller:
    """Tells values of one plan. `document`: the plan they stand in, where names are looked up."""

    document: Document
    texts: Texts
    section: str

    def value(self, key: str, value: Plain) -> str:
        """A value of the field `key` in one line; empty for none."""
        if value is None:
            return ""
        if isinstance(value, list):
            return "、".join(filter(None, (self.value(key, one) for one in value)))
        if isinstance(value, Mapping):
            return self._group(key, value)
        text = " ".join(str(value).split())
        return self._word(key, text) if len(text) <= _MOST else text[: _MOST - 1] + "…"

    def _word(self, key: str, text: str) -> str:
        known = self.texts.known
        if key == "state":
            return dict(states(self.document)).get(text, text)
        if key == "language":
            return known(f"language.{text}", text)
        if key == "kind":
            return known(f"plan.step.{text}", text)
        if key == "holidays":
            return known(f"plan.holidays.{text}", text)
        if key in ("strategy", "then"):
            return known(f"plan.strategy.{text}", text)
        if key == "allow":
            return known(f"plan.dial.{text}", text)
        if key == "audio":
            return self.texts("plan.audio.one")
        if text in ("true", "false"):
            return self.texts("plan.yes" if text == "true" else "plan.no")
        if key == "go" and text in ("repeat", "back"):
            return self.texts(f"plan.go.{text}")
        # `holiday` of hours are times, `open` of steps is a target: a target is known by its name alone.
        if (key in _TARGETS or (key == "open" and self.section == "steps")) and text:
            return target_name(self.document, text, self.texts)
        if key in _NAMED:
            row = self.document.row(_NAMED[key], text)
            return str(row.get("name") or text) if row else text
        return text

    def _group(self, key: str, value: Mapping[str, Plain]) -> str:
        if "audio" in value and key not in ("audio",):
            return self.texts("plan.audio.named", text=str(value.get("text") or ""))
        if value and set(value) <= set(LANGUAGES):
            return " / ".join(self.value(key, inner) for inner in value.values())
        plain = ("name", "date", "label")  # what speaks for itself
        told = ((name, self.value(name, inner)) for name, inner in value.items() if inner is not None)
        return " ".join(text if name in plain else f"{self.label(name)} {text}" for name, text in told)

    def label(self, key: str) -> str:
        """What a field is called."""
        known = self.texts.known
        named = known(f"plan.f.{self.section}.{key}", known(f"plan.f.{key}", key))
        return known(f"plan.dial.{key}", key) if named == key and self.section == "dialling" else named


def fields(
    section: str,
    before: Mapping[str, Plain],
    after: Mapping[str, Plain],
    old: Document,
    new: Document,
    texts: Texts,
) -> Iterator[tuple[str, str, str]]:
    """What differs between two rows: (label, before, after), in words."""
    was, now = Teller(old, texts, section), Teller(new, texts, section)
    for key in dict.fromkeys((*before, *after)):
        a, b = before.get(key), after.get(key)
        if a == b:
            continue
        label = now.label(key)
        if key == "week":
            for days, x, y in _weeks(a, b, texts):
                yield f"{label} {days}", x, y
        elif key == "keys" and isinstance(a or {}, Mapping) and isinstance(b or {}, Mapping):
            for one in dict.fromkeys((*(a or {}), *(b or {}))):
                had, has = (a or {}).get(one), (b or {}).get(one)
                if had != has:
                    yield f"{label} {one}", was.value(key, had), now.value(key, has)
        elif key in _SAID or (key == "name" and isinstance(a or b, Mapping)) or section == "wording":
            yield from _said(label, a, b, old, new, texts)
        elif isinstance(a or [], list) and isinstance(b or [], list):
            gone = [one for one in a or [] if one not in (b or [])]
            come = [one for one in b or [] if one not in (a or [])]
            if gone or come:
                yield label, was.value(key, gone), now.value(key, come)
            else:
                yield label, "", texts("plan.order_changed")
        else:
            yield label, was.value(key, a), now.value(key, b)


def _said(
    label: str, a: Plain, b: Plain, old: Document, new: Document, texts: Texts
) -> Iterator[tuple[str, str, str]]:
    before = said_lines(a, str(old.data.get("language") or "ja"))
    after = said_lines(b, str(new.data.get("language") or "ja"))
    told = False
    for language in LANGUAGES:
        if before[language] == after[language]:
            continue
        told = True
        name = f"{label} ({texts(f'language.{language}')})" if language != "ja" else label
        (x, sound), (y, other) = before[language], after[language]
        x = texts("plan.audio.named", text=x) if sound else x
        y = texts("plan.audio.named", text=y) if other else y
        yield name, x, y if x != y else texts("plan.audio.other", text=y)
    if not told:  # the same words, written in another way
        yield label, "", texts("plan.layout_changed")


def _weeks(a: Plain, b: Plain, texts: Texts) -> Iterator[tuple[str, str, str]]:
    """Days that changed alike, together: (月–金, before, after)."""
    closed = texts("plan.closed")
    before, after = ({day: " ".join(spans) or closed for day, spans in week(one).items()} for one in (a, b))
    begin = 0
    for at in range(1, len(WEEKDAYS) + 1):
        first, last = WEEKDAYS[begin], WEEKDAYS[at - 1]
        here = WEEKDAYS[at] if at < len(WEEKDAYS) else None
        if here and (before[here], after[here]) == (before[first], after[first]):
            continue
        if before[first] != after[first]:
            days = texts(f"plan.day.{first}") + ("" if first == last else "–" + texts(f"plan.day.{last}"))
            yield days, before[first], after[first]
        begin = at
