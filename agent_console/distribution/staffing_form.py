"""What was typed on /staffing: as a question, or what is wrong with it, with nothing typed lost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from ..texts import Texts
from .question import MOST_CALLS, Question, Slot, number

_NUMBERS = {
    "talk_s": (5.0, 3600.0, "staffing.talk"),
    "wrap_up_s": (0.0, 3600.0, "staffing.wrap_up"),
    "pick_up_s": (0.0, 60.0, "staffing.pick_up"),
    "patience_s": (5.0, 7200.0, "staffing.patience"),
}
_COLUMNS = {"calls": "staffing.col_calls", "operators": "staffing.col_operators"}


class Mistyped(ValueError):
    """What stands in the field `args[0]` is no number."""


def sent(fields: Mapping[str, str]) -> Question:
    """The form as a question. Raises Mistyped, ValidationError."""

    def read(name: str, kind: type[float] | type[int]) -> float:
        try:
            return kind(fields.get(name) or 0)
        except ValueError:
            raise Mistyped(name) from None

    slots: list[dict[str, Any]] = [
        {
            "from": fields[f"from{n}"],
            "calls": read(f"calls{n}", float),
            "operators": read(f"operators{n}", int),
        }
        for n in range(48)
        if f"from{n}" in fields
    ]
    by = read("by", int)
    change = {"from": fields.get("change_from", ""), "to": fields.get("change_to", ""), "operators": by}
    weekday = fields.get("weekday", "")
    asked: dict[str, Any] = {name: read(name, float) for name in _NUMBERS}
    if not fields.get("patience_s"):
        asked["patience_s"] = None
    return Question.model_validate(
        {
            **asked,
            "slots": slots,
            "weekday": int(weekday) if weekday.isdecimal() else None,
            "change": change if by else None,
        }
    )


def as_far_as_read(fields: Mapping[str, str], otherwise: Question) -> Question:
    """A question with what can be read of the form, for a page that shows the form again; a number out of
    bounds becomes the nearest (the page shows what was typed), the change is left out."""
    slots = []
    try:
        for n in range(48):
            if f"from{n}" in fields:
                calls = number(fields.get(f"calls{n}", ""), 0, 0, 1000)
                people = int(number(fields.get(f"operators{n}", ""), 0, 0, 200))
                slots.append(
                    Slot.model_validate({"from": fields[f"from{n}"], "calls": calls, "operators": people})
                )
        weekday = fields.get("weekday", "")
        return Question(
            slots=slots,
            weekday=int(weekday) if weekday.isdecimal() else None,
            talk_s=number(fields.get("talk_s", ""), otherwise.talk_s, *_NUMBERS["talk_s"][:2]),
            wrap_up_s=number(fields.get("wrap_up_s", ""), otherwise.wrap_up_s, *_NUMBERS["wrap_up_s"][:2]),
            pick_up_s=number(fields.get("pick_up_s", ""), otherwise.pick_up_s, *_NUMBERS["pick_up_s"][:2]),
            patience_s=number(fields.get("patience_s", ""), 180.0, *_NUMBERS["patience_s"][:2])
            if fields.get("patience_s")
            else None,
        )
    except ValidationError:  # a table that no page of ours has sent, or more calls than one day may have
        return otherwise


def what_is_wrong(error: Mistyped | ValidationError, fields: Mapping[str, str], texts: Texts) -> str:
    """In the words of the form."""
    if isinstance(error, Mistyped):
        return texts("staffing.wrong", what=_label(error.args[0], fields, texts))
    place = error.errors(include_url=False, include_input=False)[0]["loc"]
    if place[:1] == ("change",):
        return texts("staffing.wrong_order")
    if len(place) == 3 and place[2] in _COLUMNS:
        return texts("staffing.wrong", what=_label(f"{place[2]}{place[1]}", fields, texts))
    if place and place[0] in _NUMBERS:
        return texts("staffing.wrong", what=_label(str(place[0]), fields, texts))
    calls = sum(number(text, 0, 0, 1000) for name, text in fields.items() if name.startswith("calls"))
    if not place and calls > MOST_CALLS:
        return texts("staffing.wrong_many", n=MOST_CALLS)
    return texts("staffing.wrong", what=texts("staffing.wrong_slots"))


def _label(name: str, fields: Mapping[str, str], texts: Texts) -> str:
    """What the form calls a field: 「通話 (秒)」, 「9:30 着信 (30分)」."""
    if name in _NUMBERS:
        low, high, key = _NUMBERS[name]
        return f"{texts(key)} {low:g}～{high:g}"
    column = name.rstrip("0123456789")
    start = fields.get(f"from{name.removeprefix(column)}", "")
    return f"{start} {texts(_COLUMNS.get(column, 'staffing.wrong_slots'))}".strip()
