"""How calls are shared and called back: mistakes are refused with their line and what to do."""

from __future__ import annotations

import datetime as dt

import pytest

from dialplans import CallbackOffer, Problem, Site, SiteError, boxes, leads_to_people, parse_site

TODAY = dt.date(2026, 11, 22)

GOOD = """
city: 試験市
centre: 試験センター
id: test
numbers:
  - {number: "0246-22-1111", name: 代表, queue: main, greeting: こんにちは, recording_notice: 録音します}
  - {number: "0246-22-1200", name: 相談, queue: other, greeting: こんにちは, recording_notice: 録音します}
steps:
  - {id: later, kind: callback, say: 1を, queue: main, trunk: line, declined: "queue:main"}
queues:
  - {id: main, name: 案内, callback: later, widen: [{after_s: 30, level: 2}, {after_s: 60, level: 3}]}
  - {id: other, name: 相談}
operators:
  - {id: "1001", name: 甲, queues: [main, other]}
  - {id: "1002", name: 乙, queues: [main], levels: {main: 2}, languages: [ja]}
  - {id: "1003", name: 丙, queues: [main], levels: {main: 3}}
trunks:
  - {id: line, addresses: [192.0.2.1], outbound: {host: 192.0.2.1}}
priority_callers:
  - {number: "0246-22-9119", name: 消防, priority: 5}
"""


def problems(text: str) -> list[Problem]:
    with pytest.raises(SiteError) as caught:
        parse_site(text, "s.yaml", today=TODAY)
    for one in caught.value.problems:
        assert one.hint, one
        assert one.hint_en
        assert one.message_en.isprintable()
    return caught.value.problems


def test_the_good_plan_is_good_and_says_the_same_from_a_program() -> None:
    site = parse_site(GOOD, today=TODAY)
    assert Site.model_validate(site.model_dump()) == site
    assert isinstance(site.step("later"), CallbackOffer)


@pytest.mark.req("ACD-5", "ACD-7", "IVR-2")
@pytest.mark.parametrize(
    ("old", "new", "line", "path", "words"),
    [
        # The step.
        ("queue: main, trunk", "queue: mein, trunk", 9, "steps[0].queue", "main ではありませんか"),
        ("trunk: line", "trunk: lime", 9, "steps[0].trunk", "line ではありませんか"),
        ('declined: "queue:main"', "declined: queue:mein", 9, "steps[0].declined", "queue:main"),
        (', declined: "queue:main"', "", 9, "steps[0].declined", "がありません"),
        ("say: 1を,", "", 9, "steps[0].say", "がありません"),
        (", outbound: {host: 192.0.2.1}", "", 9, "steps[0].trunk", "着信専用"),
        ("trunk: line", "trunk: line, key: A", 9, "steps[0].key", "ボタンではありません"),
        ("trunk: line", "trunk: line, tires: 3", 9, "steps[0].tires", "tries ではありませんか"),
        ("trunk: line", "trunk: line, keep_h: 100", 9, "steps[0].keep_h", "72以下"),
        ("kind: callback", "kind: calback", 9, "steps[0].kind", "callback ではありませんか"),
        # Its queue.
        ("callback: later,", "callback: latr,", 11, "queues[0].callback", "later ではありませんか"),
        ("name: 相談}\nop", "name: 相談, callback: later}\nop", 12, "queues[1].callback", "ほかのキュー"),
        ("name: 相談}\nop", "name: 相談, callback_key: 5}\nop", 12, "queues[1].callback_key", "使われません"),
        ("callback: later,", "", 9, "steps[0].id", "どこからも使われていません"),
        (
            "name: 相談}\nop", "name: 相談, longest_expected_s: 60}\nop",
            12, "queues[1].longest_expected_s", "行き先がありません",
        ),
        # Circles: an offer that leads to itself while nobody is there.
        (
            "callback: later,", "nobody: later,",
            11, "queues[0].nobody", "later → queue:main → later",
        ),
        (
            "callback: later,", "most_waiting: 5, overflow: later, nobody: later,",
            11, "queues[0].nobody", "終わりなく回ります",
        ),
        # Strategies and levels.
        ("callback: later,", "callback: later, then: round_robin,", 11, "queues[0].then", "strategy: skill"),
        ("callback: later,", "callback: later, strategy: skil,", 11, "queues[0].strategy", "skill"),
        ("after_s: 60", "after_s: 30", 11, "queues[0].widen[1]", "広くなっていません"),
        ("level: 3}]", "level: 2}]", 11, "queues[0].widen[1]", "広くなっていません"),
        ("level: 3}]", "level: 4}]", 11, "queues[0].widen[1].level", "レベル4の操作者が"),
        (", {after_s: 60, level: 3}", "", 16, "operators[2].levels.main", "電話がまわりません"),
        ("levels: {main: 2}", "levels: {other: 2}", 15, "operators[1].levels.other", "受けていません"),
        ("levels: {main: 2}", "levels: {main: 0}", 15, "operators[1].levels.main", "範囲の外"),
        ("languages: [ja]", "languages: []", 15, "operators[1].languages", "まわりません"),
        ("languages: [ja]", "languages: [ja, ja]", 15, "operators[1].languages[1]", "重なって"),
        ("languages: [ja]", "languages: [jp]", 15, "operators[1].languages[0]", "ja、en"),
        # Who goes first.
        (
            "priority: 5}", "priority: 5}\n  - {number: 0246229119, name: 本部, priority: 2}",
            21, "priority_callers[1].number", "重なって",
        ),
        ("priority: 5}", "priority: 12}", 20, "priority_callers[0].priority", "9以下"),
        # What the centre says.
        (
            "trunks:", "wording: {callback_confirm: よいですか}\ntrunks:",
            17, "wording.callback_confirm", "{number}",
        ),
        (
            "trunks:", "wording: {callback_booked: '{n}から'}\ntrunks:",
            17, "wording.callback_booked", "{number}",
        ),
        (
            '{number: "0246-22-1111"', '{language: en, number: "0246-22-1111"',
            9, "steps[0].say", "英語の文言がありません",
        ),
    ],
)  # fmt: skip
def test_each_mistake_has_its_line_its_path_and_what_to_do(
    old: str, new: str, line: int, path: str, words: str
) -> None:
    assert GOOD.count(old) >= 1, old
    found = problems(GOOD.replace(old, new, 1))
    those = [one for one in found if one.path == path and words in one.message + one.hint]
    assert those, [str(one) for one in found]
    assert those[0].line == line, str(those[0])


