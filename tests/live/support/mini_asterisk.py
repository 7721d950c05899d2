"""A small real Asterisk for tests of the switch: its own folder, its own loopback ports, nothing shared.

`MiniAsterisk(folder, endpoints=("1001",))` writes a configuration of the least modules that the switch
needs; `start()` returns when ARI answers; `kill()` is a power cut, `stop()` an orderly end. The same
object can be started again on the same ports (a restart of Asterisk as the application sees it).
"""

from __future__ import annotations

import asyncio
import base64
import os
import random
import socket
import subprocess
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from switch.api import SwitchSettings

ARI_USER = "daihyo"
ARI_PASSWORD = "mini-ari-secret"
AMI_USER = "daihyo"
AMI_PASSWORD = "mini-ami-secret"
PHONE_PASSWORD = "mini-phone-secret"

_MODULES = [
    "res_sorcery_config",
    "res_sorcery_memory",
    "res_sorcery_astdb",
    "res_pjproject",
    "res_timing_timerfd",
    "res_http_websocket",
    "res_websocket_client",
    "res_rtp_asterisk",
    "res_musiconhold",
    "res_pjsip",
    "res_pjsip_session",
    "res_pjsip_pubsub",
    "res_pjsip_registrar",
    "res_pjsip_sdp_rtp",
    "res_pjsip_authenticator_digest",
    "res_pjsip_endpoint_identifier_user",
    "res_pjsip_endpoint_identifier_ip",
    "res_pjsip_caller_id",
    "res_pjsip_rfc3326",
    "res_pjsip_nat",
    "res_pjsip_transport_websocket",
    "res_pjsip_acl",
    "res_pjsip_maintenance",
    "res_stasis",
    "res_stasis_answer",
    "res_stasis_playback",
    "res_stasis_recording",
    "res_stasis_snoop",
    "res_ari",
    "res_ari_model",
    "res_ari_applications",
    "res_ari_asterisk",
    "res_ari_bridges",
    "res_ari_channels",
    "res_ari_endpoints",
    "res_ari_events",
    "res_ari_playbacks",
    "chan_pjsip",
    "app_stasis",
    "app_queue",
    "app_dial",
    "app_playback",
    "app_echo",
    "bridge_simple",
    "bridge_softmix",
    "bridge_native_rtp",
    "bridge_holding",
    "bridge_builtin_features",
    "codec_ulaw",
    "codec_alaw",
    "codec_resample",
    "format_wav",
    "format_pcm",
    "pbx_config",
    "func_channel",
    "func_callerid",
    "func_logic",
    "res_pjsip_header_funcs",
]


@dataclass(frozen=True)
class Tree:
    """Where an Asterisk is: how it is called, its modules and its data."""

    command: list[str]
    modules: Path
    data: Path


def find_tree() -> Tree:
    """The Asterisk that the set-up provides, or the unpacked one named by DAIHYO_ASTERISK_TREE."""
    named = os.environ.get("DAIHYO_ASTERISK_TREE")
    if named:
        tree = Path(named)
        lib = tree / "usr/lib/x86_64-linux-gnu"
        loader = tree / "usr/lib64/ld-linux-x86-64.so.2"
        command = [str(loader), "--library-path", str(lib), str(tree / "usr/sbin/asterisk")]
        return Tree(command, lib / "asterisk/modules", tree / "usr/share/asterisk")
    from switch.install import find_asterisk

    found = find_asterisk()
    return Tree(list(found.command), Path(found.modules), Path(found.data))


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """A loopback port nobody holds now, outside the range from which the kernel gives ports to clients."""
    low = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    while True:
        port = random.randrange(12000, max(low, 13000))
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


