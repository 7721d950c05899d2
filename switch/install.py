"""Finds an Asterisk that can be used, or unpacks one from Debian's packages without root.

`find_asterisk()` looks, in this order, at the folder named by DAIHYO_ASTERISK_TREE, at an installed
`asterisk` on PATH, at folders `~/.cache/daihyo/asterisk-*`. `unpack()` makes such a folder with nothing
but apt-get and dpkg-deb, from the Debian mirror that the machine itself is set up with.

Only the standard library is used, so that the set-up can run this file before anything else is installed:
`python3 switch/install.py` (prints one line; exit code 0 when an Asterisk is there afterwards, 2 otherwise).
"""

from __future__ import annotations

import contextlib
import fcntl
import functools
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

Version = tuple[int, int, int]

OLDEST: Version = (22, 4, 0)
"""REST over the event WebSocket came with 22.4."""

UNUSABLE: dict[Version, str] = {
    (22, 9, 0): "it deadlocks (asterisk/asterisk#1962)",
    (22, 11, 0): "whispering breaks bridges (asterisk/asterisk#2134, #2171)",
}

SAFE_KEYS: Version = (22, 11, 0)
"""From here on a telephone's REFER with `Refer-Sub: false` does not end Asterisk (asterisk/asterisk#2021)."""

MEND = "make setup   (or install Asterisk 22 and name its folder in DAIHYO_ASTERISK_TREE)"

_PACKAGES = ("asterisk", "asterisk-modules", "asterisk-core-sounds-en-wav")
_SUITES = ("sid", "testing")
_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_NOT_NEEDED = ("doc", "man", "locale", "info", "perl", "perl5", "lintian", "bash-completion")


class AsteriskMissing(Exception):
    """No usable Asterisk; the message is one line that says why and the command that mends it."""


class UnpackFailed(Exception):
    """Asterisk could not be unpacked; the message is one line that says what to do."""


@dataclass(frozen=True)
class Tree:
    """An Asterisk that can be run.

    `command` is the start of an argv (the loader and its options, where unpacked): add `-C asterisk.conf -f`
    or `-C asterisk.conf -rx …`. `modules` is for astmoddir, `data` for astdatadir. `root` is the unpacked
    folder, None for an Asterisk of the system. `notes` says which others were passed over and why.
    """

    command: list[str]
    modules: Path
    data: Path
    version: Version
    root: Path | None = None
    notes: tuple[str, ...] = ()

    @property
    def version_text(self) -> str:
        return ".".join(map(str, self.version))


def cache_folder() -> Path:
    """Where downloaded things live: `~/.cache/daihyo`."""
    return Path.home() / ".cache" / "daihyo"


def objection(version: Version) -> str | None:
    """Why this version cannot be used, or None."""
    text = ".".join(map(str, version))
    if version < OLDEST:
        return f"Asterisk {text} is too old, 22.4 or newer is needed"
    if version[0] != OLDEST[0]:
        return f"Asterisk {text} is another major version, 22 is needed"
    if version in UNUSABLE:
        return f"Asterisk {text} cannot be used: {UNUSABLE[version]}"
    return None


def keys_objection(version: Version) -> str | None:
    """Why telephones' own transfer keys (SIP REFER) are unsafe with this version, or None. The bugs are those
    of docs/decisions/0015."""
    if version < SAFE_KEYS:
        return (
            f"Asterisk {'.'.join(map(str, version))} can be ended by one message of a telephone that may"
            f" transfer (asterisk issue 2021, mended in {'.'.join(map(str, SAFE_KEYS))})"
        )
    return None


