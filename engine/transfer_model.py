"""What a transfer (転送) is made of: whom to, by which ways, how far it is, and what is said about it."""

from __future__ import annotations

import asyncio
import enum
import logging
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal

from dialplans import OutLeg
from switch import Channel, ChannelGone, SwitchError

from .clock import iso

log = logging.getLogger("daihyo.engine.transfer")

Kind = Literal["extension", "outside", "operator", "queue"]
How = Literal["consult", "blind"]
Reason = Literal[
    "returned",
    "busy",
    "no_answer",
    "refused",
    "unreachable",
    "trunk_full",
    "failed",
    "target_gone",
    "caller_gone",
    "operator_gone",
    "over",
    "return_code",
]


class State(enum.Enum):
    """Who hears whom. The third is the citizen, who hears music wherever they are not in the room."""

    RINGING = "ringing"  # the target's telephone rings; the operator hears it
    TALKING = "talking"  # operator and target
    HELD = "held"  # operator and citizen; the target hears music
    THREE_WAY = "three_way"
    TRANSFERRED = "transferred"  # citizen and target; no operator

    @property
    def citizen(self) -> bool:
        """Whether the citizen is in the room."""
        return self in (State.HELD, State.THREE_WAY, State.TRANSFERRED)

    @property
    def target(self) -> bool:
        return self in (State.TALKING, State.THREE_WAY, State.TRANSFERRED)


# Whom the operator talks with, as `transfer_room` tells it.
WITH: Final = {State.TALKING: "target", State.HELD: "citizen", State.THREE_WAY: "all"}


@dataclass(frozen=True)
class Target:
    """Whom the citizen is to be given to. `number`: digits, or the id of an operator or a queue; `ways`: the
    legs outside in the order to be tried; `shown`: our number as seen there (digits)."""

    kind: Kind
    number: str
    name: str = ""
    department: str = ""
    entry: str | None = None  # of the directory
    shown: str = ""
    ways: tuple[OutLeg, ...] = ()

    def told(self) -> dict[str, Any]:
        """As the journal and the live state have it."""
        return {
            "kind": self.kind,
            "number": self.number,
            "name": self.name,
            "department": self.department,
            "entry": self.entry,
        }


class KeyPressed:
    """The transfer key of an operator's telephone (SIP REFER), which waits for its answer: one."""

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self._told = False

    async def told(self, well: bool) -> None:
        if self._told:
            return
        self._told = True
        try:
            await self.channel.transfer_told(well)
        except ChannelGone:
            pass  # hung up: it waits no more
        except SwitchError as problem:
            log.warning("leg %s is not told of its transfer: %s", self.channel.id, problem)


@dataclass(frozen=True)
class Wish:
    """An operator's wish to transfer. `answer`: None once the target rings, else why it does not. `key`: of
    the telephone by which it was wished; `pad`: the call that it dialled for this, not answered yet."""

    target: Target
    how: How
    by: str  # console | phone | return_code
    answer: asyncio.Future[Reason | None] = field(compare=False)
    key: KeyPressed | None = field(default=None, compare=False)
    pad: Channel | None = field(default=None, compare=False)

    def answered(self, reason: Reason | None) -> None:
        """The first answer counts."""
        if not self.answer.done():
            self.answer.set_result(reason)


class Key(enum.Enum):
    """The operator's keys while a transfer is under way."""

    SWAP = "swap"
    THREE_WAY = "three_way"
    COMPLETE = "complete"
    RETURN = "return"


@dataclass(frozen=True)
class TargetRings:
    leg: str


@dataclass(frozen=True)
class TargetUp:
    leg: str


@dataclass(frozen=True)
class TargetLeaves:
    """An operator who is the target refuses or hangs up at the console."""


@dataclass(frozen=True)
class Resumed:
    """The operator's telephone goes on with this one of its calls (its own hold key)."""

    leg: str


@dataclass(frozen=True)
class GivenBack:
    """The department gives the citizen back (転送戻り) by dialling the return code."""


Word = Wish | Key | TargetRings | TargetUp | TargetLeaves | Resumed | GivenBack


@dataclass(eq=False)
class Transfer:
    """One transfer of a call, from the operator's key to the end of the target's part in it."""

    place: int
    how: How
    target: Target
    operator: str
    by: str
    since: datetime
    state: State = State.RINGING
    leg: Channel | None = None
    answered_mono: float | None = None
    pad: Channel | None = None  # the call that the operator's telephone dialled to talk with the target
    key: KeyPressed | None = None  # of that telephone, not answered yet

    def told(self) -> dict[str, Any]:
        """As the live state has it."""
        return {
            "kind": self.how,
            "to": self.target.told(),
            "state": self.state.value,
            "operator": self.operator,
            "since": iso(self.since),
        }


def target_of(told: dict[str, Any]) -> Target:
    """Back from `Target.told`: enough to go on with, none of its ways."""
    return Target(
        kind=told.get("kind", "outside"),
        number=str(told.get("number") or ""),
        name=str(told.get("name") or ""),
        department=str(told.get("department") or ""),
        entry=told.get("entry"),
    )
