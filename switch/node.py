"""The Switch: one Asterisk node, kept connected, its channels known by their ids.

A task makes one connection after another. After each, what Asterisk holds is compared with what we know
before any event of the new connection is acted upon; the events that came meanwhile wait in order.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any

from switch.ami import Ami, AmiEvent
from switch.api import (
    Bridge,
    Channel,
    FoundBridge,
    Hangup,
    HangupReason,
    KeyTransfer,
    Snapshot,
    SwitchError,
    SwitchGone,
    SwitchSettings,
)
from switch.ari import AriConnection, Event, Lane
from switch.backoff import Backoff
from switch.bridge import AriBridge
from switch.channel import AriChannel
from switch.chores import Chores
from switch.listing import Identity, ListedChannel, identity, inside, our_bridges
from switch.phones import ALL, Phones

log = logging.getLogger(__name__)

PHONES_S = 2.0  # at a connect the phones are waited for so long; the calls wait meanwhile
PHONE_EVENT = "DaihyoPhone"  # the dialplan's word that a phone's channels change


class Node:
    """See switch.api.Switch; made by `connect`."""

    def __init__(
        self,
        settings: SwitchSettings,
        on_arrival: Callable[[Channel], None],
        on_connected: Callable[[Snapshot], None],
        on_disconnected: Callable[[], None],
        on_phone: Callable[[str, bool], None],
        on_channels: Callable[[str, frozenset[str]], None] = lambda _endpoint, _channels: None,
        on_dialled: Callable[[Channel], None] | None = None,
        on_key_transfer: Callable[[KeyTransfer], None] | None = None,
        on_resumed: Callable[[Channel], None] | None = None,
    ) -> None:
        self._settings = settings
        self._on_dialled, self._on_key_transfer, self._on_resumed = on_dialled, on_key_transfer, on_resumed
        self._on_arrival = on_arrival
        self._on_connected = on_connected
        self._on_disconnected = on_disconnected
        self._channels: dict[str, AriChannel] = {}
        self._playbacks: dict[str, asyncio.Future[str]] = {}
        self._connection: AriConnection | None = None
        self._ready = asyncio.Event()
        self._connected = False
        self._held: list[Event] | None = None
        self._identity: Identity | None = None
        self._why = "not connected yet"
        self._taken_over = False
        self._leaving = False
        self._chores = Chores()
        self._run_id = secrets.token_hex(4)
        self._number = 0
        self._phones = Phones(
            settings.endpoints, self._ask, on_phone, on_channels, lambda channel: channel in self._channels
        )
        self._ami = Ami(settings, self._ami_event, self._ami_changed)
        self._handlers: dict[str, Callable[[Event], None]] = {
            "StasisStart": self._stasis_start,
            "StasisEnd": self._stasis_end,
            "ChannelStateChange": self._state_change,
            "ChannelHangupRequest": self._hangup_request,
            "ChannelDestroyed": self._destroyed,
            "ChannelDtmfReceived": self._dtmf,
            "PlaybackFinished": self._playback_finished,
            "ChannelTransfer": self._key_transfer,
            "ChannelUnhold": self._unhold,
        }

    # ---- the front

    @property
    def connected(self) -> bool:
        return self._connected

    @property
    def taken_over(self) -> bool:
        """Another engine has our application: this switch stays disconnected for good."""
        return self._taken_over

    async def wait_connected(self) -> None:
        await self._ready.wait()
        if self._taken_over:
            raise SwitchError(self._why)

    async def leg(
        self,
        endpoint: str,
        *,
        channel_id: str,
        caller_id: str = "",
        caller_name: str = "",
        variables: Mapping[str, str] | None = None,
    ) -> Channel:
        if channel_id in self._channels:
            raise ValueError(f"channel id {channel_id!r} is in use; ids are fresh for each leg")
        channel = AriChannel(self, channel_id)
        channel.args = ("leg",)
        # What the operator's phone shows is the connected line of its channel, not its caller id.
        values = {"CONNECTEDLINE(num,i)": caller_id, "CONNECTEDLINE(name)": caller_name}
        body = {"variables": {name: value for name, value in values.items() if value} | dict(variables or {})}
        query = {
            "endpoint": f"PJSIP/{endpoint}", "app": self._settings.application, "appArgs": "leg",
            "channelId": channel_id,
        }  # fmt: skip
        self._channels[channel_id] = channel  # before the request: its events may outrun the answer
        try:
            channel.describe(await self.request("POST", "channels/create", query, body=body, lane="urgent"))
        except asyncio.CancelledError:
            # Forgotten at once: should it start all the same, nobody wants it and it is let go again.
            self._channels.pop(channel_id, None)
            self.later(channel.hangup())
            raise
        except SwitchGone:
            raise  # it may exist: the next snapshot tells
        except SwitchError:
            self._channels.pop(channel_id, None)
            raise
        return channel

    async def snoop(self, channel: Channel, *, snoop_id: str, whisper: bool) -> Channel:
        snoop = AriChannel(self, snoop_id)
        snoop.args = ("snoop",)
        query = {
            "spy": "both", "whisper": "out" if whisper else "none", "app": self._settings.application,
            "appArgs": "snoop",
        }  # fmt: skip
        self._channels[snoop_id] = snoop
        try:
            snoop.describe(await self.request("POST", f"channels/{channel.id}/snoop/{snoop_id}", query))
        except asyncio.CancelledError:
            self._channels.pop(snoop_id, None)
            self.later(snoop.hangup())
            raise
        except SwitchGone:
            raise
        except SwitchError:
            self._channels.pop(snoop_id, None)
            raise
        return snoop

    async def bridge(self) -> Bridge:
        bridge = AriBridge(self, self.new_id("b"))
        # Always mixed, also where there are two: else a recording loses whoever comes in place of another,
        # since their packets are numbered lower (docs/decisions/0018). No video is offered to anybody.
        query = {"type": "mixing,video_sfu", "bridgeId": bridge.id, "name": self._settings.application}
        try:
            await self.request("POST", "bridges", query)
        except asyncio.CancelledError:
            self.later(bridge.destroy())
            raise
        return bridge

    async def record(self, channel: Channel, heard: Path, said: Path) -> None:
        # As the dialplan does for calls that come in (docs/decisions/0006).
        if "," in f"{heard}{said}":
            raise ValueError(f"a recording's path has no comma: {heard}, {said}")
        await self._ami.action("MixMonitor", Channel=channel.name, Options=f"br({heard})t({said})")

    async def stop_recording(self, channel: Channel) -> None:
        await self._ami.action("StopMixMonitor", Channel=channel.name)

    def channel(self, channel_id: str) -> Channel | None:
        return self._channels.get(channel_id)

    def phone_reachable(self, endpoint: str) -> bool:
        return self._phones.reachable(endpoint)

    async def watch(self, endpoints: tuple[str, ...]) -> None:
        await self._phones.replace(endpoints)

    async def reload(self, *modules: str) -> None:
        for module in modules:
            await self._ami.action("Reload", Module=module)

    async def ping(self) -> float:
        begun = time.monotonic()
        await asyncio.gather(
            self.request("GET", "channels", lane="http"),
            self.request("GET", f"applications/{self._settings.application}", lane="http"),
        )
        return time.monotonic() - begun

    # ---- for channels and bridges (switch.channel.Exchange)

    async def request(
        self,
        method: str,
        uri: str,
        query: dict[str, str] | None = None,
        *,
        body: object = None,
        lane: Lane = "auto",
    ) -> Any:
        if self._connection is None or not self._connected:
            raise SwitchGone(f"{method} {uri}: not connected to Asterisk ({self._why})")
        return await self._connection.request(method, uri, query, body=body, lane=lane)

    def new_id(self, kind: str) -> str:
        self._number += 1
        return f"{kind}-{self._run_id}-{self._number}"

    def playback(self, playback_id: str, finished: asyncio.Future[str] | None) -> None:
        if finished is None:
            self._playbacks.pop(playback_id, None)
        else:
            self._playbacks[playback_id] = finished

    def later(self, work: Coroutine[Any, Any, Any]) -> None:
        """Cleaning up that nobody waits for, e.g. after a cancellation."""
        self._chores.add(work)

    async def leave(self) -> None:
        """What is being cleaned up may finish; the end of the connection is no loss any more."""
        self._leaving = True
        await self._chores.finish()

    # ---- connecting

    async def run(self) -> None:
        """Keeps one connection until cancelled or until another engine takes the application over."""
        backoff = Backoff(self._settings.reconnect_max_s)
        told = ""
        while not self._taken_over:
            await asyncio.sleep(backoff.next())
            connection = AriConnection(self._settings, self._event)
            connection.on_lost = lambda lost=connection: self._lost(lost)  # type: ignore[misc]
            self._held = []
            try:
                await connection.open()
                await self._take_stock(connection)
                backoff.reset()
                told = ""
                log.info("switch: connected to %s", self._settings.ari_url)
                await asyncio.wait([connection.lost])
            except SwitchError as error:
                self._why = str(error)
                self._taken_over = connection.replaced
                if self._why != told:
                    log.warning("switch: %s; trying again", error)
                    told = self._why
            except Exception as error:
                # A mistake of ours or an answer nobody foresaw: say it, and stay reachable all the same.
                self._why = f"{type(error).__name__} while connecting"
                log.exception("switch: connecting failed; trying again")
            finally:
                await connection.close()
        log.error("switch: %s; this engine stays away from Asterisk until it is started anew", self._why)
        self._ready.set()

    async def _take_stock(self, connection: AriConnection) -> None:
        """Compares what Asterisk holds with what we know; tells the engine; lets the held events go on."""
        application = self._settings.application

        async def get(uri: str) -> Any:
            return await connection.request("GET", uri, lane="http")

        async def phones() -> Any:
            try:
                async with asyncio.timeout(PHONES_S):
                    return await get(ALL)
            except (SwitchError, TimeoutError):
                return None

        info, channels, bridges, listing = await asyncio.gather(
            get("asterisk/info"), get("channels"), get("bridges"), phones()
        )
        now = identity(info)
        restarted = self._identity is not None and self._identity != now
        self._identity = now
        held = self._held or []
        announced = {event["channel"]["id"] for event in held if event["type"] == "StasisStart"}
        listed = {entry.id: entry for entry in inside(channels, application)}
        self._declare_missing(set(listed) | {str(data["id"]) for data in channels}, restarted)
        if connection.lost.done():
            raise SwitchGone(f"the connection was lost again: {connection.lost.result()}")
        found = [self._adopt(entry) for entry in listed.values() if entry.id not in announced]
        rooms = [FoundBridge(AriBridge(self, name), ids) for name, ids in our_bridges(bridges, application)]
        self._connection = connection
        self._connected = True
        self._held = None
        self._ready.set()
        # All phones before any call: else whoever's phone is told first gets the caller who waits.
        if listing is not None:
            self._guarded(self._phones.take, listing)
        self._guarded(self._on_connected, Snapshot(now.started, tuple(found), tuple(rooms)))
        for event in held:
            self._event(event)
        if listing is None:
            self._phones.doubt()  # the connection stands; they are asked for again soon

    def _declare_missing(self, present: set[str], restarted: bool) -> None:
        reason = HangupReason.SWITCH_RESTARTED if restarted else HangupReason.FOUND_ENDED
        for channel in list(self._channels.values()):
            if restarted or channel.id not in present:
                self._gone(channel, Hangup(reason, at=time.monotonic()))

    def _adopt(self, entry: ListedChannel) -> AriChannel:
        channel = self._channels.get(entry.id)
        if channel is None:
            channel = self._channels[entry.id] = AriChannel(self, entry.id)
        channel.describe(entry.data)
        if not channel.in_application:
            channel.started(entry.args)
        channel.adopted()
        return channel

    def _lost(self, connection: AriConnection) -> None:
        if connection is not self._connection or self._leaving:
            return
        self._why = connection.lost.result()
        self._taken_over = connection.replaced
        self._connection = None
        self._connected = False
        self._ready.clear()
        log.warning("switch: connection to Asterisk lost: %s", self._why)
        for finished in self._playbacks.values():
            if not finished.done():
                finished.set_exception(SwitchGone(f"the connection to Asterisk was lost: {self._why}"))
        self._guarded(self._on_disconnected)

    # ---- events, in Asterisk's order

    def _event(self, event: Event) -> None:
        if self._held is not None:
            self._held.append(event)
            return
        handler = self._handlers.get(event["type"])
        if handler is not None:
            handler(event)

    def _stasis_start(self, event: Event) -> None:
        data, args = event["channel"], tuple(event.get("args", ()))
        channel = self._channels.get(data["id"])
        if channel is not None:
            if not channel.in_application:
                channel.describe(data)
                channel.started(args)
            return
        channel = self._channels[data["id"]] = AriChannel(self, data["id"])
        channel.describe(data)
        channel.started(args)
        if args[:1] == ("arrival",):
            self._guarded(self._on_arrival, channel)
        elif args[:1] == ("keys",) and self._on_dialled is not None:
            self._guarded(self._on_dialled, channel)
        else:
            # A leg asked for before we connected and made after we looked: nobody waits for it.
            log.warning("switch: channel %s entered with arguments %s and nobody wants it", channel.id, args)
            self.later(channel.hangup())

    def _stasis_end(self, event: Event) -> None:
        channel = self._channels.get(event["channel"]["id"])
        # A leg's end with its cause follows at once; an arrival's end is never told in another way.
        if channel is not None and not channel.is_leg:
            self._ended(channel, {})

    def _hangup_request(self, event: Event) -> None:
        """The earliest sign. `soft`: asked for by us or a timer, the cause comes with the end itself."""
        channel = self._channels.get(event["channel"]["id"])
        if channel is not None and not event.get("soft"):
            self._ended(channel, {"cause": 16, **event})

    def _destroyed(self, event: Event) -> None:
        channel = self._channels.get(event["channel"]["id"])
        if channel is not None:
            self._ended(channel, event)

    def _state_change(self, event: Event) -> None:
        data = event["channel"]
        channel = self._channels.get(data["id"])
        if channel is not None:
            channel.state(data.get("state", ""))

    def _dtmf(self, event: Event) -> None:
        channel = self._channels.get(event["channel"]["id"])
        if channel is not None:
            channel.dtmf(event["digit"])

    def _key_transfer(self, event: Event) -> None:
        target, source = event.get("refer_to", {}), event.get("referred_by", {})
        channel = self._channels.get(source.get("source_channel", {}).get("id", ""))
        if channel is None or self._on_key_transfer is None or event.get("state"):
            return  # no leg of ours; or, with a state, the echo of our own answer
        digits = str(target.get("requested_destination", {}).get("destination", ""))
        other = self._channels.get(target.get("destination_channel", {}).get("id", ""))
        channel.transfer_pressed()
        self._guarded(self._on_key_transfer, KeyTransfer(channel, digits, other))

    def _unhold(self, event: Event) -> None:
        channel = self._channels.get(event["channel"]["id"])
        if channel is not None and self._on_resumed is not None:
            self._guarded(self._on_resumed, channel)

    def _playback_finished(self, event: Event) -> None:
        finished = self._playbacks.get(event["playback"]["id"])
        if finished is not None and not finished.done():
            finished.set_result(event["playback"]["state"])

    def _ended(self, channel: AriChannel, data: Event) -> None:
        self._channels.pop(channel.id, None)
        channel.end(data)

    def _gone(self, channel: AriChannel, hangup: Hangup) -> None:
        self._channels.pop(channel.id, None)
        channel.gone(hangup)

    def _guarded(self, callback: Callable[..., None], *arguments: object) -> None:
        """A callback that fails must not end the connection for all other calls."""
        try:
            callback(*arguments)
        except Exception:
            log.exception("switch: %s failed; going on", getattr(callback, "__qualname__", callback))

    # ---- phones and AMI

    async def _ask(self, uri: str) -> Any:
        return await self.request("GET", uri, lane="http")

    def _ami_event(self, name: str, fields: AmiEvent) -> None:
        if name == "ContactStatus":
            self._phones.contact(fields)
        elif name == "UserEvent" and fields.get("UserEvent") == PHONE_EVENT:
            self._phones.look(fields.get("Endpoint", ""))

    def _ami_changed(self, connected: bool) -> None:
        self._phones.doubt()

    def _phone_interval(self) -> float:
        """AMI tells of most changes at once; a look at every heartbeat finds what it did not tell."""
        return self._settings.heartbeat_s

    async def keep(self) -> None:
        """Everything that runs while the switch is open."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.run(), name="switch-connection")
            tasks.create_task(self._ami.run(), name="switch-ami")
            tasks.create_task(self._phones.run(self._phone_interval), name="switch-phones")


