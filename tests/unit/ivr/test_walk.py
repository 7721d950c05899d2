"""The rules of a walk, one by one: its order, branches, events, destinations."""

from __future__ import annotations

from typing import Any

import pytest

from dialplans import Site
from ivr import Ask, End, Mode, Move, Play, Switches, ToForward, ToQueue
from tests.support.site import NUMBER, OTHER_NUMBER
from tests.support.walking import (
    CLOSED,
    GOODBYE,
    GREETING,
    HOLIDAY,
    OPEN,
    RECORDING,
    SORRY,
    STEPS,
    TOP,
    at_menu,
    data,
    ended,
    heard,
    keys,
    plan,
    steps,
    texts,
    walk,
)


@pytest.mark.req("HRS-4", "IVR-1")
def test_the_order_of_a_call() -> None:
    call = walk(notices=["flood"])
    move = call.begin()
    assert (texts(move), call.step) == (["大雨です"], "notice:flood")
    move = call.heard()
    assert isinstance(move, Play)
    assert not move.keys
    assert texts(move) == [GREETING, RECORDING]
    move = call.heard()
    assert isinstance(move, Play)
    assert (texts(move), move.keys, call.step) == (["総合メニュー"], True, "top")
    assert call.heard() == Ask(5)
    assert steps(call) == ["notice:flood", "greeting", "recording_notice", "top"]
    assert call.digit("2") == ToQueue("main")
    assert (call.step, call.path, call.language) == ("queue:main", ("総合案内",), "ja")
    assert steps(call) == ["2:総合案内"]
    assert steps(call) == []  # taken


@pytest.mark.req("NUM-1")
def test_each_number_has_its_own_plan() -> None:
    call = walk(number=OTHER_NUMBER)
    assert texts(call.begin()) == [GREETING, RECORDING]
    assert call.heard() == ToQueue("main")
    with pytest.raises(KeyError):
        walk(number="0312345678")


# Closed, withheld, notices.


@pytest.mark.req("HRS-2")
def test_closed_is_not_greeted_and_recorded_only_with_notice() -> None:
    call = walk(CLOSED)
    assert not call.open
    assert texts(call.begin()) == ["時間外です"]
    move = call.heard()
    assert texts(move) == [RECORDING, "守衛室におつなぎします"]
    assert isinstance(move, Play)
    assert move.steps == ("recording_notice", "forward:guard")
    assert call.heard() == ToForward("guard")
    assert steps(call) == ["closed", "recording_notice"]


@pytest.mark.req("HRS-1", "HRS-4")
def test_a_special_day_has_its_own_announcement() -> None:
    call = walk(HOLIDAY)
    assert heard(call, call.begin()) == ["休みです"]
    assert ended(call) == "closed"
    number = data()["numbers"][0]
    del number["holiday"]
    call = walk(HOLIDAY, plan(numbers=[number]))
    assert texts(call.begin()) == ["時間外です"]


def test_closed_without_a_target_is_told_kindly() -> None:
    number = data()["numbers"][1]  # has no hours, so no `closed`
    call = walk(OPEN, plan(numbers=[number]), number=OTHER_NUMBER, modes={OTHER_NUMBER: Mode.CLOSED})
    assert heard(call, call.begin()) == [SORRY]
    assert ended(call) == "closed"


@pytest.mark.req("HRS-3")
def test_the_switch_opens_and_closes() -> None:
    call = walk(CLOSED, modes={NUMBER: Mode.EXTENDED})
    assert texts(call.begin()) == [GREETING, RECORDING]
    call = walk(OPEN, modes={NUMBER: Mode.CLOSED})
    assert texts(call.begin()) == ["時間外です"]
    call = walk(OPEN, modes={OTHER_NUMBER: Mode.CLOSED})
    assert texts(call.begin()) == [GREETING, RECORDING]


@pytest.mark.req("NUM-7")
@pytest.mark.parametrize("at", [OPEN, CLOSED])
def test_withheld_numbers_go_their_own_way(at: Any) -> None:
    call = walk(at, withheld=True, notices=["flood"])
    assert heard(call, call.begin()) == ["大雨です", "番号を通知してください"]
    assert isinstance(call.move, End)
    # A number without a policy takes them as all others.
    call = walk(at, number=OTHER_NUMBER, withheld=True)
    assert texts(call.begin()) == [GREETING, RECORDING]


