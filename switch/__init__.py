"""The switch: the only room that speaks to Asterisk (ARI, AMI, running it).

`async with connect(settings, on_arrival=…, …) as switch:` keeps one Asterisk node connected; what `switch`,
its channels and bridges can do stands in `switch.api`. Finding and starting an Asterisk: `switch.install`,
`switch.process`.
"""

from switch.api import (
    Bridge,
    Channel,
    ChannelGone,
    FoundBridge,
    Hangup,
    HangupReason,
    NotFound,
    Refused,
    RtpCounters,
    Snapshot,
    Switch,
    SwitchError,
    SwitchGone,
    SwitchSettings,
)
from switch.node import connect

__all__ = [
    "Bridge",
    "Channel",
    "ChannelGone",
    "FoundBridge",
    "Hangup",
    "HangupReason",
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
