"""What stands in the form of each kind of box. Labels are texts: `plan.f.SECTION.KEY`, else `plan.f.KEY`."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Kind(enum.Enum):
    """How a field is shown and read."""

    TEXT = "text"
    PHONE = "phone"
    PHONES = "phones"  # several in one line
    SAID = "said"  # wording in two languages, each typed or uploaded
    WORDS = "words"  # the same, typed only
    TARGET = "target"
    GO = "go"  # a target, or repeat, or back
    CHOICE = "choice"
    NUMBER = "number"
    FLAG = "flag"
    DATE = "date"
    MONTH_DAY = "month_day"
    SPANS = "spans"  # 8:30-12:00 13:00-17:15
    WEEK = "week"
    ROWS = "rows"
    KEYS = "keys"  # rows known by the key of the telephone
    HOLIDAYS = "holidays"  # japan, or rows
    NUMBERS = "numbers"  # some of the site's numbers
    SOUNDS = "sounds"  # uploaded ones, in their order


@dataclass(frozen=True)
class Field:
    """One field. `of`: what a CHOICE chooses from (`hours`, `calendars`, … or words joined by `|`);
    `empty`: what nothing chosen means (a text's key); `low`, `high`: bounds of a NUMBER."""

    key: str
    kind: Kind = Kind.TEXT
    required: bool = False
    of: str = ""
    empty: str = ""
    low: int | None = None
    high: int | None = None
    default: str = ""
    columns: tuple[Field, ...] = ()
    more: bool = False  # seldom needed: folded away
    word: str = ""  # of its label, where the key alone would say something else


def _seconds(key: str, low: int, high: int, default: str = "", more: bool = False) -> Field:
    return Field(key, Kind.NUMBER, low=low, high=high, default=default, more=more)


_NAME = Field("name", required=True)
_TITLE = Field("name")
_STRATEGIES = "longest_idle|fewest_calls|least_talk|round_robin"
_DAY = (Field("date", Kind.DATE, required=True), Field("name", required=True))

FORMS: dict[str, tuple[Field, ...]] = {
    "numbers": (
        _NAME,
        Field("number", Kind.PHONE, required=True),
        Field("greeting", Kind.SAID, required=True),
        Field("recording_notice", Kind.SAID, required=True),
        Field("hours", Kind.CHOICE, of="hours", empty="plan.always_open"),
        Field("start", Kind.TARGET, required=True),
        Field("closed", Kind.TARGET),
        Field("holiday", Kind.TARGET, empty="plan.as_closed"),
        Field("withheld", Kind.TARGET, empty="plan.as_others", more=True),
        Field("language", Kind.CHOICE, of="ja|en", empty="plan.as_site", more=True),
        Field("aliases", Kind.PHONES, more=True),
        Field(
            "diverted",
            Kind.ROWS,
            columns=(Field("number", Kind.PHONE, required=True), Field("name", required=True)),
            more=True,
        ),
        Field("priority", Kind.NUMBER, low=0, high=9, default="0", more=True),
        Field("staff", Kind.FLAG, default="false", more=True),
        Field("notices", Kind.FLAG, default="true", more=True),
    ),
    "hours": (
        _NAME,
        Field("week", Kind.WEEK, required=True),
        Field("calendar", Kind.CHOICE, of="calendars", empty="plan.no_calendar"),
        Field("holiday", Kind.SPANS),
        Field("closure", Kind.SPANS),
        Field("days", Kind.ROWS, columns=(_DAY[0], Field("open", Kind.SPANS), _DAY[1])),
    ),
    "calendars": (
        _NAME,
        Field("holidays", Kind.HOLIDAYS, columns=_DAY),
        Field(
            "closures",
            Kind.ROWS,
            columns=(
                Field("start", Kind.MONTH_DAY, required=True),
                Field("until", Kind.MONTH_DAY, required=True),
                Field("name", required=True),
            ),
        ),
        Field("days", Kind.ROWS, columns=_DAY),
    ),
    "menu": (
        _TITLE,
        Field("say", Kind.SAID, required=True),
        Field(
            "keys",
            Kind.KEYS,
            required=True,
            columns=(
                Field("label", required=True),
                Field("go", Kind.GO, required=True),
                Field("language", Kind.CHOICE, of="ja|en", empty="plan.no_change"),
            ),
        ),
        _seconds("timeout_s", 2, 30, "6"),
        Field("tries", Kind.NUMBER, low=1, high=9, default="3"),
        Field("otherwise", Kind.TARGET, required=True),
        Field("wrong", Kind.SAID, more=True),
        Field("silent", Kind.SAID, more=True),
    ),
    "say": (_TITLE, Field("say", Kind.SAID, required=True), Field("next", Kind.TARGET, empty="plan.ends")),
    "branch": (
        _TITLE,
        Field("hours", Kind.CHOICE, of="hours", required=True),
        Field("open", Kind.TARGET, required=True),
        Field("closed", Kind.TARGET, required=True),
        Field("holiday", Kind.TARGET, empty="plan.as_closed"),
    ),
    "tell": (
        _TITLE,
        Field("board", of="boards"),
        Field("before", Kind.SAID),
        Field("none", Kind.SAID),
        Field("next", Kind.TARGET, empty="plan.ends"),
    ),
    "call_back": (
        _TITLE,
        Field("say", Kind.SAID, required=True),
        Field("key", Kind.CHOICE, of="keypad", default="1"),
        Field("queue", Kind.CHOICE, of="queues", required=True),
        Field("trunk", Kind.CHOICE, of="trunks_out", required=True),
        Field("declined", Kind.TARGET, required=True),
        Field("caller_number", Kind.PHONE, empty="plan.as_dialled"),
        Field("tries", Kind.NUMBER, low=1, high=9, default="3", word="calls"),
        _seconds("retry_s", 30, 7200, "300"),
        Field("keep_h", Kind.NUMBER, low=1, high=72, default="24"),
        _seconds("ring_s", 10, 120, "30", more=True),
        _seconds("timeout_s", 2, 30, "6", more=True),
    ),
    "queues": (
        _NAME,
        Field("waiting_announcement", Kind.SAID),
        _seconds("waiting_announcement_every_s", 10, 600, "30"),
        Field(
            "waiting",
            Kind.ROWS,
            columns=(
                _seconds("after_s", 0, 3600),
                _seconds("every_s", 10, 3600),
                Field("say", Kind.SAID),
                Field("congested", Kind.FLAG, default="false"),
                Field("events", of="boards"),
            ),
        ),
        Field("say_position", Kind.FLAG, default="false"),
        Field("say_wait", Kind.FLAG, default="false"),
        Field("most_waiting", Kind.NUMBER, low=1, high=10000),
        _seconds("longest_wait_s", 10, 7200),
        _seconds("longest_expected_s", 10, 7200),
        Field("overflow", Kind.TARGET),
        Field("nobody", Kind.TARGET, empty="plan.waits_on"),
        Field("callback", Kind.CHOICE, of="callbacks", empty="plan.no_callback"),
        Field("callback_key", Kind.CHOICE, of="keypad", default="1"),
        Field("strategy", Kind.CHOICE, of=_STRATEGIES + "|skill", default="longest_idle"),
        Field("then", Kind.CHOICE, of=_STRATEGIES, default="longest_idle"),
        Field(
            "widen",
            Kind.ROWS,
            columns=(_seconds("after_s", 1, 7200), Field("level", Kind.NUMBER, low=2, high=9)),
        ),
        _seconds("language_after_s", 0, 7200, "30"),
        Field("target_s", Kind.NUMBER, low=1, high=3600, default="9", more=True),
        Field("weight", Kind.NUMBER, low=1, high=100, default="1", more=True),
        _seconds("ageing_s", 1, 86400, "300", more=True),
        Field("music", Kind.CHOICE, of="musics", more=True),
        _seconds("ring_timeout_s", 3, 120, "15", more=True),
        _seconds("wrap_up_s", 0, 3600, "20", more=True),
    ),
    "forwards": (
        _NAME,
        Field("number", Kind.PHONE, required=True),
        Field("trunk", Kind.CHOICE, of="trunks", required=True),
        _seconds("ring_s", 5, 180, "30"),
        Field("say", Kind.SAID),
        Field("unanswered", Kind.TARGET, required=True),
        Field("caller_number", Kind.PHONE, more=True),
    ),
    "notices": (
        _NAME,
        Field("say", Kind.SAID, required=True),
        Field("numbers", Kind.NUMBERS),
        Field("next", Kind.TARGET, empty="plan.goes_on"),
        Field("two_people", Kind.FLAG, default="false"),
    ),
    "events": (
        Field("name", Kind.WORDS, required=True),
        Field("date", Kind.DATE),
        Field("state", Kind.CHOICE, of="states", required=True),
        Field("note", Kind.WORDS),
        Field("board", of="boards", more=True),
        Field("tell_from", Kind.DATE, more=True),
        Field("tell_until", Kind.DATE, more=True),
    ),
    "event_states": (_NAME, Field("say", Kind.WORDS, required=True)),
    "musics": (_NAME, Field("audio", Kind.SOUNDS, required=True), Field("licence", required=True)),
    "wording": tuple(
        Field(name, Kind.SAID)
        for name in (
            "survival_greeting",
            "please_wait",
            "sorry_goodbye",
            "wrong_key",
            "no_key",
            "goodbye",
            "position",
            "wait_minutes",
            "wait_long",
            "callback_confirm",
            "callback_enter",
            "callback_not_possible",
            "callback_booked",
            "callback_already",
            "callback_unreached",
            "transfer_ringing",
            "transfer_back",
            "harassment_end",
        )
    ),
}

STEP_FORMS = {"menu": "menu", "say": "say", "hours": "branch", "events": "tell", "callback": "call_back"}
"""Kinds of steps in a plan, and their forms."""

SECTIONS = (
    "numbers",
    "hours",
    "calendars",
    "steps",
    "queues",
    "forwards",
    "notices",
    "events",
    "event_states",
    "musics",
)
"""Lists whose rows have forms. `wording` is a group of keys with a form; the rest is edited as text."""


def form_of(section: str, kind: str | None = None) -> tuple[Field, ...]:
    """The fields of a row; of a step of this kind. Empty when there is no form for it."""
    return FORMS.get(STEP_FORMS.get(kind or "", "") if section == "steps" else section, ())
