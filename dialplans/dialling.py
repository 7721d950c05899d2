"""Which numbers operators may dial, by which trunks, showing whom (NUM-4, NUM-5, SEC-4).

Everything that leaves by an operator's wish passes through `route_out` or `route_extension`. They name what
is allowed, and refuse the rest: a number that fits no known shape of Japan's numbering plan gets no leg.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from dialplans.callbacks import own_numbers
from dialplans.calling import EMERGENCY, national
from dialplans.seats import DialClass

if TYPE_CHECKING:
    from dialplans.model import Site

_TYPED = 64  # characters; nobody types more for one number
_SEPARATORS = re.compile(r"[\s()\[\]./・‐‑‒–—―−─ー-]+")
_DIALLED = re.compile(r"\+?[0-9]+")
# 電気通信番号計画 (総務省告示): first match counts. Area codes: ten digits, of which neither the second nor
# the third is 0. 0600 to 0900 and 0500 are not given to telephones of that kind, 0800 is free to call.
_CLASSES: Final[tuple[tuple[DialClass, re.Pattern[str]], ...]] = (
    (DialClass.EMERGENCY, re.compile("|".join(EMERGENCY))),
    # Only what is a call: 136, 142, 144, 147 … change the line that dials them, 184 and 186 are prefixes.
    (DialClass.SERVICE, re.compile("104|113|115|116|117|171|177|188|189")),
    (DialClass.INTERNATIONAL, re.compile(r"010[1-9][0-9]{4,14}")),
    (DialClass.PREMIUM, re.compile(r"0(?:990|180|170|910)[0-9]{6}")),
    (DialClass.NAVI, re.compile(r"0570[0-9]{6}")),
    (DialClass.FREE, re.compile(r"0120[0-9]{6}|0800[0-9]{7}")),
    (DialClass.IP, re.compile(r"050[1-9][0-9]{7}")),
    (DialClass.MOBILE, re.compile(r"0[6-9]0[1-9][0-9]{7}")),
    (DialClass.LOCAL, re.compile(r"0[1-9][1-9][0-9]{7}")),
)
_SUBSCRIBER = re.compile(r"[2-9][0-9]{4,7}")  # 市内局番 and number, without an area code
_NEVER_BY_PBX = frozenset({DialClass.EMERGENCY, DialClass.PREMIUM, DialClass.INTERNATIONAL})
CLASS_NAMES: Final[dict[DialClass, tuple[str, str]]] = {
    DialClass.LOCAL: ("固定電話", "landlines"),
    DialClass.MOBILE: ("携帯電話(060・070・080・090)", "mobile numbers (060, 070, 080, 090)"),
    DialClass.IP: ("IP電話(050)", "IP telephones (050)"),
    DialClass.NAVI: ("ナビダイヤル(0570)", "navigation dial (0570)"),
    DialClass.FREE: ("フリーダイヤル(0120・0800)", "toll-free numbers (0120, 0800)"),
    DialClass.SERVICE: ("3桁のサービス(104・117・171など)", "three-digit services (104, 117, 171 …)"),
    DialClass.EMERGENCY: ("緊急通報(110・118・119)", "emergency numbers (110, 118, 119)"),
    DialClass.PREMIUM: ("有料の情報サービス(0990など)", "paid services (0990 …)"),
    DialClass.INTERNATIONAL: ("国際電話", "numbers abroad"),
}
"""What a class is called: Japanese, English."""


class DialRefused(ValueError):
    """A number that is not dialled. `code`: `no_trunk not_allowed never own_number bad_number no_pbx
    bad_extension`; `ja` and `en` say why, and what to do."""

    def __init__(self, code: str, ja: str, en: str) -> None:
        super().__init__(en)
        self.code, self.ja, self.en = code, ja, en


@dataclass(frozen=True)
class OutLeg:
    """One way out: `dial` (the trunk's or the PBX's prefix, and the digits) is sent to trunk `trunk`."""

    trunk: str
    dial: str


@dataclass(frozen=True)
class OutRoute:
    """A number that may be dialled. `digits`: as it is dialled within the country, or the extension; `kind`:
    None for an extension; `shown`: our number that the other side sees, digits; `legs`: at least one, in the
    order to be tried."""

    digits: str
    kind: DialClass | None
    shown: str
    legs: tuple[OutLeg, ...]


def classify(number: str, area: str | None = None) -> tuple[str, DialClass]:
    """What a typed number is: its digits as dialled within the country (abroad: `010…`), and its class.

    Full-width digits, hyphens, brackets and spaces are read; 184 and 186 before it are left away (the route
    says what is shown). `area` (市外局番) goes before a number without one. What is no number is
    a DialRefused `bad_number`.
    """
    typed = _plain(number)
    if _DIALLED.fullmatch(typed) is None:
        raise _unreadable(number)
    digits = national(typed)
    if digits.startswith("+"):
        digits = "010" + digits[1:]
    if area is not None and _SUBSCRIBER.fullmatch(digits) and len(area + digits) == 10:
        digits = area + digits
    for kind, shape in _CLASSES:
        if shape.fullmatch(digits):
            return digits, kind
    if digits.startswith("00"):
        raise DialRefused(
            "bad_number",
            "電話会社の識別番号(00で始まる番号)は付けられません。相手の番号だけを入力してください。",
            "carrier codes (00…) cannot be dialled: type the number alone",
        )
    if _SUBSCRIBER.fullmatch(digits):
        raise DialRefused(
            "bad_number",
            f"「{digits}」には市外局番がありません。市外局番から入力してください。",
            f"“{digits}” has no area code: type it with its area code",
        )
    raise _unreadable(number)


def route_out(site: Site, number: str, about: str | None = None) -> OutRoute:
    """How a number outside is dialled. `about`: the number of ours (digits) that the call is about, shown
    unless the site shows one number always. DialRefused says why it is not dialled."""
    rules = site.dialling
    digits, kind = classify(number, rules.area)
    if kind is DialClass.EMERGENCY:
        raise _emergency(digits)
    if digits in own_numbers(site):
        raise DialRefused(
            "own_number",
            f"「{digits}」はこのセンター自身の番号です。市民をほかの窓口へ回すときは、転送を使ってください。",
            f"“{digits}” is this centre's own number: transfer the call to its queue instead",
        )
    if any(digits.startswith(_canonical(one)) for one in rules.never):
        raise DialRefused(
            "never",
            f"「{digits}」は、このセンターではかけない番号に登録されています。必要なときは責任者に相談してください。",
            f"“{digits}” is on this centre's list of numbers never dialled: ask a supervisor",
        )
    if kind not in rules.allow:
        ja, en = CLASS_NAMES[kind]
        raise DialRefused(
            "not_allowed",
            f"{ja}への発信は、このセンターでは許されていません。必要なときは責任者に相談してください。",
            f"calls to {en} are not allowed at this centre: ask a supervisor",
        )
    legs = _legs(site, rules.by_class.get(kind, rules.trunks), digits)
    if not legs:
        raise DialRefused(
            "no_trunk",
            "外へかける回線が設定されていません。管理者に知らせてください。",
            "no line for calls out is set up: tell the administrator",
        )
    return OutRoute(digits, kind, shown_number(site, about), legs)


def route_extension(site: Site, extension: str) -> OutRoute:
    """How an extension of the city hall is rung: the PBX's prefix (付加番号) and itself, by the PBX's trunks.
    The trunks' own prefix, an outside line's, is left away. DialRefused says why it is not rung."""
    pbx = site.pbx
    if pbx is None:
        raise DialRefused(
            "no_pbx",
            "庁内の交換機につながっていません。外線の番号を使ってください。",
            "there is no exchange of the city hall: use a number outside",
        )
    digits = _plain(extension)
    low, high = pbx.digits
    # A 0 in front takes an outside line at most exchanges: that way nobody gets past the rules for numbers.
    if not (re.fullmatch(r"[1-9][0-9]*", digits) and low <= len(digits) <= high):
        raise DialRefused(
            "bad_extension",
            f"「{_echo(extension)}」は内線番号ではありません。{low}～{high}桁の数字(先頭は0以外)を入力してください。",
            f"“{_echo(extension)}” is no extension: type {low} to {high} digits that do not begin with 0",
        )
    if digits in EMERGENCY:
        raise _emergency(digits)
    dial = pbx.prefix + digits
    reached = national(dial)
    if dial == pbx.return_code or digits == pbx.return_code or reached in own_numbers(site):
        raise DialRefused(
            "own_number",
            f"内線「{digits}」はこのセンター自身につながります。キューへの転送を使ってください。",
            f"extension “{digits}” leads back to this centre: transfer to a queue instead",
        )
    # The prefix may be an outside line's, with 184 or 186 after it.
    ways = (reached, national(digits))
    if any(kind in _NEVER_BY_PBX and shape.fullmatch(one) for one in ways for kind, shape in _CLASSES):
        raise DialRefused(
            "not_allowed",
            f"内線「{digits}」は、付加番号を付けると、かけてはならない番号になります。管理者に知らせてください。",
            f"extension “{digits}” with the prefix is a number that is not dialled: tell the administrator",
        )
    legs = tuple(OutLeg(trunk, dial) for trunk in _leaving(site, pbx.trunks))
    if not legs:
        raise DialRefused(
            "no_trunk",
            "庁内の交換機への回線が設定されていません。管理者に知らせてください。",
            "no line to the city hall's exchange is set up: tell the administrator",
        )
    return OutRoute(digits, None, shown_number(site, None), legs)


def shown_number(site: Site, about: str | None) -> str:
    """Our number that the other side sees, digits: the site's, else what the call is about, else the first.
    An `about` that is none of our numbers counts as none."""
    if site.dialling.shown is not None:
        return site.dialling.shown.replace("-", "")
    known = {one.digits for one in site.numbers}
    return about if about is not None and about in known else site.numbers[0].digits


def _legs(site: Site, trunks: tuple[str, ...], digits: str) -> tuple[OutLeg, ...]:
    return tuple(OutLeg(trunk, prefix + digits) for trunk, prefix in _leaving(site, trunks).items())


def _leaving(site: Site, trunks: tuple[str, ...]) -> dict[str, str]:
    """Those of the trunks by which calls can leave, in order, with their prefixes."""
    out = {one.id: one.outbound.prefix for one in site.trunks if one.outbound is not None}
    return {trunk: out[trunk] for trunk in trunks if trunk in out}


def _plain(typed: str) -> str:
    """As a telephone would be dialled: no full-width signs, no separators. Empty for what is too long: cut,
    it would be another number."""
    return "" if len(typed) > _TYPED else _SEPARATORS.sub("", unicodedata.normalize("NFKC", typed))


def _canonical(number: str) -> str:
    digits = national(number.replace("-", ""))
    return "010" + digits[1:] if digits.startswith("+") else digits


def _echo(typed: str) -> str:
    """What was typed, fit to be shown."""
    return "".join(sign for sign in typed.strip()[:20] if sign.isprintable())


def _unreadable(number: str) -> DialRefused:
    said = _echo(number)
    return DialRefused(
        "bad_number",
        f"「{said}」は電話番号として読めません。市外局番からの数字を入力してください。",
        f"“{said}” is not a telephone number: type its digits with the area code",
    )


def _emergency(digits: str) -> DialRefused:
    return DialRefused(
        "not_allowed",
        f"緊急通報({digits})は、このセンターの回線からはかけられません(場所が正しく伝わりません)。"
        "すぐに、庁舎の電話か携帯電話で通報し、責任者を呼んでください。",
        f"emergency calls ({digits}) cannot leave by the centre's lines, which would give a wrong place. "
        "Call at once from a telephone of the building or a mobile, and call a supervisor.",
    )
