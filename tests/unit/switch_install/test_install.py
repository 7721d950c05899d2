"""Which Asterisk is taken, and what is said when there is none."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from switch import install
from switch.install import AsteriskMissing, debian_mirrors, find_asterisk, objection

HOUSE = Path(__file__).resolve().parents[3]


def tree(folder: Path, says: str) -> Path:
    """A folder like an unpacked Asterisk; its loader is a script that prints `says`."""
    (folder / "usr/sbin").mkdir(parents=True)
    (folder / "usr/sbin/asterisk").write_text("")
    (folder / "usr/lib64").mkdir()
    (folder / "usr/lib/x86_64-linux-gnu/asterisk/modules").mkdir(parents=True)
    loader = folder / "usr/lib64/ld-linux-x86-64.so.2"
    loader.write_text(f"#!/bin/sh\necho '{says}'\n")
    loader.chmod(0o755)
    return folder


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder without anything, on a machine without Asterisk."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("DAIHYO_ASTERISK_TREE", raising=False)
    monkeypatch.setattr(install.shutil, "which", lambda *_, **__: None)
    cache = tmp_path / ".cache/daihyo"
    cache.mkdir(parents=True)
    return cache


@pytest.mark.parametrize(
    ("version", "word"),
    [((22, 3, 9), "too old"), ((22, 9, 0), "1962"), ((22, 11, 0), "2134"), ((23, 1, 0), "another major")],
)
def test_unusable_versions_are_named_with_the_reason(version: tuple[int, int, int], word: str) -> None:
    assert word in (objection(version) or "")


@pytest.mark.parametrize("version", [(22, 4, 0), (22, 10, 1), (22, 9, 1), (22, 11, 1)])
def test_usable_versions(version: tuple[int, int, int]) -> None:
    assert objection(version) is None


def test_newest_usable_tree_of_the_cache_is_taken(home: Path) -> None:
    tree(home / "asterisk-22.9.0", "Asterisk 22.9.0")
    tree(home / "asterisk-22.10.1", "Asterisk 22.10.1+dfsg+~cs6.17-1")
    tree(home / "asterisk-22.4.2", "Asterisk 22.4.2")
    tree(home / "asterisk-half.tmp", "Asterisk 22.20.0")
    found = find_asterisk()
    assert found.version == (22, 10, 1)
    assert found.root == home / "asterisk-22.10.1"
    assert found.command[1] == "--library-path"
    assert found.modules.is_dir()
    assert any("22.9.0" in note and "1962" in note for note in found.notes)


def test_missing_asterisk_is_one_line_with_the_command(home: Path) -> None:
    with pytest.raises(AsteriskMissing) as error:
        find_asterisk()
    assert "make setup" in str(error.value)
    assert "\n" not in str(error.value)


def test_named_tree_goes_before_the_cache(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree(home / "asterisk-22.10.1", "Asterisk 22.10.1")
    monkeypatch.setenv("DAIHYO_ASTERISK_TREE", str(tree(tmp_path / "mine", "Asterisk 22.5.0")))
    assert find_asterisk().version == (22, 5, 0)


def test_named_tree_that_does_not_fit_is_refused_not_passed_over(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree(home / "asterisk-22.10.1", "Asterisk 22.10.1")
    monkeypatch.setenv("DAIHYO_ASTERISK_TREE", str(tree(tmp_path / "mine", "Asterisk 20.1.0")))
    with pytest.raises(AsteriskMissing, match=r"DAIHYO_ASTERISK_TREE=.*too old"):
        find_asterisk()


def test_tree_that_does_not_run_is_passed_over_with_a_reason(home: Path) -> None:
    tree(home / "asterisk-22.10.1", "bad interpreter")
    with pytest.raises(AsteriskMissing, match=r"does not run: bad interpreter"):
        find_asterisk()


def test_mirrors_are_read_from_both_formats(tmp_path: Path) -> None:
    parts = tmp_path / "sources.list.d"
    parts.mkdir()
    (tmp_path / "sources.list").write_text(
        "# deb http://commented.example/debian sid main\n"
        "deb [arch=amd64] http://one.example/debian/ bookworm main\n"
        "deb http://one.example/debian-security bookworm-security main\n"
    )
    (parts / "a.sources").write_text(
        "Types: deb\nURIs: https://two.example/debian http://one.example/debian\nSuites: trixie\n"
    )
    (parts / "b.list").write_text("deb https://other.example/node nodistro main\n")
    (parts / "c.sources.save").write_text("URIs: http://three.example/debian\n")
    assert debian_mirrors(tmp_path) == ["http://one.example/debian", "https://two.example/debian"]


def test_set_up_step_says_one_line_when_nothing_can_be_had(tmp_path: Path) -> None:
    """No apt-get on PATH: the step ends with 2 and says what to do."""
    done = subprocess.run(
        [sys.executable, HOUSE / "switch/install.py"],
        env={"HOME": str(tmp_path), "PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == 0:
        pytest.skip("this machine has an Asterisk installed outside PATH")
    assert done.returncode == 2
    assert "apt-get is not there" in done.stderr
    assert "DAIHYO_ASTERISK_TREE" in done.stderr
    assert "Traceback" not in done.stderr
