"""Where a running centre keeps its things, and how its programs learn of each other.

`StateDir` names every file of a state folder (docs/interfaces.md). `Runtime` is what `daihyo up` writes
down for the others: addresses, ports, process ids; no secret is in it.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import stat
import tempfile
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


class UserError(Exception):
    """Something the user can mend: the message is one line saying what, where, what to do. Exit code 2."""


_LONGEST_SOCKET_PATH = 100  # sun_path takes 108 bytes with the final zero; Asterisk and we append a little


@dataclass(frozen=True)
class StateDir:
    """The state folder of one centre; `path` is made absolute. Nothing is created by asking for a name."""

    path: Path

    def __post_init__(self) -> None:
        object.__setattr__(self, "path", self.path.expanduser().absolute())

    @property
    def lock(self) -> Path:
        return self.path / "daihyo.lock"

    @property
    def runtime(self) -> Path:
        return self.path / "runtime.json"

    @property
    def secrets(self) -> Path:
        return self.path / "secrets.json"

    @property
    def site(self) -> Path:
        return self.path / "site.yaml"

    @property
    def plans(self) -> Path:
        """The versions of the plan that were activated, and which one is live (`daihyo.plans`)."""
        return self.path / "plans"

    @property
    def audio(self) -> Path:
        """Uploaded announcements and music, by content."""
        return self.path / "audio"

    @property
    def asterisk(self) -> Path:
        return self.path / "asterisk"

    @property
    def asterisk_conf(self) -> Path:
        return self.asterisk / "etc" / "asterisk.conf"

    @property
    def queue_log(self) -> Path:
        return self.asterisk / "log" / "queue_log"

    @property
    def sounds(self) -> Path:
        return self.asterisk / "sounds"

    @property
    def journal(self) -> Path:
        return self.path / "journal"

    @property
    def spool(self) -> Path:
        return self.path / "spool"

    @property
    def archive(self) -> Path:
        return self.path / "archive"

    @property
    def log(self) -> Path:
        return self.path / "log"

    @property
    def sqlite_url(self) -> str:
        return f"sqlite+aiosqlite:///{self.path / 'daihyo.db'}"

    @property
    def sockets(self) -> Path:
        """The folder of the unix sockets: DIR/run, or a private folder in $XDG_RUNTIME_DIR or the
        temporary folder when that path would be too long for a socket (the same for every program of this
        state folder)."""
        own = self.path / "run"
        if len(os.fsencode(own / "asterisk" / "asterisk.ctl")) <= _LONGEST_SOCKET_PATH:
            return own
        name = f"daihyo-{os.getuid()}-{hashlib.sha256(os.fsencode(self.path)).hexdigest()[:16]}"
        bases = (os.environ.get("XDG_RUNTIME_DIR") or "/tmp", tempfile.gettempdir(), "/tmp")  # noqa: S108
        fitting = [base for base in bases if len(os.fsencode(base)) + len(name) + 16 <= _LONGEST_SOCKET_PATH]
        return Path(fitting[0]) / name

    @property
    def asterisk_run(self) -> Path:
        """Asterisk's own control socket and pid file."""
        return self.sockets / "asterisk"

    @property
    def control_socket(self) -> Path:
        return self.sockets / "engine.sock"

    @property
    def worker_ready(self) -> Path:
        """Holds the pid of a worker that has begun its work."""
        return self.sockets / "worker.ready"

    def create(self) -> None:
        """Makes the folders; what holds conversations and secrets is for the owner alone.

        Raises UserError when that cannot be done, or when a socket folder in a shared place is not ours."""
        try:
            self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
            for folder in (
                self.journal,
                self.spool,
                self.archive,
                self.log,
                self.plans,
                self.audio,
                self.asterisk,
                self.sounds,
            ):
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.sockets.mkdir(parents=True, exist_ok=True, mode=0o700)
            seen = self.sockets.lstat()
        except OSError as error:
            raise UserError(
                f"状態フォルダーを作れません / cannot make the state folder {self.path}: {error.strerror}. "
                "Choose another with --state"
            ) from None
        if not stat.S_ISDIR(seen.st_mode) or seen.st_uid != os.getuid():
            raise UserError(f"{self.sockets} belongs to somebody else; remove it or choose a shorter --state")


@dataclass(frozen=True)
class Runtime:
    """What runs on one state folder. `pids` has the keys up, asterisk, engine, console, worker (those
    started).

    `listen` is the address of web and SIP; ARI and AMI are on 127.0.0.1 always."""

    site_path: str
    listen: str
    http_port: int
    sip_port: int
    rtp_ports: tuple[int, int]
    ari_port: int
    ami_port: int
    database_url: str | None = None  # None: SQLite in the state folder. May hold a password: the file is 0600
    demo: bool = False
    practice_time: str | None = None  # the plan's clock at `started_at` (ISO 8601), for rehearsals
    asterisk_version: str = ""
    started_at: str = ""
    pids: dict[str, int] = field(default_factory=dict)

    @property
    def web(self) -> str:
        return f"http://{url_host(self.reachable_host)}:{self.http_port}"

    @property
    def sip(self) -> str:
        return f"{url_host(self.reachable_host)}:{self.sip_port}"

    @property
    def reachable_host(self) -> str:
        """An address that another program of this machine can connect to."""
        return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.listen, self.listen)  # noqa: S104

    @property
    def ari_url(self) -> str:
        return f"http://127.0.0.1:{self.ari_port}/ari"

    @property
    def sip_websocket_url(self) -> str:
        return f"ws://127.0.0.1:{self.ari_port}/ws"

    def practice_now(self) -> datetime | None:
        """The plan's clock now, the same for every program: it goes on from `practice_time`. None: the
        real one."""
        if self.practice_time is None:
            return None
        since = datetime.now(UTC) - datetime.fromisoformat(self.started_at)
        return datetime.fromisoformat(self.practice_time) + since

    def save(self, state: StateDir) -> None:
        """Writes DIR/runtime.json, 0600, in one step."""
        write_private(
            state.runtime, json.dumps(dataclasses.asdict(self), ensure_ascii=False, indent=1) + "\n"
        )

    @classmethod
    def load(cls, state: StateDir) -> Runtime:
        """Reads DIR/runtime.json. Raises UserError when nothing has run there or the file is damaged."""
        try:
            raw: dict[str, Any] = json.loads(state.runtime.read_text())
            known = {f.name for f in dataclasses.fields(cls)}
            runtime = cls(**{k: v for k, v in raw.items() if k in known})
            low, high = runtime.rtp_ports
        except FileNotFoundError:
            raise UserError(
                f"{state.path} では何も起動していません / nothing has been started on {state.path}. "
                "Start it: daihyo up --site FILE --state DIR"
            ) from None
        except (OSError, ValueError, TypeError, AttributeError) as error:
            raise UserError(f"{state.runtime} cannot be read ({error}); start `daihyo up` again") from None
        return dataclasses.replace(runtime, rtp_ports=(int(low), int(high)))

    def database(self, state: StateDir) -> str:
        return self.database_url or state.sqlite_url


def url_host(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def write_private(path: Path, text: str) -> None:
    """Replaces a file by `text` in one step; mode 0600."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w") as file:
            file.write(text)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
