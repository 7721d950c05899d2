"""How soon a freed operator gets the next caller, and how evenly calls are shared out.

    python -m bench.distribution [--json] [--seconds S] [--operators N] [--burst | --evenness]

10 operators (or N), 40 callers always waiting, each conversation 3 s long and ended by the operator. Measured
on the wire at the operators' phones: from the BYE they send to the next INVITE that reaches them. The same
phones and traffic on app_queue (leastrecent) on the same Asterisk, one after the other in one run. With more
operators conversations last longer: as many end in a second as with 10.

`--burst`: all operators hang up at the same instant, again and again (`bench.burst`). `--evenness`: calls by
operator under each strategy (`bench.evenness`), S seconds each.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path

from bench import evenness
from bench.burst import bursts
from bench.centres import BenchFailed, Centre, app_queue, ours
from bench.phones import Rtp
from bench.report import Figure, percentile, show
from bench.telephones import telephones

OPERATORS, WAITING, TALK_S = 10, 40, 3.0
PER_S = OPERATORS / TALK_S  # conversations that end; with more operators each lasts longer
# Who calls again pauses and hears the greeting first: so many more citizens are there than wait. The pause
# keeps a new call's arrival apart from the very moment that is measured.
AGAIN_AFTER_S = 0.5
GREETING_LINES = 18
AT_ONCE = 70  # citizens who begin together; more at once are more than two cores bear
WARM_UP_S = 12.0
_PING_EVERY_S = 0.1
_OUR_PORTS, _THEIR_PORTS = (20000, 22999), (23000, 25999)


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds: from each operator's BYE to the next INVITE; from an OPTIONS to its answer meanwhile, which
    is how slow machine and Asterisk are for everybody."""

    gaps: list[float]
    pings: list[float]


def talk_s(operators: int) -> float:
    return max(TALK_S, operators / PER_S)


async def measure(starting: AbstractAsyncContextManager[Centre], count: int, seconds: float) -> Times:
    """The times of one centre with so many operators over `seconds` after the warm-up."""
    each_s = talk_s(count)
    sockets = (Rtp(), Rtp())
    async with starting as centre, telephones(centre, talk_s=each_s, rtp=sockets) as (operators, citizens):
        sockets[0].keep_alive(lambda: list(operators.active.values()))
        sockets[1].keep_alive(lambda: list(citizens.active.values()))
        lines = count + WAITING + GREETING_LINES
        citizens.keep_calling(lines, AGAIN_AFTER_S, AT_ONCE)
        await asyncio.sleep(WARM_UP_S - TALK_S + each_s + max(0, lines - AT_ONCE) / 10)
        first = len(operators.gaps)
        pings: list[float] = []
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while loop.time() < end:
            pings.append(await citizens.phone.ping())
            await asyncio.sleep(_PING_EVERY_S)
        found = operators.gaps[first:]
        if len(found) < 0.5 * count * seconds / (each_s + 1):
            raise BenchFailed(f"{centre.name}: only {len(found)} calls in {seconds:g} s")
        return Times(found, pings)


async def run(count: int, seconds: float, as_json: bool) -> None:
    with tempfile.TemporaryDirectory(prefix="daihyo-bench-") as folder:
        mine = await measure(ours(Path(folder) / "ours", count, _OUR_PORTS), count, seconds)
        peer = await measure(app_queue(Path(folder) / "peer", count, _THEIR_PORTS), count, seconds)
    show(
        f"Distribution: operator's BYE to the next INVITE, {count} operators, {WAITING} callers waiting",
        [
            Figure(
                name, percentile(mine.gaps, share) * 1e3, "ms", percentile(peer.gaps, share) * 1e3, goal=goal
            )
            for name, share, goal in (("p50", 0.5, "≤ 1/60 of peer"), ("p99", 0.99, "≤ 20 ms"))
        ],
        as_json=as_json,
        notes=[
            f"{len(mine.gaps)} and {len(peer.gaps)} gaps, conversations of {talk_s(count):.3g} s;"
            " peer: app_queue, leastrecent, retry 1 s",
            *(
                f"{name}: SIP OPTIONS round trip meanwhile p50 {percentile(each.pings, 0.5) * 1e3:.1f} ms,"
                f" p99 {percentile(each.pings, 0.99) * 1e3:.1f} ms"
                for name, each in (("ours", mine), ("peer", peer))
            ),
        ],
    )


async def run_burst(count: int, seconds: float, as_json: bool) -> None:
    with tempfile.TemporaryDirectory(prefix="daihyo-bench-") as folder:
        mine = await bursts(ours(Path(folder) / "ours", count, _OUR_PORTS), count, seconds)
        peer = await bursts(app_queue(Path(folder) / "peer", count, _THEIR_PORTS), count, seconds)
    show(
        f"Distribution: {count} calls end at the same instant, BYE to the next INVITE of each operator",
        [
            Figure(f"burst_{name}", percentile(mine, share) * 1e3, "ms", percentile(peer, share) * 1e3)
            for name, share in (("p50", 0.5), ("p99", 0.99), ("last", 1.0))
        ],
        as_json=as_json,
        notes=[f"{len(mine)} and {len(peer)} gaps; peer: app_queue, leastrecent, retry 1 s"],
    )


async def run_evenness(seconds: float, as_json: bool) -> None:
    seed = 20261122
    with tempfile.TemporaryDirectory(prefix="daihyo-bench-") as name:
        folder, count = Path(name), evenness.OPERATORS
        mine = {
            one: await evenness.shares(ours(folder / f"ours-{one}", count, strategy=one), seconds, seed)
            for one in evenness.OURS
        }
        peers = {
            one: await evenness.shares(app_queue(folder / f"peer-{one}", count, strategy=one), seconds, seed)
            for one in evenness.THEIRS
        }
    by_peer = {theirs: one for one, theirs in evenness.OURS.items()}
    figures = []
    for theirs, each in peers.items():
        one = by_peer.get(theirs, "longest_idle")
        what = f"{one} beside it"
        figures += [
            Figure(f"spread_{theirs}", mine[one].spread, "calls", each.spread, what),
            Figure(f"late_{theirs}", mine[one].late, "× the others", each.late, what, "1"),
        ]
    show(
        f"Evenness: {count} operators, {evenness.LATE} of them from half-time on, unequal talks",
        figures,
        as_json=as_json,
        notes=[
            "spread: most less fewest calls of those there all the time; late: calls of a late one since"
            " they came, by the others' in that time",
            *(
                f"{kind} {one}: {' '.join(f'{name}:{n}' for name, n in sorted(each.calls.items()))}"
                for kind, group in (("ours", mine), ("app_queue", peers))
                for one, each in group.items()
            ),
        ],
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m bench.distribution", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line")
    parser.add_argument("--seconds", type=float, default=45.0, help="measured seconds a centre (default 45)")
    parser.add_argument(
        "--operators", type=int, default=OPERATORS, help=f"how many (default {OPERATORS}; up to 200)"
    )
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument("--burst", action="store_true", help="all operators hang up at the same instant")
    kind.add_argument("--evenness", action="store_true", help="calls by operator under each strategy")
    options = parser.parse_args()
    if options.evenness:
        work = run_evenness(options.seconds, options.json)
    elif options.burst:
        work = run_burst(options.operators, options.seconds, options.json)
    else:
        work = run(options.operators, options.seconds, options.json)
    try:
        asyncio.run(work)
    except BenchFailed as error:
        raise SystemExit(f"bench.distribution: {error}") from None


if __name__ == "__main__":
    main()
