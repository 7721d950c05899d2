"""Which phones can be rung, from AMI's hints and ARI's truth."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from switch.api import NotFound, SwitchGone
from switch.phones import Phones


class Desk:
    """ARI's endpoints, played by the test."""

    def __init__(self) -> None:
        self.states = {"1001": "offline", "1002": "online", "1003": "offline"}
        self.asked: list[str] = []
        self.told: list[tuple[str, bool]] = []
        self.away = False
        self.channels: dict[str, list[str]] = {}
        self.calls: list[tuple[str, set[str]]] = []

    async def ask(self, uri: str) -> Any:
        self.asked.append(uri)
        if self.away:
            raise SwitchGone("away")
        if uri == "endpoints/PJSIP":
            return self.listing()
        name = uri.rpartition("/")[2]
        if name not in self.states:
            raise NotFound(name)
        return self.entry(name)

    def listing(self) -> list[dict[str, Any]]:
        return [self.entry(name) for name in self.states]

    def entry(self, name: str) -> dict[str, Any]:
        return {"resource": name, "state": self.states[name], "channel_ids": self.channels.get(name, [])}

    def tell(self, endpoint: str, reachable: bool) -> None:
        self.told.append((endpoint, reachable))

    def tell_channels(self, endpoint: str, channels: frozenset[str]) -> None:
        self.calls.append((endpoint, set(channels)))

    def phones(self, *names: str) -> Phones:
        """Channels that begin with `leg` are ours."""
        return Phones(names, self.ask, self.tell, self.tell_channels, lambda one: one.startswith("leg"))


@pytest.fixture
def desk() -> Desk:
    return Desk()


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_after_a_connect_every_watched_phone_is_told(desk: Desk) -> None:
    phones = Phones(("1001", "1002"), desk.ask, desk.tell)
    phones.take(desk.listing())
    phones.take(desk.listing())
    assert desk.told == [("1001", False), ("1002", True)] * 2
    assert phones.reachable("1002")
    assert not phones.reachable("nobody")


async def test_a_contact_that_appears_is_told_at_once_without_asking(desk: Desk) -> None:
    phones = Phones(("1001",), desk.ask, desk.tell)
    phones.contact({"EndpointName": "1001", "ContactStatus": "NonQualified"})
    phones.contact({"EndpointName": "1001", "ContactStatus": "Reachable"})
    phones.contact({"EndpointName": "9999", "ContactStatus": "Reachable"})
    assert desk.told == [("1001", True)]
    assert desk.asked == []


async def test_a_contact_that_goes_may_leave_another_so_the_truth_is_asked(desk: Desk) -> None:
    phones = Phones(("1001", "1002"), desk.ask, desk.tell)
    phones.take(desk.listing())
    desk.told.clear()
    running = asyncio.create_task(phones.run(lambda: 3600))
    phones.contact({"EndpointName": "1002", "ContactStatus": "Removed"})
    await settle()
    assert desk.told == []  # a page that was reloaded: its new contact is there
    desk.states["1002"] = "offline"
    phones.contact({"EndpointName": "1002", "ContactStatus": "Unreachable"})
    await settle()
    assert desk.told == [("1002", False)]
    running.cancel()


async def test_when_changes_may_have_been_missed_all_are_asked_for(desk: Desk) -> None:
    phones = Phones(("1001", "1002", "1003", "1004"), desk.ask, desk.tell)
    running = asyncio.create_task(phones.run(lambda: 3600))
    desk.away = True
    phones.doubt()
    await settle()
    assert desk.told == []
    desk.away = False
    phones.doubt()
    await settle()
    assert desk.told == [("1002", True)]
    running.cancel()


async def test_another_set_of_phones_tells_the_new_ones(desk: Desk) -> None:
    phones = Phones(("1001",), desk.ask, desk.tell)
    await phones.replace(("1002", "unknown"))
    assert desk.told == [("1002", True), ("unknown", False)]
    phones.contact({"EndpointName": "1001", "ContactStatus": "Reachable"})
    assert not phones.reachable("1001")


@pytest.mark.parametrize("turns", range(4))
async def test_being_told_to_stop_while_being_woken_stops(desk: Desk, turns: int) -> None:
    phones = Phones(("1001",), desk.ask, desk.tell)
    running = asyncio.create_task(phones.run(lambda: 3600))
    await settle()
    phones.doubt()
    for _ in range(turns):
        await asyncio.sleep(0)
    running.cancel()
    await asyncio.wait([running], timeout=5)
    assert running.cancelled()


@pytest.mark.req("ACD-2")
async def test_calls_of_a_phones_own_are_told_and_ours_are_not(desk: Desk) -> None:
    desk.channels = {"1001": ["leg-1"], "1002": ["a", "leg-2"]}
    phones = desk.phones("1001", "1002")
    phones.take(desk.listing())  # after a connect at once
    assert desk.calls == [("1002", {"a"})]
    desk.channels = {}
    phones.take(desk.listing())
    assert desk.calls == [("1002", {"a"}), ("1002", set())]


@pytest.mark.req("ACD-2")
async def test_a_channel_counts_when_it_is_seen_twice(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("switch.phones.AGAIN_S", 0.001)
    phones = desk.phones("1002")
    phones.take(desk.listing())
    looked = asyncio.Event()
    ask = desk.ask

    async def asked(uri: str) -> Any:
        answer = await ask(uri)
        desk.channels.clear()  # refused at once: gone at the second look
        looked.set()
        return answer

    phones._ask = asked
    running = asyncio.create_task(phones.run(lambda: 3600))
    desk.channels = {"1002": ["refused"]}
    phones.look("1002")
    await looked.wait()
    looked.clear()
    await looked.wait()
    assert desk.calls == []
    phones._ask = ask
    desk.channels = {"1002": ["stays"]}
    phones.look("1002")
    async with asyncio.timeout(5):
        while not desk.calls:
            await asyncio.sleep(0)
    assert desk.calls == [("1002", {"stays"})]
    running.cancel()


@pytest.mark.req("ACD-2")
async def test_looking_comes_to_an_end(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("switch.phones.AGAIN_S", 0.0)
    phones = desk.phones("1001", "1002")
    phones.take(desk.listing())
    desk.asked.clear()
    running = asyncio.create_task(phones.run(lambda: 3600))
    phones.look("1002")
    phones.look("9999")  # not watched
    for _ in range(200):
        await asyncio.sleep(0)
    assert desk.asked == ["endpoints/PJSIP/1002"] * 2
    running.cancel()
