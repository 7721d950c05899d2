"""From a file to a Site, or to everything that is wrong with it."""

from __future__ import annotations

import types
import typing
from pathlib import Path

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from dialplans import checks, yaml_source
from dialplans.model import Site
from dialplans.problems import Finding, Problem, SiteError, path_text

MAX_BYTES = 4 * 1024 * 1024

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
_LIMITS = {
    "greater_than": ("gt", "より大きい", "greater than"),
    "greater_than_equal": ("ge", "以上", "at least"),
    "less_than": ("lt", "より小さい", "less than"),
    "less_than_equal": ("le", "以下", "at most"),
}


def load_site(path: Path | str) -> Site:
    """Reads and checks a site file (UTF-8 YAML). Raises SiteError with every problem of the file."""
    path = Path(path)
    return parse_site(_text_of(path), file=str(path))


def parse_site(text: str, file: str = "site.yaml") -> Site:
    """As `load_site`, from text; `file` is the name that problems carry."""
    source = yaml_source.read(text)
    located = list(source.findings)
    site: Site | None = None
    if not (source.data is None and located):
        fitting = checks.findings(source.data)
        try:
            site = Site.model_validate({} if source.data is None else source.data)
        except ValidationError as error:
            # The model's own run of the same checks has no place (loc is empty): ours has.
            wrong = [
                _finding(detail)
                for detail in error.errors()
                if (detail["loc"] or not fitting) and not _follows(detail)
            ]
            fitting = wrong + fitting
        located += [(source.place(one.loc, one.on_key), one) for one in fitting]
    if located or site is None:
        located.sort(key=lambda pair: pair[0])
        raise SiteError([_problem(file, place, one) for place, one in located])
    return site


def _text_of(path: Path) -> str:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise _whole(
                path,
                "ファイルが大きすぎます",
                "the file is too large",
                "4 MB 以下にしてください",
                "keep it under 4 MB",
            )
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise _whole(
            path,
            f"文字コードがUTF-8ではありません({error.start}バイト目)",
            f"not UTF-8 (at byte {error.start})",
            "UTF-8で保存し直してください",
            "save it as UTF-8",
        ) from None
    except OSError as error:
        raise _whole(
            path,
            f"読めません({error.strerror})",
            f"cannot be read ({error.strerror})",
            "ファイルの場所と権限を確かめてください",
            "check the path and its permissions",
        ) from None


def _whole(path: Path, ja: str, en: str, do_ja: str, do_en: str) -> SiteError:
    return SiteError([Problem(str(path), 0, "", ja, do_ja, en, do_en)])


def _problem(file: str, place: tuple[int, int], one: Finding) -> Problem:
    return Problem(file, place[0], path_text(one.loc), one.ja, one.do_ja, one.en, one.do_en, place[1])


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
        return _unknown_key(loc)
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


def _plain_loc(loc: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """Without the parts by which pydantic names the member of a union: they are in no file."""
    return tuple(
        part
        for at, part in enumerate(loc)
        if not (isinstance(part, str) and part.startswith("~")) and not (at == 2 and loc[0] == "steps")
    )


def _follows(detail: ErrorDetails) -> bool:
    """A list is "too short" also when its items were refused: those are told already."""
    return (
        detail["type"] == "too_short"
        and isinstance(detail["input"], list)
        and len(detail["input"]) >= detail["ctx"]["min_length"]
    )


def _pattern(loc: tuple[str | int, ...], shown: str, pattern: str) -> Finding:
    if pattern.startswith("^[^"):
        return Finding(
            loc,
            "制御文字が入っています",
            "contains control characters",
            "打ち直してください",
            "type it again",
        )
    do_ja, do_en = (
        "半角の英小文字、数字、ハイフンで書いてください(32文字まで)",
        "use a-z, 0-9 and hyphens (up to 32)",
    )
    if "A-Z" in pattern:
        do_ja, do_en = (
            "半角の英数字と . _ @ - で書いてください(64文字まで)",
            "use letters, digits and . _ @ - (up to 64)",
        )
    return Finding(
        loc,
        f"「{shown}」は使えない文字を含みます",
        f"“{shown}” has characters not allowed here",
        do_ja,
        do_en,
    )


def _one_of(loc: tuple[str | int, ...], shown: str, expected: str) -> Finding:
    known = [word.strip(" '") for part in expected.split(" or ") for word in part.split(",")]
    near = checks.nearest(shown, known)
    return Finding(
        loc,
        f"「{shown}」は選べません",
        f"“{shown}” is not one of the choices",
        (f"{near} ではありませんか。" if near else "") + f"選べるもの: {'、'.join(known)}",
        (f"did you mean {near}? " if near else "") + f"choices: {', '.join(known)}",
    )


def _unknown_key(loc: tuple[str | int, ...]) -> Finding:
    known = _keys_at(loc[:-1])
    near = checks.nearest(str(loc[-1]), known)
    return Finding(
        loc,
        f"項目「{loc[-1]}」はありません",
        f"there is no key “{loc[-1]}”",
        f"{near} ではありませんか" if near else f"書ける項目: {'、'.join(known)}",
        f"did you mean {near}?" if near else f"known keys: {', '.join(known)}",
        on_key=True,
    )


def _keys_at(loc: tuple[str | int, ...]) -> list[str]:
    """The keys that the model knows at this path."""
    model: type[BaseModel] = Site
    for part in loc:
        if isinstance(part, str) and part in model.model_fields:
            inner = _model_in(model.model_fields[part].annotation)
            if inner is None:
                return []
            model = inner
    return list(model.model_fields)


def _model_in(annotation: object) -> type[BaseModel] | None:
    if isinstance(annotation, type) and not isinstance(annotation, types.GenericAlias):
        return annotation if issubclass(annotation, BaseModel) else None
    for argument in typing.get_args(annotation):
        if (found := _model_in(argument)) is not None:
            return found
    return None


def _short(value: object) -> str:
    text = str(getattr(value, "written", value))
    if isinstance(value, (dict, list)):
        text = "項目の集まり" if isinstance(value, dict) else "並び"
    return text if len(text) <= 40 else text[:39] + "…"
