"""Two hundred consoles on one console process: `python -m bench.console [--json] [--seconds S]`.

180 operators' seats and 20 boards (WebSocket clients, signed in) look at one console process. It is fed by a
control socket with a busy day on it (`bench.console_day`: two calls a second, the engine's own pacing) and by
a database that already holds today's calls and gets those that end. Measured: from an event in the engine to
the frame that brings it, at every page that shows it, in ms; and the console's CPU as a share of one core.
Clients and feed run in a process of their own, on the same machine. No peer.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import hashlib
import secrets
import socket
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import orjson
from ruamel.yaml import YAML
from sqlalchemy import insert

from agent_console import ConsoleSettings, run, sync_users
from asterisk_conf import Secrets
from bench.centres import BenchFailed
from bench.console_day import QUEUES, Day, Ended
from bench.report import Figure, percentile, show
from bench.usage import Meter, rss_mb
from cdr import Span
from dialplans import load_site
from store import CallRow, Store, UserSession

SEATS, BOARDS = 180, 20
CALLS_S, TALK_S, WRAP_S = 2.0, 60.0, 10.0
TODAY = 2000  # calls that the day has had already
WARM_UP_S = 8.0
_READY_S = 60.0
_PING_EVERY_S = 0.1


def site(operators: int, boards: int) -> dict[str, Any]:
    """A centre of that size."""
    return {
        "city": "みなと市",
        "centre": "みなと市コールセンター",
        "id": "minato",
        "numbers": [
            {
                "number": f"0246-22-{1111 + n}",
                "name": name,
                "queue": queue,
                "greeting": "みなと市です。",
                "recording_notice": "録音します。",
            }
            for n, (name, queue) in enumerate(zip(("市代表", "ごみ相談", "税"), QUEUES, strict=True))
        ],
        "queues": [{"id": one, "name": one} for one in QUEUES],
        "operators": [
            {"id": str(1001 + n), "name": f"操作者{n + 1:03}", "queues": list(QUEUES)}
            for n in range(operators)
        ],
        "users": [
            {"login": f"op{n}", "name": f"操作者{n}", "role": "operator", "operator": str(1001 + n)}
            for n in range(operators)
        ]
        + [{"login": f"sv{n}", "name": f"監督{n}", "role": "supervisor"} for n in range(boards)],
        "trunks": [{"id": "test", "addresses": ["127.0.0.0/8"], "max_channels": 300}],
    }


def settings(folder: Path, port: int) -> ConsoleSettings:
    return ConsoleSettings(
        listen="127.0.0.1",
        http_port=port,
        database_url=f"sqlite:///{folder}/console.db",
        control_socket=folder / "engine.sock",
        ari_ws_url="ws://127.0.0.1:1/ws",
        archive=folder / "archive",
        site_path=folder / "site.yaml",
        secrets_path=folder / "secrets.json",
        sip_domain="127.0.0.1",
    )


@dataclass
class Screens:
    """What all pages saw. Seconds from event to frame, and from a page's ping to its answer (how slow machine
    and programs are for everybody); `frames` and `size` (bytes) of all pages together."""

    latencies: list[float] = field(default_factory=list)
    frames: int = 0
    size: int = 0
    measuring: bool = False
    lost: int = 0
    pings: list[float] = field(default_factory=list)

    def took(self, frame: bytes, at: float, seen: dict[str, float]) -> None:
        """A frame that came at monotonic second `at`; `seen`: the newest event by entity of that page."""
        self.frames += 1
        self.size += len(frame)
        for entity in entities(orjson.loads(frame)):
            stamp = entity.get("bench")
            if stamp is None or seen.get(entity["id"]) == stamp:
                continue
            fresh = entity["id"] in seen
            seen[entity["id"]] = stamp
            if self.measuring and (fresh or at - stamp < 5.0):
                self.latencies.append(at - stamp)


def entities(update: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Operators and calls in a page's update, a seat's own included."""
    yield from update.get("operators", ())
    yield from update.get("calls", ())
    for name in ("me", "call"):
        if update.get(name):
            yield update[name]


