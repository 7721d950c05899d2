"""A real SMTP server on loopback that keeps what it is sent, and can refuse."""

from __future__ import annotations

import asyncio
import contextlib
import email
import email.policy
from collections.abc import AsyncIterator
from email.message import EmailMessage
from typing import Any, cast

from aiosmtpd.smtp import SMTP, Envelope, Session


class Mailbox:
    """`refusing`: what it answers instead of taking mail (an SMTP reply), or None."""

    def __init__(self) -> None:
        self.port = 0
        self.refusing: str | None = None
        self.tries = 0
        self._mails: asyncio.Queue[EmailMessage] = asyncio.Queue()
        self._tried = asyncio.Condition()

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        async with self._tried:
            self.tries += 1
            self._tried.notify_all()
        if self.refusing is not None:
            return self.refusing
        content = cast(bytes, envelope.content)
        self._mails.put_nowait(email.message_from_bytes(content, policy=email.policy.default))
        return "250 taken"

    async def mail(self, within_s: float = 30.0) -> EmailMessage:
        """The next one."""
        async with asyncio.timeout(within_s):
            return await self._mails.get()

    async def tried(self, times: int, within_s: float = 30.0) -> None:
        """Until so many mails have been brought, taken or not."""
        async with asyncio.timeout(within_s), self._tried:
            await self._tried.wait_for(lambda: self.tries >= times)

    @property
    def empty(self) -> bool:
        return self._mails.empty()

    def settings(self, **changes: Any) -> dict[str, Any]:
        """The site's `mail:`."""
        sender = "daihyo@minato.example"
        return {
            "host": "127.0.0.1",
            "port": self.port,
            "sender": sender,
            "to": ["sv@minato.example"],
            **changes,
        }


@contextlib.asynccontextmanager
async def mailbox(port: int = 0) -> AsyncIterator[Mailbox]:
    """An SMTP server as long as the block lasts; on a port of its own unless one is given."""
    made = Mailbox()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(made, hostname="mail.minato.example"), "127.0.0.1", port)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        await server.wait_closed()
