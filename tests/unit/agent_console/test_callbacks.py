"""折り返し予約: the list, giving one up, what the seat is told; moving waiting calls; wrap-up time."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest

from agent_console.distribution.callbacks import ended_of
from store import EventRow

from .conftest import Running, Start
from .test_api import log_of

ALL = ("op01", "op02", "sv01", "staff01", "admin", "audit")
NOW = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)


def callback(callback_id: str = "cb-1", **changes: Any) -> dict[str, Any]:
    """A callback as the engine tells it."""
    return {
        "id": callback_id,
        "number": "09012345678",
        "queue": "main",
        "state": "waiting",
        "place_since": "2026-11-21T00:00:00.000000Z",
        "tries": 0,
        "next_at": None,
        "of": "minato-1.5",
        "language": "ja",
        "operator": None,
        "called": "0246221111",
        "called_name": "市代表",
        "path": ["くらし", "ごみ"],
        **changes,
    }


async def told(running: Running, **event: Any) -> None:
    """The engine says it, and the console has heard."""
    heard = asyncio.Event()
    stop = running.console.link.listen(heard.set)
    await running.engine.tell(**event)
    await asyncio.wait_for(heard.wait(), 10)
    stop()


@pytest.mark.req("ACD-7", "CON-6")
async def test_the_list_shows_who_is_called_back_and_masks_the_number_by_right(start: Start) -> None:
    running = await start(users=("sv01", "staff01"))
    await told(
        running,
        callbacks=[
            callback("cb-2", state="later", tries=2, next_at="2026-11-21T00:20:00.000000Z"),
            callback("cb-1"),
            callback("cb-3", state="calling", operator="1001"),
        ],
    )
    supervisor, staff = await running.browser("sv01"), await running.browser("staff01")
    text = await (await supervisor.get("/callbacks")).text()
    for part in ("090-1234-5678", "市代表", "くらし → ごみ", "総合案内", "市民を呼出中", "操作者01"):
        assert part in text, part
    assert text.index("cb-3") < text.index("cb-1") < text.index("cb-2")
    assert 'href="/calls/minato-1.5"' in text
    assert "/callbacks/cb-1/drop" in text
    assert "/callbacks/cb-3/drop" not in text  # the citizen's telephone is ringing
    masked = await (await staff.get("/callbacks")).text()
    assert "090-1234-****" in masked
    assert "5678" not in masked
    assert "/drop" not in masked
    shown = await (await staff.get("/api/v1/callbacks")).json()
    assert [(one["id"], one["number"]) for one in shown["callbacks"]] == [
        ("cb-3", "0901234****"),
        ("cb-1", "0901234****"),
        ("cb-2", "0901234****"),
    ]


@pytest.mark.req("ACD-7", "SEC-2")
async def test_giving_one_up_is_asked_again_needs_a_reason_and_is_logged(start: Start) -> None:
    running = await start()
    await told(running, callbacks=[callback()])
    browser = await running.browser("sv01")
    form = await (await browser.get("/callbacks/cb-1/drop")).text()
    assert "取り消しますか" in form
    assert "090-1234-5678" in form

    async def send(**fields: str) -> aiohttp.ClientResponse:
        return await browser.client.post("/callbacks/cb-1/drop", data=fields, allow_redirects=False)

    assert (await send(reason="解決済み")).status == 403  # no token
    refused = await send(csrf=browser.csrf, reason=" ")
    assert (refused.status, "理由を書いてください" in await refused.text()) == (409, True)
    assert running.engine.commands.empty()
    done = await send(csrf=browser.csrf, reason="別の電話で解決した")
    assert (done.status, done.headers["Location"]) == (303, "/callbacks?dropped=1")
    command = await running.engine.told("callback.drop")
    assert (command["callback"], command["by"], command["reason"]) == ("cb-1", "sv01", "別の電話で解決した")
    assert await log_of(running, "callback_drop") == [("sv01", "cb-1 別の電話で解決した")]
    running.engine.refuse = {"code": "unknown_callback", "message": "終わっています", "message_en": "over"}
    over = await send(csrf=browser.csrf, reason="まだ")
    assert (over.status, "終わっています" in await over.text()) == (409, True)
    await told(running, callbacks=[])
    assert (await browser.get("/callbacks/cb-1/drop")).status == 404


def test_ended_callbacks_are_put_together_from_the_journal() -> None:
    def at(minutes: float) -> datetime:
        return NOW + timedelta(minutes=minutes)

    booked = {"number": "09012345678", "queue": "main"}
    ended = ended_of(
        [
            ("callback_booked", "c1", at(-90), {"callback": "a", **booked}),
            ("callback_booked", "c2", at(-80), {"callback": "b", **booked}),
            ("callback_ended", "c0", at(-70), {"callback": "yesterday", "reason": "done"}),
            ("callback_failed", "c3", at(5), {"callback": "a", "reason": "busy", "try": 1}),
            ("callback_failed", "c4", at(10), {"callback": "a", "reason": "no_answer", "try": 2}),
            ("callback_ended", "c2", at(11), {"callback": "b", "reason": "dropped", "by": "sv01"}),
            ("callback_ended", "c1", at(12), {"callback": "a", "reason": "given_up"}),
            ("callback_ended", "c9", at(13), {"callback": "of long ago", "reason": "expired"}),
        ],
        NOW,
    )
    assert [(one.callback, one.of, one.tries, one.reason, one.by) for one in ended] == [
        ("of long ago", "c9", 0, "expired", None),
        ("a", "c1", 2, "given_up", None),
        ("b", "c2", 0, "dropped", "sv01"),
    ]
    assert [one.booked_at for one in ended] == [None, at(-90), at(-80)]


async def test_todays_ended_ones_stand_below(start: Start) -> None:
    running = await start(users=("sv01", "staff01"))
    now = datetime.now(UTC)
    events = [
        ("callback_booked", {"callback": "cb-9", "number": "09012345678", "queue": "main"}),
        ("callback_ended", {"callback": "cb-9", "reason": "done", "by": None}),
    ]
    async with running.console.store.session() as session:
        for n, (kind, data) in enumerate(events):
            session.add(
                EventRow(id=f"e{n}", at=now, mono=None, boot=None, call="minato-1.5", kind=kind, data=data)
            )
    text = await (await (await running.browser("sv01")).get("/callbacks")).text()
    assert "つながった" in text
    assert "090-1234-5678" in text
    ended = await (await (await running.browser("staff01")).get("/api/v1/callbacks")).json()
    assert [(one["callback"], one["number"]) for one in ended["ended"]] == [("cb-9", "0901234****")]


@pytest.mark.req("MON-3", "SEC-1")
async def test_who_may_move_calls_and_give_callbacks_up(start: Start) -> None:
    running = await start(users=ALL)
    may = {"sv01"}
    for login in ALL:
        browser = await running.browser(login)
        for path, body in (
            ("/api/v1/calls/minato-1.1/move", {"queue": "main"}),
            ("/api/v1/callbacks/cb-1/drop", {}),
        ):
            status = (await browser.post(path, body)).status
            assert status == (200 if login in may else 403), (login, path)
        assert (await browser.get("/callbacks")).status == (403 if login.startswith("op") else 200)
    moved = await running.engine.told("call.move")
    assert (moved["call"], moved["queue"], moved["by"]) == ("minato-1.1", "main", "sv01")
    assert await log_of(running, "call_move") == [("sv01", "minato-1.1 main")]
    await running.engine.told("callback.drop")
    assert running.engine.commands.empty()


@pytest.mark.req("OPR-2")
async def test_wrap_up_time_is_ones_own_or_a_supervisors(start: Start) -> None:
    running = await start()
    path = "/api/v1/operators/1001/wrap-up/time"
    own, other, supervisor = [await running.browser(login) for login in ("op01", "op02", "sv01")]
    assert (await own.post(path, {"seconds": 85})).status == 200
    command = await running.engine.told("operator.wrap_up")
    assert (command["operator"], command["seconds"], command["by"]) == ("1001", 85, "op01")
    assert (await other.post(path, {"seconds": 85})).status == 403
    assert (await supervisor.post(path, {"seconds": 3600})).status == 200
    for wrong in (9, 3601, 1.5, "60", None):
        assert (await own.post(path, {"seconds": wrong})).status == 422, wrong
    assert await log_of(running, "wrap_up_time") == [("op01", "1001 85 s"), ("sv01", "1001 3600 s")]


@pytest.mark.req("ACD-7", "OPR-3")
async def test_the_seat_is_told_of_the_callback_offered_to_it(start: Start) -> None:
    running = await start()
    await told(running, callbacks=[callback(state="ringing", operator="1001"), callback("cb-2")])
    browser, supervisor = await running.browser("op01"), await running.browser("sv01")
    async with browser.client.ws_connect("/live") as socket:
        first = await socket.receive_json(timeout=10)
        assert first["callback"]["number_text"] == "090-1234-5678"
        assert first["callback"]["called_text"] == "0246-22-1111"
        assert "callbacks" not in first  # the whole list is the board's
        await running.engine.tell(callbacks=[callback("cb-2")])
        assert (await socket.receive_json(timeout=10))["callback"] is None
    async with supervisor.client.ws_connect("/live") as socket:
        assert (await socket.receive_json(timeout=10))["callbacks"] == {"count": 1, "now": 0}
