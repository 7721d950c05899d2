"""Random plans, random callers: every walk ends, is recorded only with notice, and survives a restart."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialplans import Site, callback_number
from ivr import (
    Ask,
    BookCallback,
    End,
    Fact,
    Mode,
    Move,
    OverflowReason,
    Play,
    Switches,
    ToForward,
    ToQueue,
    UnansweredReason,
    Walk,
)
from ivr.course import KEYS_MAX, MOVED_MAX
from tests.support.plans import KEYS, moments, sites

_keys = st.sampled_from([*KEYS, "A"])
_overflow = st.sampled_from(get_args(OverflowReason))
_unanswered = st.sampled_from(get_args(UnansweredReason))


@st.composite
def walks(draw: Callable[[st.SearchStrategy[Any]], Any]) -> Callable[[], Walk]:
    """Gives the same new walk each time it is called: of a random plan, number, time, switches."""
    site: Site = draw(sites())
    number = draw(st.sampled_from(site.numbers)).digits
    at = draw(moments())
    modes = draw(st.dictionaries(st.just(number), st.sampled_from(Mode)))
    notices = draw(st.permutations([notice.id for notice in site.notices]))
    switches = Switches(modes, tuple(notices[: draw(st.integers(0, len(notices)))]))
    caller = draw(st.sampled_from([None, "09012345678", "+81312345678", "110", number]))
    how: dict[str, Any] = {"switches": switches, "withheld": caller is None, "caller": caller}
    return lambda: Walk(site, number, at, **how)


def go_on(walk: Walk, data: st.DataObject, *, stays: bool) -> Move | None:
    """One random thing that happens in the present move. None: the caller has arrived (`stays`)."""
    match walk.move:
        case Play(keys=keys):
            if keys and data.draw(st.booleans(), "barges in"):
                return walk.digit(data.draw(_keys, "key"))
            return walk.heard()
        case Ask():
            if data.draw(st.integers(0, 3), "patience") == 0:
                return walk.timed_out()
            return walk.digit(data.draw(_keys, "key"))
        case ToQueue():
            if stays and data.draw(st.booleans(), "stays"):
                return None
            before = walk.move
            after = walk.digit(data.draw(_keys, "key while waiting"))
            if after is not before:
                return after
            after = walk.overflow(data.draw(_overflow, "overflow"))
            return None if after is before else after  # without a target the caller waits on
        case ToForward():
            if stays and data.draw(st.booleans(), "stays"):
                return None
            return walk.unanswered(data.draw(_unanswered, "unanswered"))
        case BookCallback(number=number):
            assert callback_number(walk.site, number) == number
            return walk.booked(data.draw(st.booleans(), "new"))
        case End():
            return None


@pytest.mark.req("IVR-2", "IVR-1", "ACD-4")
@given(walks(), st.data())
def test_every_walk_ends_and_nobody_is_recorded_without_notice(
    new: Callable[[], Walk], data: st.DataObject
) -> None:
    walk = new()
    move: Move | None = walk.begin()
    said: list[str] = []
    # Each question and each sending-on is followed by at most every step and the words around them.
    most = (KEYS_MAX + MOVED_MAX + 2) * (len(walk.site.steps) + 5)
    for _ in range(most):
        if isinstance(move, Play):
            assert move.prompts
            assert len(move.steps) == len(move.prompts)
            said += move.steps
        if isinstance(move, BookCallback):
            assert "recording_notice" in said
        if isinstance(move, ToQueue | ToForward):
            assert "recording_notice" in said
            assert walk.step.endswith(move.queue if isinstance(move, ToQueue) else move.forward)
        move = go_on(walk, data, stays=True)
        if move is None:
            break
    assert isinstance(walk.move, ToQueue | ToForward | End)
    assert said  # never hung up without a word
    assert said.count("recording_notice") <= 1


@pytest.mark.req("IVR-1")
@given(walks(), st.integers(0, 2))
def test_a_stubborn_caller_comes_to_an_end_too(new: Callable[[], Walk], way: int) -> None:
    """Always the same key, always wrong ones, never one; and nobody ever answers."""
    walk = new()
    move = walk.begin()
    most = (KEYS_MAX + MOVED_MAX + 2) * (len(walk.site.steps) + 5)
    for _ in range(most):
        if isinstance(move, End):
            break
        match move:
            case Play():
                move = walk.heard()
            case Ask():
                move = walk.timed_out() if way == 0 else walk.digit("A" if way == 1 else "1")
            case ToQueue():
                after = walk.digit("1") if way == 2 else move
                after = walk.overflow("longest_wait") if after is move else after
                if after is move:
                    return  # waits for an operator
                move = after
            case BookCallback():
                move = walk.booked(new=False)
            case ToForward():
                move = walk.unanswered("no_answer")
    assert isinstance(move, End)


@pytest.mark.req("IVR-2")
@given(walks(), st.data())
def test_a_restart_at_any_moment_goes_on_the_same(new: Callable[[], Walk], data: st.DataObject) -> None:
    """After each thing that left a fact the engine may die: a new walk, told the facts, does the same."""
    walk = new()
    journal: list[Fact] = []
    move: Move | None = walk.begin()
    for _ in range(60):
        facts = walk.facts()
        journal += facts
        if isinstance(walk.move, ToQueue | ToForward):
            same(new, walk, journal, place=walk.step)
        elif facts:
            same(new, walk, journal)
        move = go_on(walk, data, stays=True)
        if move is None:
            break


def same(new: Callable[[], Walk], walk: Walk, journal: list[Fact], place: str | None = None) -> None:
    again = new()
    move = again.replay(journal, place)
    assert move == walk.move
    assert (again.path, again.language, again.told_recording) == (
        walk.path,
        walk.language,
        walk.told_recording,
    )
    assert again.step == walk.step
    assert again.facts() == []
