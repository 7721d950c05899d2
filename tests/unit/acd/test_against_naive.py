"""The distributor against a plain model that looks at everybody each time: any run of facts, same answers."""

from __future__ import annotations

from dataclasses import replace

import hypothesis.strategies as st
import pytest
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from acd import (
    STRATEGIES,
    Action,
    Distributor,
    DistributorError,
    Offer,
    OfferEnd,
    OperatorProfile,
    OperatorState,
    QueueRules,
    StateChanged,
    Tally,
    Withdraw,
    choose,
)
from tests.unit.acd.naive import Citizen, Naive

READY, RINGING, TALKING, WRAP_UP, BREAK, TRAINING, NO_ANSWER, OFF = OperatorState
PEOPLE = {"2": ("a",), "10": ("a", "b"), "1": ("b",), "x": ("b", "a")}
FAILURES = (OfferEnd.NO_ANSWER, OfferEnd.REFUSED, OfferEnd.BUSY, OfferEnd.UNREACHABLE, OfferEnd.FAILED)
LANGUAGES = ("ja", "en", "pt")

operators = st.sampled_from(sorted(PEOPLE))
queues = st.sampled_from("ab")
steps = st.integers(-8, 16).map(lambda quarters: quarters / 4)  # a clock that sometimes goes backwards


def rules_of(queue: str) -> st.SearchStrategy[QueueRules]:
    return st.builds(
        QueueRules,
        st.just(queue),
        ring_timeout_s=st.just(5.0),
        wrap_up_s=st.just(3.0 if queue == "a" else 0.0),
        strategy=st.sampled_from(STRATEGIES),
        then=st.sampled_from([each for each in STRATEGIES if each != "skill"]),
        target_s=st.sampled_from((9.0, 4.0)),
        weight=st.sampled_from((1.0, 3.0)),
        ageing_s=st.sampled_from((300.0, 3.0)),
        widen=st.sampled_from(((), (), ((3.0, 2),), ((2.0, 2), (5.0, 3)))),
        language_after_s=st.sampled_from((None, 4.0, 0.0)),
    )


def profile_of(operator: str) -> st.SearchStrategy[OperatorProfile]:
    return st.builds(
        OperatorProfile,
        st.just(operator),
        st.just(PEOPLE[operator]) | st.sampled_from((("a",), ("b", "a"))),
        levels=st.dictionaries(queues, st.integers(1, 3)),
        languages=st.sampled_from((None, ("ja",), ("ja", "en"))),
        most_calls_h=st.sampled_from((None, None, 1, 2)),
    )


def plain(action: Action) -> Action:
    """Without what the ledger adds."""
    if isinstance(action, Offer):
        return replace(action, because=replace(action.because, candidates=(), heads=()))
    return action


