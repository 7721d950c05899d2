"""One call in one record, computed from its events and from nothing else."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cdr.events import Event, time_text


class Outcome(enum.StrEnum):
    """How a call ended for the citizen."""

    ACTIVE = "active"  # not ended yet
    ANSWERED = "answered"  # an operator talked with the citizen
    FORWARDED = "forwarded"  # somebody outside did
    ANNOUNCED = "announced"  # the plan said what it had to say and ended the call
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


@dataclass(frozen=True, slots=True)
class CallRecord:
    """A call. Times are aware UTC, durations seconds; None: it did not happen, or is not known yet.

    `answer_s`: arrival to first answer. `wait_s`: first queue entry to first answer, or to the end of a call
    never answered. `talk_s`: 通話時間, from answer to end with all holds in it, without the time a citizen
    waited again after losing the operator. `hold_s`: the part of it on hold. `wrap_up_s`: 後処理時間 of all
    operators. `total_s`: arrival to end. `recording` is relative to the archive, filled once it is ready.

    Of the plan: its version, whether the call came within the hours (`open`), on a `staff` number, on one
    from which a queue can be reached (`queues`; None: noted before this was, counts as true); the last
    `language`; the `path`; `forward`: the one that answered, else the last tried; `exit_step`: the step the
    call was in when it ended. `open` and `staff` are None for calls that no plan led: those count as open.
    """

    call: str
    arrived_at: datetime
    outcome: Outcome
    via: str = "engine"
    number: str | None = None
    caller: str | None = None
    queue: str | None = None
    queued_at: datetime | None = None
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    operator: str | None = None
    operators: tuple[str, ...] = ()
    offers: int = 0
    refusals: int = 0
    answer_s: float | None = None
    wait_s: float | None = None
    talk_s: float | None = None
    hold_s: float | None = None
    wrap_up_s: float | None = None
    total_s: float | None = None
    ended_by: str | None = None
    cause: int | None = None
    reason: str | None = None
    plan: int | None = None
    open: bool | None = None
    staff: bool | None = None
    queues: bool | None = None
    language: str | None = None
    path: tuple[PathStep, ...] = ()
    dialled: str | None = None
    diverted_from: str | None = None
    forward: str | None = None
    forward_answered_at: datetime | None = None
    exit_step: str | None = None
    recording: str | None = None
    recording_s: float | None = None

    def to_json(self) -> dict[str, Any]:
        """All fields; times as ISO 8601 UTC with Z, seconds rounded to milliseconds."""
        return {name: _json(getattr(self, name)) for name in self.__dataclass_fields__}


def _json(value: Any) -> Any:
    match value:
        case datetime():
            return time_text(value)
        case float():
            return round(value, 3)
        case tuple():
            return [_json(each) for each in value]
        case PathStep():
            return {"step": value.step, "key": value.key, "label": value.label}
        case enum.Enum():
            return value.value
    return value


def duration(start: Event, end: Event) -> float:
    """Seconds from one event to another: by the monotonic clock when both were stamped in the same boot of
    the machine, else by wall time; never negative."""
    same = start.boot is not None and start.boot == end.boot
    if same and start.mono is not None and end.mono is not None:
        return max(0.0, end.mono - start.mono)
    return max(0.0, (end.at - start.at).total_seconds())


def record_of(events: Iterable[Event]) -> CallRecord:
    """The record of one call. Events may come in any order, more than once, or be missing: the record tells
    what is known. ValueError only when there is no event with a call at all.
    """
    known = {event.id: event for event in events if event.call is not None}
    if not known:
        raise ValueError("a call record needs at least one event of the call")
    fold = _Fold([known[key] for key in sorted(known)])
    return fold.record()


@dataclass
class _Span:
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


# Why the plan ends a call (`ivr.End.why`); with any other reason a call ended by the centre is lost.
_PLAN_ENDS = frozenset({"announcement", "menu", "closed"})


@dataclass
class _Way:
    """A call's way through the plan. `place`: the last step, until a queue, a forward or a talk."""

    path: list[PathStep] = field(default_factory=list)
    place: Event | None = None
    language: str | None = None
    tried: str | None = None  # the last forward
    answered: Event | None = None  # `forward_answered`
    ringing: bool = False  # a forward's telephone
    gave_up_ringing: bool = False

    def take(self, event: Event) -> None:
        step = _text(event.data, "step") or ""
        match event.kind:
            case "step":
                self.place = event
                self.path.append(PathStep(step))
            case "key":
                self.path.append(PathStep(step, _text(event.data, "key"), _text(event.data, "does") or ""))
            case "forwarded":
                self.tried = _text(event.data, "forward") or self.tried
                self.ringing = True
            case "forward_answered":
                self.answered = self.answered or event
                self.ringing = False
            case "forward_ended":
                self.ringing = False
                self.gave_up_ringing |= _text(event.data, "reason") == "caller_gone"
            case "ended":
                self.gave_up_ringing |= self.ringing
        if event.kind in ("queued", "forwarded", "forward_answered", "answered", "handed_over"):
            self.place = None
        if event.kind in ("step", "key", "queued"):
            self.language = _text(event.data, "language") or self.language

    @property
    def forward(self) -> str | None:
        return (_text(self.answered.data, "forward") if self.answered else None) or self.tried

    def outcome(self) -> Outcome | None:
        """What it was when the citizen hung up in a step."""
        if self.place is None:
            return None
        kind, ends = _text(self.place.data, "step_kind"), self.place.data.get("ends") is True
        if kind == "menu":
            return Outcome.ABANDONED_MENU
        # Who hangs up in an announcement after which nothing comes has been served by it.
        return Outcome.ANNOUNCED if ends or kind == "events" else Outcome.ABANDONED_GREETING


