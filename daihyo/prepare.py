"""What must be there before anything starts: a free state folder, a checked site, an Asterisk, ports, a
database, the plan to start with, spoken prompts, Asterisk's configuration. Everything that the user can have
got wrong is found here, each with one line that says what and where."""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import desk
from asterisk_conf import Secrets
from daihyo import plans as files
from daihyo import ports, rendering, speaking
from daihyo.choosing import Chosen, choose
from daihyo.moments import moment
from daihyo.settings import Runtime, StateDir, UserError
from dialplans import Site
from store import Store, StoreUnavailable, plans
from switch.install import AsteriskMissing, Tree, find_asterisk
from switch.process import AsteriskFiles, AsteriskProcess

DEMO = "minato"  # the fictional city whose directory comes along


@dataclass(frozen=True)
class Wanted:
    """What the command line asks for. `listen` is the address of web, SIP and RTP."""

    site: Path
    listen: str = "127.0.0.1"
    http_port: int = 8080
    sip_port: int = 5060
    rtp_ports: tuple[int, int] = (10000, 10999)
    database_url: str | None = None
    demo: bool = False
    practice_time: str | None = None  # the plan's clock, in the site's zone
    use_file: bool = False  # `site` becomes the live plan, whatever was live before


@dataclass(frozen=True)
class Prepared:
    """All that `up` needs. `reload` names the modules that an adopted Asterisk must reload; `warnings` are
    lines for whoever started it."""

    site: Site
    keys: Secrets
    runtime: Runtime
    asterisk: AsteriskProcess
    adopted: bool
    reload: list[str]
    warnings: list[str] = field(default_factory=list)


