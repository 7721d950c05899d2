"""What pydantic has against a plan, in our words: where it stands, what is wrong, what to do."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from dialplans.model import Site
from dialplans.opening import NamedDay, Week
from dialplans.problems import Finding, Loc, nearest
from dialplans.spoken import Recorded, Translated
from dialplans.steps import CallbackOffer, HoursBranch, Menu, Say, TellEvents

_MEMBERS: dict[str | int, type[BaseModel]] = {
    "~audio": Recorded, "~languages": Translated, "~days": NamedDay,
    "menu": Menu, "say": Say, "hours": HoursBranch, "events": TellEvents,
    "callback": CallbackOffer,
}  # fmt: skip
_KINDS = {
    "string_type": ("文字", "text"),
    "int_type": ("整数", "a whole number"),
    "int_from_float": ("整数", "a whole number"),
    "float_type": ("数", "a number"),
    "bool_type": ("true か false", "true or false"),
    "model_type": ("項目の集まり", "a group of keys"),
    "model_attributes_type": ("項目の集まり", "a group of keys"),
    "dict_type": ("項目の集まり", "a group of keys"),
    "tuple_type": ("並び(- で始まる行)", "a list (lines that begin with -)"),
    "list_type": ("並び(- で始まる行)", "a list (lines that begin with -)"),
}
_PATTERNS = (  # what a pattern holds, and the hint
    ("queue|forward", ("案内のid、queue:キュー、forward:転送先、hangup のどれかを書いてください",
                       "name a step's id, queue:ID, forward:ID or hangup")),
    ("{16}", ("音声を送ったときに示された、16桁の鍵を書いてください",
              "use the key of 16 characters that was shown when the audio was uploaded")),
    ("*#+", ("数字と * # + で書いてください(8文字まで)", "use digits, *, # and + (up to 8)")),
    ("252}", ("192.0.2.1 や pbx.example.jp のように書いてください", "write it like 192.0.2.1 or a name")),
    ("A-Z", ("半角の英数字と . _ @ - で書いてください(64文字まで)",
             "use letters, digits and . _ @ - (up to 64)")),
    ("", ("半角の英小文字、数字、ハイフンで書いてください(32文字まで)",
          "use a-z, 0-9 and hyphens (up to 32)")),
)  # fmt: skip
_LIMITS = {
    "greater_than": ("gt", "より大きい", "greater than"),
    "greater_than_equal": ("ge", "以上", "at least"),
    "less_than": ("lt", "より小さい", "less than"),
    "less_than_equal": ("le", "以下", "at most"),
}


def explained(error: ValidationError) -> list[Finding]:
    """The findings of a validation, each once; not those that only follow from another."""
    found: dict[tuple[Loc, str], Finding] = {}
    details = [detail for detail in error.errors(include_url=False) if not _follows(detail)]
    odd_weeks = {detail["loc"][:3] for detail in details if detail["type"] == "extra_forbidden"}
    for detail in details:
        if detail["type"] == "missing" and detail["loc"][2:3] == ("week",) and detail["loc"][:3] in odd_weeks:
            continue  # `mon-fry` is one mistake, not six
        one = _finding(detail)
        found.setdefault((one.loc, one.en), one)
    return list(found.values())


def _finding(detail: ErrorDetails) -> Finding:
    """A pydantic error in our words."""
    loc, kind, ctx = _plain_loc(detail["loc"]), detail["type"], detail.get("ctx", {})
    shown = detail["input"]
    if kind == "daihyo":
        return Finding(loc, ctx["ja"], ctx["en"], ctx["do_ja"], ctx["do_en"])
    if kind == "missing":
        return Finding(
            loc,
            f"「{loc[-1]}」がありません",
            f"“{loc[-1]}” is missing",
            "この項目を書き足してください",
            "add this key",
        )
    if kind == "extra_forbidden":
        return _unknown_key(loc, detail["loc"])
    if kind == "union_tag_not_found":
        return Finding(
            loc,
            "kind がありません",
            "“kind” is missing",
            "kind: に種類を書いてください(menu、say、hours、events、callback)",
            "add kind: menu, say, hours, events or callback",
        )
    if kind == "union_tag_invalid":
        return _one_of((*loc, "kind"), _short(ctx["tag"]), ctx["expected_tags"])
    if kind in _KINDS:
        ja, en = _KINDS[kind]
        what = "空" if shown is None else f"「{_short(shown)}」"
        what_en = "empty" if shown is None else f"“{_short(shown)}”"
        return Finding(
            loc,
            f"{ja}が要るところが{what}です",
            f"needs {en}, but is {what_en}",
            f"{ja}を書いてください",
            f"write {en}",
        )
    if kind in _LIMITS:
        name, ja, en = _LIMITS[kind]
        return Finding(
            loc, f"「{_short(shown)}」は範囲の外です", f"{_short(shown)} is out of range",
            f"{ctx[name]}{ja}にしてください", f"use a value {en} {ctx[name]}",
        )  # fmt: skip
    if kind in ("literal_error", "enum"):
        return _one_of(loc, _short(shown), str(ctx["expected"]))
    if kind in ("string_too_short", "too_short"):
        return Finding(
            loc, "空にはできません", "must not be empty", "ひとつ以上書いてください", "give at least one"
        )
    if kind == "string_too_long":
        limit = ctx["max_length"]
        return Finding(
            loc,
            "長すぎます",
            "is too long",
            f"{limit}文字以下にしてください",
            f"keep it to {limit} characters",
        )
    if kind == "string_pattern_mismatch":
        return _pattern(loc, _short(shown), str(ctx["pattern"]))
    return Finding(loc, f"正しくありません({detail['msg']})", detail["msg"])


def _plain_loc(loc: Loc) -> Loc:
    """Without the parts by which pydantic names a key or the member of a union: they are in no file."""
    return tuple(
        part
        for at, part in enumerate(loc)
        if not (part == "[key]" or str(part).startswith("~") or (at == 2 and loc[0] == "steps"))
    )


def _follows(detail: ErrorDetails) -> bool:
    """A list is "too short" also when its items were refused: those are told already."""
    return (
        detail["type"] == "too_short"
        and isinstance(detail["input"], list)
        and len(detail["input"]) >= detail["ctx"]["min_length"]
    )


def _pattern(loc: Loc, shown: str, pattern: str) -> Finding:
    if pattern.startswith("^[^"):
        return Finding(
            loc,
            "制御文字が入っています",
            "contains control characters",
            "打ち直してください",
            "type it again",
        )
    do_ja, do_en = next(hint for part, hint in _PATTERNS if part in pattern)
    return Finding(
        loc,
        f"「{shown}」は使えない文字を含みます",
        f"“{shown}” has characters not allowed here",
        do_ja,
        do_en,
    )


def _one_of(loc: Loc, shown: str, expected: str) -> Finding:
    known = [word.strip(" '") for part in expected.split(" or ") for word in part.split(",")]
    near = nearest(shown, known)
    return Finding(
        loc,
        f"「{shown}」は選べません",
        f"“{shown}” is not one of the choices",
        (f"{near} ではありませんか。" if near else "") + f"選べるもの: {'、'.join(known)}",
        (f"did you mean {near}? " if near else "") + f"choices: {', '.join(known)}",
    )


def _unknown_key(loc: Loc, raw: Loc) -> Finding:
    known = _keys_at(raw[:-1])
    near = nearest(str(loc[-1]), known)
    return Finding(
        loc,
        f"項目「{loc[-1]}」はありません",
        f"there is no key “{loc[-1]}”",
        f"{near} ではありませんか" if near else f"書ける項目: {'、'.join(known)}",
        f"did you mean {near}?" if near else f"known keys: {', '.join(known)}",
        on_key=True,
    )


def _keys_at(loc: Loc) -> list[str]:
    """The keys that the model knows at this path (pydantic's: with the parts that choose from a union)."""
    here: list[type[BaseModel]] = [Site]
    for at, part in enumerate(loc):
        chosen = _MEMBERS.get(part) if at == 2 or str(part).startswith("~") else None
        if chosen is not None:
            here = [chosen]
            continue
        fields = [
            one.model_fields[part] for one in here if isinstance(part, str) and part in one.model_fields
        ]
        if fields:
            here = [model for field in fields for model in _models(field.annotation)]
    known = [key for one in here for key in one.model_fields]
    if not loc:
        known.append("include")
    if here == [Week]:
        known += ["mon-fri", "mon-sat", "mon-sun", "sat-sun"]
    return list(dict.fromkeys(known))


def _models(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and not isinstance(annotation, types.GenericAlias):
        if issubclass(annotation, BaseModel):
            yield annotation
        return
    for argument in typing.get_args(annotation):
        yield from _models(argument)


def _short(value: object) -> str:
    text = str(getattr(value, "written", value))
    if isinstance(value, (dict, list)):
        text = "{…}" if isinstance(value, dict) else "[…]"
    return text if len(text) <= 40 else text[:39] + "…"
