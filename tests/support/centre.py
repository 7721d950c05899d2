"""A whole centre as a user starts it (`daihyo up`), and what a test asks of it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import sqlite3
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any

import aiohttp

from asterisk_conf import Secrets
from cdr import Event, read_journal
from daihyo.settings import Runtime, StateDir
from store import CallRow, Recording, Store

from .databases import sqlite_with_tables
from .site import site as make_site
from .site import write_site

ROOT = Path(__file__).parents[2]
READY_S = 60.0


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """A port that is free on loopback for TCP and UDP alike, outside the range that the kernel gives out."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:])
    for port in range(_next[0] + 10 + worker * 400, 30000):
        _next[0] = port - worker * 400
        with socket.socket(type=socket.SOCK_STREAM) as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
            try:
                tcp.bind(("127.0.0.1", port))
                udp.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise RuntimeError("no free port")


# Another run of the tests on this machine begins elsewhere.
_next = [20000 + os.getppid() % 80 * 100]
_rtp = [os.getppid() % 20]


def rtp_range(size: int = 200) -> tuple[int, int]:
    """UDP ports of this worker that no other centre of the run uses, below those that the kernel gives out:
    a phone's own port must not lie among them."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:])
    low = 10000 + worker % 3 * 3200 + _rtp[0] * size % (3200 - size)
    _rtp[0] += 1
    return low, low + size - 1


class Control:
    """The engine's control socket, with the live state kept up to date."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.operators: dict[str, dict[str, Any]] = {}
        self.calls: dict[str, dict[str, Any]] = {}
        self.callbacks: list[dict[str, Any]] = []
        self.helps: list[dict[str, Any]] = []
        self.switch: dict[str, Any] = {}
        self.connections = 0  # how often an engine has told all there is
        self._changed = asyncio.Condition()
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._number = 0
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._task = asyncio.create_task(self._run())
        await self.wait(lambda: bool(self.operators), 10)

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _run(self) -> None:
        while True:
            with contextlib.suppress(aiohttp.ClientError, OSError):
                async with (
                    aiohttp.ClientSession(connector=aiohttp.UnixConnector(path=str(self.path))) as session,
                    session.ws_connect("http://engine/") as self._socket,
                ):
                    async for message in self._socket:
                        await self._take(json.loads(message.data))
            self._socket = None
            await asyncio.sleep(0.05)

    async def _take(self, message: dict[str, Any]) -> None:
        if "ok" in message:
            answer = self._answers.pop(message["id"], None)
            if answer is not None and not answer.done():
                answer.set_result(message)
            return
        async with self._changed:
            if message["event"] == "live":
                live = message["live"]
                self.operators = {one["id"]: one for one in live["operators"]}
                self.calls = {one["id"]: one for one in live["calls"]}
                self.callbacks = live["callbacks"]
                self.helps = live["helps"]
                self.switch = live["switch"]
                self.connections += 1
            else:
                self.operators |= {one["id"]: one for one in message["operators"]}
                self.calls |= {one["id"]: one for one in message["calls"]}
                self.callbacks = message.get("callbacks", self.callbacks)
                self.helps = message.get("helps", self.helps)
                for gone in message["gone"]:
                    self.calls.pop(gone, None)
            self._changed.notify_all()

    async def wait(self, true: Callable[[], bool], within_s: float = 30.0, what: str = "") -> None:
        try:
            async with asyncio.timeout(within_s), self._changed:
                await self._changed.wait_for(true)
        except TimeoutError:
            calls = list(self.calls.values())
            raise AssertionError(
                f"not so within {within_s} s: {what}; operators {self.states()}, calls {calls}"
            ) from None

    def states(self) -> dict[str, str]:
        return {one["id"]: one["state"] for one in self.operators.values()}

    def state(self, operator: str) -> str:
        return str(self.operators[operator]["state"])

    async def state_is(self, operator: str, state: str, within_s: float = 30.0) -> None:
        await self.wait(lambda: self.state(operator) == state, within_s, f"{operator} is {state}")

    async def phase_is(self, phase: str, count: int = 1, within_s: float = 30.0) -> None:
        await self.wait(
            lambda: sum(one["phase"] == phase for one in self.calls.values()) == count,
            within_s,
            f"{count} calls {phase}",
        )

    async def do(self, command: str, **fields: Any) -> dict[str, Any]:
        """Carries a command out and returns its result; AssertionError with the engine's words if refused."""
        answer = await self.ask(command, **fields)
        assert answer["ok"], answer
        return dict(answer["result"])

    async def ask(self, command: str, **fields: Any) -> dict[str, Any]:
        assert self._socket is not None, "the engine is away"
        self._number += 1
        future = self._answers[self._number] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": self._number, "do": command, **fields})
        async with asyncio.timeout(30):
            return await future


