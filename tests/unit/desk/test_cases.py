"""Cases: what is still to be done for a citizen."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from desk import NoCase, cases, open_cases
from store import Store

NOW = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)


@pytest.mark.req("OPR-3", "CON-1")
async def test_open_ones_of_a_caller_by_when_they_are_due(store: Store) -> None:
    caller = "09012345678"
    later = await cases.add(
        store, "op01", kind="case", subject="粗大ごみ", caller=caller, due_at=NOW + timedelta(days=2)
    )
    undated = await cases.add(store, "op01", kind="case", subject="意見", caller=caller, call="minato-1.1")
    soon = await cases.add(store, "op02", kind="callback", subject="折り返し", caller=caller, due_at=NOW)
    await cases.add(store, "op02", kind="case", subject="別の方", caller="0312345678")
    assert [one.id for one in await open_cases(store, caller)] == [soon.id, later.id, undated.id]
    assert await open_cases(store, None) == []
    assert await open_cases(store, "") == []
    settled = await cases.done(store, soon.id, "op01", call="minato-9.1")
    assert (settled.state, settled.done_by, settled.done_call) == ("done", "op01", "minato-9.1")
    assert settled.done_at is not None
    again = await cases.done(store, soon.id, "op02")
    assert again == settled  # who did it first, did it
    assert [one.id for one in await open_cases(store, caller)] == [later.id, undated.id]
    assert [one.id for one in await cases.listed(store, caller=caller)] == [later.id, undated.id, soon.id]
    assert [one.id for one in await cases.listed(store, call="minato-1.1")] == [undated.id]
    assert (await cases.count(store, "open"), await cases.count(store, "done")) == (3, 1)
    back = await cases.reopen(store, soon.id, "sv01")
    assert (back.state, back.done_at, back.done_by, back.done_call) == ("open", None, None, None)
    assert await cases.case(store, soon.id) == back


@pytest.mark.req("OPR-3")
async def test_done_ones_the_latest_first_and_none_that_is_not_there(store: Store) -> None:
    made = [await cases.add(store, "op01", kind="case", subject=str(n)) for n in range(3)]
    for n in (1, 0, 2):
        await cases.done(store, made[n].id, "op01")
    assert [one.subject for one in await cases.listed(store, "done")] == ["2", "0", "1"]
    assert [one.subject for one in await cases.listed(store, "done", limit=1, offset=1)] == ["0"]
    for asked in (cases.case(store, 99), cases.done(store, 99, "op01"), cases.reopen(store, 99, "op01")):
        with pytest.raises(NoCase):
            await asked
