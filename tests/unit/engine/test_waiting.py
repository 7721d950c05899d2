"""What is told while waiting, and when."""

from __future__ import annotations

from typing import Any

import pytest

from engine.centre import Centre
from engine.waiting import _Comfort

from .conftest import Line
from .test_plan_recovery import CITIZEN, connected, on_the_way


async def waiting(centre: Centre, queue: str) -> Any:
    """The comfort of a call that entered the queue a second ago by the journal, and its floor."""
    on_the_way(centre)
    centre.note("queued", CITIZEN, queue=queue, priority=0, again=False, prefer=None, language="ja")
    await connected(centre, Line("x", "leg"))
    assert centre.session is not None
    call = centre.session.calls[CITIZEN]
    return _Comfort(centre.session, call, call.site.queue(queue), queue)


def texts(centre: Centre, keys: list[str]) -> list[str]:
    known = {prompt.key: prompt.text for prompt in centre.site.prompts()}
    return [known[key] for key in keys]


PLACE = "ただいま、1番目にお待ちいただいております。"


@pytest.mark.req("HRS-4")
async def test_each_is_told_at_its_time_the_place_after_it(planned: Centre) -> None:
    comfort = await waiting(planned, "limited")
    [(first, _), (second, _)] = comfort.due
    assert second - first == 3
    assert texts(planned, comfort._said(comfort._pass_over(first))) == ["順におつなぎします。", PLACE]
    assert comfort._said(comfort._pass_over(first + 2.9)) == []
    told = texts(planned, comfort._said(comfort._pass_over(second)))
    assert told[0] == "たいへん混み合っております。"
    assert told[1].endswith("中止となりました。")
    assert told[2:] == [PLACE]
    assert comfort.due == []  # each was to be told once


@pytest.mark.req("HRS-4")
async def test_congestion_is_told_only_while_more_wait_than_are_signed_on(planned: Centre) -> None:
    from acd import OperatorState

    comfort = await waiting(planned, "limited")
    planned.wants("1001", OperatorState.BREAK, "", "test")
    assert comfort._said([tell for _, tell in comfort.due if tell.congested]) == []
    planned.wants("1001", OperatorState.OFF, "", "test")
    assert comfort._said([tell for _, tell in comfort.due if tell.congested])


@pytest.mark.req("HRS-4")
async def test_repeated_ones_keep_their_beat_and_are_never_told_twice_at_once(planned: Centre) -> None:
    comfort = await waiting(planned, "main")
    [(first, tell)] = comfort.due
    assert tell.every_s == 10
    assert comfort._pass_over(first + 35) == [tell]
    assert comfort.due == [(first + 40, tell)]
    assert comfort._pass_over(first + 39) == []


@pytest.mark.req("HRS-4")
async def test_the_wait_is_told_from_the_last_answers(planned: Centre) -> None:
    rules = planned.site.queue("limited").model_copy(update={"say_wait": True, "say_position": False})
    comfort = await waiting(planned, "limited")
    comfort.rules = rules
    assert comfort._figures() == []  # nobody was answered lately: nothing is promised
    for n in range(4):
        planned.note("queued", f"other-{n}", queue="limited", priority=0, again=False, prefer=None)
        planned.note("answered", f"other-{n}", operator="1001", phone="desk", leg="l", bridge="b")
    [key] = comfort._figures()
    assert key == planned.site.wording.said("wait_minutes", "ja", n=1).key
