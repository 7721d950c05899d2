"""Going live: the difference, the wish with its comment, its progress; older versions and the way back."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from aiohttp import web

from store import PlanActivation, plans

from .. import audit
from ..audit import Action
from ..console import Console
from ..problems import problem
from ..rights import Right
from . import differences
from .base import View, plan_page, sent_by, to
from .drafts import checked, publish, save
from .merging import merge
from .text_page import rows_of
from .way_back import events_back, trail

COMMENT_MAX = 500
_PAGE = 50
_OPEN = ("asked", "working")


@dataclass(frozen=True)
class Compared:
    """Two texts side by side, with what they are called."""

    before: str
    after: str
    lines: list[differences.Line]
    changes: list[differences.Change]
    broken: str | None = None  # why the two cannot be compared box by box


async def compare(view: View, before: str, after: str, names: tuple[str, str]) -> Compared:
    """The difference of two texts, made off the event loop."""
    return Compared(
        *names,
        await asyncio.to_thread(differences.lines, before, after),
        await asyncio.to_thread(differences.changes, before, after, view.texts),
        await asyncio.to_thread(differences.broken, before, after),
    )


def _version_name(view: View, number: int | None) -> str:
    return view.texts("plan.version", n=number) if number is not None else view.texts("plan.file")


async def _text_of(view: View, which: str) -> tuple[str, str]:
    """A text and its name: `live`, `draft`, or a version's number. Raises Problem (404)."""
    if which == "live":
        return view.live.text, _version_name(view, view.live.version)
    if which == "draft":
        if view.draft is None:
            raise problem(404, "no_draft", "plan.error.no_draft")
        return view.draft.text, view.texts("plan.draft")
    found = await plans.version(view.console.store, int(which)) if _is_id(which) else None
    if found is None:
        raise problem(404, "unknown_version", "plan.error.no_version", n=which)
    return found.text, _version_name(view, found.id)


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 10


@plan_page(Right.PLAN_READ)
async def difference(view: View) -> web.StreamResponse:
    """Between any two of live, draft and versions; older versions for those who may see the history."""
    query = view.request.query
    start = query.get("from", "live")
    end = query.get("to", "draft" if view.draft else "live")
    if not view.may(Right.PLAN_HISTORY) and {start, end} - {"live", "draft"}:
        raise problem(403, "right", "problem.right", right=view.texts("right.plan.history"))
    (before, name), (after, other) = await _text_of(view, start), await _text_of(view, end)
    compared = await compare(view, before, after, (name, other))
    return view.answer("difference.html", compared=compared, start=start, end=end)


@plan_page(Right.PLAN_EDIT)
async def activate_form(view: View) -> web.StreamResponse:
    return await _activate(view)


async def _activate(view: View, *, error: str | None = None, comment: str = "") -> web.Response:
    if view.draft is None:
        return view.answer("activate.html", compared=None, error=error, comment="", stale=None)
    found = await checked(view.draft.text)
    stale = await _meanwhile(view) if view.draft.stale else None
    return view.answer(
        "activate.html",
        status=409 if stale and error else 422 if error else 200,
        compared=await compare(
            view,
            view.live.text,
            view.draft.text,
            (_version_name(view, view.live.version), view.texts("plan.draft")),
        ),
        rows=rows_of(found, view),
        error=error,
        comment=comment,
        stale=stale,
    )


@dataclass(frozen=True)
class Meanwhile:
    """What others did since a draft was begun: versions (newest first), the difference they made, and
    whether the two changes can be laid over each other."""

    versions: list[plans.Told]
    theirs: Compared
    fits: bool


async def _meanwhile(view: View) -> Meanwhile | None:
    draft = view.draft
    assert draft is not None  # noqa: S101 - asked only for a draft that is stale
    base = await plans.version(view.console.store, draft.based_on) if draft.based_on is not None else None
    newer = [
        told
        for told in await plans.history(view.console.store, limit=_PAGE)
        if told.live or (told.live_at is not None and told.id > (draft.based_on or 0))
    ]
    before = base.text if base is not None else draft.text
    names = (_version_name(view, draft.based_on), _version_name(view, view.live.version))
    theirs = await compare(view, before, view.live.text, names)
    merged = await asyncio.to_thread(merge, before, draft.text, view.live.text)
    return Meanwhile(newer, theirs, merged is not None)


@plan_page(Right.PLAN_EDIT)
async def activate(view: View) -> web.StreamResponse:
    """Makes the draft a version and asks for it to go live."""
    sent = await sent_by(view)
    comment = sent.first("comment")[:COMMENT_MAX]
    if view.draft is None:
        raise problem(404, "no_draft", "plan.error.no_draft")
    if not comment:
        return await _activate(view, error=view.texts("plan.error.comment"))
    if view.draft.stale:
        return await _activate(view, error=view.texts("plan.error.stale"), comment=comment)
    if (await checked(view.draft.text)).site is None:
        return await _activate(view, error=view.texts("plan.error.problems"), comment=comment)
    wish = await go_live(
        view.console,
        view.draft.text,
        login=view.login,
        address=view.request.remote,
        comment=comment,
        based_on=view.draft.based_on,
        action=Action.PLAN_ACTIVATE,
    )
    return to(f"/plan/activations/{wish.id}")