@pytest.mark.req("HRS-4")
def test_notices_stand_in_front_of_everything() -> None:
    call = walk(CLOSED, notices=["flood"])
    assert heard(call, call.begin())[:2] == ["大雨です", "時間外です"]
    # Several in their order; the first that leads elsewhere decides, after all of them.
    call = walk(OPEN, notices=["quake", "flood", "bye", "unknown"])
    assert heard(call, call.begin()) == ["地震です", "大雨です", "全館閉鎖です", RECORDING]
    assert call.move == ToQueue("main")
    call = walk(OPEN, notices=["bye"])
    assert heard(call, call.begin()) == ["全館閉鎖です"]
    assert [fact.data.get("ends") for fact in call.facts()] == [True]
    assert ended(call) == "announcement"


@pytest.mark.req("HRS-4", "NUM-6")
def test_a_notice_is_heard_on_its_numbers_only() -> None:
    call = walk(OPEN, number=OTHER_NUMBER, notices=["bye"])
    assert texts(call.begin()) == [GREETING, RECORDING]
    deaf = data()["numbers"]
    deaf[1]["notices"] = False
    call = walk(OPEN, plan(numbers=deaf), number=OTHER_NUMBER, notices=["flood"])
    assert texts(call.begin()) == [GREETING, RECORDING]


# Steps that are not menus.


@pytest.mark.req("HRS-1")
@pytest.mark.parametrize(
    ("minute", "said", "queue"),
    [(29, ["くらしのメニュー"], "waste"), (30, ["くらしのメニュー", "ごみの受付は終わりました"], None)],
)
def test_a_branch_goes_by_its_own_hours(minute: int, said: list[str], queue: str | None) -> None:
    call = walk(OPEN.replace(hour=0, minute=minute))  # 9:29 and 9:30 in Japan
    at_menu(call)
    steps(call)
    assert keys(call, "11") == said
    assert call.move == (ToQueue(queue) if queue else End("announcement"))
    assert call.path == ("くらし", "ごみ")
    assert steps(call)[:4] == ["1:くらし", "living", "1:ごみ", "waste"]


@pytest.mark.req("HRS-1")
def test_a_branch_knows_special_days() -> None:
    call = walk(HOLIDAY, modes={NUMBER: Mode.OPEN})
    at_menu(call)
    assert keys(call, "11")[1:] == ["ごみの受付は休みです"]
    assert call.move == ToQueue("main")


@pytest.mark.req("HRS-3")
def test_the_switch_rules_branches_by_the_numbers_own_hours_only() -> None:
    branch = {
        "id": "top",
        "kind": "hours",
        "hours": "office",
        "open": "queue:main",
        "closed": "closed",
        "holiday": "holiday",
    }
    made = plan(steps=[branch, *STEPS[1:]])
    on = Switches({NUMBER: Mode.OPEN})

    def told(made: Site, switches: Switches | None = None) -> tuple[list[str], Move]:
        call = walk(HOLIDAY, made, switches=switches)
        return heard(call, call.begin()), call.move

    assert told(made, on) == ([GREETING, RECORDING], ToQueue("main"))
    waste = plan(steps=[branch | {"hours": "waste"}, *STEPS[1:]])
    assert told(waste, on)[0] == [GREETING, RECORDING, "休みです"]
    # A number without hours: the switch rules all its branches.
    numbers = data()["numbers"]
    for name in ("hours", "closed", "holiday"):
        del numbers[0][name]
    bare = plan(steps=[branch, *STEPS[1:]], numbers=numbers)
    assert told(bare, on) == ([GREETING, RECORDING], ToQueue("main"))
    assert told(bare)[0] == [GREETING, RECORDING, "休みです"]


@pytest.mark.req("HRS-5")
def test_events_are_told_in_their_order_and_only_while_they_are_to_be() -> None:
    fair, run = "朝市は、予定どおり開催します。", "マラソンは、中止となりました。"
    call = walk()
    at_menu(call)
    assert keys(call, "3") == ["催しのお知らせ", fair, run, "さようなら"]
    assert ended(call) == "announcement"
    call = walk(OPEN.replace(day=3))
    at_menu(call)
    assert keys(call, "3") == ["催しのお知らせ", fair, "さようなら"]
    # A call at 23:30 of the last day in Japan is within it; half an hour later it is not.
    for hour, told in ((14, True), (15, False)):
        call = walk(OPEN.replace(hour=hour, minute=30), modes={NUMBER: Mode.OPEN})
        at_menu(call)
        assert (run in keys(call, "3")) is told
    call = walk(made=plan(events=[]))
    at_menu(call)
    assert keys(call, "3") == ["催しはありません", "さようなら"]


def test_a_step_that_has_nothing_to_say_is_passed() -> None:
    silent = [step if step["id"] != "events" else {"id": "events", "kind": "events"} for step in STEPS]
    call = walk(made=plan(events=[], steps=silent))
    at_menu(call)
    assert keys(call, "3") == [GOODBYE]  # never a hang-up without a word
    assert call.facts()[-1].data["ends"] is True


