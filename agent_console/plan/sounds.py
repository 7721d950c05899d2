"""/plan/sound/KEY: what is said, to listen to; made at once where it is not yet there."""

from __future__ import annotations

import asyncio

from aiohttp import web

from dialplans import Prompt, Site

from ..console import Console, console_of, whose
from ..pages import signed_in
from ..problems import problem
from ..rights import Right
from ..sessions import Session
from .drafts import checked, draft_of, live_plan
from .voice import VOICE, VoiceError

HEADERS = {"Content-Type": "audio/wav", "Cache-Control": "private, max-age=3600"}


@signed_in(Right.PLAN_READ)
async def sound(request: web.Request) -> web.StreamResponse:
    """The sound of a prompt of the live plan or of one's own draft."""
    session = whose(request)
    return await sound_of(request, session, request.match_info["key"])


async def sound_of(request: web.Request, session: Session, key: str) -> web.FileResponse:
    """The file. Raises Problem: 404 for a key that no plan of theirs has, 503 when it cannot be made."""
    voice = request.app[VOICE]
    path = await asyncio.to_thread(voice.find, key)
    if path is None:
        prompt = await _prompt_of(console_of(request), session, key)
        if prompt is None:
            raise problem(404, "no_sound", "plan.error.no_sound")
        try:
            path = await voice.make(prompt)
        except VoiceError as error:
            raise problem(503, "no_voice", "plan.error.voice", why=str(error)) from None
    return web.FileResponse(path, headers=HEADERS)


async def _prompt_of(console: Console, session: Session, key: str) -> Prompt | None:
    live = await live_plan(console)
    draft = await draft_of(console, session.account.login, live)
    for text in (draft.text, live.text) if draft is not None else (live.text,):
        site = (await checked(text)).site
        if site is not None and (found := _in(site, key)) is not None:
            return found
    return _in(console.site, key)


def _in(site: Site, key: str) -> Prompt | None:
    return next((one for one in site.prompts() if one.key == key), None)
