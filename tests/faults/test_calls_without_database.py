"""The database goes away under a whole centre: calls go on, and their records come when it is back."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.support.centre import centre
from tests.support.phones import CITIZEN_HZ, OPERATOR_HZ, phones
from tests.support.postgres import NoPostgres, Postgres
from tests.support.site import NUMBER, site


@pytest.mark.req("REL-4", "REL-1")
async def test_calls_go_on_without_the_database_and_are_recorded_once(tmp_path: Path) -> None:
    try:
        cluster = await asyncio.to_thread(Postgres)
    except NoPostgres as missing:
        pytest.skip(str(missing))
    await asyncio.to_thread(cluster.start)
    try:
        url = cluster.new_database()
        async with (
            centre(tmp_path, "--database", url, site=site(operators=1)) as running,
            phones() as sip,
        ):
            desk = await sip.desk(running.phone("1001"))
            await running.ready_operator("1001")
            before = await sip.call(running.sip, NUMBER, "0311110001")
            operator = await desk.talk()
            await asyncio.to_thread(cluster.stop)
            await before.hears(OPERATOR_HZ)
            await operator.hears(CITIZEN_HZ)
            await before.hangup()
            during = await sip.call(running.sip, NUMBER, "0311110002")
            await during.hears(OPERATOR_HZ)
            await during.hangup()
            await running.event("ended", true=lambda event: event.call is not None)
            await asyncio.to_thread(cluster.start)
            records = await running.ended(2, 60)
            assert {(row.caller, row.outcome) for row in records} == {
                ("0311110001", "answered"),
                ("0311110002", "answered"),
            }
            assert len(records) == 2
            await running.recordings(2, 60)
    finally:
        await asyncio.to_thread(cluster.remove)
