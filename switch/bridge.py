"""A mixing bridge: the room in which channels hear each other."""

from __future__ import annotations

import asyncio

from switch.api import Channel, NotFound, Refused, SwitchError
from switch.ari import Lane
from switch.channel import AriChannel, Exchange


class AriBridge:
    """See switch.api.Bridge. Its id is fresh and never used again; it lives until `destroy`."""

    __slots__ = ("_exchange", "id")

    def __init__(self, exchange: Exchange, bridge_id: str) -> None:
        self._exchange = exchange
        self.id = bridge_id

    def __repr__(self) -> str:
        return f"<bridge {self.id}>"

    async def add(self, *channels: Channel) -> None:
        """Puts channels in; one that is not inside the application yet is waited for (else 422)."""
        ours = _ours(channels)
        for channel in ours:
            await channel.wait_started()
        await self._do("addChannel", ours)

    async def remove(self, *channels: Channel) -> None:
        """Takes channels out; they stay in the application in silence. One that is gone is no error."""
        ours = [channel for channel in _ours(channels) if channel.hangup_info is None]
        for channel in ours:
            try:
                await self._request("removeChannel", [channel])
            except SwitchError:
                # 400, 404 or 422 for a leg that hung up meanwhile: that is as good as removed.
                if channel.hangup_info is None:
                    await _explain_quietly(channel)
                if channel.hangup_info is None:
                    raise

    async def destroy(self) -> None:
        try:
            await self._exchange.request("DELETE", f"bridges/{self.id}")
        except (NotFound, Refused):
            return  # gone, or going: asked twice in one moment, Asterisk says 409, no more the application's

    async def _do(self, what: str, channels: list[AriChannel]) -> None:
        try:
            await self._request(what, channels)
        except SwitchError:
            for channel in channels:
                await channel.explain_failure()
            raise

    async def _request(self, what: str, channels: list[AriChannel]) -> None:
        if not channels:
            return
        lane: Lane = "http" if any(channel.playing for channel in channels) else "auto"
        ids = ",".join(channel.id for channel in channels)
        await self._exchange.request("POST", f"bridges/{self.id}/{what}", {"channel": ids}, lane=lane)
        for channel in channels:
            channel.idle()


async def _explain_quietly(channel: AriChannel) -> None:
    waiting = asyncio.ensure_future(channel.explain_failure())
    await asyncio.wait([waiting])
    waiting.exception()


def _ours(channels: tuple[Channel, ...]) -> list[AriChannel]:
    ours: list[AriChannel] = [channel for channel in channels if isinstance(channel, AriChannel)]
    if len(ours) != len(channels):
        raise TypeError("a bridge joins channels of the switch only")
    return ours
