"""SIP messages as the load phones read them, and the digest they register with."""

from __future__ import annotations

import hashlib
import re
import time
from dataclasses import dataclass

Address = tuple[str, int]

_PARAMETER = re.compile(r'(\w+)=(?:"([^"]*)"|([^\s,]+))')


@dataclass(slots=True)
class Message:
    """One SIP request or response. `headers`: lower-case name → values in order."""

    first: str
    headers: dict[str, list[str]]
    body: str
    at: float

    @property
    def status(self) -> int:
        """The status code; 0 for a request."""
        return int(self.first.split(" ", 2)[1]) if self.first.startswith("SIP/2.0 ") else 0

    @property
    def method(self) -> str:
        return self.first.split(" ", 1)[0] if not self.status else self["cseq"].split()[1]

    def __getitem__(self, name: str) -> str:
        return self.headers[name][0]


_SHORT = {"v": "via", "f": "from", "t": "to", "i": "call-id", "m": "contact", "l": "content-length"}


def parse(data: bytes, at: float) -> Message:
    """Reads one datagram; ValueError if it is no SIP."""
    head, _, body = data.decode("utf-8", "replace").partition("\r\n\r\n")
    first, *lines = head.split("\r\n")
    headers: dict[str, list[str]] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon:
            raise ValueError(f"no SIP header: {line!r}")
        name = name.strip().lower()
        headers.setdefault(_SHORT.get(name, name), []).append(value.strip())
    return Message(first, headers, body, at)


def tag_of(value: str) -> str:
    """The tag of a From or To header, empty if it has none."""
    found = re.search(r";\s*tag=([^;\s>]+)", value)
    return found.group(1) if found else ""


def uri_of(value: str) -> str:
    """The URI of a From, To or Contact header."""
    found = re.search(r"<([^>]*)>", value)
    return found.group(1) if found else value.split(";")[0].strip()


def rtp_address(sdp: str) -> Address | None:
    """Where the other side wants its RTP, None if its SDP does not say."""
    host = re.search(r"^c=IN IP4 (\S+)", sdp, re.M)
    port = re.search(r"^m=audio (\d+)", sdp, re.M)
    return (host.group(1), int(port.group(1))) if host and port else None


def digest(challenge: str, user: str, secret: str, method: str, uri: str) -> str:
    """The Authorization header for a digest challenge (RFC 2617, MD5, qop auth or none)."""
    said = {name: quoted or bare for name, quoted, bare in _PARAMETER.findall(challenge)}
    realm, nonce, qop = said["realm"], said["nonce"], said.get("qop", "")

    def md5(text: str) -> str:
        return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()

    one, two = md5(f"{user}:{realm}:{secret}"), md5(f"{method}:{uri}")
    fields = f'username="{user}", realm="{realm}", nonce="{nonce}", uri="{uri}", algorithm=MD5'
    if "auth" in qop.split(","):
        cnonce, count = md5(f"{time.time_ns()}"), "00000001"
        response = md5(f"{one}:{nonce}:{count}:{cnonce}:auth:{two}")
        fields += f', qop=auth, nc={count}, cnonce="{cnonce}"'
    else:
        response = md5(f"{one}:{nonce}:{two}")
    if "opaque" in said:
        fields += f', opaque="{said["opaque"]}"'
    return f'Authorization: Digest {fields}, response="{response}"\r\n'
