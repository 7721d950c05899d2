"""The directory as a CSV file: written for spreadsheets, read from whatever they write. All or nothing."""

from __future__ import annotations

import csv
import difflib
import io
import re
from collections.abc import Iterable, Sequence
from typing import Final

from desk.entries import FIELDS, NAMES, Entry, EntryProblems, Problem, entry_of
from desk.folding import folded

MAX_BYTES: Final = 8 * 1024 * 1024
MAX_ENTRIES: Final = 30_000
MAX_PROBLEMS: Final = 1000  # more than anybody reads; the rest is found after these are mended
_BOM = "\ufeff"  # without it Excel takes UTF-8 for something else
_HEADERS: Final[dict[str, str]] = {
    folded(header): name
    for name, headers in {
        "department": "部署 部署名 所属 所属名 課 課名 部課 部課名 department",
        "section": "係 係名 グループ 班 担当 section",
        "person": "氏名 名前 担当者 職員名 職員 person name",
        "reading": "よみ 読み 読みがな ふりがな よみがな カナ 氏名カナ reading kana",
        "duties": "担当業務 業務 業務内容 事務 担当事務 分掌 分掌事務 事務分掌 duties duty",
        "extension": "内線 内線番号 extension ext",
        "direct": "直通 直通番号 直通電話 外線 電話 電話番号 direct directline direct_line phone telephone",
        "hours": "執務時間 受付時間 時間 業務時間 開庁時間 hours officehours office_hours",
        "note": "備考 メモ note notes remarks",
    }.items()
    for header in headers.split()
}


class CsvProblems(ValueError):
    """`problems`: everything that keeps a file from being read, row by row (at most `MAX_PROBLEMS`)."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)[:MAX_PROBLEMS]
        super().__init__(f"{len(self.problems)} problems")


def read_csv(content: bytes) -> list[Entry]:
    """The entries of a file: UTF-8 (with or without BOM), CP932 or UTF-16 with BOM, commas or tabs, columns
    in any order, found by their headers in Japanese or English. Empty rows are passed over. Raises
    CsvProblems: nothing is taken of a file in which anything is wrong."""
    if len(content) > MAX_BYTES:
        raise _of_file(
            f"ファイルが大きすぎます(最大 {MAX_BYTES // 1024 // 1024} MB)",
            f"the file is too large (at most {MAX_BYTES // 1024 // 1024} MB)",
            "要らない列や文を消してください",
            "remove columns that are not needed",
        )
    rows = _rows(_text(content))
    if not rows:
        raise _of_file(
            "ファイルが空です",
            "the file is empty",
            f"1行目に「{NAMES['department'][0]}」「{NAMES['extension'][0]}」などの見出しを書いてください",
            "write headers like “Department” and “Extension” into the first row",
        )
    columns, problems = _columns(rows[0])
    if problems:
        raise CsvProblems(problems)
    headers = {name: rows[0][place].strip() for name, place in columns.items()}
    entries: list[Entry] = []
    for number, row in enumerate(rows[1:], 2):
        if not any(cell.strip() for cell in row):
            continue
        if len(row) > len(rows[0]) and any(cell.strip() for cell in row[len(rows[0]) :]):
            problems.append(
                Problem(
                    number,
                    "―",
                    f"見出しより列が多くあります({len(row)}列)",
                    f"more columns than headers ({len(row)})",
                    'カンマを含む文を「"」で囲んでください',
                    'put texts that hold commas between "…"',
                )
            )
            continue
        try:
            values = {
                name: _unguarded(row[place]) if place < len(row) else "" for name, place in columns.items()
            }
            entries.append(entry_of(values, row=number, columns=headers))
        except EntryProblems as error:
            problems += error.problems
        if len(problems) >= MAX_PROBLEMS:
            break
    if not problems and not entries:
        raise _of_file(
            "見出しのほかに行がありません",
            "there is no row beside the headers",
            "2行目から、ひと行にひとつの電話を書いてください",
            "write one telephone a row, from the second row on",
        )
    if len(entries) > MAX_ENTRIES:
        raise _of_file(
            f"行が多すぎます({len(entries)}行)",
            f"too many rows ({len(entries)})",
            f"{MAX_ENTRIES}行以内にしてください",
            f"use at most {MAX_ENTRIES}",
        )
    if problems:
        raise CsvProblems(problems)
    return entries


def write_csv(entries: Iterable[Entry], language: str = "ja") -> bytes:
    """A file that `read_csv` reads back to the same entries: UTF-8 with BOM, CRLF; what a spreadsheet would
    take for a formula begins with an apostrophe."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    column = 0 if language == "ja" else 1
    writer.writerow([NAMES[name][column] for name in FIELDS])
    for entry in entries:
        writer.writerow([_guarded(text) for text in entry.values()])
    return (_BOM + out.getvalue()).encode()


