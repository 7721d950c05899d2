"""Reading and checking a large plan: `python -m bench.check [--json] [--steps N]`.

A plan of N steps (menus of five keys in two languages, announcements), twenty numbers. Timed is `parse_site`,
all checks included, in CPU time of this thread; the median of five.
"""

from __future__ import annotations

import argparse
import datetime as dt
import time

from bench.report import Figure, show
from dialplans import parse_site

NUMBERS = 20
KEYS = """    keys:
      1: {{go: {next}, label: くらし}}
      2: {{go: "queue:main", label: 税}}
      3: {{go: {next}, label: 英語, language: en}}
      9: {{go: repeat, label: もう一度}}
      "*": {{go: back, label: 戻る}}
    otherwise: queue:main
"""


def plan(steps: int) -> str:
    """A plan's text: chains of steps, one a number, each ending in the queue."""
    a_chain = steps // NUMBERS
    out = "city: 試験市\ncentre: 試験センター\nid: test\nnumbers:\n"
    for n in range(NUMBERS):
        out += f'  - {{number: "0246-22-{1000 + n}", name: 番号{n}, start: step-{n * a_chain}, '
        out += "greeting: こんにちは, recording_notice: 録音します}\n"
    out += "steps:\n"
    for n in range(NUMBERS * a_chain):
        following = f"step-{n + 1}" if (n + 1) % a_chain else '"queue:main"'
        out += f"  - id: step-{n}\n    name: 案内{n}\n"
        if n % 4 == 3:
            out += f"    kind: say\n    say: {{ja: 案内{n}です。, en: Announcement {n}.}}\n"
            out += f"    next: {following}\n"
        else:
            out += "    kind: menu\n"
            out += f"    say: {{ja: 案内{n}です。番号を押してください。, en: Menu {n}. Press a key.}}\n"
            out += KEYS.format(next=following)
    out += "queues:\n  - {id: main, name: 案内}\n"
    out += 'operators:\n  - {id: "1001", name: 甲, queues: [main]}\n'
    return out + "trunks:\n  - {id: line, addresses: [192.0.2.1]}\n"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.check", description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line")
    parser.add_argument("--steps", type=int, default=500, help="steps of the plan (default 500)")
    options = parser.parse_args()

    text = plan(options.steps)
    times = []
    for _ in range(5):
        began = time.thread_time()
        site = parse_site(text, today=dt.date(2026, 11, 22))
        times.append(time.thread_time() - began)
    assert len(site.steps) == options.steps // NUMBERS * NUMBERS
    show(
        f"A plan of {len(site.steps)} steps",
        [Figure("check_s", sorted(times)[2], "s", what="read and checked", goal="< 1")],
        as_json=options.json,
    )


if __name__ == "__main__":
    main()
