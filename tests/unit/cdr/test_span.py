"""Spans as people give them."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from cdr import Span, SpanError

NOW = datetime(2026, 11, 21, 16, 30, tzinfo=UTC)  # the 22nd, 1:30, in Japan


def parse(start: str | None, end: str | None, zone: str = "Asia/Tokyo") -> tuple[str, str]:
    span = Span.parse(start, end, zone, NOW)
    return f"{span.start:%d %H:%M}", f"{span.end:%d %H:%M}"


@pytest.mark.parametrize(
    ("start", "end", "utc"),
    [
        ("2026-11-01", "2026-11-02", ("31 15:00", "01 15:00")),
        ("2026-11-01T09:00", "2026-11-01 17:30", ("01 00:00", "01 08:30")),
        ("2026-11-01T09:00Z", "2026-11-01T19:00+09:00", ("01 09:00", "01 10:00")),
        (" 20261101 ", "2026-11-02", ("31 15:00", "01 15:00")),
        (None, None, ("21 15:00", "22 15:00")),
        (None, "2026-11-22T01:00", ("21 15:00", "21 16:00")),
        ("2026-11-20", None, ("19 15:00", "22 15:00")),
        ("2026-12-24", None, ("23 15:00", "24 15:00")),
    ],
)
def test_dates_and_times_are_the_sites(start: str | None, end: str | None, utc: tuple[str, str]) -> None:
    assert parse(start, end) == utc


def test_a_day_with_a_change_of_clocks_has_its_own_length() -> None:
    span = Span.of_day(date(2026, 10, 25), "Europe/Berlin")
    assert (span.end - span.start).total_seconds() == 25 * 3600


def test_today_is_the_sites_day() -> None:
    assert Span.today("Asia/Tokyo", NOW) == Span.of_day(date(2026, 11, 22), "Asia/Tokyo")
    assert Span.today("UTC", NOW) == Span.of_day(date(2026, 11, 21), "UTC")


@pytest.mark.parametrize(
    ("start", "end", "zone", "says"),
    [
        ("gestern", None, "Asia/Tokyo", "--from 'gestern' is no date"),
        ("2026-11-01", "2026-11-31", "Asia/Tokyo", "--to '2026-11-31' is no date"),
        ("2026-11-02", "2026-11-01", "Asia/Tokyo", "exchange --from and --to"),
        ("2026-11-02", "2026-11-02", "Asia/Tokyo", "exchange --from and --to"),
        ("2026-11-02", None, "Asia/Edo", "'Asia/Edo' is not known"),
        ("2026-11-02", None, "../etc/passwd", "is not known"),
        ("2026-11-02", None, "Asia", "is not known"),
        ("0001-01-01", None, "Asia/Tokyo", "out of range"),
        ("9999-12-31", None, "Asia/Tokyo", "out of range"),
    ],
)
def test_what_is_no_span_is_said(start: str, end: str | None, zone: str, says: str) -> None:
    with pytest.raises(SpanError, match=says) as told:
        Span.parse(start, end, zone, NOW)
    assert "\n" not in str(told.value)


def test_a_span_turned_round_is_told_as_it_was_typed() -> None:
    with pytest.raises(SpanError) as told:
        Span.parse("2026-12-01", "2026-11-01", "Asia/Tokyo", NOW)
    assert str(told.value) == (
        "--to (2026-11-01) が --from (2026-12-01) より後ではありません / "
        "--to (2026-11-01) is not after --from (2026-12-01): exchange --from and --to"
    )
    with pytest.raises(SpanError, match=r"--to \(2026-11-01\) が --from \(2026-11-22\)"):
        Span.parse(None, "2026-11-01", "Asia/Tokyo", NOW)


def test_naive_times_are_refused() -> None:
    with pytest.raises(SpanError, match="no zone"):
        Span(datetime(2026, 1, 1), NOW)  # noqa: DTZ001


def test_json() -> None:
    assert Span.of_day(date(2026, 11, 22), "Asia/Tokyo").to_json() == {
        "from": "2026-11-21T15:00:00.000000Z",
        "to": "2026-11-22T15:00:00.000000Z",
    }
