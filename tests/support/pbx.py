"""The city hall's exchange (PBX): a second, small Asterisk that takes calls from the centre, and gives back.

    async with pbx() as hall, phones() as sip:
        site = hall.site(operators=2)                    # the test site with trunks, `pbx:` and `dialling:`
        async with centre(folder, site=site) as running:
            hall.centre(running)                         # where the centre's SIP is
            ward = await hall.extension("2314")          # a TonePhone: answers and sends WARD_HZ
            ward.policy = "ring" | "486" | "603" | …     # what the next call there meets
            arrived = await hall.dialled("82314")        # the next call to it: dialled, caller shown
            await ward.hears_tone(CITIZEN_HZ)
            await hall.give_back(arrived)                # transfers that call to the return code (trombone)

An extension that was not made is unknown (404). `await hall.limit(1)`: so many channels at most, in both
directions; one more is refused as a full trunk does (503, cause 34). `await hall.number("0246229999")` is a
telephone outside, reached by `line-a` (the centre sends `1` before the number) and then `line-b` (`2`).
One for a module's tests starts in about a second and costs nothing while nobody calls: share it. It sends
from 127.0.0.2, by which the centre knows the trunk `hall`; telephones of citizens are at 127.0.0.1.
"""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from switch.install import find_asterisk
from switch.process import AsteriskFiles, AsteriskProcess
from tests.live.asterisk_conf.tone_phone import TonePhone
from tests.support.centre import Centre, free_port, rtp_range
from tests.support.site import site as plain_site

ADDRESS = "127.0.0.2"
PREFIX, RETURN_CODE = "8", "7700"
WARD_HZ = 1000.0
LINES = {"line-a": "1", "line-b": "2"}  # trunks to the public network, and what they put before a number
_DESK = {"X-Desk": "yes"}
_MODULES = [
    "res_sorcery_config", "res_sorcery_memory", "res_sorcery_astdb", "res_pjproject",
    "res_timing_timerfd", "res_rtp_asterisk", "res_pjsip", "res_pjsip_session", "res_pjsip_pubsub",
    "res_pjsip_sdp_rtp", "res_pjsip_caller_id", "res_pjsip_endpoint_identifier_ip",
    "res_pjsip_header_funcs", "res_pjsip_rfc3326", "res_pjsip_nat", "chan_pjsip", "codec_ulaw",
    "bridge_simple", "bridge_softmix", "app_dial", "app_stack", "app_userevent", "pbx_config",
    "func_callerid", "func_channel", "func_groupcount", "func_global", "func_logic",
]  # fmt: skip

_EMPTY = ("http", "cdr", "cel", "features", "ccss", "acl", "indications", "stasis", "udptl", "pjproject")


@dataclass(frozen=True)
class Dialled:
    """A call that came from the centre: what was dialled (prefix and extension), the number and name shown,
    the channel's name."""

    dialled: str
    caller: str
    name: str
    channel: str


