"""Alarms: what is one, that each is raised once and ends, who saw it, and that its mail is never lost."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import pytest
from sqlalchemy import select

from agent_console.alarms import mail as mailing
from agent_console.alarms import watch as watching
from agent_console.alarms.book import BOOK, AlarmBook, Entry
from agent_console.alarms.mail import Mailer
from agent_console.alarms.rules import (
    Condition,
    Facts,
    KpiFacts,
    QueueFacts,
    TrunkFacts,
    conditions,
)
from agent_console.alarms.shown import entry as shape
from agent_console.alarms.watch import Watch, _free, _latest_capture_s
from agent_console.today import TODAY
from dialplans import Alarms, Site, parse_site
from store import AccessEntry, Alarm, Recording, Store, StoreUnavailable
from tests.support.mailbox import Mailbox, mailbox
from tests.support.site import site as site_dict

from .conftest import Running, Start, live_call, operator


def facts(**changes: Any) -> Facts:
    return Facts(**changes)


def kinds(given: Facts, **wanted: Any) -> list[str]:
    return [one.kind for one in conditions(given, Alarms(**wanted))]


def queue(**changes: Any) -> tuple[QueueFacts, ...]:
    given: dict[str, Any] = {
        "id": "main",
        "waiting": 1,
        "longest_s": 10.0,
        "wanted": True,
        "working": 2,
    } | changes
    return (QueueFacts(**given),)


def kpi(**changes: Any) -> KpiFacts:
    given: dict[str, Any] = {
        "offered": 20,
        "answer_rate": 0.95,
        "mean_answer_s": 5.0,
        "within_rate": 0.9,
        "wanted_rate": 0.9,
        "wanted_mean_s": 9.0,
        "wanted_within": 0.8,
    }
    return KpiFacts(**(given | changes))


@pytest.mark.req("MON-4")
@pytest.mark.parametrize(
    ("given", "wanted", "raised"),
    [
        (facts(queues=queue(longest_s=60.0)), {"wait_s": 60}, []),
        (facts(queues=queue(longest_s=60.5)), {"wait_s": 60}, ["wait"]),
        (facts(queues=queue(longest_s=600.0)), {"wait_s": None}, []),
        (facts(queues=queue(waiting=4)), {"waiting": 5}, []),
        (facts(queues=queue(waiting=5)), {"waiting": 5}, ["waiting"]),
        (facts(queues=queue(working=0)), {}, ["nobody_ready"]),
        (facts(queues=queue(working=0, wanted=False)), {}, []),
        (facts(queues=queue(working=0)), {"nobody_ready": False}, []),
        (facts(queues=queue(working=0, longest_s=999.0), engine=False), {}, ["engine"]),
        (facts(kpi=kpi(answer_rate=0.899)), {}, ["answer_rate"]),
        (facts(kpi=kpi(answer_rate=0.9)), {}, []),
        (facts(kpi=kpi(answer_rate=0.5, offered=19)), {"after_calls": 20}, []),
        (facts(kpi=kpi(answer_rate=0.85)), {"answer_rate": 0.8}, []),
        (facts(kpi=kpi(mean_answer_s=9.1, within_rate=0.79)), {}, ["within_rate", "mean_answer"]),
        (facts(kpi=kpi(answer_rate=None, mean_answer_s=None, within_rate=None)), {}, []),
        (facts(trunks=(TrunkFacts("a", True, False, 2, 2),)), {}, ["trunk_full"]),
        (facts(trunks=(TrunkFacts("a", False, True, 0, 2),)), {}, ["trunk_away"]),
        (facts(trunks=(TrunkFacts("a", True, True, 2, 2),)), {"trunk": False}, []),
        (facts(disks={"archive": 0.099}), {}, ["disk"]),
        (facts(disks={"archive": 0.1}), {}, []),
        (facts(disks={"archive": 0.0}), {"disk_free": None}, []),
        (facts(failed_recordings=1, late_s=700.0), {}, ["recording_failed", "recording_late"]),
        (facts(failed_recordings=1, late_s=700.0), {"recorder": False}, []),
        (facts(emergencies={"c1": "1001"}), {}, ["emergency"]),
        (facts(switch=False), {}, ["switch"]),
        (facts(journal="disk full", store=False, mail="away"), {}, ["journal", "store", "mail"]),
    ],
)
def test_what_is_an_alarm(given: Facts, wanted: dict[str, Any], raised: list[str]) -> None:
    assert kinds(given, **wanted) == raised


@pytest.fixture
async def book(store: Store) -> AlarmBook:
    return AlarmBook(store, lambda one: {"kind": one.kind, "id": one.id, "over_at": one.over_at})


WAIT = Condition("wait", "main", "61", "60", over_s=3.0)


async def rows(store: Store) -> list[Alarm]:
    async with store.reading() as database:
        return list((await database.scalars(select(Alarm).order_by(Alarm.id))).all())


@pytest.mark.req("MON-4")
async def test_an_alarm_is_raised_once_and_ends_when_it_is_over(book: AlarmBook, store: Store) -> None:
    assert [one.kind for one in book.take(0.0, [WAIT])] == ["wait"]
    assert book.take(1.0, [WAIT]) == []
    await book.save()
    assert [(r.kind, r.subject, r.value, r.threshold, r.over_at) for r in await rows(store)] == [
        ("wait", "main", "61", "60", None)
    ]
    book.take(2.0, [])  # gone for a moment
    book.take(4.0, [WAIT])
    book.take(5.0, [])
    assert book.going_on(WAIT.key) is not None
    book.take(8.0, [])
    assert book.going_on(WAIT.key) is None
    await book.save()
    (row,) = await rows(store)
    assert row.over_at is not None
    assert [one.kind for one in book.take(9.0, [WAIT])] == ["wait"]  # again: another one
    await book.save()
    assert len(await rows(store)) == 2


@pytest.mark.req("MON-4")
async def test_a_condition_must_hold_for_its_time_first(book: AlarmBook) -> None:
    slow = Condition("engine", "", "", "", after_s=15.0, over_s=0.0)
    assert book.take(0.0, [slow]) == []
    assert book.take(10.0, []) == []
    assert book.take(11.0, [slow]) == []
    assert book.take(25.0, [slow]) == []
    assert [one.kind for one in book.take(26.0, [slow])] == ["engine"]


@pytest.mark.req("MON-4")
async def test_a_figure_that_swings_around_its_target_is_one_alarm(book: AlarmBook, store: Store) -> None:
    rate = Condition("answer_rate", "", "0.899", "0.900", over_s=0.0, again_s=1800.0)
    assert len(book.take(0.0, [rate])) == 1
    for n in range(1, 20):
        assert book.take(n * 10.0, [] if n % 2 else [rate]) == []
    await book.save()
    assert len(await rows(store)) == 1
    book.take(200.0, [])
    assert len(book.take(3000.0, [rate])) == 1


@pytest.mark.req("MON-4", "SEC-2")
async def test_who_saw_an_alarm_stays(book: AlarmBook, store: Store) -> None:
    book.take(0.0, [WAIT])
    await book.save()
    (row,) = await rows(store)
    taken = await book.acknowledge(row.id, "sv01")
    assert taken is not None
    assert taken.acknowledged_by == "sv01"
    await book.acknowledge(row.id, "sv02")  # too late
    assert (await rows(store))[0].acknowledged_by == "sv01"
    assert await book.acknowledge(999, "sv01") is None
    assert [one["kind"] for one in book.shown()] == ["wait"]  # it still goes on
    book.take(1.0, [])
    book.take(9.0, [])
    await book.save()
    assert book.shown() == []  # over, and seen


@pytest.mark.req("MON-4", "REL-4")
async def test_an_alarm_without_the_database_is_shown_and_written_down_later(
    book: AlarmBook, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Away:
        def session(self) -> Any:
            raise StoreUnavailable("away")

        reading = session

    monkeypatch.setattr(book, "_store", Away())
    book.take(0.0, [WAIT])
    await book.save()
    assert book.store_away
    assert [(one["kind"], one["id"]) for one in book.shown()] == [("wait", None)]
    monkeypatch.setattr(book, "_store", store)
    await book.save()
    assert not book.store_away
    (row,) = await rows(store)
    assert book.shown()[0]["id"] == row.id


@pytest.mark.req("MON-4", "REL-1")
async def test_alarms_of_before_a_restart_go_on_or_are_over(store: Store) -> None:
    first = AlarmBook(store, lambda one: {"kind": one.kind})
    other = Condition("disk", "archive", "0.05", "0.10")
    first.take(0.0, [WAIT, other])
    await first.save()
    second = AlarmBook(store, lambda one: {"kind": one.kind})
    await second.load()
    assert second.take(0.0, [other]) == []  # known already
    await second.save()
    by_kind = {row.kind: row for row in await rows(store)}
    assert by_kind["wait"].over_at is not None
    assert by_kind["disk"].over_at is None


# -- mail


@pytest.fixture
async def box() -> AsyncIterator[Mailbox]:
    async with mailbox() as made:
        yield made


def site_with(box: Mailbox, **alarms: Any) -> Site:
    import io

    from ruamel.yaml import YAML

    text = io.StringIO()
    YAML().dump({**site_dict(), "mail": box.settings(), "alarms": alarms}, text)
    return parse_site(text.getvalue(), "site.yaml")


class Mailing:
    """A mailer with a book of its own."""

    def __init__(self, store: Store, site: Site) -> None:
        self.book = AlarmBook(store, lambda one: shape(one, site))
        self.mailer = Mailer(self.book, lambda: site, lambda: "http://127.0.0.1/alarms")
        self._task = asyncio.create_task(self.mailer.run())

    async def stop(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def until(self, true: Callable[[], bool]) -> None:
        async with asyncio.timeout(30):
            while not true():
                await asyncio.sleep(0.01)


@pytest.fixture
async def begin(
    store: Store, box: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Callable[..., Mailing]]:
    monkeypatch.setattr(mailing, "GATHER_S", 0.05)
    monkeypatch.setattr(mailing, "RETRY_S", (0.05,))
    made: list[Mailing] = []

    def run(**alarms: Any) -> Mailing:
        made.append(Mailing(store, site_with(box, **alarms)))
        return made[-1]

    yield run
    for one in made:
        await one.stop()


@pytest.mark.req("MON-4")
async def test_an_alarm_is_mailed_with_value_and_time(
    begin: Callable[..., Mailing], box: Mailbox, store: Store
) -> None:
    made = begin()
    made.mailer.put(made.book.take(0.0, [WAIT, Condition("answer_rate", "", "0.871", "0.900")]))
    mail = await box.mail()
    assert mail["To"] == "sv@minato.example"
    assert mail["Subject"] == "[みなと市コールセンター] 警報: 総合案内: 待ち 61 秒 (60 秒超) ほか 1 件"
    text = mail.get_content()
    assert "応答率 87.1 % (目標 90.0 %)" in text
    assert f"{made.book.entries[0].at.astimezone(site_with(box).zone):%Y-%m-%d %H:%M:%S}" in text
    await made.until(lambda: made.book.entries[0].mailed_at is not None)
    await made.book.save()
    assert all(row.mailed_at is not None for row in await rows(store))


@pytest.mark.req("MON-4")
async def test_mail_that_is_refused_is_seen_and_tried_again_until_it_is_taken(
    begin: Callable[..., Mailing], box: Mailbox, store: Store
) -> None:
    box.refusing = "451 4.3.0 the disk is full"
    made = begin()
    made.mailer.put(made.book.take(0.0, [WAIT]))
    await box.tried(3)
    await made.until(lambda: made.mailer.problem is not None)
    assert "the disk is full" in str(made.mailer.problem)
    assert kinds(facts(mail=made.mailer.problem)) == ["mail"]
    await made.book.save()
    (row,) = await rows(store)
    assert row.mailed_at is None
    assert "the disk is full" in str(row.mail_problem)
    box.refusing = None
    mail = await box.mail()
    assert "待ち 61 秒" in mail["Subject"]
    await made.until(lambda: made.mailer.problem is None)
    await made.book.save()
    (row,) = await rows(store)
    assert row.mailed_at is not None
    assert row.mail_problem is None


@pytest.mark.req("MON-4", "REL-1")
async def test_what_an_earlier_console_could_not_mail_is_mailed_by_the_next(
    begin: Callable[..., Mailing], box: Mailbox, store: Store
) -> None:
    async with store.session() as database:
        at = datetime.now(UTC) - timedelta(minutes=5)
        old = at - timedelta(days=3)
        database.add(
            Alarm(kind="wait", subject="main", value="99", threshold="60", at=at, mail_problem="away")
        )
        database.add(Alarm(kind="wait", subject="main", value="77", threshold="60", at=old, mail_problem="x"))
    made = begin()
    await made.book.load()
    made.mailer.take_up()
    mail = await box.mail()
    assert "待ち 99 秒" in mail["Subject"]
    assert "77" not in mail.get_content()


@pytest.mark.req("MON-4")
async def test_without_the_wish_nothing_is_mailed_and_mails_own_alarm_never(
    begin: Callable[..., Mailing], box: Mailbox
) -> None:
    quiet = begin(mail=False)
    quiet.mailer.put(quiet.book.take(0.0, [WAIT]))
    loud = begin()
    loud.mailer.put(loud.book.take(0.0, [Condition("mail", "", "away", "")]))
    loud.mailer.put([Entry("disk", "archive", "0.05", "0.10", datetime.now(UTC))])
    mail = await box.mail()
    assert "ディスク" in mail["Subject"]
    assert box.empty


# -- in the console


@pytest.mark.req("MON-4", "SEC-2")
async def test_a_long_wait_is_raised_shown_and_acknowledged_over_the_api(start: Start) -> None:
    running = await start(users=("sv01", "staff01", "op01"))
    book = running.app[BOOK]
    await _going_on(book, running, ("wait", "main"))  # the fixture's caller has waited since 2026-11-21
    boss, staff = await running.browser("sv01"), await running.browser("staff01")
    found = await (await boss.get("/api/v1/alarms")).json()
    (alarm,) = [one for one in found["now"] if one["kind"] == "wait"]
    assert alarm["subject_name"] == "総合案内"
    assert alarm["threshold"] == "60"
    assert (await staff.get("/api/v1/alarms")).status == 403
    assert (await staff.get("/alarms")).status == 403
    page = await (await boss.get("/alarms")).text()
    assert "総合案内: 待ち" in page
    answer = await boss.post(f"/api/v1/alarms/{alarm['id']}/acknowledge", None)
    assert answer.status == 200, await answer.text()
    assert (await boss.post("/api/v1/alarms/99999/acknowledge", None)).status == 404
    assert (await boss.post("/api/v1/alarms/x/acknowledge", None)).status == 404
    page = await (await boss.get("/alarms")).text()
    assert f"/alarms/{alarm['id']}/acknowledge" not in page
    async with running.console.store.reading() as database:
        actions = (await database.scalars(select(AccessEntry.action))).all()
    assert "alarm_acknowledged" in actions
    await running.engine.tell(gone=["minato-1.1"])
    await _until(book, lambda: book.going_on(("wait", "main")) is None)


@pytest.mark.req("MON-4")
async def test_nobody_at_work_an_emergency_and_a_full_trunk_are_seen_in_the_live_state(start: Start) -> None:
    running = await start()
    book = running.app[BOOK]
    emergency = live_call(
        "c9", phase="talking", operator="1001", marks=[{"mark": "emergency", "at": "", "by": "x"}]
    )
    trunk = {"id": "test", "channels": 50, "max_channels": 50, "failing": None}
    off = [operator("1001", state="break"), operator("1002", state="off")]
    await running.engine.tell(operators=off, calls=[emergency], trunks=[trunk])
    await _going_on(book, running, ("emergency", "c9"))
    await _going_on(book, running, ("trunk_full", "test"))
    await _going_on(book, running, ("nobody_ready", "main"))
    found = next(one for one in book.shown() if one["kind"] == "emergency")
    assert found["subject_name"] == "操作者01"
    await running.engine.tell(gone=["c9"], trunks=[trunk | {"channels": 1}], operators=[operator("1001")])
    await _until(book, lambda: book.going_on(("nobody_ready", "main")) is None)
    await _until(book, lambda: book.going_on(("emergency", "c9")) is None)


@pytest.mark.req("MON-4")
async def test_a_recording_that_failed_and_a_capture_left_behind_are_seen(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "SLOW_EVERY_S", 0.05)
    running = await start()
    spool = running.settings.spool_folder
    spool.mkdir(exist_ok=True)
    now = time.time()
    for name in ("minato-1.1-in.wav", "gone-1-in.wav", "x.txt"):  # one of a call that goes on
        (spool / name).write_bytes(b"RIFF")
        os.utime(spool / name, (now - 1000, now - 1000))
    assert 990 < _latest_capture_s(spool, {"minato-1.1"}) < 1100
    assert _latest_capture_s(spool, {"minato-1.1", "gone-1"}) == 0
    # A consult at the beginning of a long call: nothing is late when the call is just over.
    (spool / "gone-1.1-in.wav").write_bytes(b"RIFF")
    os.utime(spool / "gone-1.1-in.wav", (now - 3000, now - 3000))
    assert 990 < _latest_capture_s(spool, {"minato-1.1"}) < 1100
    async with running.console.store.session() as database:
        database.add(
            Recording(call="a", path="", state="failed", problem="no sound", created_at=datetime.now(UTC))
        )
    await _going_on(running.app[BOOK], running, ("recording_late", ""))
    await _going_on(running.app[BOOK], running, ("recording_failed", ""))
    free = _free(running.settings.archive, spool)
    assert len(free) == 1  # one disk is told once
    assert 0 < next(iter(free.values())) < 1


class Wake(asyncio.Event):
    """Tells when somebody waits for it."""

    def __init__(self) -> None:
        super().__init__()
        self.waited_for = asyncio.Event()

    async def wait(self) -> Literal[True]:
        self.waited_for.set()
        return await super().wait()


async def test_a_change_in_the_moment_of_the_end_does_not_hold_the_end_up(
    start: Start, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cancelled in the very step in which it was woken: it ends all the same, and the console with it."""
    running = await start(engine=False)
    book, wake = AlarmBook(store, lambda entry: shape(entry, running.console.site)), Wake()
    mailer = Mailer(book, lambda: running.console.site, lambda: "")
    watch = Watch(running.console, running.app[TODAY], book, mailer)
    monkeypatch.setattr(watch, "_wake", wake)
    task = asyncio.create_task(watch.run())
    await wake.waited_for.wait()
    wake.set()
    task.cancel()
    done, _ = await asyncio.wait([task], timeout=10)
    task.cancel()
    assert done


async def _going_on(book: AlarmBook, _running: Running, key: tuple[str, str]) -> None:
    """Until it is there and has its number."""
    await _until(book, lambda: (one := book.going_on(key)) is not None and one.id is not None)


async def _until(book: AlarmBook, true: Callable[[], bool]) -> None:
    changed = asyncio.Event()
    book.listen(changed.set)
    async with asyncio.timeout(30):
        while not true():
            await changed.wait()
            changed.clear()
