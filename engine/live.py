"""The live state as the console shows it, and its changes, many at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from . import seat_live, transfer_live
from .call import Call, Phase
from .callbacks import state as callbacks_state
from .clock import iso
from .pace import Pace
from .phones import BROWSER, DESK, phone_of
from .tally import day_of

if TYPE_CHECKING:
    from acd import Tally

    from .centre import Centre

CALLBACK_S = 0.005  # the list of callbacks is whole each time: so much rarer for each that is in it
Json = dict[str, Any]
Listener = Callable[[Json], None]


class Live:
    """Rooms mark what changed; listeners get whole entities, soon and at a `Pace`."""

    def __init__(self, centre: Centre) -> None:
        self.centre = centre
        self.listeners: set[Listener] = set()
        self._operators: set[str] = set()
        self._calls: set[str] = set()
        self._callbacks = False
        self._helps = False
        self._callbacks_due = 0.0  # of the loop's time: not told before
        self._callbacks_later: asyncio.TimerHandle | None = None
        self._gone: set[str] = set()
        self._trunks: list[Json] = []  # as last told
        self._shown: dict[str, int] = {}  # places in the queue as last told
        self._pace = Pace(self._flush)

    def operator(self, operator: str) -> None:
        self._operators.add(operator)
        self._soon()

    def call(self, call: str) -> None:
        self._calls.add(call)
        self._soon()

    def call_gone(self, call: str) -> None:
        self._calls.discard(call)
        self._gone.add(call)
        self._soon()

    def helps(self) -> None:
        self._helps = True
        self._soon()

    def callbacks(self) -> None:
        """Something has changed in one of them: all are told, seldom where there are many."""
        if not self.listeners or self._callbacks_later is not None:
            return
        loop = asyncio.get_running_loop()
        self._callbacks_later = loop.call_at(max(loop.time(), self._callbacks_due), self._callbacks_due_now)

    def _callbacks_due_now(self) -> None:
        self._callbacks_later = None
        self._callbacks = True
        self._soon()

    def everything(self) -> None:
        message = {"event": "live", "live": self.state()}
        self._operators.clear()
        self._calls.clear()
        self._gone.clear()
        self._callbacks = False
        for listener in list(self.listeners):
            listener(message)

    def _soon(self) -> None:
        if self.listeners:
            self._pace.soon()

    def _flush(self) -> None:
        session = self.centre.session
        calls = session.calls if session is not None else {}
        known = {one.id for one in self.centre.site.operators}
        positions = self._positions()
        moved = {call for call, place in positions.items() if self._shown.get(call) != place}
        self._shown = positions
        message: Json = {
            "event": "changed",
            "operators": [self.operator_state(one) for one in sorted(self._operators & known)],
            "calls": [
                self._call(calls[one], positions) for one in sorted(self._calls | moved) if one in calls
            ],
            "gone": sorted(self._gone),
            "at": iso(self.centre.clock.now()),
        }
        if (trunks := self.centre.trunks.state()) != self._trunks:
            message["trunks"] = self._trunks = trunks
        if self._callbacks:
            told = message["callbacks"] = callbacks_state(self.centre)
            self._callbacks_due = asyncio.get_running_loop().time() + CALLBACK_S * len(told)
        if self._helps:
            message["helps"] = self.centre.helps.state()
            self._helps = False
        self._operators.clear()
        self._calls.clear()
        self._gone.clear()
        self._callbacks = False
        for listener in list(self.listeners):
            listener(message)

    def state(self) -> Json:
        session = self.centre.session
        positions = self._positions()
        return {
            "at": iso(self.centre.clock.now()),
            "switch": {"connected": session is not None},
            "journal": {"failing": self.centre.journal.failing},
            **self.centre.openings.state(),
            "operators": [self.operator_state(one.id) for one in self.centre.site.operators],
            "calls": [self._call(call, positions) for call in session.calls.values()] if session else [],
            "callbacks": callbacks_state(self.centre),
            "helps": self.centre.helps.state(),
            "trunks": self.centre.trunks.state(),
        }

    def _positions(self) -> dict[str, int]:
        session = self.centre.session
        return (
            {one.call: one.position for one in session.floor.distributor.waiting()}
            if session is not None
            else {}
        )

    def operator_state(self, operator: str) -> Json:
        centre = self.centre
        profile = centre.site.operator(operator)
        kinds = centre.reachable.get(operator, set())
        shown: Json = {
            "id": operator,
            "name": profile.name,
            "phones": {"desk": DESK in kinds, "browser": BROWSER in kinds},
            "phone": phone_of(centre, operator),
            "queues": list(profile.queues),
            "levels": dict(profile.levels),
            "languages": list(profile.languages) if profile.languages is not None else None,
        }
        session = centre.session
        if session is None:
            memory = centre.memory.operator(operator)
            shown |= {
                "state": memory.state,
                "reason": memory.reason,
                "call": None,
                "next_state": memory.next_state,
            }
            shown |= {"since": iso(centre.clock.wall(memory.since_mono)), "until": None}
            tally = memory.tally.at(centre.clock.mono(), day_of(centre.site, centre.clock))
            shown |= {"tally": _tally(tally), "limited_until": None, "own_call": False, "supervising": None}
            shown |= {"dialling": None, "last_dial": None}
            return shown
        view = session.floor.view(operator)
        call = session.call_of(operator)
        own = session.floor.own.talks(operator)
        state = view.state.value
        if call is not None and call.phase is Phase.HOLD:
            state = "hold"
        since = (
            call.since if call is not None and state in ("hold", "talking") else centre.clock.wall(view.since)
        )
        shown |= {
            "state": state,
            "reason": view.reason,
            "since": iso(since),
            "until": iso(centre.clock.wall(view.until)) if view.until is not None else None,
            "call": call.id if call is not None else None if own else view.call,
            "next_state": view.next_state.value if view.next_state is not None else None,
            "last_call": centre.memory.operator(operator).last_call,
            "tally": _tally(view.tally),
            "limited_until": iso(centre.clock.wall(view.limited_until)) if view.limited_until else None,
            "own_call": own,
        }
        shown |= transfer_live.of_operator(session, operator)
        shown |= session.outbounds.state(operator)
        return shown | seat_live.of_operator(centre, operator)

    def _call(self, call: Call, positions: dict[str, int]) -> Json:
        return {
            "id": call.id,
            "number": call.number.number if call.shown in (None, call.number.digits) else call.shown,
            "via": "outbound" if call.outbound else "engine" if call.callback is None else "callback",
            "case": call.case,
            "number_name": call.number.name,
            "caller": call.caller,
            "phase": call.phase.value,
            "since": iso(call.since),
            "arrived_at": iso(call.arrived),
            "queued_at": iso(call.queued) if call.queued else None,
            "answered_at": iso(call.answered) if call.answered else None,
            "queue": call.queue,
            "priority": call.priority,
            "moved_from": call.moved_from,
            "operator": call.operator or self._rung(call),
            "position": positions.get(call.id),
            "language": call.language,
            "path": list(call.path),
            "diverted_from": call.diverted_from,
            "diverted_name": call.diverted_name,
            **seat_live.of_call(self.centre, call),
            **transfer_live.of_call(self.centre, call),
        }

    def _rung(self, call: Call) -> str | None:
        session = self.centre.session
        if session is None or call.phase is not Phase.RINGING:
            return None
        return next((op for op, ring in session.floor.rings.items() if ring.call is call), None)


def _tally(tally: Tally) -> Json:
    return {"calls": tally.calls, "talk_s": round(tally.talk_s, 3), "duty_s": round(tally.duty_s, 3)}
