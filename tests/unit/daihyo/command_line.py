"""The command line, run in this process."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from daihyo import cli


class Daihyo:
    """`daihyo(…)` gives exit code and stderr; `.out` is then what was printed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch, self._capsys = monkeypatch, capsys
        self.out = ""

    def __call__(self, *arguments: str | Path) -> tuple[int, str]:
        self._monkeypatch.setattr(sys, "argv", ["daihyo", *map(str, arguments)])
        self._capsys.readouterr()
        try:
            code = cli.main()
        except SystemExit as end:
            code = int(end.code or 0)
        said = self._capsys.readouterr()
        assert "Traceback" not in said.err + said.out
        self.out = said.out
        return code, said.err


@pytest.fixture
def daihyo(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Daihyo]:
    handlers = logging.getLogger().handlers[:]
    yield Daihyo(monkeypatch, capsys)
    logging.getLogger().handlers[:] = handlers
