"""The distributor against a plain model that looks at everybody each time: any run of facts, same answers."""

from __future__ import annotations

import re
from dataclasses import dataclass

import hypothesis.strategies as st
import pytest
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from acd import (
    Action,
    Distributor,
    DistributorError,
    Offer,
    OfferEnd,
    OperatorProfile,
    OperatorState,
    QueueRules,
    StateChanged,
    Withdraw,
)

READY, RINGING, TALKING, WRAP_UP, BREAK, TRAINING, NO_ANSWER, OFF = OperatorState
QUEUES = (QueueRules("a", 5.0, 3.0), QueueRules("b", 4.0, 0.0))
PROFILES = {"2": ("a",), "10": ("a", "b"), "1": ("b",), "x": ("b", "a")}
FAILURES = (OfferEnd.NO_ANSWER, OfferEnd.REFUSED, OfferEnd.BUSY, OfferEnd.UNREACHABLE, OfferEnd.FAILED)


@dataclass
class Person:
    id: str
    queues: tuple[str, ...]
    state: OperatorState = OFF
    reachable: bool = False
    call: str | None = None
    queue: str | None = None
    next_state: OperatorState | None = None
    until: float | None = None
    idle_s: float = 0.0
    offers: int = 0


@dataclass
class Citizen:
    call: str
    queue: str
    priority: int
    since: float
    number: int
    prefer: str | None
    prefer_until: float | None
    offered_to: str | None = None
    expires_at: float = 0.0


class Naive:
    """The same rules, by looking at everybody."""

    def __init__(self) -> None:
        self.now = 0.0
        self.people = {each: Person(each, queues) for each, queues in PROFILES.items()}
        self.line: dict[str, Citizen] = {}
        self.offers: list[tuple[str, str, str, str, float, int, float]] = []
        self.number = 0

    def to(self, at: float) -> None:
        at = max(at, self.now)
        for person in self.people.values():
            if person.reachable and person.state in (READY, RINGING, WRAP_UP):
                person.idle_s += at - self.now
        self.now = at
        self.offers = []

    def rank(self, citizen: Citizen) -> tuple[float, ...]:
        # A preference counts for the front even after its window.
        front = 0 if citizen.call in self.returned else 1
        return (-citizen.priority, front, citizen.since, citizen.number)

    returned: frozenset[str] = frozenset()

    def held(self, citizen: Citizen) -> bool:
        person = self.people.get(citizen.prefer or "")
        if person is None or not person.reachable or person.next_state is not None:
            return False
        if person.state in (RINGING, TALKING):
            return person.call == citizen.call
        return person.state in (READY, WRAP_UP)

    def free(self) -> list[Person]:
        return [each for each in self.people.values() if each.state is READY and each.reachable]

    def match(self) -> None:
        while self.match_one():
            pass

    def match_one(self) -> bool:
        unoffered = sorted((c for c in self.line.values() if c.offered_to is None), key=self.rank)
        for person in self.free():
            for citizen in unoffered:
                if citizen.prefer == person.id:
                    self.offer(citizen, person, "same_operator", 1)
                    return True
        for citizen in unoffered:
            able = [each for each in self.free() if citizen.queue in each.queues]
            if able and not self.held(citizen):
                best = min(able, key=lambda p: (-p.idle_s, p.offers, natural(p.id)))
                self.offer(citizen, best, "longest_idle", len(able))
                return True
        return False

    def offer(self, citizen: Citizen, person: Person, why: str, among: int) -> None:
        ring_s = next(q.ring_timeout_s for q in QUEUES if q.id == citizen.queue)
        citizen.offered_to, citizen.expires_at = person.id, self.now + ring_s
        person.state, person.call, person.queue = RINGING, citizen.call, citizen.queue
        person.offers += 1
        self.offers.append(
            (citizen.call, person.id, citizen.queue, why, person.idle_s, among, citizen.expires_at)
        )

    def stop(self, citizen: Citizen, state: OperatorState) -> None:
        """Ends the offer of this citizen, and puts the operator into `state`."""
        person = self.people[citizen.offered_to or ""]
        citizen.offered_to = None
        person.state, person.call, person.queue = state, None, None

    def stop_at(self, person: Person, state: OperatorState) -> None:
        if person.state is RINGING:
            self.stop(self.line[person.call or ""], state)

    def talk(self, person: Person, call: str) -> None:
        person.state, person.call, person.until = TALKING, call, None

    def wrapped(self, person: Person) -> None:
        person.state, person.until = person.next_state or READY, None
        person.next_state = None

    def deadlines(self) -> list[float]:
        return [
            *(c.expires_at for c in self.line.values() if c.offered_to is not None),
            *(p.until for p in self.people.values() if p.until is not None),
            *(c.prefer_until for c in self.line.values() if c.prefer and c.prefer_until is not None),
        ]


