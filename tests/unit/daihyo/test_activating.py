"""The worker makes a plan live: in the right order, once, and again wherever it was killed."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import select

from daihyo import activating, apply, rendering, speaking
from daihyo.control import EngineGone, EngineSilent
from daihyo.settings import UserError
from dialplans import parse_site
from store import PlanActivation, Store, User, plans
from tests.support.databases import sqlite_with_tables
from tests.unit.daihyo.plan_folder import ROOT, Killed, Worker, text_of

FIRST = text_of()
SECOND = text_of(operators=3)
EVENTS_ONLY = text_of(state="cancelled")


@pytest.fixture
async def worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Worker]:
    """One with version 1 live. On SQLite; what the database does is tested in tests/unit/store on both."""
    async with await Store.open(sqlite_with_tables(tmp_path / "test.db")) as store:
        made = Worker(tmp_path, store, monkeypatch)
        await made.started(FIRST)
        yield made


async def wish(worker: Worker, text: str, *, spoken: bool = True) -> PlanActivation:
    if spoken:
        worker.spoken(text)
    version = await plans.add_version(worker.store, text, author="sv01", comment="変更")
    return await plans.ask(worker.store, version.id, by="sv01")


async def now(worker: Worker, one: PlanActivation) -> PlanActivation:
    found = await plans.activation(worker.store, one.id)
    assert found is not None
    return found


@pytest.mark.req("ADM-1", "IVR-2")
async def test_a_version_goes_live_with_all_that_belongs_to_it(
    tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = Worker(tmp_path, store, monkeypatch)
    await worker.started(FIRST)
    asked = await wish(worker, SECOND)
    assert await worker.activator.activate_next()
    assert (await now(worker, asked)).state == "live"
    [command] = worker.engine.asked
    assert (command["version"], command["by"], command["comment"]) == (2, "sv01", "変更")
    assert {"res_pjsip.so", "app_queue.so"} <= set(command["modules"])
    assert worker.engine.there == [True]
    assert worker.state.site.read_text() == SECOND
    assert b"1003" in worker.config()["pjsip.conf"]
    async with worker.store.reading() as session:
        assert await session.scalar(select(User.name).where(User.login == "op03")) == "操作者03"
    assert not await worker.activator.activate_next()


@pytest.mark.req("IVR-2", "ADM-1")
async def test_a_plan_with_mistakes_fails_with_its_line_and_changes_nothing(worker: Worker) -> None:
    before = worker.config()
    asked = await wish(worker, FIRST.replace("queue: main", "queue: mian"), spoken=False)
    await worker.activator.activate_next()
    failed = await now(worker, asked)
    assert failed.state == "failed"
    assert failed.problem is not None
    assert re.match(r"2\.yaml:\d+:\d+ numbers\[0\]\.queue: .*mian", failed.problem)
    assert "\n" not in failed.problem
    assert worker.engine.asked == []
    assert (worker.live, worker.config()) == (1, before)


async def test_what_needs_a_restart_says_so_and_changes_nothing(worker: Worker) -> None:
    before = worker.config()
    asked = await wish(worker, text_of(id="other"))
    await worker.activator.activate_next()
    failed = await now(worker, asked)
    assert failed.state == "failed"
    assert "daihyo up --use-file" in (failed.problem or "")
    assert worker.engine.asked == []
    assert (worker.live, worker.config()) == (1, before)


@pytest.mark.req("ADM-1")
async def test_what_the_engine_refuses_is_put_back_and_reloaded_with_the_next(worker: Worker) -> None:
    before = worker.config()

    def refuse() -> None:
        raise UserError("音声がありません / no sound for one announcement")

    worker.engine.before = refuse
    asked = await wish(worker, SECOND)
    await worker.activator.activate_next()
    failed = await now(worker, asked)
    assert (failed.state, failed.problem) == ("failed", "音声がありません / no sound for one announcement")
    assert (worker.live, worker.config()) == (1, before)
    worker.engine.before = lambda: None
    again = await wish(worker, EVENTS_ONLY)
    await worker.activator.activate_next()
    assert (await now(worker, again)).state == "live"
    # Nobody knows whether Asterisk has read the refused files: it reads those in place once more.
    assert {"res_pjsip.so", "app_queue.so"} <= set(worker.engine.asked[-1]["modules"])


@pytest.mark.req("ADM-1", "REL-1")
async def test_asterisk_reads_the_live_plans_configuration_again_when_one_failed(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asterisk had reloaded the new files when the engine could not write the plan down."""
    monkeypatch.setattr(activating, "MEND_AGAIN_S", (0.0,))
    mended = asyncio.Event()
    problems = iter(("the disk is full", "the disk is still full", None))

    def refuse() -> None:
        if (problem := next(problems)) is not None:
            raise UserError(problem)

    before = worker.config()
    worker.engine.before, worker.engine.after = refuse, mended.set
    asked = await wish(worker, SECOND)
    running = asyncio.create_task(worker.activator.run())
    try:
        async with asyncio.timeout(20):
            await mended.wait()
            while rendering.to_reload(worker.state):
                await asyncio.sleep(0)
    finally:
        running.cancel()
        await asyncio.wait([running])
    assert (await now(worker, asked)).state == "failed"
    assert [one["version"] for one in worker.engine.asked] == [2, 1, 1]
    assert {"res_pjsip.so", "app_queue.so"} <= set(worker.engine.asked[-1]["modules"])
    assert (worker.live, worker.config()) == (1, before)


