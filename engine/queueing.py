"""What the plan says of a queue for one call: where it stands, what it weighs, when it can stay no longer."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from dialplans import Queue, Site
from ivr import OverflowReason, expected_wait_s

from .call import Call, digits

if TYPE_CHECKING:
    from .session import Session

RING_OVER_S = 0.5  # a limit that passes while a phone rings waits for the end of the ringing


def standing(call: Call, live: Site, name: str) -> str:
    """The queue in which operators find the call now: its own, or, when that left the plan meanwhile, where
    the number leads in the live plan, or the first."""
    known = {one.id for one in live.queues}
    if name in known:
        return name
    for number in live.numbers:
        kind, _, begins = number.begins.partition(":")
        if number.digits == call.number.digits and kind == "queue" and begins in known:
            return begins
    return live.queues[0].id


def rules_of(call: Call, live: Site, name: str) -> Queue:
    """The queue as the call's own plan has it."""
    with suppress(KeyError):
        return call.site.queue(name)
    return live.queue(standing(call, live, name))


def priority_of(call: Call) -> int:
    """What the number that was called, the telephone that calls (優先着信) and the call itself give."""
    callers = call.site.priority_callers if call.caller is not None else ()
    caller = digits(call.caller or "")
    of_caller = (one.priority for one in callers if digits(one.number) == caller)
    return call.number.priority + max(of_caller, default=0) + call.own_priority


def refused(session: Session, call: Call, rules: Queue, name: str, priority: int) -> OverflowReason | None:
    """Why the queue cannot be entered."""
    floor = session.floor
    if rules.nobody is not None and floor.signed_on(name) == 0:
        return "nobody"
    if rules.overflow is None:
        return None
    if rules.most_waiting is not None and floor.waiting_in(name) >= rules.most_waiting:
        return "most_waiting"
    longest = rules.longest_expected_s
    if longest is not None and not floor.free_in(name):
        now = session.centre.clock.mono()
        since = call.queued_mono if call.queued_mono is not None else now
        place = floor.place_in(name, since, priority)
        wait_s = expected_wait_s(place, list(session.centre.memory.served.get(name, ())), now)
        if wait_s is not None and wait_s > longest:
            return "expected_wait"
    return None


def over(session: Session, call: Call, rules: Queue, reason: OverflowReason) -> OverflowReason:
    """Notes that the call is sent on."""
    to = rules.nobody if reason == "nobody" else rules.overflow
    session.centre.note("overflowed", call.id, queue=call.queue, reason=reason, to=to)
    return reason


async def limit(session: Session, call: Call, rules: Queue, name: str, *, free: bool) -> OverflowReason:
    """Returns when the call can wait no longer; never where the plan sets no limit. A phone that rings for
    it may ring to its end."""
    longest = rules.longest_wait_s if rules.overflow is not None and not free else None
    nobody = rules.nobody is not None and not free
    entered = call.entered_mono if call.entered_mono is not None else session.centre.clock.mono()
    while True:
        staffing = session.floor.staffing
        left = None if longest is None else entered + longest - session.centre.clock.mono()
        passed = left is not None and left <= 0
        if passed or (nobody and session.floor.signed_on(name) == 0):
            if not session.floor.rings_for(call.id):
                return "longest_wait" if passed else "nobody"
            left = RING_OVER_S
        with suppress(TimeoutError):
            async with asyncio.timeout(left):
                await (staffing.wait() if nobody else asyncio.Event().wait())
