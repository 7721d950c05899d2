"""Which plan a centre starts with."""

from __future__ import annotations

from pathlib import Path

import pytest

from daihyo.choosing import Chosen, choose
from daihyo.plans import SiteProblems, live_number, live_site, write, write_live
from daihyo.settings import StateDir
from store import Store, plans
from tests.unit.daihyo.plan_folder import text_of

FIRST, CHANGED, STAFFS = text_of(), text_of(operators=3), text_of(state="cancelled")
BROKEN = FIRST.replace("queue: main", "queue: mian")


class Start:
    """A state folder, a database, a site file; `go()` is what `daihyo up` does of it."""

    def __init__(self, folder: Path, store: Store) -> None:
        self.state = StateDir(folder / "s")
        self.state.create()
        self.store = store
        self.file = folder / "site.yaml"
        self.file.write_text(FIRST)

    async def go(self, *, use_file: bool = False) -> Chosen:
        chosen = await choose(self.store, self.state, self.file, use_file=use_file)
        write(self.state, chosen.version, chosen.text, chosen.site)
        write_live(self.state, chosen.version)
        if chosen.new:
            await plans.note_live(self.store, chosen.version, by=plans.FILE)
        return chosen

    async def staff_change(self, text: str, state: str = plans.LIVE) -> int:
        """Activated in the console while the centre ran."""
        version = await plans.add_version(self.store, text, author="sv01")
        await plans.ask(self.store, version.id, by="sv01")
        taken = await plans.take(self.store, None)
        assert taken is not None
        if state != plans.WORKING:
            await plans.settle(self.store, taken[0].id, state)
        if state == plans.LIVE:
            write_live(self.state, version.id)  # the engine, before
        return version.id


@pytest.fixture
def start(tmp_path: Path, store: Store) -> Start:
    return Start(tmp_path, store)


async def test_at_the_first_start_the_file_is_version_1(start: Start) -> None:
    chosen = await start.go()
    assert (chosen.version, chosen.text, chosen.warnings) == (1, FIRST, [])
    live = await plans.live(start.store)
    assert live is not None
    assert (live.id, live.author) == (1, "file")


async def test_the_same_file_makes_no_version(start: Start) -> None:
    await start.go()
    chosen = await start.go()
    assert (chosen.version, chosen.new, chosen.warnings) == (1, False, [])
    assert len(await plans.history(start.store)) == 1


@pytest.mark.req("ADM-1")
async def test_a_changed_file_becomes_the_next_version(start: Start) -> None:
    await start.go()
    start.file.write_text(CHANGED)
    chosen = await start.go()
    assert (chosen.version, chosen.text, chosen.warnings) == (2, CHANGED, [])
    start.file.write_text(FIRST)  # and back again
    assert (await start.go()).version == 3


@pytest.mark.req("ADM-1")
async def test_what_staff_changed_stays_under_an_unchanged_file(start: Start) -> None:
    await start.go()
    number = await start.staff_change(STAFFS)
    chosen = await start.go()
    assert (chosen.version, chosen.text, chosen.warnings) == (number, STAFFS, [])


@pytest.mark.req("ADM-1")
async def test_a_changed_file_does_not_overwrite_what_staff_changed(start: Start) -> None:
    await start.go()
    number = await start.staff_change(STAFFS)
    start.file.write_text(CHANGED)
    for _ in range(2):
        chosen = await start.go()
        assert (chosen.version, chosen.text) == (number, STAFFS)
        [line] = chosen.warnings
        assert f"daihyo site apply {start.file} --state {start.state.path}" in line
        assert "sv01" in line
    assert len(await plans.history(start.store)) == 2


async def test_unless_it_is_told_to(start: Start) -> None:
    await start.go()
    await start.staff_change(STAFFS)
    start.file.write_text(CHANGED)
    assert (await start.go(use_file=True)).text == CHANGED
    assert (await start.go()).warnings == []


async def test_a_file_that_staffs_plan_was_exported_to_is_no_change(start: Start) -> None:
    await start.go()
    number = await start.staff_change(STAFFS)
    start.file.write_text(STAFFS)
    chosen = await start.go()
    assert (chosen.version, chosen.warnings) == (number, [])


async def test_an_undone_version_of_the_file_does_not_come_back(start: Start) -> None:
    await start.go()
    start.file.write_text(CHANGED)
    await start.go()
    await plans.note_live(start.store, 1, by="sv01")  # undone in the console
    write_live(start.state, 1)
    chosen = await start.go()
    assert (chosen.version, chosen.warnings) == (1, [])


