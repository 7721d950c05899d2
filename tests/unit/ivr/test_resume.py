"""A walk that goes on after a restart, from what the journal knows."""

from __future__ import annotations

import pytest

from ivr import Fact, ToForward, ToQueue
from tests.support.walking import (
    CLOSED,
    GREETING,
    LIVING,
    RECORDING,
    STEPS,
    at_menu,
    heard,
    keys,
    plan,
    steps,
    texts,
    walk,
)


@pytest.mark.req("IVR-2")
def test_resume_goes_on_at_the_step_and_tells_nothing_twice() -> None:
    call = walk()
    assert texts(call.resume("living", "en", told_recording=True)) == ["くらしのメニュー"]
    assert (call.language, call.facts()) == ("en", [])
    assert keys(call, "") == []
    heard(call, call.move)
    assert keys(call, "7") == ["くらしのメニュー"]  # what came before is not known: the first menu repeats
    call = walk()
    assert call.resume("queue:main", told_recording=True) == ToQueue("main")
    assert heard(call, call.overflow("longest_wait")) == ["混み合っています"]
    call = walk()
    assert texts(call.resume("queue:main")) == [RECORDING]
    assert steps(call) == ["recording_notice"]
    call = walk(notices=["flood", "quake"])
    assert heard(call, call.resume("notice:quake")) == ["地震です", RECORDING]
    assert call.move == ToQueue("main")


def test_a_notice_that_was_switched_off_meanwhile_is_left_out() -> None:
    call = walk()
    assert texts(call.resume("notice:flood")) == [GREETING, RECORDING]


@pytest.mark.req("IVR-2")
def test_a_step_that_the_plan_no_longer_has_leads_to_the_start() -> None:
    for gone in ("gone", "queue:gone", "forward:gone"):
        call = walk()
        assert texts(call.resume(gone, told_recording=False)) == [GREETING, RECORDING]
        assert steps(call) == ["greeting", "recording_notice"]
        call = walk()
        assert texts(call.resume(gone, told_recording=True)) == [GREETING]


def test_replay_restores_the_way_back_the_path_and_the_failures() -> None:
    first = walk()
    at_menu(first)
    keys(first, "91-")
    facts = first.facts()
    again = walk()
    move = again.replay(facts[:-1])  # the engine died while the menu asked
    assert (texts(move), again.path, again.language) == (["くらしのメニュー"], ("くらし",), "en")
    assert again.facts() == []
    again = walk()
    move = again.replay(facts)  # … and while it said that no key had come
    assert texts(move) == ["お声が聞こえません", "くらしのメニュー"]
    heard(again, move)
    assert keys(again, "-") == ["Thank you for calling. Goodbye."]  # the second failure
    again = walk()
    heard(again, again.replay(facts))
    assert keys(again, "7") == ["Main menu"]
    assert again.path == ()


def test_replay_of_a_call_in_its_queue() -> None:
    first = walk()
    at_menu(first)
    first.digit("2")
    facts = first.facts()
    again = walk()
    assert again.replay(facts, "queue:main") == ToQueue("main")
    assert (again.path, again.step, again.facts()) == (("総合案内",), "queue:main", [])
    assert heard(again, again.overflow("longest_wait")) == ["混み合っています"]
    # The key was written, that the call is in the queue was not.
    again = walk()
    assert again.replay(facts) == ToQueue("main")
    assert again.facts() == []
    # Nothing at all was written.
    again = walk()
    assert texts(again.replay([])) == [GREETING, RECORDING]


def test_replay_of_a_recording_notice_before_a_queue() -> None:
    first = walk(CLOSED)
    first.begin()
    first.heard()
    again = walk(CLOSED)
    assert texts(again.replay(first.facts())) == [RECORDING, "守衛室におつなぎします"]
    assert again.facts() == []
    assert again.heard() == ToForward("guard")
    greeting = walk()
    greeting.begin()
    again = walk()
    assert texts(again.replay(greeting.facts())) == [GREETING, RECORDING]
    assert again.facts() == []


def test_replay_on_a_plan_that_has_changed() -> None:
    first = walk()
    at_menu(first)
    keys(first, "1-")
    other = [step for step in STEPS if step is not LIVING]
    again = walk(made=plan(steps=other))
    assert texts(again.replay(first.facts())) == [GREETING]  # the recording notice was heard
    assert isinstance(again.facts()[0], Fact)


def test_replay_of_a_call_that_was_sent_on_to_another_queue() -> None:
    first = walk()
    at_menu(first)
    first.digit("2")
    facts = first.facts()
    assert first.overflow("nobody") == ToQueue("waste")
    again = walk()
    assert again.replay(facts, "queue:waste") == ToQueue("waste")
    assert again.path == ("総合案内",)
