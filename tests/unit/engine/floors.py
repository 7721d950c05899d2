"""A floor with telephones that are played by the test: citizens who hear everything at once, phones that ring
until they are picked up."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from acd import OperatorState
from cdr import Event
from engine.call import Call
from engine.centre import Centre
from engine.floor import Floor
from switch import FoundBridge, Hangup, HangupReason, Snapshot
from tests.support.site import NUMBER, site, write_site

from .conftest import Line, make


class Citizen(Line):
    """Hears what is said in no time; music never ends."""

    def __init__(self, identity: str, number: str, caller: str | None) -> None:
        super().__init__(identity, "arrival", number)
        self.caller = caller  # type: ignore[assignment]
        self.dialled = number
        self._gone: Callable[[Hangup], None] | None = None

    def on_gone(self, callback: Callable[[Hangup], None]) -> None:
        self._gone = callback

    def hangs_up(self) -> None:
        self.hangup_info = Hangup(HangupReason.HANGUP, 16)  # type: ignore[assignment]
        assert self._gone is not None
        self._gone(self.hangup_info)  # type: ignore[arg-type]

    async def play(self, *media: str, until_digit: bool = False) -> str | None:
        self.asked.append(" ".join(("play", *media)))
        return None


class Phone(Line):
    """A leg that rings until `picked_up` is set."""

    def __init__(self, identity: str) -> None:
        super().__init__(identity, "leg")
        self.picked_up = asyncio.Event()

    async def wait_up(self) -> None:
        await self.picked_up.wait()


class Exchange(Line):
    """Rings phones; `rung` by operator: the legs in order."""

    def __init__(self) -> None:
        super().__init__("switch")
        self.rung: dict[str, list[Phone]] = {}
        self._rooms = 0

    async def leg(self, endpoint: str, *, channel_id: str, **_: Any) -> Phone:
        phone = Phone(channel_id)
        self.rung.setdefault(endpoint, []).append(phone)
        return phone

    async def bridge(self) -> Line:
        self._rooms += 1
        return Line(f"b-{self._rooms}")


class Opened:
    """A centre in `folder`, its operators ready at their desk phones. `noted`: what was noted since."""

    def __init__(self, centre: Centre) -> None:
        self.centre = centre
        self.exchange = Exchange()
        self.noted: list[Event] = []
        note = centre.note

        def told(kind: str, *args: Any, **data: Any) -> Event:
            event = note(kind, *args, **data)
            self.noted.append(event)
            return event

        centre.note = told  # type: ignore[method-assign]
        centre.switch = self.exchange  # type: ignore[assignment]

    def connect(self, *lines: Line, rooms: dict[str, tuple[str, ...]] | None = None) -> None:
        bridges: Any = tuple(FoundBridge(Line(room), who) for room, who in (rooms or {}).items())
        held: Any = lines
        self.centre.on_connected(Snapshot(datetime.now(UTC) - timedelta(days=1), held, bridges))

    def ready(self, *operators: str) -> None:
        for operator in operators:
            self.centre.on_phone(operator, True)
            self.centre.wants(operator, OperatorState.READY, "", "test")

    @property
    def floor(self) -> Floor:
        assert self.centre.session is not None
        return self.centre.session.floor

    async def calls(self, call: str, number: str = NUMBER, caller: str | None = "0311110001") -> Call:
        """A citizen calls and waits in a queue, or is rung for."""
        assert self.centre.session is not None
        self.centre.session.arrived(Citizen(call, number, caller))  # type: ignore[arg-type]
        await settle()
        return self.centre.session.calls[call]

    async def answers(self, operator: str) -> None:
        self.exchange.rung[operator][-1].picked_up.set()
        await settle()

    def state(self, operator: str) -> str:
        return str(self.centre.live.operator_state(operator)["state"])

    def kinds(self, call: str | None = None) -> list[str]:
        return [event.kind for event in self.noted if event.call == call]

    def last(self, kind: str) -> dict[str, Any]:
        return dict(next(event.data for event in reversed(self.noted) if event.kind == kind))


async def opened(folder: Path, content: dict[str, Any] | None = None, *, ready: bool = True) -> Opened:
    """A centre on that site (or as `folder` holds it already), connected."""
    path = folder / "site.yaml"
    if content is not None or not path.exists():
        write_site(path, content or site())
    made = Opened(await make(folder))
    if ready:
        made.connect()
        made.ready(*(one.id for one in made.centre.site.operators))
    return made


async def settle() -> None:
    """Until nothing is left to do at once."""
    for _ in range(40):
        await asyncio.sleep(0)
