"""Callbacks when something goes wrong: nobody is left on a silent line, none is forgotten, none too many."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cdr import tail
from dialplans import Site
from engine import callbacks, live
from engine.control import Control
from engine.versions import Plan
from ivr import BookCallback, Play, ToQueue, Walk
from switch import ChannelGone, SwitchError, SwitchGone
from tests.support.planned import GUARDED
from tests.support.site import write_site

from .callback_town import CALLBACK, DESK, HOME, Phone, Town, again, site, until
from .conftest import close, make

OTHER = "0355550000"
DROP = f'{{"id": 1, "do": "callback.drop", "callback": "{CALLBACK}", "by": "sv01"}}'


@pytest.fixture
async def town(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Town]:
    for module in ("engine.reaching", "engine.arrival"):
        monkeypatch.setattr(f"{module}.STRANDED_S", 0.01)
    write_site(tmp_path / "site.yaml", site())
    made = Town(await make(tmp_path))
    made.connect()
    yield made
    close(made.centre)


async def free_again(town: Town, *phones: Phone) -> None:
    """The operator may take the next call; nothing is left of the try."""
    await until(lambda: town.centre.live.operator_state(DESK)["state"] == "ready")
    await until(lambda: all(phone.hangup_info is not None for phone in phones))
    assert (town.session.calls, town.centre.memory.on_trunk("narrow")) == ({}, 0)


def _hangs_up(_: Phone, citizen: Phone) -> None:
    citizen.end()
    assert citizen.hangup_info is not None
    raise ChannelGone(citizen.id, citizen.hangup_info)


def _full(*_: Phone) -> None:
    raise SwitchError("500")


def _lost(*_: Phone) -> None:
    raise SwitchGone("POST addChannel: the connection was lost")


@pytest.mark.req("ACD-7")
@pytest.mark.parametrize("fault", [_hangs_up, _full, _lost])
async def test_answered_but_never_joined_is_tried_again(
    town: Town, fault: Callable[[Phone, Phone], None]
) -> None:
    town.book()
    town.ready()
    operator, citizen = await town.taken()
    town.exchange.joins = lambda: fault(operator, citizen)
    citizen.answer()
    await until(lambda: citizen.id not in town.centre.memory.calls)
    own = [kind for kind, call, _ in town.noted if call == citizen.id]
    assert own.index("callback_failed") < own.index("ended")
    assert "answered" not in own
    assert (town.callbacks[0]["state"], town.callbacks[0]["tries"]) == ("later", 1)
    await free_again(town, operator, citizen)
    assert (await Control(town.centre).answer(DROP))["ok"]


@pytest.mark.req("ACD-7")
async def test_the_operator_is_gone_as_the_citizen_answers(town: Town) -> None:
    """The citizen waits for another; whoever gives that up is called again."""
    town.book()
    town.ready()
    operator, citizen = await town.taken()

    def gone() -> None:
        operator.end()
        assert operator.hangup_info is not None
        raise ChannelGone(operator.id, operator.hangup_info)

    town.exchange.joins = gone
    citizen.answer()
    await until(lambda: "queued" in [kind for kind, call, _ in town.noted if call == citizen.id])
    assert town.callbacks[0]["state"] == "calling"
    town.exchange.joins = None
    citizen.end()
    await until(lambda: citizen.id not in town.centre.memory.calls)
    assert (town.callbacks[0]["state"], town.callbacks[0]["tries"]) == ("later", 1)


@pytest.mark.req("ACD-7")
@pytest.mark.parametrize("how", ["dropped", "called_in"])
async def test_over_while_the_operator_is_told(town: Town, how: str) -> None:
    """Dropped, or called in by themselves: the operator hears to the end and is free."""
    town.book()
    town.ready()
    operator, citizen = await town.taken()
    operator.listens = True
    await until(lambda: citizen.id in town.session.calls)
    citizen.end(17, 486)
    await until(lambda: any(one.startswith("play") for one in operator.asked))
    if how == "dropped":
        assert (await Control(town.centre).answer(DROP))["ok"]
    else:
        call = town.arrive("minato-1.7", HOME)
        call.queue = "main"
        town.centre.note("answered", call.id, operator="1002", phone="desk", leg="leg-x", bridge="b")
        town.session.finish(call)
    assert town.data("callback_ended")["reason"] == how
    operator.end()
    await free_again(town, operator, citizen)


@pytest.mark.req("ACD-7")
async def test_called_in_while_being_called_is_not_called_again(town: Town) -> None:
    town.book()
    town.ready()
    operator, citizen = await town.taken()
    call = town.arrive("minato-1.7", HOME)
    call.queue = "main"
    town.centre.note("answered", call.id, operator="1002", phone="desk", leg="leg-x", bridge="b")
    assert (await Control(town.centre).answer(DROP))["error"]["code"] == "callback_under_way"
    citizen.end(17, 486)
    await until(lambda: "callback_ended" in town.kinds())
    assert town.data("callback_ended")["reason"] == "called_in"
    town.session.finish(call)
    await free_again(town, operator, citizen)


@pytest.mark.req("ACD-7", "REL-1")
@pytest.mark.parametrize("problem", [SwitchError("500"), SwitchGone("lost")])
async def test_no_bridge_for_what_a_new_engine_finds(
    town: Town, tmp_path: Path, problem: SwitchError
) -> None:
    town.book()
    town.ready()
    operator, citizen = await town.taken()
    assert await town.centre.journal.synced()
    close(town.centre)
    new = Town(await make(tmp_path))
    new.exchange.roomless = problem
    new.centre.on_phone(DESK, True)
    new.connect(operator, citizen)
    await until(lambda: "ended" in new.kinds())
    assert new.data("callback_failed")["reason"] == "failed"
    assert new.callbacks[0]["state"] == "later"
    await free_again(new, operator, citizen)
    close(new.centre)


@pytest.mark.req("ACD-7", "REL-1")
async def test_killed_between_the_last_try_and_its_end(town: Town, tmp_path: Path) -> None:
    """Not one try more."""
    town.book()
    town.ready()
    operator, citizen = await town.taken()
    failed: dict[str, Any] = {"callback": CALLBACK, "reason": "busy", "try": 3, "next_at": None}
    town.centre.note("callback_failed", citizen.id, **failed)
    new = await again(town, tmp_path, operator, citizen)
    assert new.data("callback_ended")["reason"] == "given_up"
    assert (new.callbacks, new.session.callbacks.kept) == ([], {})
    await free_again(new, operator, citizen)
    close(new.centre)


@pytest.mark.req("ACD-7", "REL-1")
async def test_dialled_is_on_the_disk_before_anybody_is_rung(town: Town) -> None:
    """A kill right after the INVITE must not lead to a second one."""
    found: list[bool] = []

    def look() -> None:
        written = tail(town.centre.settings.journal_folder, 50)
        found.append("dialled" in [event.kind for event in written])

    town.exchange.looks = look
    town.book()
    town.ready()
    await town.taken()
    assert found == [True]


@pytest.mark.req("ACD-7")
async def test_its_queue_leaves_the_plan(town: Town) -> None:
    """It waits on in the first queue, and again when the citizen has called meanwhile."""
    town.book()
    waiting = town.session.floor.distributor.waiting
    await until(lambda: [one.call for one in waiting()] == [CALLBACK])
    old = town.centre.site
    queues = [one for one in old.queues if one.id != "main"]
    operators = [one.model_copy(update={"queues": [queues[0].id]}) for one in old.operators]
    town.centre.versions.live = Plan(None, old.model_copy(update={"queues": queues, "operators": operators}))
    town.session.floor.site_changed(town.centre.site)
    call = town.arrive("minato-1.7", HOME)
    await until(lambda: waiting() == [])
    town.session.finish(call)
    await until(lambda: [(one.call, one.queue) for one in waiting()] == [(CALLBACK, queues[0].id)])


@pytest.mark.req("ACD-7")
async def test_a_fault_in_line_is_no_end(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(callbacks, "AGAIN_S", 0.01)
    floor, faults = town.session.floor, [RuntimeError("once")]
    waits = floor.waits

    def once(*args: Any, **how: Any) -> None:
        if faults:
            raise faults.pop()
        waits(*args, **how)

    monkeypatch.setattr(floor, "waits", once)
    town.book()
    await until(lambda: [one.call for one in floor.distributor.waiting()] == [CALLBACK])
    assert not faults


@pytest.mark.req("ACD-7")
async def test_a_call_wakes_those_alone_whom_it_concerns(town: Town) -> None:
    for n in range(3):
        town.book(f"minato-2.{n}", f"090111100{n:02}")
    kept = town.session.callbacks.kept

    def woken() -> list[str]:
        found = [id for id, one in kept.items() if one.changed.is_set()]
        for one in kept.values():
            one.changed.clear()
        return found

    woken()
    stranger = town.arrive("minato-3.1", OTHER)
    assert woken() == []
    town.session.finish(stranger)
    assert woken() == []
    citizen = town.arrive("minato-3.2", "+819011110001")
    assert woken() == ["minato-2.1-cb"]
    line = town.centre.memory.callbacks
    on_the_line = [one.id for one in line.open.values() if line.on_the_line(one)]
    assert on_the_line == ["minato-2.1-cb"]
    town.session.finish(citizen)
    assert woken() == ["minato-2.1-cb"]
    assert not any(line.on_the_line(one) for one in line.open.values())


@pytest.mark.req("ACD-7", "MON-1")
async def test_many_are_told_seldom(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """The list is whole each time; other changes do not wait for it."""
    monkeypatch.setattr(live, "CALLBACK_S", 3600.0)
    told: list[dict[str, Any]] = []
    town.centre.live.listeners.add(told.append)
    town.book()
    await until(lambda: any("callbacks" in one for one in told))
    told.clear()
    town.centre.live.callbacks()
    call = town.arrive("minato-1.7", OTHER)
    town.centre.live.call(call.id)
    await until(lambda: bool(told))
    assert [one["id"] for one in told[0]["calls"]] == [call.id]
    assert "callbacks" not in told[0]
    monkeypatch.setattr(live, "CALLBACK_S", 0.0)


@pytest.mark.req("ACD-7", "SEC-4")
async def test_so_many_of_one_caller_and_of_one_queue(
    town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever books for others' numbers burns operators and a trunk. Known to a new engine too."""
    caller = "0399990000"
    assert town.book("minato-2.1", caller, "09011110001")
    assert town.book("minato-2.2", "+81399990000", "09011110002")
    assert town.book("minato-2.3", caller, "09011110003") is None
    refused = town.data("callback_refused")
    assert (refused["number"], refused["queue"], refused["reason"]) == ("09011110003", "main", "caller")
    monkeypatch.setattr(callbacks, "BY_WITHHELD", 1)
    assert town.book("minato-2.4", None, "09011110004")
    assert town.book("minato-2.5", None, "09011110005") is None
    new = await again(town, tmp_path)
    assert new.book("minato-2.6", caller, "09011110006") is None
    new.session.callbacks.end(new.session.callbacks.kept["minato-2.1-cb"], "dropped", "sv01")
    assert new.book("minato-2.7", caller, "09011110007")
    monkeypatch.setattr(callbacks, "IN_QUEUE", 3)
    assert new.book("minato-2.8", OTHER) is None
    assert new.data("callback_refused")["reason"] == "queue"
    close(new.centre)


def _asked(site: Site) -> Walk:
    """A walk that has confirmed the number of a callback."""
    walk = Walk(site, GUARDED, datetime(2026, 11, 23, 3, 0, tzinfo=UTC), caller=HOME)
    walk.resume("queue:main", told_recording=True)
    move = walk.digit("1")
    while not isinstance(move, BookCallback):
        assert isinstance(move, Play)
        walk.heard()
        move = walk.digit("1")
    return walk


@pytest.mark.req("ACD-7")
async def test_refused_in_kind_words_and_on_where_it_was(town: Town) -> None:
    walk = _asked(town.centre.site)
    move = walk.booked(None)
    assert isinstance(move, Play)
    assert [one.key for one in move.prompts] == [walk.site.wording.said("callback_not_possible", "ja").key]
    move = walk.heard()
    assert isinstance(move, ToQueue)
    assert (move.queue, move.back) == ("main", True)
