"""The recordings of a call: its own, and those of consults within it; held against deletion, let go again.

A consult's recording has the key `<call>.<n>`, n the transfer's place in the call. Held and released are all
of a call's together.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from store.tables import Recording

EMERGENCY = "emergency"  # `held_reason` of a call that was marked so (脅迫・犯行予告)
MOST_CONSULTS = 99  # looked for in a call
SECTION = "recordings"  # `Store.lock` of whoever adds, holds or deletes: no recording slips through between


class RecordingHeld(Exception):
    """The recordings of a call are held against deletion; the message says by whom and why."""


def consult_key(call: str, place: int) -> str:
    """The key of a consult's recording."""
    return f"{call}.{place}"


def place_of(call: str, key: str) -> int | None:
    """The transfer's place that a key of this call names; None: the call's own recording."""
    ending = key.removeprefix(f"{call}.")
    return int(ending) if ending != key and ending.isdecimal() else None


def keys(call: str) -> list[str]:
    """The keys that a call's recordings can have."""
    return [call, *(consult_key(call, place) for place in range(1, MOST_CONSULTS + 1))]


def holds(mark: Mapping[str, Any]) -> bool:
    """Whether a `marked` event's data hold the call's recordings. Taking the mark off does not let them go:
    a supervisor does."""
    return mark.get("mark") == EMERGENCY and mark.get("on") is not False


async def of_call(session: AsyncSession, call: str) -> list[Recording]:
    """The call's own recording first, then its consults' by place."""
    found = await session.scalars(select(Recording).where(Recording.call.in_(keys(call))))
    return sorted(found, key=lambda one: place_of(call, one.call) or 0)


async def hold(session: AsyncSession, call: str, *, by: str | None, reason: str, at: datetime) -> int:
    """Holds what is not held yet of a call's recordings; returns how many those were."""
    held = (
        update(Recording)
        .where(Recording.call.in_(keys(call)), Recording.held_at.is_(None))
        .values(held_at=at, held_by=by, held_reason=reason)
        .returning(Recording.call)
    )
    return len((await session.execute(held)).all())


async def release(session: AsyncSession, call: str) -> int:
    """Lets a call's recordings go; returns how many were held. By whom and why stays written; `held_reason`
    without `held_at` tells that it was so."""
    released = (
        update(Recording)
        .where(Recording.call.in_(keys(call)), Recording.held_at.is_not(None))
        .values(held_at=None)
        .returning(Recording.call)
    )
    return len((await session.execute(released)).all())


def refuse_held(recordings: Collection[Recording]) -> None:
    """Raises RecordingHeld when any of them is held: asked by whatever deletes, in its transaction."""
    for one in recordings:
        if one.held_at is not None:
            raise RecordingHeld(
                f"recording {one.call} is held since {one.held_at:%Y-%m-%d %H:%M} UTC "
                f"by {one.held_by or '?'} ({one.held_reason or '?'}); release it first"
            )
