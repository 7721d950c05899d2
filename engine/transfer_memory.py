"""What the journal says about the transfers of an open call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from cdr import Event

from .clock import iso
from .transfer_model import WITH, How, State

if TYPE_CHECKING:
    from .memory import CallMemory

_STATES = {who: state for state, who in WITH.items()}
RETURNED_PRIORITY = 100  # of a citizen who has come back: before all others


@dataclass
class TransferMemory:
    """One that has not ended. `leg`: of the target; None for a queue, or where no trunk had room."""

    place: int
    how: How
    operator: str
    to: dict[str, Any]
    by: str
    leg: str | None
    trunk: str | None
    phone: str | None  # of a colleague
    since: datetime
    state: State = State.RINGING
    answered_mono: float | None = None
    transferred: bool = False
    bridge: str | None = None
    pad: str | None = None  # the call that the operator's own telephone dialled for it


@dataclass
class TransfersMemory:
    """Of one call. `count`: how many have begun; `hops`: how many of them took the citizen over, as the
    record counts them; `queued`: the last one left the citizen to a queue, where nobody has answered yet;
    `last`, `returned`: as the live state tells them."""

    open: TransferMemory | None = None
    count: int = 0
    hops: int = 0
    queued: bool = False
    last: dict[str, Any] | None = None
    returned: dict[str, Any] | None = None
    back: TransferMemory | None = field(default=None, repr=False)  # the one that ended last

    def answered(self) -> None:
        """An operator has the citizen: one who was the target is none any more."""
        if self.queued:
            self.hops, self.queued = self.hops + 1, False
        if self.open is not None and self.open.transferred:
            self.open = None

    @property
    def trunk(self) -> str | None:
        """The trunk whose channel the target's leg takes up."""
        return self.open.trunk if self.open is not None and self.open.leg is not None else None


def transferred(call: CallMemory, event: Event, mono: float) -> None:
    """Folds one event of a transfer in; others are passed over."""
    known, data = call.transfers, event.data
    if event.kind == "transfer_begun":
        known.open = TransferMemory(
            place=int(data.get("place") or known.count + 1),
            how="blind" if data.get("how") == "blind" else "consult",
            operator=str(data.get("operator") or ""),
            to=dict(data.get("to") or {}),
            by=str(data.get("by") or ""),
            leg=data.get("leg"),
            trunk=data.get("trunk"),
            phone=data.get("phone"),
            since=event.at,
            pad=data.get("pad"),
        )
        known.count = known.open.place
        known.queued = False
        known.last = known.returned = None
        call.held = False
        return
    if event.kind == "returned":
        _returned(call, known, event, data)
        return
    if (one := known.open) is None:
        return
    match event.kind:
        case "transfer_rerouted":
            one.leg, one.trunk = data.get("leg"), data.get("trunk")
        case "transfer_answered":
            known.hops += one.transferred and one.answered_mono is None
            one.answered_mono = mono
            one.state = State.TRANSFERRED if one.transferred else State.TALKING
        case "transfer_room":
            one.state = _STATES.get(str(data.get("with")), one.state)
        case "transferred":
            known.hops += one.answered_mono is not None and not one.transferred
            known.queued = one.to.get("kind") == "queue"
            one.transferred, one.bridge = True, data.get("bridge")
            if one.answered_mono is not None:
                one.state = State.TRANSFERRED
        case "transfer_ended":
            known.open, known.back = None, one
            if not one.transferred:
                known.last = {"to": one.to, "reason": str(data.get("reason") or ""), "at": iso(event.at)}


def _returned(call: CallMemory, known: TransfersMemory, event: Event, data: Mapping[str, Any]) -> None:
    """The citizen has come back. Killed before they stood in line, they are put in front all the same."""
    was = known.back
    known.returned = {
        "to": was.to if was is not None else None,
        "reason": str(data.get("reason") or ""),
        "operator": was.operator if was is not None else None,
        "at": iso(event.at),
    }
    call.priority = max(call.priority, RETURNED_PRIORITY)
    call.last_operator = data.get("to") or call.last_operator
