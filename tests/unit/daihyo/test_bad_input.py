"""Whatever is wrong with what the user gave: one clear line, exit code 2, no traceback."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.site import site, write_site
from tests.unit.daihyo.command_line import Daihyo

HOUSE = Path(__file__).resolve().parents[3]


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    return write_site(tmp_path / "site.yaml", site())


@pytest.mark.req("ADM-1")
def test_every_mistake_of_a_site_file_with_its_line(daihyo: Daihyo, tmp_path: Path) -> None:
    broken = tmp_path / "site.yaml"
    broken.write_text("city: みなと市\ncentre: センター\nid: minato\nnumberz: []\nlanguage: fr\n")
    for arguments in (("site", "check", broken), ("up", "--site", broken, "--state", tmp_path / "s")):
        code, said = daihyo(*arguments)
        assert code == 2
        assert f"{broken}:4" in said
        assert f"{broken}:5" in said


def test_site_file_that_is_not_there(daihyo: Daihyo, tmp_path: Path) -> None:
    code, said = daihyo("up", "--site", tmp_path / "none.yaml", "--state", tmp_path / "s")
    assert code == 2
    assert "none.yaml" in said
    assert len(said.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("option", "value", "word"),
    [
        ("--rtp-ports", "20000", "10000-10999"),
        ("--rtp-ports", "20000-10000", "1024-65535"),
        ("--rtp-ports", "20000-20003", "too narrow"),
        ("--rtp-ports", "80-20000", "1024-65535"),
        ("--http-port", "0", "1<=x<=65535"),
        ("--sip-port", "70000", "1<=x<=65535"),
        ("--listen", "city.example", "not an IP address"),
        ("--listen", "192.0.2.1", "not an address of this machine"),
        ("--http-port", "5060", "give two"),
    ],
)
def test_wrong_options_are_named(
    daihyo: Daihyo, plan: Path, tmp_path: Path, option: str, value: str, word: str
) -> None:
    code, said = daihyo("up", "--site", plan, "--state", tmp_path / "s", option, value)
    assert code == 2
    assert option in said
    assert word in said


@pytest.mark.parametrize(
    ("option", "kind"), [("--http-port", "tcp"), ("--sip-port", "udp"), ("--sip-port", "tcp")]
)
def test_occupied_port_is_named_with_its_option(
    daihyo: Daihyo, plan: Path, tmp_path: Path, option: str, kind: str
) -> None:
    with socket.socket(type=socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        if kind == "tcp":
            taken.listen()
        number = taken.getsockname()[1]
        other = "--sip-port" if option == "--http-port" else "--http-port"
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            spare = free.getsockname()[1]
        code, said = daihyo(
            "up", "--site", plan, "--state", tmp_path / "s", option, str(number), other, str(spare),
            "--rtp-ports", "30000-30099",
        )  # fmt: skip
    assert code == 2
    assert f"{option} {number}" in said
    assert f"{kind} port {number}" in said


def test_missing_asterisk(
    daihyo: Daihyo, plan: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAIHYO_ASTERISK_TREE", str(tmp_path / "nothing"))
    code, said = daihyo("up", "--site", plan, "--state", tmp_path / "s")
    assert code == 2
    assert "DAIHYO_ASTERISK_TREE" in said


@pytest.mark.req("REL-4")
@pytest.mark.parametrize(
    "url",
    ["postgresql://nobody@127.0.0.1:1/none", "mysql://x/y", "nonsense", "sqlite:////proc/none/x.db"],
)
def test_unreachable_database(daihyo: Daihyo, plan: Path, tmp_path: Path, url: str) -> None:
    with socket.socket() as one, socket.socket() as two:
        for sock in (one, two):
            sock.bind(("127.0.0.1", 0))
        http, sip = one.getsockname()[1], two.getsockname()[1]
    code, said = daihyo(
        "up", "--site", plan, "--state", tmp_path / "s", "--database", url, "--http-port", str(http),
        "--sip-port", str(sip), "--rtp-ports", "30100-30199",
    )  # fmt: skip
    assert code == 2
    assert "--database" in said
    assert len(said.strip().splitlines()) == 1


def test_state_folder_that_cannot_be_made(daihyo: Daihyo, plan: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    code, said = daihyo("up", "--site", plan, "--state", tmp_path / "file" / "s")
    assert code == 2
    assert "--state" in said


@pytest.mark.parametrize(
    "arguments",
    [
        ("status",),
        ("phone", "1001"),
        ("kpi",),
        ("calls",),
        ("operator", "1001", "ready"),
        ("stop",),
        ("try",),
    ],
)
def test_asking_a_centre_that_never_ran(daihyo: Daihyo, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    code, said = daihyo(*arguments, "--state", tmp_path / "s")
    assert code == 2
    assert str(tmp_path / "s") in said
    assert len(said.strip().splitlines()) == 1


@pytest.mark.parametrize("program", ["engine", "console", "worker"])
def test_program_without_a_prepared_state(tmp_path: Path, program: str) -> None:
    """In a process of its own, as `daihyo up` starts it."""
    done = subprocess.run(
        [sys.executable, "-m", "daihyo", program, "--state", tmp_path / "s"],
        cwd=HOUSE,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "daihyo up" in done.stderr
    assert "Traceback" not in done.stderr


def test_unknown_command_and_option(daihyo: Daihyo) -> None:
    assert daihyo("upp")[0] == 2
    assert daihyo("up", "--sit", "x")[0] == 2