@dataclass
class _Fold:
    """What a call's events, in order, add up to."""

    events: list[Event]
    first: dict[str, Event] = field(default_factory=dict)  # first event of each kind
    operators: list[str] = field(default_factory=list)
    talking: set[str] = field(default_factory=set)
    ringing: set[str] = field(default_factory=set)
    gave_up_ringing: bool = False
    queue: str | None = None
    offers: int = 0
    refusals: int = 0
    talk: _Span = field(default_factory=_Span)
    hold: _Span = field(default_factory=_Span)
    wrap_ups: dict[str, _Span] = field(default_factory=dict)
    way: _Way = field(default_factory=_Way)

    def record(self) -> CallRecord:
        for event in self.events:
            if "ended" not in self.first:
                self.way.take(event)
            self.first.setdefault(event.kind, event)
            self._take(event)
        start = self.first.get("arrived", self.events[0])
        queued, answered, ended = (self.first.get(kind) for kind in ("queued", "answered", "ended"))
        how = ended.data if ended else {}
        way = self.way
        forwarded = way.answered
        wrapped = [span.seconds for span in self.wrap_ups.values() if span.seconds is not None]
        return CallRecord(
            call=start.call or "",
            number=_text(start.data, "number"),
            caller=_text(start.data, "caller"),
            via=_text(start.data, "via") or "engine",
            queue=self.queue,
            arrived_at=start.at,
            queued_at=queued.at if queued else None,
            answered_at=answered.at if answered else None,
            ended_at=ended.at if ended else None,
            operator=self.operators[0] if self.operators else None,
            operators=tuple(self.operators),
            offers=self.offers,
            refusals=self.refusals,
            answer_s=duration(start, answered) if answered else None,
            wait_s=_between(queued, _earlier(answered, forwarded) or ended),
            talk_s=self.talk.seconds,
            hold_s=self.hold.seconds if self.hold.seconds is not None or not self.talk.seconds else 0.0,
            wrap_up_s=sum(wrapped) if wrapped else None,
            total_s=duration(start, ended) if ended else None,
            outcome=self._outcome(queued, answered, ended),
            ended_by=_text(how, "by"),
            cause=_number(how, "cause"),
            reason=_text(how, "reason"),
            plan=_number(start.data, "plan"),
            open=_flag(start.data, "open"),
            staff=_flag(start.data, "staff"),
            queues=_flag(start.data, "queues"),
            language=way.language,
            path=tuple(way.path),
            dialled=_text(start.data, "dialled"),
            diverted_from=_text(start.data, "diverted_from"),
            forward=way.forward,
            forward_answered_at=forwarded.at if forwarded else None,
            exit_step=_text(way.place.data, "step") if way.place is not None and ended else None,
        )

    def _take(self, event: Event) -> None:
        operator = _text(event.data, "operator") or ""
        over = "ended" in self.first and event.kind != "ended"
        match event.kind:
            case "wrap_up":
                self.wrap_ups.setdefault(operator, _Span()).begin(event)
            case "wrapped_up":
                self.wrap_ups.setdefault(operator, _Span()).end(event)
            case "queued":
                self.queue = self.queue or _text(event.data, "queue")
            case "offered":
                self.offers += 1
                self.ringing.add(operator)
            case "offer_ended":
                reason = _text(event.data, "reason")
                self.ringing.discard(operator)
                self.refusals += reason == "refused"
                self.gave_up_ringing |= reason == "caller_gone"
            case "answered":
                self.ringing.discard(operator)
                if operator and operator not in self.operators:
                    self.operators.append(operator)
                if not over:
                    self.talking.add(operator)
                    self.talk.begin(event)
            case "held" if self.talking:
                self.hold.begin(event)
            case "resumed":
                self.hold.end(event)
            case "left" | "leg_lost":
                self.talking.discard(operator)
                if not self.talking:
                    self._talk_over(event)
            case "ended":
                self.gave_up_ringing |= bool(self.ringing)
                self.talking.clear()
                self._talk_over(event)

    def _talk_over(self, event: Event) -> None:
        self.hold.end(event)
        self.talk.end(event)

    def _outcome(self, queued: Event | None, answered: Event | None, ended: Event | None) -> Outcome:
        if ended is None:
            return Outcome.ACTIVE
        if answered is not None:
            return Outcome.ANSWERED
        if self.way.answered is not None:
            return Outcome.FORWARDED
        by = ended.data.get("by")
        if by == "centre" and ended.data.get("reason") in _PLAN_ENDS:
            return Outcome.ANNOUNCED
        # "unknown" is a call that had ended when we looked again: as a rule the citizen hung up meanwhile.
        if by in ("centre", "switch", "operator"):
            return Outcome.LOST
        if self.gave_up_ringing or self.way.gave_up_ringing:
            return Outcome.ABANDONED_RINGING
        before = Outcome.ABANDONED_QUEUE if queued is not None else Outcome.ABANDONED_GREETING
        return self.way.outcome() or before


def _earlier(one: Event | None, other: Event | None) -> Event | None:
    return min((each for each in (one, other) if each is not None), key=lambda each: each.id, default=None)


def _between(start: Event | None, end: Event | None) -> float | None:
    return duration(start, end) if start is not None and end is not None else None


def _text(data: Mapping[str, Any], name: str) -> str | None:
    value = data.get(name)
    return value if isinstance(value, str) else None


def _flag(data: Mapping[str, Any], name: str) -> bool | None:
    value = data.get(name)
    return value if isinstance(value, bool) else None


def _number(data: Mapping[str, Any], name: str) -> int | None:
    value = data.get(name)
    # Databases hold 32 bits here; Q.850 has 127.
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31 else None
