"""Callbacks in the engine, on lines that do what a test tells them: booked, due, called, tried again, found
again after a restart."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from acd import OperatorState
from engine.call import Call, HangUp, Hold, Phase
from engine.centre import Centre
from engine.control import Control
from engine.session import Session
from switch import ChannelGone, Hangup, HangupReason, Refused, Snapshot, SwitchError
from tests.support.planned import GUARDED, plan
from tests.support.site import write_site

from .conftest import Line, close, make

HOME, OTHER = "0311110001", "09011110002"
BOOKING = "minato-1.1"
CALLBACK = f"{BOOKING}-cb"
DESK = "1001"


class Phone(Line):
    """A telephone's line: rings until it is answered or ended by the test (or hung up by the engine)."""

    up = False

    def __init__(self, identity: str, *args: str, up: bool = False, caller: str | None = None) -> None:
        super().__init__(identity, *args)
        self.up, self.caller = up, caller  # type: ignore[assignment]
        self.hangup_info: Hangup | None = None  # type: ignore[assignment]
        self._listeners: list[Callable[[Hangup], None]] = []
        self._changed = asyncio.Event()

    def answer(self) -> None:
        self.up = True
        self._changed.set()

    def end(self, cause: int = 16, status: int | None = None) -> None:
        if self.hangup_info is None:
            self.hangup_info = Hangup(HangupReason.HANGUP, cause, tech_cause=status)
            self._changed.set()
            for listener in self._listeners:
                listener(self.hangup_info)

    def on_gone(self, callback: Callable[[Hangup], None]) -> None:
        self._listeners.append(callback)
        if self.hangup_info is not None:
            callback(self.hangup_info)

    async def _next(self) -> None:
        self._changed.clear()
        await self._changed.wait()

    async def wait_up(self) -> None:
        while not self.up and self.hangup_info is None:
            await self._next()
        if self.hangup_info is not None:
            raise ChannelGone(self.id, self.hangup_info)

    async def wait_gone(self) -> Hangup:
        while self.hangup_info is None:
            await self._next()
        return self.hangup_info

    async def hangup(self, cause: str = "normal") -> None:
        self.asked.append("hangup")
        self.end()

    async def play(self, *media: str, until_digit: bool = False) -> str | None:
        self.asked.append(" ".join(("play", *media)))
        return None


class Exchange:
    """A switch whose legs are Phones. `refuses`: what happens to the next leg, or to its recording."""

    def __init__(self) -> None:
        self.legs: list[tuple[str, Phone]] = []
        self.recorded: list[str] = []
        self.refuses: Exception | None = None
        self.cannot_record = False

    async def leg(self, endpoint: str, *, channel_id: str, **how: Any) -> Phone:
        if "@" in endpoint and self.refuses is not None:
            raise self.refuses
        phone = Phone(channel_id, "leg")
        phone.asked.append(f"shows {how['caller_id']} {how['caller_name']}".strip())
        self.legs.append((endpoint, phone))
        return phone

    async def bridge(self) -> Line:
        return Line(f"b-{len(self.legs)}")

    async def record(self, channel: Phone, heard: Path, said: Path) -> None:
        if self.cannot_record:
            raise SwitchError("AMI is away")
        self.recorded += [channel.id, heard.name, said.name]


