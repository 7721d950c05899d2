"""Changing the directory, and noticing that it was changed."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

import desk
from desk import Directory, DirectoryChanged, Entry, NoEntry, difference
from store import AccessEntry, Store


def line(department: str, extension: str, person: str = "", note: str = "") -> Entry:
    return Entry(department, person=person, extension=extension, note=note)


def logged(action: str) -> list[AccessEntry]:
    return [AccessEntry(at=datetime.now(UTC), login="sv01", address=None, action=action, detail=None)]


async def actions(store: Store) -> list[str]:
    async with store.reading() as session:
        return list(await session.scalars(select(AccessEntry.action).order_by(AccessEntry.id)))


def texts(hall: Directory) -> list[tuple[str, str, str]]:
    return [(one.department, one.extension, one.note) for one in hall.entries]


@pytest.mark.req("XFR-2")
def test_what_an_import_changes() -> None:
    now = [line("環境課", "10"), line("市民課", "20"), line("税務課", "30", "青木"), line("総務課", "40")]
    wanted = [
        line("市民課", "20"),  # moved, the same
        line("環境課", "11"),  # another extension
        line("資産税課", "30", "青木"),  # renamed, known by number and person
        line("広報課", "50"),
    ]
    found = difference(now, wanted)
    assert found.added == (wanted[3],)
    assert found.removed == (now[3],)
    assert found.changed == ((now[0], wanted[1]), (now[2], wanted[2]))
    assert found.same == 1
    assert difference(now, now).nothing


_ENTRIES = st.lists(
    st.builds(
        Entry,
        st.sampled_from(["環境課", "市民課"]),
        person=st.sampled_from(["", "青木"]),
        extension=st.sampled_from(["10", "20", "30"]),
    ),
    max_size=8,
)


@pytest.mark.req("XFR-2")
@given(_ENTRIES, _ENTRIES)
def test_every_entry_is_counted_once(now: list[Entry], wanted: list[Entry]) -> None:
    found = difference(now, wanted)
    assert len(found.added) + len(found.changed) + found.same == len(wanted)
    assert len(found.removed) + len(found.changed) + found.same == len(now)
    assert found.nothing is (sorted(e.values() for e in now) == sorted(e.values() for e in wanted))
    assert all(before != after for before, after in found.changed)


@pytest.mark.req("XFR-2")
async def test_an_import_replaces_all_and_keeps_the_ids_of_what_stays(store: Store) -> None:
    first = [line("環境課", "10"), line("市民課", "20"), line("総務課", "40")]
    done = await desk.replace(store, first, "sv01", logged=logged("directory_import"))
    assert (len(done.added), done.same) == (3, 0)
    before = await Directory.load(store)
    ids = {one.department: one.id for one in before.entries}
    wanted = [line("広報課", "50"), line("総務課", "40"), line("環境課", "11")]
    done = await desk.replace(store, wanted, "admin", expected=before.stamp)
    assert (len(done.added), len(done.removed), len(done.changed), done.same) == (1, 1, 1, 1)
    after = await Directory.load(store)
    assert texts(after) == [("広報課", "50", ""), ("総務課", "40", ""), ("環境課", "11", "")]
    assert [after.entries[n].id for n in (1, 2)] == [ids["総務課"], ids["環境課"]]
    assert after.entries[2].changed_by == "admin"
    with pytest.raises(DirectoryChanged):
        await desk.replace(store, first, "sv01", expected=before.stamp, logged=logged("never"))
    assert texts(await Directory.load(store)) == texts(after)
    assert await actions(store) == ["directory_import"]


@pytest.mark.req("XFR-2")
async def test_one_entry_is_added_changed_and_taken_out(store: Store) -> None:
    stamps = [(await Directory.load(store)).stamp]

    async def now() -> Directory:
        hall = await Directory.load(store)
        assert hall.stamp not in stamps  # whatever changed is noticed
        stamps.append(hall.stamp)
        return hall

    first = await desk.add(store, line("環境課", "10"), "sv01")
    await now()
    await desk.add(store, line("市民課", "20"), "sv01")
    await now()
    between = await desk.add(store, line("環境課", "15"), "sv01", logged=logged("directory_edit"))
    hall = await now()
    assert [one.extension for one in hall.entries] == ["10", "15", "20"]  # behind its department
    await desk.put(store, between, line("環境課", "16"), "admin", before=hall.entry(between))
    assert (await now()).entry(between).extension == "16"
    with pytest.raises(DirectoryChanged):
        await desk.put(store, between, line("環境課", "17"), "sv01", before=hall.entry(between))
    await desk.remove(store, first, logged=logged("directory_edit"))
    assert [one.extension for one in (await now()).entries] == ["16", "20"]
    for change in (desk.put(store, first, line("x", "1"), "sv01"), desk.remove(store, first)):
        with pytest.raises(NoEntry):
            await change
    assert await actions(store) == ["directory_edit", "directory_edit"]
