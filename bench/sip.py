"""A small SIP user agent on UDP for load: many phones on one socket, every packet with its time.

Times are seconds since the epoch: of packets received, the kernel's own stamp (SO_TIMESTAMPNS), so that a
busy event loop does not count; of packets sent, the moment before they are given to the kernel. Only what
the benches need: register with a digest, call, be called, answer, hang up, retransmit. No TCP, no hold.
"""

from __future__ import annotations

import asyncio
import itertools
import socket
import struct
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from bench.sip_message import Address, Message, digest, parse, rtp_address, uri_of

SO_TIMESTAMPNS = 35  # linux/asm-generic/socket.h; Python does not name it
_RECEIVE_BUFFER = 8 << 20
_T1_S = 0.5  # RFC 3261, 17.1.1.1: first retransmission, doubled each time
_GIVE_UP_S = 32.0


def stamp_of(ancillary: Iterable[tuple[int, int, bytes]]) -> float | None:
    """When the kernel received a packet (seconds since the epoch), from what `recvmsg` says beside it; None
    when it does not say."""
    for level, kind, value in ancillary:
        if level == socket.SOL_SOCKET and kind == SO_TIMESTAMPNS:
            seconds, nanoseconds = struct.unpack("@qq", value[:16])
            return float(seconds + nanoseconds / 1e9)
    return None


@dataclass(slots=True)
class Leg:
    """One call at one of our phones, made (`incoming` False) or received."""

    phone: Phone
    user: str
    call_id: str
    incoming: bool
    local: str  # From or To of ours, with tag
    remote: str  # the other's; with tag once known
    target: str  # where requests within the dialog go
    invite: Message | None = None  # as received
    cseq: int = 1
    invited_at: float = 0.0
    confirmed_at: float = 0.0  # ACK received or sent
    bye_at: float = 0.0
    ended_at: float = 0.0
    status: int = 0  # the final status of the INVITE
    rtp: Address | None = None
    via: str = ""
    retransmission: asyncio.TimerHandle | None = None
    answer_sent: bytes = b""
    on_ringing: Callable[[Leg], None] | None = None
    on_confirmed: Callable[[Leg], None] | None = None
    on_ended: Callable[[Leg], None] | None = None
    extra: dict[str, object] = field(default_factory=dict)

    @property
    def talking(self) -> bool:
        return self.confirmed_at > 0 and self.ended_at == 0


