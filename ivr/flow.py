"""A call's walk through its plan: notices, hours, greeting, menus, to a destination.

Sans I/O: the walk says what is to be done next (a *move*), is told what came of it, and says the next. The
very same object leads real calls, `plan hear` and the property tests. It never reads a clock: the time of the
call is given at the start, and held for the whole walk.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from functools import partial
from typing import Literal

from dialplans import (
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
    event_prompt,
    leads_to_people,
    spoken,
    told,
)
from ivr.moves import Ask, End, EndReason, Fact, Move, OverflowReason, Play, ToForward, ToQueue
from ivr.moves import UnansweredReason as Unanswered
from ivr.opening import Switches, hours_now, number_of, open_now
from ivr.way import Way

KEYS_MAX = 100  # keys given or missing in one call; then it ends kindly: nobody keeps a line for ever
MOVED_MAX = 20  # times a call is sent on by overflow and unanswered forwards

_Words = Literal["wrong_key", "no_key", "goodbye", "sorry_goodbye"]


class Walk:
    """One call's way. `begin()` gives the first move; each method that tells what happened gives the next.
    One that does not fit the present move gives that move again.

    `at`: aware time of the call's arrival. `language`: None is the number's own. `open`: whether the number
    was open at `at`. `step`: where the call stands: a step's id, `notice:ID`, `greeting`, `recording_notice`,
    `queue:ID`, `forward:ID`, or "" before the first. Raises KeyError for a number that is not ours.
    """

    def __init__(
        self,
        site: Site,
        number: str,
        at: dt.datetime,
        *,
        switches: Switches | None = None,
        withheld: bool = False,
        language: Language | None = None,
    ) -> None:
        self.site = site
        self.number = number_of(site, number)
        self.at = at
        self.withheld = withheld
        self.language: Language = language or self.number.language
        self.step = ""
        self.told_recording = False
        self._switches = switches or Switches()
        self.open, self._special = open_now(site, self.number, at, self._switches)
        self._steps = {step.id: step for step in site.steps}
        self._facts: list[Fact] = []
        self._way = Way()
        self._moved = 0  # times sent on
        self._steps_since = 0  # since the last question: more than there are steps is a circle
        self._move: Move = End("announcement")
        self._then: Callable[[], Move] = self.begin

    @property
    def path(self) -> tuple[str, ...]:
        """Labels of the keys that led here, for operators (`くらし`, …)."""
        return tuple(self._way.path)

    @property
    def move(self) -> Move:
        """The present move."""
        return self._move

    def facts(self) -> list[Fact]:
        """Since the last time; taken and cleared."""
        taken, self._facts = self._facts, []
        return taken

    def begin(self) -> Move:
        """From the start."""
        return self._now(self._notices(self._notices_on()))

    def resume(self, step: str, language: Language | None = None, told_recording: bool = False) -> Move:
        """Goes on at a `step` (as the attribute; a menu is said again) whose fact is in the journal already.
        From the start where this plan has no such step. `replay` remembers more of the way."""
        self.language = language or self.language
        self.told_recording = told_recording and step != "recording_notice"
        move = self._at(step)
        self._forget_facts_of(step)
        return self._now(move)

    def replay(self, facts: Sequence[Fact], place: str | None = None) -> Move:
        """Goes on where a call stood, by its facts from the journal, in order: language, path, the way back
        and failures are as they were. `place`: the queue or forward it is in (`queue:ID`, `forward:ID`), None
        when it is in neither. What the facts tell already is not told again."""
        steps = [fact.data for fact in facts if fact.kind == "step"]
        names = [str(data["step"]) for data in steps]
        for n, fact in enumerate(facts, 1):
            self.language = "en" if fact.data["language"] == "en" else "ja"
            self.step = str(fact.data["step"])
            menu = self._steps.get(self.step)
            if fact.kind == "step" and isinstance(menu, Menu):
                self._way.enter(menu)
            elif fact.kind == "key" and menu is self._way.menu is not None:
                key = fact.data["key"] if isinstance(fact.data["key"], str) else None
                if n == len(facts) and place is None:  # what it does had not begun
                    self.told_recording = "recording_notice" in names
                    self._move = Ask(self._way.menu.timeout_s)
                    move = self.timed_out() if key is None else self.digit(key)
                    del self._facts[0]
                    return move
                self._way.key(key)
        if place is not None and "recording_notice" in names and self._is_there(place):
            self.told_recording = True
            return self._now(self._arrive(place))
        if place is not None or not names:
            return self.resume(place) if place is not None else self.begin()
        if names[-1] == "recording_notice" and names[-2:-1] != ["greeting"] and (to := steps[-1].get("to")):
            move = self.resume(str(to), self.language)
            self._forget_facts_of("recording_notice")
            return move
        return self.resume(names[-1], self.language, "recording_notice" in names)

    def heard(self) -> Move:
        """Everything of a Play was said, no key interrupted it."""
        return self._now(self._then()) if isinstance(self._move, Play) else self._move

    def digit(self, key: str) -> Move:
        """A key was pressed, in a Play with `keys` or an Ask."""
        menu = self._way.menu
        if menu is None or not self._asking:
            return self._move
        chosen = self._way.key(key)
        if chosen is None:
            self._key_fact(menu, key, "wrong")
            words = self._said(menu.wrong) if menu.wrong is not None else self._wording("wrong_key")
            return self._now(self._asked_again(menu, words))
        self.language = chosen.language or self.language
        special = chosen.go in ("repeat", "back")
        self._key_fact(menu, key, chosen.go if special else chosen.label)
        if not special:
            return self._now(self._go(chosen.go, "goodbye"))
        if chosen.go == "back" and self._way.before is not None:
            return self._now(self._enter(self._way.before))
        return self._now(self._asked_again(menu))

    def timed_out(self) -> Move:
        """No key came in the time of an Ask."""
        menu = self._way.menu
        if menu is None or not isinstance(self._move, Ask):
            return self._move
        self._way.key(None)
        self._key_fact(menu, None, "none")
        words = self._said(menu.silent) if menu.silent is not None else self._wording("no_key")
        return self._now(self._asked_again(menu, words))

    def overflow(self, reason: OverflowReason) -> Move:
        """The call cannot stay in its queue. Where the plan names no target, it may: ToQueue again."""
        if not isinstance(self._move, ToQueue):
            return self._move
        queue = self.site.queue(self._move.queue)
        target = queue.nobody if reason == "nobody" else queue.overflow
        return self._move if target is None else self._sent_on(target)

    def unanswered(self, reason: Unanswered) -> Move:
        """Nobody answered at the forward, for whatever reason."""
        if not isinstance(self._move, ToForward):
            return self._move
        return self._sent_on(self.site.forward(self._move.forward).unanswered)

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

    def _wording(self, name: _Words) -> Prompt:
        return self.site.wording.said(name, self.language)

    def _entered(self, step: str, kind: str, ends: bool = False, to: str | None = None) -> None:
        self.step = step
        data: dict[str, object] = {"step": step, "step_kind": kind, "language": self.language}
        if ends:
            data["ends"] = True
        if to is not None:
            data["to"] = to
        self._facts.append(Fact("step", data))

    def _key_fact(self, menu: Menu, key: str | None, does: str) -> None:
        self._steps_since = 0
        data = {"step": menu.id, "key": key, "does": does, "language": self.language}
        self._facts.append(Fact("key", data))

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

    def _go(self, target: str, words: _Words | None) -> Move:
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
        return ToQueue(id) if kind == "queue" else ToForward(id)

    def _sent_on(self, target: str) -> Move:
        self._moved += 1
        self._steps_since = 0
        over = self._moved > MOVED_MAX
        return self._now(self._hang_up("sorry_goodbye") if over else self._go(target, "sorry_goodbye"))

    def _hang_up(self, words: _Words | None, why: EndReason | None = None) -> Move:
        end = End(why or ("announcement" if self.open else "closed"))
        return end if words is None else self._play([self._wording(words)], lambda: end)

    # Menus.

    def _enter(self, menu: Menu) -> Move:
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
