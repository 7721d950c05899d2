"""/plan/text: the plan as text, for those who know it; and /plan/check: all that is wrong, with its place."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from dialplans import Problem

from ..audit import Action
from ..problems import problem
from ..rights import Right
from ..texts import Language
from .base import View, plan_page, sent_by, to
from .document import Document, name_of
from .drafts import MAX_PLAN_BYTES, Checked, checked, discard, normal, save
from .forms import form_of


@dataclass(frozen=True)
class ProblemRow:
    """A problem as the list shows it; `href` leads to its box's form, None where there is none."""

    line: int
    path: str
    message: str
    hint: str
    href: str | None


def rows_of(found: Checked, view: View) -> list[ProblemRow]:
    """The problems of a text in the reader's language."""
    english = view.texts.language is Language.EN
    return [
        ProblemRow(
            one.line,
            one.path,
            one.message_en if english else one.message,
            one.hint_en if english else one.hint,
            href_of(one, found.document),
        )
        for one in found.problems
    ]


def href_of(one: Problem, document: Document) -> str | None:
    """`/plan/edit/steps/main-menu#f-keys` for `steps[2].keys.1.go`."""
    section, bracket, rest = one.path.partition("[")
    index, _, field = rest.partition("]")
    if not bracket:
        name, _, field = one.path.partition(".")
        return f"/plan/edit/wording/all#f-{field}" if name == "wording" else None
    rows = document.rows(section)
    if not index.isdecimal() or int(index) >= len(rows):
        return None
    row = rows[int(index)]
    name = name_of(section, row)
    if not name or not form_of(section, str(row.get("kind") or "")):
        return None
    key = field.lstrip(".").partition(".")[0].partition("[")[0]
    return f"/plan/edit/{section}/{name}" + (f"#f-{key}" if key else "")


@plan_page(Right.PLAN_READ)
async def text_form(view: View) -> web.StreamResponse:
    return view.answer(
        "text.html",
        text=view.shown.text,
        rows=rows_of(view.shown, view),
        may_edit=view.editable,
        saved=view.request.query.get("saved"),
        error=None,
        before=str(hash_of(view.base_text)),
    )


@plan_page(Right.PLAN_EDIT)
async def save_text(view: View) -> web.StreamResponse:
    """Keeps the text as the draft, whatever is wrong with it."""
    sent = await sent_by(view)
    typed = normal("\n".join(sent.texts.get("text") or [""]))
    if len(typed.encode()) > MAX_PLAN_BYTES:
        raise problem(413, "too_large", "problem.too_large", n=MAX_PLAN_BYTES)
    if "\x00" in typed:
        raise problem(422, "fields", "plan.error.text", why="NUL")
    if sent.first("before") != hash_of(view.base_text) and typed != view.base_text:
        # Changed meanwhile in another window: what was typed stays, and nothing is written over.
        found = await checked(typed)
        return view.answer(
            "text.html",
            status=409,
            text=typed,
            rows=rows_of(found, view),
            may_edit=True,
            saved=None,
            error=view.texts("plan.error.text_changed"),
            before=hash_of(view.base_text),
        )
    if view.draft is None:
        await view.note(Action.PLAN_DRAFT, "text")
    await save(view.console.store, view.login, typed, view.based_on)
    return to("/plan/text", saved=1)


@plan_page(Right.PLAN_READ)
async def check(view: View) -> web.StreamResponse:
    return view.answer("check.html", rows=rows_of(view.shown, view))


@plan_page(Right.PLAN_EDIT)
async def throw_away(view: View) -> web.StreamResponse:
    """Discards the draft."""
    await sent_by(view)
    await view.note(Action.PLAN_DRAFT, "discarded")
    await discard(view.console.store, view.login)
    return to("/plan")


def hash_of(text: str) -> str:
    """By which a form knows whether the text changed under it."""
    from store import plans

    return plans.digest(text)[:16]