class Centre:
    """A running centre."""

    def __init__(self, state: Path, process: asyncio.subprocess.Process, ready: Mapping[str, Any]) -> None:
        self.state = StateDir(state)
        self.process = process
        self.ready = ready
        self._pids = {str(name): int(pid) for name, pid in ready["pids"].items()}
        self.control = Control(self.state.control_socket)
        self.killed_at = 0  # how many connections the engine had been good for when it was killed last

    @property
    def sip(self) -> str:
        return str(self.ready["sip"]).removeprefix("sip:")

    @property
    def web(self) -> str:
        return str(self.ready["web"])

    def pid(self, program: str) -> int:
        """The program's process now (it changes after a restart), or its last one while it has none."""
        self._pids |= json.loads(self.state.runtime.read_text())["pids"]
        return self._pids[program]

    def kill(self, program: str, how: signal.Signals = signal.SIGKILL) -> int:
        pid = self.pid(program)
        if program == "engine":
            self.killed_at = self.control.connections
        os.kill(pid, how)
        return pid

    async def daihyo(self, *arguments: str, check: bool = True) -> tuple[int, str]:
        """The command line, as a user types it."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "daihyo",
            *arguments,
            "--state",
            str(self.state.path),
            cwd=ROOT,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, error = await process.communicate()
        if check:
            assert process.returncode == 0, error.decode()
        return process.returncode or 0, out.decode()

    async def ari(self, path: str) -> int:
        """The HTTP status of an ARI resource, asked of Asterisk itself."""
        return (await self._ari(path))[0]

    async def _ari(self, path: str) -> tuple[int, Any]:
        secrets = json.loads(self.state.secrets.read_text())
        port = json.loads(self.state.runtime.read_text())["ari_port"]
        login = aiohttp.encode_basic_auth(Secrets.ari_user, secrets["ari_password"])
        async with (
            aiohttp.ClientSession(headers={"Authorization": login}) as session,
            session.get(f"http://127.0.0.1:{port}/ari/{path}") as answer,
        ):
            return answer.status, await answer.json()

    async def nothing_left(self, within_s: float = 10.0) -> None:
        """Until Asterisk holds no channel and no bridge of ours any more."""
        try:
            async with asyncio.timeout(within_s):
                while left := [*(await self._ari("channels"))[1], *(await self._ari("bridges"))[1]]:
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise AssertionError(f"left behind in Asterisk: {left}") from None

    async def engine_away(self) -> None:
        """Until Asterisk knows that the application is gone."""
        async with asyncio.timeout(30):
            while await self.ari("applications/daihyo") != 404:
                await asyncio.sleep(0.02)

    def phone(self, operator: str) -> dict[str, Any]:
        """What `daihyo phone ID --json` prints, read without starting a process."""
        secrets = json.loads(self.state.secrets.read_text())
        host, port = self.sip.rsplit(":", 1)
        return {"user": operator, "secret": secrets["sip"][operator], "registrar": host, "port": int(port)}

    async def ready_operator(self, operator: str, kind: str = "desk") -> None:
        """The operator's phone is registered and the operator is ready."""
        await self.control.wait(
            lambda: bool(self.control.operators[operator]["phones"][kind]), 10, f"{operator} registered"
        )
        answer = await self.control.do("operator.state", operator=operator, state="ready")
        assert answer["state"] in ("ready", "ringing")  # ringing: somebody waited already

    async def registration_kept(self, operator: str) -> None:
        """Until Asterisk has the registration on disk, which it writes once a second: a kill before that
        forgets the phone."""
        file = self.state.asterisk / "lib" / "astdb.sqlite3"
        async with asyncio.timeout(30):
            while True:
                with contextlib.closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as known:
                    keys = [str(key) for (key,) in known.execute("SELECT key FROM astdb")]
                if any(f"/contact/{operator};" in key for key in keys):
                    return
                await asyncio.sleep(0.05)

    def events(self, call: str | None = None) -> list[Event]:
        found = list(read_journal(self.state.journal))
        return found if call is None else [event for event in found if event.call == call]

    def kinds(self, call: str) -> list[str]:
        return [event.kind for event in self.events(call)]

    async def event(
        self, kind: str, within_s: float = 30.0, true: Callable[[Event], bool] = lambda _: True
    ) -> Event:
        """The first event of this kind, as soon as the journal has it on disk."""
        try:
            async with asyncio.timeout(within_s):
                while True:
                    for event in self.events():
                        if event.kind == kind and true(event):
                            return event
                    await asyncio.sleep(0.05)
        except TimeoutError:
            seen = [f"{e.kind}({e.call}) {dict(e.data)}" for e in self.events()]
            raise AssertionError(f"no {kind} within {within_s} s; the journal: {seen}") from None

    async def records(self, true: Callable[[list[CallRow]], bool], within_s: float = 30.0) -> list[CallRow]:
        """The call records, as soon as they are as wanted."""
        store = await Store.open(Runtime.load(self.state).database(self.state))
        rows: list[CallRow] = []
        try:
            async with asyncio.timeout(within_s):
                while True:
                    rows = await _all(store, CallRow)
                    if true(rows):
                        return rows
                    await asyncio.sleep(0.1)
        except TimeoutError:
            shown = [(row.call, row.outcome, row.ended_by, row.reason) for row in rows]
            raise AssertionError(
                f"the records did not become as wanted within {within_s} s: {shown}"
            ) from None
        finally:
            await store.close()

    async def ended(self, count: int, within_s: float = 30.0) -> list[CallRow]:
        """All records, once so many calls have ended and none is active."""
        return await self.records(
            lambda rows: len(rows) >= count and all(row.outcome != "active" for row in rows), within_s
        )

    async def recordings(self, count: int, within_s: float = 20.0) -> dict[str, Path]:
        """The archived files by call, once there are so many."""
        store = await Store.open(Runtime.load(self.state).database(self.state))
        rows: list[Recording] = []
        try:
            async with asyncio.timeout(within_s):
                while len(rows) < count:
                    rows = [row for row in await _all(store, Recording) if row.state == "ready"]
                    await asyncio.sleep(0.1)
            return {row.call: self.state.archive / row.path for row in rows}
        except TimeoutError:
            raise AssertionError(f"{len(rows)} of {count} recordings within {within_s} s") from None
        finally:
            await store.close()

    async def stop(self) -> int:
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                async with asyncio.timeout(20):
                    await self.process.wait()
            except TimeoutError:
                self.process.kill()
                raise AssertionError("`daihyo up` did not stop within 20 s") from None
        return self.process.returncode or 0


