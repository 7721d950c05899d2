"""Order, reconciling and errors of the switch, against an ARI played by the test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from switch import Channel, HangupReason, Refused, Snapshot, SwitchError, SwitchGone, connect
from switch.node import Node
from tests.unit.switch.fake_ari import FakeAri, channel, fake_ari, start


class Seen:
    def __init__(self) -> None:
        self.log: list[str] = []
        self.snapshots: list[Snapshot] = []
        self.changed = asyncio.Event()

    def say(self, what: str) -> None:
        self.log.append(what)
        self.changed.set()

    def connected(self, snapshot: Snapshot) -> None:
        self.snapshots.append(snapshot)
        self.say("connected")

    async def until(self, count: int, what: str) -> None:
        async with asyncio.timeout(5):
            while self.log.count(what) < count:
                self.changed.clear()
                await self.changed.wait()


@pytest.fixture
async def ari() -> AsyncIterator[FakeAri]:
    async with fake_ari() as fake:
        yield fake


@asynccontextmanager
async def opened(ari: FakeAri, **changes: Any) -> AsyncIterator[tuple[Node, Seen]]:
    seen = Seen()

    def arrival(call: Channel) -> None:
        seen.say(f"arrival {call.id}")
        call.on_gone(lambda hangup: seen.say(f"gone {call.id} {hangup.reason.value} {hangup.cause}"))

    async with connect(
        ari.settings(**changes),
        on_arrival=arrival,
        on_connected=seen.connected,
        on_disconnected=lambda: seen.say("disconnected"),
        on_phone=lambda endpoint, reachable: seen.say(f"phone {endpoint} {reachable}"),
    ) as node:
        await asyncio.wait_for(node.wait_connected(), 5)
        yield node, seen


async def test_what_comes_while_we_take_stock_waits_and_keeps_its_order(ari: FakeAri) -> None:
    ari.channels = [channel("old"), channel("new"), channel("theirs", app="another")]
    hangup = {"type": "ChannelHangupRequest", "channel": channel("old")}
    ari.before_listing = lambda: [start("new"), start("brief"), hangup, end("brief")]
    async with opened(ari) as (node, seen):
        await seen.until(1, "gone brief hangup None")
        assert seen.log[:4] == ["connected", "arrival new", "arrival brief", "gone brief hangup None"]
        assert [found.id for found in seen.snapshots[0].channels] == ["old"]
        assert seen.snapshots[0].channels[0].hangup_info is not None
        assert node.channel("theirs") is None
        assert node.channel("new") is not None


PHONES: list[dict[str, Any]] = [
    {"resource": name, "state": "online", "channel_ids": []} for name in ("1001", "1002")
]


@pytest.mark.req("ACD-1", "REL-1")
async def test_all_phones_are_told_before_the_calls_at_each_connect(ari: FakeAri) -> None:
    """Else the first phone that is told gets the caller who waits, whoever has been idle longest."""
    ari.endpoints = PHONES
    both = ["phone 1001 True", "phone 1002 True", "connected"]
    async with opened(ari, endpoints=("1001", "1002")) as (_, seen):
        await seen.until(1, "connected")
        assert seen.log == both
        await ari.sockets[-1].close()
        await seen.until(2, "connected")
        assert seen.log == [*both, "disconnected", *both]


@pytest.mark.req("REL-1")
async def test_phones_of_which_nothing_is_heard_do_not_keep_the_calls(
    ari: FakeAri, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("switch.node.PHONES_S", 0.05)
    ari.endpoints = PHONES
    ari.silent.add("GET endpoints/PJSIP")
    ari.channels = [channel("old")]
    async with opened(ari, endpoints=("1001", "1002", "1003", "1004"), heartbeat_s=0.05) as (_, seen):
        await seen.until(1, "connected")
        assert seen.log == ["connected"]
        ari.silent.clear()
        ari.stopping.set()
        await seen.until(1, "phone 1002 True")
        assert seen.log == ["connected", "phone 1001 True", "phone 1002 True"]


async def test_a_start_told_after_it_was_listed_is_no_second_arrival(ari: FakeAri) -> None:
    ari.channels = [channel("old")]
    async with opened(ari) as (_, seen):
        await ari.say(start("old"), start("new"))
        await seen.until(1, "arrival new")
        assert "arrival old" not in seen.log


async def test_only_our_bridges_are_ours(ari: FakeAri) -> None:
    ari.bridges = [
        {"id": "b-1", "name": "daihyo", "channels": ["x", "y"]},
        {"id": "b-2", "name": "", "channels": ["z"]},
    ]
    async with opened(ari) as (_, seen):
        assert [(found.bridge.id, found.channel_ids) for found in seen.snapshots[0].bridges] == [
            ("b-1", ("x", "y"))
        ]


@pytest.mark.parametrize(
    ("restart", "reason"), [(False, HangupReason.FOUND_ENDED), (True, HangupReason.SWITCH_RESTARTED)]
)
@pytest.mark.req("REL-3")
async def test_what_is_missing_after_a_reconnect_has_ended(
    ari: FakeAri, restart: bool, reason: HangupReason
) -> None:
    async with opened(ari) as (node, seen):
        await ari.say(start("a"))
        await seen.until(1, "arrival a")
        call = node.channel("a")
        assert call is not None
        if restart:
            ari.started = "2026-11-21T23:00:00.000+0000"
        await ari.sockets[-1].close()
        await seen.until(2, "connected")
        assert seen.log.index("disconnected") < seen.log.index(f"gone a {reason.value} None")
        assert seen.log[-1] == "connected"  # declared gone before the engine is told
        assert (await call.wait_gone()).reason is reason


async def test_one_wrong_message_makes_nobody_deaf(ari: FakeAri) -> None:
    async with opened(ari) as (_, seen):
        socket = ari.sockets[-1]
        for nonsense in (
            "{",
            "[]",
            "null",
            "3",
            '{"type":"StasisStart"}',
            '{"type":"ChannelDestroyed","channel":7}',
        ):
            await socket.send_str(nonsense)
        await ari.say(start("a"))
        await seen.until(1, "arrival a")
        assert "disconnected" not in seen.log


async def test_an_engine_that_raises_makes_nobody_deaf(ari: FakeAri) -> None:
    async with opened(ari) as (node, seen):
        node._on_arrival = lambda call: 1 / 0  # type: ignore[assignment]
        await ari.say(start("a"))
        node_channel = None
        async with asyncio.timeout(5):
            while node_channel is None:
                await asyncio.sleep(0)
                node_channel = node.channel("a")
        assert "disconnected" not in seen.log


async def test_a_request_that_is_never_answered_gives_the_connection_up(ari: FakeAri) -> None:
    async with opened(ari, request_timeout_s=0.3) as (node, seen):
        ari.silent.add("POST bridges")
        with pytest.raises(SwitchGone, match="POST bridges"):
            await node.bridge()
        await seen.until(2, "connected")
        assert "disconnected" in seen.log


async def test_a_lost_connection_ends_open_requests_and_playbacks(ari: FakeAri) -> None:
    async with opened(ari, reconnect_max_s=2.0) as (node, seen):
        await ari.say(start("a"))
        await seen.until(1, "arrival a")
        call = node.channel("a")
        assert call is not None
        ari.silent.add("POST bridges")
        waiting = [asyncio.create_task(node.bridge()), asyncio.create_task(call.play("sound:x"))]
        async with asyncio.timeout(5):
            while {"POST bridges", "POST channels/a/play"} - set(ari.asked):
                await asyncio.sleep(0)
        await ari.sockets[-1].close()
        for task in waiting:
            with pytest.raises(SwitchGone):
                await asyncio.wait_for(task, 5)


async def test_replaced_is_final(ari: FakeAri) -> None:
    async with opened(ari) as (node, seen):
        await ari.say({"type": "ApplicationReplaced", "application": "daihyo"})
        await seen.until(1, "disconnected")
        with pytest.raises(SwitchError, match="another engine took over"):
            await asyncio.wait_for(node.wait_connected(), 5)
        assert node.taken_over
        assert len(ari.sockets) == 1


async def test_a_leg_nobody_waits_for_is_let_go(ari: FakeAri) -> None:
    async with opened(ari) as (_, seen):
        await ari.say(start("stray", "leg"))
        async with asyncio.timeout(5):
            while "DELETE channels/stray" not in ari.asked:
                await asyncio.sleep(0)
        assert "arrival stray" not in seen.log


async def test_a_leg_is_known_before_its_answer_and_forgotten_when_refused(ari: FakeAri) -> None:
    async with opened(ari) as (node, _):
        answer = ari._answer
        ari._answer = lambda name: (  # type: ignore[method-assign]
            (500, {"error": "Allocation failed"}) if name == "POST channels/create" else answer(name)
        )
        with pytest.raises(Refused, match="Allocation failed"):
            await node.leg("1001", channel_id="leg-1")
        assert node.channel("leg-1") is None
        ari._answer = answer  # type: ignore[method-assign]
        ari.silent.add("POST channels/create")
        asking = asyncio.create_task(node.leg("1001", channel_id="leg-2"))
        async with asyncio.timeout(5):
            while "leg-2" not in node._channels:
                await asyncio.sleep(0)
        with pytest.raises(ValueError, match="in use"):
            await node.leg("1001", channel_id="leg-2")
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        async with asyncio.timeout(5):
            while "DELETE channels/leg-2" not in ari.asked:
                await asyncio.sleep(0)


async def test_before_the_first_connection_requests_say_so(ari: FakeAri) -> None:
    node = Node(ari.settings(), print, print, print, print)
    assert not node.connected
    with pytest.raises(SwitchGone, match="not connected"):
        await node.bridge()


def end(name: str) -> dict[str, Any]:
    return {"type": "StasisEnd", "channel": channel(name)}
