"""Many calls that end at the same instant: how soon each freed operator gets the next caller.

All operators talk, as many callers and more wait; then every operator hangs up at once. Rounds of that,
measured as in `bench.distribution`: from each one's BYE to their next INVITE, on the wire.
"""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager

from bench.centres import BenchFailed, Centre
from bench.phones import Operators
from bench.telephones import telephones

SETTLE_S = 4.0  # all who hung up have called again, heard the greeting and wait
AGAIN_AFTER_S = 0.5
MORE = 10  # callers beyond two for each operator


async def bursts(starting: AbstractAsyncContextManager[Centre], count: int, seconds: float) -> list[float]:
    """Seconds from BYE to INVITE, `count` a round, for about `seconds`. BenchFailed when the operators are
    not all in talk again within 30 s."""
    async with starting as centre, telephones(centre, talk_s=None) as (operators, citizens):
        loop = asyncio.get_running_loop()
        citizens.keep_calling(2 * count + MORE, AGAIN_AFTER_S)
        await _all_talk(centre, operators, count)
        await asyncio.sleep(SETTLE_S)
        end = loop.time() + seconds
        first = len(operators.gaps)
        while loop.time() < end:
            for leg in list(operators.active.values()):
                operators.phone.bye(leg)
            await _all_talk(centre, operators, count)
            await asyncio.sleep(SETTLE_S)
        return operators.gaps[first:]


async def _all_talk(centre: Centre, operators: Operators, count: int) -> None:
    try:
        async with asyncio.timeout(30):
            while sum(leg.talking for leg in operators.active.values()) < count:  # noqa: ASYNC110 - legs tell nobody
                await asyncio.sleep(0.02)
    except TimeoutError:
        talking = sum(leg.talking for leg in operators.active.values())
        raise BenchFailed(f"{centre.name}: {talking} of {count} operators talk again after 30 s") from None
