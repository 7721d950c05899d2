"""The one way by which recordings are deleted (REC-4): what is held stays."""

from __future__ import annotations

import asyncio
from pathlib import Path

from store import Store, recordings


async def remove(archive: Path, store: Store, call: str) -> int:
    """Deletes all recordings of a call, its consults' too, files first: what is interrupted is done to its
    end by the next try. Returns how many there were. Raises RecordingHeld when one is held (then none goes),
    StoreUnavailable, OSError."""
    async with store.session() as session:
        await store.lock(session, recordings.SECTION)
        found = await recordings.of_call(session, call)
        recordings.refuse_held(found)
        for one in found:
            await asyncio.to_thread(_unlink, archive, one.path)
            await session.delete(one)
    return len(found)


def _unlink(archive: Path, relative: str) -> None:
    path = (archive / relative).resolve()
    if path.is_relative_to(archive.resolve()):
        path.unlink(missing_ok=True)
