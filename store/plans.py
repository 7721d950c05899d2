"""Versions of the plan and their activations: added, asked for, taken, settled, looked up.

A version is only ever added. Somebody asks for its activation; the worker takes the newest wish, works on it
and settles it. Both are rows that console, worker and command line share.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import load_only

from store.database import Store
from store.tables import PlanActivation, PlanVersion

ASKED, WORKING, LIVE, FAILED, REPLACED = "asked", "working", "live", "failed", "replaced"
FILE = "file"  # author of versions that were read from the site's file
_SECTION = "plan"


class UnknownVersion(LookupError):
    """There is no version of this number."""


@dataclass(frozen=True)
class Told:
    """A version without its text, and what became of it: `live` now; when and by whom it went live last."""

    id: int
    author: str
    created_at: datetime
    comment: str
    based_on: int | None
    sha256: str
    live: bool = False
    live_at: datetime | None = None
    live_by: str | None = None


def digest(text: str) -> str:
    """The sha256 by which texts are compared."""
    return hashlib.sha256(text.encode()).hexdigest()


async def add_version(
    store: Store,
    text: str,
    *,
    author: str,
    comment: str = "",
    based_on: int | None = None,
    id: int | None = None,
) -> PlanVersion:
    """Keeps a text as the next version; `id` only to bring one back under its old number."""
    async with store.session() as session:
        await store.lock(session, _SECTION)
        newest = await session.scalar(select(func.max(PlanVersion.id))) or 0
        version = PlanVersion(
            id=newest + 1 if id is None else id,
            text=text,
            author=author,
            created_at=datetime.now(UTC),
            comment=comment,
            based_on=based_on,
            sha256=digest(text),
        )
        session.add(version)
    return version


async def ask(store: Store, version: int, *, by: str, confirmed_by: str | None = None) -> PlanActivation:
    """Asks for a version to go live. Raises UnknownVersion."""
    async with store.session() as session:
        await store.lock(session, _SECTION)
        if await session.scalar(select(PlanVersion.id).where(PlanVersion.id == version)) is None:
            raise UnknownVersion(version)
        wish = _wish(version, by, ASKED)
        wish.confirmed_by = confirmed_by
        session.add(wish)
    return wish


async def note_live(store: Store, version: int, *, by: str) -> PlanActivation:
    """Writes down that a version is live: for whoever made it so without asking (the start of a centre)."""
    async with store.session() as session:
        await store.lock(session, _SECTION)
        wish = _wish(version, by, LIVE)
        wish.done_at = wish.asked_at
        session.add(wish)
    return wish


def _wish(version: int, by: str, state: str) -> PlanActivation:
    return PlanActivation(version=version, asked_by=by, asked_at=datetime.now(UTC), state=state)


async def waiting(store: Store) -> bool:
    """Whether anything is to be activated. Cheap: asked several times a second."""
    async with store.reading() as session:
        open_ones = select(PlanActivation.id).where(PlanActivation.state.in_((ASKED, WORKING))).limit(1)
        return await session.scalar(open_ones) is not None


async def take(store: Store, engine_has: int | None) -> tuple[PlanActivation, PlanVersion] | None:
    """The newest wish, now `working`, with its version; None when there is none. Older ones are replaced.

    One left `working` by a worker that was killed is taken again like any other. `engine_has` is the version
    that the engine runs: had such a worker come so far, its wish is live, whatever was asked afterwards.
    """
    async with store.session() as session:
        await store.lock(session, _SECTION)
        wishes = await _open(session)
        if not wishes:
            return None
        *older, newest = wishes
        for wish in older:
            done = wish.state == WORKING and wish.version == engine_has
            _settle(wish, LIVE if done else REPLACED, None)
        newest.state = WORKING
        version = await session.get_one(PlanVersion, newest.version)
    return newest, version


async def settle_interrupted(store: Store, engine_has: int | None) -> None:
    """At the start of a centre: a wish that the engine had carried out before everything ended is live."""
    async with store.session() as session:
        await store.lock(session, _SECTION)
        for wish in await _open(session):
            if wish.state == WORKING and wish.version == engine_has:
                _settle(wish, LIVE, None)


async def settle(store: Store, activation: int, state: str, problem: str | None = None) -> None:
    """The end of a wish: LIVE, or FAILED with its problem in one line."""
    async with store.session() as session:
        await session.execute(
            update(PlanActivation)
            .where(PlanActivation.id == activation)
            .values(state=state, problem=problem, done_at=datetime.now(UTC))
        )


async def _open(session: AsyncSession) -> Sequence[PlanActivation]:
    found = await session.scalars(
        select(PlanActivation)
        .where(PlanActivation.state.in_((ASKED, WORKING)))
        .order_by(PlanActivation.id)
        .with_for_update()
    )
    return found.all()


def _settle(wish: PlanActivation, state: str, problem: str | None) -> None:
    wish.state, wish.problem, wish.done_at = state, problem, datetime.now(UTC)


async def activation(store: Store, id: int) -> PlanActivation | None:
    """One wish as it stands now."""
    async with store.reading() as session:
        return await session.get(PlanActivation, id)


async def activations(store: Store, limit: int = 50) -> Sequence[PlanActivation]:
    """The latest wishes, newest first."""
    async with store.reading() as session:
        found = await session.scalars(select(PlanActivation).order_by(PlanActivation.id.desc()).limit(limit))
        return found.all()


async def activations_of(store: Store, version: int) -> Sequence[PlanActivation]:
    """All wishes for one version, oldest first."""
    async with store.reading() as session:
        of_it = select(PlanActivation).where(PlanActivation.version == version)
        return (await session.scalars(of_it.order_by(PlanActivation.id))).all()


async def version(store: Store, id: int) -> PlanVersion | None:
    """One version with its text."""
    async with store.reading() as session:
        return await session.get(PlanVersion, id)


async def live(store: Store) -> PlanVersion | None:
    """The live plan: of the newest wish that went live. None before the first start."""
    async with store.reading() as session:
        number = await _live_number(session)
        return None if number is None else await session.get_one(PlanVersion, number)


async def newest_of_file(store: Store, *, went_live: bool = False) -> PlanVersion | None:
    """The version that was read from the site's file last; `went_live`: of those that were live once."""
    wanted = select(PlanVersion).where(PlanVersion.author == FILE)
    if went_live:
        wanted = wanted.where(
            PlanVersion.id.in_(select(PlanActivation.version).where(PlanActivation.state == LIVE))
        )
    async with store.reading() as session:
        found: PlanVersion | None = await session.scalar(wanted.order_by(PlanVersion.id.desc()).limit(1))
        return found


