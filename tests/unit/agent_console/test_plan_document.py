"""The plan's text under forms: one row changes, everything else stays to the letter."""

from __future__ import annotations

import datetime as dt
import difflib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent_console.plan import document, editing
from agent_console.plan.differences import changes, lines
from agent_console.plan.document import DocumentError, read
from agent_console.plan.merging import merge
from agent_console.texts import Language, texts

from .plans import EXAMPLES, MINATO

JA = texts(Language.JA)

TEXTS = [path.read_text(encoding="utf-8") for path in (MINATO, *EXAMPLES)]
LISTS = ("numbers", "hours", "calendars", "steps", "queues", "forwards", "notices", "events")
ROWS = [
    (text, section, index)
    for text in TEXTS
    for section in LISTS
    for index in range(len(read(text).rows(section)))
]


def touched(before: str, after: str) -> tuple[list[str], list[str]]:
    """Lines gone and lines new."""
    found = list(difflib.ndiff(before.splitlines(), after.splitlines()))
    return [one[2:] for one in found if one[0] == "-"], [one[2:] for one in found if one[0] == "+"]


def spot(text: str, section: str, index: int) -> range:
    """The lines that a row may touch: from it to the next row or section."""
    place = document.find_rows(text, section)
    assert place is not None
    return range(*place.rows[index])


@pytest.mark.req("ADM-1", "IVR-2")
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(row=st.sampled_from(ROWS), name=st.text(alphabet="あ亜aA: #'\"-{}[]1\n", min_size=1, max_size=12))
def test_a_change_touches_its_row_alone_and_is_read_back(row: tuple[str, str, int], name: str) -> None:
    text, section, index = row
    after = editing.set_row(text, section, index, {"name": name, "zz": {"ja": name}})
    expected = dict(read(text).data)
    expected[section] = [dict(one) for one in expected[section]]
    expected[section][index] |= {"name": name, "zz": {"ja": name}}
    assert read(after).data == expected
    old, new = text.splitlines(), after.splitlines()
    place = spot(text, section, index)
    assert new[: place.start] == old[: place.start]
    assert new[len(new) - (len(old) - place.stop) :] == old[place.stop :]


@pytest.mark.parametrize(("text", "section", "index"), ROWS)
def test_a_change_to_the_same_changes_nothing(text: str, section: str, index: int) -> None:
    row = read(text).rows(section)[index]
    assert editing.set_row(text, section, index, row) == text


def test_comments_and_order_stay_within_the_row_too() -> None:
    text = "steps:\n  # the first\n  - id: a   # its id\n    # what it says\n    say: あ\n    next: hangup\n"
    after = editing.set_row(text, "steps", 0, {"say": "い", "next": None, "name": "名"})
    assert after == (
        "steps:\n  # the first\n  - id: a   # its id\n    # what it says\n    say: い\n    name: 名\n"
    )


def test_rows_come_and_go() -> None:
    text = "numbers: []\nkpi: {offered: arrived}  # kept\n"
    first = {"id": "a", "days": [{"date": dt.date(2027, 1, 4), "open": ["8:30-12:00"]}], "none": None}
    one = editing.add_row(text, "hours", first)
    assert one.startswith(text)
    assert "date: 2027-01-04" in one
    assert read(one).rows("hours") == [{"id": "a", "days": [{"date": "2027-01-04", "open": ["8:30-12:00"]}]}]
    two = editing.add_row(one, "hours", {"id": "b"})
    assert [row["id"] for row in read(two).rows("hours")] == ["a", "b"]
    assert editing.remove_row(two, "hours", 1) == one
    assert read(editing.remove_row(one, "hours", 0)).data == read(text).data
    assert read(editing.add_row(text, "numbers", {"number": "0120"})).rows("numbers") == [{"number": "0120"}]


def test_a_comment_right_above_a_row_goes_with_it() -> None:
    text = "steps:\n  - id: a\n  # about b\n  - id: b\n  # about c\n  - id: c\n"
    assert editing.remove_row(text, "steps", 1) == "steps:\n  - id: a\n  # about c\n  - id: c\n"


