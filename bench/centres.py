"""The centres that are compared: ours, as `daihyo up` starts it, and plain dialplans on the same Asterisk.

The peers run our own rendered configuration (same SIP, RTP, logging, prompts and music) with a dialplan of
their own; ARI is not loaded there. `app_queue` answers, greets, arms MixMonitor and enters Queue(); the queue
is `leastrecent` unless another strategy is asked for, with the quickest settings app_queue has; CDRs go to
CSV. `playback` answers and greets.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from asterisk_conf import AsteriskSettings, Secrets, render
from bench.report import machine
from bench.sip_message import Address
from daihyo.control import ask
from daihyo.settings import StateDir
from dialplans import Site, load_site
from ivr import music, prepare
from switch.install import find_asterisk
from switch.process import AsteriskFiles, AsteriskProcess, sip_answers

ROOT = Path(__file__).parents[1]
NUMBER = "0246221111"
_READY_S = 90.0


class BenchFailed(Exception):
    """A centre did not start or did not do its work; the message says which, and how busy the machine was."""

    def __init__(self, message: str) -> None:
        super().__init__(f"{message} ({machine()}; run it again on a quiet machine)")


@dataclass(slots=True)
class Centre:
    """A running centre. `secrets`: SIP secret by operator id; `pids` by program, always with `asterisk`;
    `open()` makes every operator ready (or those named), once their phones are registered."""

    name: str
    sip: Address
    secrets: dict[str, str]
    pids: dict[str, int]
    open: Callable[..., Awaitable[None]]
    number: str = NUMBER
    notes: list[str] = field(default_factory=list)


def write_site(path: Path, operators: int, plan: bool = False, strategy: str = "longest_idle") -> Path:
    """A site with one number, one queue without wrap-up, and so many operators from 1001 up. With `plan` the
    number has hours, a calendar and a menu behind its greeting."""
    site: dict[str, Any] = {
        "city": "みなと市",
        "centre": "みなと市コールセンター",
        "id": "minato",
        "numbers": [
            {
                "number": "0246-22-1111",
                "name": "市代表",
                "queue": "main",
                "greeting": "みなと市です。",
                "recording_notice": "録音します。",
            }
        ],
        "queues": [
            {
                "id": "main",
                "name": "総合案内",
                "ring_timeout_s": 15,
                "wrap_up_s": 0,
                "strategy": strategy,
                "waiting_announcement": "お待ちください。",
                "waiting_announcement_every_s": 30,
            }
        ],
        "operators": [
            {"id": str(1001 + each), "name": f"操作者{each + 1:02}", "queues": ["main"]}
            for each in range(operators)
        ],
        "users": [{"login": "sv01", "name": "監督", "role": "supervisor"}],
        "trunks": [{"id": "bench", "addresses": ["127.0.0.0/8"], "max_channels": 400}],
    }
    if plan:
        site |= _PLAN
        site["numbers"] = [
            {**{key: value for key, value in each.items() if key != "queue"}, **_NUMBERS_PLAN}
            for each in site["numbers"]
        ]
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as file:
        YAML().dump(site, file)
    return path


_NUMBERS_PLAN = {"start": "top", "hours": "always", "closed": "night"}
_PLAN: dict[str, Any] = {
    "calendars": [{"id": "city", "name": "市の暦", "holidays": "japan"}],
    "hours": [
        {
            "id": "always",
            "name": "終日",
            "calendar": "city",
            "week": {"mon-sun": ["0:00-24:00"]},
            "holiday": ["0:00-24:00"],
        }
    ],
    "steps": [
        {
            "id": "top",
            "kind": "menu",
            "say": "くらしのことは1を、そのほかは2を押してください。",
            "keys": {
                "1": {"go": "queue:main", "label": "くらし"},
                "2": {"go": "queue:main", "label": "そのほか"},
            },
            "otherwise": "queue:main",
        },
        {"id": "night", "kind": "say", "say": "本日の受付は終了しました。"},
    ],
}


def free_ports(count: int) -> list[int]:
    """Ports free on loopback for TCP and UDP alike."""
    held: list[socket.socket] = []
    ports: list[int] = []
    try:
        while len(ports) < count:
            tcp, udp = socket.socket(), socket.socket(type=socket.SOCK_DGRAM)
            held += [tcp, udp]
            tcp.bind(("127.0.0.1", 0))
            with contextlib.suppress(OSError):
                udp.bind(("127.0.0.1", tcp.getsockname()[1]))
                ports.append(tcp.getsockname()[1])
    finally:
        for each in held:
            each.close()
    return ports


@contextlib.asynccontextmanager
async def ours(
    folder: Path,
    operators: int,
    rtp_ports: tuple[int, int] = (20000, 20999),
    *,
    plan: bool = False,
    strategy: str = "longest_idle",
) -> AsyncIterator[Centre]:
    """`daihyo up` on a fresh state folder; stopped in the end."""
    site_file = write_site(folder / "site.yaml", operators, plan, strategy)
    state = StateDir(folder / "state")
    http_port, sip_port = free_ports(2)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "daihyo", "up", "--site", str(site_file), "--state", str(state.path),
        "--http-port", str(http_port), "--sip-port", str(sip_port),
        "--rtp-ports", f"{rtp_ports[0]}-{rtp_ports[1]}",
        cwd=ROOT, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        ready = await asyncio.wait_for(_ready_line(process.stdout), _READY_S)
        secrets: dict[str, str] = json.loads(state.secrets.read_text())["sip"]
        ids = [str(1001 + each) for each in range(operators)]

        async def open_all(some: Collection[str] | None = None) -> None:
            wanted = set(ids if some is None else some)
            async with asyncio.timeout(30):
                while not wanted <= await _registered(state):  # noqa: ASYNC110 - another process
                    await asyncio.sleep(0.1)
            for operator in sorted(wanted):
                await ask(state.control_socket, "operator.state", operator=operator, state="ready")

        pids = {name: int(pid) for name, pid in ready["pids"].items()}
        yield Centre("ours", ("127.0.0.1", sip_port), {each: secrets[each] for each in ids}, pids, open_all)
    except TimeoutError:
        raise BenchFailed(f"daihyo up was not ready in time; its logs: {state.log}") from None
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
            try:
                await asyncio.wait_for(process.wait(), 30)
            except TimeoutError:
                process.kill()
                await process.wait()


async def _ready_line(output: asyncio.StreamReader) -> dict[str, dict[str, int]]:
    async for line in output:
        if line.startswith(b"ready "):
            ready: dict[str, dict[str, int]] = json.loads(line[6:])
            return ready
    raise BenchFailed("daihyo up ended before it was ready; what it said stands above")


async def _registered(state: StateDir) -> set[str]:
    live = await ask(state.control_socket, "live")
    live = live.get("live", live)
    return {str(each["id"]) for each in live["operators"] if each["phones"]["desk"]}


def app_queue(
    folder: Path,
    operators: int,
    rtp_ports: tuple[int, int] = (21000, 21999),
    *,
    strategy: str = "leastrecent",
) -> AbstractAsyncContextManager[Centre]:
    """app_queue on the same Asterisk; stopped in the end."""

    def make(settings: AsteriskSettings, site: Site) -> None:
        _make_app_queue(settings, site, strategy)

    return _plain("app_queue", folder, operators, rtp_ports, make)


def playback(
    folder: Path, rtp_ports: tuple[int, int] = (21000, 21999)
) -> AbstractAsyncContextManager[Centre]:
    """A dialplan that answers and plays the greeting, nothing else; stopped in the end."""
    return _plain("playback", folder, 1, rtp_ports, _make_playback)


@contextlib.asynccontextmanager
async def _plain(
    name: str,
    folder: Path,
    operators: int,
    rtp_ports: tuple[int, int],
    change: Callable[[AsteriskSettings, Site], None],
) -> AsyncIterator[Centre]:
    """Our configuration with what `change` makes of it."""
    site = load_site(write_site(folder / "site.yaml", operators))
    sip_port, ari_port, ami_port = free_ports(3)
    settings = AsteriskSettings(
        folder / "asterisk", folder / "spool", find_asterisk(),
        sip_port=sip_port, rtp_ports=rtp_ports, ari_port=ari_port, ami_port=ami_port,
    )  # fmt: skip
    secrets = Secrets.load_or_create(folder / "secrets.json", site)
    render(site, secrets, settings)
    prepare(site.prompts(), settings.sounds)
    music(settings.sounds)
    change(settings, site)
    process = AsteriskProcess(
        settings.tree, AsteriskFiles(settings.conf, settings.run, settings.log / "output.log")
    )
    pid = await process.start()
    try:
        async with asyncio.timeout(_READY_S):
            while not await sip_answers("127.0.0.1", sip_port):  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.1)
        ids = [each.id for each in site.operators]

        async def open_all(_: Collection[str] | None = None) -> None:
            """Members are in the queue from the start; phones make them available by registering."""

        yield Centre(
            name, ("127.0.0.1", sip_port), {each: secrets.sip[each] for each in ids},
            {"asterisk": pid}, open_all,
        )  # fmt: skip
    except TimeoutError:
        raise BenchFailed(f"Asterisk with {name} was not ready in time; its logs: {settings.log}") from None
    finally:
        await process.stop()


def _make_playback(settings: AsteriskSettings, site: Site) -> None:
    """Turns our rendered configuration into a dialplan that answers and greets."""
    number = site.numbers[0]
    (settings.etc / "extensions.conf").write_text(
        f"""[trunk]
