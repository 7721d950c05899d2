"""Where a call went on from its operator, in sentences: the part of `why` beside the offers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from cdr.events import Event
from cdr.reason_lines import Why
from cdr.reason_words import Words
from cdr.transfers import Target, Transfer, Transfers
from cdr.values import duration, text

_BACK = ("busy", "no_answer", "refused", "unreachable", "trunk_full", "failed", "closed", "target_gone")
_OUT = (*_BACK, "operator_gone", "caller_gone")  # why a call out was not answered


@dataclass(frozen=True)
class Names:
    """What to call ids and numbers, and how to write a time of day."""

    operator: Callable[[str], str]
    queue: Callable[[str], str]
    number: Callable[[str], str]
    clock: Callable[[datetime], str]


class Onward:
    """Follows the events in order and adds lines of transfers, calls out and calls taken over to `lines`."""

    def __init__(self, words: Words, names: Names, lines: list[Why]) -> None:
        self.words, self.names, self.lines = words, names, lines
        self._calls: dict[str | None, Transfers] = {}  # a callback's calls have their own transfers each
        self._begun: list[tuple[int, str | None, int]] = []  # line, call, place in `told`
        self._out: tuple[int, Event] | None = None  # an operator's call out: its line, its `dialled`

    def take(self, event: Event) -> None:
        of_call = self._calls.setdefault(event.call, Transfers())
        known = len(of_call)
        of_call.take(event)
        if len(of_call) > known:
            self._begun.append((len(self.lines), event.call, known))
            self._line(event, "transfer", "")
        operator = text(event.data, "operator") or ""
        match event.kind:
            case "dialled" if text(event.data, "reason") == "outbound":
                self._out = len(self.lines), event
                self._line(event, "outbound", self._said("tr.dialled", operator, event))
            case "answered" | "ended":
                self._out_ended(event)
            case "taken_over":
                before, by = self._who(operator), text(event.data, "by") or ""
                self._line(event, "taken_over", self._said("tr.taken_over", by, event, before=before))

    def finish(self) -> None:
        """Each transfer's sentence tells what became of it."""
        for line, call, place in self._begun:
            sentence = said_transfer(self.words, self._calls[call].told()[place], self.names)
            self.lines[line] = replace(self.lines[line], sentence=sentence)

    def _out_ended(self, event: Event) -> None:
        """A call out was answered, or ended without."""
        if self._out is None:
            return
        place, dialled = self._out
        self._out, reason = None, text(event.data, "reason") or "failed"
        took = self.words.time(duration(dialled, event))
        if event.kind == "answered":
            reason = "answered"
        how = self.words(f"tr.{reason}" if reason in ("answered", *_OUT) else "tr.failed", took=took)
        line = self.lines[place]
        self.lines[place] = replace(line, sentence=line.sentence + how, ending=reason)

    def _line(self, event: Event, rule: str, sentence: str) -> None:
        self.lines.append(Why(event.at, None, None, rule, sentence))

    def _said(self, key: str, who: str, event: Event, **more: str) -> str:
        return self.words(key, at=self.names.clock(event.at), who=self._who(who), **more)

    def _who(self, operator: str) -> str:
        return self.names.operator(operator) if operator else self.words("tr.somebody")


def said_target(words: Words, to: Target, names: Names) -> str:
    """Whom, as people say it: こども部 子育て支援課（内線2345）."""
    name = " ".join(dict.fromkeys(part for part in (to.department, to.name) if part))
    match to.kind:
        case "operator":
            return names.operator(to.number)
        case "queue":
            return words("tr.queue", name=names.queue(to.number))
        case "extension":
            number = words("tr.extension", number=to.number)
        case _:
            number = names.number(to.number)
    if not to.number:
        return name or words("tr.nowhere")
    return words("tr.named", name=name, number=number) if name else number


def said_transfer(words: Words, one: Transfer, names: Names) -> str:
    """What became of a transfer, in two or three short sentences."""
    who = names.operator(one.operator) if one.operator else words("tr.somebody")
    how = "tr.consult" if one.how == "consult" else "tr.blind"
    begun = words(how, at=names.clock(one.at), who=who, to=said_target(words, one.to, names))
    return begun + "".join(_what(words, one))


def _what(words: Words, one: Transfer) -> Sequence[str]:
    if one.to.kind == "queue":
        took = _took(words, one.transferred_at or one.at, one.answered_at)
        return [words("tr.waited", took=took)] if one.answered_at else []
    said = []
    left_at, answered_at = one.transferred_at, one.answered_at
    if one.how == "consult" and left_at is not None and (answered_at is None or left_at < answered_at):
        said.append(words("tr.let_ring"))
    if answered_at is not None:
        said.append(words("tr.answered", took=_took(words, one.at, answered_at)))
    if one.transferred_at is None:
        return [*said, *_not_made(words, one)]
    if one.answered_at is not None and one.answered_at < one.transferred_at and one.how == "consult":
        said.append(words("tr.connected", took=_took(words, one.answered_at, one.transferred_at)))
    if one.arrived and one.to.kind == "operator":
        said.append(words("tr.took_on"))
    elif one.arrived and one.ended_at is not None and one.answered_at is not None:
        since = max(one.transferred_at, one.answered_at)
        said.append(words("tr.talked", took=_took(words, since, one.ended_at)))
    if one.reason in (*_BACK, "caller_gone", "return_code"):
        said.append(_cause(words, one))
    if one.returned_at is not None:
        said.append(words("tr.came_back"))
    return said


def _not_made(words: Words, one: Transfer) -> Sequence[str]:
    """The operator never left the citizen to it."""
    if one.reason == "returned":
        return [words("tr.back")]
    said = [_cause(words, one)] if one.reason in _OUT else []
    return [*said, words("tr.to_operator")] if one.reason in _BACK else said


def _cause(words: Words, one: Transfer) -> str:
    if one.reason == "failed" and one.answered_at is not None:
        return words("tr.line_lost")
    return words(f"tr.{one.reason}", took=_took(words, one.at, one.ended_at))


def _took(words: Words, start: datetime, end: datetime | None) -> str:
    return words.time((end - start).total_seconds() if end is not None else 0.0)
