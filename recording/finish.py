"""The worker's part: every ended call's captures become one archived file, linked to the call. A consult
within it has a file of its own, `<call>.<n>` (n: the transfer's place). What a call marked as an emergency
has left behind is held against deletion from the first moment on.

The spool is the to-do list: a capture leaves it only when its recording is on disk and in the database, so
a kill at any moment loses nothing and does nothing twice.
"""

from __future__ import annotations

import asyncio
import logging
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from store import CallRow, EventRow, Recording, Store, StoreUnavailable, recordings

if TYPE_CHECKING:
    from .stereo import Made

log = logging.getLogger("daihyo.recording")

EVERY_S = 0.5
QUIET_S = 0.3  # a capture is closed when nothing was written to it for so long after the call's end
ORPHAN_S = 6 * 3600  # a capture without an ended call is archived after so long without a change
CITIZEN, OPERATOR = "-in.wav", "-out.wav"


class Finisher:
    """`run` for ever, `finish` one round. `zone`: the site's, for the archive's folders by day."""

    def __init__(self, spool: Path, archive: Path, store: Store, zone: ZoneInfo) -> None:
        self.spool = spool
        self.archive = archive
        self.store = store
        self.zone = zone
        self._failed: set[str] = set()

    async def run(self) -> None:
        """Goes round until cancelled; a database that is away is waited for."""
        pause = EVERY_S
        while True:
            try:
                await self.finish()
                pause = EVERY_S
            except StoreUnavailable as problem:
                log.warning("recordings wait in the spool: %s", problem)
                pause = min(pause * 2, 30.0)
            except OSError as problem:
                log.error("recordings wait in the spool: %s", problem)
                pause = min(pause * 2, 30.0)
            await asyncio.sleep(pause)

    async def finish(self) -> int:
        """Archives what can be archived now; returns how many."""
        calls = sorted({name for path in self.spool.glob("*.wav") if (name := _call(path)) is not None})
        calls = [call for call in calls if call not in self._failed and self._quiet(call) >= QUIET_S]
        done = 0
        for start in range(0, len(calls), 500):
            done += await self._finish(calls[start : start + 500])
        return done

    async def _finish(self, keys: list[str]) -> int:
        async with self.store.reading() as session:
            wanted = {*keys, *(base for key in keys if (base := _base(key)) is not None)}
            rows = await session.execute(
                select(CallRow.call, CallRow.arrived_at, CallRow.ended_at).where(CallRow.call.in_(wanted))
            )
            known = {call: (arrived, ended) for call, arrived, ended in rows}
            present = await session.execute(
                select(Recording.call).where(Recording.call.in_(keys), Recording.state == "ready")
            )
            archived = set(present.scalars())
        done = 0
        for key in keys:
            base = _base(key)
            call = base if base is not None and key not in known and base in known else key
            arrived, ended = known.get(call, (None, None))
            if ended is None and self._quiet(key) < ORPHAN_S:
                continue
            if key not in archived:
                await self._archive(key, call, arrived)
            if key not in self._failed:
                for path in self._sides(key):
                    path.unlink(missing_ok=True)
                done += 1
        return done

    async def _archive(self, key: str, call: str, arrived: datetime | None) -> None:
        from .stereo import BadSound, combine  # loads numpy: not before it is needed

        day = (arrived or datetime.now(UTC)).astimezone(self.zone)
        relative = Path(f"{day:%Y/%m/%d}") / f"{key}.flac"
        citizen, operator = self._sides(key)
        made: Made | None = None
        problem: str | None = None
        if arrived is None:
            log.warning("capture %s belongs to no known call; archived all the same", key)
        try:
            made = await asyncio.to_thread(combine, citizen, operator, self.archive / relative)
        except BadSound as trouble:
            problem = str(trouble)
            self._failed.add(key)  # stays in the spool for a person to look at
            log.error("recording of call %s: %s", key, problem)
        if made is not None and made.seconds == 0:
            (self.archive / relative).unlink(missing_ok=True)
            return  # nobody talked: there is no recording
        async with self.store.session() as session:
            await self.store.lock(session, recordings.SECTION)
            await session.merge(
                Recording(
                    call=key,
                    path=relative.as_posix(),
                    seconds=made.seconds if made else None,
                    sample_rate=made.rate if made else None,
                    bytes=made.bytes if made else None,
                    state="ready" if made else "failed",
                    problem=problem,
                    created_at=datetime.now(UTC),
                    **await _held(session, key, call),
                )
            )

    def _sides(self, call: str) -> tuple[Path, Path]:
        return self.spool / f"{call}{CITIZEN}", self.spool / f"{call}{OPERATOR}"

    def _quiet(self, call: str) -> float:
        """Seconds since anything was written for this call."""
        written = 0.0
        for path in self._sides(call):
            try:
                written = max(written, path.stat().st_mtime)
            except FileNotFoundError:
                continue
        return time.time() - written


async def _held(session: AsyncSession, key: str, call: str) -> dict[str, object]:
    """Whether a recording is to be held at once: as the rest of its call is, or by the call's mark. One that
    was released stays so."""
    there = {one.call: one for one in await recordings.of_call(session, call)}
    if (own := there.get(key)) is not None and own.held_reason is not None:
        return {}
    for one in there.values():
        if one.held_at is not None:
            return {"held_at": one.held_at, "held_by": one.held_by, "held_reason": one.held_reason}
    if any(one.held_reason is not None for one in there.values()):
        return {}
    marks = select(EventRow).where(EventRow.call == call, EventRow.kind == "marked").order_by(EventRow.id)
    for mark in await session.scalars(marks):
        if recordings.holds(mark.data):
            by = mark.data.get("by")
            return {"held_at": mark.at, "held_by": by and str(by), "held_reason": recordings.EMERGENCY}
    return {}


def _base(key: str) -> str | None:
    """The call whose consult this would be."""
    base, dot, place = key.rpartition(".")
    return base if dot and place.isdecimal() else None


def _call(path: Path) -> str | None:
    for ending in (CITIZEN, OPERATOR):
        if path.name.endswith(ending):
            return path.name[: -len(ending)]
    return None