class Pbx:
    """A running one; see the module."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.sip_port, self.desk_port, self.ami_port = free_port(), free_port(), free_port()
        self.calls: list[Dialled] = []
        self.phones: list[TonePhone] = []
        self._centre_port = 0
        self._came = asyncio.Condition()
        self._taken: set[int] = set()  # those of `calls` that a test has been given
        self._answers: dict[str, asyncio.Future[dict[str, str]]] = {}
        self._number = 0
        self._writer: asyncio.StreamWriter | None = None

    def site(self, operators: int = 2, **changes: Any) -> dict[str, Any]:
        """The site of `tests.support.site`, with this exchange and two lines out. `pbx=` and `dialling=`
        change single keys of those sections, `max_channels={trunk: n}` the trunks'; others as in `site`."""
        channels = changes.pop("max_channels", {})
        exchange = {"trunks": ["hall"], "prefix": PREFIX, "return_code": RETURN_CODE} | changes.pop("pbx", {})
        dialling = {"trunks": list(LINES), "ring_s": 30} | changes.pop("dialling", {})
        made = plain_site(operators, **changes)
        made["trunks"] = [
            {"id": "test", "addresses": ["127.0.0.1"]},
            self._trunk("hall", ADDRESS, ""),
            *(
                self._trunk(name, f"192.0.2.{at}", prefix)
                for at, (name, prefix) in enumerate(LINES.items(), 1)
            ),
        ]
        for trunk in made["trunks"]:
            trunk["max_channels"] = channels.get(trunk["id"], 50)
        return made | {"pbx": exchange, "dialling": dialling}

    def _trunk(self, name: str, address: str, prefix: str) -> dict[str, Any]:
        outbound = {"host": ADDRESS, "port": self.sip_port, "prefix": prefix}
        return {"id": name, "addresses": [address], "outbound": outbound}

    def centre(self, running: Centre) -> None:
        """Names the centre that calls are given back to."""
        self._centre_port = int(running.sip.rsplit(":", 1)[1])

    async def extension(self, digits: str, hertz: float = WARD_HZ, policy: str = "answer") -> TonePhone:
        """A telephone of the city hall; again with the same digits: another takes its place."""
        return await self._telephone(PREFIX + digits, digits, hertz, policy)

    async def number(self, digits: str, hertz: float = WARD_HZ, policy: str = "answer") -> TonePhone:
        """A telephone outside, reached by both lines."""
        phone = await self._telephone(LINES["line-a"] + digits, digits, hertz, policy)
        await self._global(f"DESK_{LINES['line-b']}{digits}", str(phone.port))
        return phone

    async def _telephone(self, dialled: str, user: str, hertz: float, policy: str) -> TonePhone:
        phone = await TonePhone.open(self.desk_port, user)
        assert isinstance(phone, TonePhone)
        phone.hertz, phone.policy, phone.extra = hertz, policy, dict(_DESK)
        self.phones.append(phone)
        await self._global(f"DESK_{dialled}", str(phone.port))
        return phone

    async def refuses(self, dialled: str, cause: int) -> None:
        """Calls to these digits (prefix included) end at once with this Q.850 cause: 34 full, 38 out of
        order, 21 rejected …; 0: no longer."""
        await self._global(f"CAUSE_{dialled}", str(cause) if cause else "")

    async def limit(self, channels: int) -> None:
        """How many channels there are between the two exchanges."""
        await self._global("LIMIT", str(channels))

    async def dialled(self, digits: str, within_s: float = 20.0) -> Dialled:
        """The next call to these digits (prefix included) that was not given before."""

        def found() -> int | None:
            return next(
                (at for at, one in enumerate(self.calls) if one.dialled == digits and at not in self._taken),
                None,
            )

        try:
            async with asyncio.timeout(within_s), self._came:
                await self._came.wait_for(lambda: found() is not None)
        except TimeoutError:
            raise AssertionError(f"nobody dialled {digits} within {within_s} s; {self.calls}") from None
        at = found()
        assert at is not None
        self._taken.add(at)
        return self.calls[at]

    async def give_back(
        self, call: Dialled, *, shown: str | None = None, diverted: str = "", code: str = RETURN_CODE
    ) -> None:
        """The extension transfers its citizen to the return code and is out of it. `shown`: the caller number
        of the new call, by default the extension's; `diverted`: whom its Diversion header names."""
        values = {
            "SHOWN": call.dialled.removeprefix(PREFIX) if shown is None else shown,
            "DIVERTED": diverted,
            "CENTRE": f"127.0.0.1:{self._centre_port}",
        }
        for name, value in values.items():
            await self._ask("Setvar", Channel=call.channel, Variable=name, Value=value)
        await self._ask("Redirect", Channel=call.channel, Context="give-back", Exten=code, Priority="1")

    async def dial_back(
        self, extension: TonePhone, code: str = RETURN_CODE, *, wait_answer: bool = True
    ) -> None:
        """A telephone of the hall dials the centre by itself."""
        await self._global("CENTRE", f"127.0.0.1:{self._centre_port}")
        await extension.call(code, wait_answer=wait_answer)

    async def channels(self) -> int:
        """How many channels it has now."""
        answer = await self._ask("CoreStatus")
        return int(answer["CoreCurrentCalls"])

    async def _global(self, name: str, value: str) -> None:
        await self._ask("Setvar", Variable=name, Value=value)

    async def _ask(self, action: str, **fields: str) -> dict[str, str]:
        assert self._writer is not None
        self._number += 1
        id = str(self._number)
        answer = self._answers[id] = asyncio.get_running_loop().create_future()
        lines = [
            f"Action: {action}",
            f"ActionID: {id}",
            *(f"{name}: {value}" for name, value in fields.items()),
        ]
        self._writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
        async with asyncio.timeout(10):
            found: dict[str, str] = await answer
        assert found["Response"] == "Success", (action, fields, found)
        return found

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        while block := await _block(reader):
            if (answer := self._answers.pop(block.get("ActionID", ""), None)) is not None:
                answer.set_result(block)
            elif block.get("UserEvent") == "PbxCall":
                made = Dialled(block["Dialled"], block["Caller"], block["Name"], block["Channel"])
                async with self._came:
                    self.calls.append(made)
                    self._came.notify_all()

    @contextlib.asynccontextmanager
    async def _running(self) -> AsyncIterator[None]:
        files = AsteriskFiles(self._write(), self.folder / "run", self.folder / "output")
        process = AsteriskProcess(find_asterisk(), files)
        await process.start()
        listening: asyncio.Task[None] | None = None
        try:
            reader, self._writer = await self._connected()
            await self._logged_in(reader)
            listening = asyncio.create_task(self._listen(reader))
            await self.limit(1000)
            yield
        finally:
            if listening is not None:
                listening.cancel()
            if self._writer is not None:
                self._writer.close()
            for phone in self.phones:
                phone.close()
            await process.stop()

    async def _connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        try:
            async with asyncio.timeout(30):
                while True:  # a port tells nobody when it opens
                    with contextlib.suppress(OSError):
                        return await asyncio.open_connection("127.0.0.1", self.ami_port)
                    await asyncio.sleep(0.05)
        except TimeoutError:
            output = (self.folder / "output").read_text(errors="replace")[-2000:]
            raise AssertionError(f"the exchange did not start: {output}") from None

    async def _logged_in(self, reader: asyncio.StreamReader) -> None:
        assert self._writer is not None
        self._writer.write(b"Action: Login\r\nUsername: test\r\nSecret: test\r\n\r\n")
        await reader.readline()  # its name and version
        async with asyncio.timeout(30):
            while (await _block(reader)).get("Event") != "FullyBooted":
                pass

    def _write(self) -> Path:
        etc = self.folder / "etc"
        for name in ("etc", "run", "log", "lib", "spool"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        tree = find_asterisk()
        data = self.folder / "lib"
        (data / "documentation").symlink_to(tree.data / "documentation")
        low, high = rtp_range()
        directories = {"astetcdir": etc, "astmoddir": tree.modules, "astvarlibdir": data, "astdbdir": data,
                       "astkeydir": data, "astdatadir": data, "astagidir": data,
                       "astspooldir": self.folder / "spool", "astrundir": self.folder / "run",
                       "astlogdir": self.folder / "log"}  # fmt: skip
        texts = {
            "asterisk.conf": "[directories]\n"
            + "".join(f"{name} => {path}\n" for name, path in directories.items())
            + "[options]\nsystemname = hall\nverbose = 0\n",
            "modules.conf": "[modules]\nautoload = no\n" + "".join(f"load = {one}.so\n" for one in _MODULES),
            "logger.conf": "[general]\n[logfiles]\nmessages.log = warning,error\n",
            "manager.conf": f"[general]\nenabled = yes\nbindaddr = 127.0.0.1\nport = {self.ami_port}\n"
            "[test]\nsecret = test\nread = user,system\nwrite = call,system,reporting\n",
            "rtp.conf": f"[general]\nrtpstart = {low}\nrtpend = {high}\n",
            "pjsip.conf": _PJSIP.format(address=ADDRESS, sip_port=self.sip_port, desk_port=self.desk_port),
            "extensions.conf": _EXTENSIONS,
        } | dict.fromkeys((f"{name}.conf" for name in _EMPTY), "[general]\n")
        for name, text in texts.items():
            (etc / name).write_text(text)
        return etc / "asterisk.conf"


_PJSIP = """[global]
type = global
endpoint_identifier_order = header,ip
[trunk]
type = transport
protocol = udp
bind = {address}:{sip_port}
[desks]
type = transport
protocol = udp
bind = 127.0.0.1:{desk_port}
[leg](!)
type = endpoint
disallow = all
allow = ulaw
direct_media = no
rtp_symmetric = yes
trust_id_inbound = yes
[centre](leg)
transport = trunk
context = from-centre
media_address = {address}
bind_rtp_to_media_address = yes
[desk](leg)
transport = desks
context = from-desks
[centre]
type = identify
endpoint = centre
match = 127.0.0.1
[desk]
type = identify
endpoint = desk
match_header = X-Desk: yes
"""

_EXTENSIONS = """[from-centre]
exten => _[0-9*#+]!,1,Set(WHO=Caller: ${CALLERID(num)})
 same => n,Set(NAME=Name: ${CALLERID(name)})
 same => n,UserEvent(PbxCall,Dialled: ${EXTEN},${WHO},${NAME},Channel: ${CHANNEL})
 same => n,Set(GROUP()=line)
 same => n,GotoIf($[${GROUP_COUNT(line)} > ${LIMIT}]?full)
 same => n,GotoIf($["${CAUSE_${EXTEN}}" != ""]?refused)
 same => n,GotoIf($["${DESK_${EXTEN}}" = ""]?unknown)
 same => n,Dial(PJSIP/desk/sip:${EXTEN}@127.0.0.1:${DESK_${EXTEN}})
 same => n,Hangup(${HANGUPCAUSE})
 same => n(full),Hangup(34)
 same => n(refused),Hangup(${CAUSE_${EXTEN}})
 same => n(unknown),Hangup(1)
[give-back]
exten => _[0-9*#]!,1,Set(CALLERID(num)=${SHOWN})
 same => n,Set(CALLERID(ANI)=${SHOWN})
 same => n,Set(OUTBOUND_GROUP=line)
 same => n,Dial(PJSIP/centre/sip:${EXTEN}@${CENTRE},,b(headers^s^1))
 same => n,Hangup(${HANGUPCAUSE})
[headers]
exten => s,1,GotoIf($["${MASTER_CHANNEL(DIVERTED)}" = ""]?end)
 same => n,Set(PJSIP_HEADER(add,Diversion)=<sip:${MASTER_CHANNEL(DIVERTED)}@127.0.0.2>)
 same => n(end),Return()
[from-desks]
exten => _[0-9*#]!,1,Set(OUTBOUND_GROUP=line)
 same => n,Dial(PJSIP/centre/sip:${EXTEN}@${CENTRE})
 same => n,Hangup(${HANGUPCAUSE})
"""


async def _block(reader: asyncio.StreamReader) -> dict[str, str]:
    """One message of AMI; empty when it is over."""
    block: dict[str, str] = {}
    while line := (await reader.readline()).decode(errors="replace"):
        name, colon, value = line.partition(":")
        if not colon:
            if block:
                return block
            continue
        block[name.strip()] = value.strip()
    return {}


@contextlib.asynccontextmanager
async def pbx() -> AsyncIterator[Pbx]:
    """Starts an exchange in a folder of its own, short enough for Asterisk's socket, and stops it."""
    with tempfile.TemporaryDirectory(prefix="hall-") as folder:
        made = Pbx(Path(folder))
        async with made._running():
            yield made
