"""執務時間 as people write them, and what is told of them."""

from __future__ import annotations

import datetime as dt
import itertools
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desk import Entry, Open, open_at
from dialplans import Minutes, OfficeHours, OfficeHoursError, Site, office_hours, special_day
from tests.support.site import site as site_data

TOKYO = dt.timezone(dt.timedelta(hours=9))
CALENDAR = {
    "id": "city",
    "name": "市の暦",
    "closures": [{"start": "12-29", "until": "01-03", "name": "年末年始"}],
    "days": [{"date": dt.date(2027, 2, 15), "name": "設備点検"}],
}


@cache
def town(*, calendar: bool = True, usual: str | None = None) -> Site:
    data: dict[str, Any] = site_data(operators=1)
    if calendar:
        data["calendars"] = [CALENDAR]
    if usual is not None:
        data["transfers"] = {"office_hours": usual}
    return Site.model_validate(data)


def at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=TOKYO)


def told(hours: str, when: str, **of: Any) -> Open:
    return open_at(Entry("環境課", hours=hours), town(**of), at(when))


@pytest.mark.req("XFR-3")
@pytest.mark.parametrize(
    ("written", "said", "english"),
    [
        ("平日 8:30-17:15", "8:30–17:15", "8:30–17:15"),
        ("8:30-17:15", "8:30–17:15", "8:30–17:15"),
        ("　平日　８：３０～１７：１５　", "8:30–17:15", "8:30–17:15"),
        ("月ー金 8時30分から17時15分まで(土日祝日を除く)", "8:30–17:15", "8:30–17:15"),
        ("午前8時半〜午後5時", "8:30–17:00", "8:30–17:00"),
        (
            "月-金 9:00-12:00 13:00-17:00; 土 9:00-12:00",
            "月–金 9:00–12:00・13:00–17:00、土 9:00–12:00",
            "Mon–Fri 9:00–12:00 and 13:00–17:00, Sat 9:00–12:00",
        ),
        (
            "平日 8:30-17:15、木曜は8:30-19:00",
            "月–水・金 8:30–17:15、木 8:30–19:00",
            "Mon–Wed, Fri 8:30–17:15, Thu 8:30–19:00",
        ),
        ("毎日 9-17時(月曜日を除く)", "火–日・祝日 9:00–17:00", "Tue–Sun, holidays 9:00–17:00"),
        ("火～日 9:00-21:00、月曜は休み", "火–日 9:00–21:00", "Tue–Sun 9:00–21:00"),
        ("金-月 10:00-11:00", "月・金–日 10:00–11:00", "Mon, Fri–Sun 10:00–11:00"),
        ("土日祝 22:00-翌2:00", "土・日・祝日 22:00–翌2:00", "Sat, Sun, holidays 22:00–2:00 (next day)"),
        ("24時間365日", "24時間", "24 hours"),
        ("年中無休 9:00-17:00", "毎日 9:00–17:00", "every day 9:00–17:00"),
        ("毎日 9:00-17:00", "毎日(年末年始を除く) 9:00–17:00", "every day but closures 9:00–17:00"),
        ("Mon-Fri 9am-5pm; Sat 9:00 to 12:00", "月–金 9:00–17:00、土 9:00–12:00", None),
    ],
)
def test_as_people_write_them(written: str, said: str, english: str | None) -> None:
    hours = office_hours(written)
    assert hours.text("ja") == said
    assert english is None or hours.text("en") == english


@pytest.mark.req("XFR-3")
@pytest.mark.parametrize(
    ("written", "what"),
    [
        ("", "時間が書かれていません"),
        ("平日", "時間のない曜日"),
        ("第2土曜 9:00-12:00", "読めません"),
        ("平日 8:30-17:15 昼休みあり", "「昼休みあり」"),
        ("平日 17:15-8:30", "「17:15-8:30」は時間帯になっていません"),
        ("平日 8:75-17:15", "「8:75-17:15」は時間帯になっていません"),
        ("平日 8:30-12:00 11:00-17:00", "重なって"),
        ("要予約", "読めません"),
    ],
)
def test_what_cannot_be_read_says_what_and_what_to_do(written: str, what: str) -> None:
    with pytest.raises(OfficeHoursError) as raised:
        office_hours(written)
    assert what in raised.value.ja
    assert raised.value.en
    assert "平日 8:30-17:15" in raised.value.do_ja


@pytest.mark.req("XFR-3")
@given(st.text(alphabet="平日月火土祝毎休みを除く0123456789:-~、; 時分半午後翌ab", max_size=30))
def test_any_text_is_hours_or_refused_with_words(text: str) -> None:
    try:
        hours = office_hours(text)
    except OfficeHoursError:
        return  # its words: above
    assert len(hours.week) == 7
    for spans in (*hours.week, hours.holiday, hours.closure):
        assert all(0 <= one.start < 1440 and one.start < one.end <= one.start + 1440 for one in spans)
        assert all(one.end <= other.start for one, other in itertools.pairwise(spans))


_SPANS = st.lists(st.integers(0, 24 * 4), min_size=2, max_size=4, unique=True).map(
    lambda ends: tuple(
        Minutes(start * 15, end * 15)
        for start, end in zip(sorted(ends)[::2], sorted(ends)[1::2], strict=False)
    )
)
_DAYS = "月火水木金土日祝"


