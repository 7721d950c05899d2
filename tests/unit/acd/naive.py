"""The same rules as the distributor's, by looking at everybody each time. Nothing here is fast or clever."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from acd import Candidate, OperatorProfile, OperatorState, QueueRules

READY, RINGING, TALKING, WRAP_UP, BREAK, TRAINING, NO_ANSWER, OFF = OperatorState
HOUR_S = 3600
OFFER_ROW = tuple[str, str, str, str, float, int, float]


def natural(text: str) -> list[tuple[bool, int, str]]:
    return [
        (not part.isdigit(), int(part) if part.isdigit() else 0, part)
        for part in re.findall(r"\d+|\D+", text)
    ]


@dataclass
class Person:
    profile: OperatorProfile
    state: OperatorState = OFF
    reachable: bool = False
    call: str | None = None
    queue: str | None = None
    next_state: OperatorState | None = None
    until: float | None = None
    idle_s: float = 0.0
    offers: int = 0
    last: dict[str, int] = field(default_factory=dict)
    calls: int = 0
    talk_s: float = 0.0
    duty_s: float = 0.0
    own: bool = False  # the conversation that goes on is their own: idle time stands still
    talks_s: float | None = None  # of the conversation that goes on, if it counts
    begun: list[float] = field(default_factory=list)
    limited_until: float | None = None

    @property
    def id(self) -> str:
        return self.profile.id

    def level(self, queue: str) -> int:
        return self.profile.levels.get(queue, 1)

    def speaks(self, language: str | None) -> bool:
        return language is None or self.profile.languages is None or language in self.profile.languages


@dataclass
class Citizen:
    call: str
    queue: str
    priority: int
    since: float
    number: int
    prefer: str | None
    prefer_until: float | None
    returned: bool
    language: str | None
    level: int = 0
    asked: str | None = None  # the language that counts by now
    opens_at: float | None = None
    offered_to: str | None = None
    expires_at: float = 0.0


class Naive:
    def __init__(self, queues: Iterable[QueueRules], profiles: Iterable[OperatorProfile]) -> None:
        self.now = 0.0
        self.queues = {each.id: each for each in queues}
        self.people = {each.id: Person(each) for each in profiles}
        self.line: dict[str, Citizen] = {}
        self.serial = dict.fromkeys(self.queues, 0)
        self.offers: list[OFFER_ROW] = []
        self.candidates: list[list[Candidate]] = []  # of each offer
        self.number = 0

    def to(self, at: float) -> None:
        passed = max(at, self.now) - self.now
        for person in self.people.values():
            if person.reachable and person.state in (READY, RINGING, WRAP_UP):
                person.idle_s += passed
            if person.reachable and person.state in (READY, RINGING, WRAP_UP, TALKING):
                person.duty_s += passed
            if person.talks_s is not None:
                person.talks_s += passed
        self.now += passed
        self.offers, self.candidates = [], []

    # ── who comes first, and who may be chosen ──

    def urgency(self, citizen: Citizen) -> float:
        rules = self.queues[citizen.queue]
        return (self.now - self.place(citizen)) * rules.weight / rules.target_s

    def place(self, citizen: Citizen) -> float:
        return citizen.since - citizen.priority * self.queues[citizen.queue].ageing_s

    def order(self, citizen: Citizen) -> tuple[float, ...]:
        return (
            -self.urgency(citizen),
            self.place(citizen),
            0 if citizen.returned else 1,
            citizen.number,
        )

    def look_wider(self, citizen: Citizen) -> None:
        """Level and language that count for the citizen from now on."""
        rules = self.queues[citizen.queue]
        steps = [(citizen.since + after_s, level) for after_s, level in rules.widen]
        citizen.level = max([1, *(level for at, level in steps if at <= self.now)]) if steps else 99
        later = [at for at, _ in steps if at > self.now]
        citizen.asked = citizen.language
        if citizen.language is not None and rules.language_after_s is not None:
            if citizen.since + rules.language_after_s <= self.now:
                citizen.asked = None
            else:
                later.append(citizen.since + rules.language_after_s)
        citizen.opens_at = min(later, default=None)

    def held(self, citizen: Citizen) -> bool:
        person = self.people.get(citizen.prefer or "")
        if person is None or not person.reachable or person.next_state is not None:
            return False
        if person.limited_until is not None:
            return False
        if person.state in (RINGING, TALKING):
            return person.call == citizen.call
        return person.state in (READY, WRAP_UP)

    def free(self) -> list[Person]:
        return [
            each
            for each in self.people.values()
            if each.state is READY and each.reachable and each.limited_until is None
        ]

    def able(self, citizen: Citizen) -> list[Person]:
        return [
            each
            for each in self.free()
            if citizen.queue in each.profile.queues
            and each.level(citizen.queue) <= citizen.level
            and each.speaks(citizen.asked)
        ]

    def key(self, name: str, person: Person, queue: str) -> list[float]:
        match name:
            case "fewest_calls":
                return [person.calls / max(person.duty_s, 60)]
            case "least_talk":
                return [person.talk_s / max(person.duty_s, 60)]
            case "round_robin":
                return [person.last.get(queue, 0)]
            case "skill":
                return [person.level(queue), *self.key(self.queues[queue].then, person, queue)]
            case _:
                return []

    # ── offers ──

    def match(self) -> None:
        while self.match_one():
            pass

    def match_one(self) -> bool:
        unoffered = sorted((c for c in self.line.values() if c.offered_to is None), key=self.order)
        for person in self.free():
            for citizen in unoffered:
                if citizen.prefer == person.id:
                    self.offer(citizen, person, "same_operator", [person])
                    return True
        for citizen in unoffered:
            able = [] if self.held(citizen) else self.able(citizen)
            if able:
                rules = self.queues[citizen.queue]
                best = min(
                    able,
                    key=lambda p: (
                        self.key(rules.strategy, p, rules.id),
                        -p.idle_s,
                        p.offers,
                        natural(p.id),
                    ),
                )
                rule = f"skill/{rules.then}" if rules.strategy == "skill" else rules.strategy
                self.offer(citizen, best, rule, able)
                return True
        return False

    def offer(self, citizen: Citizen, person: Person, why: str, among: list[Person]) -> None:
        queue = citizen.queue
        self.candidates.append(
            sorted(
                Candidate(
                    one.id,
                    one.level(queue),
                    one.idle_s,
                    one.calls,
                    one.talk_s,
                    one.duty_s,
                    one.offers,
                    one.last.get(queue, 0),
                )
                for one in among
            )
        )
        self.offers.append(
            (
                citizen.call,
                person.id,
                queue,
                why,
                person.idle_s,
                len(among),
                self.now + self.queues[queue].ring_timeout_s,
            )
        )
        citizen.offered_to, citizen.expires_at = person.id, self.now + self.queues[queue].ring_timeout_s
        person.state, person.call, person.queue = RINGING, citizen.call, queue
        person.offers += 1
        self.serial[queue] += 1
        person.last[queue] = self.serial[queue]

    def stop(self, citizen: Citizen, state: OperatorState) -> None:
        """Ends the offer of this citizen, and puts the operator into `state`."""
        person = self.people[citizen.offered_to or ""]
        citizen.offered_to = None
        person.state, person.call, person.queue = state, None, None

    def stop_at(self, person: Person, state: OperatorState) -> None:
        if person.state is RINGING:
            self.stop(self.line[person.call or ""], state)

    # ── conversations ──

    def talk(self, person: Person, call: str, counts: bool) -> None:
        if person.talks_s is not None:
            person.idle_s = 0.0
        person.own = not counts
        self.talked(person)
        person.state, person.call, person.until = TALKING, call, None
        if counts:
            person.calls += 1
            person.talks_s = 0
            person.begun.append(self.now)
            self.limit(person)

    def talked(self, person: Person) -> None:
        person.talk_s += person.talks_s or 0
        person.talks_s = None

    def limit(self, person: Person) -> None:
        most = person.profile.most_calls_h
        recent = [at for at in person.begun if at + HOUR_S > self.now]
        limited = most is not None and len(recent) >= most
        person.limited_until = recent[-(most or 0)] + HOUR_S if limited else None

    def wrapped(self, person: Person) -> None:
        person.state, person.until = person.next_state or READY, None
        person.next_state = None

    # ── time ──

    def tick(self) -> None:
        for citizen in self.line.values():
            if citizen.offered_to is not None and citizen.expires_at <= self.now:
                self.stop(citizen, NO_ANSWER)
            if citizen.prefer_until is not None and citizen.prefer_until <= self.now:
                citizen.prefer = None
            if citizen.opens_at is not None and citizen.opens_at <= self.now:
                self.look_wider(citizen)
        for person in self.people.values():
            if person.until is not None and person.until <= self.now:
                self.wrapped(person)
            if person.limited_until is not None and person.limited_until <= self.now:
                self.limit(person)

    def deadlines(self) -> list[float]:
        people, line = self.people.values(), self.line.values()
        return [
            *(each.expires_at for each in line if each.offered_to is not None),
            *(each.prefer_until for each in line if each.prefer and each.prefer_until is not None),
            *(each.opens_at for each in line if each.opens_at is not None),
            *(each.until for each in people if each.until is not None),
            *(each.limited_until for each in people if each.limited_until is not None),
        ]
