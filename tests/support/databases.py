"""Fixtures: a database of either kind. A conftest.py imports them.

All tables are made by the migrations once in each test process; tests that do not look at the migrations
themselves take copies of that."""

from __future__ import annotations

import asyncio
import atexit
import functools
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from store import Store
from tests.support import postgres


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database, empty unless the test has `store` too; the test runs once on SQLite and once on
    PostgreSQL."""
    filled = "store" in request.fixturenames
    if request.param == "sqlite":
        file = tmp_path / "test.db"
        yield sqlite_with_tables(file) if filled else f"sqlite:///{file}"
        return
    try:
        cluster = postgres.shared()
    except postgres.NoPostgres as missing:
        pytest.skip(str(missing))
    url = cluster.new_database(_template(cluster) if filled else postgres.EMPTY)
    yield url
    cluster.drop_database(url)


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[Store]:
    """An open store on it."""
    async with await Store.open(database_url) as opened:
        yield opened


def sqlite_with_tables(file: Path) -> str:
    """Makes a database with all tables, without rows; returns its URL."""
    shutil.copy(_file(), file)
    return f"sqlite:///{file}"


@functools.cache
def _file() -> Path:
    folder = tempfile.mkdtemp(prefix="daihyo-db-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    _migrated(f"sqlite:///{folder}/template.db")
    return Path(folder, "template.db")


@functools.cache
def _template(cluster: postgres.Postgres) -> str:
    url = cluster.new_database()
    _migrated(url)
    return postgres.name_of(url)


def _migrated(url: str) -> None:
    async def opened() -> None:
        await (await Store.open(url)).close()

    with ThreadPoolExecutor(1) as beside:  # the caller may be in a loop
        beside.submit(asyncio.run, opened()).result()
