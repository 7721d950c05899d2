"""A plan in several files: read as one, problems told where they stand, kept as one text."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialplans import Problem, SiteError, load_site, parse_site, plan_text

MAIN = """\
# 試験市
include: [steps.yaml, more/people.yaml]   # 部品
city: 試験市
centre: 試験センター
id: test
numbers:
  - {number: 0246-22-1111, name: 代表, start: guide, greeting: こんにちは, recording_notice: 録音します}
queues:
  - {id: main, name: 案内}
operators:
  - {id: 1001, name: 甲, queues: [main]}   # 班長
trunks:
  - {id: line, addresses: [192.0.2.1]}
"""
STEPS = """\
# 案内
steps:
  - id: guide
    kind: say
    say: "こんにちは: 案内です"
    next: queue:main
"""
PEOPLE = """\
operators:
  - {id: 0012, name: 乙, queues: [main]}
kpi: {answer_within_s: 20}
"""


@pytest.fixture
def main(tmp_path: Path) -> Path:
    (tmp_path / "more").mkdir()
    (tmp_path / "site.yaml").write_text(MAIN, encoding="utf-8")
    (tmp_path / "steps.yaml").write_text(STEPS, encoding="utf-8")
    (tmp_path / "more" / "people.yaml").write_text(PEOPLE, encoding="utf-8")
    return tmp_path / "site.yaml"


def problems(path: Path) -> list[Problem]:
    with pytest.raises(SiteError) as caught:
        load_site(path)
    assert all(one.message and one.message_en for one in caught.value.problems)
    return caught.value.problems


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


@pytest.mark.req("IVR-2")
def test_lists_are_joined_the_main_files_first(main: Path) -> None:
    site = load_site(main)
    assert [operator.id for operator in site.operators] == ["1001", "0012"]
    assert [step.id for step in site.steps] == ["guide"]
    assert site.kpi.answer_within_s == 20


@pytest.mark.req("IVR-2")
def test_a_problem_stands_in_its_own_file_with_its_own_line_and_path(main: Path) -> None:
    steps, people = main.parent / "steps.yaml", main.parent / "more" / "people.yaml"
    change(steps, "next: queue:main", "next: queue:mein")
    change(people, "queues: [main]", "queues: [main, other]")
    change(people, "0012", "1001")
    found = [(one.file, one.line, one.path) for one in problems(main)]
    assert found == [
        (str(steps), 6, "steps[0].next"),
        (str(people), 2, "operators[0].id"),
        (str(people), 2, "operators[0].queues[1]"),
    ]
    again = problems(main)[1]
    assert f"{main}:11 operators[0].id" in again.message  # the other of the two is named with its file


def test_what_is_no_list_stands_once(main: Path) -> None:
    change(main, "id: test", "id: test\nkpi: {answer_within_s: 9}")
    [one] = problems(main)
    assert (one.file, one.line, one.path) == (str(main.parent / "more" / "people.yaml"), 3, "kpi")
    assert f"{main}:6 kpi" in one.message


def test_a_broken_part_is_told_with_its_line(main: Path) -> None:
    (main.parent / "steps.yaml").write_text("steps:\n  - {id: [\n", encoding="utf-8")
    [one] = problems(main)
    assert (one.file, one.line) == (str(main.parent / "steps.yaml"), 3)
    assert "YAML" in one.message
    (main.parent / "steps.yaml").write_text("- 1\n", encoding="utf-8")
    [one] = problems(main)
    assert "項目の集まりではありません" in one.message
    (main.parent / "steps.yaml").write_bytes("# あ".encode("cp932"))
    assert "UTF-8" in problems(main)[0].message


@pytest.mark.parametrize(
    ("include", "path", "words"),
    [
        ("[steps.yaml, /etc/passwd]", "include[1]", "フォルダーの外"),
        ("[steps.yaml, ../people.yaml]", "include[1]", "フォルダーの外"),
        ("[steps.yaml, more/../../x.yaml]", "include[1]", "フォルダーの外"),
        ("[steps.yaml, more/outside.yaml]", "include[1]", "フォルダーの外"),
        ("[steps.yaml, ./steps.yaml]", "include[1]", "2回"),
        ("[steps.yaml, nowhere.yaml]", "include[1]", "がありません"),
        ("[steps.yaml, more]", "include[1]", "がありません"),
        ("[steps.yaml, 7]", "include[1]", "ファイル名"),
        ('[steps.yaml, "a\\0b"]', "include[1]", "ファイル名"),
        ("[steps.yaml, '']", "include[1]", "ファイル名"),
        ("steps.yaml", "include", "並び"),
    ],
)
def test_parts_stand_beside_the_main_file(
    main: Path, tmp_path_factory: pytest.TempPathFactory, include: str, path: str, words: str
) -> None:
    outside = tmp_path_factory.mktemp("outside") / "people.yaml"
    outside.write_text(PEOPLE, encoding="utf-8")
    (main.parent / "more" / "outside.yaml").symlink_to(outside)
    change(main, "[steps.yaml, more/people.yaml]", include)
    found = [one for one in problems(main) if one.path == path]
    assert found
    assert words in found[0].message + found[0].hint
    assert (found[0].file, found[0].line) == (str(main), 2)


def test_a_part_includes_nothing_and_a_text_neither(main: Path) -> None:
    change(main.parent / "steps.yaml", "# 案内", "include: [site.yaml]")
    [one] = problems(main)
    assert (one.file, one.line, one.path) == (str(main.parent / "steps.yaml"), 1, "include")
    with pytest.raises(SiteError, match="取り込めません"):
        parse_site(MAIN)


@pytest.mark.req("IVR-2")
def test_without_parts_the_text_is_the_file_exactly(tmp_path: Path) -> None:
    alone = "# はじめ\r\ncity:   '試験市'   # 市\r\n\r\nnumbers: []\r\n"
    path = tmp_path / "site.yaml"
    path.write_bytes(alone.encode())
    assert plan_text(path) == alone
    path.write_bytes(b"\xef\xbb\xbf" + alone.encode())
    assert plan_text(path) == alone


@pytest.mark.req("IVR-2")
def test_with_parts_it_is_one_text_that_says_the_same(main: Path) -> None:
    text = plan_text(main)
    assert parse_site(text) == load_site(main)
    assert "include" not in text
    assert text.index("centre:") < text.index("numbers:") < text.index("steps:")  # in the order of the files
    assert "# 試験市" in text
    assert "# 班長" in text
    again = main.parent / "again.yaml"
    again.write_text(text, encoding="utf-8")
    assert plan_text(again) == text


def test_a_file_that_cannot_be_merged_is_refused(main: Path) -> None:
    change(main, "id: test", "id: test\nkpi: {answer_within_s: 9}")
    with pytest.raises(SiteError, match="kpi"):
        plan_text(main)
    with pytest.raises(SiteError, match="読めません"):
        plan_text(main.parent / "nowhere.yaml")


_SCALARS = st.one_of(
    st.from_regex(r"0?[0-9]{2,6}", fullmatch=True),  # as ids may be written: 0012 keeps its zeros
    st.sampled_from(
        ["'001'", '"12"', "あいう", "8:30-17:15", "2027-01-04", "true", "1.50", "null", "'#'", "no"]
    ),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.dictionaries(st.sampled_from("abcd"), _SCALARS, min_size=1), min_size=1, max_size=4))
def test_merging_changes_no_value(
    tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, str]]
) -> None:
    folder = tmp_path_factory.mktemp("plan")
    part = "events:\n" + "".join(
        "  - " + "\n    ".join(f"{key}: {value}" for key, value in row.items()) + "\n" for row in rows
    )
    whole = "city: 市\n" + part
    (folder / "part.yaml").write_text(part, encoding="utf-8")
    (folder / "site.yaml").write_text("include: [part.yaml]\ncity: 市\n", encoding="utf-8")
    assert _refused(plan_text(folder / "site.yaml")) == _refused(whole)


def _refused(text: str) -> list[tuple[str, str]]:
    """What the model has against each value names the value as it was read."""
    with pytest.raises(SiteError) as caught:
        parse_site(text)
    return sorted((one.path, one.message) for one in caught.value.problems)
