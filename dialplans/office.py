"""Office hours of a department as people write them (執務時間): `平日 8:30-17:15`,
`月-金 9:00-12:00 13:00-17:00; 土 9:00-12:00`, `毎日 9時〜17時30分`, `24時間`."""

from __future__ import annotations

import datetime as dt
import itertools
import re
import unicodedata
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

from dialplans.opening import Calendar, Minutes
from dialplans.special_days import special_day

_DAYS_JA = "月火水木金土日"
_DAYS_EN = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_HOLIDAY, _CLOSURE = 7, 8  # beside the weekdays 0…6
_ALL_DAY = Minutes(0, 1440)
_DO_JA = "「平日 8:30-17:15」「月-金 9:00-12:00 13:00-17:00; 土 9:00-12:00」のように書いてください"
_DO_EN = "write it like “平日 8:30-17:15” or “Mon-Fri 9:00-12:00 13:00-17:00; Sat 9:00-12:00”"

Spans = tuple[Minutes, ...]


class OfficeHoursError(ValueError):
    """A text that is no office hours: what is wrong and what to do, in both languages."""

    def __init__(self, ja: str, en: str, do_ja: str = _DO_JA, do_en: str = _DO_EN) -> None:
        super().__init__(f"{ja} / {en}")
        self.ja, self.en, self.do_ja, self.do_en = ja, en, do_ja, do_en


@dataclass(frozen=True)
class OfficeHours:
    """Spans (minutes after midnight, in order) of each weekday, Monday first; of holidays, and of closures
    and one-off closed days. Empty: closed. A span past midnight belongs to the day on which it begins."""

    week: tuple[Spans, ...]
    holiday: Spans = ()
    closure: Spans = ()

    def on(self, calendar: Calendar, date: dt.date) -> Spans:
        """The spans of a date."""
        special = special_day(calendar, date)
        if special is None:
            return self.week[date.weekday()]
        return self.holiday if special.kind == "holiday" else self.closure

    def text(self, language: Literal["ja", "en"] = "ja") -> str:
        """As it is said: `8:30–17:15` where it is an office's ordinary week, else with the days
        (`月–水・金 8:30–17:15、木 8:30–19:00`)."""
        ja = language == "ja"
        days = (*self.week, self.holiday, self.closure)
        if set(days) == {(_ALL_DAY,)}:
            return "24時間" if ja else "24 hours"
        if len(set(days[:5])) == 1 and days[0] and not any(days[5:]):
            return _spans_text(days[0], ja)
        groups: dict[Spans, list[int]] = {}
        for day, spans in enumerate(days):
            if spans:
                groups.setdefault(spans, []).append(day)
        said = [f"{_days_text(of, ja)} {_spans_text(spans, ja)}" for spans, of in groups.items()]
        return ("、" if ja else ", ").join(said) or ("お休み" if ja else "closed")


@lru_cache(maxsize=2000)
def office_hours(text: str) -> OfficeHours:
    """Reads a text. Weekdays that it does not name are closed; holidays are closed unless `祝日` or `毎日`
    is there, closures unless `年中無休` or `24時間` alone is. Without days: 平日. What is said later of a day
    replaces what was said before. Raises OfficeHoursError."""
    return _Reader(text).read()


