"""A changed site for a running centre: checked, spoken, rendered, then the engine takes it over.

Nothing is changed before everything has been checked; calls under way do not notice.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from asterisk_conf import modules_to_reload, needs_restart
from daihyo import control
from daihyo.prepare import checked_site, configure, copy, speak
from daihyo.settings import Runtime, StateDir, UserError
from switch.install import AsteriskMissing, find_asterisk


async def apply(state: StateDir, file: Path) -> dict[str, Any]:
    """Makes `file` the plan of the centre in `state`. Returns the engine's counts. Raises UserError."""
    site = checked_site(file)
    runtime = Runtime.load(state)
    await control.ask_or_explain(state.control_socket, "hello", program="site apply")
    try:
        tree = find_asterisk()
    except AsteriskMissing as error:
        raise UserError(f"Asterisk がありません / {error}") from None
    speak(site, state)  # a plan goes live only when its audio is there
    _, changed = configure(site, state, runtime, tree)
    copy(file, state.site)
    if waiting := needs_restart(changed):
        raise UserError(
            f"再起動が必要な変更です / {', '.join(waiting)} changed: saved, takes effect at the next "
            "start of Asterisk only. Stop and start the centre: daihyo stop, daihyo up"
        )
    await _users(state, runtime)
    return await control.ask_or_explain(
        state.control_socket, "site.reload", modules=modules_to_reload(changed)
    )


async def _users(state: StateDir, runtime: Runtime) -> None:
    from agent_console import sync_users
    from dialplans import load_site
    from store import Store, StoreUnavailable

    try:
        store = await Store.open(runtime.database(state))
    except StoreUnavailable as error:
        raise UserError(f"--database: {error}") from None
    try:
        await sync_users(store, load_site(state.site))
    finally:
        await store.close()
