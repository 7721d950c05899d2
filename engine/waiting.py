"""The queue as a citizen lives it: music, announcements, the place and the wait told; until an operator
answers or the plan sends the call on."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dialplans import POSITIONS, Queue, Waiting, WordingName, event_prompt, spoken, told
from ivr import Move, OverflowReason, ToQueue, expected_wait
from switch import ChannelGone, SwitchError

from .call import Answer, Call, Phase
from .clock import iso
from .conversation import Polite, Returned, TakenOver, conversation
from .queueing import limit, over, priority_of, refused, rules_of, standing
from .transfer import FoundTransfer, Left
from .transfer_memory import RETURNED_PRIORITY
from .transferred import Waits, ends_wrap_up, left_to
from .voice import last_words

if TYPE_CHECKING:
    from .session import Session

log = logging.getLogger("daihyo.engine.waiting")

AT_ONCE_S = 1.0  # an operator who answers at once is not preceded by a scrap of music
AGAIN_S = 1.0  # before music that failed is tried again


@dataclass(frozen=True)
class Entry:
    """How a queue is entered. `again`: after an operator's phone has died; `noted`: the journal has it;
    `back`: from the offer of a callback, which was declined (`stays`: the citizen had asked for it, so the
    queue's times go on); `ends_wrap_up`: of the operator preferred, who has written up this very call until
    now; `says`: what is told first."""

    priority: int = 0
    prefer: str | None = None
    again: bool = False
    noted: bool = False
    back: bool = False
    stays: bool = False
    ends_wrap_up: bool = False
    says: WordingName | None = None


async def served(
    session: Session,
    call: Call,
    answer: Answer,
    *,
    adopted: bool = False,
    held: bool = False,
    taken: bool = False,
    under_way: FoundTransfer | None = None,
) -> None:
    """The conversation, and another one whenever an operator's phone has died or a supervisor has taken the
    call over, until somebody hangs up. `adopted`, `held`, `taken`, `under_way`: of the first
    (recovery)."""
    while True:
        ending = await conversation(
            session, call, answer, adopted=adopted, held=held, taken=taken, under_way=under_way
        )
        adopted, held, under_way = False, False, None
        taken = isinstance(ending, TakenOver)
        match ending:
            case TakenOver():
                answer = ending.answer
            case Returned():
                answer = await returned(session, call, ending.operator)
            case Left():
                return await goes_on(session, call, ending)
            case Polite():
                await last_words(session, call)
                return
            case _:
                call.ended_by = call.ended_by or ending
                return


async def goes_on(session: Session, call: Call, left: Left) -> None:
    """As `served`, when the operator has left the citizen to the target of a transfer."""
    follows = await left_to(session, call, left)
    if isinstance(follows, Answer):
        await served(session, call, follows, adopted=True)
    elif follows is not None:
        await served(session, call, await waits(session, call, follows))


async def returned(session: Session, call: Call, operator: str) -> Answer:
    """In front of all others, until somebody answers: no limit sends such a citizen on."""
    back = session.centre.seats.there(operator)  # just too late
    entry = Entry(RETURNED_PRIORITY, operator, again=True, ends_wrap_up=back)
    return await _in_front(session, call, call.queue, entry)


async def waits(session: Session, call: Call, how: Waits) -> Answer:
    """As `returned`, after a transfer: for the operator who is to have it again, or in the queue that it was
    transferred to (before those who wait there, after those who have come back)."""
    if how.queue is not None:
        call.walk.resume(f"queue:{how.queue}", told_recording=True)
        return await _in_front(session, call, how.queue, Entry(RETURNED_PRIORITY - 1, again=True))
    entry = Entry(RETURNED_PRIORITY, how.operator, again=True, ends_wrap_up=True, says="transfer_back")
    return await _in_front(session, call, call.queue, entry)


async def _in_front(session: Session, call: Call, name: str | None, entry: Entry) -> Answer:
    while True:
        answer = await queue(session, call, name or "", entry)
        if isinstance(answer, Answer):
            return answer


async def queue(
    session: Session,
    call: Call,
    name: str,
    entry: Entry = Entry(),
) -> Answer | OverflowReason | Move:
    """Waits for an operator who answers, until the plan's limits send the call on, or until the citizen
    presses the key for a callback: what the walk makes of that.

    The place in line is that of the first entry (`call.queued_mono`): nobody loses it by our doing.
    """
    centre = session.centre
    rules = rules_of(call, centre.site, name)
    name = call.queue = standing(call, centre.site, name)
    call.answer = asyncio.get_running_loop().create_future()
    call.moved.clear()
    call.priority = entry.priority if entry.noted else entry.priority + priority_of(call)
    if not entry.noted:
        _note_queued(session, call, entry)
    if not (entry.again or entry.noted or entry.back):
        reason = refused(session, call, rules, name, call.priority)
        if reason is not None:
            return over(session, call, rules, reason)
    session.phase(call, Phase.WAITING)
    since = call.queued_mono if call.queued_mono is not None else centre.clock.mono()
    session.floor.waits(
        call.id, name, since=since, priority=call.priority, prefer=entry.prefer, language=call.language
    )
    call.back_to = entry.prefer if entry.ends_wrap_up else None
    ends_wrap_up(session, call.back_to, call.id)
    try:
        left = await _waited(session, call, call.answer, again=entry.again, says=entry.says)
    except asyncio.CancelledError:
        if not call.answer.done():
            call.answer.cancel()
        elif not session.detached:
            # Hung up and answered in one moment: nobody else would let that phone go.
            answer = call.answer.result()
            session.conversation_over(call, answer.operator, answer.leg, answer.bridge, at_once=False)
        raise
    if left is None:
        return call.answer.result()
    call.answer.cancel()
    session.floor.gone(call.id)
    if not isinstance(left, str):
        return left
    return over(session, call, rules_of(call, centre.site, call.queue or name), left)


def _note_queued(session: Session, call: Call, entry: Entry) -> None:
    first = call.queued_mono is None
    data: dict[str, Any] = {} if first or call.queued is None else {"since": iso(call.queued)}
    event = session.centre.note(
        "queued",
        call.id,
        queue=call.queue,
        priority=call.priority,
        again=entry.again,
        prefer=entry.prefer,
        language=call.language,
        **data,
    )
    if first:
        call.queued, call.queued_mono = event.at, event.mono
    if not (entry.again or entry.stays):
        call.entered_mono = session.centre.clock.mono()


async def _waited(
    session: Session,
    call: Call,
    answer: asyncio.Future[Answer],
    *,
    again: bool,
    says: WordingName | None = None,
) -> OverflowReason | Move | None:
    """None: answered; a Move: a key was pressed that leads elsewhere.
    A supervisor who moves the call (MON-3) gives it the other queue's words and limits."""
    while True:
        call.moved.clear()
        name = call.queue or ""
        rules = rules_of(call, session.centre.site, name)
        comfort = session.start(_Comfort(session, call, rules, name, says).run(), f"comfort {call.id}")
        limited = asyncio.create_task(limit(session, call, rules, name, free=again))
        moved = asyncio.create_task(call.moved.wait())
        pressed = asyncio.create_task(_pressed(call, rules, free=again))
        tasks: tuple[asyncio.Task[Any], ...] = (comfort, limited, moved, pressed)
        try:
            either: set[asyncio.Future[Any]] = {answer, limited, moved, pressed}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
        if answer.done():
            return None
        if not pressed.cancelled() and pressed.exception() is None:
            return pressed.result()
        says = None
        if not call.moved.is_set():
            return limited.result()


async def _pressed(call: Call, rules: Queue, *, free: bool) -> Move:
    """The key that asks for a callback; all others are passed over."""
    while rules.callback is None or free:
        await asyncio.Event().wait()
    while True:
        move = call.walk.digit(await call.channel.digit())
        if not isinstance(move, ToQueue):
            return move


class _Comfort:
    """What a waiting citizen hears: music, and what the plan tells at its times, in the call's language.
    What is due at one time is said together."""

    def __init__(
        self, session: Session, call: Call, rules: Queue, name: str, says: WordingName | None = None
    ) -> None:
        self.session, self.call, self.rules, self.name = session, call, rules, name
        self.first = [] if says is None else [call.site.wording.said(says, call.language).key]
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
            await asyncio.sleep(0 if self.first else AT_ONCE_S)
        while True:
            try:
                if keys := self.first + self._said(self._pass_over(centre.clock.mono())):
                    self.first = []
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
