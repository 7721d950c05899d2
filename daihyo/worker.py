"""The worker: carries the journal into the database, finishes recordings, makes changed plans live; whatever
may be slow."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from datetime import timedelta
from zoneinfo import ZoneInfo

import recording
from cdr import Carrier, remove_carried
from daihyo.activating import Activator
from daihyo.plans import live_site
from daihyo.settings import Runtime, StateDir, write_private
from store import Store, StoreUnavailable

log = logging.getLogger("daihyo.worker")


# Older days are in the database alone; of a whole fiscal year everything can be made again from the journal.
JOURNAL_KEPT = timedelta(days=400)
_TIDY_EVERY_S = 3600.0


async def _tidy(state: StateDir, store: Store) -> None:
    """Removes old segments of the journal that were carried to their end."""
    while True:
        try:
            for file in await remove_carried(state.journal, store, older_than=JOURNAL_KEPT):
                log.info("removed %s: carried, and older than %d days", file.name, JOURNAL_KEPT.days)
        except (StoreUnavailable, OSError) as error:
            log.warning("old journal segments stay: %s", error)
        await asyncio.sleep(_TIDY_EVERY_S)


async def run(state: StateDir, runtime: Runtime) -> None:
    """Works until SIGTERM or SIGINT. A database that is away later is waited for; at the start it must be
    there: StoreUnavailable. DIR/run/worker.ready then holds our pid."""
    site = live_site(state)
    store = await Store.open(runtime.database(state))
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    carrier = Carrier(state.journal, store)
    finisher = recording.Finisher(state.spool, state.archive, store, ZoneInfo(site.timezone))
    tasks = {
        asyncio.create_task(carrier.run(), name="carrier"),
        asyncio.create_task(finisher.run(), name="finisher"),
        asyncio.create_task(Activator(state, runtime, store).run(), name="activator"),
        asyncio.create_task(_tidy(state, store), name="tidying"),
    }
    stopped = asyncio.create_task(stopping.wait())
    try:
        write_private(state.worker_ready, f"{os.getpid()}\n")
        done, _ = await asyncio.wait({*tasks, stopped}, return_when=asyncio.FIRST_COMPLETED)
        for task in done - {stopped}:
            task.result()  # its error ends the worker; `up` starts it anew
            raise RuntimeError(f"the worker's {task.get_name()} ended by itself")
    finally:
        for one in (*tasks, stopped):
            one.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await store.close()
