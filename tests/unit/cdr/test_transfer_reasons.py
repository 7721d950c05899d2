"""Where a call went, in one glance: sentences in both languages, whatever the journal holds."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from cdr import Event, Why, why
from cdr.transfer_words import TRANSFER_WORDS
from tests.support.events import NINE, Story

from .test_transfers import CHILD, COLLEAGUE, KINDS, TAX, begun, data, dialled, left, room, talking

NAMES = {"1001": "操作者01", "1002": "操作者02", "1090": "監督"}
QUEUES = {"main": "総合案内", "tax": "税務"}


def told(story: Story, language: str = "ja") -> list[Why]:
    return why(
        story.events,
        language,
        lambda one: NAMES.get(one, one),
        queue_name=lambda one: QUEUES.get(one, one),
        number_text=lambda digits: f"{digits[:4]}-{digits[4:]}",
        zone=ZoneInfo("Asia/Tokyo"),
    )


def sentence(story: Story, language: str = "ja", rule: str = "transfer") -> str:
    (found,) = [line.sentence for line in told(story, language) if line.rule == rule]
    return found


def test_both_languages_have_the_same_words() -> None:
    assert TRANSFER_WORDS["ja"].keys() == TRANSFER_WORDS["en"].keys()


@pytest.mark.req("XFR-1")
def test_consulted_and_put_through() -> None:
    story = begun(talking(), 20).at(26, "transfer_answered", leg="x1", place=1)
    left(story, 70).at(200, "transfer_ended", leg="x1", place=1, reason="over").at(200, "ended", by="outside")
    assert sentence(story) == (
        "09:00:20 操作者01がこども部 子育て支援課（内線2345）に相談（取次ぎ）。6秒で応答。"
        "44秒話して、市民をつないだ。市民は2分10秒話した。"
    )
    assert sentence(story, "en") == (
        "09:00:20 操作者01 consulted こども部 子育て支援課 (extension 2345). Answered after 6 s. "
        "They talked for 44 s, then the citizen was put through. The citizen talked for 2 min 10 s."
    )


@pytest.mark.req("XFR-5")
@pytest.mark.parametrize(
    ("reason", "ja", "en"),
    [
        ("busy", "相手は話中。市民は操作者に戻った。", "The other side was busy."),
        ("no_answer", "12秒鳴らしたが応答なし。市民は操作者に戻った。", "It rang for 12 s without"),
        ("trunk_full", "回線がすべて使用中だった。市民は操作者に戻った。", "All lines were in use."),
        ("returned", "市民は操作者との話に戻った。", "The operator went back to the citizen."),
        ("caller_gone", "市民が電話を切った。", "The citizen hung up."),
        ("operator_gone", "操作者の電話が切れた。", "The operator's phone was lost."),
    ],
)
def test_why_it_came_back(reason: str, ja: str, en: str) -> None:
    story = begun(talking(), 20).at(32, "transfer_ended", leg="x1", place=1, reason=reason)
    assert sentence(story).endswith("に相談（取次ぎ）。" + ja)
    assert en in sentence(story, "en")


@pytest.mark.req("XFR-4")
def test_sent_back_by_the_department_and_waiting_again() -> None:
    story = left(begun(talking(), 20, how="blind"), 21).at(25, "transfer_answered", leg="x1", place=1)
    story.at(60, "transfer_ended", leg="x1", place=1, reason="return_code")
    story.at(60, "returned", reason="return_code", to="1001", **{"from": 1})
    story.at(60, "queued", queue="main", prefer="1001", again=True)
    story.at(70, "offered", queue="main", operator="1001").at(74, "answered", operator="1001")
    rules = [line.rule for line in told(story)]
    assert rules == ["unknown", "transfer", "waiting", "unknown"]
    assert sentence(story) == (
        "09:00:20 操作者01がこども部 子育て支援課（内線2345）へ転送。5秒で応答。市民は35秒話した。"
        "部署が市民を戻した（転送戻り）。市民は戻って、操作者を待った。"
    )
    waited = [line.sentence for line in told(story) if line.rule == "waiting"]
    assert waited == ["09:01:00から10秒待ち: 操作者01が空くのを待ったため。"]


@pytest.mark.req("XFR-5")
def test_left_while_it_rang_and_the_telephone_there_died() -> None:
    story = left(begun(talking(), 20), 24).at(29, "transfer_answered", leg="x1", place=1)
    story.at(60, "transfer_ended", leg="x1", place=1, reason="failed")
    story.at(60, "returned", reason="failed", to=None, **{"from": 1})
    assert sentence(story).endswith(
        "相手が出る前に市民を渡した。9秒で応答。市民は31秒話した。相手の電話が途切れた。市民は戻って、操作者を待った。"
    )


def test_other_targets_by_name() -> None:
    story = begun(talking(), 20, COLLEAGUE).at(24, "transfer_answered", leg="x1", place=1)
    left(story, 30, COLLEAGUE).at(30, "answered", operator="1002", leg="x1")
    assert sentence(story).endswith(
        "が操作者02に相談（取次ぎ）。4秒で応答。6秒話して、市民をつないだ。市民の応対を引き継いだ。"
    )
    story = left(begun(talking(), 20, TAX, "blind"), 20, TAX).at(45, "answered", operator="1002")
    assert sentence(story).endswith("が待ち行列「税務」へ転送。25秒待って応答。")
    for to, said in (
        ({"kind": "outside", "number": "0246230000"}, "0246-230000"),
        ({"kind": "outside", "number": "0246230000", "name": "保健所"}, "保健所（0246-230000）"),
        ({"kind": "extension", "number": "12"}, "内線12"),
        ({"kind": "outside", "number": ""}, "転送先"),
    ):
        assert f"が{said}に相談" in sentence(begun(talking(), 20, to))


def test_still_under_way() -> None:
    story = room(begun(talking(), 20).at(26, "transfer_answered", leg="x1", place=1), 30, "citizen")
    assert sentence(story).endswith("に相談（取次ぎ）。6秒で応答。")
    assert sentence(begun(talking(), 20)).endswith("に相談（取次ぎ）。")


@pytest.mark.req("NUM-5", "MON-2")
def test_calls_out_and_calls_taken_over() -> None:
    assert sentence(dialled().at(8, "answered", operator="1001"), rule="outbound") == (
        "09:00:00 操作者01が発信。8秒で応答。"
    )
    story = dialled().at(30, "ended", by="outside", reason="no_answer")
    assert sentence(story, "en", "outbound") == (
        "09:00:00 操作者01 called out. It rang for 30 s without an answer."
    )
    assert told(story)[0].ending == "no_answer"
    story = talking().at(30, "taken_over", operator="1001", by="1090")
    assert sentence(story, rule="taken_over") == "09:00:30 監督が通話を引き継いだ（それまでは操作者01）。"


events = some.lists(some.tuples(some.sampled_from(KINDS), data, some.floats(0, 50)), max_size=20)


@settings(max_examples=200)
@given(told=events, language=some.sampled_from(["ja", "en"]))
def test_any_events_are_told(told: list[tuple[str, dict[str, Any], float]], language: str) -> None:
    made = [
        Event(f"{place:03d}", NINE + timedelta(seconds=at), None, "c1", kind, more)
        for place, (kind, more, at) in enumerate(told)
    ]
    lines = why(made, language)
    begun = {event.kind for event in made} & {"transfer_begun"}
    assert all(line.sentence for line in lines)
    assert bool(begun) <= any(line.rule == "transfer" for line in lines)


def test_a_reason_that_is_no_cause_is_told_as_a_fault() -> None:
    for odd in ("queue", "named", "consult", "", "しらない"):
        story = dialled().at(3, "ended", by="outside", reason=odd)
        assert sentence(story, rule="outbound").endswith("障害でつながらなかった。")
    story = begun(talking(), 20, CHILD).at(25, "transfer_ended", leg="x1", place=1, reason="named")
    assert sentence(story).endswith("（取次ぎ）。")
