"""Commands of the supervisor's seat: listen, whisper, join, take over, pull a waiting call."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from pydantic import Field

from .call import Call
from .commands import Command, CommandError, Commands, Json
from .paging import rung
from .phones import phone_of
from .pull import Pull
from .seat_control import no_transfer, talk
from .supervision import Mode, Supervision

if TYPE_CHECKING:
    from .centre import Centre
    from .session import Session

LEAVES_S = 5.0  # how long a supervisor's leg may take to leave one conversation for another


class Start(Command):
    call: str
    supervisor: str
    mode: Mode = Field(Mode.LISTEN, strict=False)
    by: str = Field(min_length=1, max_length=100)


class SwitchMode(Command):
    supervisor: str
    mode: Mode = Field(strict=False)
    by: str = ""


class Stop(Command):
    supervisor: str
    by: str = ""


class Take(Command):
    call: str
    supervisor: str
    by: str = Field(min_length=1, max_length=100)


class SupervisionControl:
    """Carries them out; `commands` by name."""

    def __init__(self, centre: Centre) -> None:
        self.centre = centre
        self.commands: Commands = {
            "supervise.start": (Start, self._start),
            "supervise.mode": (SwitchMode, self._mode),
            "supervise.stop": (Stop, self._stop),
            "supervise.take_over": (Take, self._take_over),
            "call.pull": (Take, self._pull),
        }

    async def _start(self, command: Start) -> Json:
        session, call = self._talk(command.call, command.supervisor)
        known = session.supervisions.all.get(command.supervisor)
        if known is not None and known.call is call:
            known.switch(command.mode, command.by)
            return _shown(known)
        await self._free(session, command.supervisor, leaving=known)
        session, call = self._talk(command.call, command.supervisor)  # it may have ended meanwhile
        one = session.supervisions.begin(call, command.supervisor, command.mode, command.by)
        await _rung(one.rings)
        return _shown(one)

    async def _mode(self, command: SwitchMode) -> Json:
        one = self._supervision(command.supervisor)
        one.switch(command.mode, command.by)
        return _shown(one)

    async def _stop(self, command: Stop) -> Json:
        self._supervision(command.supervisor).stop("stopped")
        return {}

    async def _take_over(self, command: Take) -> Json:
        session, call = self._talk(command.call, command.supervisor)
        no_transfer(call)
        one = session.supervisions.all.get(command.supervisor)
        if one is None or one.call is not call:
            await self._free(session, command.supervisor, leaving=one)
            session, call = self._talk(command.call, command.supervisor)
            no_transfer(call)
            one = session.supervisions.begin(call, command.supervisor, Mode.JOIN, command.by)
            one.take_over(command.by)
            await _rung(one.rings)
        else:
            one.take_over(command.by)
        return _shown(one)

    async def _pull(self, command: Take) -> Json:
        session = self._session()
        supervisor = self._known(command.supervisor)
        call = session.calls.get(command.call)
        if call is None:
            raise CommandError("unknown_call", "その通話は終わっています。", "that call is over")
        if not call.waits():
            raise CommandError("not_waiting", "この通話は待っていません。", "that call does not wait")
        await self._free(session, supervisor, leaving=session.supervisions.all.get(supervisor))
        if not call.waits():
            raise CommandError("not_waiting", "この通話は待っていません。", "that call does not wait")
        pull = Pull(session, call, supervisor, command.by)
        pull.begin()
        await _rung(pull.rings)
        return {"call": call.id, "supervisor": supervisor}

    # -- what must be so

    def _session(self) -> Session:
        if self.centre.session is None:
            raise CommandError(
                "switch_away", "交換機に再接続しています。", "the switch is away, reconnecting"
            )
        return self.centre.session

    def _known(self, operator: str) -> str:
        if not any(one.id == operator for one in self.centre.site.operators):
            raise CommandError(
                "unknown_operator", f"操作者 {operator} はいません。", f"there is no operator {operator}"
            )
        return operator

    def _talk(self, id: str, supervisor: str) -> tuple[Session, Call]:
        """A conversation of somebody else's."""
        session, call = talk(self.centre, id)
        if call.operator == self._known(supervisor):
            raise CommandError("not_allowed", "ご自分の通話です。", "that is the supervisor's own call")
        return session, call

    async def _free(self, session: Session, supervisor: str, leaving: Supervision | None) -> None:
        """The supervisor's phone can be rung now. `leaving`: another conversation that they leave for it."""
        if phone_of(self.centre, supervisor) is None:
            raise _unreachable()
        if leaving is not None and leaving.task is not None:
            leaving.stop("moved")
            await asyncio.wait([leaving.task], timeout=LEAVES_S)
        if session.detached or session.supervisions.busy(supervisor):
            raise CommandError(
                "target_busy", "監督者の電話は使用中です。", "the supervisor's phone is in use"
            )

    def _supervision(self, supervisor: str) -> Supervision:
        one = self._session().supervisions.all.get(self._known(supervisor))
        if one is None:
            raise CommandError(
                "not_supervising", "モニターしていません。", "that supervisor is at no conversation"
            )
        return one


async def _rung(rings: asyncio.Future[None]) -> None:
    """Until the phone rings; CommandError if it cannot be rung."""
    if not await rung(rings):
        raise _unreachable()


def _unreachable() -> CommandError:
    return CommandError(
        "target_unreachable", "監督者の電話につながりません。", "the supervisor's phone cannot be reached"
    )


def _shown(one: Supervision) -> Json:
    return {"call": one.call.id, "supervisor": one.supervisor, "mode": one.mode.value}
