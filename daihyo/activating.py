"""The worker's part in a changed plan: takes what was asked for, makes everything ready, asks the engine.

One wish at a time; a newer one replaces those that wait. Each step may be done twice: a wish that a killed
worker left half done is simply taken again.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from sqlalchemy.exc import IntegrityError

from agent_console import sync_users
from daihyo import plans as files
from daihyo import rendering, speaking
from daihyo.control import EngineGone, EngineSilent, ask
from daihyo.settings import Runtime, StateDir, UserError
from dialplans import Site
from store import PlanActivation, PlanVersion, Store, StoreUnavailable, plans
from switch.install import AsteriskMissing, Tree, find_asterisk

log = logging.getLogger("daihyo.worker.plan")

LOOK_EVERY_S = 0.25
# Whoever has just changed something often changes something more: for a while it is looked for sooner.
SOON_S, LOOK_SOON_EVERY_S = 5.0, 0.03
ENGINE_AWAY_S = 30.0  # a killed engine is back within seconds
# One that is there and silent is at work (a hung one is killed); asked again, it answers when that is done.
ENGINE_AT_WORK_S = 150.0
RELOAD_S = 30.0
# Asterisk may have read what was then refused: it is put right, tried again after so long.
MEND_AGAIN_S = (1.0, 2.0, 5.0, 10.0, 30.0)

Ask = Callable[..., Awaitable[dict[str, object]]]


class Activator:
    """`await Activator(state, runtime, store).run()` until cancelled."""

    def __init__(self, state: StateDir, runtime: Runtime, store: Store, *, ask: Ask = ask) -> None:
        self._state = state
        self._runtime = runtime
        self._store = store
        self._ask = ask
        self._tree: Tree | None = None
        self._active_at = float("-inf")
        self._mends = 0  # in vain, one after the other
        self._mend_at = float("-inf")
        self._seen: str | None = None  # the part of the live plan that Asterisk's configuration is made of

    async def run(self) -> None:
        """A database that is away is waited for."""
        rendering.forget(self._state)
        away = False
        while True:
            try:
                while await self.activate_next():
                    self._active_at = time.monotonic()
                if time.monotonic() >= self._mend_at:
                    await self.mend()
                away = False
            except StoreUnavailable as error:
                if not away:
                    log.warning("%s", error)
                away = True
            soon = time.monotonic() - self._active_at < SOON_S
            await asyncio.sleep(LOOK_SOON_EVERY_S if soon else LOOK_EVERY_S)

    async def activate_next(self) -> bool:
        """Works on the newest wish, if there is one; whether there was. Raises StoreUnavailable: the wish is
        then still there."""
        if not await plans.waiting(self._store):
            return False
        before = files.live_number(self._state)
        taken = await plans.take(self._store, before)
        if taken is None:
            return False
        wish, version = taken
        began = time.monotonic()
        try:
            await self._activate(wish, version)
        except StoreUnavailable:
            raise
        except Exception as error:
            if before != version.id == files.live_number(self._state):
                log.warning("version %d is live, whatever went wrong then: %s", version.id, error)
                await plans.settle(self._store, wish.id, plans.LIVE)
                await self._after(version, files.site_of(self._state, version.id))
                return True
            problem = _one_line(error)
            log.warning("version %d is not live: %s", version.id, problem)
            if not isinstance(error, UserError):
                log.exception("version %d", version.id)
            await plans.settle(self._store, wish.id, plans.FAILED, problem)
        else:
            await plans.settle(self._store, wish.id, plans.LIVE)
            log.info(
                "version %d is live, asked by %s, %.0f ms",
                version.id,
                wish.asked_by,
                (time.monotonic() - began) * 1000,
            )
        return True

    async def mend(self) -> None:
        """Where Asterisk may have read a plan that was refused (`rendering.owe`), it reads the live one's
        files again; the database learns which that is. Not done, it is tried again. StoreUnavailable."""
        number = files.live_number(self._state)
        if number is None or not rendering.to_reload(self._state):
            self._mends = 0
            return
        try:
            known = await plans.live(self._store)
            if (known is None or known.id != number) and await plans.version(self._store, number) is not None:
                await plans.note_live(self._store, number, by="engine")
            self._seen = None
            site = await asyncio.to_thread(files.site_of, self._state, number)
            await asyncio.to_thread(self._configure, site, number)
            modules = rendering.to_reload(self._state)
            told = {
                "version": number,
                "by": "worker",
                "comment": "設定の復旧 / put right",
                "modules": modules,
            }
            await self._ask(self._state.control_socket, "plan.activate", RELOAD_S, **told)
            rendering.reloaded(self._state)
        except (UserError, OSError, EngineGone, EngineSilent) as error:
            wait = MEND_AGAIN_S[min(self._mends, len(MEND_AGAIN_S) - 1)]
            self._mends += 1
            self._mend_at = time.monotonic() + wait
            log.warning("Asterisk may have read a refused plan; tried again in %.0f s: %s", wait, error)
        else:
            self._mends = 0
            log.info("Asterisk has the configuration of version %d again", number)

    async def _activate(self, wish: PlanActivation, version: PlanVersion) -> None:
        state = self._state
        # In a thread of its own: a large plan takes a second, and the journal is carried meanwhile.
        site = await asyncio.to_thread(files.checked_version, state, version.id, version.text)
        await speaking.speak(site, version.id, state)
        seen = rendering.seen_by_asterisk(site)
        changed = seen != self._seen and await asyncio.to_thread(self._configure, site, version.id)
        try:
            await self._tell_engine(wish, version, rendering.to_reload(state))
        except Exception:
            if changed:
                self._seen = None
                await asyncio.to_thread(self._put_back, version.id)
            raise
        rendering.reloaded(state)
        self._seen = seen
        await self._after(version, site)

    async def _after(self, version: PlanVersion, site: Site) -> None:
        """What follows from a plan that is live already; a fault here makes it no less live."""
        try:
            files.write_copy(self._state, version.text)
            for again in (True, True, False):
                try:
                    await sync_users(self._store, site)
                    return
                except IntegrityError:  # the console does the same when it sees the new plan
                    if not again:
                        raise
        except StoreUnavailable:
            raise
        except Exception:
            log.exception("version %d is live, but not all that follows from it is done", version.id)

    def _configure(self, site: Site, version: int) -> bool:
        """Asterisk's configuration, put in place; whether any of it changed. What it must reload is then
        owed (`rendering.owe`). Blocking. Raises UserError."""
        rendered = self._render(site)
        if waiting := rendered.needs_restart:
            raise UserError(
                "センターの再起動が必要な変更です / Asterisk must be started anew for this change "
                f"({', '.join(waiting)}): daihyo plan export {version} --output FILE, daihyo stop, "
                "daihyo up --use-file"
            )
        rendering.owe(self._state, rendering.to_reload(self._state, rendered.changed))
        rendered.put()
        return bool(rendered.changed)

    def _put_back(self, refused: int) -> None:
        """The configuration of the plan that stays live; what Asterisk may have read stays owed."""
        number = files.live_number(self._state)
        if number is None or number == refused:
            return
        try:
            self._configure(files.site_of(self._state, number), number)
        except (UserError, OSError) as error:
            log.warning("Asterisk's configuration is not put back: %s", error)

    def _render(self, site: Site) -> rendering.Rendered:
        if self._tree is None:
            try:
                self._tree = find_asterisk()
            except AsteriskMissing as error:
                raise UserError(f"Asterisk がありません / {error}") from None
        return rendering.render_aside(site, self._state, self._runtime, self._tree)

    async def _tell_engine(self, wish: PlanActivation, version: PlanVersion, modules: list[str]) -> None:
        """Until the engine has made it live. One that is being restarted is waited for."""
        before = files.live_number(self._state)
        began = time.monotonic()
        while True:
            try:
                await self._ask(
                    self._state.control_socket,
                    "plan.activate",
                    RELOAD_S,
                    version=version.id,
                    by=wish.asked_by,
                    comment=version.comment,
                    modules=modules,
                )
                return
            except (EngineGone, EngineSilent) as error:
                if before != version.id == files.live_number(self._state):
                    return  # it did so before it went away
                patience = ENGINE_AT_WORK_S if isinstance(error, EngineSilent) else ENGINE_AWAY_S
                if time.monotonic() > began + patience:
                    raise UserError(
                        f"通話エンジンが応答しません / the call engine is away ({error}); try again"
                    ) from None
            await asyncio.sleep(0.2)


def _one_line(error: Exception) -> str:
    """What stands in the list of activations."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    if not lines:
        return type(error).__name__
    more = f" (ほか{len(lines) - 1}件 / {len(lines) - 1} more)" if len(lines) > 1 else ""
    return lines[0][:500] + more
