"""Looks once a second, and at once after changes, whether something is an alarm."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import shutil
import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from dialplans import Site, boxes
from store import Recording, StoreUnavailable

from ..console import Console
from ..today import Today
from .book import AlarmBook
from .mail import Mailer
from .rules import Facts, KpiFacts, QueueFacts, TrunkFacts, conditions

log = logging.getLogger(__name__)

EVERY_S = 1.0
SLOW_EVERY_S = 10.0  # disk and recordings
FAILED_FOR = timedelta(hours=1)  # a recording that failed is told for so long
_WORKING = frozenset({"ready", "ringing", "talking", "hold", "wrap_up"})
_WAITS = frozenset({"waiting", "ringing", "returning"})


class Watch:
    """Feeds the book and the mailer. Figures of today are computed while it runs."""

    def __init__(self, console: Console, today: Today, book: AlarmBook, mailer: Mailer) -> None:
        self._console, self._today, self._book, self._mailer = console, today, book, mailer
        self._wake = asyncio.Event()
        self._disks: dict[str, float] = {}
        self._failed, self._late_s = 0, 0.0
        self._reached: tuple[Site, dict[str, frozenset[str]]] | None = None

    async def run(self) -> None:
        """Until cancelled."""
        stop = self._console.link.listen(self._wake.set)
        stop_today = self._today.listen(self._wake.set)
        mailing = asyncio.create_task(self._mailer.run())
        slow = asyncio.create_task(self._look_slowly())
        try:
            await self._begin()
            while True:
                await self._round()
                self._wake.clear()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(EVERY_S):
                        await self._wake.wait()
                await asyncio.sleep(0.1)  # not more often than ten times a second
        finally:
            stop()
            stop_today()
            for task in (mailing, slow):
                task.cancel()
            await asyncio.gather(mailing, slow, return_exceptions=True)

    async def _begin(self) -> None:
        try:
            await self._book.load()
        except StoreUnavailable:
            return  # `save` loads when it is back
        self._mailer.take_up()

    async def _round(self) -> None:
        try:
            now = time.monotonic()
            self._mailer.put(self._book.take(now, conditions(self.facts(), self._console.site.alarms)))
            await self._book.save()
        except Exception:  # one that cannot be told must not end all others
            log.exception("alarms")

    def facts(self) -> Facts:
        """Everything as it is now."""
        console = self._console
        link, state, site = console.link, console.link.state, console.site
        # A console that has just started is not an engine that is away: counted from when it was last seen.
        return Facts(
            queues=tuple(self._queues(site)),
            kpi=self._kpi(site),
            trunks=tuple(
                TrunkFacts(
                    str(trunk["id"]),
                    int(trunk["channels"]) >= int(trunk["max_channels"]),
                    bool(trunk.get("failing")),
                    int(trunk["channels"]),
                    int(trunk["max_channels"]),
                )
                for trunk in state.trunks
            ),
            disks=self._disks,
            failed_recordings=self._failed,
            late_s=self._late_s,
            emergencies={
                str(call["id"]): str(call.get("operator") or "")
                for call in state.calls.values()
                if any(mark.get("mark") == "emergency" for mark in call.get("marks") or ())
            },
            engine=link.connected,
            switch=state.switch_connected,
            journal=state.journal_failing,
            store=not (self._book.store_away or bool((self._today.figures or {}).get("stale"))),
            mail=self._mailer.problem,
        )

    def _queues(self, site: Site) -> list[QueueFacts]:
        state = self._console.link.state
        now = datetime.now(UTC)
        open_numbers = {
            str(one.get("number", "")).replace("-", "") for one in state.numbers if one.get("open")
        }
        reached = self._reached_queues(site)
        found = []
        for queue in site.queues:
            since = [
                str(call.get("queued_at") or call.get("since"))
                for call in state.calls.values()
                if call.get("queue") == queue.id and call.get("phase") in _WAITS
            ]
            serving = [o for o in state.operators.values() if queue.id in o.get("queues", ())]
            working = sum(o.get("state") in _WORKING and o.get("phone") is not None for o in serving)
            is_open = any(queue.id in reached.get(number, ()) for number in open_numbers)
            longest = (now - datetime.fromisoformat(min(since))).total_seconds() if since else 0.0
            found.append(
                QueueFacts(queue.id, len(since), longest, bool(since) or (is_open and bool(serving)), working)
            )
        return found

    def _reached_queues(self, site: Site) -> dict[str, frozenset[str]]:
        """By number the queues that its callers may come to while it is open."""
        if self._reached is None or self._reached[0] is not site:
            lines = boxes(site)
            self._reached = (
                site,
                {number.digits: _queues_from(number.begins, lines) for number in site.numbers},
            )
        return self._reached[1]

    def _kpi(self, site: Site) -> KpiFacts | None:
        figures = self._today.figures
        if figures is None or figures.get("stale"):
            return None
        total: dict[str, Any] = figures["total"]
        targets = site.kpi.targets
        return KpiFacts(
            int(total["offered"]),
            total["answer_rate"],
            total["mean_answer_s"],
            total["within_rate"],
            targets.answer_rate,
            targets.mean_answer_s,
            targets.within_rate,
        )

    async def _look_slowly(self) -> None:
        settings = self._console.settings
        while True:
            try:
                self._disks = await asyncio.to_thread(_free, settings.archive, settings.spool_folder)
                busy = set(self._console.link.state.calls)
                self._late_s = await asyncio.to_thread(_latest_capture_s, settings.spool_folder, busy)
                self._failed = await self._failed_recordings()
            except StoreUnavailable:
                pass  # that it is away is an alarm of its own
            except Exception:
                log.exception("alarms: disk and recordings")
            self._wake.set()
            await asyncio.sleep(SLOW_EVERY_S)

    async def _failed_recordings(self) -> int:
        since = datetime.now(UTC) - FAILED_FOR
        async with self._console.store.reading() as database:
            query = select(func.count()).select_from(Recording)
            query = query.where(Recording.state == "failed", Recording.created_at > since)
            return int(await database.scalar(query) or 0)


def _queues_from(target: str, lines: Any) -> frozenset[str]:
    left, seen = [target], set[str]()
    while left:
        at = left.pop()
        if at in seen:
            continue
        seen.add(at)
        if not at.startswith("queue:"):
            left += [line.to for line in lines.get(at, ())]
    return frozenset(at.removeprefix("queue:") for at in seen if at.startswith("queue:"))


def _free(*folders: Path) -> dict[str, float]:
    """Free share of the disks that these folders are on, each disk once, named after the folder. Blocking."""
    seen: dict[int, tuple[str, float]] = {}
    for folder in folders:
        if folder.is_dir():
            usage = shutil.disk_usage(folder)
            seen.setdefault(os.stat(folder).st_dev, (folder.name, usage.free / usage.total))
    return dict(seen.values())


def _latest_capture_s(spool: Path, busy: set[str]) -> float:
    """For the oldest call in the spool that is over: seconds since a capture of it was last written. A
    consult's own (`<call>.<n>`) waits for the call's end, however long it has been over. Blocking."""
    written: dict[str, float] = {}
    with contextlib.suppress(FileNotFoundError):
        for path in spool.iterdir():
            call = path.name.rpartition("-")[0]
            if path.suffix == ".wav" and not any(_is_of(call, one) for one in busy):
                with contextlib.suppress(FileNotFoundError):
                    written[call] = max(written.get(call, 0.0), path.stat().st_mtime)
    now = time.time()
    newest = (
        max(at for other, at in written.items() if _is_of(other, _whole(call, written))) for call in written
    )
    return max((now - at for at in newest), default=0.0)


def _is_of(capture: str, call: str) -> bool:
    return capture == call or capture.startswith(f"{call}.")


def _whole(capture: str, captures: Iterable[str]) -> str:
    """The call that a consult belongs to, where that is still in the spool."""
    return min((one for one in captures if _is_of(capture, one)), key=len)
