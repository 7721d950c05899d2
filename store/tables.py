"""The tables, one class each. Times are aware UTC, durations float seconds (names end in `_s`).

`migrations/versions` builds them; a test holds both together. Texts have no length limit: what the
journal holds must always fit.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import ForeignKey, Index, MetaData
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import BigInteger, Float, Integer, Text

from store.types import UtcDateTime, json_type


class Base(DeclarativeBase):
    """What all tables share: named constraints (so that migrations can find them) and column types."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        str: Text(),
        datetime: UtcDateTime(),
        float: Float(53),
        dict[str, Any]: json_type(),
        list[str]: json_type(),
        list[dict[str, Any]]: json_type(),
    }


class EventRow(Base):
    """One line of the journal (`cdr.Event`), carried here once; never changed. `boot` names the machine's
    boot whose monotonic clock `mono` was read from."""

    __tablename__ = "events"
    __table_args__ = (Index(None, "call", "id"), Index(None, "at"))

    id: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    mono: Mapped[float | None]
    boot: Mapped[str | None]
    call: Mapped[str | None]
    kind: Mapped[str]
    data: Mapped[dict[str, Any]]


class CallRow(Base):
    """One call (`cdr.CallRecord`), computed from its events and computed anew whenever one is added.

    `answer_s`: arrival to first answer; `wait_s`: first queue entry to first answer, or to the end of a call
    never answered; `total_s`: arrival to end. The recording stands in `recordings`. `transfers` (as in
    `cdr.Transfer`), `hops` (those that arrived), `marks` (emergency, harassment); `case_id`: the case for
    which we called (via `outbound`). From `plan` on: what the
    plan had to do with it; null in records of before there were plans. `answered_queue`: from which queue the
    first answer came; `callback_of`: the call that booked what this call of ours (via `callback`) fulfils.
    """

    __tablename__ = "call_records"
    __table_args__ = (
        Index(None, "arrived_at"),
        Index(None, "number", "arrived_at"),
        Index(None, "operator", "arrived_at"),
        Index(None, "caller", "arrived_at"),
        Index(None, "callback_of"),
    )

    call: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[str | None]
    caller: Mapped[str | None]
    queue: Mapped[str | None]
    via: Mapped[str]
    arrived_at: Mapped[datetime]
    queued_at: Mapped[datetime | None]
    answered_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    operator: Mapped[str | None]
    operators: Mapped[list[str]]
    offers: Mapped[int] = mapped_column(Integer)
    refusals: Mapped[int] = mapped_column(Integer)
    answer_s: Mapped[float | None]
    wait_s: Mapped[float | None]
    talk_s: Mapped[float | None]
    hold_s: Mapped[float | None]
    wrap_up_s: Mapped[float | None]
    total_s: Mapped[float | None]
    outcome: Mapped[str]
    ended_by: Mapped[str | None]
    cause: Mapped[int | None] = mapped_column(Integer)
    reason: Mapped[str | None]
    plan: Mapped[int | None] = mapped_column(Integer)
    open: Mapped[bool | None]
    staff: Mapped[bool | None]
    queues: Mapped[bool | None]
    language: Mapped[str | None]
    path: Mapped[list[dict[str, Any]] | None]
    dialled: Mapped[str | None]
    diverted_from: Mapped[str | None]
    forward: Mapped[str | None]
    forward_answered_at: Mapped[datetime | None]
    exit_step: Mapped[str | None]
    answered_queue: Mapped[str | None]
    callback_of: Mapped[str | None]
    transfers: Mapped[list[dict[str, Any]] | None]
    hops: Mapped[int | None] = mapped_column(Integer)
    marks: Mapped[list[str] | None]
    case_id: Mapped[int | None] = mapped_column(Integer)


class TalkRow(Base):
    """One operator's part in a call (`cdr.Talk`): computed with the call's record, in the same transaction.

    `place`: 0, 1, … in the order of answering; `arrived_at` is the call's. `offered`: the answer to an offer
    of the distributor; else the operator came to the call otherwise (Asterisk alone, a page that took its
    conversation back). `talk_s` holds included."""

    __tablename__ = "talks"
    __table_args__ = (Index(None, "arrived_at"),)

    call: Mapped[str] = mapped_column(primary_key=True)
    place: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    operator: Mapped[str]
    queue: Mapped[str | None]
    arrived_at: Mapped[datetime]
    answered_at: Mapped[datetime]
    offered: Mapped[bool]
    talk_s: Mapped[float | None]
    hold_s: Mapped[float | None]
    wrap_up_s: Mapped[float | None]


