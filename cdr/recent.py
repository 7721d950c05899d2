"""What an engine must know to go on: the calls that have not ended, the callbacks that are still due, the
requests for help that are open, and what stands outside calls.

Found without reading the whole journal: every segment begins with a line that names the calls open at that
moment and the segment each began in, and repeats what stands.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from cdr.events import BadLine, Event, from_fields, from_line, time_text, to_fields
from cdr.segments import SEGMENT_OPENED, Report, events_of, number_of, segments, warn

# A plan keeps callbacks 72 hours at most. One that nobody ended by then would hold journal files for ever.
CALLBACKS_KEPT = timedelta(hours=96)
# A request for help that nobody closed by then is forgotten; of a long one the last words are kept.
HELPS_KEPT = timedelta(hours=24)
HELP_EVENTS = 50

# Facts that stand until the next that replaces them: what they are about, and the name of whom in their data
# ("": the whole engine).
_STANDING = {
    "operator_state": ("state", "operator"),
    "operator_next": ("next", "operator"),
    "operator_phone": ("phone", "operator"),
    "survival_read": ("survival_read", ""),
    "plan_activated": ("plan", ""),
    "opening_set": ("opening", "number"),
    "opening_cleared": ("opening", "number"),
    "notice_asked": ("notice", "notice"),
    "notice_set": ("notice", "notice"),
    "notice_cleared": ("notice", "notice"),
}


@dataclass
class _Open:
    segment: int  # number of the segment that holds its first event
    since: str  # id of that event
    ended: bool = False
    wrapping: set[str] = field(default_factory=set)  # operators still in wrap-up after it
    callbacks: set[str] = field(default_factory=set)  # still due: booked in it, or it is a try to reach them

    @property
    def over(self) -> bool:
        return self.ended and not self.wrapping and not self.callbacks


class OpenCalls:
    """Follows the events as they are written. A call is open from `arrived` (one of ours: `dialled`) to
    `ended`, while an operator is in wrap-up after it (from `wrap_up` on, should the call have been closed
    already), and until the callback that was booked in it, or that it tried, has ended."""

    def __init__(self) -> None:
        self._calls: dict[str, _Open] = {}
        self._booked: dict[str, datetime] = {}  # when each callback still due was booked, the oldest first
        self._standing: dict[str, Event] = {}
        self._helps: dict[str, list[Event]] = {}  # open ones, the oldest first

    def note(self, event: Event, segment: int) -> None:
        """Takes one event, written to the segment of that number."""
        operator = event.data.get("operator")
        if event.kind in _STANDING:
            what, of = _STANDING[event.kind]
            self._standing[f"{what} {event.data.get(of)}" if of else what] = event
        self._give_up_callbacks(event.at)
        self._note_help(event)
        if event.call is None:
            return
        callback = event.data.get("callback")
        match event.kind:
            case "arrived":
                self._calls.setdefault(event.call, _Open(segment, event.id))
            case "dialled":
                state = self._calls.setdefault(event.call, _Open(segment, event.id))
                if isinstance(callback, str) and callback in self._booked:
                    state.callbacks.add(callback)
            case "callback_booked" if isinstance(callback, str):
                self._booked.setdefault(callback, event.at)
                again = _Open(segment, event.id, ended=True)
                self._calls.setdefault(event.call, again).callbacks.add(callback)
            case "callback_ended" if isinstance(callback, str):
                self._callback_over(callback)
            case "ended" if event.call in self._calls:
                self._calls[event.call].ended = True
            case "wrap_up" if isinstance(operator, str):
                self._leave(operator)  # nobody is in two wrap-ups: an older one was never closed
                again = _Open(segment, event.id, ended=True)
                self._calls.setdefault(event.call, again).wrapping.add(operator)
            case "wrapped_up" if isinstance(operator, str):
                self._leave(operator)
            case _:
                return
        self._close(event.call)

    def _note_help(self, event: Event) -> None:
        """手上げ: from `help_asked` to `help_closed`, with a call or without, also when the call is over."""
        while self._helps:
            oldest, told = next(iter(self._helps.items()))
            if event.at - told[0].at <= HELPS_KEPT:
                break
            del self._helps[oldest]
        help = event.data.get("help")
        if not event.kind.startswith("help_") or not isinstance(help, str):
            return
        if event.kind == "help_closed":
            self._helps.pop(help, None)
        elif event.kind == "help_asked" or help in self._helps:
            told = self._helps.setdefault(help, [])
            if all(event.id != known.id for known in told):
                told.append(event)
            del told[1:-HELP_EVENTS]  # who asked, and for what, stays

    def _leave(self, operator: str) -> None:
        for call in [call for call, state in self._calls.items() if operator in state.wrapping]:
            self._calls[call].wrapping.discard(operator)
            self._close(call)

    def _give_up_callbacks(self, now: datetime) -> None:
        while self._booked:
            callback, booked = next(iter(self._booked.items()))
            if now - booked <= CALLBACKS_KEPT:
                return
            self._callback_over(callback)

    def _callback_over(self, callback: str) -> None:
        self._booked.pop(callback, None)
        for call in [call for call, state in self._calls.items() if callback in state.callbacks]:
            self._calls[call].callbacks.discard(callback)
            self._close(call)

    def _close(self, call: str) -> None:
        state = self._calls.get(call)
        if state is not None and state.over:
            del self._calls[call]

    def belongs(self, event: Event) -> bool:
        """Whether the event is one of an open call's."""
        state = self._calls.get(event.call) if event.call is not None else None
        return state is not None and event.id >= state.since

    @property
    def calls(self) -> frozenset[str]:
        """The ids of the open calls."""
        return frozenset(self._calls)

    @property
    def standing(self) -> list[Event]:
        """The last `operator_state`, `operator_next` and `operator_phone` of each operator, `opening_…` of
        each number and `notice_…` of each notice, `survival_read` and `plan_activated`; all of the requests
        for help that are open."""
        return [*self._standing.values(), *(event for told in self._helps.values() for event in told)]

    @property
    def first_segment(self) -> int | None:
        """The number of the oldest segment that an open call began in; None when no call is open."""
        return min((state.segment for state in self._calls.values()), default=None)

    def to_data(self) -> dict[str, Any]:
        """For the first line of a segment."""
        return {
            "open": {
                call: [state.segment, state.since, state.ended, sorted(state.wrapping)]
                for call, state in self._calls.items()
            },
            "standing": [to_fields(event) for event in self.standing],
            "callbacks": {
                callback: [
                    time_text(at),
                    [call for call, state in self._calls.items() if callback in state.callbacks],
                ]
                for callback, at in self._booked.items()
            },
        }

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> OpenCalls:
        """The opposite of `to_data`. Raises BadLine."""
        self = cls()
        try:
            for call, (segment, since, ended, wrapping) in data["open"].items():
                self._calls[str(call)] = _Open(int(segment), str(since), bool(ended), set(wrapping))
            for callback, (at, calls) in data.get("callbacks", {}).items():
                self._booked[str(callback)] = datetime.fromisoformat(at)
                for call in calls:
                    self._calls[str(call)].callbacks.add(str(callback))
            for fields in data["standing"]:
                self.note(from_fields(fields), 0)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise BadLine(f"the segment's first line is none ({error})") from None
        return self


