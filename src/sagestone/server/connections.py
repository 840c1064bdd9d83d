"""Which connections are busy with a request, and the end of those over which nothing comes."""

import asyncio
import os
from typing import Final

from aiohttp import web
from aiohttp.web_protocol import RequestHandler

#: How long a connection may stay without a request: a head that never comes whole, a client that forgot it.
IDLE_SECONDS: Final = 75.0

#: Of descriptors, where no limit is known.
MOST_DESCRIPTORS: Final = 1 << 30


class TooManyConnections(Exception):
    """The process has no descriptor to spare, and no connection that is idle."""


class Connections:
    """Used in the server's loop only. From `most_descriptors` on that the process has open, whoever comes takes the
    place of the connection that was idle for longest; where none is idle, they are turned away."""

    def __init__(self, patience: float = IDLE_SECONDS, most_descriptors: int = MOST_DESCRIPTORS) -> None:
        self._patience = patience
        self._most_descriptors = most_descriptors
        self._busy: set[RequestHandler] = set()
        self._idle_since: dict[RequestHandler, float] = {}  # in this order
        self._unsent: dict[RequestHandler, int] = {}  # bytes of an answer that waited for its reader at the last look
        self._none_busy = asyncio.Event()
        self._none_busy.set()

    @property
    def busy(self) -> int:
        """How many requests are under way."""
        return len(self._busy)

    def admit(self) -> None:
        """Make room for one that was just accepted; raises TooManyConnections. Handshakes of TLS count."""
        if _lowest_free_descriptor() < self._most_descriptors:
            return
        if not self._idle_since:
            raise TooManyConnections
        oldest = next((each for each in self._idle_since if not _unsent(each)), next(iter(self._idle_since)))
        self._drop(oldest)

    def made(self, connection: RequestHandler) -> None:
        """It is there, and waits for its first request."""
        self._idle_since[connection] = asyncio.get_running_loop().time()

    def begin(self, connection: RequestHandler) -> None:
        """A request is answered over it from now on."""
        self._busy.add(connection)
        self._idle_since.pop(connection, None)
        self._unsent.pop(connection, None)
        self._none_busy.clear()

    def end(self, connection: RequestHandler) -> None:
        """Its answer is made."""
        self._busy.discard(connection)
        if connection.transport is not None:
            self._idle_since[connection] = asyncio.get_running_loop().time()
        if not self._busy:
            self._none_busy.set()

    def lost(self, connection: RequestHandler) -> None:
        """It is no more."""
        self._idle_since.pop(connection, None)
        self._unsent.pop(connection, None)

    async def none_busy(self) -> None:
        """Wait until no request is under way."""
        await self._none_busy.wait()

    async def watch(self) -> None:
        """End what is idle for too long, until this is cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(self._patience / 5)
            self._look(loop.time())

    def _look(self, now: float) -> None:
        for connection, since in list(self._idle_since.items()):
            if now - since < self._patience:
                return
            unsent = _unsent(connection)
            if unsent and unsent != self._unsent.get(connection):  # a slow reader, who was given time and used it
                del self._idle_since[connection]
                self._idle_since[connection], self._unsent[connection] = now, unsent
            else:
                self._drop(connection)

    def _drop(self, connection: RequestHandler) -> None:
        """End it at once: what was not read of its last answer never will be."""
        del self._idle_since[connection]
        if connection.transport is not None:
            connection.transport.abort()
        connection.force_close()


class WatchedServer(web.Server):
    """aiohttp's server, which says what becomes of its connections; it is called for each one that was accepted."""

    connections_watched: Connections

    def __call__(self) -> RequestHandler:
        self.connections_watched.admit()
        return super().__call__()

    def connection_made(self, handler: RequestHandler, transport: asyncio.Transport) -> None:
        super().connection_made(handler, transport)
        self.connections_watched.made(handler)

    def connection_lost(self, handler: RequestHandler, exc: BaseException | None = None) -> None:
        super().connection_lost(handler, exc)
        self.connections_watched.lost(handler)


def _lowest_free_descriptor() -> int:
    """As many are open at least: a new one gets the lowest number that is free."""
    found = os.dup(2)
    os.close(found)
    return found


def _unsent(connection: RequestHandler) -> int:
    transport = connection.transport
    return 0 if transport is None else transport.get_write_buffer_size()
