"""The dialogue of a callback: offered, confirmed, another number keyed in, declined, booked."""

from __future__ import annotations

from typing import Any

import pytest

from dialplans import CHECKED, Site
from ivr import Ask, BookCallback, End, ToForward, ToQueue, Walk, hear
from tests.support.site import NUMBER
from tests.support.walking import (
    CLOSED,
    GOODBYE,
    NO_KEY,
    OPEN,
    RECORDING,
    WRONG_KEY,
    data,
    heard,
    keys,
    steps,
    texts,
    walk,
)

OFFER = "折り返しは1です。"
ENTER = "おかけ直しする電話番号を市外局番から押して、最後にシャープを押してください。"
NOT_POSSIBLE = "申し訳ございません。その番号には、おかけ直しできません。"
BEFORE, AFTER = "おかけ直しする番号は", "です。よろしければ1を、ほかの番号にするには2を押してください。"
BOOKED = "折り返しを承りました。順番がまいりましたら"
WORDS = ("ゼロ", "イチ", "ニー", "サン", "ヨン", "ゴー", "ロク", "ナナ", "ハチ", "キュウ")
HOME = "0312345678"


def said(number: str) -> list[str]:
    """A number as it is read out."""
    return [WORDS[int(digit)] for digit in number]


def confirm(number: str) -> list[str]:
    return [BEFORE, *said(number), AFTER]


def made(**changes: Any) -> Site:
    """The plan of `walking` with an offer: by a key in the queue `main`, and over its limit."""
    rows = data()
    offer = {
        "id": "call-back",
        "kind": "callback",
        "say": {"ja": OFFER, "en": "For a callback press one."},
        "queue": "main",
        "trunk": "test",
        "declined": "queue:main",
        **changes,
    }
    main = rows["queues"][0] | {"callback": "call-back", "callback_key": "5", "overflow": "call-back"}
    return Site.model_validate(
        rows | {"steps": [*rows["steps"], offer], "queues": [main, *rows["queues"][1:]]},
        context=CHECKED,
    )


def waiting(caller: str | None = HOME, **changes: Any) -> Walk:
    """A call in the queue `main`."""
    call = walk(made=made(**changes), caller=caller, withheld=False)
    heard(call, call.begin())
    assert call.digit("2") == ToQueue("main")
    call.facts()
    return call


def asked(caller: str | None = HOME, **changes: Any) -> tuple[Walk, list[str]]:
    """… that has asked for a callback; what was said then."""
    call = waiting(caller, **changes)
    return call, heard(call, call.digit("5"))


@pytest.mark.req("ACD-7")
def test_booked_by_key_with_the_number_that_called() -> None:
    call, told = asked("+81312345678")
    assert told == confirm(HOME)
    assert call.digit("1") == BookCallback("call-back", HOME)
    assert steps(call) == ["5:callback", "call-back", "1:confirmed"]
    told = heard(call, call.booked(new=True))
    assert told == [BOOKED, *said(NUMBER), "からお電話します。お電話ありがとうございました。"]
    assert call.move == End("callback")


@pytest.mark.req("ACD-7")
def test_the_number_that_is_shown_there_is_told_and_a_second_request_is_recognised() -> None:
    call, _ = asked(caller_number="0246-22-0000")
    call.digit("1")
    told = heard(call, call.booked(new=True))
    assert told[1:-1] == said("0246220000")
    call, _ = asked()
    call.digit("1")
    told = heard(call, call.booked(new=False))
    assert told == [
        "その番号への折り返しは、すでに承っております。順番がまいりましたら、お電話します。",
        GOODBYE,
    ]
    assert call.move == End("callback")


@pytest.mark.req("ACD-7")
@pytest.mark.parametrize("caller", [None, "119", "5002", "0120123456", "+12025550123"])
def test_who_has_no_number_that_can_be_called_keys_one_in(caller: str | None) -> None:
    call, told = asked(caller)
    assert told == [ENTER]
    for digit in "09012345678":
        assert call.digit(digit) == Ask(6)
    assert heard(call, call.digit("#")) == confirm("09012345678")
    facts = call.facts()
    assert [fact.data["does"] for fact in facts if fact.kind == "key"] == ["callback", "number"]
    assert facts[-1].data["number"] == "09012345678"
    assert call.digit("1") == BookCallback("call-back", "09012345678")


@pytest.mark.req("ACD-7")
def test_another_number_starting_anew_and_forgetting_the_hash_key() -> None:
    call, _ = asked()
    assert heard(call, call.digit("2")) == [ENTER]
    call.digit("9")
    assert heard(call, call.digit("*")) == [ENTER]
    for digit in "0398765432":
        call.digit(digit)
    assert heard(call, call.timed_out()) == confirm("0398765432")
    assert steps(call) == ["5:callback", "call-back", "2:another", "*:repeat", "-:number"]


