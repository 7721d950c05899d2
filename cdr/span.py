"""Spans of time as people give them: half-open, in the site's zone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cdr.events import time_text


class SpanError(ValueError):
    """A span that cannot be understood; one line: what, where, what to do."""


@dataclass(frozen=True)
class Span:
    """All calls that arrived at or after `start` and before `end`; both aware UTC."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        for name in ("start", "end"):
            value: datetime = getattr(self, name)
            if value.utcoffset() is None:
                raise SpanError(f"{name} has no zone: {value}")
            object.__setattr__(self, name, value.astimezone(UTC))
        if self.end <= self.start:
            raise SpanError(
                f"終わり（{self.end}）が始まり（{self.start}）より後ではありません / "
                f"the span ends ({self.end}) before it begins ({self.start}): exchange --from and --to"
            )

    @classmethod
    def parse(cls, start: str | None, end: str | None, zone: str, now: datetime | None = None) -> Span:
        """`--from` and `--to`: a date (its midnight) or a date and time, in the site's zone unless an offset
        or Z is given. `--to` is the first moment that no longer counts: for the whole of the 30th give the
        1st of the next month. Without --from: today's midnight; without --to: a day after --from's day, or
        the end of today if that is later. Raises SpanError.
        """
        try:
            tz = ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise SpanError(
                f"タイムゾーン「{zone}」はありません / time zone {zone!r} is not known; "
                "use a name like Asia/Tokyo"
            ) from None
        today = (now or datetime.now(UTC)).astimezone(tz).date()
        first = _instant("--from", start, tz) if start else _midnight(today, tz)
        if end:
            last = _instant("--to", end, tz)
            if last <= first:  # told as it was typed: nobody wrote the instants in UTC
                began = f"--from ({start})" if start else f"--from ({today})"
                raise SpanError(
                    f"--to ({end}) が {began} より後ではありません / "
                    f"--to ({end}) is not after {began}: exchange --from and --to"
                )
            return cls(first, last)
        try:
            last_day = max(today, first.astimezone(tz).date())
            return cls(first, _midnight(last_day + timedelta(days=1), tz))
        except OverflowError:
            raise SpanError(f"--from {start!r} は範囲外です / --from {start!r} is out of range") from None

    @classmethod
    def of_day(cls, day: date, zone: str) -> Span:
        """One calendar day of the site's zone."""
        tz = ZoneInfo(zone)
        return cls(_midnight(day, tz), _midnight(day + timedelta(days=1), tz))

    @classmethod
    def today(cls, zone: str, now: datetime | None = None) -> Span:
        """The site's calendar day that `now` (default: this moment) lies in."""
        return cls.of_day((now or datetime.now(UTC)).astimezone(ZoneInfo(zone)).date(), zone)

    def to_json(self) -> dict[str, Any]:
        return {"from": time_text(self.start), "to": time_text(self.end)}


def _midnight(day: date, tz: ZoneInfo) -> datetime:
    return datetime.combine(day, time.min, tz)


def _instant(option: str, text: str, tz: ZoneInfo) -> datetime:
    try:
        value = datetime.fromisoformat(text.strip())
    except ValueError:
        raise SpanError(
            f"{option} {text!r} は日付でも日時でもありません。2026-11-21 か 2026-11-21T09:00 のように / "
            f"{option} {text!r} is no date or time; use 2026-11-21, 2026-11-21T09:00 or …T09:00+09:00"
        ) from None
    try:
        return (value if value.tzinfo else value.replace(tzinfo=tz)).astimezone(UTC)
    except OverflowError:
        raise SpanError(f"{option} {text!r} は範囲外です / {option} {text!r} is out of range") from None
