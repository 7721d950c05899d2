"""Whatever a plan looks like, the check answers; and one that it accepts lets every call come to an end."""

from __future__ import annotations

import copy
import datetime as dt
import io
import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from dialplans import CHECKED, Problem, Site, SiteError, boxes, entries, parse_site
from ivr import Ask, BookCallback, End, Play, ToForward, ToQueue, Walk
from tests.support.plans import moments, plan_data, sites

TODAY = dt.date(2026, 11, 22)


def written(data: Any) -> str:
    out = io.StringIO()
    YAML().dump(data, out)
    return out.getvalue()


def checked(text: str) -> Site | list[Problem]:
    try:
        return parse_site(text, today=TODAY)
    except SiteError as error:
        return error.problems


def places(data: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if at:
        yield at
    for key, value in (
        data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    ):
        yield from places(value, (*at, key))


def put(data: Any, at: tuple[Any, ...], value: Any) -> None:
    for key in at[:-1]:
        data = data[key]
    if value is GONE:
        del data[at[-1]]
    else:
        data[at[-1]] = value


GONE = object()
JAPANESE = re.compile("[\u3040-\u30ff\u4e00-\u9fff]")
QUOTED = re.compile("“[^”]*”")
_SLIPS = st.one_of(
    st.sampled_from(
        [
            GONE,
            None,
            [],
            {},
            "",
            "hangup",
            "repeat",
            "back",
            "main",
            "queue:last",
            "forward:forward-1",
            "en",
            "ja",
        ]
    ),
    st.integers(-3, 100000),
    st.sampled_from(
        [True, False, 1.5, "8:30-17:15", "20:00-26:00", "2027-02-30", "12-31", "{event}", "menu"]
    ),
    st.dictionaries(
        st.sampled_from(["ja", "en", "go", "id", "audio", "text", "kind"]), st.sampled_from(["a", "ja", 3])
    ),
    st.lists(st.sampled_from(["a", "main", 7, None]), max_size=2),
)


def at_the_seats(trunks: list[str]) -> dict[str, Any]:
    """What a plan says of calls out, the exchange, the seats and alarms."""
    return {
        "dialling": {"trunks": [*trunks], "by_class": {"mobile": trunks[:1]}, "shown": "0246-22-1111"},
        "pbx": {"trunks": trunks[:1], "prefix": "8", "digits": [3, 5], "return_code": "7700"},
        "harassment": {"warn_after_s": 600, "end_after_s": 900},
        "mail": {"host": "mail.example", "sender": "centre@city.example", "to": ["sv@city.example"]},
        "alarms": {"wait_s": None, "waiting": 9},
        "categories": [{"name": "ごみ", "children": [{"name": "分別"}, {"name": "収集"}]}],
    }


@st.composite
def slipped(draw: Any) -> Any:
    """A plan in which up to three places hold something else, or something from another place."""
    data = draw(plan_data(8))
    if draw(st.booleans()):
        data |= at_the_seats([one["id"] for one in data["trunks"]])
    for _ in range(draw(st.integers(1, 3))):
        known = list(places(data))
        at = draw(st.sampled_from(known))
        value: Any
        if draw(st.booleans()):
            value = data
            for key in draw(st.sampled_from(known)):
                value = value[key]
            value = copy.deepcopy(value)
        else:
            value = draw(_SLIPS)
        put(data, at, value)
        if not isinstance(data, dict) or not data:
            break
    return data


def silent_circle(site: Site) -> bool:
    """Whether somebody who presses no key can go round (boxes are taken away while one leads nowhere)."""
    left = {
        box: {line.to for line in lines if not (line.pressed or line.back)}
        for box, lines in boxes(site).items()
    }
    while ends := [box for box, to in left.items() if not to & left.keys()]:
        for box in ends:
            del left[box]
    return bool(left)


@pytest.mark.req("IVR-2")
@settings(max_examples=100, deadline=None)
@given(slipped())
def test_the_check_answers_whatever_a_plan_looks_like(data: Any) -> None:
    found = checked(written(data))
    if isinstance(found, Site):
        assert not silent_circle(found)
        every = {one.line.to for one in entries(found)} | {
            line.to for lines in boxes(found).values() for line in lines
        }
        assert every <= boxes(found).keys()
        return
    assert found
    for one in found:
        assert one.line >= 1
        assert one.message
        assert not JAPANESE.search(QUOTED.sub("", one.message_en)), one.text("en")
        assert "{see}" not in one.message + one.hint


@settings(max_examples=60, deadline=None)
@given(plan_data())
def test_a_plan_is_the_same_from_its_text_and_from_a_program(data: Any) -> None:
    site = parse_site(written(data), today=TODAY)
    assert site == Site.model_validate(data)
    assert site == Site.model_validate_json(site.model_dump_json(), context=CHECKED)


@pytest.mark.req("IVR-2", "HRS-6")
@settings(max_examples=80, deadline=None)
@given(sites(), moments(), st.data())
def test_all_that_a_call_may_hear_was_made_before(site: Site, at: dt.datetime, data: st.DataObject) -> None:
    """Every sound of a random walk is among those without which the plan does not go live."""
    made = {one.key for one in site.prompts()}
    number = data.draw(st.sampled_from(site.numbers))
    walk = Walk(site, number.digits, at, withheld=data.draw(st.booleans()), caller="0312345678")
    move = walk.begin()
    for _ in range(60):
        match move:
            case Play():
                assert {one.key for one in move.prompts} <= made
                key = data.draw(st.sampled_from(["", *"0123456789*#"])) if move.keys else ""
                move = walk.digit(key) if key else walk.heard()
            case Ask():
                key = data.draw(st.sampled_from(["", *"0123456789*#"]))
                move = walk.digit(key) if key else walk.timed_out()
            case ToQueue():
                before = move
                move = walk.digit(data.draw(st.sampled_from("15*#")))
                if move != before:
                    continue
                move = walk.overflow(data.draw(st.sampled_from(["most_waiting", "nobody"])))
                if move == before:
                    return
            case BookCallback():
                move = walk.booked(data.draw(st.booleans()))
            case ToForward():
                move = walk.unanswered("busy")
            case End():
                return


def test_the_silent_circle_of_the_test_is_one() -> None:
    steps = [
        {"id": "a", "kind": "say", "say": "a", "next": "b"},
        {"id": "b", "kind": "say", "say": "b", "next": "a"},
    ]
    data = {
        "city": "市",
        "centre": "市",
        "id": "x",
        "numbers": [{"number": "110", "name": "a", "start": "a", "greeting": "a", "recording_notice": "b"}],
        "queues": [{"id": "main", "name": "a"}],
        "operators": [{"id": "11", "name": "a", "queues": ["main"]}],
        "trunks": [{"id": "a", "addresses": ["192.0.2.1"]}],
        "steps": steps,
    }
    assert silent_circle(Site.model_validate(data, context=CHECKED))
    with pytest.raises(ValueError, match="a → b → a"):
        Site.model_validate(data)
