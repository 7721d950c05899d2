"""The operators' pages: which of them is open, and what it means for a conversation when one goes away."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from switch import ChannelGone, SwitchError

from .call import Call, PageLost
from .phones import BROWSER
from .transferred import ends_wrap_up

if TYPE_CHECKING:
    from .centre import Centre

log = logging.getLogger("daihyo.engine.seats")

CLOSED_S = 3.0  # a page that comes back within this was only a broken line to the console
LISTEN_S = 1.0  # how long we listen for sound of a page that is gone


@dataclass
class Seat:
    instance: str
    open: bool = True


class Seats:
    """Told by the console; tells the conversation when its browser phone can no longer be there."""

    def __init__(self, centre: Centre) -> None:
        self.centre = centre
        self._seats: dict[str, Seat] = {}
        self._changed: dict[str, asyncio.Event] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def opened(self, operator: str, instance: str, phone: str, in_call: bool) -> None:
        before = self._seats.get(operator)
        self._seats[operator] = Seat(instance)
        self.centre.chosen_phone[operator] = phone
        self.phone_changed(operator)
        call = self._browser_call(operator)
        if call is not None and call.leg is not None and not in_call and phone == BROWSER:
            if before is None:
                # The first word since the engine's start: perhaps the very page that holds the conversation.
                self._start(self._watch_leg(call))
            elif before.instance != instance:
                call.inbox.put_nowait(PageLost("page_closed", call.leg.id))
        session = self.centre.session
        if session is not None and before is not None and before.instance != instance and not in_call:
            session.supervisions.page_gone(operator)
        self.centre.live.operator(operator)

    def closed(self, operator: str, instance: str) -> None:
        seat = self._seats.get(operator)
        if seat is None or seat.instance != instance:
            return  # another page has taken the seat since
        seat.open = False
        if self._browser_call(operator) is not None:
            self._start(self._watch(operator, instance))
        self.centre.live.operator(operator)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def phone_changed(self, operator: str) -> None:
        self._changed.setdefault(operator, asyncio.Event()).set()
        self._take_back(operator)

    def _take_back(self, operator: str) -> None:
        """A page that comes back too late for its conversation: while the citizen still waits in front, the
        wrap-up of that call is over, so that it rings here first."""
        session = self.centre.session
        if session is None or not self.there(operator):
            return
        lost = (one for one in session.calls.values() if one.lost_by == operator and one.waits())
        for call in lost:
            ends_wrap_up(session, operator, call.id)

    def page_of(self, operator: str) -> str | None:
        """Which page has the seat."""
        seat = self._seats.get(operator)
        return seat.instance if seat is not None else None

    async def other_page(self, operator: str, page: str | None) -> None:
        """Until another page than this one has the seat."""
        changed = self._changed.setdefault(operator, asyncio.Event())
        while self.page_of(operator) == page:
            changed.clear()
            await changed.wait()

    async def back(self, operator: str) -> None:
        """Until the operator's browser phone is registered and its page open."""
        changed = self._changed.setdefault(operator, asyncio.Event())
        while not self.there(operator):
            changed.clear()
            await changed.wait()

    def there(self, operator: str) -> bool:
        """Whether the operator's page is open and its browser phone can be rung."""
        seat = self._seats.get(operator)
        return seat is not None and seat.open and BROWSER in self.centre.reachable.get(operator, set())

    def _browser_call(self, operator: str) -> Call | None:
        session = self.centre.session
        call = session.call_of(operator) if session is not None else None
        return call if call is not None and call.phone == BROWSER else None

    async def _watch(self, operator: str, instance: str) -> None:
        """A page's socket closed in mid-call. If its sound goes on, only the line to the console broke."""
        await asyncio.sleep(CLOSED_S)
        seat = self._seats.get(operator)
        call = self._browser_call(operator)
        if seat is None or seat.open or seat.instance != instance or call is None:
            return
        await self._watch_leg(call)

    async def _watch_leg(self, call: Call) -> None:
        leg = call.leg
        if leg is None:
            return
        try:
            before = await leg.rtp()
            await asyncio.sleep(LISTEN_S)
            after = await leg.rtp()
        except (ChannelGone, SwitchError):
            return
        if after.rx <= before.rx and call.leg is leg:
            call.inbox.put_nowait(PageLost("page_closed", leg.id))
