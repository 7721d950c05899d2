"""`python -m daihyo`: the three programs start without the command line's weight."""

from __future__ import annotations

import sys
from pathlib import Path


def main() -> int:
    words = sys.argv[1:]
    if len(words) == 3 and words[0] in ("engine", "console", "worker") and words[1] == "--state":
        from daihyo import programs
        from daihyo.settings import StateDir

        return programs.run(words[0], StateDir(Path(words[2])))
    from daihyo import cli

    return cli.main()


if __name__ == "__main__":
    raise SystemExit(main())
