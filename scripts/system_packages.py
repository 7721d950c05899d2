"""The programs that Daihyo and its tests use beside Asterisk: found on the machine, else installed by apt-get
as root, else unpacked without root into ~/.cache/daihyo/debian (small wrappers in its bin folder). Standard
library only."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

HOUSE = Path(__file__).resolve().parent.parent
OWN = Path.home() / ".cache" / "daihyo" / "debian"

sys.path.insert(0, str(HOUSE / "switch"))


class CannotInstall(Exception):
    """Why a package could not be installed; `command` mends it."""

    def __init__(self, why: str, *packages: str) -> None:
        super().__init__(why)
        self.command = f"sudo apt-get install --no-install-recommends {' '.join(packages)}"


@dataclass(frozen=True)
class Tool:
    """A Debian package and how to see that it is there: programs on PATH or files by glob."""

    package: str
    programs: tuple[str, ...] = ()
    files: tuple[str, ...] = ()

    def found(self, root: Path = Path("/")) -> bool:
        on_path = f"{os.environ.get('PATH', os.defpath)}{os.pathsep}{OWN / 'bin'}"
        return all(shutil.which(name, path=on_path) for name in self.programs) and all(
            any(root.glob(pattern)) for pattern in self.files
        )


# English prompts; uploaded audio. `ivr.programs` finds them, unpacked ones too.
SOUND = (
    Tool("espeak-ng", programs=("espeak-ng",)),
    Tool("ffmpeg", programs=("ffmpeg", "ffprobe")),
)
TESTS = (
    Tool("sip-tester", programs=("sipp",)),
    Tool("chromium", programs=("chromium",)),
    Tool("postgresql", files=("usr/lib/postgresql/*/bin/initdb",)),
    Tool("sox", programs=("sox",)),
    Tool("fonts-noto-cjk", files=("usr/share/fonts/opentype/noto/NotoSansCJK*",)),
)


def provide(tools: tuple[Tool, ...], say: Callable[[str], None]) -> str:
    """Sees to it that all are there. Raises CannotInstall. Returns what was done, in a few words."""
    missing = [tool for tool in tools if not (tool.found() or (OWN.is_dir() and tool.found(OWN / "root")))]
    if not missing:
        return "there already"
    packages = [tool.package for tool in missing]
    if os.geteuid() == 0 or _may_sudo():
        say(f"  installing {' '.join(packages)}")
        apt_install(*packages)
        return f"installed {', '.join(packages)}"
    say(f"  unpacking {' '.join(packages)} into {OWN} (no root here)")
    _unpack(packages)
    return f"unpacked {', '.join(packages)} into {OWN}"


def _may_sudo() -> bool:
    return bool(
        shutil.which("sudo")
        and subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False).returncode == 0
    )


def apt_install(*packages: str) -> None:
    """apt-get install, as root or through sudo without a password. Raises CannotInstall."""
    if not shutil.which("apt-get"):
        raise CannotInstall("this machine has no apt-get", *packages)
    if os.geteuid() == 0:
        before: list[str] = []
    elif _may_sudo():
        before = ["sudo", "-n"]
    else:
        raise CannotInstall(f"{', '.join(packages)} missing and no right to install", *packages)
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
    install = [*before, "apt-get", "install", "-q", "-y", "--no-install-recommends", *packages]
    for command in ([*before, "apt-get", "update", "-q"], install):
        done = subprocess.run(
            command, env=quiet, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
        )
        # An update that fails for one foreign source need not matter: the installation shows.
        if done.returncode and command is install:
            said = [line for line in done.stderr.splitlines() if line.startswith("E:")] or ["apt-get failed"]
            raise CannotInstall(said[-1][:200], *packages)


def _unpack(packages: list[str]) -> None:
    import install

    root, programs = OWN / "root", OWN / "bin"
    for folder in (root, programs):
        folder.mkdir(parents=True, exist_ok=True)
    try:
        # The machine's own sources and installed packages: only what is missing is downloaded, and it fits.
        apt = install.Apt(OWN / "packages.work")
        apt.update()
        apt.unpack(tuple(packages), root)
    except install.UnpackFailed as error:
        raise CannotInstall(str(error), *packages) from None
    shutil.rmtree(OWN / "packages.work", ignore_errors=True)
    libraries = sorted({str(file.parent) for file in root.glob("usr/lib/**/*.so*")})
    search = ":".join(libraries)
    for program in [*root.glob("usr/bin/*"), *root.glob("usr/lib/postgresql/*/bin/*")]:
        if program.name == "chromium":
            continue
        _wrap(programs / program.name, program, search)
    # Debian's chromium script looks for itself under /usr/lib: ours goes straight to the program.
    chromium = root / "usr/lib/chromium/chromium"
    if chromium.exists():
        _wrap(programs / "chromium", chromium, search)
    fonts = root / "usr/share/fonts"
    if fonts.is_dir():
        home = Path.home() / ".local/share/fonts"
        home.mkdir(parents=True, exist_ok=True)
        link = home / "daihyo"
        if not link.exists():
            link.symlink_to(fonts)


def _wrap(wrapper: Path, program: Path, libraries: str) -> None:
    path = '${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"'
    lines = ["#!/bin/sh", f'export LD_LIBRARY_PATH="{libraries}{path}']
    if voices := next((OWN / "root").glob("usr/lib/*/espeak-ng-data"), None):
        lines.append(f'export ESPEAK_DATA_PATH="{voices.parent}"')
    wrapper.write_text("\n".join([*lines, f'exec "{program}" "$@"', ""]))
    wrapper.chmod(0o755)
