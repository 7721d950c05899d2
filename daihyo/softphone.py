"""A small SIP telephone (RFC 3261 over UDP, G.711) in pure asyncio, for `daihyo try` and for measurements.

    async with await Softphone.open(("127.0.0.1", 5060), user="0312345678") as phone:
        call = await phone.call("0246221111")
        await call.answered(20)
        ...
        call.hang_up()

It registers with digest, calls, is called (`on_call`), answers, refuses, hangs up, is put on hold. It
does not do what a real phone needs beside that: no TCP, no SRTP, no NAT.
"""

from __future__ import annotations

import asyncio
import contextlib
import enum
import logging
from collections.abc import Callable
from types import TracebackType
from typing import cast

from daihyo import sip_message as sip
from daihyo.rtp import Media
from daihyo.sip_message import Message

log = logging.getLogger("daihyo.softphone")

T1 = 0.5
TRIES_S = 32.0


class CallFailed(Exception):
    """The other side refused: `status` is SIP's (0: no answer at all)."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(f"{status} {reason}" if status else reason)
        self.status = status


class State(enum.Enum):
    CALLING = "calling"
    RINGING = "ringing"
    UP = "up"
    ENDED = "ended"


class SoftCall:
    """One call of a Softphone, made or taken. `by_us`: who hung up; None while it lasts."""

    def __init__(self, phone: Softphone, media: Media, call_id: str, invite: Message, outgoing: bool) -> None:
        self.phone = phone
        self.media = media
        self.call_id = call_id
        self.invite = invite
        self.outgoing = outgoing
        self.state = State.CALLING if outgoing else State.RINGING
        self.by_us: bool | None = None
        self.failure: CallFailed | None = None
        self.remote_tag = ""
        self.local_tag = sip.parameter(invite.get("from" if outgoing else "to"), "tag") or sip.token()
        self.target = invite.uri if outgoing else sip.address(invite.get("contact"))
        self._routes: list[str] = [] if outgoing else invite.all("record-route")
        self._cseq = invite.cseq[0] if outgoing else 100
        self._up = asyncio.Event()
        self._ended = asyncio.Event()

    # ── what the user of a phone does ────────────────────────────────────────────────────────────────────

    async def answered(self, within_s: float) -> None:
        """Returns when the call is up. Raises CallFailed when it is refused, TimeoutError when nobody
        answers."""
        async with asyncio.timeout(within_s):
            await self._up.wait()
        if self.failure is not None:
            raise self.failure

    async def ended(self) -> None:
        await self._ended.wait()

    def answer(self) -> None:
        """Takes a call that rings."""
        if self.outgoing or self.state is not State.RINGING:
            return
        remote = sip.media_address(self.invite.body)
        body = sip.sdp(self.phone.host, self.media.port)
        reply = sip.answer(self.invite, 200, "OK", self.local_tag, body, self.phone.contact)
        self._become_up()
        if remote:
            self.media.start(remote)
        self.phone.keep_sending(("200", self.call_id), reply)

    def refuse(self, status: int = 486, reason: str = "Busy Here") -> None:
        """Refuses a call that rings."""
        if not self.outgoing and self.state is State.RINGING:
            self.phone.send(sip.answer(self.invite, status, reason, self.local_tag))
            self._end(by_us=True)

    def hang_up(self) -> None:
        """Ends the call in whatever state it is; nothing if it has ended."""
        if self.state is State.UP:
            self.phone.ask(self.request("BYE"))
            self._end(by_us=True)
        elif self.outgoing and self.state is not State.ENDED:
            cancel = Message("CANCEL", self.invite.uri)
            kept = ("via", "from", "to", "call-id", "max-forwards")
            cancel.headers = [(name, value) for name, value in self.invite.headers if name in kept]
            cancel.headers.append(("cseq", f"{self.invite.cseq[0]} CANCEL"))
            self.phone.ask(cancel)
            self._end(by_us=True, forget=False)  # the 487 must still be acknowledged
        else:
            self.refuse()

    # ── what comes from the wire ─────────────────────────────────────────────────────────────────────────

    def took_answer(self, reply: Message) -> None:
        if reply.status < 200:
            if reply.status >= 180 and self.state is State.CALLING:
                self.state = State.RINGING
            return
        self.remote_tag = sip.parameter(reply.get("to"), "tag")
        if reply.status < 300:
            self.target = sip.address(reply.get("contact")) or self.target
            self._routes = list(reversed(reply.all("record-route")))
            self.phone.send(self.request("ACK"))
            if self.state is State.ENDED:  # answered while we gave up
                self.phone.ask(self.request("BYE"))
                return
            if remote := sip.media_address(reply.body):
                self.media.start(remote)
            self._become_up()
            return
        acknowledge = Message("ACK", self.invite.uri)
        acknowledge.headers = [
            (n, v) for n, v in self.invite.headers if n in ("via", "from", "call-id", "max-forwards")
        ]
        acknowledge.headers += [("to", reply.get("to")), ("cseq", f"{self.invite.cseq[0]} ACK")]
        self.phone.send(acknowledge)
        if self.state is not State.ENDED:
            self.failed(reply.status, reply.reason)
        self.phone.forget(self)

    def took_request(self, request: Message) -> None:
        if request.method == "ACK":
            self.phone.stop_sending(("200", self.call_id))
        elif request.method in ("BYE", "CANCEL"):
            self.phone.send(sip.answer(request, 200, "OK", self.local_tag))
            if request.method == "CANCEL" and self.state is State.RINGING:
                self.phone.send(sip.answer(self.invite, 487, "Request Terminated", self.local_tag))
            self.phone.stop_sending(("200", self.call_id))
            self._end(by_us=False)
        elif request.method in ("INVITE", "UPDATE"):  # hold, another media address, session timer
            if remote := sip.media_address(request.body):
                self.media.start(remote)
            body = sip.sdp(self.phone.host, self.media.port, 2) if request.body else ""
            self.phone.send(sip.answer(request, 200, "OK", self.local_tag, body, self.phone.contact))
        else:
            self.phone.send(sip.answer(request, 200, "OK", self.local_tag))

    def failed(self, status: int, reason: str) -> None:
        self.failure = CallFailed(status, reason)
        self._up.set()
        self._end(by_us=False)

    def request(self, method: str) -> Message:
        """A request within the dialogue."""
        if method != "ACK":
            self._cseq += 1
        ours = self.invite.get("from") if self.outgoing else f"{self.invite.get('to')}"
        theirs = self.invite.get("to") if self.outgoing else self.invite.get("from")
        if "tag=" not in ours:
            ours = f"{ours};tag={self.local_tag}"
        if "tag=" not in theirs and self.remote_tag:
            theirs = f"{theirs};tag={self.remote_tag}"
        made = Message(method, self.target)
        made.headers = [
            ("via", self.phone.via()),
            *(("route", route) for route in self._routes),
            ("from", ours),
            ("to", theirs),
            ("call-id", self.call_id),
            ("cseq", f"{self._cseq} {method}"),
            ("contact", self.phone.contact),
            ("max-forwards", "70"),
        ]
        return made

    def _become_up(self) -> None:
        self.state = State.UP
        self._up.set()

    def _end(self, by_us: bool, forget: bool = True) -> None:
        if self.state is not State.ENDED:
            self.state, self.by_us = State.ENDED, by_us
            self.media.close()
            if not self._up.is_set():
                self.failure = self.failure or CallFailed(487, "ended before it was answered")
                self._up.set()
            self._ended.set()
        if forget:
            self.phone.forget(self)


class Softphone(asyncio.DatagramProtocol):
    """One telephone on one UDP socket. `on_call` is called with each call that comes in (it rings
    already)."""

    def __init__(self, server: tuple[str, int], user: str, secret: str = "") -> None:
        self.server = server
        self.user = user
        self.on_call: Callable[[SoftCall], None] | None = None
        self.host = ""
        self.port = 0
        self._secret = secret
        self._transport: asyncio.DatagramTransport | None = None
        self._calls: dict[str, SoftCall] = {}
        self._waiting: dict[tuple[str, str], asyncio.Future[Message]] = {}  # (branch, method) → final answer
        self._sending: dict[tuple[str, str], asyncio.Task[None]] = {}
        self._said: dict[tuple[str, str], bytes] = {}  # (branch, method) → our answer, for repeated requests
        self._tasks: set[asyncio.Task[None]] = set()

    @classmethod
    async def open(
        cls, server: tuple[str, int], user: str, secret: str = "", host: str = "127.0.0.1"
    ) -> Softphone:
        """`host`: our own address."""
        loop = asyncio.get_running_loop()
        _, phone = await loop.create_datagram_endpoint(
            lambda: cls(server, user, secret), local_addr=(host, 0)
        )
        return phone

    async def __aenter__(self) -> Softphone:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        for call in list(self._calls.values()):
            call.hang_up()
        for task in (*self._sending.values(), *self._tasks):
            task.cancel()
        if self._transport is not None:
            self._transport.close()

    async def register(self, expires_s: int = 600) -> None:
        """Registers (0: signs off). Raises CallFailed when it is refused or not answered."""
        host, port = self.server
        call_id, tag, uri = sip.token(), sip.token(), f"sip:{host}:{port}"
        challenge = ""
        for number in (1, 2):
            request = Message("REGISTER", uri)
            request.headers = [
                ("via", self.via()),
                ("from", f"<sip:{self.user}@{host}>;tag={tag}"),
                ("to", f"<sip:{self.user}@{host}>"),
                ("call-id", call_id),
                ("cseq", f"{number} REGISTER"),
                ("contact", self.contact),
                ("expires", str(expires_s)),
                ("max-forwards", "70"),
            ]
            if challenge:
                value = sip.authorization(challenge, "REGISTER", uri, self.user, self._secret)
                request.headers.append(("authorization", value))
            reply = await self.ask_and_wait(request)
            if reply.status == 401 and not challenge:
                challenge = reply.get("www-authenticate")
                continue
            if reply.status >= 300:
                raise CallFailed(reply.status, reply.reason)
            return

    async def call(self, number: str, caller: str | None = None, name: str = "") -> SoftCall:
        """Calls `number` at the server; `caller` replaces the own user in From ("anonymous": withheld)."""
        host, port = self.server
        media = await Media.open(self.host)
        shown = caller or self.user
        domain = "anonymous.invalid" if shown == "anonymous" else self.host
        invite = Message("INVITE", f"sip:{number}@{host}:{port}", body=sip.sdp(self.host, media.port))
        invite.headers = [
            ("via", self.via()),
            ("from", f'"{name or shown}" <sip:{shown}@{domain}>;tag={sip.token()}'),
            ("to", f"<sip:{number}@{host}:{port}>"),
            ("call-id", sip.token()),
            ("cseq", "1 INVITE"),
            ("contact", self.contact),
            ("max-forwards", "70"),
        ]
        if shown == "anonymous":
            invite.headers.append(("privacy", "id"))
        call = SoftCall(self, media, invite.get("call-id"), invite, outgoing=True)
        self._calls[call.call_id] = call
        self._keep(self._invite(call))
        return call

    # ── transactions ─────────────────────────────────────────────────────────────────────────────────────

    async def _invite(self, call: SoftCall) -> None:
        """Repeats the INVITE until something is heard."""
        pause, waited = T1, 0.0
        while call.state is State.CALLING and waited < TRIES_S:
            self.send(call.invite)
            await asyncio.sleep(pause)
            waited, pause = waited + pause, pause * 2
        if call.state is State.CALLING and call.call_id in self._calls:
            call.failed(0, "the exchange does not answer")

    async def ask_and_wait(self, request: Message) -> Message:
        """Sends a request (not INVITE), again until it is answered. Raises CallFailed(0) without an
        answer."""
        key = (request.branch, request.method)
        future = self._waiting[key] = asyncio.get_running_loop().create_future()
        pause, waited = T1, 0.0
        try:
            while waited < TRIES_S:
                self.send(request)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(pause):
                        return await asyncio.shield(future)
                waited, pause = waited + pause, min(pause * 2, 4.0)
        finally:
            del self._waiting[key]
        raise CallFailed(0, f"no answer to {request.method}")

    def ask(self, request: Message) -> None:
        """As `ask_and_wait`, in the background; no answer is no error (BYE, CANCEL)."""

        async def asking() -> None:
            with contextlib.suppress(CallFailed):
                await self.ask_and_wait(request)

        self._keep(asking())

    def keep_sending(self, key: tuple[str, str], message: Message) -> None:
        """A 200 to INVITE goes out again until its ACK comes."""

        async def sending() -> None:
            pause, waited = T1, 0.0
            while waited < TRIES_S:
                self.send(message)
                await asyncio.sleep(pause)
                waited, pause = waited + pause, min(pause * 2, 4.0)

        self._sending[key] = asyncio.create_task(sending())

    def stop_sending(self, key: tuple[str, str]) -> None:
        if task := self._sending.pop(key, None):
            task.cancel()

    def _keep(self, work: object) -> None:
        task: asyncio.Task[None] = asyncio.ensure_future(work)  # type: ignore[call-overload]
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("telephone %s: %s: %s", self.user, type(error).__name__, error)

    def forget(self, call: SoftCall) -> None:
        self._calls.pop(call.call_id, None)

    # ── the wire ─────────────────────────────────────────────────────────────────────────────────────────

    @property
    def contact(self) -> str:
        return f"<sip:{self.user}@{self.host}:{self.port}>"

    def via(self) -> str:
        return f"SIP/2.0/UDP {self.host}:{self.port};rport;branch=z9hG4bK{sip.token()}"

    def send(self, message: Message) -> None:
        data = message.encode()
        if message.status and message.cseq[1] != "ACK":
            self._said[(message.branch, message.cseq[1])] = data
            while len(self._said) > 64:
                del self._said[next(iter(self._said))]
        if self._transport is not None and not self._transport.is_closing():
            self._transport.sendto(data, self.server)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport = cast(asyncio.DatagramTransport, transport)
        self._transport = transport
        self.host, self.port = transport.get_extra_info("sockname")[:2]

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        try:
            message = sip.parse(data)
        except sip.BadMessage:
            return  # keep-alives and noise
        if message.status:
            self._answer_came(message)
        else:
            self._request_came(message)

    def _answer_came(self, reply: Message) -> None:
        _, method = reply.cseq
        if method == "INVITE":
            if call := self._calls.get(reply.get("call-id")):
                call.took_answer(reply)
            return
        future = self._waiting.get((reply.branch, method))
        if future is not None and reply.status >= 200 and not future.done():
            future.set_result(reply)

    def _request_came(self, request: Message) -> None:
        if said := self._said.get((request.branch, request.method)):  # repeated: our answer was lost
            if self._transport is not None:
                self._transport.sendto(said, self.server)
            return
        call = self._calls.get(request.get("call-id"))
        if call is not None:
            call.took_request(request)
        elif request.method == "OPTIONS":
            self.send(sip.answer(request, 200, "OK", sip.token()))
        elif request.method == "INVITE" and self.on_call is not None:
            self._keep(self._ring(request, self.on_call))
        elif request.method == "INVITE":
            self.send(sip.answer(request, 486, "Busy Here", sip.token()))
        elif request.method != "ACK":
            self.send(sip.answer(request, 481, "Call Does Not Exist", sip.token()))

    async def _ring(self, invite: Message, on_call: Callable[[SoftCall], None]) -> None:
        if invite.get("call-id") in self._calls:
            return
        media = await Media.open(self.host)
        call = SoftCall(self, media, invite.get("call-id"), invite, outgoing=False)
        call.remote_tag = sip.parameter(invite.get("from"), "tag")
        self._calls[call.call_id] = call
        self.send(sip.answer(invite, 180, "Ringing", call.local_tag, contact=self.contact))
        on_call(call)
