"""What the live state tells of transfers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .call import Call
from .commands import Json
from .transfer_control import transfer_to
from .transfer_model import State

if TYPE_CHECKING:
    from .centre import Centre
    from .session import Session


def of_call(centre: Centre, call: Call) -> Json:
    known = centre.memory.calls.get(call.id)
    return {
        "transfer": call.transfer.told() if call.transfer is not None else None,
        "last_transfer": call.last_transfer,
        "returned": call.returned,
        "hops": known.transfers.hops if known is not None else 0,
    }


def of_operator(session: Session, operator: str) -> Json:
    """A colleague to whom a call is to be transferred: it rings there, or they talk about it."""
    call = transfer_to(session, operator)
    if call is None or call.transfer is None:
        return {}
    ringing = call.transfer.state is State.RINGING
    return {"call": call.id, "state": "ringing" if ringing else "talking"}