@contextlib.asynccontextmanager
async def connect(
    settings: SwitchSettings,
    *,
    on_arrival: Callable[[Channel], None],
    on_connected: Callable[[Snapshot], None],
    on_disconnected: Callable[[], None],
    on_phone: Callable[[str, bool], None],
    on_channels: Callable[[str, frozenset[str]], None] = lambda _endpoint, _channels: None,
    on_dialled: Callable[[Channel], None] | None = None,
    on_key_transfer: Callable[[KeyTransfer], None] | None = None,
    on_resumed: Callable[[Channel], None] | None = None,
) -> AsyncIterator[Node]:
    """A Switch that keeps itself connected until the block is left (see switch.api.Switch for the callbacks).

    Returns at once; `await switch.wait_connected()` for the first connection. Leaving the block closes the
    connections and touches no call.
    """
    node = Node(
        settings,
        on_arrival,
        on_connected,
        on_disconnected,
        on_phone,
        on_channels,
        on_dialled,
        on_key_transfer,
        on_resumed,
    )
    keeping = asyncio.create_task(node.keep(), name="switch")
    try:
        yield node
    finally:
        await node.leave()
        keeping.cancel()
        await asyncio.wait([keeping])
        if not keeping.cancelled() and (error := keeping.exception()) is not None:
            log.error("switch: ended by a mistake of its own", exc_info=error)


__all__ = ["Node", "connect"]
