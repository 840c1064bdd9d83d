"""Which connections are busy with a request, and the end of those over which nothing comes."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Final

from aiohttp.web_protocol import RequestHandler

#: How long a connection may stay without a request: a head that never comes whole, a client that forgot it.
IDLE_SECONDS: Final = 75.0


class Connections:
    """Used in the server's loop only."""

    def __init__(self, patience: float = IDLE_SECONDS) -> None:
        self._patience = patience
        self._busy: set[RequestHandler] = set()
        self._idle_since: dict[RequestHandler, float] = {}
        self._none_busy = asyncio.Event()
        self._none_busy.set()

    @property
    def busy(self) -> int:
        """How many requests are under way."""
        return len(self._busy)

    def begin(self, connection: RequestHandler) -> None:
        """A request is answered over it from now on."""
        self._busy.add(connection)
        self._idle_since.pop(connection, None)
        self._none_busy.clear()

    def end(self, connection: RequestHandler) -> None:
        """Its answer is made."""
        self._busy.discard(connection)
        if not self._busy:
            self._none_busy.set()

    async def none_busy(self) -> None:
        """Wait until no request is under way."""
        await self._none_busy.wait()

    async def watch(self, connections: Callable[[], Iterable[RequestHandler]]) -> None:
        """End what is idle for too long, until this is cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(self._patience / 5)
            self._look(connections(), loop.time())

    def _look(self, connections: Iterable[RequestHandler], now: float) -> None:
        idle = {}
        for connection in connections:
            if connection in self._busy or _is_sending(connection):
                continue
            since = self._idle_since.get(connection, now)
            if now - since < self._patience:
                idle[connection] = since
            else:
                connection.force_close()
        self._idle_since = idle


def _is_sending(connection: RequestHandler) -> bool:
    transport = connection.transport
    return transport is not None and transport.get_write_buffer_size() > 0