async def look(
    screens: Screens, client: aiohttp.ClientSession, url: str, cookie: str, seat: str | None
) -> None:
    """One page, until cancelled."""
    seen: dict[str, float] = {}
    async with client.ws_connect(
        url, headers={"Cookie": cookie}, compress=0, max_msg_size=64 * 2**20, autoping=True
    ) as page:
        if seat is not None:
            frame = {"instance": f"bench-{seat}-{secrets.token_hex(4)}", "phone": "browser"}
            await page.send_str(orjson.dumps({"seat": frame}).decode())
        async for message in page:
            screens.took(message.data.encode(), time.monotonic(), seen)
    screens.lost += 1


async def ping(screens: Screens, client: aiohttp.ClientSession, url: str, cookie: str) -> None:
    """A page that asks for a sign of life again and again, until cancelled."""
    async with client.ws_connect(url, headers={"Cookie": cookie}, compress=0) as page:
        while True:
            asked = time.monotonic()
            await page.send_str('{"ping":true}')
            while len(orjson.loads((await page.receive_str()).encode())) > 1:
                pass  # what it is told besides
            if screens.measuring:
                screens.pings.append(time.monotonic() - asked)
            await asyncio.sleep(_PING_EVERY_S)


async def signed_in(store: Store, logins: list[str]) -> dict[str, str]:
    """A session's token for each login, without the cost of two hundred passwords."""
    now = datetime.now(UTC)
    tokens = {login: secrets.token_urlsafe(32) for login in logins}
    async with store.session() as database:
        for login, token in tokens.items():
            database.add(
                UserSession(
                    token_hash=hashlib.sha256(token.encode()).hexdigest(),
                    login=login,
                    csrf=secrets.token_urlsafe(24),
                    created_at=now,
                    last_seen_at=now,
                    expires_at=now + timedelta(hours=12),
                    address="127.0.0.1",
                )
            )
    return tokens


def row(one: Ended, number: str = "0246221111") -> dict[str, Any]:
    """A call as it stands in the records."""
    answer_s = (one.answered - one.began).total_seconds()
    made: dict[str, Any] = {
        column.name: None for column in CallRow.__table__.columns if column.nullable or column.default is None
    }
    return made | {
        "call": one.call,
        "number": number,
        "caller": "09012345678",
        "queue": one.queue,
        "via": "engine",
        "arrived_at": one.began,
        "queued_at": one.began,
        "answered_at": one.answered,
        "ended_at": one.ended,
        "operator": one.operator,
        "operators": [one.operator],
        "offers": 1,
        "refusals": 0,
        "answer_s": answer_s,
        "wait_s": answer_s,
        "total_s": (one.ended - one.began).total_seconds(),
        "talk_s": (one.ended - one.answered).total_seconds(),
        "hold_s": 0.0,
        "outcome": "answered",
        "open": True,
        "staff": False,
        "queues": True,
    }


async def fill(store: Store, zone: str, count: int) -> None:
    """Today's calls so far."""
    start, now = Span.today(zone).start, datetime.now(UTC)
    each = max((now - start) / (count + 1), timedelta(milliseconds=1))
    rows = []
    for n in range(count):
        began = start + n * each
        answered = began + timedelta(seconds=4 + n % 9)
        ended = answered + timedelta(seconds=120)
        operator = str(1001 + n % SEATS)
        rows.append(row(Ended(f"before-{n}", QUEUES[n % len(QUEUES)], operator, began, answered, ended)))
    async with store.session() as database:
        await database.execute(insert(CallRow), rows)


