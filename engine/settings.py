"""What one engine needs to know before it starts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from switch import SwitchSettings


@dataclass(frozen=True)
class EngineSettings:
    """Paths are absolute; `queue_log` is Asterisk's own file of the calls it served alone
    (docs/survival.md)."""

    site_path: Path
    journal_folder: Path
    spool_folder: Path
    control_socket: Path
    queue_log: Path
    switch: SwitchSettings

    def switch_for(self, endpoints: tuple[str, ...]) -> SwitchSettings:
        """The switch's settings with the phones to watch."""
        return replace(self.switch, endpoints=endpoints)
