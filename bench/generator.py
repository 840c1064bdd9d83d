"""A load generator: ready-made requests over a few keep-alive connections, with no client library in the way."""

import asyncio
import socket
import time
from collections.abc import Sequence
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
    work = _Work(requests)
    began = time.perf_counter()

    async def exchange() -> None:
        # A server that closes after its answer, as moto's does, is connected to anew for the next one.
        while work.left:
            _, connection = await loop.create_connection(lambda: _Connection(work, loop.create_future()), host, port)
            await _used(connection)

    await asyncio.gather(*(exchange() for _ in range(min(_CONNECTIONS, len(requests)))))
    return work.rate(time.perf_counter() - began)


async def _run_over(sockets: Sequence[socket.socket], requests: Sequence[bytes]) -> Rate:
    loop = asyncio.get_running_loop()
    work = _Work(requests)
    connections = []
    for each in sockets:
        each.setblocking(False)
        connections.append(
            (await loop.create_connection(lambda: _Connection(work, loop.create_future()), sock=each))[1]
        )
    began = time.perf_counter()
    await asyncio.gather(*(_used(connection) for connection in connections))
    if work.left:
        raise ConnectionError("the server closed every connection before all requests were sent")
    return work.rate(time.perf_counter() - began)


async def _used(connection: "_Connection") -> None:
    """Send over it as long as there is work and it stays open."""
    connection.send_next()
    try:
        await connection.done
    finally:
        connection.transport.close()


class _Work:
    """The requests that all connections take from, and the count of what was refused."""

    def __init__(self, requests: Sequence[bytes]) -> None:
        self._requests = requests
        self._next = 0
        self.refused = 0

    @property
    def left(self) -> bool:
        return self._next < len(self._requests)

    def take(self) -> bytes | None:
        if not self.left:
            return None
        self._next += 1
        return self._requests[self._next - 1]

    def rate(self, seconds: float) -> Rate:
        return Rate(per_second=len(self._requests) / seconds, refused=self.refused)


class _Connection(asyncio.Protocol):
    """One connection: sends a request, waits for the whole answer, sends the next, until there is none or it closes."""

    def __init__(self, work: _Work, done: "asyncio.Future[None]") -> None:
        self._work = work
        self.done = done
        self._buffer = b""
        self._missing = -1  # bytes of the body still to come; -1: the head is not complete
        self._closing = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def send_next(self) -> None:
        request = None if self._closing else self._work.take()
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
                self._work.refused += 1
            self._closing = b"connection: close" in head
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
