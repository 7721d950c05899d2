"""The shapes of the plan's API (docs/interfaces.md, "The plan"). Times are ISO 8601 UTC."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from .models import In, Out

Comment = Annotated[str, Field(min_length=1, max_length=500)]
Digits = Annotated[str, Field(pattern=r"^[0-9]{3,15}$")]
Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")]


def _moment(value: object) -> object:
    return dt.datetime.fromisoformat(value) if isinstance(value, str) else value


def _day(value: object) -> object:
    return dt.date.fromisoformat(value) if isinstance(value, str) else value


# JSON has neither: bodies are otherwise checked strictly.
Moment = Annotated[dt.datetime, BeforeValidator(_moment)]
Day = Annotated[dt.date, BeforeValidator(_day)]
PlanText = Annotated[str, Field(min_length=1, max_length=4 * 1024 * 1024)]


class PlanProblem(Out):
    """One thing to mend: `line` and `column` count from 1 (0: the plan as a whole)."""

    line: int
    column: int
    path: str
    message: str
    hint: str


class Plan(Out):
    """The live plan; `version` is null while the site's file is live."""

    version: int | None
    text: str


class PlanDraft(Out):
    """What the caller is changing. `stale`: another version went live since it was begun."""

    text: str
    based_on: int | None
    updated_at: dt.datetime
    stale: bool
    problems: list[PlanProblem]


class PlanDraftIn(In):
    """Keeps a text as the caller's draft, whatever is wrong with it. `based_on`: the version it was made from
    (default: what the draft was begun from, else the live one)."""

    text: PlanText
    based_on: int | None = None


class PlanTextIn(In):
    text: PlanText


class PlanProblems(Out):
    """Empty: the plan may go live."""

    problems: list[PlanProblem]


class PlanVersionRow(Out):
    id: int
    author: str
    created_at: dt.datetime
    comment: str
    based_on: int | None
    sha256: str
    live: bool
    live_at: dt.datetime | None = None
    live_by: str | None = None


class PlanVersions(Out):
    """Newest first."""

    versions: list[PlanVersionRow]


class PlanVersionsQuery(In):
    limit: Annotated[int, Field(ge=1, le=500)] = 100
    offset: Annotated[int, Field(ge=0, le=1_000_000)] = 0


class PlanVersion(Out):
    id: int
    author: str
    created_at: dt.datetime
    comment: str
    based_on: int | None
    sha256: str
    text: str


class PlanActivate(In):
    """Asks for a version to go live; without `version` the caller's draft becomes one first."""

    comment: Comment
    version: Annotated[int, Field(ge=1)] | None = None


class PlanActivation(Out):
    """A wish and what came of it: `asked working live failed replaced`."""

    id: int
    version: int
    asked_by: str
    asked_at: dt.datetime
    confirmed_by: str | None
    state: Literal["asked", "working", "live", "failed", "replaced"]
    problem: str | None
    done_at: dt.datetime | None


class PlanHearQuery(In):
    """`at`: default now; without an offset it is the site's clock. `keys`: `1,2`; `-` passes a question."""

    number: Digits
    at: dt.datetime | None = None
    keys: Annotated[str, Field(max_length=60, pattern=r"^[0-9*#, -]*$")] = ""
    of: Literal["live", "draft"] = "live"


class PlanHeardLine(Out):
    step: str
    text: str
    language: str
    sound: str
    key: str | None


class PlanHeard(Out):
    """Every announcement in order, and where the call ends."""

    open: bool
    lines: list[PlanHeardLine]
    ending: str
    target: str


class PlanYearQuery(In):
    number: Digits
    year: Annotated[int, Field(ge=1990, le=2100)]
    of: Literal["live", "draft"] = "live"


class PlanDay(Out):
    """`kind`: `open closed special holiday closure one_off`; `spans`: minutes after midnight."""

    date: dt.date
    kind: str
    name: str | None
    spans: list[tuple[int, int]]


class PlanYear(Out):
    """Empty `days`: the number is always open."""

    days: list[PlanDay]


class PlanPreview(In):
    """A text to listen to before it is anywhere in a plan."""

    text: Annotated[str, Field(min_length=1, max_length=1000)]
    language: Literal["ja", "en"] = "ja"


class PlanPreviewMade(Out):
    """`url` gives the sound for as long as the console runs."""

    key: str
    url: str


class PlanAudioQuery(In):
    """`name`: the file's name, for messages."""

    name: Annotated[str, Field(max_length=200)] = "audio"


class PlanAudio(Out):
    """Kept audio: a plan names it `{audio: <key>, text: …}`. `loudness_before_dbfs` is how it came."""

    key: str
    seconds: float
    loudness_before_dbfs: float


class PlanSwitches(Out):
    """What is switched, and how each number stands, as the engine tells it."""

    openings: list[dict[str, Any]]
    notices: list[dict[str, Any]]
    numbers: list[dict[str, Any]]


class OpeningSet(In):
    """`numbers` empty: all. It goes back by itself at `until`."""

    numbers: Annotated[list[Digits], Field(max_length=500)]
    mode: Literal["open", "closed", "extended"]
    until: Moment
    reason: Annotated[str, Field(min_length=1, max_length=200)]


class OpeningClear(In):
    numbers: Annotated[list[Digits], Field(max_length=500)]


class PlanEvent(In):
    """One event to be changed; without `id` a new one. What is not named stays; null takes it out."""

    id: Slug | None = None
    name: Annotated[str, Field(max_length=200)] | None = None
    date: Day | None = None
    state: Slug | None = None
    note: Annotated[str, Field(max_length=400)] | None = None
    board: Slug | None = None
    tell_from: Day | None = None
    tell_until: Day | None = None
    remove: bool = False


class PlanEventsIn(In):
    """Changes of events that go live at once."""

    events: Annotated[list[PlanEvent], Field(min_length=1, max_length=300)]
    comment: Comment


class PlanEvents(Out):
    """The live plan's events as they are written there."""

    events: list[dict[str, Any]]


class PlanCountsQuery(In):
    start: dt.date | None = Field(None, alias="from", description="default: today")
    end: dt.date | None = Field(None, alias="to", description="default: the day after `from`")
    number: Digits | None = None


class PlanCount(Out):
    step: str
    key: str | None
    label: str | None
    count: int


class PlanCounts(Out):
    counts: list[PlanCount]
