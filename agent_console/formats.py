"""How figures look: telephone numbers grouped, times as 2:07, dates with their weekday."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from zoneinfo import ZoneInfo

from .texts import Language

# 市外局番 of three digits (with the leading zero) in cities big enough to meet often; four digits otherwise.
_AREA_2 = frozenset({"03", "06"})
_AREA_3 = frozenset(
    f"0{code}"
    for codes in (
        (11, 15, 58, 59, 72, 73, 82, 83, 84, 92, 93),
        range(17, 20),
        range(22, 30),
        range(42, 50),
        range(52, 56),
        range(75, 80),
        range(86, 90),
        range(95, 100),
    )
    for code in codes
)
_MOBILE = frozenset({"070", "080", "090", "050", "020"})
_WEEKDAYS = {Language.JA: "月火水木金土日", Language.EN: ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")}


def grouping_of(site_numbers: Iterable[str]) -> dict[str, tuple[int, ...]]:
    """Area codes as the site itself writes its numbers: `0246-22-1111` gives {"0246": (4, 2, 4)}."""
    groups = {}
    for number in site_numbers:
        parts = number.split("-")
        if len(parts) == 3:
            groups[parts[0]] = tuple(len(part) for part in parts)
    return groups


def phone_number(digits: str, site_groups: dict[str, tuple[int, ...]] | None = None) -> str:
    """A telephone number grouped as people write it; what is no Japanese number stays as it is."""
    if not digits.isdigit() or not digits.startswith("0") or len(digits) not in (10, 11):
        return digits
    if len(digits) == 11:
        return _cut(digits, (3, 4, 4)) if digits[:3] in _MOBILE else digits
    for code, sizes in (site_groups or {}).items():
        if digits.startswith(code) and sum(sizes) == 10:
            return _cut(digits, sizes)
    if digits[:4] in ("0120", "0570", "0800", "0990"):
        return _cut(digits, (4, 3, 3))
    if digits[:2] in _AREA_2:
        return _cut(digits, (2, 4, 4))
    return _cut(digits, (3, 3, 4) if digits[:3] in _AREA_3 else (4, 2, 4))


def masked(number: str) -> str:
    """For eyes without the right to see it whole: the last four digits hidden."""
    hidden, kept = 4, []
    for character in reversed(number):
        if hidden and character.isdigit():
            kept.append("*")
            hidden -= 1
        else:
            kept.append(character)
    return "".join(reversed(kept))


def _cut(digits: str, sizes: tuple[int, ...]) -> str:
    parts, at = [], 0
    for size in sizes:
        parts.append(digits[at : at + size])
        at += size
    return "-".join(parts)


def duration(seconds: float | None, none: str = "―") -> str:
    """`2:07`, `1:02:07`."""
    if seconds is None:
        return none
    whole = max(0, int(seconds))
    hours, rest = divmod(whole, 3600)
    minutes, secs = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{secs:02}" if hours else f"{minutes}:{secs:02}"


def tenths(seconds: float | None, none: str = "―") -> str:
    """`2:07.4`, for figures that lie so close together that whole seconds would show them as the same."""
    if seconds is None:
        return none
    count = max(0, round(seconds * 10))
    return f"{duration(count // 10)}.{count % 10}"


def clock(at: datetime | None, zone: ZoneInfo, none: str = "―") -> str:
    """`14:02:31` in the site's zone."""
    return at.astimezone(zone).strftime("%H:%M:%S") if at else none


def long_date(day: date, language: Language) -> str:
    """2026年11月21日(土), or Sat 21 Nov 2026."""
    weekday = _WEEKDAYS[language][day.weekday()]
    if language is Language.JA:
        return f"{day.year}年{day.month}月{day.day}日({weekday})"
    return f"{weekday} {day.day} {day:%b} {day.year}"


def percent(share: float | None, none: str = "―") -> str:
    """`93.1 %`."""
    return none if share is None else f"{share * 100:.1f} %"
