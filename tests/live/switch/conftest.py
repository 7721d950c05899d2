"""A real Asterisk for each test of this folder, a switch on it, and phones."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from switch import Channel, Snapshot, Switch, SwitchSettings, connect
from tests.live.support.mini_asterisk import PHONE_PASSWORD, MiniAsterisk
from tests.live.support.sip_phone import SipPhone


class Watched:
    """What a switch called back, in order, and ways to wait for it."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.arrivals: asyncio.Queue[Channel] = asyncio.Queue()
        self.snapshots: asyncio.Queue[Snapshot] = asyncio.Queue()
        self.lost: asyncio.Queue[None] = asyncio.Queue()
        self.phones: dict[str, bool] = {}
        self._changed = asyncio.Event()

    def on_arrival(self, channel: Channel) -> None:
        self.log.append(f"arrival {channel.id}")
        self.arrivals.put_nowait(channel)

    def on_connected(self, snapshot: Snapshot) -> None:
        self.log.append("connected")
        self.snapshots.put_nowait(snapshot)

    def on_disconnected(self) -> None:
        self.log.append("disconnected")
        self.lost.put_nowait(None)

    def on_phone(self, endpoint: str, reachable: bool) -> None:
        self.phones[endpoint] = reachable
        self._changed.set()

    async def phone(self, endpoint: str, reachable: bool, timeout_s: float = 20.0) -> None:
        async with asyncio.timeout(timeout_s):
            while self.phones.get(endpoint) is not reachable:
                self._changed.clear()
                await self._changed.wait()

    async def arrival(self) -> Channel:
        return await asyncio.wait_for(self.arrivals.get(), 20)

    async def snapshot(self, timeout_s: float = 20.0) -> Snapshot:
        return await asyncio.wait_for(self.snapshots.get(), timeout_s)

    async def disconnected(self, timeout_s: float = 20.0) -> None:
        await asyncio.wait_for(self.lost.get(), timeout_s)


@contextlib.asynccontextmanager
async def opened(settings: SwitchSettings, connect_s: float = 20.0) -> AsyncIterator[tuple[Switch, Watched]]:
    """A connected switch and what it tells; the first snapshot is still in the queue."""
    seen = Watched()
    async with connect(
        settings,
        on_arrival=seen.on_arrival,
        on_connected=seen.on_connected,
        on_disconnected=seen.on_disconnected,
        on_phone=seen.on_phone,
    ) as switch:
        await asyncio.wait_for(switch.wait_connected(), connect_s)
        yield switch, seen


@pytest.fixture
async def asterisk(tmp_path: Path) -> AsyncIterator[MiniAsterisk]:
    mini = MiniAsterisk(tmp_path, ("1001", "1002"))
    await mini.start()
    try:
        yield mini
    finally:
        mini.kill()


@pytest.fixture
async def desk(asterisk: MiniAsterisk) -> AsyncIterator[SipPhone]:
    """Desk phone 1001, registered."""
    phone = await SipPhone.open(asterisk.sip_port, "1001", PHONE_PASSWORD)
    await phone.register()
    yield phone
    phone.close()


@pytest.fixture
async def citizen(asterisk: MiniAsterisk) -> AsyncIterator[SipPhone]:
    """A citizen's phone behind the trunk."""
    phone = await SipPhone.open(asterisk.sip_port, "0312345678")
    yield phone
    phone.close()


@pytest.fixture
def sound(asterisk: MiniAsterisk) -> Callable[[str], str]:
    """The media uri of a test sound: `tone2s`, `tone100ms`."""
    return lambda name: f"sound:{asterisk.folder}/sounds/en/{name}"
