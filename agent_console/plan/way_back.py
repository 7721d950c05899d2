"""The way back to an older version: what it changes in the events, and the trail that it leaves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import load_only

from store import AccessEntry, PlanActivation, PlanVersion, Store, plans

from ..audit import Action
from ..texts import Texts
from . import differences
from .choices import states
from .document import read

_SOON = timedelta(minutes=1)  # a wish follows its entry in the access log at once


@dataclass(frozen=True)
class EventBack:
    """What going back does to one event: its state's words before and after (None: as it is now)."""

    name: str
    before: str
    after: str | None


def events_back(before: str, after: str, texts: Texts) -> list[EventBack]:
    """The events that differ between the live text and the one gone back to."""
    old, new = read(before), read(after)
    words, gone = {**dict(states(new)), **dict(states(old))}, texts("plan.event_gone")
    found = []
    for one in differences.changes(before, after, texts):
        if one.section == "events" and one.id:
            a, b = (doc.row("events", one.id) for doc in (old, new))
            was, then = (words.get(str(row.get("state")), gone) if row else gone for row in (a, b))
            found.append(EventBack(one.name or one.id, was, then if was != then else None))
    return found


@dataclass(frozen=True)
class Trace:
    """One time that a version went live: when, by whom, whether it was a way back, and what for."""

    at: datetime
    by: str
    version: int
    back: bool
    comment: str


async def trail(store: Store, wishes: Sequence[PlanActivation]) -> list[Trace]:
    """What went live, newest first. `wishes`: newest first. The reason of a way back stands in the access
    log, which has it before it is asked for."""
    done = [wish for wish in reversed(wishes) if wish.state == plans.LIVE]
    found: list[Trace] = []
    async with store.reading() as session:
        for at, wish in enumerate(done):
            back = at > 0 and wish.version < done[at - 1].version
            if back:
                entry = await session.scalar(
                    select(AccessEntry.detail)
                    .where(
                        AccessEntry.action == Action.PLAN_ACTIVATE.value,
                        AccessEntry.login == wish.asked_by,
                        AccessEntry.at <= wish.asked_at,
                        AccessEntry.at > wish.asked_at - _SOON,
                        AccessEntry.detail.like(f"{wish.version} %"),
                    )
                    .order_by(AccessEntry.id.desc())
                    .limit(1)
                )
                comment = (entry or "").partition(" ")[2]
            else:
                version = await session.get(
                    PlanVersion, wish.version, options=[load_only(PlanVersion.comment)]
                )
                comment = version.comment if version is not None else ""
            found.append(Trace(wish.done_at or wish.asked_at, wish.asked_by, wish.version, back, comment))
    return found[::-1]