@pytest.mark.req("ACD-5", "IVR-3")
def test_a_language_that_nobody_of_a_queue_speaks() -> None:
    """Kept for their own for good: such callers would wait for ever."""
    english = GOOD.replace(
        "queue: other, greeting: こんにちは, recording_notice: 録音します",
        "queue: other, language: en, greeting: Hello, recording_notice: We record",
    )
    nobody = english.replace("queues: [main, other]", "queues: [main, other], languages: [ja]")
    assert parse_site(nobody, today=TODAY)
    kept = nobody.replace("name: 相談}\nop", "name: 相談, language_after_s: null}\nop")
    [one] = problems(kept)
    assert (one.line, one.path) == (12, "queues[1].language_after_s")
    parse_site(kept.replace(", languages: [ja]", ""), today=TODAY)


@pytest.mark.req("ACD-4", "ACD-7")
def test_an_offer_over_the_limit_that_leads_back_is_no_circle() -> None:
    """Whoever declines waits on in the queue."""
    site = parse_site(
        GOOD.replace("callback: later,", "longest_expected_s: 300, overflow: later, callback: later,"),
        today=TODAY,
    )
    lines = {(line.field, line.to, line.pressed, line.back) for line in boxes(site)["later"]}
    assert lines == {("1", "hangup", True, False), ("declined", "queue:main", False, True)}
    assert ("callback", "later", True) in {
        (line.field, line.to, line.pressed) for line in boxes(site)["queue:main"]
    }
    assert leads_to_people(site, "later")


@pytest.mark.req("ACD-7", "IVR-2")
def test_its_sounds_are_made_only_where_there_are_callbacks() -> None:
    told = {one.text for one in parse_site(GOOD, today=TODAY).prompts()}
    assert {"キュウ", "おつなぎできませんでした。"} <= told
    assert not any("{number}" in text for text in told)
    without = GOOD.replace("callback: later, ", "").replace(
        '  - {id: later, kind: callback, say: 1を, queue: main, trunk: line, declined: "queue:main"}\n', ""
    )
    told = {one.text for one in parse_site(without.replace("steps:\n", ""), today=TODAY).prompts()}
    assert "キュウ" not in told
