"""`daihyo directory …`: the city hall's directory (職員録) from the command line."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import click

from daihyo.cli_parts import state_option
from daihyo.settings import StateDir


@click.group()
def directory() -> None:
    """職員録 / the staff directory, to which calls are transferred."""


@directory.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@state_option
@click.option("--check", is_flag=True, help="確かめるだけ / tell mistakes and what would change")
def import_(file: Path, state: StateDir, check: bool) -> None:
    """CSV とまるごと入れ替える / FILE replaces the whole directory; nothing is taken of one with mistakes."""
    from daihyo import directory as work

    click.echo(asyncio.run(work.replace(state, file.name, work.read(file), check=check)))


@directory.command("export")
@click.argument("file", type=click.Path(path_type=Path))
@state_option
def export(file: Path, state: StateDir) -> None:
    """CSV に書き出す / writes the directory as CSV, ready to be imported again ('-': standard output)."""
    from daihyo import directory as work

    content, told = asyncio.run(work.export(state))
    if str(file) == "-":
        sys.stdout.buffer.write(content)
        return
    work.write(file, content)
    click.echo(told)
