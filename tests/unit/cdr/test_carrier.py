"""From the journal into the database: each event once, whatever happens on the way; on both databases."""

from __future__ import annotations

import asyncio
import random
import zlib
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, func, select

from cdr import (
    Carrier,
    Event,
    Journal,
    Problem,
    call,
    carry,
    read_journal,
    recompute,
    record_of,
    remove_carried,
)
from cdr import carrier as carrier_module
from cdr.events import to_line
from cdr.segments import segments
from store import CallRow, Carried, EventRow, Store, StoreUnavailable, WrapUp
from tests.support.events import NINE, Story, abandoned, answered


def put(folder: Path, *stories: Story, name: str = "00000001-20261121T000000Z-aaaaaaaa.jsonl") -> Path:
    """Writes events as a journal would have."""
    folder.mkdir(exist_ok=True)
    file = folder / name
    with file.open("ab") as out:
        out.writelines(to_line(event) for story in stories for event in story.events)
    return file


async def in_database(store: Store) -> list[str]:
    async with store.reading() as session:
        return list(await session.scalars(select(EventRow.id).order_by(EventRow.id)))


async def record_in(store: Store, call_id: str) -> object:
    found = await call(store, call_id)
    return found and found.record


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "journal"


async def test_events_and_records_arrive(store: Store, folder: Path) -> None:
    stories = [answered("c1"), abandoned("c2"), answered("c3", operator="1002")]
    put(folder, *stories)
    assert await carry(folder, store) == sum(len(story.events) for story in stories)
    for story in stories:
        found = await call(store, story.call)
        assert found is not None
        assert found.record == record_of(story.events)
        assert found.events == story.events


async def test_a_second_time_nothing_is_new(store: Store, folder: Path) -> None:
    put(folder, answered("c1"))
    carrier = Carrier(folder, store)
    assert await carrier.carry() == 10
    assert await carrier.carry() == 0
    assert await Carrier(folder, store).carry() == 0
    assert len(await in_database(store)) == 10


