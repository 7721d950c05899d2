"""The site: what one city's centre is. Data only; reading stands in `load`, what must fit in `checks`."""

from __future__ import annotations

import contextlib
import hashlib
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Literal, TypeVar
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from dialplans import checks

_T = TypeVar("_T")
Language = Literal["ja", "en"]
OPERATOR_DIGITS = (2, 6)  # an operator's id is what is typed on a phone
NUMBER_DIGITS = (3, 15)  # E.164 allows 15; three for extensions of a city hall's PBX


def bad(ja: str, en: str, do_ja: str = "", do_en: str = "") -> PydanticCustomError:
    """A validation error in both languages; `load` reads the texts back from its context."""
    return PydanticCustomError("daihyo", "{en}", {"ja": ja, "en": en, "do_ja": do_ja, "do_en": do_en})


class TypedInt(int):
    """A number of a YAML file that remembers how it was written (`0246221111` keeps its zero)."""

    written: str

    def __new__(cls, value: int, written: str) -> TypedInt:
        made = super().__new__(cls, value)
        made.written = written
        return made


def _as_written(value: object) -> object:
    return value.written if isinstance(value, TypedInt) else value


def _number(value: str) -> str:
    digits = value.replace("-", "")
    low, high = NUMBER_DIGITS
    if not (digits.isascii() and digits.isdigit() and low <= len(digits) <= high):
        raise bad(
            f"「{value}」は電話番号として読めません",
            f"“{value}” is not a telephone number",
            f"半角の数字とハイフンで書いてください({low}～{high}桁。例: 0246-22-1111)",
            f"write it with ASCII digits and hyphens ({low}–{high} digits, e.g. 0246-22-1111)",
        )
    return value


def _operator_id(value: str) -> str:
    low, high = OPERATOR_DIGITS
    if not (value.isascii() and value.isdigit() and low <= len(value) <= high):
        raise bad(
            f"「{value}」は操作者の内線番号として使えません",
            f"“{value}” cannot be an operator's extension",
            f"半角数字{low}～{high}桁で書いてください(例: 1001)",
            f"use {low}–{high} ASCII digits, e.g. 1001",
        )
    return value


def _network(value: str) -> str:
    try:
        network = ipaddress.ip_network(value, strict=True)
    except ValueError:
        suggestion = ""
        with contextlib.suppress(ValueError):
            suggestion = str(ipaddress.ip_network(value, strict=False))
        raise bad(
            f"「{value}」はIPアドレスでもネットワークでもありません",
            f"“{value}” is neither an IP address nor a network",
            f"{suggestion} ではありませんか"
            if suggestion
            else "192.0.2.10 や 192.0.2.0/24 のように書いてください",
            f"did you mean {suggestion}?" if suggestion else "write it like 192.0.2.10 or 192.0.2.0/24",
        ) from None
    if network.prefixlen == 0:
        raise bad(
            f"「{value}」はあらゆる相手を回線と見なしてしまいます",
            f"“{value}” would take anybody for the trunk",
            "回線事業者のアドレスだけを書いてください",
            "name only the carrier's addresses",
        )
    return value


def _timezone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError):
        near = checks.nearest(value, checks.timezones())
        raise bad(
            f"タイムゾーン「{value}」はありません",
            f"there is no time zone “{value}”",
            f"{near} ではありませんか" if near else "Asia/Tokyo のように書いてください",
            f"did you mean {near}?" if near else "write it like Asia/Tokyo",
        ) from None
    return value


Text = Annotated[str, Field(min_length=1, max_length=1000, pattern=r"^[^\x00-\x08\x0b-\x1f\x7f]*$")]
Name = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]*$")]
Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")]
Login = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$")]
OperatorId = Annotated[str, BeforeValidator(_as_written), AfterValidator(_operator_id)]


