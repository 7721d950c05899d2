"""Why this operator: each rule in a sentence, old journals, and whatever else a journal may hold."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from acd import STRATEGIES, Candidate, choose
from cdr import Event, Why, why
from cdr.reason_words import WORDS
from tests.support.events import NINE, Story, answered

TOKYO = ZoneInfo("Asia/Tokyo")
NAMES = {"1001": "操作者01", "1002": "操作者02", "1007": "操作者07"}


def row(operator: str, **figures: float) -> list[object]:
    known = {
        "level": 1,
        "idle_s": 60.0,
        "calls": 4,
        "talk_s": 900.0,
        "duty_s": 3600.0,
        "offers": 5,
        "last": 7,
    }
    assert figures.keys() <= known.keys()
    return [operator, *(known | figures).values()]


def rung(story: Story, at: float, operator: str, rule: str, *rows: list[object], **more: object) -> Story:
    because = {"rule": rule, "idle_s": 60.0, "among": len(rows), "candidates": list(rows), **more}
    return story.at(at, "offered", queue="main", operator=operator, phone="desk", leg="l", because=because)


def waiting(at: float = 0, **data: str) -> Story:
    return Story("c1").at(at, "queued", queue="main", priority=0, again=False, prefer=data.get("prefer"))


def told(story: Story, language: str = "ja") -> list[Why]:
    return why(
        story.events,
        language,
        lambda operator: NAMES.get(operator, operator),
        queue_name={"main": "総合案内", "tax": "税務"}.__getitem__,
        zone=TOKYO,
    )


def sentences(story: Story, language: str = "ja") -> list[str]:
    return [line.sentence for line in told(story, language)]


THREE = (row("1007", idle_s=252.4), row("1002", idle_s=230.0), row("1001", idle_s=1.0))


@pytest.mark.req("ACD-1")
def test_longest_idle_in_a_sentence() -> None:
    story = rung(waiting(132), 133, "1007", "longest_idle", *THREE, waited_s=0.2)
    story.at(138, "answered", operator="1007")
    (_, line) = told(story)
    assert line.sentence == (
        "09:02:13 操作者07に呼び出し: 待機していた3人のうち、いちばん長く待機していたため"
        "（4分12秒。次は操作者02 3分50秒）。5秒で応答。"
    )
    assert (line.operator, line.queue, line.rule, line.ending) == ("1007", "main", "longest_idle", "answered")
    assert line.replayed is True
    assert [(each.name, each.chosen, each.idle_s) for each in line.rows] == [
        ("操作者07", True, 252.4),
        ("操作者02", False, 230.0),
        ("操作者01", False, 1.0),
    ]
    assert sentences(story, "en")[1] == (
        "09:02:13 操作者07 was rung: of 3 who were free, idle longest (4 min 12 s; next 操作者02, "
        "3 min 50 s). Answered after 5 s."
    )


@pytest.mark.req("ACD-1")
@pytest.mark.parametrize(
    ("rule", "rows", "says", "says_en"),
    [
        (
            "fewest_calls",
            [row("1007", calls=3), row("1002", calls=5), row("1001", calls=4, duty_s=1800)],
            "在席時間あたりの件数がいちばん少なかったため（1時間あたり3.0件。次は操作者02 1時間あたり5.0件）",
            "fewest calls per time on duty (3.0 an hour; next 操作者02, 5.0 an hour)",
        ),
        (
            "least_talk",
            [row("1007", talk_s=750), row("1001", talk_s=1000), row("1002", talk_s=800)],
            "通話がいちばん短かったため（1時間あたり12分30秒。次は操作者02 1時間あたり13分20秒）",
            "least talk per time on duty (12 min 30 s an hour; next 操作者02, 13 min 20 s an hour)",
        ),
        (
            "round_robin",
            [row("1007", last=2), row("1002", last=3), row("1001", last=4)],
            "順番がいちばん先だったため（前回の呼び出しから最も間がある。次は操作者02 その次）",
            "first in turn (rung longest ago; next 操作者02, the one after)",
        ),
        (
            "round_robin",
            [row("1007", last=0, idle_s=90), row("1002", last=0), row("1001", last=4)],
            "（この待ち行列ではまだ呼び出しなし。操作者02と同じだったので、待機の長いほう）",
            "not rung yet in this queue; 操作者02 the same, so whoever was idle longer",
        ),
        (
            "skill/longest_idle",
            [row("1007", level=1), row("1002", level=2, idle_s=900), row("1001", level=3, idle_s=900)],
            "待機していた3人のうち、技能レベルがいちばん高かったため（レベル1。次は操作者02 レベル2）",
            "of 3 who were free, best skill level (level 1; next 操作者02, level 2)",
        ),
        (
            "skill/fewest_calls",
            [row("1007", calls=1), row("1002", calls=2), row("1001", level=2, calls=0)],
            "技能レベル1の2人から、在席時間あたりの件数がいちばん少なかったため（1時間あたり1.0件。",
            "2 of level 1: fewest calls per time on duty",
        ),
        (
            "longest_idle",
            [row("1007", offers=2), row("1002"), row("1001", idle_s=1)],
            "（1分00秒。操作者02と同じだったので、呼び出しの少ないほう）",
            "(1 min 00 s; 操作者02 the same, so whoever was rung less often)",
        ),
        (
            "longest_idle",
            [row("1001"), row("1002")],
            "操作者02と同じだったので、番号の順）",
            "操作者02 the same, so by number",
        ),
        (
            "longest_idle",
            [row("1007", idle_s=60.2), row("1002", idle_s=60.123)],
            "（60.2秒。次は操作者02 60.1秒）",
            "(60.2 s; next 操作者02, 60.1 s)",
        ),
        (
            "longest_idle",
            [row("1007", idle_s=60.14), row("1002", idle_s=60.123)],
            "（60.140秒。次は操作者02 60.123秒）",
            "(60.140 s; next 操作者02, 60.123 s)",
        ),
        (
            "fewest_calls",
            [row("1007", duty_s=3601), row("1002")],
            "（1時間あたり3.9989件。次は操作者02 1時間あたり4.0000件）",
            "3.9989 an hour",
        ),
        (
            "longest_idle",
            [row("1007", idle_s=5000)],
            "待機していたのは1人だけだったため（待機1時間23分）",
            "nobody else was free (idle 1 h 23 min)",
        ),
        (
            "same_operator",
            [row("1007")],
            "さきほど応対していた操作者のため",
            "the operator who had this caller before",
        ),
    ],
)
def test_every_rule(rule: str, rows: list[list[object]], says: str, says_en: str) -> None:
    story = rung(waiting(), 0, str(rows[0][0]), rule, *rows)
    (line,) = told(story)
    assert says in line.sentence
    assert says_en in sentences(story, "en")[0]
    assert line.replayed is True
    assert line.ending is None


def test_every_strategy_has_its_words() -> None:
    for strategy in STRATEGIES:
        for language in ("ja", "en"):
            assert strategy in WORDS[language]
    assert WORDS["ja"].keys() == WORDS["en"].keys()


@pytest.mark.req("ACD-5")
def test_when_more_levels_were_asked_the_sentence_says_so() -> None:
    rows = [row("1007", level=2, idle_s=90), row("1002", level=1)]
    assert (
        "35秒待っていて、レベル2までの操作者が対象。"
        in sentences(rung(waiting(), 0, "1007", "longest_idle", *rows, waited_s=35.2))[0]
    )
    unknown = rung(waiting(), 0, "1007", "longest_idle", *rows)
    assert "レベル2までの操作者が対象。" in sentences(unknown)[0]
    assert "levels" not in sentences(rung(waiting(), 0, "1002", "skill/longest_idle", *rows), "en")[0]


@pytest.mark.req("ACD-3", "ACD-5")
def test_callers_of_other_queues_who_were_passed_over_are_named() -> None:
    heads = [["main", 35.0, 2, 8.1], ["tax", 12.0, 0, 1.3]]
    (line,) = told(rung(waiting(), 0, "1007", "longest_idle", *THREE, heads=heads))
    assert (
        "ほかに待っていた人（税務 12秒）より先: 目標に対していちばん長く待っていたため"
        "（総合案内 35秒・優先2）。" in line.sentence
    )
    assert [(head.queue, head.name, head.urgency) for head in line.heads] == [
        ("main", "総合案内", 8.1),
        ("tax", "税務", 1.3),
    ]


@pytest.mark.req("ACD-6", "ACD-3")
def test_how_each_ringing_ended_and_why_the_caller_waited_between() -> None:
    story = rung(waiting(), 33, "1007", "longest_idle", *THREE)
    story.at(48, "offer_ended", operator="1007", reason="no_answer", ring_s=15.004)
    rung(story, 48.2, "1002", "longest_idle", row("1002"), row("1001", idle_s=3))
    story.at(50, "offer_ended", operator="1002", reason="refused", ring_s=1.8)
    story.at(80, "ended", by="caller")
    assert sentences(story) == [
        "09:00:00から33秒待ち: 受けられる操作者が空いていないか、先に待っている人がいたため。",
        "09:00:33 操作者07に呼び出し: 待機していた3人のうち、いちばん長く待機していたため"
        "（4分12秒。次は操作者02 3分50秒）。15秒鳴らしたが応答なし。",
        "09:00:48 操作者02に呼び出し: 待機していた2人のうち、いちばん長く待機していたため"
        "（1分00秒。次は操作者01 3秒）。操作者が断った。",
        "09:00:50から30秒待ち: 受けられる操作者が空いていないか、先に待っている人がいたため。",
    ]
    assert [(line.operator, line.rule, line.ending) for line in told(story)] == [
        (None, "waiting", None),
        ("1007", "longest_idle", "no_answer"),
        ("1002", "longest_idle", "refused"),
        (None, "waiting", None),
    ]


@pytest.mark.parametrize(
    ("reason", "says"),
    [
        ("busy", "電話機が話中だった。"),
        ("unreachable", "電話機につながらなかった。"),
        ("caller_gone", "市民が電話を切った。"),
        ("withdrawn", "呼び出しを取り消した。"),
        ("failed", "障害で呼び出せなかった。"),
        ("sunspots", "呼び出しは終わった（sunspots）。"),
    ],
)
def test_other_endings(reason: str, says: str) -> None:
    story = rung(waiting(), 0, "1007", "longest_idle", row("1007"))
    assert sentences(story.at(3, "offer_ended", operator="1007", reason=reason))[0].endswith(says)


def test_a_caller_who_hangs_up_ends_the_ringing_also_where_it_is_not_noted() -> None:
    story = rung(waiting(), 0, "1007", "longest_idle", row("1007"))
    assert told(story.at(3, "ended", by="caller"))[0].ending == "caller_gone"


@pytest.mark.req("ACD-5")
def test_a_returned_caller_waits_for_the_operator_of_before() -> None:
    story = rung(waiting(prefer="1007"), 20, "1007", "same_operator", row("1007"))
    assert sentences(story) == [
        "09:00:00から20秒待ち: 操作者07が空くのを待ったため。",
        "09:00:20 操作者07に呼び出し: さきほど応対していた操作者のため。",
    ]


@pytest.mark.req("ACD-7")
def test_a_callback_from_the_booking_to_the_talk() -> None:
    story = waiting().at(40, "callback_booked", callback="cb1", queue="main").at(60, "ended", by="centre")
    rung(story, 640, "1007", "longest_idle", row("1007"))
    trial = Story("d1").at(645, "dialled", of="c1", callback="cb1", operator="1007", queue="main")
    trial.at(660, "callback_failed", callback="cb1", reason="busy", next_at="2026-11-21T00:16:00Z")
    again = Story("d2")
    rung(story, 960, "1002", "longest_idle", row("1002"))
    again.at(965, "dialled", of="c1", operator="1002").at(970, "answered", operator="1002")
    for number, event in enumerate(sorted([*story.events, *trial.events, *again.events], key=lambda e: e.at)):
        object.__setattr__(event, "id", f"{number:03d}")
    story.events += trial.events + again.events
    assert sentences(story) == [
        "09:00:00から40秒待ち: 受けられる操作者が空いていないか、先に待っている人がいたため。",
        "09:00:40から10分00秒、折り返しの順番待ち（待ち行列での順番はそのまま）。",
        "09:10:40 操作者07に呼び出し: 待機していたのは1人だけだったため（待機1分00秒）。"
        "操作者が受け、市民に電話した。",
        "09:11:00 折り返しの発信: 市民は話中。次は09:16:00。",
        "09:16:00 操作者02に呼び出し: 待機していたのは1人だけだったため（待機1分00秒）。"
        "操作者が受け、市民に電話した。",
    ]


@pytest.mark.parametrize(
    ("because", "says", "says_en"),
    [
        (
            {"rule": "longest_idle", "idle_s": 12.5, "among": 3},
            "待機していた3人のうち、いちばん長く待機していたため（12秒）。",
            "of 3 who were free, idle longest (12 s).",
        ),
        (
            {"rule": "longest_idle", "idle_s": 12.5, "among": 1},
            "1人だけだったため（待機12秒）",
            "(idle 12 s)",
        ),
        ({"rule": "longest_idle", "among": 1}, "1人だけだったため。", "nobody else was free."),
        ({"rule": "longest_idle"}, "いちばん長く待機していたため。", "idle longest."),
        ({"rule": "same_operator", "among": 1}, "さきほど応対していた操作者のため", "had this caller before"),
        ({"rule": "lottery", "among": 2}, "規則「lottery」による順番のため", 'first by the rule "lottery"'),
        ({}, "理由の記録はありません", "the reason was not recorded"),
        (None, "理由の記録はありません", "the reason was not recorded"),
    ],
)
def test_offers_of_before_there_was_a_ledger(because: object, says: str, says_en: str) -> None:
    story = waiting().at(0, "offered", queue="main", operator="1007", because=because)
    (line,) = told(story)
    assert says in line.sentence
    assert says_en in sentences(story, "en")[0]
    assert (line.rows, line.heads, line.replayed) == ((), (), None)


def test_a_call_of_before_is_told_as_far_as_it_is_known() -> None:
    (line,) = why(answered("c1").events)  # its `because` holds nothing but the rule
    assert line.sentence == ("00:00:02 1001に呼び出し: いちばん長く待機していたため。4秒で応答。")


def test_a_ledger_that_leads_elsewhere_is_seen() -> None:
    story = rung(waiting(), 0, "1002", "longest_idle", row("1002", idle_s=1), row("1007", idle_s=90))
    assert told(story)[0].replayed is False
    assert "規則「longest_idle」による。ただし記録の数字では操作者07になる。" in sentences(story)[0]
    assert "the recorded figures lead to 操作者07" in sentences(story, "en")[0]
    unknown = rung(waiting(), 0, "1002", "lottery", row("1002", idle_s=1), row("1007", idle_s=90))
    assert told(unknown)[0].replayed is None
    missing = rung(waiting(), 0, "1001", "longest_idle", row("1002"), row("1007"))
    assert (told(missing)[0].replayed, told(missing)[0].rows) == (None, ())


candidates = some.lists(
    some.builds(
        Candidate,
        operator=some.integers(1, 30).map("10{:02d}".format),
        level=some.integers(1, 3),
        idle_s=some.sampled_from([0.0, 1.5, 60.0, 4000.0]),
        calls=some.integers(0, 3),
        talk_s=some.sampled_from([0.0, 90.0, 900.0]),
        duty_s=some.sampled_from([0.0, 30.0, 60.0, 3600.0]),
        offers=some.integers(0, 3),
        last=some.integers(0, 3),
    ),
    min_size=1,
    max_size=5,
    unique_by=lambda one: one.operator,
)
RULES = [*STRATEGIES[:-1], *(f"skill/{then}" for then in STRATEGIES[:-1])]


@pytest.mark.req("ACD-1")
@given(rows=candidates, rule=some.sampled_from(RULES))
def test_the_ledger_replays_and_names_the_next(rows: list[Candidate], rule: str) -> None:
    chosen = choose(rule, rows)
    story = rung(waiting(), 0, chosen, rule, *(list(each) for each in rows))
    (line,) = why(orjson_through(story.events))
    assert line.replayed is True
    assert {each.operator for each in line.rows} == {each.operator for each in rows}
    assert [each.chosen for each in line.rows] == [True] + [False] * (len(rows) - 1)
    rest = [each for each in rows if each.operator != chosen]
    for other in rest:
        wrong = rung(waiting(), 0, other.operator, rule, *(list(each) for each in rows))
        assert why(wrong.events)[0].replayed is False
    if rest:
        assert choose(rule, rest) in line.sentence


def orjson_through(events: list[Event]) -> list[Event]:
    """As they come back from the journal."""
    return [
        Event(each.id, each.at, each.mono, each.call, each.kind, orjson.loads(orjson.dumps(each.data)))
        for each in events
    ]


odd = some.sampled_from(
    [None, True, -1, 2**70, 1.5, 1e308, float("nan"), float("inf"), "", "1001", "か", [1], {}, {"rule": 3}]
)
odd_rows = some.lists(some.lists(odd | some.sampled_from(["1001", 1, 2.5]), max_size=9), max_size=3) | odd
becauses = odd | some.fixed_dictionaries(
    {},
    optional={
        "rule": some.sampled_from([*RULES, "same_operator", "x"]) | odd,
        "idle_s": odd,
        "among": odd | some.integers(0, 5),
        "candidates": candidates.map(lambda rows: [list(each) for each in rows]) | odd_rows,
        "heads": odd_rows | some.just([["main", 1.0, 0, 0.1], ["tax", 2.0, 1, 0.2]]),
        "waited_s": odd,
    },
)
any_event = some.builds(
    Event,
    id=some.integers(0, 99).map("{:03d}".format),
    at=some.integers(-10_000, 10_000).map(lambda seconds: NINE + timedelta(seconds=seconds)),
    mono=some.none() | some.floats(0, 1e6),
    call=some.sampled_from(["c1", "c2", None]),
    kind=some.sampled_from(
        [
            "queued", "moved", "offered", "offer_ended", "answered", "dialled", "callback_booked", "ended",
            "step", "callback_failed", "callback_ended", "overflowed", "something_new",
        ]
    ),
    data=some.fixed_dictionaries(
        {},
        optional={
            "operator": odd,
            "queue": odd,
            "reason": odd | some.sampled_from(["no_answer", "answered"]),
            "because": becauses,
            "prefer": odd,
            "ring_s": odd,
            "next_at": odd | some.just("0001-01-01T00:00:00Z"),
        },
    ),
    boot=some.sampled_from([None, "b1"]),
)  # fmt: skip


@settings(max_examples=60)
@given(events=some.lists(any_event, max_size=8), language=some.sampled_from(["ja", "en", "fr"]))
def test_any_events_are_told(events: list[Event], language: str) -> None:
    lines = why(events, language, zone=TOKYO)
    offers = [event for event in {event.id: event for event in events}.values() if event.kind == "offered"]
    assert sum(line.rule not in ("waiting", "callback") for line in lines) == len(offers)
    for line in lines:
        orjson.dumps(line.to_json())
        assert line.sentence
        assert "{" not in line.sentence
