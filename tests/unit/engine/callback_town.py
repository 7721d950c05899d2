"""A town without a switch for tests of callbacks: telephones that do what a test tells them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from acd import OperatorState
from engine.call import Call
from engine.centre import Centre
from engine.session import Session
from switch import ChannelGone, Hangup, HangupReason, Snapshot
from tests.support.planned import GUARDED, plan

from .conftest import Line, close, make

HOME, OTHER = "0311110001", "09011110002"
BOOKING = "minato-1.1"
CALLBACK = f"{BOOKING}-cb"
DESK = "1001"


class Phone(Line):
    """A telephone's line: rings until it is answered or ended by the test (or hung up by the engine)."""

    up = False
    listens = False  # what is played lasts until the line ends

    def __init__(self, identity: str, *args: str, up: bool = False, caller: str | None = None) -> None:
        super().__init__(identity, *args)
        self.up, self.caller = up, caller  # type: ignore[assignment]
        self.hangup_info: Hangup | None = None  # type: ignore[assignment]
        self._listeners: list[Callable[[Hangup], None]] = []
        self._changed = asyncio.Event()

    def answer(self) -> None:
        self.up = True
        self._changed.set()

    def end(self, cause: int = 16, status: int | None = None) -> None:
        if self.hangup_info is None:
            self.hangup_info = Hangup(HangupReason.HANGUP, cause, tech_cause=status)
            self._changed.set()
            for listener in self._listeners:
                listener(self.hangup_info)

    def on_gone(self, callback: Callable[[Hangup], None]) -> None:
        self._listeners.append(callback)
        if self.hangup_info is not None:
            callback(self.hangup_info)

    async def _next(self) -> None:
        self._changed.clear()
        await self._changed.wait()

    async def wait_up(self) -> None:
        while not self.up and self.hangup_info is None:
            await self._next()
        if self.hangup_info is not None:
            raise ChannelGone(self.id, self.hangup_info)

    async def wait_gone(self) -> Hangup:
        while self.hangup_info is None:
            await self._next()
        return self.hangup_info

    async def hangup(self, cause: str = "normal") -> None:
        self.asked.append("hangup")
        self.end()

    async def play(self, *media: str, until_digit: bool = False) -> str | None:
        self.asked.append(" ".join(("play", *media)))
        if self.listens:
            raise ChannelGone(self.id, await self.wait_gone())
        return None


class Room(Line):
    """A bridge. `exchange.joins`: what happens when somebody is to be joined."""

    def __init__(self, identity: str, exchange: Exchange) -> None:
        super().__init__(identity)
        self.exchange = exchange

    async def add(self, *channels: Line) -> None:
        self.asked.append("add")
        if self.exchange.joins is not None:
            self.exchange.joins()


class Exchange:
    """A switch whose legs are Phones. `refuses`: what happens to the next leg, `unrecorded` to its recording,
    `roomless` to the next bridge."""

    def __init__(self) -> None:
        self.legs: list[tuple[str, Phone]] = []
        self.recorded: list[str] = []
        self.refuses: Exception | None = None
        self.unrecorded: Exception | None = None
        self.roomless: Exception | None = None
        self.joins: Callable[[], None] | None = None
        self.looks: Callable[[], None] | None = None  # before a citizen's leg is made

    async def leg(self, endpoint: str, *, channel_id: str, **how: Any) -> Phone:
        if "@" in endpoint and self.looks is not None:
            self.looks()
        if "@" in endpoint and self.refuses is not None:
            raise self.refuses
        phone = Phone(channel_id, "leg")
        phone.asked.append(f"shows {how['caller_id']} {how['caller_name']}".strip())
        self.legs.append((endpoint, phone))
        return phone

    async def bridge(self) -> Room:
        if self.roomless is not None:
            raise self.roomless
        return Room(f"b-{len(self.legs)}", self)

    async def record(self, channel: Phone, heard: Path, said: Path) -> None:
        if self.unrecorded is not None:
            raise self.unrecorded
        self.recorded += [channel.id, heard.name, said.name]


