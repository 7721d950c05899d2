"""Menus: keys, failures, repeats, the way back, languages."""

from __future__ import annotations

import pytest

from dialplans import Language
from ivr import Ask, Play, ToQueue
from tests.support.walking import (
    GOODBYE,
    NO_KEY,
    RECORDING,
    SORRY,
    WRONG_KEY,
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


@pytest.mark.req("IVR-1")
def test_no_key_asks_again_and_three_failures_lead_somewhere_kind() -> None:
    call = walk()
    at_menu(call)
    steps(call)
    move = call.timed_out()
    assert isinstance(move, Play)
    assert (texts(move), move.keys) == ([NO_KEY, "総合メニュー"], True)
    assert call.heard() == Ask(5)
    assert texts(call.digit("6")) == [WRONG_KEY, "総合メニュー"]
    call.heard()
    assert call.timed_out() == ToQueue("main")
    # Asked again is not entered again: the counts of a step count callers.
    assert steps(call) == ["-:none", "6:wrong", "-:none"]


@pytest.mark.req("IVR-1")
def test_a_menu_has_its_own_words_for_failures_and_a_kind_end() -> None:
    call = walk()
    at_menu(call)
    assert keys(call, "16") == ["くらしのメニュー", "1か7です", "くらしのメニュー"]
    assert keys(call, "-") == [GOODBYE]
    assert ended(call) == "menu"
    call = walk()
    at_menu(call)
    assert keys(call, "1--")[1:] == ["お声が聞こえません", "くらしのメニュー", GOODBYE]


@pytest.mark.req("IVR-4")
def test_a_key_interrupts_the_menu_but_no_announcement() -> None:
    call = walk()
    greeting = call.begin()
    assert call.digit("2") is greeting
    menu = call.heard()
    assert isinstance(menu, Play)
    assert call.digit("2") == ToQueue("main")


@pytest.mark.req("IVR-1")
def test_repeat_is_no_failure_but_has_an_end() -> None:
    call = walk()
    at_menu(call)
    assert keys(call, "-" + "8" * 9 + "-") == [
        NO_KEY, *["総合メニュー"] * 10, NO_KEY, "総合メニュー",
    ]  # fmt: skip
    assert call.digit("8") == ToQueue("main")  # the tenth is the third failure
    assert steps(call)[-3:] == ["8:repeat", "-:none", "8:repeat"]


@pytest.mark.req("IVR-1")
def test_back_leads_to_the_menu_before_and_starts_it_anew() -> None:
    call = walk()
    at_menu(call)
    assert keys(call, "-617") == [
        NO_KEY, "総合メニュー", WRONG_KEY, "総合メニュー", "くらしのメニュー", "総合メニュー",
    ]  # fmt: skip
    assert not call.path
    assert keys(call, "--") == [NO_KEY, "総合メニュー"] * 2  # its failures are forgotten
    assert keys(call, "7") == ["総合メニュー"]  # the first menu repeats
    assert steps(call)[-3:] == ["-:none", "-:none", "7:back"]
    assert not call.path


@pytest.mark.req("IVR-1")
def test_a_menu_that_was_passed_before_is_gone_back_to() -> None:
    call = walk()
    at_menu(call)
    assert keys(call, "10")[-1] == "総合メニュー"
    assert not call.path
    assert keys(call, "17")[-1] == "総合メニュー"  # not to `living`, from where it came
    assert keys(call, "1") == ["くらしのメニュー"]
    assert call.path == ("くらし",)


def test_nobody_keeps_a_line_for_ever() -> None:
    call = walk()
    at_menu(call)
    for n in range(100):
        assert isinstance(call.move, Ask)
        said = heard(call, call.digit("0" if n % 2 else "1"))
    assert said == [SORRY]
    assert ended(call) == "announcement"


@pytest.mark.req("IVR-1")
def test_a_key_may_end_the_call() -> None:
    call = walk()
    at_menu(call)
    assert keys(call, "5") == [GOODBYE]
    assert ended(call) == "announcement"


@pytest.mark.req("IVR-3")
def test_a_language_key_changes_the_rest_of_the_call() -> None:
    call = walk()
    at_menu(call)
    assert keys(call, "9") == ["Main menu"]
    assert call.language == "en"
    assert call.facts()[-1].data["language"] == "en"
    assert keys(call, "-") == ["We did not hear a key.", "Main menu"]
    assert keys(call, "1") == ["くらしのメニュー"]  # not worded in English
    assert call.language == "en"
    assert keys(call, "7") == ["Main menu"]
    assert keys(call, "5") == ["Thank you for calling. Goodbye."]


@pytest.mark.req("IVR-3")
def test_a_call_may_begin_in_another_language() -> None:
    numbers = data()["numbers"]
    numbers[0] |= {"language": "en", "greeting": "Minato City.", "recording_notice": {"ja": RECORDING}}
    call = walk(made=plan(numbers=numbers))
    assert texts(call.begin()) == ["Minato City.", RECORDING]
    assert texts(call.heard()) == ["Main menu"]
    language: Language = "en"
    call = walk(language=language)
    call.begin()
    assert texts(call.heard()) == ["Main menu"]


@pytest.mark.req("IVR-1")
def test_back_at_the_first_menu_counts_as_a_repeat() -> None:
    call = walk()
    at_menu(call)
    keys(call, "7" * 9)
    assert keys(call, "77") == ["総合メニュー"] * 2  # two failures
    assert call.digit("7") == ToQueue("main")


@pytest.mark.req("IVR-1")
def test_repeats_are_counted_anew_in_a_menu_that_is_entered_again() -> None:
    call = walk()
    at_menu(call)
    keys(call, "--" + "8" * 9 + "17" + "8" * 9)
    assert isinstance(call.move, Ask)
