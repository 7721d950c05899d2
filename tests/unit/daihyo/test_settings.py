"""The state folder and what its programs know of each other."""

from __future__ import annotations

import shutil
import stat
import tempfile
from pathlib import Path

import pytest

from daihyo.logs import OneLine
from daihyo.settings import Runtime, StateDir, UserError


def runtime() -> Runtime:
    return Runtime("/site.yaml", "0.0.0.0", 8080, 5060, (10000, 10999), 8088, 5038, pids={"up": 1})


def test_runtime_comes_back_as_it_was_written_and_is_private(tmp_path: Path) -> None:
    state = StateDir(tmp_path)
    state.create()
    runtime().save(state)
    assert Runtime.load(state) == runtime()
    assert stat.S_IMODE(state.runtime.stat().st_mode) == 0o600


def test_addresses_are_those_another_program_can_use() -> None:
    assert runtime().web == "http://127.0.0.1:8080"
    assert runtime().sip == "127.0.0.1:5060"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"listen": 1}', '{"rtp_ports": 5}'])
def test_damaged_runtime_is_a_line_for_the_user(tmp_path: Path, text: str) -> None:
    (tmp_path / "runtime.json").write_text(text)
    with pytest.raises(UserError, match=r"runtime\.json"):
        Runtime.load(StateDir(tmp_path))


def test_sockets_of_a_long_path_are_short_private_and_always_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    short = tempfile.mkdtemp(prefix="dh")
    request.addfinalizer(lambda: shutil.rmtree(short))
    monkeypatch.setenv("XDG_RUNTIME_DIR", short)
    long = tmp_path / ("x" * 120)
    state = StateDir(long)
    state.create()
    assert len(str(state.control_socket).encode()) < 108
    assert state.control_socket == StateDir(long).control_socket
    assert state.control_socket != StateDir(tmp_path / ("y" * 120)).control_socket
    assert stat.S_IMODE(state.sockets.stat().st_mode) == 0o700


@pytest.mark.req("ADM-3")
def test_log_lines_are_single_and_without_secrets() -> None:
    import logging

    record = logging.LogRecord(
        "daihyo", logging.ERROR, "", 0, "password is %s\nnext", ("hunter2hunter2",), None
    )
    line = OneLine(["hunter2hunter2"]).format(record)
    assert "hunter2" not in line
    assert "\n" not in line
    assert "ERROR daihyo: password is ••• ⏎ next" in line
