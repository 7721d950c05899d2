"""One call in one record, computed from its events and from nothing else."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cdr.events import Event, time_text
from cdr.talks import Stretch, Talk, Talks
from cdr.transfers import Apart, Transfer, Transfers
from cdr.values import duration, flag, number, text
from cdr.way import Outcome, PathStep, Way

__all__ = ["CallRecord", "Outcome", "PathStep", "Told", "Transfer", "duration", "record_of", "told_by"]


@dataclass(frozen=True, slots=True)
class CallRecord:
    """A call. Times are aware UTC, durations seconds; None: it did not happen, or is not known yet.

    `answer_s`: arrival to first answer. `wait_s`: first queue entry to first answer, or to the end of a call
    never answered. `talk_s`: 通話時間, from answer to end with all holds in it, the talk with whoever the
    citizen was transferred to included, without the time a citizen waited again after losing the operator, or
    waited for a target after the operator had left. `hold_s`: the part of it on hold, consults included.
    `wrap_up_s`: 後処理時間 of all operators. `total_s`: arrival to end. `recording` is relative to the
    archive, filled once it is ready.

    Of the plan: its version, whether the call came within the hours (`open`), on a `staff` number, on one
    from which a queue can be reached (`queues`; None: noted before this was, counts as true); the last
    `language`; the `path`; `forward`: the one that answered, else the last tried; `exit_step`: the step the
    call was in when it ended. `open` and `staff` are None for calls that no plan led: those count as open.

    `queue`: the first it came to; `answered_queue`: the one whose operator answered first, after overflow or
    a move. `via` `callback`: a call that we made (`caller`: whom we called, `number`: what was shown there,
    `arrived_at`: when it was dialled) to fulfil what `callback_of`, a call, had booked. `via` `outbound`: a
    call that an operator made, `case_id` the case that asked for it.

    `transfers`: each that was tried, in order; `hops`: how many of them took the citizen over. `marks`: those
    that are on (`emergency`, `harassment`), in the order of marking.
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
    answered_queue: str | None = None
    callback_of: str | None = None
    transfers: tuple[Transfer, ...] = ()
    hops: int = 0
    marks: tuple[str, ...] = ()
    case_id: int | None = None
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
        case Transfer():
            return {name: _json(each) for name, each in value.to_json().items()}
        case enum.Enum():
            return value.value
    return value


@dataclass(frozen=True, slots=True)
class Told:
    """What a call's events tell: its record, and its operators' parts in the order of answering."""

    record: CallRecord
    talks: Sequence[Talk]


def told_by(events: Iterable[Event]) -> Told:
    """Record and talks of one call. Events may come in any order, more than once, or be missing: what is
    known is told. ValueError only when there is no event with a call at all.
    """
    known = {event.id: event for event in events if event.call is not None}
    if not known:
        raise ValueError("a call record needs at least one event of the call")
    fold = _Fold([known[key] for key in sorted(known)])
    return Told(fold.record(), fold.talks.told())


def record_of(events: Iterable[Event]) -> CallRecord:
    """The record of one call: see `told_by`."""
    return told_by(events).record


