"""転送戻り by the return code: a call from the city hall's exchange that gives a citizen back (XFR-4).

The department transfers the citizen to the code, or dials it with the citizen on hold: a second call then
comes in, through the exchange, beside the one by which the citizen is connected there. The citizen is found
by what the new call tells, comes back to the operator, and both lines to the exchange are let go. A call that
is nobody's transfer is the department's own, led before all others.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from dialplans import shown_number
from switch import Channel, SwitchError

from .call import Call, Phase, digits
from .transfer_model import GivenBack

if TYPE_CHECKING:
    from .session import Session

log = logging.getLogger("daihyo.engine.return_code")

APPEARS_S: Final = 10.0  # within which a capture is there, if it comes at all
PRIORITY = 9  # of a department's own call: as the highest of a plan
_RETURN = "return_code"
_ARGUMENT = 6  # arrival, number, presentation, as dialled, diverted from, To, this


def by_return_code(channel: Channel) -> bool:
    """Whether the call came in by the code: the dialplan lets only the exchange's trunks there."""
    return channel.args[_ARGUMENT : _ARGUMENT + 1] == (_RETURN,)


def given_back(session: Session, channel: Channel) -> bool:
    """Takes the citizen whom this call gives back; False when it gives back nobody."""
    call = _citizen(session, channel)
    if call is None:
        return False
    log.info("call %s is given back by %s", call.id, channel.id)
    call.inbox.put_nowait(GivenBack())
    session.start(_let_go(session, channel), f"given back by {channel.id}")
    return True


async def _let_go(session: Session, channel: Channel) -> None:
    """Hung up; the recording that the dialplan had armed, and that nobody spoke into, is taken away."""
    try:
        await channel.hangup()
        await channel.wait_gone()
    except SwitchError as problem:
        log.warning("letting %s go: %s", channel.id, problem)
        return
    for way in ("in", "out"):
        await _removed(session.centre.settings.spool_folder / f"{channel.id}-{way}.wav")


async def _removed(capture: Path) -> None:
    """Asterisk opens it in a thread of its own, which on a busy machine is later than the hang-up. (What is
    left when the engine is killed meanwhile the worker takes away: recording.finish.ORPHAN_S.)"""
    with suppress(TimeoutError):
        async with asyncio.timeout(APPEARS_S):
            while True:
                try:
                    await asyncio.to_thread(capture.unlink)
                    return
                except FileNotFoundError:
                    await asyncio.sleep(0.05)


def _citizen(session: Session, channel: Channel) -> Call | None:
    """The only one to whom it can belong. By the citizen's number first; by the extension, as it is named in
    Diversion or Referred-By or as it calls; then by what the exchange knows of the citizen: our own number.
    Where two could be meant, nobody is taken out of a talk."""
    caller = digits(channel.caller or "")
    named = digits(channel.args[4]) if len(channel.args) > 4 else ""
    away = [call for call in session.calls.values() if _at_the_hall(call)]
    ways = (
        [call for call in away if caller and digits(call.caller or "") == caller],
        [call for call in away if named and named in _extensions(call)],
        [call for call in away if caller and caller in _extensions(call)],
        [call for call in away if caller and shown_number(call.site, None) == caller],
    )
    return next((found[0] for found in ways if len(found) == 1), None)


def _at_the_hall(call: Call) -> bool:
    """Whether the citizen talks with an extension of the city hall, and no operator is there any more."""
    transfer = call.transfer
    return transfer is not None and call.phase is Phase.TRANSFERRED and transfer.target.kind == "extension"


def _extensions(call: Call) -> set[str]:
    """How the exchange may name the extension: by itself, or as it was dialled, with the prefix."""
    if call.transfer is None:
        return set()
    number = call.transfer.target.number
    pbx = call.site.pbx
    return {number, (pbx.prefix if pbx is not None else "") + number}