class _Part(BaseModel):
    """Frozen, typed strictly, and no key that we do not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


@dataclass(frozen=True)
class Prompt:
    """A text that must be spoken. `key` names its sound: `daihyo-<key>.wav`."""

    key: str
    text: str
    language: Language


def prompt(text: str, language: Language) -> Prompt:
    """The prompt of a text; equal texts in one language share one sound."""
    key = hashlib.sha256((language + text).encode()).hexdigest()[:16]
    return Prompt(key=key, text=text, language=language)


class Number(_Part):
    """A representative number (代表番号) that citizens dial."""

    number: Annotated[str, BeforeValidator(_as_written), AfterValidator(_number)]
    name: Name
    queue: str
    greeting: Text
    recording_notice: Text  # 通話録音ガイダンス: spoken before anybody can be recorded
    language: Language = "ja"  # of its texts; the site's unless given

    @property
    def digits(self) -> str:
        """What trunks send as the called number: `0246221111`."""
        return self.number.replace("-", "")

    @property
    def greeting_prompt(self) -> str:
        return prompt(self.greeting, self.language).key

    @property
    def recording_notice_prompt(self) -> str:
        return prompt(self.recording_notice, self.language).key


class Queue(_Part):
    """Where citizens wait for an operator. Durations in seconds."""

    id: Slug
    name: Name
    ring_timeout_s: Annotated[int, Field(ge=3, le=120)] = 15
    wrap_up_s: Annotated[int, Field(ge=0, le=3600)] = 20
    waiting_announcement: Text | None = None
    waiting_announcement_every_s: Annotated[int, Field(ge=10, le=600)] = 30
    music: Literal["default"] = "default"
    language: Language = "ja"

    @property
    def waiting_prompt(self) -> str | None:
        text = self.waiting_announcement
        return prompt(text, self.language).key if text else None


class Operator(_Part):
    """Somebody who answers. `id` is the extension and the name of the phones (`1001`, `1001-web`)."""

    id: OperatorId
    name: Name
    queues: Annotated[tuple[str, ...], Field(min_length=1, strict=False)]

    @property
    def endpoints(self) -> tuple[str, str]:
        """SIP endpoints: desk phone, browser phone."""
        return (self.id, f"{self.id}-web")


class Role(StrEnum):
    OPERATOR = "operator"
    SUPERVISOR = "supervisor"
    STAFF = "staff"
    ADMINISTRATOR = "administrator"
    AUDITOR = "auditor"


class User(_Part):
    """A sign-in to the console; its password is set elsewhere, never in this file."""

    login: Login
    name: Name
    role: Annotated[Role, Field(strict=False)]
    operator: OperatorId | None = None


class Trunk(_Part):
    """A line to the public network, known by the addresses its calls come from. `max_channels` is what the
    carrier allows at once; it keeps to that itself for incoming calls, we must for outgoing ones."""

    id: Slug
    addresses: Annotated[
        tuple[Annotated[str, AfterValidator(_network)], ...], Field(min_length=1, strict=False)
    ]
    max_channels: Annotated[int, Field(ge=1, le=10000)] = 50


class Targets(_Part):
    """What the city asks for: 応答率 and 即応率 as shares of 1, 平均応答時間 in seconds."""

    answer_rate: Annotated[float, Field(ge=0, le=1)] = 0.90
    mean_answer_s: Annotated[float, Field(gt=0, le=3600)] = 9
    within_rate: Annotated[float, Field(ge=0, le=1)] = 0.80


class Kpi(_Part):
    """How this city counts (KPI-7): where the clock starts, what counts as offered."""

    clock_start: Literal["arrival", "queue"] = "arrival"
    answer_within_s: Annotated[float, Field(gt=0, le=3600)] = 9
    offered: Literal["arrived", "queued"] = "arrived"
    ignore_abandoned_within_s: Annotated[float, Field(ge=0, le=3600)] = 0
    targets: Targets = Targets()


class Wording(_Part):
    """What the centre itself says."""

    survival_greeting: Text = (
        "お電話ありがとうございます。ただいま担当者におつなぎします。そのままお待ちください。"
    )
    please_wait: Text = "少々お待ちください。"
    sorry_goodbye: Text = (
        "申し訳ございません。ただいまおつなぎできません。しばらくしてから、おかけ直しください。"
    )
    language: Language = "ja"

    def prompt_of(self, name: Literal["survival_greeting", "please_wait", "sorry_goodbye"]) -> str:
        """The prompt key of one of the texts."""
        return prompt(str(getattr(self, name)), self.language).key


ENGLISH_WORDING = {
    "survival_greeting": "Thank you for calling. Please hold the line, we are connecting you.",
    "please_wait": "One moment, please.",
    "sorry_goodbye": "We are sorry, we cannot connect you now. Please call again later.",
}


class Site(_Part):
    """One city's centre, complete and consistent: a Site that exists has passed every check."""

    city: Name
    centre: Name
    id: Slug
    timezone: Annotated[str, AfterValidator(_timezone)] = "Asia/Tokyo"
    language: Language = "ja"
    numbers: Annotated[tuple[Number, ...], Field(min_length=1, strict=False)]
    queues: Annotated[tuple[Queue, ...], Field(min_length=1, strict=False)]
    operators: Annotated[tuple[Operator, ...], Field(min_length=1, strict=False)]
    users: Annotated[tuple[User, ...], Field(strict=False)] = ()
    trunks: Annotated[tuple[Trunk, ...], Field(min_length=1, strict=False)]
    kpi: Kpi = Kpi()
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
            spoken = wording.get("language", language)
            defaults = ENGLISH_WORDING if spoken == "en" else {}
            filled["wording"] = {"language": spoken, **defaults, **wording}
        return filled

    @model_validator(mode="after")
    def _fits_together(self) -> Site:
        for finding in checks.findings(self.model_dump()):
            raise bad(finding.ja, finding.en, finding.do_ja, finding.do_en)
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

    def prompts(self) -> list[Prompt]:
        """Every text that must be spoken, each once, in a stable order."""
        texts: list[tuple[str | None, Language]] = []
        for number in self.numbers:
            texts += [(number.greeting, number.language), (number.recording_notice, number.language)]
        texts += [(queue.waiting_announcement, queue.language) for queue in self.queues]
        said = self.wording
        texts += [(t, said.language) for t in (said.survival_greeting, said.please_wait, said.sorry_goodbye)]
        made = [prompt(text, language) for text, language in texts if text]
        return list({one.key: one for one in made}.values())


def _find(rows: tuple[_T, ...], name: str, value: str) -> _T:
    for row in rows:
        if getattr(row, name) == value:
            return row
    raise KeyError(value)
