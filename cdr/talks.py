"""Who talked in a call, how long, and whether the distributor had given them the call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from cdr.events import Event
from cdr.transfers import Apart
from cdr.values import duration, text

PULLED = "pull"  # the rule of an offer that a supervisor made to themselves


@dataclass(frozen=True, slots=True)
class Talk:
    """One operator's part in a call. `offered`: it was the answer to an offer (or a callback that the
    operator had taken); otherwise the operator came to the call by another way: a transfer, taking it over,
    pulling it out of the queue, dialling it. `queue`: whose offer it was.
    Durations in seconds, None while they last or where there was none; `talk_s` with all holds in it."""

    operator: str
    queue: str | None
    answered_at: datetime
    offered: bool
    talk_s: float | None = None
    hold_s: float | None = None
    wrap_up_s: float | None = None


@dataclass
class Stretch:
    """Adds up the times between begins and ends. `seconds` stays None until one was closed."""

    since: Event | None = None
    seconds: float | None = None

    def begin(self, event: Event) -> None:
        if self.since is None:
            self.since = event

    def end(self, event: Event) -> None:
        if self.since is not None:
            self.seconds = (self.seconds or 0.0) + duration(self.since, event)
            self.since = None


@dataclass
class _Part:
    operator: str
    queue: str | None
    answered: Event
    offered: bool
    gone: bool = False  # left the call: who comes again has another part in it
    talk: Stretch = field(default_factory=Stretch)
    hold: Stretch = field(default_factory=Stretch)
    wrap_up: Stretch = field(default_factory=Stretch)

    def over(self, event: Event) -> None:
        self.hold.end(event)
        self.talk.end(event)

    def told(self) -> Talk:
        return Talk(
            self.operator,
            self.queue,
            self.answered.at,
            self.offered,
            self.talk.seconds,
            self.hold.seconds if self.hold.seconds is not None or not self.talk.seconds else 0.0,
            self.wrap_up.seconds,
        )


@dataclass
class Talks:
    """What the events of a call, told in order, say of its operators."""

    queue: str | None = None  # where the caller waits now
    _offers: dict[str, str | None] = field(default_factory=dict)  # the offer's queue, by operator
    _parts: list[_Part] = field(default_factory=list)
    _pulled: set[str] = field(default_factory=set)  # supervisors who took the call themselves
    _given: bool = False  # the call is a callback: its operator had taken the offer
    _over: bool = False
    _apart: Apart = field(default_factory=Apart)

    def take(self, event: Event) -> None:
        operator = text(event.data, "operator") or ""
        if self._apart.take(event):
            for part in self._parts:
                if part.talk.since is not None:
                    (part.hold.begin if self._apart.on else part.hold.end)(event)
        match event.kind:
            case "queued" | "moved":
                self.queue = text(event.data, "queue") or self.queue
            case "dialled":
                self.queue = text(event.data, "queue") or self.queue
                self._given = text(event.data, "reason") != "outbound"
            case "offered":
                self._offers[operator] = text(event.data, "queue") or self.queue
                because = event.data.get("because")
                pulled = isinstance(because, Mapping) and because.get("rule") == PULLED
                (self._pulled.add if pulled else self._pulled.discard)(operator)
            case "offer_ended" if event.data.get("reason") != "answered":
                self._offers.pop(operator, None)
            case "answered" if operator and not self._over:
                self._answered(operator, event)
            case "held":
                for part in self._of(operator):
                    if part.talk.since is not None:
                        part.hold.begin(event)
            case "resumed" if not self._apart.on:
                for part in self._of(operator):
                    part.hold.end(event)
            case "left" | "leg_lost":
                for part in self._of(operator):
                    part.over(event)
                    part.gone = part.gone or event.kind == "left"
            case "transferred" | "taken_over":
                for part in self._of(operator):
                    part.over(event)
                    part.gone = True
            case "ended":
                self._over = True
                for part in self._parts:
                    part.over(event)
            case "wrap_up" | "wrapped_up":
                for part in self._of(operator)[-1:]:
                    (part.wrap_up.begin if event.kind == "wrap_up" else part.wrap_up.end)(event)

    def _answered(self, operator: str, event: Event) -> None:
        known = self._of(operator)
        if operator not in self._offers and known and not known[-1].gone:
            known[-1].talk.begin(event)  # took the conversation back: the same part goes on
            return
        if known:
            known[-1].over(event)
        given = (operator in self._offers and operator not in self._pulled) or self._given
        part = _Part(operator, self._offers.pop(operator, self.queue), event, given)
        part.talk.begin(event)
        self._parts.append(part)

    def _of(self, operator: str) -> list[_Part]:
        return [part for part in self._parts if part.operator == operator]

    @property
    def first_queue(self) -> str | None:
        """The queue of the first answer."""
        return self._parts[0].queue if self._parts else None

    def told(self) -> Sequence[Talk]:
        """In the order of answering."""
        return tuple(part.told() for part in self._parts)
