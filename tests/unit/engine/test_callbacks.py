"""Callbacks in the engine, on lines that do what a test tells them: booked, due, called, tried again, found
again after a restart."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from engine.call import HangUp, Hold, Phase
from engine.control import Control
from switch import Refused, SwitchGone
from tests.support.planned import GUARDED
from tests.support.site import write_site

from .callback_town import BOOKING, CALLBACK, DESK, HOME, OTHER, Phone, Town, again, site, until
from .conftest import close, make


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    write_site(tmp_path / "site.yaml", site())
    made = Town(await make(tmp_path))
    made.connect()
    yield made
    close(made.centre)


@pytest.mark.req("ACD-7", "NUM-5", "REC-1")
async def test_the_operator_first_then_the_citizen_joined_and_over(town: Town) -> None:
    assert town.book()
    booked = town.data("callback_booked")
    assert (booked["number"], booked["shown"], booked["called"], booked["trunk"]) == (
        HOME, GUARDED, GUARDED, "narrow"
    )  # fmt: skip
    assert town.callbacks[0]["state"] == "waiting"  # nobody is signed on: it waits
    town.ready()
    operator = await town.operator()
    assert operator.asked[0] == f"shows {HOME} 折り返し"
    assert (town.callbacks[0]["state"], town.callbacks[0]["operator"]) == ("ringing", DESK)
    assert town.noted[-1][:2] == ("offered", BOOKING)
    operator.answer()
    citizen = await town.citizen()
    assert town.exchange.legs[-1][0] == f"0{HOME}@trunk-narrow"
    assert citizen.asked[0] == f"shows {GUARDED}"
    assert town.exchange.recorded == [citizen.id, f"{citizen.id}-in.wav", f"{citizen.id}-out.wav"]
    [(_, call, dialled)] = [one for one in town.noted if one[0] == "dialled"]
    assert (call, dialled["leg"], dialled["of"], dialled["to"]) == (citizen.id, citizen.id, BOOKING, HOME)
    assert (dialled["operator"], dialled["operator_leg"]) == (DESK, operator.id)
    assert town.centre.memory.on_trunk("narrow") == 1
    await until(lambda: "ring True" in operator.asked)
    [shown] = town.centre.live.state()["calls"]
    assert (shown["phase"], shown["via"], shown["caller"], shown["operator"]) == (
        "calling", "callback", HOME, DESK
    )  # fmt: skip
    citizen.answer()
    await until(lambda: "answered" in town.kinds())
    assert "ring False" in operator.asked
    assert town.callbacks[0]["state"] == "talking"
    citizen.end()
    await until(lambda: "callback_ended" in town.kinds())
    assert town.data("callback_ended")["reason"] == "done"
    assert [kind for kind, one, _ in town.noted if one == citizen.id] == [
        "dialled", "answered", "left", "wrap_up", "ended"
    ]  # fmt: skip
    assert (town.callbacks, town.centre.memory.on_trunk("narrow")) == ([], 0)


@pytest.mark.req("ACD-7")
async def test_one_callback_a_number_and_one_a_call(town: Town) -> None:
    assert town.book()
    assert not town.book("minato-1.2", HOME)
    assert not town.book("minato-1.3", None, number=HOME)
    assert town.book("minato-1.4", None, number=OTHER)
    again = town.arrive(BOOKING)  # the same call after a restart
    assert town.session.callbacks.book(again, "call-back", HOME)
    assert town.kinds().count("callback_booked") == 2


@pytest.mark.req("ACD-7", "ACD-3")
async def test_the_place_is_that_of_the_first_waiting(town: Town) -> None:
    early = town.arrive("minato-1.0", OTHER)
    town.session.floor.waits(early.id, "main", since=town.centre.clock.mono())
    town.book()
    late = town.arrive("minato-1.9", "0355550000")
    town.session.floor.waits(late.id, "main", since=town.centre.clock.mono())
    await until(lambda: len(town.session.floor.distributor.waiting()) == 3)
    order = [one.call for one in sorted(town.session.floor.distributor.waiting(), key=lambda w: w.position)]
    assert order == [early.id, CALLBACK, late.id]
    assert town.session.floor.waiting_in("main") == 2  # who is on the line fills the queue


@pytest.mark.req("ACD-7")
@pytest.mark.parametrize(
    ("cause", "status", "reason"),
    [(17, 486, "busy"), (21, 603, "refused"), (19, 480, "no_answer"), (38, 503, "failed")],
)
async def test_not_reached_the_operator_is_told_and_it_is_tried_again(
    town: Town, cause: int, status: int, reason: str
) -> None:
    town.book()
    town.ready()
    operator, citizen = await town.taken()
    citizen.end(cause, status)
    await until(lambda: operator.hangup_info is not None)
    failed = town.data("callback_failed")
    assert (failed["reason"], failed["try"]) == (reason, 1)
    assert any(one.startswith("play") for one in operator.asked)
    assert [one for one in town.kinds() if one in ("left", "wrap_up", "ended")][-3:] == [
        "left", "wrap_up", "ended"
    ]  # fmt: skip
    await until(lambda: town.centre.live.operator_state(DESK)["state"] == "ready")
    [later] = town.callbacks
    assert (later["state"], later["tries"], later["next_at"]) == ("later", 1, failed["next_at"])


@pytest.mark.req("ACD-7")
async def test_tried_as_often_as_the_plan_says(tmp_path: Path) -> None:
    write_site(tmp_path / "site.yaml", site(tries=2))
    town = Town(await make(tmp_path))
    town.connect()
    town.book()
    town.to_the_end_of(retry_s=0.01)
    town.ready()
    for _ in range(2):
        _, citizen = await town.taken()
        citizen.end(17)
        await until(lambda citizen=citizen: citizen.id not in town.centre.memory.calls)  # type: ignore[misc]
    assert town.data("callback_failed")["next_at"] is None
    assert town.data("callback_ended")["reason"] == "given_up"
    assert town.callbacks == []
    close(town.centre)


@pytest.mark.req("ACD-7")
async def test_nobody_answers_in_its_time(town: Town) -> None:
    town.book()
    town.to_the_end_of(ring_s=0.05)
    town.ready()
    operator, citizen = await town.taken()
    await until(lambda: operator.hangup_info is not None)
    assert town.data("callback_failed")["reason"] == "no_answer"
    await until(lambda: citizen.hangup_info is not None)


@pytest.mark.req("ACD-7", "SEC-4", "REC-1")
@pytest.mark.parametrize(
    ("what", "reason", "tried"),
    [
        ("full", "trunk_full", 0),
        ("line", "failed", 1),
        ("lost", "failed", 1),
        ("record", "failed", 1),
        ("rule", "refused", 1),
    ],
)
async def test_what_is_never_dialled(
    town: Town, monkeypatch: pytest.MonkeyPatch, what: str, reason: str, tried: int
) -> None:
    """A full trunk, no line, no recording, a number that may not be called: asked again at each try. Nobody
    is left on a line: not when AMI alone is away, nor when a single request is lost."""
    monkeypatch.setattr("engine.reaching.STRANDED_S", 0.01)
    town.book()
    match what:
        case "full":  # a forward holds the trunk's one channel
            call = town.arrive("minato-1.5", OTHER)
            town.centre.note(
                "forwarded", call.id, forward="guard", number="0246229999", trunk="narrow", leg="out"
            )
        case "line":
            town.exchange.refuses = Refused("no contact")
        case "record":
            town.exchange.unrecorded = SwitchGone("AMI MixMonitor: not connected")
        case "lost":
            town.exchange.refuses = SwitchGone("POST channels: the connection was lost")
        case "rule":
            town.to_the_end_of(number="0990123456")
    town.ready()
    operator = await town.operator()
    operator.answer()
    await until(lambda: operator.hangup_info is not None)
    failed = town.data("callback_failed")
    assert (failed["reason"], failed["try"]) == (reason, tried)
    dialled = [phone for endpoint, phone in town.exchange.legs if "@" in endpoint]
    assert not any(one.startswith("dial") for phone in dialled for one in phone.asked)
    await until(lambda: "ended" in town.kinds())
    await until(lambda: town.centre.live.operator_state(DESK)["state"] == "ready")
    assert town.centre.memory.on_trunk("narrow") == (1 if what == "full" else 0)
    assert all(phone.hangup_info is not None for _, phone in town.exchange.legs)
    if what == "rule":
        assert town.data("callback_ended")["reason"] == "given_up"
    else:
        assert town.callbacks[0]["state"] == "later"


@pytest.mark.req("ACD-7")
@pytest.mark.parametrize("by", ["telephone", "console"])
async def test_the_operator_hangs_up_while_it_rings(town: Town, by: str) -> None:
    """No try: the citizen's telephone is not to blame."""
    town.book()
    town.ready()
    operator, citizen = await town.taken()
    await until(lambda: citizen.id in town.session.calls)
    if by == "telephone":
        operator.end()
    else:
        answer = await Control(town.centre).answer(
            f'{{"id": 1, "do": "call.hangup", "call": "{citizen.id}", "operator": "{DESK}"}}'
        )
        assert answer["ok"], answer
    await until(lambda: citizen.hangup_info is not None)
    failed = town.data("callback_failed")
    assert (failed["reason"], failed["try"]) == ("operator_gone", 0)
    assert town.data("ended")["by"] == "operator"
    assert town.callbacks[0]["state"] == "later"


