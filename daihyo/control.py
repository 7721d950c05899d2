"""Asks the running engine, over its control socket (docs/interfaces.md)."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import aiohttp

from daihyo.settings import UserError


class EngineSilent(Exception):
    """The engine is there but did not answer in time."""


class EngineGone(Exception):
    """Nobody listens on the control socket."""


async def ask(socket: Path, do: str, timeout_s: float = 5.0, **fields: object) -> dict[str, Any]:
    """One command and its result. Raises EngineGone, EngineSilent, or UserError with the engine's own
    message."""
    timeout = aiohttp.ClientTimeout(total=timeout_s)
    try:
        async with (
            aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(socket)), timeout=timeout) as session,
            session.ws_connect("http://engine/", max_msg_size=0) as ws,
        ):
            await ws.send_str(json.dumps({"id": 1, "do": do, **fields}))
            while True:
                message = await ws.receive(timeout_s)
                if message.type is not aiohttp.WSMsgType.TEXT:
                    raise EngineGone(f"the engine closed the connection while asked to '{do}'")
                answer = json.loads(message.data)
                if answer.get("id") == 1:
                    break
    except TimeoutError:
        raise EngineSilent(f"the engine did not answer '{do}' within {timeout_s:g} s") from None
    except (aiohttp.ClientError, OSError) as error:
        reason = (
            os.strerror(error.errno) if isinstance(error, OSError) and error.errno else type(error).__name__
        )
        raise EngineGone(f"nobody listens on {socket} ({reason})") from None
    if not answer.get("ok"):
        refusal = answer.get("error") or {}
        raise UserError(f"{refusal.get('message', '')} / {refusal.get('message_en', 'refused')}")
    result = answer.get("result")
    return result if isinstance(result, dict) else {}


async def ask_or_explain(socket: Path, do: str, **fields: object) -> dict[str, Any]:
    """As `ask`; an engine that is away becomes a line for the user."""
    try:
        return await ask(socket, do, 5.0, **fields)
    except (EngineGone, EngineSilent) as error:
        raise UserError(
            f"通話エンジンが応答しません / the call engine is away: {error}. "
            "Is the centre up? daihyo status --state DIR"
        ) from None