@pytest.mark.req("ACD-7", "SEC-4")
@pytest.mark.parametrize(
    "number",
    [
        "110", "118", "119", "0570123456", "0990123456", "0120123456", "08001234567", "0101202555",
        "0033031234", "01012025550123", "0312345", "031234567890", "3123456789", NUMBER, "0180123456",
        "09012345",
    ],
)  # fmt: skip
def test_numbers_that_are_never_called_back(number: str) -> None:
    call, _ = asked(None)
    for digit in number:
        call.digit(digit)
    assert heard(call, call.digit("#")) == [NOT_POSSIBLE, ENTER]


@pytest.mark.req("ACD-7")
@pytest.mark.parametrize(
    "number", ["0312345678", "0246221234", "09012345678", "07012345678", "05012345678", "0111234567"]
)
def test_numbers_that_are(number: str) -> None:
    call, _ = asked(None)
    for digit in number:
        call.digit(digit)
    assert heard(call, call.digit("#")) == confirm(number)


@pytest.mark.req("ACD-7", "IVR-4")
def test_three_failures_and_the_call_goes_back_into_its_queue() -> None:
    call, told = asked()
    told = keys(call, "7-8")
    assert told == [WRONG_KEY, *confirm(HOME), NO_KEY, *confirm(HOME)]
    assert isinstance(call.move, ToQueue)
    assert call.move.back
    call, _ = asked(None)
    assert keys(call, "---") == [NO_KEY, ENTER, NO_KEY, ENTER]
    assert call.move == ToQueue("main")
    for _ in range(2):  # keys that wait for nothing are passed over, then asked for once more
        assert call.digit("9") is call.move
    assert heard(call, call.digit("5")) == [ENTER]


def test_digits_without_end_are_no_number() -> None:
    call, _ = asked(None)
    for digit in "1" * 15:
        assert call.digit(digit) == Ask(6)
    assert heard(call, call.digit("1")) == [NOT_POSSIBLE, ENTER]


@pytest.mark.req("ACD-4", "ACD-7")
def test_offered_over_the_limit_taken_declined_or_unanswered() -> None:
    call = waiting()
    assert texts(call.overflow("expected_wait")) == [OFFER]
    assert heard(call, call.digit("1")) == confirm(HOME)  # barge-in
    for no in ("3", None):
        call = waiting()
        heard(call, call.overflow("longest_wait"))
        move = call.timed_out() if no is None else call.digit(no)
        assert isinstance(move, ToQueue)
        assert move.back
        assert steps(call) == ["call-back", "-:none" if no is None else "3:declined"]
    call = waiting(declined="forward:guard")
    heard(call, call.overflow("longest_wait"))
    assert heard(call, call.digit("3")) == ["守衛室におつなぎします"]
    assert call.move == ToForward("guard")


def test_whoever_enters_another_way_is_asked_again() -> None:
    """Only who comes back into the queue is spared its limits."""
    call = waiting(declined="queue:waste")
    heard(call, call.overflow("longest_wait"))
    move = call.digit("3")
    assert move == ToQueue("waste")
    assert isinstance(move, ToQueue)
    assert not move.back


@pytest.mark.req("REC-1", "ACD-7")
def test_the_recording_notice_comes_before_an_offer() -> None:
    rows = made()
    number = rows.numbers[0].model_copy(update={"closed": "call-back"})
    call = Walk(rows.model_copy(update={"numbers": (number,)}), NUMBER, CLOSED, caller=HOME)
    assert heard(call, call.begin()) == [RECORDING, OFFER]
    call.digit("1")
    call.digit("1")
    heard(call, call.booked(new=True))
    assert call.move == End("callback")


@pytest.mark.req("IVR-2", "ACD-7")
def test_english_calls_hear_english_digits() -> None:
    call = walk(made=made(), caller=HOME, language="en")
    heard(call, call.begin())
    call.digit("2")
    assert heard(call, call.digit("5"))[:4] == ["We will call", "zero", "three", "one"]


@pytest.mark.req("ACD-7", "HRS-6")
def test_what_will_callers_hear() -> None:
    told = hear(made(), NUMBER, OPEN, "2,5,1")
    assert (told.ending, told.ending_en, told.target) == (
        "折り返しを予約して、電話を切る",
        "a callback is booked, the call is ended",
        "hangup",
    )
    assert [line.prompt.text for line in told.lines[-11:-1]] == said(NUMBER)
    keyed = hear(made(), NUMBER, OPEN, "2,5,0312345678#1", caller="119")
    assert (keyed.lines[-1].prompt.text[:2], keyed.target) == ("から", "hangup")
    assert [line.prompt.text for line in keyed.lines if line.key == "1"] == [AFTER]
    assert hear(made(), NUMBER, OPEN, "2,7").target == "queue:main"