@pytest.mark.req("ACD-7")
async def test_who_calls_by_themselves_is_not_called_meanwhile(town: Town) -> None:
    """Out of line while on the line; back with the same place; over once they are answered in that queue."""
    town.book()
    floor = town.session.floor
    await until(lambda: [one.call for one in floor.distributor.waiting()] == [CALLBACK])
    since = floor.distributor.waiting()[0].since
    call = town.arrive("minato-1.7", "+81311110001")
    await until(lambda: floor.distributor.waiting() == [])
    call.ended_by = "caller"
    town.session.finish(call)
    await until(lambda: [one.call for one in floor.distributor.waiting()] == [CALLBACK])
    assert floor.distributor.waiting()[0].since == since
    for queue, ended in (("limited", False), ("main", True)):
        call = town.arrive(f"minato-2.{queue}", HOME)
        call.queue = queue
        town.centre.note("answered", call.id, operator=DESK, phone="desk", leg="leg-x", bridge="b")
        assert ("callback_ended" in town.kinds()) is ended
    assert town.data("callback_ended")["reason"] == "called_in"
    assert town.callbacks == []


@pytest.mark.req("ACD-7")
async def test_dropped_by_a_supervisor(town: Town) -> None:
    town.book()
    town.ready()
    operator = await town.operator()
    control = Control(town.centre)
    drop = f'{{"id": 1, "do": "callback.drop", "callback": "{CALLBACK}", "by": "sv01", "reason": "来庁"}}'
    assert (await control.answer(drop))["ok"]
    await until(lambda: operator.hangup_info is not None)
    ended = town.data("callback_ended")
    assert (ended["reason"], ended["by"], ended["why"]) == ("dropped", "sv01", "来庁")
    assert (await control.answer(drop))["error"]["code"] == "unknown_callback"
    town.book("minato-1.8", OTHER)
    operator, _ = await town.taken()
    answer = await control.answer(drop.replace(CALLBACK, "minato-1.8-cb"))
    assert answer["error"]["code"] == "callback_under_way"


