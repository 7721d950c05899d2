"""`daihyo directory import` and `export`."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import select

import desk
from daihyo.plans import write, write_live
from daihyo.settings import Runtime, StateDir
from dialplans import parse_site
from store import AccessEntry, Store
from tests.unit.daihyo.command_line import Daihyo
from tests.unit.daihyo.plan_folder import text_of


@pytest.fixture
def state(tmp_path: Path) -> StateDir:
    """A centre that is not running, with an empty directory."""
    made = StateDir(tmp_path / "s")
    made.create()
    Runtime("/site.yaml", "127.0.0.1", 8080, 5060, (10000, 10999), 8088, 5038).save(made)
    write(made, 1, text_of(), parse_site(text_of()))
    write_live(made, 1)
    return made


async def stored(state: StateDir) -> tuple[list[str], list[tuple[str, str | None]]]:
    async with await Store.open(state.sqlite_url) as store:
        hall = await desk.Directory.load(store)
        async with store.reading() as session:
            rows = await session.execute(select(AccessEntry.action, AccessEntry.detail))
            return [entry.extension for entry in hall.entries], [(row[0], row[1]) for row in rows]


@pytest.mark.req("XFR-2", "SEC-2")
def test_in_and_out_again(daihyo: Daihyo, state: StateDir, tmp_path: Path) -> None:
    file, out = tmp_path / "in.csv", tmp_path / "out.csv"
    file.write_text("部署,内線,よみ\n環境課,2310,かんきょうか\n市民課,2401,しみんか\n", encoding="cp932")
    assert daihyo("directory", "import", file, "--state", state.path, "--check") == (0, "")
    assert "追加 2 件" in daihyo.out
    assert asyncio.run(stored(state)) == ([], [])
    assert daihyo("directory", "import", file, "--state", state.path) == (0, "")
    assert "2 added, 0 changed, 0 removed, 0 unchanged" in daihyo.out
    assert asyncio.run(stored(state)) == (["2310", "2401"], [("directory_import", "in.csv: 2")])
    assert daihyo("directory", "export", out, "--state", state.path) == (0, "")
    assert daihyo("directory", "import", out, "--state", state.path) == (0, "")
    assert "2 unchanged" in daihyo.out


@pytest.mark.req("XFR-2")
def test_mistakes_are_told_with_file_and_row(daihyo: Daihyo, state: StateDir, tmp_path: Path) -> None:
    file = tmp_path / "in.csv"
    file.write_text("部署,内線\n環境課,2310\n,x\n", encoding="utf-8")
    code, said = daihyo("directory", "import", file, "--state", state.path)
    assert code == 2
    assert f"{file}:3: 部署: 部署が空です → 部署の名前を書いてください" in said
    assert f"{file}:3: 内線: 「x」は内線番号ではありません" in said
    assert asyncio.run(stored(state)) == ([], [])
    code, said = daihyo("directory", "import", tmp_path / "none.csv", "--state", state.path)
    assert (code, "No such file" in said) == (2, True)
