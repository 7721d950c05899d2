"""Callbacks that keep the place (折り返し予約): booked in a call, then a place in line without a caller.

The journal's memory (`callback_memory`) holds what is booked; a session gives each a task that waits for its
turn. At its turn an operator's phone is rung as for anybody; `callback_call` does the rest.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any

from cdr import Event
from dialplans import CallbackOffer

from .call import Answer, Call
from .call import digits as plain
from .callback_call import Try, failed, given_up
from .callback_memory import CallbackMemory
from .clock import iso
from .queueing import standing
from .reaching import Taken

if TYPE_CHECKING:
    from .centre import Centre
    from .session import Session

log = logging.getLogger("daihyo.engine.callbacks")

Json = dict[str, Any]

# So many open ones at most: booked by one caller number, by all whose number is withheld, in one queue.
BY_ONE, BY_WITHHELD, IN_QUEUE = 2, 20, 200
AGAIN_S = 5.0  # after a fault of ours in its place in line


class Kept:
    """A booked callback's place in line. It stands where a waiting `Call` stands when a phone is rung."""

    def __init__(self, session: Session, memory: CallbackMemory) -> None:
        self.session = session
        self.memory = memory
        self.id = memory.id
        self.answer: asyncio.Future[Answer] | None = None
        self.changed = asyncio.Event()  # whether the citizen is on the line by themselves
        self.unreached = asyncio.Event()  # the talk of the try was none
        self.called_in = False  # answered in the queue while it was being tried
        self.taken: Taken | None = None  # by an operator: a try begins, or goes on
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

    @property
    def under_way(self) -> bool:
        """The citizen is being called or talks; nothing but the try itself ends it then."""
        return self.taken is not None or self.memory.call is not None

    def take(self, answer: Answer) -> bool:
        """An operator's phone was answered; False when it no longer waits."""
        if self.answer is None or self.answer.done():
            return False
        self.answer.set_result(answer)
        return True

    def waits(self) -> bool:
        return self.answer is not None and not self.answer.done()


