"""`daihyo demo`: the fictional みなと市, with everything printed that a newcomer needs to try it."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import click

from daihyo import ports
from daihyo.nursery import Nursery
from daihyo.passwords import set_demo
from daihyo.prepare import Prepared, Wanted
from daihyo.settings import StateDir, UserError
from daihyo.up import up


async def demo(
    state: StateDir,
    listen: str,
    http_port: int | None,
    sip_port: int | None,
    rtp_ports: tuple[int, int],
    nursery: Nursery | None = None,
) -> None:
    """Runs until Ctrl-C. Ports that are not asked for are the usual ones or the next free ones."""
    ports.check_address(listen)
    http = http_port or _next_free(listen, 8080, "tcp")
    sip = sip_port or _next_free(listen, 5060, "tcp", "udp")
    site = Path(str(resources.files("dialplans"))) / "minato.yaml"
    click.echo("準備しています… / getting ready…", err=True)
    passwords: dict[str, str] = {}

    async def sign_ins(prepared: Prepared) -> None:
        passwords.update(await set_demo(state, prepared.runtime.database(state)))

    def announce(prepared: Prepared) -> None:
        click.echo(guide(state, prepared, passwords))

    wanted = Wanted(site, listen, http, sip, rtp_ports, demo=True)
    await up(state, wanted, announce, sign_ins, nursery)


def _next_free(listen: str, first: int, *kinds: str) -> int:
    for port in range(first, first + 100):
        if ports.is_free(listen, port, *kinds):
            return port
    raise UserError(
        f"ports {first} to {first + 99} on {listen} are all taken; name one: --http-port, --sip-port"
    )


def guide(state: StateDir, prepared: Prepared, passwords: dict[str, str]) -> str:
    """What is printed when the demo is ready."""
    runtime, site = prepared.runtime, prepared.site
    lines = [
        "",
        f"  {site.centre}  (Ctrl-C で終了 / ends it)",
        "",
        f"  操作者・管理者 / operators   {runtime.web}/",
        f"  市民の電話 / citizen's phone {runtime.web}/citizen",
        "",
        "  番号 / numbers",
        *(f"    {one.number:16} {one.name}" for one in site.numbers),
        "",
        "  サインイン / sign-ins",
        *(
            f"    {one.login:10} {passwords[one.login]:16} {one.name} ({one.role.value})"
            for one in site.users
        ),
        "",
        f"  電話機 / desk phone      .venv/bin/daihyo phone {site.operators[0].id} --state {state.path}",
        f"  外線として / as a trunk  sip:{site.numbers[0].digits}@{runtime.sip}",
        "  市民に電話させる / let citizens call (in another terminal)",
        f"    .venv/bin/daihyo try --calls 20 --state {state.path}",
        "",
    ]
    return "\n".join(lines)
