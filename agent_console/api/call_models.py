"""The shapes of settled calls in the API: records, transfers, recordings, wrap-ups."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from .models import In, Out


class Hold(In):
    """Why the recordings of a call are held against deletion."""

    reason: Annotated[str, Field(min_length=1, max_length=200, pattern=r"\S")]


class TransferTo(Out):
    """Whom to. `kind`: extension, outside, operator, queue; `number`: digits (outside masked by right), or an
    id."""

    kind: str
    number: str
    name: str | None = None
    department: str | None = None
    entry: str | None = None


class CallTransfer(Out):
    """A transfer of a call (docs/interfaces.md, `Transfer`)."""

    place: int
    at: datetime
    how: str
    operator: str | None = None
    to: TransferTo
    answered_at: datetime | None = None
    transferred_at: datetime | None = None
    returned_at: datetime | None = None
    ended_at: datetime | None = None
    reason: str | None = None
    talk_s: float | None = None


class CallConsult(Out):
    """A consult's recording: `GET …/calls/{call}/recordings/{place}` is its sound."""

    place: int
    state: str
    seconds: float | None = None


class CallHeld(Out):
    """The recordings are held against deletion; `at` null: they were, and have been released."""

    at: datetime | None = None
    by: str | None = None
    reason: str


class CallWrapUp(Out):
    """What an operator noted, during the call or after."""

    operator: str | None = None
    result: str | None = None
    category: str | None = None
    note: str | None = None
    faq: list[str]
    follow_up: str | None = None
    at: datetime
    by: str | None = None


class CallSummary(Out):
    """One call record (docs/interfaces.md, `CallRecord`)."""

    call: str
    number: str | None = None
    caller: str | None = None
    queue: str | None = None
    via: str = "engine"
    arrived_at: datetime
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    operator: str | None = None
    outcome: str
    transfers: list[CallTransfer]
    hops: int = 0
    marks: list[str]
    case_id: int | None = None


class CallEvent(Out):
    at: datetime
    kind: str
    data: dict[str, Any]


class CallDetail(CallSummary):
    """With everything that happened; who listened live is told to supervisors and auditors."""

    events: list[CallEvent]
    wrap_ups: list[CallWrapUp]
    consults: list[CallConsult]
    held: CallHeld | None = None


class Calls(Out):
    calls: list[CallSummary]
    total: int | None = None