# Why the plan ends a call (`ivr.End.why`); with any other reason a call ended by the centre is lost.
_PLAN_ENDS = frozenset({"announcement", "menu", "closed"})


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
    talk: Stretch = field(default_factory=Stretch)
    hold: Stretch = field(default_factory=Stretch)
    wrap_ups: dict[str, Stretch] = field(default_factory=dict)
    way: Way = field(default_factory=Way)
    talks: Talks = field(default_factory=Talks)
    transfers: Transfers = field(default_factory=Transfers)
    apart: Apart = field(default_factory=Apart)
    marks: dict[str, bool] = field(default_factory=dict)

    def record(self) -> CallRecord:
        for event in self.events:
            over = "ended" in self.first
            if over and event.kind == "answered" and self._booked:
                continue  # the operator took the callback: another call's talk
            if not over:
                self.way.take(event)
            self.first.setdefault(event.kind, event)
            if not over or event.kind != "answered":
                self.transfers.take(event)
            self._take(event)
            self.talks.take(event)
        start = self.first.get("arrived") or self.first.get("dialled") or self.events[0]
        ours = start.kind != "arrived" and bool(self.first.keys() & {"dialled", "callback_failed"})
        outbound = ours and text(start.data, "reason") == "outbound"
        queued, answered, ended = (self.first.get(kind) for kind in ("queued", "answered", "ended"))
        how = ended.data if ended else {}
        way = self.way
        forwarded = way.answered
        wrapped = [span.seconds for span in self.wrap_ups.values() if span.seconds is not None]
        return CallRecord(
            call=start.call or "",
            number=text(start.data, "number"),
            caller=text(start.data, "to" if ours else "caller"),
            via="outbound" if outbound else "callback" if ours else text(start.data, "via") or "engine",
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
            outcome=self._outcome(queued, answered, ended, ours),
            ended_by=text(how, "by"),
            cause=number(how, "cause"),
            reason=text(how, "reason"),
            plan=number(start.data, "plan"),
            open=flag(start.data, "open"),
            staff=flag(start.data, "staff"),
            queues=flag(start.data, "queues"),
            language=way.language,
            path=tuple(way.path),
            dialled=text(start.data, "dialled"),
            diverted_from=text(start.data, "diverted_from"),
            forward=way.forward,
            forward_answered_at=forwarded.at if forwarded else None,
            exit_step=text(way.place.data, "step") if way.place is not None and ended else None,
            answered_queue=self.talks.first_queue,
            callback_of=text(start.data, "of") if ours and not outbound else None,
            transfers=tuple(self.transfers.told()),
            hops=self.transfers.hops,
            marks=tuple(mark for mark, on in self.marks.items() if on),
            case_id=number(start.data, "case") if outbound else None,
        )

    @property
    def _booked(self) -> bool:
        return "callback_booked" in self.first

    def _take(self, event: Event) -> None:
        operator = text(event.data, "operator") or ""
        over = "ended" in self.first and event.kind != "ended"
        if self.apart.take(event):
            (self.hold.begin if self.apart.on and self.talking else self.hold.end)(event)
        match event.kind:
            case "wrap_up":
                self.wrap_ups.setdefault(operator, Stretch()).begin(event)
            case "wrapped_up":
                self.wrap_ups.setdefault(operator, Stretch()).end(event)
            case "queued" | "dialled":
                self.queue = self.queue or text(event.data, "queue")
            case "offered":
                self.offers += 1
                self.ringing.add(operator)
            case "offer_ended":
                reason = text(event.data, "reason")
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
            case "resumed" if not self.apart.on:
                self.hold.end(event)
            case "transfer_answered" | "transferred" | "transfer_ended" | "returned":
                if event.kind == "transferred":
                    self.talking.discard(operator)
                self._talks_on(event)
            case "left" | "leg_lost" | "taken_over":
                self.talking.discard(operator)
                self._talks_on(event)
            case "marked" if mark := text(event.data, "mark"):
                self.marks[mark] = event.data.get("on") is not False
            case "ended":
                self.gave_up_ringing |= bool(self.ringing)
                self.talking.clear()
                self._talk_over(event)

    def _talks_on(self, event: Event) -> None:
        """The citizen talks as long as an operator or a target is there."""
        if self.transfers.alone and "ended" not in self.first:
            self.talk.begin(event)
        elif not self.talking:
            self._talk_over(event)

    def _talk_over(self, event: Event) -> None:
        self.hold.end(event)
        self.talk.end(event)

    def _outcome(
        self, queued: Event | None, answered: Event | None, ended: Event | None, ours: bool
    ) -> Outcome:
        if ended is None:
            return Outcome.ACTIVE
        if answered is not None:
            return Outcome.ANSWERED
        if self.way.answered is not None:
            return Outcome.FORWARDED
        if ours:
            return Outcome.UNREACHED
        by = ended.data.get("by")
        # Without a booking of its own: that telephone waits for a callback already.
        if self._booked or (by == "centre" and ended.data.get("reason") == "callback"):
            return Outcome.CALLBACK
        if by == "centre" and ended.data.get("reason") in _PLAN_ENDS:
            return Outcome.ANNOUNCED
        # "unknown" is a call that had ended when we looked again: as a rule the citizen hung up meanwhile.
        if by in ("centre", "switch", "operator"):
            return Outcome.LOST
        if self.gave_up_ringing or self.way.gave_up_ringing:
            return Outcome.ABANDONED_RINGING
        before = Outcome.ABANDONED_QUEUE if queued is not None else Outcome.ABANDONED_GREETING
        return self.way.outcome(queued=queued is not None) or before


def _earlier(one: Event | None, other: Event | None) -> Event | None:
    return min((each for each in (one, other) if each is not None), key=lambda each: each.id, default=None)


def _between(start: Event | None, end: Event | None) -> float | None:
    return duration(start, end) if start is not None and end is not None else None