@pytest.mark.req("ACD-7")
async def test_kept_for_so_long_and_no_longer(town: Town) -> None:
    town.book()
    town.to_the_end_of(keep_h=0.05 / 3600)
    town.session.callbacks.kept[CALLBACK].changed.set()
    await until(lambda: "callback_ended" in town.kinds())
    assert town.data("callback_ended")["reason"] == "expired"
    assert town.session.floor.distributor.waiting() == []


@pytest.mark.req("ACD-7", "REL-1")
async def test_killed_while_it_waits_and_while_it_is_to_be_tried_again(town: Town, tmp_path: Path) -> None:
    town.book()
    before = town.callbacks
    new = await again(town, tmp_path)
    assert new.callbacks == before
    new.ready()
    _, citizen = await new.taken()
    citizen.end(17)
    await until(lambda: citizen.id not in new.centre.memory.calls)
    later = new.callbacks
    newest = await again(new, tmp_path)
    assert newest.callbacks == later
    assert later[0]["state"] == "later"
    close(newest.centre)


@pytest.mark.req("ACD-7", "REL-1")
@pytest.mark.parametrize("answered", [False, True])
async def test_killed_while_the_operators_phone_rings(town: Town, tmp_path: Path, answered: bool) -> None:
    """Withdrawn and offered again; or, answered unseen, taken up."""
    town.book()
    town.ready()
    operator = await town.operator()
    if answered:
        operator = Phone(operator.id, "leg", up=True)
    new = await again(town, tmp_path, operator)
    if answered:
        assert (await new.citizen()).id == new.data("dialled")["leg"]
        assert new.data("dialled")["operator_leg"] == operator.id
    else:
        assert new.data("offer_ended")["reason"] == "withdrawn"
        assert (await new.operator()) is not operator
        await until(lambda: operator.hangup_info is not None)
    close(new.centre)