async def before(store: Store, number: int) -> int | None:
    """What undo goes back to: the version that was live before this one went live for the first time."""
    async with store.reading() as session:
        first = await session.scalar(
            select(func.min(PlanActivation.id)).where(
                PlanActivation.version == number, PlanActivation.state == LIVE
            )
        )
        if first is None:
            return None
        earlier: int | None = await session.scalar(
            select(PlanActivation.version)
            .where(PlanActivation.state == LIVE, PlanActivation.id < first)
            .order_by(PlanActivation.id.desc())
            .limit(1)
        )
        return earlier


async def history(store: Store, limit: int = 100, offset: int = 0) -> list[Told]:
    """The versions, newest first, without their texts."""
    async with store.reading() as session:
        now = await _live_number(session)
        columns = (
            PlanVersion.id,
            PlanVersion.author,
            PlanVersion.created_at,
            PlanVersion.comment,
            PlanVersion.based_on,
            PlanVersion.sha256,
        )
        newest_first = select(PlanVersion).options(load_only(*columns)).order_by(PlanVersion.id.desc())
        rows = (await session.scalars(newest_first.limit(limit).offset(offset))).all()
        went_live: dict[int, PlanActivation] = {}
        for wish in await session.scalars(
            select(PlanActivation)
            .where(PlanActivation.state == LIVE, PlanActivation.version.in_([row.id for row in rows]))
            .order_by(PlanActivation.id)
        ):
            went_live[wish.version] = wish
    told = []
    for row in rows:
        last = went_live.get(row.id)
        told.append(
            Told(
                id=row.id,
                author=row.author,
                created_at=row.created_at,
                comment=row.comment,
                based_on=row.based_on,
                sha256=row.sha256,
                live=row.id == now,
                live_at=last.done_at if last else None,
                live_by=last.asked_by if last else None,
            )
        )
    return told


async def _live_number(session: AsyncSession) -> int | None:
    return await session.scalar(
        select(PlanActivation.version)
        .where(PlanActivation.state == LIVE)
        .order_by(PlanActivation.id.desc())
        .limit(1)
    )
