"""The shapes of what an operator does at the seat beside taking calls: transfers, help, marks, calls out."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from .models import CallAction, Id, In, Out

Reach = Annotated[str, Field(min_length=1, max_length=32, pattern=r"^[0-9A-Za-z*#+()._ -]+$")]
Text = Annotated[str, Field(min_length=1, max_length=1000, pattern=r"\S")]


class TransferTarget(In):
    """To whom. `number`: of an operator or a queue the id, else as it is dialled (separators do not matter).
    `entry`: the line of the 職員録; without it hours are found by the number."""

    kind: Literal["extension", "outside", "operator", "queue"]
    number: Reach
    name: Annotated[str, Field(max_length=100)] | None = None
    department: Annotated[str, Field(max_length=100)] | None = None
    entry: Annotated[int, Field(ge=1)] | None = None


class TransferStart(CallAction):
    """Begins a transfer of a conversation."""

    to: TransferTarget


class Dtmf(CallAction):
    """Digits for whomever the operator talks with."""

    digits: Annotated[str, Field(pattern=r"^[0-9*#]{1,32}$")]


class Mark(CallAction):
    """emergency (脅迫・犯行予告): supervisors are alerted, the recording is held. harassment: カスハラ."""

    mark: Literal["emergency", "harassment"]
    on: bool = True
    note: Annotated[str, Field(max_length=1000)] | None = None


class Dial(In):
    """A call out. `about`: the call it follows, or our number to be shown; `case`: the case it settles."""

    number: Reach
    about: Id | None = None
    case: Annotated[int, Field(ge=1)] | None = None


class Dialled(Out):
    """The call that has begun."""

    ok: Literal[True] = True
    call: str | None = None


class HelpAsk(In):
    """手上げ. Asked again, the text is added to what was asked."""

    text: Annotated[str, Field(max_length=1000)] = ""
    call: Id | None = None
    urgent: bool = False


class HelpSay(In):
    text: Text


class TargetsQuery(In):
    """Any part of a name or id; empty: all."""

    q: Annotated[str, Field(max_length=100)] = ""


class TargetOperator(Out):
    """An operator a call may be given to; only `ready` ones can be reached."""

    id: str
    name: str
    state: str
    reachable: bool


class TargetQueue(Out):
    id: str
    name: str
    waiting: int


class Targets(Out):
    """Whom within the centre a call may be given to."""

    operators: list[TargetOperator]
    queues: list[TargetQueue]


class Contact(Out):
    """An earlier contact of a number (`cdr.history`)."""

    call: str
    at: datetime
    number: str | None = None
    number_name: str | None = None
    via: str | None = None
    outcome: str | None = None
    result: str | None = None
    category: str | None = None
    note: str | None = None
    operator: str | None = None
    operator_name: str | None = None
    transferred_to: str | None = None


class OpenCase(Out):
    """A callback to make or a case that is open."""

    id: int
    kind: str
    subject: str
    note: str
    due_at: datetime | None = None
    created_at: datetime
    created_by: str
    call: str | None = None
    overdue: bool


class History(Out):
    """Who calls: earlier contacts, the latest first, and what is still open. Both empty for 非通知."""

    contacts: list[Contact]
    cases: list[OpenCase]
