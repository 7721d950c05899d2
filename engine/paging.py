"""Ringing somebody's phone outside the distribution: a supervisor who listens or takes a call."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from switch import Channel, Refused

from .phones import endpoint, phone_of

if TYPE_CHECKING:
    from .session import Session

RING_S = 20.0
BEGUN_S = 5.0  # how long a command waits for the phone to be rung
AUTO = {"PJSIP_HEADER(add,X-Daihyo-Resume)": "1"}  # the page answers by itself


async def rung(rings: asyncio.Future[None]) -> bool:
    """Once the phone is rung; False if it cannot be."""
    await asyncio.wait([rings], timeout=BEGUN_S)
    return not rings.cancelled()


async def page(
    session: Session, operator: str, identity: str, shows: tuple[str, str], rings: asyncio.Future[None]
) -> Channel:
    """The leg, once it is answered; `rings` is done as soon as the phone is rung. Refused: it cannot be
    reached; ChannelGone: it was not answered. Nothing is left behind then."""
    phone = phone_of(session.centre, operator)
    if phone is None:
        raise Refused(f"operator {operator} has no phone that can be reached")
    await session.phone_free(operator)
    leg: Channel | None = None
    try:
        leg = await session.switch.leg(
            endpoint(operator, phone),
            channel_id=identity,
            caller_id=shows[0],
            caller_name=shows[1],
            variables=AUTO,
        )
        await leg.dial(RING_S)
        if not rings.done():
            rings.set_result(None)
        await leg.wait_up()
        found, leg = leg, None
        return found
    finally:
        session.let_go(leg, None, of=operator)
