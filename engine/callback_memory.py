"""What the journal says about callbacks (折り返し予約) that have not ended."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cdr import Event

from .clock import parse_iso


@dataclass
class CallbackMemory:
    """One booked callback. `of`: the call that booked it; `number`: whom to call, `shown`: our number as
    shown there, `called`: the one that the citizen had dialled (all digits); `place`: since when it waits;
    `call`: the try under way; `reached`: the citizen has taken it; `ringing`: by operator the leg and the
    kind of phone that is rung."""

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
    tried: int = 0
    next_at: datetime | None = None
    ringing: dict[str, tuple[str, str]] = field(default_factory=dict)
    call: str | None = None
    reached: bool = False

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
    """`apply` every event in order; `open` holds by id those that have not ended."""

    def __init__(self, mono: Callable[[Event], float]) -> None:
        self.open: dict[str, CallbackMemory] = {}
        self._mono = mono

    def to(self, number: str) -> CallbackMemory | None:
        """The one that waits for this number."""
        return next((one for one in self.open.values() if one.number == number), None)

    def apply(self, event: Event) -> None:
        data: Mapping[str, object] = event.data
        match event.kind:
            case "callback_booked" if event.call is not None:
                one = self._booked(event.call, event, data)
                self.open[one.id] = one
            case "callback_ended":
                self.open.pop(str(data["callback"]), None)
            case "dialled":
                if (found := self.open.get(str(data["callback"]))) is not None:
                    found.call, found.reached, found.next_at = event.call, False, None
                    found.ringing.clear()
            case "callback_failed":
                if (found := self.open.get(str(data["callback"]))) is not None:
                    found.call = None
                    found.tried = int(str(data["try"]))
                    next_at = data.get("next_at")
                    found.next_at = parse_iso(next_at) if isinstance(next_at, str) else None
            case "offered" | "offer_ended" | "answered":
                for found in self.open.values():
                    _offers(found, event, data)

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
        )


def _offers(one: CallbackMemory, event: Event, data: Mapping[str, object]) -> None:
    """The offers of a callback are told as the booking call's; its talk as that of the call we made."""
    operator = str(data.get("operator") or "")
    if event.call == one.of and event.kind == "offered":
        one.ringing[operator] = (str(data.get("leg") or ""), str(data.get("phone") or ""))
    elif event.call == one.of and event.kind == "offer_ended":
        one.ringing.pop(operator, None)
    elif event.call == one.call and event.kind == "answered":
        one.reached = True


def _seconds(data: Mapping[str, object], name: str, default: float) -> float:
    value = data.get(name)
    return float(value) if isinstance(value, (int, float)) else default
