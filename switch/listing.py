"""What Asterisk lists after a (re)connect, read into plain facts (no I/O)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from switch.ari import Event


@dataclass(frozen=True)
class ListedChannel:
    """A channel inside our application: its ARI description and its Stasis arguments."""

    data: Event
    args: tuple[str, ...]

    @property
    def id(self) -> str:
        return str(self.data["id"])


@dataclass(frozen=True)
class Identity:
    """Which run of Asterisk this is: another entity or another start means that its channels are new ones."""

    entity: str
    started: datetime


def identity(info: Event) -> Identity:
    """From `GET asterisk/info`."""
    started = datetime.strptime(info["status"]["startup_time"], "%Y-%m-%dT%H:%M:%S.%f%z")
    return Identity(str(info["system"]["entity_id"]), started.astimezone(UTC))


def inside(channels: Iterable[Event], application: str) -> list[ListedChannel]:
    """Those of `GET channels` inside `application`: their dialplan says `Stasis` and `daihyo,leg`."""
    found = []
    for data in channels:
        dialplan = data.get("dialplan", {})
        name, *args = str(dialplan.get("app_data", "")).split(",")
        if dialplan.get("app_name") == "Stasis" and name == application:
            found.append(ListedChannel(data, tuple(args)))
    return found


def our_bridges(bridges: Iterable[Event], application: str) -> list[tuple[str, tuple[str, ...]]]:
    """(id, channel ids) of those of `GET bridges` that carry our name."""
    return [
        (str(bridge["id"]), tuple(str(channel) for channel in bridge.get("channels", ())))
        for bridge in bridges
        if bridge.get("name") == application
    ]
