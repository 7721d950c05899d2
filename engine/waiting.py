"""The queue as a citizen lives it: music, announcements, the place and the wait told; until an operator
answers or the plan sends the call on."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dialplans import POSITIONS, Queue, Site, Waiting, event_prompt, spoken, told
from ivr import OverflowReason, expected_wait
from switch import ChannelGone, SwitchError

from .call import Answer, Call, Phase
from .conversation import Returned, conversation

if TYPE_CHECKING:
    from .session import Session

log = logging.getLogger("daihyo.engine.waiting")

AT_ONCE_S = 1.0  # an operator who answers at once is not preceded by a scrap of music
AGAIN_S = 1.0  # before music that failed is tried again
RING_OVER_S = 0.5  # a limit that passes while a phone rings waits for the end of the ringing
RETURNED_PRIORITY = 100  # a citizen who lost the operator's phone goes to the front of the queue


@dataclass(frozen=True)
class Entry:
    """How a queue is entered. `again`: after an operator's phone has died; `noted`: the journal has it."""

    priority: int = 0
    prefer: str | None = None
    again: bool = False
    noted: bool = False


async def served(session: Session, call: Call, answer: Answer) -> None:
    """The conversation, and another one whenever an operator's phone has died, until somebody hangs up."""
    while True:
        ending = await conversation(session, call, answer)
        if not isinstance(ending, Returned):
            call.ended_by = call.ended_by or ending
            return
        answer = await returned(session, call, ending.operator)


async def returned(session: Session, call: Call, operator: str) -> Answer:
    """In front of all others, until somebody answers: no limit sends such a citizen on."""
    entry = Entry(RETURNED_PRIORITY, operator, again=True)
    while True:
        answer = await queue(session, call, call.queue or "", entry)
        if isinstance(answer, Answer):
            return answer


async def queue(session: Session, call: Call, name: str, entry: Entry = Entry()) -> Answer | OverflowReason:
    """Waits for an operator who answers, or until the plan's limits send the call on.

    The place in line is that of the first entry (`call.queued_mono`): nobody loses it by our doing.
    """
    centre = session.centre
    rules = rules_of(call, centre.site, name)
    name = call.queue = standing(call, centre.site, name)
    call.answer = asyncio.get_running_loop().create_future()
    if not entry.noted:
        event = centre.note(
            "queued",
            call.id,
            queue=name,
            priority=entry.priority,
            again=entry.again,
            prefer=entry.prefer,
            language=call.language,
        )
        if call.queued_mono is None:
            call.queued, call.queued_mono = event.at, event.mono
        if not entry.again:
            call.entered_mono = centre.clock.mono()
    if not (entry.again or entry.noted) and (over := _refused(session, rules, name)) is not None:
        return _over(session, call, rules, over)
    session.phase(call, Phase.WAITING)
    since = call.queued_mono if call.queued_mono is not None else centre.clock.mono()
    session.floor.waits(call.id, name, since=since, priority=entry.priority, prefer=entry.prefer)
    comfort = session.start(_Comfort(session, call, rules, name).run(), f"comfort {call.id}")
    limit = asyncio.create_task(_limit(session, call, rules, name, free=entry.again))
    try:
        try:
            either: set[asyncio.Future[Any]] = {call.answer, limit}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        finally:
            comfort.cancel()
            limit.cancel()
            await asyncio.wait([comfort, limit])
    except asyncio.CancelledError:
        if not call.answer.done():
            call.answer.cancel()
        elif not session.detached:
            # Hung up and answered in one moment: nobody else would let that phone go.
            answer = call.answer.result()
            session.conversation_over(call, answer.operator, answer.leg, answer.bridge, at_once=False)
        raise
    if call.answer.done():
        return call.answer.result()
    call.answer.cancel()
    session.floor.gone(call.id)
    return _over(session, call, rules, limit.result())


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


def _refused(session: Session, rules: Queue, name: str) -> OverflowReason | None:
    """Why the queue cannot be entered."""
    if rules.nobody is not None and session.floor.signed_on(name) == 0:
        return "nobody"
    most = rules.most_waiting if rules.overflow is not None else None
    if most is not None and session.floor.waiting_in(name) >= most:
        return "most_waiting"
    return None


def _over(session: Session, call: Call, rules: Queue, reason: OverflowReason) -> OverflowReason:
    to = rules.nobody if reason == "nobody" else rules.overflow
    session.centre.note("overflowed", call.id, queue=call.queue, reason=reason, to=to)
    return reason


