"""Drafts and versions as the pages need them: what is live, what somebody is changing, what is wrong."""

from __future__ import annotations

import asyncio
import functools
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import select

from dialplans import Problem, Site, SiteError, parse_site
from store import PlanActivation, PlanDraft, PlanVersion, Store, plans

from ..console import Console
from ..live_site import read_text
from .document import Document, read

MAX_PLAN_BYTES = 4 * 1024 * 1024
FILE_NAME = "plan.yaml"  # the name that problems carry


@dataclass(frozen=True)
class Checked:
    """A text with all that is known of it: read, and checked. `site` is None when it must not go live."""

    text: str
    document: Document
    site: Site | None
    problems: tuple[Problem, ...]


@dataclass(frozen=True)
class LivePlan:
    """The live plan: `version` is None while nothing has been made a version yet (the file is live then)."""

    version: int | None
    text: str


@dataclass(frozen=True)
class Draft:
    """What somebody is changing. `stale`: another version went live since it was begun."""

    login: str
    text: str
    based_on: int | None
    updated_at: datetime
    stale: bool = False


async def live_plan(console: Console) -> LivePlan:
    """The live plan's text. Raises StoreUnavailable, ConsoleError."""
    version = await plans.live(console.store)
    if version is not None:
        return LivePlan(version.id, version.text)
    return LivePlan(None, await asyncio.to_thread(read_text, console.settings))


async def draft_of(console: Console, login: str, live: LivePlan) -> Draft | None:
    """Somebody's draft, or None. One that has gone live has done its work and is put away."""
    async with console.store.reading() as session:
        row = await session.get(PlanDraft, login)
    if row is None:
        return None
    if row.text == live.text:
        await discard(console.store, login)
        return None
    return Draft(login, row.text, row.based_on, row.updated_at, live.version != row.based_on)


async def others(console: Console, login: str) -> list[tuple[str, datetime]]:
    """Who else is changing the plan, and when they last did."""
    async with console.store.reading() as session:
        rows = await session.execute(
            select(PlanDraft.login, PlanDraft.updated_at)
            .where(PlanDraft.login != login)
            .order_by(PlanDraft.updated_at.desc())
        )
        return [(name, at) for name, at in rows]


async def save(store: Store, login: str, text: str, based_on: int | None) -> None:
    """Keeps a draft. Raises StoreUnavailable."""
    async with store.session() as session:
        row = await session.get(PlanDraft, login)
        if row is None:
            row = PlanDraft(login=login)
            session.add(row)
        row.text, row.based_on, row.updated_at = text, based_on, datetime.now(UTC)


async def discard(store: Store, login: str) -> None:
    """Throws a draft away."""
    async with store.session() as session:
        row = await session.get(PlanDraft, login)
        if row is not None:
            await session.delete(row)


async def publish(
    store: Store, text: str, *, author: str, comment: str, based_on: int | None
) -> tuple[PlanVersion, PlanActivation]:
    """Makes a text the next version and asks for it to go live."""
    version = await plans.add_version(store, text, author=author, comment=comment, based_on=based_on)
    return version, await plans.ask(store, version.id, by=author)


def normal(text: str) -> str:
    """Line breaks as YAML has them, one at the end."""
    return text.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n") + "\n"


async def checked(text: str) -> Checked:
    """A text, read and checked, off the event loop; the last ones are remembered."""
    return await asyncio.to_thread(_checked, text)


@functools.lru_cache(maxsize=8)
def _checked(text: str) -> Checked:
    document = read(text)
    try:
        return Checked(text, document, parse_site(text, FILE_NAME), ())
    except SiteError as error:
        return Checked(text, document, None, tuple(error.problems))
