"""Sessions looked up together: few questions for many pages, and none that ended comes back."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from agent_console.accounts import Account
from agent_console.rights import Role
from agent_console.sessions import Sessions
from store import Store, StoreUnavailable, User


class Counting:
    """The store, and how often it was read."""

    def __init__(self, store: Store) -> None:
        self.store, self.reads, self.away = store, 0, False

    def session(self) -> Any:
        return self.store.session()

    def reading(self) -> Any:
        self.reads += 1
        if self.away:
            raise StoreUnavailable("away")
        return self.store.reading()


@pytest.fixture
async def counting(store: Store) -> Counting:
    async with store.session() as database:
        for n in range(30):
            row = User(login=f"op{n}", name="x", role="operator", operator=None, updated_at=datetime.now(UTC))
            database.add(row)
    return Counting(store)


def sessions(counting: Counting) -> Sessions:
    return Sessions(counting, 3600.0, 7200.0)  # type: ignore[arg-type]


async def tokens(counting: Counting) -> list[str]:
    """Of thirty people who signed in at an earlier console."""
    earlier = sessions(counting)
    people = [Account(f"op{n}", "x", Role.OPERATOR, None) for n in range(30)]
    return [(await earlier.begin(one, None))[0] for one in people]


@pytest.mark.req("SEC-1", "REL-1")
async def test_pages_that_come_back_together_are_few_questions(counting: Counting) -> None:
    known, now = await tokens(counting), sessions(counting)
    counting.reads = 0
    found = await asyncio.gather(*(now.find(token) for token in [*known, "nobody's"]))
    assert [one.account.login if one else None for one in found] == [*(f"op{n}" for n in range(30)), None]
    assert counting.reads <= 2


@pytest.mark.req("SEC-1")
async def test_all_pages_are_checked_by_one_question(
    counting: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    known, now = await tokens(counting), sessions(counting)
    found = [one for one in await asyncio.gather(*(now.find(token) for token in known)) if one]
    monkeypatch.setattr("agent_console.sessions._SWEEP_S", -1.0)
    counting.reads = 0
    await sessions(counting).end(found[7])  # at another console
    held = [await now.still_holds(found[0]), *await asyncio.gather(*(now.still_holds(one) for one in found))]
    assert held == [True, *(n != 7 for n in range(30))]
    assert counting.reads <= 3


@pytest.mark.req("SEC-1")
async def test_who_signs_out_while_the_database_is_asked_stays_out(counting: Counting) -> None:
    known, now = await tokens(counting), sessions(counting)
    session = await now.find(known[0])
    assert session is not None
    asking = asyncio.create_task(now._load(session.token_hash))
    await asyncio.sleep(0)
    await now.end(session)
    assert await asking is None
    assert await now.find(known[0]) is None


@pytest.mark.req("REL-4")
async def test_without_the_database_everybody_who_asked_is_told_so(counting: Counting) -> None:
    known, now = await tokens(counting), sessions(counting)
    seen = await now.find(known[0])
    assert seen is not None
    counting.away = True
    asked = await asyncio.gather(*(now.find(token) for token in known), return_exceptions=True)
    assert asked[0] is seen
    assert all(isinstance(one, StoreUnavailable) for one in asked[1:])
    assert await now.still_holds(seen)
    counting.away = False
    assert all(await asyncio.gather(*(now.find(token) for token in known)))
