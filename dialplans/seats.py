"""What the seats need of the plan: numbers that may be dialled, the city hall's PBX, transfers, the wrap-up
form, カスハラ, alarms. Data only; which number may be dialled by which way stands in `dialling`."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, Field

from dialplans.fields import Host, Name, Part, PhoneNumber, Slug, bad
from dialplans.office import OfficeHoursError, office_hours

Route = Annotated[tuple[Slug, ...], Field(min_length=1, strict=False)]


class DialClass(StrEnum):
    """Kinds of numbers outside, by which calls out are allowed and led (NUM-4, SEC-4)."""

    LOCAL = "local"  # 市内・市外: area codes 01…09, ten digits
    MOBILE = "mobile"  # 060 070 080 090
    IP = "ip"  # 050
    NAVI = "navi"  # 0570
    FREE = "free"  # 0120 0800
    SERVICE = "service"  # 104, 117, 171, 177, 188, 189 …: three digits that are no emergency
    EMERGENCY = "emergency"  # 110 118 119
    PREMIUM = "premium"  # 0990, 0180, 0170, 0910
    INTERNATIONAL = "international"  # 010 and + of other countries


class Dialling(Part):
    """Calls that operators make (NUM-5). `trunks` are tried in order: when one is full or fails, the next.

    Without `trunks` nobody dials out. `shown`: our number that the other side sees; None: the number that the
    call is about, else the site's first. `area`: 市外局番 put before a number dialled without one.
    """

    allow: Annotated[tuple[Annotated[DialClass, Field(strict=False)], ...], Field(strict=False)] = (
        DialClass.LOCAL,
        DialClass.MOBILE,
        DialClass.IP,
        DialClass.NAVI,
        DialClass.FREE,
    )
    trunks: Annotated[tuple[Slug, ...], Field(strict=False)] = ()
    by_class: dict[Annotated[DialClass, Field(strict=False)], Route] = Field(default_factory=dict)
    never: Annotated[tuple[PhoneNumber, ...], Field(strict=False)] = ()  # numbers that begin so are refused
    shown: PhoneNumber | None = None
    area: Annotated[str, Field(pattern=r"^0[0-9]{1,4}$")] | None = None
    ring_s: Annotated[int, Field(ge=5, le=180)] = 60


class Pbx(Part):
    """The city hall's exchange (内線転送, NUM-3, NUM-4): an extension is rung by `prefix`
    (付加番号) and itself, through the first of `trunks` that has a channel. `return_code`: what a department
    dials, or transfers to, to give the citizen back (転送戻り, XFR-4); it arrives on those trunks as the
    number called."""

    trunks: Route
    prefix: Annotated[str, Field(pattern=r"^[0-9*#+]{0,8}$")] = ""
    digits: Annotated[tuple[int, int], Field(strict=False)] = (3, 6)  # how long extensions are
    return_code: Annotated[str, Field(pattern=r"^[0-9*#]{2,15}$")] | None = None


def _office_hours(value: str) -> str:
    try:
        office_hours(value)
    except OfficeHoursError as error:
        raise bad(error.ja, error.en, error.do_ja, error.do_en) from None
    return value


class Transfers(Part):
    """How transfers behave. `back_after_s`: a target that has not answered by then gives the citizen back
    (転送戻り). `hops_warn`: from so many transfers of one citizen on the seat warns (たらい回し).
    `office_hours` (as `office_hours` reads them): of departments for which the 職員録 says nothing else.
    `keys_at_own_risk`: operators' `phone_keys` count also with an Asterisk that they can bring down."""

    back_after_s: Annotated[int, Field(ge=5, le=180)] = 25
    hops_warn: Annotated[int, Field(ge=1, le=20)] = 2
    office_hours: Annotated[str, Field(max_length=200), AfterValidator(_office_hours)] = "平日 8:30-17:15"
    keys_at_own_risk: bool = False


class Category(Part):
    """A branch of the wrap-up form's tree (分類)."""

    name: Name
    children: Annotated[tuple[Category, ...], Field(strict=False)] = ()


class Harassment(Part):
    """カスハラ: when the seat's timer turns to a warning and to the scripted end, and what is read out."""

    warn_after_s: Annotated[int, Field(ge=10, le=7200)] = 600
    end_after_s: Annotated[int, Field(ge=10, le=14400)] = 1200
    script: Annotated[str, Field(max_length=2000)] = (
        "恐れ入りますが、このままではご用件をお伺いできません。お話を終わらせていただきます。"
    )


class Mail(Part):
    """Where mail leaves. A password, if one is needed, is not here (`daihyo` asks for it at set-up)."""

    host: Host
    port: Annotated[int, Field(ge=1, le=65535)] = 25
    sender: Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$")]
    to: Annotated[tuple[Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$")], ...], Field(strict=False)] = ()
    starttls: bool = False


class Alarms(Part):
    """When supervisors are called (MON-4). None or false: never. Rates as shares of 1, of today; they count
    from `after_calls` calls on. `mail`: which of them are mailed is all or nothing."""

    wait_s: Annotated[int, Field(ge=5, le=7200)] | None = 60
    waiting: Annotated[int, Field(ge=1, le=1000)] | None = None
    nobody_ready: bool = True  # a queue with people waiting or open hours, and nobody signed on
    answer_rate: Annotated[float, Field(ge=0, le=1)] | None = None  # None: the KPI's target
    after_calls: Annotated[int, Field(ge=1, le=10000)] = 20
    trunk: bool = True  # a trunk that should be there does not answer, or is full
    disk_free: Annotated[float, Field(ge=0, le=1)] | None = 0.1
    recorder: bool = True  # a recording failed, or waits too long
    mail: bool = True
