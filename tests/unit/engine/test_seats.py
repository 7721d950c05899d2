"""What an operator's page says of itself, and what it means for the conversation in its browser phone."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from engine.call import PageLost
from engine.seats import Seats
from switch import RtpCounters


class Leg:
    """A browser phone's leg that sends so many packets between two looks."""

    id = "leg-1"

    def __init__(self, packets: int) -> None:
        self.packets, self.looks = packets, 0

    async def rtp(self) -> RtpCounters:
        self.looks += 1
        return RtpCounters(rx=self.packets * self.looks, tx=0)


def talking(packets: int) -> tuple[Seats, asyncio.Queue[Any]]:
    call = SimpleNamespace(operator="1001", phone="browser", leg=Leg(packets), inbox=asyncio.Queue())
    centre: Any = SimpleNamespace(
        chosen_phone={},
        reachable={"1001": {"browser"}},
        session=SimpleNamespace(
            call_of=lambda operator: call,
            calls={},
            supervisions=SimpleNamespace(page_gone=lambda operator: None),
        ),
        live=SimpleNamespace(operator=lambda operator: None),
    )
    return Seats(centre), call.inbox


async def told(inbox: asyncio.Queue[Any]) -> object:
    try:
        async with asyncio.timeout(0.5):
            return await inbox.get()
    except TimeoutError:
        return None


@pytest.mark.req("REL-1")
@pytest.mark.parametrize(("packets", "lost"), [(50, False), (0, True)], ids=["speaks", "silent"])
async def test_after_a_start_of_the_engine_a_page_that_speaks_keeps_its_conversation(
    monkeypatch: pytest.MonkeyPatch, packets: int, lost: bool
) -> None:
    """The console repeats what the page said when it loaded: `in_call` is older than the call."""
    monkeypatch.setattr("engine.seats.LISTEN_S", 0.01)
    seats, inbox = talking(packets)
    seats.opened("1001", "page-a", "browser", in_call=False)
    assert await told(inbox) == (PageLost("page_closed", "leg-1") if lost else None)


@pytest.mark.req("OPR-1")
async def test_another_page_takes_the_conversation_over_at_once() -> None:
    seats, inbox = talking(50)
    seats.opened("1001", "page-a", "browser", in_call=True)
    seats.opened("1001", "page-b", "browser", in_call=False)
    assert inbox.get_nowait() == PageLost("page_closed", "leg-1")
