"""SIP messages (RFC 3261), SDP and digest authentication as far as a small telephone needs them."""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass, field

_SHORT = {
    "v": "via",
    "f": "from",
    "t": "to",
    "i": "call-id",
    "m": "contact",
    "l": "content-length",
    "c": "content-type",
}


class BadMessage(ValueError):
    """Not a SIP message."""


@dataclass
class Message:
    """A request (`method`, `uri`) or an answer (`status`, `reason`). Header names are lower case, in
    order."""

    method: str = ""
    uri: str = ""
    status: int = 0
    reason: str = ""
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: str = ""

    def get(self, name: str) -> str:
        """The first header of that name, or ""."""
        return next((value for key, value in self.headers if key == name), "")

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key == name]

    @property
    def cseq(self) -> tuple[int, str]:
        number, _, method = self.get("cseq").partition(" ")
        return int(number) if number.isdecimal() else 0, method.strip()

    @property
    def branch(self) -> str:
        return parameter(self.get("via"), "branch")

    def encode(self) -> bytes:
        first = f"SIP/2.0 {self.status} {self.reason}" if self.status else f"{self.method} {self.uri} SIP/2.0"
        body = self.body.encode()
        lines = [first, *(f"{name.title()}: {value}" for name, value in self.headers)]
        if body:
            lines.append("Content-Type: application/sdp")
        lines.append(f"Content-Length: {len(body)}")
        return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


def parse(data: bytes) -> Message:
    """Raises BadMessage."""
    head, _, body = data.partition(b"\r\n\r\n")
    lines = re.sub(r"\r\n[ \t]+", " ", head.decode("utf-8", "replace")).split("\r\n")
    first = lines[0].split(" ", 2)
    if len(first) < 2 or "SIP/2.0" not in lines[0]:
        raise BadMessage(lines[0][:80])
    message = Message(body=body.decode("utf-8", "replace"))
    if first[0] == "SIP/2.0":
        if not first[1].isdecimal():
            raise BadMessage(lines[0][:80])
        message.status, message.reason = int(first[1]), first[2] if len(first) > 2 else ""
    else:
        message.method, message.uri = first[0], first[1]
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if colon:
            key = name.strip().lower()
            message.headers.append((_SHORT.get(key, key), value.strip()))
    return message


def parameter(value: str, name: str) -> str:
    found = re.search(rf';\s*{name}\s*=\s*"?([^;,">\s]+)', value)
    return found[1] if found else ""


def address(value: str) -> str:
    """`"A" <sip:x@y>;tag=z` → `sip:x@y`."""
    found = re.search(r"<([^>]+)>", value)
    return found[1] if found else value.split(";")[0].strip()


def token() -> str:
    return secrets.token_hex(8)


def answer(
    request: Message, status: int, reason: str, to_tag: str = "", body: str = "", contact: str = ""
) -> Message:
    """An answer to `request`; `to_tag` is added when its To has none."""
    reply = Message(status=status, reason=reason, body=body)
    reply.headers = [("via", value) for value in request.all("via")]
    reply.headers += [("record-route", value) for value in request.all("record-route")]
    to = request.get("to")
    reply.headers += [
        ("from", request.get("from")),
        ("to", f"{to};tag={to_tag}" if to_tag and "tag=" not in to else to),
        ("call-id", request.get("call-id")),
        ("cseq", request.get("cseq")),
    ]
    if contact:
        reply.headers.append(("contact", contact))
    return reply


def sdp(host: str, port: int, version: int = 1) -> str:
    family = "IP6" if ":" in host else "IP4"
    return (
        f"v=0\r\no=- 1 {version} IN {family} {host}\r\ns=-\r\nc=IN {family} {host}\r\nt=0 0\r\n"
        f"m=audio {port} RTP/AVP 0 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\n"
        "a=fmtp:101 0-16\r\na=ptime:20\r\na=sendrecv\r\n"
    )


def media_address(body: str) -> tuple[str, int] | None:
    """Where the other side wants its sound."""
    host = re.search(r"^c=IN IP[46] ([^\s/]+)", body, re.MULTILINE)
    port = re.search(r"^m=audio (\d+) ", body, re.MULTILINE)
    return (host[1], int(port[1])) if host and port and int(port[1]) else None


def authorization(challenge: str, method: str, uri: str, user: str, secret: str) -> str:
    """The Authorization value for a digest challenge (RFC 2617 / 8760: MD5 or SHA-256, qop auth or none)."""
    fields = dict(re.findall(r'(\w+)="?([^",]+)"?', challenge))
    realm, nonce = fields.get("realm", ""), fields.get("nonce", "")
    algorithm = fields.get("algorithm", "MD5")

    def digest(text: str) -> str:
        name = "sha256" if algorithm.upper().startswith("SHA-256") else "md5"
        return hashlib.new(name, text.encode(), usedforsecurity=False).hexdigest()

    first, second = digest(f"{user}:{realm}:{secret}"), digest(f"{method}:{uri}")
    parts = [
        f'username="{user}"',
        f'realm="{realm}"',
        f'nonce="{nonce}"',
        f'uri="{uri}"',
        f"algorithm={algorithm}",
    ]
    if "auth" in fields.get("qop", ""):
        own = token()
        parts += ["qop=auth", "nc=00000001", f'cnonce="{own}"']
        response = digest(f"{first}:{nonce}:00000001:{own}:auth:{second}")
    else:
        response = digest(f"{first}:{nonce}:{second}")
    parts.append(f'response="{response}"')
    if "opaque" in fields:
        parts.append(f'opaque="{fields["opaque"]}"')
    return "Digest " + ", ".join(parts)
