"""The alarms' book: each raised once, over when over, acknowledged by somebody; kept in table `alarms`.

An alarm lives here first: without the database it is shown and sounds all the same, and is written down as
soon as that is possible (until then it has no number and cannot be acknowledged).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from aiohttp import web
from sqlalchemy import func, or_, select

from store import Alarm, Store, StoreUnavailable

from .rules import Condition

log = logging.getLogger(__name__)

_SHOWN = 30  # that go on or wait to be acknowledged; the page /alarms has all


@dataclass
class Entry:
    """An alarm that goes on, or was over without having been acknowledged. Fields as in table `alarms`."""

    kind: str
    subject: str
    value: str
    threshold: str
    at: datetime
    id: int | None = None
    over_at: datetime | None = None
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None
    mailed_at: datetime | None = None
    mail_problem: str | None = None
    stored: bool = field(default=False, compare=False)  # as it is now

    @property
    def key(self) -> tuple[str, str]:
        return self.kind, self.subject


@dataclass
class _Held:
    """Since when a condition has held, and since when it has not (monotonic seconds)."""

    since: float
    gone: float | None = None


class AlarmBook:
    """`take` is given all conditions that hold now, again and again; `entries` are what is not settled."""

    def __init__(self, store: Store, shape: Callable[[Entry], dict[str, Any]]) -> None:
        self._store = store
        self._shape = shape
        self._held: dict[tuple[str, str], _Held] = {}
        self._known: dict[tuple[str, str], Condition] = {}
        self._listeners: set[Callable[[], None]] = set()
        self._shown: list[dict[str, Any]] = []
        self._recent: list[tuple[float, Entry]] = []  # over lately: may come again as the same
        self.entries: list[Entry] = []
        self._late: list[Entry] = []  # settled before their mail went
        self.store_away = False
        self._loaded = False

    def listen(self, callback: Callable[[], None]) -> None:
        """Called after every change of what is shown."""
        self._listeners.add(callback)

    def shown(self) -> list[dict[str, Any]]:
        """What a board shows, the latest first: it goes on, or nobody has acknowledged it."""
        return self._shown

    async def load(self) -> None:
        """Alarms of before this console started: those that go on are taken up. Raises StoreUnavailable."""
        if self._loaded:
            return
        lately = datetime.now(UTC) - timedelta(days=1)
        async with self._store.reading() as database:
            query = (
                select(Alarm)
                .where(or_(Alarm.over_at.is_(None), Alarm.acknowledged_at.is_(None)))
                .where(or_(Alarm.over_at.is_(None), Alarm.at > lately))
                .order_by(Alarm.at)
            )
            rows = (await database.scalars(query)).all()
        # What was raised here while the database was away stands in `entries` already.
        self.entries = [_entry(row) for row in rows] + self.entries
        self._loaded = True
        self._changed()

    def take(self, now: float, conditions: Iterable[Condition]) -> list[Entry]:
        """The conditions that hold at monotonic time `now`; gives the alarms just raised."""
        holding = {one.key: one for one in conditions}
        for key, condition in holding.items():
            held = self._held.setdefault(key, _Held(now))
            held.gone = None
            self._known[key] = condition
        raised = [
            self._raise(now, condition)
            for key, condition in holding.items()
            if self.going_on(key) is None and now - self._held[key].since >= condition.after_s
        ]
        for key in [key for key in self._held if key not in holding]:
            held = self._held[key]
            held.gone = now if held.gone is None else held.gone
            if now - held.gone >= self._known[key].over_s:
                del self._held[key]
                self._over(now, key)
        for entry in self.entries:
            # Taken up from before the start, and not so any more.
            if entry.over_at is None and entry.key not in self._held:
                self._over(now, entry.key)
        fresh = [entry for entry in raised if entry is not None]
        return fresh

    def going_on(self, key: tuple[str, str]) -> Entry | None:
        """The alarm about this that is not over."""
        return next((one for one in self.entries if one.key == key and one.over_at is None), None)

    def _raise(self, now: float, condition: Condition) -> Entry | None:
        """A new alarm; None where one of before goes on again."""
        again = condition.again_s
        for when, entry in self._recent:
            if entry.key == condition.key and now - when < again:
                self._recent.remove((when, entry))
                entry.over_at, entry.stored = None, False
                if entry not in self.entries:
                    self.entries.append(entry)
                self._changed()
                return None
        entry = Entry(condition.kind, condition.subject, condition.value, condition.threshold, _now())
        self.entries.append(entry)
        log.warning("alarm: %s %s %s (%s)", entry.kind, entry.subject, entry.value, entry.threshold)
        self._changed()
        return entry

    def _over(self, now: float, key: tuple[str, str]) -> None:
        entry = self.going_on(key)
        if entry is None:
            return
        entry.over_at, entry.stored = _now(), False
        self._recent = [(when, one) for when, one in self._recent if now - when < 3600.0]
        self._recent.append((now, entry))
        self._changed()

    async def acknowledge(self, number: int, by: str) -> Entry | None:
        """Somebody has seen it; None where there is no such alarm. Acknowledged before: it stays so. Raises
        StoreUnavailable."""
        at = _now()
        async with self._store.session() as database:
            row = await database.get(Alarm, number)
            if row is None:
                return None
            if row.acknowledged_at is None:
                row.acknowledged_at, row.acknowledged_by = at, by
            entry = _entry(row)
        for known in self.entries:
            if known.id == number:
                known.acknowledged_at, known.acknowledged_by = entry.acknowledged_at, entry.acknowledged_by
        self._changed()
        return entry

    async def history(self, limit: int, offset: int) -> tuple[list[Entry], int]:
        """Alarms, the latest first, and how many there are. Raises StoreUnavailable."""
        async with self._store.reading() as database:
            total = await database.scalar(select(func.count()).select_from(Alarm))
            query = select(Alarm).order_by(Alarm.at.desc(), Alarm.id.desc()).limit(limit).offset(offset)
            rows = (await database.scalars(query)).all()
        return [_entry(row) for row in rows], int(total or 0)

    async def save(self) -> None:
        """Writes down what is not yet; keeps it for the next time where the database is away."""
        changed = [one for one in self.entries if not one.stored]
        changed += [one for one in self._late if not any(one is other for other in changed)]
        changed += [one for _, one in self._recent if not one.stored and one not in changed]
        if not changed and not self.store_away and self._loaded:
            return
        for entry in changed:
            entry.stored = True  # what changes while it is being written is written again
        try:
            await self.load()
            numbered = await self._write(changed)
        except StoreUnavailable as error:
            for entry in changed:
                entry.stored = False
            if not self.store_away:
                log.warning("alarms are not stored: %s", error)
            self.store_away = True
            return
        self.store_away, self._late = False, [one for one in self._late if not one.stored]
        # Settled: over and acknowledged.
        left = [one for one in self.entries if one.over_at is None or one.acknowledged_at is None]
        if numbered or len(left) != len(self.entries):
            self.entries = left
            self._changed()

    async def _write(self, changed: list[Entry]) -> bool:
        """Whether one got its number."""
        numbered = False
        if not changed:
            return False
        async with self._store.session() as database:
            for entry in changed:
                row = await database.get(Alarm, entry.id) if entry.id is not None else None
                if row is None:
                    row = Alarm(
                        kind=entry.kind,
                        subject=entry.subject,
                        value=entry.value,
                        threshold=entry.threshold,
                        at=entry.at,
                    )
                    database.add(row)
                row.over_at = entry.over_at
                row.mailed_at, row.mail_problem = entry.mailed_at, entry.mail_problem
                await database.flush()
                numbered |= entry.id is None
                entry.id = row.id
        return numbered

    def mailed(self, entries: Iterable[Entry], problem: str | None) -> None:
        """The mail about these has gone, or has not."""
        for entry in entries:
            entry.mailed_at = None if problem else _now()
            entry.mail_problem, entry.stored = problem, False
            if not any(entry is one for one in self.entries):
                self._late.append(entry)
        self._changed()

    def _changed(self) -> None:
        latest = sorted(self.entries, key=lambda one: one.at, reverse=True)
        open_ones = [one for one in latest if one.over_at is None or one.acknowledged_at is None]
        self._shown = [self._shape(one) for one in open_ones[:_SHOWN]]
        for callback in tuple(self._listeners):
            callback()


def _entry(row: Alarm) -> Entry:
    return Entry(
        kind=row.kind,
        subject=row.subject,
        value=row.value,
        threshold=row.threshold,
        at=row.at,
        id=row.id,
        over_at=row.over_at,
        acknowledged_at=row.acknowledged_at,
        acknowledged_by=row.acknowledged_by,
        mailed_at=row.mailed_at,
        mail_problem=row.mail_problem,
        stored=True,
    )


def _now() -> datetime:
    return datetime.now(UTC)


BOOK: Final = web.AppKey("alarms", AlarmBook)
