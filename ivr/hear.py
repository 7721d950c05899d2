"""What will callers hear? A walk without a telephone, line by line."""

from __future__ import annotations

import datetime as dt
from collections import deque
from dataclasses import dataclass

from dialplans import Language, Prompt, Site
from ivr.flow import Walk
from ivr.moves import Ask, BookCallback, End, Play, ToForward, ToQueue
from ivr.opening import Switches

NO_KEY = "-"
EXAMPLE_CALLER = "09012345678"
_KEYS = "0123456789*#"


@dataclass(frozen=True)
class HeardLine:
    """One announcement. `step`: as in `Play.steps`. `key`: pressed after it; `-` when a menu waited in vain;
    None when nothing was asked."""

    step: str
    prompt: Prompt
    key: str | None = None


@dataclass(frozen=True)
class Heard:
    """Everything in order, and where it ends: in words (`ending` Japanese, `ending_en` English) and as a
    target (`queue:ID`, `forward:ID`, `hangup`). `path`: labels of the keys."""

    lines: list[HeardLine]
    ending: str
    target: str
    ending_en: str
    open: bool
    language: Language
    path: tuple[str, ...]


def hear(
    site: Site,
    number: str,
    at: dt.datetime,
    keys: str = "",
    switches: Switches | None = None,
    *,
    withheld: bool = False,
    caller: str = EXAMPLE_CALLER,
) -> Heard:
    """What somebody hears who calls `number` at the aware time `at` and presses `keys` (`12` or `1,2`), one
    at each question; `-` lets a question pass, as all questions are let pass when the keys are used up. In a
    queue the next key counts where it asks for a callback there. `caller`: whose number is offered for one.
    Raises KeyError for a number that is not ours, ValueError for a key that telephones do not have."""
    left = deque(keys_of(keys))
    walk = Walk(site, number, at, switches=switches, withheld=withheld, caller=caller)
    lines: list[HeardLine] = []
    move = walk.begin()
    while True:
        match move:
            case Play(prompts=prompts, steps=steps):
                lines += map(HeardLine, steps, prompts)
                move = walk.heard()
            case Ask():
                key = left.popleft() if left else NO_KEY
                lines[-1] = HeardLine(lines[-1].step, lines[-1].prompt, key)
                move = walk.timed_out() if key == NO_KEY else walk.digit(key)
            case BookCallback():
                move = walk.booked(new=True)
            case ToQueue(queue=id):
                if left and (asked := walk.digit(left[0])) is not move:
                    left.popleft()
                    move = asked
                    continue
                name = site.queue(id).name
                ja, en, target = f"「{name}」の順番を待つ", f"waits in the queue “{name}”", f"queue:{id}"
                break
            case ToForward(forward=id):
                name = site.forward(id).name
                ja, en, target = f"「{name}」へ転送", f"forwarded to “{name}”", f"forward:{id}"
                break
            case End(why="callback"):
                ja, en, target = (
                    "折り返しを予約して、電話を切る",
                    "a callback is booked, the call is ended",
                    "hangup",
                )
                break
            case End():
                ja, en, target = "電話を切る", "the call is ended", "hangup"
                break
    return Heard(lines, ja, target, en, walk.open, walk.language, walk.path)


def keys_of(written: str) -> list[str]:
    """`1,2`, `1 2` or `12` → ["1", "2"]; `-` stands for no key. Raises ValueError that names the sign."""
    keys = [sign for sign in written if sign not in ", 、"]
    for key in keys:
        if key != NO_KEY and key not in _KEYS:
            raise ValueError(f"“{key}” is no key of a telephone; use 0-9, *, # and {NO_KEY} for none")
    return keys
