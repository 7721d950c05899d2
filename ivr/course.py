"""What the plan makes of a call: the steps of a `Walk`, each of which gives the next move."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from functools import partial

from dialplans import (
    CallbackOffer,
    HoursBranch,
    Language,
    Menu,
    Notice,
    Prompt,
    Said,
    Say,
    Site,
    Step,
    TellEvents,
    WordingName,
    event_prompt,
    leads_to_people,
    spoken,
    told,
)
from ivr.callback import Dialogue, Stage, Turn
from ivr.moves import Ask, BookCallback, End, EndReason, Fact, Move, Play, ToForward, ToQueue
from ivr.opening import Switches, hours_now, number_of, open_now
from ivr.way import Way

KEYS_MAX = 100  # keys given or missing in one call; then it ends kindly: nobody keeps a line for ever
MOVED_MAX = 20  # times a call is sent on by overflow and unanswered forwards


class Course:
    """A walk's state and what moves are made of. Arguments and attributes as in `Walk`."""

    def __init__(
        self,
        site: Site,
        number: str,
        at: dt.datetime,
        *,
        switches: Switches | None = None,
        withheld: bool = False,
        caller: str | None = None,
        language: Language | None = None,
    ) -> None:
        self.site = site
        self.number = number_of(site, number)
        self.at = at
        self.withheld = withheld
        self.caller = None if withheld else caller
        self.language: Language = language or self.number.language
        self.step = ""
        self.told_recording = False
        self._switches = switches or Switches()
        self.open, self._special = open_now(site, self.number, at, self._switches)
        self._steps = {step.id: step for step in site.steps}
        self._facts: list[Fact] = []
        self._way = Way()
        self._dialogue: Dialogue | None = None  # of a callback, while it goes on
        self._asked = False  # for it, by a key
        self._left: str | None = None  # the queue that it was offered or asked for in
        self._moved = 0  # times sent on
        self._steps_since = 0  # since the last question: more than there are steps is a circle
        self._move: Move = End("announcement")
        self._then: Callable[[], Move] = lambda: self._move

    # What a move is made of.

    def _now(self, move: Move) -> Move:
        self._move = move
        return move

    @property
    def _asking(self) -> bool:
        return isinstance(self._move, Ask) or (isinstance(self._move, Play) and self._move.keys)

    def _play(self, prompts: Sequence[Prompt], then: Callable[[], Move], *steps: str) -> Move:
        """`steps`: of each prompt; none given: the present step's."""
        self._then = then
        return Play(tuple(prompts), steps=steps or (self.step,) * len(prompts))

    def _said(self, said: Said, own: Language | None = None) -> Prompt:
        """In the call's language. Plain texts are in their `own` one, by default the site's."""
        return spoken(said, own or self.site.language, self.language)

    def _wording(self, name: WordingName) -> Prompt:
        return self.site.wording.said(name, self.language)

    def _entered(self, step: str, kind: str, ends: bool = False, to: str | None = None) -> None:
        self.step = step
        data: dict[str, object] = {"step": step, "step_kind": kind, "language": self.language}
        if ends:
            data["ends"] = True
        if to is not None:
            data["to"] = to
        self._facts.append(Fact("step", data))

    def _key_fact(self, step: str, key: str | None, does: str, **more: object) -> None:
        self._steps_since = 0
        data = {"step": step, "key": key, "does": does, "language": self.language, **more}
        self._facts.append(Fact("key", data))

    def _dialogue_key(self, step: str, key: str | None, does: str, **more: object) -> None:
        """A key of a callback's dialogue; a digit of a number is no fact of its own."""
        self._way.keys += 1
        self._key_fact(step, key, does, **more)

    def _forget_facts_of(self, step: str) -> None:
        """Of a step that the journal has already; the greeting and its recording notice are told as one."""
        known = ("greeting", "recording_notice") if step in ("greeting", "recording_notice") else (step,)
        self._facts = [fact for fact in self._facts if fact.kind == "key" or fact.data["step"] not in known]

    # In front of the steps.

    def _notices_on(self) -> list[Notice]:
        """The switched-on notices that this number's callers hear."""
        known = {notice.id: notice for notice in self.site.notices}
        on = [known[id] for id in dict.fromkeys(self._switches.notices) if id in known]
        return [notice for notice in on if self.number in self.site.hearing(notice)]

    def _notices(self, left: list[Notice], onward: str | None = None) -> Move:
        """Each is said; the first that leads elsewhere decides where the call goes after all of them."""
        if not left:
            return self._go(onward, None) if onward is not None else self._entrance()
        notice, *others = left
        onward = onward or notice.next
        self._entered(f"notice:{notice.id}", "notice", ends=not others and onward == "hangup")
        return self._play([self._said(notice.say)], partial(self._notices, others, onward))

    def _entrance(self) -> Move:
        number = self.number
        if self.withheld and number.withheld is not None:
            return self._go(number.withheld, "sorry_goodbye")
        if self.open:
            return self._greet()
        special = number.holiday if self._special is not None else None
        return self._go(special or number.closed or "hangup", "sorry_goodbye")

    def _greet(self) -> Move:
        number, begins = self.number, self.number.begins
        prompts = [self._said(number.greeting, number.language)]
        self._entered("greeting", "greeting", ends=begins == "hangup")
        # Where nobody can be reached nobody is recorded; `_place` sees to every other way.
        if not self.told_recording and leads_to_people(self.site, begins):
            prompts.append(self._recording_notice(begins))
        steps = ("greeting", "recording_notice")[: len(prompts)]
        return self._play(prompts, partial(self._go, begins, None), *steps)

    def _recording_notice(self, to: str) -> Prompt:
        self._entered("recording_notice", "recording_notice", ends=to == "hangup", to=to)
        self.told_recording = True
        return self._said(self.number.recording_notice, self.number.language)

    # From step to step.

    def _at(self, step: str) -> Move:
        """Where a walk that stood at `step` goes on."""
        if step.startswith("notice:"):
            on = self._notices_on()
            at = next((n for n, notice in enumerate(on) if f"notice:{notice.id}" == step), len(on))
            return self._notices(on[at:], next((notice.next for notice in on[:at] if notice.next), None))
        if step in ("greeting", "recording_notice"):
            return self._entrance()
        return self._go(step, "sorry_goodbye") if self._is_there(step) else self._notices(self._notices_on())

    def _is_there(self, target: str) -> bool:
        kind, _, id = target.partition(":")
        if kind == "queue":
            return any(queue.id == id for queue in self.site.queues)
        if kind == "forward":
            return any(forward.id == id for forward in self.site.forwards)
        return target in self._steps

    def _go(self, target: str, words: WordingName | None) -> Move:
        """To a target. `words`: said before a hang-up when nothing else was."""
        while target != "hangup":
            if not self._is_there(target) or self._steps_since > len(self._steps):
                return self._hang_up("sorry_goodbye")  # the checks refuse such plans; a call ends kindly
            if ":" in target:
                return self._place(target)
            self._steps_since += 1
            step: Step = self._steps[target]
            match step:
                case Menu():
                    return self._enter(step)
                case CallbackOffer():
                    return self._offer(step)
                case Say():
                    self._entered(step.id, "say", ends=step.next == "hangup")
                    return self._play([self._said(step.say)], partial(self._go, step.next, None))
                case TellEvents():
                    self._entered(step.id, "events", ends=step.next == "hangup")
                    if prompts := self._events(step):
                        return self._play(prompts, partial(self._go, step.next, None))
                    target = step.next
                case HoursBranch():
                    self._entered(step.id, "hours")
                    target = self._branch(step)
        return self._hang_up(words)

    def _branch(self, step: HoursBranch) -> str:
        """The number's switch rules its own hours, and every branch of a number that has none."""
        mode = self._switches.modes.get(self.number.digits)
        if step.hours == self.number.hours or (self.number.hours is None and mode is not None):
            open_, special = self.open, self._special
        else:
            open_, special = hours_now(self.site, step.hours, self.at)
        if open_:
            return step.open
        return step.holiday if special is not None and step.holiday is not None else step.closed

    def _events(self, step: TellEvents) -> list[Prompt]:
        today = self.at.astimezone(self.site.zone).date()
        events = [
            event_prompt(self.site, event, self.language) for event in told(self.site, step.board, today)
        ]
        first = step.before if events else step.none
        return ([self._said(first)] if first is not None else []) + events

    def _place(self, target: str) -> Move:
        """To a queue or a forward, never without the recording notice."""
        kind, _, id = target.partition(":")
        prompts, steps = [], []
        if not self.told_recording:
            prompts.append(self._recording_notice(target))
            steps.append(self.step)
        if kind == "forward" and (say := self.site.forward(id).say) is not None:
            prompts.append(self._said(say))
            steps.append(target)
        if prompts:
            return self._play(prompts, partial(self._arrive, target), *steps)
        return self._arrive(target)

    def _arrive(self, target: str) -> Move:
        self.step = target
        kind, _, id = target.partition(":")
        left, self._left, self._dialogue = self._left, None, None
        return ToQueue(id, back=id == left) if kind == "queue" else ToForward(id)

    def _sent_on(self, target: str) -> Move:
        self._moved += 1
        self._steps_since = 0
        over = self._moved > MOVED_MAX
        return self._now(self._hang_up("sorry_goodbye") if over else self._go(target, "sorry_goodbye"))

    def _hang_up(self, words: WordingName | None, why: EndReason | None = None) -> Move:
        end = End(why or ("announcement" if self.open else "closed"))
        return end if words is None else self._play([self._wording(words)], lambda: end)

    # Callbacks.

    def _offer(self, step: CallbackOffer) -> Move:
        """Whoever is called back is recorded: the notice comes first, if it was not heard yet."""
        if not self.told_recording:
            return self._play([self._recording_notice(step.id)], partial(self._offer, step))
        self._entered(step.id, "callback")
        self._begin_dialogue(step)
        return self._talked()

    def _begin_dialogue(self, step: CallbackOffer) -> None:
        asked, self._asked = self._asked, False
        self._dialogue = Dialogue(self.site, step, self.caller, asked=asked)

    def _turned(self, dialogue: Dialogue, key: str | None) -> Move:
        turn = dialogue.key(key)
        if turn.does is None:
            self._way.keys += 1
            return Ask(dialogue.step.timeout_s)
        self._dialogue_key(dialogue.step.id, key, turn.does, **turn.data)
        return self._talked(turn)

    def _talked(self, turn: Turn = Turn(None)) -> Move:  # noqa: B008  (frozen)
        """Where the dialogue stands: a question, the booking, or on without it."""
        dialogue = self._dialogue
        assert dialogue is not None  # noqa: S101  (asked while there is one)
        step = dialogue.step
        if dialogue.stage is Stage.BOOK:
            return BookCallback(step.id, dialogue.number or "")
        if dialogue.stage is Stage.DECLINED or self._way.keys >= KEYS_MAX:
            self._dialogue = None
            return self._go(step.declined, "goodbye")
        words = [self._wording(name) for name in turn.words]
        prompts = (*words, *dialogue.question(self.language))
        self._then = lambda: Ask(step.timeout_s)
        return Play(prompts, keys=True, steps=(step.id,) * len(prompts))

    # Menus.

    def _enter(self, menu: Menu) -> Move:
        self._left = self._dialogue = None
        self._way.enter(menu)
        self._entered(menu.id, "menu")
        return self._question(menu)

    def _question(self, menu: Menu, *before: Prompt) -> Move:
        if self._way.keys >= KEYS_MAX:
            return self._hang_up("sorry_goodbye")
        prompts = (*before, self._said(menu.say))
        self._then = lambda: Ask(menu.timeout_s)
        return Play(prompts, keys=True, steps=(menu.id,) * len(prompts))

    def _asked_again(self, menu: Menu, *words: Prompt) -> Move:
        """After a repeat or a failure: the same menu, unless there were too many failures."""
        if self._way.failures < menu.tries:
            return self._question(menu, *words)
        if menu.otherwise == "hangup":
            return self._hang_up("goodbye", "menu")
        return self._go(menu.otherwise, "goodbye")
