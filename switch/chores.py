"""Cleaning up that nobody waits for, e.g. after a cancellation: it may finish, and a failure is said."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

from switch.api import SwitchError

log = logging.getLogger(__name__)


class Chores:
    """Background tasks that are kept until they are over."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    def add(self, work: Coroutine[Any, Any, Any]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._over)

    async def finish(self, timeout_s: float = 1.0) -> None:
        """Waits for what is under way, at most `timeout_s`, and ends the rest."""
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=timeout_s)
            for task in late:
                task.cancel()

    def _over(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if task.cancelled() or (error := task.exception()) is None:
            return
        if isinstance(error, SwitchError):
            log.info("switch: cleaning up: %s", error)
        else:
            log.error("switch: cleaning up failed", exc_info=error)
