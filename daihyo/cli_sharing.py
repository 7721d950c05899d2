"""`daihyo why CALL` and `daihyo evenness`: the proof of even distribution, on the command line."""

from __future__ import annotations

import asyncio

import click

from daihyo.cli_parts import json_option, state_option
from daihyo.settings import StateDir


@click.command()
@click.argument("call")
@state_option
@click.option("--rows", is_flag=True, help="選べた操作者の一覧も / also who else could have been chosen")
@json_option
def why(call: str, state: StateDir, rows: bool, as_json: bool) -> None:
    """なぜこの操作者に / why a call was given to whom, offer by offer."""
    from daihyo import sharing

    click.echo(asyncio.run(sharing.why_call(state, call, rows, as_json)))


@click.command()
@state_option
@click.option("--from", "start", help="日付か日時。この時刻以降の着信 / calls that arrived at or after it")
@click.option("--to", "end", help="日付か日時。この時刻より前 / and before it")
@click.option("--queue", help="待ち行列の id / one queue only")
@click.option("--by-day", is_flag=True, help="日ごとにも / each day too")
@json_option
def evenness(
    state: StateDir, start: str | None, end: str | None, queue: str | None, by_day: bool, as_json: bool
) -> None:
    """均等に分けられたか / how evenly calls were shared among the operators (default: today)."""
    from daihyo import sharing

    click.echo(asyncio.run(sharing.evenness(state, start, end, queue, by_day, as_json)))
