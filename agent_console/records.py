"""Call records for the console: which of them eyes may see, chosen by span, number, operator and outcome."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cdr
from cdr import CallDetail, CallRecord, Outcome, Span

from .console import Console
from .formats import masked, phone_number
from .rights import Right
from .sessions import Session


@dataclass(frozen=True)
class Choice:
    """Which calls. `operator`: whoever answered; `queue`: where they waited or were answered from; `outcome`:
    one of cdr.Outcome, None for all."""

    span: Span
    number: str | None = None
    operator: str | None = None
    outcome: str | None = None
    queue: str | None = None
    limit: int = 100
    offset: int = 0


async def find(console: Console, session: Session, choice: Choice) -> tuple[list[CallRecord], int]:
    """The calls of a choice, the latest first, and how many there are without the limit. Who may see only
    their own gets only their own. Raises StoreUnavailable."""
    operator = choice.operator
    if not session.may(Right.CALLS_ALL):
        own = session.account.operator
        if own is None or operator not in (None, own):
            return [], 0
        operator = own
    start, end, number = choice.span.start, choice.span.end, choice.number or None
    outcome = Outcome(choice.outcome) if choice.outcome else None
    limit, offset = choice.limit, choice.offset
    queue = choice.queue or None
    found = await cdr.calls(
        console.store, start, end, number, operator, limit, offset, outcome=outcome, queue=queue
    )
    total = await cdr.count_calls(console.store, start, end, number, operator, outcome=outcome, queue=queue)
    return found, total


async def one(console: Console, session: Session, call_id: str) -> CallDetail | None:
    """One call with its events, or None when there is none or it is not for these eyes."""
    detail = await cdr.call(console.store, call_id)
    if detail is None or session.may(Right.CALLS_ALL):
        return detail
    own = session.account.operator
    return detail if own is not None and own in detail.record.operators else None


def may_replay(session: Session, record: CallRecord) -> bool:
    """Whether this session may listen to this call."""
    if session.may(Right.REPLAY_ALL):
        return True
    own = session.account.operator
    return session.may(Right.REPLAY_OWN) and own is not None and own in record.operators


def recording_path(console: Console, record: CallRecord) -> Path | None:
    """The recording's file, or None when there is none (yet)."""
    if record.recording is None:
        return None
    archive = console.settings.archive.resolve()
    path = (archive / record.recording).resolve()
    return path if path.is_relative_to(archive) and path.is_file() else None


def shape(console: Console, session: Session, record: CallRecord | CallDetail) -> dict[str, Any]:
    """A record (or a detail) as JSON for these eyes, with `caller_text`, `number_text` grouped for reading
    and `number_name`; null when not known."""
    shaped = record.to_json()
    caller, number = shaped.get("caller"), shaped.get("number")
    groups = console.groups
    shaped["caller_text"] = phone_number(caller, groups) if caller else None
    shaped["number_text"] = phone_number(number, groups) if number else None
    shaped["number_name"] = next((n.name for n in console.site.numbers if n.digits == number), None)
    if not session.may(Right.CALLER_FULL):
        for field in ("caller", "caller_text"):
            if shaped[field]:
                shaped[field] = masked(shaped[field])
    for event in shaped.get("events", []):
        event["data"] = shown_data(session, event["kind"], event["data"])
    return shaped


# Where a citizen's number stands in an event.
_CITIZENS = {"arrived": "caller", "callback_booked": "number", "dialled": "to"}


def shown_data(session: Session, kind: str, data: Mapping[str, Any]) -> dict[str, Any]:
    """An event's particulars for these eyes: citizens' numbers masked by right, and of an offer only the rule
    for those who may not see other operators' figures."""
    shown = dict(data)
    field = _CITIZENS.get(kind)
    if field and shown.get(field) and not session.may(Right.CALLER_FULL):
        shown[field] = masked(str(shown[field]))
    because = shown.get("because")
    if isinstance(because, Mapping) and not session.may(Right.EVENNESS):
        kept = {name: because[name] for name in ("rule", "among", "waited_s") if name in because}
        if shown.get("operator") == session.account.operator and "idle_s" in because:
            kept["idle_s"] = because["idle_s"]
        shown["because"] = kept
    return shown
