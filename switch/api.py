"""The promised front of the switch: what the rooms above may know of a telephone exchange.

Above this room there are channels that can answer, play, dial, be joined and hang up; ARI, AMI,
transactions and reconnects are nobody else's business. Times are seconds, ids are strings of ours.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol


class SwitchError(Exception):
    """Something the switch could not do; the message says what was asked and what came back."""


class SwitchGone(SwitchError):
    """The connection to the switch is lost; the request may or may not have been carried out."""


class NotFound(SwitchError):
    """The channel, bridge or playback does not exist (any more): ARI 404."""


class Refused(SwitchError):
    """The switch is in no state to do this (ARI 409, 412, 422), e.g. a channel that left the application."""


class ChannelGone(SwitchError):
    """The channel hung up while something was awaited on it; `hangup` says why."""

    def __init__(self, channel_id: str, hangup: Hangup) -> None:
        super().__init__(f"channel {channel_id} is gone: {hangup}")
        self.hangup = hangup


class HangupReason(enum.Enum):
    """Why we know that a channel is gone."""

    HANGUP = "hangup"  # Asterisk said so in an event
    FOUND_ENDED = "found ended"  # it was missing when we looked again after a reconnect
    SWITCH_RESTARTED = "switch restarted"  # Asterisk itself began anew


@dataclass(frozen=True)
class Hangup:
    """How a channel ended. `cause` is the Q.850 number (16 normal, 17 busy, 19 no answer, 21 rejected),
    `tech_cause` the SIP status code where there was one. `at` is time.monotonic()."""

    reason: HangupReason
    cause: int | None = None
    text: str = ""
    tech_cause: int | None = None
    at: float = 0.0


@dataclass(frozen=True)
class RtpCounters:
    """RTP packets since the channel began, as Asterisk counts them (`rx`: from the phone to us)."""

    rx: int
    tx: int


@dataclass(frozen=True)
class KeyTransfer:
    """A telephone's own transfer key (SIP REFER) on the leg `channel`: to what was dialled (`digits`), or
    into its other call (`other`: that leg of the same telephone, REFER with Replaces). The telephone waits to
    be told: `Channel.transfer_told` of `channel`."""

    channel: Channel
    digits: str = ""
    other: Channel | None = None


class Channel(Protocol):
    """One leg: a citizen's or an operator's. Every awaiting method raises ChannelGone when the leg hangs up
    meanwhile, SwitchGone when the connection is lost; cancelling an awaiting method stops what it had begun.
    Only `wait_ringing`, `wait_up`, `wait_gone` and `digit` wait on through a reconnect: what they wait for
    stays true."""

    id: str
    name: str
    caller: str | None  # number, None when withheld
    dialled: str  # called number / extension it came in on
    args: tuple[str, ...]  # Stasis arguments

    @property
    def up(self) -> bool: ...
    @property
    def down(self) -> bool:
        """Neither rung nor ringing: perhaps never dialled, perhaps the other side has not answered the
        INVITE by more than 100 or 183."""

    @property
    def rings(self) -> bool:
        """The other side has told that its telephone rings (180), and nobody has answered yet."""

    @property
    def in_application(self) -> bool: ...
    @property
    def hangup_info(self) -> Hangup | None: ...
    def on_gone(self, callback: Callable[[Hangup], None]) -> None:
        """Calls back once (at once if already gone). This is how a call's task is cancelled."""

    async def answer(self) -> None: ...
    async def play(self, *media: str, until_digit: bool = False) -> str | None:
        """Plays ARI media uris (`sound:daihyo-…`) one after another and returns when they were heard (None).
        `until_digit`: a digit, also one that came before, stops it and is returned."""

    async def music(self, on: bool, music_class: str = "default") -> None: ...
    async def ring(self, on: bool) -> None: ...
    async def mute(self, on: bool) -> None:
        """What comes from the leg is silence from now on, for all in its bridge and for who listens to it."""

    async def silence(self, on: bool) -> None:
        """Silence is sent to the leg, so that a whisper is heard while nothing else is said to it."""

    async def send_digits(self, digits: str) -> None:
        """Sends key tones (`[0-9*#A-D]`) to the leg's telephone, in the way that it takes them; returns at
        once."""

    async def dial(self, timeout_s: float) -> None:
        """Rings a channel made by `Switch.leg`; returns at once."""

    async def transfer_told(self, well: bool) -> None:
        """Answers the telephone's own transfer key (see KeyTransfer): it was done (NOTIFY 200), or it was not
        (NOTIFY 603) and the telephone keeps its call."""

    async def wait_ringing(self) -> None:
        """Until the telephone there rings, or is answered; ChannelGone as `wait_up`. Never, where the other
        side tells no ringing (183)."""

    async def wait_up(self) -> None:
        """Until the leg is answered; ChannelGone(hangup) if it is refused or ends before."""

    async def wait_gone(self) -> Hangup: ...
    async def hangup(self, cause: str = "normal") -> None:
        """ARI reason: normal busy no_answer congestion answered_elsewhere …; no error if it is gone."""

    async def go_on(self, context: str, extension: str) -> None:
        """Leaves the application and goes on in the dialplan (ARI continue): a call outlives our mistakes."""

    async def variable(self, name: str) -> str: ...
    async def rtp(self) -> RtpCounters: ...
    async def digit(self) -> str:
        """The next DTMF digit (queued since the channel arrived)."""

    def forget_digits(self) -> None:
        """What was pressed until now was meant for nobody."""


