"""Call records for the console: which of them eyes may see, chosen by span, number, operator and outcome."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cdr
from cdr import CallDetail, CallRecord, Consult, Event, Outcome, Span

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
    if detail is None:
        return None
    own = session.account.operator
    if not session.may(Right.CALLS_ALL) and (own is None or own not in detail.record.operators):
        return None
    return replace(detail, events=[event for event in detail.events if visible(session, event)])


def visible(session: Session, event: Event) -> bool:
    """Who listened to a conversation is for supervisors and auditors: those who may hear all of them. What
    was said in a request for help is for them too, and for whoever asked."""
    if session.may(Right.REPLAY_ALL):
        return True
    if event.kind.startswith("help_"):
        own = session.account.operator
        return own is not None and event.data.get("operator") == own
    return not event.kind.startswith("supervision_")


def may_replay(session: Session, record: CallRecord) -> bool:
    """Whether this session may listen to this call."""
    if session.may(Right.REPLAY_ALL):
        return True
    own = session.account.operator
    return session.may(Right.REPLAY_OWN) and own is not None and own in record.operators


def recording_path(console: Console, record: CallRecord) -> Path | None:
    """The recording's file, or None when there is none (yet)."""
    return _in_archive(console, record.recording)


def consult_path(console: Console, consult: Consult) -> Path | None:
    """The file of a consult's recording, or None when there is none (yet)."""
    return _in_archive(console, consult.path if consult.state == "ready" else None)


def _in_archive(console: Console, relative: str | None) -> Path | None:
    if relative is None:
        return None
    archive = console.settings.archive.resolve()
    path = (archive / relative).resolve()
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
        for transfer in shaped["transfers"]:
            transfer["to"] = _masked_target(transfer["to"])
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
    if isinstance(shown.get("to"), Mapping) and not session.may(Right.CALLER_FULL):
        shown["to"] = _masked_target(shown["to"])
    because = shown.get("because")
    if isinstance(because, Mapping) and not session.may(Right.EVENNESS):
        kept = {name: because[name] for name in ("rule", "among", "waited_s") if name in because}
        if shown.get("operator") == session.account.operator and "idle_s" in because:
            kept["idle_s"] = because["idle_s"]
        shown["because"] = kept
    return shown


def _masked_target(to: Mapping[str, Any]) -> dict[str, Any]:
    """A transfer's target: a telephone outside may be anybody's own."""
    inside = to.get("kind") in ("extension", "operator", "queue")
    return dict(to) if inside else {**to, "number": masked(str(to.get("number") or ""))}