def find_asterisk() -> Tree:
    """The Asterisk to run. Raises AsteriskMissing; a tree named by DAIHYO_ASTERISK_TREE is used or refused,
    never passed over silently."""
    named = os.environ.get("DAIHYO_ASTERISK_TREE")
    if named:
        try:
            return _checked(_tree_at(Path(named)))
        except AsteriskMissing as error:
            raise AsteriskMissing(
                f"DAIHYO_ASTERISK_TREE={named}: {error}; name another or unset it"
            ) from None
    notes: list[str] = []
    installed = shutil.which("asterisk") or shutil.which("asterisk", path="/usr/local/sbin:/usr/sbin:/sbin")
    if installed:
        try:
            return _checked(_installed(Path(installed)))
        except AsteriskMissing as error:
            notes.append(f"{installed} passed over: {error}")
    usable: list[Tree] = []
    for folder in sorted(cache_folder().glob("asterisk-*")):
        if folder.suffix in (".work", ".tmp", ".lock") or not folder.is_dir():
            continue
        try:
            usable.append(_checked(_tree_at(folder)))
        except AsteriskMissing as error:
            notes.append(f"{folder} passed over: {error}")
    if usable:
        best = max(usable, key=lambda tree: tree.version)
        return Tree(best.command, best.modules, best.data, best.version, best.root, tuple(notes))
    reasons = f" ({'; '.join(notes)})" if notes else ""
    raise AsteriskMissing(f"no usable Asterisk found{reasons}. Mend it with: {MEND}")


def _checked(tree: Tree) -> Tree:
    reason = objection(tree.version)
    if reason:
        raise AsteriskMissing(reason)
    return tree


def _tree_at(root: Path) -> Tree:
    """An unpacked folder as a Tree; its binaries run through its own loader and libraries."""
    binary = root / "usr/sbin/asterisk"
    if not binary.is_file():
        raise AsteriskMissing("there is no usr/sbin/asterisk in it")
    library = next((p for p in (*root.glob("usr/lib/*-linux-gnu*"), *root.glob("lib/*-linux-gnu*"))), None)
    loaders = [
        p
        for d in ("usr/lib64", "lib64", "usr/lib", "lib", "usr/lib/*-linux-gnu*")
        for p in root.glob(f"{d}/ld-*.so.*")
    ]
    if library is None or not loaders:
        raise AsteriskMissing("it has no C library or loader of its own")
    command = [str(loaders[0]), "--library-path", str(library), str(binary)]
    return Tree(
        command, library / "asterisk/modules", root / "usr/share/asterisk", _version_of(command), root
    )


def _installed(binary: Path) -> Tree:
    """An Asterisk of the system: its modules and data folders are looked for where builds put them."""
    prefix = binary.resolve().parent.parent
    libraries = [*prefix.glob("lib/*-linux-gnu*"), prefix / "lib64", prefix / "lib"]
    modules = next((p / "asterisk/modules" for p in libraries if (p / "asterisk/modules").is_dir()), None)
    data = next((p for p in (prefix / "share/asterisk", Path("/var/lib/asterisk")) if p.is_dir()), None)
    if modules is None or data is None:
        raise AsteriskMissing(f"its modules or data folder was not found under {prefix}")
    return Tree([str(binary)], modules, data, _version_of([str(binary)]))


