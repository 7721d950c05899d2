"""職員録: found by any part while somebody types."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

import desk
from desk import Directory, Entry, Rank, folded
from store import Store

GARBAGE = Entry(
    "環境課",
    "ごみ係",
    reading="かんきょうか ごみがかり",
    duties="粗大ごみ、収集日",
    extension="2314",
    direct="0246-22-7104",
)
PERSON = Entry(
    "市民課", "戸籍係", "髙橋 渚", "たかはし なぎさ", "死亡届、埋火葬許可", "2402", note="木曜は不在"
)
DX = Entry(
    "ＤＸ推進課", reading="でぃーえっくすすいしんか", duties="電子申請、マイナポータル", extension="22314"
)
GUARD = Entry("総務課", "守衛室", duties="夜間の受付・落とし物", extension="2299", hours="24時間")
HALL = Directory([GARBAGE, PERSON, DX, GUARD])


def found(text: str, hall: Directory = HALL) -> list[str]:
    return [one.entry.extension for one in hall.find(text)]


@pytest.mark.req("XFR-2")
@pytest.mark.parametrize(
    ("typed", "extensions"),
    [
        ("環境", ["2314"]),  # department, two characters
        ("ごみ係", ["2314"]),
        ("環境課ごみ", ["2314"]),
        ("かんきょう", ["2314"]),  # reading
        ("カンキョウ", ["2314"]),
        ("ｶﾝｷｮｳ ｺﾞﾐ", ["2314"]),
        ("きょ", ["2314"]),
        ("収集", ["2314"]),  # duties
        ("ごみ　粗大", ["2314"]),  # a full-width blank
        ("高橋", ["2402"]),  # as it is typed, not as it is written
        ("髙橋渚", ["2402"]),
        ("たかはしなぎさ", ["2402"]),
        ("dx", ["22314"]),
        ("Ｄｘ", ["22314"]),
        ("マイナポータル", ["22314"]),
        ("まいな", ["22314"]),
        ("2314", ["2314", "22314"]),  # the whole extension first
        ("２３１４", ["2314", "22314"]),
        ("231", ["2314", "22314"]),  # a beginning before a middle
        ("0246-22-7104", ["2314"]),
        ("0246227104", ["2314"]),
        ("22-7104", ["2314"]),
        ("７１０４", ["2314"]),
        ("落とし物", ["2299"]),
        ("木曜", []),  # the note is not searched
        ("環境 戸籍", []),  # all words, in one entry
        ("ない", []),
    ],
)
def test_any_part(typed: str, extensions: list[str]) -> None:
    assert found(typed) == extensions


@pytest.mark.req("XFR-2")
def test_best_matches_first_and_pages() -> None:
    hall = Directory(
        [
            Entry("生活環境課", extension="1"),
            Entry("環境課", extension="2"),
            Entry("下水道課", duties="環境の調査", extension="3"),
            Entry("市民課", duties="住環境", extension="4"),
        ]
    )
    assert found("環境", hall) == ["2", "3", "1", "4"]
    assert [one.rank for one in hall.find("環境")] == [Rank.WORD, Rank.WORD, Rank.PART, Rank.PART]
    second, total = hall.search("環境", 2, 2)
    assert ([one.entry.extension for one in second], total) == (["1", "4"], 4)
    nothing_typed, total = hall.search(" 　", 3)
    assert ([one.entry.extension for one in nothing_typed], total) == (["1", "2", "3"], 4)


@pytest.mark.req("XFR-2")
@given(st.text(max_size=40))
def test_folding_again_changes_nothing(text: str) -> None:
    once = folded(text)
    assert folded(once) == once


_KANA = st.text(alphabet=[chr(code) for code in range(0x30A1, 0x30F5)] + ["ー"], min_size=1, max_size=12)


@pytest.mark.req("XFR-2")
@given(_KANA, st.data())
def test_every_part_of_a_reading_is_found_however_it_is_typed(kana: str, data: st.DataObject) -> None:
    kana = unicodedata.normalize("NFC", kana)
    start = data.draw(st.integers(0, len(kana) - 1))
    part = kana[start : data.draw(st.integers(start + 1, len(kana)))]
    hiragana = "".join(chr(ord(one) - 0x60) if one != "ー" else one for one in part)
    hall = Directory([Entry("X", reading=kana, extension="10")])
    assert found(part, hall) == ["10"]
    assert found(hiragana, hall) == ["10"]
    assert found(f"　{part} x", hall) == ["10"]


_WORDS = st.text(alphabet="環境課ごみカナab12・-、 　", max_size=8)


@pytest.mark.req("XFR-2")
@given(st.lists(st.tuples(_WORDS, _WORDS, _WORDS), max_size=6), _WORDS)
def test_found_is_what_holds_every_word(rows: list[tuple[str, str, str]], typed: str) -> None:
    """Against the plainest reading of the rule, fields one by one."""
    entries = [Entry(*row, extension=str(place)) for place, row in enumerate(rows)]
    words = [word for word in folded(typed).split() if not any(one in word for one in "-・、0123456789")]
    hits = found(" ".join(words), Directory(entries))
    for place, row in enumerate(rows):
        held = all(any(word in folded(text) for text in row) for word in words)
        assert not held or str(place) in hits, (row, words)


@pytest.mark.req("XFR-3")
def test_whose_hours_a_line_takes() -> None:
    hall = Directory(
        [
            Entry("税務課", hours="平日 8:30-19:00", extension="1"),
            Entry("税務課", "窓口", extension="2"),
            Entry("税務課", "窓口", "非常勤", hours="月 9:00-12:00", extension="3"),
            Entry("税務課", "相談室", hours="土 9:00-12:00", extension="4"),
            Entry("税務課", "相談室", "青木", extension="5"),
            Entry("環境課", extension="6"),
        ]
    )
    assert [(one.hours or one.department_hours, one.hours_of) for one in hall.entries] == [
        ("平日 8:30-19:00", ""),
        ("平日 8:30-19:00", "税務課"),  # not the part-timer's
        ("月 9:00-12:00", ""),
        ("土 9:00-12:00", ""),
        ("土 9:00-12:00", "税務課 相談室"),
        ("", "環境課"),
    ]


@pytest.mark.req("XFR-2")
async def test_the_demo_fills_an_empty_table_only(store: Store) -> None:
    assert await desk.fill_demo(store)
    hall = await Directory.load(store)
    assert len(hall) >= 60
    assert found("粗大ごみ", hall)[0] == "2314"
    assert len({one.extension for one in hall.entries}) == len(hall)
    assert all(one.reading or one.section for one in hall.entries)
    assert not await desk.fill_demo(store)
    await desk.replace(store, [GARBAGE], "sv01")
    assert not await desk.fill_demo(store)
    assert len(await Directory.load(store)) == 1
