"""How evenly calls are shared out: each strategy of ours and of app_queue with the same callers.

Calls come at chance at two fifths of what the operators can do, so that there is a choice among several.
Talks are of unequal length, and two operators take half as long again as the others. Two operators sign on
at half-time. From the seed everything is the same for each strategy, call by call.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from bench.centres import BenchFailed, Centre
from bench.sip import Leg
from bench.sip_message import uri_of
from bench.telephones import telephones

OPERATORS, LATE, SLOW = 10, 2, 2
TALK_S, SLOWER, LOAD = 1.2, 1.5, 0.4
OURS = {"longest_idle": "leastrecent", "fewest_calls": "fewestcalls", "round_robin": "rrmemory"}
THEIRS = ("leastrecent", "fewestcalls", "rrmemory", "random", "linear")


@dataclass(frozen=True, slots=True)
class Shares:
    """Calls answered by each operator. `spread`: most less fewest calls among those who were there all the
    time. `late`: calls of the late ones since they came, for each of the others' in that time (1: even)."""

    calls: dict[str, int]
    spread: int
    late: float


async def shares(starting: AbstractAsyncContextManager[Centre], seconds: float, seed: int) -> Shares:
    """The calls of `seconds`; at half of it the late ones come."""
    async with starting as centre:
        ids = sorted(centre.secrets)
        early, slow = ids[:-LATE], set(ids[:SLOW])
        async with telephones(centre, talk_s=None, first=early) as (operators, citizens):
            calls: Counter[str] = Counter()

            def length(leg: Leg) -> float:
                calls[leg.user] += 1
                assert leg.invite is not None
                drawn = random.Random(f"{seed} {uri_of(leg.invite['from'])}").uniform(0.2, 1.8) * TALK_S
                return drawn * (SLOWER if leg.user in slow else 1.0)

            operators.length = length
            chance = random.Random(seed)
            loop = asyncio.get_running_loop()
            began = loop.time()
            for half in (0, 1):
                there = len(early) + half * LATE
                per_s = LOAD * there / TALK_S
                if half:
                    before = dict(calls)
                    await operators.register({one: centre.secrets[one] for one in ids[-LATE:]})
                    await centre.open(ids[-LATE:])
                at = loop.time()
                while at < began + seconds * (half + 1) / 2:
                    await asyncio.sleep(max(0.0, at - loop.time()))
                    citizens.call()
                    at += chance.expovariate(per_s)
            await asyncio.sleep(3 * TALK_S)
            if sum(calls.values()) < 0.9 * citizens.made:
                raise BenchFailed(f"{centre.name}: {sum(calls.values())} of {citizens.made} calls answered")
            others = [calls[one] - before.get(one, 0) for one in early]
            counts = [calls[one] for one in early]
            late = sum(calls[one] for one in ids[-LATE:]) / LATE
            return Shares(dict(calls), max(counts) - min(counts), late / max(1.0, sum(others) / len(others)))
