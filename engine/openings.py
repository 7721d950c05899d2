"""What supervisors have switched: a number open, closed or extended for a while; emergency notices; and the
plan's clock (HRS-3, HRS-6)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from dialplans import Number, Site
from ivr import Mode, Switches, opening

from .clock import iso
from .memory import NoticeMemory

if TYPE_CHECKING:
    from .centre import Centre

log = logging.getLogger("daihyo.engine.openings")

LOOK_S = 900.0  # the numbers are looked at again at least so often
LAPSES = timedelta(minutes=15)  # a notice that no second person has confirmed by then is not asked for
EXPIRY = "expiry"
Json = dict[str, Any]


class Openings:
    """The switches of now, kept in the journal's memory, and who is told when they or the hours change.
    Times are of the plan's clock, which is the wall clock except in rehearsals."""

    def __init__(self, centre: Centre) -> None:
        self.centre = centre
        self._offset = timedelta()
        self._timer: asyncio.TimerHandle | None = None
        self._numbers: list[Json] = []

    # -- the plan's clock

    def now(self) -> datetime:
        return self.centre.clock.now() + self._offset

    def set_clock(self, at: datetime | None) -> None:
        """The plan's clock goes on from `at` (aware), or is the wall clock again."""
        self._offset = at - self.centre.clock.now() if at is not None else timedelta()

    # -- for calls

    def switches(self, site: Site) -> Switches:
        """What a call that arrives now meets; notices in the order of the plan."""
        memory, now = self.centre.memory, self.now()
        modes = {one.number: Mode(one.mode) for one in memory.openings.values() if one.until > now}
        on = {one.notice for one in memory.notices.values() if one.on}
        return Switches(modes=modes, notices=tuple(one.id for one in site.notices if one.id in on))

    # -- switched by people

    def switch(self, numbers: Sequence[Number], mode: str, until: datetime, reason: str, by: str) -> None:
        """Until its time is over these numbers are open, closed or extended."""
        for number in numbers:
            self.centre.note(
                "opening_set", number=number.digits, mode=mode, until=iso(until), reason=reason, by=by
            )
        self.changed()

    def clear(self, numbers: Sequence[Number], by: str) -> int:
        """The hours rule again; how many numbers had been switched."""
        cleared = [one.digits for one in numbers if one.digits in self.centre.memory.openings]
        for digits in cleared:
            self._cleared(digits, by)
        self.changed()
        return len(cleared)

    def _cleared(self, digits: str, by: str) -> None:
        was = self.centre.memory.openings[digits]
        self.centre.note(
            "opening_cleared", number=digits, mode=was.mode, until=iso(was.until), reason=was.reason, by=by
        )

    def notice(self, notice: str, by: str, *, two_people: bool) -> str:
        """Puts a notice in front of everything, or asks for it where a second person must confirm. `on`,
        `asked`, or `same` when the one who asked cannot confirm."""
        self._expire()
        known = self.centre.memory.notices.get(notice)
        if known is not None and known.on:
            return "on"
        if two_people and known is None:
            self.centre.note("notice_asked", notice=notice, by=by, confirmed_by=None)
            self.changed()
            return "asked"
        if two_people and known is not None and known.by == by:
            return "same"
        asked_by = known.by if known is not None else by
        confirmed_by = by if known is not None else None
        self.centre.note("notice_set", notice=notice, by=asked_by, confirmed_by=confirmed_by)
        self.changed()
        return "on"

    def clear_notice(self, notice: str, by: str) -> bool:
        """Switched off, or no longer asked for; False when it was neither."""
        if notice not in self.centre.memory.notices:
            return False
        self.centre.note("notice_cleared", notice=notice, by=by, confirmed_by=None)
        self.changed()
        return True

    # -- as time goes by

    def changed(self) -> None:
        """Something was switched, the plan or its clock is another: tells everybody, and wakes up when the
        next number opens or closes or the next switch expires."""
        self._expire()
        self._numbers = self._look()
        self.centre.live.everything()
        self._arm()

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _expire(self) -> None:
        now = self.now()
        for one in list(self.centre.memory.openings.values()):
            if one.until <= now:
                self._cleared(one.number, EXPIRY)
        for asked in self._asked():
            if asked.since + LAPSES <= self.centre.clock.now():
                self.centre.note("notice_cleared", notice=asked.notice, by=EXPIRY, confirmed_by=None)

    def _asked(self) -> list[NoticeMemory]:
        """Asked for, not confirmed. These lapse by the wall clock: they are people's, not the plan's."""
        return [one for one in self.centre.memory.notices.values() if not one.on]

    def _arm(self) -> None:
        self.stop()
        now = self.now()
        times = [one.until for one in self.centre.memory.openings.values()]
        times += [at for one in self._numbers for at in (one["_until"], one["_next_open"]) if at is not None]
        waits = [at - now for at in times if at > now]
        waits += [asked.since + LAPSES - self.centre.clock.now() for asked in self._asked()]
        wait_s = min([LOOK_S, *(max(0.0, wait.total_seconds()) for wait in waits)])
        self._timer = asyncio.get_running_loop().call_later(wait_s + 0.01, self._tick)

    def _tick(self) -> None:
        expired = any(one.until <= self.now() for one in self.centre.memory.openings.values())
        expired |= any(one.since + LAPSES <= self.centre.clock.now() for one in self._asked())
        if expired or self._look() != self._numbers:
            self.changed()
        else:
            self._arm()

    # -- for the live board

    def state(self) -> Json:
        memory = self.centre.memory
        return {
            "plan": {"version": self.centre.versions.live.version},
            "plan_time": iso(self.now()) if self._offset else None,
            "openings": [
                {
                    "number": one.number,
                    "mode": one.mode,
                    "until": iso(one.until),
                    "reason": one.reason,
                    "by": one.by,
                }
                for one in memory.openings.values()
            ],
            "notices": [
                {
                    "notice": one.notice,
                    "state": "on" if one.on else "asked",
                    "by": one.by,
                    "confirmed_by": one.confirmed_by,
                    "since": iso(one.since),
                }
                for one in memory.notices.values()
            ],
            "numbers": [
                {name: value for name, value in one.items() if name[0] != "_"} for one in self._numbers
            ],
        }

    def _look(self) -> list[Json]:
        site, now = self.centre.site, self.now()
        switches, shown = self.switches(site), []
        for number in site.numbers:
            found = opening(site, number.digits, now, switches)
            shown.append(
                {
                    "number": number.digits,
                    "name": number.name,
                    "open": found.open,
                    "until": iso(found.until) if found.until is not None else None,
                    "next_open": iso(found.next_open) if found.next_open is not None else None,
                    "_until": found.until,
                    "_next_open": found.next_open,
                }
            )
        return shown
