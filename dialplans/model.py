"""The site: what one city's centre is. Data only; reading stands in `load`, what must fit in `checks`."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Final, Literal, TypeVar
from zoneinfo import ZoneInfo

from pydantic import Field, ValidationInfo, model_validator

from dialplans import checks
from dialplans.fields import (
    Host,
    Language,
    Login,
    Name,
    Network,
    OperatorId,
    Part,
    PhoneNumber,
    Prompt,
    Slug,
    Timezone,
    bad,
)
from dialplans.opening import Calendar, Hours
from dialplans.problems import path_text
from dialplans.seats import Alarms, Category, Dialling, Harassment, Mail, Pbx, Transfers
from dialplans.sounds import all_prompts, recordings
from dialplans.spoken import Said, spoken
from dialplans.steps import (
    CallbackOffer,
    Diverted,
    Event,
    EventState,
    Forward,
    HoursBranch,
    Key,
    Menu,
    Music,
    Notice,
    Say,
    Step,
    Target,
    TellEvents,
    Waiting,
)
from dialplans.wording import Wording

_T = TypeVar("_T")
Priority = Annotated[int, Field(ge=0, le=9)]  # 0: as everybody; each step counts `ageing_s` of the queue
Level = Annotated[int, Field(ge=1, le=9)]  # 1: the best, or the first group asked
CHECKED: Final = {"checked": True}
"""`Site.model_validate_json(text, context=CHECKED)`: for a plan that has passed every check before. Only the
types of its values are looked at, which is fast."""


class Number(Part):
    """A representative number (代表番号) that citizens dial.

    While open a call hears `greeting` and `recording_notice` and goes to `start` (`queue: main` is short for
    `start: queue:main`); while closed it goes to `closed` (on special days to `holiday`).
    """

    number: PhoneNumber
    name: Name
    aliases: Annotated[tuple[PhoneNumber, ...], Field(strict=False)] = ()  # other numbers with the same plan
    diverted: Annotated[tuple[Diverted, ...], Field(strict=False)] = ()
    queue: str | None = None
    start: Target | None = None
    greeting: Said
    recording_notice: Said  # 通話録音ガイダンス: spoken before anybody can be recorded
    hours: str | None = None  # None: always open
    closed: Target | None = None
    holiday: Target | None = None
    withheld: Target | None = None  # where callers without a number (非通知) go; None: as all others
    staff: bool = False  # 職員連絡用: outside the citizens' KPIs
    priority: Priority = 0  # of its callers, wherever they wait
    notices: bool = True  # hears the disaster notice
    language: Language = "ja"  # calls begin in it; of its plain texts too; the site's unless given

    @property
    def digits(self) -> str:
        """What trunks send as the called number: `0246221111`."""
        return self.number.replace("-", "")

    @property
    def begins(self) -> str:
        """The target of a call while open."""
        return self.start if self.start is not None else f"queue:{self.queue}"

    @property
    def greeting_prompt(self) -> str:
        return spoken(self.greeting, self.language).key

    @property
    def recording_notice_prompt(self) -> str:
        return spoken(self.recording_notice, self.language).key


class Widen(Part):
    """After so many seconds of waiting operators up to this level are asked too (group B, the supervisor)."""

    after_s: Annotated[int, Field(ge=1, le=7200)]
    level: Annotated[int, Field(ge=2, le=9)]


class Queue(Part):
    """Where citizens wait for an operator. Durations in seconds.

    `strategy` chooses among the operators that are free; with `skill` the best level comes first and `then`
    chooses within it. Callers of several queues: who has waited longest against `target_s`, times `weight`,
    comes first; a step of priority counts like `ageing_s` more seconds of waiting, so nobody waits for ever.
    Without `widen` every level is asked from the start; with it level 1 alone, until it says more.
    `language_after_s`: so long only operators of the caller's language are asked (None: no others ever).
    """

    id: Slug
    name: Name
    ring_timeout_s: Annotated[int, Field(ge=3, le=120)] = 15
    wrap_up_s: Annotated[int, Field(ge=0, le=3600)] = 20
    waiting_announcement: Said | None = None  # short for one entry of `waiting` at 0 s
    waiting_announcement_every_s: Annotated[int, Field(ge=10, le=600)] = 30
    waiting: Annotated[tuple[Waiting, ...], Field(strict=False)] = ()
    say_position: bool = False
    say_wait: bool = False  # 待ち時間の目安, from the last minutes' service
    music: Slug = "default"
    most_waiting: Annotated[int, Field(ge=1, le=10000)] | None = None
    longest_wait_s: Annotated[int, Field(ge=10, le=7200)] | None = None
    longest_expected_s: Annotated[int, Field(ge=10, le=7200)] | None = None  # 待ち時間の目安, at entry
    overflow: Target | None = None  # where a call goes over one of these limits
    nobody: Target | None = None  # where it goes while no operator of the queue is signed on
    callback: Slug | None = None  # the step (kind `callback`) to which `callback_key` leads while waiting
    callback_key: Key = "1"
    strategy: Literal["longest_idle", "fewest_calls", "least_talk", "round_robin", "skill"] = "longest_idle"
    then: Literal["longest_idle", "fewest_calls", "least_talk", "round_robin"] = "longest_idle"
    target_s: Annotated[float, Field(gt=0, le=3600)] = 9
    weight: Annotated[float, Field(gt=0, le=100)] = 1
    ageing_s: Annotated[int, Field(ge=1, le=86400)] = 300
    widen: Annotated[tuple[Widen, ...], Field(strict=False)] = ()
    language_after_s: Annotated[int, Field(ge=0, le=7200)] | None = 30
    language: Language = "ja"

    @property
    def waiting_prompt(self) -> str | None:
        said = self.waiting_announcement
        return spoken(said, self.language).key if said else None

    @property
    def tells(self) -> tuple[Waiting, ...]:
        """All that is said while waiting, the short form included."""
        if self.waiting_announcement is None:
            return self.waiting
        every = self.waiting_announcement_every_s
        return (Waiting(after_s=0, every_s=every, say=self.waiting_announcement), *self.waiting)


class Operator(Part):
    """Somebody who answers. `id` is the extension and the name of the phones (`1001`, `1001-web`).

    Without queues: a seat with a phone that no caller is offered to (a supervisor's). `phone_keys`: the desk
    phone's own dial pad and transfer keys work (SIP REFER, XFR-6); otherwise calls are made and transferred
    by the page alone."""

    id: OperatorId
    name: Name
    queues: Annotated[tuple[str, ...], Field(strict=False)] = ()
    phone_keys: bool = False
    levels: dict[str, Level] = Field(default_factory=dict)  # by queue; 1 where nothing is said
    languages: Annotated[tuple[Language, ...], Field(strict=False)] | None = None  # None: all of the site
    most_calls_h: Annotated[int, Field(ge=1, le=1000)] | None = None  # own limit within any 60 minutes

    @property
    def endpoints(self) -> tuple[str, str]:
        """SIP endpoints: desk phone, browser phone."""
        return (self.id, f"{self.id}-web")


class PriorityCaller(Part):
    """A telephone whose calls go first (優先着信)."""

    number: PhoneNumber
    name: Name
    priority: Annotated[int, Field(ge=1, le=9)]


class Role(StrEnum):
    OPERATOR = "operator"
    SUPERVISOR = "supervisor"
    STAFF = "staff"
    ADMINISTRATOR = "administrator"
    AUDITOR = "auditor"


class User(Part):
    """A sign-in to the console; its password is set elsewhere, never in this file."""

    login: Login
    name: Name
    role: Annotated[Role, Field(strict=False)]
    operator: OperatorId | None = None


class Outbound(Part):
    """How calls leave by a trunk: to `host` (address or name) and `port`, `prefix` before the number."""

    host: Host
    port: Annotated[int, Field(ge=1, le=65535)] = 5060
    prefix: Annotated[str, Field(pattern=r"^[0-9*#+]{0,8}$")] = ""


class Trunk(Part):
    """A line to the public network, known by the addresses its calls come from. `max_channels` is what the
    carrier allows at once; it keeps to that itself for incoming calls, we must for outgoing ones."""

    id: Slug
    addresses: Annotated[tuple[Network, ...], Field(min_length=1, strict=False)]
    max_channels: Annotated[int, Field(ge=1, le=10000)] = 50
    outbound: Outbound | None = None  # None: for incoming calls only


class Targets(Part):
    """What the city asks for: 応答率 and 即応率 as shares of 1, 平均応答時間 in seconds."""

    answer_rate: Annotated[float, Field(ge=0, le=1)] = 0.90
    mean_answer_s: Annotated[float, Field(gt=0, le=3600)] = 9
    within_rate: Annotated[float, Field(ge=0, le=1)] = 0.80


class Kpi(Part):
    """How this city counts (KPI-7): where the clock starts, what counts as offered."""

    clock_start: Literal["arrival", "queue"] = "arrival"
    answer_within_s: Annotated[float, Field(gt=0, le=3600)] = 9
    offered: Literal["arrived", "queued"] = "arrived"
    ignore_abandoned_within_s: Annotated[float, Field(ge=0, le=3600)] = 0
    callbacks: Literal["left_out", "offered"] = "left_out"  # a call that booked a callback; never abandoned
    targets: Targets = Targets()


class Site(Part):
    """One city's centre, complete and consistent: a Site that exists has passed every check."""

    city: Name
    centre: Name
    id: Slug
    timezone: Timezone = "Asia/Tokyo"
    language: Language = "ja"
    numbers: Annotated[tuple[Number, ...], Field(min_length=1, strict=False)]
    queues: Annotated[tuple[Queue, ...], Field(min_length=1, strict=False)]
    operators: Annotated[tuple[Operator, ...], Field(min_length=1, strict=False)]
    users: Annotated[tuple[User, ...], Field(strict=False)] = ()
    trunks: Annotated[tuple[Trunk, ...], Field(min_length=1, strict=False)]
    priority_callers: Annotated[tuple[PriorityCaller, ...], Field(strict=False)] = ()
    calendars: Annotated[tuple[Calendar, ...], Field(strict=False)] = ()
    hours: Annotated[tuple[Hours, ...], Field(strict=False)] = ()
    steps: Annotated[tuple[Step, ...], Field(strict=False)] = ()
    forwards: Annotated[tuple[Forward, ...], Field(strict=False)] = ()
    notices: Annotated[tuple[Notice, ...], Field(strict=False)] = ()
    event_states: Annotated[tuple[EventState, ...], Field(strict=False)] = ()
    events: Annotated[tuple[Event, ...], Field(strict=False)] = ()
    musics: Annotated[tuple[Music, ...], Field(strict=False)] = ()
    kpi: Kpi = Kpi()
    dialling: Dialling = Dialling()
    pbx: Pbx | None = None
    transfers: Transfers = Transfers()
    categories: Annotated[tuple[Category, ...], Field(strict=False)] = ()  # 分類, of the wrap-up form
    harassment: Harassment = Harassment()
    alarms: Alarms = Alarms()
    mail: Mail | None = None
    wording: Wording = Wording()

    @model_validator(mode="before")
    @classmethod
    def _language_goes_down(cls, data: Any) -> Any:
        """Texts are in the site's language unless they say otherwise."""
        language = data.get("language", "ja") if isinstance(data, dict) else None
        if language not in ("ja", "en"):
            return data
        filled = dict(data)
        for name in ("numbers", "queues"):
            if isinstance(rows := data.get(name), (list, tuple)):
                filled[name] = [
                    {"language": language, **row} if isinstance(row, Mapping) else row for row in rows
                ]
        wording = data.get("wording", {})
        if isinstance(wording, dict):
            filled["wording"] = {"language": language, **wording}
        return filled

    @model_validator(mode="after")
    def _fits_together(self, info: ValidationInfo) -> Site:
        if info.context is not CHECKED:
            found = checks.of_data(self.model_dump()) + checks.of_values(self)
            for finding in found or checks.of_site(self):
                ja, do_ja, en, do_en = finding.said(path_text)
                where = path_text(finding.loc)
                raise bad(f"{where}: {ja}", f"{where}: {en}", do_ja, do_en)
        return self

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    def number(self, digits: str) -> Number:
        """The number that citizens dialled; KeyError if it is not ours."""
        return _find(self.numbers, "digits", digits)

    def queue(self, id: str) -> Queue:
        """The queue of this id; KeyError if there is none."""
        return _find(self.queues, "id", id)

    def operator(self, id: str) -> Operator:
        """The operator of this id; KeyError if there is none."""
        return _find(self.operators, "id", id)

    @property
    def languages(self) -> tuple[Language, ...]:
        """Those in which calls may be led, the site's first: of numbers and of menu keys."""
        used: list[Language] = [self.language, *(number.language for number in self.numbers)]
        for step in self.steps:
            if isinstance(step, Menu):
                used += [key.language for key in step.keys.values() if key.language is not None]
        return tuple(dict.fromkeys(used))

    def step(self, id: str) -> Menu | Say | HoursBranch | TellEvents | CallbackOffer:
        """The step of this id; KeyError if there is none."""
        return _find(self.steps, "id", id)

    def forward(self, id: str) -> Forward:
        """The forward of this id; KeyError if there is none."""
        return _find(self.forwards, "id", id)

    def hours_of(self, id: str) -> Hours:
        """The hours of this id; KeyError if there are none."""
        return _find(self.hours, "id", id)

    def calendar(self, id: str) -> Calendar:
        """The calendar of this id; KeyError if there is none."""
        return _find(self.calendars, "id", id)

    def hearing(self, notice: Notice) -> tuple[Number, ...]:
        """The numbers on which a notice is heard when it is switched on."""
        named = {number.replace("-", "") for number in notice.numbers}
        return tuple(one for one in self.numbers if one.notices and (not named or one.digits in named))

    def audio(self) -> frozenset[str]:
        """Keys of all uploaded audio that the plan uses, in words and as music."""
        return frozenset(recordings(self)) | {key for music in self.musics for key in music.audio}

    def prompts(self) -> list[Prompt]:
        """Everything that may be said, each sound once, in a stable order. A plan goes live only when all of
        them are there."""
        return list({one.key: one for one in all_prompts(self)}.values())


def _find(rows: tuple[_T, ...], name: str, value: str) -> _T:
    for row in rows:
        if getattr(row, name) == value:
            return row
    raise KeyError(value)
