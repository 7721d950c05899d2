"""/plan/events: イベント開催情報, one table, changed for the next call with one button (HRS-5)."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from dialplans import Site, event_prompt
from store import plans

from ..audit import Action
from ..problems import problem
from ..rights import Right
from . import form_values
from .base import Sent, View, plan_page, sent_by, to
from .choices import boards, states
from .differences import Change, changes
from .document import Document, DocumentError, Plain, as_text, read
from .drafts import MAX_PLAN_BYTES, checked
from .editing import add_row, remove_row, set_row
from .forms import FORMS
from .text_page import rows_of
from .versions import go_live

BLANK_ROWS = 2
_MOST = 300
_INDEX = re.compile(r"e\.(\d{1,4})\.")


@dataclass
class EventRow:
    """One line of the table: its id ("" for a new one) and what is typed in it."""

    id: str
    values: dict[str, Plain] = field(default_factory=dict)
    remove: bool = False


@plan_page(Right.PLAN_READ)
async def events(view: View) -> web.StreamResponse:
    return await _answer(view, _rows(read(view.live.text)))


def _rows(document: Document) -> list[EventRow]:
    """By date; those without one last."""
    rows = [EventRow(str(row.get("id") or ""), dict(row)) for row in document.rows("events")]
    return sorted(rows, key=lambda row: str(row.values.get("date") or "9999"))


async def _answer(
    view: View,
    rows: list[EventRow],
    *,
    error: str | None = None,
    comment: str = "",
    meanwhile: list[Change] | None = None,
    wrong: list[Any] | None = None,
    status: int = 200,
) -> web.Response:
    document = await asyncio.to_thread(read, view.live.text)
    site = view.console.site
    return view.answer(
        "events.html",
        status=status,
        rows=rows,
        blank=range(len(rows), len(rows) + BLANK_ROWS),
        states=states(document),
        boards=boards(document),
        said_lines=form_values.said_lines,
        own=str(document.data.get("language") or "ja"),
        sounds=_sounds(site),
        may_change=view.may(Right.PLAN_EVENTS),
        languages=site.languages,
        error=error,
        comment=comment,
        meanwhile=meanwhile or [],
        wrong=wrong or [],
        based_on=view.live.version or "",
        today=await _changes_today(view),
    )


def _sounds(site: Site) -> dict[str, tuple[str, str]]:
    """By event the key and text of its sentence, as it is told now."""
    told = {}
    for event in site.events:
        prompt = event_prompt(site, event, site.language)
        told[event.id] = (prompt.key, prompt.text)
    return told


async def _changes_today(view: View) -> list[plans.Told]:
    return (await plans.history(view.console.store, limit=3)) if view.may(Right.PLAN_HISTORY) else []


@plan_page(Right.PLAN_EVENTS)
async def change(view: View) -> web.StreamResponse:
    """The whole table as typed becomes a version and is wanted live."""
    sent = await sent_by(view)
    document = read(view.live.text)
    typed = typed_rows(sent, str(document.data.get("language") or "ja"), document)
    comment = sent.first("comment")[:200] or view.texts("plan.events.comment")
    meanwhile = await _meanwhile(view, sent.first("based_on"))
    if meanwhile:
        text = view.texts("plan.error.events_changed")
        return await _answer(view, typed, error=text, comment=comment, meanwhile=meanwhile, status=409)
    try:
        text = await asyncio.to_thread(with_events, view.live.text, typed)
    except DocumentError as error:
        raise problem(409, "text", "plan.error.text", why=str(error)) from None
    if text == view.live.text:
        return await _answer(view, typed, error=view.texts("plan.error.nothing_changed"), status=422)
    if len(text.encode()) > MAX_PLAN_BYTES:
        raise problem(413, "too_large", "problem.too_large", n=MAX_PLAN_BYTES)
    found = await checked(text)
    if found.site is None:
        return await _answer(
            view,
            typed,
            error=view.texts("plan.error.problems"),
            comment=comment,
            wrong=rows_of(found, view),
            status=422,
        )
    wish = await go_live(
        view.console,
        text,
        login=view.login,
        address=view.request.remote,
        comment=comment,
        based_on=view.live.version,
        action=Action.PLAN_EVENTS,
    )
    return to(f"/plan/activations/{wish.id}", then="/plan/events")


async def _meanwhile(view: View, based_on: str) -> list[Change]:
    """What others changed in the events since this page was opened."""
    if based_on == str(view.live.version or "") or not based_on.isdecimal():
        return []
    base = await plans.version(view.console.store, int(based_on[:9]))
    if base is None:
        return []
    found = await asyncio.to_thread(changes, base.text, view.live.text, view.texts)
    return [one for one in found if one.section == "events"]


def typed_rows(sent: Sent, own: str, document: Document) -> list[EventRow]:
    """The lines of the table as they were sent; empty new ones are passed over."""
    indices = sorted({int(found[1]) for name in sent.texts if (found := _INDEX.match(name))})[:_MOST]
    known = {str(row.get("id")): row for row in document.rows("events")}
    rows = []
    for at in indices:
        prefix = f"e.{at}."
        form = {name[len(prefix) :]: value for name, value in sent.texts.items() if name.startswith(prefix)}
        id = form_values.first(form, "id")
        shown = tuple(one for one in FORMS["events"] if any(_belongs(name, one.key) for name in form))
        got = form_values.parse(shown, form, known.get(id, {}), own)
        values = {key: as_text(value) for key, value in got.values.items() if value is not None}
        if not id and "name" not in values:
            continue
        gone = {key: None for key, value in got.values.items() if value is None}
        rows.append(EventRow(id, {**values, **gone}, bool(form_values.first(form, "remove"))))
    return rows


def _belongs(name: str, key: str) -> bool:
    return name == key or name.startswith(key + ".")


def with_events(text: str, rows: list[EventRow]) -> str:
    """The plan's text with its events as in these rows. Blocking. Raises DocumentError."""
    for row in rows:
        index = read(text).index("events", row.id) if row.id else None
        if row.remove:
            text = remove_row(text, "events", index) if index is not None else text
        elif index is not None:
            text = set_row(text, "events", index, _dated(row.values))
        else:
            id = row.id or _free(read(text))
            text = add_row(text, "events", {"id": id, **_dated(row.values)})
    return text


def _dated(values: dict[str, Plain]) -> dict[str, Any]:
    """Dates as dates, so that the text has them without quotes."""
    from datetime import date

    out: dict[str, Any] = dict(values)
    for key in ("date", "tell_from", "tell_until"):
        if isinstance(text := out.get(key), str):
            try:
                out[key] = date.fromisoformat(text)
            except ValueError:
                continue  # as typed: the plan's check says what is wrong with it
    return out


def _free(document: Document) -> str:
    taken = {str(row.get("id")) for row in document.rows("events")}
    return next(f"event-{n}" for n in range(1, 100_000) if f"event-{n}" not in taken)