class OperatorStateRow(Base):
    """One `operator_state` or `operator_phone` event, whose id it bears, in columns: how long operators were
    on duty is computed from them. `state` is null for a phone that came or went: the state stays; `reachable`
    (a phone could ring) is null in events of before it was noted. `at_work`: a state of call after call, with
    a phone; of these, nearly all, only the first after another kind matters."""

    __tablename__ = "operator_states"
    __table_args__ = (Index(None, "operator", "at"), Index(None, "at_work", "at"))

    id: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    operator: Mapped[str]
    state: Mapped[str | None]
    reachable: Mapped[bool | None]
    at_work: Mapped[bool]


class Recording(Base):
    """The sound of a call. `path` is relative to the archive folder; `state`: capturing, ready or failed
    (then `problem` says why). `held_…`: kept against every deletion (REC-4), by whom and why. `seconds`,
    `sample_rate` (Hz) and `bytes` are known once it is ready."""

    __tablename__ = "recordings"
    __table_args__ = (Index(None, "state"), Index(None, "created_at"))

    call: Mapped[str] = mapped_column(primary_key=True)
    path: Mapped[str]
    seconds: Mapped[float | None]
    sample_rate: Mapped[int | None] = mapped_column(Integer)
    bytes: Mapped[int | None] = mapped_column(BigInteger)
    state: Mapped[str]
    problem: Mapped[str | None]
    created_at: Mapped[datetime]
    held_at: Mapped[datetime | None]
    held_by: Mapped[str | None]
    held_reason: Mapped[str | None]


class Carried(Base):
    """How far a journal segment has been carried: all bytes before `position`. `events` and `corrupt`
    count its lines taken and its lines that could not be read."""

    __tablename__ = "carried"

    segment: Mapped[str] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(BigInteger)
    events: Mapped[int] = mapped_column(BigInteger)
    corrupt: Mapped[int] = mapped_column(BigInteger)
    updated_at: Mapped[datetime]


class User(Base):
    """Who may sign in. `role`: operator supervisor staff administrator auditor; `operator`: the operator id
    they sit as; `password_hash` (argon2) is null until a password was set."""

    __tablename__ = "users"

    login: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    role: Mapped[str]
    operator: Mapped[str | None]
    password_hash: Mapped[str | None]
    failed_count: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    locked_until: Mapped[datetime | None]
    must_change: Mapped[bool] = mapped_column(default=False)
    disabled: Mapped[bool] = mapped_column(default=False)
    updated_at: Mapped[datetime]


class UserSession(Base):
    """One sign-in that still holds. Only the hash of the cookie's token is kept."""

    __tablename__ = "sessions"
    __table_args__ = (Index(None, "login"), Index(None, "expires_at"))

    token_hash: Mapped[str] = mapped_column(primary_key=True)
    login: Mapped[str] = mapped_column(ForeignKey("users.login", ondelete="CASCADE"))
    csrf: Mapped[str]
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    address: Mapped[str | None]


class AccessEntry(Base):
    """Who did what, for the auditor: rows are added, never changed. `login` may name nobody (a failed
    try)."""

    __tablename__ = "access_log"
    __table_args__ = (Index(None, "at"), Index(None, "login", "at"))

    # SQLite numbers rows by itself only in a column declared INTEGER.
    id: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=True
    )
    at: Mapped[datetime]
    login: Mapped[str | None]
    address: Mapped[str | None]
    action: Mapped[str]
    detail: Mapped[str | None]


class WrapUp(Base):
    """What an operator noted after a call: one row per `wrapped_up` event, whose id it bears.
    `by`: operator or timeout."""

    __tablename__ = "wrap_ups"
    __table_args__ = (Index(None, "call"), Index(None, "at"))

    id: Mapped[str] = mapped_column(primary_key=True)
    call: Mapped[str]
    operator: Mapped[str | None]
    result: Mapped[str | None]
    category: Mapped[str | None]
    note: Mapped[str | None]
    at: Mapped[datetime]
    by: Mapped[str | None]
    faq: Mapped[list[str] | None]
    follow_up: Mapped[str | None]