@pytest.mark.req("ACD-7", "REL-1")
async def test_killed_while_the_citizens_telephone_rings(town: Town, tmp_path: Path) -> None:
    """It rings on, whoever answers is joined; nobody is called twice."""
    town.book()
    town.ready()
    operator, citizen = await town.taken()
    new = await again(town, tmp_path, operator, citizen)
    assert new.callbacks[0]["state"] == "calling"
    citizen.answer()
    await until(lambda: "answered" in new.kinds())
    assert (new.kinds().count("dialled"), new.exchange.legs) == (0, [])
    newest = await again(new, tmp_path, operator, citizen)  # … and in the talk, whose room is gone
    citizen.end()
    await until(lambda: "callback_ended" in newest.kinds())
    assert newest.data("callback_ended")["reason"] == "done"
    close(newest.centre)


@pytest.mark.req("ACD-7", "REL-1")
@pytest.mark.parametrize(
    ("there", "reason"),
    [("citizen", "operator_gone"), ("operator", "failed"), ("nobody", "failed")],
)
async def test_killed_and_somebody_gone_meanwhile(
    town: Town, tmp_path: Path, there: str, reason: str
) -> None:
    """What is left is let go first; soon it is tried again, and it was no try of the citizen's."""
    town.book()
    town.ready()
    operator, citizen = await town.taken()
    left = {"citizen": [citizen], "operator": [operator], "nobody": []}[there]
    new = await again(town, tmp_path, *left)
    failed = new.data("callback_failed")
    assert (failed["reason"], failed["try"]) == (reason, 0)
    assert [one for one in new.kinds() if one in ("left", "wrap_up", "ended")] == ["left", "wrap_up", "ended"]
    await until(lambda: all(phone.hangup_info is not None for phone in left))
    assert new.callbacks[0]["state"] == "later"
    close(new.centre)


@pytest.mark.req("ACD-7", "REL-1")
async def test_the_talk_ended_while_nobody_looked(town: Town, tmp_path: Path) -> None:
    town.book()
    town.ready()
    _, citizen = await town.taken()
    citizen.answer()
    await until(lambda: "answered" in town.kinds())
    new = await again(town, tmp_path)
    assert new.data("callback_ended")["reason"] == "done"
    assert (new.callbacks, new.centre.memory.calls) == ([], {})
    close(new.centre)


async def test_words_meant_for_a_talk_are_nothing_while_it_rings(town: Town) -> None:
    town.book()
    town.ready()
    _, citizen = await town.taken()
    await until(lambda: citizen.id in town.session.calls)
    call = town.session.calls[citizen.id]
    assert call.phase is Phase.CALLING
    call.inbox.put_nowait(Hold())
    call.inbox.put_nowait(HangUp())
    await until(lambda: "callback_failed" in town.kinds())
