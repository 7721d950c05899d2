"""ARI requests over HTTP and over the event WebSocket, under load, on a real Asterisk.

    python -m bench.transports [--seconds 2] [--json]

Both lanes carry the same cheap requests (ringing on and off, a variable read, a bridge made and deleted)
on eight waiting calls, with 1, 8 and 32 requests under way at once: round trip (p50, p99, ms), requests a
second, CPU of Asterisk and of Python (ms a request). Then the same while one request is held up by a
channel that plays: how long the others wait. The last line with --json is one object, a figure a key;
`ours` is the WebSocket, `peer` HTTP.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import os
import resource
import tempfile
import time
from pathlib import Path
from typing import Any

import uvloop

from switch.ari import AriConnection, Lane
from tests.live.support.mini_asterisk import MiniAsterisk
from tests.live.support.sip_phone import SipPhone

TICKS = os.sysconf("SC_CLK_TCK")
Figures = dict[str, float]


def asterisk_cpu_s(pid: int) -> float:
    """User and system time of the process, seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def python_cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def quantile(values: list[float], q: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(q * len(ordered)))]


async def one_round(ari: AriConnection, lane: Lane, channel: str, fresh: str, spent: list[float]) -> None:
    """Five cheap requests; their round trips (s) are appended to `spent`."""
    for method, uri, query in (
        ("POST", f"channels/{channel}/ring", None),
        ("DELETE", f"channels/{channel}/ring", None),
        ("GET", f"channels/{channel}/variable", {"variable": "CHANNEL(language)"}),
        ("POST", "bridges", {"type": "mixing", "bridgeId": fresh, "name": "bench"}),
        ("DELETE", f"bridges/{fresh}", None),
    ):
        begun = time.perf_counter()
        await ari.request(method, uri, query, lane=lane)
        spent.append(time.perf_counter() - begun)


async def load(
    ari: AriConnection, pid: int, lane: Lane, channels: list[str], at_once: int, seconds: float
) -> Figures:
    """`at_once` tasks send for `seconds`."""
    spent: list[float] = []
    numbers = itertools.count()
    end = time.perf_counter() + seconds
    run = f"{lane}-{at_once}-{time.monotonic_ns()}"

    async def one(channel: str) -> None:
        while time.perf_counter() < end:
            await one_round(ari, lane, channel, f"{run}-{next(numbers)}", spent)

    before = (asterisk_cpu_s(pid), python_cpu_s(), time.perf_counter())
    await asyncio.gather(*(one(channels[number % len(channels)]) for number in range(at_once)))
    after = (asterisk_cpu_s(pid), python_cpu_s(), time.perf_counter())
    count = len(spent)
    return {
        "p50_ms": quantile(spent, 0.5) * 1000,
        "p99_ms": quantile(spent, 0.99) * 1000,
        "per_s": count / (after[2] - before[2]),
        "asterisk_cpu_ms": (after[0] - before[0]) * 1000 / count,
        "python_cpu_ms": (after[1] - before[1]) * 1000 / count,
    }


async def held_up(ari: AriConnection, lane: Lane, channel: str, other: str, sound: str) -> float:
    """The longest round trip (ms) of cheap requests while a bridge waits for a channel that plays for 2 s."""
    await ari.request("POST", "bridges", {"type": "mixing", "bridgeId": f"held-{lane}", "name": "bench"})
    await ari.request("POST", f"channels/{channel}/play", {"media": sound})
    first: Lane = "http" if lane == "http" else "socket"
    adding = asyncio.create_task(
        ari.request("POST", f"bridges/held-{lane}/addChannel", {"channel": channel}, lane=first)
    )
    await asyncio.sleep(0.1)
    spent: list[float] = []
    number = 0
    while not adding.done():
        number += 1
        await one_round(ari, lane, other, f"beside-{lane}-{number}", spent)
        await asyncio.sleep(0.02)
    await adding
    await ari.request("DELETE", f"bridges/held-{lane}")
    return max(spent) * 1000


async def measure(seconds: float) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="daihyo-bench-") as folder:
        asterisk = MiniAsterisk(Path(folder), ("1001",))
        await asterisk.start()
        arrived: asyncio.Queue[str] = asyncio.Queue()

        def on_event(event: dict[str, Any]) -> None:
            if event["type"] == "StasisStart":
                arrived.put_nowait(event["channel"]["id"])

        ari = AriConnection(asterisk.settings(request_timeout_s=10.0, heartbeat_s=30.0), on_event)
        phones: list[SipPhone] = []
        try:
            await ari.open()
            channels = []
            for number in range(8):
                phones.append(await SipPhone.open(asterisk.sip_port, f"0300000{number}"))
                await phones[-1].call("1", wait_answer=False)
                channels.append(await asyncio.wait_for(arrived.get(), 5))
            result: dict[str, Any] = {}
            lanes: tuple[Lane, ...] = ("socket", "http")
            for at_once in (1, 8, 32):
                for lane in lanes:
                    result[f"{lane}_{at_once}"] = await load(
                        ari, asterisk.pid, lane, channels, at_once, seconds
                    )
            await ari.request("POST", f"channels/{channels[0]}/answer", lane="http")
            sound = f"sound:{asterisk.folder}/sounds/en/tone2s"
            everything: tuple[Lane, ...] = ("socket", "http", "auto")
            for lane in everything:
                result[f"held_{lane}"] = await held_up(ari, lane, channels[0], channels[1], sound)
            return result
        finally:
            await ari.close()
            for phone in phones:
                phone.close()
            asterisk.kill()


def figures(result: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """A figure a key, with ours (WebSocket), peer (HTTP), ratio and unit."""
    out: dict[str, dict[str, Any]] = {}
    units = {"p50_ms": "ms", "p99_ms": "ms", "per_s": "1/s", "asterisk_cpu_ms": "ms", "python_cpu_ms": "ms"}
    for at_once in (1, 8, 32):
        for name, unit in units.items():
            ours, peer = result[f"socket_{at_once}"][name], result[f"http_{at_once}"][name]
            out[f"{name}_{at_once}"] = {"ours": ours, "peer": peer, "ratio": ours / peer, "unit": unit}
    for lane in ("socket", "auto"):
        ours, peer = result[f"held_{lane}"], result["held_http"]
        out[f"held_{lane}"] = {"ours": ours, "peer": peer, "ratio": ours / peer, "unit": "ms"}
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=2.0, help="how long each of the six loads lasts")
    parser.add_argument("--json", action="store_true", help="the last line is one JSON object")
    options = parser.parse_args()
    out = figures(uvloop.run(measure(options.seconds)))
    print(f"{'figure':22}{'WebSocket':>12}{'HTTP':>12}{'ratio':>8}")
    for name, row in out.items():
        print(f"{name:22}{row['ours']:12.3f}{row['peer']:12.3f}{row['ratio']:8.2f} {row['unit']}")
    if options.json:
        print(json.dumps({name: {**row} for name, row in out.items()}))


if __name__ == "__main__":
    main()
