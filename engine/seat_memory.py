"""What the journal says of the seats beside the calls themselves: who listens to whom, who asks for help,
which calls are marked, which operator is muted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from cdr import Event


@dataclass
class SupervisionMemory:
    """A supervisor at a conversation, whose phone was answered. `leg`, `bridge`: the supervisor's own."""

    supervisor: str
    call: str
    operator: str  # on whose phone it listens
    mode: str  # listen | whisper | join
    leg: str
    bridge: str
    phone: str
    by: str
    since: datetime


@dataclass(frozen=True)
class Message:
    at: datetime
    by: str
    text: str


@dataclass
class HelpMemory:
    """A raised hand (手上げ) that nobody has closed."""

    id: str
    operator: str
    call: str | None
    at: datetime
    urgent: bool = False
    by: str | None = None  # who has taken it
    messages: list[Message] = field(default_factory=list)


@dataclass(frozen=True)
class Mark:
    mark: str  # emergency | harassment
    at: datetime
    by: str


class SeatMemory:
    """`apply` every event in order. `supervisions` by supervisor, `helps` by id, `marks` by call (open ones);
    `muted`: by call, the operator who is; `last_words`: calls that are being ended politely."""

    def __init__(self) -> None:
        self.supervisions: dict[str, SupervisionMemory] = {}
        self.helps: dict[str, HelpMemory] = {}
        self.marks: dict[str, list[Mark]] = {}
        self.muted: dict[str, str] = {}
        self.last_words: set[str] = set()

    def apply(self, event: Event) -> None:
        data: Mapping[str, object] = event.data
        match event.kind:
            case "supervision_began" if event.call is not None:
                self.supervisions[str(data["supervisor"])] = SupervisionMemory(
                    supervisor=str(data["supervisor"]),
                    call=event.call,
                    operator=str(data["operator"]),
                    mode=str(data["mode"]),
                    leg=str(data["leg"]),
                    bridge=str(data["bridge"]),
                    phone=str(data.get("phone") or ""),
                    by=str(data.get("by") or ""),
                    since=event.at,
                )
            case "supervision_mode":
                if (known := self.supervisions.get(str(data["supervisor"]))) is not None:
                    known.mode = str(data["mode"])
            case "supervision_ended":
                self.supervisions.pop(str(data["supervisor"]), None)
            case "help_asked" | "help_said" | "help_taken" | "help_closed":
                self._help(event, data)
            case "marked" if event.call is not None:
                self._marked(event, data)
            case "muted" if event.call is not None:
                self.muted[event.call] = str(data["operator"])
            case "unmuted" | "left":
                self.muted.pop(event.call or "", None)
            case "polite_end" if event.call is not None:
                self.last_words.add(event.call)
            case "ended":
                self.marks.pop(event.call or "", None)
                self.muted.pop(event.call or "", None)
                self.last_words.discard(event.call or "")

    def help_of(self, operator: str) -> HelpMemory | None:
        """The operator's open one; there is one at most."""
        return next((one for one in self.helps.values() if one.operator == operator), None)

    def _help(self, event: Event, data: Mapping[str, object]) -> None:
        id, by, text = str(data["help"]), str(data.get("by") or ""), str(data.get("text") or "")
        known = self.helps.get(id)
        if event.kind == "help_closed":
            self.helps.pop(id, None)
            return
        if known is None:
            known = self.helps[id] = HelpMemory(id, str(data.get("operator") or ""), event.call, event.at)
        if event.kind == "help_asked":
            known.call = event.call
            known.urgent = known.urgent or bool(data.get("urgent"))
        if event.kind == "help_taken":
            known.by = by
        if text:
            known.messages.append(Message(event.at, by, text))

    def _marked(self, event: Event, data: Mapping[str, object]) -> None:
        call, mark = event.call or "", str(data["mark"])
        others = [one for one in self.marks.get(call, []) if one.mark != mark]
        if data.get("on"):
            others.append(Mark(mark, event.at, str(data.get("by") or "")))
        self.marks[call] = others