@contextlib.asynccontextmanager
async def console(folder: Path, port: int) -> AsyncIterator[int]:
    """One console process, as `daihyo up` runs it; its pid."""
    command = [sys.executable, "-m", "bench.console", "--serve", str(folder), "--port", str(port)]
    process = await asyncio.create_subprocess_exec(*command)
    try:
        async with asyncio.timeout(_READY_S), aiohttp.ClientSession() as client:
            while True:
                with contextlib.suppress(aiohttp.ClientError):
                    async with client.get(f"http://127.0.0.1:{port}/healthz") as answer:
                        if (await answer.json())["engine"]:
                            break
                await asyncio.sleep(0.1)
        yield process.pid
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def measure(seconds: float) -> tuple[Screens, dict[str, float], int]:
    """What the pages saw in `seconds` after the warm-up; the console's share of a core and MB; events."""
    with tempfile.TemporaryDirectory(prefix="daihyo-bench-") as name, socket.socket() as free:
        folder = Path(name)
        (folder / "archive").mkdir()
        with (folder / "site.yaml").open("w", encoding="utf-8") as file:
            YAML().dump(site(SEATS, BOARDS), file)
        made = load_site(folder / "site.yaml")
        Secrets.load_or_create(folder / "secrets.json", made)
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
        free.close()
        store = await Store.open(settings(folder, port).database_url)
        async with contextlib.AsyncExitStack() as stack:
            stack.push_async_callback(store.close)
            await sync_users(store, made)
            await fill(store, made.timezone, TODAY)
            tokens = await signed_in(store, [user.login for user in made.users])
            over: asyncio.Queue[Ended] = asyncio.Queue()
            day = Day(folder / "engine.sock", SEATS, CALLS_S, TALK_S, WRAP_S, over.put_nowait)
            await day.start()
            stack.push_async_callback(day.stop)
            pid = await stack.enter_async_context(console(folder, port))
            client = await stack.enter_async_context(
                aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
            )
            screens = Screens()
            url = f"ws://127.0.0.1:{port}/live"
            work = [asyncio.create_task(_records(store, over))]
            for user in made.users:
                cookie = f"daihyo_session_{port}={tokens[user.login]}"
                work.append(asyncio.create_task(look(screens, client, url, cookie, user.operator)))
                await asyncio.sleep(0.01)
            cookie = f"daihyo_session_{port}={tokens[made.users[0].login]}"
            work.append(asyncio.create_task(ping(screens, client, url, cookie)))
            stack.push_async_callback(_end, work)
            await asyncio.sleep(WARM_UP_S)
            meter, events, frames = Meter({"console": pid}), day.events, screens.frames
            screens.measuring, began = True, time.monotonic()
            await asyncio.sleep(seconds)
            took = time.monotonic() - began
            screens.measuring = False
            cost = {"cpu": meter.spent_s()["console"] / took, "rss": rss_mb(pid)}
            cost["frames"] = (screens.frames - frames) / took
            failed = [task for task in work if task.done()]
            if failed or screens.lost or not screens.latencies:
                why = next((str(task.exception()) for task in failed if task.exception()), "")
                raise BenchFailed(f"{screens.lost} pages were cut off, {len(failed)} failed {why}")
            return screens, cost, day.events - events


async def _records(store: Store, over: asyncio.Queue[Ended]) -> None:
    """Writes calls that ended, as the worker does."""
    while True:
        rows = [row(await over.get())]
        await asyncio.sleep(0.25)
        while not over.empty():
            rows.append(row(over.get_nowait()))
        async with store.session() as database:
            await database.execute(insert(CallRow), rows)


async def _end(work: list[asyncio.Task[None]]) -> None:
    for task in work:
        task.cancel()
    await asyncio.gather(*work, return_exceptions=True)


async def report(seconds: float, as_json: bool) -> None:
    screens, cost, events = await measure(seconds)
    show(
        f"Console: event to screen, {SEATS} seats and {BOARDS} boards on one console process",
        [
            Figure("p50", percentile(screens.latencies, 0.5) * 1e3, "ms", goal="–"),
            Figure("p99", percentile(screens.latencies, 0.99) * 1e3, "ms", goal="≤ 200 ms"),
            Figure("max", max(screens.latencies) * 1e3, "ms"),
            Figure("cpu", cost["cpu"], "cores", what="of the console", goal="< 1"),
            Figure("rss", cost["rss"], "MB", what="of the console"),
            Figure("frames", cost["frames"], "1/s", what="to all pages"),
        ],
        as_json=as_json,
        notes=[
            f"{events / seconds:.0f} events a second ({CALLS_S:g} calls), seen"
            f" {len(screens.latencies)} times;"
            f" a page's ping meanwhile: p50 {percentile(screens.pings, 0.5) * 1e3:.1f} ms,"
            f" p99 {percentile(screens.pings, 0.99) * 1e3:.1f} ms"
        ],
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m bench.console", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line")
    parser.add_argument("--seconds", type=float, default=30.0, help="measured seconds (default 30)")
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        if options.serve is not None:
            runner.run(run(settings(options.serve, options.port)))
            return
        try:
            runner.run(report(options.seconds, options.json))
        except BenchFailed as error:
            raise SystemExit(f"bench.console: {error}") from None


if __name__ == "__main__":
    main()
