"""`daihyo opening …` and `daihyo notice …`: a supervisor's switches, from the command line."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import click

from daihyo.cli_parts import state_option
from daihyo.settings import Runtime, StateDir, UserError

_by = click.option("--by", help="切り替える人 / who switches (default: the user of this machine)")


@click.command()
@click.argument("wanted", metavar="open|closed|extended|clear")
@state_option
@click.option("--until", metavar="TIME", help="'2027-01-01 10:00' か '17:30'。元に戻る時刻 / back then")
@click.option("--reason", help="理由 / why")
@click.option("--numbers", help="0246-22-1111,… (既定 / default: すべて all)")
@_by
def opening(
    wanted: str, state: StateDir, until: str | None, reason: str | None, numbers: str | None, by: str | None
) -> None:
    """受付を開ける・閉める・延長する / opens, closes or extends the centre for a time."""
    if wanted not in ("open", "closed", "extended", "clear"):
        raise UserError(f"「{wanted}」はありません / no '{wanted}': open, closed, extended or clear")
    if wanted != "clear" and not (until and reason and reason.strip()):
        raise UserError("--until と --reason が要ります / --until TIME and --reason TEXT must be given")
    click.echo(asyncio.run(_opening(state, wanted, until, reason, numbers, by)))


async def _opening(
    state: StateDir, wanted: str, until: str | None, reason: str | None, numbers: str | None, by: str | None
) -> str:
    from daihyo.apply import myself
    from daihyo.moments import moment
    from daihyo.plans import live_site
    from ivr import number_of

    site = live_site(state)
    digits = []
    for written in (numbers or "").replace(",", " ").split():
        try:
            digits.append(number_of(site, written).digits)
        except KeyError:
            known = " ".join(one.number for one in site.numbers)
            raise UserError(
                f"--numbers {written}: この番号はありません / no such number; there are: {known}"
            ) from None
    who = by or myself()
    named = numbers or "すべての番号 / all numbers"
    if wanted == "clear":
        await _ask(state, "opening.clear", numbers=digits, by=who)
        return f"{named}: 通常に戻しました / back to the hours of the plan"
    now = Runtime.load(state).practice_now() or datetime.now(UTC)
    end = moment(until or "", site.zone, "--until", today=now)
    iso = end.astimezone(UTC).isoformat().replace("+00:00", "Z")
    await _ask(state, "opening.set", numbers=digits, mode=wanted, until=iso, reason=reason, by=who)
    return f"{named}: {wanted}, {end:%Y-%m-%d %H:%M} まで / until then"


@click.command()
@click.argument("wanted", metavar="on|off")
@click.argument("notice")
@state_option
@_by
def notice(wanted: str, notice: str, state: StateDir, by: str | None) -> None:
    """緊急案内を出す・止める / puts an emergency notice in front of everything, or takes it away."""
    if wanted not in ("on", "off"):
        raise UserError(f"「{wanted}」はありません / no '{wanted}': on or off")
    click.echo(asyncio.run(_notice(state, wanted == "on", notice, by)))


async def _notice(state: StateDir, on: bool, id: str, by: str | None) -> str:
    from daihyo.apply import myself
    from daihyo.plans import live_site

    known = {one.id: one for one in live_site(state).notices}
    if id not in known:
        raise UserError(
            f"緊急案内 {id} はありません / there is no notice {id}; there are: {' '.join(known) or '–'}"
        )
    done = await _ask(state, "notice.set" if on else "notice.clear", notice=id, by=by or myself())
    if not on:
        return f"{known[id].name}: 止めました / off"
    if done.get("state") == "asked":
        return f"{known[id].name}: もうひとりの確認を待っています / waits for a second person (--by)"
    return f"{known[id].name}: 出しました / on"


async def _ask(state: StateDir, do: str, **fields: Any) -> dict[str, Any]:
    from daihyo.control import ask_or_explain

    return await ask_or_explain(state.control_socket, do, **fields)
