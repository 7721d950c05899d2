"""What all pages look at, made once for all of them: when they are told, and what they have in common as
JSON.

Changes are told at once where nothing was told for PACE_S, else as soon as PACE_S is over: all pages in one
go, so that boards that are equally far share the very same bytes.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson
from aiohttp import web

from .console import Console
from .live_state import Entity, shown
from .rights import Right

log = logging.getLogger(__name__)

PACE_S = 0.05
_KEEP = 32  # deltas: as many as there are pages that lag, times kinds of eyes

# Rights by which what is shown of a call differs: pages alike in these see the same.
_EYES = frozenset({Right.CALLER_FULL, Right.SUPERVISE})


@dataclass(frozen=True)
class Shared:
    """A value that many pages show: its JSON, and a number that is another one after each change."""

    serial: int
    json: bytes


class LiveHub:
    """Wakes pages and keeps what they share. Sources (`feed`) are asked for their values before each round;
    a source must give the same object again where nothing has changed, or an equal one."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._wake: set[Callable[[], None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._told = 0.0
        self._sources: list[Callable[[], Mapping[str, Any]]] = []
        self._values: dict[str, Any] = {}
        self._shared: dict[str, Shared] = {}
        self._serial = 0
        self._stale = True
        self._deltas: OrderedDict[tuple[int, int, frozenset[Right]], bytes] = OrderedDict()
        self._calls: dict[tuple[str, frozenset[Right]], tuple[Entity, Entity]] = {}
        console.link.listen(self.poke)

    def feed(self, source: Callable[[], Mapping[str, Any]]) -> None:
        """Adds values that pages share, by name."""
        self._sources.append(source)

    def join(self, wake: Callable[[], None]) -> Callable[[], None]:
        """A page that wants to be woken after changes; the returned function ends that."""
        self._wake.add(wake)
        return lambda: self._wake.discard(wake)

    def poke(self) -> None:
        """Something has changed: pages are told at once, or when the pace allows it again."""
        self._stale = True
        if self._timer is not None or not self._wake:
            return
        loop = asyncio.get_running_loop()
        self._timer = loop.call_at(max(loop.time(), self._told + PACE_S), self._tell)

    def _tell(self) -> None:
        self._timer = None
        self._told = asyncio.get_running_loop().time()
        for wake in tuple(self._wake):
            wake()

    def shared(self, name: str) -> Shared | None:
        """A shared value as it is now, or None where nobody feeds it."""
        return self._shared.get(name)

    def refresh(self) -> None:
        """Takes the sources' values where somebody poked since the last time; pages call it before they
        write."""
        if not self._stale:
            return
        self._stale = False
        for source in self._sources:
            for name, value in source().items():
                known = self._values.get(name, self)
                if known is value or known == value:
                    continue
                self._serial += 1
                self._values[name] = value
                self._shared[name] = Shared(self._serial, orjson.dumps(value))

    def shown(self, call: Entity, rights: frozenset[Right]) -> Entity:
        """`live_state.shown`, computed once for each state of a call and kind of eyes."""
        key = (str(call.get("id")), rights & _EYES)
        known = self._calls.get(key)
        if known is not None and known[0] is call:
            return known[1]
        made = shown(call, rights, self._console.groups)
        if len(self._calls) > 2 * len(self._console.link.state.calls) + 64:
            self._calls.clear()  # calls that have ended
        self._calls[key] = (call, made)
        return made

    def board(self, since: int, rights: frozenset[Right]) -> bytes:
        """What of operators and calls is newer than version `since` (negative: everything), for eyes with
        these rights: the inside of a JSON object, empty where nothing is."""
        state = self._console.link.state
        key = (since, state.version, rights & _EYES)
        known = self._deltas.get(key)
        if known is not None:
            return known
        delta: dict[str, Any] = {}
        operators, calls = state.operators_since(since), state.calls_since(since)
        if operators or since < 0:
            delta["operators"] = operators
        if calls or since < 0:
            delta["calls"] = [self.shown(call, rights) for call in calls]
        if since >= 0:
            if gone := state.gone_since(since):
                delta["gone"] = gone
            if gone_operators := state.operators_gone_since(since):
                delta["gone_operators"] = gone_operators
        made = orjson.dumps(delta)[1:-1]
        self._deltas[key] = made
        while len(self._deltas) > _KEEP:
            self._deltas.popitem(last=False)
        return made


HUB: Final = web.AppKey("hub", LiveHub)
