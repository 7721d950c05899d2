"""Programs that make sound are found on the machine or where the set-up unpacked them."""

from __future__ import annotations

from pathlib import Path

import pytest

from ivr import programs


def program(folder: Path) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "espeak-ng").write_text("#!/bin/sh\n")
    (folder / "espeak-ng").chmod(0o755)
    return str(folder / "espeak-ng")


def test_those_of_the_machine_come_before_the_unpacked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "usr"))
    monkeypatch.setattr(programs, "cache_folder", lambda: tmp_path)
    assert programs.find("espeak-ng") is None
    unpacked = program(tmp_path / "debian" / "bin")
    assert programs.find("espeak-ng") == unpacked
    own = program(tmp_path / "usr")
    assert programs.find("espeak-ng") == own