async def _limit(session: Session, call: Call, rules: Queue, name: str, *, free: bool) -> OverflowReason:
    """Returns when the call can wait no longer; never where the plan sets no limit. A phone that rings for
    it may ring to its end."""
    longest = rules.longest_wait_s if rules.overflow is not None and not free else None
    nobody = rules.nobody is not None and not free
    entered = call.entered_mono if call.entered_mono is not None else session.centre.clock.mono()
    while True:
        staffing = session.floor.staffing
        left = None if longest is None else entered + longest - session.centre.clock.mono()
        over = left is not None and left <= 0
        if over or (nobody and session.floor.signed_on(name) == 0):
            if not session.floor.rings_for(call.id):
                return "longest_wait" if over else "nobody"
            left = RING_OVER_S
        with suppress(TimeoutError):
            async with asyncio.timeout(left):
                await (staffing.wait() if nobody else asyncio.Event().wait())


class _Comfort:
    """What a waiting citizen hears: music, and what the plan tells at its times, in the call's language.
    What is due at one time is said together."""

    def __init__(self, session: Session, call: Call, rules: Queue, name: str) -> None:
        self.session, self.call, self.rules, self.name = session, call, rules, name
        now = session.centre.clock.mono()
        entered = call.entered_mono if call.entered_mono is not None else now
        tells = list(rules.tells)
        if not tells and (rules.say_position or rules.say_wait):
            tells = [Waiting(after_s=0, every_s=rules.waiting_announcement_every_s)]
        self.due = [(entered + tell.after_s, tell) for tell in tells]
        if now - entered > AT_ONCE_S:
            self._pass_over(now)  # taken up after a restart: said already

    def _pass_over(self, now: float) -> list[Waiting]:
        """Takes out what is due until now, and sets when it is due again."""
        taken = [tell for at, tell in self.due if at <= now]
        later = []
        for at, tell in self.due:
            if at > now:
                later.append((at, tell))
            elif tell.every_s is not None:
                rounds = int((now - at) // tell.every_s) + 1
                later.append((at + rounds * tell.every_s, tell))
        self.due = later
        return taken

    async def run(self) -> None:
        centre, call = self.session.centre, self.call
        if self.session.floor.rings_for(call.id):
            self.due = [(at + (tell.every_s or 0), tell) for at, tell in self.due]
            await asyncio.sleep(AT_ONCE_S)
        while True:
            try:
                if keys := self._said(self._pass_over(centre.clock.mono())):
                    await call.quiet()
                    await call.channel.play(*(f"sound:daihyo-{key}" for key in keys))
                await call.ringing(False)
                await call.music(True, self.rules.music)
                next_at = min((at for at, _ in self.due), default=None)
                wait_s = None if next_at is None else max(0.0, next_at - centre.clock.mono())
                with suppress(TimeoutError):
                    async with asyncio.timeout(wait_s):
                        await asyncio.Event().wait()
            except ChannelGone:
                return  # the call's own task hears of it
            except SwitchError as problem:
                # A lost line ends the session, and this with it; one request that failed is tried again.
                log.warning("call %s: waiting music failed: %s", call.id, problem)
                call.plays_music = None
                await asyncio.sleep(AGAIN_S)

    def _said(self, due: list[Waiting]) -> list[str]:
        """The sounds of what is due, the place and the wait after it."""
        floor, call, rules = self.session.floor, self.call, self.rules
        keys: list[str] = []
        figures = False
        for tell in due:
            if tell.congested and floor.waiting_in(self.name) <= floor.signed_on(self.name):
                continue
            figures = True
            if tell.say is not None:
                keys.append(spoken(tell.say, rules.language, call.language).key)
            if tell.events is not None:
                today = self.session.centre.plan_now().astimezone(call.site.zone).date()
                events = told(call.site, tell.events, today)
                keys += [event_prompt(call.site, event, call.language).key for event in events]
        return keys + self._figures() if figures else keys

    def _figures(self) -> list[str]:
        centre, call, rules, wording = self.session.centre, self.call, self.rules, self.call.site.wording
        position = self.session.floor.position(call.id)
        if position is None:
            return []
        keys: list[str] = []
        if rules.say_position and position <= POSITIONS:
            keys.append(wording.said("position", call.language, n=position).key)
        if rules.say_wait:
            served_at = list(centre.memory.served.get(self.name, ()))
            minutes = expected_wait(position, served_at, centre.clock.mono())
            if minutes is not None:
                wait = wording.said(
                    "wait_minutes" if minutes else "wait_long", call.language, minutes or None
                )
                keys.append(wait.key)
        return keys
