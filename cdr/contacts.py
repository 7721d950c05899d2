"""Earlier contacts of a telephone number: what the seat shows while it rings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from cdr.events import time_text
from cdr.transfers import Target, Transfer
from store import CallRow, Store, WrapUp


@dataclass(frozen=True, slots=True)
class Contact:
    """One earlier call from a number, or of ours to it (`via` `callback`, `outbound`). `number`: ours;
    `result`, `category`, `note`, `follow_up`, `faq`: of the last wrap-up in which anything was written;
    `operator`: who wrote it, else who answered first; `transferred`: who took the citizen over, in order."""

    call: str
    at: datetime
    number: str | None
    via: str
    outcome: str
    operator: str | None
    result: str | None = None
    category: str | None = None
    note: str | None = None
    follow_up: str | None = None
    faq: tuple[str, ...] = ()
    transferred: tuple[Target, ...] = ()
    case_id: int | None = None

    def to_json(self) -> dict[str, Any]:
        """All fields; the time as ISO 8601 UTC with Z."""
        shown = {each: getattr(self, each) for each in self.__slots__}
        shown |= {"at": time_text(self.at), "faq": list(self.faq)}
        return shown | {"transferred": [one.to_json() for one in self.transferred]}


async def history(store: Store, caller: str, limit: int = 5, *, but: str | None = None) -> list[Contact]:
    """The contacts of a telephone number, the latest first. `caller`: with or without separators, also as
    +81…; `but`: the call that is going on. Empty for a number of no digits (非通知). Raises
    StoreUnavailable."""
    forms = _forms(caller)
    if not forms or limit < 1:
        return []
    wanted = select(
        CallRow.call,
        CallRow.arrived_at,
        CallRow.number,
        CallRow.via,
        CallRow.outcome,
        CallRow.operator,
        CallRow.transfers,
        CallRow.case_id,
    ).where(CallRow.caller.in_(forms))
    if but is not None:
        wanted = wanted.where(CallRow.call != but)
    wanted = wanted.order_by(CallRow.arrived_at.desc(), CallRow.call.desc()).limit(limit)
    async with store.reading() as session:
        rows = (await session.execute(wanted)).all()
        of_calls = select(WrapUp).where(WrapUp.call.in_([row.call for row in rows])).order_by(WrapUp.id)
        notes = {note.call: note for note in await session.scalars(of_calls) if is_written(note)}
    found = []
    for row in rows:
        note = notes.get(row.call)
        found.append(
            Contact(
                row.call,
                row.arrived_at,
                row.number,
                row.via,
                row.outcome,
                (note.operator if note is not None else None) or row.operator,
                **_noted(note),
                transferred=_arrived(row.transfers or ()),
                case_id=row.case_id,
            )
        )
    return found


def is_written(note: WrapUp) -> bool:
    """Whether an operator wrote anything: a wrap-up that ran out, or was ended at once, is empty."""
    return bool(note.result or note.category or note.note or note.faq or note.follow_up)


def _noted(note: WrapUp | None) -> dict[str, Any]:
    if note is None:
        return {}
    texts = {each: getattr(note, each) for each in ("result", "category", "note", "follow_up")}
    return texts | {"faq": tuple(note.faq or ())}


def _arrived(rows: Sequence[Mapping[str, Any]]) -> tuple[Target, ...]:
    transfers = (Transfer.of(row) for row in rows)
    return tuple(one.to for one in transfers if one.arrived)


def _forms(caller: str) -> list[str]:
    """A number as trunks may have sent it: within the country, and with the country's code."""
    digits = "".join(sign for sign in caller if sign.isascii() and sign.isdigit())
    if caller.strip().startswith("+"):
        digits = "0" + digits.removeprefix("81") if digits.startswith("81") else ""
        return [caller.strip(), digits] if digits else [caller.strip()]
    return [digits, f"+81{digits[1:]}"] if digits.startswith("0") else [digits] if digits else []
