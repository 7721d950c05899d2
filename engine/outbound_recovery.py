"""Calls that operators make, as a new engine (or connection) finds them before anybody has answered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dialplans import OutRoute
from switch import Channel

from .memory import CallMemory
from .outbound import CallOut, Wanted
from .reaching import Taken, nobody_talks

if TYPE_CHECKING:
    from .session import Session


def calling(session: Session, call: CallMemory, channels: dict[str, Channel]) -> set[str]:
    """It rings on where both lines stand, else it has failed. Returns the channels that go on being used."""
    was, out = call.dialled, call.outbound
    assert was is not None  # noqa: S101  (asked by the caller)
    assert out is not None  # noqa: S101
    own, leg = channels.get(was.operator_leg), channels.get(out.line)
    if own is not None and own.up and leg is not None and not leg.down:
        session.floor.talks_alone(was.operator, call.id)
        route = OutRoute(call.caller or "", None, out.shown, ())
        wanted = Wanted(was.operator, route, out.case, out.about, out.by)
        taken = Taken(was.operator, was.phone, own, citizen=leg)
        going = CallOut(session, call.id, taken, wanted, began_mono=out.began_mono)
        session.start(going.run(), f"call {call.id} of {was.operator}")
        return {own.id, leg.id}
    nobody = own is None and leg is not None
    nobody_talks(session, call, leg, "operator_gone" if nobody else "failed")
    return set()
