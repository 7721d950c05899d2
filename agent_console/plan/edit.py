"""The forms of the plan's boxes: shown, saved into the draft, added, taken out."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

import ivr
from dialplans import Problem, prompt

from ..audit import Action
from ..problems import problem
from ..rights import Right
from ..texts import Language
from . import form_values
from .base import Sent, View, plan_page, sent_by, to
from .choices import boards, groups_of
from .document import DocumentError, Plain, as_text, name_of
from .drafts import MAX_PLAN_BYTES, save
from .editing import add_row, remove_row, set_part, set_row
from .forms import SECTIONS, STEP_FORMS, Field, form_of
from .picture import begins, belongs, number_of_box
from .problem_words import words_of, wrong_days
from .text_page import hash_of

_SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
_PARTS = ("wording",)


@dataclass
class Shown:
    """A field as the form shows it: its value as text, what is wrong with it."""

    field: Field
    value: Plain
    errors: list[str]


def _place(view: View) -> tuple[str, str, Mapping[str, Plain], int | None]:
    """Section, id, the row as it stands, its index (None: a group of keys). Raises Problem (404)."""
    section, id = view.request.match_info["section"], view.request.match_info["id"]
    if section in _PARTS:
        return section, id, view.shown.document.part(section), None
    index = view.shown.document.index(section, id) if section in SECTIONS else None
    if index is None:
        raise problem(404, "unknown_box", "plan.error.no_box", id=id)
    return section, id, view.shown.document.rows(section)[index], index


def _kind(row: Mapping[str, Plain]) -> str | None:
    return str(row["kind"]) if row.get("kind") else None


def _own(view: View, row: Mapping[str, Plain]) -> str:
    """The language of this row's plain texts."""
    return str(row.get("language") or view.shown.document.data.get("language") or "ja")


@plan_page(Right.PLAN_READ)
async def form(view: View) -> web.StreamResponse:
    """A box's form; for those who may not edit, to read."""
    section, id, row, index = _place(view)
    fields = form_of(section, _kind(row))
    if not fields:
        raise problem(404, "unknown_box", "plan.error.no_box", id=id)
    return _answer(view, section, id, row, fields, index)


def _answer(
    view: View,
    section: str,
    id: str,
    row: Mapping[str, Plain],
    fields: tuple[Field, ...],
    index: int | None,
    *,
    errors: Mapping[str, str] | None = None,
    new: str | None = None,
    changed: bool = False,
) -> web.Response:
    own = [one for one in view.shown.problems if _of(one, section, index)]
    prefix = section if index is None else f"{section}[{index}]"
    values = {**row, "start": begins(row) or None} if section == "numbers" else row
    wrong = {one.key: _wrong(view, one.key, own, prefix, errors or {}) for one in fields}
    shown = [Shown(one, values.get(one.key), wrong[one.key]) for one in fields]
    placed = {text for one in shown for text in one.errors}
    return view.answer(
        "form.html",
        status=409 if changed else 422 if errors else 200,
        section=section,
        id=id,
        heading=_heading(view, section, row),
        row=row,
        fields=shown,
        own=_own(view, row),
        may_edit=view.editable,
        groups=lambda field, value: groups_of(field, view.shown.document, value, view.texts),
        boards=boards(view.shown.document),
        said_lines=form_values.said_lines,
        week=form_values.week,
        rest=[text for one in own if (text := words_of(one, section, prefix, view.texts)) not in placed],
        wrong_days=wrong_days(own, prefix),
        key_of=lambda text, language: prompt(text, language).key,
        new=new,
        row_was=mark_of(index, view, section) if new is None else "",
        changed=changed,
        number=number_of_box(view.shown.document, section, id, view.texts) if id else "",
        errors=errors or {},
        saved=view.request.query.get("saved"),
        uploaded=view.request.query.get("uploaded", ""),
        used_by=_used_by(view, section, id),
    )


def mark_of(index: int | None, view: View, section: str) -> str:
    """By which a form knows whether its box changed under it, in another window or by what went live."""
    document = view.shown.document
    row = document.part(section) if index is None else document.rows(section)[index]
    return hash_of(json.dumps(row, sort_keys=True))


def _heading(view: View, section: str, row: Mapping[str, Plain]) -> str:
    """What a box is called above its form."""
    name = row.get("name")
    if isinstance(name, dict):
        name = name.get(view.texts.language.value) or name.get("ja") or name.get("en")
    kind = row.get("kind") if section == "steps" else None
    return str(name or view.texts.known(f"plan.step.{kind}", view.texts(f"plan.section.{section}")))


