"""The worker: carries the journal into the database and finishes recordings; whatever may be slow."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from zoneinfo import ZoneInfo

import recording
from cdr import Carrier
from daihyo.settings import Runtime, StateDir, write_private
from dialplans import load_site
from store import Store

log = logging.getLogger("daihyo.worker")


async def run(state: StateDir, runtime: Runtime) -> None:
    """Works until SIGTERM or SIGINT. A database that is away later is waited for; at the start it must be
    there: StoreUnavailable. DIR/run/worker.ready then holds our pid."""
    site = load_site(state.site)
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