class Callbacks:
    """All of a session. `kept` by id."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.centre = session.centre
        self.kept: dict[str, Kept] = {}

    # -- booked, dropped

    def book(self, call: Call, step: str, number: str) -> bool | None:
        """Books what the citizen has confirmed. False: that number waits for a callback already; None: there
        are too many of that caller or queue, which is noted. Asked again for the same call (after a restart)
        it is the same booking."""
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
        queue = standing(call, centre.site, offer.queue)
        if (bound := self._bound(call, queue)) is not None:
            log.warning("call %s: no callback to %s, too many of the same %s", call.id, number, bound)
            centre.note("callback_refused", call.id, step=step, queue=queue, number=number, reason=bound)
            return None
        centre.note(
            "callback_booked",
            call.id,
            callback=id,
            step=step,
            queue=queue,
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

    def _bound(self, call: Call, queue: str) -> str | None:
        """Whoever books for numbers of others burns operators and a trunk; of what it is too many."""
        known = self.centre.memory.callbacks
        caller, booked = known.booked_by(call.id)
        if booked >= (BY_WITHHELD if caller is None else BY_ONE):
            return "caller"
        return "queue" if sum(one.queue == queue for one in known.open.values()) >= IN_QUEUE else None

    def begin(self, memory: CallbackMemory, taken: Taken | None = None) -> None:
        """Gives a booked callback its task. `taken`: by the operator, already (recovery)."""
        kept = self.kept[memory.id] = Kept(self.session, memory)
        kept.taken = taken
        kept.task = self.session.start(self._run(kept), f"callback {memory.id}")
        self.centre.live.callbacks()

    def talks(self, memory: CallbackMemory) -> None:
        """One that the citizen has taken: it is over with that call."""
        kept = self.kept[memory.id] = Kept(self.session, memory)
        if memory.call not in self.session.calls:
            self.end(kept, "done")

    def give_up(self, memory: CallbackMemory) -> None:
        """One whose last try has failed."""
        kept = self.kept[memory.id] = Kept(self.session, memory)
        self.end(kept, given_up(self.centre, memory))

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

    # -- the citizens who call by themselves meanwhile, and calls that end

    def noted(self, event: Event) -> None:
        """A fact of any call, just noted: those with whom it has to do look again."""
        if not self.kept or event.call is None:
            return
        for id in self.centre.memory.callbacks.concerned:
            kept = self.kept.get(id)
            if kept is None:
                continue
            match event.kind:
                case "answered" if kept.memory.call == event.call:
                    self.centre.live.callbacks()
                case "answered":
                    self._called_in(kept, event.call)
                case "ended" if kept.memory.reached and kept.memory.call == event.call:
                    self.end(kept, "done")
                case "arrived" | "ended":
                    kept.changed.set()

    def _called_in(self, kept: Kept, id: str) -> None:
        """Somebody was answered in the queue of a callback to them: they need none any more."""
        call = self.session.calls.get(id)
        if call is None or call.caller is None or plain(call.caller) != kept.memory.number:
            return
        if kept.memory.queue == call.queue:
            kept.called_in = True
            if not kept.under_way:
                self.end(kept, "called_in")

    def over(self, call: Call) -> None:
        """A call is about to be noted as ended: a citizen whom it did not reach is tried again."""
        memory = self.centre.memory.callbacks.of_try(call.id)
        if memory is None or memory.reached:
            return
        failed(self.session, memory, call.id, "failed")
        call.end_reason = "failed"
        if (kept := self.kept.get(memory.id)) is not None:
            kept.unreached.set()

    # -- its life

    async def _run(self, kept: Kept) -> None:
        """Until the citizen has taken it, or it was the last try."""
        while True:
            if kept.taken is None:
                try:
                    await self._later(kept)
                    kept.taken = await self._turn(kept)
                except Exception:
                    log.exception("callback %s: its place in line", kept.id)
                    self._out_of_line(kept)
                    await asyncio.sleep(AGAIN_S)
                    continue
            if kept.taken is None:
                self.end(kept, "expired")
                return
            kept.unreached.clear()
            await Try(self.session, kept, kept.taken).run()
            kept.taken = None
            if kept.called_in or kept.memory.last:
                self.end(kept, "called_in" if kept.called_in else given_up(self.centre, kept.memory))
                return

    async def _later(self, kept: Kept) -> None:
        """Until it may be tried again."""
        if kept.memory.next_at is not None:
            await asyncio.sleep(self._left_s(kept.memory.next_at))

    async def _turn(self, kept: Kept) -> Taken | None:
        """In line with its place until an operator answers; out of it while the citizen is on the line. None:
        it was kept for too long."""
        memory = kept.memory
        line = self.centre.memory.callbacks
        while (left_s := self._left_s(memory.expires)) > 0:
            kept.changed.clear()
            if line.on_the_line(memory):
                await _until(kept.changed, left_s)
                continue
            if not kept.waits():
                self._into_line(kept)
            assert kept.answer is not None  # noqa: S101  (made above)
            if (answer := await self._answered(kept, kept.answer, left_s)) is not None:
                return Taken(answer.operator, answer.phone, answer.leg, answer.bridge)
            if line.on_the_line(memory) or self._left_s(memory.expires) <= 0:
                self._out_of_line(kept)
        return None

    def _into_line(self, kept: Kept) -> None:
        memory = kept.memory
        queues = [queue.id for queue in self.centre.site.queues]  # of now: plans change meanwhile
        kept.answer = asyncio.get_running_loop().create_future()
        self.session.floor.waits(
            kept.id,
            memory.queue if memory.queue in queues else queues[0],
            since=memory.place_mono,
            priority=memory.priority,
            language=memory.language,
        )
        self.centre.live.callbacks()

    def _out_of_line(self, kept: Kept) -> None:
        if kept.answer is not None:
            kept.answer.cancel()
        self.session.floor.gone(kept.id)

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
                self.session.start(
                    self.session.free(kept.id, taken.operator, taken.leg, taken.bridge), "free"
                )
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
    session = centre.session
    rings = session.floor.rings.values() if session is not None else ()
    rung = {ring.call.id: ring.offer.operator for ring in rings}
    names = {one.digits: one.name for one in centre.site.numbers}
    now = centre.clock.now()
    return [_state(centre, one, rung, names, now) for one in known]


def _state(
    centre: Centre, memory: CallbackMemory, rung: dict[str, str], names: dict[str, str], now: datetime
) -> Json:
    call = centre.session.calls.get(memory.call or "") if centre.session is not None else None
    operator = call.operator if call is not None else None
    shown = "waiting"
    if memory.call is not None:
        shown = "talking" if memory.reached else "calling"
    elif memory.next_at is not None and memory.next_at > now:
        shown = "later"
    elif memory.id in rung:
        shown, operator = "ringing", rung[memory.id]
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
        "called_name": names.get(memory.called),
        "path": list(memory.path),
        "booked_at": iso(memory.booked),
    }
