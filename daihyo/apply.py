"""A version of the plan goes live on a running centre: asked for here, done by its worker."""

from __future__ import annotations

import asyncio
import getpass
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from daihyo import control
from daihyo.plans import read_file, today
from daihyo.settings import Runtime, StateDir, UserError
from dialplans import Site
from store import PlanActivation, PlanVersion, Store, plans

LOOK_EVERY_S = 0.05
TAKEN_WITHIN_S = 30.0  # a worker that is being restarted is back by then
DONE_WITHIN_S = 600.0  # speaking a whole new plan takes minutes


def myself() -> str:
    """Who asks, at the command line: the user's name on this machine."""
    with suppress(OSError, KeyError):
        return getpass.getuser()
    return "command line"


@asynccontextmanager
async def opened(state: StateDir) -> AsyncIterator[Store]:
    """The centre's database. Raises UserError, StoreUnavailable."""
    async with await Store.open(Runtime.load(state).database(state)) as store:
        yield store


async def apply(state: StateDir, file: Path) -> tuple[PlanActivation, Site]:
    """Makes `file` the live plan of the running centre in `state`. Raises UserError."""
    text, site = read_file(file, today())
    async with opened(state) as store:
        await must_run(state)
        live = await plans.live(store)
        if live is not None and live.sha256 == plans.digest(text):
            version = live
        else:
            version = await plans.add_version(
                store,
                text,
                author=plans.FILE,
                comment=f"site apply {file.name} ({myself()})",
                based_on=live.id if live is not None else None,
            )
        return await go_live(store, version, myself()), site


async def must_run(state: StateDir) -> None:
    """Raises UserError when the engine does not answer."""
    await control.ask_or_explain(state.control_socket, "hello", program="command line")


async def go_live(store: Store, version: PlanVersion, by: str) -> PlanActivation:
    """Asks and waits until it is live. Raises UserError with the problem when it does not come to that, or
    takes too long: it may still go live then."""
    wish = await plans.ask(store, version.id, by=by)
    loop = asyncio.get_running_loop()
    began = loop.time()
    while True:
        now = await plans.activation(store, wish.id)
        match now.state if now is not None else None:
            case plans.LIVE:
                return wish
            case plans.FAILED:
                raise UserError(
                    f"版 {version.id} は反映されませんでした / version {version.id} is not live: "
                    f"{now.problem if now is not None else ''}"
                )
            case plans.REPLACED:
                raise UserError(
                    f"版 {version.id} より新しい版が先に頼まれました / version {version.id} is not live: "
                    "a newer one was asked for meanwhile (daihyo plan list)"
                )
            case plans.WORKING if loop.time() > began + DONE_WITHIN_S:
                raise UserError(
                    f"版 {version.id} の準備が終わりません / version {version.id} is still being made ready "
                    "and goes live when that is done: daihyo plan list, daihyo status --state DIR"
                )
            case plans.ASKED if loop.time() > began + TAKEN_WITHIN_S:
                raise UserError(
                    "裏方(worker)が動いていません / the worker does not take it; it will when it runs again: "
                    "daihyo status --state DIR"
                )
        await asyncio.sleep(LOOK_EVERY_S)
