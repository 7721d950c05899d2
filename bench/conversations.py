"""What recorded conversations cost: `python -m bench.conversations [--json] [--seconds S]`.

40 conversations at once with RTP (G.711, 20 ms) both ways, all recorded. CPU of Asterisk and engine, as a
share of one core, and the engine's memory. Peer: app_queue + MixMonitor on the same Asterisk, one after
the other in one run. A run in which the sound does not reach the other side, or a recording is missing,
counts as failed.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path

from bench.centres import BenchFailed, Centre, app_queue, ours
from bench.phones import Rtp
from bench.report import Figure, show
from bench.telephones import telephones
from bench.usage import Meter, rss_mb

CONVERSATIONS = 40
_SETTLE_S = 5.0
_PACKETS_PER_S = 50


@dataclass(frozen=True, slots=True)
class Load:
    """Share of one core (0.25: a quarter of a core) and MB by process; share of RTP that came through."""

    cpu: dict[str, float]
    rss_mb: dict[str, float]
    heard: float

    @property
    def call_path(self) -> float:
        return sum(self.cpu.get(name, 0.0) for name in ("asterisk", "engine"))


async def load(
    starting: AbstractAsyncContextManager[Centre], spool: Callable[[], list[Path]], seconds: float
) -> Load:
    """The load of `CONVERSATIONS` conversations over `seconds`."""
    async with starting as centre:
        sockets = (Rtp(), Rtp())
        async with telephones(centre, talk_s=None, rtp=sockets) as (operators, citizens):
            for _ in range(CONVERSATIONS):
                citizens.call()
                await asyncio.sleep(0.1)
            async with asyncio.timeout(30):
                while operators.talks < CONVERSATIONS:  # noqa: ASYNC110 - told by packets
                    await asyncio.sleep(0.1)
            sockets[0].talk(lambda: list(operators.active.values()))
            sockets[1].talk(lambda: list(citizens.active.values()))
            for each in sockets:
                each.count()
            await asyncio.sleep(_SETTLE_S)
            meter, heard = Meter(centre.pids), sum(each.received for each in sockets)
            sizes = sum(path.stat().st_size for path in spool())
            began = asyncio.get_running_loop().time()
            await asyncio.sleep(seconds)
            took = asyncio.get_running_loop().time() - began
            spent = meter.spent_s()
            heard = sum(each.received for each in sockets) - heard
            grown = sum(path.stat().st_size for path in spool()) - sizes
            memory = {name: rss_mb(pid) for name, pid in centre.pids.items()}
            share = heard / (2 * CONVERSATIONS * _PACKETS_PER_S * took)
            # At the least one mixed file of 8,000 samples of 2 bytes a second, for every conversation.
            wanted = CONVERSATIONS * took * 16_000
            if share < 0.9 or grown < 0.9 * wanted or len(operators.active) < CONVERSATIONS:
                raise BenchFailed(
                    f"{centre.name}: {len(operators.active)} conversations, {share:.0%} of the RTP heard,"
                    f" recordings grew by {grown / wanted:.0%} of one track"
                )
            return Load({name: each / took for name, each in spent.items()}, memory, share)


async def run(seconds: float, as_json: bool) -> None:
    with tempfile.TemporaryDirectory(prefix="daihyo-bench-") as root:
        mine_at, peer_at = Path(root) / "ours", Path(root) / "peer"
        mine = await load(
            ours(mine_at, CONVERSATIONS), lambda: list((mine_at / "state" / "spool").glob("*.wav")), seconds
        )
        peer = await load(
            app_queue(peer_at, CONVERSATIONS), lambda: list((peer_at / "spool").glob("*.wav")), seconds
        )
    show(
        f"Conversations: {CONVERSATIONS} recorded, RTP both ways",
        [
            Figure(
                "cpu", mine.call_path * 100, "% of a core", peer.call_path * 100, "Asterisk + engine", "≤ 1.1"
            ),
            Figure("engine_cpu", mine.cpu["engine"] * 100, "% of a core", goal="≤ 3"),
            Figure("engine_rss", mine.rss_mb["engine"], "MB", goal="≤ 150"),
            Figure("asterisk_rss", mine.rss_mb["asterisk"], "MB", peer.rss_mb["asterisk"]),
        ],
        as_json=as_json,
        notes=[
            f"{name}: {each.heard:.1%} of the RTP came through; "
            + ", ".join(f"{n} {cpu * 100:.1f} %" for n, cpu in sorted(each.cpu.items()))
            for name, each in (("ours", mine), ("peer", peer))
        ],
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.conversations", description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line")
    parser.add_argument("--seconds", type=float, default=20.0, help="measured seconds a centre (default 20)")
    options = parser.parse_args()
    try:
        asyncio.run(run(options.seconds, options.json))
    except (BenchFailed, TimeoutError) as error:
        raise SystemExit(
            f"bench.conversations: {error or 'not all operators were reached in 30 s'}"
        ) from None


if __name__ == "__main__":
    main()