class Facts(RuleBasedStateMachine):
    @initialize(
        rules=st.tuples(rules_of("a"), rules_of("b")),
        profiles=st.tuples(*(profile_of(each) for each in PEOPLE)),
        gaps=st.none() | st.lists(st.integers(0, 2), min_size=4, max_size=4),
    )
    def opens(
        self,
        rules: tuple[QueueRules, ...],
        profiles: tuple[OperatorProfile, ...],
        gaps: list[int] | None,
    ) -> None:
        """Mostly everybody comes in at the start, so that there is something to choose from."""
        self.real = Distributor(rules, profiles)
        self.fast = Distributor(rules, profiles, ledger=False)
        self.naive = Naive(rules, profiles)
        self.ringing: dict[str, str] = {}  # call → operator, from the actions and facts alone
        self.states: dict[str, OperatorState] = {}
        for operator, gap in zip(PEOPLE, gaps or [], strict=False):
            self.phone(gap, operator, True)
            self.wants(0, operator, READY)

    def at(self, step: float) -> float:
        at = self.naive.now + step
        self.naive.to(at)
        return at

    def tell(self, fact: str, *words: object, **more: object) -> list[Action]:
        """Tells both distributors; without the ledger the same is decided."""
        try:
            actions: list[Action] = getattr(self.real, fact)(*words, **more)
        except DistributorError:
            with pytest.raises(DistributorError):
                getattr(self.fast, fact)(*words, **more)
            raise
        assert getattr(self.fast, fact)(*words, **more) == [plain(each) for each in actions]
        return actions

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
                    self.replay(action)
                    offers.append(
                        (
                            (call, operator, queue, because.rule, because.idle_s, because.among, expires_at),
                            sorted(because.candidates),
                        )
                    )
                case Withdraw(call, operator):
                    assert self.ringing.pop(call) == operator
                case StateChanged(operator, state):
                    self.states[operator] = state
        assert sorted(offers) == sorted(zip(self.naive.offers, self.naive.candidates, strict=True))

    def replay(self, offer: Offer) -> None:
        """The ledger gives the same choice again, and the caller was the most urgent of those compared."""
        because, citizen = offer.because, self.naive.line[offer.call]
        assert because.candidates[0].operator == offer.operator
        assert choose(because.rule, sorted(because.candidates)) == offer.operator
        if not because.heads:
            return
        queue, waited_s, priority, urgency = because.heads[0]
        assert (queue, waited_s, priority) == (offer.queue, self.naive.now - citizen.since, citizen.priority)
        assert [urgency, *(each[3] for each in because.heads[1:])] == sorted(
            (each[3] for each in because.heads), reverse=True
        )

    # ── facts ──

    @rule(
        step=steps,
        queue=queues,
        priority=st.integers(0, 2),
        waited=st.integers(0, 5),
        prefer=st.none() | operators,
        window=st.none() | st.integers(-1, 8),
        language=st.sampled_from((None, None, *LANGUAGES)),
    )
    def caller_waits(
        self,
        step: float,
        queue: str,
        priority: int,
        waited: int,
        prefer: str | None,
        window: int | None,
        language: str | None,
    ) -> None:
        at = self.at(step)
        naive = self.naive
        naive.number += 1
        call, since = f"c{naive.number}", naive.now - waited
        until = None if window is None else naive.now + window
        is_open = until is None or until > naive.now
        citizen = naive.line[call] = Citizen(
            call=call,
            queue=queue,
            priority=priority,
            since=since,
            number=naive.number,
            prefer=prefer if is_open else None,
            prefer_until=until,
            returned=prefer is not None,
            language=language,
        )
        naive.look_wider(citizen)
        self.check(
            self.tell(
                "caller_waits",
                call,
                queue,
                at=at,
                waiting_since=since,
                priority=priority,
                prefer=prefer,
                prefer_until=until,
                language=language,
            )
        )

    @precondition(lambda self: self.naive.line)
    @rule(step=steps, queue=queues, priority=st.none() | st.integers(0, 2), data=st.data())
    def moved(self, step: float, queue: str, priority: int | None, data: st.DataObject) -> None:
        call = data.draw(st.sampled_from(sorted(self.naive.line)))
        at = self.at(step)
        citizen = self.naive.line[call]
        priority = citizen.priority if priority is None else priority
        citizen.priority = priority
        if queue != citizen.queue:
            if citizen.offered_to is not None:
                self.naive.stop(citizen, READY)
            citizen.queue = queue
            self.naive.look_wider(citizen)
        self.check(self.tell("move_caller", call, queue, at=at, priority=priority))

    @precondition(lambda self: self.naive.line)
    @rule(step=steps, data=st.data())
    def caller_gone(self, step: float, data: st.DataObject) -> None:
        call = data.draw(st.sampled_from(sorted(self.naive.line)))
        at = self.at(step)
        citizen = self.naive.line[call]
        if citizen.offered_to is not None:
            self.naive.stop(citizen, READY)
        del self.naive.line[call]
        self.check(self.tell("caller_gone", call, at=at))
        assert self.tell("caller_gone", call, at=at) == []

    @precondition(lambda self: self.ringing)
    @rule(step=steps, data=st.data())
    def answered(self, step: float, data: st.DataObject) -> None:
        self.answer(step, data.draw(st.sampled_from(sorted(self.ringing))))

    def answer(self, step: float, call: str) -> None:
        at = self.at(step)
        operator = self.ringing.pop(call)
        self.naive.talk(self.naive.people[operator], call, True)
        del self.naive.line[call]
        self.check(self.tell("offer_answered", call, operator, at=at))
        assert self.tell("offer_answered", call, operator, at=at) == []

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
    def failed(self, step: float, why: OfferEnd, data: st.DataObject) -> None:
        call = data.draw(st.sampled_from(sorted(self.ringing)))
        at = self.at(step)
        operator = self.ringing.pop(call)
        self.naive.stop(self.naive.line[call], NO_ANSWER)
        self.check(self.tell("offer_failed", call, operator, why, at=at))
        assert self.ringing.get(call) != operator

    @rule(step=steps, operator=operators, state=st.sampled_from((*[READY] * 6, BREAK, TRAINING, OFF)))
    def wants(self, step: float, operator: str, state: OperatorState) -> None:
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
        self.check(self.tell("operator_wants", operator, state, at=at))

    @rule(step=steps, operator=operators, reachable=st.sampled_from((True, True, True, False)))
    def phone(self, step: float, operator: str, reachable: bool) -> None:
        at = self.at(step)
        person = self.naive.people[operator]
        if person.reachable and not reachable:
            self.naive.stop_at(person, READY)
        person.reachable = reachable
        self.check(self.tell("phone_changed", operator, reachable, at=at))

    @rule(step=steps, operator=operators, queue=st.none() | queues)
    def began(self, step: float, operator: str, queue: str | None) -> None:
        """A call of their own, or one of a queue that is found in talk."""
        at = self.at(step)
        self.naive.number += 1
        person, call = self.naive.people[operator], f"own{self.naive.number}"
        self.naive.stop_at(person, READY)
        if person.state not in (READY, RINGING, WRAP_UP, TALKING):
            person.next_state = person.state
        self.naive.talk(person, call, queue is not None)
        person.queue = queue or person.profile.queues[0]
        self.check(self.tell("conversation_began", operator, call, at=at, queue=queue))

    @precondition(lambda self: self.naive.line)
    @rule(step=steps, operator=operators, data=st.data())
    def adopted(self, step: float, operator: str, data: st.DataObject) -> None:
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
            person.queue = person.profile.queues[0]
        self.naive.talk(person, call, True)
        self.check(self.tell("conversation_began", operator, call, at=at))

    @rule(step=steps, operator=operators)
    def ended(self, step: float, operator: str) -> None:
        at = self.at(step)
        person = self.naive.people[operator]
        if person.state is TALKING:
            wrap_up_s = self.naive.queues[person.queue or ""].wrap_up_s
            person.call, person.queue = None, None
            person.idle_s = person.idle_s if person.own else 0.0
            self.naive.talked(person)
            if wrap_up_s:
                person.state, person.until = WRAP_UP, self.naive.now + wrap_up_s
            else:
                self.naive.wrapped(person)
        self.check(self.tell("conversation_ended", operator, at=at))

    @rule(step=steps, operator=operators, extend=st.none() | st.integers(0, 9))
    def wrap_up(self, step: float, operator: str, extend: int | None) -> None:
        at = self.at(step)
        person = self.naive.people[operator]
        if extend is None:
            if person.state is WRAP_UP:
                self.naive.wrapped(person)
            self.check(self.tell("wrap_up_done", operator, at=at))
        elif person.state is WRAP_UP:
            person.until = self.naive.now + extend
            self.check(self.tell("extend_wrap_up", operator, self.naive.now + extend, at=at))
        else:
            with pytest.raises(DistributorError, match="no wrap-up"):
                self.tell("extend_wrap_up", operator, self.naive.now + extend, at=at)

    @rule(step=st.sampled_from((0, 1, 2, 3.5, 6, 1800)))
    def tick(self, step: float) -> None:
        at = self.at(step)
        self.naive.tick()
        self.check(self.tell("tick", at=at))
        upcoming = self.real.next_deadline()
        assert upcoming is None or upcoming > self.naive.now, "a tick leaves nothing due behind"

    @rule(step=steps)
    def new_day(self, step: float) -> None:
        at = self.at(step)
        for person in self.naive.people.values():
            person.calls, person.talk_s, person.duty_s = 0, 0.0, 0.0
            person.talks_s = None if person.talks_s is None else 0.0
        self.check(self.tell("new_day", at=at))

    @rule(step=steps, rules=queues.flatmap(rules_of))
    def queue_changed(self, step: float, rules: QueueRules) -> None:
        """Strategy, ageing, levels asked: at once, and for those who wait already."""
        at = self.at(step)
        if self.naive.queues[rules.id] != rules:
            self.naive.queues[rules.id] = rules
            for citizen in self.naive.line.values():
                if citizen.queue == rules.id:
                    self.naive.look_wider(citizen)
        self.check(self.tell("set_queues", list(self.naive.queues.values()), at=at))

    @rule(step=steps, profile=operators.flatmap(profile_of))
    def operator_changed(self, step: float, profile: OperatorProfile) -> None:
        at = self.at(step)
        self.naive.people[profile.id].profile = profile
        for person in self.naive.people.values():
            self.naive.limit(person)
        profiles = [each.profile for each in self.naive.people.values()]
        self.check(self.tell("set_operators", profiles, at=at))

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
            assert view.tally == Tally(person.calls, person.talk_s, person.duty_s)
            assert view.limited_until == person.limited_until
        assert self.real.next_deadline() == min(self.naive.deadlines(), default=None)
        assert {v.call: v.offered_to for v in self.real.waiting()} == {
            c.call: c.offered_to for c in self.naive.line.values()
        }
        assert {v.call: v.offered_to for v in self.real.waiting() if v.offered_to} == self.ringing

        order = sorted(self.naive.line.values(), key=self.naive.order)
        assert [each.call for each in self.real.waiting()] == [each.call for each in order]

    @invariant()
    def nobody_waits_in_vain(self) -> None:
        for citizen in self.naive.line.values():
            if citizen.offered_to is None and not self.naive.held(citizen):
                assert not self.naive.able(citizen)

    def teardown(self) -> None:
        """Every offer ends: with nobody doing anything but the clock, nothing rings in the end."""
        if not hasattr(self, "real"):
            return
        for _ in range(2 * (len(PEOPLE) + len(self.naive.line)) + 4):
            self.real.tick(at=self.naive.now + 3000)
            self.naive.now += 3000
        assert not [each for each in self.real.waiting() if each.offered_to is not None]
        assert self.real.next_deadline() is None


TestFacts = pytest.mark.req("ACD-1", "ACD-2", "ACD-3", "ACD-5", "ACD-6", "MON-3")(Facts.TestCase)
TestFacts.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
