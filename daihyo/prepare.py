"""What must be there before anything starts: a free state folder, a checked site, an Asterisk, ports, a
database, spoken prompts, Asterisk's configuration. Everything that the user can have got wrong is found
here, each with one line that says what and where."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from asterisk_conf import AsteriskSettings, ConfigurationError, Secrets, modules_to_reload, render
from daihyo import ports
from daihyo.settings import Runtime, StateDir, UserError
from dialplans import Site, SiteError, load_site
from switch.install import AsteriskMissing, Tree, find_asterisk
from switch.process import AsteriskFiles, AsteriskProcess


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


@dataclass(frozen=True)
class Prepared:
    """All that `up` needs. `reload` names the modules that an adopted Asterisk must reload."""

    site: Site
    keys: Secrets
    runtime: Runtime
    asterisk: AsteriskProcess
    adopted: bool
    reload: list[str]


class SiteProblems(UserError):
    """The site file is wrong: one line a problem."""


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


def checked_site(path: Path) -> Site:
    """The site, or SiteProblems with every problem on a line of its own: `file:line: what; what to do`."""
    try:
        return load_site(path)
    except SiteError as error:
        raise SiteProblems("\n".join(str(problem) for problem in error.problems)) from None
    except OSError as error:
        raise UserError(f"--site {path}: 読めません / cannot be read: {error.strerror}") from None


async def prepare(state: StateDir, wanted: Wanted) -> Prepared:
    """To be called while holding `alone`. Raises UserError."""
    site = checked_site(wanted.site)
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
    files = AsteriskFiles(state.asterisk_conf, state.asterisk_run, state.log / "asterisk.out")
    asterisk = AsteriskProcess(tree, files)
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
    copy(wanted.site, state.site)
    await _open_database(runtime.database(state))
    keys, changed = configure(site, state, runtime, tree)
    speak(site, state)
    return Prepared(site, keys, runtime, asterisk, adopted, modules_to_reload(changed) if adopted else [])


def configure(site: Site, state: StateDir, runtime: Runtime, tree: Tree) -> tuple[Secrets, list[str]]:
    """Renders Asterisk's files; the secrets, and the names of the files that changed. Raises UserError."""
    try:
        keys = Secrets.load_or_create(state.secrets, site)
        settings = AsteriskSettings(
            folder=state.asterisk,
            spool=state.spool,
            tree=tree,
            listen=runtime.listen,
            sip_port=runtime.sip_port,
            rtp_ports=runtime.rtp_ports,
            ari_port=runtime.ari_port,
            ami_port=runtime.ami_port,
            demo=runtime.demo,
            run_folder=state.asterisk_run,
        )
        return keys, render(site, keys, settings)
    except ConfigurationError as error:
        raise UserError(str(error)) from None


def speak(site: Site, state: StateDir) -> None:
    """Every announcement as a sound file, and the waiting music. What was spoken before is taken from the
    cache."""
    import ivr  # heavy: a speech synthesiser

    try:
        ivr.prepare(site.prompts(), state.sounds)
        ivr.music(state.sounds)
    except (OSError, ivr.SpeechError) as error:
        raise UserError(f"案内音声を作れません / announcements cannot be spoken: {error}") from None


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


async def _open_database(url: str) -> None:
    from store import Store, StoreUnavailable

    try:
        store = await Store.open(url)
    except StoreUnavailable as error:
        raise UserError(f"--database: {error}") from None
    await store.close()


def copy(source: Path, target: Path) -> None:
    """Whole or not at all; nothing to do when both are one file."""
    if source.resolve() == target.resolve():
        return
    half = target.with_name(f".{target.name}.new")
    shutil.copyfile(source, half)
    half.replace(target)
