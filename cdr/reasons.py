"""Why this operator: each offer of a call told in a sentence, from the ledger in its journal; and where the
call went from there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, tzinfo
from typing import Any

from acd import Candidate, OfferEnd, choose
from cdr.events import Event
from cdr.reason_lines import Why, WhyHead, WhyRow
from cdr.reason_words import Words
from cdr.talks import PULLED
from cdr.transfer_reasons import Names, Onward
from cdr.values import duration, number, seconds, text

__all__ = ["Why", "WhyHead", "WhyRow", "why"]

LEAST_WAIT_S = 1.0  # a shorter wait is not worth a line
LEAST_DUTY_S = 60.0  # as the strategies count it


def why(
    events: Iterable[Event],
    language: str = "ja",
    name: Callable[[str], str] = str,
    *,
    queue_name: Callable[[str], str] = str,
    number_text: Callable[[str], str] = str,
    zone: tzinfo = UTC,
) -> list[Why]:
    """Each offer of a call, why it waited between them, and each of its transfers, in the order of happening.
    `events`: the call's, with those of the calls that tried its callback; in any order. `number_text`: how to
    write a telephone number outside. Whatever is missing or odd in them: what is known is told."""
    told = _Telling(Words(language), name, queue_name, number_text, zone)
    for event in sorted({each.id: each for each in events}.values(), key=lambda each: each.id):
        told.take(event)
    told.onward.finish()
    return told.lines


class _Telling:
    """Follows the events and puts down the lines."""

    def __init__(
        self,
        words: Words,
        name: Callable[[str], str],
        queue_name: Callable[[str], str],
        number_text: Callable[[str], str],
        zone: tzinfo,
    ) -> None:
        self.words, self.name, self.queue_name, self.zone = words, name, queue_name, zone
        self.lines: list[Why] = []
        self.onward = Onward(words, Names(name, queue_name, number_text, self._clock), self.lines)
        self._ringing: dict[str, tuple[int, Event]] = {}  # by operator: its line, its `offered`
        self._waiting: Event | None = None  # since when the caller waits
        self._prefer: str | None = None
        self._booked = False
        self._queue: str | None = None

    def take(self, event: Event) -> None:
        operator = text(event.data, "operator") or ""
        self.onward.take(event)
        match event.kind:
            case "queued" | "moved":
                self._stop_waiting(event)
                self._queue = text(event.data, "queue") or self._queue
                self._prefer = text(event.data, "prefer")
                self._waiting = event
            case "callback_booked":
                self._stop_waiting(event)
                self._booked, self._waiting = True, event
                self._queue = text(event.data, "queue") or self._queue
            case "offered":
                self._stop_waiting(event, operator)
                self._offered(operator, event)
            case "offer_ended":
                reason = text(event.data, "reason") or "unknown"
                self._ended(operator, event, reason)
                if reason != "answered" and not self._ringing:
                    self._waiting = event
            case "answered":
                self._stop_waiting(event)
                self._ended(operator, event, "answered")
                self._waiting = None
            case "dialled" if text(event.data, "reason") != "outbound":
                self._stop_waiting(event)
                self._ended(operator, event, "called")
                self._waiting = None
            case "callback_failed":
                self._tried(event)
            case "callback_ended" | "overflowed" | "forwarded" | "handed_over" | "step":
                self._stop_waiting(event)
            case "ended":
                if not self._booked:
                    self._stop_waiting(event)
                for each in list(self._ringing):
                    self._ended(each, event, "caller_gone")

    # -- waiting ---

    def _stop_waiting(self, event: Event, offered_to: str | None = None) -> None:
        since, self._waiting = self._waiting, None
        took = duration(since, event) if since is not None else 0.0
        if since is None or took < LEAST_WAIT_S:
            return
        values = {"at": self._clock(since.at), "took": self.words.time(took)}
        if self._booked:
            sentence = self.words("waiting_booked", **values)
        elif offered_to is not None and offered_to == self._prefer:
            sentence = self.words("waiting_for", who=self.name(offered_to), **values)
        else:
            sentence = self.words("waiting", **values)
        self.lines.append(Why(since.at, None, self._queue, "waiting", sentence))

    def _tried(self, event: Event) -> None:
        reason = text(event.data, "reason") or ""
        how = self.words(f"try.{reason}" if f"try.{reason}" in self.words else "try.failed")
        values = {"at": self._clock(event.at), "how": how}
        try:
            following = datetime.fromisoformat(text(event.data, "next_at") or "")
            sentence = self.words("try_next", next=self._clock(following.astimezone(UTC)), **values)
        except (ValueError, OverflowError):
            sentence = self.words("try", **values)
        self.lines.append(Why(event.at, None, self._queue, "callback", sentence))

    # -- offers ---

    def _offered(self, operator: str, event: Event) -> None:
        queue = text(event.data, "queue") or self._queue
        because = event.data.get("because")
        known: Mapping[str, Any] = because if isinstance(because, Mapping) else {}
        rule = text(known, "rule") or "unknown"
        candidates = _candidates(known.get("candidates"), operator)
        heads = tuple(
            WhyHead(head[0], self.queue_name(head[0]), *head[1:]) for head in _heads(known.get("heads"))
        )
        rows = tuple(WhyRow(one[0], self.name(one[0]), one[0] == operator, *one[1:]) for one in candidates)
        sentence = self.words(
            "rung",
            at=self._clock(event.at),
            who=self.name(operator),
            because=self._because(rule, operator, candidates, known),
        )
        sentence += self._levels(rule, candidates, known) + self._before(heads)
        replayed = _replayed(rule, operator, candidates)
        line = Why(event.at, operator or None, queue, rule, sentence, rows, heads, None, replayed)
        self._ringing[operator] = len(self.lines), event
        self.lines.append(line)

    def _ended(self, operator: str, event: Event, reason: str) -> None:
        place, offered = self._ringing.pop(operator, (None, None))
        if place is None or offered is None:
            return
        rang = seconds(event.data.get("ring_s")) if event.kind == "offer_ended" else None
        took = self.words.time(duration(offered, event) if rang is None else rang)
        how = self.words(reason if reason in _ENDINGS else "ended", took=took, reason=reason)
        line = self.lines[place]
        self.lines[place] = replace(line, sentence=line.sentence + how, ending=reason)

    def _because(
        self, rule: str, operator: str, candidates: list[Candidate], known: Mapping[str, Any]
    ) -> str:
        words = self.words
        if rule in ("same_operator", PULLED):
            return words(rule)
        idle, among = seconds(known.get("idle_s")), number(known, "among")
        if not candidates:
            return self._known_only(rule, idle, among)
        if _replayed(rule, operator, candidates) is False:
            return words("elsewhere", rule=rule, other=self.name(choose(rule, candidates)))
        own, others = candidates[0], candidates[1:]
        if not others:
            return words("alone_idle", value=words.time(own.idle_s))
        group, plain = words("among", n=len(candidates)), rule.removeprefix("skill/")
        if plain != rule:
            level = [one for one in candidates if one.level == own.level]
            if len(level) == 1:
                other = _next(rule, others)
                values = {
                    "value": words("value.level", value=own.level),
                    "other": self.name(other.operator),
                    "other_value": words("value.level", value=other.level),
                }
                return words("chosen_next", group=group, why=words("skill"), **values)
            group, others = words("of_level", level=own.level, n=len(level)), level[1:]
        following = _next(plain, others)
        return self._beside(group, plain, rule, own, following)

    def _beside(self, group: str, plain: str, rule: str, own: Candidate, other: Candidate) -> str:
        """Why `own` and not `other`, the next by the same rule."""
        words = self.words
        if plain not in _MEASURES:
            return words("chosen", group=group, why=words("other_rule", rule=rule))
        values = {"why": words(plain), "value": self._value(plain, own), "other": self.name(other.operator)}
        measure = _MEASURES[plain]
        if measure(own) != measure(other):
            shown = words("value.last_other") if plain == "round_robin" else self._value(plain, other)
            for digits in (1, 3):  # they may differ by less than is usually told
                if shown == values["value"]:
                    values["value"], shown = (self._value(plain, one, digits) for one in (own, other))
            return words("chosen_next", group=group, other_value=shown, **values)
        tie = "idle" if own.idle_s > other.idle_s else "offers" if own.offers < other.offers else "id"
        return words("chosen_equal", group=group, tie=words(f"tie.{tie}"), **values)

    def _known_only(self, rule: str, idle: float | None, among: int | None) -> str:
        """An offer of before there was a ledger: the rule, the idle time and how many there were."""
        words = self.words
        if among == 1 and idle is not None:
            return words("alone_idle", value=words.time(idle))
        if among == 1:
            return words("alone")
        if rule == "unknown":
            return words("known_only")
        reason = words(rule) if rule in _MEASURES else words("other_rule", rule=rule)
        group = words("among", n=among) if among else ""
        if idle is None or rule != "longest_idle":
            return words("chosen", group=group, why=reason)
        value = words.time(idle)
        return words("chosen_value", group=group, why=reason, value=value)

    def _value(self, plain: str, one: Candidate, digits: int = 0) -> str:
        """`digits` behind the point: more than usual, for those who lie close together."""
        words, hours = self.words, max(one.duty_s, LEAST_DUTY_S) / 3600
        match plain:
            case "fewest_calls":
                return words("value.calls", value=f"{one.calls / hours:.{1 + digits}f}")
            case "least_talk":
                return words("value.talk", value=words.time(one.talk_s / hours, digits))
            case "round_robin":
                return words("value.last_none" if one.last == 0 else "value.last")
        return words.time(one.idle_s, digits)

    def _levels(self, rule: str, candidates: list[Candidate], known: Mapping[str, Any]) -> str:
        level = max((one.level for one in candidates), default=1)
        if level <= 1 or rule.startswith("skill"):
            return ""
        waited = seconds(known.get("waited_s"))
        if waited is None or waited < LEAST_WAIT_S:
            return self.words("levels", level=level)
        return self.words("levels_waited", level=level, waited=self.words.time(waited))

    def _before(self, heads: tuple[WhyHead, ...]) -> str:
        if len(heads) < 2:
            return ""
        own, *others = (self._head(head) for head in heads)
        return self.words("heads", own=own, others=self.words("join").join(others))

    def _head(self, head: WhyHead) -> str:
        values = {"queue": head.name, "waited": self.words.time(head.waited_s), "priority": head.priority}
        return self.words("head_priority" if head.priority else "head", **values)

    def _clock(self, at: datetime) -> str:
        try:
            return f"{at.astimezone(self.zone):%H:%M:%S}"
        except (OverflowError, ValueError):
            return f"{at:%H:%M:%S}"


_ENDINGS = frozenset({"answered", "called", *(each.value for each in OfferEnd)})
_MEASURES: Mapping[str, Callable[[Candidate], float]] = {
    "longest_idle": lambda one: one.idle_s,
    "fewest_calls": lambda one: one.calls / max(one.duty_s, LEAST_DUTY_S),
    "least_talk": lambda one: one.talk_s / max(one.duty_s, LEAST_DUTY_S),
    "round_robin": lambda one: one.last,
}


def _next(rule: str, others: list[Candidate]) -> Candidate:
    """Who would have been chosen without the first."""
    try:
        following = choose(rule, others)
    except ValueError:
        return others[0]
    return next(one for one in others if one.operator == following)


def _replayed(rule: str, operator: str, candidates: list[Candidate]) -> bool | None:
    if not candidates:
        return None
    try:
        return choose(rule, candidates) == operator
    except ValueError:  # a rule of another version of the program
        return None


def _candidates(value: object, operator: str) -> list[Candidate]:
    """The ledger's rows, whoever was rung first; none at all where one is broken, or that operator missing:
    half a ledger proves nothing."""
    found: list[Candidate] = []
    for row in value if isinstance(value, list | tuple) else ():
        if not (isinstance(row, list | tuple) and len(row) == len(Candidate._fields)):
            return []
        who, figures = row[0], [seconds(each) for each in row[1:]]
        if not isinstance(who, str) or None in figures:
            return []
        level, idle_s, calls, talk_s, duty_s, offers, last = (each or 0.0 for each in figures)
        found.append(Candidate(who, int(level), idle_s, int(calls), talk_s, duty_s, int(offers), int(last)))
    if operator not in {one.operator for one in found}:
        return []
    return sorted(found, key=lambda one: one.operator != operator)


def _heads(value: object) -> list[tuple[str, float, int, float]]:
    found = []
    for row in value if isinstance(value, list | tuple) else ():
        if not (isinstance(row, list | tuple) and len(row) == 4 and isinstance(row[0], str)):
            return []
        waited, priority, urgency = (seconds(each) for each in row[1:])
        if waited is None or priority is None or urgency is None:
            return []
        found.append((row[0], waited, int(priority), urgency))
    return found
