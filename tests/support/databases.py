"""Fixtures: an empty database of either kind. A conftest.py imports them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from store import Store
from tests.support import postgres


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database; the test runs once on SQLite and once on PostgreSQL."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/test.db"
        return
    try:
        cluster = postgres.shared()
    except postgres.NoPostgres as missing:
        pytest.skip(str(missing))
    url = cluster.new_database()
    yield url
    cluster.drop_database(url)


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[Store]:
    """An open store on it."""
    async with await Store.open(database_url) as opened:
        yield opened
