"""Versions of the plan and wishes to make them live, on both databases."""

from __future__ import annotations

import asyncio

import pytest

from store import PlanActivation, PlanVersion, Store, plans


async def made_live(store: Store, text: str, author: str = "sv01") -> int:
    version = await plans.add_version(store, text, author=author)
    await plans.note_live(store, version.id, by=author)
    return version.id


@pytest.mark.req("ADM-1")
async def test_versions_are_numbered_from_one_without_gaps_whoever_adds_them(database_url: str) -> None:
    stores = await asyncio.gather(*(Store.open(database_url) for _ in range(4)))
    added = await asyncio.gather(
        *(plans.add_version(store, f"id: x{n}\n", author=f"sv{n}") for n, store in enumerate(stores))
    )
    assert sorted(one.id for one in added) == [1, 2, 3, 4]
    for one in added:
        kept = await plans.version(stores[0], one.id)
        assert kept is not None
        assert (kept.text, kept.author, kept.sha256) == (one.text, one.author, plans.digest(one.text))
    for store in stores:
        await store.close()


async def test_a_version_is_brought_back_under_its_old_number(store: Store) -> None:
    assert (await plans.add_version(store, "a", author="x", id=7)).id == 7
    assert (await plans.add_version(store, "b", author="x", based_on=7)).id == 8


@pytest.mark.req("ADM-1")
async def test_a_wish_is_taken_worked_on_and_settled(store: Store) -> None:
    assert await plans.live(store) is None
    assert not await plans.waiting(store)
    assert await plans.take(store, None) is None
    version = await plans.add_version(store, "text: 市\n", author="sv01", comment="年末")
    wish = await plans.ask(store, version.id, by="sv01", confirmed_by="admin")
    assert (wish.state, wish.confirmed_by) == ("asked", "admin")
    assert await plans.waiting(store)
    taken = await plans.take(store, None)
    assert taken is not None
    assert (taken[0].id, taken[0].state, taken[1].text) == (wish.id, "working", "text: 市\n")
    assert await plans.waiting(store)  # a worker that dies now leaves it to the next
    await plans.settle(store, wish.id, plans.LIVE)
    assert not await plans.waiting(store)
    live = await plans.live(store)
    assert live is not None
    assert live.id == version.id
    settled = await plans.activation(store, wish.id)
    assert settled is not None
    assert settled.state == "live"
    assert settled.done_at is not None


async def test_what_failed_is_not_live_and_says_why(store: Store) -> None:
    first = await made_live(store, "1")
    version = await plans.add_version(store, "2", author="sv01", based_on=first)
    wish = await plans.ask(store, version.id, by="sv01")
    await plans.take(store, first)
    await plans.settle(store, wish.id, plans.FAILED, "no such queue")
    live = await plans.live(store)
    assert live is not None
    assert live.id == first
    assert [(one.state, one.problem) for one in await plans.activations(store)] == [
        ("failed", "no such queue"),
        ("live", None),
    ]


async def test_a_newer_wish_replaces_those_that_wait(store: Store) -> None:
    for text in "abc":
        await plans.add_version(store, text, author="sv01")
    wishes = [await plans.ask(store, number, by="sv01") for number in (1, 2, 3)]
    taken = await plans.take(store, None)
    assert taken is not None
    assert taken[1].text == "c"
    states = [(await store_activation(store, one.id)).state for one in wishes]
    assert states == ["replaced", "replaced", "working"]


async def store_activation(store: Store, id: int) -> PlanActivation:
    found = await plans.activation(store, id)
    assert found is not None
    return found


@pytest.mark.req("REL-1")
async def test_a_wish_left_by_a_killed_worker_is_taken_again(store: Store) -> None:
    version = await plans.add_version(store, "a", author="sv01")
    wish = await plans.ask(store, version.id, by="sv01")
    await plans.take(store, None)
    again = await plans.take(store, None)
    assert again is not None
    assert again[0].id == wish.id


@pytest.mark.req("REL-1")
@pytest.mark.parametrize(("engine_has", "state"), [(1, "live"), (None, "replaced")])
async def test_a_killed_workers_wish_counts_as_live_only_if_the_engine_has_it(
    store: Store, engine_has: int | None, state: str
) -> None:
    for text in "ab":
        await plans.add_version(store, text, author="sv01")
    left = await plans.ask(store, 1, by="sv01")
    await plans.take(store, None)
    await plans.ask(store, 2, by="sv02")
    taken = await plans.take(store, engine_has)
    assert taken is not None
    assert taken[0].version == 2
    assert (await store_activation(store, left.id)).state == state


@pytest.mark.req("REL-1")
async def test_at_a_start_the_wish_that_the_engine_carried_out_is_live(store: Store) -> None:
    for text in "ab":
        await plans.add_version(store, text, author="sv01")
    done = await plans.ask(store, 1, by="sv01")
    await plans.take(store, None)
    newer = await plans.ask(store, 2, by="sv02")
    await plans.settle_interrupted(store, 1)
    assert (await store_activation(store, done.id)).state == "live"
    assert (await store_activation(store, newer.id)).state == "asked"


async def test_a_version_that_is_not_there_cannot_be_asked_for(store: Store) -> None:
    with pytest.raises(plans.UnknownVersion):
        await plans.ask(store, 9, by="sv01")
    assert not await plans.waiting(store)


@pytest.mark.req("ADM-1")
async def test_undo_goes_back_step_by_step(store: Store) -> None:
    one, two, three = [await made_live(store, text) for text in "abc"]
    assert await plans.before(store, three) == two
    await plans.note_live(store, two, by="sv01")  # undone
    assert await plans.before(store, two) == one  # not three: that would be redo
    assert await plans.before(store, one) is None
    assert await plans.before(store, 99) is None


@pytest.mark.req("ADM-1")
async def test_history_tells_who_wrote_and_who_made_live(store: Store) -> None:
    one = await made_live(store, "a", "file")
    draft = await plans.add_version(store, "b", author="sv01", comment="時間外を直す", based_on=one)
    two = await made_live(store, "c", "sv02")
    await plans.note_live(store, one, by="admin")
    told = await plans.history(store)
    assert [(v.id, v.author, v.live, v.live_by) for v in told] == [
        (two, "sv02", False, "sv02"),
        (draft.id, "sv01", False, None),
        (one, "file", True, "admin"),
    ]
    assert (told[1].comment, told[1].based_on, told[1].live_at) == ("時間外を直す", one, None)
    assert [v.id for v in await plans.history(store, limit=1, offset=1)] == [draft.id]


async def test_the_newest_of_the_file_is_not_the_newest(store: Store) -> None:
    assert await plans.newest_of_file(store) is None
    await plans.add_version(store, "a", author=plans.FILE)
    await plans.add_version(store, "b", author="sv01")
    found = await plans.newest_of_file(store)
    assert isinstance(found, PlanVersion)
    assert found.text == "a"
    assert await plans.newest_of_file(store, went_live=True) is None
    await made_live(store, "c", plans.FILE)
    await plans.add_version(store, "d", author=plans.FILE)
    tried, done = await plans.newest_of_file(store), await plans.newest_of_file(store, went_live=True)
    assert tried is not None
    assert done is not None
    assert (tried.text, done.text) == ("d", "c")


@pytest.mark.req("ADM-1")
async def test_a_plan_of_full_size_comes_back_to_the_byte(store: Store) -> None:
    text = "# 注\r\nname: 'みなと市 \U0001f4de'\n" + "x" * (4 * 1024 * 1024)
    version = await plans.add_version(store, text, author="sv01")
    kept = await plans.version(store, version.id)
    assert kept is not None
    assert kept.text == text
