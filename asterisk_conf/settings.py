"""What rendering needs to know beside the site: folders, addresses, ports, which Asterisk."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from pathlib import Path

from switch.install import Tree


class ConfigurationError(Exception):
    """Asterisk could not be configured so; the message is one line that says what to change."""


# What would end or change a line of Asterisk's files or a dialplan argument.
_UNSAFE = re.compile(r"[\x00-\x1f\x7f,;|(){}$\\&=<>\"'\[\]`]")
_LONGEST_SOCKET = 100  # sun_path has 108 bytes


@dataclass(frozen=True)
class AsteriskSettings:
    """One Asterisk. `folder` holds etc run log lib keys sounds (made by `render`); `spool` takes the
    recordings; ARI and AMI listen on 127.0.0.1 only. `listen` is the address of SIP and RTP (0.0.0.0: all);
    `rtp_ports` are both inclusive. Durations in seconds. `demo` adds the citizen's browser phone.
    `run_folder`: for Asterisk's control socket and pid file where `folder` is too long for a socket."""

    folder: Path
    spool: Path
    tree: Tree
    listen: str = "127.0.0.1"
    sip_port: int = 5060
    rtp_ports: tuple[int, int] = (10000, 19999)
    ari_port: int = 8088
    ami_port: int = 5038
    demo: bool = False
    run_folder: Path | None = None
    operator_rtp_timeout_s: int = 20  # an operator's phone that sends nothing for so long is dead
    trunk_rtp_timeout_s: int = 60

    @property
    def etc(self) -> Path:
        return self.folder / "etc"

    @property
    def run(self) -> Path:
        return self.run_folder or self.folder / "run"

    @property
    def log(self) -> Path:
        return self.folder / "log"

    @property
    def lib(self) -> Path:
        return self.folder / "lib"

    @property
    def keys(self) -> Path:
        return self.folder / "keys"

    @property
    def sounds(self) -> Path:
        return self.folder / "sounds"

    @property
    def conf(self) -> Path:
        """For `asterisk -C`."""
        return self.etc / "asterisk.conf"

    @property
    def queue_log(self) -> Path:
        """Survival calls: docs/survival.md."""
        return self.log / "queue_log"

    def check(self) -> None:
        """Raises ConfigurationError for what Asterisk's files cannot hold or a machine cannot do."""
        for path in (self.folder, self.spool):
            if not path.is_absolute():
                raise ConfigurationError(f"{path}: the folder must be an absolute path")
            if found := _UNSAFE.search(str(path)):
                raise ConfigurationError(
                    f"{path}: Asterisk's files cannot hold {found.group()!r} in a path; choose another folder"
                )
        socket = len(str(self.run / "asterisk.ctl").encode())
        if socket > _LONGEST_SOCKET:
            raise ConfigurationError(
                f"{self.run}: too long for Asterisk's control socket ({socket} bytes of {_LONGEST_SOCKET});"
                " choose a shorter folder"
            )
        try:
            ipaddress.ip_address(self.listen)
        except ValueError:
            raise ConfigurationError(f"listen address {self.listen!r} is not an IP address") from None
        low, high = self.rtp_ports
        if not 1024 <= low < high <= 65535:
            raise ConfigurationError(f"RTP ports {low}-{high}: give a range within 1024-65535")
        ports = {"SIP": self.sip_port, "ARI": self.ari_port, "AMI": self.ami_port}
        for name, port in ports.items():
            if not 1 <= port <= 65535:
                raise ConfigurationError(f"{name} port {port} is not within 1-65535")
        if len(set(ports.values())) != len(ports):
            raise ConfigurationError(f"SIP, ARI and AMI need a port each, not {ports}")
