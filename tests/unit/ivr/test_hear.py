"""What will callers hear: every line in order, and the end."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialplans import Site
from ivr import Mode, Switches, hear, keys_of
from tests.support.plans import moments, sites
from tests.support.site import NUMBER
from tests.support.walking import CLOSED, GREETING, NO_KEY, OPEN, RECORDING, WRONG_KEY, plan


@pytest.mark.req("HRS-6", "IVR-1")
def test_keys_are_given_one_at_each_question() -> None:
    told = hear(plan(), "0246-22-1111", OPEN, "9,1-71,1")
    assert [(line.step, line.prompt.text, line.key) for line in told.lines] == [
        ("greeting", GREETING, None),
        ("recording_notice", RECORDING, None),
        ("top", "総合メニュー", "9"),
        ("top", "Main menu", "1"),
        ("living", "くらしのメニュー", "-"),
        ("living", "お声が聞こえません", None),
        ("living", "くらしのメニュー", "7"),
        ("top", "Main menu", "1"),
        ("living", "くらしのメニュー", "1"),
        ("waste-closed", "ごみの受付は終わりました", None),
    ]
    assert (told.ending, told.ending_en, told.target) == ("電話を切る", "the call is ended", "hangup")
    assert (told.open, told.language, told.path) == (True, "en", ("くらし", "ごみ"))


@pytest.mark.req("IVR-1")
def test_without_keys_the_menu_is_heard_to_its_end() -> None:
    told = hear(plan(), NUMBER, OPEN, "6")
    assert [(line.prompt.text, line.key) for line in told.lines[2:]] == [
        ("総合メニュー", "6"),
        (WRONG_KEY, None),
        ("総合メニュー", "-"),
        (NO_KEY, None),
        ("総合メニュー", "-"),
    ]
    assert (told.ending, told.target) == ("「総合案内」の順番を待つ", "queue:main")


@pytest.mark.req("HRS-2", "HRS-3", "HRS-4")
def test_closed_switched_and_with_a_notice() -> None:
    told = hear(plan(), NUMBER, CLOSED)
    assert [line.prompt.text for line in told.lines] == ["時間外です", RECORDING, "守衛室におつなぎします"]
    assert [line.step for line in told.lines] == ["closed", "recording_notice", "forward:guard"]
    assert (told.ending, told.target, told.open) == ("「守衛室」へ転送", "forward:guard", False)
    told = hear(plan(), NUMBER, CLOSED, "2", Switches({NUMBER: Mode.OPEN}, ("flood",)))
    assert [line.step for line in told.lines] == ["notice:flood", "greeting", "recording_notice", "top"]
    told = hear(plan(), NUMBER, CLOSED, withheld=True)
    assert [line.prompt.text for line in told.lines] == ["番号を通知してください"]


def test_keys_may_be_written_in_several_ways() -> None:
    assert keys_of("1,2") == keys_of("12") == keys_of("1 2") == keys_of("1、2") == ["1", "2"]
    assert keys_of("*#-") == ["*", "#", "-"]
    for wrong in ("1a", "１", "+"):
        with pytest.raises(ValueError, match=r"no key of a telephone.*0-9"):
            keys_of(wrong)


@pytest.mark.req("IVR-2")
@given(sites(), moments(), st.text("0123456789*#-,", max_size=30))
def test_every_random_plan_can_be_heard_and_all_its_sounds_are_made_ready(
    site: Site, at: dt.datetime, keys: str
) -> None:
    told = hear(site, site.numbers[0].number, at, keys)
    ready = {prompt.key for prompt in site.prompts()}
    assert all(line.prompt.key in ready for line in told.lines)
    assert told.lines
