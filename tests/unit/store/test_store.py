"""The store on both databases: opening, upgrading, transactions, and what it says when it cannot."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from sqlalchemy import Connection, bindparam, func, inspect, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError, StatementError

from store import (
    AccessEntry,
    Base,
    CallRow,
    EventRow,
    OperatorStateRow,
    Store,
    StoreUnavailable,
    TalkRow,
    User,
    UserSession,
    database,
    upgrade,
)
from store.types import json_type

NOW = datetime(2026, 11, 21, 3, 15, 0, 123456, tzinfo=UTC)


def user(login: str = "op01") -> User:
    return User(login=login, name="操作者01", role="operator", updated_at=NOW)


async def in_database(store: Store, work: object) -> object:
    async with store._engine.begin() as connection:
        return await connection.run_sync(work)  # type: ignore[arg-type]


async def test_the_migrations_make_exactly_the_tables_of_the_program(store: Store) -> None:
    def differences(connection: Connection) -> list[object]:
        return list(compare_metadata(MigrationContext.configure(connection), Base.metadata))

    assert await in_database(store, differences) == []


def test_the_migrations_files_are_named_after_their_revisions_one_after_the_other() -> None:
    script = ScriptDirectory.from_config(upgrade.config())
    assert script.get_heads() == [upgrade.revisions()[-1]]
    assert upgrade.revisions() == [one.revision for one in reversed(list(script.walk_revisions()))]


async def test_opening_again_keeps_what_is_there(database_url: str) -> None:
    async with await Store.open(database_url) as store, store.session() as session:
        session.add(user())
    async with await Store.open(database_url) as store, store.reading() as session:
        found = await session.get(User, "op01")
    assert found is not None
    assert (found.name, found.failed_count, found.must_change) == ("操作者01", 0, False)


async def test_many_programs_may_open_a_new_database_at_once(database_url: str) -> None:
    stores = await asyncio.gather(*(Store.open(database_url) for _ in range(8)))
    for number, store in enumerate(stores):
        async with store.session() as session:
            session.add(user(f"op{number}"))
    async with stores[0].reading() as session:
        assert await session.scalar(select(func.count()).select_from(User)) == 8
        assert await session.scalar(text("SELECT count(*) FROM alembic_version")) == 1
    for store in stores:
        await store.close()


async def test_a_migration_can_be_taken_back_and_made_again(store: Store) -> None:
    def down(connection: Connection) -> list[str]:
        command.downgrade(upgrade.config(connection), "base")
        return inspect(connection).get_table_names()

    assert await in_database(store, down) == ["alembic_version"]
    async with await Store.open(store._engine.url.render_as_string(hide_password=False)) as again:
        async with again.session() as session:
            session.add(user())


async def test_call_records_of_before_queues_was_noted_are_kept(store: Store) -> None:
    def down(connection: Connection) -> None:
        command.downgrade(upgrade.config(connection), "0004")
        connection.execute(
            text(
                "INSERT INTO call_records (call, via, arrived_at, operators, offers, refusals, outcome,"
                " staff) VALUES ('old', 'engine', '2026-11-21 03:15:00.000000', '[]', 0, 0, 'lost', TRUE)"
            )
        )

    await in_database(store, down)
    async with (
        await Store.open(store._engine.url.render_as_string(hide_password=False)) as again,
        again.reading() as session,
    ):
        found = await session.get(CallRow, "old")
    assert found is not None
    assert (found.queues, found.staff, found.outcome) == (None, True, "lost")


@pytest.mark.req("ACD-1")
async def test_what_operators_did_before_it_was_counted_is_taken_over(store: Store) -> None:
    def down(connection: Connection) -> None:
        command.downgrade(upgrade.config(connection), "0005")
        for call, operator in (("c1", "1001"), ("c2", None)):
            connection.execute(
                text(
                    "INSERT INTO call_records (call, via, arrived_at, answered_at, queue, operator,"
                    " operators, offers, refusals, outcome, talk_s, hold_s, wrap_up_s) VALUES (:call,"
                    " 'engine', '2026-11-21 03:15:00.000000', '2026-11-21 03:15:09.000000', 'main',"
                    " :operator, '[]', 1, 0, 'answered', 60, 5, 10)"
                ),
                {"call": call, "operator": operator},
            )
        for number, kind, data in (
            ("1", "operator_state", '{"operator": "1001", "state": "ready"}'),
            ("2", "operator_state", '{"operator": "1001"}'),
            ("3", "operator_next", '{"operator": "1001", "state": "break"}'),
        ):
            connection.execute(
                text("INSERT INTO events (id, at, kind, data) VALUES (:id, :at, :kind, :data)").bindparams(
                    bindparam("data", type_=json_type())
                ),
                {"id": number, "at": "2026-11-21 03:00:00.000000", "kind": kind, "data": json.loads(data)},
            )

    await in_database(store, down)
    async with (
        await Store.open(store._engine.url.render_as_string(hide_password=False)) as again,
        again.reading() as session,
    ):
        (talk,) = await session.scalars(select(TalkRow))
        (state,) = await session.scalars(select(OperatorStateRow))
        record = await session.get_one(CallRow, "c1")
    assert (talk.call, talk.place, talk.operator, talk.queue, talk.offered) == ("c1", 0, "1001", "main", True)
    assert (talk.talk_s, talk.hold_s, talk.wrap_up_s) == (60.0, 5.0, 10.0)
    assert talk.answered_at - talk.arrived_at == timedelta(seconds=9)
    assert (state.id, state.operator, state.state, state.reachable) == ("1", "1001", "ready", None)
    assert (record.answered_queue, record.callback_of) == (None, None)


async def test_a_database_of_a_newer_version_is_left_alone(store: Store) -> None:
    async with store.session() as session:
        await session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreUnavailable, match=r"newer version of Daihyo \(revision 9999\)"):
        await Store.open(store._engine.url.render_as_string(hide_password=False))


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    at=some.datetimes(datetime(1900, 1, 2), datetime(9998, 1, 1)),  # noqa: DTZ001
    offset=some.integers(-14 * 60, 14 * 60),
)
async def test_times_come_back_as_the_same_instant_in_utc(store: Store, at: datetime, offset: int) -> None:
    given_at = at.replace(tzinfo=timezone(timedelta(minutes=offset)))
    async with store.session() as session:
        row = AccessEntry(at=given_at, action="test")
        session.add(row)
        await session.flush()
        number = row.id
    async with store.reading() as session:
        found = (await session.scalars(select(AccessEntry.at).where(AccessEntry.id == number))).one()
    assert found == given_at
    assert found.utcoffset() == timedelta(0)


async def test_times_sort_and_compare_across_zones(store: Store) -> None:
    jst = timezone(timedelta(hours=9))
    for hour, action in ((9, "first"), (10, "second"), (11, "third")):
        async with store.session() as session:
            session.add(AccessEntry(at=datetime(2026, 11, 21, hour, tzinfo=jst), action=action))
    async with store.reading() as session:
        later = AccessEntry.at >= datetime(2026, 11, 21, 1, tzinfo=UTC)  # 10 o'clock in Japan
        found = await session.scalars(select(AccessEntry.action).where(later).order_by(AccessEntry.at))
        assert found.all() == ["second", "third"]


async def test_a_time_without_a_zone_is_refused(store: Store) -> None:
    with pytest.raises(StatementError, match="without a zone"):
        async with store.session() as session:
            session.add(AccessEntry(at=datetime(2026, 11, 21), action="test"))  # noqa: DTZ001


async def test_a_transaction_is_whole_or_nothing(store: Store) -> None:
    async def fails_half_way() -> None:
        async with store.session() as session:
            session.add(user())
            await session.flush()
            raise RuntimeError("half way")

    with pytest.raises(RuntimeError):
        await fails_half_way()
    async with store.reading() as session:
        assert await session.get(User, "op01") is None


async def test_reading_cannot_write(store: Store) -> None:
    with pytest.raises((DBAPIError, StoreUnavailable)):
        async with store.reading() as session:
            session.add(user())
    async with store.session() as session:  # the same connection may write afterwards
        session.add(user("op02"))
    async with store.reading() as session:
        assert (await session.scalars(select(User.login))).all() == ["op02"]


async def test_readers_see_the_old_state_while_somebody_writes(store: Store) -> None:
    async with store.session() as writing:
        writing.add(user())
        await writing.flush()
        async with store.reading() as session:
            assert await session.get(User, "op01") is None


async def test_transactions_that_read_and_then_write_do_not_fail_each_other(store: Store) -> None:
    async with store.session() as session:
        session.add(user())

    async def count_up() -> None:
        async with store.session() as session:
            await session.execute(select(User))
            await session.execute(update(User).values(failed_count=User.failed_count + 1))

    await asyncio.gather(*(count_up() for _ in range(10)))
    async with store.reading() as session:
        assert await session.scalar(select(User.failed_count)) == 10


async def test_one_at_a_time_in_a_locked_section(database_url: str) -> None:
    stores = await asyncio.gather(*(Store.open(database_url) for _ in range(4)))
    inside = most = 0

    async def work(store: Store) -> None:
        nonlocal inside, most
        async with store.session() as session:
            await store.lock(session, "section")
            inside += 1
            most = max(most, inside)
            await session.execute(text("SELECT 1"))
            await asyncio.sleep(0)
            inside -= 1

    await asyncio.gather(*(work(store) for store in stores for _ in range(3)))
    assert most == 1
    for store in stores:
        await store.close()


async def test_sign_ins_belong_to_users_and_go_with_them(store: Store) -> None:
    def sign_in(login: str) -> UserSession:
        return UserSession(
            token_hash=f"hash of {login}",
            login=login,
            csrf="c",
            created_at=NOW,
            last_seen_at=NOW,
            expires_at=NOW,
        )

    with pytest.raises(IntegrityError):
        async with store.session() as session:
            session.add(sign_in("nobody"))
    async with store.session() as session:
        session.add(user())
        await session.flush()
        session.add(sign_in("op01"))
    async with store.session() as session:
        await session.execute(text("DELETE FROM users"))
    async with store.reading() as session:
        assert (await session.scalars(select(UserSession))).all() == []


async def test_event_data_keeps_its_shape(store: Store) -> None:
    data = {"because": {"rule": "longest_idle", "idle_s": 12.5, "among": 7}, "prefer": None, "名": ["あ", 1]}
    async with store.session() as session:
        session.add(EventRow(id="1", at=NOW, kind="offered", data=data))
    async with store.reading() as session:
        found = await session.get(EventRow, "1")
    assert found is not None
    assert (found.data, found.at, found.mono, found.call) == (data, NOW, None, None)


@pytest.mark.req("SEC-5")
@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("", "cannot be read"),
        ("ない", "cannot be read"),
        ("mysql://daihyo:geheim@localhost/x", "cannot use 'mysql'"),
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "names no file"),
        ("sqlite:////no/such/folder/daihyo.db", "check that its folder exists"),
        ("postgresql://daihyo:geheim@/daihyo?host=/no/such/folder", "start PostgreSQL"),
        ("postgresql://daihyo:geheim@127.0.0.1:1/daihyo", "start PostgreSQL"),
    ],
)
async def test_what_cannot_be_opened_is_told_in_one_line(url: str, says: str) -> None:
    with pytest.raises(StoreUnavailable) as told:
        await Store.open(url)
    assert says in str(told.value)
    assert "\n" not in str(told.value)
    assert "geheim" not in str(told.value)


async def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "x.db").write_text("これはデータベースではありません" * 100)
    with pytest.raises(StoreUnavailable, match="not a database; move it away"):
        await Store.open(f"sqlite:///{tmp_path}/x.db")


async def test_a_folder_in_place_of_the_file(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="check that its folder"):
        await Store.open(f"sqlite:///{tmp_path}")


async def test_the_sqlite_file_is_its_owners_alone(tmp_path: Path) -> None:
    async with await Store.open(f"sqlite:///{tmp_path}/x.db") as store, store.session() as session:
        session.add(user())
        await session.flush()
        modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    assert modes == {"x.db": 0o600, "x.db-wal": 0o600, "x.db-shm": 0o600}


async def test_a_writer_that_never_ends_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "SQLITE_BUSY_S", 0.05)
    async with await Store.open(f"sqlite:///{tmp_path}/x.db") as store:
        other = sqlite3.connect(tmp_path / "x.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailable, match="locked; another program holds it"):
            async with store.session() as session:
                session.add(user())
        other.close()
        async with store.session() as session:
            session.add(user())


@pytest.mark.req("REL-5")
async def test_a_full_disk_is_named_and_nothing_is_half_written(tmp_path: Path) -> None:
    async with await Store.open(f"sqlite:///{tmp_path}/x.db") as store:

        async def write_much() -> None:
            async with store.session() as session:
                await session.execute(text("PRAGMA max_page_count=1"))  # SQLite's own way to be out of space
                session.add(user())
                await session.flush()
                session.add(AccessEntry(at=NOW, action="x" * 200_000))

        with pytest.raises(StoreUnavailable, match="full; free space on that disk"):
            await write_much()
        async with store.reading() as session:
            assert (await session.scalars(select(User))).all() == []


async def test_the_address_shown_hides_the_password(tmp_path: Path) -> None:
    async with await Store.open(f"sqlite:///{tmp_path}/x.db") as store:
        assert store.url == f"sqlite+aiosqlite:///{tmp_path}/x.db"
        assert store.dialect == "sqlite"