async def test_a_version_whose_start_failed_is_taken_the_next_time(start: Start) -> None:
    await start.go()
    start.file.write_text(CHANGED)
    await choose(start.store, start.state, start.file)  # and then, say, no port was free
    chosen = await start.go()
    assert (chosen.version, chosen.text, chosen.new) == (2, CHANGED, True)
    assert len(await plans.history(start.store)) == 2


@pytest.mark.req("REL-1")
async def test_a_broken_file_does_not_keep_a_good_plan_from_starting(start: Start) -> None:
    start.file.write_text(BROKEN)
    with pytest.raises(SiteProblems, match="mian"):
        await start.go()
    start.file.write_text(FIRST)
    await start.go()
    for broken in (BROKEN, None):
        if broken is None:
            start.file.unlink()
        else:
            start.file.write_text(broken)
        chosen = await start.go()
        assert (chosen.version, chosen.text) == (1, FIRST)
        assert "starts with version 1" in chosen.warnings[0]
        assert str(start.file) in chosen.warnings[1]
        with pytest.raises(SiteProblems):
            await start.go(use_file=True)


@pytest.mark.req("REL-1")
async def test_a_live_plan_that_no_longer_passes_gives_way_to_the_file(start: Start) -> None:
    await start.go()
    await start.staff_change(BROKEN)  # as an older program might have taken it
    chosen = await start.go()
    assert chosen.text == FIRST
    assert "version 2 does not pass" in chosen.warnings[0]
    assert "mian" in chosen.warnings[1]


@pytest.mark.req("REL-1")
@pytest.mark.parametrize(("engine_has", "text"), [(2, STAFFS), (1, FIRST)])
async def test_a_plan_is_live_if_the_engine_had_it_when_everything_was_killed(
    start: Start, engine_has: int, text: str
) -> None:
    await start.go()
    number = await start.staff_change(STAFFS, plans.WORKING)
    assert number == 2
    write_live(start.state, engine_has)
    assert (await start.go()).text == text


@pytest.mark.req("REL-1")
@pytest.mark.parametrize("kept", [True, False])
async def test_what_the_engine_had_is_believed_whatever_the_database_says(start: Start, kept: bool) -> None:
    await start.go()
    number = await start.staff_change(STAFFS, plans.FAILED) if kept else 2
    (start.state.plans / "2.yaml").write_text(STAFFS)
    write_live(start.state, number)
    chosen = await start.go()
    assert (chosen.version, chosen.text) == (2, STAFFS)
    assert "engine ran version 2" in chosen.warnings[0]
    assert (await start.go()).warnings == []  # the database knows by now


@pytest.mark.req("REL-1")
async def test_an_engines_version_that_is_lost_gives_way_to_the_databases(start: Start) -> None:
    await start.go()
    write_live(start.state, 9)
    chosen = await start.go()
    assert (chosen.version, chosen.text, chosen.warnings) == (1, FIRST, [])


@pytest.mark.req("REL-7")
async def test_a_new_database_takes_the_live_plan_from_its_file(start: Start) -> None:
    start.file.write_text(STAFFS)
    (start.state.plans / "7.yaml").write_text(STAFFS)
    write_live(start.state, 7)
    start.file.write_text(FIRST)
    chosen = await start.go()
    assert (chosen.version, chosen.text) == (7, STAFFS)
    assert live_number(start.state) == 7
    assert (await plans.add_version(start.store, "x", author="sv01")).id == 8


async def test_the_live_plan_is_read_from_its_yaml_when_the_json_is_damaged(start: Start) -> None:
    chosen = await start.go()
    assert live_site(start.state) == chosen.site
    for damage in (b"", b"{", b'{"city": 1}', b"\xff"):
        (start.state.plans / "1.json").write_bytes(damage)
        assert live_site(start.state) == chosen.site


async def test_parts_that_a_file_includes_are_kept_as_one_text(start: Start, tmp_path: Path) -> None:
    head, tail = FIRST.split("users:", 1)
    users, rest = tail.split("trunks:", 1)
    (tmp_path / "people.yaml").write_text(f"users:{users}")
    start.file.write_text(f"include: [people.yaml]\n{head}trunks:{rest}")
    chosen = await start.go()
    assert "include" not in chosen.text
    assert {one.login for one in chosen.site.users} == {"op01", "op02", "sv01"}
    assert (await start.go()).new is False