def _of(one: Problem, section: str, index: int | None) -> bool:
    if index is None:
        return one.path == section or one.path.startswith(section + ".")
    return belongs(one, section, index)


def _wrong(
    view: View, key: str, problems: list[Problem], prefix: str, errors: Mapping[str, str]
) -> list[str]:
    path = f"{prefix}.{key}"
    section = prefix.partition("[")[0]
    found = [
        words_of(one, section, prefix, view.texts)
        for one in problems
        if one.path == path or one.path.startswith((path + ".", path + "["))
    ]
    return ([errors[key]] if key in errors else []) + found


def _used_by(view: View, section: str, id: str) -> list[str]:
    """The boxes that name this one, for whoever wants to take it out."""
    before = {"queues": "queue:", "forwards": "forward:"}.get(section, "")
    if section not in ("steps", "queues", "forwards", "hours", "calendars"):
        return []
    found = []
    for other in SECTIONS:
        for row in view.shown.document.rows(other):
            own = other == section and name_of(other, row) == id
            if not own and _names(row, before + id, before == "queue:" and id):
                found.append(str(row.get("name") or name_of(other, row)))
    return found


def _names(value: Plain, target: str, queue: str | bool) -> bool:
    if isinstance(value, dict):
        return value.get("queue") == queue or any(_names(inner, target, queue) for inner in value.values())
    if isinstance(value, list):
        return any(_names(inner, target, queue) for inner in value)
    return bool(value == target)


# -- saving


@plan_page(Right.PLAN_EDIT)
async def save_form(view: View) -> web.StreamResponse:
    """Puts what was sent into the draft, and shows the form again with what is wrong with it."""
    sent = await sent_by(view)
    section, id, row, index = _place(view)
    fields = form_of(section, _kind(row))
    errors, uploaded = await take_files(view, sent)
    own = sent.first("language") if section == "numbers" and sent.first("language") else _own(view, row)
    got = form_values.parse(fields, sent.texts, row, own)
    if section == "numbers":
        _start(got.values, row)
    errors |= {key: view.texts.known(text, text) for key, text in got.errors.items()}
    typed = {**row, **{key: as_text(value) for key, value in got.values.items()}}
    if errors:
        return _answer(view, section, id, typed, fields, index, errors=errors)
    was = sent.first("row_was")
    if was and was != mark_of(index, view, section) and as_text(row) != typed:
        # Changed meanwhile in another window: what was typed stays, and nothing is written over.
        return _answer(view, section, id, typed, fields, index, changed=True)
    text = view.shown.text
    try:
        if index is None:
            text = await asyncio.to_thread(set_part, text, section, got.values)
        else:
            text = await asyncio.to_thread(set_row, text, section, index, got.values)
    except DocumentError as error:
        raise problem(409, "text", "plan.error.text", why=str(error)) from None
    await keep(view, text, f"{section}/{id}")
    if section == "numbers":
        id = str(got.values.get("number") or id).replace("-", "")
    return to(f"/plan/edit/{section}/{id}", saved=1, uploaded=uploaded or None)


def _start(values: dict[str, Any], row: Mapping[str, Plain]) -> None:
    """`queue: main` is short for `start: queue:main`: it stays as long as nothing else is chosen."""
    if row.get("queue") and values.get("start") == f"queue:{row['queue']}":
        values["start"] = None
    elif row.get("queue"):
        values["queue"] = None


async def take_files(view: View, sent: Sent) -> tuple[dict[str, str], str]:
    """Uploaded sounds become keys in the form. Returns what was wrong by field, and the last one's figures:
    `seconds_dbfs`."""
    errors: dict[str, str] = {}
    told = ""
    for name, filename, content in sent.files:
        place = name.removesuffix(".file")
        try:
            upload = await asyncio.to_thread(ivr.upload, content, filename)
            await asyncio.to_thread(ivr.store_audio, upload, view.console.settings.audio_folder)
        except ivr.AudioError as error:
            errors[place.split(".")[0]] = error.ja if view.texts.language is Language.JA else error.en
            continue
        except OSError as error:
            errors[place.split(".")[0]] = view.texts("plan.error.audio_kept", why=str(error.strerror))
            continue
        if "." not in place:  # a list of sounds
            sent.texts.setdefault(place, []).append(upload.key)
        else:
            sent.texts[f"{place}.audio"] = [upload.key]
            if not sent.first(place):
                sent.texts[place] = [filename.rsplit(".", 1)[0][:100]]
        told = f"{upload.seconds:.1f}_{upload.loudness_before_dbfs:.0f}"
        await view.note(Action.PLAN_AUDIO, f"{upload.key} {filename[:100]}")
    return errors, told


