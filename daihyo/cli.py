"""The command line. Errors are one line on stderr, exit code 2 for what the user can mend, 1 for a fault."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
import traceback
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from daihyo import nursery
from daihyo.cli_directory import directory
from daihyo.cli_parts import PortRange, json_option, port, state_option
from daihyo.cli_plan import plan
from daihyo.cli_sharing import evenness, why
from daihyo.cli_simulate import simulate
from daihyo.cli_switches import notice, opening
from daihyo.settings import Runtime, StateDir, UserError


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="daihyo", prog_name="daihyo")
def cli() -> None:
    """Daihyo (代表): 市役所の代表電話 / answers a city hall's telephone."""


@cli.command()
@click.option(
    "--site", type=click.Path(path_type=Path), required=True, help="サイトの設定 (YAML) / the site's plan"
)
@state_option
@click.option("--listen", default="127.0.0.1", show_default=True, help="Web・SIP の待受アドレス / address")
@click.option("--http-port", type=port, default=8080, show_default=True)
@click.option("--sip-port", type=port, default=5060, show_default=True)
@click.option("--rtp-ports", type=PortRange(), default="10000-10999", show_default=True)
@click.option("--database", metavar="URL", help="postgresql://… (既定 / default: SQLite in the state folder)")
@click.option("--demo", is_flag=True, help="「市民の電話」を出す / serve the citizen's phone")
@click.option(
    "--practice-time",
    metavar="TIME",
    help="この日時のつもりで動かす(練習用)/ the plan's clock, '2027-01-01 10:00', for rehearsals",
)
@click.option("--use-file", is_flag=True, help="画面での変更より FILE を優先 / FILE, whatever is live")
def up(
    site: Path,
    state: StateDir,
    listen: str,
    http_port: int,
    sip_port: int,
    rtp_ports: tuple[int, int],
    database: str | None,
    demo: bool,
    practice_time: str | None,
    use_file: bool,
) -> None:
    """すべてを起動して見守る / start everything and look after it, until Ctrl-C or SIGTERM."""
    with nursery.loading():
        from daihyo.prepare import Prepared, Wanted
        from daihyo.up import up as run

    if http_port == sip_port:
        raise UserError(
            f"--http-port と --sip-port が同じです / --http-port and --sip-port are both {sip_port}; give two"
        )

    def announce(prepared: Prepared) -> None:
        click.echo(f"ready {json.dumps(ready_line(state, prepared.runtime), ensure_ascii=False)}")

    wanted = Wanted(site, listen, http_port, sip_port, rtp_ports, database, demo, practice_time, use_file)
    with nursery.opened() as children:
        asyncio.run(run(state, wanted, announce, nursery=children))


def ready_line(state: StateDir, runtime: Runtime) -> dict[str, Any]:
    """What `up` prints after `ready`: web address, SIP address (host:port), state folder, process ids."""
    return {"web": runtime.web, "sip": runtime.sip, "state": str(state.path), "pids": runtime.pids}


def _program(name: str, help_text: str) -> None:
    @cli.command(name, help=help_text)
    @state_option
    def program(state: StateDir) -> None:
        from daihyo import programs

        raise SystemExit(programs.run(name, state))


_program("engine", "通話エンジンだけを動かす / run the call engine alone (after `up` has prepared DIR).")
_program("console", "画面と API だけを動かす / run the console alone.")
_program("worker", "裏方だけを動かす / run the worker alone.")


@cli.command()
@state_option
def stop(state: StateDir) -> None:
    """停止する。残った Asterisk も / stop the centre, and an Asterisk left over from a killed `up`."""
    from daihyo.stopping import stop as run

    click.echo(asyncio.run(run(state)))


@cli.command()
@state_option
@json_option
def status(state: StateDir, as_json: bool) -> None:
    """動作状況 / what runs, and how the engine is."""
    from daihyo.status import status as look

    found = asyncio.run(look(state))
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False))
    else:
        for name, text in found["lines"]:
            click.echo(f"{name:10} {text}")
    raise SystemExit(0 if found["well"] else 1)


