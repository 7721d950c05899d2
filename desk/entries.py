"""An entry of the directory (職員録), and what a line must be to become one."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from desk.folding import digits_of
from dialplans import OfficeHoursError, office_hours

FIELDS: Final = (
    "department",
    "section",
    "person",
    "reading",
    "duties",
    "extension",
    "direct",
    "hours",
    "note",
)
NAMES: Final[dict[str, tuple[str, str]]] = {
    "department": ("部署", "Department"),
    "section": ("係", "Section"),
    "person": ("氏名", "Person"),
    "reading": ("よみ", "Reading"),
    "duties": ("担当業務", "Duties"),
    "extension": ("内線", "Extension"),
    "direct": ("直通", "Direct line"),
    "hours": ("執務時間", "Office hours"),
    "note": ("備考", "Note"),
}
"""What each field is called: Japanese, English."""
LONGEST: Final = {
    "department": 100,
    "section": 100,
    "person": 100,
    "reading": 200,
    "duties": 1000,
    "extension": 20,
    "direct": 20,
    "hours": 200,
    "note": 1000,
}
"""Characters."""
_DASH = re.compile(r"[‐‑‒–—―−ー]")


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the directory. Two are equal when what people wrote is. `id` is None until it is stored.

    `department_hours`: what applies where `hours` is empty, and `hours_of`: whose they are (both are known in
    a `Directory`).
    """

    department: str
    section: str = ""
    person: str = ""
    reading: str = ""
    duties: str = ""
    extension: str = ""
    direct: str = ""
    hours: str = ""
    note: str = ""
    id: int | None = field(default=None, compare=False)
    department_hours: str = field(default="", compare=False)
    hours_of: str = field(default="", compare=False)
    changed_at: datetime | None = field(default=None, compare=False)
    changed_by: str | None = field(default=None, compare=False)

    @classmethod
    def of(cls, texts: Sequence[str]) -> Entry:
        """The entry of texts in the order of `FIELDS`, as they are."""
        return cls(**dict(zip(FIELDS, texts, strict=True)))  # type: ignore[arg-type]

    @property
    def name(self) -> str:
        """The desk as it is called: `環境課 ごみ係`."""
        return f"{self.department} {self.section}".strip()

    @property
    def direct_digits(self) -> str:
        return digits_of(self.direct)

    def values(self) -> tuple[str, ...]:
        """Its texts, in the order of `FIELDS`."""
        return tuple(getattr(self, name) for name in FIELDS)


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong with one field. `row`: of the spreadsheet, the header being 1; None of a form and of a
    whole file. `column`: as its header is written in the file, else the field's name. What is wrong and what
    to do, in both languages."""

    row: int | None
    column: str
    ja: str
    en: str
    do_ja: str
    do_en: str
    field: str = ""


class EntryProblems(ValueError):
    """`problems`: all that is wrong with one entry."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(f"{one.column}: {one.en}" for one in self.problems))


def entry_of(
    values: Mapping[str, str], *, row: int | None = None, columns: Mapping[str, str] | None = None
) -> Entry:
    """The entry that these texts make, tidied: blanks around them go, digits become ASCII. `row` and
    `columns` (field to header) are named in problems. Raises EntryProblems with everything that is wrong."""
    problems: list[Problem] = []

    def wrong(name: str, ja: str, en: str, do_ja: str, do_en: str) -> None:
        column = (columns or {}).get(name, NAMES[name][0])
        problems.append(Problem(row, column, ja, en, do_ja, do_en, name))

    tidy = {name: _line(values.get(name, "")) for name in FIELDS}
    for name in ("extension", "direct"):
        tidy[name] = _number(tidy[name])
    for name, text in tidy.items():
        if len(text) > LONGEST[name]:
            wrong(
                name,
                f"長すぎます({len(text)}文字)",
                f"too long ({len(text)} characters)",
                f"{LONGEST[name]}文字以内にしてください",
                f"use at most {LONGEST[name]} characters",
            )
        if any(unicodedata.category(letter) in ("Cc", "Cs") for letter in text):
            wrong(
                name,
                "使えない文字があります",
                "holds a control character",
                "入力しなおしてください",
                "type it again",
            )
    if not tidy["department"]:
        wrong(
            "department", "部署が空です", "no department", "部署の名前を書いてください", "name the department"
        )
    if not tidy["extension"] and not tidy["direct"]:
        wrong(
            "extension",
            "内線も直通もありません",
            "neither an extension nor a direct line",
            "どちらかの番号を書いてください",
            "give one of the two numbers",
        )
    _check_numbers(tidy, wrong)
    if tidy["hours"]:
        try:
            office_hours(tidy["hours"])
        except OfficeHoursError as error:
            wrong("hours", error.ja, error.en, error.do_ja, error.do_en)
    if problems:
        raise EntryProblems(problems)
    return Entry.of([tidy[name] for name in FIELDS])


def _check_numbers(tidy: Mapping[str, str], wrong: object) -> None:
    assert callable(wrong)  # noqa: S101 - for the type checker
    extension, direct = tidy["extension"], tidy["direct"]
    if extension and not re.fullmatch(r"[0-9]{2,10}", extension):
        wrong(
            "extension",
            f"「{extension[:30]}」は内線番号ではありません",
            f"“{extension[:30]}” is not an extension",
            "2〜10桁の数字だけで、ひとつだけ書いてください",
            "write a single one, 2 to 10 digits",
        )
    digits = direct.replace("-", "")
    if not direct:
        return
    if not re.fullmatch(r"[0-9](?:-?[0-9])*", direct) or not 3 <= len(digits) <= 15:
        wrong(
            "direct",
            f"「{direct[:30]}」は電話番号ではありません",
            f"“{direct[:30]}” is not a telephone number",
            "0246-22-7102 のように、ひとつだけ書いてください",
            "write a single one, like 0246-22-7102",
        )
    elif len(digits) >= 9 and digits[0] != "0":
        wrong(
            "direct",
            f"「{direct}」の先頭の 0 がありません",
            f"“{direct}” has lost its leading 0",
            "表計算ソフトで列を「文字列」にするか、ハイフンを入れてください",
            "make the column “text” in the spreadsheet, or write hyphens",
        )


def _line(text: str) -> str:
    """On one line, without blanks around it."""
    return re.sub(r"[\t\r\n\v\f\x1c-\x1f\x85\u2028\u2029]+", " ", text).strip()


def _number(text: str) -> str:
    """ASCII digits and hyphens, `(0246)22-7102` written as `0246-22-7102`."""
    plain = _DASH.sub("-", unicodedata.normalize("NFKC", text)).replace(" ", "")
    return re.sub(r"^\(([0-9]+)\)-?|([0-9])[()](?=[0-9])", r"\1\2-", plain)
