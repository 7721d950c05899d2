"""Runs an Asterisk of our own: start, adopt, ask, wait until it answers, stop.

Asterisk outlives the program that started it: conversations must go on when the supervisor is killed. So
it runs in a session of its own, and the next start on the same state folder adopts it by its pid file
instead of starting a second one (`AsteriskProcess.adopt`). Only `stop` ends it.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os
import re
import secrets
import signal
import socket
from dataclasses import dataclass
from pathlib import Path

from switch.install import Tree

# Before all else, where we may (root, or LimitNICE= of a service): what comes late in here is heard.
NICE = -10


class AsteriskFailed(Exception):
    """Asterisk did not start, ended, or does not answer; the message is one line that says where to look."""


@dataclass(frozen=True)
class AsteriskFiles:
    """The files of one Asterisk: `conf` is its asterisk.conf, `run` the folder with asterisk.pid and the
    control socket (astrundir), `output` the file that takes what it prints."""

    conf: Path
    run: Path
    output: Path


class AsteriskProcess:
    """One Asterisk, started by us or found running. Not for use from several tasks at once, except `rx`."""

    def __init__(self, tree: Tree, files: AsteriskFiles) -> None:
        self._tree = tree
        self._files = files
        self._pid: int | None = None
        self._child: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int | None:
        """The process id, None while it does not run."""
        return self._pid if self._pid is not None and _alive(self._pid) else None

    def running(self) -> int | None:
        """The pid of an Asterisk that runs with this very asterisk.conf, whoever started it; None if none
        does."""
        with contextlib.suppress(OSError, ValueError):
            pid = int((self._files.run / "asterisk.pid").read_text())
            if _runs_with(pid, self._files.conf):
                return pid
        return None

    def adopt(self) -> int | None:
        """Takes over a running one; its pid, or None if there is none."""
        self._pid = self.running()
        return self._pid

    async def start(self) -> int:
        """Starts it and returns its pid at once (see `wait_ready`). Raises AsteriskFailed if one runs
        already."""
        if (other := self.running()) is not None:
            raise AsteriskFailed(f"an Asterisk already runs with {self._files.conf} (pid {other})")
        self._files.run.mkdir(parents=True, exist_ok=True)
        for stale in ("asterisk.pid", "asterisk.ctl"):
            (self._files.run / stale).unlink(missing_ok=True)
        self._files.output.parent.mkdir(parents=True, exist_ok=True)
        with self._files.output.open("ab") as output:
            self._child = await asyncio.create_subprocess_exec(
                *self._tree.command,
                "-C",
                str(self._files.conf),
                "-f",
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self._pid = self._child.pid
        with contextlib.suppress(PermissionError, ProcessLookupError):
            os.setpriority(os.PRIO_PROCESS, self._pid, NICE)
        return self._pid

    async def wait_ended(self) -> None:
        """Returns when it no longer runs."""
        if self._child is not None:
            await self._child.wait()
            return
        if self._pid is None:
            return
        try:
            handle = os.pidfd_open(self._pid)
        except ProcessLookupError:
            return
        loop = asyncio.get_running_loop()
        ended = asyncio.Event()
        loop.add_reader(handle, ended.set)
        try:
            await ended.wait()
        finally:
            loop.remove_reader(handle)
            os.close(handle)

    async def stop(self, within_s: float = 10.0) -> None:
        """SIGTERM, and SIGKILL after `within_s` seconds; returns when it has ended. No error if it has
        already."""
        pid = self._pid
        if pid is None or not self._is_ours(pid):
            self._pid = None
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
        try:
            async with asyncio.timeout(within_s):
                await self.wait_ended()
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            await self.wait_ended()
        self._pid = None

    def _is_ours(self, pid: int) -> bool:
        # A pid may have been given to another program since.
        return self._child is not None or _runs_with(pid, self._files.conf)

    async def rx(self, command: str, timeout_s: float = 10.0) -> str:
        """Runs one command at Asterisk's command line and returns what it prints. Raises AsteriskFailed."""
        process = await asyncio.create_subprocess_exec(
            *self._tree.command,
            "-C",
            str(self._files.conf),
            "-rx",
            command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            async with asyncio.timeout(timeout_s):
                output, _ = await process.communicate()
        except TimeoutError:
            process.kill()
            await process.wait()
            raise AsteriskFailed(f"Asterisk did not answer '{command}' within {timeout_s:g} s") from None
        text = output.decode(errors="replace")
        if process.returncode or "Unable to connect to remote asterisk" in text:
            first = text.strip().splitlines()[:1] or ["no answer"]
            raise AsteriskFailed(f"Asterisk did not take '{command}': {first[0]}")
        return text

    async def wait_ready(self, sip: tuple[str, int], ari: tuple[str, int], user: str, password: str) -> None:
        """Returns when SIP answers OPTIONS (UDP) and ARI answers `asterisk/info`. Raises AsteriskFailed when
        Asterisk ends instead; the caller sets the time limit (asyncio.timeout)."""
        ended = asyncio.ensure_future(self.wait_ended())
        ready = asyncio.ensure_future(_both_answer(sip, ari, user, password))
        try:
            await asyncio.wait({ended, ready}, return_when=asyncio.FIRST_COMPLETED)
            if not ready.done():
                raise AsteriskFailed(f"Asterisk ended while starting: {self.last_words()}")
        finally:
            for task in (ended, ready):
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task

    def last_words(self) -> str:
        """The last error it printed, and where the rest stands."""
        lines: list[str] = []
        with contextlib.suppress(OSError):
            lines = self._files.output.read_text(errors="replace").splitlines()[-200:]
        said = [re.sub(r"\x1b\[[0-9;]*m", "", line).strip() for line in lines]
        errors = [line for line in said if "ERROR" in line or "FATAL" in line] or [
            line for line in said if line
        ]
        return f"{errors[-1][:200] if errors else 'it said nothing'} (see {self._files.output})"


async def _both_answer(sip: tuple[str, int], ari: tuple[str, int], user: str, password: str) -> None:
    # Nothing tells us when a port opens: asking again is all there is (hence the noqa).
    while not await ari_answers(*ari, user, password):  # noqa: ASYNC110
        await asyncio.sleep(0.02)
    while not await sip_answers(*sip):  # noqa: ASYNC110
        await asyncio.sleep(0.02)


async def sip_answers(host: str, port: int, timeout_s: float = 0.5) -> bool:
    """Whether a SIP server on UDP answers OPTIONS, with whatever status."""
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        try:
            sock.connect((host, port))
            own, own_port = sock.getsockname()
            token = secrets.token_hex(8)
            request = (
                f"OPTIONS sip:{host}:{port} SIP/2.0\r\n"
                f"Via: SIP/2.0/UDP {own}:{own_port};branch=z9hG4bK{token};rport\r\n"
                f"Max-Forwards: 70\r\nFrom: <sip:probe@{own}>;tag={token}\r\nTo: <sip:{host}:{port}>\r\n"
                f"Call-ID: {token}\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
            )
            await loop.sock_sendall(sock, request.encode())
            async with asyncio.timeout(timeout_s):
                answer = await loop.sock_recv(sock, 4096)
        except (OSError, TimeoutError):
            return False
    return answer.startswith(b"SIP/2.0 ")


async def ari_answers(host: str, port: int, user: str, password: str, timeout_s: float = 2.0) -> bool:
    """Whether ARI answers a request with 200."""
    credentials = base64.b64encode(f"{user}:{password}".encode()).decode()
    request = (
        f"GET /ari/asterisk/info?only=status HTTP/1.1\r\nHost: {host}:{port}\r\n"
        f"Authorization: Basic {credentials}\r\nConnection: close\r\n\r\n"
    )
    try:
        async with asyncio.timeout(timeout_s):
            reader, writer = await asyncio.open_connection(host, port)
            try:
                writer.write(request.encode())
                status = await reader.readline()
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return False
    return b" 200 " in status


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    with contextlib.suppress(OSError, IndexError):
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        return state != "Z"
    return True


def _runs_with(pid: int, conf: Path) -> bool:
    """Whether process `pid` is an Asterisk server with this configuration file."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return str(conf).encode() in words and not any(w.startswith(b"-r") for w in words) and _alive(pid)