@contextlib.contextmanager
def alone(state: StateDir) -> Iterator[None]:
    """Holds the state folder; raises UserError with the pid of the `daihyo up` that holds it already."""
    handle = os.open(state.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pid = os.pread(handle, 20, 0).decode(errors="replace").strip() or "?"
            raise UserError(
                f"{state.path} はすでに使用中です / `daihyo up` already runs on {state.path} (pid {pid}). "
                f"Stop it first: daihyo stop --state {state.path}"
            ) from None
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(handle)


async def prepare(state: StateDir, wanted: Wanted) -> Prepared:
    """To be called while holding `alone`. Raises UserError."""
    if files.live_number(state) is None:
        files.read_file(wanted.site, files.today())  # a first start: its mistakes are told before all others
    if wanted.practice_time is not None:
        moment(wanted.practice_time, ZoneInfo("UTC"), "--practice-time")  # is it one at all?
    ports.check_address(wanted.listen)
    try:
        tree = find_asterisk()
    except AsteriskMissing as error:
        raise UserError(f"Asterisk がありません / {error}") from None
    before = None
    with contextlib.suppress(UserError):
        before = Runtime.load(state)
    if before is not None:
        _wait_for_the_dead(before)
    process_files = AsteriskFiles(state.asterisk_conf, state.asterisk_run, state.log / "asterisk.out")
    asterisk = AsteriskProcess(tree, process_files)
    adopted = asterisk.adopt() is not None
    runtime = _runtime(wanted, tree, before if adopted else None, before)
    if adopted:
        _must_match(runtime, before, state, asterisk.pid)
    else:
        ports.check_free(wanted.listen, wanted.sip_port, "--sip-port", "udp", "tcp")
        low, high = wanted.rtp_ports
        for port in (low, low + 1, high):
            ports.check_free(wanted.listen, port, "--rtp-ports", "udp")
    ports.check_free(wanted.listen, wanted.http_port, "--http-port", "tcp")
    try:
        async with await Store.open(runtime.database(state)) as store:
            chosen = await choose(store, state, wanted.site, use_file=wanted.use_file)
            runtime = _practising(runtime, wanted, chosen.site)
            keys, reload = await _put_in_place(state, runtime, tree, chosen, wanted.site)
            if not adopted:
                speaking.tidy_music(chosen.site, state)
            if chosen.new:
                await plans.note_live(store, chosen.version, by=plans.FILE)
            if wanted.demo and chosen.site.id == DEMO:
                await desk.fill_demo(store)
    except StoreUnavailable as error:
        raise UserError(f"--database: {error}") from None
    return Prepared(chosen.site, keys, runtime, asterisk, adopted, reload if adopted else [], chosen.warnings)


async def _put_in_place(
    state: StateDir, runtime: Runtime, tree: Tree, chosen: Chosen, file: Path
) -> tuple[Secrets, list[str]]:
    """The plan's files, sounds and Asterisk configuration; only then is it the live one. Gives the secrets
    and the modules that an Asterisk which runs already must reload."""
    try:
        files.write(state, chosen.version, chosen.text, chosen.site)
        await speaking.speak(chosen.site, chosen.version, state)
        rendering.forget(state)
        rendered = rendering.render_aside(chosen.site, state, runtime, tree)
        reload = rendering.to_reload(state, rendered.changed)
        rendering.owe(state, reload)
        rendered.put()
        files.write_live(state, chosen.version)
        if not files.is_copy(state, file):  # what somebody wrote there themselves is left as it is
            files.write_copy(state, chosen.text)
    except OSError as error:
        raise UserError(f"--state {state.path}: {error.strerror or error} ({error.filename})") from None
    return rendered.keys, reload


def _practising(runtime: Runtime, wanted: Wanted, site: Site) -> Runtime:
    if wanted.practice_time is None:
        return runtime
    at = moment(wanted.practice_time, site.zone, "--practice-time")
    return dataclasses.replace(runtime, practice_time=at.isoformat())


def _runtime(wanted: Wanted, tree: Tree, running: Runtime | None, before: Runtime | None) -> Runtime:
    taken = {wanted.http_port, wanted.sip_port}
    if running is not None:
        ari, ami = running.ari_port, running.ami_port
    else:
        ari = ports.pick(before.ari_port if before else None, taken, wanted.rtp_ports)
        ami = ports.pick(before.ami_port if before else None, taken | {ari}, wanted.rtp_ports)
    return Runtime(
        site_path=str(wanted.site.absolute()),
        listen=wanted.listen,
        http_port=wanted.http_port,
        sip_port=wanted.sip_port,
        rtp_ports=wanted.rtp_ports,
        ari_port=ari,
        ami_port=ami,
        database_url=wanted.database_url,
        demo=wanted.demo,
        asterisk_version=tree.version_text,
        started_at=datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        pids={"up": os.getpid()},
    )


def _must_match(runtime: Runtime, before: Runtime | None, state: StateDir, pid: int | None) -> None:
    """An Asterisk that still runs cannot move to other ports without dropping its calls: that is for the
    user."""
    end = f"daihyo stop --state {state.path}"
    if before is None:
        raise UserError(
            f"Asterisk (pid {pid}) still runs on {state.path}, but runtime.json is gone. End it: {end}"
        )
    for option, old, new in (
        ("--listen", before.listen, runtime.listen),
        ("--sip-port", before.sip_port, runtime.sip_port),
        ("--rtp-ports", "-".join(map(str, before.rtp_ports)), "-".join(map(str, runtime.rtp_ports))),
    ):
        if old != new:
            raise UserError(
                f"{option} {new}: 通話中の Asterisk は {old} で動いています / "
                f"the Asterisk of this state folder still runs (pid {pid}) with {option} {old}. "
                f"Give the same, or end it and its calls: {end}"
            )


def _wait_for_the_dead(before: Runtime, within_s: float = 5.0) -> None:
    """Programs of an `up` that was killed end by themselves; their ports are free a moment later."""
    deadline = time.monotonic() + within_s
    pids = [before.pids.get(name) for name in ("engine", "console", "worker")]
    while time.monotonic() < deadline and any(pid is not None and _is_daihyo(pid) for pid in pids):
        time.sleep(0.05)


def _is_daihyo(pid: int) -> bool:
    try:
        return b"daihyo" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