class Town:
    """A centre with a callback in its queue `main`, operator 1001 and an exchange."""

    def __init__(self, centre: Centre) -> None:
        self.centre = centre
        self.exchange = Exchange()
        self.noted: list[tuple[str, str | None, dict[str, Any]]] = []
        note = centre.note

        def told(kind: str, call: str | None = None, **data: Any) -> Any:
            self.noted.append((kind, call, {name: one for name, one in data.items() if name != "at"}))
            return note(kind, call, **data)

        centre.note = told  # type: ignore[method-assign]
        centre.switch = self.exchange  # type: ignore[assignment]

    @property
    def session(self) -> Session:
        assert self.centre.session is not None
        return self.centre.session

    def connect(self, *channels: Phone) -> None:
        held: Any = channels
        self.centre.on_connected(Snapshot(datetime.now(UTC) - timedelta(days=1), held, ()))

    def ready(self, state: OperatorState = OperatorState.READY) -> None:
        self.centre.on_phone(DESK, True)
        self.centre.wants(DESK, state, "", "test")

    def kinds(self) -> list[str]:
        return [kind for kind, _, _ in self.noted]

    def data(self, kind: str) -> dict[str, Any]:
        return [data for one, _, data in self.noted if one == kind][-1]

    @property
    def callbacks(self) -> list[dict[str, Any]]:
        return list(self.centre.live.state()["callbacks"])

    def arrive(self, identity: str, caller: str | None = HOME) -> Call:
        """A citizen's call, somewhere in the plan: nobody leads it."""
        session = self.session
        call = session._call(Phone(identity, "arrival", GUARDED, up=True, caller=caller))  # type: ignore[arg-type]
        session.calls[call.id] = call
        return call

    def book(self, identity: str = BOOKING, caller: str | None = HOME, number: str | None = None) -> bool:
        """A call that waits in main, books and is over."""
        call = self.arrive(identity, caller)
        event = self.centre.note("queued", call.id, queue="main", priority=0, again=False, language="ja")
        call.queue, call.queued, call.queued_mono = "main", event.at, event.mono
        new = self.session.callbacks.book(call, "call-back", number or caller or "")
        call.ended_by, call.end_reason = "centre", "callback"
        self.session.finish(call)
        return new

    async def operator(self) -> Phone:
        """The operator's phone, once it rings."""
        return await self.leg(lambda endpoint: "@" not in endpoint)

    async def citizen(self) -> Phone:
        """The citizen's telephone, once it rings."""
        return await self.leg(lambda endpoint: "@" in endpoint)

    async def leg(self, true: Callable[[str], bool]) -> Phone:
        found: list[Phone] = []

        def there() -> bool:
            found[:] = [
                phone for endpoint, phone in self.exchange.legs if true(endpoint) and not phone.hangup_info
            ]
            return bool(found) and any(asked.startswith("dial") for asked in found[-1].asked)

        await until(there)
        return found[-1]

    async def taken(self) -> tuple[Phone, Phone]:
        """The operator has answered, the citizen's telephone rings."""
        operator = await self.operator()
        operator.answer()
        return operator, await self.citizen()

    def to_the_end_of(self, **terms: Any) -> None:
        for memory in self.centre.memory.callbacks.open.values():
            for name, value in terms.items():
                setattr(memory, name, value)


async def until(true: Callable[[], bool], within_s: float = 10.0) -> None:
    async with asyncio.timeout(within_s):
        while not true():
            await asyncio.sleep(0.002)


def site(**terms: Any) -> dict[str, Any]:
    made = plan(5099)
    made["queues"][0] |= {"callback": "call-back", "wrap_up_s": 0}
    step = {"id": "call-back", "kind": "callback", "say": {"ja": "1を", "en": "one"}, "queue": "main"}
    made["steps"].append(step | {"trunk": "narrow", "declined": "queue:main"} | terms)
    return made


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
    [("full", "trunk_full", 0), ("line", "failed", 1), ("record", "failed", 1), ("rule", "refused", 1)],
)
async def test_what_is_never_dialled(town: Town, what: str, reason: str, tried: int) -> None:
    """A full trunk, no line, no recording, a number that may not be called: asked again at each try."""
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
            town.exchange.cannot_record = True
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
    if what == "rule":
        assert town.data("callback_ended")["reason"] == "given_up"
    assert "ended" in town.kinds()


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


async def again(town: Town, tmp_path: Path, *channels: Phone) -> Town:
    """The engine was killed: a new one, on what stands in the journal and these channels."""
    assert await town.centre.journal.synced()
    close(town.centre)
    new = Town(await make(tmp_path))
    new.centre.on_phone(DESK, True)
    new.connect(*channels)
    return new


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
