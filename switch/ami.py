"""AMI by panoramisk, guarded: only for what ARI lacks (reload, contact events, security events).

panoramisk re-sends what it had not finished after a reconnect, misses dead peers and lets line breaks
through. Therefore every connection is a fresh Manager that is thrown away when lost (nothing is repeated),
a ping of our own with a deadline finds a dead peer, and every value is checked. When AMI is away, calls are
untouched: only `reload` raises, and reachability is asked by ARI instead.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping
from typing import Any

from panoramisk import Manager
from panoramisk.ami_protocol import AMIProtocol

from switch.api import SwitchError, SwitchGone, SwitchSettings
from switch.backoff import Backoff

log = logging.getLogger(__name__)
# panoramisk logs every connection loss as an error with its own words; ours say what it means.
_quiet = logging.getLogger(f"{__name__}.panoramisk")
_quiet.addHandler(logging.NullHandler())
_quiet.propagate = False

AmiEvent = Mapping[str, str]


class _Protocol(AMIProtocol):  # type: ignore[misc]
    """Bears a loss before the Manager has it, which panoramisk does not."""

    lost_early = False

    def connection_lost(self, exc: Exception | None) -> None:
        if self.factory is None:
            self.lost_early = True
        else:
            super().connection_lost(exc)


class _OneConnection(Manager):  # type: ignore[misc]
    """A Manager that never reconnects by itself and hence never repeats an action."""

    lost: asyncio.Event

    def connection_made(self, opening: asyncio.Future[Any]) -> None:
        if opening.cancelled() or opening.exception() is not None:
            raise SwitchGone(
                f"cannot reach {self.config['host']}:{self.config['port']}: {opening.exception()}"
            )
        super().connection_made(opening)

    def connection_lost(self, exc: object) -> None:
        self.awaiting_actions.clear()
        self.lost.set()

    def connect(self, *_: object, **__: object) -> None:
        raise RuntimeError("connections are opened by Ami._open only")

    def dispatch(self, event: Any) -> None:
        self.hear(event)

    hear: Callable[[Any], None]

    def login(self, future: asyncio.Future[Any]) -> None:
        """The login's answer is read where the login is sent."""


class Ami:
    """Keeps one AMI connection while `run()` runs; `on_event(name, fields)` gets what the filters pass."""

    def __init__(
        self,
        settings: SwitchSettings,
        on_event: Callable[[str, AmiEvent], None],
        on_change: Callable[[bool], None],
        events: tuple[str, ...] = ("ContactStatus", "UserEvent"),
    ) -> None:
        self._settings = settings
        self._on_event = on_event
        self._on_change = on_change
        self._events = events
        self._manager: _OneConnection | None = None

    @property
    def connected(self) -> bool:
        return self._manager is not None

    async def run(self) -> None:
        """Connects, listens, reconnects, until cancelled."""
        backoff = Backoff(self._settings.reconnect_max_s)
        told = ""
        while True:
            await asyncio.sleep(backoff.next())
            try:
                manager = await self._open()
            except SwitchError as error:
                if str(error) != told:
                    log.warning("ami: %s; reload of modules is not possible until it is back", error)
                    told = str(error)
                continue
            backoff.reset()
            told = ""
            self._manager = manager
            self._on_change(True)
            try:
                await self._watch(manager)
            finally:
                self._manager = None
                self._close(manager)
                self._on_change(False)

    async def action(self, action: str, **fields: str) -> AmiEvent:
        """One action, sent once; values are plain ASCII. Raises SwitchGone, SwitchError, ValueError."""
        message = checked({"Action": action, **fields})
        manager = self._manager
        if manager is None:
            raise SwitchGone(
                f"AMI {action}: not connected to {self._settings.ami_host}:{self._settings.ami_port}"
            )
        return await self._send(manager, message)

    async def _open(self) -> _OneConnection:
        settings = self._settings
        loop = asyncio.get_running_loop()
        manager = _OneConnection(
            host=settings.ami_host, port=settings.ami_port, loop=loop, encoding="ascii", log=_quiet,
            ping_delay=86400, ping_interval=86400,
        )  # fmt: skip
        manager.lost = asyncio.Event()
        manager.hear = self._hear
        whole = False
        opening = asyncio.ensure_future(
            loop.create_connection(_Protocol, settings.ami_host, settings.ami_port)
        )
        try:
            async with asyncio.timeout(settings.request_timeout_s):
                await asyncio.wait([opening])
            manager.connection_made(opening)
            if manager.protocol is None or manager.protocol.lost_early:
                raise SwitchGone(f"{settings.ami_host}:{settings.ami_port} closed the connection at once")
            login = {"Action": "Login", "Username": settings.ami_user, "Secret": settings.ami_password}
            await self._send(manager, checked({**login, "Events": "on"}))
            for name in self._events:
                # Without a filter each call's events would come too. Needs `write=system` for this user.
                wanted = {"Action": "Filter", "Operation": "Add", "Filter": f"Event: {name}"}
                try:
                    await self._send(manager, checked(wanted))
                except SwitchGone:
                    raise
                except SwitchError as error:
                    log.warning("ami: %s; events come unfiltered, which costs CPU", error)
            whole = True
        except TimeoutError:
            raise SwitchGone(f"{settings.ami_host}:{settings.ami_port} does not answer") from None
        finally:
            opening.cancel()  # does nothing when it has come through
            if not whole:
                self._close(manager)
        return manager

    async def _watch(self, manager: _OneConnection) -> None:
        """Pings with a deadline until the connection is lost or silent."""
        beat = self._settings.heartbeat_s
        while not manager.lost.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(beat):
                    await manager.lost.wait()
                continue
            try:
                async with asyncio.timeout(beat):
                    await self._send(manager, {"Action": "Ping"})
            except (TimeoutError, SwitchError):
                log.warning("ami: no answer to a ping within %.1f s; connecting anew", beat)
                return

    async def _send(self, manager: _OneConnection, message: dict[str, str]) -> AmiEvent:
        action = message["Action"]
        future = manager.send_action(dict(message))
        lost = asyncio.ensure_future(manager.lost.wait())
        try:
            await asyncio.wait(
                [future, lost], timeout=self._settings.request_timeout_s, return_when=asyncio.FIRST_COMPLETED
            )
            if not future.done():
                raise SwitchGone(f"AMI {action}: " + ("connection lost" if lost.done() else "no answer"))
        finally:
            lost.cancel()
            if not future.done():
                future.cancel()
        answer: Any = future.result()
        if not getattr(answer, "success", True):
            raise SwitchError(f"AMI {action}: {answer.get('Message', 'refused')}")
        return dict(answer) if isinstance(answer, Mapping) else {}

    def _hear(self, message: Any) -> None:
        try:
            self._on_event(str(message.event), {str(name): str(value) for name, value in message.items()})
        except Exception:
            log.exception("ami: handling %s failed; going on", getattr(message, "event", "?"))

    def _close(self, manager: _OneConnection) -> None:
        manager.close()
        manager.awaiting_actions.clear()


def checked(message: Mapping[str, str]) -> dict[str, str]:
    """The message, if every field is safe on AMI's lines; ValueError names the field that is not."""
    for name, value in message.items():
        for text in (name, value):
            if not text.isascii() or any(ord(letter) < 32 or ord(letter) == 127 for letter in text):
                raise ValueError(f"AMI field {name!r}: only printable ASCII without line breaks may be sent")
    return dict(message)
