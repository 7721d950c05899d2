"""The database: opening it, bringing its tables up to date, and transactions on it."""

from __future__ import annotations

import os
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

from sqlalchemy import URL, Connection, event, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine

from store import upgrade

# How long a writer waits for another one's transaction on SQLite before it gives up.
SQLITE_BUSY_S = 10.0
# A dead network must show as an error, not as a wait for ever.
POSTGRES_CONNECT = {
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
    "application_name": "daihyo",
}


class StoreUnavailable(Exception):
    """The database cannot be used now. The text is one line: what happened, where, what to do."""


class Store:
    """The open database.

        store = await Store.open("sqlite:////var/lib/daihyo/daihyo.db")
        async with store.session() as session:      # a transaction: commits at the end, or rolls back
            session.add(User(...))
        async with store.reading() as session:      # the same, for reading only
            rows = (await session.scalars(select(User))).all()
        await store.close()

    Both raise StoreUnavailable when the database goes away; the next try opens a new connection.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        """Use `Store.open`: it checks the URL and brings the tables up to date."""
        self._engine = engine
        self._writers = async_sessionmaker(engine, expire_on_commit=False)
        reading: dict[str, Any] = {"reading": True}
        if engine.dialect.name == "postgresql":
            reading["postgresql_readonly"] = True
        self._readers = async_sessionmaker(engine.execution_options(**reading), expire_on_commit=False)

    @classmethod
    async def open(cls, url: str) -> Store:
        """Opens (and if need be creates or upgrades) the database at `url`: `sqlite:///FILE` or
        `postgresql://USER[:PASSWORD]@HOST/NAME`, also with a driver (`+aiosqlite`, `+psycopg`).

        Several programs may do this at once: one upgrades, the others wait for it. Raises StoreUnavailable.
        """
        target = _checked(url)
        engine = _engine(target)
        try:
            with _clean_errors(target):
                await upgrade.to_newest(engine)
        except upgrade.NewerDatabase as error:
            await engine.dispose()
            raise StoreUnavailable(f"database {_shown(target)}: {error}") from None
        except BaseException:
            await engine.dispose()
            raise
        return cls(engine)

    @property
    def url(self) -> str:
        """Where the database is, without its password."""
        return _shown(self._engine.url)

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        return self._engine.dialect.name

    @asynccontextmanager
    async def session(self) -> AsyncIterator[AsyncSession]:
        """One transaction that may write. On SQLite it holds the only writer's place from its first
        statement on: keep it short, await nothing slow in it."""
        with _clean_errors(self._engine.url):
            async with self._writers.begin() as session:
                yield session

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncSession]:
        """One transaction that only reads: sees one state of the data and hinders no writer."""
        with _clean_errors(self._engine.url):
            async with self._readers.begin() as session:
                yield session

    async def lock(self, session: AsyncSession, name: str) -> None:
        """Makes this transaction the only one in the `name` section, over all processes, until it ends."""
        if self.dialect == "postgresql":
            await session.execute(
                text("SELECT pg_advisory_xact_lock(:group, :name)"),
                {"group": upgrade.LOCK_GROUP, "name": zlib.crc32(name.encode()) - 2**31},
            )
        else:
            await session.connection()  # BEGIN IMMEDIATE: SQLite has one writer anyway

    async def close(self) -> None:
        """Closes all connections; running transactions are rolled back."""
        await self._engine.dispose()

    async def __aenter__(self) -> Store:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


class _clean_errors:
    """Turns "the database is away" in any of its forms into StoreUnavailable; slips of ours pass through."""

    def __init__(self, url: URL) -> None:
        self._url = url

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None or not _is_away(error):
            return
        where, why = _shown(self._url), _one_line(error)
        raise StoreUnavailable(f"database {where}: {why}; {_advice(self._url, why)}") from error


def _is_away(error: BaseException) -> bool:
    match error:
        case OperationalError() | InterfaceError():
            return "no such table" not in str(error.orig) and "no such column" not in str(error.orig)
        case DBAPIError():
            broken_file = any(sign in str(error.orig) for sign in ("not a database", "malformed"))
            return error.connection_invalidated or broken_file
        case PoolTimeout() | OSError():
            return True
    return False


def _one_line(error: BaseException) -> str:
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    lines = [line.strip() for line in str(cause).splitlines() if line.strip()]
    return (lines[0] if lines else type(cause).__name__)[:300].rstrip(".;")


def _advice(url: URL, why: str) -> str:
    if url.get_backend_name() == "postgresql":
        if "does not exist" in why:
            return "create it (createdb, createuser) or correct --database"
        if "authentication" in why or "password" in why:
            return "check user and password in --database"
        return "start PostgreSQL or correct --database; what is not written yet is kept in the journal"
    if "full" in why:
        return "free space on that disk"
    if "locked" in why:
        return "another program holds it; try again, or use PostgreSQL for several machines"
    if "not a database" in why or "malformed" in why:
        return "move it away and restore it from a backup, or name another file in --database"
    return "check that its folder exists and may be written to"


def _shown(url: URL) -> str:
    return url.render_as_string(hide_password=True)


def _checked(url: str) -> URL:
    """The URL with the driver we use, or StoreUnavailable saying what is wrong with it."""
    forms = "use sqlite:///FILE or postgresql://USER@HOST/NAME"
    try:
        target = make_url(url)
    except ArgumentError:
        # The text may hold a password: it is not repeated.
        raise StoreUnavailable(f"the database address cannot be read; {forms}") from None
    match target.get_backend_name():
        case "sqlite":
            if not target.database or target.database == ":memory:" or "mode=memory" in target.database:
                raise StoreUnavailable(f"database {_shown(target)}: names no file; {forms}")
            return target.set(drivername="sqlite+aiosqlite")
        case "postgresql" | "postgres":
            return target.set(drivername="postgresql+psycopg")
        case other:
            raise StoreUnavailable(f"database {_shown(target)}: cannot use {other!r}; {forms}")


def _engine(url: URL) -> AsyncEngine:
    if url.get_backend_name() == "postgresql":
        settings = {key: value for key, value in POSTGRES_CONNECT.items() if key not in url.query}
        # pre_ping: a connection that died while idle is replaced before it costs anybody an error.
        return create_async_engine(url, connect_args=settings, pool_pre_ping=True, pool_timeout=10)
    _make_private(Path(url.database or ""), url)
    # The pool waits as long for a free connection as SQLite waits for a free writer's place.
    engine = create_async_engine(url, connect_args={"timeout": SQLITE_BUSY_S}, pool_timeout=SQLITE_BUSY_S)
    event.listen(engine.sync_engine, "connect", _prepare_sqlite)
    event.listen(engine.sync_engine, "begin", _begin_sqlite)
    event.listen(engine.sync_engine, "invalidate", _roll_back_sqlite)
    return engine


def _make_private(path: Path, url: URL) -> None:
    """Creates the file so that only its owner reads it; SQLite gives its -wal and -shm the same rights."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise StoreUnavailable(
            f"database {_shown(url)}: {error.strerror}; check that its folder exists and may be written to"
        ) from None


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    # None: the driver begins no transactions by itself; `_begin_sqlite` does, on time.
    connection.isolation_level = None
    cursor = connection.cursor()
    try:
        cursor.execute(f"PRAGMA busy_timeout={int(SQLITE_BUSY_S * 1000)}")
        cursor.execute("PRAGMA journal_mode")
        if cursor.fetchone()[0] != "wal":
            cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
    finally:
        cursor.close()


def _roll_back_sqlite(connection: Any, _record: Any, _error: BaseException | None) -> None:
    # Whoever waits for the database is cancelled: SQLAlchemy closes the connection, but while a cursor of the
    # cancelled statement lives somewhere SQLite keeps it, and with it the only writer's place. So the
    # transaction ends first, behind the statement, in the connection's own thread; nobody waits for that.
    driver = connection.driver_connection
    if driver is not None and driver._connection is not None:
        driver._tx.put_nowait((None, driver._connection.rollback))


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that reads first and writes later fails at once when another wrote in between (no busy
    # timeout applies), so one that may write takes the writer's place at its beginning.
    reading = bool(connection.get_execution_options().get("reading"))
    connection.exec_driver_sql(f"PRAGMA query_only={int(reading)}")
    connection.exec_driver_sql("BEGIN DEFERRED" if reading else "BEGIN IMMEDIATE")
