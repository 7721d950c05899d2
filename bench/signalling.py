"""What a call costs without its sound: `python -m bench.signalling [--json] [--seconds S]`.

20 calls a second arrive at 50 operators who answer at once and hang up after 1.5 s; every call is answered
by the centre, greeted, queued, offered, recorded, joined, ended and written down. CPU time of Asterisk (and
of our engine, which is not there at the peer) over the calls that ended. The phones send no RTP. Peer:
app_queue + MixMonitor + CSV CDR on the same Asterisk, one after the other in one run.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path

from bench.centres import BenchFailed, Centre, app_queue, ours
from bench.report import Figure, show
from bench.telephones import telephones
from bench.usage import Meter

OPERATORS, CALLS_PER_S, TALK_S = 50, 20.0, 1.5
WARM_UP_S = 8.0


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU milliseconds a call by process, over `calls` calls that ended."""

    calls: int
    ms: dict[str, float]

    @property
    def call_path_ms(self) -> float:
        """Asterisk and engine: what a call needs to live."""
        return sum(self.ms.get(name, 0.0) for name in ("asterisk", "engine"))


async def cost(starting: AbstractAsyncContextManager[Centre], seconds: float) -> Cost:
    """CPU a call over `seconds` of steady traffic after the warm-up."""
    async with starting as centre, telephones(centre, talk_s=TALK_S) as (operators, citizens):
        traffic = asyncio.create_task(citizens.arrive(CALLS_PER_S, WARM_UP_S + seconds))
        await asyncio.sleep(WARM_UP_S)
        meter, before = Meter(centre.pids), operators.ended
        await traffic
        spent, calls = meter.spent_s(), operators.ended - before
        if calls < 0.9 * CALLS_PER_S * seconds:
            raise BenchFailed(
                f"{centre.name}: {calls} conversations in {seconds:g} s, of {CALLS_PER_S * seconds:.0f} calls"
            )
        return Cost(calls, {name: each / calls * 1e3 for name, each in spent.items()})


async def run(seconds: float, as_json: bool) -> None:
    with tempfile.TemporaryDirectory(prefix="daihyo-bench-") as folder:
        mine = await cost(ours(Path(folder) / "ours", OPERATORS), seconds)
        peer = await cost(app_queue(Path(folder) / "peer", OPERATORS), seconds)
    show(
        f"Signalling: CPU of a call, {CALLS_PER_S:g} calls/s on {OPERATORS} operators",
        [Figure("cpu", mine.call_path_ms, "ms", peer.call_path_ms, "Asterisk + engine", "≤ 1.5")],
        as_json=as_json,
        notes=[
            f"{name}: {each.calls} calls; "
            + ", ".join(f"{n} {ms:.2f} ms" for n, ms in sorted(each.ms.items()))
            for name, each in (("ours", mine), ("peer", peer))
        ],
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.signalling", description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line")
    parser.add_argument("--seconds", type=float, default=30.0, help="measured seconds a centre (default 30)")
    options = parser.parse_args()
    try:
        asyncio.run(run(options.seconds, options.json))
    except BenchFailed as error:
        raise SystemExit(f"bench.signalling: {error}") from None


if __name__ == "__main__":
    main()
