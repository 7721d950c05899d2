"""What the console must be told to start."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


class ConsoleError(Exception):
    """The console cannot do what was asked; the message says what, where and what to do (one line)."""


@dataclass(frozen=True)
class ConsoleSettings:
    """Where the console listens and what it talks to. Durations are seconds.

    `ari_ws_url` is Asterisk's SIP WebSocket (`ws://127.0.0.1:8088/ws`); `sip_domain` the domain in the
    phones' SIP addresses. `secure_cookies` is switched on behind HTTPS. `demo` serves the citizen's phone to
    anyone. `plans`, `sounds` and `audio` are DIR/plans, Asterisk's sounds and the uploaded audio
    (docs/interfaces.md); by default they are found beside `site_path`.
    """

    listen: str
    http_port: int
    database_url: str
    control_socket: Path
    ari_ws_url: str
    archive: Path
    site_path: Path
    secrets_path: Path
    sip_domain: str
    demo: bool = False
    secure_cookies: bool = False
    session_idle_s: float = 3600.0
    session_absolute_s: float = 12 * 3600.0
    max_body_bytes: int = 64 * 1024
    sip_host: str = "127.0.0.1"  # where desk phones register, shown in /operators/{id}/phone
    sip_port: int = 5060
    plans: Path | None = None
    sounds: Path | None = None
    audio: Path | None = None
    spool: Path | None = None  # where Asterisk writes what is recorded; beside the archive unless given

    @property
    def plans_folder(self) -> Path:
        return self.plans or self.site_path.parent / "plans"

    @property
    def sounds_folder(self) -> Path:
        return self.sounds or self.site_path.parent / "asterisk" / "sounds"

    @property
    def audio_folder(self) -> Path:
        return self.audio or self.site_path.parent / "audio"

    @property
    def spool_folder(self) -> Path:
        return self.spool or self.archive.parent / "spool"
