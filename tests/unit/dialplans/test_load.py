"""A broken site file is told of completely, each problem with its line and what to do."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

import dialplans
from dialplans import Problem, Site, SiteError, load_site, parse_site

MINATO = Path(dialplans.__file__).parent / "minato.yaml"

GOOD = """
city: 試験市
centre: 試験センター
id: test
numbers:
  - {number: "0246-22-1111", name: 代表, queue: main, greeting: こんにちは, recording_notice: 録音します}
queues:
  - {id: main, name: 案内}
operators:
  - {id: "1001", name: 甲, queues: [main]}
trunks:
  - {id: line, addresses: [192.0.2.1]}
"""


def problems(text: str) -> list[Problem]:
    with pytest.raises(SiteError) as caught:
        parse_site(text, file="s.yaml")
    assert all(p.message and p.message_en for p in caught.value.problems)
    return caught.value.problems


def only(text: str) -> Problem:
    found = problems(text)
    assert len(found) == 1, [str(p) for p in found]
    return found[0]


@pytest.mark.req("NUM-1")
def test_minato_is_complete() -> None:
    site = load_site(MINATO)
    assert [number.digits for number in site.numbers if number.queue and not number.staff] == [
        "0246221111",
        "0246221200",
    ]
    assert len(site.operators) == 9  # one of them a supervisor's seat
    roles = [user.role.value for user in site.users]
    assert {role: roles.count(role) for role in roles} == {
        "operator": 8, "supervisor": 2, "staff": 1, "administrator": 1,
    }  # fmt: skip
    assert site.number("0246221200").begins == "queue:living"
    assert site.queue("living").name == "ごみ・くらし相談"
    assert site.operator("1008").endpoints == ("1008", "1008-web")


def test_defaults_are_those_of_the_documents() -> None:
    site = parse_site(GOOD)
    assert (site.timezone, site.language) == ("Asia/Tokyo", "ja")
    assert (site.queues[0].ring_timeout_s, site.queues[0].wrap_up_s) == (15, 20)
    assert (site.kpi.answer_within_s, site.kpi.clock_start, site.kpi.offered) == (9, "arrival", "arrived")
    assert site.wording.said("please_wait").text == "少々お待ちください。"
    with pytest.raises(KeyError):
        site.number("0312345678")


def test_prompts_are_each_spoken_once_and_named_by_their_text() -> None:
    site = load_site(MINATO)
    keys = [prompt.key for prompt in site.prompts()]
    assert len(keys) == len(set(keys))
    first, second, *_ = site.numbers
    assert first.recording_notice_prompt == second.recording_notice_prompt  # the same words
    assert first.greeting_prompt != second.greeting_prompt
    waiting = site.queue("main").waiting_prompt
    assert {first.greeting_prompt, second.greeting_prompt, waiting} <= set(keys)
    # docs/interfaces.md: sha256(language + text), 16 hex digits.
    assert dialplans.prompt("少々お待ちください。", "ja").key == "e4e8944f332a06d6"
    assert dialplans.prompt("少々お待ちください。", "en").key != "e4e8944f332a06d6"


def test_the_sites_language_is_that_of_its_texts() -> None:
    site = parse_site(GOOD.replace("id: test", "id: test\nlanguage: en"))
    assert site.numbers[0].language == site.queues[0].language == "en"
    assert site.wording.said("please_wait").text == "One moment, please."
    assert {prompt.language for prompt in site.prompts()} == {"en"}


def test_numbers_may_be_written_without_quotes() -> None:
    text = GOOD.replace('"0246-22-1111"', "0246221111").replace('"1001"', "1001")
    site = parse_site(text)
    assert site.numbers[0].digits == "0246221111"  # the zero is kept
    assert site.operators[0].id == "1001"


@pytest.mark.parametrize(
    ("old", "new", "line", "path", "words"),
    [
        ("city: 試験市", "citi: 試験市", 2, "citi", "city ではありませんか"),
        ("id: main", "id: main, ring_timeout: 9", 8, "queues[0].ring_timeout", "ring_timeout_s"),
        ("queue: main", "queue: mian", 6, "numbers[0].queue", "main ではありませんか"),
        ("queues: [main]", "queues: [main, man]", 10, "operators[0].queues[1]", "main ではありませんか"),
        ("queues: [main]", "queues: [main, main]", 10, "operators[0].queues[1]", "2回"),
        ('"0246-22-1111"', '"0246-22-xx"', 6, "numbers[0].number", "電話番号として読めません"),
        ('"1001"', '"1００1"', 10, "operators[0].id", "半角数字"),
        ("[192.0.2.1]", "[192.0.2.1/24]", 12, "trunks[0].addresses[0]", "192.0.2.0/24"),
        ("[192.0.2.1]", "[0.0.0.0/0]", 12, "trunks[0].addresses[0]", "あらゆる相手"),
        ("[192.0.2.1]", "[192.0.2.1, 192.0.2.0/24]", 12, "trunks[0].addresses[1]", "重なっています"),
        ("[192.0.2.1]", "[]", 12, "trunks[0].addresses", "空にはできません"),
        ("id: test", "id: test\ntimezone: Asia/Tokio", 5, "timezone", "Asia/Tokyo"),
        ("id: test", "id: Test City", 4, "id", "使えない文字"),
        ("id: test", "id: test\ncity: 二度目", 5, "city", "2行目にもあります"),
        ("id: test", "id: test\nkpi: {answer_within_s: fast}", 5, "kpi.answer_within_s", "数が要る"),
        ("id: test", "id: test\nkpi: {targets: {answer_rate: 90}}", 5, "kpi.targets.answer_rate", "1.0以下"),
        ("id: test", "id: test\nkpi: {clock_start: arival}", 5, "kpi.clock_start", "arrival"),
        ("id: test", "id: test\nusers: [{login: a, name: b, role: operator}]", 5, "users[0]", "割り当て"),
        (
            "id: test",
            "id: test\nusers: [{login: a, name: b, role: staff}, {login: A, name: c, role: staff}]",
            5, "users[1].login", "重なっています",
        ),
        (
            "id: test",
            'id: test\nusers: [{login: a, name: b, role: operator, operator: "1009"}]',
            5, "users[0].operator", "1001 ではありませんか",
        ),
        ("name: 甲", "name: 3", 10, "operators[0].name", "文字が要る"),
        ("name: 案内", 'name: 案内, music: jazz', 8, "queues[0].music", "default"),
        ("name: 案内", "name: 案内, ring_timeout_s: 1", 8, "queues[0].ring_timeout_s", "3以上"),
        ("greeting: こんにちは", 'greeting: "a\\u0007b"', 6, "numbers[0].greeting", "制御文字"),
        ("name: 甲", "name: &x 甲, name2: *x", 10, "operators[0].name2", "別名"),
    ],
)  # fmt: skip
def test_each_mistake_has_its_line(old: str, new: str, line: int, path: str, words: str) -> None:
    assert old in GOOD
    found = [p for p in problems(GOOD.replace(old, new, 1)) if p.path == path]
    assert found, [str(p) for p in problems(GOOD.replace(old, new, 1))]
    assert found[0].line == line
    assert words in found[0].message + found[0].hint
    assert str(found[0]).startswith(f"s.yaml:{line}:")


def test_a_number_written_twice_in_two_ways_is_one_number() -> None:
    again = "  - {number: 0246-221111, name: 別, queue: main, greeting: あ, recording_notice: い}\nqueues:"
    problem = only(GOOD.replace("queues:", again, 1))
    assert (problem.line, problem.path) == (7, "numbers[1].number")
    assert "numbers[0]" in problem.message
    assert "same as" in problem.message_en


def test_everything_is_told_at_once_in_the_files_order() -> None:
    text = dedent(
        """
        city: 市
        id: x
        colour: red
        numbers:
          - {number: abc, name: 代表, queue: nowhere, greeting: a, recording_notice: b}
        queues:
          - {id: main, name: 案内, wrap_up_s: -1}
        operators:
          - {id: "1001", name: 甲, queues: [main]}
          - {id: "1001", name: 乙, queues: [main]}
        trunks: 7
        """
    )
    found = problems(text)
    assert [p.line for p in found] == sorted(p.line for p in found)
    assert {p.path for p in found} == {
        "centre", "colour", "numbers[0].number", "numbers[0].queue", "queues[0].wrap_up_s", "operators[1].id",
        "trunks",
    }  # fmt: skip
    assert all(p.hint and p.hint_en for p in found)


@pytest.mark.parametrize("text", ["a: [1", "a: 'x", "a:\n\t- b", "{", "a: b: c", "\x01", "- 1\n--- \n- 2"])
def test_what_is_no_yaml_is_said_with_a_line(text: str) -> None:
    found = problems(text)
    assert found[0].line >= 1
    assert "YAML" in found[0].message or found[0].path != ""


@pytest.mark.parametrize(
    "text", ["[" * 5000, "- " * 5000, "{a: " * 5000, "\n".join("  " * n + "a:" for n in range(3000))]
)
def test_what_is_nested_without_end_is_said_so(text: str) -> None:
    problem = only(text)
    assert "入れ子が深すぎます" in problem.message
    assert problem.hint


@pytest.mark.parametrize("text", ["", "# only a remark", "[]", "just words", "42", "null"])
def test_what_is_no_site_is_said_so(text: str) -> None:
    assert problems(text)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(SiteError, match="読めません"):
        load_site(tmp_path / "nowhere.yaml")
    with pytest.raises(SiteError, match="読めません"):
        load_site(tmp_path)
    sjis = tmp_path / "sjis.yaml"
    sjis.write_bytes(GOOD.encode("cp932"))
    with pytest.raises(SiteError, match="UTF-8"):
        load_site(sjis)
    bom = tmp_path / "bom.yaml"
    bom.write_bytes(b"\xef\xbb\xbf" + GOOD.encode())
    assert load_site(bom).city == "試験市"


def test_a_site_made_by_a_program_is_checked_as_well() -> None:
    data = parse_site(GOOD).model_dump()
    assert Site.model_validate(data) == parse_site(GOOD)
    data["numbers"][0]["queue"] = "gone"
    with pytest.raises(ValueError, match="gone"):
        Site.model_validate(data)


def test_a_site_cannot_be_changed_in_place() -> None:
    site = parse_site(GOOD)
    with pytest.raises(ValueError, match="frozen"):
        site.operators[0].name = "丙"  # type: ignore[misc]


_LINES = GOOD.strip().splitlines()


@settings(max_examples=150, deadline=None)
@given(
    st.integers(0, len(_LINES) - 1),
    st.text(alphabet="abz019:-[]{}\"'#&*!|>%@ \n\t\u3042,", max_size=12),
    st.integers(0, 40),
)
def test_any_slip_of_the_pen_is_a_site_or_problems_never_a_crash(line: int, slip: str, at: int) -> None:
    lines = list(_LINES)
    lines[line] = lines[line][:at] + slip + lines[line][at:]
    found: list[Problem] | None = None
    try:
        parse_site("\n".join(lines))
    except SiteError as error:
        found = error.problems
    assert found is None or found
    assert all(p.line >= 1 for p in found or ())


def test_every_key_is_in_the_manual() -> None:
    manual = (Path(dialplans.__file__).parents[1] / "docs" / "site.md").read_text(encoding="utf-8")
    models = [one for one in vars(dialplans).values() if isinstance(one, type) and issubclass(one, BaseModel)]
    assert len(models) >= 29
    assert "`include`" in manual
    missing = [f"{m.__name__}.{key}" for m in models for key in m.model_fields if f"`{key}`" not in manual]
    assert missing == []