_TIME = r"(午前|午後|am|pm|翌日?)?\s*(\d{1,2})(?::(\d{2})|時(?:(\d{1,2})分|(半))?)?\s*(am|pm)?"
_TO = r"\s*(?:-|~|から|to|until)\s*"
_SPAN = re.compile(rf"{_TIME}{_TO}{_TIME}\s*(?:まで)?")
_ALL = re.compile(r"24\s*時間(?:\s*365\s*日)?|終日|24\s*h(?:ours?)?\b|all day")
_CLOSED = re.compile(r"(?:は|is)?\s*(?:お?休み|休業日?|閉庁|休館|休|closed)")
_EVERY = re.compile(r"年中無休|無休|365\s*日")
_DAY_WORDS: tuple[tuple[re.Pattern[str], tuple[int, ...]], ...] = (
    (re.compile(r"平日|weekdays?"), (0, 1, 2, 3, 4)),
    (re.compile(r"毎日|daily|every ?day"), (0, 1, 2, 3, 4, 5, 6, _HOLIDAY)),
    (re.compile(r"weekends?"), (5, 6)),
    (re.compile(r"祝日?|休日|(?:public )?holidays?"), (_HOLIDAY,)),
    (re.compile(r"年末年始|closures?"), (_CLOSURE,)),
)
_DAY = rf"([{_DAYS_JA}])(?:曜日?)?|(mon|tue|wed|thu|fri|sat|sun)[a-z]*\.?"
_DAY_RANGE = re.compile(rf"(?:{_DAY})(?:{_TO}(?:{_DAY}))?")
_EXCEPT = re.compile(rf"\(?([{_DAYS_JA}曜祝休閉庁年末始・,、及びと\s]+?)(?:を|は)?除く\)?")
_BETWEEN = re.compile(r"[\s;,、・/。|()\[\]]+|と|は|及び|および|and\b")


@dataclass
class _Group:
    """Days and what was said of them."""

    days: list[int] = field(default_factory=list)
    spans: list[Minutes] = field(default_factory=list)
    closed: bool = False

    @property
    def said(self) -> bool:
        return bool(self.spans) or self.closed


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = _plain(text)
        self._whole = text.strip()
        self._at = 0
        self._days: list[Spans] = [()] * 9
        self._group = _Group()
        self._except: set[int] = set()

    def read(self) -> OfficeHours:
        if not self._text.strip():
            raise OfficeHoursError("時間が書かれていません", "no hours are written")
        while self._at < len(self._text):
            if not self._one():
                rest = self._text[self._at :].strip()[:30]
                raise OfficeHoursError(
                    f"「{rest}」は執務時間として読めません",
                    f"“{rest}” cannot be read as office hours",
                    f"{_DO_JA}。毎週同じでない日(第2土曜など)は備考に書いてください",
                    f"{_DO_EN}; days that are not the same every week belong in the note",
                )
        self._flush()
        for day in self._except:
            self._days[day] = ()
        return OfficeHours(tuple(self._days[:7]), self._days[_HOLIDAY], self._days[_CLOSURE])

    def _one(self) -> bool:
        if found := self._take(_EXCEPT):
            self._except |= _named(found[1])
            return True
        if self._take(_BETWEEN):
            return True
        if self._take(_ALL):
            self._group.spans.append(_ALL_DAY)
            if not self._group.days:
                self._group.days = list(range(9))
            return True
        if found := self._take(_SPAN):
            self._group.spans.append(self._span(found))
            return True
        if self._take(_CLOSED):
            self._group.closed = True
            return True
        if self._take(_EVERY):
            self._name(range(9))
            return True
        for pattern, days in _DAY_WORDS:
            if self._take(pattern):
                self._name(days)
                return True
        if found := self._take(_DAY_RANGE):
            first, last = _day(found[1], found[2]), _day(found[3], found[4])
            assert first is not None  # noqa: S101 - the pattern has one
            last = first if last is None else last
            self._name((first + n) % 7 for n in range((last - first) % 7 + 1))
            return True
        return False

    def _take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        found = pattern.match(self._text, self._at)
        if found is not None and found.end() > self._at:
            self._at = found.end()
            return found
        return None

    def _name(self, days: object) -> None:
        if self._group.said:
            self._flush()
        self._group.days += list(days)  # type: ignore[call-overload]

    def _flush(self) -> None:
        group, self._group = self._group, _Group()
        if group.days and not group.said:
            raise OfficeHoursError(
                f"「{self._whole}」に時間のない曜日があります", f"“{self._whole}” names a day without hours"
            )
        spans = tuple(sorted(group.spans))
        for one, following in itertools.pairwise(spans):
            if following.start < one.end:
                raise OfficeHoursError(
                    f"「{self._whole}」の時間帯が重なっています", f"spans of “{self._whole}” overlap"
                )
        for day in group.days or ([] if not spans else [0, 1, 2, 3, 4]):
            self._days[day] = spans

    def _span(self, found: re.Match[str]) -> Minutes:
        parts = found.groups()
        start, end = _minute(*parts[:6]), _minute(*parts[6:])
        if start is None or end is None or not (start < 1440 and start < end <= start + 1440):
            raise OfficeHoursError(
                f"「{found[0].strip()}」は時間帯になっていません",
                f"“{found[0].strip()}” is not a span of time",
            )
        return Minutes(start, end)