@cli.command()
@click.argument("operator")
@state_option
@json_option
def phone(operator: str, state: StateDir, as_json: bool) -> None:
    """電話機に入れる値 / what to type into an operator's desk phone."""
    from asterisk_conf import Secrets
    from daihyo.plans import live_site

    runtime, site = Runtime.load(state), live_site(state)
    found = next((one for one in site.operators if one.id == operator), None)
    if found is None:
        known = " ".join(one.id for one in site.operators)
        raise UserError(f"操作者 {operator} はいません / there is no operator {operator}; there are: {known}")
    secret = Secrets.load_or_create(state.secrets, site).sip[operator]
    data = {
        "user": operator,
        "secret": secret,
        "registrar": runtime.reachable_host,
        "port": runtime.sip_port,
        "transports": ["udp", "tcp"],
        "name": found.name,
    }
    if as_json:
        click.echo(json.dumps(data, ensure_ascii=False))
        return
    for label, value in (
        ("ユーザー名 / user", operator),
        ("パスワード / password", secret),
        ("サーバー / registrar", f"{runtime.reachable_host}:{runtime.sip_port} (UDP, TCP)"),
        ("表示名 / name", found.name),
    ):
        click.echo(f"{label}: {value}")


@cli.command()
@click.argument("operator")
@click.argument("wanted", metavar="ready|break|training|off")
@state_option
@click.option("--reason", default="", help="離席理由 / reason of a break")
def operator(operator: str, wanted: str, state: StateDir, reason: str) -> None:
    """操作者の状態を変える / set an operator's state."""
    from daihyo.control import ask_or_explain

    if wanted not in ("ready", "break", "training", "off"):
        raise UserError(f"状態「{wanted}」はありません / no state '{wanted}': ready, break, training or off")
    now = asyncio.run(
        ask_or_explain(
            state.control_socket, "operator.state", operator=operator, state=wanted, reason=reason, by="cli"
        )
    )
    after = f" → {now['next_state']}" if now.get("next_state") else ""
    click.echo(f"{operator} {now.get('state')}{after}")


@cli.command()
@state_option
@click.option("--from", "start", help="日付か日時。この時刻以降の着信 / calls that arrived at or after it")
@click.option("--to", "end", help="日付か日時。この時刻より前 / and before it")
@click.option("--number", help="代表番号 / one number only")
@json_option
def kpi(state: StateDir, start: str | None, end: str | None, number: str | None, as_json: bool) -> None:
    """応答率・平均応答時間・即応率 / the three figures of any span (default: today)."""
    from daihyo import figures

    click.echo(asyncio.run(figures.kpi(state, start, end, number, as_json)))


@cli.command()
@state_option
@click.option("--from", "start", help="日付か日時 / date, or date and time (default: today)")
@click.option("--to", "end", help="日付か日時。この時刻より前 / before it")
@click.option("--number", help="代表番号 / one number only")
@click.option("--limit", type=click.IntRange(1, 100000), default=1000, show_default=True)
@json_option
def calls(
    state: StateDir, start: str | None, end: str | None, number: str | None, limit: int, as_json: bool
) -> None:
    """通話の記録 / the call records, the latest first; with --json one array."""
    from daihyo import figures

    click.echo(asyncio.run(figures.calls(state, start, end, number, limit, as_json)))


@cli.group()
def user() -> None:
    """利用者 / people who sign in."""


@user.command("password")
@click.argument("login")
@state_option
@click.option("--generate", is_flag=True, help="自動で作って表示 / make one up and print it")
def user_password(login: str, state: StateDir, generate: bool) -> None:
    """パスワードを設定する(標準入力からも可)/ set a password (asked for, or read from a pipe)."""
    from daihyo import passwords

    if generate:
        password = passwords.generate()
    elif sys.stdin.isatty():
        password = click.prompt("パスワード / password", hide_input=True, confirmation_prompt=True)
    else:
        password = sys.stdin.readline().rstrip("\r\n")
    asyncio.run(passwords.set_one(state, login, password))
    click.echo(password if generate else f"{login}: 設定しました / set")


@cli.group()
def site() -> None:
    """サイトの設定 / a site's plan."""


@site.command("apply")
@click.argument("file", type=click.Path(path_type=Path))
@state_option
def site_apply(file: Path, state: StateDir) -> None:
    """動作中のセンターに反映する / makes FILE the plan of the running centre; calls do not notice."""
    from daihyo.apply import apply

    wish, applied = asyncio.run(apply(state, file))
    click.echo(
        f"反映しました(版 {wish.version})/ applied as version {wish.version}: "
        f"{len(applied.numbers)} numbers, {len(applied.operators)} operators"
    )


