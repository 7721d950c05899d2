"""The nursery: a process that has loaded all programs and forks them.

Loading takes a processor a second and more a program; forked, each starts within milliseconds, and what is
loaded is in memory once. `up` forks the nursery before it has a loop or a thread. Whoever the nursery forks
is a child of `up` like any other (the process between the two ends at once, and `up` asks the kernel for the
orphan): `up` sees its end, it sees that of `up`, and the nursery may die without harm. Programs then start
the long way.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import gc
import importlib
import os
import signal
import socket
import sys
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

from daihyo.settings import StateDir

ANSWER_S = 10.0  # a nursery that has not forked by then never will; a program is kept waiting meanwhile
SUPERVISOR = "DAIHYO_SUPERVISOR"  # pid of the `daihyo up` that started this program
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_ROOMS = (
    "engine",
    "agent_console.app",
    "daihyo.programs",
    "daihyo.worker",
    "panoramisk",
    "switch.node",
    "uvloop",
    "sqlalchemy.dialects.sqlite.aiosqlite",
)


class NurseryGone(Exception):
    """The nursery has died, or there was none."""


class Nursery:
    """What `up` holds of it: `spawn` until `close`."""

    def __init__(self, pid: int, line: socket.socket) -> None:
        """Use `opened`."""
        self.pid = pid
        self._line = line
        self._line.setblocking(False)
        self._turn = asyncio.Lock()
        self._gone = False

    async def spawn(self, program: str, state: StateDir, output: Path) -> Forked:
        """Starts `daihyo PROGRAM --state DIR`; what it prints is appended to `output`.
        Raises NurseryGone, also when the kernel does not let us watch what was forked: that is ended then."""
        async with self._turn:
            if self._gone:
                raise NurseryGone
            loop = asyncio.get_running_loop()
            answer = b""
            _prctl(_PR_SET_CHILD_SUBREAPER, 1)
            try:
                with contextlib.suppress(OSError, TimeoutError):
                    words = (program, str(state.path), str(output))
                    async with asyncio.timeout(ANSWER_S):
                        await loop.sock_sendall(self._line, "\0".join(words).encode())
                        answer = await loop.sock_recv(self._line, 64)
            finally:
                _prctl(_PR_SET_CHILD_SUBREAPER, 0)
                self._gone = not answer  # nor is an answer that nobody waited for taken for the next one's
                if (
                    self._gone
                ):  # stuck, perhaps: it must not fork one more beside the one started the long way
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(self.pid, signal.SIGKILL)
            if not answer:
                raise NurseryGone
            try:
                return Forked(int(answer))
            except OSError:
                self._gone = True  # nor for the next one
                _end(int(answer))
                raise NurseryGone from None

    def close(self) -> None:
        """Ends it; the programs go on."""
        self._gone = True
        self._line.close()
        _end(self.pid)  # it holds nothing


class Forked:
    """A child process that asyncio did not start: `wait`, `terminate`, `pid` and `returncode` as there."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._ended = asyncio.Event()
        self._handle = os.pidfd_open(pid)
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._handle, self._reap)

    async def wait(self) -> int:
        """Its exit code, minus the signal that killed it."""
        await self._ended.wait()
        return self.returncode or 0

    def terminate(self) -> None:
        """SIGTERM; nothing when it has ended."""
        if self.returncode is None:
            os.kill(self.pid, signal.SIGTERM)

    def _reap(self) -> None:
        self._loop.remove_reader(self._handle)
        os.close(self._handle)
        self.returncode = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        self._ended.set()


def _end(pid: int) -> None:
    """Kills a child of ours and sees its end, which is a matter of a moment."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, 0)


@contextlib.contextmanager
def opened() -> Iterator[Nursery]:
    """Forks the nursery, which then loads the programs by itself. Only for a process without threads."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    supervisor = os.getpid()
    pid = os.fork()
    if pid == 0:
        try:
            ours.close()
            _nurse(theirs, supervisor)
        finally:
            os._exit(0)
    theirs.close()
    nursery = Nursery(pid, ours)
    try:
        yield nursery
    finally:
        nursery.close()


@contextlib.contextmanager
def loading() -> Iterator[None]:
    """For imports: what is loaded is no garbage, and searching for some takes a tenth of the time."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def end_with(supervisor: int) -> None:
    """The kernel ends this process (SIGTERM) when its parent, `supervisor`, dies. SystemExit when it has."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != supervisor:  # it died before we asked
        raise SystemExit(0)


def _nurse(line: socket.socket, supervisor: int) -> None:
    """The nursery's life: until `up` closes the line or dies."""
    end_with(supervisor)
    os.setsid()  # Ctrl-C is for `up` alone
    _stdio(Path(os.devnull))
    _title("nursery")
    with loading():
        for room in _ROOMS:
            importlib.import_module(room)
    gc.freeze()  # looked through by nobody: the memory stays shared
    while request := line.recv(4096):
        program, state, output = request.decode().split("\0")
        reading, writing = os.pipe()
        between = os.fork()
        if between == 0:
            between = os.getpid()
            if os.fork():
                os._exit(0)
            os.close(reading)
            line.close()
            _become(program, StateDir(Path(state)), Path(output), (between, supervisor), writing)
        os.close(writing)
        pid = int(os.read(reading, 20))
        os.close(reading)
        os.waitpid(between, 0)
        line.send(str(pid).encode())


def _become(program: str, state: StateDir, output: Path, parents: tuple[int, int], born: int) -> NoReturn:
    """The program's life; its pid is told on `born` as soon as it stands on its own feet. `parents`: the
    process between, which ends at once, and `up`, which is then the parent."""
    code = 1
    try:
        while os.getppid() == parents[0]:
            time.sleep(0.001)
        os.setsid()
        _stdio(output)
        _title(program, "--state", str(state.path))
        os.write(born, str(os.getpid()).encode())
        os.close(born)
        os.environ[SUPERVISOR] = str(parents[1])
        from daihyo import programs

        code = programs.run(program, state)
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _stdio(output: Path) -> None:
    """Nothing to read; what is printed goes to `output`."""
    for path, flags, handles in (
        (Path(os.devnull), os.O_RDONLY, (0,)),
        (output, os.O_WRONLY | os.O_APPEND | os.O_CREAT, (1, 2)),
    ):
        opened = os.open(path, flags, 0o600)
        for handle in handles:
            os.dup2(opened, handle)
        if opened > 2:
            os.close(opened)


def _title(*words: str) -> None:
    """What `ps` shows: the command line by which this program is started alone."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        fields = Path("/proc/self/stat").read_text().rsplit(")", 1)[1].split()
        start, end = int(fields[45]), int(fields[46])  # arg_start, arg_end of proc_pid_stat(5)
        line = b"\0".join(os.fsencode(word) for word in (sys.executable, "-m", "daihyo", *words))
        if (size := end - start) > 0:
            ctypes.memmove(start, line[: size - 1].ljust(size, b"\0"), size)


def _prctl(option: int, value: int) -> None:
    ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)
