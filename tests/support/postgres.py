"""A PostgreSQL of the tests' own: a private unix socket, no TCP, gone with the tests."""

from __future__ import annotations

import atexit
import ctypes
import functools
import glob
import itertools
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import psycopg

EMPTY = "template0"
_PR_SET_PDEATHSIG = 1
_numbers = itertools.count(1)


class NoPostgres(Exception):
    """PostgreSQL's programs are not on this machine."""


def binaries() -> Path:
    """The folder of `initdb` and `postgres`: Debian keeps them out of the PATH. Raises NoPostgres."""
    folders = sorted(glob.glob("/usr/lib/postgresql/*/bin"), key=lambda folder: int(folder.split("/")[4]))
    folders += glob.glob(os.path.expanduser("~/.cache/daihyo/*/usr/lib/postgresql/*/bin"))
    on_path = shutil.which("initdb")
    for folder in [*reversed(folders), *([os.path.dirname(on_path)] if on_path else [])]:
        if os.access(os.path.join(folder, "initdb"), os.X_OK):
            return Path(folder)
    raise NoPostgres("no PostgreSQL found; install it with: apt-get install postgresql")


def _unprivileged() -> str | None:
    """PostgreSQL refuses to run as root: whom to run it as."""
    return "nobody" if os.getuid() == 0 else None


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGINT)


class Postgres:
    """One cluster in a folder of its own. `start`, `stop` and `kill` as often as a test likes."""

    def __init__(self) -> None:
        self._binaries = binaries()
        self._user = _unprivileged()
        self.folder = Path(tempfile.mkdtemp(prefix="daihyo-pg-"))  # short: a socket's path has 107 bytes
        if self._user:
            shutil.chown(self.folder, self._user)
        self._process: subprocess.Popen[bytes] | None = None
        self._run(
            "initdb", "--auth=trust", "--username=daihyo", "--encoding=UTF8", "--locale=C", "--no-sync",
            "--no-instructions", str(self._data),
        )  # fmt: skip

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [str(self._binaries / program), *arguments],
            user=self._user, cwd="/tmp", capture_output=True, text=True,  # noqa: S108
        )  # fmt: skip
        assert done.returncode == 0, f"{program}: {done.stderr or done.stdout}"

    def start(self) -> None:
        """Returns when it takes connections."""
        options = {
            "listen_addresses": "", "unix_socket_directories": str(self.folder), "fsync": "off",
            "full_page_writes": "off", "synchronous_commit": "off", "shared_buffers": "16MB",
            "max_connections": "60", "autovacuum": "off", "logging_collector": "off",
        }  # fmt: skip
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [str(self._binaries / "postgres"), "-D", str(self._data)]
                + [f"--{name}={value}" for name, value in options.items()],
                user=self._user, cwd="/tmp", stdin=subprocess.DEVNULL, stdout=log, stderr=log,  # noqa: S108
                preexec_fn=_die_with_parent,
            )  # fmt: skip
        deadline = time.monotonic() + 30
        while True:
            try:
                psycopg.connect(self._conninfo("postgres"), connect_timeout=2).close()
                return
            except psycopg.OperationalError:
                assert self._process.poll() is None, (self.folder / "log").read_text()
                assert time.monotonic() < deadline, (self.folder / "log").read_text()
                time.sleep(0.02)

    def stop(self) -> None:
        """Ends it in order; open connections are cut."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """Ends it as a power cut would, as far as processes go."""
        self._end(signal.SIGQUIT)

    def _end(self, number: int) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(30)
            self._process = None

    def remove(self) -> None:
        """Stops it and deletes everything."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def new_database(self, template: str = EMPTY) -> str:
        """Creates a database as a copy of another one, which nobody may be connected to; returns its URL."""
        name = f"test_{os.getpid()}_{next(_numbers)}"
        self._sql(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return f"postgresql://daihyo@/{name}?host={self.folder}"

    def drop_database(self, url: str) -> None:
        """Deletes a database, whoever is still connected."""
        self._sql(f'DROP DATABASE IF EXISTS "{name_of(url)}" WITH (FORCE)')

    def _sql(self, statement: str) -> None:
        with psycopg.connect(self._conninfo("postgres"), autocommit=True) as connection:
            connection.execute(statement.encode())

    def _conninfo(self, database: str) -> str:
        return f"host={self.folder} user=daihyo dbname={database}"


def name_of(url: str) -> str:
    """The database's name in a URL of `new_database`."""
    return url.split("/", 3)[3].partition("?")[0]


@functools.cache
def shared() -> Postgres:
    """One running cluster per test process; removed when the process ends."""
    cluster = Postgres()
    atexit.register(cluster.remove)
    cluster.start()
    return cluster
