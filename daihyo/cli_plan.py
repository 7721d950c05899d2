"""`daihyo plan …`: check, hear, look at the year; versions, their difference, going live, undo."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import click

from daihyo.cli_parts import StateType, json_option, state_option
from daihyo.settings import StateDir, UserError

_file = click.argument("file", type=click.Path(path_type=Path))
_number = click.option("--number", required=True, help="代表番号 / the number that is called")
_from_file = click.option(
    "--site", "file", type=click.Path(path_type=Path), help="サイトの設定 (YAML) / a site's file"
)
_from_state = click.option("--state", type=StateType(), help="動作中のもの / a centre's live plan")
_version = click.IntRange(1)


@click.group()
def plan() -> None:
    """番号・時間・メニュー・案内 / the plan: numbers, hours, menus, announcements and its versions."""


@plan.command()
@_file
@json_option
def check(file: Path, as_json: bool) -> None:
    """まちがいをすべて、行番号つきで / every mistake with its line; exit code 1 when there is one."""
    from daihyo import plan_views

    ok, text = plan_views.check(file, as_json)
    click.echo(text)
    raise SystemExit(0 if ok else 1)


@plan.command()
@_number
@click.option("--at", "when", metavar="TIME", help="'2027-01-01 10:00' (既定 / default: 今 now)")
@click.option("--keys", default="", help="押すボタン。1,2 のように / keys pressed, like 1,2 (- : none)")
@click.option("--withheld", is_flag=True, help="非通知 / the caller withholds the number")
@_from_file
@_from_state
@json_option
def hear(
    number: str,
    when: str | None,
    keys: str,
    withheld: bool,
    file: Path | None,
    state: StateDir | None,
    as_json: bool,
) -> None:
    """何が聞こえるか / what a caller hears then, and where the call ends."""
    from daihyo import plan_views

    asked = plan_views.Asked(number, when, keys, withheld)
    click.echo(asyncio.run(plan_views.hear(_one_source(file, state), asked, as_json)))


@plan.command()
@_number
@click.option("--year", type=click.IntRange(1970, 2999), help="西暦 / default: this year")
@_from_file
@_from_state
@json_option
def year(number: str, year: int | None, file: Path | None, state: StateDir | None, as_json: bool) -> None:
    """一年の受付日 / which days of a year are open, closed, special."""
    from daihyo import plan_views

    click.echo(plan_views.year(_one_source(file, state), number, year, as_json))


def _one_source(file: Path | None, state: StateDir | None) -> Path | StateDir:
    if file is not None and state is None:
        return file
    if state is not None and file is None:
        return state
    raise UserError("--site FILE か --state DIR のどちらかを / give either --site FILE or --state DIR")


@plan.command("list")
@state_option
@click.option("--limit", type=click.IntRange(1, 100000), default=30, show_default=True)
@json_option
def list_(state: StateDir, limit: int, as_json: bool) -> None:
    """版の一覧 / the versions, the newest first."""
    from daihyo import plan_versions

    click.echo(asyncio.run(plan_versions.listed(state, limit, as_json)))


@plan.command()
@click.argument("version", type=_version)
@state_option
@json_option
def show(version: int, state: StateDir, as_json: bool) -> None:
    """ひとつの版 / a version: who made it, when, why, and what became of it."""
    from daihyo import plan_versions

    click.echo(asyncio.run(plan_versions.show(state, version, as_json)))


@plan.command()
@click.argument("version", type=_version, required=False)
@state_option
@click.option("--output", type=click.Path(path_type=Path), help="書き出すファイル / FILE to write")
def export(version: int | None, state: StateDir, output: Path | None) -> None:
    """版の YAML をそのまま / the YAML of a version as it is (default: the live one)."""
    from daihyo import plan_versions

    text = asyncio.run(plan_versions.export(state, version))
    if output is None:
        click.echo(text.encode(), nl=False)
        return
    try:
        output.write_bytes(text.encode())
    except OSError as error:
        raise UserError(f"--output {output}: 書けません / cannot be written: {error.strerror}") from None


@plan.command()
@click.argument("old", type=_version)
@click.argument("new", type=_version, required=False)
@state_option
def diff(old: int, new: int | None, state: StateDir) -> None:
    """ふたつの版の違い / what changed between two versions (default: OLD and the live one)."""
    from daihyo import plan_versions

    click.echo(asyncio.run(plan_versions.diff(state, old, new)))


@plan.command()
@click.argument("version", type=_version)
@state_option
@json_option
def activate(version: int, state: StateDir, as_json: bool) -> None:
    """この版にする / makes a version the live one; the next call hears it."""
    from daihyo import plan_versions

    _told(asyncio.run(plan_versions.activate(state, version)), as_json)


@plan.command()
@state_option
@json_option
def undo(state: StateDir, as_json: bool) -> None:
    """ひとつ前の版に戻す / back to the version that was live before."""
    from daihyo import plan_versions

    _told(asyncio.run(plan_versions.undo(state)), as_json)


def _told(done: dict[str, Any], as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(done, ensure_ascii=False))
        return
    click.echo(f"版 {done['version']} を反映しました / version {done['version']} is live")