@pytest.mark.req("HRS-4")
def test_many_announcements_in_a_row_are_all_heard() -> None:
    said = [
        {"id": f"say-{n}", "kind": "say", "say": f"{n}番目", "next": f"say-{n + 1}" if n < 29 else "hangup"}
        for n in range(30)
    ]
    numbers = data()["numbers"]
    numbers[0]["start"] = "say-0"
    call = walk(made=plan(steps=[*said, *STEPS], numbers=numbers))
    # Nobody is reached, so nobody is recorded: nothing is said of it.
    assert heard(call, call.begin())[1:] == [f"{n}番目" for n in range(30)]
    assert ended(call) == "announcement"
    assert [fact.data.get("ends", False) for fact in call.facts()] == [False] * 30 + [True]


# Destinations.


@pytest.mark.req("ACD-4")
def test_overflow_sends_the_call_on() -> None:
    for reason in ("most_waiting", "longest_wait"):
        call = walk()
        at_menu(call)
        call.digit("2")
        assert heard(call, call.overflow(reason)) == ["混み合っています"]
        assert ended(call) == "announcement"
    call = walk()
    at_menu(call)
    call.digit("2")
    assert call.overflow("nobody") == ToQueue("waste")
    assert call.step == "queue:waste"
    # Without a target the call stays.
    assert call.overflow("nobody") == ToQueue("waste")
    assert call.overflow("longest_wait") == ToQueue("waste")


@pytest.mark.req("HRS-2", "NUM-3")
@pytest.mark.parametrize("reason", ["busy", "no_answer", "refused", "trunk_full", "failed"])
def test_a_forward_that_does_not_answer_goes_on_in_the_plan(reason: Any) -> None:
    call = walk()
    at_menu(call)
    assert keys(call, "4") == ["守衛室におつなぎします"]
    assert call.move == ToForward("guard")
    assert heard(call, call.unanswered(reason)) == ["混み合っています"]
    assert isinstance(call.move, End)


@pytest.mark.req("ACD-4")
def test_overflow_may_lead_back_into_a_menu_but_not_for_ever() -> None:
    queues = data()["queues"]
    queues[0]["overflow"] = "top"
    call = walk(made=plan(queues=queues))
    at_menu(call)
    for _ in range(20):
        assert call.digit("2") == ToQueue("main")
        assert heard(call, call.overflow("longest_wait")) == ["総合メニュー"]
    call.digit("2")
    assert heard(call, call.overflow("longest_wait")) == [SORRY]
    assert ended(call) == "announcement"


def test_overflow_to_hang_up_is_told_kindly() -> None:
    queues = data()["queues"]
    queues[0]["overflow"] = "hangup"
    call = walk(made=plan(queues=queues), number=OTHER_NUMBER)
    heard(call, call.begin())
    assert heard(call, call.overflow("most_waiting")) == [SORRY]


def test_what_does_not_fit_the_present_move_changes_nothing() -> None:
    call = walk()
    begin = call.begin()
    for late in (call.timed_out, lambda: call.digit("1"), lambda: call.overflow("nobody")):
        assert late() is begin
    assert call.unanswered("busy") is begin
    at_menu(call := walk())
    asked = call.move
    assert call.heard() is asked
    call.digit("2")
    steps(call)
    assert call.digit("1") == call.timed_out() == call.heard() == ToQueue("main")
    assert steps(call) == []


# Broken plans: the checks refuse them, a call ends kindly all the same.


@pytest.mark.req("IVR-2")
@pytest.mark.parametrize(
    "change",
    [
        {"id": "living", "kind": "say", "say": "回ります", "next": "living"},
        {"id": "living", "kind": "hours", "hours": "office", "open": "living", "closed": "living"},
        {"id": "living", "kind": "say", "say": "回ります", "next": "nowhere"},
        {"id": "living", "kind": "say", "say": "回ります", "next": "queue:nowhere"},
        {"id": "living", "kind": "say", "say": "回ります", "next": "forward:nowhere"},
        {"id": "living", "kind": "say", "say": "回ります", "next": "repeat"},
    ],
)
def test_a_broken_plan_ends_kindly(change: dict[str, Any]) -> None:
    call = walk(made=plan(steps=[TOP, change, *STEPS[2:]]))
    at_menu(call)
    said = keys(call, "1")
    assert said[-1] == SORRY
    assert len(said) <= len(STEPS) + 2
    assert isinstance(call.move, End)
