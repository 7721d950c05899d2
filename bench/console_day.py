"""A centre's control socket with a day's traffic on it, for `bench.console`: whole entities as the engine
tells them, gathered by the engine's own `Pace`; calls come, wait, ring, talk, end; operators follow them.

Each entity that changes bears `bench`: the monotonic second of the event that changed it. The console passes
entities on as they are, so a page can tell how old what it shows is.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
from aiohttp import web

from engine.pace import Pace

Entity = dict[str, Any]
QUEUES = ("main", "waste", "tax")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


@dataclass
class Ended:
    """A call that is over, as it stands in the records."""

    call: str
    queue: str
    operator: str
    began: datetime
    answered: datetime
    ended: datetime


@dataclass
class Day:
    """`calls_s` calls a second come in; each is talked for `talk_s` and wrapped up for `wrap_s` seconds on
    the average. `ended` is called for each that is over."""

    path: Path
    operators: int
    calls_s: float
    talk_s: float
    wrap_s: float
    ended: Callable[[Ended], None]
    events: int = 0
    _calls: dict[str, Entity] = field(default_factory=dict)
    _people: dict[str, Entity] = field(default_factory=dict)
    _changed_calls: set[str] = field(default_factory=set)
    _changed_people: set[str] = field(default_factory=set)
    _gone: set[str] = field(default_factory=set)
    _sockets: set[web.WebSocketResponse] = field(default_factory=set)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def start(self) -> None:
        """The socket serves and calls come."""
        self._random = random.Random(11)
        self._ids = itertools.count(1)
        self._ready: asyncio.Queue[str] = asyncio.Queue()
        self._pace = Pace(self._flush)
        for n in range(self.operators):
            id = str(1001 + n)
            self._people[id] = _operator(id)
            self._ready.put_nowait(id)
        app = web.Application()
        app.router.add_get("/", self._serve)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.UnixSite(self._runner, str(self.path)).start()
        self._do(self._arrivals())

    async def stop(self) -> None:
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for socket in tuple(self._sockets):
            await socket.close()
        await self._runner.cleanup()

    # -- calls

    async def _arrivals(self) -> None:
        while True:
            await asyncio.sleep(self._random.expovariate(self.calls_s))
            self._do(self._call(f"minato-{next(self._ids)}.1"))

    async def _call(self, id: str) -> None:
        """One call's life, as `engine.conversation` tells it."""
        began = datetime.now(UTC)
        queue = self._random.choice(QUEUES)
        self._calls[id] = _call(id, queue)
        self._call_is(id, phase="greeting")
        await asyncio.sleep(self._random.uniform(0.5, 2.0))
        self._call_is(id, phase="waiting", queued_at=_now(), position=self._ready.qsize() or 1)
        operator = await self._ready.get()
        self._is(operator, "ringing", id)
        self._call_is(id, phase="ringing", operator=operator, position=None)
        await asyncio.sleep(self._random.uniform(0.5, 3.0))
        answered = datetime.now(UTC)
        self._is(operator, "talking", id)
        self._call_is(id, phase="talking", answered_at=_now())
        await asyncio.sleep(self._random.expovariate(1 / self.talk_s))
        del self._calls[id]
        self._gone.add(id)
        self._is(operator, "wrap_up", None)
        self.ended(Ended(id, queue, operator, began, answered, datetime.now(UTC)))
        await asyncio.sleep(self._random.expovariate(1 / self.wrap_s))
        tally = self._people[operator]["tally"]
        self._is(operator, "ready", None, tally={**tally, "calls": tally["calls"] + 1})
        self._ready.put_nowait(operator)

    def _is(self, operator: str, state: str, call: str | None, **more: Any) -> None:
        former = self._people[operator]
        self._people[operator] = {
            **former,
            "state": state,
            "since": _now(),
            "call": call,
            "bench": time.monotonic(),
            **more,
        }
        self._changed_people.add(operator)
        self._happened()

    def _call_is(self, id: str, **changes: Any) -> None:
        self._calls[id] = {**self._calls[id], **changes, "since": _now(), "bench": time.monotonic()}
        self._changed_calls.add(id)
        self._happened()

    def _happened(self) -> None:
        self.events += 1
        self._pace.soon()

    # -- the socket

    def _flush(self) -> None:
        frame = {
            "event": "changed",
            "operators": [self._people[one] for one in sorted(self._changed_people)],
            "calls": [self._calls[one] for one in sorted(self._changed_calls) if one in self._calls],
            "gone": sorted(self._gone),
            "at": _now(),
        }
        self._changed_people.clear()
        self._changed_calls.clear()
        self._gone.clear()
        text = orjson.dumps(frame).decode()
        for socket in tuple(self._sockets):
            self._do(socket.send_str(text))

    async def _serve(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(compress=False, max_msg_size=64 * 2**20)
        await socket.prepare(request)
        live = {
            "at": _now(),
            "switch": {"connected": True},
            "journal": {"failing": None},
            "operators": list(self._people.values()),
            "calls": list(self._calls.values()),
            "callbacks": [],
            "helps": [],
            "trunks": [{"id": "test", "channels": len(self._calls), "max_channels": 300, "failing": None}],
        }
        await socket.send_str(orjson.dumps({"event": "live", "live": live}).decode())
        self._sockets.add(socket)
        try:
            async for message in socket:
                number = orjson.loads(message.data).get("id")
                await socket.send_str(orjson.dumps({"id": number, "ok": True, "result": {}}).decode())
        finally:
            self._sockets.discard(socket)
        return socket

    def _do(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _operator(id: str) -> Entity:
    return {
        "id": id,
        "name": f"操作者{id}",
        "phones": {"desk": False, "browser": True},
        "phone": "browser",
        "queues": list(QUEUES),
        "levels": {},
        "languages": None,
        "state": "ready",
        "reason": None,
        "since": _now(),
        "until": None,
        "call": None,
        "next_state": None,
        "last_call": None,
        "tally": {"calls": 0, "talk_s": 0.0, "duty_s": 3600.0},
        "limited_until": None,
        "own_call": False,
        "supervising": None,
    }


def _call(id: str, queue: str) -> Entity:
    return {
        "id": id,
        "number": "0246-22-1111",
        "via": "engine",
        "number_name": "市代表",
        "caller": "09012345678",
        "phase": "greeting",
        "since": _now(),
        "arrived_at": _now(),
        "queued_at": None,
        "answered_at": None,
        "queue": queue,
        "priority": 0,
        "moved_from": None,
        "operator": None,
        "position": None,
        "language": "ja",
        "path": ["くらし"],
        "diverted_from": None,
        "diverted_name": None,
        "transfer": None,
        "last_transfer": None,
        "returned": None,
        "hops": 0,
        "marks": [],
        "muted": False,
        "supervision": [],
        "case": None,
    }
