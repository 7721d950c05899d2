"""A telephone for tests: SIP over UDP on loopback in the test's own event loop, one call at a time.

`phone = await SipPhone.open(asterisk_port, "1001", password)`; `await phone.register()`; `phone.policy`
says what an incoming call meets: `answer`, `ring`, or a refusing status such as `486`. `await
phone.call("0312345678")` calls as a trunk would. What happened is in `phone.seen` (name, monotonic
seconds) and can be waited for with `await phone.event("invite")`. RTP packets received are counted.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import secrets
import struct
import time

import aiohttp

T1 = 0.5  # seconds: RFC 3261's estimate of a round trip
_REASONS = {100: "Trying", 180: "Ringing", 200: "OK", 486: "Busy Here", 603: "Decline", 480: "Unavailable"}


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, receive: object) -> None:
        self.receive = receive

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.receive(data)  # type: ignore[operator]


class SipPhone:
    """One phone, one call at a time. Ports are integers on 127.0.0.1, times are time.monotonic() seconds."""

    def __init__(self, server_port: int, user: str, password: str) -> None:
        self.server_port, self.user, self.password = server_port, user, password
        self.policy = "answer"
        self.seen: list[tuple[str, float]] = []
        self.rtp_received = 0
        self._waiters: dict[str, asyncio.Queue[dict[str, str]]] = {}
        self._call: dict[str, str] = {}  # headers of the dialogue: call-id, from, to, target
        self._heard = asyncio.Event()
        self._cseq = 1
        self._rtp_target: tuple[str, int] | None = None
        self._rtp_task: asyncio.Task[None] | None = None
        self.in_call = False

    @classmethod
    async def open(cls, server_port: int, user: str = "citizen", password: str = "") -> SipPhone:
        phone = cls(server_port, user, password)
        loop = asyncio.get_running_loop()
        phone._sip, _ = await loop.create_datagram_endpoint(
            lambda: _Datagrams(phone._received), local_addr=("127.0.0.1", 0)
        )
        phone._rtp, _ = await loop.create_datagram_endpoint(
            lambda: _Datagrams(phone._rtp_in), local_addr=("127.0.0.1", 0)
        )
        phone.port = phone._sip.get_extra_info("sockname")[1]
        phone.rtp_port = phone._rtp.get_extra_info("sockname")[1]
        return phone

    _sip: asyncio.DatagramTransport
    _rtp: asyncio.DatagramTransport
    port: int
    rtp_port: int

    def close(self) -> None:
        """The phone loses its power: no BYE, no REGISTER."""
        if self._rtp_task:
            self._rtp_task.cancel()
        self._sip.close()
        self._rtp.close()

    async def event(self, name: str, timeout_s: float = 20.0) -> dict[str, str]:
        """The headers of the next message of that name (`invite`, `ack`, `bye`, `cancel`, `200`…)."""
        return await asyncio.wait_for(self._queue(name).get(), timeout_s)

    async def hears(self, packets: int = 5, timeout_s: float = 20.0) -> None:
        """Until so many more voice packets have arrived."""
        enough = self.rtp_received + packets
        async with asyncio.timeout(timeout_s):
            while self.rtp_received < enough:
                self._heard.clear()
                await self._heard.wait()

    last_sound = b""

    async def hears_silence(self, timeout_s: float = 20.0) -> None:
        """Until the voice packets are another test phone's (pure µ-law silence), no tone or music."""
        async with asyncio.timeout(timeout_s):
            while set(self.last_sound) != {0xFF}:
                await self.hears(1)

    async def register(self, expires_s: int = 300) -> None:
        """Registers (or with 0 seconds leaves), answering the server's challenge."""
        call_id, tag = secrets.token_hex(8), secrets.token_hex(4)
        uri = f"sip:127.0.0.1:{self.server_port}"
        headers = {
            "From": f"<sip:{self.user}@127.0.0.1>;tag={tag}", "To": f"<sip:{self.user}@127.0.0.1>",
            "Call-ID": call_id, "Expires": str(expires_s), "Contact": f"<{self._contact()}>",
        }  # fmt: skip
        self._request("REGISTER", uri, headers, 1)
        challenge = (await self.event("401"))["www-authenticate"]
        field = dict(re.findall(r'(\w+)="?([^",]*)"?', challenge))
        one = _md5(f"{self.user}:{field['realm']}:{self.password}")
        two = _md5(f"REGISTER:{uri}")
        answer = _md5(f"{one}:{field['nonce']}:00000001:abcdef:auth:{two}")
        headers["Authorization"] = (
            f'Digest username="{self.user}", realm="{field["realm"]}", nonce="{field["nonce"]}", uri="{uri}",'
            f' response="{answer}", algorithm=MD5, cnonce="abcdef", qop=auth, nc=00000001'
            + (f', opaque="{field["opaque"]}"' if "opaque" in field else "")
        )
        self._request("REGISTER", uri, headers, 2)
        await self.event("200")

    async def register_over(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        """Registers over a SIP WebSocket (RFC 7118), as a browser does; the contact lives with the socket."""
        self._socket = socket
        self._receiver = asyncio.get_running_loop().create_task(self._receive(socket))
        await self.register()

    async def _receive(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        async for message in socket:
            self._received(message.data if isinstance(message.data, bytes) else message.data.encode())

    _socket: aiohttp.ClientWebSocketResponse | None = None
    _receiver: asyncio.Task[None] | None = None

    async def call(self, number: str, wait_answer: bool = True) -> None:
        """Calls a number; returns when it is answered (or when the INVITE is sent)."""
        tag = secrets.token_hex(4)
        uri = f"sip:{number}@127.0.0.1:{self.server_port}"
        self._call = {
            "Call-ID": secrets.token_hex(8), "target": uri, "invite-uri": uri,
            "From": f"<sip:{self.user}@127.0.0.1>;tag={tag}", "To": f"<sip:{number}@127.0.0.1>",
        }  # fmt: skip
        self._cseq = 1
        self._request("INVITE", uri, {**self._dialogue(), "Contact": f"<{self._contact()}>"}, 1, self._sdp())
        self._unheard = self._branch
        self._repeat(self._branch, self._sent, T1)
        if wait_answer:
            await self.event("answered")

    def _repeat(self, branch: str, message: str, pause: float) -> None:
        """The INVITE goes out again until anything is heard of it (RFC 3261, 17.1.1.2, timers A and B): a
        datagram may be lost on a busy machine."""

        def again() -> None:
            if self._unheard == branch and self._socket is None and not self._sip.is_closing():
                self._transmit(message)
                self._repeat(branch, message, pause * 2)

        if pause < 64 * T1:
            asyncio.get_running_loop().call_later(pause, again)

    _unheard = _sent = ""

    def cancel(self) -> None:
        """Gives up a call that was not answered yet."""
        self._request("CANCEL", self._call["invite-uri"], self._dialogue(), 1)

    def bye(self) -> float:
        """Hangs up; gives back when (monotonic seconds)."""
        self._cseq += 1
        self._request("BYE", self._call["target"], self._dialogue(), self._cseq)
        self._ended()
        return time.monotonic()

    def answer(self) -> None:
        """Answers the call that rings."""
        self._respond(200, self._invite, body=self._sdp())
        self.in_call = True
        self._talk()

    def refuse(self, status: int) -> None:
        """Refuses the call that rings."""
        self._respond(status, self._invite)

    def digit(self, digit: str) -> None:
        """Sends one DTMF digit of 80 ms by RTP events (RFC 4733, payload type 101)."""
        code = "0123456789*#ABCD".index(digit)
        stamp = secrets.randbelow(2**31)
        for number, (end, duration) in enumerate(((0, 160), (0, 320), (0x80, 640), (0x80, 640), (0x80, 640))):
            self._sequence += 1
            head = struct.pack(
                "!BBHII", 0x80, 0x80 | 101 if not number else 101, self._sequence & 0xFFFF, stamp, 7
            )
            self._rtp_send(head + struct.pack("!BBH", code, end | 10, duration))

    _sequence = 0
    _invite: dict[str, str]

    def _rtp_in(self, data: bytes) -> None:
        self.rtp_received += 1
        self.last_sound = data[12:]
        self._heard.set()

    def _rtp_send(self, packet: bytes) -> None:
        if self._rtp_target and not self._rtp.is_closing():
            self._rtp.sendto(packet, self._rtp_target)

    def _talk(self) -> None:
        """Sends silence every 20 ms while the call lasts, as every phone does."""

        async def send() -> None:
            while self.in_call:
                self._sequence += 1
                self._rtp_send(
                    struct.pack("!BBHII", 0x80, 0, self._sequence & 0xFFFF, self._sequence * 160, 7)
                    + b"\xff" * 160
                )
                await asyncio.sleep(0.02)

        self._rtp_task = asyncio.get_running_loop().create_task(send())

    def _received(self, data: bytes) -> None:
        text = data.decode(errors="replace")
        head, _, body = text.partition("\r\n\r\n")
        lines = head.split("\r\n")
        headers: dict[str, str] = {"first": lines[0], "body": body}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            name = name.strip().lower()
            headers[name] = (
                f"{headers[name]}, {value.strip()}" if name == "via" and name in headers else value.strip()
            )
        if lines[0].startswith("SIP/2.0"):
            self._response(int(lines[0].split()[1]), headers)
        else:
            self._incoming(lines[0].split()[0], headers)

    def _response(self, status: int, headers: dict[str, str]) -> None:
        method = headers["cseq"].split()[1]
        if method != "INVITE":
            if method == "REGISTER":
                self._note(str(status), headers)
            return
        self._unheard = ""
        self._note(str(status), headers)
        if status < 200:
            return
        self._call["To"] = headers["to"]
        if status == 200:
            self._call["target"] = _address(headers.get("contact", self._call["target"]))
            self._request("ACK", self._call["target"], self._dialogue(), 1)
            if not self.in_call:
                self.in_call = True
                self._rtp_target = _media(headers["body"])
                self._talk()
                self._note("answered", headers)
        else:
            self._request("ACK", self._call["invite-uri"], self._dialogue(), 1)
            self._note("failed", headers)

    def _incoming(self, method: str, headers: dict[str, str]) -> None:
        if method == "INVITE" and self.in_call and headers["call-id"] == self._call.get("Call-ID"):
            self._respond(200, headers, body=self._sdp())  # a re-INVITE
            return
        if method == "INVITE":
            self._invite = headers
            tag = secrets.token_hex(4)
            headers["to"] += f";tag={tag}"
            self._call = {
                "Call-ID": headers["call-id"], "From": headers["to"], "To": headers["from"],
                "target": _address(headers["contact"]),
            }  # fmt: skip
            self._rtp_target = _media(headers["body"])
            self._note("invite", headers)
            if self.policy.isdigit():
                self._respond(int(self.policy), headers)
                return
            self._respond(180, headers)
            if self.policy == "answer":
                self.answer()
        elif method in ("BYE", "CANCEL", "OPTIONS", "NOTIFY"):
            self._respond(200, headers)
            if method == "CANCEL":
                self._respond(487, self._invite)
            if method in ("BYE", "CANCEL"):
                self._ended()
            self._note(method.lower(), headers)
        else:
            self._note(method.lower(), headers)

    def _ended(self) -> None:
        self.in_call = False

    def _note(self, name: str, headers: dict[str, str]) -> None:
        self.seen.append((name, time.monotonic()))
        self._queue(name).put_nowait(headers)

    def _queue(self, name: str) -> asyncio.Queue[dict[str, str]]:
        return self._waiters.setdefault(name, asyncio.Queue())

    def _dialogue(self) -> dict[str, str]:
        return {name: self._call[name] for name in ("From", "To", "Call-ID")}

    def _contact(self) -> str:
        return f"sip:{self.user}@127.0.0.1:{self.port}" + (";transport=ws" if self._socket else "")

    def _sdp(self) -> str:
        return (
            "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
            f"m=audio {self.rtp_port} RTP/AVP 0 101\r\na=rtpmap:0 PCMU/8000\r\n"
            "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\na=sendrecv\r\n"
        )

    def _request(self, method: str, uri: str, headers: dict[str, str], cseq: int, body: str = "") -> None:
        # A CANCEL and the ACK of a refusal belong to the INVITE's transaction and carry its branch.
        branch = f"z9hG4bK{secrets.token_hex(6)}"
        if method == "INVITE":
            self._branch = branch
        elif method == "CANCEL" or (method == "ACK" and uri == self._call.get("invite-uri")):
            branch = self._branch
        lines = [
            f"{method} {uri} SIP/2.0",
            f"Via: SIP/2.0/{'WS' if self._socket else 'UDP'} 127.0.0.1:{self.port};branch={branch};rport",
            "Max-Forwards: 70",
            f"CSeq: {cseq} {method}",
            *(f"{name}: {value}" for name, value in headers.items()),
        ]
        self._send(lines, body)

    _branch = ""

    def _respond(self, status: int, request: dict[str, str], body: str = "") -> None:
        lines = [
            f"SIP/2.0 {status} {_REASONS.get(status, 'Answer')}",
            *(f"{name}: {request[name.lower()]}" for name in ("Via", "From", "To", "Call-ID", "CSeq")),
            f"Contact: <{self._contact()}>",
        ]
        self._send(lines, body)

    def _send(self, lines: list[str], body: str) -> None:
        if body:
            lines.append("Content-Type: application/sdp")
        lines.append(f"Content-Length: {len(body)}")
        self._sent = "\r\n".join(lines) + "\r\n\r\n" + body
        self._transmit(self._sent)

    def _transmit(self, message: str) -> None:
        if self._socket is not None:
            self._sending = asyncio.get_running_loop().create_task(self._socket.send_str(message))
        elif not self._sip.is_closing():
            self._sip.sendto(message.encode(), ("127.0.0.1", self.server_port))

    _sending: asyncio.Task[None] | None = None


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def _address(contact: str) -> str:
    found = re.search(r"<([^>]*)>", contact)
    return found.group(1) if found else contact.split(";")[0]


def _media(sdp: str) -> tuple[str, int] | None:
    port = re.search(r"m=audio (\d+)", sdp)
    host = re.search(r"c=IN IP4 (\S+)", sdp)
    return (host.group(1), int(port.group(1))) if port and host else None
