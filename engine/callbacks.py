"""Callbacks that keep the place (折り返し予約): booked in a call, then a place in line without a caller.

The journal's memory (`callback_memory`) holds what is booked; a session gives each a task that waits for its
turn. At its turn an operator's phone is rung as for anybody; `callback_call` does the rest.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from cdr import Event
from dialplans import CallbackOffer
from switch import Channel

from .call import Answer, Call
from .call import digits as plain
from .callback_call import call_back, made, see_through
from .callback_memory import CallbackMemory
from .clock import iso
from .queueing import standing

if TYPE_CHECKING:
    from .centre import Centre
    from .session import Session

log = logging.getLogger("daihyo.engine.callbacks")

Json = dict[str, Any]


class Kept:
    """A booked callback's place in line. It stands where a waiting `Call` stands when a phone is rung."""

    def __init__(self, session: Session, memory: CallbackMemory) -> None:
        self.session = session
        self.memory = memory
        self.id = memory.id
        self.answer: asyncio.Future[Answer] | None = None
        self.changed = asyncio.Event()  # whether the citizen is on the line by themselves
        self.task: asyncio.Task[None] | None = None
        self.offers = 0

    @property
    def told_as(self) -> str:
        """Its offers are told as those of the call that booked it."""
        return self.memory.of

    @property
    def shows(self) -> tuple[str, str]:
        """What the operator's phone shows: the citizen's number, and that it is a callback."""
        return self.memory.number, "Callback" if self.session.centre.site.language == "en" else "折り返し"

    @property
    def queued_mono(self) -> float:
        return self.memory.place_mono

    def take(self, answer: Answer) -> bool:
        """An operator's phone was answered; False when it no longer waits."""
        if self.answer is None or self.answer.done():
            return False
        self.answer.set_result(answer)
        return True

    def waits(self) -> bool:
        return self.answer is not None and not self.answer.done()


@dataclass(frozen=True)
class Taken:
    """An operator who was found on the line (recovery). `citizen`: the leg that rings there, if it does."""

    operator: str
    phone: str
    leg: Channel
    citizen: Channel | None = None