class Town:
    """A centre with a callback in its queue `main`, operator 1001 and an exchange."""

    def __init__(self, centre: Centre) -> None:
        self.centre = centre
        self.exchange = Exchange()
        self.noted: list[tuple[str, str | None, dict[str, Any]]] = []
        note = centre.note

        def told(kind: str, call: str | None = None, **data: Any) -> Any:
            self.noted.append((kind, call, {name: one for name, one in data.items() if name != "at"}))
            return note(kind, call, **data)

        centre.note = told  # type: ignore[method-assign]
        centre.switch = self.exchange  # type: ignore[assignment]

    @property
    def session(self) -> Session:
        assert self.centre.session is not None
        return self.centre.session

    def connect(self, *channels: Phone) -> None:
        held: Any = channels
        self.centre.on_connected(Snapshot(datetime.now(UTC) - timedelta(days=1), held, ()))

    def ready(self, state: OperatorState = OperatorState.READY) -> None:
        self.centre.on_phone(DESK, True)
        self.centre.wants(DESK, state, "", "test")

    def kinds(self) -> list[str]:
        return [kind for kind, _, _ in self.noted]

    def data(self, kind: str) -> dict[str, Any]:
        return [data for one, _, data in self.noted if one == kind][-1]

    @property
    def callbacks(self) -> list[dict[str, Any]]:
        return list(self.centre.live.state()["callbacks"])

    def arrive(self, identity: str, caller: str | None = HOME) -> Call:
        """A citizen's call, somewhere in the plan: nobody leads it."""
        session = self.session
        call = session._call(Phone(identity, "arrival", GUARDED, up=True, caller=caller))  # type: ignore[arg-type]
        session.calls[call.id] = call
        return call

    def book(
        self, identity: str = BOOKING, caller: str | None = HOME, number: str | None = None
    ) -> bool | None:
        """A call that waits in main, books and is over."""
        call = self.arrive(identity, caller)
        event = self.centre.note("queued", call.id, queue="main", priority=0, again=False, language="ja")
        call.queue, call.queued, call.queued_mono = "main", event.at, event.mono
        new = self.session.callbacks.book(call, "call-back", number or caller or "")
        call.ended_by, call.end_reason = "centre", "callback"
        self.session.finish(call)
        return new

    async def operator(self) -> Phone:
        """The operator's phone, once it rings."""
        return await self.leg(lambda endpoint: "@" not in endpoint)

    async def citizen(self) -> Phone:
        """The citizen's telephone, once it rings."""
        return await self.leg(lambda endpoint: "@" in endpoint)

    async def leg(self, true: Callable[[str], bool]) -> Phone:
        found: list[Phone] = []

        def there() -> bool:
            found[:] = [
                phone for endpoint, phone in self.exchange.legs if true(endpoint) and not phone.hangup_info
            ]
            return bool(found) and any(asked.startswith("dial") for asked in found[-1].asked)

        await until(there)
        return found[-1]

    async def taken(self) -> tuple[Phone, Phone]:
        """The operator has answered, the citizen's telephone rings."""
        operator = await self.operator()
        operator.answer()
        return operator, await self.citizen()

    def to_the_end_of(self, **terms: Any) -> None:
        for memory in self.centre.memory.callbacks.open.values():
            for name, value in terms.items():
                setattr(memory, name, value)


async def until(true: Callable[[], bool], within_s: float = 10.0) -> None:
    async with asyncio.timeout(within_s):
        while not true():
            await asyncio.sleep(0.002)


def site(**terms: Any) -> dict[str, Any]:
    made = plan(5099)
    made["queues"][0] |= {"callback": "call-back", "wrap_up_s": 0}
    step = {"id": "call-back", "kind": "callback", "say": {"ja": "1を", "en": "one"}, "queue": "main"}
    made["steps"].append(step | {"trunk": "narrow", "declined": "queue:main"} | terms)
    return made


async def again(town: Town, tmp_path: Path, *channels: Phone) -> Town:
    """The engine was killed: a new one, on what stands in the journal and these channels."""
    assert await town.centre.journal.synced()
    close(town.centre)
    new = Town(await make(tmp_path))
    new.centre.on_phone(DESK, True)
    new.connect(*channels)
    return new
