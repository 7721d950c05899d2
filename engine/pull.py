"""A waiting call pulled by a supervisor to themselves (MON-3): their phone rings for it, outside the
distribution. Until they answer, the call keeps its place, and whoever answers it first has it."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from acd import OfferEnd
from switch import Bridge, Channel, SwitchError, SwitchGone

from .call import Answer, Call
from .offer import failed_end, leg_id
from .paging import page
from .phones import phone_of

if TYPE_CHECKING:
    from .session import Session

log = logging.getLogger("daihyo.engine.pull")


class Pull:
    """An offer outside the distribution; in the ledger as rule `pull`. `rings` is done once the phone is
    rung, cancelled when it cannot be."""

    def __init__(self, session: Session, call: Call, supervisor: str, by: str) -> None:
        self.session, self.call, self.supervisor, self.by = session, call, supervisor, by
        self.rings: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.leg_id = leg_id(supervisor)
        self.phone = phone_of(session.centre, supervisor) or ""

    def begin(self) -> None:
        self.session.floor.talks_alone(self.supervisor, self.leg_id)
        self.session.start(self._run(), f"pull of {self.call.id} by {self.supervisor}")

    async def _run(self) -> None:
        session, call = self.session, self.call
        began = session.centre.clock.mono()
        session.centre.note(
            "offered",
            call.id,
            queue=call.queue,
            operator=self.supervisor,
            phone=self.phone,
            leg=self.leg_id,
            because={"rule": "pull", "by": self.by},
        )
        end: OfferEnd | None = OfferEnd.FAILED
        try:
            end = await self._rung()
        except SwitchGone:
            return
        finally:
            if not self.rings.done():
                self.rings.cancel()
            if not session.detached:
                self._over(end, session.centre.clock.mono() - began)

    async def _rung(self) -> OfferEnd | None:
        """Until answered (None: the call has the leg now), or why not."""
        session, call = self.session, self.call
        leg: Channel | None = None
        bridge: Bridge | None = None
        paging = asyncio.create_task(
            page(session, self.supervisor, self.leg_id, call.shows, self.rings), name="paging"
        )
        assert call.answer is not None  # noqa: S101  (it waits)
        try:
            # The wait ends when somebody else answers, or when the caller goes.
            either: set[asyncio.Future[Any]] = {paging, call.answer}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if not paging.done():
                gone = call.channel.hangup_info is not None
                return OfferEnd.CALLER_GONE if gone else OfferEnd.WITHDRAWN
            leg = paging.result()
            bridge = await session.switch.bridge()
            if not call.waits():
                return OfferEnd.WITHDRAWN
            session.floor.talks(self.supervisor, call.id, call.queue)
            call.take(Answer(self.supervisor, self.phone, leg, bridge))
            leg = bridge = None
            return None
        except SwitchError as problem:
            return failed_end(problem, f"pulling {call.id} to {self.supervisor}")
        finally:
            if not paging.done():
                paging.cancel()
                await asyncio.wait([paging])
            session.let_go(leg, bridge, of=self.supervisor)

    def _over(self, end: OfferEnd | None, ring_s: float) -> None:
        session = self.session
        if end is None:
            return
        session.centre.note(
            "offer_ended", self.call.id, operator=self.supervisor, reason=end.value, ring_s=round(ring_s, 3)
        )
        if session.floor.talks_in(self.supervisor, self.leg_id):
            session.floor.over(self.supervisor, wrap_up=False)
