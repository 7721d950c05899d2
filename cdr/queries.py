"""What command line and console ask: calls, one call with everything, the KPIs of a span."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, TypeAlias

from sqlalchemy import Row, Select, Text, case, cast, exists, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute

from cdr.events import Event, time_text, to_fields
from cdr.kpis import COUNTABLE, Kpi, KpiSettings, kpi_of
from cdr.paths import StepCount, count_paths
from cdr.record import CallRecord, Outcome, PathStep
from cdr.span import Span
from cdr.transfers import Transfer
from store import CallRow, EventRow, Recording, Store, TalkRow, WrapUp, recordings

_AnySelect: TypeAlias = Select[*tuple[Any, ...]]


@dataclass(frozen=True)
class WrapUpNote:
    """What an operator noted of a call, during it or after. `by`: operator or timeout; `faq`: those used;
    `follow_up`: what is still to be done."""

    operator: str | None
    result: str | None
    category: str | None
    note: str | None
    at: datetime
    by: str | None
    faq: tuple[str, ...] = ()
    follow_up: str | None = None

    @property
    def written(self) -> bool:
        """Whether anything was written: a wrap-up that ran out, or was ended at once, is empty."""
        return bool(self.result or self.category or self.note or self.faq or self.follow_up)

    def to_json(self) -> dict[str, Any]:
        shown = {each.name: getattr(self, each.name) for each in fields(self)}
        return shown | {"at": time_text(self.at), "faq": list(self.faq)}


@dataclass(frozen=True)
class Consult:
    """The recording of a consult: `place` of the transfer in the call, `state` as of any recording, `path`
    relative to the archive. The target is left, whoever it talked with right."""

    place: int
    path: str
    seconds: float | None
    state: str

    def to_json(self) -> dict[str, Any]:
        return {"place": self.place, "state": self.state, "seconds": self.seconds}


@dataclass(frozen=True)
class Held:
    """A call's recordings are held against deletion (`at` None: they were, and have been released)."""

    at: datetime | None
    by: str | None
    reason: str

    def to_json(self) -> dict[str, Any]:
        return {"at": time_text(self.at) if self.at else None, "by": self.by, "reason": self.reason}


@dataclass(frozen=True)
class CallDetail:
    """A call with its events and wrap-ups in the order of writing; `recording_state`: capturing, ready,
    failed, or None when nothing was recorded; `consults`: what was recorded of them, by place; `held`: None
    where nobody ever held the recordings."""

    record: CallRecord
    events: list[Event]
    wrap_ups: list[WrapUpNote]
    recording_state: str | None
    consults: list[Consult] = field(default_factory=list)
    held: Held | None = None

    def to_json(self) -> dict[str, Any]:
        return {
            **self.record.to_json(),
            "recording_state": self.recording_state,
            "consults": [one.to_json() for one in self.consults],
            "held": self.held.to_json() if self.held else None,
            "wrap_ups": [note.to_json() for note in self.wrap_ups],
            "events": [to_fields(event) for event in self.events],
        }


async def calls(
    store: Store,
    start: datetime,
    end: datetime,
    number: str | None = None,
    operator: str | None = None,
    limit: int = 100,
    offset: int = 0,
    *,
    outcome: Outcome | None = None,
    queue: str | None = None,
) -> list[CallRecord]:
    """Calls that arrived in [start, end), the latest first. `number`: as dialled, separators do not matter;
    `operator`: anybody who answered the call; `queue`: the first it came to, or any from which it was
    answered (with `operator`: by that one). Raises StoreUnavailable."""
    statement = _chosen(_records(), start, end, number, operator, outcome, queue)
    statement = statement.order_by(CallRow.arrived_at.desc(), CallRow.call.desc()).limit(limit).offset(offset)
    async with store.reading() as session:
        return [_record(row) for row in await session.execute(statement)]


async def count_calls(
    store: Store,
    start: datetime,
    end: datetime,
    number: str | None = None,
    operator: str | None = None,
    *,
    outcome: Outcome | None = None,
    queue: str | None = None,
) -> int:
    """How many calls `calls` would find without a limit."""
    counted = select(func.count()).select_from(CallRow)
    statement = _chosen(counted, start, end, number, operator, outcome, queue)
    async with store.reading() as session:
        return int((await session.execute(statement)).scalar_one())


async def call(store: Store, call_id: str) -> CallDetail | None:
    """Everything about one call; None when it is not known."""
    async with store.reading() as session:
        row = (await session.execute(_records().where(CallRow.call == call_id))).one_or_none()
        if row is None:
            return None
        events = await session.scalars(select(EventRow).where(EventRow.call == call_id).order_by(EventRow.id))
        notes = await session.scalars(select(WrapUp).where(WrapUp.call == call_id).order_by(WrapUp.id))
        recorded = await recordings.of_call(session, call_id)
        return CallDetail(
            record=_record(row),
            events=[_event(each) for each in events],
            wrap_ups=[
                WrapUpNote(
                    each.operator,
                    each.result,
                    each.category,
                    each.note,
                    each.at,
                    each.by,
                    tuple(each.faq or ()),
                    each.follow_up,
                )
                for each in notes
            ],
            recording_state=row.recording_state,
            consults=[
                Consult(place, one.path, one.seconds, one.state)
                for one in recorded
                if (place := recordings.place_of(call_id, one.call)) is not None
            ],
            held=_held(recorded),
        )


