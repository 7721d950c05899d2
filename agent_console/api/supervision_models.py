"""The shapes of what a supervisor does: listening in, taking calls, alarms, the day's trend, wall links."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from .models import In, Out

Mode = Literal["listen", "whisper", "join"]


class SuperviseMode(In):
    """listen (聴取): nobody hears the supervisor. whisper (ささやき): the operator alone does. join (参加):
    all three talk."""

    mode: Mode


class Supervising(Out):
    """The supervisor's telephone rings (a page answers by itself), or the mode is on already."""

    ok: Literal[True] = True
    call: str
    operator: str | None = None
    mode: Mode


class AlarmEntry(Out):
    """An alarm. `value` and `threshold` are as measured then (seconds, people, shares of 1, bytes are not
    used); `over_at` null: it goes on."""

    id: int | None
    kind: str
    subject: str
    subject_name: str
    value: str
    threshold: str
    at: datetime
    over_at: datetime | None = None
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None
    mailed_at: datetime | None = None
    mail_problem: str | None = None


class AlarmList(Out):
    """`now`: those that go on or wait to be acknowledged. `history`: the latest first."""

    now: list[AlarmEntry]
    history: list[AlarmEntry]
    total: int


class AlarmsQuery(In):
    limit: Annotated[int, Field(ge=1, le=1000)] = 100
    offset: Annotated[int, Field(ge=0, le=10_000_000)] = 0


class TrendSlice(Out):
    """What came in from `at` on, until the next one."""

    at: datetime
    arrived: int
    answered: int
    abandoned: int
    within: int | None = None


class Trend(Out):
    """Today by the half-hour."""

    minutes: int
    slices: list[TrendSlice]


class WallLinkMake(In):
    """A link to the wall screen; `name` says where the screen hangs."""

    name: Annotated[str, Field(min_length=1, max_length=60, pattern=r"\S")]


class WallLinkEntry(Out):
    id: int
    name: str
    created_at: datetime
    created_by: str
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None
    revoked_by: str | None = None


class WallLinkMade(Out):
    """The link, told this once: only its hash is kept."""

    link: WallLinkEntry
    path: str


class WallLinkList(Out):
    links: list[WallLinkEntry]
