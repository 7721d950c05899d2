"""What a journal proves of a day's distribution: each function returns what is wrong, as lines of text; an
empty list is the proof. Calls that Asterisk served alone (the engine away) are told apart by `survival`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from acd import Candidate, choose
from cdr import Event

SAME_S = 0.005  # waited_s has milliseconds


@dataclass
class Told:
    """A journal, read by call and in order of writing."""

    events: Sequence[Event]
    by_call: dict[str, list[Event]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        for event in self.events:
            if event.call is not None:
                self.by_call[event.call].append(event)

    @property
    def survival(self) -> set[str]:
        """Calls that were Asterisk's alone, from the beginning or later."""
        return {
            event.call
            for event in self.events
            if event.call is not None
            and (event.kind == "handed_over" or (event.kind == "arrived" and event.data["via"] == "survival"))
        }

    def of(self, *kinds: str) -> Iterable[Event]:
        return (event for event in self.events if event.kind in kinds)


def lives(told: Told) -> list[str]:
    """Every call arrives once, ends once, is answered at most once, and nothing follows its end but what
    must: a phone that still rang stops, the operator writes up."""
    wrong = []
    for call, events in told.by_call.items():
        kinds = Counter(event.kind for event in events)
        legs = {event.data.get("leg") for event in events if event.kind == "answered"}
        if (kinds["arrived"], kinds["ended"]) != (1, 1) or len(legs) > 1:
            wrong.append(f"{call}: {dict(kinds)}, legs {legs}")
            continue
        in_order = [event.kind for event in events]
        after = in_order[in_order.index("ended") + 1 :]
        if set(after) - {"wrap_up", "wrapped_up", "left", "offer_ended"}:
            wrong.append(f"{call}: after its end {after}")
    return wrong


def offers_end(told: Told) -> list[str]:
    """Each offer is answered or ended, one after another for a call and for an operator."""
    wrong, by_call, by_operator = [], dict[str, str](), dict[str, str]()
    for event in told.of("offered", "answered", "offer_ended"):
        call, operator = event.call or "", event.data.get("operator")
        if event.kind == "offered":
            if call in by_call or operator in by_operator:
                wrong.append(f"{call} offered to {operator} while {by_call.get(call)} rings for it")
            by_call[call] = by_operator[operator] = operator
        elif call in told.survival and by_call.get(call) != operator:
            pass  # rung by Asterisk
        elif by_call.pop(call, None) != operator or by_operator.pop(operator, None) is None:
            wrong.append(f"{call}: {event.kind} by {operator}, to whom it was not offered")
    return [*wrong, *(f"{call}: the offer to {operator} never ended" for call, operator in by_call.items())]


def one_call_each(told: Told) -> list[str]:
    """No operator is offered a call while in another, nor talks in two."""
    wrong, talks = [], dict[str, str]()
    for event in told.of("offered", "answered", "left", "leg_lost"):
        call, operator = event.call or "", event.data["operator"]
        if call in told.survival:
            continue  # told later than it was
        if event.kind in ("left", "leg_lost"):
            talks.pop(operator, None)
            continue
        if operator in talks and talks[operator] != call:
            wrong.append(f"{operator}: {event.kind} {call} while in {talks[operator]}")
        if event.kind == "answered":
            talks[operator] = call
    return wrong


def replays(told: Told) -> list[str]:
    """Each offer holds those who could have been chosen, and choosing again gives the same operator."""
    wrong = []
    for event in told.of("offered"):
        because = event.data["because"]
        rows = [Candidate(*row) for row in because["candidates"]]
        names = [row.operator for row in rows]
        if (
            len(rows) != because["among"]
            or len(set(names)) != len(rows)
            or event.data["operator"] not in names
        ):
            wrong.append(f"{event.call}: offered to {event.data['operator']} among {names}")
        elif (again := choose(because["rule"], rows)) != event.data["operator"]:
            wrong.append(
                f"{event.call}: {event.data['operator']} was chosen, the ledger gives {again}: {rows}"
            )
    offered = {(event.call, event.data["leg"]) for event in told.of("offered")}
    for event in told.of("answered"):
        if event.call not in told.survival and (event.call, event.data["leg"]) not in offered:
            wrong.append(f"{event.call}: answered by {event.data['operator']} without an offer")
    return wrong


def tallies_go_on(told: Told) -> list[str]:
    """What an operator has done grows from offer to offer, whoever was killed meanwhile (within one day)."""
    wrong, last = [], dict[str, Candidate]()
    for event in told.of("offered"):
        for row in map(Candidate._make, event.data["because"]["candidates"]):
            was = last.get(row.operator)
            if was is not None and any(
                before > after + SAME_S
                for before, after in zip(
                    (was.calls, was.talk_s, was.duty_s), (row.calls, row.talk_s, row.duty_s), strict=True
                )
            ):
                wrong.append(f"{event.call}: after {was} came {row}")
            last[row.operator] = row
    return wrong


@dataclass
class _Line:
    """A caller in line: seconds of the monotonic clock."""

    place: float
    left: float = float("inf")
    rung: list[tuple[float, float]] = field(default_factory=list)

    def stands(self, at: float) -> bool:
        """Whether the caller waits then, and nobody's phone rings for them."""
        return self.place < at < self.left - SAME_S and not any(
            begin - SAME_S <= at <= end + SAME_S for begin, end in self.rung
        )


def overtaken(told: Told) -> list[str]:
    """Who was offered to an operator while somebody stood in front of them in the same queue, unrung.

    The moment of a decision is the caller's place and the time waited that the ledger holds. One who
    is rung when another is chosen, and not answered, has lost nothing: the place stays. Callers who were
    returned to the queue stand in front and may wait for their own operator: they are left out."""
    lines: dict[str, _Line] = {}
    returned: set[str] = set()
    decisions: list[tuple[float, str]] = []
    open_at: dict[str, float] = {}
    for event in told.of("queued", "offered", "offer_ended", "answered", "handed_over", "ended"):
        call, mono = event.call or "", event.mono or 0.0
        if event.kind == "queued":
            if event.data["again"]:
                returned.add(call)
            elif call not in lines and call not in told.survival:
                lines[call] = _Line(mono)
        line = lines.get(call)
        if line is None:
            continue
        if event.kind == "offered":
            open_at[call] = line.place + event.data["because"]["waited_s"]
            decisions.append((open_at[call], call))
        elif event.kind != "queued":
            if call in open_at:
                line.rung.append((open_at.pop(call), mono))
            if event.kind != "offer_ended":
                line.left = min(line.left, mono)
    return [
        f"{call} (place {lines[call].place:.3f}) was chosen at {at:.3f} before {other} ({line.place:.3f})"
        for at, call in decisions
        if call not in returned
        for other, line in lines.items()
        if other not in returned and line.place < lines[call].place - SAME_S and line.stands(at)
    ]


PROOFS: tuple[Callable[[Told], list[str]], ...] = (
    lives,
    offers_end,
    one_call_each,
    replays,
    tallies_go_on,
    overtaken,
)
