"""Commands about one conversation beside holding it: marks, mute, key tones, the polite end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from switch import Channel, SwitchError

from .call import Call, EndPolitely, Phase
from .commands import Command, CommandError, Commands, Json
from .voice import muted

if TYPE_CHECKING:
    from .centre import Centre
    from .session import Session


class OfCall(Command):
    call: str
    operator: str


class Digits(OfCall):
    digits: str = Field(pattern=r"^[0-9*#]{1,32}$")


class SetMark(Command):
    call: str
    by: str = Field(min_length=1, max_length=100)
    mark: Literal["emergency", "harassment"]
    on: bool
    operator: str | None = None
    note: str = Field("", max_length=500)


class SeatControl:
    """Carries them out; `commands` by name."""

    def __init__(self, centre: Centre) -> None:
        self.centre = centre
        self.commands: Commands = {
            "call.mark": (SetMark, self._mark),
            "call.mute": (OfCall, self._mute),
            "call.unmute": (OfCall, self._unmute),
            "call.dtmf": (Digits, self._dtmf),
            "call.end_politely": (OfCall, self._end_politely),
        }

    async def _mark(self, command: SetMark) -> Json:
        """Also just after its end: a threat is often understood only then."""
        memory = self.centre.memory
        if command.call not in memory.calls and command.call not in memory.ended:
            raise CommandError("unknown_call", "その通話はありません。", "there is no such call")
        session = self.centre.session
        call = session.calls.get(command.call) if session is not None else None
        if command.operator is not None and not self._was_in(command.operator, command.call, call):
            raise CommandError(
                "not_your_call", "この通話の担当ではありません。", "that operator is not in this call"
            )
        known = memory.seats.marks.get(command.call, [])
        if command.on is not any(one.mark == command.mark for one in known):
            self.centre.note(
                "marked",
                command.call,
                mark=command.mark,
                on=command.on,
                by=command.by,
                note=command.note,
            )
            self.centre.live.call(command.call)
        return {"call": command.call, "mark": command.mark, "on": command.on}

    def _was_in(self, operator: str, id: str, call: Call | None) -> bool:
        if call is not None and call.operator == operator:
            return True
        known = self.centre.memory.calls.get(id)
        last = known is not None and operator in (known.operator, known.last_operator)
        return last or self.centre.memory.operator(operator).last_call == id

    async def _mute(self, command: OfCall) -> Json:
        return await self._muted(command, True)

    async def _unmute(self, command: OfCall) -> Json:
        return await self._muted(command, False)

    async def _muted(self, command: OfCall, on: bool) -> Json:
        session, call = talk(self.centre, command.call, command.operator)
        try:
            await muted(session, call, on)
        except SwitchError as problem:
            raise _away(problem) from None
        return {"call": call.id, "muted": call.muted}

    async def _dtmf(self, command: Digits) -> Json:
        """To whom the operator talks with: whoever is in the room. The operator does not hear them."""
        _, call = talk(self.centre, command.call, command.operator)
        others = _partners(call)
        if not others:
            raise not_talking()
        try:
            for other in others:
                await other.send_digits(command.digits)
        except SwitchError as problem:
            raise _away(problem) from None
        return {}

    async def _end_politely(self, command: OfCall) -> Json:
        _, call = talk(self.centre, command.call, command.operator)
        no_transfer(call)
        if call.phase not in (Phase.TALKING, Phase.HOLD):
            raise not_talking()
        call.inbox.put_nowait(EndPolitely())
        return {}


def talk(centre: Centre, id: str, operator: str | None = None) -> tuple[Session, Call]:
    """A call that an operator is in (that operator), with a telephone that is there."""
    session = centre.session
    if session is None:
        raise CommandError("switch_away", "交換機に再接続しています。", "the switch is away, reconnecting")
    call = session.calls.get(id)
    if call is None:
        raise CommandError("unknown_call", "その通話は終わっています。", "that call is over")
    if operator is not None and call.operator != operator:
        raise CommandError(
            "not_your_call", "この通話の担当ではありません。", "that operator is not in this call"
        )
    if call.operator is None or call.bridge is None or call.leg is None or call.leg.hangup_info is not None:
        raise not_talking()
    return session, call


def not_talking() -> CommandError:
    return CommandError("not_talking", "通話中ではありません。", "nobody talks in that call")


def no_transfer(call: Call) -> None:
    """Nothing of a transfer is under way: its own keys come first."""
    if call.transfer is not None:
        raise CommandError(
            "transfer_under_way", "転送の途中です。", "a transfer is under way: end or complete it first"
        )


def _partners(call: Call) -> list[Channel]:
    """Whom the operator talks with: who else is in the room."""
    transfer = call.transfer
    if transfer is None:
        return [call.channel] if call.phase is Phase.TALKING else []
    legs = [call.channel] if transfer.state.citizen else []
    return [*legs, transfer.leg] if transfer.state.target and transfer.leg is not None else legs


def _away(problem: SwitchError) -> CommandError:
    return CommandError("not_done", "交換機が実行できませんでした。", f"the switch did not do it: {problem}")
