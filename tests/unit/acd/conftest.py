"""A small centre to tell facts to."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from acd import Distributor, OperatorProfile, OperatorState, QueueRules

Centre = Callable[..., Distributor]


@pytest.fixture
def centre() -> Centre:
    """`centre("1001", "1002")`: queue `main` (ring 15 s, wrap-up 20 s), its operators READY at 0, 1, … s."""

    def make(
        *operators: str, wrap_up_s: float = 20.0, ledger: bool = False, **queues: tuple[str, ...]
    ) -> Distributor:
        names = ["main", *sorted({queue for each in queues.values() for queue in each} - {"main"})]
        distributor = Distributor(
            [QueueRules(name, 15.0, wrap_up_s) for name in names],
            [OperatorProfile(each, queues.get(f"op{each}", ("main",))) for each in operators],
            ledger,
        )
        for second, each in enumerate(operators):
            distributor.phone_changed(each, True, at=float(second))
            distributor.operator_wants(each, OperatorState.READY, at=float(second))
        return distributor

    return make
