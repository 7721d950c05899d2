"""Whole days of a centre at random, on a clock that is turned: citizens with and without patience, operators
who answer, refuse, let it ring, go on break, lose their phone. What must hold at every step is looked at
from outside, with the site's rules and what was told, not with the distributor's own eyes."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import count
from random import Random

from acd import (
    STRATEGIES,
    Action,
    Distributor,
    Offer,
    OfferEnd,
    OperatorProfile,
    OperatorState,
    QueueRules,
    StateChanged,
    Withdraw,
    choose,
)

READY, BREAK, OFF = OperatorState.READY, OperatorState.BREAK, OperatorState.OFF
NOBODY_YET = ""


@dataclass
class Call:
    id: str
    queue: str
    since: float
    priority: int
    language: str | None
    held_until: float = 0.0  # a returned one: kept for the operator who had it till then at most
    ringing: str | None = None
    ended: str = NOBODY_YET  # by whom served, or `gone`


@dataclass
class Habits:
    """Chances of a thousand, and spans in seconds."""

    refuses: int = 50
    lets_ring: int = 50
    returns: int = 30
    moves: int = 20
    pauses: int = 50
    loses_phone: int = 20
    patience_s: tuple[int, int] = (20, 400)
    talk_s: tuple[int, int] = (10, 240)


@dataclass
class Day:
    """`run()` plays it to its end; then `calls` and `offers` tell. Every step is checked on the way."""

    queues: dict[str, QueueRules]
    profiles: dict[str, OperatorProfile]
    random: Random
    habits: Habits = field(default_factory=Habits)
    on_offer: Callable[[Day, Offer], None] = lambda day, offer: None

    def __post_init__(self) -> None:
        self.now = 0.0
        self.calls: dict[str, Call] = {}
        self.offers: list[Offer] = []
        self.ended_offers = 0
        self.state = dict.fromkeys(self.profiles, OFF)
        self.reachable = dict.fromkeys(self.profiles, False)
        self._facts: list[tuple[float, int, Callable[[], list[Action]]]] = []
        self._order = count()
        self.distributor = Distributor(self.queues.values(), self.profiles.values())

    # ── what happens ──

    def later(self, after_s: float, fact: Callable[[], list[Action]]) -> None:
        heapq.heappush(self._facts, (self.now + after_s, next(self._order), fact))

    def chance(self, of_a_thousand: int) -> bool:
        return self.random.randrange(1000) < of_a_thousand

    def span(self, between: tuple[int, int]) -> float:
        return self.random.randrange(between[0] * 4, between[1] * 4) / 4

    def signs_on(self, operator: str, after_s: float = 0.0) -> None:
        self.later(after_s, lambda: self.phone(operator, True))
        self.later(after_s, lambda: self.wants(operator, READY))

    def comes_back(self, operator: str) -> None:
        """From 応答なし, by the operator's own hand."""
        self.later(self.span((5, 60)), lambda: self.wants(operator, READY))

    def phone(self, operator: str, reachable: bool) -> list[Action]:
        self.reachable[operator] = reachable
        return self.distributor.phone_changed(operator, reachable, at=self.now)

    def wants(self, operator: str, state: OperatorState) -> list[Action]:
        return self.distributor.operator_wants(operator, state, at=self.now)

    def arrives(self, after_s: float, queue: str, priority: int = 0, language: str | None = None) -> None:
        def fact() -> list[Action]:
            call = Call(f"c{len(self.calls)}", queue, self.now, priority, language)
            self.calls[call.id] = call
            self.later(self.span(self.habits.patience_s), lambda: self.gives_up(call))
            if self.chance(self.habits.moves):
                self.later(self.span((5, 60)), lambda: self.moves(call))
            return self.distributor.caller_waits(
                call.id, queue, at=self.now, priority=priority, language=language
            )

        self.later(after_s, fact)

    def gives_up(self, call: Call) -> list[Action]:
        if call.ended:
            return []
        call.ended = "gone"
        return self.distributor.caller_gone(call.id, at=self.now)

    def moves(self, call: Call) -> list[Action]:
        if call.ended:
            return []
        call.queue = self.random.choice(sorted(self.queues))
        return self.distributor.move_caller(call.id, call.queue, at=self.now)

    def rings(self, offer: Offer) -> None:
        if self.chance(self.habits.lets_ring):
            return
        refuses = self.chance(self.habits.refuses)
        self.later(self.span((1, 6)), lambda: self.responds(offer, refuses))

    def responds(self, offer: Offer, refuses: bool) -> list[Action]:
        call = self.calls[offer.call]
        if call.ringing != offer.operator or self.offers_of(call)[-1] is not offer:
            return []
        call.ringing = None
        self.ended_offers += 1
        if refuses:
            self.comes_back(offer.operator)
            return self.distributor.offer_failed(call.id, offer.operator, OfferEnd.REFUSED, at=self.now)
        assert not call.ended, "served twice"
        call.ended = offer.operator
        self.later(self.span(self.habits.talk_s), lambda: self.ends(call, offer.operator))
        return self.distributor.offer_answered(call.id, offer.operator, at=self.now)

    def ends(self, call: Call, operator: str) -> list[Action]:
        actions = self.distributor.conversation_ended(operator, at=self.now)
        if self.chance(self.habits.returns):  # the operator's phone died: back into the queue, to the front
            call.ended, call.held_until = NOBODY_YET, self.now + 10
            call.priority, call.language = 100, None
            self.later(self.span(self.habits.patience_s), lambda: self.gives_up(call))
            actions += self.distributor.caller_waits(
                call.id,
                call.queue,
                at=self.now,
                waiting_since=call.since,
                priority=100,
                prefer=operator,
                prefer_until=call.held_until,
            )
        if self.chance(self.habits.pauses):
            actions += self.wants(operator, BREAK)
            self.later(self.span((30, 300)), lambda: self.wants(operator, READY))
        if self.chance(self.habits.loses_phone):
            actions += self.phone(operator, False)
            self.later(self.span((5, 60)), lambda: self.phone(operator, True))
        return actions

    # ── the clock ──

    def run(self) -> Day:
        while True:
            due = self.distributor.next_deadline()
            if due is not None and (not self._facts or due <= self._facts[0][0]):
                self.now = due
                self.heed(self.distributor.tick(at=due))
            elif self._facts:
                self.now, _, fact = heapq.heappop(self._facts)
                self.heed(fact())
            else:
                break
        waiting = {each.call: each.offered_to for each in self.distributor.waiting()}
        assert waiting == dict.fromkeys((each.id for each in self.calls.values() if not each.ended), None)
        assert self.ended_offers == len(self.offers), "every offer ends"
        return self

    def heed(self, actions: Iterable[Action]) -> None:
        for action in actions:
            match action:
                case Offer(call, operator):
                    assert self.calls[call].ringing is None
                    assert not self.calls[call].ended
                    self.calls[call].ringing = operator
                    self.offers.append(action)
                    self.check_offer(action)
                    self.on_offer(self, action)
                    self.rings(action)
                case Withdraw(call, operator, why):
                    assert self.calls[call].ringing == operator
                    self.calls[call].ringing = None
                    self.ended_offers += 1
                    if why is OfferEnd.NO_ANSWER:
                        self.comes_back(operator)
                case StateChanged(operator, state):
                    self.state[operator] = state
        self.check_nobody_waits_in_vain()

    # ── what must hold ──

    def offers_of(self, call: Call) -> list[Offer]:
        return [each for each in self.offers if each.call == call.id]

    def may(self, operator: str, call: Call) -> bool:
        """Queue, level and language, by the time waited."""
        profile, rules = self.profiles[operator], self.queues[call.queue]
        waited = self.now - call.since
        level = 99 if not rules.widen else max([1, *(to for after, to in rules.widen if waited >= after)])
        speaks = call.language is None or profile.languages is None or call.language in profile.languages
        anybody = rules.language_after_s is not None and waited >= rules.language_after_s
        return (
            call.queue in profile.queues
            and profile.levels.get(call.queue, 1) <= level
            and (speaks or anybody)
        )

    def waiting(self) -> list[Call]:
        """In line, nothing rings for them, kept for nobody."""
        return [
            call
            for call in self.calls.values()
            if not call.ended and call.ringing is None and self.now >= call.held_until
        ]

    def urgency(self, call: Call) -> float:
        rules = self.queues[call.queue]
        return (self.now - call.since + call.priority * rules.ageing_s) * rules.weight / rules.target_s

    def check_nobody_waits_in_vain(self) -> None:
        free = [
            each
            for each, state in self.state.items()
            if state is READY
            and self.reachable[each]
            and self.distributor.operator(each).limited_until is None
        ]
        for call in self.waiting() if free else ():
            assert not [each for each in free if self.may(each, call)]

    def check_offer(self, offer: Offer) -> None:
        because, call = offer.because, self.calls[offer.call]
        rows = list(because.candidates)
        assert len(rows) == because.among
        assert rows[0].operator == offer.operator
        self.random.shuffle(rows)
        written = [(one[0], one[1], *(round(each, 3) for each in one[2:])) for one in rows]
        assert choose(because.rule, written) == offer.operator, "the ledger replays"
        if because.rule == "same_operator":
            return
        assert all(self.may(each.operator, call) for each in rows)
        if because.rule == "longest_idle":
            assert rows[0].idle_s <= because.idle_s == max(each.idle_s for each in rows)
        for other in self.waiting():
            if not self.may(offer.operator, other):
                continue
            assert self.urgency(other) <= self.urgency(call) + 1e-6, "the most urgent comes first"
            if other.queue == call.queue:
                ahead_s = (call.priority - other.priority) * self.queues[call.queue].ageing_s
                assert call.since <= other.since + ahead_s, "overtaken by more than priority × ageing"


def any_site(random: Random) -> tuple[dict[str, QueueRules], dict[str, OperatorProfile]]:
    queues = {
        name: QueueRules(
            name,
            ring_timeout_s=10,
            wrap_up_s=random.choice((0, 5, 20)),
            strategy=random.choice(STRATEGIES),
            then=random.choice([each for each in STRATEGIES if each != "skill"]),
            target_s=random.choice((9, 20)),
            weight=random.choice((1, 1, 2.5)),
            ageing_s=random.choice((30, 300)),
            widen=random.choice(((), ((30, 2),), ((15, 2), (40, 3)))),
            language_after_s=random.choice((None, 30)),
        )
        for name in ("main", "tax", "water")[: random.randint(1, 3)]
    }
    profiles = {
        name: OperatorProfile(
            name,
            tuple(random.sample(sorted(queues), random.randint(1, len(queues)))),
            levels={queue: random.randint(1, 3) for queue in queues if random.random() < 0.5},
            languages=random.choice((None, ("ja",), ("ja", "en"))),
            most_calls_h=random.choice((None, None, 4)),
        )
        for name in (str(1001 + number) for number in range(random.randint(2, 7)))
    }
    return queues, profiles
