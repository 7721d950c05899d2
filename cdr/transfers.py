"""Where a citizen was led on to in a call: each transfer, tried or made, with its times and its end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from cdr.events import Event, time_text
from cdr.values import duration, number, seconds, text


@dataclass(frozen=True, slots=True)
class Target:
    """Whom: `kind` extension, outside, operator or queue (empty: not told); `number`: digits, or the id of
    the operator or queue; `name`, `department`, `entry`: of the directory, as it was then."""

    kind: str
    number: str
    name: str | None = None
    department: str | None = None
    entry: str | None = None

    @classmethod
    def of(cls, data: object) -> Target:
        """Of an event's or a row's `to`: whatever can be read of it."""
        known: Mapping[str, Any] = data if isinstance(data, Mapping) else {}
        kind, digits = text(known, "kind") or "", text(known, "number") or ""
        entry = known.get("entry")
        return cls(
            kind,
            digits,
            text(known, "name") or None,
            text(known, "department") or None,
            str(entry) if isinstance(entry, str | int) and entry != "" else None,
        )

    def to_json(self) -> dict[str, Any]:
        return {each: getattr(self, each) for each in self.__slots__}


@dataclass(frozen=True, slots=True)
class Transfer:
    """One transfer of a call. `place`: 1, 2, … in the call, unique; `how`: consult or blind; `operator`: who
    made it. `answered_at`: the target (of a queue: the operator who came) took it; `transferred_at`: the
    operator left it to the target; `returned_at`: the citizen came back from it. `ended_at`, `reason`: the
    target's end, as `transfer_ended` says; a target that became the call's operator ended as a target then.
    `talk_s`: how long the target was on the line, None where it never was, and of a queue."""

    place: int
    at: datetime
    how: str
    operator: str | None
    to: Target
    answered_at: datetime | None = None
    transferred_at: datetime | None = None
    returned_at: datetime | None = None
    ended_at: datetime | None = None
    reason: str | None = None
    talk_s: float | None = None

    @property
    def arrived(self) -> bool:
        """Whether somebody there took the citizen over: a hop (たらい回し)."""
        return self.transferred_at is not None and self.answered_at is not None

    def to_json(self) -> dict[str, Any]:
        """All fields; times as ISO 8601 UTC with Z, seconds as they are."""
        shown = {each: getattr(self, each) for each in self.__slots__}
        shown["to"] = self.to.to_json()
        for name in _TIMES:
            shown[name] = time_text(shown[name]) if shown[name] is not None else None
        return shown

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Transfer:
        """The opposite of `to_json`: of a row of the database."""
        known: dict[str, Any] = {each: row.get(each) for each in cls.__slots__}
        for name in _TIMES:
            known[name] = datetime.fromisoformat(known[name]).astimezone(UTC) if known[name] else None
        known["talk_s"] = seconds(known["talk_s"])
        return cls(**known | {"to": Target.of(known["to"])})


_TIMES = ("at", "answered_at", "transferred_at", "returned_at", "ended_at")


@dataclass
class _Part:
    place: int
    begun: Event
    how: str
    operator: str | None
    to: Target
    legs: set[str] = field(default_factory=set)
    answered: Event | None = None
    transferred: Event | None = None
    returned: Event | None = None
    ended: Event | None = None
    reason: str | None = None

    @property
    def open(self) -> bool:
        return self.ended is None

    @property
    def alone(self) -> bool:
        """Whether the citizen talks with this target and no operator."""
        return self.open and self.answered is not None and self.transferred is not None

    def end(self, event: Event) -> None:
        self.ended = self.ended or event

    def told(self) -> Transfer:
        at = {each: getattr(self, each) for each in ("answered", "transferred", "returned", "ended")}
        talked = self.answered is not None and self.ended is not None and self.to.kind != "queue"
        return Transfer(
            self.place,
            self.begun.at,
            self.how,
            self.operator,
            self.to,
            **{f"{each}_at": event.at if event is not None else None for each, event in at.items()},
            reason=self.reason,
            talk_s=duration(self.answered, self.ended) if talked and self.answered and self.ended else None,
        )


@dataclass
class Transfers:
    """What the events of a call, told in order, say of its transfers."""

    _parts: list[_Part] = field(default_factory=list)
    _over: bool = False

    def take(self, event: Event) -> None:
        match event.kind:
            case "transfer_begun":
                self._begun(event, text(event.data, "how") or "consult")
            case "transfer_answered":
                if (part := self._of(event)) is not None:
                    part.answered = part.answered or event
            case "transferred":
                part = self._of(event) or self._begun(event, "blind")
                part.transferred = part.transferred or event
            case "transfer_ended":
                self._ended(event)
            case "returned":
                self._returned(event)
            case "answered":
                self._answered(text(event.data, "operator"), event)
            case "ended":
                self._over = True
        if self._over:  # nothing goes on after the call's end
            for part in self._parts:
                part.end(event)

    def __len__(self) -> int:
        return len(self._parts)

    @property
    def alone(self) -> bool:
        """Whether the citizen talks with a target while no operator is there."""
        return any(part.alone for part in self._parts)

    @property
    def hops(self) -> int:
        """How often somebody else took the citizen over."""
        return sum(one.arrived for one in self.told())

    def told(self) -> Sequence[Transfer]:
        """In the order of beginning."""
        return tuple(part.told() for part in self._parts)

    def _begun(self, event: Event, how: str) -> _Part:
        taken = {part.place for part in self._parts}
        place = number(event.data, "place") or 0
        if place < 1 or place in taken:
            place = max(taken, default=0) + 1
        part = _Part(place, event, how, text(event.data, "operator"), Target.of(event.data.get("to")))
        if leg := text(event.data, "leg"):
            part.legs.add(leg)
        self._parts.append(part)
        return part

    def _of(self, event: Event) -> _Part | None:
        """Whose event it is: by its place, its leg (a second line may have been tried: then another), else
        the last that is not over."""
        place, leg = number(event.data, "place"), text(event.data, "leg")
        for part in reversed(self._parts):
            if (place is not None and part.place == place) or (place is None and leg in part.legs):
                return part
        last = next((part for part in reversed(self._parts) if part.open), None)
        if last is not None and leg:
            last.legs.add(leg)
        return last

    def _ended(self, event: Event) -> None:
        part = self._of(event)
        if part is None and self._parts and self._parts[-1].reason is None:
            part = self._parts[-1]  # noted after the call's own end
        if part is not None:
            part.end(event)
            part.reason = part.reason or text(event.data, "reason")

    def _returned(self, event: Event) -> None:
        place = number(event.data, "from")
        found = [part for part in self._parts if part.place == place or (place is None and part.open)]
        for part in found[-1:]:
            part.returned = part.returned or event
            part.end(event)
            part.reason = part.reason or text(event.data, "reason")

    def _answered(self, operator: str | None, event: Event) -> None:
        """An operator has the call: a target of that id no longer is one, a queue's wait is over."""
        for part in self._parts:
            mine = part.to.kind == "operator" and part.to.number == operator
            waited = part.to.kind == "queue" and part.transferred is not None
            if (mine and part.open) or (waited and part is self._parts[-1]):
                part.answered = part.answered or event
                part.end(event)


@dataclass
class Apart:
    """Whether the operator talks with a target, or calls one, while the citizen hears music: `on`."""

    on: bool = False

    def take(self, event: Event) -> bool:
        """Whether the event tells anything of it."""
        match event.kind:
            case "transfer_begun":
                self.on = text(event.data, "how") == "consult"
            case "transfer_room":
                self.on = text(event.data, "with") == "target"
            case "transferred" | "transfer_ended" | "returned" | "ended":
                self.on = False
            case _:
                return False
        return True
