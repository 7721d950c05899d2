"""/plan: a number's plan as a picture, what callers hear at a chosen time, and its year."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

import ivr
from dialplans import Site

from ..rights import Right
from ..texts import Language, Texts
from .base import View, plan_page
from .calendar import FIRST_YEAR, KINDS, LAST_YEAR, year_of
from .drafts import others
from .picture import numbers_of, stem
from .running import Running, notices_on, switched, switches_of

_KEYS = frozenset("0123456789*#-")
_MOST_KEYS = 30


@dataclass(frozen=True)
class HeardRow:
    """One announcement as the page shows it. `where`: the box it is said in; `sound`: its key; `pressed`: the
    telephone's key pressed after it (`-`: a question that was let pass)."""

    where: str
    text: str
    language: str
    sound: str
    pressed: str | None


@plan_page(Right.PLAN_READ)
async def overview(view: View) -> web.StreamResponse:
    document, site = view.shown.document, view.shown.site
    numbers = numbers_of(document)
    digits = view.request.query.get("number", "") or (numbers[0]["digits"] if numbers else "")
    wanted = wanted_of(view)
    heard = await asyncio.to_thread(hear, site, digits, wanted, view.texts) if site is not None else None
    switch = wanted.running.get(digits)
    running = switch.words(view.console.site, wanted.at, view.texts) if switch is not None else ""
    drawn = stem(document, digits, view.shown.problems, view.texts, view.query)
    if drawn and running:
        drawn[0].running = running
    year = None
    hours = next((n.hours for n in site.numbers if n.digits == digits), None) if site is not None else None
    if site is not None and hours is not None:
        year = await asyncio.to_thread(
            year_of, site, hours, wanted.year, datetime.now(site.zone).date(), view.texts
        )
    return view.answer(
        "overview.html",
        numbers=numbers,
        digits=digits,
        number=document.row("numbers", digits),
        boxes=drawn,
        heard=heard,
        running=running,
        removed=view.request.query.get("removed", "")[:200] if view.may(Right.PLAN_EDIT) else "",
        wanted=wanted,
        year=year,
        kinds=KINDS,
        always_open=site is not None and hours is None,
        others=await others(view.console, view.login) if view.may(Right.PLAN_EDIT) else [],
        hours_of={one["id"]: one for one in document.rows("hours") if "id" in one},
        loose=loose(document.data),
    )


@dataclass(frozen=True)
class Wanted:
    """When, and with which keys, somebody wants to hear; `notices`: ids thought switched on; `running`: the
    supervisors' switches that still rule then, by number."""

    at: datetime
    keys: str
    year: int
    notices: tuple[str, ...] = ()
    running: dict[str, Running] = field(default_factory=dict)


def wanted_of(view: View) -> Wanted:
    """From the address: `at` (the site's clock, 2027-01-01T10:00; default now), `keys`, `year`, `notice`. The
    notices that are on now are thought on, unless somebody `chose`."""
    query, zone = view.request.query, view.console.site.zone
    now = datetime.now(UTC).astimezone(zone)
    try:
        at = datetime.fromisoformat(query.get("at", ""))
        at = at.replace(tzinfo=zone) if at.tzinfo is None else at.astimezone(zone)
        if not FIRST_YEAR <= at.year <= LAST_YEAR:
            at = now
    except (ValueError, OverflowError):
        at = now  # an empty or mistyped field shows now, and the field says so
    text = query.get("year", "")
    year = int(text) if text.isdecimal() and FIRST_YEAR <= int(text[:6]) <= LAST_YEAR else at.year
    keys = "".join(key for key in query.get("keys", "") if key in _KEYS)[:_MOST_KEYS]
    site, state = view.shown.site or view.console.site, view.console.link.state
    notices = tuple(query.getall("notice", [])) if "chose" in query else notices_on(site, state)
    return Wanted(at, keys, year, notices, switched(state, at, now))


def hear(site: Site, digits: str, wanted: Wanted, texts: Texts) -> dict[str, Any] | None:
    """What callers hear, row by row, and where the call ends; None for a number that is not the plan's."""
    known = {one.id for one in site.notices}
    switches = switches_of(wanted.running, tuple(id for id in wanted.notices if id in known))
    try:
        told = ivr.hear(site, digits, wanted.at, wanted.keys, switches)
        opening = ivr.opening(site, digits, wanted.at, switches)
    except KeyError:
        return None
    rows = [
        HeardRow(
            where(site, line.step, texts), line.prompt.text, line.prompt.language, line.prompt.key, line.key
        )
        for line in told.lines
    ]
    ending = told.ending if texts.language is Language.JA else told.ending_en
    return {"rows": rows, "ending": ending, "target": told.target, "opening": opening, "open": told.open}


def where(site: Site, step: str, texts: Texts) -> str:
    """The name of the box in which something is said."""
    kind, _, id = step.partition(":")
    named: dict[str, str] = {}
    if kind == "notice":
        named = {one.id: one.name for one in site.notices}
    elif kind == "forward":
        named = {one.id: one.name for one in site.forwards}
    elif kind == "queue":
        named = {one.id: one.name for one in site.queues}
    if id in named:
        return named[id]
    found = next((one for one in site.steps if one.id == step), None)
    if found is not None:
        return found.name or texts.known(f"plan.step.{found.kind}", step)
    return texts.known(f"plan.said.{kind}", step)


def loose(data: Mapping[str, Any]) -> list[tuple[str, list[tuple[str, str]]]]:
    """All boxes by section, for the list below the picture: those no line leads to must be found as well."""
    out = []
    for section in ("hours", "calendars", "steps", "queues", "forwards", "notices", "event_states", "musics"):
        rows = data.get(section)
        named = [
            (str(row.get("id")), str(row.get("name") or row.get("id")))
            for row in (rows if isinstance(rows, list) else [])
            if isinstance(row, dict) and row.get("id")
        ]
        out.append((section, named))
    return out
