"""Texts in both languages, templates without inline script or style, figures as people write them."""

from __future__ import annotations

import re
import string
from datetime import date
from pathlib import Path

import pytest

import agent_console
from agent_console import formats
from agent_console.live_state import LiveState
from agent_console.texts import Language, texts
from agent_console.words import WORDS

from .conftest import live_call, operator

ROOM = Path(agent_console.__file__).parent
TEMPLATES = sorted((ROOM / "templates").rglob("*.html"))
SCRIPTS = sorted((ROOM / "web").glob("*.ts"))
SOURCES = sorted(ROOM.rglob("*.py"))


def fields(text: str) -> set[str | None]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


@pytest.mark.req("OPR-6")
@pytest.mark.parametrize("key", sorted(WORDS))
def test_both_languages_say_the_same_values(key: str) -> None:
    japanese, english = WORDS[key]
    assert japanese
    assert english
    assert fields(japanese) == fields(english)


def test_every_text_that_is_asked_for_exists() -> None:
    asked = set()
    for template in TEMPLATES:
        asked |= set(re.findall(r'\bt\("([a-z_.]+)"(?!\s*~)', template.read_text(encoding="utf-8")))
    for source in SOURCES:
        asked |= set(re.findall(r'texts\(\s*"([a-z_.0-9]+)"', source.read_text(encoding="utf-8")))
        asked |= set(re.findall(r'"(problem\.(?!html)[a-z_.]+)"', source.read_text(encoding="utf-8")))
    for script in SCRIPTS:
        asked |= {f"js.{key}" for key in re.findall(r'\bt\("([a-z_.]+)"', script.read_text(encoding="utf-8"))}
    assert len(asked) > 100
    assert sorted(key for key in asked if key not in WORDS) == []


def test_every_state_outcome_and_event_has_its_word() -> None:
    from cdr import Outcome

    for state in ["ready", "ringing", "talking", "hold", "wrap_up", "break", "training", "no_answer", "off"]:
        assert f"js.state.{state}" in WORDS
    for outcome in Outcome:
        assert f"outcome.{outcome.value}" in WORDS


@pytest.mark.req("SEC-1")
@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_templates_hold_no_inline_script_style_or_foreign_address(template: Path) -> None:
    text = template.read_text(encoding="utf-8")
    assert not re.search(r"<script(?![^>]*(src=|application/json))", text)
    assert not re.search(r"\son[a-z]+=|\sstyle=|<style", text)
    assert not re.search(r"(src|href|action)=\"(https?:)?//", text)
    assert "|safe" not in text.replace(" ", "")


@pytest.mark.parametrize(
    ("digits", "grouped"),
    [
        ("09012345678", "090-1234-5678"),
        ("0246221111", "0246-22-1111"),
        ("0312345678", "03-1234-5678"),
        ("0451234567", "045-123-4567"),
        ("0120123456", "0120-123-456"),
        ("0570123456", "0570-123-456"),
        ("110", "110"),
        ("+81312345678", "+81312345678"),
        ("anonymous", "anonymous"),
        ("", ""),
    ],
)
def test_telephone_numbers_are_grouped_as_people_write_them(digits: str, grouped: str) -> None:
    assert formats.phone_number(digits, formats.grouping_of(["0246-22-1111"])) == grouped


def test_the_sites_own_grouping_comes_first() -> None:
    assert formats.phone_number("0451234567", formats.grouping_of(["0451-23-4567"])) == "0451-23-4567"


def test_masks_hide_four_digits_and_keep_the_shape() -> None:
    assert formats.masked("090-1234-5678") == "090-1234-****"
    assert formats.masked("0246-22-111") == "0246-2*-***"
    assert formats.masked("12") == "**"


def test_times_and_dates() -> None:
    assert [formats.tenths(s) for s in (None, 0, 7.96, 26.9, 27.44, 59.97, 3727)] == [
        "―",
        "0:00.0",
        "0:08.0",
        "0:26.9",
        "0:27.4",
        "1:00.0",
        "1:02:07.0",
    ]
    assert [formats.duration(s) for s in (None, 0, 7.9, 127, 3727)] == [
        "―",
        "0:00",
        "0:07",
        "2:07",
        "1:02:07",
    ]
    assert formats.long_date(date(2026, 11, 21), Language.JA) == "2026年11月21日(土)"
    assert formats.long_date(date(2026, 11, 21), Language.EN) == "Sat 21 Nov 2026"
    assert formats.percent(0.9312) == "93.1 %"


def test_the_browser_gets_its_texts_only() -> None:
    given = texts(Language.JA).for_browser()
    assert given["state.ready"] == "待機"
    assert not any(key.startswith(("signin", "problem")) for key in given)


def test_live_state_tells_what_is_newer() -> None:
    state = LiveState()
    state.replace({"switch": {"connected": True}, "operators": [operator("1001")], "calls": [live_call("a")]})
    seen = state.version
    state.change(
        {"operators": [], "calls": [live_call("b", queued_at="2026-11-21T00:00:01.000000Z")], "gone": []}
    )
    assert [c["id"] for c in state.calls_since(seen)] == ["b"]
    assert state.operators_since(seen) == []
    assert state.waiting().longest_since == "2026-11-21T00:00:01.000000Z"
    seen = state.version
    state.replace({"switch": {"connected": False}, "operators": [], "calls": [live_call("b")]})
    assert state.gone_since(seen) == ["a"]
    assert state.operators_gone_since(seen) == ["1001"]
    assert not state.switch_connected
    state.change({"operators": [operator("1001", call="b")], "calls": [live_call("a")], "gone": ["nobody"]})
    assert state.operators_gone_since(seen) == []
    assert "a" not in state.gone_since(seen)
    assert state.call_of("1001") == live_call("b")
    assert state.call_of("9999") is None
