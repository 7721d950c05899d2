"""What one engine needs to know before it starts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from switch import SwitchSettings


@dataclass(frozen=True)
class EngineSettings:
    """Paths are absolute; `queue_log` is Asterisk's own file of the calls it served alone
    (docs/survival.md). `plans`: the folder of the plan's versions; `site_path` is read where it has no live
    one. `sounds`: where every announcement must lie before a plan goes live (None: not looked at).
    `practice_time`: aware; the plan's clock begins there and may be set, for rehearsals and tests."""

    site_path: Path
    journal_folder: Path
    spool_folder: Path
    control_socket: Path
    queue_log: Path
    switch: SwitchSettings
    plans: Path | None = None
    sounds: Path | None = None
    practice_time: datetime | None = None

    def switch_for(self, endpoints: tuple[str, ...]) -> SwitchSettings:
        """The switch's settings with the phones to watch."""
        return replace(self.switch, endpoints=endpoints)