@pytest.mark.req("ADM-1")
async def test_nothing_is_mended_where_all_is_well(worker: Worker) -> None:
    await worker.activator.mend()
    assert worker.engine.asked == []


@pytest.mark.req("ADM-1")
async def test_what_the_engine_made_live_before_it_refused_is_live(worker: Worker) -> None:
    def fail() -> None:
        raise UserError("SIP phones cannot be asked for")

    worker.engine.after = fail
    asked = await wish(worker, SECOND)
    await worker.activator.activate_next()
    assert (await now(worker, asked)).state == "live"
    live = await plans.live(worker.store)
    assert live is not None
    assert live.id == worker.live == 2
    worker.engine.after = lambda: None
    await worker.activator.mend()  # its modules are still owed
    assert [one["version"] for one in worker.engine.asked] == [2, 2]
    assert not rendering.to_reload(worker.state)


@pytest.mark.req("REL-1")
async def test_a_silent_engine_is_asked_again_until_it_is_done(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(activating, "ENGINE_AWAY_S", 0)
    tries = iter((True, True, False))

    def busy() -> None:
        if next(tries):
            raise EngineSilent("the engine did not answer within 30 s")

    worker.engine.before = busy
    asked = await wish(worker, SECOND)
    await worker.activator.activate_next()
    assert (await now(worker, asked)).state == "live"


@pytest.mark.req("ADM-1")
async def test_who_asked_is_told_when_a_dead_worker_left_the_wish_half_done(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apply, "DONE_WITHIN_S", 0)
    version = await plans.add_version(worker.store, SECOND, author="sv01")

    async def take_and_die(*_: object, **__: object) -> PlanActivation:
        made = await ask(worker.store, version.id, by="sv01")
        await plans.take(worker.store, 1)
        return made

    ask = plans.ask
    monkeypatch.setattr(plans, "ask", take_and_die)
    async with asyncio.timeout(10):
        with pytest.raises(UserError, match="version 2 is still being made ready"):
            await apply.go_live(worker.store, version, "sv01")


@pytest.mark.req("REL-1")
@pytest.mark.parametrize("point", ["speaking", "configured", "before", "after", "users"])
async def test_killed_anywhere_the_next_worker_finishes_it(
    worker: Worker, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    def die(*_: object, **__: object) -> None:
        raise Killed

    with monkeypatch.context() as here:
        match point:
            case "speaking":
                here.setattr(speaking, "speak", die)
            case "configured":
                here.setattr(rendering.Rendered, "put", die)
            case "before":
                worker.engine.before = die
            case "after":
                worker.engine.after = die
            case "users":
                here.setattr(activating, "sync_users", die)
        asked = await wish(worker, SECOND)
        with pytest.raises(Killed):
            await worker.activator.activate_next()
    assert (await now(worker, asked)).state == "working"
    worker.engine.before = worker.engine.after = lambda: None
    worker.engine.asked.clear()
    await worker.again().activate_next()
    assert (await now(worker, asked)).state == "live"
    assert worker.live == 2
    assert b"1003" in worker.config()["pjsip.conf"]
    if point != "users":  # there all had been done before
        assert {"res_pjsip.so", "app_queue.so"} <= set(worker.engine.asked[-1]["modules"])
    async with worker.store.reading() as session:
        assert await session.get(User, "op03") is not None


@pytest.mark.req("REL-1")
async def test_an_engine_that_is_being_restarted_is_waited_for(worker: Worker) -> None:
    tries = iter((True, True, False))

    def away() -> None:
        if next(tries):
            raise EngineGone("nobody listens")

    worker.engine.before = away
    asked = await wish(worker, SECOND)
    await worker.activator.activate_next()
    assert (await now(worker, asked)).state == "live"
    assert len(worker.engine.asked) == 3


@pytest.mark.req("REL-1")
async def test_an_engine_that_went_away_after_doing_it_has_done_it(worker: Worker) -> None:
    def away() -> None:
        raise EngineGone("the engine closed the connection")

    worker.engine.after = away
    asked = await wish(worker, SECOND)
    await worker.activator.activate_next()
    assert (await now(worker, asked)).state == "live"
    assert len(worker.engine.asked) == 1


async def test_an_engine_that_stays_away_is_a_clear_failure(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away() -> None:
        raise EngineGone("nobody listens")

    monkeypatch.setattr(activating, "ENGINE_AWAY_S", 0)
    before = worker.config()
    worker.engine.before = away
    asked = await wish(worker, SECOND)
    await worker.activator.activate_next()
    failed = await now(worker, asked)
    assert failed.state == "failed"
    assert "the call engine is away (nobody listens)" in (failed.problem or "")
    assert (worker.live, worker.config()) == (1, before)


async def test_a_live_plan_is_live_whatever_goes_wrong_after_it(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> None:
        raise RuntimeError("a slip of ours")

    monkeypatch.setattr(activating, "sync_users", broken)
    asked = await wish(worker, SECOND)
    await worker.activator.activate_next()
    assert (await now(worker, asked)).state == "live"


async def test_only_the_newest_of_many_wishes_is_carried_out(worker: Worker) -> None:
    wishes = [await wish(worker, text) for text in (SECOND, EVENTS_ONLY, SECOND, EVENTS_ONLY)]
    while await worker.activator.activate_next():
        pass
    states = [(await now(worker, one)).state for one in wishes]
    assert states == ["replaced", "replaced", "replaced", "live"]
    assert [one["version"] for one in worker.engine.asked] == [5]


@pytest.mark.req("HRS-5")
async def test_events_alone_touch_nothing_of_asterisk(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    await wish(worker, FIRST + "# a first change, after which the worker knows what Asterisk has\n")
    await worker.activator.activate_next()

    def never(*_: object) -> None:
        raise AssertionError("rendered")

    monkeypatch.setattr(activating.Activator, "_configure", never)
    asked = await wish(worker, EVENTS_ONLY)
    await worker.activator.activate_next()
    assert (await now(worker, asked)).state == "live"
    assert worker.engine.asked[-1]["modules"] == []


def test_what_is_not_for_asterisk_is_in_no_template() -> None:
    """Should a template begin to use one of these, `NOT_FOR_ASTERISK` must not name it any more."""
    folder = ROOT / "asterisk_conf"
    sources = [*folder.glob("templates/*.j2"), *folder.glob("*.py")]
    assert len(sources) > 15
    used = {word for path in sources for word in re.findall(r"\bsite\.(\w+)", path.read_text())}
    used |= {word for path in sources for word in re.findall(r"\bnumber\.(\w+)", path.read_text())}
    assert {"operators", "trunks", "digits"} <= used
    assert not used & (rendering.NOT_FOR_ASTERISK | rendering.NOT_OF_NUMBERS)


def with_music(key: str) -> str:
    return f"{FIRST}musics:\n- {{id: sea, name: 海, audio: [{key}], licence: 市}}\n"


@pytest.mark.req("HRS-4", "REL-1")
async def test_a_music_with_other_audio_is_reloaded_and_the_old_one_stays_until_the_next_start(
    worker: Worker,
) -> None:
    moh = worker.state.sounds / "moh"
    (moh / "default").mkdir(parents=True, exist_ok=True)
    folders = []
    for key in ("a" * 16, "b" * 16):
        asked = await wish(worker, with_music(key))
        await worker.activator.activate_next()
        assert (await now(worker, asked)).state == "live"
        assert "res_musiconhold.so" in worker.engine.asked[-1]["modules"]
        folders.append(parse_site(with_music(key)).musics[0].folder)
        assert f"moh/{folders[-1]}\n".encode() in worker.config()["musiconhold.conf"]
    assert {one.name for one in moh.glob("*/")} == {"default", *folders}
    speaking.tidy_music(parse_site(with_music("b" * 16)), worker.state)
    assert {one.name for one in moh.glob("*/")} == {"default", folders[1]}


async def test_a_wish_is_seen_while_it_runs(worker: Worker) -> None:
    told = asyncio.Event()
    worker.engine.after = told.set
    running = asyncio.create_task(worker.activator.run())
    try:
        await wish(worker, SECOND)
        async with asyncio.timeout(10):
            await told.wait()
    finally:
        running.cancel()
        await asyncio.wait([running])


@pytest.mark.req("HRS-6", "IVR-2")
async def test_audio_that_was_never_uploaded_keeps_a_plan_from_going_live(worker: Worker) -> None:
    """Through the process that makes the sounds."""
    text = FIRST.replace("greeting: みなと市です。", "greeting: {audio: 0123456789abcdef, text: あいさつ}", 1)
    assert text != FIRST
    asked = await wish(worker, text, spoken=False)
    await worker.activator.activate_next()
    failed = await now(worker, asked)
    assert failed.state == "failed"
    assert "0123456789abcdef" in (failed.problem or "")
    assert worker.engine.asked == []