class Callbacks:
    """All of a session. `kept` by id."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.centre = session.centre
        self.kept: dict[str, Kept] = {}

    # -- booked, dropped

    def book(self, call: Call, step: str, number: str) -> bool:
        """Books what the citizen has confirmed. False: that number waits for a callback already. Asked again
        for the same call (after a restart) it is the same booking."""
        centre = self.centre
        known = centre.memory.callbacks
        id = f"{call.id}-cb"
        if id in known.open:
            return True
        if known.to(number) is not None:
            return False
        offer = call.site.step(step)
        assert isinstance(offer, CallbackOffer)  # noqa: S101  (the plan's own)
        now = centre.clock.now()
        centre.note(
            "callback_booked",
            call.id,
            callback=id,
            step=step,
            queue=standing(call, centre.site, offer.queue),
            number=number,
            shown=plain(offer.caller_number) if offer.caller_number is not None else call.number.digits,
            called=call.number.digits,
            path=list(call.path),
            place=iso(call.queued if call.queued is not None else now),
            priority=call.priority,
            language=call.language,
            trunk=offer.trunk,
            ring_s=offer.ring_s,
            tries=offer.tries,
            retry_s=offer.retry_s,
            keep_h=offer.keep_h,
        )
        self.begin(known.open[id])
        return True

    def begin(self, memory: CallbackMemory, taken: Taken | None = None) -> None:
        """Gives a booked callback its task. `taken`: by the operator, already (recovery)."""
        kept = self.kept[memory.id] = Kept(self.session, memory)
        kept.task = self.session.start(self._run(kept, taken), f"callback {memory.id}")
        self.centre.live.callbacks()

    def talks(self, memory: CallbackMemory) -> None:
        """One that the citizen has taken: it is over with that call."""
        kept = self.kept[memory.id] = Kept(self.session, memory)
        if memory.call not in self.session.calls:
            self.end(kept, "done")

    def end(self, kept: Kept, reason: str, by: str | None = None, why: str = "") -> None:
        """It is over, however: noted once. `why`: in the words of whoever dropped it."""
        if self.kept.pop(kept.id, None) is None:
            return
        if kept.task is not None and kept.task is not asyncio.current_task():
            kept.task.cancel()
        self.session.floor.gone(kept.id)
        more: dict[str, Any] = {"why": why} if why else {}
        self.centre.note("callback_ended", kept.memory.of, callback=kept.id, reason=reason, by=by, **more)
        self.centre.live.callbacks()

    # -- the citizens who call by themselves meanwhile

    def noted(self, event: Event) -> None:
        """A fact of any call, just noted."""
        if not self.kept or event.call is None:
            return
        match event.kind:
            case "answered":
                self._called_in(event.call)
                if any(kept.memory.call == event.call for kept in self.kept.values()):
                    self.centre.live.callbacks()
            case "arrived" | "ended":
                for kept in list(self.kept.values()):
                    if kept.memory.reached and kept.memory.call == event.call:
                        self.end(kept, "done")
                    else:
                        kept.changed.set()

    def _called_in(self, id: str) -> None:
        """Somebody was answered in the queue of a callback to them: they need none any more."""
        call = self.session.calls.get(id)
        if call is None or call.callback is not None or call.caller is None:
            return
        for kept in list(self.kept.values()):
            memory = kept.memory
            if memory.number == plain(call.caller) and memory.queue == call.queue and memory.call is None:
                self.end(kept, "called_in")

    def _on_the_line(self, memory: CallbackMemory) -> bool:
        """Whether the citizen calls just now: booking it, or once more."""
        return any(
            call.id == memory.of or (call.caller is not None and plain(call.caller) == memory.number)
            for call in self.session.calls.values()
            if call.callback is None
        )

    # -- its life

    async def _run(self, kept: Kept, taken: Taken | None) -> None:
        """Until the citizen has taken it, or it was the last try."""
        if taken is not None and not await self._goes_on(kept, taken):
            return
        while True:
            await self._later(kept)
            answer = await self._turn(kept)
            if answer is None:
                self.end(kept, "expired")
                return
            if not await call_back(self.session, kept, answer):
                return

    async def _goes_on(self, kept: Kept, taken: Taken) -> bool:
        """From where it was found; as `call_back`."""
        answer = Answer(taken.operator, taken.phone, taken.leg, await self.session.switch.bridge())
        id = kept.memory.call
        if taken.citizen is None or id is None:
            return await call_back(self.session, kept, answer)
        call = made(self.session, kept.memory, id, taken.citizen, answer)
        return await see_through(self.session, kept, call, answer)

    async def _later(self, kept: Kept) -> None:
        """Until it may be tried again."""
        if kept.memory.next_at is not None:
            await asyncio.sleep(self._left_s(kept.memory.next_at))

    async def _turn(self, kept: Kept) -> Answer | None:
        """In line with its place until an operator answers; out of it while the citizen is on the line. None:
        it was kept for too long."""
        memory, floor = kept.memory, self.session.floor
        queues = [queue.id for queue in self.centre.site.queues]
        queue = memory.queue if memory.queue in queues else queues[0]
        while (left_s := self._left_s(memory.expires)) > 0:
            kept.changed.clear()
            if self._on_the_line(memory):
                await _until(kept.changed, left_s)
                continue
            if not kept.waits():
                kept.answer = asyncio.get_running_loop().create_future()
                floor.waits(
                    kept.id,
                    queue,
                    since=memory.place_mono,
                    priority=memory.priority,
                    language=memory.language,
                )
                self.centre.live.callbacks()
            assert kept.answer is not None  # noqa: S101  (made above)
            if (answer := await self._answered(kept, kept.answer, left_s)) is not None:
                return answer
            if self._on_the_line(memory) or self._left_s(memory.expires) <= 0:
                kept.answer.cancel()
                floor.gone(kept.id)
        return None

    async def _answered(self, kept: Kept, answer: asyncio.Future[Answer], left_s: float) -> Answer | None:
        """Until it is answered, or something has changed."""
        changed = asyncio.create_task(kept.changed.wait())
        try:
            either: set[asyncio.Future[Any]] = {answer, changed}
            await asyncio.wait(either, timeout=left_s, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            if not answer.done():
                answer.cancel()
            elif not self.session.detached:  # given up and answered in one moment
                taken = answer.result()
                self.session.start(self.session.free(taken.operator, taken.leg, taken.bridge), "free")
            raise
        finally:
            changed.cancel()
        return answer.result() if answer.done() else None

    def _left_s(self, until: datetime) -> float:
        return (until - self.centre.clock.now()).total_seconds()


async def _until(event: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()


def state(centre: Centre) -> list[Json]:
    """All that have not ended, the longest waiting first, as the live state tells them."""
    known = sorted(centre.memory.callbacks.open.values(), key=lambda one: (one.place, one.id))
    return [_state(centre, one) for one in known]


def _state(centre: Centre, memory: CallbackMemory) -> Json:
    session = centre.session
    call = session.calls.get(memory.call or "") if session is not None else None
    operator = call.operator if call is not None else None
    shown = "waiting"
    if memory.call is not None:
        shown = "talking" if memory.reached else "calling"
    elif memory.next_at is not None and memory.next_at > centre.clock.now():
        shown = "later"
    elif session is not None:
        rung = [ring.offer.operator for ring in session.floor.rings.values() if ring.call.id == memory.id]
        if rung:
            shown, operator = "ringing", rung[0]
    called = next((one for one in centre.site.numbers if one.digits == memory.called), None)
    return {
        "id": memory.id,
        "number": memory.number,
        "queue": memory.queue,
        "state": shown,
        "place_since": iso(memory.place),
        "tries": memory.tried,
        "next_at": iso(memory.next_at) if shown == "later" and memory.next_at is not None else None,
        "of": memory.of,
        "language": memory.language,
        "operator": operator,
        "called": memory.called,
        "called_name": called.name if called is not None else None,
        "path": list(memory.path),
        "booked_at": iso(memory.booked),
    }
