"""A call's walk through its plan: hours, notice, greeting, menus, to a destination.

Sans I/O: the walk says what is to be done next (a *move*), is told what came of it, and says the next. The
very same object leads real calls, `plan hear` and the property tests. It never reads a clock: the time of the
call is given at the start, and held for the whole walk.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

from dialplans import Prompt


class Mode(enum.Enum):
    """A supervisor's switch over the hours (HRS-3)."""

    OPEN = "open"
    CLOSED = "closed"
    EXTENDED = "extended"  # 受付時間の延長: open until the switch expires


@dataclass(frozen=True)
class Switches:
    """What supervisors have switched: by number (digits) a mode; the notices (ids) that stand in front of
    everything, in order."""

    modes: Mapping[str, Mode] = field(default_factory=dict)
    notices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Fact:
    """For the journal: `kind` is `step` (a step was entered) or `key` (a key was pressed, or none came)."""

    kind: str
    data: Mapping[str, object]


@dataclass(frozen=True)
class Play:
    """Say these one after another, then `heard()`. `keys`: a key pressed meanwhile stops it
    (barge-in) and goes to `digit()`. Without it keys are passed over."""

    prompts: tuple[Prompt, ...]
    keys: bool = False


@dataclass(frozen=True)
class Ask:
    """Wait for one key: `digit(key)`, or `timed_out()` after so many seconds."""

    timeout_s: float


@dataclass(frozen=True)
class ToQueue:
    """Wait in this queue for an operator. `overflow(reason)` when the call has to leave it unanswered."""

    queue: str


@dataclass(frozen=True)
class ToForward:
    """Connect to this forward. `unanswered(reason)` when nobody answers there."""

    forward: str


@dataclass(frozen=True)
class End:
    """Hang up: the plan has come to its end (everything was said). `why`: `announcement`, `menu` (too many
    failures led to hang-up) or `closed`."""

    why: str


Move = Play | Ask | ToQueue | ToForward | End
