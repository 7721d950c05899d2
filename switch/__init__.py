"""The switch: the only room that speaks to Asterisk (ARI, AMI, running it).

`async with connect(settings, on_arrival=…, …) as switch:` keeps one Asterisk node connected; what `switch`,
its channels and bridges can do stands in `switch.api`. Finding and starting an Asterisk: `switch.install`,
`switch.process`.
"""

import importlib
from typing import TYPE_CHECKING, Any

from switch.api import (
    Bridge,
    Channel,
    ChannelGone,
    FoundBridge,
    Hangup,
    HangupReason,
    KeyTransfer,
    NotFound,
    Refused,
    RtpCounters,
    Snapshot,
    Switch,
    SwitchError,
    SwitchGone,
    SwitchSettings,
)

if TYPE_CHECKING:
    from switch.node import connect

__all__ = [
    "Bridge",
    "Channel",
    "ChannelGone",
    "FoundBridge",
    "Hangup",
    "HangupReason",
    "KeyTransfer",
    "NotFound",
    "Refused",
    "RtpCounters",
    "Snapshot",
    "Switch",
    "SwitchError",
    "SwitchGone",
    "SwitchSettings",
    "connect",
]


def __getattr__(name: str) -> Any:
    # Whoever only looks for an Asterisk, or makes its sounds, need not load a web client.
    if name != "connect":
        raise AttributeError(f"module 'switch' has no attribute {name!r}")
    return importlib.import_module("switch.node").connect
