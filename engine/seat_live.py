"""What the live state tells of the seats: who supervises whom, marks, mute."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .call import Call
from .clock import iso
from .commands import Json

if TYPE_CHECKING:
    from .centre import Centre


def of_call(centre: Centre, call: Call) -> Json:
    session = centre.session
    known = centre.memory.seats.marks.get(call.id, [])
    return {
        "marks": [{"mark": one.mark, "at": iso(one.at), "by": one.by} for one in known],
        "muted": call.muted,
        "supervision": [one.state() for one in session.supervisions.of(call)] if session else [],
    }


def of_operator(centre: Centre, operator: str) -> Json:
    """`supervising` from the moment that their phone is rung for it."""
    one = centre.session.supervisions.all.get(operator) if centre.session is not None else None
    if one is None:
        return {"supervising": None}
    ringing = one.since is None
    return {"supervising": {"call": one.call.id, "mode": one.mode.value, "ringing": ringing}, "call": None}