@pytest.mark.req("XFR-3")
@given(st.lists(_SPANS, min_size=8, max_size=8), st.sampled_from([":", "："]), st.sampled_from("-~〜–"))
def test_what_is_written_day_by_day_is_read_so(
    days: list[tuple[Minutes, ...]], colon: str, dash: str
) -> None:
    def clock(minute: int) -> str:
        return f"{minute // 60}{colon}{minute % 60:02}"

    text = "; ".join(
        f"{day} {' '.join(f'{clock(one.start)}{dash}{clock(one.end)}' for one in spans)}"
        for day, spans in zip(_DAYS, days, strict=True)
    )
    assert office_hours(text) == OfficeHours(tuple(days[:7]), days[7])


@pytest.mark.req("XFR-3")
def test_what_to_tell_the_citizen() -> None:
    closed = told("平日 8:30-17:15", "2026-11-20T17:15")
    assert not closed.is_open
    assert closed.words["ja"] == "環境課の受付は 8:30–17:15 です。次は11月24日(火) 8:30 から。"
    assert closed.words["en"] == "環境課 is open 8:30–17:15. It opens next on Tue 24 Nov at 8:30."
    assert closed.next_open == at("2026-11-24T08:30")
    assert closed.next_open.tzinfo is dt.UTC
    now = told("平日 8:30-17:15", "2026-11-20T17:14")
    assert (now.is_open, now.until, now.next_open) == (True, at("2026-11-20T17:15"), None)
    assert now.words["ja"] == "環境課の受付は 8:30–17:15 です。ただいま受付中です(17:15 まで)。"
    noon = told("平日 9:00-12:00 13:00-17:00", "2026-11-20T12:30")
    assert noon.words["ja"].endswith("次は本日 13:00 から。")
    assert noon.words["en"].endswith("It opens next today at 13:00.")
    night = told("毎日 22:00-翌2:00", "2026-11-21T01:30")
    assert (night.is_open, night.until) == (True, at("2026-11-21T02:00"))
    always = told("24時間", "2027-01-01T03:00")
    assert (always.is_open, always.until) == (True, None)


@pytest.mark.req("XFR-3")
def test_holidays_closures_and_one_off_days_of_the_site() -> None:
    holiday = told("平日 8:30-17:15", "2026-11-23T10:00")
    assert not holiday.is_open
    assert "本日はお休みです(勤労感謝の日)。次は11月24日(火) 8:30 から。" in holiday.words["ja"]
    assert told("毎日 9:00-17:00", "2026-11-23T10:00").is_open
    new_year = told("毎日 9:00-17:00", "2026-12-29T10:00")
    assert not new_year.is_open
    assert "(年末年始)。次は2027年1月4日(月) 9:00 から。" in new_year.words["ja"]
    assert told("24時間", "2026-12-29T10:00").is_open
    assert "(設備点検)" in told("平日 8:30-17:15", "2027-02-15T10:00").words["ja"]
    without = told("平日 8:30-17:15", "2026-12-29T10:00", calendar=False)
    assert not without.is_open  # without a calendar a city hall's own closures
    assert told("平日 8:30-17:15", "2027-02-15T10:00", calendar=False).is_open


@pytest.mark.req("XFR-3")
def test_whose_hours_apply() -> None:
    site = town(usual="平日 9:00-16:00")
    early = at("2026-11-20T08:45")
    usual = open_at(Entry("環境課"), site, early)
    assert (usual.is_open, usual.hours["ja"]) == (False, "9:00–16:00")
    department = Entry("環境課", "ごみ係", department_hours="平日 8:30-17:15", hours_of="環境課")
    assert open_at(department, site, early).is_open
    own = Entry("環境課", "ごみ係", hours="平日 10:00-12:00", department_hours="平日 8:30-17:15")
    assert open_at(own, site, early).words["ja"].startswith("環境課 ごみ係の受付は 10:00–12:00 です。")


@pytest.mark.req("XFR-3")
def test_hours_that_nobody_can_read_keep_nobody_from_a_transfer() -> None:
    strange = told("要予約", "2026-11-21T03:00")
    assert strange.is_open
    assert strange.words["ja"] == "環境課の受付は「要予約」です。"


@pytest.mark.req("XFR-3")
@given(
    st.sampled_from(["平日 8:30-17:15", "月・水 9:00-12:00 13:00-17:00; 土 22:00-翌2:00", "毎日 0:00-24:00"]),
    st.integers(0, 2 * 365 * 24 * 60),
)
def test_until_and_next_open_agree_with_the_question_asked_then(hours: str, minutes: int) -> None:
    entry, site = Entry("環境課", hours=hours), town()
    moment = at("2026-01-01T00:00") + dt.timedelta(minutes=minutes)
    found = open_at(entry, site, moment)
    minute = dt.timedelta(minutes=1)
    if found.is_open:
        assert found.next_open is None
        if found.until is not None:
            assert open_at(entry, site, found.until - minute).is_open
            assert not open_at(entry, site, found.until).is_open
    else:
        assert found.next_open is not None
        assert open_at(entry, site, found.next_open).is_open
        assert not open_at(entry, site, found.next_open - minute).is_open
    calendar, local = site.calendars[0], moment.astimezone(TOKYO)
    ordinary = special_day(calendar, local.date()) is None
    if hours.startswith("平日") and ordinary:
        working = local.weekday() < 5 and dt.time(8, 30) <= local.time() < dt.time(17, 15)
        assert found.is_open is working


def test_the_site_says_its_usual_hours_in_a_way_that_can_be_read() -> None:
    data = site_data(operators=1) | {"transfers": {"office_hours": "だいたい昼まで"}}
    with pytest.raises(ValueError, match="だいたい昼まで"):
        Site.model_validate(data)
