"""A channel as the rooms above know it: what may be asked of a leg, and what its events tell.

The object is made before the request that creates the channel, or by its first event, and lives until the
leg is gone. Facts (up, gone, digits) survive a reconnect; only what was under way then raises SwitchGone.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

from switch.api import (
    ChannelGone,
    Hangup,
    HangupReason,
    NotFound,
    Refused,
    RtpCounters,
    SwitchError,
)
from switch.ari import Event, Lane

log = logging.getLogger(__name__)
# How long after "no such channel" the event that says why may come; it is usually there already.
_REASON_WAIT_S = 0.25
# ARI's words for a hang-up and their Q.850 numbers.
_CAUSES = {
    "normal": 16, "busy": 17, "timeout": 18, "no_answer": 19, "rejected": 21, "answered_elsewhere": 26,
    "number_incomplete": 28, "normal_unspecified": 31, "congestion": 34, "failure": 38, "unallocated": 1,
    "codec_mismatch": 65, "interworking": 127,
}  # fmt: skip
# Asterisk (22.10.1, res_pjsip_refer) tells of a transfer key before it has written down what the answer
# needs: one that comes within the same millisecond ends the whole program (docs/decisions/0015).
KEY_SETTLES_S = 0.25
DTMF_MS = 100  # a key tone, and the pause after it
_WITHHELD = frozenset({"", "anonymous", "unknown", "unavailable", "restricted", "private"})


class Exchange(Protocol):
    """What a channel needs of the node it belongs to."""

    async def request(
        self,
        method: str,
        uri: str,
        query: dict[str, str] | None = None,
        *,
        body: object = None,
        lane: Lane = "auto",
    ) -> Any: ...
    def new_id(self, kind: str) -> str: ...
    def playback(self, playback_id: str, finished: asyncio.Future[str] | None) -> None: ...
    def later(self, work: Coroutine[Any, Any, Any]) -> None: ...


class AriChannel:
    """See switch.api.Channel."""

    __slots__ = (
        "_asked_cause", "_busy", "_callbacks", "_digits", "_down", "_exchange", "_hangup", "_playing",
        "_pressed_at", "_rings", "_started", "_up", "_waiters", "args", "caller", "dialled", "id", "name",
    )  # fmt: skip

    def __init__(self, exchange: Exchange, channel_id: str) -> None:
        self._exchange = exchange
        self.id = channel_id
        self.name = ""
        self.caller: str | None = None
        self.dialled = ""
        self.args: tuple[str, ...] = ()
        self._up = False
        self._down = False
        self._rings = False
        self._started = False
        self._hangup: Hangup | None = None
        self._asked_cause: int | None = None
        self._playing = 0
        self._busy = False
        self._callbacks: list[Callable[[Hangup], None]] = []
        self._waiters: list[asyncio.Future[None]] = []
        self._digits: deque[str] = deque()
        self._pressed_at = 0.0

    def __repr__(self) -> str:
        state = "gone" if self._hangup else "up" if self._up else "ringing" if self._started else "new"
        return f"<channel {self.id} {self.name} {state}>"

    # ---- what is known

    @property
    def up(self) -> bool:
        return self._up and self._hangup is None

    @property
    def down(self) -> bool:
        return self._down

    @property
    def rings(self) -> bool:
        return self._rings and not self._up and self._hangup is None

    @property
    def in_application(self) -> bool:
        return self._started and self._hangup is None

    @property
    def hangup_info(self) -> Hangup | None:
        return self._hangup

    def on_gone(self, callback: Callable[[Hangup], None]) -> None:
        if self._hangup is not None:
            callback(self._hangup)
        else:
            self._callbacks.append(callback)

    # ---- what events tell (called by the node, in order)

    def describe(self, data: Event) -> None:
        """Takes over what Asterisk says of the channel in an event or a listing."""
        self.name = data.get("name", self.name)
        number = str(data.get("caller", {}).get("number", ""))
        self.caller = None if number.lower() in _WITHHELD else number
        self.dialled = data.get("dialplan", {}).get("exten", self.dialled)
        self.state(data.get("state", ""))

    def started(self, args: tuple[str, ...]) -> None:
        """The channel is inside the application (StasisStart, or found there)."""
        self.args = args
        if len(args) >= 2 and args[0] == "keys":
            self.dialled = args[1]
        if len(args) >= 2 and args[0] == "arrival":
            # The dialplan may pass CALLERID(pres): ARI itself does not tell that a number is withheld.
            if args[2:] and (args[2].startswith("prohib") or args[2] == "unavailable"):
                self.caller = None
            self.dialled = args[1]
        self._started = True
        self._wake()

    def state(self, state: str) -> None:
        if state:
            self._down = state in ("Down", "Rsrvd")
        if state == "Ringing" and not self._rings:
            self._rings = True
            self._wake()
        if state == "Up" and not self._up:
            self._up = True
            self._wake()

    def dtmf(self, digit: str) -> None:
        self._digits.append(digit)
        self._wake()

    @property
    def is_leg(self) -> bool:
        """Made by Switch.leg: Asterisk tells such a channel's end with its cause (ChannelDestroyed)."""
        return self.args[:1] == ("leg",)

    def end(self, data: Event | None = None) -> None:
        """The end, by an event that may carry a cause; without one it is the one we hung up with."""
        data = data or {}
        cause = data.get("cause") or self._asked_cause
        text = data.get("cause_txt", "")
        self.gone(Hangup(HangupReason.HANGUP, cause, text, data.get("tech_cause"), time.monotonic()))

    def gone(self, hangup: Hangup) -> None:
        """The channel is over. Calls back once, ends every wait."""
        if self._hangup is not None:
            return
        self._hangup = hangup
        self._wake()
        callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            try:
                callback(hangup)
            except Exception:
                log.exception("switch: a callback for the end of channel %s failed; going on", self.id)

    # ---- what may be asked

    async def answer(self) -> None:
        await self._do("POST", "answer", lane=self._lane())
        self.state("Up")
        self.idle()

    def idle(self) -> None:
        """A request that waits for the channel has come through: nothing unknown plays any more."""
        self._busy = False

    async def play(self, *media: str, until_digit: bool = False) -> str | None:
        """Several media are one request. A medium that cannot be played raises SwitchError."""
        if until_digit and self._digits:
            return self._digits.popleft()
        if not media:
            return None
        self._alive()
        playback_id = self._exchange.new_id("p")
        finished: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._exchange.playback(playback_id, finished)
        self._playing += 1
        try:
            await self._do("POST", "play", {"media": ",".join(media), "playbackId": playback_id})
            await self._heard(finished, until_digit)
            if not finished.done():
                await self._stop(playback_id)
                return self._digits.popleft()
            state = finished.result()
        except asyncio.CancelledError:
            if self._hangup is None:
                self._exchange.later(self._stop(playback_id))
            raise
        finally:
            self._playing -= 1
            self._exchange.playback(playback_id, None)
        if state != "done":
            await self.explain_failure()  # most likely the leg hangs up and its reason is on the way
            what = ", ".join(media)
            raise SwitchError(f"channel {self.id}: {what} could not be played ({state}); is it there?")
        return None

    async def music(self, on: bool, music_class: str = "default") -> None:
        await self._do("POST" if on else "DELETE", "moh", {"mohClass": music_class} if on else None)

    async def ring(self, on: bool) -> None:
        await self._do("POST" if on else "DELETE", "ring")

    async def mute(self, on: bool) -> None:
        await self._do("POST" if on else "DELETE", "mute", {"direction": "in"})

    async def silence(self, on: bool) -> None:
        await self._do("POST" if on else "DELETE", "silence")

    async def send_digits(self, digits: str) -> None:
        query = {"dtmf": digits, "duration": str(DTMF_MS), "between": str(DTMF_MS)}
        await self._do("POST", "dtmf", query)

    async def dial(self, timeout_s: float) -> None:
        await self.wait_started()
        await self._do("POST", "dial", {"timeout": str(max(1, round(timeout_s)))}, lane="urgent")

    def transfer_pressed(self) -> None:
        """The telephone's own transfer key, now."""
        self._pressed_at = time.monotonic()

    async def transfer_told(self, well: bool) -> None:
        await asyncio.sleep(max(0.0, self._pressed_at + KEY_SETTLES_S - time.monotonic()))
        state = "channel_answered" if well else "channel_declined"
        await self._do("POST", "transfer_progress", {"states": state})

    async def wait_started(self) -> None:
        """Until the channel is inside the application; ChannelGone when it ends before."""
        while not self._started:
            await self._changed()
        self._alive()

    async def wait_ringing(self) -> None:
        while not (self._rings or self._up):
            await self._changed()
        self._alive()

    async def wait_up(self) -> None:
        while not self._up:
            await self._changed()
        self._alive()

    async def wait_gone(self) -> Hangup:
        while self._hangup is None:
            try:
                await self._changed()
            except ChannelGone as gone:
                return gone.hangup
        return self._hangup

    async def hangup(self, cause: str = "normal") -> None:
        if self._hangup is not None:
            return
        if cause not in _CAUSES:
            raise ValueError(f"hangup cause {cause!r} is none of {', '.join(_CAUSES)}")
        self._asked_cause = _CAUSES[cause]
        try:
            await self._exchange.request("DELETE", f"channels/{self.id}", {"reason": cause})
        except NotFound:
            return

    async def go_on(self, context: str, extension: str) -> None:
        """The channel is gone for us (StasisEnd), alive for Asterisk."""
        await self._do("POST", "continue", {"context": context, "extension": extension, "priority": "1"})

    async def variable(self, name: str) -> str:
        got = await self._do("GET", "variable", {"variable": name})
        return str(got["value"])

    async def rtp(self) -> RtpCounters:
        got = await self._do("GET", "rtp_statistics")
        return RtpCounters(rx=int(got["rxcount"]), tx=int(got["txcount"]))

    async def digit(self) -> str:
        while not self._digits:
            await self._changed()
        return self._digits.popleft()

    def forget_digits(self) -> None:
        self._digits.clear()

    # ---- inside

    @property
    def playing(self) -> bool:
        """Something plays, or may: what a dead engine began on an adopted channel nobody knows."""
        return self._playing > 0 or self._busy

    def adopted(self) -> None:
        self._busy = True

    def _lane(self) -> Lane:
        """While something plays, a request that waits for the channel would block the WebSocket lane."""
        return "http" if self.playing else "auto"

    def _alive(self) -> None:
        if self._hangup is not None:
            raise ChannelGone(self.id, self._hangup)

    async def _do(
        self, method: str, what: str, query: dict[str, str] | None = None, lane: Lane = "auto"
    ) -> Any:
        self._alive()
        try:
            return await self._exchange.request(method, f"channels/{self.id}/{what}", query, lane=lane)
        except (NotFound, Refused):
            await self.explain_failure()
            raise

    async def explain_failure(self) -> None:
        """After a refused request: raises ChannelGone with the reason if the leg is gone."""
        waiter = self._waiter()
        if self._hangup is None:
            await asyncio.wait([waiter], timeout=_REASON_WAIT_S)
        self._forget(waiter)
        self._alive()

    async def _stop(self, playback_id: str) -> None:
        try:
            await self._exchange.request("DELETE", f"playbacks/{playback_id}")
        except SwitchError:
            return  # it has ended by itself, or the connection has

    async def _heard(self, finished: asyncio.Future[str], until_digit: bool) -> None:
        """Until it was played or a digit is there, or ChannelGone when the leg ends first."""
        while not (finished.done() or (until_digit and self._digits)):
            self._alive()
            waiter = self._waiter()
            try:
                both: list[asyncio.Future[Any]] = [finished, waiter]
                await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            finally:
                self._forget(waiter)
        if self._hangup is not None:
            if finished.done() and not finished.cancelled():
                finished.exception()  # seen: the hang-up is what matters
            raise ChannelGone(self.id, self._hangup)

    async def _changed(self) -> None:
        self._alive()
        waiter = self._waiter()
        try:
            await waiter
        finally:
            self._forget(waiter)
        self._alive()

    def _waiter(self) -> asyncio.Future[None]:
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        return waiter

    def _forget(self, waiter: asyncio.Future[None]) -> None:
        if waiter in self._waiters:
            self._waiters.remove(waiter)

    def _wake(self) -> None:
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)