def _guarded(text: str) -> str:
    return f"'{text}" if re.match(r"'*[=+\-@]", text) else text


def _unguarded(text: str) -> str:
    return text[1:] if re.match(r"'+[=+\-@]", text) else text


def _text(content: bytes) -> str:
    encodings = ("utf-16",) if content[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8-sig", "cp932")
    for encoding in encodings:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise _of_file(
        "文字コードを読めません",
        "the file's character set cannot be read",
        "「CSV UTF-8」か「CSV」(シフトJIS)で保存しなおしてください",
        "save it as “CSV UTF-8”",
    )


def _rows(text: str) -> list[list[str]]:
    head = text.partition("\n")[0]
    delimiter = "\t" if "\t" in head and "," not in head else ","
    try:
        return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise _of_file(
            f"CSV として読めません({error})",
            f"it is no CSV ({error})",
            '「"」の数を確かめるか、表計算ソフトで保存しなおしてください',
            "check the quotes, or save it again with a spreadsheet",
        ) from None


def _columns(header: Sequence[str]) -> tuple[dict[str, int], list[Problem]]:
    """Which field stands in which column, and what is wrong with the headers."""
    columns: dict[str, int] = {}
    problems: list[Problem] = []

    def wrong(column: str, ja: str, en: str, do_ja: str, do_en: str) -> None:
        problems.append(Problem(1, column, ja, en, do_ja, do_en))

    for place, written in enumerate(header):
        shown = written.strip()
        if not shown:
            continue
        key = re.sub(r"\s+", "", folded(written))
        name = _HEADERS.get(key)
        if name is None:
            near = difflib.get_close_matches(key, _HEADERS, 1)
            known = "、".join(ja for ja, _ in NAMES.values())
            english = ", ".join(en for _, en in NAMES.values())
            wrong(
                shown[:50],
                "知らない見出しです",
                "an unknown header",
                f"「{NAMES[_HEADERS[near[0]]][0]}」ではありませんか"
                if near
                else f"列を消すか、見出しを {known} のどれかにしてください",
                f"did you mean “{NAMES[_HEADERS[near[0]]][1]}”?"
                if near
                else f"remove the column, or call it one of {english}",
            )
        elif name in columns:
            wrong(
                shown[:50],
                f"「{NAMES[name][0]}」の列がふたつあります",
                f"two columns for “{NAMES[name][1]}”",
                "ひとつにしてください",
                "keep one",
            )
        else:
            columns[name] = place
    if "department" not in columns and not problems:
        wrong(
            NAMES["department"][0],
            "この列がありません",
            "this column is missing",
            "1行目が見出しか、確かめてください",
            "check that the first row holds the headers",
        )
    if "extension" not in columns and "direct" not in columns and not problems:
        wrong(
            NAMES["extension"][0],
            "内線の列も直通の列もありません",
            "there is neither a column of extensions nor one of direct lines",
            "どちらかの列を加えてください",
            "add one of them",
        )
    return columns, problems


def _of_file(ja: str, en: str, do_ja: str, do_en: str) -> CsvProblems:
    return CsvProblems([Problem(None, "", ja, en, do_ja, do_en)])
