"""One citizen's call as the engine holds it while it lives."""

from __future__ import annotations

import asyncio
import enum
from dataclasses import dataclass, field
from datetime import datetime

from dialplans import Number
from switch import Bridge, Channel, Hangup


class Phase(enum.Enum):
    """What the citizen is in, as the live board shows it."""

    GREETING = "greeting"
    WAITING = "waiting"
    RINGING = "ringing"
    TALKING = "talking"
    HOLD = "hold"
    RETURNING = "returning"


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


Word = LegGone | Hold | Resume | HangUp | PageLost


@dataclass(eq=False)
class Call:
    """`*_mono` are monotonic seconds; `inbox` is what happens to the conversation, in order."""

    id: str
    channel: Channel
    number: Number
    caller: str | None
    arrived: datetime
    phase: Phase
    since: datetime
    queue: str | None = None
    queued: datetime | None = None
    queued_mono: float | None = None
    answered: datetime | None = None
    operator: str | None = None
    phone: str | None = None
    leg: Channel | None = None
    inbox: asyncio.Queue[Word] = field(default_factory=asyncio.Queue)
    answer: asyncio.Future[Answer] | None = None
    task: asyncio.Task[None] | None = None
    ended_by: str | None = None  # set by whoever ends it first: operator | centre
    offers: int = 0
    plays_music: bool | None = False  # None: not known (taken up after a restart)

    async def music(self, on: bool, music_class: str = "default") -> None:
        """Waiting music on or off; nothing is asked of the switch when it is so already."""
        if on != self.plays_music:
            self.plays_music = on
            await self.channel.music(on, music_class)

    def take(self, answer: Answer) -> bool:
        """Hands an answered phone to the waiting call; False when the citizen no longer waits."""
        if self.answer is None or self.answer.done():
            return False
        self.answer.set_result(answer)
        return True

    def waits(self) -> bool:
        return self.answer is not None and not self.answer.done()
