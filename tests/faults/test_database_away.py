"""The database stops, is killed, comes back: the journal goes on, and everything arrives once."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import textwrap
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from sqlalchemy import func, select

from cdr import Carrier, Journal, read_journal
from store import CallRow, Carried, EventRow, Store, StoreUnavailable
from tests.support.databases import database_url
from tests.support.postgres import NoPostgres, Postgres

__all__ = ["database_url"]


@pytest.fixture
async def cluster() -> AsyncIterator[Postgres]:
    """A PostgreSQL of this test's own, that it may stop."""
    try:
        own = await asyncio.to_thread(Postgres)
    except NoPostgres as missing:
        pytest.skip(str(missing))
    await asyncio.to_thread(own.start)
    yield own
    await asyncio.to_thread(own.remove)


async def until(what: Callable[[], bool]) -> None:
    """Waits for something another task brings about."""
    async with asyncio.timeout(60):
        while not what():
            await asyncio.sleep(0.01)


async def events_in(store: Store) -> list[str]:
    async with store.reading() as session:
        return list(await session.scalars(select(EventRow.id).order_by(EventRow.id)))


def a_call(journal: Journal, number: int) -> None:
    for kind in ("arrived", "queued", "answered", "ended"):
        journal.append(kind, call=f"c{number}", number="0246221111", queue="main", operator="1001")


@pytest.mark.req("REL-4")
async def test_stopped_and_killed_and_started_again(cluster: Postgres, tmp_path: Path) -> None:
    store = await Store.open(cluster.new_database())
    carrier = Carrier(tmp_path, store)
    running = asyncio.create_task(carrier.run(0.01))
    calls = 0
    with Journal(tmp_path) as journal:
        for end in (cluster.stop, cluster.kill):
            for _ in range(20):
                a_call(journal, calls := calls + 1)
                await journal.synced()
            await asyncio.to_thread(end)
            for _ in range(20):  # calls go on
                a_call(journal, calls := calls + 1)
                assert await journal.synced(30)
            await until(lambda: carrier.problem is not None)
            assert carrier.problem is not None
            assert "start PostgreSQL" in carrier.problem
            assert "\n" not in carrier.problem
            with pytest.raises(StoreUnavailable):
                await events_in(store)
            await asyncio.to_thread(cluster.start)
            await until(lambda: carrier.problem is None)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await carrier.carry()
    written = [event.id for event in read_journal(tmp_path)]
    # synchronous_commit is off here for speed: what a killed server had promised, it may have forgotten, but
    # always events together with their place in the file.
    assert await events_in(store) == written
    async with store.reading() as session:
        assert await session.scalar(select(func.count()).select_from(CallRow)) == calls == 80
        assert await session.scalar(select(func.sum(Carried.events))) == len(written) == 320
    await store.close()


@pytest.mark.req("REL-4")
async def test_a_database_away_at_the_start_is_said_in_one_line(cluster: Postgres) -> None:
    url = cluster.new_database()
    await asyncio.to_thread(cluster.stop)
    with pytest.raises(StoreUnavailable, match="start PostgreSQL or correct --database") as told:
        await Store.open(url)
    assert "\n" not in str(told.value)
    await asyncio.to_thread(cluster.start)
    await (await Store.open(url)).close()


CARRIER = textwrap.dedent("""
    import asyncio, sys
    from pathlib import Path
    from cdr import Carrier, carrier
    from store import Store

    carrier.BATCH_BYTES = 2000

    async def main():
        async with await Store.open(sys.argv[2]) as store:
            print("open", flush=True)
            await Carrier(Path(sys.argv[1]), store).run(0.02)

    asyncio.run(main())
""")


def carrier_process(folder: Path, url: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", CARRIER, str(folder), url],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )


async def count_in(store: Store) -> int:
    async with store.reading() as session:
        return await session.scalar(select(func.count()).select_from(EventRow)) or 0


@pytest.mark.req("REL-4")
async def test_two_carriers_killed_in_mid_work(database_url: str, tmp_path: Path) -> None:
    folder, calls = tmp_path / "journal", 0
    async with await Store.open(database_url) as store:
        with Journal(folder) as journal:
            for _ in range(2):
                workers = [carrier_process(folder, database_url) for _ in range(2)]
                for worker in workers:
                    assert worker.stdout is not None
                    await asyncio.to_thread(worker.stdout.readline)
                before = await count_in(store)
                for _ in range(50):
                    a_call(journal, calls := calls + 1)
                while await count_in(store) < before + 20:  # they are in the middle of it
                    await asyncio.sleep(0.05)
                for worker in workers:
                    worker.send_signal(signal.SIGKILL)
                    await asyncio.to_thread(worker.communicate)
            assert await journal.synced(30)
        await Carrier(folder, store).carry()
        assert await events_in(store) == [event.id for event in read_journal(folder)]
        async with store.reading() as session:
            assert await session.scalar(select(func.count()).select_from(CallRow)) == calls
            assert await session.scalar(select(func.sum(Carried.events))) == calls * 4
