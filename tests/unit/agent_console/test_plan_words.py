"""Mistakes beside a field: in the form's words, with row, day or key; no English names of keys."""

from __future__ import annotations

from datetime import date

import pytest

import ivr
from agent_console.plan.calendar import why_of
from agent_console.plan.problem_words import words_of, wrong_days
from agent_console.texts import Language, texts
from dialplans import Problem
from dialplans.opening import Minutes

JA = texts(Language.JA)


def missing(path: str) -> Problem:
    key = path.rpartition(".")[2]
    return Problem(
        "plan", 1, path, f"「{key}」がありません", "この項目を書き足してください", f"“{key}” is missing"
    )


@pytest.mark.req("OPR-6", "ADM-1")
@pytest.mark.parametrize(
    ("path", "section", "prefix", "said"),
    [
        ("steps[3].say", "steps", "steps[3]", "文言が空です"),
        ("steps[3].keys", "steps", "steps[3]", "ボタンを一つ以上入れてください"),
        ("steps[13].keys.1.go", "steps", "steps[13]", "ボタン 1: 行き先を選んでください"),
        ("calendars[0].closures[1].until", "calendars", "calendars[0]", "2行目: 終わりの日を入れてください"),
        ("calendars[0].closures[0].start", "calendars", "calendars[0]", "1行目: 始まりの日を入れてください"),
        ("numbers[0].greeting", "numbers", "numbers[0]", "「あいさつ」が空です"),
    ],
)
def test_a_missing_key_is_told_by_its_label(path: str, section: str, prefix: str, said: str) -> None:
    assert words_of(missing(path), section, prefix, JA) == said


@pytest.mark.req("OPR-6", "HRS-1")
def test_a_mistake_in_the_week_names_its_days_and_marks_them() -> None:
    one = Problem("plan", 1, "hours[0].week.mon-fri[0]", "「9-99」は読めません", "8:30-17:15", "bad")
    assert words_of(one, "hours", "hours[0]", JA) == "月〜金: 「9-99」は読めません → 8:30-17:15"
    sunday = Problem("plan", 1, "hours[0].week.sun[0]", "x", "", "bad")
    assert wrong_days([sunday], "hours[0]") == {"sun"}
    assert wrong_days([one], "hours[0]") == {"mon", "tue", "wed", "thu", "fri"}


@pytest.mark.req("HRS-1")
@pytest.mark.parametrize("spans", [(), (Minutes(540, 1020),)])
def test_a_holiday_with_hours_is_still_a_holiday(spans: tuple[Minutes, ...]) -> None:
    assert why_of(ivr.Day(date(2027, 1, 1), spans, "holiday", "元日")) == "holiday"
    assert why_of(ivr.Day(date(2027, 12, 29), spans, "closure", "年末年始")) == "closure"