async def go_live(
    console: Console,
    text: str,
    *,
    login: str,
    address: str | None,
    comment: str,
    based_on: int | None,
    action: Action,
) -> PlanActivation:
    """A text becomes a version that somebody wants live; the access log has it. Raises StoreUnavailable."""
    version, wish = await publish(console.store, text, author=login, comment=comment, based_on=based_on)
    await audit.note(console.store, action, login=login, address=address, detail=f"{version.id} {comment}")
    return wish


@plan_page(Right.PLAN_EDIT)
async def lay_over(view: View) -> web.StreamResponse:
    """Lays a stale draft over what is live now."""
    await sent_by(view)
    draft = view.draft
    if draft is None:
        raise problem(404, "no_draft", "plan.error.no_draft")
    base = await plans.version(view.console.store, draft.based_on) if draft.based_on is not None else None
    merged = (
        await asyncio.to_thread(merge, base.text, draft.text, view.live.text) if base is not None else None
    )
    if merged is None:
        return await _activate(view, error=view.texts("plan.error.no_merge"))
    await save(view.console.store, view.login, merged, view.live.version)
    return to("/plan/activate")


@plan_page(Right.PLAN_EDIT)
async def rebase(view: View) -> web.StreamResponse:
    """Keeps the draft as it is, knowing that it undoes what others did: as if begun from what is live."""
    await sent_by(view)
    if view.draft is None:
        raise problem(404, "no_draft", "plan.error.no_draft")
    await save(view.console.store, view.login, view.draft.text, view.live.version)
    return to("/plan/activate")


@plan_page(Right.PLAN_READ)
async def progress(view: View) -> web.StreamResponse:
    """What became of a wish; the page looks again by itself until it is settled."""
    id = view.request.match_info["id"]
    wish = await plans.activation(view.console.store, int(id)) if _is_id(id) else None
    if wish is None:
        raise problem(404, "unknown_activation", "plan.error.no_activation", id=id)
    version = await plans.version(view.console.store, wish.version)
    after = view.request.query.get("then", "")
    answer = view.answer(
        "progress.html", wish=wish, version=version, then=after if after.startswith("/plan/") else "/plan"
    )
    if wish.state in _OPEN:
        answer.headers["Refresh"] = "1"
    return answer


@plan_page(Right.PLAN_HISTORY)
async def history(view: View) -> web.StreamResponse:
    text = view.request.query.get("offset", "")
    offset = int(text) if _is_id(text) else 0
    found = await plans.history(view.console.store, limit=_PAGE + 1, offset=offset)
    wishes = await plans.activations(view.console.store, limit=_PAGE)
    failed = [wish for wish in wishes if wish.state == "failed"][:5]
    return view.answer(
        "history.html",
        versions=found[:_PAGE],
        more=offset + _PAGE if len(found) > _PAGE else None,
        failed=failed,
        trail=await trail(view.console.store, wishes),
        error=None,
    )


@plan_page(Right.PLAN_HISTORY)
async def version(view: View) -> web.StreamResponse:
    """One version: what it changed, its text, the way back to it."""
    return await _version(view)


async def _version(view: View, error: str | None = None, comment: str = "") -> web.Response:
    number = view.request.match_info["version"]
    found = await plans.version(view.console.store, int(number)) if _is_id(number) else None
    if found is None:
        raise problem(404, "unknown_version", "plan.error.no_version", n=number)
    base = await plans.version(view.console.store, found.based_on) if found.based_on is not None else None
    compared = None
    if base is not None:
        names = (_version_name(view, base.id), _version_name(view, found.id))
        compared = await compare(view, base.text, found.text, names)
    return view.answer(
        "version.html",
        status=422 if error else 200,
        version=found,
        compared=compared,
        error=error,
        comment=comment,
        events=await asyncio.to_thread(events_back, view.live.text, found.text, view.texts),
    )


@plan_page(Right.PLAN_HISTORY)
async def export(view: View) -> web.StreamResponse:
    """A version's text, exactly as it is kept."""
    number = view.request.match_info["version"]
    found = await plans.version(view.console.store, int(number)) if _is_id(number) else None
    if found is None:
        raise problem(404, "unknown_version", "plan.error.no_version", n=number)
    name = f"{view.console.site.id}-{found.id}.yaml"
    return web.Response(
        body=found.text.encode(),
        content_type="application/yaml",
        charset="utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@plan_page(Right.PLAN_EDIT)
async def go_back(view: View) -> web.StreamResponse:
    """Undo: an older version goes live again."""
    sent = await sent_by(view)
    number, comment = view.request.match_info["version"], sent.first("comment")[:COMMENT_MAX]
    if not comment:
        return await _version(view, error=view.texts("plan.error.comment"))
    found = await plans.version(view.console.store, int(number)) if _is_id(number) else None
    if found is None:
        raise problem(404, "unknown_version", "plan.error.no_version", n=number)
    # What was agreed to is what was shown: another version may have gone live since.
    agreed = sent.first("events") == str(view.live.version or "")
    changed = await asyncio.to_thread(events_back, view.live.text, found.text, view.texts)
    if changed and not agreed:
        return await _version(view, error=view.texts("plan.error.back_events"), comment=comment)
    await view.note(Action.PLAN_ACTIVATE, f"{number} {comment}")
    wish = await plans.ask(view.console.store, int(number), by=view.login)
    return to(f"/plan/activations/{wish.id}")
