"""`make test`: runs the groups of tests one after another, each with as many workers as suit it.

    python3 scripts/run_tests.py [unit|live|browser|faults …]

Every group writes var/test/<group>.xml (JUnit); conftest.py keeps each test's last result in
var/test/results.json for `make trace`. All groups run even if one fails; the exit code is 1 then.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

HOUSE = Path(__file__).resolve().parent.parent
# Tests of the switch and of the configuration share an Asterisk within their file, and crowded centres come
# one after the other (xdist_group, see tests/live/conftest.py); all others start a centre each and mostly
# wait. Faults and browsers want the machine more to themselves.
GROUPS = {
    "unit": ["tests/unit", "-n", "2"],
    "live": ["tests/live", "-n", "3", "--dist", "loadgroup"],
    "browser": ["tests/browser", "-n", "2", "--dist", "loadgroup"],
    "faults": ["tests/faults", "-n", "2", "--dist", "loadgroup"],
}
NO_TESTS = 5  # pytest's exit code when it collected nothing


def main() -> int:
    asked = sys.argv[1:] or list(GROUPS)
    unknown = [name for name in asked if name not in GROUPS]
    if unknown:
        sys.stderr.write(f"unknown group {' '.join(unknown)}; there are {' '.join(GROUPS)}\n")
        return 2
    report = HOUSE / "var" / "test"
    report.mkdir(parents=True, exist_ok=True)
    failed = []
    for name in asked:
        if not (HOUSE / GROUPS[name][0]).is_dir():
            continue
        began = time.monotonic()
        sys.stderr.write(f"── {name}\n")
        done = subprocess.run(
            [
                HOUSE / ".venv/bin/python",
                "-m",
                "pytest",
                "-q",
                f"--junit-xml={report / name}.xml",
                *GROUPS[name],
            ],
            cwd=HOUSE,
            check=False,
        )
        sys.stderr.write(f"── {name}: {time.monotonic() - began:.0f} s\n")
        if done.returncode not in (0, NO_TESTS):
            failed.append(name)
    if failed:
        sys.stderr.write(f"Failed: {' '.join(failed)} (reports in {report})\n")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
