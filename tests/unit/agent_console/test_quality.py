"""The line's quality as the page reckons it (web/quality.ts), run by node: the formula of docs/quality.md,
counted by hand, and words that do not flicker."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

CONSOLE = Path(__file__).parents[3] / "agent_console"

RUN = """
import { build } from "esbuild";
const made = await build({ entryPoints: ["web/quality.ts"], bundle: true, format: "esm", write: false });
globalThis.window = globalThis;
const { Quality, gradeOf, mosOf, rating } = await import(
  "data:text/javascript;base64," + Buffer.from(made.outputFiles[0].text).toString("base64"));
const out = { ratings: [], grades: [] };
for (const [delay, loss] of JSON.parse(process.argv[2])) {
  const r = rating(delay, loss);
  out.ratings.push([r, mosOf(r), gradeOf(r)]);
}
const stats = { type: "inbound-rtp", kind: "audio", jitter: 0.004, packetsReceived: 0, packetsLost: 0,
  jitterBufferDelay: 0, jitterBufferEmittedCount: 0 };
const connection = { getStats: async () => new Map([["a", stats]]) };
const quality = new Quality(() => undefined);
quality.watched = connection;
for (const lost of JSON.parse(process.argv[3])) {
  stats.packetsReceived += 100 - lost;
  stats.packetsLost += lost;
  await quality.read(connection);
  out.grades.push(quality.grade);
}
out.reading = quality.reading;
console.log(JSON.stringify(out));
"""


def reckoned(ratings: list[tuple[float, float]], losses: list[int]) -> dict[str, Any]:
    """`ratings`: one-way delays (ms) with losses (%); `losses`: packets lost of each hundred, by reading."""
    node = shutil.which("node")
    if node is None or not (CONSOLE / "node_modules/esbuild").is_dir():
        pytest.skip("no node; make setup")
    done = subprocess.run(
        [node, "--input-type=module", "-", json.dumps(ratings), json.dumps(losses)],
        input=RUN,
        cwd=CONSOLE,
        env={**os.environ, "NODE_NO_WARNINGS": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.req("OPR-1")
def test_the_formula_as_counted_by_hand_and_a_word_that_changes_only_for_good_reason() -> None:
    hovering = [0] * 6 + [30, 0] + [0] * 8
    found = reckoned([(85, 0), (85, 5), (400, 0), (25, 100)], hovering)
    assert [[round(r, 2), round(mos, 2), grade] for r, mos, grade in found["ratings"]] == [
        [91.16, 4.37, "good"],
        [75.38, 3.84, "fair"],
        [59.1, 3.05, "poor"],  # 93.2 - 9.6 - 24.5
        [16.66, 1.16, "poor"],  # 93.2 - 0.6 - 75.94
    ]
    grades = found["grades"]
    assert grades[0] is None  # one reading tells nothing of a rate
    assert grades[1:7] == ["good"] * 6  # a single bad reading turns no word
    assert grades[-1] == "good"
    changes = [(a, b) for a, b in itertools.pairwise(grades[1:]) if a != b]
    assert len(changes) <= 2, grades
    assert found["reading"]["loss"] == 0
    assert found["reading"]["jitter"] == pytest.approx(4)