@functools.cache
def _version_text(command: tuple[str, ...]) -> str:
    try:
        # A shell's LANG or LD_LIBRARY_PATH must not reach the other C library.
        done = subprocess.run(
            [*command, "-V"],
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
            env={"PATH": os.defpath},
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"? {error}"
    return done.stdout.strip() or done.stderr.strip() or f"? exit code {done.returncode}"


def _version_of(command: list[str]) -> Version:
    text = _version_text(tuple(command))
    found = re.search(r"Asterisk (?:certified/)?(\d+)\.(\d+)(?:\.(\d+))?", text)
    if not found:
        raise AsteriskMissing(f"it does not run: {text.splitlines()[0][:200]}")
    return int(found[1]), int(found[2]), int(found[3] or 0)


# ── unpacking ────────────────────────────────────────────────────────────────────────────────────────────


def debian_mirrors(etc_apt: Path = Path("/etc/apt")) -> list[str]:
    """The Debian mirrors that this machine uses, read from sources.list and sources.list.d (one-line and
    deb822), those for security updates left out, in the order of the files."""
    found: list[str] = []
    for file in (etc_apt / "sources.list", *sorted((etc_apt / "sources.list.d").glob("*"))):
        if file.suffix not in (".list", ".sources") or not file.is_file():
            continue
        for line in file.read_text(errors="replace").splitlines():
            words = line.split()
            one_line = words[:1] in (["deb"], ["deb-src"])
            deb822 = words[:1] == ["URIs:"]
            if one_line or deb822:
                found += [w.rstrip("/") for w in words if re.fullmatch(r"(https?|file|ftp):/\S+/debian/?", w)]
    return list(dict.fromkeys(found))


def unpack(say: Callable[[str], None] = lambda _line: None) -> Tree:
    """Downloads and unpacks Asterisk into `~/.cache/daihyo/asterisk-<version>` and returns it. Waits for
    another that is doing the same; a download that was cut off is continued. Raises UnpackFailed."""
    cache = cache_folder()
    cache.mkdir(parents=True, exist_ok=True)
    with _alone(cache / "asterisk.lock", say):
        with contextlib.suppress(AsteriskMissing):
            return find_asterisk()
        for program in ("apt-get", "apt-cache", "dpkg-deb"):
            if not shutil.which(program):
                raise UnpackFailed(
                    f"{program} is not there, so Debian's Asterisk cannot be unpacked. Install Asterisk "
                    "22 by other means and name its folder in DAIHYO_ASTERISK_TREE"
                )
        named = os.environ.get("DAIHYO_DEBIAN_MIRROR")
        mirrors = [named] if named else debian_mirrors()
        if not mirrors:
            raise UnpackFailed(
                "no Debian mirror is named in /etc/apt. "
                "Name one: DAIHYO_DEBIAN_MIRROR=http://…/debian make setup"
            )
        problems: list[str] = []
        for mirror in mirrors:
            for suite in _SUITES:
                try:
                    return _unpack_from(mirror, suite, cache, say)
                except UnpackFailed as error:
                    problems.append(f"{suite}: {error}")
        raise UnpackFailed(f"{'; '.join(dict.fromkeys(problems))}. Try again with: make setup")


@contextlib.contextmanager
def _alone(lock: Path, say: Callable[[str], None]) -> Iterator[None]:
    with lock.open("a") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Another set-up is unpacking Asterisk; waiting for it")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _unpack_from(mirror: str, suite: str, cache: Path, say: Callable[[str], None]) -> Tree:
    work = cache / f"asterisk-packages-{suite}.work"
    apt = Apt(work, f"{mirror} {suite} main")
    say(f"Reading the package list of Debian {suite}")
    apt.update()
    candidate = apt.candidate("asterisk")
    found = re.match(r"(?:\d+:)?(\d+)\.(\d+)\.?(\d+)?", candidate or "")
    if not found:
        raise UnpackFailed("it has no package asterisk")
    reason = objection((int(found[1]), int(found[2]), int(found[3] or 0)))
    if reason:
        raise UnpackFailed(reason)
    say(f"Downloading and unpacking Asterisk {found[0].split(':')[-1]} (about 60 MB)")
    half = Path(tempfile.mkdtemp(prefix="asterisk-", suffix=".tmp", dir=cache))
    try:
        apt.unpack(_PACKAGES, half)
        for name in _NOT_NEEDED:
            shutil.rmtree(half / "usr/share" / name, ignore_errors=True)
        half.chmod(0o755)
        try:
            tree = _checked(_tree_at(half))
        except AsteriskMissing as error:
            raise UnpackFailed(f"what was unpacked cannot be used: {error}") from None
        final = cache / f"asterisk-{tree.version_text}"
        shutil.rmtree(final, ignore_errors=True)  # a broken one: a good one would have been found
        half.rename(final)
    finally:
        shutil.rmtree(half, ignore_errors=True)
    shutil.rmtree(work, ignore_errors=True)
    _version_text.cache_clear()
    return find_asterisk()


class Apt:
    """apt with a state of its own under `work`: touches nothing of the system, needs no root.

    With `source` (the rest of a `deb` line: mirror, suite, component) it knows that source alone and
    takes nothing for installed, so that a complete tree comes out; without, the machine's own sources and
    installed packages.
    """

    def __init__(self, work: Path, source: str | None = None) -> None:
        for folder in ("lists/partial", "archives/partial", "empty"):
            (work / folder).mkdir(parents=True, exist_ok=True)
        self._archives = work / "archives"
        self._options = [
            f"Dir::State={work}",
            f"Dir::State::lists={work / 'lists'}",
            f"Dir::Cache={work}",
            f"Dir::Cache::archives={self._archives}",
            "Acquire::Languages=none",
            "Acquire::Retries=3",
            "APT::Install-Recommends=false",
            "APT::Sandbox::User=root",  # the usual user _apt may not write into a home folder
            "APT::Get::List-Cleanup=false",
            "Debug::NoLocking=1",
        ]
        if source is None:
            self._options.append("Dir::State::status=/var/lib/dpkg/status")
            return
        (work / "status").touch()
        signed = f"[signed-by={_KEYRING}] " if _KEYRING.is_file() else ""
        (work / "sources.list").write_text(f"deb {signed}{source}\n")
        self._options += [
            f"Dir::State::status={work / 'status'}",
            f"Dir::Etc::sourcelist={work / 'sources.list'}",
            f"Dir::Etc::sourceparts={work / 'empty'}",
            f"Dir::Etc::preferences={work / 'empty' / 'none'}",
            f"Dir::Etc::preferencesparts={work / 'empty'}",
            "Acquire::Check-Valid-Until=false",  # a mirror's sid may be older than it allows
        ]

    def _run(self, program: str, *arguments: str) -> str:
        options = [word for option in self._options for word in ("-o", option)]
        done = subprocess.run(
            [program, *options, *arguments],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"},
        )
        if done.returncode:
            lines = [line for line in done.stderr.splitlines() if line.startswith(("E:", "Err"))] or ["?"]
            raise UnpackFailed(f"{program} {arguments[0]} failed: {lines[-1][:300]}")
        return done.stdout

    def update(self) -> None:
        self._run("apt-get", "-q", "-o", "APT::Update::Error-Mode=any", "update")

    def candidate(self, package: str) -> str | None:
        """The version that would be downloaded, e.g. `1:22.10.1+dfsg-1`, or None."""
        found = re.search(r"Candidate: (\S+)", self._run("apt-cache", "policy", package))
        return found[1] if found and found[1] != "(none)" else None

    def unpack(self, packages: tuple[str, ...], destination: Path) -> None:
        """Downloads the packages with all they depend on and unpacks them, no script of theirs is run."""
        self._run("apt-get", "-q", "-y", "--download-only", "install", *packages)
        for package in sorted(self._archives.glob("*.deb")):
            done = subprocess.run(
                ["dpkg-deb", "-x", package, destination], capture_output=True, text=True, check=False
            )
            if done.returncode:
                package.unlink(missing_ok=True)  # so that the next try downloads it again
                raise UnpackFailed(f"{package.name} could not be unpacked: {done.stderr.strip()[:200]}")


def main() -> int:
    """Finds or unpacks an Asterisk and prints one line about it."""

    def say(line: str) -> None:
        sys.stderr.write(f"{line}\n")

    try:
        tree = find_asterisk()
    except AsteriskMissing as missing:
        if os.environ.get("DAIHYO_ASTERISK_TREE"):
            say(str(missing))
            return 2
        try:
            tree = unpack(say)
        except (UnpackFailed, OSError) as error:
            say(f"Asterisk: {error}")
            return 2
    for note in tree.notes:
        say(note)
    say(f"Asterisk {tree.version_text}: {tree.root or tree.command[0]}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
