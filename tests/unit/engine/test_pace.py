"""Changes are told soon, and then not too often: on a loop whose clock the test moves."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator

import pytest

from engine.pace import GATHER_S, LEAD_S, Pace


class TestLoop(asyncio.SelectorEventLoop):
    """Its time moves on as far as the next timer, at once."""

    __test__ = False
    now = 100.0

    def time(self) -> float:
        return self.now

    def run_until(self, at: float) -> None:
        """All timers due by then, in order."""

        async def pass_time() -> None:
            while self._scheduled and self._scheduled[0].when() <= at:  # type: ignore[attr-defined]
                self.now = self._scheduled[0].when()  # type: ignore[attr-defined]
                await asyncio.sleep(0)
                await asyncio.sleep(0)
            self.now = at

        self.run_until_complete(pass_time())


@pytest.fixture
def loop() -> Iterator[TestLoop]:
    made = TestLoop()
    asyncio.set_event_loop(made)
    yield made
    asyncio.set_event_loop(None)
    made.close()


def soon(loop: TestLoop, pace: Pace) -> None:
    async def tell() -> None:
        pace.soon()

    loop.run_until_complete(tell())


@pytest.mark.req("MON-1")
def test_the_first_change_waits_for_its_neighbours_only(loop: TestLoop) -> None:
    told: list[float] = []
    pace = Pace(lambda: told.append(loop.now))
    for _ in range(5):
        soon(loop, pace)
    loop.run_until(101.0)
    assert told == pytest.approx([100.0 + LEAD_S])
    soon(loop, pace)
    loop.run_until(102.0)
    assert told[1:] == pytest.approx([101.0 + LEAD_S])  # long after: soon again


@pytest.mark.req("MON-1")
def test_changes_without_end_are_told_at_the_pace(loop: TestLoop) -> None:
    told: list[float] = []
    pace = Pace(lambda: told.append(loop.now))
    for n in range(100):
        loop.run_until(100.0 + n / 100)
        soon(loop, pace)
    gaps = [after - before for before, after in itertools.pairwise(told)]
    assert len(told) >= 9
    assert min(gaps) >= GATHER_S - 1e-9
    assert max(gaps) <= GATHER_S + LEAD_S