class Bridge(Protocol):
    """A mixing bridge: the conversation's room. Music or a tone that a channel hears goes on in it: it is to
    be ended before."""

    id: str

    async def add(self, *channels: Channel) -> None: ...
    async def remove(self, *channels: Channel) -> None: ...
    async def destroy(self) -> None:
        """No error if it is gone already."""


@dataclass(frozen=True)
class FoundBridge:
    """A bridge that stood when we (re)connected."""

    bridge: Bridge
    channel_ids: tuple[str, ...]


@dataclass(frozen=True)
class Snapshot:
    """What Asterisk holds of our application at one moment: `channels` are those inside Stasis (each a live
    Channel object, the known ones the same object as before), `bridges` those made by us. `switch_started`
    is Asterisk's own startup time (aware UTC): a call that arrived before it belongs to an earlier life of
    the switch."""

    switch_started: datetime
    channels: tuple[Channel, ...]
    bridges: tuple[FoundBridge, ...]


@dataclass(frozen=True)
class SwitchSettings:
    """Where the Asterisk node is. `ari_url` like http://127.0.0.1:8088/ari (no password in it)."""

    ari_url: str
    ari_user: str
    ari_password: str = field(repr=False)
    ami_host: str
    ami_port: int
    ami_user: str
    ami_password: str = field(repr=False)
    application: str = "daihyo"
    endpoints: tuple[str, ...] = ()  # whose reachability is watched, e.g. ("1001", "1001-web")
    heartbeat_s: float = 5.0
    request_timeout_s: float = 5.0
    reconnect_max_s: float = 2.0
    extra: Mapping[str, str] = field(default_factory=dict)


class Switch(Protocol):
    """One Asterisk node. `async with connect(settings, …) as switch:` keeps itself connected until left.

    Callbacks are plain functions, called in the event loop in the order of Asterisk's events, and must
    not block (start a task instead):
    - on_arrival(channel): a channel entered the application with first argument `arrival`.
    - on_dialled(channel): one entered with first argument `keys`: somebody dials at an operator's telephone
      (`dialled`: the digits; `args[2]`: the endpoint). It is not answered yet.
    - on_key_transfer(KeyTransfer): a telephone's own transfer key was pressed.
    - on_resumed(channel): the telephone there goes on with this call, which it had put on hold by itself.
    - on_connected(snapshot): after every (re)connect and before any arrival of the new connection. Channels
      known before that are missing now have been declared gone already (FOUND_ENDED or SWITCH_RESTARTED).
    - on_disconnected(): the connection was lost; requests raise SwitchGone until on_connected.
    - on_phone(endpoint, reachable): an endpoint's registration or reachability changed; also called for every
      watched endpoint at each (re)connect, before on_connected (later if Asterisk is slow to tell of them).
    - on_channels(endpoint, ids): the channels of a watched endpoint that are not ours: calls dialled at the
      phone, or rung or served by Asterisk alone. Told when they change, within a heartbeat, at once where the
      dialplan sends `UserEvent(DaihyoPhone,Endpoint: …)`; an attempt that is refused at once is not told.
    """

    @property
    def connected(self) -> bool: ...
    @property
    def taken_over(self) -> bool:
        """Another engine has connected under our application's name: this switch stays away for good."""

    async def wait_connected(self) -> None:
        """SwitchError when another engine took over."""

    async def leg(
        self,
        endpoint: str,
        *,
        channel_id: str,
        caller_id: str = "",
        caller_name: str = "",
        variables: Mapping[str, str] | None = None,
    ) -> Channel:
        """Creates (does not ring yet) a channel to PJSIP endpoint `endpoint`, in our application with
        argument `leg`. Raises Refused when the endpoint has no reachable contact. The channel is then
        ready for `dial`."""

    async def snoop(self, channel: Channel, *, snoop_id: str, whisper: bool) -> Channel:
        """A channel, inside our application with argument `snoop`, that hears what `channel` says and what
        is said to it. `whisper`: whoever is joined with the snoop in a bridge is heard at `channel` alone;
        without it nothing said there goes anywhere. Fixed for its life. It ends with `channel`."""

    async def bridge(self) -> Bridge: ...
    async def record(self, channel: Channel, heard: Path, said: Path) -> None:
        """From now on, while the channel is bridged, what comes from it is written to the file `heard`, what
        goes to it to `said` (WAV, 8 kHz); it goes on without us until the channel ends. Paths are ASCII
        without commas: ValueError."""

    async def stop_recording(self, channel: Channel) -> None:
        """Ends what `record` began; SwitchError where there is none."""

    def channel(self, channel_id: str) -> Channel | None: ...
    def phone_reachable(self, endpoint: str) -> bool: ...
    async def watch(self, endpoints: tuple[str, ...]) -> None:
        """Replaces the set of watched endpoints (after operators were added or removed)."""

    async def reload(self, *modules: str) -> None:
        """Reloads configuration modules, e.g. `res_pjsip.so`, `app_queue.so` (through AMI)."""

    async def ping(self) -> float:
        """Asks both /channels and /applications (one may hang alone): round trip in seconds."""