def _plain(text: str) -> str:
    """One form of every digit, dash and letter."""
    plain = unicodedata.normalize("NFKC", text).lower()
    plain = re.sub(r"[‐‑‒–—―−〜～]", "-", plain)
    return re.sub(rf"(?<=[\d分時半{_DAYS_JA}曜])\s*ー", "-", plain)  # the long-vowel sign, typed as a dash


def _named(text: str) -> set[int]:
    """The days of 「土日・祝日・年末年始(を除く)」."""
    days = set()
    for pattern, day in ((r"年末年始", _CLOSURE), (r"祝日?|休日|閉庁日", _HOLIDAY)):
        shorter = re.sub(pattern, "", text)
        if shorter != text:
            days.add(day)
        text = shorter
    return days | {_DAYS_JA.index(letter) for letter in text.replace("曜日", "") if letter in _DAYS_JA}


def _minute(
    before: str | None, hour: str, colon: str | None, minute: str | None, half: str | None, after: str | None
) -> int | None:
    """Minutes after midnight; None for a time that is none."""
    hours, minutes = int(hour), 30 if half else int(colon or minute or 0)
    if minutes > 59 or hours > 48:
        return None
    if "午後" in (before, after) or "pm" in (before, after):
        hours += 12 if hours < 12 else 0
    elif "am" in (before, after) and hours == 12:
        hours = 0
    elif before in ("翌", "翌日"):
        hours += 24
    return hours * 60 + minutes


def _day(ja: str | None, en: str | None) -> int | None:
    if ja is not None:
        return _DAYS_JA.index(ja)
    return None if en is None else [day.lower() for day in _DAYS_EN].index(en)


def clock_text(minute: int, ja: bool = True) -> str:
    """`8:30`; after midnight `翌2:00`, in English `2:00 (next day)`. The end of a day is `24:00`."""
    hour, rest = divmod(minute, 60)
    if minute <= 1440:
        return f"{hour}:{rest:02}"
    return f"翌{hour - 24}:{rest:02}" if ja else f"{hour - 24}:{rest:02} (next day)"


def _spans_text(spans: Spans, ja: bool) -> str:
    if spans == (_ALL_DAY,):
        return "24時間" if ja else "24 hours"
    said = [f"{clock_text(one.start, ja)}–{clock_text(one.end, ja)}" for one in spans]
    return ("・" if ja else " and ").join(said)


def _days_text(days: list[int], ja: bool) -> str:
    """`月–水・金`; holidays and closures by name."""
    if set(days) >= {*range(7), _HOLIDAY}:
        every = "毎日" if ja else "every day"
        return every if _CLOSURE in days else f"{every}(年末年始を除く)" if ja else f"{every} but closures"
    names = _DAYS_JA if ja else _DAYS_EN
    runs: list[list[int]] = []
    for day in (day for day in days if day < 7):
        if runs and day == runs[-1][-1] + 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    said = []
    for run in runs:
        if len(run) > 2:
            said.append(f"{names[run[0]]}–{names[run[-1]]}")
        else:
            said += [names[day] for day in run]
    if _HOLIDAY in days:
        said.append("祝日" if ja else "holidays")
    if _CLOSURE in days:
        said.append("年末年始" if ja else "closures")
    return ("・" if ja else ", ").join(said)
