"""Bringing the tables up to date: alembic's migrations, run by the program itself."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine

# Alembic is loaded where it is used: a start that finds everything up to date, the usual one, does without.
if TYPE_CHECKING:
    from alembic.config import Config

# First key of all our PostgreSQL advisory locks ("daih" in ASCII): other programs' locks do not meet ours.
LOCK_GROUP = 0x64616968
_UPGRADE_LOCK = 1
_LOCKED_TRIES = 40
_MIGRATIONS = Path(__file__).parent / "migrations"


class NewerDatabase(Exception):
    """The database was written by a newer version of the program than this one."""


def config(connection: Connection | None = None) -> Config:
    """Alembic's settings: the migrations beside this file, run on `connection`."""
    from alembic.config import Config

    settings = Config()
    settings.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    settings.set_main_option("path_separator", "os")
    settings.attributes["connection"] = connection
    return settings


async def to_newest(engine: AsyncEngine) -> None:
    """Runs the migrations that are missing, in one transaction, one program at a time."""
    for attempt in range(_LOCKED_TRIES):
        try:
            async with engine.connect() as connection:
                if await connection.run_sync(_is_newest):
                    return
            async with engine.begin() as connection:
                await connection.run_sync(_upgrade)
            return
        except OperationalError as error:
            # Two first starters changing SQLite's journal mode: "locked" comes at once there.
            if "locked" not in str(error.orig) or attempt == _LOCKED_TRIES - 1:
                raise
            await asyncio.sleep(0.05)


def revisions() -> list[str]:
    """All revisions this program knows, oldest first: a migration's file is named `r<revision>_<what>.py`."""
    return sorted(file.name[1:].partition("_")[0] for file in (_MIGRATIONS / "versions").glob("r*_*.py"))


def _is_newest(connection: Connection) -> bool:
    known, current = revisions(), None
    if inspect(connection).has_table("alembic_version"):
        current = connection.scalar(text("SELECT version_num FROM alembic_version"))
    if current is not None and current not in known:
        raise NewerDatabase(
            f"it was written by a newer version of Daihyo (revision {current}); "
            "install that version, or restore a backup made before the upgrade"
        )
    return current == known[-1]


def _upgrade(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(
            text("SELECT pg_advisory_xact_lock(:group, :name)"), {"group": LOCK_GROUP, "name": _UPGRADE_LOCK}
        )
    from alembic import command

    # Whoever waited for the lock finds the work done; alembic then has nothing to run.
    if not _is_newest(connection):
        command.upgrade(config(connection), "head")