async def offers_of(store: Store, call_id: str) -> list[Event] | None:
    """What `cdr.why` tells of: the events of a call and of the calls that tried the callback booked in it, of
    a callback those of the call that booked it; in the order of writing. None: the call is not known. Raises
    StoreUnavailable."""
    async with store.reading() as session:
        of = select(CallRow.callback_of).where(CallRow.call == call_id)
        known = (await session.execute(of)).one_or_none()
        if known is None:
            return None
        booked = known.callback_of or call_id
        tries = select(CallRow.call).where(CallRow.callback_of == booked)
        of_calls = or_(EventRow.call == booked, EventRow.call == call_id, EventRow.call.in_(tries))
        rows = await session.scalars(select(EventRow).where(of_calls).order_by(EventRow.id))
        return [_event(row) for row in rows]


async def kpi(
    store: Store, settings: KpiSettings, span: Span, number: str | None = None, *, queue: str | None = None
) -> Kpi:
    """The figures of the calls that arrived in the span; on one number, or first come to one queue, if given:
    each call is in one queue's figures, wherever it was answered. Raises StoreUnavailable."""
    statement = _chosen(select(*kpi_columns()), span.start, span.end, number, None)
    if queue is not None:
        statement = statement.where(CallRow.queue == queue)
    statement = statement.order_by(CallRow.arrived_at, CallRow.call)
    async with store.reading() as session:
        rows = (await session.execute(statement)).all()
    return kpi_of(rows, settings)


async def path_counts(store: Store, span: Span, number: str | None = None) -> list[StepCount]:
    """How the calls that arrived in the span, on one number if given, went through the plan: see
    `StepCount`. Raises StoreUnavailable."""
    columns = select(CallRow.path, CallRow.exit_step, CallRow.outcome)
    statement = _chosen(columns, span.start, span.end, number, None).order_by(
        CallRow.arrived_at, CallRow.call
    )
    async with store.reading() as session:
        return count_paths((await session.execute(statement)).all())


def _held(recorded: Sequence[Recording]) -> Held | None:
    """Of a call: held as long as one of its recordings is."""
    once = [one for one in recorded if one.held_reason is not None]
    for one in sorted(once, key=lambda each: each.held_at is None):
        return Held(one.held_at, one.held_by, one.held_reason or "")
    return None


def kpi_columns() -> tuple[InstrumentedAttribute[Any], ...]:
    """What `kpi_of` needs of a call."""
    return tuple(getattr(CallRow, name) for name in COUNTABLE)


def _event(row: EventRow) -> Event:
    return Event(row.id, row.at, row.mono, row.call, row.kind, row.data, row.boot)


def _records() -> _AnySelect:
    ready = Recording.state == "ready"
    return (
        select(
            CallRow.__table__,
            case((ready, Recording.path)).label("recording"),
            case((ready, Recording.seconds)).label("recording_s"),
            Recording.state.label("recording_state"),
        )
        .select_from(CallRow)
        .outerjoin(Recording, Recording.call == CallRow.call)
    )


def _chosen(
    statement: _AnySelect,
    start: datetime,
    end: datetime,
    number: str | None,
    operator: str | None,
    outcome: Outcome | None = None,
    queue: str | None = None,
) -> _AnySelect:
    statement = statement.where(CallRow.arrived_at >= start, CallRow.arrived_at < end)
    if number is not None:
        statement = statement.where(CallRow.number == digits(number))
    if outcome is not None:
        statement = statement.where(CallRow.outcome == outcome.value)
    if operator is not None:
        # A JSON list of ids, as text: ["1001", "1004"]; this reads alike on both databases.
        quoted = f'"{operator}"'
        statement = statement.where(cast(CallRow.operators, Text).contains(quoted, autoescape=True))
    if queue is not None:
        answered = exists().where(TalkRow.call == CallRow.call, TalkRow.queue == queue)
        if operator is not None:
            statement = statement.where(answered.where(TalkRow.operator == operator))
        else:
            statement = statement.where(or_(CallRow.queue == queue, answered))
    return statement


def digits(number: str) -> str:
    """A number as the journal keeps it: `0246-22-1111` → `0246221111`."""
    return "".join(sign for sign in number if sign.isdecimal())


def _record(row: Row[Any]) -> CallRecord:
    known = {name: getattr(row, name) for name in CallRecord.__dataclass_fields__}
    known |= {"operators": tuple(row.operators), "outcome": Outcome(row.outcome)}
    known["path"] = tuple(PathStep(**step) for step in row.path or ())
    known["transfers"] = tuple(Transfer.of(one) for one in row.transfers or ())
    known |= {"hops": row.hops or 0, "marks": tuple(row.marks or ())}
    return CallRecord(**known)
