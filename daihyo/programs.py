"""The three programs, each run by itself: `daihyo engine|console|worker --state DIR`.

They read what `daihyo up` wrote into the state folder. Imports stand inside the functions: each program
loads only what it needs (the nursery has loaded everything).
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import Callable, Coroutine
from typing import Any

from daihyo import logs
from daihyo.nursery import SUPERVISOR, end_with
from daihyo.settings import Runtime, StateDir, UserError

log = logging.getLogger("daihyo")


def run(program: str, state: StateDir) -> int:
    """Runs one program until SIGTERM or SIGINT; returns the exit code: 0, 2 for what the user can mend
    (one line on stderr), 1 for a fault (one line; the rest is in DIR/log)."""
    if supervisor := os.environ.get(SUPERVISOR):
        end_with(int(supervisor))  # the next `up` starts its own programs; calls stay in Asterisk
    logs.start(program, state)
    try:
        runtime = Runtime.load(state)
        work = _WORK[program](state, runtime)
        log.info("%s starts, pid %d", program, os.getpid())
        _loop(work)
    except KeyboardInterrupt:
        pass
    except Exception as error:
        if _is_one_line(error):
            log.error("%s", error)
            sys.stderr.write(f"{error}\n")
            return 2
        log.exception("%s failed", program)
        sys.stderr.write(
            f"{program} failed: {type(error).__name__}: {error}; see {state.log}/{program}.log\n"
        )
        return 1
    log.info("%s has ended", program)
    return 0


def _loop(work: Coroutine[Any, Any, None]) -> None:
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(work)


def _is_one_line(error: Exception) -> bool:
    """Errors whose text is written for the user (each room names its own)."""
    names = {
        "UserError",
        "SiteError",
        "StoreUnavailable",
        "ConfigurationError",
        "ConsoleError",
        "AsteriskMissing",
    }
    return isinstance(error, UserError) or type(error).__name__ in names or isinstance(error, OSError)


async def _engine(state: StateDir, runtime: Runtime) -> None:
    import engine
    from asterisk_conf import Secrets
    from daihyo.plans import live_site
    from switch import SwitchSettings

    live_site(state)  # a plan that cannot be read is told before anything is touched
    keys = Secrets.read(state.secrets)  # made by `up`, and by whoever activates a plan
    await engine.run(
        engine.EngineSettings(
            site_path=state.site,
            journal_folder=state.journal,
            spool_folder=state.spool,
            control_socket=state.control_socket,
            queue_log=state.queue_log,
            plans=state.plans,
            sounds=state.sounds,
            practice_time=runtime.practice_now(),
            switch=SwitchSettings(
                ari_url=runtime.ari_url,
                ari_user=keys.ari_user,
                ari_password=keys.ari_password,
                ami_host="127.0.0.1",
                ami_port=runtime.ami_port,
                ami_user=keys.ami_user,
                ami_password=keys.ami_password,
            ),
        )
    )


async def _console(state: StateDir, runtime: Runtime) -> None:
    import agent_console

    await agent_console.run(
        agent_console.ConsoleSettings(
            listen=runtime.listen,
            http_port=runtime.http_port,
            database_url=runtime.database(state),
            control_socket=state.control_socket,
            ari_ws_url=runtime.sip_websocket_url,
            archive=state.archive,
            site_path=state.site,
            secrets_path=state.secrets,
            sip_domain=runtime.reachable_host,
            demo=runtime.demo,
            sip_host=runtime.reachable_host,
            sip_port=runtime.sip_port,
        )
    )


async def _worker(state: StateDir, runtime: Runtime) -> None:
    from daihyo import worker

    await worker.run(state, runtime)


_WORK: dict[str, Callable[[StateDir, Runtime], Coroutine[Any, Any, None]]] = {
    "engine": _engine,
    "console": _console,
    "worker": _worker,
}
