"""The boxes of a plan: announcements, menus, branches; and the events and notices they tell of.

A *target* names where a call goes on: a step's id, `queue:ID`, `forward:ID` or `hangup`. A menu's key may
also `repeat` the menu or go `back` to the one before.
"""

from __future__ import annotations

import hashlib
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from dialplans.fields import Language, Name, Part, PhoneNumber, Slug, Text, as_written, bad
from dialplans.opening import Date
from dialplans.spoken import AudioKey, Said, Words

KEYS = "0123456789*#"
RESERVED = ("hangup", "repeat", "back")
_TARGET = r"^(?:(?:queue|forward):)?[a-z0-9][a-z0-9-]{0,31}$"

Target = Annotated[str, Field(pattern=_TARGET)]


def _one_key(value: str) -> str:
    if len(value) != 1 or value not in KEYS:
        raise bad(
            f"「{value}」は電話機のボタンではありません",
            f"“{value}” is no key of a telephone",
            "0～9、*、# のひとつを書いてください",
            "use one of 0–9, * and #",
        )
    return value


Key = Annotated[str, BeforeValidator(as_written), AfterValidator(_one_key)]


class MenuKey(Part):
    """What a key does. `language`: the call goes on in it."""

    go: Target
    label: Name  # くらし: shown to operators and in counts
    language: Language | None = None


class Menu(Part):
    """Asks for one key (振り分け). `tries`: how often it asks when nothing or a wrong key comes; then it goes
    to `otherwise`. Keys may be pressed while it still speaks."""

    id: Slug
    kind: Literal["menu"]
    name: Name | None = None
    say: Said
    keys: Annotated[dict[Key, MenuKey], Field(min_length=1)]
    timeout_s: Annotated[int, Field(ge=2, le=30)] = 6
    tries: Annotated[int, Field(ge=1, le=9)] = 3
    otherwise: Target
    wrong: Said | None = None  # None: the site's wording
    silent: Said | None = None


class Say(Part):
    """An announcement; then `next`, or the call ends kindly."""

    id: Slug
    kind: Literal["say"]
    name: Name | None = None
    say: Said
    next: Target = "hangup"


class HoursBranch(Part):
    """Goes by the time: `open` or `closed`; `holiday` on days that are closed as special ones."""

    id: Slug
    kind: Literal["hours"]
    name: Name | None = None
    hours: str
    open: Target
    closed: Target
    holiday: Target | None = None


class TellEvents(Part):
    """Tells the events of a board (イベント開催情報), then goes on. `none`: said when there is none that day;
    may be left out only where some event of the board is told always."""

    id: Slug
    kind: Literal["events"]
    name: Name | None = None
    board: Slug = "main"
    before: Said | None = None
    none: Said | None = None
    next: Target = "hangup"


class CallbackOffer(Part):
    """Offers to call back (折り返し予約): the citizen presses `key`, confirms the number or keys another,
    hangs up, and keeps the place in `queue`. `declined`: where the call goes without it. When its turn has
    come an operator is rung first, then the citizen by `trunk` for `ring_s`; not reached, again after
    `retry_s`, `tries` times in all, at most `keep_h` hours after the booking. `caller_number`: shown there;
    None: the number that was dialled."""

    id: Slug
    kind: Literal["callback"]
    name: Name | None = None
    say: Said
    key: Key = "1"
    queue: str
    trunk: str
    declined: Target
    caller_number: PhoneNumber | None = None
    ring_s: Annotated[int, Field(ge=10, le=120)] = 30
    tries: Annotated[int, Field(ge=1, le=9)] = 3
    retry_s: Annotated[int, Field(ge=30, le=7200)] = 300
    keep_h: Annotated[int, Field(ge=1, le=72)] = 24
    timeout_s: Annotated[int, Field(ge=2, le=30)] = 6


Step = Annotated[Menu | Say | HoursBranch | TellEvents | CallbackOffer, Field(discriminator="kind")]


class Forward(Part):
    """A telephone outside that citizens are connected to (guard room, city hall). `unanswered`: where a call
    goes when it is busy, silent for `ring_s`, refused, or the trunk is full."""

    id: Slug
    name: Name
    number: PhoneNumber
    trunk: str
    ring_s: Annotated[int, Field(ge=5, le=180)] = 30
    say: Said | None = None
    caller_number: PhoneNumber | None = None  # shown there; None: the number that was dialled
    unanswered: Target


class EventState(Part):
    """A state of events: `say` holds {event}, and may hold {date} and {note}. An id of the built-in ones
    (`events.STATES`) takes that one's place."""

    id: Slug
    name: Name
    say: Words


class Event(Part):
    """One event. It is told on its board from `tell_from` to `tell_until` (both included; None: always)."""

    id: Slug
    name: Words
    date: Date | None = None
    state: Slug
    note: Words | None = None
    board: Slug = "main"
    tell_from: Date | None = None
    tell_until: Date | None = None


class Notice(Part):
    """An emergency or disaster notice, made ready beforehand; one switch puts it in front of everything.
    `numbers`: on which (empty: all that hear notices). `next`: None goes on as ever. `two_people`: a second
    one confirms."""

    id: Slug
    name: Name
    say: Said
    numbers: Annotated[tuple[PhoneNumber, ...], Field(strict=False)] = ()
    next: Target | None = None
    two_people: bool = False


class Waiting(Part):
    """Said while waiting, `after_s` seconds after the queue was entered and `every_s` from then on (None:
    once). `congested`: only while more wait than operators are signed on. `events`: the board told after
    it."""

    after_s: Annotated[int, Field(ge=0, le=3600)]
    every_s: Annotated[int, Field(ge=10, le=3600)] | None = None
    say: Said | None = None
    congested: bool = False
    events: Slug | None = None


class Music(Part):
    """Waiting music from uploaded audio, with its licence."""

    id: Slug
    name: Name
    audio: Annotated[tuple[AudioKey, ...], Field(min_length=1, strict=False)]
    licence: Text

    @property
    def folder(self) -> str:
        """Of its files. By content: other audio is another folder, so Asterisk sees that the class changed,
        and whoever still hears the old one keeps its files."""
        return f"{self.id}-{hashlib.sha256(' '.join(self.audio).encode()).hexdigest()[:12]}"


class Diverted(Part):
    """A department's own line that is diverted to us; known by Diversion or History-Info."""

    number: PhoneNumber
    name: Name
