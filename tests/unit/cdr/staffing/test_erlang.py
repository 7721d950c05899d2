"""Erlang C and A: counted by hand, against plain sums, and far out where plain sums break."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from cdr.staffing import Erlang, erlang_a, erlang_b, erlang_c, operators_needed

pytestmark = pytest.mark.req("RPT-3")


def close(value: float, to: float, share: float = 1e-9) -> bool:
    return value == pytest.approx(to, rel=share, abs=1e-12)


# ── by hand ────────────────────────────────────────────────────────────────────────────────────────────────


def test_one_operator_half_busy() -> None:
    """30 calls an hour of 60 s: M/M/1 with ρ = ½; waits ½, W = ρ/(μ−λ) = 60 s, P(W ≤ T) = 1 − ½e^(−T/120)."""
    found = erlang_c(30, 60, 1, 120)
    assert (found.waits, found.wait_s, found.wait_of_waiting_s, found.occupancy) == (0.5, 60.0, 120.0, 0.5)
    assert close(found.within, 1 - 0.5 / math.e)
    assert (found.answer_rate, found.abandoned, found.answer_s) == (1.0, 0.0, 60.0)


def test_two_operators_one_erlang() -> None:
    """a = 1, n = 2: B = (1/2)/(1 + 1 + 1/2) = 1/5; C = B/(1 − ½·4/5) = 1/3; W = C·60/(2 − 1) = 20 s."""
    assert close(erlang_b(1, 2), 0.2)
    found = erlang_c(60, 60, 2, 0)
    assert close(found.waits, 1 / 3)
    assert close(found.wait_s, 20)
    assert close(found.within, 2 / 3)


@pytest.mark.parametrize("n", [1, 2, 5, 40])
@pytest.mark.parametrize("load", [0.5, 5.0, 60.0])
def test_patience_as_long_as_a_call_makes_every_state_poisson(load: float, n: int) -> None:
    """θ = μ: whoever waits leaves as fast as whoever talks, so the number in the centre is Poisson(a).
    P(W > 0) = P(N ≥ n); P(give up) = E[(N − n)+]/a."""
    found = erlang_a(load * 60, 60, n, 9, patience_s=60)
    chances = [math.exp(-load + k * math.log(load) - math.lgamma(k + 1)) for k in range(400)]
    assert close(found.waits, math.fsum(chances[n:]), 1e-8)
    lost = math.fsum((k - n) * chance for k, chance in enumerate(chances) if k > n) / load
    assert close(found.abandoned, lost, 1e-8)
    assert close(found.wait_s, found.abandoned * 60)


def test_too_much_work_never_ends_without_patience() -> None:
    found = erlang_c(61, 60, 1)
    assert (found.waits, found.within, found.wait_s, found.occupancy) == (1.0, 0.0, math.inf, 1.0)
    assert found.to_json()["wait_s"] is None


def test_nobody_there_and_nobody_calling() -> None:
    assert erlang_c(0, 60, 3).within == 1.0
    assert erlang_c(0, 60, 0).within == 1.0
    assert erlang_c(1, 60, 0).wait_s == math.inf
    alone = erlang_a(60, 60, 0, patience_s=30)
    assert (alone.answer_rate, alone.wait_s, alone.occupancy) == (0.0, 30, 0.0)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ((-1, 60, 1), "calls_h"),
        ((1, 0, 1), "handle_s"),
        ((1, math.nan, 1), "handle_s"),
        ((1, 60, -1), "operators"),
        ((1, 60, 10**6), "operators"),
        ((1, 60, 1, -1), "target_s"),
    ],
)
def test_what_makes_no_sense_is_named(arguments: tuple[float, ...], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        erlang_c(*arguments)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=named):
        erlang_a(*arguments, patience_s=60)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="patience_s"):
        erlang_a(1, 60, 1, patience_s=0)


# ── against plain sums ─────────────────────────────────────────────────────────────────────────────────────


@given(some.integers(1, 40), some.fractions(Fraction(1, 10), Fraction(99, 100), max_denominator=100))
@settings(max_examples=60)
def test_c_against_the_sum_in_the_books(n: int, busy: Fraction) -> None:
    """C = (a^n/n!)·n/(n−a) ÷ (Σ a^k/k! + the same), in exact fractions."""
    load = busy * n
    last = Fraction(1)
    total = Fraction(0)
    for k in range(n):
        total += last
        last = last * load / (k + 1)
    last = last * n / (n - load)
    found = erlang_c(float(load), 3600, n)
    assert close(found.waits, float(last / (total + last)), 1e-9)


def chain(load: float, n: int, handle_s: float, patience_s: float, target_s: float) -> Erlang:
    """Palm's chain state by state, and the wait of those served by Simpson's rule over the density of the
    wait that somebody of endless patience would have: v(x) = λ p_(n−1) exp(λ(1 − e^(−θx))/θ − nμx)."""
    lam, mu, theta = load / handle_s, 1 / handle_s, 1 / patience_s
    weights = [1.0]
    for k in range(1, n + 4000):
        weights.append(weights[-1] * lam / (min(k, n) * mu + max(k - n, 0) * theta))
        if k > n and weights[-1] < 1e-18 * max(weights):
            break
    total = math.fsum(weights)
    chances = [one / total for one in weights]
    lost = math.fsum((k - n) * theta * one for k, one in enumerate(chances) if k > n) / lam

    def density(x: float) -> float:
        return lam * chances[n - 1] * math.exp(lam * -math.expm1(-theta * x) / theta - n * mu * x)

    def simpson(end: float, weight: int) -> float:
        steps = 4000
        width = end / steps
        return (
            width
            / 3
            * math.fsum(
                (1 if k in (0, steps) else 4 if k % 2 else 2)
                * (k * width) ** weight
                * density(k * width)
                * math.exp(-theta * k * width)
                for k in range(steps + 1)
            )
        )

    at_once = math.fsum(chances[:n])
    served = 1 - lost
    far = 40 * (handle_s + patience_s) / math.sqrt(n)
    return Erlang(
        n,
        1 - at_once,
        (at_once + simpson(target_s, 0)) / served,
        served,
        lost * patience_s,
        0.0,
        simpson(far, 1) / served,
        load * served / n,
    )


@given(
    some.integers(1, 40),
    some.floats(0.2, 2.0),
    some.sampled_from([30.0, 180.0, 600.0]),
    some.sampled_from([20.0, 120.0, 900.0]),
    some.sampled_from([1.0, 9.0, 60.0]),
)
@settings(max_examples=25)
def test_a_against_the_chain_state_by_state(
    n: int, busy: float, handle_s: float, patience_s: float, target_s: float
) -> None:
    load = busy * n
    found = erlang_a(load / handle_s * 3600, handle_s, n, target_s, patience_s=patience_s)
    plain = chain(load, n, handle_s, patience_s, target_s)
    assert close(found.waits, plain.waits, 1e-7)
    assert found.answer_rate == pytest.approx(plain.answer_rate, abs=1e-9)
    assert found.within == pytest.approx(plain.within, abs=1e-6)
    assert found.answer_s == pytest.approx(plain.answer_s, rel=1e-3, abs=1e-3)
    assert found.occupancy == pytest.approx(plain.occupancy, abs=1e-9)


# ── far out ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("slack", [-1.0, 0.0, 1.5])
def test_many_operators_follow_the_square_root_law(slack: float) -> None:
    """Garnett et al. 2002, theorem 1: with n = a + β√a and patience as long as a call P(W > 0) → 1 − Φ(β),
    P(give up)·√n → φ(β) − β(1 − Φ(β)) (θ = μ)."""
    load = 10_000.0
    n = round(load + slack * math.sqrt(load))
    found = erlang_a(load * 20, 180, n, 9, patience_s=180)
    above = 0.5 * math.erfc(slack / math.sqrt(2))
    bell = math.exp(-(slack**2) / 2) / math.sqrt(2 * math.pi)
    assert found.waits == pytest.approx(above, abs=0.01)
    assert found.abandoned * math.sqrt(load) == pytest.approx(bell - slack * above, abs=0.01)


@pytest.mark.parametrize(
    ("load", "n", "patience_s"),
    [
        (1.0, 400, 60),
        (5_000.0, 4_000, 3_600),
        (2_000.0, 1_000, 20_000),
        (10_000.0, 9_000, 1),
        (0.01, 1, 1e6),
    ],
)
def test_no_figure_breaks_where_plain_sums_do(load: float, n: int, patience_s: float) -> None:
    found = erlang_a(load * 20, 180, n, 9, patience_s=patience_s)
    for share in (found.waits, found.within, found.answer_rate, found.occupancy):
        assert 0 <= share <= 1
    for seconds in (found.wait_s, found.wait_of_waiting_s, found.answer_s):
        assert 0 <= seconds < math.inf
    if load > n:  # flow that is not served gives up: no more, and nearly no less
        assert found.abandoned == pytest.approx(1 - n / load, rel=0.02)


def test_endless_patience_is_erlang_c_and_very_long_patience_nearly() -> None:
    assert erlang_a(360, 240, 30, 15, patience_s=math.inf) == erlang_c(360, 240, 30, 15)
    near = erlang_a(360, 240, 30, 15, patience_s=1e6)
    assert near.waits == pytest.approx(erlang_c(360, 240, 30, 15).waits, rel=1e-3)
    assert near.answer_s == pytest.approx(erlang_c(360, 240, 30, 15).answer_s, rel=1e-3)


@given(
    some.floats(1, 2000),
    some.floats(10, 1000),
    some.integers(0, 200),
    some.sampled_from([30.0, 300.0, math.inf]),
)
@settings(max_examples=60)
def test_one_operator_more_is_never_worse(calls_h: float, handle_s: float, n: int, patience_s: float) -> None:
    few = erlang_a(calls_h, handle_s, n, patience_s=patience_s)
    more = erlang_a(calls_h, handle_s, n + 1, patience_s=patience_s)
    tiny = 1e-9
    assert more.waits <= few.waits + tiny
    assert more.within >= few.within - tiny
    assert more.answer_rate >= few.answer_rate - tiny
    assert more.wait_s <= few.wait_s * (1 + tiny)
    assert more.answer_s <= few.answer_s * (1 + tiny)


# ── operators needed ───────────────────────────────────────────────────────────────────────────────────────


@given(
    some.floats(1, 600),
    some.floats(30, 600),
    some.sampled_from([60.0, 240.0, math.inf]),
    some.floats(0.5, 0.99),
    some.floats(2, 60),
)
@settings(max_examples=40)
def test_the_fewest_who_meet_the_targets(
    calls_h: float, handle_s: float, patience_s: float, within: float, answer_s: float
) -> None:
    found = operators_needed(
        calls_h, handle_s, patience_s=patience_s, within=within, answer_s=answer_s, answer_rate=0.9
    )

    def met(n: int) -> bool:
        one = erlang_a(calls_h, handle_s, n, patience_s=patience_s)
        return one.within >= within and one.answer_s <= answer_s and one.answer_rate >= 0.9

    assert met(found.operators)
    assert not met(found.operators - 1)


def test_a_city_counted_by_hand() -> None:
    """60 calls an hour of 2 min (a = 2), 80 % within 20 s: n = 3 has C = 4/9 and 1 − (4/9)e^(−20/120) = 0.62,
    n = 4 has C = 4/23 and 1 − (4/23)e^(−40/120) = 0.875. With a fifth of the time in breaks five people."""
    assert close(erlang_c(60, 120, 3, 20).within, 1 - 4 / 9 * math.exp(-1 / 6))
    assert close(erlang_c(60, 120, 4, 20).within, 1 - 4 / 23 * math.exp(-1 / 3))
    assert operators_needed(60, 120, target_s=20, within=0.8).operators == 4
    assert operators_needed(60, 120, target_s=20, within=0.8, shrinkage=0.2).operators == 5
    assert operators_needed(60, 120, target_s=20, within=0.8, occupancy=0.3).operators == 7


def test_nobody_calls_nobody_is_needed_and_the_impossible_is_said() -> None:
    assert operators_needed(0, 120, within=0.8).operators == 0
    with pytest.raises(ValueError, match="ask for less"):
        operators_needed(60, 120, within=0.8, occupancy=0.0)
    for wrong in ({"within": 2.0}, {"shrinkage": 1.0}, {"answer_s": -1.0}, {"occupancy": math.nan}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            operators_needed(60, 120, **wrong)