@site.command("check")
@click.argument("file", type=click.Path(path_type=Path))
def site_check(file: Path) -> None:
    """まちがいをすべて、行番号つきで / every mistake, with its line."""
    from daihyo.plans import read_file, today

    _, found = read_file(file, today())
    click.echo(
        f"{file}: 問題ありません / in order: {found.centre}, {len(found.numbers)} numbers, "
        f"{len(found.queues)} queues, {len(found.operators)} operators"
    )


@cli.command()
@state_option
@click.option("--listen", default="127.0.0.1", show_default=True)
@click.option("--http-port", type=port, help="既定 / default: 8080 or the next free one")
@click.option("--sip-port", type=port, help="既定 / default: 5060 or the next free one")
@click.option("--rtp-ports", type=PortRange(), default="10000-10999", show_default=True)
def demo(
    state: StateDir, listen: str, http_port: int | None, sip_port: int | None, rtp_ports: tuple[int, int]
) -> None:
    """架空のみなと市を動かす / run the fictional みなと市, with sign-ins to try it."""
    with nursery.loading():
        from daihyo.demo import demo as run

    with nursery.opened() as children:
        asyncio.run(run(state, listen, http_port, sip_port, rtp_ports, children))


@cli.command("try")
@state_option
@click.option("--calls", "count", type=click.IntRange(1, 10000), default=20, show_default=True)
@click.option("--at-once", type=click.IntRange(1, 500), default=6, show_default=True, help="同時に / at once")
@click.option(
    "--operators",
    type=click.IntRange(0, 1000),
    help="卓上電話で応対する操作者の数 / how many operators to play (default: those who are off)",
)
@click.option("--talk", type=click.FloatRange(1, 600), default=8.0, show_default=True, help="秒 / seconds")
@click.option("--number", help="かける番号 / the number to call (default: all in turn)")
@json_option
def try_(
    state: StateDir,
    count: int,
    at_once: int,
    operators: int | None,
    talk: float,
    number: str | None,
    as_json: bool,
) -> None:
    """市民が電話をかけてくる / citizens call and speak, so that board and figures fill up."""
    from daihyo import trying

    plan = trying.Plan(count, at_once, operators, talk, number)
    summary = asyncio.run(trying.run(state, plan, quiet=as_json))
    click.echo(json.dumps(summary.to_json(), ensure_ascii=False) if as_json else summary.text())


for _group in (plan, directory, opening, notice, why, evenness, simulate):
    cli.add_command(_group)


def main() -> int:
    """Runs a command; whatever happens, the user sees lines, not a traceback."""
    try:
        result = cli.main(standalone_mode=False, prog_name="daihyo")
    except (UserError, click.ClickException) as error:
        text = error.format_message() if isinstance(error, click.ClickException) else str(error)
        if isinstance(error, click.MissingParameter) and error.param is not None:
            named = error.param.opts[0]
            text = f"{named} を指定してください / {named} must be given"
        click.echo(f"daihyo: {text}" if "\n" not in text else text, err=True)
        return 2
    except (click.Abort, KeyboardInterrupt):
        click.echo("中止しました / stopped", err=True)
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        if type(error).__name__ in _ONE_LINE:
            click.echo(f"daihyo: {error}", err=True)
            return 2
        click.echo(
            f"daihyo: 内部エラー / a fault: {type(error).__name__}: {error} (→ {_keep(error)})", err=True
        )
        return 1
    return result if isinstance(result, int) else 0


# Errors of other rooms whose text is written for the user; named, since importing every room would cost a
# second.
_ONE_LINE = frozenset(
    {
        "AsteriskFailed",
        "AsteriskMissing",
        "ConfigurationError",
        "ConsoleError",
        "SiteError",
        "SpanError",
        "SpeechError",
        "StoreUnavailable",
    }
)


def _keep(error: Exception) -> Path:
    """Writes the traceback where a person can find it; the path."""
    folder = Path.home() / ".cache" / "daihyo"
    for word, following in zip(sys.argv, sys.argv[1:], strict=False):
        if word == "--state" and StateDir(Path(following)).log.is_dir():
            folder = StateDir(Path(following)).log
    path = folder / "faults.log"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with path.open("a") as file:
            file.write(f"── {datetime.now(UTC).isoformat()} {sys.argv[1:2]}\n")
            file.write("".join(traceback.format_exception(error)))
    except OSError:
        logging.getLogger("daihyo").exception("fault")
    return path
