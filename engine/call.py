"""One citizen's call as the engine holds it while it lives."""

from __future__ import annotations

import asyncio
import enum
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from dialplans import Language, Number, Site
from ivr import Walk
from switch import Bridge, Channel, Hangup

from .transfer_model import Transfer
from .transfer_model import Word as TransferWord
from .versions import Plan


class Phase(enum.Enum):
    """What the citizen is in, as the live board shows it."""

    GREETING = "greeting"
    ANNOUNCEMENT = "announcement"
    MENU = "menu"
    WAITING = "waiting"
    RINGING = "ringing"
    TALKING = "talking"
    HOLD = "hold"
    RETURNING = "returning"
    FORWARDING = "forwarding"
    FORWARDED = "forwarded"
    CONSULTING = "consulting"  # the operator asks the target of a transfer, the citizen waits
    TRANSFERRING = "transferring"  # blindly: the target rings
    TRANSFERRED = "transferred"
    CALLING = "calling"  # the citizen's telephone rings: a callback


@dataclass(frozen=True)
class Answer:
    """An operator's phone that was answered for this call."""

    operator: str
    phone: str  # desk | browser
    leg: Channel
    bridge: Bridge


@dataclass(frozen=True)
class LegGone:
    leg: str
    hangup: Hangup


@dataclass(frozen=True)
class Hold:
    pass


@dataclass(frozen=True)
class Resume:
    pass


@dataclass(frozen=True)
class HangUp:
    """Somebody at the console ended the conversation."""


@dataclass(frozen=True)
class PageLost:
    """The operator's page with the browser phone in it is closed or was loaded again. `leg`: the one that
    it held; a later leg belongs to a later page."""

    reason: str
    leg: str


@dataclass(frozen=True)
class TakeOver:
    """A supervisor who has joined goes on with the citizen alone."""

    supervisor: str


@dataclass(frozen=True)
class EndPolitely:
    """The operator is let go, the citizen hears the wording `harassment_end`, then the line is closed."""


Word = LegGone | Hold | Resume | HangUp | PageLost | TakeOver | EndPolitely | TransferWord


@dataclass(eq=False)
class Call:
    """`*_mono` are monotonic seconds; `inbox` is what happens to the conversation, in order. `plan`: the
    version it began with and ends with."""

    id: str
    channel: Channel
    plan: Plan
    number: Number
    walk: Walk
    caller: str | None
    arrived: datetime
    phase: Phase
    since: datetime
    diverted_from: str | None = None
    queue: str | None = None
    priority: int = 0  # where it waits, or waited last
    own_priority: int = 0  # of this very call, whoever calls whatever number
    moved: asyncio.Event = field(default_factory=asyncio.Event)  # set when it was moved to another queue
    moved_from: str | None = None
    entered_mono: float | None = None  # when the queue it is in was entered
    queued: datetime | None = None
    queued_mono: float | None = None
    answered: datetime | None = None
    operator: str | None = None
    phone: str | None = None
    leg: Channel | None = None
    bridge: Bridge | None = None  # the conversation's room
    muted: bool = False  # the operator is, at the switch
    transfer: Transfer | None = None  # the one under way
    transfers: int = 0  # how many have begun
    last_transfer: dict[str, Any] | None = None  # why the last one came back to the operator
    returned: dict[str, Any] | None = None  # how the citizen came back after the operator had left
    inbox: asyncio.Queue[Word] = field(default_factory=asyncio.Queue)
    answer: asyncio.Future[Answer] | None = None
    task: asyncio.Task[None] | None = None
    back_to: str | None = None  # waits for this operator, who wrote it up until now
    lost_by: str | None = None  # whose page went away and did not come back in time
    ended_by: str | None = None  # set by whoever ends it first: operator | centre | outside
    end_reason: str = "normal"  # in words, when the plan ended it
    offers: int = 0
    plays_music: bool | None = False  # None: not known (taken up after a restart)
    music_class: str = ""
    hears_ringing: bool = False  # the tone of a telephone that rings outside
    callback: str | None = None  # the callback that this call, which we made, fulfils
    outbound: bool = False  # an operator made it
    case: int | None = None  # of the desk, for which it was made
    shown: str | None = None  # our number as the citizen sees it then
    booked_path: tuple[str, ...] = ()  # what the citizen chose when it was booked

    @property
    def site(self) -> Site:
        """The plan that this call is led by, whatever is live meanwhile."""
        return self.plan.site

    @property
    def language(self) -> Language:
        return self.walk.language

    @property
    def path(self) -> tuple[str, ...]:
        """What the citizen chose, for the operator."""
        return self.booked_path or self.walk.path

    @property
    def ours(self) -> bool:
        """Whether we made the call: whoever is on the line has dialled no number of ours."""
        return self.outbound or self.callback is not None

    @property
    def told_as(self) -> str:
        """The call of which its offers are told."""
        return self.id

    @property
    def shows(self) -> tuple[str, str]:
        """What an operator's phone shows when it rings for this call: number and name."""
        return self.caller or "anonymous", self.diverted_name or self.number.name

    @property
    def diverted_name(self) -> str | None:
        """The department whose own line the citizen had dialled."""
        return next(
            (one.name for one in self.number.diverted if digits(one.number) == self.diverted_from), None
        )

    async def quiet(self) -> None:
        """Neither music nor ringing tone: something is about to be said, or somebody to be joined."""
        await self.music(False)
        await self.ringing(False)

    async def ringing(self, on: bool) -> None:
        """The tone of a telephone that rings outside, in place of music."""
        if on:
            await self.music(False)
        if on or self.hears_ringing:
            self.hears_ringing = True  # until the switch has done it: this may be cancelled on the way
            await self.channel.ring(on)
            self.hears_ringing = on

    async def music(self, on: bool, music_class: str = "default") -> None:
        """Waiting music on or off; nothing is asked of the switch when it is so already."""
        if on != self.plays_music or (on and music_class != self.music_class):
            self.plays_music = None  # as above
            await self.channel.music(on, music_class)
            self.plays_music, self.music_class = on, music_class

    def take(self, answer: Answer) -> bool:
        """Hands an answered phone to the waiting call; False when the citizen no longer waits."""
        if self.answer is None or self.answer.done():
            return False
        self.answer.set_result(answer)
        return True

    def waits(self) -> bool:
        return self.answer is not None and not self.answer.done()


def digits(number: str) -> str:
    """A telephone number as trunks send it within the country: digits alone."""
    plain = number.replace("-", "")
    return "0" + plain[3:] if plain.startswith("+81") else plain.lstrip("+")
