"""The directory as this program holds it: read again when the table has changed."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final

from aiohttp import web

from desk import Directory, Entry, Open, open_at, stamp_in
from store import AccessEntry, Store, StoreUnavailable

from ..audit import Action, row
from ..console import Console, console_of, session_of

log = logging.getLogger(__name__)

LOOK_EVERY_S: Final = 1.0


class Hall:
    """Gives the directory; asks the table at most once a second whether it has changed. While the database
    is away the last one is good enough: operators go on transferring."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._held: Directory | None = None
        self._looked_at = float("-inf")
        self._one_at_a_time = asyncio.Lock()

    async def directory(self) -> Directory:
        """Raises StoreUnavailable if it has never been read."""
        held = self._held
        if held is not None and time.monotonic() - self._looked_at < LOOK_EVERY_S:
            return held
        async with self._one_at_a_time:
            if self._held is None or time.monotonic() - self._looked_at >= LOOK_EVERY_S:
                await self._look()
            assert self._held is not None  # noqa: S101 - _look has read it or raised
            return self._held

    def changed(self) -> None:
        """We have changed the table: the next who asks sees it."""
        self._looked_at = float("-inf")

    async def _look(self) -> None:
        try:
            if self._held is not None:
                async with self._store.reading() as session:
                    stamp = await stamp_in(session)
                if stamp != self._held.stamp:
                    self._held = await Directory.load(self._store)
            else:
                self._held = await Directory.load(self._store)
        except StoreUnavailable as error:
            if self._held is None:
                raise
            log.warning("directory: the one read before is used: %s", error)
        self._looked_at = time.monotonic()


HALL: Final = web.AppKey("hall", Hall)


async def directory_of(request: web.Request) -> Directory:
    """The directory. Raises StoreUnavailable."""
    return await request.app[HALL].directory()


def open_now(console: Console, entry: Entry) -> Open:
    """How the entry's department stands now."""
    return open_at(entry, console.site, datetime.now(UTC))


def logged(request: web.Request, action: Action, detail: str) -> list[AccessEntry]:
    """The access log's row of a change, to be written in the change's own transaction."""
    session = session_of(request)
    login = session.account.login if session is not None else None
    return [row(action, login=login, address=request.remote, detail=detail)]


def words_of(opening: Open, language: str) -> str:
    """What to tell the citizen, in a language of the interface."""
    return opening.words[language]


def people_of(request: web.Request) -> dict[str, str]:
    """Names by sign-in."""
    return {user.login: user.name for user in console_of(request).site.users}


def shown_problems(problems: Iterable[Any], language: str) -> list[dict[str, Any]]:
    """Problems of a file or a form as people read them."""
    ja = language == "ja"
    return [
        {
            "row": one.row,
            "column": one.column,
            "field": one.field,
            "what": one.ja if ja else one.en,
            "do": one.do_ja if ja else one.do_en,
        }
        for one in problems
    ]