async def test_nothing_new_costs_no_transaction(
    store: Store, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(folder, answered("c1"))
    carrier = Carrier(folder, store)
    await carrier.carry()
    monkeypatch.setattr(store, "session", lambda: pytest.fail("the database was asked for nothing"))
    assert await carrier.carry() == 0


async def test_a_call_grows_over_many_carries_and_segments(store: Store, folder: Path) -> None:
    carrier, story = Carrier(folder, store), answered("c1")
    for number, event in enumerate(story.events, 1):
        part = Story("c1")
        part.events = [event]
        put(folder, part, name=f"{number // 3 + 1:08d}-20261121T000000Z-aaaaaaaa.jsonl")
        assert await carrier.carry() == 1
        assert await record_in(store, "c1") == record_of(story.events[:number])


async def test_a_line_being_written_waits_for_its_end(store: Store, folder: Path) -> None:
    file = put(folder, answered("c1"))
    whole = file.read_bytes()
    carrier = Carrier(folder, store)
    file.write_bytes(whole[:-20])
    assert await carrier.carry() == 9
    assert await carrier.carry() == 0
    file.write_bytes(whole)
    assert await carrier.carry() == 1
    assert len(await in_database(store)) == 10


async def test_no_journal_yet(store: Store, folder: Path) -> None:
    assert await carry(folder, store) == 0


async def test_a_real_journal_while_it_is_written(store: Store, folder: Path) -> None:
    carrier = Carrier(folder, store)
    with Journal(folder, segment_bytes=5000) as journal:
        for number in range(10):
            for kind in ("arrived", "queued", "ended"):
                journal.append(kind, call=f"c{number}", number="1", queue="main", by="caller")
            journal.append("operator_state", operator="1001", state="ready", text="\0\ud800")
            assert await journal.synced(30)
            assert await carrier.carry() == 4
    assert await in_database(store) == [event.id for event in read_journal(folder)]


@pytest.mark.req("REL-4")
async def test_two_carriers_at_once_carry_each_event_once(
    store: Store, database_url: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(carrier_module, "BATCH_BYTES", 3000)
    stories = [answered(f"c{number:02d}") for number in range(40)]
    put(folder, *stories[:25])
    put(folder, *stories[25:], name="00000002-20261121T000000Z-aaaaaaaa.jsonl")
    async with await Store.open(database_url) as second:
        counts = await asyncio.gather(
            carry(folder, store), carry(folder, second), carry(folder, store), carry(folder, second)
        )
    assert sum(counts) == 400
    assert len(await in_database(store)) == 400
    async with store.reading() as session:
        assert await session.scalar(select(func.sum(Carried.events))) == 400
        assert await session.scalar(select(func.count()).select_from(CallRow)) == 40
        assert await session.scalar(select(func.count()).select_from(WrapUp)) == 40


@pytest.mark.req("REL-4")
async def test_a_carrier_stopped_anywhere_does_no_harm(
    store: Store, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cancelled after a random number of steps of the loop, again and again."""
    monkeypatch.setattr(carrier_module, "BATCH_BYTES", 2000)
    stories = [answered(f"c{number:02d}") for number in range(12)]
    put(folder, *stories)
    chance = random.Random(1)
    for _ in range(25):
        task = asyncio.create_task(carry(folder, store))
        for _ in range(chance.randint(1, 60)):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        async with store.reading() as session:  # never events without their place in the file
            events = await session.scalar(select(func.count()).select_from(EventRow))
            carried = await session.scalar(select(func.coalesce(func.sum(Carried.events), 0)))
        assert events == carried
    await carry(folder, store)
    assert len(await in_database(store)) == 120
    for story in stories:
        assert await record_in(store, story.call) == record_of(story.events)


async def test_a_lost_place_in_the_file_doubles_nothing(store: Store, folder: Path) -> None:
    put(folder, answered("c1"))
    await carry(folder, store)
    async with store.session() as session:
        await session.execute(delete(Carried))
    assert await carry(folder, store) == 0
    assert len(await in_database(store)) == 10


async def test_a_restored_backup_is_filled_up_again(store: Store, folder: Path) -> None:
    put(folder, answered("c1"), answered("c2"))
    await carry(folder, store)
    async with store.session() as session:
        for table in (Carried, EventRow, CallRow, WrapUp):
            await session.execute(delete(table))
    assert await carry(folder, store) == 20


async def test_a_corrupt_line_is_reported_counted_and_passed(store: Store, folder: Path) -> None:
    file = put(folder, answered("c1"))
    lines = file.read_bytes().splitlines(keepends=True)
    lines[3] = b'{"id": "x"}\n'
    file.write_bytes(b"".join(lines))
    problems: list[Problem] = []
    assert await Carrier(folder, store, report=problems.append).carry() == 9
    assert [(problem.file, problem.line, problem.why) for problem in problems] == [
        (file, 4, "it has no checksum")
    ]
    async with store.reading() as session:
        row = await session.get(Carried, file.name)
    assert row is not None
    assert (row.events, row.corrupt, row.position) == (9, 1, file.stat().st_size)


async def test_an_event_that_the_database_refuses_stops_nothing(store: Store, folder: Path) -> None:
    story = answered("c1")
    file = put(folder, story)
    # A NUL, which PostgreSQL cannot hold, in a line whose checksum is right.
    line = to_line(Event("zz", NINE, None, "c1", "NUL"))[: -len(',"sum":"00000000"}') - 1]
    line = line.replace(b"NUL", rb"\u0000")
    with file.open("ab") as out:
        out.write(b'%b,"sum":"%08x"}\n' % (line, zlib.crc32(line)))
    put(folder, abandoned("c2"))
    problems: list[Problem] = []
    carried = await Carrier(folder, store, report=problems.append).carry()
    assert carried == (14 if store.dialect == "sqlite" else 13)
    assert [problem.why for problem in problems] == (
        [] if store.dialect == "sqlite" else ["the database refuses it (DataError)"]
    )
    assert await record_in(store, "c2") == record_of(abandoned("c2").events)


async def test_wrap_ups_are_kept_once_each(store: Store, folder: Path) -> None:
    story = answered("c1").at(300, "wrapped_up", operator="1001", by="operator", result=1, note="遅れて記入")
    put(folder, story)
    await carry(folder, store)
    found = await call(store, "c1")
    assert found is not None
    assert [(note.operator, note.result, note.category, note.note, note.by) for note in found.wrap_ups] == [
        ("1001", "完了", "住民票", "", "operator"),
        ("1001", "1", None, "遅れて記入", "operator"),
    ]


@pytest.mark.req("XFR-1", "OPR-4")
async def test_transfers_marks_and_what_a_wrap_up_says_arrive_as_they_were_told(
    store: Store, folder: Path
) -> None:
    to = {"kind": "extension", "number": "2345", "name": "税務課", "entry": 7}
    story = Story("c1").at(0, "arrived", number="1").at(6, "answered", operator="1001")
    story.at(20, "transfer_begun", operator="1001", how="consult", place=1, to=to, leg="x1")
    story.at(22.5, "transfer_answered", leg="x1", place=1).at(30, "marked", mark="harassment", on=True)
    story.at(35, "wrapped_up", operator="1001", faq=["3", 4], follow_up={"kind": "callback", "subject": "x"})
    story.at(40, "transferred", operator="1001", leg="x1", place=1).at(60, "ended", by="outside")
    story.at(500, "wrapped_up", operator="1001", faq="odd", follow_up="case")
    put(folder, story)
    await carry(folder, store)
    record = record_of(story.events)
    assert record.transfers[0].talk_s == 37.5
    assert await record_in(store, "c1") == record
    found = await call(store, "c1")
    assert found is not None
    assert [(note.faq, note.follow_up) for note in found.wrap_ups] == [
        (("3", "4"), "callback"),
        ((), "case"),
    ]


async def test_records_can_be_computed_again(store: Store, folder: Path) -> None:
    stories = [answered("c1").at(30, "marked", mark="emergency", on=True), abandoned("c2")]
    put(folder, *stories)
    await carry(folder, store)
    async with store.session() as session:
        await session.execute(delete(CallRow).where(CallRow.call == "c1"))
        (await session.get_one(CallRow, "c2")).outcome = "answered"
        (await session.get_one(CallRow, "c2")).transfers = [{"place": 1}]
    assert await recompute(store) == 2
    for story in stories:
        assert await record_in(store, story.call) == record_of(story.events)


async def test_events_of_no_call_are_carried_too(store: Store, folder: Path) -> None:
    alone = Story()
    alone.events = [Event("1", NINE, 1.0, None, "engine_started", {"pid": 1}, "b1")]
    put(folder, alone)
    assert await carry(folder, store) == 1
    async with store.reading() as session:
        assert await session.scalar(select(func.count()).select_from(CallRow)) == 0


async def test_only_what_nobody_needs_is_removed(store: Store, folder: Path) -> None:
    now = timedelta(0)
    for kind, who in [("arrived", "c1"), ("ended", "c1"), ("arrived", "c2"), ("arrived", "c3")]:
        with Journal(folder) as journal:
            journal.append(kind, call=who, by="caller")
    files = segments(folder)
    assert await remove_carried(folder, store, older_than=now) == []  # nothing carried yet
    await carry(folder, store)
    assert await remove_carried(folder, store, older_than=timedelta(days=1)) == []  # not old
    assert await remove_carried(folder, store, older_than=now) == files[:2]  # c2 is open, the last one stays
    assert segments(folder) == files[2:]
    assert await carry(folder, store) == 0
    assert await remove_carried(folder / "none", store, older_than=now) == []


@pytest.mark.req("REL-4")
async def test_run_tells_that_the_database_is_away_and_goes_on_when_it_is_back(
    store: Store, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told, back = asyncio.Event(), asyncio.Event()
    carrier = Carrier(folder, store)
    real = carrier.carry

    async def away() -> int:
        if not back.is_set():
            asyncio.get_running_loop().call_soon(told.set)
            raise StoreUnavailable("database x: away; start it")
        try:
            return await real()
        finally:
            asyncio.get_running_loop().call_soon(carried.set)

    carried = asyncio.Event()
    monkeypatch.setattr(carrier, "carry", away)
    put(folder, answered("c1"))
    running = asyncio.create_task(carrier.run(0.001))
    await asyncio.wait_for(told.wait(), 30)
    assert carrier.problem == "database x: away; start it"
    back.set()
    await asyncio.wait_for(carried.wait(), 30)
    assert carrier.problem is None
    assert len(await in_database(store)) == 10
    running.cancel()


async def test_run_survives_a_slip_of_ours(
    store: Store, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    carrier, tries = Carrier(folder, store), asyncio.Semaphore(0)

    async def slips() -> int:
        tries.release()
        raise RuntimeError("slip")

    monkeypatch.setattr(carrier, "carry", slips)
    running = asyncio.create_task(carrier.run(0.001))
    for _ in range(3):
        await asyncio.wait_for(tries.acquire(), 30)
    assert carrier.problem == "carrying the journal failed: RuntimeError; see the log"
    running.cancel()
