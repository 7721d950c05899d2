"""The engine's control socket takes whatever comes: it answers in words and goes on."""

from __future__ import annotations

import stat
from pathlib import Path

import aiohttp
import pytest

from tests.support.centre import centre


@pytest.mark.req("SEC-5", "ADM-3")
async def test_bad_messages_get_clear_errors_and_the_engine_goes_on(tmp_path: Path) -> None:
    async with centre(tmp_path) as running:
        path = running.state.control_socket
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        connector = aiohttp.UnixConnector(path=str(path))
        async with (
            aiohttp.ClientSession(connector=connector) as session,
            session.ws_connect("http://engine/") as socket,
        ):
            assert (await socket.receive_json(timeout=5))["event"] == "live"

            async def error(text: str) -> str:
                await socket.send_str(text)
                while True:
                    answer = await socket.receive_json(timeout=5)
                    if "ok" in answer:
                        assert not answer["ok"]
                        assert answer["error"]["message"]
                        assert answer["error"]["message_en"]
                        return str(answer["error"]["code"])

            assert await error("{not json") == "bad_json"
            assert await error("[1, 2]") == "bad_message"
            assert await error('"text"') == "bad_message"
            assert await error('{"id": 1, "do": "format.disk"}') == "unknown_command"
            assert await error('{"id": 1}') == "unknown_command"
            assert await error('{"id": 1, "do": "operator.state", "operator": "1001"}') == "bad_field"
            assert (
                await error('{"do": "operator.state", "operator": "1001", "state": "asleep"}') == "bad_field"
            )
            assert (
                await error('{"do": "operator.state", "operator": "9", "state": "ready"}')
                == "unknown_operator"
            )
            assert await error('{"do": "call.hold", "call": "nobody"}') == "unknown_call"
            assert await error('{"do": "operator.refuse", "operator": "1001"}') == "not_ringing"
            assert await error('{"do": "operator.wrapped_up", "operator": "1001"}') == "no_wrap_up"
            assert await error('{"do": "hello", "surprise": true}') == "bad_field"
            await socket.send_str('{"id": "x", "do": "hello", "program": "test"}')
            answer = await socket.receive_json(timeout=5)
            assert (answer["id"], answer["ok"], answer["result"]["site"]) == ("x", True, "minato")
        assert running.control.switch["connected"]
