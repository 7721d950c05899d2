"""A TCP proxy on loopback that can lose the network: cut connections, or swallow every byte in silence."""

from __future__ import annotations

import asyncio
import contextlib


class TcpProxy:
    """Forwards 127.0.0.1:`port` to 127.0.0.1:`target`. After `black_hole()` connections stay open (new ones
    are accepted too) and nothing passes, as when a cable is pulled; `heal()` ends that for the next ones."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._swallow = False
        self._swallowed: set[asyncio.StreamWriter] = set()
        self.port = 0

    async def __aenter__(self) -> TcpProxy:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        self.cut()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def black_hole(self) -> None:
        self._swallow = True
        self._swallowed |= self._writers

    def heal(self) -> None:
        """New connections pass again; those that were swallowed stay dead."""
        self._swallow = False

    def cut(self) -> None:
        """Every connection is reset."""
        for writer in list(self._writers):
            writer.transport.abort()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._writers.add(writer)
        if self._swallow:
            self._swallowed.add(writer)
        other: asyncio.StreamWriter | None = None
        try:
            there, other = await asyncio.open_connection("127.0.0.1", self._target)
            self._writers.add(other)
            if self._swallow:
                self._swallowed.add(other)
            await asyncio.gather(self._carry(reader, other), self._carry(there, writer))
        except OSError:
            pass
        finally:
            for end in (writer, other):
                if end is not None:
                    end.transport.abort()
                    self._writers.discard(end)
            self._tasks.discard(task)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                if writer not in self._swallowed:
                    writer.write(data)
                    await writer.drain()
        writer.transport.abort()
