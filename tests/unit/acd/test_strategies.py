"""Each strategy on one example, the choice made again from the ledger, and a strategy changed in mid-day."""

from __future__ import annotations

import pytest

from acd import STRATEGIES, Candidate, Distributor, Offer, OperatorProfile, OperatorState, QueueRules, choose
from acd.strategies import natural_order
from tests.unit.acd.test_rules import offers

READY, BREAK = OperatorState.READY, OperatorState.BREAK


def row(operator: str, **figures: float) -> Candidate:
    given = {
        "level": 1,
        "idle_s": 10.0,
        "calls": 5,
        "talk_s": 500.0,
        "duty_s": 1000.0,
        "offers": 5,
        "last": 3,
    }
    return Candidate(operator, **{**given, **figures})  # type: ignore[arg-type]


@pytest.mark.req("ACD-1")
@pytest.mark.parametrize(
    ("rule", "better"),
    [
        ("longest_idle", row("b", idle_s=10.001)),
        ("fewest_calls", row("b", calls=4, idle_s=1.0)),
        ("fewest_calls", row("b", calls=6, duty_s=1300.0, idle_s=1.0)),
        ("least_talk", row("b", talk_s=499.0, idle_s=1.0)),
        ("least_talk", row("b", talk_s=510.0, duty_s=1030.0, idle_s=1.0)),
        ("round_robin", row("b", last=2, idle_s=1.0)),
        ("round_robin", row("b", last=0, idle_s=1.0)),
        ("skill/longest_idle", row("b", idle_s=11.0)),
        ("skill/least_talk", row("b", talk_s=1.0, idle_s=1.0)),
    ],
)
def test_each_chooses_by_its_own_figure_whatever_the_order(rule: str, better: Candidate) -> None:
    assert choose(rule, [row("a"), better]) == choose(rule, [better, row("a")]) == "b"


@pytest.mark.req("ACD-5")
@pytest.mark.parametrize("then", [each for each in STRATEGIES if each != "skill"])
def test_under_skill_the_level_goes_before_everything(then: str) -> None:
    worse = row("b", level=2, idle_s=999.0, calls=0, talk_s=0.0, last=0, offers=0)
    assert choose(f"skill/{then}", [worse, row("a")]) == "a"
    assert choose(then, [worse, row("a")]) == "b"


@pytest.mark.req("ACD-1")
@pytest.mark.parametrize("rule", [*(each for each in STRATEGIES if each != "skill"), "skill/fewest_calls"])
def test_equals_are_told_apart_by_idle_time_then_offers_then_id(rule: str) -> None:
    assert choose(rule, [row("a"), row("b", idle_s=10.5)]) == "b"
    assert choose(rule, [row("a"), row("b", offers=4)]) == "b"
    assert choose(rule, [row("10"), row("9")]) == "9"


@pytest.mark.req("ACD-1")
def test_within_the_first_minute_nobody_has_a_rate_of_a_few_seconds() -> None:
    just_come = row("new", calls=1, duty_s=2.0, talk_s=1.0)
    assert choose("fewest_calls", [just_come, row("old", calls=1000, duty_s=1000.0)]) == "new"
    assert choose("least_talk", [just_come, row("old", talk_s=20.0, duty_s=1000.0)]) == "new"


def test_what_cannot_be_chosen_is_said() -> None:
    assert choose("same_operator", [row("a")]) == "a"
    with pytest.raises(ValueError, match="nobody to choose"):
        choose("longest_idle", [])
    with pytest.raises(ValueError, match="no rule 'dice'; there is: longest_idle"):
        choose("dice", [row("a")])


def test_natural_order_tells_any_two_ids_apart() -> None:
    ids = ["1001", "10010", "9", "01", "1", "1-web", "op-2", "op-10", ""]
    assert len({natural_order(each) for each in ids}) == len(ids)
    assert sorted(["op-10", "op-2", "10", "9"], key=natural_order) == ["9", "10", "op-2", "op-10"]


@pytest.mark.req("ACD-1")
def test_a_strategy_changed_live_counts_at_once_and_loses_no_count() -> None:
    def rules(strategy: str) -> list[QueueRules]:
        return [QueueRules("main", wrap_up_s=0.0, strategy=strategy)]

    distributor = Distributor(rules("longest_idle"), [OperatorProfile(each, ("main",)) for each in "12"])
    for each in "12":
        distributor.phone_changed(each, True, at=0.0)
        distributor.operator_wants(each, READY, at=0.0)
    # 1 talks for an hour, then 2 for a minute: 1 is idle longer, 2 has talked less; each had one call.
    for call, operator, begins, ends in (("c1", "1", 10.0, 3610.0), ("c2", "2", 3620.0, 3680.0)):
        assert offers(distributor.caller_waits(call, "main", at=begins)) == [(call, operator)]
        distributor.offer_answered(call, operator, at=begins)
        distributor.conversation_ended(operator, at=ends)
    chosen = {}
    for strategy in ("longest_idle", "least_talk", "fewest_calls", "round_robin"):
        distributor.set_queues(rules(strategy), at=3700.0)
        (offer, _) = distributor.caller_waits(strategy, "main", at=3700.0)
        assert isinstance(offer, Offer)
        assert offer.because.rule == strategy
        chosen[strategy] = offer.operator
        distributor.caller_gone(strategy, at=3700.0)
    # Two offers have gone by when the calls are compared: equal calls and duty, so the longer idle.
    assert chosen == {"longest_idle": "1", "least_talk": "2", "fewest_calls": "1", "round_robin": "2"}
    (one, two) = distributor.operators()
    assert (one.tally.calls, one.tally.talk_s, two.tally.talk_s) == (1, 3600.0, 60.0)