@dataclass(frozen=True)
class Recent:
    """The end of the journal: the newest segment's events and all of the open calls', the state after them,
    the last event's id ("" if none)."""

    events: list[Event]
    state: OpenCalls
    last_id: str

    def to_recover(self) -> list[Event]:
        """What stands and all events of the open calls, in the order of writing."""
        kept = {event.id: event for event in self.events if self.state.belongs(event)}
        kept |= {event.id: event for event in self.state.standing}
        return sorted(kept.values(), key=lambda event: event.id)


def load(folder: Path, report: Report = warn) -> Recent:
    """Reads as many segments as the open calls need: usually one or two."""
    files = segments(folder)
    start, state = _newest_with_header(files)
    events: list[Event] = []
    last_id = ""
    for file in files[start:]:
        for event in events_of(file, report):
            last_id = max(last_id, event.id)
            if event.kind != SEGMENT_OPENED:
                state.note(event, number_of(file))
                events.append(event)
    oldest = state.first_segment
    if oldest is not None:
        # Bad lines of older segments were reported when those were the newest.
        earlier = [file for file in files[:start] if number_of(file) >= oldest]
        calls = state.calls
        before = [event for file in earlier for event in events_of(file, lambda _: None, calls)]
        events = [event for event in before if event.call in calls] + events
    return Recent(events, state, last_id)


def _newest_with_header(files: list[Path]) -> tuple[int, OpenCalls]:
    for index in range(len(files) - 1, -1, -1):
        try:
            with files[index].open("rb") as reader:
                first = from_line(reader.readline())
            if first.kind == SEGMENT_OPENED:
                return index, OpenCalls.from_data(first.data)
        except (BadLine, OSError):
            continue
    return 0, OpenCalls()


def read_recent(folder: Path, calls_open: bool = True) -> list[Event]:
    """What recovery needs, in the order of writing: what stands (`OpenCalls.standing`), and all events of the
    calls that have not ended, whose wrap-up is not over, or whose callback is still due. With
    `calls_open=False`: those calls' events and everything in the newest segment.
    """
    recent = load(folder)
    return recent.to_recover() if calls_open else recent.events
