"""A call's life: arrival, offer, conversation, recovery, control. `run` is one engine."""

from __future__ import annotations

import asyncio
import gc
import signal
import sys
from contextlib import suppress

from cdr import Journal
from switch import connect

from .centre import Centre
from .clock import Clock
from .control import Control
from .phones import endpoints
from .settings import EngineSettings
from .versions import Versions

__all__ = ["EngineSettings", "run"]


async def run(settings: EngineSettings) -> None:
    """Owns the calls until SIGTERM or SIGINT. Calls go on in Asterisk when it leaves, however it leaves.

    SiteError when the site cannot be read; OSError when journal or socket cannot be opened.
    """
    versions = Versions.open(settings.plans, settings.site_path)
    _calm()
    loop = asyncio.get_running_loop()
    clock = Clock()
    journal = Journal(settings.journal_folder, clock=clock)
    centre = Centre(settings, versions, journal, clock)
    centre.remember()
    for call in centre.memory.calls.values():
        versions.of(call.plan)  # read now, while nobody waits
    centre.openings.set_clock(settings.practice_time)
    centre.openings.changed()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, centre.stopping.set)
    switch_settings = settings.switch_for(endpoints([one.id for one in centre.site.operators]))
    try:
        async with (
            Control(centre).serving(settings.control_socket),
            connect(
                switch_settings,
                on_arrival=centre.on_arrival,
                on_connected=centre.on_connected,
                on_disconnected=centre.on_disconnected,
                on_phone=centre.on_phone,
                on_channels=centre.on_channels,
                on_key_transfer=centre.on_key_transfer,
                on_dialled=centre.on_dialled,
                on_resumed=centre.on_resumed,
            ) as switch,
        ):
            centre.switch = switch
            watching = asyncio.create_task(centre.survival.watch())
            await centre.stopping.wait()
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching
            if centre.session is not None:
                centre.session.detach()
    finally:
        centre.openings.stop()
        journal.close()


def _calm() -> None:
    """No long pauses: what was loaded at the start is never searched for garbage again (it took tens of
    milliseconds at a time), and the journal's thread gives the interpreter back sooner."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    sys.setswitchinterval(0.0005)
