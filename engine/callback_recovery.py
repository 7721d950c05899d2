"""Callbacks as a new engine (or connection) finds them: rung, called, in talk, or waiting."""

from __future__ import annotations

from typing import TYPE_CHECKING

from switch import Channel

from .callback_call import failed
from .memory import CallMemory
from .reaching import Taken, nobody_talks

if TYPE_CHECKING:
    from .session import Session


def called(session: Session, call: CallMemory, channels: dict[str, Channel]) -> set[str]:
    """A call that we made and that no operator talks in yet. Returns the channels that go on being used."""
    was = call.dialled
    assert was is not None  # noqa: S101  (asked by the caller)
    memory = session.centre.memory.callbacks.open.get(was.callback)
    own, leg = channels.get(was.operator_leg), channels.get(call.id)
    under_way = memory is not None and memory.call == call.id
    if memory is not None and under_way and own is not None and own.up and leg is not None and not leg.down:
        session.floor.talks(was.operator, call.id, memory.queue)
        session.callbacks.begin(memory, Taken(was.operator, was.phone, own, citizen=leg))
        return {own.id, leg.id}
    if memory is not None and under_way:
        nobody = own is None and leg is not None
        failed(session, memory, call.id, "operator_gone" if nobody else "failed", soon=True)
    nobody_talks(session, call, leg, "found ended")
    return set()


def take_up(session: Session, channels: dict[str, Channel]) -> set[str]:
    """All that are booked, once the calls are taken up. Returns the channels that go on being used."""
    callbacks, used = session.callbacks, set[str]()
    for memory in list(session.centre.memory.callbacks.open.values()):
        if memory.id in callbacks.kept:
            continue
        if memory.reached and memory.call is not None:
            callbacks.talks(memory)  # until that call has ended, or it has while nobody looked
            continue
        if memory.last:  # killed before its end was written
            callbacks.give_up(memory)
            continue
        memory.call = None
        taken: Taken | None = None
        for operator, (leg, phone) in list(memory.ringing.items()):
            found = channels.get(leg)
            if taken is None and found is not None and found.up:
                session.floor.talks(operator, memory.id, memory.queue)
                taken = Taken(operator, phone, found)
                used.add(found.id)
            else:
                session.centre.note(
                    "offer_ended", memory.of, operator=operator, reason="withdrawn", ring_s=None
                )
        callbacks.begin(memory, taken)
    return used
