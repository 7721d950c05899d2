"""Every listening in the access log with its end: who, at which call and operator, in which mode, from when
to when. The beginning is written before it happens (api.supervision); the end is seen in the live state, so
that a telephone that was simply put down is in it too.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from . import audit
from .audit import Action
from .console import Console

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Listening:
    """A supervisor at a call, in one mode, since a moment (ISO 8601 UTC as the engine tells it)."""

    call: str
    operator: str
    supervisor: str
    mode: str
    since: str

    @property
    def words(self) -> str:
        return f"{self.mode} call={self.call} operator={self.operator} supervisor={self.supervisor}"


class SupervisionLog:
    """Follows the engine link until cancelled. What began while no console ran is written with its end."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._now: dict[tuple[str, str], Listening] = {}
        self._wake = asyncio.Event()

    async def run(self) -> None:
        stop = self._console.link.listen(self._wake.set)
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                # While the engine is away nothing is known to have ended.
                if self._console.link.connected:
                    await self._compare(self._listening())
        finally:
            stop()

    def _listening(self) -> dict[tuple[str, str], Listening]:
        found = {}
        state = self._console.link.state
        for call in state.calls.values():
            for one in call.get("supervision") or ():
                supervisor = state.operators.get(str(one.get("supervisor"))) or {}
                if (supervisor.get("supervising") or {}).get("ringing"):
                    continue  # nobody has answered it: nobody listens
                made = Listening(
                    str(call["id"]),
                    str(call.get("operator") or ""),
                    str(one.get("supervisor")),
                    str(one.get("mode")),
                    str(one.get("since")),
                )
                found[made.call, made.supervisor] = made
        return found

    async def _compare(self, now: dict[tuple[str, str], Listening]) -> None:
        before, self._now = self._now, now
        to = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        for key, former in before.items():
            current = now.get(key)
            if current is None or current.mode != former.mode:
                await self._note(former, f"end {former.words} from={former.since} to={to}")
                if current is not None and current.since == former.since:
                    self._now[key] = replace(current, since=to)  # the mode's own beginning
            else:
                # The operator of a call may change under it; the beginning stays.
                self._now[key] = former

    async def _note(self, listening: Listening, detail: str) -> None:
        users = self._console.site.users
        login = next((user.login for user in users if user.operator == listening.supervisor), None)
        await audit.note_if_possible(
            self._console.store, Action.SUPERVISE, login=login, address=None, detail=detail
        )
