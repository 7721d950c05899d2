"""What a walk through a plan asks for (moves), what it tells the journal (facts), and the reasons it is
told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from dialplans import Prompt

OverflowReason = Literal["most_waiting", "longest_wait", "nobody", "expected_wait"]
UnansweredReason = Literal["busy", "no_answer", "refused", "trunk_full", "failed"]
EndReason = Literal["announcement", "menu", "closed", "callback"]


@dataclass(frozen=True)
class Fact:
    """For the journal: `kind` is `step` (a step was entered) or `key` (a key was pressed, or none came);
    `data` as in docs/interfaces.md."""

    kind: str
    data: Mapping[str, object]


@dataclass(frozen=True)
class Play:
    """Say these one after another, then `heard()`. `keys`: a key pressed meanwhile stops it
    (barge-in) and goes to `digit()`. Without it keys are passed over. `steps`: to which step each prompt
    belongs (`forward:ID` for a forward's own words)."""

    prompts: tuple[Prompt, ...]
    keys: bool = False
    steps: tuple[str, ...] = field(default=(), compare=False)


@dataclass(frozen=True)
class Ask:
    """Wait for one key: `digit(key)`, or `timed_out()` after so many seconds."""

    timeout_s: float


@dataclass(frozen=True)
class ToQueue:
    """Wait in this queue for an operator. `overflow(reason)` when the call has to leave it unanswered,
    `digit(key)` for each key. `back`: the caller has declined a callback there and comes back: what is asked
    of those who enter (most callers, expected wait) is not asked again."""

    queue: str
    back: bool = field(default=False, compare=False)


@dataclass(frozen=True)
class ToForward:
    """Connect to this forward; its own words have been said. `unanswered(reason)` when nobody answers."""

    forward: str


@dataclass(frozen=True)
class BookCallback:
    """Book a callback of this step's terms to `number` (digits), then `booked(new)`: whether it is a new one
    (False: that number waits for one already; None: it cannot be booked now)."""

    step: str
    number: str


@dataclass(frozen=True)
class End:
    """Hang up: the plan has come to its end (everything was said). `why`: `menu` (too many failures led
    straight to hang-up), `callback` (one was booked), else `closed` (the number was closed when called), else
    `announcement`."""

    why: EndReason


Move = Play | Ask | ToQueue | ToForward | BookCallback | End
