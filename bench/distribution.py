"""How soon a freed operator gets the next caller: `python -m bench.distribution [--json] [--seconds S]`.

10 operators, 40 callers always waiting, each conversation 3 s long and ended by the operator. Measured on
the wire at the operators' phones: from the BYE they send to the next INVITE that reaches them. The same
phones and traffic on app_queue (leastrecent) on the same Asterisk, one after the other in one run.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path

from bench.centres import BenchFailed, Centre, app_queue, ours
from bench.report import Figure, percentile, show
from bench.telephones import telephones

OPERATORS, WAITING, TALK_S = 10, 40, 3.0
# Who calls again pauses and hears the greeting first: so many more citizens are there than wait. The pause
# keeps a new call's arrival apart from the very moment that is measured.
AGAIN_AFTER_S = 0.5
GREETING_LINES = 18
WARM_UP_S = 12.0
_PING_EVERY_S = 0.1


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds: from each operator's BYE to the next INVITE; from an OPTIONS to its answer meanwhile, which
    is how slow machine and Asterisk are for everybody."""

    gaps: list[float]
    pings: list[float]


async def measure(starting: AbstractAsyncContextManager[Centre], seconds: float) -> Times:
    """The times of one centre over `seconds` after the warm-up."""
    async with starting as centre, telephones(centre, talk_s=TALK_S) as (operators, citizens):
        citizens.keep_calling(OPERATORS + WAITING + GREETING_LINES, AGAIN_AFTER_S)
        await asyncio.sleep(WARM_UP_S)
        first = len(operators.gaps)
        pings: list[float] = []
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while loop.time() < end:
            pings.append(await citizens.phone.ping())
            await asyncio.sleep(_PING_EVERY_S)
        found = operators.gaps[first:]
        if len(found) < OPERATORS:
            raise BenchFailed(f"{centre.name}: only {len(found)} calls in {seconds:g} s")
        return Times(found, pings)


async def run(seconds: float, as_json: bool) -> None:
    with tempfile.TemporaryDirectory(prefix="daihyo-bench-") as folder:
        mine = await measure(ours(Path(folder) / "ours", OPERATORS), seconds)
        peer = await measure(app_queue(Path(folder) / "peer", OPERATORS), seconds)
    show(
        f"Distribution: operator's BYE to the next INVITE, {OPERATORS} operators, {WAITING} callers waiting",
        [
            Figure(
                name, percentile(mine.gaps, share) * 1e3, "ms", percentile(peer.gaps, share) * 1e3, goal=goal
            )
            for name, share, goal in (("p50", 0.5, "≤ 1/60 of peer"), ("p99", 0.99, "≤ 20 ms"))
        ],
        as_json=as_json,
        notes=[
            f"{len(mine.gaps)} and {len(peer.gaps)} gaps, conversations of {TALK_S:g} s;"
            " peer: app_queue, leastrecent, retry 1 s",
            *(
                f"{name}: SIP OPTIONS round trip meanwhile p50 {percentile(each.pings, 0.5) * 1e3:.1f} ms,"
                f" p99 {percentile(each.pings, 0.99) * 1e3:.1f} ms"
                for name, each in (("ours", mine), ("peer", peer))
            ),
        ],
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.distribution", description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line")
    parser.add_argument("--seconds", type=float, default=45.0, help="measured seconds a centre (default 45)")
    options = parser.parse_args()
    try:
        asyncio.run(run(options.seconds, options.json))
    except BenchFailed as error:
        raise SystemExit(f"bench.distribution: {error}") from None


if __name__ == "__main__":
    main()
