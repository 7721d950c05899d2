"""Keeps each test's last result, with the requirements it shows, in var/test/results.json for `make trace`;
and begins with the tests that take longest."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Generator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

RESULTS = Path(__file__).resolve().parent / "var" / "test" / "results.json"
_seen: dict[str, dict[str, Any]] = {}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    ids = sorted({str(name) for mark in item.iter_markers("req") for name in mark.args})
    if ids:
        # user_properties travel from the workers of pytest-xdist to the one that writes, and into JUnit's
        # file.
        report.user_properties.append(("req", " ".join(ids)))
    return report


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    ids = next((str(value).split() for name, value in report.user_properties if name == "req"), None)
    if not ids:
        return
    before = _seen.get(report.nodeid, {}).get("outcome")
    outcome = report.outcome
    # A failure in set-up or tear-down is the test's failure.
    if before in ("failed", "skipped") or (report.when != "call" and outcome == "passed" and before):
        outcome = before
    _seen[report.nodeid] = {
        "req": ids,
        "outcome": outcome,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def pytest_sessionfinish(session: pytest.Session) -> None:
    if hasattr(session.config, "workerinput") or not _seen:
        return
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    with RESULTS.open("a+") as file:  # several runs may end at once
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        try:
            known = json.loads(file.read() or "{}")
        except ValueError:
            known = {}
        known.update(_seen)
        file.seek(0)
        file.truncate()
        json.dump(known, file, ensure_ascii=False, indent=1, sort_keys=True)
