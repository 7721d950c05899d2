"""The shapes of the API about the directory (職員録) and cases."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from desk import LONGEST
from desk.cases import NOTE_MAX, SUBJECT_MAX

from .models import Id, In, Out


class DirectoryQuery(In):
    """What is typed, and how many entries are wanted."""

    q: Annotated[str, Field(max_length=100)] = ""
    limit: Annotated[int, Field(ge=1, le=200)] = 20
    offset: Annotated[int, Field(ge=0, le=100_000)] = 0


class OpenNow(Out):
    """A department now. `until`, `next_open`: see the words; null where it is far away. `hours` as they are
    said, `words` what to tell the citizen, in the language of the request."""

    is_open: bool
    until: datetime | None
    next_open: datetime | None
    hours: str
    words: str


class DirectoryLine(Out):
    """An entry. `rank`: 0 a whole number was typed, 1 beginnings of words, 2 parts of words. `direct` is as
    people write it; what is dialled are its digits."""

    id: int
    department: str
    section: str
    person: str
    reading: str
    duties: str
    extension: str
    direct: str
    hours: str
    note: str
    rank: int
    open: OpenNow


class DirectoryAnswer(Out):
    """The best entries first; `total`: how many were found in all."""

    entries: list[DirectoryLine]
    total: int


class EntryIn(In):
    """An entry as it is written. An extension or a direct line is needed; `hours` as people write them."""

    department: Annotated[str, Field(min_length=1, max_length=LONGEST["department"])]
    section: Annotated[str, Field(max_length=LONGEST["section"])] = ""
    person: Annotated[str, Field(max_length=LONGEST["person"])] = ""
    reading: Annotated[str, Field(max_length=LONGEST["reading"])] = ""
    duties: Annotated[str, Field(max_length=LONGEST["duties"])] = ""
    extension: Annotated[str, Field(max_length=LONGEST["extension"])] = ""
    direct: Annotated[str, Field(max_length=LONGEST["direct"])] = ""
    hours: Annotated[str, Field(max_length=LONGEST["hours"])] = ""
    note: Annotated[str, Field(max_length=LONGEST["note"])] = ""


class EntryDone(Out):
    """Which entry it was."""

    ok: Literal[True] = True
    id: int


class ImportQuery(In):
    """`check`: only tell what is wrong or what would change."""

    check: bool = False


class ImportDone(Out):
    """What has changed, or would change; `same` entries stay as they are."""

    added: int
    removed: int
    changed: int
    same: int
    done: bool


Digits = Annotated[str, Field(min_length=3, max_length=15, pattern=r"^[0-9]+$")]


class CasesQuery(In):
    """Which cases. Open ones come by due date, done ones the latest first."""

    state: Literal["open", "done"] | None = None
    caller: Digits | None = None
    call: Id | None = None
    operator: Id | None = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50
    offset: Annotated[int, Field(ge=0, le=1_000_000)] = 0


class CaseOut(Out):
    """A case (折り返し・案件). `caller`: whom to call; `call` began it, `done_call` settled it; `operator`:
    who is to do it."""

    id: int
    kind: Literal["callback", "case"]
    state: Literal["open", "done"]
    call: str | None
    caller: str | None
    caller_text: str
    number: str | None
    subject: str
    note: str
    operator: str | None
    due_at: datetime | None
    created_at: datetime
    created_by: str
    done_at: datetime | None
    done_by: str | None
    done_call: str | None


class Cases(Out):
    cases: list[CaseOut]
    total: int


def _time(value: object) -> object:
    """Strict bodies take no text for a time, and JSON has nothing else."""
    try:
        return datetime.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        raise PydanticCustomError(
            "datetime_from_date_parsing", "write a time like 2026-11-21T08:30:00+09:00"
        ) from None


class CaseIn(In):
    """A case to be begun. A callback needs `caller`, or a `call` whose caller is known."""

    kind: Literal["callback", "case"]
    subject: Annotated[str, Field(min_length=1, max_length=SUBJECT_MAX, pattern=r"\S")]
    note: Annotated[str, Field(max_length=NOTE_MAX)] = ""
    call: Id | None = None
    caller: Digits | None = None
    number: Digits | None = None
    operator: Id | None = None
    due_at: Annotated[datetime, BeforeValidator(_time)] | None = None


class CaseSettled(In):
    """`call`: the one that settled it."""

    call: Id | None = None


class CaseDialled(Out):
    """The call that has begun."""

    ok: Literal[True] = True
    call: str | None = None
