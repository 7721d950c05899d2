"""The SIP port is taken by another program just while Asterisk starts anew."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from pathlib import Path

import pytest

from tests.support.centre import centre
from tests.support.phones import OPERATOR_HZ, phones
from tests.support.site import NUMBER, site


async def taken(host: str, port: int) -> socket.socket:
    """The port, as soon as whoever holds it lets go."""
    holder = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    async with asyncio.timeout(10):
        while True:
            with contextlib.suppress(OSError):
                holder.bind((host, port))
                return holder
            await asyncio.sleep(0.002)


@pytest.mark.req("REL-3")
async def test_an_asterisk_without_sip_is_started_again(tmp_path: Path) -> None:
    async with centre(tmp_path, site=site(operators=1)) as running, phones() as sip:
        await sip.desk(running.phone("1001"))
        await running.ready_operator("1001")
        await running.registration_kept("1001")
        host, port = running.sip.rsplit(":", 1)
        running.kill("asterisk")
        with await taken(host, int(port)):
            await running.control.wait(lambda: not running.control.switch.get("connected", True), 10)
            await running.control.wait(lambda: bool(running.control.switch.get("connected")), 30)
            mute = running.pid("asterisk")
        async with asyncio.timeout(40):
            while running.pid("asterisk") == mute:  # `up` has seen that nobody can telephone
                await asyncio.sleep(0.1)
        await running.control.wait(lambda: bool(running.control.operators["1001"]["phones"]["desk"]), 40)
        await running.control.do("operator.state", operator="1001", state="ready")
        citizen = await sip.call(running.sip, NUMBER)
        await citizen.hears(OPERATOR_HZ)
        await citizen.hangup()
        await running.ended(1)
