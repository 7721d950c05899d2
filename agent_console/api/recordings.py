"""Operations on recordings: their sound, and whether they are held against deletion."""

from __future__ import annotations

import mimetypes
from pathlib import Path

from aiohttp import web

from cdr import CallDetail

from .. import audit, held
from ..audit import Action
from ..problems import problem
from ..records import consult_path, may_replay, one, recording_path
from ..rights import Right
from .call_models import Hold
from .models import Done
from .registry import ApiCall

mimetypes.add_type("audio/flac", ".flac")


async def recording(call: ApiCall) -> web.StreamResponse:
    """The sound of a call, also in ranges. Each replay is in the access log before a byte of it is sent."""
    detail = await _heard(call)
    return await _sound(call, recording_path(call.console, detail.record), detail.record.call)


async def consult(call: ApiCall) -> web.StreamResponse:
    """The sound of a consult in it, by the same rights."""
    detail, place = await _heard(call), call.path("place")
    found = (consult_path(call.console, one) for one in detail.consults if str(one.place) == place)
    return await _sound(call, next(found, None), f"{detail.record.call}.{place}")


async def hold(call: ApiCall) -> Done:
    """Holds the recordings of a call against deletion."""
    await held.hold(
        call.console, call.session, await _known(call), call.body_as(Hold).reason, call.request.remote
    )
    return Done()


async def release(call: ApiCall) -> Done:
    """Lets them go."""
    await held.release(call.console, call.session, await _known(call), call.request.remote)
    return Done()


async def _known(call: ApiCall) -> str:
    return (await _detail(call)).record.call


async def _detail(call: ApiCall) -> CallDetail:
    call_id = call.path("call")
    detail = await one(call.console, call.session, call_id)
    if detail is None:
        raise problem(404, "unknown_call", "problem.no_call", id=call_id)
    return detail


async def _heard(call: ApiCall) -> CallDetail:
    detail = await _detail(call)
    if not may_replay(call.session, detail.record):
        raise problem(403, "right", "problem.right", right=Right.REPLAY_ALL.value)
    return detail


async def _sound(call: ApiCall, path: Path | None, key: str) -> web.StreamResponse:
    if path is None:
        raise problem(404, "no_recording", "problem.no_recording", id=key)
    wanted = call.request.headers.get("Range", "bytes=0-")
    if wanted.startswith("bytes=0-"):  # players ask for the rest in pieces: one replay, one row
        await audit.note(
            call.console.store,
            Action.REPLAY,
            login=call.session.account.login,
            address=call.request.remote,
            detail=key,
        )
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return web.FileResponse(
        path,
        headers={
            "Content-Type": kind,
            "Cache-Control": "private, no-store",
            "Content-Disposition": f'inline; filename="{path.name}"',
        },
    )
