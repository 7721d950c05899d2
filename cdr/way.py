"""A call's way through the plan, and how it ended for the citizen."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

from cdr.events import Event
from cdr.values import text


class Outcome(enum.StrEnum):
    """How a call ended for the citizen."""

    ACTIVE = "active"  # not ended yet
    ANSWERED = "answered"  # an operator talked with the citizen
    FORWARDED = "forwarded"  # somebody outside did
    ANNOUNCED = "announced"  # the plan said what it had to say and ended the call
    CALLBACK = "callback"  # a callback was booked: the citizen hung up and kept the place in the queue
    UNREACHED = "unreached"  # a callback (a call that we made) which the citizen did not answer
    ABANDONED_GREETING = "abandoned_greeting"  # the citizen gave up before any queue
    ABANDONED_MENU = "abandoned_menu"  # … in a menu
    ABANDONED_QUEUE = "abandoned_queue"  # … while waiting
    ABANDONED_RINGING = "abandoned_ringing"  # … while a phone was ringing, an operator's or a forward's
    LOST = "lost"  # unanswered, and it was neither the citizen nor the plan that ended it

    @property
    def abandoned(self) -> bool:
        return self.value.startswith("abandoned")


@dataclass(frozen=True, slots=True)
class PathStep:
    """One thing on a call's way through the plan: a step was entered (`key` and `label` None), a key was
    pressed (`label`: くらし, or `repeat back wrong`), or none came (`key` None, `label` `none`)."""

    step: str
    key: str | None = None
    label: str | None = None


@dataclass
class Way:
    """A call's way through the plan. `place`: the last step, until a queue, a forward or a talk."""

    path: list[PathStep] = field(default_factory=list)
    place: Event | None = None
    language: str | None = None
    tried: str | None = None  # the last forward
    answered: Event | None = None  # `forward_answered`
    ringing: bool = False  # a forward's telephone
    gave_up_ringing: bool = False

    def take(self, event: Event) -> None:
        step = text(event.data, "step") or ""
        match event.kind:
            case "step":
                self.place = event
                self.path.append(PathStep(step))
            case "key":
                self.path.append(PathStep(step, text(event.data, "key"), text(event.data, "does") or ""))
            case "forwarded":
                self.tried = text(event.data, "forward") or self.tried
                self.ringing = True
            case "forward_answered":
                self.answered = self.answered or event
                self.ringing = False
            case "forward_ended":
                self.ringing = False
                self.gave_up_ringing |= text(event.data, "reason") == "caller_gone"
            case "ended":
                self.gave_up_ringing |= self.ringing
        if event.kind in ("queued", "forwarded", "forward_answered", "answered", "handed_over"):
            self.place = None
        if event.kind in ("step", "key", "queued"):
            self.language = text(event.data, "language") or self.language

    @property
    def forward(self) -> str | None:
        return (text(self.answered.data, "forward") if self.answered else None) or self.tried

    def outcome(self, *, queued: bool) -> Outcome | None:
        """What it was when the citizen hung up in a step; `queued`: after having waited in a queue."""
        if self.place is None:
            return None
        kind, ends = text(self.place.data, "step_kind"), self.place.data.get("ends") is True
        if kind == "callback":  # offered, not taken: still waiting, or still choosing
            return Outcome.ABANDONED_QUEUE if queued else Outcome.ABANDONED_MENU
        if kind == "menu":
            return Outcome.ABANDONED_MENU
        # Who hangs up in an announcement after which nothing comes has been served by it.
        return Outcome.ANNOUNCED if ends or kind == "events" else Outcome.ABANDONED_GREETING
