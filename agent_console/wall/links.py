"""Links to the wall screen: made, found, revoked. Only a link's hash is kept."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select, update

from store import Store, WallLink

_TOKEN_BYTES = 24


async def make(store: Store, name: str, by: str) -> tuple[WallLink, str]:
    """A new link and its path, which nobody can tell again. Raises StoreUnavailable."""
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    row = WallLink(token_hash=_hash(token), name=name, created_at=datetime.now(UTC), created_by=by)
    async with store.session() as database:
        database.add(row)
    return row, f"/wall/{token}"


async def find(store: Store, token: str) -> WallLink | None:
    """The link of a token, revoked ones too. Raises StoreUnavailable."""
    async with store.reading() as database:
        found: WallLink | None = await database.scalar(
            select(WallLink).where(WallLink.token_hash == _hash(token))
        )
        return found


async def holds(store: Store, link: int) -> bool:
    """Whether a link has not been revoked. Raises StoreUnavailable."""
    async with store.reading() as database:
        row = await database.get(WallLink, link)
    return row is not None and row.revoked_at is None


async def used(store: Store, link: int) -> None:
    """A screen looks at it now. Raises StoreUnavailable."""
    async with store.session() as database:
        await database.execute(
            update(WallLink).where(WallLink.id == link).values(last_used_at=datetime.now(UTC))
        )


async def revoke(store: Store, link: int, by: str) -> bool:
    """Ends a link; False where there is none. Revoked before: stays as it was. Raises StoreUnavailable."""
    async with store.session() as database:
        row = await database.get(WallLink, link)
        if row is None:
            return False
        if row.revoked_at is None:
            row.revoked_at, row.revoked_by = datetime.now(UTC), by
    return True


async def listed(store: Store) -> Sequence[WallLink]:
    """All, those that hold first, then the latest. Raises StoreUnavailable."""
    async with store.reading() as database:
        query = select(WallLink).order_by(WallLink.revoked_at.is_not(None), WallLink.created_at.desc())
        return (await database.scalars(query)).all()


def shape(row: WallLink) -> dict[str, Any]:
    """Without the hash."""
    return {
        "id": row.id,
        "name": row.name,
        "created_at": row.created_at,
        "created_by": row.created_by,
        "last_used_at": row.last_used_at,
        "revoked_at": row.revoked_at,
        "revoked_by": row.revoked_by,
    }


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
