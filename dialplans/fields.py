"""The kinds of values a plan is made of: texts, ids, telephone numbers, prompts; each checked with words."""

from __future__ import annotations

import contextlib
import hashlib
import ipaddress
import zoneinfo
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from dialplans.problems import nearest

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


def as_written(value: object) -> object:
    """`value`, or the text from which a whole number was read."""
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


def _host(value: str) -> str:
    host, colon, port = value.rpartition(":")
    if colon:
        with contextlib.suppress(ValueError):
            return str(ipaddress.IPv6Address(value))
        raise bad(
            f"「{value}」は相手のアドレスか名前として読めません",
            f"“{value}” is neither an address nor a name",
            f"host: {host}, port: {port} のように、ポートは port: に書いてください",
            f"use port: for the port (host: {host}, port: {port})",
        )
    return value


@cache
def timezones() -> tuple[str, ...]:
    """Names of all known time zones."""
    return tuple(sorted(zoneinfo.available_timezones()))


def _timezone(value: str) -> str:
    try:
        zoneinfo.ZoneInfo(value)
    except (KeyError, ValueError, OSError):
        near = nearest(value, timezones())
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
OperatorId = Annotated[str, BeforeValidator(as_written), AfterValidator(_operator_id)]


PhoneNumber = Annotated[str, BeforeValidator(as_written), AfterValidator(_number)]
Network = Annotated[str, AfterValidator(_network)]
Host = Annotated[str, Field(pattern=r"^[A-Za-z0-9:][A-Za-z0-9.:-]{0,252}$"), AfterValidator(_host)]
Timezone = Annotated[str, AfterValidator(_timezone)]


class Part(BaseModel):
    """Frozen, typed strictly, and no key that we do not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


@dataclass(frozen=True)
class Prompt:
    """Something that is said. `key` names its sound: `daihyo-<key>.wav`. `audio`: it was uploaded, not
    spoken by the centre's voice."""

    key: str
    text: str
    language: Language
    audio: bool = False


def prompt(text: str, language: Language) -> Prompt:
    """The prompt of a text; equal texts in one language share one sound."""
    key = hashlib.sha256((language + text).encode()).hexdigest()[:16]
    return Prompt(key=key, text=text, language=language)
