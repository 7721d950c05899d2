"""What the journal says about the calls and operators of now.

Folding events into this memory is all that recovery needs: the engine folds every event it writes, a new
engine folds the journal's recent ones, and both stand at the same place.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from cdr import Event
from ivr import Fact

from .callback_memory import CallbacksMemory, DialledMemory
from .clock import Clock, parse_iso
from .outbound_memory import OutboundMemory, dialled, outbound
from .seat_memory import SeatMemory
from .tally import IdleMemory, TallyMemory
from .transfer_memory import TransfersMemory, transferred

REMEMBERED = 1000  # calls that ended last
SERVED = 200  # answers a queue, for the expected wait
_TRUNK = re.compile(r"^PJSIP/trunk-(.+)-[0-9a-f]+$")


@dataclass
class ForwardMemory:
    """A telephone outside that is being rung or talks."""

    id: str
    leg: str
    trunk: str | None
    since_mono: float
    bridge: str | None = None
    answered_mono: float | None = None


@dataclass(frozen=True)
class OpeningMemory:
    """A supervisor's switch over a number's hours."""

    number: str
    mode: str  # open | closed | extended
    until: datetime
    reason: str
    by: str


@dataclass(frozen=True)
class NoticeMemory:
    """An emergency notice that is on, or asked for and not confirmed yet."""

    notice: str
    on: bool
    by: str
    confirmed_by: str | None
    since: datetime


@dataclass
class RingingMemory:
    """An operator's phone that was being rung for a call."""

    leg: str
    phone: str


@dataclass
class CallMemory:
    """One open call. `*_mono` are monotonic seconds of this machine's life."""

    id: str
    number: str
    caller: str | None
    via: str
    arrived: datetime
    arrived_mono: float
    greeted: bool = False
    queue: str | None = None
    queued: datetime | None = None
    queued_mono: float | None = None
    priority: int = 0
    moved_from: str | None = None  # the queue out of which a supervisor took it
    ringing: dict[str, RingingMemory] = field(default_factory=dict)
    operator: str | None = None  # who talks with the citizen now
    phone: str | None = None
    leg: str | None = None
    bridge: str | None = None
    answered: datetime | None = None
    answered_mono: float | None = None
    held: bool = False
    returning: bool = False  # the operator's phone died, the citizen waits for it
    last_operator: str | None = None
    handed_over: bool = False
    plan: int | None = None  # the version it began with
    trunk: str | None = None  # by which it came in
    diverted_from: str | None = None
    facts: list[Fact] = field(default_factory=list)  # its way through the plan
    place: str | None = None  # the queue or forward it came to: `queue:ID`, `forward:ID`
    sent_on: str | None = None  # why it left that again: overflow's or the forward's reason
    entered_mono: float | None = None  # of the queue it is in
    forward: ForwardMemory | None = None
    transfers: TransfersMemory = field(default_factory=TransfersMemory)
    forwards: int = 0  # how often it was led outside
    dialled: DialledMemory | None = None  # a call that we made
    outbound: OutboundMemory | None = None  # one that an operator made

    @property
    def line(self) -> str:
        """The channel of whoever is outside."""
        return self.id if self.outbound is None else self.outbound.line


@dataclass
class OperatorMemory:
    """An operator's last settled state (ringing and talking follow from the calls)."""

    id: str
    state: str = "off"
    reason: str = ""
    since_mono: float = 0.0
    until_mono: float | None = None
    known: bool = False  # the journal tells something of them
    next_state: str | None = None
    next_reason: str = ""
    last_call: str | None = None  # the call whose wrap-up is open
    reachable: bool = True
    tally: TallyMemory = field(default_factory=TallyMemory)
    idle: IdleMemory = field(default_factory=IdleMemory)


