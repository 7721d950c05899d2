"""手上げ: an operator asks the supervisors for help, with a text that no citizen hears or reads.

One request is open per operator. It ends when it is closed, when the operator's work on that call is over,
or when the operator signs off. The journal's memory holds the open ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import Field

from acd import OperatorState
from cdr import Event

from .clock import iso
from .commands import Command, CommandError, Commands, Json
from .seat_memory import HelpMemory
from .serials import serial

if TYPE_CHECKING:
    from .centre import Centre

LONGEST = 500


class HelpAsk(Command):
    operator: str
    call: str | None = None
    text: str = Field("", max_length=LONGEST)
    urgent: bool = False


class HelpWord(Command):
    help: str
    by: str = Field(min_length=1, max_length=100)
    text: str = Field("", max_length=LONGEST)


class Helps:
    """Asked, answered, taken, closed; `commands` by name."""

    def __init__(self, centre: Centre) -> None:
        self.centre = centre
        self.commands: Commands = {
            "help.ask": (HelpAsk, self._ask),
            "help.say": (HelpWord, self._say),
            "help.take": (HelpWord, self._take),
            "help.close": (HelpWord, self._close),
        }

    def state(self) -> list[Json]:
        """All that are open, the urgent first, then the oldest."""
        known = self.centre.memory.seats.helps.values()
        return [_state(one) for one in sorted(known, key=lambda one: (not one.urgent, one.at, one.id))]

    def noted(self, event: Event) -> None:
        """An operator has settled: nobody helps with a call that is over, or one who has gone."""
        if event.kind != "operator_state" or event.data.get("state") == OperatorState.WRAP_UP.value:
            return
        one = self.centre.memory.seats.help_of(str(event.data["operator"]))
        off = event.data.get("state") == OperatorState.OFF.value
        if one is not None and (off or one.call is not None):
            self._note("help_closed", one, by="")

    async def _ask(self, command: HelpAsk) -> Json:
        centre = self.centre
        if not any(one.id == command.operator for one in centre.site.operators):
            raise CommandError(
                "unknown_operator",
                f"操作者 {command.operator} はいません。",
                f"there is no operator {command.operator}",
            )
        if command.call is not None and command.call not in {*centre.memory.calls, *centre.memory.ended}:
            raise CommandError("unknown_call", "その通話はありません。", "there is no such call")
        known = centre.memory.seats.help_of(command.operator)
        call = command.call or (known.call if known is not None else None)
        id = known.id if known is not None else f"help-{serial()}"
        asked = HelpMemory(id, command.operator, call, centre.clock.now())
        self._note(
            "help_asked", known or asked, call, text=command.text, urgent=command.urgent, by=command.operator
        )
        return _state(centre.memory.seats.helps[id])

    async def _say(self, command: HelpWord) -> Json:
        return self._word("help_said", command)

    async def _take(self, command: HelpWord) -> Json:
        return self._word("help_taken", command)

    async def _close(self, command: HelpWord) -> Json:
        return self._word("help_closed", command)

    def _word(self, kind: str, command: HelpWord) -> Json:
        one = self.centre.memory.seats.helps.get(command.help)
        if one is None:
            raise CommandError("unknown_help", "その手上げは、もう終わっています。", "that request is over")
        self._note(kind, one, text=command.text, by=command.by)
        return _state(one)

    def _note(self, kind: str, one: HelpMemory, call: str | None = None, **data: Any) -> None:
        self.centre.note(kind, call or one.call, help=one.id, operator=one.operator, **data)
        self.centre.live.helps()


def _state(one: HelpMemory) -> Json:
    return {
        "id": one.id,
        "operator": one.operator,
        "call": one.call,
        "at": iso(one.at),
        "urgent": one.urgent,
        "state": "open" if one.by is None else "taken",
        "by": one.by,
        "messages": [{"at": iso(word.at), "by": word.by, "text": word.text} for word in one.messages],
    }