async def keep(view: View, text: str, what: str) -> None:
    """Keeps a text as this user's draft; the first change of a draft goes into the access log."""
    if len(text.encode()) > MAX_PLAN_BYTES:
        raise problem(413, "too_large", "problem.too_large", n=MAX_PLAN_BYTES)
    if view.draft is None:
        await view.note(Action.PLAN_DRAFT, what)
    await save(view.console.store, view.login, text, view.based_on)


# -- adding and taking out


@plan_page(Right.PLAN_EDIT)
async def new_form(view: View) -> web.StreamResponse:
    """An empty form for a new box."""
    section, kind = view.request.match_info["section"], view.request.query.get("kind", "")
    fields = form_of(section, kind)
    if section not in SECTIONS or not fields:
        raise problem(404, "unknown_box", "plan.error.no_box", id=section)
    row: dict[str, Plain] = {"kind": kind} if section == "steps" else {}
    return _answer(view, section, "", row, fields, -1, new=_free_id(view, section, kind or section))


@plan_page(Right.PLAN_EDIT)
async def add(view: View) -> web.StreamResponse:
    """Puts a new box behind the others of its kind."""
    sent = await sent_by(view)
    section, kind = view.request.match_info["section"], view.request.query.get("kind", "")
    fields = form_of(section, kind)
    if section not in SECTIONS or not fields:
        raise problem(404, "unknown_box", "plan.error.no_box", id=section)
    errors, uploaded = await take_files(view, sent)
    start: dict[str, Plain] = {"kind": kind} if section == "steps" else {}
    got = form_values.parse(fields, sent.texts, start, _own(view, start))
    errors |= {key: view.texts.known(text, text) for key, text in got.errors.items()}
    id = sent.first("id")
    if section != "numbers":
        if not _SLUG.fullmatch(id):
            errors["id"] = view.texts("plan.error.id")
        elif view.shown.document.index(section, id) is not None:
            errors["id"] = view.texts("plan.error.id_taken", id=id)
    if errors:
        typed = {**start, **{key: as_text(value) for key, value in got.values.items()}}
        return _answer(view, section, "", typed, fields, -1, errors=errors, new=id)
    row = {"id": id, **start, **got.values} if section != "numbers" else got.values
    try:
        text = await asyncio.to_thread(add_row, view.shown.text, section, row)
    except DocumentError as error:
        raise problem(409, "text", "plan.error.text", why=str(error)) from None
    await keep(view, text, f"+{section}/{id}")
    id = str(row.get("number") or "").replace("-", "") if section == "numbers" else id
    return to(f"/plan/edit/{section}/{id}", saved=1, uploaded=uploaded or None)


@plan_page(Right.PLAN_EDIT)
async def remove(view: View) -> web.StreamResponse:
    """Takes a box out of the draft; asks once before, naming who uses it."""
    sent = await sent_by(view)
    section, id, row, index = _place(view)
    if index is None:
        raise problem(404, "unknown_box", "plan.error.no_box", id=id)
    heading, number = (
        _heading(view, section, row),
        number_of_box(view.shown.document, section, id, view.texts),
    )
    if not sent.first("sure"):
        users = _used_by(view, section, id)
        question = view.texts("plan.sure.remove", name=heading)
        if users:
            question += " " + view.texts("plan.used_by", names="、".join(users))
        return view.answer(
            "sure.html",
            question=question,
            foretold=[],
            numbers=[],
            kept=[],
            yes=view.texts("plan.sure.yes.remove"),
            grave=True,
            back=f"/plan/edit/{section}/{id}",
        )
    text = await asyncio.to_thread(remove_row, view.shown.text, section, index)
    await keep(view, text, f"-{section}/{id}")
    return to("/plan", number=None if section == "numbers" else number or None, removed=heading)


def _free_id(view: View, section: str, word: str) -> str:
    """`menu-2`: the first id of this kind that is free."""
    stem = {"queues": "queue", "forwards": "forward", "notices": "notice", "calendars": "calendar"}
    base = stem.get(section, word if word in STEP_FORMS else section.rstrip("s").replace("_", "-"))
    taken = {name_of(section, row) for row in view.shown.document.rows(section)}
    return next(f"{base}-{n}" for n in range(1, 10_000) if f"{base}-{n}" not in taken)
