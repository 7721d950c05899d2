"""What the journal says about callbacks (折り返し予約) that have not ended."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cdr import Event

from .call import digits
from .clock import parse_iso


@dataclass
class CallbackMemory:
    """One booked callback. `of`: the call that booked it; `number`: whom to call, `shown`: our number as
    shown there, `called`: the one that the citizen had dialled (all digits); `place`: since when it waits;
    `booker`: the caller number that booked it (digits), None when withheld; `call`: the try under way;
    `reached`: the citizen has taken it; `last`: the try that failed was the last; `ringing`: by operator the
    leg and the kind of phone that is rung."""

    id: str
    of: str
    queue: str
    number: str
    shown: str
    called: str
    path: tuple[str, ...]
    language: str
    priority: int
    trunk: str
    booked: datetime
    place: datetime
    place_mono: float
    ring_s: float
    tries: int
    retry_s: float
    keep_h: float
    booker: str | None = None
    tried: int = 0
    next_at: datetime | None = None
    ringing: dict[str, tuple[str, str]] = field(default_factory=dict)
    call: str | None = None
    reached: bool = False
    last: bool = False

    @property
    def expires(self) -> datetime:
        return self.booked + timedelta(hours=self.keep_h)


@dataclass
class DialledMemory:
    """What a call that we made began with: who took the callback, and on which leg."""

    callback: str
    operator: str
    phone: str
    operator_leg: str
    left: bool = False  # the operator is free again


class CallbacksMemory:
    """`apply` every event in order; `open` holds by id those that have not ended, `concerned` the ids of
    those with which the last event has to do. An event of a call costs the same however many there are."""

    def __init__(self, mono: Callable[[Event], float]) -> None:
        self.open: dict[str, CallbackMemory] = {}
        self.concerned: tuple[str, ...] = ()
        self._mono = mono
        self._of: dict[str, str] = {}  # by the call that booked it
        self._to: dict[str, str] = {}  # by the number to be called
        self._tries: dict[str, str] = {}  # by the call that tries it
        self._lines: dict[str, str | None] = {}  # by open call that came in: the caller's digits
        self._callers: dict[str, set[str]] = {}  # by digits: the caller's open calls

    def to(self, number: str) -> CallbackMemory | None:
        """The one that waits for this number."""
        return self.open.get(self._to.get(number, ""))

    def of_try(self, call: str) -> CallbackMemory | None:
        """The one that this call tries, or has reached."""
        return self.open.get(self._tries.get(call, ""))

    def on_the_line(self, one: CallbackMemory) -> bool:
        """Whether the citizen calls just now: booking it, or once more."""
        return one.of in self._lines or bool(self._callers.get(one.number))

    def booked_by(self, call: str) -> tuple[str | None, int]:
        """Who is calling there (digits, None: withheld), and how many open ones they have booked."""
        caller = self._lines.get(call)
        return caller, sum(one.booker == caller for one in self.open.values())

    def apply(self, event: Event) -> None:
        call = event.call or ""
        self.concerned = ()
        match event.kind:
            case "arrived":
                self._arrived(call, event.data.get("caller"))
                self.concerned = self._with(call)
            case "ended":
                self.concerned = self._with(call)
                caller = self._lines.pop(call, None)
                if caller is not None and (calls := self._callers.get(caller)) is not None:
                    calls.discard(call)
                    if not calls:
                        del self._callers[caller]
                self._tries.pop(call, None)
            case "callback_booked" | "callback_ended" | "dialled" | "callback_failed":
                self._callback(call, event)
            case "offered" | "offer_ended" | "answered":
                self.concerned = self._with(call)
                self._offers(call, event)

    def _arrived(self, call: str, caller: object) -> None:
        plain = self._lines[call] = digits(caller) if isinstance(caller, str) else None
        if plain is not None:
            self._callers.setdefault(plain, set()).add(call)

    def _with(self, call: str) -> tuple[str, ...]:
        """Booked by this call, tried by it, or to its caller."""
        found = (self._of.get(call), self._tries.get(call), self._to.get(self._lines.get(call) or ""))
        return tuple(dict.fromkeys(id for id in found if id is not None and id in self.open))

    def _callback(self, call: str, event: Event) -> None:
        data: Mapping[str, object] = event.data
        id = str(data["callback"])
        if event.kind == "callback_booked" and call:
            one = self.open[id] = self._booked(call, event, data)
            self._of[call] = self._to[one.number] = id
        found = self.open.get(id)
        if found is None:
            return
        self.concerned = (id,)
        match event.kind:
            case "callback_ended":
                del self.open[id]
                for index in (self._of, self._to, self._tries):
                    for key in (found.of, found.number, found.call or ""):
                        if index.get(key) == id:
                            del index[key]
            case "dialled":
                found.call, found.reached, found.next_at = call, False, None
                found.ringing.clear()
                self._tries[call] = id
            case "callback_failed":
                self._tries.pop(found.call or "", None)
                found.call = None
                found.tried = int(str(data["try"]))
                next_at = data.get("next_at")
                found.next_at = parse_iso(next_at) if isinstance(next_at, str) else None
                found.last = found.next_at is None

    def _offers(self, call: str, event: Event) -> None:
        """The offers of a callback are told as the booking call's; its talk as that of the call we made."""
        operator = str(event.data.get("operator") or "")
        if (one := self.open.get(self._of.get(call, ""))) is not None:
            if event.kind == "offered":
                told = (str(event.data.get("leg") or ""), str(event.data.get("phone") or ""))
                one.ringing[operator] = told
            elif event.kind == "offer_ended":
                one.ringing.pop(operator, None)
        if event.kind == "answered" and (tried := self.of_try(call)) is not None:
            tried.reached = True

    def _booked(self, call: str, event: Event, data: Mapping[str, object]) -> CallbackMemory:
        place = parse_iso(str(data["place"]))
        path = data.get("path")
        return CallbackMemory(
            id=str(data["callback"]),
            of=call,
            queue=str(data["queue"]),
            number=str(data["number"]),
            shown=str(data["shown"]),
            called=str(data.get("called") or data["shown"]),
            path=tuple(map(str, path)) if isinstance(path, (list, tuple)) else (),
            language=str(data.get("language") or "ja"),
            priority=int(str(data.get("priority") or 0)),
            trunk=str(data["trunk"]),
            booked=event.at,
            place=place,
            # The monotonic clock is kept where it is this boot's: the wall clock may have been set.
            place_mono=self._mono(event) - (event.at - place).total_seconds(),
            ring_s=_seconds(data, "ring_s", 30),
            tries=int(_seconds(data, "tries", 3)),
            retry_s=_seconds(data, "retry_s", 300),
            keep_h=_seconds(data, "keep_h", 24),
            booker=self._lines.get(call),
        )


def _seconds(data: Mapping[str, object], name: str, default: float) -> float:
    value = data.get(name)
    return float(value) if isinstance(value, (int, float)) else default