async def _all(store: Store, table: Any) -> list[Any]:
    from sqlalchemy import select

    async with store.reading() as session:
        return list((await session.execute(select(table))).scalars())


@contextlib.asynccontextmanager
async def centre(
    folder: Path, *arguments: str, site: dict[str, Any] | None = None, tables: bool = True
) -> AsyncIterator[Centre]:
    """Starts a centre in `folder` and stops it; on failure its logs are in the assertion. `tables`: they are
    there already, which saves the migrations."""
    site_file = write_site(folder / "site.yaml", site or make_site())
    state = folder / "state"
    if tables and not state.exists():
        state.mkdir(mode=0o700)
        sqlite_with_tables(state / "daihyo.db")
    low, high = rtp_range()
    command = [sys.executable, "-m", "daihyo", "up", "--site", str(site_file), "--state", str(state)]
    command += ["--http-port", str(free_port()), "--sip-port", str(free_port())]
    command += ["--rtp-ports", f"{low}-{high}", *arguments]
    process = await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        ready: dict[str, Any] | None = None
        async with asyncio.timeout(READY_S):
            async for line in process.stdout:
                text = line.decode().strip()
                if text.startswith("ready "):
                    ready = json.loads(text[6:])
                    break
        if ready is None:
            raise AssertionError(f"daihyo up did not start: {(await process.stderr.read()).decode()}")
        made = Centre(state, process, ready)
        await made.control.start()
        try:
            yield made
        finally:
            await made.control.stop()
            await made.stop()
    except BaseException:
        for log in sorted((state / "log").glob("*.log")) + sorted((state / "asterisk/log").glob("*")):
            if log.is_file():
                print(f"--- {log.name}", *log.read_text(errors="replace").splitlines()[-60:], sep="\n")
        raise
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
