"""`daihyo simulate`: how many operators, and when; tried out on the distributor of real calls."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from daihyo.cli_parts import StateType, json_option
from daihyo.settings import StateDir

_file = click.Path(path_type=Path)
_share = click.FloatRange(0, 0.99)


@click.command()
@click.option(
    "--site", type=_file, help="サイトの設定 (YAML) / the site's plan (default: the live one of --state)"
)
@click.option("--state", type=StateType(), help="自分の記録から / from the own history, of --from to --to")
@click.option("--calls", type=_file, help="呼の一覧 (CSV, JSON) / a file of calls, as `daihyo calls --json`")
@click.option("--rate", type=click.FloatRange(0, 100_000), help="1時間あたりの件数 / calls an hour")
@click.option("--from", "start", help="--state: 日付 / first date (default: 28 days ago)")
@click.option("--to", "end", help="--state: 日付。その前まで / and before it (default: today)")
@click.option("--replay", is_flag=True, help="--state: その呼をそのまま / the very calls, not days like them")
@click.option("--operators", type=click.IntRange(0, 5000), help="受付中の操作者の数 / operators at any time")
@click.option("--shifts", type=_file, help="勤務 (CSV) / who is there when (docs/staffing.md)")
@click.option("--plus", multiple=True, metavar="10:00-12:00:+1", help="くらべる / with so many more or fewer")
@click.option("--hours", default="9:00-17:00", show_default=True, help="--rate: 着信の時間 / when they call")
@click.option("--queue", help="--rate: 待ち行列の id (既定 / default: the site's first)")
@click.option(
    "--days", type=click.IntRange(1, 3660), help="日数 / days (default: for 15,000 calls, of a history 28)"
)
@click.option("--first", metavar="DATE", help="最初の日 / the first day (default: 2027-04-05, a Monday)")
@click.option("--talk", type=click.FloatRange(1, 36_000), help="平均通話 秒 / mean talk, s")
@click.option("--wrap-up", type=click.FloatRange(0, 36_000), help="平均後処理 秒 / mean wrap-up, s")
@click.option("--patience", type=click.FloatRange(1, 1_000_000), help="待てる平均 秒 / mean patience, s")
@click.option("--greeting", type=click.FloatRange(0, 600), help="あいさつ 秒 / greeting before the queue, s")
@click.option(
    "--pick-up", type=click.FloatRange(0, 60), default=3, show_default=True, help="応答まで 秒 / ring, s"
)
@click.option("--refuses", type=_share, default=0, help="断る割合 / share of offers refused")
@click.option("--misses", type=_share, default=0, help="出ない割合 / share of offers that ring in vain")
@click.option(
    "--growth", type=click.FloatRange(0.01, 100), default=1, help="--state: 件数の倍率 / times the calls"
)
@click.option("--seed", type=click.IntRange(0, 2**31), default=1, show_default=True, help="乱数の種 / seed")
@json_option
def simulate(
    site: Path | None,
    state: StateDir | None,
    calls: Path | None,
    rate: float | None,
    start: str | None,
    end: str | None,
    replay: bool,
    operators: int | None,
    shifts: Path | None,
    plus: tuple[str, ...],
    hours: str,
    queue: str | None,
    days: int | None,
    first: str | None,
    talk: float | None,
    wrap_up: float | None,
    patience: float | None,
    greeting: float | None,
    pick_up: float,
    refuses: float,
    misses: float,
    growth: float,
    seed: int,
    as_json: bool,
) -> None:
    """人数の試算 / tries out a day or a year of calls, with Erlang C and A beside it.

    \b
    daihyo simulate --site site.yaml --rate 60 --operators 7 --plus 10:00-12:00:+1
    daihyo simulate --state DIR --operators 6          (days like those of the own history)
    daihyo simulate --site site.yaml --calls calls.csv --shifts shifts.csv
    """
    from daihyo import simulating

    source = simulating.Source(
        site, state, calls, rate, start, end, replay, hours, queue, days, first, growth
    )
    people = simulating.People(operators, shifts, talk, wrap_up, patience, greeting, pick_up, refuses, misses)
    click.echo(asyncio.run(simulating.run(source, people, plus, seed, as_json)), nl=as_json)
