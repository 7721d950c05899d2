"""A call's walk through its plan: notices, hours, greeting, menus, to a destination.

Sans I/O: the walk says what is to be done next (a *move*), is told what came of it, and says the next. The
very same object leads real calls, `plan hear` and the property tests. It never reads a clock: the time of the
call is given at the start, and held for the whole walk.
"""

from __future__ import annotations

from collections.abc import Sequence

from dialplans import CallbackOffer, Language, Menu
from ivr.callback import Turn
from ivr.course import KEYS_MAX, Course
from ivr.moves import Ask, BookCallback, End, Fact, Move, OverflowReason, Play, ToForward, ToQueue
from ivr.moves import UnansweredReason as Unanswered


class Walk(Course):
    """One call's way. `begin()` gives the first move; each method that tells what happened gives the next.
    One that does not fit the present move gives that move again.

    `at`: aware time of the call's arrival. `language`: None is the number's own. `caller`: the number as it
    came, for a callback (None, or `withheld`: the caller keys one in). `open`: whether the number
    was open at `at`. `step`: where the call stands: a step's id, `notice:ID`, `greeting`, `recording_notice`,
    `queue:ID`, `forward:ID`, or "" before the first. Raises KeyError for a number that is not ours.
    """

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
            if self._dialogue_replayed(fact) and n == len(facts) and place is None:
                self.told_recording = "recording_notice" in names
                return self._now(self._dialogue_goes_on(fact))
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
        """A key was pressed, in a Play with `keys`, an Ask, or while waiting in a queue: there all keys but
        the one for callbacks are passed over (the same ToQueue again)."""
        if isinstance(self._move, ToQueue):
            return self._asked_for_callback(self._move.queue, key)
        if self._dialogue is not None and self._asking:
            return self._now(self._turned(self._dialogue, key))
        menu = self._way.menu
        if menu is None or not self._asking:
            return self._move
        chosen = self._way.key(key)
        if chosen is None:
            self._key_fact(menu.id, key, "wrong")
            words = self._said(menu.wrong) if menu.wrong is not None else self._wording("wrong_key")
            return self._now(self._asked_again(menu, words))
        self.language = chosen.language or self.language
        special = chosen.go in ("repeat", "back")
        self._key_fact(menu.id, key, chosen.go if special else chosen.label)
        if not special:
            return self._now(self._go(chosen.go, "goodbye"))
        if chosen.go == "back" and self._way.before is not None:
            return self._now(self._enter(self._way.before))
        return self._now(self._asked_again(menu))

    def timed_out(self) -> Move:
        """No key came in the time of an Ask."""
        if self._dialogue is not None and self._asking:
            waited = isinstance(self._move, Ask)
            return self._now(self._turned(self._dialogue, None)) if waited else self._move
        menu = self._way.menu
        if menu is None or not isinstance(self._move, Ask):
            return self._move
        self._way.key(None)
        self._key_fact(menu.id, None, "none")
        words = self._said(menu.silent) if menu.silent is not None else self._wording("no_key")
        return self._now(self._asked_again(menu, words))

    def overflow(self, reason: OverflowReason) -> Move:
        """The call cannot stay in its queue. Where the plan names no target, it may: ToQueue again."""
        if not isinstance(self._move, ToQueue):
            return self._move
        queue = self.site.queue(self._move.queue)
        target = queue.nobody if reason == "nobody" else queue.overflow
        if target is None:
            return self._move
        self._left = queue.id
        return self._sent_on(target)

    def unanswered(self, reason: Unanswered) -> Move:
        """Nobody answered at the forward, for whatever reason."""
        if not isinstance(self._move, ToForward):
            return self._move
        return self._sent_on(self.site.forward(self._move.forward).unanswered)

    def booked(self, new: bool | None) -> Move:
        """The callback is booked; not `new`: that number waits for one already; None: it cannot be booked,
        which is told, and the call goes on as if it had been declined."""
        dialogue = self._dialogue
        if dialogue is None or not isinstance(self._move, BookCallback):
            return self._move
        if new is None:
            self._dialogue = None
            words = [self._wording("callback_not_possible")]
            return self._now(self._play(words, lambda: self._go(dialogue.step.declined, "goodbye")))
        shown = (dialogue.step.caller_number or self.number.digits).replace("-", "")
        words = dialogue.last_words(new, shown, self.language)
        return self._now(self._play(words, lambda: End("callback")))

    # Callbacks.

    def _asked_for_callback(self, id: str, key: str) -> Move:
        """A key while waiting. Any but the one for callbacks is passed over: the same move again."""
        queue = self.site.queue(id)
        if queue.callback is None or key != queue.callback_key or self._way.keys >= KEYS_MAX:
            return self._move
        self._dialogue_key(f"queue:{id}", key, "callback")
        self._left, self._asked = id, True
        return self._now(self._go(queue.callback, "sorry_goodbye"))

    def _dialogue_replayed(self, fact: Fact) -> bool:
        """A fact from the journal, if it belongs to a callback's dialogue."""
        kind, _, id = self.step.partition(":")
        step = self._steps.get(self.step)
        if fact.kind == "step" and isinstance(step, CallbackOffer):
            queue = step.declined.removeprefix("queue:")
            back = self._is_there(f"queue:{queue}") and self.site.queue(queue).overflow == step.id
            self._left = self._left or (queue if back else None)
            self._begin_dialogue(step)
        elif fact.kind == "key" and kind == "queue":
            self._left, self._asked = id, True
            self._way.keys += 1
        elif fact.kind == "key" and self._dialogue is not None and step is self._dialogue.step:
            self._dialogue.apply(str(fact.data["does"]), _text(fact.data.get("number")))
            self._way.keys += 1
        else:
            self._dialogue = None
            return False
        return True

    def _dialogue_goes_on(self, last: Fact) -> Move:
        if self._asked and self._left is not None:  # the key was written, what it does had not begun
            target = self.site.queue(self._left).callback if self._is_there(f"queue:{self._left}") else None
            return self._go(target or f"queue:{self._left}", "sorry_goodbye")
        does = str(last.data["does"]) if last.kind == "key" else None
        return self._talked(Turn(does))


def _text(value: object) -> str | None:
    return None if value is None else str(value)