exten => {number.digits},1,Answer()
 same => n,Playback(daihyo-{number.greeting_prompt}&daihyo-{number.recording_notice_prompt})
 same => n,Hangup()

[operators]
""",
        encoding="utf-8",
    )
    _without_ari(settings)


def _make_app_queue(settings: AsteriskSettings, site: Site, strategy: str) -> None:
    """Turns our rendered configuration into a plain app_queue centre."""
    etc, number = settings.etc, site.numbers[0]
    (etc / "extensions.conf").write_text(
        f"""[trunk]
exten => {number.digits},1,Answer()
 same => n,Playback(daihyo-{number.greeting_prompt}&daihyo-{number.recording_notice_prompt})
 same => n,MixMonitor({settings.spool}/${{UNIQUEID}}.wav,b)
 same => n,Queue(main)
 same => n,Hangup()

[operators]
""",
        encoding="utf-8",
    )
    members = "".join(f"member => PJSIP/{each.id}\n" for each in site.operators)
    # retry is whole seconds and at least 1, so 1 is the quickest; autofill serves callers side by side.
    (etc / "queues.conf").write_text(
        f"""[general]
persistentmembers = no
autofill = yes
shared_lastcall = no

[main]
strategy = {strategy}
timeout = 15
retry = 1
wrapuptime = 0
ringinuse = no
autofill = yes
joinempty = yes
leavewhenempty = no
musicclass = default
{members}""",
        encoding="utf-8",
    )
    (etc / "cdr.conf").write_text("[general]\nenable = yes\nunanswered = yes\n\n[csv]\n", encoding="utf-8")
    _without_ari(settings, "load = cdr_csv.so")


def _without_ari(settings: AsteriskSettings, *more: str) -> None:
    """Leaves out the modules that only we need."""
    ours_only = ("ari", "stasis", "websocket_client", "app_stack")
    modules = settings.etc / "modules.conf"
    lines = modules.read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if not any(word in line for word in ours_only)]
    modules.write_text("\n".join([*kept, *more, ""]), encoding="utf-8")