def natural(text: str) -> list[tuple[bool, int, str]]:
    return [
        (not part.isdigit(), int(part) if part.isdigit() else 0, part)
        for part in re.findall(r"\d+|\D+", text)
    ]


operators = st.sampled_from(sorted(PROFILES))
steps = st.integers(-2, 4)  # a clock that sometimes goes backwards


class Facts(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.real = Distributor(QUEUES, [OperatorProfile(i, q) for i, q in PROFILES.items()])
        self.naive = Naive()
        self.ringing: dict[str, str] = {}  # call → operator, from the actions and facts alone
        self.states: dict[str, OperatorState] = {}

    def at(self, step: int) -> float:
        at = self.naive.now + step
        self.naive.to(at)
        return at

    def check(self, actions: list[Action]) -> None:
        """Same offers as the model; offers and withdrawals are always of what can be."""
        self.naive.match()
        offers = []
        for action in actions:
            match action:
                case Offer(call, operator, queue, because, expires_at):
                    assert call not in self.ringing
                    assert operator not in self.ringing.values(), "nobody is offered two calls"
                    assert expires_at > self.naive.now
                    self.ringing[call] = operator
                    offers.append(
                        (call, operator, queue, because.rule, because.idle_s, because.among, expires_at)
                    )
                case Withdraw(call, operator):
                    assert self.ringing.pop(call) == operator
                case StateChanged(operator, state):
                    self.states[operator] = state
        assert sorted(offers) == sorted(self.naive.offers)

    # ── facts ──

    @rule(
        step=steps,
        queue=st.sampled_from("ab"),
        priority=st.integers(0, 2),
        waited=st.integers(0, 5),
        prefer=st.none() | operators,
        window=st.none() | st.integers(-1, 8),
    )
    def caller_waits(
        self, step: int, queue: str, priority: int, waited: int, prefer: str | None, window: int | None
    ) -> None:
        at = self.at(step)
        naive = self.naive
        naive.number += 1
        call, since = f"c{naive.number}", naive.now - waited
        until = None if window is None else naive.now + window
        if prefer is not None:
            naive.returned |= {call}
        is_open = until is None or until > naive.now
        naive.line[call] = Citizen(
            call, queue, priority, since, naive.number, prefer if is_open else None, until
        )
        self.check(
            self.real.caller_waits(
                call, queue, at=at, waiting_since=since, priority=priority, prefer=prefer, prefer_until=until
            )
        )

    @precondition(lambda self: self.naive.line)
    @rule(step=steps, data=st.data())
    def caller_gone(self, step: int, data: st.DataObject) -> None:
        call = data.draw(st.sampled_from(sorted(self.naive.line)))
        at = self.at(step)
        citizen = self.naive.line[call]
        if citizen.offered_to is not None:
            self.naive.stop(citizen, READY)
        del self.naive.line[call]
        self.check(self.real.caller_gone(call, at=at))
        assert self.real.caller_gone(call, at=at) == []

    @initialize(gaps=st.none() | st.lists(st.integers(0, 2), min_size=4, max_size=4))
    def opens(self, gaps: list[int] | None) -> None:
        """Mostly everybody comes in at the start, so that there is something to choose from."""
        for operator, gap in zip(PROFILES, gaps or [], strict=False):
            self.phone(gap, operator, True)
            self.wants(0, operator, READY)

    @precondition(lambda self: self.ringing)
    @rule(step=steps, data=st.data())
    def answered(self, step: int, data: st.DataObject) -> None:
        self.answer(step, data.draw(st.sampled_from(sorted(self.ringing))))

    def answer(self, step: int, call: str) -> None:
        at = self.at(step)
        operator = self.ringing.pop(call)
        self.naive.talk(self.naive.people[operator], call)
        del self.naive.line[call]
        self.check(self.real.offer_answered(call, operator, at=at))
        assert self.real.offer_answered(call, operator, at=at) == []

    @precondition(lambda self: len(self.ringing) > 1)
    @rule()
    def rush(self) -> None:
        """All that ring are answered, talk and end within one moment: wrap-ups that end together."""
        ringing = dict(self.ringing)
        for call in ringing:
            self.answer(0, call)
        for operator in ringing.values():
            self.ended(0, operator)

    @precondition(lambda self: self.ringing)
    @rule(step=steps, why=st.sampled_from(FAILURES), data=st.data())
    def failed(self, step: int, why: OfferEnd, data: st.DataObject) -> None:
        call = data.draw(st.sampled_from(sorted(self.ringing)))
        at = self.at(step)
        operator = self.ringing.pop(call)
        self.naive.stop(self.naive.line[call], NO_ANSWER)
        self.check(self.real.offer_failed(call, operator, why, at=at))
        assert self.ringing.get(call) != operator

    @rule(step=steps, operator=operators, state=st.sampled_from((*[READY] * 6, BREAK, TRAINING, OFF)))
    def wants(self, step: int, operator: str, state: OperatorState) -> None:
        at = self.at(step)
        person = self.naive.people[operator]
        if person.state is RINGING and state is not READY:
            self.naive.stop_at(person, state)
        elif person.state is WRAP_UP and state is READY:
            person.next_state = None
            self.naive.wrapped(person)
        elif person.state in (TALKING, WRAP_UP):
            person.next_state = None if state is READY else state
        elif person.state is not RINGING:
            person.state = state
        self.check(self.real.operator_wants(operator, state, at=at))

    @rule(step=steps, operator=operators, reachable=st.sampled_from((True, True, True, False)))
    def phone(self, step: int, operator: str, reachable: bool) -> None:
        at = self.at(step)
        person = self.naive.people[operator]
        if person.reachable and not reachable:
            self.naive.stop_at(person, READY)
        person.reachable = reachable
        self.check(self.real.phone_changed(operator, reachable, at=at))

    @rule(step=steps, operator=operators)
    def own_call(self, step: int, operator: str) -> None:
        at = self.at(step)
        self.naive.number += 1
        person, call = self.naive.people[operator], f"own{self.naive.number}"
        self.naive.stop_at(person, READY)
        if person.state not in (READY, RINGING, WRAP_UP, TALKING):
            person.next_state = person.state
        self.naive.talk(person, call)
        person.queue = person.queues[0]
        self.check(self.real.conversation_began(operator, call, at=at))

    @precondition(lambda self: self.naive.line)
    @rule(step=steps, operator=operators, data=st.data())
    def adopted(self, step: int, operator: str, data: st.DataObject) -> None:
        call = data.draw(st.sampled_from(sorted(self.naive.line)))
        at = self.at(step)
        person, citizen = self.naive.people[operator], self.naive.line.pop(call)
        if citizen.offered_to == operator:
            self.ringing.pop(call)
        else:
            if citizen.offered_to is not None:
                self.naive.stop(citizen, READY)
            self.naive.stop_at(person, READY)
            if person.state not in (READY, WRAP_UP, TALKING):
                person.next_state = person.state
            person.queue = person.queues[0]
        self.naive.talk(person, call)
        self.check(self.real.conversation_began(operator, call, at=at))

    @rule(step=steps, operator=operators)
    def ended(self, step: int, operator: str) -> None:
        at = self.at(step)
        person = self.naive.people[operator]
        if person.state is TALKING:
            wrap_up_s = next(q.wrap_up_s for q in QUEUES if q.id == person.queue)
            person.call, person.queue, person.idle_s = None, None, 0.0
            if wrap_up_s:
                person.state, person.until = WRAP_UP, self.naive.now + wrap_up_s
            else:
                self.naive.wrapped(person)
        self.check(self.real.conversation_ended(operator, at=at))

    @rule(step=steps, operator=operators, extend=st.none() | st.integers(0, 9))
    def wrap_up(self, step: int, operator: str, extend: int | None) -> None:
        at = self.at(step)
        person = self.naive.people[operator]
        if extend is None:
            if person.state is WRAP_UP:
                self.naive.wrapped(person)
            self.check(self.real.wrap_up_done(operator, at=at))
        elif person.state is WRAP_UP:
            person.until = self.naive.now + extend
            self.check(self.real.extend_wrap_up(operator, self.naive.now + extend, at=at))
        else:
            with pytest.raises(DistributorError, match="no wrap-up"):
                self.real.extend_wrap_up(operator, self.naive.now + extend, at=at)

    @rule(step=st.integers(0, 6))
    def tick(self, step: int) -> None:
        at = self.at(step)
        naive = self.naive
        for citizen in naive.line.values():
            if citizen.offered_to is not None and citizen.expires_at <= naive.now:
                naive.stop(citizen, NO_ANSWER)
            if citizen.prefer_until is not None and citizen.prefer_until <= naive.now:
                citizen.prefer = None
        for person in naive.people.values():
            if person.until is not None and person.until <= naive.now:
                naive.wrapped(person)
        self.check(self.real.tick(at=at))
        upcoming = self.real.next_deadline()
        assert upcoming is None or upcoming > naive.now, "a tick leaves nothing due behind"

    # ── what always holds ──

    @invariant()
    def same_picture(self) -> None:
        for view in self.real.operators():
            person = self.naive.people[view.id]
            assert (view.state, view.reachable, view.call, view.next_state, view.until) == (
                person.state,
                person.reachable,
                person.call,
                person.next_state,
                person.until,
            )
            assert self.states.get(view.id, OFF) is view.state, "every change of state was said"
            assert view.idle_since == (None if view.state is TALKING else self.naive.now - person.idle_s)
        assert self.real.next_deadline() == min(self.naive.deadlines(), default=None)
        assert {v.call: v.offered_to for v in self.real.waiting()} == {
            c.call: c.offered_to for c in self.naive.line.values()
        }
        assert {v.call: v.offered_to for v in self.real.waiting() if v.offered_to} == self.ringing

    @invariant()
    def nobody_waits_in_vain(self) -> None:
        free = [each for each in self.real.operators() if each.state is READY and each.reachable]
        for waiting in self.real.waiting():
            if waiting.offered_to is None and not self.naive.held(self.naive.line[waiting.call]):
                assert not [each for each in free if waiting.queue in PROFILES[each.id]]

    def teardown(self) -> None:
        """Every offer ends: with nobody doing anything but the clock, nothing rings in the end."""
        for _ in range(len(PROFILES) + len(self.naive.line) + 1):
            self.real.tick(at=self.naive.now + 100)
            self.naive.now += 100
        assert not [each for each in self.real.waiting() if each.offered_to is not None]
        assert self.real.next_deadline() is None


TestFacts = pytest.mark.req("ACD-1", "ACD-2", "ACD-3", "ACD-6")(Facts.TestCase)
TestFacts.settings = settings(max_examples=120, stateful_step_count=40, deadline=None)
