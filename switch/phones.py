"""Which phones can be rung: registered with a contact that is not Unavailable.

Asterisk's AMI says at once when a contact changes (ContactStatus); the truth is asked by ARI, whose endpoint
is `online` as long as any of its contacts may be reached. ARI's own endpoint subscription was tried and left:
it doubles every event of every leg (docs/decisions/0003-ari-transport.md).

The same answer names the channels that each phone is in, those included that are none of ours: a call that
somebody dialled at the phone, or one that Asterisk serves alone. Such a channel counts when it is seen twice,
so that an attempt which the dialplan refuses at once is none.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from switch.api import NotFound, SwitchError

ALL = "endpoints/PJSIP"
KNOWN_S = 5.0
AGAIN_S = 0.2  # between two looks at a channel
LOOKS = 2  # after word that a phone's channels change: the change itself may be a moment behind

log = logging.getLogger(__name__)
# A contact in one of these states can be rung at once; any other state may leave another contact, so ask.
_RINGABLE = frozenset({"Reachable", "NonQualified", "Created", "Updated"})


class Phones:
    """The watched endpoints. `ask(uri)` is an ARI GET, `tell(endpoint, reachable)` the switch's on_phone,
    `tell_channels(endpoint, channel ids)` its on_channels, which hears of none that is `ours(channel id)`."""

    def __init__(
        self,
        endpoints: Iterable[str],
        ask: Callable[[str], Awaitable[Any]],
        tell: Callable[[str, bool], None],
        tell_channels: Callable[[str, frozenset[str]], None] = lambda _endpoint, _channels: None,
        ours: Callable[[str], bool] = lambda _channel: False,
    ) -> None:
        self._states: dict[str, bool] = dict.fromkeys(endpoints, False)
        self._ask = ask
        self._tell = tell
        self._tell_channels = tell_channels
        self._ours = ours
        self._channels: dict[str, frozenset[str]] = {}  # as told
        self._seen: dict[str, frozenset[str]] = {}  # seen once
        self._again: dict[str, int] = {}  # how often to look again soon
        self._doubtful: set[str] = set()
        self._woken = asyncio.Event()

    def reachable(self, endpoint: str) -> bool:
        return self._states.get(endpoint, False)

    def take(self, listing: Iterable[Mapping[str, Any]]) -> None:
        """ARI's list of all endpoints, asked for at a (re)connect: tells each, changed or not."""
        self._listed(listing, tell_all=True)

    async def replace(self, endpoints: Iterable[str]) -> None:
        """Another set of endpoints; tells those that are new. A reload may still be making them: they are
        waited for up to KNOWN_S seconds."""
        wanted = list(endpoints)
        fresh = [name for name in wanted if name not in self._states]
        self._states = {name: self._states.get(name, False) for name in wanted}
        for kept in (self._channels, self._seen, self._again):
            for name in [name for name in kept if name not in self._states]:
                del kept[name]
        patience = time.monotonic() + KNOWN_S
        for name in fresh:
            try:
                await self._check(name, tell_always=True, until=patience)
            except SwitchError as problem:
                log.warning("phones: %r could not be asked for (%s); it is asked for again", name, problem)
                self._doubtful.add(name)
                self._woken.set()

    def contact(self, fields: Mapping[str, str]) -> None:
        """An AMI ContactStatus event."""
        endpoint = fields.get("EndpointName", "")
        if endpoint not in self._states:
            return
        if fields.get("ContactStatus", "") in _RINGABLE:
            self._doubtful.discard(endpoint)
            self._set(endpoint, True)
        else:
            self._doubtful.add(endpoint)
            self._woken.set()

    def look(self, endpoint: str) -> None:
        """The phone's channels may have changed, or are about to."""
        if endpoint in self._states:
            self._doubtful.add(endpoint)
            self._again[endpoint] = LOOKS
            self._woken.set()

    def doubt(self) -> None:
        """Changes may have been missed: ask for all soon."""
        self._doubtful.update(self._states)
        self._woken.set()

    async def run(self, every_s: Callable[[], float]) -> None:
        """Asks for doubtful ones when woken, and for all after `every_s()` seconds. Until cancelled."""
        all_at = time.monotonic() + every_s()
        while True:
            wait_s = max(0.0, all_at - time.monotonic())
            try:
                async with asyncio.timeout(min(wait_s, AGAIN_S) if self._again else wait_s):
                    await self._woken.wait()
            except TimeoutError:
                self._doubtful.update(self._again)
            if time.monotonic() >= all_at:
                self._doubtful.update(self._states)
                all_at = time.monotonic() + every_s()
            self._woken.clear()
            doubtful, self._doubtful = self._doubtful, set()
            # Without a connection there is no answer; all is loaded again after the next connect.
            with contextlib.suppress(SwitchError):
                if len(doubtful) > 3:
                    self._listed(await self._ask(ALL), tell_all=False)
                else:
                    for endpoint in doubtful:
                        await self._check(endpoint)

    def _listed(self, listing: Iterable[Mapping[str, Any]], *, tell_all: bool) -> None:
        found: dict[str, Mapping[str, Any]] = {entry["resource"]: entry for entry in listing}
        for endpoint in list(self._states):
            entry = found.get(endpoint, {})
            self._in_calls(endpoint, entry.get("channel_ids", ()), at_once=tell_all)
            self._set(endpoint, entry.get("state") == "online", tell_always=tell_all)

    async def _check(self, endpoint: str, *, tell_always: bool = False, until: float = 0.0) -> None:
        entry: Any = {}
        while True:
            try:
                entry = await self._ask(f"endpoints/PJSIP/{endpoint}")
                break
            except NotFound:
                if time.monotonic() >= until:
                    log.warning("phones: Asterisk has no endpoint %r; it cannot be rung", endpoint)
                    break
            await asyncio.sleep(0.05)
        self._in_calls(endpoint, entry.get("channel_ids", ()))
        self._set(endpoint, entry.get("state") == "online", tell_always=tell_always)

    def _in_calls(self, endpoint: str, channels: Iterable[str], *, at_once: bool = False) -> None:
        """Those that are gone are told at once, new ones when seen for the second time."""
        now = frozenset(channel for channel in channels if not self._ours(channel))
        told = self._channels.get(endpoint, frozenset())
        new = now - told
        sure = new if at_once else new & self._seen.pop(endpoint, frozenset())
        looks = self._again.pop(endpoint, 0) - 1
        if sure != new:
            self._seen[endpoint] = new
            looks = max(looks, 1)
        if looks > 0:
            self._again[endpoint] = looks
        if endpoint in self._states and (current := (told & now) | sure) != told:
            self._channels[endpoint] = current
            self._tell_channels(endpoint, current)

    def _set(self, endpoint: str, reachable: bool, *, tell_always: bool = False) -> None:
        if endpoint not in self._states:
            return
        changed = self._states[endpoint] != reachable
        self._states[endpoint] = reachable
        if changed or tell_always:
            self._tell(endpoint, reachable)
