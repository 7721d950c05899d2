"""Cases: what is still to be done for a citizen after a call (OPR-3, CON-1)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal

from sqlalchemy import Select, func, select

from store import AccessEntry, Store
from store import Case as CaseRow

KINDS: Final = ("callback", "case")
STATES: Final = ("open", "done")
SUBJECT_MAX: Final = 200
NOTE_MAX: Final = 4000

Kind = Literal["callback", "case"]
State = Literal["open", "done"]


class NoCase(KeyError):
    """There is no such case."""


@dataclass(frozen=True, slots=True)
class Case:
    """A case as it is stored. `caller`: whom to call, digits, None where nobody is known; `number`: ours that
    was called; `call` began it, `done_call` settled it; `operator`: who is to do it. Times are UTC."""

    id: int
    kind: Kind
    state: State
    call: str | None
    caller: str | None
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

    def to_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}


async def open_cases(store: Store, caller: str | None, limit: int = 20) -> list[Case]:
    """The open cases of a caller's number (digits), what is due first at the front; nobody's: none. Raises
    StoreUnavailable."""
    return await listed(store, "open", caller=caller, limit=limit) if caller else []


async def listed(
    store: Store,
    state: State | None = None,
    *,
    caller: str | None = None,
    call: str | None = None,
    operator: str | None = None,
    limit: int = 100,
    offset: int = 0,
) -> list[Case]:
    """Cases: open ones by when they are due (those without a date last), done ones by when they were done,
    the latest first; without `state` the open ones first. Raises StoreUnavailable."""
    query = _chosen(select(CaseRow), state, caller, call, operator)
    query = query.order_by(
        CaseRow.state.desc(),  # open, done
        CaseRow.done_at.desc(),
        CaseRow.due_at.is_(None),
        CaseRow.due_at,
        CaseRow.id,
    )
    async with store.reading() as session:
        return [_case(row) for row in await session.scalars(query.limit(limit).offset(offset))]


async def count(
    store: Store,
    state: State | None = None,
    *,
    caller: str | None = None,
    call: str | None = None,
    operator: str | None = None,
) -> int:
    """How many there are. Raises StoreUnavailable."""
    query = _chosen(select(func.count()).select_from(CaseRow), state, caller, call, operator)
    async with store.reading() as session:
        return int(await session.scalar(query) or 0)


async def case(store: Store, id: int) -> Case:
    """One case. Raises NoCase, StoreUnavailable."""
    async with store.reading() as session:
        row = await session.get(CaseRow, id)
        if row is None:
            raise NoCase(id)
        return _case(row)


async def add(
    store: Store,
    by: str,
    *,
    kind: Kind,
    subject: str,
    note: str = "",
    call: str | None = None,
    caller: str | None = None,
    number: str | None = None,
    operator: str | None = None,
    due_at: datetime | None = None,
    logged: Iterable[AccessEntry] = (),
) -> Case:
    """Begins a case. `by`: who, a sign-in; `due_at` aware. Raises StoreUnavailable."""
    row = CaseRow(
        kind=kind,
        state="open",
        call=call,
        caller=caller,
        number=number,
        subject=subject,
        note=note,
        operator=operator,
        due_at=due_at.astimezone(UTC) if due_at is not None else None,
        created_at=datetime.now(UTC),
        created_by=by,
    )
    async with store.session() as session:
        session.add(row)
        session.add_all(logged)
        await session.flush()
        return _case(row)


async def done(
    store: Store, id: int, by: str, *, call: str | None = None, logged: Iterable[AccessEntry] = ()
) -> Case:
    """Settles a case, by `call` if one did it. One that is settled already stays as it was. Raises NoCase,
    StoreUnavailable."""
    return await _set(store, id, "done", by, call, logged)


async def reopen(store: Store, id: int, by: str, *, logged: Iterable[AccessEntry] = ()) -> Case:
    """Takes a settling back. Raises NoCase, StoreUnavailable."""
    return await _set(store, id, "open", by, None, logged)


async def _set(
    store: Store, id: int, state: State, by: str, call: str | None, logged: Iterable[AccessEntry]
) -> Case:
    async with store.session() as session:
        row = await session.get(CaseRow, id, with_for_update=True)
        if row is None:
            raise NoCase(id)
        if row.state != state:
            settled = state == "done"
            row.state = state
            row.done_at = datetime.now(UTC) if settled else None
            row.done_by = by if settled else None
            row.done_call = call if settled else None
            session.add_all(logged)
        return _case(row)


def _chosen(
    query: Select[Any], state: State | None, caller: str | None, call: str | None, operator: str | None
) -> Select[Any]:
    for column, wanted in (
        (CaseRow.state, state),
        (CaseRow.caller, caller),
        (CaseRow.call, call),
        (CaseRow.operator, operator),
    ):
        if wanted is not None:
            query = query.where(column == wanted)
    return query


def _case(row: CaseRow) -> Case:
    return Case(**{name: getattr(row, name) for name in Case.__slots__})
