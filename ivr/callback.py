"""The dialogue of a callback (折り返し予約): offered, the number confirmed or keyed in."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass

from dialplans import (
    CallbackOffer,
    Language,
    Prompt,
    Site,
    WordingName,
    callback_number,
    said_number,
    spoken,
)

FAILURES_MAX = 3  # in one question; then the call goes on without a callback
DIGITS_MAX = 15
YES, ANOTHER, DONE, AGAIN = "1", "2", "#", "*"


class Stage(enum.Enum):
    """Where the dialogue stands."""

    OFFER = "offer"
    CONFIRM = "confirm"  # the number is read out: 1 is right, 2 another
    ENTER = "enter"
    BOOK = "book"
    DECLINED = "declined"


_WORDS: dict[str, tuple[WordingName, ...]] = {
    "wrong": ("wrong_key",),
    "none": ("no_key",),
    "not_possible": ("callback_not_possible",),
}


@dataclass(frozen=True)
class Turn:
    """What a key (None: none came) meant: `does` for the journal; None: a digit of a number, more to come.
    `number`: what was keyed in."""

    does: str | None
    number: str | None = None

    @property
    def words(self) -> tuple[WordingName, ...]:
        """Said before the next question."""
        return _WORDS.get(self.does or "", ())

    @property
    def data(self) -> Mapping[str, object]:
        """For the fact."""
        return {} if self.number is None else {"number": self.number}


class Dialogue:
    """One offer in one call. `caller`: who calls, None when withheld. `asked`: the citizen has asked for it
    (by the queue's key), so the offer itself is not said. `key` tells the next thing; `stage` where it
    stands then. `apply` does the same from a journal."""

    def __init__(self, site: Site, step: CallbackOffer, caller: str | None, *, asked: bool = False) -> None:
        self.site = site
        self.step = step
        self.number = callback_number(site, caller) if caller is not None else None
        self.stage = self._after_offer() if asked else Stage.OFFER
        self.typed = ""
        self.failures = 0

    def _after_offer(self) -> Stage:
        return Stage.CONFIRM if self.number is not None else Stage.ENTER

    def key(self, key: str | None) -> Turn:
        """A key, or none in the time of a question."""
        if self.stage is Stage.ENTER and key is not None and key.isdecimal():
            self.typed += key
            if len(self.typed) <= DIGITS_MAX:
                return Turn(None)
        turn = self._turn(key)
        self.apply(str(turn.does), turn.number)
        return turn

    def _turn(self, key: str | None) -> Turn:
        match self.stage, key:
            case Stage.OFFER, None:
                return Turn("none")
            case Stage.OFFER, _:
                return Turn("callback" if key == self.step.key else "declined")
            case Stage.CONFIRM, _ if key == YES:
                return Turn("confirmed")
            case Stage.CONFIRM, _ if key == ANOTHER:
                return Turn("another")
            case Stage.ENTER, _ if key == AGAIN:
                return Turn("repeat")
            case Stage.ENTER, _ if self.typed and (key is None or key == DONE or key.isdecimal()):
                number = callback_number(self.site, self.typed)
                if number is None:
                    return Turn("not_possible", self.typed)
                return Turn("number", number)
            case Stage.ENTER, _ if key == DONE:
                return Turn("none")
            case _, None:
                return Turn("none")
        return Turn("wrong")

    def apply(self, does: str, number: str | None = None) -> None:
        """What a key did, in order; live and from a journal alike."""
        self.typed = ""
        match does:
            case "callback":
                self._to(self._after_offer())
            case "declined":
                self.stage = Stage.DECLINED
            case "confirmed":
                self.stage = Stage.BOOK
            case "another":
                self._to(Stage.ENTER)
            case "number":
                self.number = number
                self._to(Stage.CONFIRM)
            case _ if self.stage is Stage.OFFER:
                self.stage = Stage.DECLINED
            case _:
                self.failures += 1
                if self.failures >= FAILURES_MAX:
                    self.stage = Stage.DECLINED

    def _to(self, stage: Stage) -> None:
        self.stage, self.failures = stage, 0

    def question(self, language: Language) -> list[Prompt]:
        """What is asked at this stage."""
        wording = self.site.wording
        if self.stage is Stage.OFFER:
            return [spoken(self.step.say, self.site.language, language)]
        if self.stage is Stage.CONFIRM:
            return said_number(wording, "callback_confirm", self.number or "", language)
        return [wording.said("callback_enter", language)]

    def last_words(self, new: bool, shown: str, language: Language) -> list[Prompt]:
        """After the booking. `shown`: the number from which the centre will call."""
        wording = self.site.wording
        if new:
            return said_number(wording, "callback_booked", shown, language)
        return [wording.said("callback_already", language), wording.said("goodbye", language)]