class Phone:
    """One UDP socket on 127.0.0.1 with any number of users. `server` is the registrar and proxy.

    `on_invite(leg)` decides about incoming calls: `ring`, `answer`, `refuse`. `rtp_port` is what our SDP
    says. `errors` collects what was not expected; a bench shows it."""

    def __init__(
        self, server: Address, rtp_port: int, on_invite: Callable[[Leg], None] | None = None
    ) -> None:
        self.server = server
        self.rtp_port = rtp_port
        self.on_invite = on_invite
        self.errors: list[str] = []
        self.sent = 0
        self.received = 0
        self.retransmitted = 0
        self._legs: dict[str, Leg] = {}
        self._answers: dict[str, asyncio.Future[Message]] = {}
        self._refusals: dict[str, bytes] = {}  # sent again when the INVITE comes again
        self._closed = False
        self._numbers = itertools.count(1)
        self._loop = asyncio.get_running_loop()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
        self._socket.setblocking(False)
        self._socket.bind(("127.0.0.1", 0))
        self.host, self.port = self._socket.getsockname()
        self._salt = f"{self.port}-{time.time_ns():x}"
        self._loop.add_reader(self._socket.fileno(), self._readable)

    def close(self) -> None:
        self._closed = True
        for leg in self._legs.values():
            if leg.retransmission is not None:
                leg.retransmission.cancel()
        self._loop.remove_reader(self._socket.fileno())
        self._socket.close()

    # ── sending ────────────────────────────────────────────────────────────────────────────────────────

    def _send(self, data: bytes) -> float:
        at = time.time()
        if not self._closed:  # timers of phones that are put away may still run out
            self._socket.sendto(data, self.server)
            self.sent += 1
        return at

    def _repeat(self, leg: Leg, data: bytes, after_s: float = _T1_S) -> None:
        """Sends `data` again until `_quiet`, doubling the pause (RFC 3261, 17.1)."""
        self._quiet(leg)

        def again() -> None:
            if after_s > _GIVE_UP_S / 2:
                self.errors.append(f"no answer to {data[:40]!r} of {leg.user}")
                self._over(leg, time.time())
                return
            self._send(data)
            self.retransmitted += 1
            self._repeat(leg, data, after_s * 2)

        leg.retransmission = self._loop.call_later(after_s, again)

    def _quiet(self, leg: Leg) -> None:
        if leg.retransmission is not None:
            leg.retransmission.cancel()
            leg.retransmission = None

    def _request(
        self, method: str, uri: str, leg_headers: tuple[str, str, str], cseq: int, via: str,
        body: str = "", more: str = "", user: str = "x",
    ) -> bytes:  # fmt: skip
        local, remote, call_id = leg_headers
        kind = "Content-Type: application/sdp\r\n" if body else ""
        return (
            f"{method} {uri} SIP/2.0\r\nVia: {via}\r\nMax-Forwards: 70\r\n"
            f"From: {local}\r\nTo: {remote}\r\nCall-ID: {call_id}\r\nCSeq: {cseq} {method}\r\n"
            f"Contact: <sip:{user}@{self.host}:{self.port}>\r\n{more}{kind}"
            f"Content-Length: {len(body.encode())}\r\n\r\n{body}"
        ).encode()

    def _via(self) -> str:
        return f"SIP/2.0/UDP {self.host}:{self.port};rport;branch=z9hG4bK-{self._salt}-{next(self._numbers)}"

    def _reply(
        self, request: Message, status: str, to: str | None = None, body: str = "", user: str = "x",
        contact: str | None = None,
    ) -> bytes:  # fmt: skip
        vias = "".join(f"Via: {via}\r\n" for via in request.headers["via"])
        routes = "".join(f"Record-Route: {each}\r\n" for each in request.headers.get("record-route", []))
        kind = "Content-Type: application/sdp\r\n" if body else ""
        return (
            f"SIP/2.0 {status}\r\n{vias}{routes}From: {request['from']}\r\nTo: {to or request['to']}\r\n"
            f"Call-ID: {request['call-id']}\r\nCSeq: {request['cseq']}\r\n"
            f"Contact: <{contact or f'sip:{user}@{self.host}:{self.port}'}>\r\n"
            "Allow: INVITE,ACK,BYE,CANCEL,OPTIONS\r\n"
            f"{kind}Content-Length: {len(body.encode())}\r\n\r\n{body}"
        ).encode()

    def _sdp(self) -> str:
        return (
            f"v=0\r\no=- 1 1 IN IP4 {self.host}\r\ns=-\r\nc=IN IP4 {self.host}\r\nt=0 0\r\n"
            f"m=audio {self.rtp_port} RTP/AVP 0 101\r\na=rtpmap:0 PCMU/8000\r\n"
            "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\na=ptime:20\r\na=sendrecv\r\n"
        )

    # ── what phones do ─────────────────────────────────────────────────────────────────────────────────

    async def register(self, user: str, secret: str, expires_s: int = 3600) -> None:
        """Registers for so long (0: leaves). RuntimeError with the status if refused, TimeoutError if
        unanswered."""
        host, port = self.server
        uri, aor = f"sip:{host}:{port}", f"<sip:{user}@{host}>"
        number = next(self._numbers)
        call_id, tag = f"r-{user}-{number}-{self._salt}", f"r{number}"
        authorization = ""
        for cseq in (1, 2):
            request = self._request(
                "REGISTER", uri, (f"{aor};tag={tag}", aor, call_id), cseq, self._via(),
                more=f"Expires: {expires_s}\r\n{authorization}", user=user,
            )  # fmt: skip
            answer = self._answers[call_id] = self._loop.create_future()
            for pause_s in (0.5, 1.0, 2.0, 4.0):
                self._send(request)
                await asyncio.wait([answer], timeout=pause_s)
                if answer.done():
                    break
            else:
                raise TimeoutError(f"{host}:{port} does not answer the REGISTER of {user}")
            response = answer.result()
            if response.status == 200:
                return
            if response.status != 401 or cseq == 2:
                raise RuntimeError(f"REGISTER of {user}: {response.first}")
            authorization = digest(response["www-authenticate"], user, secret, "REGISTER", uri)

    async def ping(self) -> float:
        """Seconds from an OPTIONS to its answer, whatever that says; 2.0 if there is none in 2 s."""
        host, port = self.server
        call_id, uri, tag = f"o-{next(self._numbers)}-{self._salt}", f"sip:{host}:{port}", next(self._numbers)
        answer: asyncio.Future[Message] = self._loop.create_future()
        self._answers[call_id] = answer
        names = (f"<sip:ping@{self.host}>;tag=o{tag}", f"<{uri}>", call_id)
        try:
            at = self._send(self._request("OPTIONS", uri, names, 1, self._via()))
            await asyncio.wait([answer], timeout=2.0)
            return answer.result().at - at if answer.done() else 2.0
        finally:
            del self._answers[call_id]

    def call(self, user: str, number: str) -> Leg:
        """Sends an INVITE; set the leg's callbacks at once."""
        host, port = self.server
        uri = f"sip:{number}@{host}:{port}"
        leg = Leg(
            self, user, f"c-{next(self._numbers)}-{self._salt}", False,
            f"<sip:{user}@{self.host}>;tag=c{next(self._numbers)}", f"<{uri}>", uri, via=self._via(),
        )  # fmt: skip
        self._legs[leg.call_id] = leg
        request = self._request(
            "INVITE", uri, (leg.local, leg.remote, leg.call_id), leg.cseq, leg.via, self._sdp(), user=user
        )
        leg.invited_at = self._send(request)
        self._repeat(leg, request)
        return leg

    def ring(self, leg: Leg) -> None:
        assert leg.invite is not None
        self._send(self._reply(leg.invite, "180 Ringing", leg.local, user=leg.user))

    def answer(self, leg: Leg) -> None:
        """200 OK; the leg talks when the ACK is here."""
        if leg.ended_at or leg.invite is None:
            return
        leg.status = 200
        leg.answer_sent = self._reply(leg.invite, "200 OK", leg.local, self._sdp(), user=leg.user)
        self._send(leg.answer_sent)
        self._repeat(leg, leg.answer_sent)

    def refuse(self, leg: Leg, status: str = "486 Busy Here", contact: str | None = None) -> None:
        """`contact`: the address that a redirection (302) names."""
        assert leg.invite is not None
        leg.status = int(status.split()[0])
        reply = self._reply(leg.invite, status, leg.local, user=leg.user, contact=contact)
        self._refusals[leg.call_id] = reply
        self._send(reply)
        self._over(leg, time.time())

    def bye(self, leg: Leg) -> None:
        """Hangs up; `leg.bye_at` is when."""
        if not leg.talking:
            return
        leg.cseq += 1
        request = self._request(
            "BYE", leg.target, (leg.local, leg.remote, leg.call_id), leg.cseq, self._via(), user=leg.user
        )
        leg.bye_at = self._send(request)
        self._over(leg, leg.bye_at)
        self._legs[leg.call_id] = leg  # until the BYE is answered
        self._repeat(leg, request)

    # ── receiving ──────────────────────────────────────────────────────────────────────────────────────

    def _readable(self) -> None:
        for _ in range(64):
            try:
                data, ancillary, _flags, _sender = self._socket.recvmsg(65535, 256)
            except (BlockingIOError, InterruptedError):
                return
            at = stamp_of(ancillary) or time.time()
            self.received += 1
            if data[:1] >= b"\x80":  # RTCP to the port above our RTP's, which may be this one
                continue
            try:
                message = parse(data, at)
                if message.status:
                    self._response(message)
                else:
                    self._request_in(message)
            except (ValueError, KeyError, IndexError) as error:
                self.errors.append(f"not understood ({error!r}): {data[:80]!r}")

    def _response(self, message: Message) -> None:
        call_id, status = message["call-id"], message.status
        if (waiting := self._answers.get(call_id)) is not None:
            if status >= 200 and not waiting.done():
                waiting.set_result(message)
            return
        leg = self._legs.get(call_id)
        if leg is None:
            return
        if message.method == "BYE":
            if status >= 200:
                self._quiet(leg)
                self._legs.pop(call_id, None)
            return
        if message.method != "INVITE":
            return
        if status < 200:
            self._quiet(leg)
            if status > 100 and leg.on_ringing is not None:
                leg.on_ringing(leg)
            return
        self._quiet(leg)
        leg.remote = message["to"]
        # RFC 3261, 17.1.1.3: the ACK of a refusal belongs to the INVITE's own transaction.
        target, via = (uri_of(message["contact"]), self._via()) if status < 300 else (leg.target, leg.via)
        self._send(self._request("ACK", target, (leg.local, leg.remote, call_id), 1, via, user=leg.user))
        if leg.status:  # a repeated final answer, acknowledged again
            return
        leg.status = status
        if status < 300:
            leg.target, leg.rtp, leg.confirmed_at = target, rtp_address(message.body), message.at
            if leg.on_confirmed is not None:
                leg.on_confirmed(leg)
        else:
            self._over(leg, message.at)

    def _request_in(self, message: Message) -> None:
        leg = self._legs.get(message["call-id"])
        match message.method:
            case "INVITE" if leg is None and message["call-id"] in self._refusals:
                self._send(self._refusals[message["call-id"]])
            case "INVITE" if leg is None:
                self._invited(message)
            case "INVITE":
                assert leg is not None
                if leg.status >= 200 and leg.answer_sent and not leg.confirmed_at:
                    self._send(leg.answer_sent)  # a retransmission of the first
                elif leg.talking:
                    self._send(self._reply(message, "200 OK", body=self._sdp(), user=leg.user))
            case "ACK":
                if leg is not None and leg.incoming and not leg.confirmed_at and leg.status == 200:
                    self._quiet(leg)
                    leg.confirmed_at = message.at
                    if leg.on_confirmed is not None:
                        leg.on_confirmed(leg)
            case "BYE":
                self._send(self._reply(message, "200 OK" if leg else "481 No Such Call"))
                if leg is not None:
                    self._over(leg, message.at)
            case "CANCEL":
                self._send(self._reply(message, "200 OK"))
                if leg is not None and leg.incoming and not leg.status and leg.invite is not None:
                    self.refuse(leg, "487 Request Terminated")
            case _:  # OPTIONS, NOTIFY, UPDATE, …
                self._send(self._reply(message, "200 OK"))

    def _invited(self, message: Message) -> None:
        user = message.first.split(" ")[1].removeprefix("sip:").split("@")[0]
        leg = Leg(
            self, user, message["call-id"], True,
            f"{message['to']};tag=p{next(self._numbers)}", message["from"], uri_of(message["contact"]),
            invite=message, invited_at=message.at, rtp=rtp_address(message.body),
        )  # fmt: skip
        self._legs[leg.call_id] = leg
        if self.on_invite is None:
            self.refuse(leg, "404 Not Found")
        else:
            self.on_invite(leg)

    def _over(self, leg: Leg, at: float) -> None:
        if leg.ended_at:
            return
        self._quiet(leg)
        self._legs.pop(leg.call_id, None)
        leg.ended_at = at
        if leg.on_ended is not None:
            leg.on_ended(leg)