def test_lists_in_brackets_can_be_edited_too() -> None:
    text = "steps: [{id: a}, {id: b}]  # flowing\nx: 1\n"
    assert read(editing.set_row(text, "steps", 1, {"name": "名"})).rows("steps")[1] == {
        "id": "b",
        "name": "名",
    }
    assert read(editing.remove_row(text, "steps", 0)).rows("steps") == [{"id": "b"}]
    assert len(read(editing.add_row(text, "steps", {"id": "c"})).rows("steps")) == 3


def test_a_group_of_keys() -> None:
    text = "x: 1\nwording:\n  please_wait: あ   # kept\n\nkpi: {}\n"
    after = editing.set_part(text, "wording", {"please_wait": "い", "goodbye": {"ja": "う", "en": "u"}})
    assert read(after).part("wording") == {"please_wait": "い", "goodbye": {"ja": "う", "en": "u"}}
    assert after.startswith("x: 1\nwording:\n  please_wait: い   # kept\n")
    assert after.endswith("\nkpi: {}\n")
    assert read(editing.set_part("x: 1\n", "wording", {"goodbye": "う"})).part("wording") == {"goodbye": "う"}


@pytest.mark.parametrize(
    "text",
    ["a: [", "- a\n", "a: b: c\n", "\x00", "\ud800", "a: " + "[" * 5000, "x: &a [1]\ny: *a\n", "- " * 9000],
)
def test_what_is_no_plan_is_refused_in_words(text: str) -> None:
    with pytest.raises(DocumentError):
        editing.add_row(text, "steps", {"id": "a"})
    assert read(text).rows("steps") == []


def test_numbers_are_read_as_they_are_written() -> None:
    text = "numbers:\n  - {number: 0246221111, staff: yes, on: true, n: 007, none: ~}\n"
    row = read(text).rows("numbers")[0]
    assert (row["number"], row["on"], row["n"], row["none"]) == ("0246221111", "true", "007", None)
    assert read(text).index("numbers", "0246221111") == 0
    assert "0246221111" in editing.set_row(text, "numbers", 0, {"name": "代表"})


# -- differences and changes of two people


def test_differences_box_by_box_and_line_by_line() -> None:
    before = "steps:\n  - id: a\n    say: {ja: あ, en: a}\n  - id: b\n"
    after = "steps:\n  - id: a\n    say: {ja: い, en: a}\n  - id: c\nkpi: {x: 1}\n"
    found = [(one.section, one.id, one.how, one.fields) for one in changes(before, after, JA)]
    assert found == [
        ("steps", "a", "changed", (("文言", "あ", "い"),)),
        ("steps", "b", "removed", ()),
        ("steps", "c", "added", ()),
        ("kpi", "", "added", (("x", "", "1"),)),
    ]
    shown = [(one.kind, one.text) for one in lines(before, after)]
    assert ("gone", "    say: {ja: あ, en: a}") in shown
    assert ("new", "    say: {ja: い, en: a}") in shown
    assert lines(before, before) == []
    assert changes(before, before + "# only a comment\n", JA) == []


LINES = st.lists(st.sampled_from(["a", "b", "c", "d", ""]), min_size=4, max_size=12)


@given(base=LINES, mine=LINES, theirs=LINES)
def test_a_merge_takes_what_only_one_changed(base: list[str], mine: list[str], theirs: list[str]) -> None:
    one, two, three = ("\n".join(part) for part in (base, mine, theirs))
    assert merge(one, one, three) == three
    assert merge(one, two, one) == two
    assert merge(one, two, two) == two
    assert merge(one, two, three) == merge(one, three, two)


def test_changes_far_apart_are_laid_over_each_other_and_others_are_not() -> None:
    base = "a\nb\nc\nd\ne"
    assert merge(base, "A\nb\nc\nd\ne", "a\nb\nc\nd\nE\nf") == "A\nb\nc\nd\nE\nf"
    assert merge(base, "a\nB\nc\nd\ne", "a\nX\nc\nd\ne") is None
    assert merge(base, "a\nB\nc\nd\ne", "a\nb\nC\nd\ne") is None
