"""`daihyo plan`, `opening`, `notice`: what they print, and one line for everything that is wrong."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

import dialplans
from daihyo.moments import moment
from daihyo.plans import write, write_live
from daihyo.settings import Runtime, StateDir, UserError
from dialplans import parse_site
from store import Store, plans
from tests.support.databases import sqlite_with_tables
from tests.unit.daihyo.command_line import Daihyo
from tests.unit.daihyo.plan_folder import text_of

TOKYO = ZoneInfo("Asia/Tokyo")
MINATO = Path(dialplans.__file__).parent / "minato.yaml"
FIRST, SECOND = text_of(), text_of(operators=3)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "site.yaml"
    path.write_text(FIRST)
    return path


@pytest.fixture
def state(tmp_path: Path) -> StateDir:
    """A centre that is not running, with two versions; the second is live."""
    made = StateDir(tmp_path / "s")
    made.create()
    Runtime("/site.yaml", "127.0.0.1", 8080, 5060, (10000, 10999), 8088, 5038).save(made)

    async def fill() -> None:
        async with await Store.open(sqlite_with_tables(made.path / "daihyo.db")) as store:
            for text, author in ((FIRST, "file"), (SECOND, "sv01")):
                version = await plans.add_version(store, text, author=author, comment=f"{author}の版")
                await plans.note_live(store, version.id, by=author)

    asyncio.run(fill())
    write(made, 2, SECOND, parse_site(SECOND))
    write_live(made, 2)
    return made


@pytest.mark.req("IVR-2")
def test_a_good_plan_is_counted(daihyo: Daihyo, file: Path) -> None:
    assert daihyo("plan", "check", file) == (0, "")
    assert daihyo.out.startswith("OK: 2 numbers, 0 steps, ")
    assert daihyo("plan", "check", file, "--json") == (0, "")
    told = json.loads(daihyo.out)
    assert (told["ok"], told["problems"], told["counts"]["operators"]) == (True, [], 2)


@pytest.mark.req("IVR-2", "ADM-1")
def test_every_mistake_of_a_plan_on_a_line_of_its_own(daihyo: Daihyo, file: Path) -> None:
    file.write_text(FIRST.replace("queue: main", "queue: mian").replace("language:", "langage:"))
    assert daihyo("plan", "check", file)[0] == 1
    lines = daihyo.out.splitlines()
    assert len(lines) == 2  # both numbers
    assert all(line.startswith(f"{file}:") and "mian" in line for line in lines)
    assert daihyo("plan", "check", file, "--json")[0] == 1
    told = json.loads(daihyo.out)
    assert not told["ok"]
    assert {"file", "line", "path", "message", "hint", "message_en", "hint_en"} <= set(told["problems"][0])
    assert told["problems"][0]["line"] > 1


def test_a_plan_that_cannot_be_read(daihyo: Daihyo, tmp_path: Path) -> None:
    for path, content in ((tmp_path / "none.yaml", None), (tmp_path / "latin.yaml", b"city: \xe9\n")):
        if content is not None:
            path.write_bytes(content)
        assert daihyo("plan", "check", path)[0] == 1
        assert str(path) in daihyo.out
        code, said = daihyo("plan", "hear", "--number", "0246221111", "--site", path)
        assert code == 2
        assert str(path) in said


@pytest.mark.req("HRS-4", "IVR-1")
def test_what_a_caller_hears(daihyo: Daihyo, file: Path) -> None:
    words = ("--number", "0246-22-1111", "--at", "2027-01-01 10:00", "--site", file)
    assert daihyo("plan", "hear", *words) == (0, "")
    assert [line.split()[-1] for line in daihyo.out.splitlines()[1:3]] == ["みなと市です。", "録音します。"]
    assert "queue:main" in daihyo.out.splitlines()[-1]
    assert daihyo("plan", "hear", *words, "--json") == (0, "")
    told = json.loads(daihyo.out)
    assert [line["text"] for line in told["lines"]] == ["みなと市です。", "録音します。"]
    assert (told["target"], told["open"], told["at"]) == ("queue:main", True, "2027-01-01T10:00:00+09:00")


@pytest.mark.req("HRS-1")
def test_a_year_of_a_number(daihyo: Daihyo) -> None:
    site = dialplans.load_site(MINATO)
    number = next(one for one in site.numbers if one.hours is not None)
    words = ("plan", "year", "--number", number.number, "--year", "2027", "--site", MINATO)
    assert daihyo(*words) == (0, "")
    months = daihyo.out.splitlines()[1:13]
    assert [len(line) - 5 for line in months] == [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    assert months[0][5] != "o"  # New Year's Day
    assert "2027-01-01" in daihyo.out
    assert daihyo(*words, "--json") == (0, "")
    days = {one["date"]: one for one in json.loads(daihyo.out)["days"]}
    assert len(days) == 365
    assert days["2027-01-01"]["open"] == []
    assert days["2027-01-01"]["name"]


def test_a_number_without_hours_is_always_open(daihyo: Daihyo, file: Path) -> None:
    assert daihyo("plan", "year", "--number", "0246-22-1111", "--site", file) == (0, "")
    assert "always open" in daihyo.out


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("hear", "--number", "1"), "there are: 0246-22-1111 0246-22-1200"),
        (("hear", "--number", "0246221111", "--keys", "x"), "--keys x"),
        (("hear", "--number", "0246221111", "--at", "tomorrow"), "--at tomorrow"),
        (("hear", "--number", "0246221111", "--at", "2027-01-01"), "--at 2027-01-01"),
        (("hear", "--number", "0246221111", "--at", "2027-02-30 10:00"), "--at 2027-02-30 10:00"),
        (("year", "--number", "1"), "there are: 0246-22-1111 0246-22-1200"),
        (("year", "--number", "0246221111", "--year", "0"), "--year"),
        (("hear",), "--number"),
    ],
)
def test_wrong_questions(daihyo: Daihyo, file: Path, arguments: tuple[str, ...], word: str) -> None:
    code, said = daihyo("plan", *arguments, "--site", file)
    assert code == 2
    assert word in said
    assert len(said.strip().splitlines()) == 1


def test_one_source_and_not_two(daihyo: Daihyo, file: Path, state: StateDir) -> None:
    for words in ((), ("--site", file, "--state", state.path)):
        code, said = daihyo("plan", "hear", "--number", "0246221111", *words)
        assert code == 2
        assert "either --site FILE or --state DIR" in said


@pytest.mark.req("ADM-1")
def test_the_versions_of_a_centre_can_be_looked_at_while_it_does_not_run(
    daihyo: Daihyo, state: StateDir, tmp_path: Path
) -> None:
    at = ("--state", state.path)
    assert daihyo("plan", "list", *at) == (0, "")
    lines = daihyo.out.splitlines()
    assert [line.split()[:2] for line in lines] == [["*", "2"], ["1", lines[1].split()[1]]]
    assert "sv01の版" in lines[0]
    assert daihyo("plan", "list", "--json", *at) == (0, "")
    assert [(one["version"], one["author"], one["live"]) for one in json.loads(daihyo.out)] == [
        (2, "sv01", True),
        (1, "file", False),
    ]
    assert daihyo("plan", "show", "2", "--json", *at) == (0, "")
    told = json.loads(daihyo.out)
    assert (told["live"], told["author"], [one["state"] for one in told["activations"]]) == (
        True,
        "sv01",
        ["live"],
    )
    assert daihyo("plan", "show", "1", *at) == (0, "")
    assert "fileの版" in daihyo.out
    assert daihyo("plan", "diff", "1", *at) == (0, "")
    assert daihyo.out.startswith("--- 1.yaml\n+++ 2.yaml\n")
    assert any(line.startswith("+") and "1003" in line for line in daihyo.out.splitlines())
    assert daihyo("plan", "diff", "2", "2", *at) == (0, "")
    assert "no difference" in daihyo.out
    assert daihyo("plan", "hear", "--number", "0246-22-1200", "--at", "2027-01-01 10:00", *at) == (0, "")
    assert "ごみ相談" in daihyo.out


@pytest.mark.req("ADM-1")
def test_export_gives_the_same_bytes_back(daihyo: Daihyo, state: StateDir, tmp_path: Path) -> None:
    for number, text in ((("1",), FIRST), ((), SECOND)):
        assert (
            daihyo("plan", "export", *number, "--output", tmp_path / "out.yaml", "--state", state.path)[0]
            == 0
        )
        assert (tmp_path / "out.yaml").read_bytes() == text.encode()
        assert daihyo("plan", "export", *number, "--state", state.path) == (0, "")
        assert daihyo.out == text


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("plan", "show", "9"), "there is no version 9; the newest is 2"),
        (("plan", "show", "0"), "0"),
        (("plan", "show", "one"), "one"),
        (("plan", "export", "9"), "there is no version 9"),
        (("plan", "export", "--output", "/no/such/folder/x.yaml"), "--output /no/such/folder/x.yaml"),
        (("plan", "diff", "1", "9"), "there is no version 9"),
        (("plan", "activate", "9"), "there is no version 9"),
        (("plan", "activate", "1"), "the call engine is away"),
        (("plan", "undo"), "the call engine is away"),
        (("opening", "shut"), "open, closed, extended or clear"),
        (("opening", "closed"), "--until TIME and --reason TEXT must be given"),
        (("opening", "closed", "--until", "17:30", "--reason", " "), "must be given"),
        (("opening", "closed", "--until", "soon", "--reason", "x"), "--until soon"),
        (("opening", "clear", "--numbers", "1"), "--numbers 1"),
        (("opening", "clear"), "the call engine is away"),
        (("notice", "up", "flood"), "on or off"),
        (("notice", "on", "flood"), "there is no notice flood; there are: –"),
    ],
)
def test_commands_that_cannot_be_done(
    daihyo: Daihyo, state: StateDir, arguments: tuple[str, ...], word: str
) -> None:
    code, said = daihyo(*arguments, "--state", state.path)
    assert code == 2
    assert word in said
    assert len(said.strip().splitlines()) == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("plan", "list"),
        ("plan", "show", "1"),
        ("plan", "export"),
        ("plan", "diff", "1"),
        ("plan", "activate", "1"),
        ("plan", "undo"),
        ("plan", "hear", "--number", "1"),
        ("plan", "year", "--number", "1"),
        ("opening", "clear"),
        ("notice", "off", "x"),
    ],
)
def test_asking_a_centre_that_never_ran(daihyo: Daihyo, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    code, said = daihyo(*arguments, "--state", tmp_path / "nothing")
    assert code == 2
    assert str(tmp_path / "nothing") in said
    assert len(said.strip().splitlines()) == 1


def test_a_wrong_practice_time_is_named(daihyo: Daihyo, file: Path, tmp_path: Path) -> None:
    code, said = daihyo("up", "--site", file, "--state", tmp_path / "s", "--practice-time", "New Year")
    assert code == 2
    assert "--practice-time New Year" in said


def test_moments_are_read_in_the_sites_zone() -> None:
    noon = datetime(2027, 1, 1, 12, tzinfo=TOKYO)
    for text in ("2027-01-01 12:00", "2027-01-01T12:00:00", "2027-01-01T03:00:00Z", " 2027-01-01 12:00 "):
        assert moment(text, TOKYO, "--at") == noon
    assert moment("17:30", TOKYO, "--until", today=noon) == noon + timedelta(hours=5, minutes=30)
    for text in ("", "17:30", "2027-01-01", "noon"):
        with pytest.raises(UserError, match="--at"):
            moment(text, TOKYO, "--at")