class MiniAsterisk:
    """One Asterisk process of a test. Ports are integers, `folder` holds everything it writes."""

    def __init__(self, folder: Path, endpoints: Sequence[str] = ("1001",), extra: str = "") -> None:
        self.tree = find_tree()
        self.folder = folder
        self.endpoints = tuple(endpoints)
        self.http_port = free_port()
        self.ami_port = free_port()
        self.sip_port = free_port(socket.SOCK_DGRAM)
        self.rtp_low = free_port(socket.SOCK_DGRAM) // 2 * 2
        self.extra = extra
        self._process: subprocess.Popen[bytes] | None = None
        self._write()

    @property
    def ari_url(self) -> str:
        return f"http://127.0.0.1:{self.http_port}/ari"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def settings(self, **changes: object) -> SwitchSettings:
        """How the switch reaches this Asterisk; `changes` override single fields. The heartbeat is the usual
        one: an answer that is missing for half of it ends the connection, and with a short one a machine that
        stands still for a moment did that in tests that are about something else."""
        values: dict[str, object] = {
            "ari_url": self.ari_url,
            "ari_user": ARI_USER,
            "ari_password": ARI_PASSWORD,
            "ami_host": "127.0.0.1",
            "ami_port": self.ami_port,
            "ami_user": AMI_USER,
            "ami_password": AMI_PASSWORD,
            "endpoints": self.endpoints,
            **changes,
        }
        return SwitchSettings(**values)  # type: ignore[arg-type]

    async def start(self, timeout_s: float = 40.0) -> None:
        """Starts it and returns when ARI answers and it is fully booted; else fails with its log's tail."""
        log = (self.folder / "log/console").open("ab")
        self._process = subprocess.Popen(  # noqa: ASYNC220 (a fork, over in milliseconds)
            [*self.tree.command, "-C", str(self.folder / "etc/asterisk.conf"), "-f"],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder,
        )  # fmt: skip
        log.close()
        deadline = asyncio.get_running_loop().time() + timeout_s
        while asyncio.get_running_loop().time() < deadline:
            if self._process.poll() is not None:
                break
            if await asyncio.to_thread(self._ready):
                return
            await asyncio.sleep(0.1)
        tail = (self.folder / "log/console").read_text(errors="replace")[-3000:]
        self.kill()
        raise AssertionError(f"Asterisk did not become ready within {timeout_s} s:\n{tail}")

    def _ready(self) -> bool:
        token = base64.b64encode(f"{ARI_USER}:{ARI_PASSWORD}".encode()).decode()
        request = urllib.request.Request(  # noqa: S310 (http to ourselves)
            f"{self.ari_url}/endpoints/PJSIP", headers={"Authorization": f"Basic {token}"}
        )
        try:
            with urllib.request.urlopen(request, timeout=1) as answer:  # noqa: S310
                return bool(answer.status == 200) and "fully booted" in self.cli("core waitfullybooted")
        except (urllib.error.URLError, OSError):
            return False

    def cli(self, command: str) -> str:
        """Runs one console command and gives back what it printed."""
        done = subprocess.run(
            [*self.tree.command, "-C", str(self.folder / "etc/asterisk.conf"), "-rx", command],
            capture_output=True, text=True, timeout=20, check=False, cwd=self.folder,
        )  # fmt: skip
        return done.stdout + done.stderr

    def kill(self) -> None:
        """A power cut: SIGKILL, and the process is reaped."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
        if self._process is not None:
            self._process.wait(10)

    def stop(self) -> None:
        """An orderly end (SIGTERM), killed when that takes more than 5 s."""
        if self._process is None or self._process.poll() is not None:
            return
        self._process.terminate()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self.kill()

    def _write(self) -> None:
        for name in ("etc", "run", "log", "lib", "spool", "keys", "sounds/en", "sounds/ja", "moh"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        for name, text in self._files().items():
            (self.folder / "etc" / name).write_text(text)
        _tone(self.folder / "sounds/en/tone2s.ulaw", 2.0)
        _tone(self.folder / "sounds/en/tone100ms.ulaw", 0.1)
        _tone(self.folder / "moh/music.ulaw", 5.0)

    def _files(self) -> dict[str, str]:
        place = self.folder
        # A WebSocket path for /ws phones and ARI is the same HTTP server.
        phones = "".join(
            f"[{name}](phone)\nauth={name}\naors={name}\n[{name}](login)\nusername={name}\n[{name}](aor)\n"
            for name in self.endpoints
        )
        return {
            "asterisk.conf": f"""[directories]
astetcdir={place}/etc
astmoddir={self.tree.modules}
astvarlibdir={place}/lib
astdbdir={place}/lib
astkeydir={place}/keys
astdatadir={self.tree.data}
astagidir={place}/lib
astspooldir={place}/spool
astrundir={place}/run
astlogdir={place}/log
[options]
systemname=mini
documentation_language=en_US
""",
            "modules.conf": "[modules]\nautoload=no\n" + "".join(f"load={m}.so\n" for m in _MODULES),
            "logger.conf": "[logfiles]\nfull => notice,warning,error\n",
            "http.conf": f"[general]\nenabled=yes\nbindaddr=127.0.0.1\nbindport={self.http_port}\n"
            "sessionlimit=500\nsession_keep_alive=15000\n",
            "ari.conf": f"[general]\nenabled=yes\nwebsocket_write_timeout=5000\n"
            f"[{ARI_USER}]\ntype=user\npassword={ARI_PASSWORD}\n",
            "manager.conf": f"[general]\nenabled=yes\nbindaddr=127.0.0.1\nport={self.ami_port}\n"
            f"[{AMI_USER}]\nsecret={AMI_PASSWORD}\nread=system,security\nwrite=system,call\n",
            "pjsip.conf": f"""[global]
type=global
endpoint_identifier_order=username,ip
[udp]
type=transport
protocol=udp
bind=127.0.0.1:{self.sip_port}
[ws]
type=transport
protocol=ws
bind=127.0.0.1
[phone](!)
type=endpoint
context=phones
disallow=all
allow=ulaw
direct_media=no
from_domain=127.0.0.1
device_state_busy_at=1
[login](!)
type=auth
auth_type=userpass
password={PHONE_PASSWORD}
[aor](!)
type=aor
max_contacts=1
remove_existing=yes
qualify_frequency=0
[trunk]
type=endpoint
context=trunk
disallow=all
allow=ulaw
direct_media=no
[trunk-by-address]
type=identify
endpoint=trunk
match=127.0.0.0/8
{phones}""",
            "extensions.conf": """[trunk]
exten => echo,1,Answer()
 same => n,Echo()
exten => _X!,1,NoOp()
 same => n,Stasis(daihyo,arrival,${EXTEN})
 same => n,Answer()
 same => n,Wait(30)
 same => n,Hangup()
[phones]
exten => _X.,1,Goto(trunk,${EXTEN},1)
""",
            "rtp.conf": f"[general]\nrtpstart={self.rtp_low}\nrtpend={self.rtp_low + 400}\n",
            "musiconhold.conf": f"[default]\nmode=files\ndirectory={place}/moh\n",
            "queues.conf": "[general]\n",
            "cdr.conf": "[general]\nenable=no\n",
            "cel.conf": "[general]\nenable=no\n",
            **({"extra.conf": self.extra} if self.extra else {}),
        }


def _tone(path: Path, seconds: float) -> None:
    """A square tone of 500 Hz as raw µ-law (8 kHz): enough to be heard and measured."""
    high, low = b"\x90" * 8, b"\x10" * 8
    path.write_bytes((high + low) * int(seconds * 500))
