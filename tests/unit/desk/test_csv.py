"""職員録 as CSV: all or nothing, every mistake by row, and back to the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import desk
from desk import CsvProblems, Entry, EntryProblems, entry_of, read_csv, write_csv

HEADER = "部署,係,氏名,よみ,担当業務,内線,直通,執務時間,備考\r\n"


def problems_of(content: bytes | str) -> list[tuple[int | None, str, str]]:
    with pytest.raises(CsvProblems) as raised:
        read_csv(content if isinstance(content, bytes) else content.encode())
    assert all(one.do_ja and one.en and one.do_en for one in raised.value.problems)
    return [(one.row, one.column, one.ja) for one in raised.value.problems]


_TEXT = st.text(
    alphabet=st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="\u2028\u2029"),
    max_size=20,
)
_VALUES = st.fixed_dictionaries(
    {
        "department": _TEXT.filter(str.strip),
        "section": _TEXT | st.sampled_from(["=1+1", "'=x", "+81", "-", "@a", 'ごみ"係"', "a,b"]),
        "person": _TEXT,
        "reading": _TEXT,
        "duties": _TEXT | st.just("ごみ、\r\n資源"),
        "extension": st.from_regex(r"[0-9]{2,10}", fullmatch=True),
        "direct": st.sampled_from(["", "0246-22-7104", "0246(22)7104", "０２４６ー２２ー７１０４", "119"]),
        "hours": st.sampled_from(["", "平日 8:30-17:15", "24時間"]),
        "note": _TEXT,
    }
)


@pytest.mark.req("XFR-2")
@given(st.lists(_VALUES, min_size=1, max_size=5), st.sampled_from(["ja", "en"]))
def test_what_is_exported_is_imported_to_the_same(rows: list[dict[str, str]], language: str) -> None:
    entries = [entry_of(row) for row in rows]
    content = write_csv(entries, language)
    assert content.startswith(b"\xef\xbb\xbf")
    assert read_csv(content) == entries
    for line in content.decode("utf-8-sig").split("\r\n"):
        assert line[:1] not in ("=", "+", "-", "@")


@pytest.mark.req("XFR-2")
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932", "utf-16"])
def test_character_sets(encoding: str) -> None:
    line = '環境課,ごみ係,,かんきょうか,"粗大ごみ、収集",2314,0246-22-7104,平日 8:30～17:15,'
    text = HEADER + line + "\r\n,,,,,,,,\r\n"
    (entry,) = read_csv(text.encode(encoding))
    assert entry.values() == tuple(line.replace('"', "").split(","))


@pytest.mark.req("XFR-2")
def test_headers_in_any_order_and_either_language() -> None:
    assert read_csv("内線番号\t部署名\n2314\t環境課\n".encode()) == [Entry("環境課", extension="2314")]
    assert read_csv("Direct line,Department,ＥＸＴ\n0246-22-7104,Waste,\n".encode()) == [
        Entry("Waste", direct="0246-22-7104")
    ]
    assert problems_of("部署,内戦\nx,1") == [(1, "内戦", "知らない見出しです")]
    assert problems_of("部署,内線,FAX\nx,10,1") == [(1, "FAX", "知らない見出しです")]
    assert problems_of("部署,課,内線\nx,y,10") == [(1, "課", "「部署」の列がふたつあります")]
    assert [one[1] for one in problems_of("係,内線\nx,10")] == ["部署"]
    assert "内線の列も直通の列も" in problems_of("部署,係\nx,y")[0][2]


@pytest.mark.req("XFR-2")
def test_every_wrong_row_is_named_and_nothing_is_taken() -> None:
    text = (
        HEADER + "環境課,,,,,2314,,,\n,ごみ係,,,,12a,,,\n\n市民課,,,,,,,,\n"
        "税務課,,,,,20,246227104,第2土曜 9:00-12:00,\n"
        "総務課,守衛室,,,,2299,,24時間,夜,間\n"
    )
    assert problems_of(text) == [
        (3, "部署", "部署が空です"),
        (3, "内線", "「12a」は内線番号ではありません"),
        (5, "内線", "内線も直通もありません"),
        (6, "直通", "「246227104」の先頭の 0 がありません"),
        (6, "執務時間", "「第2土曜 9:00-12:00」は執務時間として読めません"),
        (7, "―", "見出しより列が多くあります(10列)"),
    ]


@pytest.mark.req("XFR-2")
@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "ファイルが空です"),
        (HEADER.encode(), "見出しのほかに行がありません"),
        (b"\x80\xff\x00\x81", "文字コードを読めません"),
        ((HEADER + '環境課,"ごみ係,,,,2314,,,').encode(), "CSV として読めません"),
        (b"x" * (desk.MAX_BYTES + 1), "ファイルが大きすぎます"),
        ((HEADER + "環境課\x00,,,,,2314,,,").encode(), "使えない文字があります"),
    ],
)
def test_what_is_no_directory_at_all(content: bytes, what: str) -> None:
    assert what in problems_of(content)[0][2]


@pytest.mark.req("XFR-2")
@given(st.binary(max_size=200))
def test_any_bytes_are_entries_or_refused_with_words(content: bytes) -> None:
    try:
        entries = read_csv(content)
    except CsvProblems as error:
        problems = error.problems
    else:
        problems = ()
        assert entries
    assert all(one.ja and one.do_ja for one in problems)


@pytest.mark.req("XFR-2")
def test_a_form_is_told_everything_at_once() -> None:
    with pytest.raises(EntryProblems) as raised:
        entry_of({"department": " ", "direct": "平日のみ", "hours": "昼まで", "note": "x" * 1001})
    assert [(one.field, one.row) for one in raised.value.problems] == [
        ("note", None),
        ("department", None),
        ("direct", None),
        ("hours", None),
    ]
