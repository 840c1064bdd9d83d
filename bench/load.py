"""A load generator: ready-made requests over a few keep-alive connections, with no client library in the way."""

import asyncio
import socket
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_CONNECTIONS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """Requests per second, and how many were not answered with 200."""

    per_second: float
    refused: int


def run_load(host: str, port: int, requests: Sequence[bytes]) -> Rate:
    """Send every request once, over 16 connections, each waiting for its answer; the rate over the whole."""
    return asyncio.run(_run(host, port, requests))


def run_load_over(sockets: Sequence[socket.socket], requests: Sequence[bytes]) -> Rate:
    """The same over connections that are there; they are closed."""
    return asyncio.run(_run_over(sockets, requests))


async def _run(host: str, port: int, requests: Sequence[bytes]) -> Rate:
    loop = asyncio.get_running_loop()
    work = iter(requests)
    connections = [
        (await loop.create_connection(lambda: _Connection(work, loop.create_future()), host, port))[1]
        for _ in range(min(_CONNECTIONS, len(requests)))
    ]
    return await _drive(connections, requests)


async def _run_over(sockets: Sequence[socket.socket], requests: Sequence[bytes]) -> Rate:
    loop = asyncio.get_running_loop()
    work = iter(requests)
    connections = []
    for each in sockets:
        each.setblocking(False)
        connections.append(
            (await loop.create_connection(lambda: _Connection(work, loop.create_future()), sock=each))[1]
        )
    return await _drive(connections, requests)


async def _drive(connections: "Sequence[_Connection]", requests: Sequence[bytes]) -> Rate:
    began = time.perf_counter()
    for connection in connections:
        connection.send_next()
    await asyncio.gather(*(connection.done for connection in connections))
    seconds = time.perf_counter() - began
    for connection in connections:
        connection.transport.close()
    return Rate(per_second=len(requests) / seconds, refused=sum(connection.refused for connection in connections))


class _Connection(asyncio.Protocol):
    """One connection: sends a request, waits for the whole answer, sends the next."""

    def __init__(self, work: Iterator[bytes], done: "asyncio.Future[None]") -> None:
        self._work = work
        self.done = done
        self.refused = 0
        self._buffer = b""
        self._missing = -1  # bytes of the body still to come; -1: the head is not complete

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def send_next(self) -> None:
        request = next(self._work, None)
        if request is None:
            if not self.done.done():
                self.done.set_result(None)
            return
        self._buffer, self._missing = b"", -1
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        if self._missing < 0:
            self._buffer += data
            end = self._buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            head = self._buffer[:end].lower()
            if not head.startswith(b"http/1.1 200"):
                self.refused += 1
            start = head.index(b"content-length:") + 15
            length = int(head[start : head.find(b"\r\n", start) if b"\r\n" in head[start:] else None])
            self._missing = length - (len(self._buffer) - end - 4)
        else:
            self._missing -= len(data)
        if self._missing <= 0:
            self.send_next()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(error or ConnectionError("the server closed the connection"))
