"""The shapes of the API: what comes in is checked strictly, what goes out is described.

Times are ISO 8601 UTC, durations seconds, rates shares of 1. Live entities are the engine's own
(docs/interfaces.md): fields it adds later are passed on.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


class In(BaseModel):
    """What comes in: no field that we do not know."""

    model_config = ConfigDict(extra="forbid")


class Out(BaseModel):
    """What goes out: may hold more than is described."""

    model_config = ConfigDict(extra="allow")


Id = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[A-Za-z0-9._-]+$")]
Short = Annotated[str, Field(max_length=60)]

OperatorState = Literal[
    "ready", "ringing", "talking", "hold", "wrap_up", "break", "training", "no_answer", "off"
]
Outcome = Literal[
    "answered",
    "abandoned_greeting",
    "abandoned_menu",
    "abandoned_queue",
    "abandoned_ringing",
    "announced",
    "forwarded",
    "callback",
    "unreached",
    "lost",
    "active",
]


class StateChange(In):
    """Sets an operator's state. During a call it takes effect after it."""

    state: Literal["ready", "break", "training", "off"]
    reason: Short | None = None


def _time_of(value: object) -> object:
    """Strict bodies take no text for a time, and JSON has nothing else."""
    return datetime.fromisoformat(value) if isinstance(value, str) else value


class FollowUp(In):
    """What is to be done: callback (折り返し) or case (案件). A `due_at` without offset is the site's."""

    kind: Literal["callback", "case"]
    subject: Annotated[str, Field(max_length=100)] = ""
    due_at: Annotated[datetime, BeforeValidator(_time_of)] | None = None


class WrapUpDone(In):
    """Ends a wrap-up. Without `call` the operator's last call is meant. `faq`: numbers of those used;
    `follow_up` begins a case, for which the call must be named."""

    call: Id | None = None
    result: Annotated[str, Field(max_length=40)] | None = None
    category: Short | None = None
    note: Annotated[str, Field(max_length=4000)] | None = None
    faq: Annotated[list[Annotated[str, Field(pattern=r"^[0-9]{1,8}$")]], Field(max_length=20)] | None = None
    follow_up: FollowUp | None = None
    next: Literal["ready", "break"] = "ready"


class CallAction(In):
    """Whose call it is; needed only from those who act for another operator."""

    operator: Id | None = None


class CallsQuery(In):
    """Which calls. Spans are half-open and of arrival time; dates are days of the site's zone."""

    start: date | datetime | None = Field(None, alias="from", description="default: today")
    end: date | datetime | None = Field(None, alias="to", description="default: the day after `from`")
    number: Annotated[str, Field(max_length=20, pattern=r"^[0-9-]*$")] | None = None
    operator: Id | None = None
    outcome: Outcome | None = None
    queue: Id | None = Field(None, description="where they waited or were answered from")
    limit: Annotated[int, Field(ge=1, le=1000)] = 100
    offset: Annotated[int, Field(ge=0, le=10_000_000)] = 0


class KpiQuery(In):
    """Which span and number."""

    start: date | datetime | None = Field(None, alias="from")
    end: date | datetime | None = Field(None, alias="to")
    number: Annotated[str, Field(max_length=20, pattern=r"^[0-9-]*$")] | None = None


class Done(Out):
    """The command was carried out."""

    ok: Literal[True] = True


class LiveOperator(Out):
    id: str
    name: str
    state: OperatorState
    reason: str | None = None
    since: str
    until: str | None = None
    phones: dict[str, bool]
    phone: Literal["browser", "desk"] | None = None
    call: str | None = None
    queues: list[str]
    next_state: str | None = None
    tally: dict[str, float] | None = None
    levels: dict[str, int] = {}
    languages: list[str] | None = None
    limited_until: str | None = None


class LiveCall(Out):
    id: str
    number: str
    number_name: str | None = None
    caller: str | None = None
    phase: Literal[
        "greeting",
        "menu",
        "announcement",
        "waiting",
        "ringing",
        "talking",
        "hold",
        "returning",
        "calling",
        "forwarding",
        "forwarded",
        "consulting",
        "transferring",
        "transferred",
    ]
    since: str
    arrived_at: str
    queued_at: str | None = None
    answered_at: str | None = None
    queue: str | None = None
    operator: str | None = None
    position: int | None = None
    language: str | None = None
    path: list[str] = []
    diverted_from: str | None = None
    diverted_name: str | None = None
    priority: int = 0
    moved_from: str | None = None
    via: str | None = None
    transfer: dict[str, Any] | None = None
    last_transfer: dict[str, Any] | None = None
    returned: dict[str, Any] | None = None
    hops: int = 0
    marks: list[dict[str, Any]] = []
    muted: bool = False
    supervision: list[dict[str, Any]] = []


class Live(Out):
    """The live state. `engine` is `away` while the console reconnects; the rest is then as it was last."""

    at: datetime
    engine: Literal["connected", "away"]
    switch: dict[str, bool]
    operators: list[LiveOperator]
    calls: list[LiveCall]


class Kpis(Out):
    """応答率, 平均応答時間, 即応率 of a span; null where there is nothing to divide by.

    offered = answered + abandoned + lost + overflowed, and callbacks where the site counts them so;
    `unfinished` and `left_out` are not offered.
    """

    offered: int
    answered: int
    abandoned: int
    lost: int
    overflowed: int
    callbacks: int
    answered_within: int
    unfinished: int
    left_out: int
    answer_rate: float | None
    mean_answer_s: float | None
    within_rate: float | None
    formula: Any


class Me(Out):
    """Who is signed in."""

    login: str
    name: str
    role: str
    operator: str | None
    rights: list[str]
    expires_at: datetime


class PhoneSetup(Out):
    """What to type into a phone."""

    operator: str
    user: str
    secret: str
    domain: str
    registrar: str | None = None
    port: int | None = None