class Memory:
    """`apply` every event in order; read `calls` (open ones only), `operators`, `openings`, `notices`,
    `log_offset`; `served` is of this process's life."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.calls: dict[str, CallMemory] = {}
        self.operators: dict[str, OperatorMemory] = {}
        self.ended: dict[str, None] = {}  # the calls that ended last, oldest first
        self.log_offset = 0
        self.openings: dict[str, OpeningMemory] = {}  # by number
        self.notices: dict[str, NoticeMemory] = {}
        self.served: dict[str, deque[float]] = {}  # by queue: when its last callers were answered
        self._queued: dict[str, str] = {}  # by call not answered yet: its queue
        self.callbacks = CallbacksMemory(self._mono)
        self.seats = SeatMemory()

    def operator(self, operator_id: str) -> OperatorMemory:
        found = self.operators.get(operator_id)
        if found is None:
            found = self.operators[operator_id] = OperatorMemory(operator_id)
        return found

    def on_trunk(self, trunk: str) -> int:
        """Channels that the trunk's calls take up: those that came in by it and those led out by it, the legs
        of targets of transfers included."""
        calls = self.calls.values()
        out = sum(call.forward is not None and call.forward.trunk == trunk for call in calls)
        out += sum(call.transfers.trunk == trunk for call in calls)
        return sum(call.trunk == trunk for call in calls) + out

    def _mono(self, event: Event) -> float:
        if event.mono is not None and event.boot == self.clock.boot:
            return event.mono
        return self.clock.mono_of(event.at)

    def service(self, event: Event) -> None:
        """`queued`, `moved` and `answered`: keeps when each queue's last callers were answered."""
        if event.kind == "queued" or (event.kind == "moved" and event.call in self._queued):
            self._queued[event.call or ""] = str(event.data["queue"])
        elif event.kind == "answered" and (queue := self._queued.pop(event.call or "", None)) is not None:
            self.served.setdefault(queue, deque(maxlen=SERVED)).append(self._mono(event))

    def apply(self, event: Event) -> None:
        data: Mapping[str, object] = event.data
        self.callbacks.apply(event)
        self.seats.apply(event)
        match event.kind:
            case "survival_read":
                self.log_offset = int(str(data["log_offset"]))
            case "operator_state":
                self._operator_state(event, data)
            case "operator_next":
                one = self.operator(str(data["operator"]))
                one.next_state = _text(data.get("state"))
                one.next_reason = str(data.get("reason") or "")
            case "operator_phone":
                one = self.operator(str(data["operator"]))
                one.reachable = bool(data["reachable"])
                one.tally.told(data.get("tally"), self._mono(event), _on_duty(one))
                one.idle.told(data, self._mono(event), _on_duty(one), one.since_mono)
            case "wrap_up":
                self.operator(str(data["operator"])).last_call = event.call
            case "arrived" if event.call is not None:
                self.calls[event.call] = CallMemory(
                    id=event.call,
                    number=str(data.get("number", "")),
                    caller=_text(data.get("caller")),
                    via=str(data.get("via", "engine")),
                    arrived=event.at,
                    arrived_mono=self._mono(event),
                    plan=_whole(data.get("plan")),
                    trunk=trunk_of(str(data.get("channel", ""))),
                    diverted_from=_text(data.get("diverted_from")),
                )
            case "dialled" if event.call is not None:
                self.calls[event.call] = self._dialled(event.call, event, data)
            case "opening_set":
                number = str(data["number"])
                self.openings[number] = OpeningMemory(
                    number=number,
                    mode=str(data["mode"]),
                    until=parse_iso(str(data["until"])),
                    reason=str(data.get("reason") or ""),
                    by=str(data.get("by") or ""),
                )
            case "opening_cleared":
                self.openings.pop(str(data["number"]), None)
            case "notice_asked" | "notice_set":
                notice = str(data["notice"])
                self.notices[notice] = NoticeMemory(
                    notice=notice,
                    on=event.kind == "notice_set",
                    by=str(data.get("by") or ""),
                    confirmed_by=_text(data.get("confirmed_by")),
                    since=event.at,
                )
            case "notice_cleared":
                self.notices.pop(str(data["notice"]), None)
            case "ended":
                self._ended(event)
            case _:
                if event.call is not None and (call := self.calls.get(event.call)) is not None:
                    self._call_event(call, event, data)
        match event.kind:
            case "queued" | "moved" | "answered":
                self.service(event)
            case "offered":
                self._offered(data)
            case "ended":
                self._queued.pop(event.call or "", None)

    def _dialled(self, call: str, event: Event, data: Mapping[str, object]) -> CallMemory:
        """A call that we made. It is as good as answered for those who wait: one place less."""
        if (out := outbound(data, self._mono(event))) is not None:
            return CallMemory(
                id=call,
                number=str(data["number"]),
                caller=_text(data.get("to")),
                via="outbound",
                arrived=event.at,
                arrived_mono=self._mono(event),
                greeted=True,
                plan=_whole(data.get("plan")),
                trunk=_text(data.get("trunk")),
                dialled=dialled(data),
                outbound=out,
            )
        callback, queue = self.callbacks.open.get(str(data["callback"])), str(data["queue"])
        self.served.setdefault(queue, deque(maxlen=SERVED)).append(self._mono(event))
        return CallMemory(
            id=call,
            number=callback.called if callback is not None else str(data["number"]),
            caller=_text(data.get("to")),
            via="callback",
            arrived=event.at,
            arrived_mono=self._mono(event),
            greeted=True,
            queue=queue,
            plan=_whole(data.get("plan")),
            trunk=callback.trunk if callback is not None else None,
            dialled=dialled(data),
        )

    def _operator_state(self, event: Event, data: Mapping[str, object]) -> None:
        one = self.operator(str(data["operator"]))
        one.state = str(data["state"])
        one.reason = str(data.get("reason") or "")
        mono = self._mono(event)
        since = data.get("since")
        one.since_mono = self.clock.mono_of(parse_iso(since)) if isinstance(since, str) else mono
        one.reachable = data.get("reachable") is not False
        one.tally.told(data.get("tally"), mono, _on_duty(one))
        one.idle.told(data, mono, _on_duty(one), one.since_mono)
        one.known = True
        begun = data.get("begun")
        if isinstance(begun, list):
            one.tally.begun_mono.clear()
            one.tally.begun_mono.extend(self.clock.mono_of(parse_iso(str(at))) for at in begun)
        until = data.get("until")
        one.until_mono = self.clock.mono_of(parse_iso(until)) if isinstance(until, str) else None
        one.next_state = None
        one.next_reason = ""

    def _offered(self, data: Mapping[str, object]) -> None:
        """Offers of one operator, and whose turn it is in the queue."""
        because = data.get("because")
        rows = because.get("candidates") if isinstance(because, Mapping) else None
        if not isinstance(rows, list) or not rows or len(rows[0]) != 8:
            return  # before the ledger
        queue = str(data["queue"])
        serial = max((one.idle.last.get(queue, 0) for one in self.operators.values()), default=0) + 1
        self.operator(str(data["operator"])).idle.offered(queue, rows[0], serial)

    def _ended(self, event: Event) -> None:
        call = self.calls.pop(event.call or "", None)
        self.ended[event.call or ""] = None
        if len(self.ended) > REMEMBERED:
            del self.ended[next(iter(self.ended))]
        if call is not None and call.operator is not None:
            self._talked(call.operator, event)

    def _talked(self, operator: str, event: Event) -> None:
        one = self.operator(operator)
        one.known = True
        one.idle.talk_ended(self._mono(event))
        one.tally.talk_ended(self._mono(event))

    def _call_event(self, call: CallMemory, event: Event, data: Mapping[str, object]) -> None:
        operator = str(data.get("operator") or "")
        match event.kind:
            case "greeted":
                call.greeted = True
            case "handed_over":
                call.via = "survival"  # Asterisk alone looks after it now
                call.handed_over = True
                call.forward = call.transfers.open = None  # whoever is rung outside is let go with it
            case "step" | "key":
                call.facts.append(Fact(event.kind, data))
                call.place = call.sent_on = None
            case "overflowed":
                call.sent_on = str(data["reason"])
            case "forwarded":
                call.place, call.sent_on = f"forward:{data['forward']}", None
                call.forwards += 1
                call.forward = ForwardMemory(
                    id=str(data["forward"]),
                    leg=str(data.get("leg", "")),
                    trunk=_text(data.get("trunk")),
                    since_mono=self._mono(event),
                )
            case "forward_answered" if call.forward is not None:
                call.forward.bridge = _text(data.get("bridge"))
                call.forward.answered_mono = self._mono(event)
            case "next_way" if call.outbound is not None:
                call.outbound.line, call.trunk = str(data["leg"]), _text(data.get("trunk"))
                call.outbound.began_mono = self._mono(event)
            case "forward_ended":
                call.forward = None
                call.sent_on = str(data["reason"])
            case "queued":
                call.queue = str(data["queue"])
                call.place, call.sent_on = f"queue:{call.queue}", None
                if not data.get("again"):
                    call.entered_mono = self._mono(event)
                call.priority = int(str(data.get("priority") or 0))
                call.operator = call.leg = call.bridge = None
                call.returning = False
                if call.queued_mono is None:
                    call.queued, call.queued_mono = event.at, self._mono(event)
            case "moved":
                call.moved_from, call.queue = call.queue, str(data["queue"])
                call.place, call.sent_on = f"queue:{call.queue}", None
                call.entered_mono = self._mono(event)
            case "offered":
                call.ringing[operator] = RingingMemory(str(data.get("leg", "")), str(data.get("phone", "")))
            case "offer_ended":
                call.ringing.pop(operator, None)
            case "answered":
                call.ringing.pop(operator, None)
                call.operator = call.last_operator = operator
                call.phone, call.leg = _text(data.get("phone")), _text(data.get("leg"))
                call.bridge = _text(data.get("bridge"))
                call.held = call.returning = False
                call.transfers.answered()
                if call.answered_mono is None:
                    call.answered, call.answered_mono = event.at, self._mono(event)
                self.operator(operator).tally.talk_began(self._mono(event))
            case "held":
                call.held = True
            case "resumed":
                call.held = False
            case "leg_lost":
                call.returning, call.held, call.leg = True, False, None
            case "left":
                if call.dialled is not None:
                    call.dialled.left = True
                call.operator = call.leg = None
                call.returning = False
                self._talked(operator, event)
            case _:
                transferred(call, event, self._mono(event))


def _on_duty(one: OperatorMemory) -> bool:
    """As the distributor counts it; ringing and talking begin and end in these."""
    return one.reachable and one.state in ("ready", "wrap_up")


def trunk_of(channel: str) -> str | None:
    """The trunk by which a channel came in, by its name; None when it is another telephone's."""
    found = _TRUNK.match(channel)
    return found.group(1) if found else None


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) else None
