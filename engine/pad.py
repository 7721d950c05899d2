"""A call that an operator dials on the keys of their own desk phone, as far as it has to end."""

from __future__ import annotations

import logging
from typing import Final

from switch import Channel, SwitchError

log = logging.getLogger("daihyo.engine.keys")

# Why it came to nothing, as a telephone is told of it (Channel.hangup): 486, 503, 480, 404, 403.
_CAUSES: Final[dict[str, str]] = {
    **dict.fromkeys(("busy", "target_busy", "transfer_under_way"), "busy"),
    "trunk_full": "congestion",
    **dict.fromkeys(("no_answer", "target_unreachable"), "no_answer"),
    **dict.fromkeys(("unreachable", "bad_number", "bad_extension"), "unallocated"),
    **dict.fromkeys(("refused", "not_allowed", "never", "own_number", "no_trunk", "no_pbx"), "rejected"),
}


async def hung_up(pad: Channel, reason: str | None) -> None:
    """What an operator's phone has dialled ends; one that was not answered is told why in its own words."""
    try:
        await pad.hangup(_CAUSES.get(reason or "", "normal"))
    except SwitchError as problem:
        log.warning("hanging up %s: %s", pad.id, problem)