class DirectoryEntry(Base):
    """A line of the 職員録. `place`: its order. `hours`: 執務時間 as people write them
    (`dialplans.office_hours`); empty: the section's, else the department's, else the site's usual; `reading`
    in かな; `person` may be empty (a desk, not a name). Whoever changes a line sets `changed_at`: by that a
    changed table is known (`desk.Stamp`)."""

    __tablename__ = "directory"
    __table_args__ = (Index(None, "department"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    place: Mapped[int] = mapped_column(Integer)
    department: Mapped[str]
    section: Mapped[str]
    person: Mapped[str]
    reading: Mapped[str]
    duties: Mapped[str]
    extension: Mapped[str]
    direct: Mapped[str]
    hours: Mapped[str]
    note: Mapped[str]
    changed_at: Mapped[datetime | None]
    changed_by: Mapped[str | None]


class Case(Base):
    """What is still to be done for a citizen after a call: `kind` callback (折り返し) or case; `state` open
    or done. `call`: which began it; `done_call`: which settled it."""

    __tablename__ = "cases"
    __table_args__ = (Index(None, "caller"), Index(None, "state", "due_at"), Index(None, "call"))

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    kind: Mapped[str]
    state: Mapped[str]
    call: Mapped[str | None]
    caller: Mapped[str | None]
    number: Mapped[str | None]
    subject: Mapped[str]
    note: Mapped[str]
    operator: Mapped[str | None]
    due_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    created_by: Mapped[str]
    done_at: Mapped[datetime | None]
    done_by: Mapped[str | None]
    done_call: Mapped[str | None]


class Alarm(Base):
    """An alarm (MON-4): what (`kind`, `subject`: the queue, number or trunk it is about), the value when it
    was raised and the threshold, when it was over, who acknowledged it, when it was mailed."""

    __tablename__ = "alarms"
    __table_args__ = (Index(None, "at"), Index(None, "over_at"))

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    kind: Mapped[str]
    subject: Mapped[str]
    value: Mapped[str]
    threshold: Mapped[str]
    at: Mapped[datetime]
    over_at: Mapped[datetime | None]
    acknowledged_at: Mapped[datetime | None]
    acknowledged_by: Mapped[str | None]
    mailed_at: Mapped[datetime | None]
    mail_problem: Mapped[str | None]


class WallLink(Base):
    """A link to the wall screen (MON-5). Only the hash of its token is kept."""

    __tablename__ = "wall_links"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    token_hash: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    created_at: Mapped[datetime]
    created_by: Mapped[str]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    revoked_by: Mapped[str | None]


class PlanVersion(Base):
    """A version of the plan: the whole document as YAML, never changed. `author`: who wrote it, `file` when
    it was read from the site's file; `based_on`: the version it was made from; `sha256` of the text."""

    __tablename__ = "plan_versions"

    # 1, 2, … without gaps: given by `daihyo.plans`, not by the database.
    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    text: Mapped[str]
    author: Mapped[str]
    created_at: Mapped[datetime]
    comment: Mapped[str]
    based_on: Mapped[int | None] = mapped_column(Integer, ForeignKey("plan_versions.id"))
    sha256: Mapped[str]


class PlanActivation(Base):
    """Somebody's wish that a version goes live, and what came of it. `state`: asked, working, live, failed
    (then `problem` says why, in one line) or replaced (by a newer wish, before its turn). The newest live one
    is the live plan."""

    __tablename__ = "plan_activations"
    __table_args__ = (Index(None, "state"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    version: Mapped[int] = mapped_column(Integer, ForeignKey("plan_versions.id"))
    asked_by: Mapped[str]
    asked_at: Mapped[datetime]
    confirmed_by: Mapped[str | None]
    state: Mapped[str]
    problem: Mapped[str | None]
    done_at: Mapped[datetime | None]


class PlanDraft(Base):
    """What somebody is changing in the plan, kept with every step so that nothing typed is lost: one a
    person. `based_on`: the version it was begun from (None: the centre had none yet)."""

    __tablename__ = "plan_drafts"

    login: Mapped[str] = mapped_column(primary_key=True)
    text: Mapped[str]
    based_on: Mapped[int | None] = mapped_column(Integer, ForeignKey("plan_versions.id"))
    updated_at: Mapped[datetime]
